"""EnergyPlus weather files (EPW): eight header lines, then hours 1 to 24 of local standard time, named by their end.

Form: EnergyPlus documentation, Auxiliary Programs, "EnergyPlus Weather File (EPW) Data Dictionary".
"""

from __future__ import annotations

from typing import Final

import numpy as np

from eureka_park.energy.core.readers.reading import (
    Reading,
    Source,
    Stamps,
    columns_of,
    fail,
    number,
    place_facts,
    rows_of,
    wall_s,
    whole,
)

_N_HEAD: Final = 8
# The first 22 of the 35 columns, by name; values of the dictionary that stand for "missing" beside them.
_HEADER: Final = (
    "year", "month", "day", "hour", "minute", "flags", "dry bulb", "dew point", "relative humidity", "pressure",
    "extraterrestrial horizontal", "extraterrestrial normal", "infrared", "global horizontal", "direct normal",
    "diffuse horizontal", "illuminance global", "illuminance direct", "illuminance diffuse", "luminance",
    "wind direction", "wind speed",
)  # fmt: skip
_SOURCES: Final = {
    "temp_c": Source("dry bulb", missing=(99.9,)),
    "humidity_frac": Source("relative humidity", lambda percent: percent / 100.0, (999.0,)),
    "pressure_pa": Source("pressure", missing=(999999.0,)),
    "ghi_w_per_m2": Source("global horizontal", missing=(9999.0,)),
    "dni_w_per_m2": Source("direct normal", missing=(9999.0,)),
    "dhi_w_per_m2": Source("diffuse horizontal", missing=(9999.0,)),
    "wind_m_per_s": Source("wind speed", missing=(999.0,)),
}


def read_epw(text: str) -> Reading:
    """Read an EPW file. Raises BadInput with line, column and value."""
    rows = rows_of(text)
    if not rows or not rows[0] or rows[0][0].strip().upper() != "LOCATION" or len(rows[0]) < 10:
        fail("Line 1 of an EPW file must begin with LOCATION and have ten cells.", "Check the file.")
    data = [row for row in rows[_N_HEAD:] if row]
    first_line = _N_HEAD + 1
    head = rows[0]
    place = place_facts((1, head[6]), (1, head[7]), (1, head[9]), head[1])
    minutes = [whole(row[4], first_line + at, "minute") if len(row) > 4 else 0 for at, row in enumerate(data)]
    n_per_hour = _records_per_hour(rows)
    stamps = np.array([_stamp(row, first_line + at, minutes[at], n_per_hour) for at, row in enumerate(data)])
    years = {row[0] for row in data}
    return Reading(
        "epw",
        place,
        Stamps(stamps, 3600 // n_per_hour, "end", number(head[8], 1, "LOCATION"), is_typical=len(years) > 1),
        columns_of(data, _HEADER, _SOURCES, first_line),
        np.arange(first_line, first_line + len(data)),
        "measured",
        f"EPW {head[1].strip()} ({head[5].strip() if len(head) > 5 else ''}; {head[4].strip()})",
        wind_height_m=10.0,
    )


def _records_per_hour(rows: list[list[str]]) -> int:
    """From the line DATA PERIODS: number of records in an hour."""
    periods = next((row for row in rows[:_N_HEAD] if row and row[0].strip().upper() == "DATA PERIODS"), None)
    count = whole(periods[2], _N_HEAD, "DATA PERIODS") if periods and len(periods) > 2 else 1
    if count < 1 or 60 % count:
        fail(f"DATA PERIODS says {count} records in an hour.", "It must be 1, 2, 3, 4, 5, 6, 10, 12 or more.")
    return count


def _stamp(row: list[str], line: int, minute: int, n_per_hour: int) -> int:
    if len(row) < len(_HEADER):
        fail(f"Line {line} has {len(row)} cells, not at least {len(_HEADER)}.", "Check whether the line was cut off.")
    year, month, day, hour = (whole(row[index], line, _HEADER[index]) for index in range(4))
    try:
        # Hour 1 is the hour up to 01:00. The minute is 0 or 60 in hourly files, else the end of the record.
        return wall_s(year, month, day, hour - 1 if n_per_hour > 1 else hour, minute if n_per_hour > 1 else 0)
    except ValueError:
        fail(f"Line {line}: {'-'.join(row[:3])} hour {row[3]} is no time.", "Correct the line.")
