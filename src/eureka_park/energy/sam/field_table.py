"""What share of the beam a tower's mirrors bring to the receiver, by where the sun stands: SolarPILOT fitted."""

from __future__ import annotations

from typing import Final

import numpy as np

from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather_year import WeatherYear
from eureka_park.energy.sam.csp_inputs import tower_inputs
from eureka_park.energy.sam.runs import GIVEN_LAYOUT, IN_RUN_LAYOUT, run_sam
from eureka_park.energy.sam.weather import solar_resource
from eureka_park.foundation.site_file import Plant, WeatherSite

ZENITH_DEG: Final = np.array([0, 15, 30, 45, 55, 65, 72, 78, 83, 90.0])
AZIMUTH_DEG: Final = np.array([0, 60, 120, 180.0])
LARGER_FRAC: Final = 1.04  # SolarPILOT lays out for its own design day: so much more until the mirrors are as many
ONE_DAY_S: Final = 86_400.0
SMOOTH: Final = (0.05, 0.2)  # weights against steps between columns and against bends between rows


def laid_out(plant: Plant, place: WeatherSite, year: WeatherYear) -> Floats:
    """Positions of heliostats (m, east and north) whose area is the plant's, to about one in a hundred."""
    inputs = tower_inputs(plant) | {"field_model_type": IN_RUN_LAYOUT, "time_stop": ONE_DAY_S}
    inputs |= {"solar_resource_data": solar_resource(place, year), "solarm": inputs["solarm"] * LARGER_FRAC}
    model = run_sam(plant, inputs)  # its outputs go with it
    return np.round(np.asarray(model.Outputs.helio_positions_calc, dtype=np.float64)[:, :2], 1)


def seen_from(plant: Plant, place: WeatherSite, year: WeatherYear, positions: Floats, latitude_deg: float) -> Floats:
    """Azimuth, zenith (deg) and share of the beam absorbed, for the suns that SolarPILOT looks at from a latitude."""
    inputs = tower_inputs(plant) | {"field_model_type": GIVEN_LAYOUT, "helio_positions": positions.tolist()}
    inputs |= {"solar_resource_data": solar_resource(place, year) | {"lat": latitude_deg}, "time_stop": ONE_DAY_S}
    model = run_sam(plant, inputs)
    return np.asarray(model.Outputs.eta_map_out, dtype=np.float64)


def fitted_table(seen: Floats) -> tuple[Floats, float]:
    """The smooth table by zenith and side of the sun that fits best, and its root mean square error."""
    azimuth, zenith, share = seen.T
    nodes = _weights(zenith, np.where(azimuth > 180.0, 360.0 - azimuth, azimuth))
    smooth = _smoothness()
    wanted = np.concatenate([share, np.zeros(len(smooth))])
    table, *_ = np.linalg.lstsq(np.concatenate([nodes, smooth]), wanted, rcond=None)
    off = float(np.sqrt(np.mean((nodes @ table - share) ** 2)))
    return np.maximum(0.0, table.reshape(len(ZENITH_DEG), len(AZIMUTH_DEG))), off


def _weights(zenith: Floats, side: Floats) -> Floats:
    """How much each node of the table counts at each place: bilinear."""
    found = np.zeros((len(zenith), len(ZENITH_DEG), len(AZIMUTH_DEG)))
    row, row_frac = _cell(ZENITH_DEG, zenith)
    column, column_frac = _cell(AZIMUTH_DEG, side)
    at = np.arange(len(zenith))
    for rows, row_weight in ((row, 1 - row_frac), (row + 1, row_frac)):
        for columns, column_weight in ((column, 1 - column_frac), (column + 1, column_frac)):
            found[at, rows, columns] += row_weight * column_weight
    return found.reshape(len(zenith), -1)


def _cell(nodes: Floats, values: Floats) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.int64]], Floats]:
    at = np.clip(np.searchsorted(nodes, values, side="right") - 1, 0, len(nodes) - 2).astype(np.int64)
    return at, (values - nodes[at]) / (nodes[at + 1] - nodes[at])


def _smoothness() -> Floats:
    """Rows that are 0 for a table without steps along the columns (none at all overhead) or bends along the rows."""
    n_rows, n_columns = len(ZENITH_DEG), len(AZIMUTH_DEG)
    step, bend = SMOOTH
    rows = []
    for row in range(n_rows):
        for column in range(n_columns - 1):
            equation = np.zeros((n_rows, n_columns))
            equation[row, column : column + 2] = np.array([1.0, -1.0]) * (step if row else 10.0)
            rows.append(equation.ravel())
    for column in range(n_columns):
        for row in range(n_rows - 2):
            first, second = np.diff(ZENITH_DEG[row : row + 3])
            equation = np.zeros((n_rows, n_columns))
            equation[row : row + 3, column] = bend * np.array([1 / first, -1 / first - 1 / second, 1 / second])
            rows.append(equation.ravel())
    return np.array(rows)
