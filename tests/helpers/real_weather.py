"""The real series that lie beside the repository on some machines: Daggett (typical year) and Tetouan (2017).

Tests that read them skip with a reason where they are absent. Columns are hourly, UTC, named by the start of the hour.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

Floats = npt.NDArray[np.float64]
FOLDER = Path(os.environ.get("PARK_TEST_WEATHER", Path(__file__).parents[3] / "shared" / "data" / "weather"))


@dataclass(frozen=True)
class RealSeries:
    latitude_deg: float
    longitude_deg: float
    altitude_m: float
    starts_s: Floats
    columns: dict[str, Floats]


def real_file(name: str) -> Path:
    """The path of a file of real weather; skips the test where there is none."""
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"{name} is not on this machine; PARK_TEST_WEATHER names its folder")
    return path


def daggett() -> RealSeries:
    """The typical year of Daggett (NSRDB PSM v3), UTC-8 rolled to UTC; 2025 stands for its mixed years."""
    rows = _rows("daggett-ca-nsrdb-psm3-tmy.csv")[3:]
    table = np.array([[float(value) for value in row[5:13]] for row in rows])
    dni, dhi, ghi, dew, temp, pressure, _, wind = np.roll(table, 8, axis=0).T
    humidity = np.exp(17.625 * dew / (243.04 + dew) - 17.625 * temp / (243.04 + temp))
    columns = {
        "dni_w_per_m2": dni, "dhi_w_per_m2": dhi, "ghi_w_per_m2": ghi, "temp_c": temp, "humidity_frac": humidity,
        "pressure_pa": pressure * 100.0, "wind_m_per_s": wind,
    }  # fmt: skip
    starts_s = 1735689600.0 + 3600.0 * np.arange(float(len(rows)))
    return RealSeries(34.85, -116.78, 561.0, starts_s, columns)


def tetouan(hours_east: float = 1.0) -> RealSeries:
    """Tetouan in 2017, hourly means of the 10-minute values, with stamps read as UTC + `hours_east`."""
    rows = _rows("tetouan-2017-10min-uci849.csv")[1:]
    first = datetime.strptime(rows[0][0], "%m/%d/%y %H:%M").replace(tzinfo=UTC).timestamp()
    table = np.array([[float(value) for value in row[1:6]] for row in rows])
    hourly = table[: len(table) // 6 * 6].reshape(-1, 6, 5).mean(axis=1)
    temp, humidity, wind, ghi, dhi = hourly.T
    columns = {
        "ghi_w_per_m2": ghi, "dhi_w_per_m2": dhi, "temp_c": temp, "humidity_frac": humidity / 100.0,
        "wind_m_per_s": wind,
    }  # fmt: skip
    starts_s = first - 3600.0 * hours_east + 3600.0 * np.arange(float(len(hourly)))
    return RealSeries(35.57, -5.37, 60.0, starts_s, columns)


def _rows(name: str) -> list[list[str]]:
    with real_file(name).open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))
