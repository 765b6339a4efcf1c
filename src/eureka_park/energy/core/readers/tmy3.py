"""TMY3: a line of facts, a line of names, hours 01:00 to 24:00 of local standard time, named by their end.

Form: S. Wilcox and W. Marion, Users Manual for TMY3 Data Sets, NREL/TP-581-43156 (2008).
"""

from __future__ import annotations

import re
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
)

_MISSING: Final = (-9900.0, -9999.0)
_SOURCES: Final = {
    "ghi_w_per_m2": Source("GHI (W/m^2)", missing=_MISSING),
    "dni_w_per_m2": Source("DNI (W/m^2)", missing=_MISSING),
    "dhi_w_per_m2": Source("DHI (W/m^2)", missing=_MISSING),
    "temp_c": Source("Dry-bulb (C)", missing=_MISSING),
    "humidity_frac": Source("RHum (%)", lambda percent: percent / 100.0, _MISSING),
    "pressure_pa": Source("Pressure (mbar)", lambda mbar: mbar * 100.0, _MISSING),
    "wind_m_per_s": Source("Wspd (m/s)", missing=_MISSING),
}
_DATE: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})")


def read_tmy3(text: str) -> Reading:
    """Read a TMY3 file. Raises BadInput with line, column and value."""
    rows = rows_of(text)
    if len(rows) < 4 or len(rows[0]) < 7 or not "".join(rows[1][:1]).strip().lower().startswith("date"):
        fail(
            "A TMY3 file has seven facts in line 1 and names from 'Date (MM/DD/YYYY)' on in line 2.", "Check the file."
        )
    head = rows[0]
    data = [row for row in rows[2:] if any(cell.strip() for cell in row)]
    stamps = np.array([_stamp(row, 3 + at) for at, row in enumerate(data)], dtype=np.int64)
    years = {row[0].strip()[-4:] for row in data}
    return Reading(
        "tmy3",
        place_facts((1, head[4]), (1, head[5]), (1, head[6]), head[1]),
        Stamps(stamps, 3600, "end", number(head[3], 1, "time zone"), is_typical=len(years) > 1),
        columns_of(data, rows[1], _SOURCES, 3),
        np.arange(3, 3 + len(data)),
        "measured",
        f"TMY3 {head[0].strip()} {head[1].strip()}",
        "NREL TMY3: free of charge with attribution",
        wind_height_m=10.0,
    )


def _stamp(row: list[str], line: int) -> int:
    date, time = _DATE.fullmatch(row[0].strip()), _TIME.fullmatch(row[1].strip()) if len(row) > 1 else None
    if date is None or time is None:
        fail(f"Line {line}: '{','.join(row[:2])[:40]}' is not a date MM/DD/YYYY and a time HH:MM.", "Correct the line.")
    try:
        return wall_s(int(date[3]), int(date[1]), int(date[2]), int(time[1]), int(time[2]))
    except ValueError:
        fail(f"Line {line}: '{row[0].strip()} {row[1].strip()}' is no time.", "Correct the line.")
