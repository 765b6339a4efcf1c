"""A forecast beside what came: a soft band from p10 to p90, the middle as a dashed line, the truth in ink."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from markupsafe import Markup, escape

from eureka_park.web.charts.day_marks import day_marks
from eureka_park.web.charts.shapes import line, nice_step
from eureka_park.web.pages.words import Words

WIDTH, START, END, ABOVE, GROUND = 760.0, 52.0, 8.0, 24.0, 204.0
_Scale = Callable[[float], float]


def fan_chart(
    truth: Sequence[float],
    low: Sequence[float],
    middle: Sequence[float],
    high: Sequence[float],
    days: Sequence[str],
    unit: str,
    words: Words,
    label: str,
) -> Markup:
    """The picture of some days, hour by hour, from left to right; `unit` stands over the axis."""
    n = len(truth)
    top = max(*truth, *high, 1e-9) * 1.05
    column = (WIDTH - START - END) / n

    def y_of(value: float) -> float:
        return GROUND - value / top * (GROUND - ABOVE)

    def points(series: Sequence[float]) -> list[tuple[float, float]]:
        return [(START + (at + 0.5) * column, y_of(value)) for at, value in enumerate(series)]

    band = f"{line(points(high))}L{line(points(low)[::-1])[1:]}Z"
    parts = [
        *_rules(top, unit, words, y_of),
        f'<path class="fan-band" d="{band}"/>',
        f'<path class="fan-middle" d="{line(points(middle))}"/>',
        f'<path class="load fan-truth" d="{line(points(truth))}"/>',
        *day_marks(days, START, column, ABOVE, GROUND),
    ]
    return Markup(
        f'<svg class="fan" viewBox="0 0 {WIDTH:g} {GROUND + 26:g}" role="img" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _rules(top: float, unit: str, words: Words, y_of: _Scale) -> Iterable[str]:
    step = nice_step(top)
    yield f'<text class="tick" x="4" y="13">{escape(unit)}</text>'
    for index in range(int(top / step + 1e-9) + 1):
        y = y_of(index * step)
        yield f'<line class="rule" x1="{START:g}" x2="{WIDTH - END:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        shown = escape(words.number(index * step))
        yield f'<text class="tick" x="{START - 8:g}" y="{y + 4:.1f}" text-anchor="end">{shown}</text>'
