"""A year of weather as one SVG: bars of the months above, hours by days below. Colours stand in the file itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather_summary import MONTH_DAYS

WIDTH: Final = 800.0
LEFT: Final = 52.0
RIGHT: Final = 12.0
BARS_TOP: Final = 52.0
BARS_H: Final = 140.0
HEAT_TOP: Final = 240.0
ROW_H: Final = 8.0
LEVELS: Final = 7
# From the ground to full sun; readable in grey too.
SHADES: Final = ("#f4efe4", "#f5e3b8", "#f2d080", "#e9b348", "#d68f1f", "#ad6712", "#76410c")
INK: Final = "#2b2620"
BAR: Final = "#b8731a"


def picture(
    months: Sequence[float], bars_text: str, series: Floats, heat_text: str, title: str, footer: str = ""
) -> str:
    """The SVG of twelve bars and of 8,760 hours. The texts say what is drawn, with units; `title` says the place."""
    height = HEAT_TOP + 24 * ROW_H + 52.0
    bars_text, heat_text, title, footer = map(_drawable, (bars_text, heat_text, title, footer))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" width="{WIDTH:g}" '
        f'height="{height:g}" font-family="sans-serif" font-size="12" fill="{INK}" role="img" '
        f"aria-label={quoteattr(title)}>",
        f'<rect width="{WIDTH:g}" height="{height:g}" fill="#ffffff"/>',
        f'<text x="{LEFT:g}" y="20" font-size="15" font-weight="bold">{escape(title)}</text>',
        f'<text x="{LEFT:g}" y="{BARS_TOP - 12:g}">{escape(bars_text)}</text>',
        *_bars(months),
        f'<text x="{LEFT:g}" y="{HEAT_TOP - 10:g}">{escape(heat_text)}</text>',
        *_heat(series),
        f'<text x="{LEFT:g}" y="{height - 8:g}" font-size="10">{escape(footer)}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _drawable(text: str) -> str:
    """Without marks that XML cannot hold: texts come from files of strangers."""
    return "".join(mark for mark in text if mark.isprintable())


def _bars(months: Sequence[float]) -> list[str]:
    top = max(*months, 1e-9)
    pitch = (WIDTH - LEFT - RIGHT) / 12
    parts = []
    for index, value in enumerate(months):
        tall = BARS_H * max(0.0, value) / top
        x = LEFT + index * pitch
        y = BARS_TOP + BARS_H - tall
        middle = x + pitch / 2
        parts.append(f'<rect x="{x + 4:.1f}" y="{y:.1f}" width="{pitch - 8:.1f}" height="{tall:.1f}" fill="{BAR}"/>')
        parts.append(f'<text x="{middle:.1f}" y="{y - 3:.1f}" text-anchor="middle" font-size="10">{value:.4g}</text>')
        parts.append(f'<text x="{middle:.1f}" y="{BARS_TOP + BARS_H + 14:.1f}" text-anchor="middle">{index + 1}</text>')
    return parts


def _heat(series: Floats) -> list[str]:
    """Cells of one shade that follow each other are one box; a shade is one path."""
    days = np.nan_to_num(series).reshape(365, 24)
    top = max(float(days.max()), 1e-9)
    shades = np.minimum(LEVELS - 1, (np.maximum(0.0, days) / top * LEVELS).astype(np.int64))
    column = (WIDTH - LEFT - RIGHT) / 365
    paths: list[list[str]] = [[] for _ in range(LEVELS)]
    for day in range(365):
        edges = [0, *(np.flatnonzero(np.diff(shades[day])) + 1).tolist(), 24]
        for first, last in pairwise(edges):
            x, y = LEFT + day * column, HEAT_TOP + first * ROW_H
            box = f"M{x:.1f} {y:g}h{column + 0.2:.2f}v{(last - first) * ROW_H:g}h-{column + 0.2:.2f}z"
            paths[int(shades[day][first])].append(box)
    parts = [f'<path fill="{SHADES[shade]}" d="{"".join(path)}"/>' for shade, path in enumerate(paths) if path]
    for hour in range(0, 25, 6):
        y = HEAT_TOP + hour * ROW_H
        parts.append(f'<text x="{LEFT - 6:g}" y="{y + 4:g}" text-anchor="end">{hour:02d}:00</text>')
    first = 0
    for index, n_days in enumerate(MONTH_DAYS):
        middle = LEFT + (first + n_days / 2) * column
        parts.append(
            f'<text x="{middle:.1f}" y="{HEAT_TOP + 24 * ROW_H + 16:g}" text-anchor="middle">{index + 1}</text>'
        )
        first += n_days
    return parts
