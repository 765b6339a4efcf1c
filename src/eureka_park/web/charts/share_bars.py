"""Shares in rows: what was reached as a full bar, the rest of the whole hatched behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

_ROW: Final = 30.0
_BAR: Final = 14.0
_LETTER_PX: Final = 6.6


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A row: its name, the class of its colour, its share (0 to 1), the share as text."""

    name: str
    css: str
    frac: float
    shown: str


def share_bars(rows: Sequence[ShareRow], label: str, *, is_narrow: bool = False) -> Markup:
    """The picture; the text of each share stands at the end of its row."""
    width, start, end = (
        (360.0, 4.0, 62.0)
        if is_narrow
        else (760.0, min(300.0, max(len(item.name) for item in rows) * _LETTER_PX + 22), 70.0)
    )
    row = _ROW + 14 if is_narrow else _ROW
    parts = []
    for index, item in enumerate(rows):
        y = 6 + index * row
        if is_narrow:
            parts.append(f'<text class="tick" x="4" y="{y + 10:g}">{escape(item.name)}</text>')
        else:
            place = f'x="{start - 14:g}" y="{y + 15:g}" text-anchor="end"'
            parts.append(f'<text class="tick row-name" {place}>{escape(item.name)}</text>')
        at, whole = y + (18 if is_narrow else 4), width - start - end
        size = f'y="{at:g}" height="{_BAR:g}" rx="3"'
        parts.append(f'<rect class="s-grid" x="{start:g}" width="{whole:g}" {size}/>')
        part = max(0.0, min(1.0, item.frac)) * whole
        parts.append(f'<rect class="b-{escape(item.css)}" x="{start:g}" width="{part:.1f}" {size}/>')
        place = f'x="{width - 4:g}" y="{at + 12:g}" text-anchor="end"'
        parts.append(f'<text class="tick value" {place}>{escape(item.shown)}</text>')
    return Markup(
        f'<svg class="shares" viewBox="0 0 {width:g} {8 + row * len(rows):g}" role="img" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )
