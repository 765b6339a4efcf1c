"""Twelve months: what each source gave the load, stacked from the ground, with the clean share over each bar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.shapes import nice_step
from eureka_park.web.pages.words import Words

WIDTH, START, END, ABOVE, GROUND = 760.0, 52.0, 8.0, 42.0, 232.0
_BAR_FRAC: Final = 0.66


@dataclass(frozen=True, slots=True)
class Month:
    """A month by name: (colour class, GWh) from the ground up, and the text that stands over it."""

    name: str
    parts: Sequence[tuple[str, float]]
    over: str

    @property
    def gwh(self) -> float:
        """All sources together."""
        return sum(amount for _, amount in self.parts)


def month_stack(months: Sequence[Month], words: Words, label: str) -> Markup:
    """The bars of a year from January on, from left to right in every language."""
    top = (max(month.gwh for month in months) or 1.0) * 1.02
    pitch = (WIDTH - START - END) / len(months)
    parts = [*_rules(top, words)]
    for index, month in enumerate(months):
        parts += _bar(month, START + (index + (1 - _BAR_FRAC) / 2) * pitch, pitch * _BAR_FRAC, top)
    return Markup(
        f'<svg class="months" viewBox="0 0 {WIDTH:g} {GROUND + 26:g}" role="img" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _bar(month: Month, x: float, width: float, top: float) -> Iterable[str]:
    y = GROUND
    for css, amount in month.parts:
        height = amount / top * (GROUND - ABOVE)
        if height > 0.05:
            y -= height
            place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
            yield f'<rect class="s-{css}" {place}/>'
    middle = x + width / 2
    yield f'<text class="tick over" x="{middle:.1f}" y="{y - 7:.1f}" text-anchor="middle">{escape(month.over)}</text>'
    place = f'x="{middle:.1f}" y="{GROUND + 18:g}" text-anchor="middle"'
    yield f'<text class="tick" {place}>{escape(month.name)}</text>'


def _rules(top: float, words: Words) -> Iterable[str]:
    step = nice_step(top, 3)
    yield f'<text class="tick" x="4" y="13">{escape(words.say("GWh"))}</text>'
    for index in range(int(top / step + 1e-9) + 1):
        y = GROUND - index * step / top * (GROUND - ABOVE)
        yield f'<line class="rule" x1="{START:g}" x2="{WIDTH - END:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        shown = escape(words.number(index * step))
        yield f'<text class="tick" x="{START - 8:g}" y="{y + 4:.1f}" text-anchor="end">{shown}</text>'
