"""A heat map of shares: a row for each day, a column for each hour. Squares are metered, discs are forecast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

N_CLASSES: Final = 5
_HOURS: Final = 24
METERED, FORECAST, UNREAD, AHEAD = "metered", "forecast", "unread", "ahead"


@dataclass(frozen=True, slots=True)
class Cell:
    """A share (0 to 1) and what it is: metered, forecast, unread (gone by unmetered), ahead (beyond the plan)."""

    what: str
    frac: float = 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """A day by name and its 24 hours."""

    name: str
    cells: Sequence[Cell]


def class_of(frac: float) -> int:
    """Which fifth a share falls into; a whole is in the last."""
    return min(N_CLASSES - 1, max(0, int(frac * N_CLASSES + 1e-9)))


def heat_map(
    rows: Sequence[Row],
    hours: Sequence[str],
    label: str,
    now: tuple[int, float] | None = None,
    *,
    is_narrow: bool = False,
) -> Markup:
    """The picture; `hours` are the texts of the 24 columns, `now` the row and the hour (with its fraction) of now.

    Time runs from left to right in every language.
    """
    width, start, end, pitch = (390.0, 108.0, 4.0, 24.0) if is_narrow else (960.0, 112.0, 8.0, 29.0)
    column = (width - start - end) / _HOURS
    above = 26.0
    height = above + pitch * len(rows) + 4
    parts = [*_hours(hours, start, column, above, 6 if is_narrow else 3)]
    for index, row in enumerate(rows):
        y = above + index * pitch
        place = f'x="{start - 10:g}" y="{y + pitch / 2 + 4:.1f}" text-anchor="end"'
        parts.append(f'<text class="tick" {place}>{escape(row.name)}</text>')
        parts += [_cell(cell, start + hour * column, y, column, pitch) for hour, cell in enumerate(row.cells)]
    if now is not None:
        x, y = start + now[1] * column, above + now[0] * pitch
        place = f'x1="{x:.2f}" x2="{x:.2f}" y1="{y - 3:.1f}" y2="{y + pitch + 3:.1f}"'
        parts.append(f'<line class="now-halo" {place}/><line class="now" {place}/>')
    size = "narrow" if is_narrow else "wide"
    place = f'data-x0="{start:g}" data-x1="{width - end:g}" data-y0="{above:g}" data-y1="{height - 4:g}"'
    return Markup(
        f'<svg class="heat plan-{size}" viewBox="0 0 {width:g} {height:g}" role="img" direction="ltr" '
        f'data-readable="heat-data" {place} aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def swatch(what: str, share_class: int = 0) -> Markup:
    """One cell for a legend."""
    cell = Cell(what, (share_class + 0.5) / N_CLASSES)
    return Markup(f'<svg viewBox="0 0 16 16" aria-hidden="true">{_cell(cell, 0, 0, 16, 16)}</svg>')


def _hours(hours: Sequence[str], start: float, column: float, above: float, every: int) -> Iterable[str]:
    for hour in range(0, _HOURS, every):
        x = start + (hour + 0.5) * column
        yield f'<text class="tick" x="{x:.1f}" y="{above - 9:g}" text-anchor="middle">{escape(hours[hour])}</text>'


def _cell(cell: Cell, x: float, y: float, width: float, height: float) -> str:
    pad = min(1.5, width / 8)
    x, y, width, height = x + pad, y + pad, width - 2 * pad, height - 2 * pad
    if cell.what == METERED:
        return _box(f"h-{class_of(cell.frac)}", x, y, width, height)
    if cell.what == FORECAST:
        radius = min(width, height) / 2
        middle = f'cx="{x + width / 2:.2f}" cy="{y + height / 2:.2f}" r="{radius:.2f}"'
        return f'<circle class="h-{class_of(cell.frac)}" {middle}/>'
    if cell.what == UNREAD:
        step = min(width, height)
        strokes = f"M{x:.2f} {y + step:.2f}l{step:.2f} -{step:.2f}"
        return f'{_box("h-unread", x, y, width, height)}<path class="h-stroke" d="{strokes}"/>'
    return f'<circle class="h-ahead" cx="{x + width / 2:.2f}" cy="{y + height / 2:.2f}" r="1.2"/>'


def _box(css: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{css}" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" rx="3"/>'


def runs_of(day: Sequence[float]) -> Iterable[tuple[int, int, int]]:
    """Class, first hour and the hour after the last of each stretch of one class; nothing for a day without hours."""
    first = 0
    for hour in range(1, len(day) + 1):
        if hour == len(day) or class_of(day[hour]) != class_of(day[first]):
            yield class_of(day[first]), first, hour
            first = hour
