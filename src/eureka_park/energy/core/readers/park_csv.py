"""The park's own weather file: `# key: value` lines, a row of names, 8,760 rows of UTC hours. Reads what it writes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, get_args

import numpy as np

from eureka_park.energy.core.readers.reading import COLUMNS, PLACE_LIMITS, fail, number, one_line, rows_of
from eureka_park.energy.core.sun import Floats, sun_at
from eureka_park.energy.core.weather_year import (
    HOURS_PER_YEAR,
    REFERENCE_YEAR_S,
    Provenance,
    WeatherLabel,
    WeatherYear,
)

FIRST_KEY: Final = "eureka-park weather"
VERSION: Final = "1"
HEADER: Final = ("time_utc", *COLUMNS)
_DIGITS: Final = 9  # significant: what is written and read again gives the same plan
_KEY: Final = re.compile(r"#\s*([^:]+?)\s*:\s*(.*)")
_NEEDED: Final = ("place", "latitude_deg", "longitude_deg", "label", "origin", "licence", "content_id")
_AGAIN: Final = "Make the file anew with: park weather import FILE --place ID, or park weather make-typical."


@dataclass(frozen=True, slots=True, eq=False)
class ParkWeather:
    """A park weather file: the year, its place and what was said of it in the header beside the provenance."""

    year: WeatherYear
    latitude_deg: float
    longitude_deg: float
    altitude_m: float
    extra: Mapping[str, str] = field(default_factory=dict)


def is_park_csv(text: str) -> bool:
    """Whether a text is a park weather file, by its first line."""
    return text.lstrip("\ufeff").startswith(f"# {FIRST_KEY}:")


def park_csv_text(weather: ParkWeather) -> str:
    """The file's text. Values are written with nine significant digits, hours as UTC starts."""
    year, origin = weather.year, weather.year.provenance
    body = _body(year)
    head = {
        FIRST_KEY: VERSION,
        "place": year.weather_site,
        "latitude_deg": f"{weather.latitude_deg:.10g}",
        "longitude_deg": f"{weather.longitude_deg:.10g}",
        "altitude_m": f"{weather.altitude_m:.10g}",
        "label": origin.label,
        "origin": origin.origin,
        "licence": origin.licence,
        "content_id": origin.content_id,
        "wind_height_m": "" if year.wind_height_m is None else f"{year.wind_height_m:.10g}",
        "seed": "" if origin.seed is None else str(origin.seed),
        **weather.extra,
        "body_sha256": body_id(body),
    }
    lines = [f"# {key}: {one_line(value)}".rstrip() for key, value in head.items()]
    return "\n".join(lines) + "\n" + body


def body_id(body: str) -> str:
    """SHA-256 of the rows: a file that was changed by hand is told from one that was not."""
    return hashlib.sha256(body.encode()).hexdigest()


def _body(year: WeatherYear) -> str:
    starts = (np.datetime64(int(REFERENCE_YEAR_S), "s") + np.arange(HOURS_PER_YEAR) * np.timedelta64(3600, "s")).astype(
        str
    )
    series = [getattr(year, name) for name in COLUMNS]
    rows = [",".join(HEADER)]
    for hour, start in enumerate(starts):
        rows.append(",".join([f"{start[:16]}Z", *(f"{values[hour]:.{_DIGITS}g}" for values in series)]))
    return "\n".join(rows) + "\n"


def read_park_csv(text: str) -> ParkWeather:
    """Read a park weather file. Raises BadInput with line, column and value of the first thing that is wrong."""
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").split("\n")
    n_head = next((index for index, line in enumerate(lines) if not line.startswith("#")), len(lines))
    head = _head(lines[:n_head])
    body = "\n".join(lines[n_head:])
    told = head.pop("body_sha256", "")
    if told and told != body_id(body):
        fail(
            "The rows of this weather file were changed after it was written (body_sha256 in its header).",
            "Import the changed rows under a name of their own, or take the line 'body_sha256' out and say in 'origin' "
            "what was changed.",
        )
    columns = _columns(body, n_head + 1)
    place = {name: _head_number(head, name) for name in ("latitude_deg", "longitude_deg", "altitude_m")}
    middles = REFERENCE_YEAR_S + (np.arange(HOURS_PER_YEAR, dtype=np.float64) + 0.5) * 3600.0
    year = WeatherYear(
        head["place"],
        _provenance(head, body),
        sun_at(middles, place["latitude_deg"], place["longitude_deg"]),
        **columns,
        wind_height_m=_head_number(head, "wind_height_m") if head.get("wind_height_m") else None,
    )
    known = {FIRST_KEY, *_NEEDED, "altitude_m", "wind_height_m", "seed"}
    return ParkWeather(year, **place, extra={key: value for key, value in head.items() if key not in known})


def _head(lines: list[str]) -> dict[str, str]:
    head: dict[str, str] = {}
    for number_, line in enumerate(lines, start=1):
        match = _KEY.fullmatch(line.strip())
        if match is None:
            if line.strip("# \t"):
                fail(f"Line {number_}: '{line[:60]}' is not of the form '# key: value'.", _AGAIN)
            continue
        head[match[1]] = one_line(match[2])
    if head.get(FIRST_KEY, "") != VERSION:
        fail(f"Line 1 must read '# {FIRST_KEY}: {VERSION}'.", _AGAIN)
    for name in _NEEDED:
        if name not in head:
            fail(f"The header has no line '# {name}: ...'.", _AGAIN, name=name)
    if head["label"] not in get_args(WeatherLabel):
        fail(f"label = '{head['label']}' is none of {', '.join(get_args(WeatherLabel))}.", "Correct it.", name="label")
    return head


def _head_number(head: Mapping[str, str], name: str) -> float:
    low, high = PLACE_LIMITS.get(name, (0.0, 1000.0))
    try:
        value = float(head.get(name) or 0.0)
    except ValueError:
        fail(f"'{name}: {head[name][:40]}' in the header is not a number.", "Correct the line.", name=name)
    if not low <= value <= high:
        fail(f"'{name}: {head[name][:40]}' in the header is outside {low:g} to {high:g}.", "Correct it.", name=name)
    return value


def _provenance(head: Mapping[str, str], body: str) -> Provenance:
    label: WeatherLabel = head["label"]  # type: ignore[assignment]
    seed = head.get("seed", "")
    if seed and not re.fullmatch(r"-?\d{1,19}", seed):
        fail(f"'seed: {seed[:40]}' in the header is not a whole number.", "Correct the line.", name="seed")
    return Provenance(
        label, head["origin"], head["licence"], head["content_id"] or body_id(body), int(seed) if seed else None
    )


def _columns(body: str, first_line: int) -> dict[str, Floats]:
    rows = rows_of(body.rstrip("\n"))
    names = tuple(cell.strip() for cell in rows[0]) if rows else ()
    if names != HEADER:
        fail(f"Line {first_line} must read '{','.join(HEADER)}'.", _AGAIN)
    rows = rows[1:]
    if len(rows) != HOURS_PER_YEAR:
        fail(f"The file has {len(rows):,} rows of values, not {HOURS_PER_YEAR:,}.", _AGAIN)
    for hour, cells in enumerate(rows):
        if len(cells) != len(HEADER):
            fail(f"Line {first_line + 1 + hour} has {len(cells)} cells, not {len(HEADER)}.", _AGAIN)
        _check_stamp(cells[0], hour, first_line + 1 + hour)
    columns = {}
    for index, name in enumerate(COLUMNS, start=1):
        values = np.array([number(cells[index], first_line + 1 + hour, name) for hour, cells in enumerate(rows)])
        if np.isnan(values).any():
            hour = int(np.argmax(np.isnan(values)))
            fail(f"Line {first_line + 1 + hour}, column '{name}': the value is missing.", _AGAIN, name=name)
        columns[name] = values
    return columns


def _check_stamp(cell: str, hour: int, line: int) -> None:
    """Hours must follow each other; the year of the stamp is the file's own matter."""
    wanted = str(np.datetime64(int(REFERENCE_YEAR_S), "s") + np.timedelta64(hour * 3600, "s"))[5:16]
    if cell.strip()[5:16].replace(" ", "T") != wanted:
        fail(
            f"Line {line}, column 'time_utc': '{cell.strip()[:25]}' is not the hour {wanted} UTC that is due there.",
            "A park weather file has every UTC hour of a year of 365 days, in order.",
            name="time_utc",
        )
