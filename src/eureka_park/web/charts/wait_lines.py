"""How long jobs waited: a line for each group from its median to its 99th percentile, on an axis of powers of ten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log10
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.pages.words import Words

_ABOVE: Final = 30.0
_HEAD: Final = 25.0
_ROW: Final = 30.0
_TICKS_S: Final = (1.0, 60.0, 3600.0, 86400.0, 604800.0, 2592000.0)
_APART_PX: Final = 74.0
_LETTER_PX: Final = 6.6


@dataclass(frozen=True, slots=True)
class Spread:
    """A row: its name, the class of its colour, waits in seconds by `mean`, `p50`, `p95`, `p99`."""

    name: str
    css: str
    waits_s: Mapping[str, float]


def wait_lines(
    groups: Sequence[tuple[str, Sequence[Spread]]], words: Words, label: str, *, is_narrow: bool = False
) -> Markup:
    """The picture. Ends of a thick line: half waited less, 95 of 100 waited less; of the thin one 99. Diamond: mean."""
    spreads = [spread for _, rows in groups for spread in rows]
    names_px = max((len(spread.name) for spread in spreads), default=0) * _LETTER_PX + 22
    width, start, end = (360.0, 12.0, 12.0) if is_narrow else (760.0, min(270.0, max(150.0, names_px)), 16.0)
    most = max((max(spread.waits_s.values()) for spread in spreads), default=1.0)
    top = log10(max(60.0, most) * 1.35)

    def x_of(seconds: float) -> float:
        return start + log10(max(1.0, seconds)) / top * (width - start - end)

    row = _ROW + 20 if is_narrow else _ROW
    ground = _ABOVE + sum(_HEAD * bool(name) + row * len(rows) for name, rows in groups) + 4
    parts = [*_ticks(words, x_of, ground, 10**top)]
    y = _ABOVE
    for name, rows in groups:
        if name:
            parts.append(f'<text class="direct group" x="4" y="{y + 15:g}">{escape(name)}</text>')
            y += _HEAD
        for spread in rows:
            if is_narrow:
                parts.append(f'<text class="tick" x="4" y="{y + 10:g}">{escape(spread.name)}</text>')
            else:
                place = f'x="{start - 14:g}" y="{y + 21:g}" text-anchor="end"'
                parts.append(f'<text class="tick row-name" {place}>{escape(spread.name)}</text>')
            parts += _line(spread, y + (36 if is_narrow else 17), x_of, words, width)
            y += row
    size = "narrow" if is_narrow else "wide"
    return Markup(
        f'<svg class="waits waits-{size}" viewBox="0 0 {width:g} {ground + 6:g}" role="img" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _ticks(words: Words, x_of: object, ground: float, most: float) -> Iterable[str]:
    assert callable(x_of)
    for seconds in _TICKS_S:
        if seconds <= most:
            x = x_of(seconds)
            shown = escape(_round(words, seconds))
            yield f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="{_ABOVE - 8:g}" y2="{ground:g}"/>'
            yield f'<text class="tick" x="{x:.1f}" y="{_ABOVE - 14:g}" text-anchor="middle">{shown}</text>'


def _round(words: Words, seconds: float) -> str:
    """A whole unit: days from two on."""
    days = seconds / 86_400.0
    return words.count("{n} day", "{n} days", days) if days >= 2.0 else words.duration(seconds)


def _line(spread: Spread, y: float, x_of: object, words: Words, width: float) -> Iterable[str]:
    assert callable(x_of)
    at = {name: x_of(value) for name, value in spread.waits_s.items()}
    css = escape(spread.css)
    yield f'<path class="reach w-{css}" d="M{at["p50"]:.1f} {y:g}H{at["p99"]:.1f}m0 -4v8"/>'
    yield f'<path class="bulk w-{css}" d="M{at["p50"]:.1f} {y:g}H{max(at["p95"], at["p50"] + 0.5):.1f}"/>'
    yield f'<circle class="half w-{css}" cx="{at["p50"]:.1f}" cy="{y:g}" r="5"/>'
    yield f'<path class="mean" d="M{at["mean"] - 5:.1f} {y:g}l5 -5 5 5 -5 5z"/>'
    shown = [("p50", at["p50"])] if at["p95"] - at["p50"] > _APART_PX else []
    for name, x in (*shown, ("p95", at["p95"])):
        text = words.duration(spread.waits_s[name])
        half = len(text) * _LETTER_PX / 2
        place = f'x="{min(max(x, half), width - half):.1f}" y="{y - 9:g}" text-anchor="middle"'
        yield f'<text class="tick value" {place}>{escape(text)}</text>'
