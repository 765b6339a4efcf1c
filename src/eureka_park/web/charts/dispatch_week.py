"""A week of the year hour by hour: sources stacked from the ground, the load as a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.day_marks import day_marks
from eureka_park.web.charts.plan import Layer
from eureka_park.web.charts.shapes import nice_step, unit_for
from eureka_park.web.pages.words import Words

WIDTH, START, END, ABOVE, GROUND = 760.0, 52.0, 8.0, 24.0, 204.0
_LEAST_FRAC: Final = 0.001  # of the load: a source that gives less all week is left out
_Scale = Callable[[float], float]


def dispatch_week(
    layers: Sequence[Layer],
    load_mw: float | Sequence[float],
    days: Sequence[str],
    words: Words,
    label: str,
    top_mw: float = 0.0,
) -> Markup:
    """The picture; `layers` are hourly and of one length, `days` the text of each day of 24 hours; the load is one for
    all hours, or one for each.

    An hour is drawn as a step: what is computed by the hour is not smoothed. `top_mw` keeps two weeks on one scale.
    """
    n = len(layers[0].mw)
    load = [float(load_mw)] * n if isinstance(load_mw, int | float) else list(load_mw)
    totals = [sum(layer.mw[hour] for layer in layers) for hour in range(n)]
    top = max(top_mw, *load, *totals, 1e-9) * 1.04
    column = (WIDTH - START - END) / n

    def y_of(mw: float) -> float:
        return GROUND - mw / top * (GROUND - ABOVE)

    parts = [*_rules(top, words, y_of)]
    below = [0.0] * n
    for layer in layers:
        above = [low + mw for low, mw in zip(below, layer.mw, strict=True)]
        if max(layer.mw) > max(load) * _LEAST_FRAC:
            parts.append(f'<path class="s-{layer.css}" d="{_steps(below, above, column, y_of)}"/>')
        below = above
    parts += day_marks(days, START, column, ABOVE, GROUND)
    parts.append(f'<path class="load" d="{_line(load, column, y_of)}"/>')
    return Markup(
        f'<svg class="week" viewBox="0 0 {WIDTH:g} {GROUND + 26:g}" role="img" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _steps(below: Sequence[float], above: Sequence[float], column: float, y_of: _Scale) -> str:
    """The outline of a layer: along its upper edge, back along its lower one."""
    there = [f"M{START:g} {y_of(above[0]):.1f}"]
    there += [f"V{y_of(mw):.1f}H{START + (hour + 1) * column:.1f}" for hour, mw in enumerate(above)]
    there += [f"V{y_of(below[hour]):.1f}H{START + hour * column:.1f}" for hour in range(len(below) - 1, -1, -1)]
    return "".join(there) + "Z"


def _line(load: Sequence[float], column: float, y_of: _Scale) -> str:
    """The load as steps; hours of one load that follow each other are one stroke."""
    parts, last = [f"M{START:g} {y_of(load[0]):.1f}"], load[0]
    for hour, mw in enumerate(load):
        if mw != last:
            parts.append(f"H{START + hour * column:.1f}V{y_of(mw):.1f}")
            last = mw
    return "".join(parts) + f"H{START + len(load) * column:g}"


def _rules(top: float, words: Words, y_of: _Scale) -> Iterable[str]:
    unit, size = unit_for(top)
    step = nice_step(top / size)
    yield f'<text class="tick" x="4" y="13">{escape(words.say(unit))}</text>'
    for index in range(int(top / size / step + 1e-9) + 1):
        y = y_of(index * step * size)
        yield f'<line class="rule" x1="{START:g}" x2="{WIDTH - END:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        shown = escape(words.number(index * step))
        yield f'<text class="tick" x="{START - 8:g}" y="{y + 4:.1f}" text-anchor="end">{shown}</text>'
