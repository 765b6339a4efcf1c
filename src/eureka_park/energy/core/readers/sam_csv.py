"""SAM CSV as the NSRDB gives it: a row of names and a row of facts, then columns by name in local standard time."""

from __future__ import annotations

from typing import Final

import numpy as np

from eureka_park.energy.core.readers.reading import (
    DEW,
    PlaceFacts,
    Reading,
    Seconds,
    Source,
    Stamps,
    columns_of,
    fail,
    number,
    rows_of,
    step_of,
    wall_s,
    whole,
)

LICENCE: Final = "NSRDB: free of charge with attribution to NREL (nsrdb.nrel.gov)"
_NAMES: Final = {
    "dni_w_per_m2": ("DNI", "Beam", "Direct normal irradiance", "dn"),
    "dhi_w_per_m2": ("DHI", "Diffuse", "Diffuse horizontal irradiance", "df"),
    "ghi_w_per_m2": ("GHI", "Global", "Global horizontal irradiance", "gh"),
    "temp_c": ("Temperature", "Tdry", "Dry bulb temp", "Ambient temperature"),
    "humidity_frac": ("Relative Humidity", "RH", "RHum"),
    "pressure_pa": ("Pressure", "Pres", "Atmospheric pressure"),
    "wind_m_per_s": ("Wind Speed", "Wspd", "Windspeed"),
    DEW: ("Dew Point", "Tdew", "Dew point temp"),
}
_TURNED: Final = {"humidity_frac": lambda percent: percent / 100.0, "pressure_pa": lambda mbar: mbar * 100.0}


def read_sam_csv(text: str) -> Reading:
    """Read a SAM CSV file. Raises BadInput with line, column and value."""
    rows = rows_of(text)
    if len(rows) < 5:
        fail(f"The file has {len(rows)} lines.", "A SAM CSV has two lines of facts, one of names, then values.")
    facts = {name.strip().lower(): value for name, value in zip(rows[0], rows[1], strict=False)}
    header, data = rows[2], [row for row in rows[3:] if any(cell.strip() for cell in row)]
    offset = _fact(facts, "time zone", "tz")
    stamps, is_typical = _stamps(header, data)
    step_s = step_of(stamps)
    minute = int(stamps[0]) % step_s
    if minute not in (0, step_s // 2):
        fail(
            f"Line 4: the first stamp lies {minute // 60} minutes into its interval of {step_s // 60}.",
            "Stamps must lie at an interval's start or middle.",
        )
    source = facts.get("source", "").strip()
    return Reading(
        "sam-csv",
        PlaceFacts(_fact(facts, "latitude", "lat"), _fact(facts, "longitude", "lon", "long"),
                   _fact(facts, "elevation", "elev"), facts.get("city", "").strip(" -")),
        Stamps(stamps, step_s, "middle" if minute else "start", offset, is_typical=is_typical),
        columns_of(data, header, _sources(header), 4),
        np.arange(4, 4 + len(data)),
        "reanalysis" if "nsrdb" in source.lower() else "measured",
        " ".join(f"SAM CSV {source} {facts.get('location id', '').strip()} {facts.get('version', '').strip()}".split()),
        LICENCE if "nsrdb" in source.lower() else "",
    )  # fmt: skip


def _fact(facts: dict[str, str], *names: str) -> float:
    said = next((name for name in names if facts.get(name, "").strip()), None)
    if said is None:
        fail(f"Lines 1 and 2 do not say '{names[0]}'.", "Add it to both lines.", name=names[0])
    return number(facts[said], 2, said)


def _sources(header: list[str]) -> dict[str, Source]:
    have = {name.strip().lower(): name.strip() for name in header}
    found = {}
    for column, names in _NAMES.items():
        name = next((have[one.lower()] for one in names if one.lower() in have), None)
        if name is not None:
            found[column] = Source(name, _TURNED.get(column), (-9999.0,))
    return found


def _stamps(header: list[str], data: list[list[str]]) -> tuple[Seconds, bool]:
    at = {name.strip().lower(): index for index, name in enumerate(header)}
    for name in ("month", "day", "hour"):
        if name not in at:
            fail(f"Line 3 has no column '{name.title()}'.", "A SAM CSV says Year, Month, Day, Hour and Minute.")
    stamps, years = np.empty(len(data), dtype=np.int64), set()
    for row, cells in enumerate(data):
        line = 4 + row
        if len(cells) <= max(at[name] for name in ("year", "month", "day", "hour", "minute") if name in at):
            fail(f"Line {line} has {len(cells)} cells.", "Check whether the line was cut off.")
        year = whole(cells[at["year"]], line, "Year") if "year" in at else 2025
        minute = whole(cells[at["minute"]], line, "Minute") if "minute" in at else 30
        month, day, hour = (whole(cells[at[name]], line, name.title()) for name in ("month", "day", "hour"))
        years.add(year)
        try:
            stamps[row] = wall_s(year, month, day, hour, minute)
        except ValueError:
            fail(f"Line {line}: {year}-{month}-{day} {hour}:{minute:02d} is no time.", "Correct the line.")
    return stamps, len(years) > 1
