"""A load from a file: 8,760 hourly powers, or one week by local hour."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from eureka_park.energy.core.local_hours import local_hours
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR
from eureka_park.energy.core.year import year_starts_s
from eureka_park.energy.weather_file import read_text
from eureka_park.foundation.errors import BadInput

COLUMN: Final = "load_mw"
MAX_MW: Final = 1e6
_FIX: Final = (
    "Give 8,760 rows (MW of each UTC hour from 1 January 00:00), or a week: 24 rows of 7 values, Monday to Sunday, by "
    "local hour."
)


def read_load(path: str | Path, timezone: str) -> list[float]:
    """The load of each hour of the reference year, MW; a week is repeated by the clocks of `timezone`.

    A row of 8,760 may have other columns: the one headed `load_mw` counts, else the last. Raises NotFound and BadInput
    with the file, the line and what is wrong.
    """
    path = Path(path)
    rows = _rows(path)
    header = rows[0][1] if rows and not _is_numbers(rows[0][1][-1:]) else None
    body = rows[1:] if header is not None else rows
    if len(body) == 24 and all(len(values) == 7 for _line, values in body):
        return _week([[_power(path, line, value) for value in values] for line, values in body], timezone)
    if len(body) == 7 and all(len(values) == 24 for _line, values in body):
        days = [[_power(path, line, value) for value in values] for line, values in body]
        return _week([[days[day][hour] for day in range(7)] for hour in range(24)], timezone)
    if len(body) != HOURS_PER_YEAR:
        leap = " (a leap year: leave one day out)" if len(body) == HOURS_PER_YEAR + 24 else ""
        raise _bad(f"{path.name} has {len(body)} rows of values{leap}.")
    column = _column(header)
    return [_power(path, line, values[column] if -len(values) <= column < len(values) else "") for line, values in body]


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Rows that hold something, with their line numbers; comments after # are left out."""
    lines = read_text(path).splitlines()
    marks = "".join(lines[:5])
    delimiter = ";" if ";" in marks else "\t" if "\t" in marks else ","
    kept = [(number, line) for number, line in enumerate(lines, start=1) if line.strip() and line.lstrip()[0] != "#"]
    try:
        parsed = list(csv.reader((line for _number, line in kept), delimiter=delimiter))
    except csv.Error as error:
        raise _bad(f"{path.name} is no readable CSV: {error}.") from None
    return [
        (number, [value.strip().replace(",", ".") if delimiter != "," else value.strip() for value in values])
        for (number, _line), values in zip(kept, parsed, strict=False)
    ]


def _column(header: Sequence[str] | None) -> int:
    names = [name.lower() for name in header or ()]
    return names.index(COLUMN) if COLUMN in names else -1


def _week(by_hour: Sequence[Sequence[float]], timezone: str) -> list[float]:
    local = local_hours(timezone, year_starts_s())
    return [by_hour[int(hour)][int(day)] for hour, day in zip(local.hour, local.weekday, strict=True)]


def _power(path: Path, line: int, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= MAX_MW:
        raise _bad(f"{path.name}, line {line}: '{text[:40]}' is no power in MW from 0 to 1,000,000.")
    return value


def _is_numbers(values: Sequence[str]) -> bool:
    try:
        return bool([float(value) for value in values])
    except ValueError:
        return False


def _bad(message: str) -> BadInput:
    return BadInput(message, fix=_FIX, field="load_profile", code="bad_load_file")
