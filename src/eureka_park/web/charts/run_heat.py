"""A run in one picture: a column for each day, a row for each hour, as dark as the hour was clean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.heat import N_CLASSES, runs_of

START, END, ABOVE = 44.0, 6.0, 6.0
_SIZES: Final = {"wide": (1160.0, 7.0), "narrow": (390.0, 6.0)}  # width, height of an hour
_HOURS: Final = 24
_SEAM: Final = 1.06  # neighbours overlap by a trifle, so that no seam shows
_LETTER_PX, _APART_PX = 6.4, 16.0  # of the names of days


def run_heat(shares: Sequence[float], days: Sequence[str], label: str, size: str = "wide") -> Markup:
    """The picture of the shares (0 to 1) of a run's hours, the first at hour 0 of a day; `days` are the days' names,
    of which those are told that have room. `size`: wide, or narrow. Time runs from left to right in every language.
    """
    n_days, (width, pitch) = max(1, len(days)), _SIZES[size]
    column, ground = (width - START - END) / n_days, ABOVE + _HOURS * pitch
    boxes: list[list[str]] = [[] for _ in range(N_CLASSES)]
    for day in range(n_days):
        for css, first, last in runs_of(shares[day * _HOURS : (day + 1) * _HOURS]):
            boxes[css].append(f"M{day} {first}h{_SEAM}v{last - first}h-{_SEAM}z")
    drawn = "".join(f'<path class="yh-{css}" d="{"".join(path)}"/>' for css, path in enumerate(boxes) if path)
    place = f'transform="translate({START:g} {ABOVE:g}) scale({column:.6g} {pitch:g})"'
    field = f'data-x0="{START:g}" data-x1="{width - END:g}" data-y0="{ABOVE:g}" data-y1="{ground:g}"'
    parts = [f"<g {place}>{drawn}</g>", *_hours(pitch), *_days(days, column, ground, width)]
    return Markup(
        f'<svg class="run-heat plan-{size}" viewBox="0 0 {width:g} {ground + 24:g}" role="img" direction="ltr" {field} '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _hours(pitch: float) -> Iterable[str]:
    for hour in range(0, _HOURS + 1, 6):
        y = ABOVE + hour * pitch
        yield f'<text class="tick" x="{START - 7:g}" y="{y + 4:.1f}" text-anchor="end">{hour:02d}:00</text>'


def _days(days: Sequence[str], column: float, ground: float, width: float) -> Iterable[str]:
    wide = _LETTER_PX * max((len(day.strip("\u2068\u2069")) for day in days), default=0)
    every = max(1, -int(-(wide + _APART_PX) // column))
    for index in range(0, len(days), every):
        x = START + index * column
        yield f'<line class="six" x1="{x:.1f}" x2="{x:.1f}" y1="{ground:g}" y2="{ground + 5:g}"/>'
        if x + wide < width:
            yield f'<text class="tick" x="{x:.1f}" y="{ground + 18:g}">{escape(days[index])}</text>'
