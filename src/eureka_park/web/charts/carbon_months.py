"""Carbon by month, told two ways side by side and never added: hatched by place, filled by the sources of each hour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.shapes import nice_step
from eureka_park.web.pages.words import N_, Words

WIDTH, START, END, ABOVE, GROUND = 760.0, 52.0, 8.0, 30.0, 200.0
UNITS: Final = ((N_("t CO₂"), 1e6), (N_("kg CO₂"), 1e3), (N_("g CO₂"), 1.0))  # with their size in g
_PAIR_FRAC: Final = 0.62


@dataclass(frozen=True, slots=True)
class CarbonBar:
    """A month by name: grams as if from the public grid, and grams by the sources of each hour."""

    name: str
    place_g: float
    hours_g: float


def carbon_months(months: Sequence[CarbonBar], words: Words, label: str) -> Markup:
    """The pairs from the earliest month on, from left to right in every language."""
    top = max((max(item.place_g, item.hours_g) for item in months), default=0.0) or 1.0
    pitch = (WIDTH - START - END) / max(1, len(months))
    parts = [*_rules(top, words)]
    for index, item in enumerate(months):
        parts += _pair(item, START + (index + (1 - _PAIR_FRAC) / 2) * pitch, pitch * _PAIR_FRAC / 2, top, words)
    return Markup(
        f'<svg class="months" viewBox="0 0 {WIDTH:g} {GROUND + 26:g}" role="img" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _pair(item: CarbonBar, x: float, width: float, top: float, words: Words) -> Iterable[str]:
    for offset, css, grams in ((0.0, "grid", item.place_g), (width + 1.5, "majorelle", item.hours_g)):
        height = grams / top * (GROUND - ABOVE)
        if height > 0.05:
            place = f'x="{x + offset:.1f}" y="{GROUND - height:.1f}" width="{width - 1.5:.1f}" height="{height:.1f}"'
            yield f'<rect class="s-{css}" {place}><title>{escape(words.grams(grams))}</title></rect>'
    yield f'<text class="tick" x="{x + width:.1f}" y="{GROUND + 18:g}" text-anchor="middle">{escape(item.name)}</text>'


def _rules(top: float, words: Words) -> Iterable[str]:
    unit, size = next((item for item in UNITS if top >= item[1]), UNITS[-1])
    step = nice_step(top / size, 3)
    yield f'<text class="tick" x="4" y="14">{escape(words.say(unit))}</text>'
    for index in range(int(top / size / step + 1e-9) + 1):
        y = GROUND - index * step * size / top * (GROUND - ABOVE)
        yield f'<line class="rule" x1="{START:g}" x2="{WIDTH - END:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        shown = escape(words.number(index * step))
        yield f'<text class="tick" x="{START - 8:g}" y="{y + 4:.1f}" text-anchor="end">{shown}</text>'
