"""PVGIS as JSON and CSV: the typical year (tmy) and hourly series (seriescalc with components), both in UTC.

Form: the manual of PVGIS 5.2 and 5.3, European Commission, Joint Research Centre. A value holds at its stamp, some
minutes into its hour; it is taken for the mean of that hour. Hourly series are those of a level plane.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
    place_facts,
    rows_of,
    wall_s,
)

LICENCE: Final = "(c) European Union, 2001-2026; reuse allowed with acknowledgement (Decision 2011/833/EU)"
_STAMP: Final = re.compile(r"(\d{4})(\d{2})(\d{2}):(\d{2})(\d{2})")
_PLACE: Final = ("latitude (decimal degrees)", "longitude (decimal degrees)", "elevation (m)")
_TMY: Final = {
    "temp_c": Source("T2m"),
    "humidity_frac": Source("RH", lambda percent: percent / 100.0),
    "ghi_w_per_m2": Source("G(h)"),
    "dni_w_per_m2": Source("Gb(n)"),
    "dhi_w_per_m2": Source("Gd(h)"),
    "wind_m_per_s": Source("WS10m"),
    "pressure_pa": Source("SP"),
}
_HOURLY: Final = {"temp_c": Source("T2m"), "wind_m_per_s": Source("WS10m")}


def read_pvgis_json(text: str) -> Reading:
    """Read PVGIS JSON. Raises BadInput."""
    value: Any = json_of(text.removeprefix("\ufeff"))
    try:
        outputs, inputs = value["outputs"], value["inputs"]
        is_tmy = "tmy_hourly" in outputs
        records = outputs["tmy_hourly" if is_tmy else "hourly"]
        names = list(records[0])
        place = inputs["location"]
        facts = PlaceFacts(float(place["latitude"]), float(place["longitude"]), float(place["elevation"]))
        rows = [["" if record[name] is None else str(record[name]) for name in names] for record in records]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        fail(
            f"This is no PVGIS answer with hours: {_short(error)}.", "Ask PVGIS for outputformat=json of tmy or hours."
        )
    if not is_tmy:
        _check_level(inputs)
    return _reading("pvgis-json", facts, names, rows, 1, is_tmy, _database(inputs))


def read_pvgis_csv(text: str) -> Reading:
    """Read PVGIS CSV. Raises BadInput with line, column and value."""
    rows = rows_of(text.replace("\t", ""))
    at = next(
        (index for index, row in enumerate(rows) if row and row[0].strip().lower() in {"time(utc)", "time"}), None
    )
    if at is None:
        fail("The file has no line of names that begins with 'time'.", "Ask PVGIS for the CSV of tmy or hourly values.")
    said = {row[0].partition(":")[0].strip().lower(): (index + 1, row[0].partition(":")[2])
            for index, row in enumerate(rows[:at]) if row}  # fmt: skip
    north, east, height = (_said(said, name) for name in _PLACE)
    facts = place_facts(north, east, height)
    is_tmy = rows[at][0].strip().lower() == "time(utc)"
    data = []
    for row in rows[at + 1 :]:
        if not row or not _STAMP.fullmatch(row[0].strip()):
            break  # the legend below the values
        data.append(row)
    if not is_tmy and not re.fullmatch(r"\s*(0(\.0*)?\s*deg\..*)?", said.get("slope", (0, ""))[1]):
        _not_level(said["slope"][1].strip())
    database = said.get("radiation database", (0, ""))[1].strip()
    return _reading("pvgis-csv", facts, rows[at], data, at + 2, is_tmy, database)


def _said(said: Mapping[str, tuple[int, str]], name: str) -> tuple[int, str]:
    if name not in said:
        fail(f"The head of the file does not say '{name}'.", "Fetch it again.")
    return said[name]


def _reading(
    form: str,
    place: PlaceFacts,
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    first_line: int,
    is_tmy: bool,
    database: str,
) -> Reading:
    stamps = np.array([_stamp(row[0], first_line + at) for at, row in enumerate(rows)], dtype=np.int64)
    columns = columns_of(rows, names, _TMY if is_tmy else _HOURLY, first_line)
    if not is_tmy:
        columns |= _on_level(names, rows, first_line)
    what = "typical year" if is_tmy else "hourly series"
    return Reading(
        form,
        place,
        Stamps(stamps, 3600, "within", 0.0, is_typical=is_tmy),
        columns,
        np.arange(first_line, first_line + len(rows)),
        "reanalysis",
        f"PVGIS {what}{f', {database}' if database else ''} (re.jrc.ec.europa.eu/pvg_tools)",
        LICENCE,
        10.0,
        ("values at a moment within each hour stand for the hour's mean",),
    )


def _on_level(names: Sequence[str], rows: Sequence[Sequence[str]], first_line: int) -> dict[str, Any]:
    """Beam and diffuse on a level plane, and their sum; the beam normal to the sun follows by closure later."""
    parts = {"beam": Source("Gb(i)"), "diffuse": Source("Gd(i)"), "ground": Source("Gr(i)"), "all": Source("G(i)")}
    found = columns_of(rows, names, parts, first_line)
    if {"beam", "diffuse"} <= set(found):
        return {"dhi_w_per_m2": found["diffuse"], "ghi_w_per_m2": found["beam"] + found["diffuse"]}
    return {"ghi_w_per_m2": found["all"]} if "all" in found else {}


def _check_level(inputs: Mapping[str, Any]) -> None:
    fixed = as_mapping(as_mapping(inputs.get("mounting_system")).get("fixed"))
    slope = as_mapping(fixed.get("slope")).get("value", 0)
    if slope:
        _not_level(str(slope))


def _not_level(slope: str) -> None:
    fail(
        f"These hours are those of a plane with slope {slope}, not of the ground.",
        "Ask PVGIS for slope 0 with components, or for the typical year (tmy).",
    )


def _database(inputs: Mapping[str, Any]) -> str:
    meteo = as_mapping(inputs.get("meteo_data"))
    return ", ".join(str(meteo[name]) for name in ("radiation_db", "meteo_db") if meteo.get(name))


def _stamp(cell: str, line: int) -> int:
    match = _STAMP.fullmatch(cell.strip())
    if match is None:
        fail(f"Line {line}: '{cell.strip()[:40]}' is not a stamp YYYYMMDD:HHMM.", "Correct the line.")
    try:
        return wall_s(*(int(part) for part in match.groups()))
    except ValueError:
        fail(f"Line {line}: '{cell.strip()}' is no time.", "Correct the line.")


def _short(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error).splitlines()[0][:80]
