"""How much lay in storage day by day: bars from left to right in every language, the limit as a line where near."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.shapes import nice_step
from eureka_park.web.pages.words import Words

WIDTH: Final = 330.0
START: Final = 82.0
TOP: Final = 8.0
GROUND: Final = 104.0
_GIB: Final = 1024.0**3


@dataclass(frozen=True, slots=True)
class StoredDay:
    """A day as text, and the GiB that lay there."""

    text: str
    gib: float


def stored_days(days: Sequence[StoredDay], words: Words, label: str, limit_gib: float = 0.0) -> Markup:
    """The days as bars that touch; the limit is drawn where half of it is reached."""
    most = max((day.gib for day in days), default=0.0)
    shows_limit = 0 < limit_gib <= 2 * most
    top = max(most, limit_gib if shows_limit else 0.0) * 1.06 or 1.0
    pitch = (WIDTH - START) / max(1, len(days))
    parts = [*_rules(top, words)]
    for index, day in enumerate(days):
        height = day.gib / top * (GROUND - TOP)
        x, said = START + index * pitch, f"{day.text}: {words.size(day.gib * _GIB)}"
        parts.append(
            f'<rect class="stored-day" x="{x:.1f}" y="{GROUND - height:.1f}" width="{pitch - 0.6:.1f}" '
            f'height="{height:.1f}"><title>{escape(said)}</title></rect>'
        )
    if shows_limit:
        y = GROUND - limit_gib / top * (GROUND - TOP)
        parts.append(f'<path class="stored-limit" d="M{START} {y:.1f}H{WIDTH}"/>')
    for index, anchor in ((0, "start"), (len(days) - 1, "end")):
        if days and (index or len(days) > 1 or anchor == "start"):
            x = START if anchor == "start" else WIDTH
            text = escape(days[index].text)
            parts.append(f'<text class="tick" x="{x:.1f}" y="{GROUND + 20}" text-anchor="{anchor}">{text}</text>')
    return Markup(
        f'<svg class="stored-days" viewBox="0 0 {WIDTH:g} {GROUND + 28:g}" role="img" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _rules(top: float, words: Words) -> Iterable[str]:
    step = nice_step(top * _GIB, 3)
    for index in range(int(top * _GIB / step + 1e-9) + 1):
        y = GROUND - index * step / (top * _GIB) * (GROUND - TOP)
        yield f'<line class="rule" x1="{START:g}" x2="{WIDTH:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield (
            f'<text class="tick" x="{START - 8:g}" y="{y + 4:.1f}" text-anchor="end">'
            f"{escape(words.size(index * step))}</text>"
        )
