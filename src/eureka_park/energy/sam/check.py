"""Our plants beside SAM's, under the same weather and the same dispatch: sums, ratios, correlation, and the bars.

Compared are models before calibration and before outages: a calibration would hide what a model gets wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from eureka_park.energy.core.plant_alone import targets_alone_mw_th
from eureka_park.energy.core.plants_in_park import ParkPlan, park_plan
from eureka_park.energy.core.power_block import replay
from eureka_park.energy.core.pv import pv_mw
from eureka_park.energy.core.readers.park_csv import ParkWeather
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.supply import Supply, supply_of
from eureka_park.energy.core.tower import tower_heat_mw
from eureka_park.energy.core.trough import trough_heat_mw
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR, WeatherYear
from eureka_park.energy.core.wind import wind_mw
from eureka_park.foundation.site_file import Plant, Site, WeatherSite

CORRELATION_MIN: Final = 0.98
CSP_OFF_MAX: Final = 0.05
OTHER_OFF_MAX: Final = 0.03
GWH: Final = 1000.0
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Compared:
    """One plant at one place: GWh of ours and SAM's, heat only for CSP, correlation of the hours (heat for CSP).

    `planned_gwh` is what the park's program counts on from the heat it draws; only under the park's dispatch.
    """

    plant: str
    type: str
    place: str
    weather: str
    heat_gwh: float | None
    sam_heat_gwh: float | None
    net_gwh: float
    sam_net_gwh: float
    correlation: float
    water_m3: float | None = None
    sam_water_m3: float | None = None
    planned_gwh: float | None = None

    @property
    def heat_ratio(self) -> float | None:
        """Ours over SAM's heat; None without heat."""
        return None if self.heat_gwh is None or not self.sam_heat_gwh else self.heat_gwh / self.sam_heat_gwh

    @property
    def net_ratio(self) -> float:
        """Ours over SAM's electricity."""
        return self.net_gwh / self.sam_net_gwh if self.sam_net_gwh else float("nan")

    @property
    def off_max(self) -> float:
        """How far a yearly sum may be off, as a share."""
        return CSP_OFF_MAX if self.type.startswith("csp") else OTHER_OFF_MAX

    @property
    def faults(self) -> tuple[str, ...]:
        """Which bars are missed: `heat`, `net`, `correlation`; empty when all are met."""
        ratios = {"heat": self.heat_ratio, "net": self.net_ratio}
        missed = [name for name, ratio in ratios.items() if ratio is not None and not abs(ratio - 1) <= self.off_max]
        is_alike = self.correlation > CORRELATION_MIN or self.heat_gwh is None
        return tuple(missed) if is_alike else (*missed, "correlation")

    def to_json(self) -> dict[str, Any]:
        """For `--json`: figures, ratios and bars."""
        return {
            "plant": self.plant,
            "type": self.type,
            "place": self.place,
            "weather": self.weather,
            "heat_gwh": _rounded(self.heat_gwh),
            "sam_heat_gwh": _rounded(self.sam_heat_gwh),
            "heat_ratio": _rounded(self.heat_ratio, 4),
            "net_gwh": _rounded(self.net_gwh),
            "sam_net_gwh": _rounded(self.sam_net_gwh),
            "net_ratio": _rounded(self.net_ratio, 4),
            "correlation": _rounded(self.correlation, 4),
            "planned_gwh": _rounded(self.planned_gwh),
            "water_m3": _rounded(self.water_m3, 0),
            "sam_water_m3": _rounded(self.sam_water_m3, 0),
            "off_max_frac": self.off_max,
            "correlation_min": CORRELATION_MIN,
            "faults": list(self.faults),
        }


def check_plant(
    plant: Plant,
    place: WeatherSite,
    year: WeatherYear,
    tell: Tell = lambda _: None,
    plan: ParkPlan | None = None,
) -> Compared:
    """Run our model and SAM. `tell` hears what goes on: `ours`, `sam-field`, `sam-dispatch`, `sam`.

    A plant with salt follows the plan of the park, or without one the dispatch it would have alone. Raises Unavailable
    without PySAM, and Internal when SAM fails.
    """
    if not plant.type.startswith("csp"):
        return _check(plant, place, year, tell)
    return _check_csp(plant, place, year, tell, plan)


def plan_of_park(site: Site, seed: int, load_mw: float) -> ParkPlan:
    """The site's own dispatch of a synthetic year under a constant load; mirror fields before calibration and outages.

    Sun and wind power that needs no salt keeps its calibration: it only sets what is left for the salt to serve.
    """
    return park_plan(uncalibrated(supply_of(site, seed)), np.full(HOURS_PER_YEAR, load_mw))


def uncalibrated(supply: Supply) -> Supply:
    """The same supply with the heat of mirror fields as the models give it."""
    places = {place.id: place for place in supply.site.weather_sites}
    years = dict(supply.years)
    for name, known in years.items():
        at = known.plant.weather_site
        if known.is_csp:
            years[name] = replace(known, series_mw=our_heat_mw(known.plant, places[at], supply.weather[at]))
    return replace(supply, years=years)


def at_place(site: Site, plant: Plant, given: ParkWeather) -> WeatherSite:
    """The weather site of a plant with the position of a weather file."""
    usual = next(place for place in site.weather_sites if place.id == plant.weather_site)
    position = {"id": given.year.weather_site, "latitude_deg": given.latitude_deg, "longitude_deg": given.longitude_deg}
    return usual.model_copy(update={**position, "altitude_m": given.altitude_m})


def our_heat_mw(plant: Plant, place: WeatherSite, year: WeatherYear) -> Floats:
    """Heat of a CSP field by our model, before calibration and outages; MW."""
    return (trough_heat_mw if plant.type == "csp-trough" else tower_heat_mw)(plant, place, year)


def our_electricity_mw(plant: Plant, place: WeatherSite, year: WeatherYear) -> Floats:
    """Power of PV or wind by our model, before calibration and outages; MW."""
    return (pv_mw if plant.type == "pv" else wind_mw)(plant, place, year)


def correlation(ours: Floats, theirs: Floats) -> float:
    """Pearson's correlation of two series; 0 where one of them stands still."""
    if float(ours.std()) == 0.0 or float(theirs.std()) == 0.0:
        return 0.0
    return float(np.corrcoef(ours, theirs)[0, 1])


def _check_csp(plant: Plant, place: WeatherSite, year: WeatherYear, tell: Tell, plan: ParkPlan | None) -> Compared:
    from eureka_park.energy.sam.runs import sam_field_heat_mw, sam_replay

    tell("ours")
    heat = our_heat_mw(plant, place, year)
    target = targets_alone_mw_th(plant, place, heat) if plan is None else plan.targets_mw_th(plant.id)
    ours = replay(plant, year, heat, target)
    tell("sam-field")
    sam_heat = sam_field_heat_mw(plant, place, year)
    tell("sam-dispatch")
    sam = sam_replay(plant, place, year, target)
    return Compared(
        plant=plant.id,
        type=plant.type,
        place=place.id,
        weather=year.provenance.text,
        heat_gwh=float(heat.sum()) / GWH,
        sam_heat_gwh=float(sam_heat.sum()) / GWH,
        net_gwh=float(ours.net_mw.sum()) / GWH,
        sam_net_gwh=float(sam.net_mw.sum()) / GWH,
        correlation=correlation(heat, sam_heat),
        water_m3=float(ours.water_m3.sum()),
        sam_water_m3=sam.water_m3,
        planned_gwh=None if plan is None else float(plan.planned_mw(plant.id).sum()) / GWH,
    )


def _check(plant: Plant, place: WeatherSite, year: WeatherYear, tell: Tell) -> Compared:
    from eureka_park.energy.sam.runs import sam_electricity_mw

    tell("ours")
    ours = our_electricity_mw(plant, place, year)
    tell("sam")
    sam = sam_electricity_mw(plant, place, year)
    sums = float(ours.sum()) / GWH, float(sam.sum()) / GWH
    return Compared(
        plant.id, plant.type, place.id, year.provenance.text, None, None, *sums, correlation=correlation(ours, sam)
    )


def _rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)
