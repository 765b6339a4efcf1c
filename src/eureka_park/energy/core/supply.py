"""All plants of a site under one seed of weather, and the dispatch problem they pose from any hour on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Final

import numpy as np

from eureka_park.energy.core.dispatch import Dispatch, DispatchProblem, SaltPlant, dispatch
from eureka_park.energy.core.plants import PlantYear, plant_year
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.tariff import import_cost_mad_per_mwh, surplus_mad_per_mwh
from eureka_park.energy.core.weather import typical_year
from eureka_park.energy.core.weather_year import WeatherYear, hour_of_year
from eureka_park.foundation.site_file import Plant, Site, first_day
from eureka_park.foundation.units import HOUR_S

LOOK_AHEAD_H: Final = 24  # hours solved beyond those a plan reports, so that its end is not drained
ROLL_H: Final = 24
END_VALUE_FRAC: Final = 0.95  # salt left is worth a little less than what it could replace at once


@dataclass(frozen=True, slots=True, eq=False)
class Supply:
    """The plants of a site over a typical year; all powers on the scale of the full site."""

    site: Site
    weather: Mapping[str, WeatherYear]
    years: Mapping[str, PlantYear]

    @property
    def weather_label(self) -> str:
        """What every figure made from it must say about its weather."""
        return "; ".join(dict.fromkeys(year.provenance.text for year in self.weather.values())) or "no weather"

    @property
    def calibration_text(self) -> str:
        """Raw yearly output, published output and the factor between them, for each plant."""
        return "; ".join(_calibration(name, year) for name, year in self.years.items())


def supply_of(site: Site, seed: int) -> Supply:
    """The plants under the synthetic years of a seed. Raises BadInput when a weather site cannot be fitted."""
    return supply_from(site, {place.id: typical_year(place, seed) for place in site.weather_sites})


def supply_from(site: Site, weather: Mapping[str, WeatherYear]) -> Supply:
    """The plants under given years of weather, one for each weather site."""
    places = {place.id: place for place in site.weather_sites}
    years = {
        plant.id: plant_year(plant, places[plant.weather_site], weather[plant.weather_site]) for plant in site.plants
    }
    return Supply(site, weather, years)


def delivered_frac(site: Site, plant: Plant) -> float:
    """Share of a plant's power that reaches the site meter."""
    return 1.0 - (site.grid.line_loss_frac if plant.line_loss_frac is None else plant.line_loss_frac)


def tank_mwh_th(plant: Plant) -> float:
    """Size of a plant's salt tank; 0 without one. MWh of heat."""
    if not plant.type.startswith("csp"):
        return 0.0
    return float(plant.tes_h or 0.0) * float(plant.power_block_mw or 0.0) / float(plant.eta_frac or 1.0)


def gives_power(plant: Plant, now_s: float, without: Iterable[str]) -> bool:
    """Whether a plant counts at an instant: operating, commissioned, and not taken out."""
    if plant.status != "operating" or plant.id in without:
        return False
    if plant.commissioned is None:
        return True
    return datetime.combine(first_day(plant.commissioned), time(), UTC).timestamp() <= now_s


def problem_from(
    supply: Supply, start_s: float, load_mw: Floats, tes_mwh_th: Mapping[str, float], without: Iterable[str] = ()
) -> DispatchProblem:
    """The dispatch problem of the hours from `start_s` on, one for each value of `load_mw`."""
    site, grid = supply.site, supply.site.grid
    starts_s = start_s + HOUR_S * np.arange(len(load_mw), dtype=np.float64)
    hours = hour_of_year(starts_s)
    gone = frozenset(without)
    salt: dict[str, SaltPlant] = {}
    direct: dict[str, Floats] = {}
    for name, year in supply.years.items():
        is_on = float(gives_power(year.plant, start_s, gone))
        if year.is_csp:
            salt[name] = _salt_plant(site, year, year.series_mw[hours] * is_on, tes_mwh_th.get(name, 0.0), is_on)
        else:
            direct[name] = year.series_mw[hours] * delivered_frac(site, year.plant) * is_on
    bought = import_cost_mad_per_mwh(grid, site.timezone, starts_s)
    bought = bought + site.policy.carbon_weight_mad_per_kg * grid.gco2_per_kwh
    sold = surplus_mad_per_mwh(grid, site.timezone, starts_s)
    end_value = _end_value(salt, direct, load_mw, bought, sold)
    return DispatchProblem(load_mw, salt, direct, bought, sold, grid.import_mw_max, grid.export_mw_max, end_value)


def roll(
    supply: Supply,
    start_s: float,
    n_days: int,
    load_mw: float,
    tes_mwh_th: Mapping[str, float] | None = None,
    without: Iterable[str] = (),
) -> tuple[list[Dispatch], dict[str, float]]:
    """Dispatch day after day, each solved 48 h ahead: the dispatches (48 h each) and the salt after the last day."""
    tes = dict(tes_mwh_th) if tes_mwh_th is not None else half_tanks(supply)
    days = []
    for day in range(n_days):
        load = np.full(ROLL_H + LOOK_AHEAD_H, load_mw)
        days.append(dispatch(problem_from(supply, start_s + day * ROLL_H * HOUR_S, load, tes, without)))
        tes = {name: float(series[ROLL_H - 1]) for name, series in days[-1].tes_mwh_th.items()}
    return days, tes


def half_tanks(supply: Supply) -> dict[str, float]:
    """Every tank half full: where a roll starts when nothing is known."""
    return {name: tank_mwh_th(year.plant) / 2 for name, year in supply.years.items() if year.is_csp}


def _salt_plant(site: Site, year: PlantYear, heat: Floats, start_mwh_th: float, is_on: float) -> SaltPlant:
    plant = year.plant
    eta = float(plant.eta_frac or 1.0)
    tank = tank_mwh_th(plant) * is_on
    block = float(plant.power_block_mw or 0.0) / eta * is_on
    start = min(max(0.0, start_mwh_th), tank)
    return SaltPlant(heat, block, eta, delivered_frac(site, plant), tank, start, plant.tes_loss_frac_per_h)


def _end_value(
    salt: Mapping[str, SaltPlant], direct: Mapping[str, Floats], load: Floats, bought: Floats, sold: Floats
) -> float:
    """Salt left at the end replaces the cheapest power that would be bought, or is sold where clean power is plenty."""
    clean_mwh = sum(float((plant.heat_mw_th * plant.eta_frac * plant.delivered_frac).sum()) for plant in salt.values())
    clean_mwh += sum(float(series.sum()) for series in direct.values())
    is_short = float(load.sum()) > clean_mwh
    return END_VALUE_FRAC * float(bought.min() if is_short else sold.max())


def _calibration(name: str, year: PlantYear) -> str:
    if year.plant.year_gwh_published is None:
        return f"{name} not calibrated (model {year.raw_gwh:.3g} GWh/year)"
    published = year.plant.year_gwh_published
    return f"{name} {year.calibration_factor:.3f} (model {year.raw_gwh:.3g}, published {published:g} GWh/year)"
