"""Hours by days of a run: a column for each day, a row for each hour of the site's clock, as dark as it was clean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.heat import N_CLASSES, class_of
from eureka_park.web.charts.report_power import NARROW, SMALL, WIDE, Frame

_HOURS: Final = 24
_COLUMN_MAX: Final = 96.0
_SEAM: Final = 0.1  # of a day: in long runs neighbours overlap by a trifle, so that no seam shows
_GAP: Final = 0.06  # of a day: in short runs days stand apart
_MANY_DAYS: Final = 45
_PITCH: Final = {WIDE: 9.0, NARROW: 8.0, SMALL: 4.5}
_LETTER_PX: Final = 6.6


@dataclass(frozen=True, slots=True)
class Column:
    """A day: its 24 shares by hour of the site's clock, none where the run has no such hour; the text under it."""

    shares: Sequence[float | None]
    text: str = ""


def report_heat(columns: Sequence[Column], label: str, *, frame: Frame = WIDE) -> Markup:
    """The picture; time runs from left to right in every language. Hours of one class in a row are one box."""
    pitch, n_days = _PITCH[frame], len(columns)
    start, above = frame.start, 6.0
    width = min(_COLUMN_MAX, (frame.width - start - frame.end) / n_days)
    ground = above + _HOURS * pitch
    wide = 1.0 + _SEAM if n_days > _MANY_DAYS else 1.0 - _GAP
    boxes: list[list[str]] = [[] for _ in range(N_CLASSES)]
    for day, column in enumerate(columns):
        for share_class, first, n_hours in _runs(column.shares):
            boxes[share_class].append(f"M{day} {first}h{wide:g}v{n_hours}h-{wide:g}z")
    drawn = "".join(f'<path class="yh-{css}" d="{"".join(path)}"/>' for css, path in enumerate(boxes) if path)
    place = f'transform="translate({start:g} {above:g}) scale({width:.5g} {pitch:g})"'
    parts = [f"<g {place}>{drawn}</g>", *_hours(start, above, pitch), *_days(columns, start, width, ground, frame)]
    return Markup(
        f'<svg class="year-heat" viewBox="0 0 {frame.width:g} {ground + 24:g}" role="img" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _runs(shares: Sequence[float | None]) -> Iterable[tuple[int, int, int]]:
    """Class, first hour and number of hours of each stretch of one class."""
    classes = [None if share is None else class_of(share) for share in shares]
    for found, group in groupby(range(len(classes)), key=classes.__getitem__):
        hours = list(group)
        if found is not None:
            yield found, hours[0], len(hours)


def _hours(start: float, above: float, pitch: float) -> Iterable[str]:
    for hour in range(0, _HOURS + 1, 6 if pitch > 5 else 12):
        y = above + hour * pitch
        yield f'<text class="tick" x="{start - 7:g}" y="{y + 4:.1f}" text-anchor="end">{hour:02d}:00</text>'


def _days(columns: Sequence[Column], start: float, width: float, ground: float, frame: Frame) -> Iterable[str]:
    """The texts of days, from their left edge on; one that has no room is left out."""
    free = 0.0
    for day, column in enumerate(columns):
        x = start + day * width
        wide = len(column.text) * _LETTER_PX
        if not column.text or x < free or x + wide > frame.width + 4:
            continue
        free = x + wide + 8
        yield f'<line class="six" x1="{x:.1f}" x2="{x:.1f}" y1="{ground:g}" y2="{ground + 5:g}"/>'
        yield f'<text class="tick" x="{x:.1f}" y="{ground + 18:g}">{escape(column.text)}</text>'
