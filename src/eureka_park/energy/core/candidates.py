"""What may be built beside the plants of a site, and what a unit of it gives in each hour and costs a year.

At every weather site: wind where a wind speed is known, PV where the direct sun is known, troughs and towers with salt
where it is strong; and a battery at the site meter. Plants are those that a site file would get for `type` and size
alone (`foundation.plant_filling`); their output is the park's own model, times a factor for what it leaves out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from eureka_park.energy.core import costs as price
from eureka_park.energy.core.costs import CSP_TYPES, Costs, UnitCost
from eureka_park.energy.core.outages import usual_availability_frac
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.supply import Supply, delivered_frac
from eureka_park.foundation.plant_filling import filled_plant
from eureka_park.foundation.site_file import Plant, Site, WeatherSite

REFERENCE_MW: Final = 100.0
CSP_DNI_KWH_PER_M2: Final = 2000.0  # weaker sun is left to panels; assumption, usual in site surveys
SALT_H_MAX: Final = 20.0  # more is not built; the site file allows 24
MIRROR_M2: Final = 1000.0  # a unit of mirrors
BATTERY_ID: Final = "new-battery"
_TITLES: Final = {"wind": "New wind", "pv": "New PV", "csp-trough": "New trough", "csp-tower": "New tower"}


@dataclass(frozen=True, slots=True)
class Size:
    """One figure to be found. `step` is a usual amount of it: what a search counts in."""

    name: str
    unit: str
    step: float
    most: float
    cost: Callable[[Costs], UnitCost]


@dataclass(frozen=True, slots=True)
class Ratio:
    """`part` is at most `most` times `whole`; names of sizes."""

    part: str
    whole: str
    most: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plant of `REFERENCE_MW` that may be built in any size, and the names of the sizes that describe it.

    `yield_frac` is what it gives over what its model says. Wind and PV have one size (`mw`), CSP three (`mirror` in
    thousands of m2, `block` in MW net, `salt` in MWh of heat), a battery two (`mw`, `mwh`).
    """

    plant: Plant
    delivered_frac: float
    yield_frac: float
    yield_source: str
    sizes: Mapping[str, str]

    @property
    def is_csp(self) -> bool:
        """Whether it stores heat."""
        return self.plant.type in CSP_TYPES


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """What a unit of a candidate gives in each hour of a year: MW at the site meter of a MW, or heat of its mirrors."""

    per_unit: Mapping[str, Floats]

    def window(self, hours: slice) -> Outputs:
        """Some hours of it."""
        return Outputs({name: series[hours] for name, series in self.per_unit.items()})


def candidates_of(site: Site, supply: Supply, costs: Costs) -> tuple[Candidate, ...]:
    """What may be built at a site; `supply` says what its plants give over what their models say."""
    plants = (plant for place in site.weather_sites for plant in _at(place, site))
    return tuple(_candidate(site, plant, supply, costs) for plant in (*plants, _battery(site)) if plant is not None)


def sizes_of(candidates: tuple[Candidate, ...], load_mw: float, most_mw: Mapping[str, float]) -> tuple[Size, ...]:
    """The figures to be found. `most_mw` limits plants by type, all places together being one each; none: no limit."""
    return tuple(size for candidate in candidates for size in _sizes(candidate, load_mw, most_mw))


def ratios_of(candidates: tuple[Candidate, ...]) -> tuple[Ratio, ...]:
    """Salt for at most `SALT_H_MAX` hours of a block's full power."""
    return tuple(
        Ratio(item.sizes["salt"], item.sizes["block"], SALT_H_MAX / float(item.plant.eta_frac or 1.0))
        for item in candidates
        if item.is_csp
    )


def site_with(site: Site, candidates: tuple[Candidate, ...]) -> Site:
    """The site with the candidates at their reference size in it, so that its models reckon them too."""
    return site.model_copy(update={"plants": tuple(item.plant for item in candidates if item.plant.type != "battery")})


def outputs_of(candidates: tuple[Candidate, ...], modelled: Supply) -> Outputs:
    """Of a year in which `modelled` holds the candidates (`site_with`)."""
    found = {}
    for candidate in candidates:
        plant = candidate.plant
        if plant.type == "battery":
            continue
        series = modelled.years[plant.id].series_mw * candidate.yield_frac
        if candidate.is_csp:
            found[plant.id] = series * (MIRROR_M2 / float(plant.mirror_area_m2 or 1.0))
        else:
            found[plant.id] = series * (candidate.delivered_frac / plant.gross_mw)
    return Outputs(found)


def _at(place: WeatherSite, site: Site) -> Iterator[Plant | None]:
    dni = place.dni_kwh_per_m2_year
    if place.wind_m_per_s_mean is not None:
        yield _plant("wind", place, site)
    if dni is not None:
        yield _plant("pv", place, site)
        for csp_type in CSP_TYPES if dni >= CSP_DNI_KWH_PER_M2 else ():
            yield _plant(csp_type, place, site)


def _plant(plant_type: str, place: WeatherSite, site: Site) -> Plant | None:
    """A new plant of a type at a place; the way to the site meter is that of a plant that stands there."""
    block = {
        "id": f"new-{plant_type}-{place.id}"[:63],
        "title": f"{_TITLES[plant_type]}, {place.id}",
        "type": plant_type,
        "weather_site": place.id,
        "gross_mw": REFERENCE_MW,
        "contract": "additional",
        "source": "found by park energy size",
    }
    losses = [plant.line_loss_frac for plant in site.plants if plant.weather_site == place.id]
    known = next((loss for loss in losses if loss is not None), None)
    return _checked(block if known is None else {**block, "line_loss_frac": known})


def _battery(site: Site) -> Plant | None:
    if not site.weather_sites:
        return None
    block = {"id": BATTERY_ID, "title": "New battery", "type": "battery", "gross_mw": REFERENCE_MW}
    more = {"weather_site": site.weather_sites[0].id, "contract": "additional", "source": "found by park energy size"}
    return _checked({**block, **more})


def _checked(block: Mapping[str, object]) -> Plant:
    return Plant.model_validate_json(json.dumps(filled_plant(block)))


def _candidate(site: Site, plant: Plant, supply: Supply, costs: Costs) -> Candidate:
    names = {"wind": ("mw",), "pv": ("mw",), "battery": ("mw", "mwh")}.get(plant.type, ("mirror", "block", "salt"))
    factor, source = _yield(plant, supply, costs)
    return Candidate(plant, delivered_frac(site, plant), factor, source, {name: f"{plant.id}.{name}" for name in names})


def _yield(plant: Plant, supply: Supply, costs: Costs) -> tuple[float, str]:
    """A new plant does no better than those of its kind do against the model: their mean factor, at most 1.

    Their published year holds their ordinary outages; the new plant's are in its series, so they are taken out here.
    PV goes by the cost table alone, since the one published output there is is a lower bound.
    """
    if plant.type == "battery":
        return 1.0, "not modelled"
    factors = {
        name: min(1.0, year.calibration_factor / usual_availability_frac(year.plant))
        for name, year in supply.years.items()
        if year.plant.type == plant.type and year.plant.year_gwh_published is not None
    }
    if plant.type == "pv" or not factors:
        return costs[f"{plant.type}.yield_frac"], f"costs.toml: {plant.type}.yield_frac"
    return float(np.mean(list(factors.values()))), f"published over modelled output of {', '.join(factors)}"


def _sizes(candidate: Candidate, load_mw: float, most_mw: Mapping[str, float]) -> Iterator[Size]:
    plant, kind = candidate.plant, candidate.plant.type
    most = most_mw.get(kind, np.inf)
    step = max(load_mw, 1e-6) / 4.0
    names = candidate.sizes
    if kind == "wind":
        yield Size(names["mw"], "MW", step, most, price.wind_mw)
    elif kind == "pv":
        yield Size(names["mw"], "MW", step, most, lambda costs: price.pv_mw(costs, plant.dc_ac_ratio))
    elif kind == "battery":
        yield Size(names["mw"], "MW", step, most, price.battery_mw)
        yield Size(names["mwh"], "MWh", 8.0 * step, np.inf, price.battery_mwh)
    else:
        yield from _csp_sizes(candidate, step, most)


def _csp_sizes(candidate: Candidate, step: float, most: float) -> Iterator[Size]:
    plant, kind, names = candidate.plant, candidate.plant.type, candidate.sizes

    def mirrors(costs: Costs) -> UnitCost:
        per_m2 = price.csp_mirror_m2(costs, kind)
        return UnitCost(per_m2.capital_usd * MIRROR_M2, per_m2.yearly_mad * MIRROR_M2)

    per_mw = float(plant.mirror_area_m2 or 0.0) / REFERENCE_MW / MIRROR_M2
    yield Size(names["mirror"], "1000 m2", step * per_mw, np.inf, mirrors)
    yield Size(names["block"], "MW", step, most, lambda costs: price.csp_block_mw(costs, plant))
    heat = 8.0 * step / float(plant.eta_frac or 1.0)
    yield Size(names["salt"], "MWh", heat, np.inf, lambda costs: price.csp_salt_mwh_th(costs, kind))
