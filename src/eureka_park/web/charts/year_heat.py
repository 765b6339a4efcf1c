"""A year in one picture: a column for each day, a row for each hour, as dark as the hour was clean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.heat import N_CLASSES, runs_of

WIDTH, START, END, ABOVE, PITCH = 760.0, 44.0, 6.0, 6.0, 9.0
_HOURS: Final = 24
_WIDE: Final = "1.1"  # of a day: neighbours overlap by a trifle, so that no seam shows
_MONTH_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def year_heat(shares: Sequence[float], months: Sequence[str], label: str) -> Markup:
    """The picture of 8,760 shares (0 to 1), hour by hour from 1 January; `months` are the texts of twelve months.

    Hours of one class that follow each other in a day are drawn as one box, and a class is one path.
    """
    n_days = len(shares) // _HOURS
    column = (WIDTH - START - END) / n_days
    ground = ABOVE + _HOURS * PITCH
    boxes: list[list[str]] = [[] for _ in range(N_CLASSES)]
    for day in range(n_days):
        for css, first, last in runs_of(shares[day * _HOURS : (day + 1) * _HOURS]):
            boxes[css].append(f"M{day} {first}h{_WIDE}v{last - first}h-{_WIDE}z")
    drawn = "".join(f'<path class="yh-{css}" d="{"".join(path)}"/>' for css, path in enumerate(boxes) if path)
    place = f'transform="translate({START:g} {ABOVE:g}) scale({column:.5g} {PITCH:g})"'
    parts = [f"<g {place}>{drawn}</g>", *_hours(), *_months(months, column, ground)]
    return Markup(
        f'<svg class="year-heat" viewBox="0 0 {WIDTH:g} {ground + 24:g}" role="img" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def swatch(share_class: int) -> Markup:
    """One class for a legend."""
    return Markup(
        f'<svg viewBox="0 0 13 13" aria-hidden="true"><path class="yh-{share_class}" d="M0 0h13v13h-13z"/></svg>'
    )


def _hours() -> Iterable[str]:
    for hour in range(0, _HOURS + 1, 6):
        y = ABOVE + hour * PITCH
        yield f'<text class="tick" x="{START - 7:g}" y="{y + 4:.1f}" text-anchor="end">{hour:02d}:00</text>'


def _months(months: Sequence[str], column: float, ground: float) -> Iterable[str]:
    day = 0
    for name, n_days in zip(months, _MONTH_DAYS, strict=True):
        x = START + day * column
        yield f'<line class="six" x1="{x:.1f}" x2="{x:.1f}" y1="{ground:g}" y2="{ground + 5:g}"/>'
        middle = START + (day + n_days / 2) * column
        yield f'<text class="tick" x="{middle:.1f}" y="{ground + 18:g}" text-anchor="middle">{escape(name)}</text>'
        day += n_days
