"""CSV of renewables.ninja (point API): three lines of comments with units as JSON, then hours named by their UTC start.

Form: renewables.ninja, documentation of the data sets. Its raw columns give beam and diffuse light, the temperature
and, for wind, the speed at hub height. Electricity alone is no weather.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from eureka_park.energy.core.readers.reading import (
    PlaceFacts,
    Reading,
    Source,
    Stamps,
    as_mapping,
    columns_of,
    fail,
    json_of,
    number,
    rows_of,
    step_of,
    wall_s,
)

LICENCE: Final = "CC BY-NC 4.0 (renewables.ninja): not for commercial use"
_STAMP: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2})(?::\d{2})?")
_COLUMNS: Final = {
    "beam": "irradiance_direct", "dhi_w_per_m2": "irradiance_diffuse", "ghi_w_per_m2": "irradiance_surface",
    "temp_c": "temperature", "wind_m_per_s": "wind_speed",
}  # fmt: skip
_TO_W_PER_M2: Final = {"kw/m2": 1000.0, "kw/m²": 1000.0, "w/m2": 1.0, "w/m²": 1.0, "": 1.0}


def read_ninja(text: str) -> Reading:
    """Read a renewables.ninja CSV. Raises BadInput with line, column and value."""
    rows = rows_of(text)
    n_head = next((index for index, row in enumerate(rows) if row and not row[0].startswith("#")), len(rows))
    lines = text.splitlines()[:n_head]
    meta = _meta(lines)
    header = rows[n_head] if n_head < len(rows) else []
    if not header or header[0].strip() != "time":
        fail(f"Line {n_head + 1} must begin with 'time'.", "Check the file.")
    data = [row for row in rows[n_head + 1 :] if row]
    first_line = n_head + 2
    stamps = np.array([_stamp(row[0], first_line + at) for at, row in enumerate(data)], dtype=np.int64)
    columns = _weather(data, header, first_line, as_mapping(meta.get("units")))
    params = as_mapping(meta.get("params"))
    return Reading(
        "ninja",
        PlaceFacts(_param(params, "lat"), _param(params, "lon")),
        Stamps(stamps, step_of(stamps), "start", 0.0),
        columns,
        np.arange(first_line, first_line + len(data)),
        "reanalysis",
        f"renewables.ninja, {params.get('dataset', 'unnamed data set')}",
        LICENCE,
        _param(params, "height"),
    )


def _meta(lines: list[str]) -> Mapping[str, Any]:
    for at, line in enumerate(lines, start=1):
        inner = line.strip().strip('",').lstrip("#").strip()
        if inner.startswith("{"):
            return as_mapping(json_of(inner.replace('""', '"') if '""' in inner else inner, at))
    return {}


def _param(params: Mapping[str, Any], name: str) -> float | None:
    value = params.get(name)
    return None if value in (None, "") else number(str(value), 3, name)


def _weather(
    data: list[list[str]], header: list[str], first_line: int, units: Mapping[str, str]
) -> dict[str, Any]:  # fmt: skip
    sources = {column: Source(name) for column, name in _COLUMNS.items()}
    columns = columns_of(data, header, sources, first_line)
    if not columns:
        fail(
            f"Line {first_line - 1}: the file has only {', '.join(name.strip() for name in header[1:])}, no weather.",
            "Fetch it with the raw data included (raw=true).",
        )
    for column in ("beam", "dhi_w_per_m2", "ghi_w_per_m2"):
        if column in columns:
            columns[column] = columns[column] * _factor(units, _COLUMNS[column])
    beam = columns.pop("beam", None)
    if beam is not None and "dhi_w_per_m2" in columns:
        columns["ghi_w_per_m2"] = beam + columns["dhi_w_per_m2"]
    return columns


def _factor(units: Mapping[str, str], name: str) -> float:
    unit = str(units.get(name, "kW/m2")).lower().replace(" ", "")
    if unit not in _TO_W_PER_M2:
        fail(f"The unit '{unit}' of {name} is not known here.", "It must be kW/m2 or W/m2.", name=name)
    return _TO_W_PER_M2[unit]


def _stamp(cell: str, line: int) -> int:
    match = _STAMP.fullmatch(cell.strip())
    try:
        if match is None:
            raise ValueError
        return wall_s(*(int(part) for part in match.groups()[:5]))
    except ValueError:
        fail(f"Line {line}, column 'time': '{cell.strip()[:40]}' is not a time YYYY-MM-DD HH:MM.", "Correct the line.")
