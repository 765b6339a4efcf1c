"""All plants of a site under one seed of weather, and the dispatch problem they pose from any hour on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Final

import numpy as np

from eureka_park.energy.core.dispatch import Battery, Dispatch, DispatchProblem, SaltPlant, dispatch
from eureka_park.energy.core.footprint import contract_of
from eureka_park.energy.core.plants import PlantYear, plant_year
from eureka_park.energy.core.scenarios import SCENARIOS, Scenario, scenario_of, without_in
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.tariff import import_cost_mad_per_mwh, surplus_mad_per_mwh
from eureka_park.energy.core.weather import typical_years
from eureka_park.energy.core.weather_year import WeatherYear, hour_of_year
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.plant_data import fact
from eureka_park.foundation.site_file import GRID_SOURCE_ID, Plant, Site, first_day
from eureka_park.foundation.units import HOUR_S

ALL_PLANTS: Final = SCENARIOS[0].name
CALIBRATION_SEED: Final = 1
TIE: Final = GRID_SOURCE_ID  # among what can trip
NONE_TRIPPED: Final[Mapping[str, Floats]] = {}
LOOK_AHEAD_H: Final = 24  # hours solved beyond those a plan reports, so that its end is not drained
ROLL_H: Final = 24
END_VALUE_FRAC: Final = 0.95  # salt left is worth a little less than what it could replace at once


@dataclass(frozen=True, slots=True, eq=False)
class Supply:
    """The plants of a site over a year of weather under a scenario; all powers on the scale of the full site.

    `without` are plants that give nothing all year: those asked for and those that the scenario takes out.
    """

    site: Site
    weather: Mapping[str, WeatherYear]
    years: Mapping[str, PlantYear]
    scenario: Scenario = SCENARIOS[0]
    without: tuple[str, ...] = ()

    @property
    def weather_label(self) -> str:
        """What every figure made from it must say about its weather."""
        return "; ".join(dict.fromkeys(year.provenance.text for year in self.weather.values())) or "no weather"

    @property
    def calibration_text(self) -> str:
        """By plant: the factor, the model's raw year, the year it is brought to, and what that year rests on."""
        return "; ".join(
            _calibration(name, year, self.weather[year.plant.weather_site].is_typical)
            for name, year in self.years.items()
            if not year.is_battery
        )

    @property
    def labels(self) -> dict[str, str]:
        """What every result made from it must say: scenario, weather, calibration, outages, contracts."""
        return {
            "scenario": f"{self.scenario.name}: {self.scenario.text}",
            "weather": self.weather_label,
            "calibration": self.calibration_text,
            "outages": "; ".join(f"{name} {year.availability_text}" for name, year in self.years.items()),
            "without": ", ".join(self.without),
            "contracts": "; ".join(f"{plant.id} {contract_of(plant)}" for plant in self.site.plants),
        }


def supply_of(site: Site, seed: int, scenario: str = ALL_PLANTS, without: Iterable[str] = ()) -> Supply:
    """The plants under the synthetic years of a seed. Raises BadInput when a weather site cannot be fitted."""
    return supply_from(site, typical_years(site.weather_sites, seed), scenario, without)


def supply_from(
    site: Site,
    weather: Mapping[str, WeatherYear],
    scenario: str = ALL_PLANTS,
    without: Iterable[str] = (),
    outage_seed: int | None = None,
) -> Supply:
    """The plants under given years of weather, one for each weather site, and a scenario of outages by name.

    Outages are drawn by `outage_seed`; None: by the seed of the weather, or 1. Under weather that is not synthetic the
    calibration comes from the typical year of seed 1. Raises BadInput for an unknown scenario, an unknown plant in
    `without`, or a place without weather.
    """
    named, gone = scenario_of(scenario), _known_ids(site, without)
    places = {place.id: place for place in site.weather_sites}
    foreign = [place for place in site.weather_sites if place.id in weather and not weather[place.id].is_typical]
    typical = typical_years(foreign, CALIBRATION_SEED)
    years = {}
    for plant in site.plants:
        sky, at = _weather_at(plant.weather_site, weather), plant.weather_site
        seed = outage_seed if outage_seed is not None else sky.provenance.seed or 1
        years[plant.id] = plant_year(plant, places[at], sky, named, seed, typical.get(at))
    return Supply(site, weather, years, named, tuple(dict.fromkeys((*gone, *without_in(site.plants, named)))))


def delivered_frac(site: Site, plant: Plant) -> float:
    """Share of a plant's power that reaches the site meter."""
    return 1.0 - (site.grid.line_loss_frac if plant.line_loss_frac is None else plant.line_loss_frac)


def tank_mwh_th(plant: Plant) -> float:
    """Size of a plant's salt tank; 0 without one. MWh of heat."""
    if not plant.type.startswith("csp"):
        return 0.0
    return float(plant.tes_h or 0.0) * float(plant.power_block_mw or 0.0) / float(plant.eta_frac or 1.0)


def hours_on(plant: Plant, starts_s: Floats, without: Iterable[str]) -> Floats:
    """1 for the hours in which a plant counts, 0 else: operating, not taken out, and from its first day on."""
    if plant.status != "operating" or plant.id in without:
        return np.zeros(len(starts_s))
    if plant.commissioned is None:
        return np.ones(len(starts_s))
    begins_s = datetime.combine(first_day(plant.commissioned), time(), UTC).timestamp()
    return np.asarray(starts_s >= begins_s, dtype=np.float64)


def problem_from(
    supply: Supply,
    start_s: float,
    load_mw: Floats,
    tes_mwh_th: Mapping[str, float],
    without: Iterable[str] = (),
    *,
    running: Mapping[str, Floats] = NONE_TRIPPED,
    prices: tuple[Floats, Floats] | None = None,
) -> DispatchProblem:
    """The dispatch problem of the hours from `start_s` on, one for each value of `load_mw`.

    `running`: for which part of each hour plants (by id) and the tie (`TIE`) stand, where it is not all of it.
    `prices`: what bought energy costs, carbon left out, and what surplus earns, where they are at hand (`tariff`).
    """
    site, grid = supply.site, supply.site.grid
    starts_s = start_s + HOUR_S * np.arange(len(load_mw), dtype=np.float64)
    hours = hour_of_year(starts_s)
    gone = frozenset((*without, *supply.without))
    salt: dict[str, SaltPlant] = {}
    direct: dict[str, Floats] = {}
    batteries: dict[str, Battery] = {}
    for name, year in supply.years.items():
        on = hours_on(year.plant, starts_s, gone)
        has_begun = float(on.any())
        on = on * running[name] if name in running else on
        if year.is_battery:
            batteries[name] = _battery(site, year.plant, tes_mwh_th.get(name), has_begun)
        elif year.is_csp:
            plant = _salt_plant(site, year, year.series_mw[hours] * on, tes_mwh_th.get(name, 0.0), has_begun)
            salt[name] = replace(plant, running=running[name]) if name in running else plant
        else:
            direct[name] = year.series_mw[hours] * delivered_frac(site, year.plant) * on
    bought, sold = prices or (
        import_cost_mad_per_mwh(grid, site.timezone, starts_s),
        surplus_mad_per_mwh(grid, site.timezone, starts_s),
    )
    bought = bought + site.policy.carbon_weight_mad_per_kg * grid.gco2_per_kwh
    end_value = _end_value(salt, direct, load_mw, bought, sold)
    return DispatchProblem(
        load_mw, salt, direct, bought, sold, grid.import_mw_max, grid.export_mw_max, end_value, batteries,
        tie=running.get(TIE),
    )  # fmt: skip


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
        stores = {**days[-1].tes_mwh_th, **days[-1].battery_mwh}
        tes = {name: float(series[ROLL_H - 1]) for name, series in stores.items()}
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


def _battery(site: Site, plant: Plant, start_mwh: float | None, has_begun: float) -> Battery:
    """A battery as the site meter sees it, half full where nothing is known; line loss falls on both ways."""
    kept = delivered_frac(site, plant)
    energy = float(plant.energy_mwh or 0.0) * has_begun
    return Battery(
        power_mw=plant.gross_mw * kept * has_begun,
        energy_mwh=energy,
        charge_frac=float(plant.charge_eff_frac or 1.0) * kept,
        discharge_frac=float(plant.discharge_eff_frac or 1.0) * kept,
        loss_frac=float(plant.self_discharge_frac_per_h or 0.0),
        start_mwh=min(energy, max(0.0, energy / 2 if start_mwh is None else start_mwh)),
        charge_mw=float(plant.charge_mw or plant.gross_mw) * has_begun,
    )


def _known_ids(site: Site, without: Iterable[str]) -> tuple[str, ...]:
    names, known = tuple(without), {plant.id for plant in site.plants}
    for name in names:
        if name not in known:
            raise BadInput(
                f"There is no plant '{name}'.", fix=f"Plants: {', '.join(sorted(known)) or 'none'}.", field="without"
            )
    return names


def _weather_at(place: str, weather: Mapping[str, WeatherYear]) -> WeatherYear:
    if place not in weather:
        raise BadInput(
            f"There is no weather for '{place}'.", fix=f"Give a file for it: --weather {place}=FILE", field="weather"
        )
    return weather[place]


def _end_value(
    salt: Mapping[str, SaltPlant], direct: Mapping[str, Floats], load: Floats, bought: Floats, sold: Floats
) -> float:
    """Salt left at the end replaces the cheapest power that would be bought, or is sold where clean power is plenty."""
    clean_mwh = sum(float((plant.heat_mw_th * plant.eta_frac * plant.delivered_frac).sum()) for plant in salt.values())
    clean_mwh += sum(float(series.sum()) for series in direct.values())
    is_short = float(load.sum()) > clean_mwh
    return END_VALUE_FRAC * float(bought.min() if is_short else sold.max())


def _calibration(name: str, year: PlantYear, is_typical: bool) -> str:
    if year.plant.year_gwh_published is None:
        return f"{name} not calibrated (model {year.raw_gwh:.3g} GWh/year)"
    published, label = year.plant.year_gwh_published, fact(year.plant, "year_gwh_published").label
    text = f"{name} {year.calibration_factor:.3f} (model {year.raw_gwh:.3g}, {label} {published:g} GWh/year"
    return text + (")" if is_typical else " in typical weather)")
