"""Any other CSV: the caller says which column is what, in which unit, and by which clock the stamps were written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, NoReturn
from zoneinfo import ZoneInfoNotFoundError

import numpy as np

from eureka_park.energy.core.readers.reading import (
    COLUMNS,
    DEW,
    IRRADIANCE,
    PlaceFacts,
    Reading,
    Seconds,
    Source,
    Stamps,
    columns_of,
    fail,
    rows_of,
    step_of,
    wall_s,
)  # fmt: skip
from eureka_park.energy.core.weather_year import WeatherLabel
from eureka_park.foundation.zones import ZoneInfo

Turn = Callable[[float], float]

# What a unit's number is multiplied by, and what is added after: to W/m2, degC, a fraction, Pa, m/s.
# A sum over the interval (Wh, J) is divided by the interval's hours.
_PLAIN: Final[Mapping[str, Mapping[str, tuple[float, float]]]] = {
    "temp_c": {"C": (1, 0), "degC": (1, 0), "K": (1, -273.15), "F": (5 / 9, -160 / 9)},
    "humidity_frac": {"frac": (1, 0), "%": (0.01, 0)},
    "pressure_pa": {"Pa": (1, 0), "hPa": (100, 0), "mbar": (100, 0), "kPa": (1000, 0)},
    "wind_m_per_s": {"m/s": (1, 0), "km/h": (1 / 3.6, 0), "kn": (1852 / 3600, 0), "mph": (0.44704, 0)},
    **{name: {"W/m2": (1.0, 0.0), "kW/m2": (1000.0, 0.0)} for name in IRRADIANCE},
}
_SUMS: Final = {
    "Wh/m2": 1.0,
    "kWh/m2": 1000.0,
    "J/m2": 1 / 3600,
    "kJ/m2": 1 / 3.6,
    "MJ/m2": 1e3 / 3.6,
    "J/cm2": 1e4 / 3600,
}
_ISO: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{1,2}):(\d{2})(?::\d{2}(?:\.\d+)?)?)?\s*(Z|[+-]\d{2}:?\d{2})?"
)
_PARTS: Final = re.compile(r"(\d{1,4})[/.](\d{1,2})[/.](\d{2,4})[T ]+(\d{1,2}):(\d{2})(?::\d{2})?")
_OFFSET: Final = re.compile(r"(?:UTC)?([+-])(\d{1,2})(?::?(\d{2}))?")


@dataclass(frozen=True, slots=True)
class Mapped:
    """How a plain CSV is to be read. `columns`: park column to (name in the file, unit; "" for the park's own).

    `timezone`: UTC, an offset such as +01:00, or an IANA name whose changes the stamps follow. `time_format` as
    strptime has it; without one ISO 8601 and dates with slashes or points are read where they leave no doubt.
    """

    columns: Mapping[str, tuple[str, str]]
    time_column: str
    timezone: str = "UTC"
    at: Literal["start", "middle", "end"] = "start"
    step_s: int | None = None
    time_format: str = ""
    place: PlaceFacts = field(default_factory=PlaceFacts)
    label: WeatherLabel = "measured"
    wind_height_m: float | None = None


def mapped_column(text: str) -> tuple[str, tuple[str, str]]:
    """Read `temp_c=T [K]:K` as the park's column, the file's name for it, and its unit. Raises BadInput."""
    column, equals, rest = text.partition("=")
    column, rest = column.strip(), rest.strip()
    if not equals or column not in {*COLUMNS, DEW} or not rest:
        fail(
            f"'{text}' is not COLUMN=NAME or COLUMN=NAME:UNIT.",
            f"COLUMN is one of {', '.join((*COLUMNS, DEW))}; NAME is the column's name in the file.",
            name="column",
        )
    name, colon, unit = rest.rpartition(":")
    if colon and unit.strip() in units_of(column):
        return column, (_unquoted(name), unit.strip())
    return column, (_unquoted(rest), "")


def units_of(column: str) -> tuple[str, ...]:
    """The units in which a column may come."""
    plain = _PLAIN["temp_c" if column == DEW else column]
    return (*plain, *_SUMS) if column in IRRADIANCE else tuple(plain)


def read_plain_csv(text: str, how: Mapped) -> Reading:
    """Read a CSV by a mapping. Raises BadInput with line, column and value."""
    delimiter = _delimiter(text)
    rows = rows_of(text, delimiter)
    names = [how.time_column, *(name for name, _ in how.columns.values())]
    at = next((index for index, row in enumerate(rows[:100]) if _has(row, names)), None)
    if at is None:
        _no_such_column(rows, names)
    header = rows[at]
    data, lines = _data(rows, at + 1)
    time_at = [cell.strip().lower() for cell in header].index(how.time_column.strip().lower())
    stamps, has_offset = _stamps([row[time_at] if time_at < len(row) else "" for row in data], lines[0], how)
    step_s = how.step_s or step_of(stamps)
    turned = {name: _turn(name, unit, step_s) for name, (_, unit) in how.columns.items()}
    sources = {name: Source(in_file, turned[name]) for name, (in_file, _) in how.columns.items()}
    offset_h, zone = (0.0, None) if has_offset else read_timezone(how.timezone)
    return Reading(
        "plain-csv",
        how.place,
        Stamps(stamps, step_s, how.at, offset_h, zone),
        columns_of(data, header, sources, lines[0]),
        np.asarray(lines),
        how.label,
        "plain CSV",
        wind_height_m=how.wind_height_m,
    )


def read_timezone(text: str) -> tuple[float | None, str | None]:
    """UTC, an offset or a zone's name as (hours from UTC, None) or (None, name). Raises BadInput."""
    word = text.strip()
    if word.upper() in {"UTC", "Z", "GMT"}:
        return 0.0, None
    if match := _OFFSET.fullmatch(word.upper()):
        hours = int(match[2]) + int(match[3] or 0) / 60
        return hours if match[1] == "+" else -hours, None
    try:
        ZoneInfo(word)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        fail(f"'{text}' is no time zone.", "Write UTC, +01:00 or a name such as Africa/Casablanca.", name="timezone")
    return None, word


def _unquoted(name: str) -> str:
    name = name.strip()
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] and name[0] in "'\"" else name


def _delimiter(text: str) -> str:
    """The mark that stands most often in the first lines."""
    head = "\n".join(text.splitlines()[:20])
    return max(",;\t", key=head.count)


def _has(row: Sequence[str], names: Sequence[str]) -> bool:
    have = {cell.strip().lower() for cell in row}
    return all(name.strip().lower() in have for name in names)


def _no_such_column(rows: list[list[str]], names: Sequence[str]) -> NoReturn:
    head = max(rows[:100], key=lambda row: sum(_has(row, [name]) for name in names), default=[])
    wrong = [name for name in names if not _has(head, [name])]
    fail(
        f"The file has no column '{wrong[0] if wrong else names[0]}'.",
        f"Its columns: {', '.join(cell.strip() for cell in head)[:300]}.",
        name=wrong[0] if wrong else None,
    )


def _data(rows: list[list[str]], first: int) -> tuple[list[list[str]], Seconds]:
    """Rows from the header on, with their lines; empty lines at the end are left out."""
    data = rows[first:]
    while data and not any(cell.strip() for cell in data[-1]):
        data.pop()
    if not data:
        fail("The file has no rows of values.", "A year of hourly or finer values is needed.")
    return data, np.arange(first + 1, first + 1 + len(data))


def _turn(column: str, unit: str, step_s: int) -> Turn | None:
    if not unit:
        return None
    if column in IRRADIANCE and unit in _SUMS:
        factor, offset = _SUMS[unit] * 3600.0 / step_s, 0.0
    else:
        factor, offset = _PLAIN["temp_c" if column == DEW else column][unit]
    return lambda value: value * factor + offset


def _stamps(cells: Sequence[str], first_line: int, how: Mapped) -> tuple[Seconds, bool]:
    """Seconds of the wall clock, and whether the stamps name their own offset (then they are UTC)."""
    if how.time_format:
        return _by_format(cells, first_line, how), False
    first = cells[0].strip()
    if _PARTS.fullmatch(first):
        return _by_parts(cells, first_line, how.time_column), False
    return _iso(cells, first_line, how.time_column)


def _not_a_time(line: int, column: str, cell: str) -> NoReturn:
    fail(
        f"Line {line}, column '{column}': '{cell.strip()[:40]}' is not a time that is known here.",
        "Say its form with --time-format, such as '%d.%m.%Y %H:%M'.",
        name=column,
    )


def _by_format(cells: Sequence[str], first_line: int, how: Mapped) -> Seconds:
    stamps = np.empty(len(cells), dtype=np.int64)
    for row, cell in enumerate(cells):
        try:
            at = datetime.strptime(cell.strip(), how.time_format)  # noqa: DTZ007 (a wall clock's time, as written)
        except ValueError:
            fail(
                f"Line {first_line + row}, column '{how.time_column}': '{cell.strip()[:40]}' does not fit "
                f"'{how.time_format}'.",
                "Correct the line or --time-format.",
                name=how.time_column,
            )
        stamps[row] = wall_s(at.year, at.month, at.day, at.hour, at.minute)
    return stamps


def _iso(cells: Sequence[str], first_line: int, column: str) -> tuple[Seconds, bool]:
    stamps, has_offset = np.empty(len(cells), dtype=np.int64), False
    for row, cell in enumerate(cells):
        match = _ISO.fullmatch(cell.strip())
        if match is None:
            _not_a_time(first_line + row, column, cell)
        try:
            stamps[row] = wall_s(*(int(part or 0) for part in match.groups()[:5]))
        except ValueError:
            _not_a_time(first_line + row, column, cell)
        if match[6]:
            has_offset = True
            stamps[row] -= _offset_s(match[6])
    return stamps, has_offset


def _offset_s(word: str) -> int:
    if word == "Z":
        return 0
    sign = -1 if word[0] == "-" else 1
    digits = word[1:].replace(":", "")
    return sign * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)


def _by_parts(cells: Sequence[str], first_line: int, column: str) -> Seconds:
    """Dates with slashes or points: whichever of the first two numbers goes beyond 12 somewhere is the day."""
    parts = np.empty((len(cells), 5), dtype=np.int64)
    for row, cell in enumerate(cells):
        match = _PARTS.fullmatch(cell.strip())
        if match is None:
            _not_a_time(first_line + row, column, cell)
        else:
            parts[row] = [int(part) for part in match.groups()]
    if parts[0, 0] > 31:
        order = (0, 1, 2)
    elif parts[:, 0].max() > 12 >= parts[:, 1].max():
        order = (2, 1, 0)
    elif parts[:, 1].max() > 12 >= parts[:, 0].max():
        order = (2, 0, 1)
    else:
        _not_a_time(first_line, column, cells[0])
    years = parts[:, order[0]]
    parts[:, order[0]] = np.where(years < 100, years + 2000, years)
    stamps = np.empty(len(cells), dtype=np.int64)
    for row, values in enumerate(parts):
        try:
            stamps[row] = wall_s(*(int(values[index]) for index in (*order, 3, 4)))
        except ValueError:
            _not_a_time(first_line + row, column, cells[row])
    return stamps
