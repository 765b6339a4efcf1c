"""A week's days under a chart: a line where each begins, its name under its middle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import escape


def day_marks(days: Sequence[str], start: float, column: float, above: float, ground: float) -> Iterable[str]:
    """SVG for days of 24 hours from `start` on, `column` wide an hour, between two heights; user units."""
    for index, day in enumerate(days):
        x = start + index * 24 * column
        yield f'<line class="day" x1="{x:.1f}" x2="{x:.1f}" y1="{above:g}" y2="{ground + 5:g}"/>'
        place = f'x="{x + 12 * column:.1f}" y="{ground + 18:g}" text-anchor="middle"'
        yield f'<text class="tick" {place}>{escape(day)}</text>'
