"""What a weather file held, before it becomes a year: stamps, columns in the park's units, facts of its header."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, Final, Literal, NoReturn

import numpy as np
import numpy.typing as npt

from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather_year import WeatherLabel
from eureka_park.foundation.errors import BadInput

Seconds = npt.NDArray[np.int64]
COLUMNS: Final = (
    "dni_w_per_m2", "dhi_w_per_m2", "ghi_w_per_m2", "temp_c", "humidity_frac", "pressure_pa", "wind_m_per_s",
)  # fmt: skip
IRRADIANCE: Final = COLUMNS[:3]
DEW: Final = "dew_c"  # read where a file has it instead of the humidity
BAD_FILE: Final = "bad_weather_file"


# What no hour anywhere on Earth reaches; a model would answer nonsense beyond. Narrower checks: `weather_checks`.
POSSIBLE: Final = {
    **dict.fromkeys(IRRADIANCE, (0.0, 3000.0)), "temp_c": (-100.0, 80.0), "humidity_frac": (0.0, 1.5),
    "pressure_pa": (20_000.0, 120_000.0), "wind_m_per_s": (0.0, 150.0),
}  # fmt: skip
PLACE_LIMITS: Final = {
    "latitude_deg": (-90.0, 90.0), "longitude_deg": (-180.0, 180.0), "altitude_m": (-500.0, 9000.0),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """What a file says about its place; None where it says nothing."""

    latitude_deg: float | None = None
    longitude_deg: float | None = None
    altitude_m: float | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Stamps:
    """When the values hold: seconds of a wall clock since 1970, one for each row.

    `at`: the stamp is the interval's start, middle or end, or lies somewhere within it. The clock is either a fixed
    offset from UTC, or the wall clock of a named zone. `is_typical`: months come from different years.
    """

    wall_s: Seconds
    step_s: int
    at: Literal["start", "middle", "end", "within"] = "start"
    utc_offset_h: float | None = 0.0
    zone: str | None = None
    is_typical: bool = False

    @property
    def starts_s(self) -> Seconds:
        """The wall clock at the start of each interval."""
        if self.at == "within":
            return self.wall_s // self.step_s * self.step_s
        return self.wall_s - {"start": 0, "middle": self.step_s // 2, "end": self.step_s}[self.at]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A file as read: NaN where a value is missing; `lines` is the line of each row in the file."""

    format: str
    place: PlaceFacts
    stamps: Stamps
    columns: Mapping[str, Floats]
    lines: Seconds
    label: WeatherLabel = "measured"
    origin: str = ""
    licence: str = ""
    wind_height_m: float | None = None
    notes: tuple[str, ...] = field(default=())


def fail(message: str, fix: str, *, name: str | None = None) -> NoReturn:
    """Refuse a file in one line, whatever stands in it. Raises BadInput."""
    raise BadInput(one_line(message), fix=one_line(fix), code=BAD_FILE, field=name and one_line(name))


def one_line(text: str) -> str:
    """One line that no terminal takes for an order."""
    return "".join(mark if mark.isprintable() else "�" for mark in " ".join(text.split()))


def rows_of(text: str, delimiter: str = ",") -> list[list[str]]:
    """The cells of a CSV text, line by line; the first row is line 1. Raises BadInput."""
    try:
        return list(csv.reader(StringIO(text.removeprefix("\ufeff")), delimiter=delimiter))
    except csv.Error as error:
        fail(f"The file is no readable CSV: {error}.", "Save it again as CSV text.")


def json_of(text: str, line: int = 1) -> object:
    """A JSON text; `line`: where it begins in the file. Raises BadInput, for one that nests without end too."""
    try:
        found: object = json.loads(text)
    except json.JSONDecodeError as error:
        fail(f"The file is not JSON: {error.msg} at line {line + error.lineno - 1}.", "Fetch it again.")
    except (ValueError, RecursionError) as error:
        fail(f"The file is no JSON to be read here: {str(error)[:80]}.", "Fetch it again.")
    return found


def as_mapping(value: object) -> Mapping[str, Any]:
    """A JSON object; an empty one where something else stands."""
    return value if isinstance(value, Mapping) else {}


def number(cell: str, line: int, column: str, missing: Iterable[float] = ()) -> float:
    """The number in a cell; NaN for an empty one and for the format's marks of a missing value. Raises BadInput."""
    word = cell.strip()
    if word == "" or word.lower() in {"nan", "na", "n/a", "null", "none", "-"}:
        return float("nan")
    try:
        value = float(word)
    except ValueError:
        fail(
            f"Line {line}, column '{column}': '{word[:40]}' is not a number.",
            "Correct the line, or leave the cell empty where the value is missing.",
            name=column,
        )
    return float("nan") if not np.isfinite(value) or value in frozenset(missing) else value


def place_facts(
    latitude: tuple[int, str], longitude: tuple[int, str], altitude: tuple[int, str], name: str = ""
) -> PlaceFacts:
    """A place from cells of a header, each with its line. Raises BadInput."""
    said = zip(("latitude", "longitude", "altitude"), (latitude, longitude, altitude), strict=True)
    north, east, height = (number(cell, line, word) for word, (line, cell) in said)
    return PlaceFacts(north, east, height, name.strip(" -"))


@dataclass(frozen=True, slots=True)
class Source:
    """Where a column of the park comes from: the file's name for it, or its place, and how its unit is turned."""

    name: str
    turned: Callable[[float], float] | None = None
    missing: tuple[float, ...] = ()


def columns_of(
    rows: Sequence[Sequence[str]], header: Sequence[str], sources: Mapping[str, Source], first_line: int
) -> dict[str, Floats]:
    """The columns that the file has, in the park's units. Raises BadInput with line, column and value."""
    at = {name.strip().lower(): index for index, name in reversed(list(enumerate(header)))}
    found: dict[str, Floats] = {}
    for name, source in sources.items():
        index = at.get(source.name.strip().lower())
        if index is None or name in found:
            continue
        values = np.empty(len(rows))
        for row, cells in enumerate(rows):
            if index >= len(cells):
                fail(
                    f"Line {first_line + row} has {len(cells)} cells; column '{source.name}' is number {index + 1}.",
                    "Check whether the line was cut off.",
                    name=source.name,
                )
            values[row] = number(cells[index], first_line + row, source.name, source.missing)
        found[name] = values if source.turned is None else np.asarray(source.turned(values))  # type: ignore[arg-type]
    return found


def whole(cell: str, line: int, column: str) -> int:
    """A whole number in a cell. Raises BadInput."""
    value = number(cell, line, column)
    if value != value or value != int(value):
        fail(f"Line {line}, column '{column}': '{cell.strip()[:40]}' is not a whole number.", "Correct the line.")
    return int(value)


def wall_s(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    """Seconds of a wall clock since 1970; hour 24 is the end of the day. Raises ValueError for a day that is none."""
    if not (1 <= month <= 12 and 0 <= hour <= 24 and 0 <= minute <= 60 and 1 <= year <= 9999 and day >= 1):
        raise ValueError
    days = int(np.datetime64(f"{year:04d}-{month:02d}-{day:02d}", "D").astype("int64"))
    return days * 86400 + hour * 3600 + minute * 60


def step_of(starts_s: Seconds, at_least: int = 2) -> int:
    """The most frequent distance between neighbouring stamps; seconds. Raises BadInput for a file of one row."""
    if len(starts_s) < at_least:
        fail(f"The file has {len(starts_s)} rows of values.", "A year of hourly or finer values is needed.")
    steps = np.diff(starts_s)
    steps = steps[steps > 0]
    if not len(steps):
        fail("The stamps never rise.", "Check the time column.")
    values, counts = np.unique(steps, return_counts=True)
    return int(values[np.argmax(counts)])
