"""Duration curves: for how much of the year at least so many clean MW serve the load, one line for each scenario."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.shapes import line, nice_step, unit_for
from eureka_park.web.pages.words import Words

WIDTH, START, END, ABOVE, GROUND = 760.0, 52.0, 14.0, 24.0, 206.0
_SHARES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Falling:
    """A line by name and class: MW at equal steps of the year, from the most to the least."""

    css: str
    name: str
    mw: Sequence[float]


def duration_chart(lines: Sequence[Falling], load_mw: float, load_name: str, words: Words, label: str) -> Markup:
    """The picture; names stand where the lines are apart, the load lies on top of all."""
    top = load_mw * 1.08

    def y_of(mw: float) -> float:
        return GROUND - mw / top * (GROUND - ABOVE)

    parts = [*_axes(top, words)]
    for item in lines:
        step = (WIDTH - START - END) / (len(item.mw) - 1)
        points = [(START + index * step, y_of(mw)) for index, mw in enumerate(item.mw)]
        parts.append(f'<path class="falling falling-{escape(item.css)}" d="{line(points)}"/>')
    parts.append(f'<path class="load" d="M{START:g} {y_of(load_mw):.1f}H{WIDTH - END:g}"/>')
    place = f'x="{WIDTH - END - 4:g}" y="{y_of(load_mw) - 7:.1f}" text-anchor="end"'
    parts.append(f'<text class="direct" {place}>{escape(load_name)}</text>')
    return Markup(
        f'<svg class="duration" viewBox="0 0 {WIDTH:g} {GROUND + 26:g}" role="img" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def key(css: str) -> Markup:
    """A stretch of a line for a legend."""
    return Markup(
        f'<svg class="key" viewBox="0 0 26 10" aria-hidden="true"><path class="falling falling-{escape(css)}" '
        'd="M1 5H25"/></svg>'
    )


def _axes(top: float, words: Words) -> Iterable[str]:
    unit, size = unit_for(top)
    step = nice_step(top / size)
    yield f'<text class="tick" x="4" y="13">{escape(words.say(unit))}</text>'
    for index in range(int(top / size / step + 1e-9) + 1):
        y = GROUND - index * step * size / top * (GROUND - ABOVE)
        yield f'<line class="rule" x1="{START:g}" x2="{WIDTH - END:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        shown = escape(words.number(index * step))
        yield f'<text class="tick" x="{START - 8:g}" y="{y + 4:.1f}" text-anchor="end">{shown}</text>'
    for share in _SHARES:
        x = START + share * (WIDTH - START - END)
        yield f'<line class="six" x1="{x:.1f}" x2="{x:.1f}" y1="{GROUND:g}" y2="{GROUND + 5:g}"/>'
        anchor = "start" if share == 0 else "end" if share == 1 else "middle"
        place = f'x="{x:.1f}" y="{GROUND + 18:g}" text-anchor="{anchor}"'
        yield f'<text class="tick" {place}>{escape(words.percent(share))}</text>'
