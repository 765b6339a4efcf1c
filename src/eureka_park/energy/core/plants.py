"""From weather to what each plant can give: heat of the mirror fields (MW heat), PV and wind (MW), hour by hour.

The models are `trough`, `tower`, `pv` and `wind`. They give the shape, and the published yearly output gives the size:
the factor between the two is kept beside the result (`raw_gwh`, `calibration_factor`), never hidden. How outages relate
to it is told in `scenarios`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from eureka_park.energy.core.outages import cleanness
from eureka_park.energy.core.pv import pv_mw
from eureka_park.energy.core.scenarios import SCENARIOS, Scenario, availability_of
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.tower import tower_heat_mw
from eureka_park.energy.core.trough import trough_heat_mw
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR, WeatherYear
from eureka_park.energy.core.wind import wind_mw
from eureka_park.foundation.plant_data import parameter
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_file import Plant, WeatherSite
from eureka_park.foundation.units import MWH_PER_GWH


@dataclass(frozen=True, slots=True, eq=False)
class PlantYear:
    """A plant's year after calibration and outages. `series_mw` is heat from the field for CSP, electricity else.

    `raw_gwh` is the model's electricity before both, `calibrated_gwh` the one before outages beyond those that the
    published year holds, spill and line loss; a battery makes none. `availability_frac` is the share of the plant that
    can run in a mean hour; what of it enters the series depends on the scenario and on the published year.
    """

    plant: Plant
    series_mw: Floats
    raw_gwh: float
    calibration_factor: float
    availability_frac: float = 1.0
    availability_text: str = ""
    calibrated_gwh: float = 0.0

    @property
    def is_csp(self) -> bool:
        """Whether the series is heat that goes through salt and a power block."""
        return self.plant.type.startswith("csp")

    @property
    def is_battery(self) -> bool:
        """Whether it stores power and makes none."""
        return self.plant.type == "battery"

    @property
    def year_gwh(self) -> float:
        """Yearly electricity at the plant in this scenario, before spill and line loss; GWh."""
        return _gwh(self.plant, self.series_mw)


def plant_year(
    plant: Plant,
    place: WeatherSite,
    year: WeatherYear,
    scenario: Scenario = SCENARIOS[0],
    seed: int = 1,
    typical: WeatherYear | None = None,
) -> PlantYear:
    """The year of a plant under a weather and a scenario, its size that of `year_gwh_published` where that is given.

    A published year belongs to typical weather. With `typical` the factor comes from that year, so that a dull or a
    bright `year` shows as such; without it `year` is taken for typical itself.
    """
    if plant.type == "battery":
        return PlantYear(plant, np.zeros(HOURS_PER_YEAR), 0.0, 1.0)
    raw = _raw_mw(plant, place, year)
    factor = calibration_factor(plant, raw if typical is None else _raw_mw(plant, place, typical))
    calibrated = np.minimum(raw * factor, limit_mw(plant))
    left = availability_of(plant, scenario, calibrated, SeedTree(seed))
    series = np.minimum(calibrated * left.factor, limit_mw(plant))
    published = plant.year_gwh_published if typical is None and raw.any() else None
    calibrated_gwh = _gwh(plant, calibrated) if published is None else published
    return PlantYear(plant, series, _gwh(plant, raw), factor, left.mean_frac, left.text, calibrated_gwh)


def calibration_factor(plant: Plant, raw_mw: Floats) -> float:
    """What the model's series is multiplied by so that its year, limited to the plant, is the published one.

    1 without a published year, and without any output. A year that the plant's limit cannot give is given as far as it
    goes.
    """
    wanted_mwh = MWH_PER_GWH * float(plant.year_gwh_published or 0.0) / _per_mwh(plant)
    given_mwh = float(raw_mw.sum())
    if wanted_mwh <= 0.0 or given_mwh <= 0.0:
        return 1.0
    factor, most = wanted_mwh / given_mwh, limit_mw(plant)
    if float(raw_mw.max()) * factor <= most:
        return factor
    low, high = factor, 1000.0 * factor
    for _ in range(200):
        middle = (low + high) / 2.0
        too_little = float(np.minimum(raw_mw * middle, most).sum()) < wanted_mwh
        low, high = (middle, high) if too_little else (low, middle)
    return high


def limit_mw(plant: Plant) -> float:
    """Most that a plant's series may reach: its rating, or its receiver's limit; a trough field has none of its own."""
    if plant.type == "csp-tower":
        return float(plant.receiver_mw_th or np.inf) * parameter(plant, "receiver_load_max_pu")
    return np.inf if plant.type == "csp-trough" else plant.gross_mw


def _raw_mw(plant: Plant, place: WeatherSite, year: WeatherYear) -> Floats:
    return np.minimum(_MODELS[plant.type](plant, place, year) * cleanness(plant), limit_mw(plant))


def _gwh(plant: Plant, series_mw: Floats) -> float:
    """Electricity of a plant's series."""
    return float(series_mw.sum()) * _per_mwh(plant) / MWH_PER_GWH


def _per_mwh(plant: Plant) -> float:
    """Electricity from a unit of the plant's series."""
    return float(plant.eta_frac or 1.0) if plant.type.startswith("csp") else 1.0


_MODELS: Final[dict[str, Callable[[Plant, WeatherSite, WeatherYear], Floats]]] = {
    "csp-trough": trough_heat_mw,
    "csp-tower": tower_heat_mw,
    "pv": pv_mw,
    "wind": wind_mw,
}
