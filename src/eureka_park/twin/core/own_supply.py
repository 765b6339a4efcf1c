"""A site's own clean power against what its work asks for: both as means of a run, and plants in another size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from eureka_park.energy.core.cooling import site_mw_from_it_mw
from eureka_park.energy.core.plants import PlantYear
from eureka_park.energy.core.supply import Supply, problem_from
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_file import Plant, Site
from eureka_park.foundation.units import mw_from_kw

SIZES: Final = ("gross_mw", "power_block_mw", "receiver_mw_th", "mirror_area_m2", "energy_mwh", "charge_mw",
                "year_gwh_published")  # fmt: skip
FACTOR_MAX: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What work asks for: its energy on machines without a cap (kWh, its part of idle power in it), and the share of
    the site's machine hours that it holds.
    """

    it_kwh: float
    held_frac: float


def asked_mw(site: Site, asked: Asked, days: float) -> float:
    """Mean power at the site meter that work asks for; MW. Machines that it does not hold draw what they do asleep."""
    asleep_kw = sum(kind.n_nodes * (kind.idle_kw if kind.sleep_kw is None else kind.sleep_kw) for kind in site.nodes)
    it_kw = asked.it_kwh / (days * 24.0) + asleep_kw * max(0.0, 1.0 - asked.held_frac)
    return site_mw_from_it_mw(mw_from_kw(it_kw), site.pue)


def own_clean_mw(supply: Supply, start_s: float, n_hours: int) -> float:
    """Mean power that the plants could send to the meter of the full-scale site in these hours; MW.

    Sun and wind as they come, and heat at the efficiency of its power block: before curtailment, full tanks, losses of
    tanks, and outages of a run.
    """
    problem = problem_from(supply, start_s, np.zeros(n_hours), {})
    mwh = sum(float(series.sum()) for series in problem.direct_mw.values())
    mwh += sum(float(one.heat_mw_th.sum()) * one.eta_frac * one.delivered_frac for one in problem.salt.values())
    return mwh / n_hours


def plants_factor(demand_of_supply: float, wanted_mw: float, own_mw: float) -> float:
    """By what plants are multiplied so that `wanted_mw` is `demand_of_supply` times what they give. Raises BadInput."""
    if own_mw <= 0.0:
        raise BadInput(
            "The plants of this site give nothing in these days: no demand is a part of that.",
            fix="Leave out --demand-of-supply, or name a site with plants.",
            field="demand_of_supply",
        )
    factor = wanted_mw / (demand_of_supply * own_mw)
    if not 1.0 / FACTOR_MAX <= factor <= FACTOR_MAX:
        raise BadInput(
            f"Plants {factor:.3g} times as large as this site's are no model of it.",
            fix="Give another demand, or a site whose plants are nearer to its machines.",
            field="demand_of_supply",
        )
    return factor


def supply_times(supply: Supply, factor: float) -> Supply:
    """The supply with all plants larger by a factor, tanks, power blocks and batteries as well; the tie stays."""
    plants = {plant.id: _times(plant, factor) for plant in supply.site.plants}
    years: Mapping[str, PlantYear] = {
        name: replace(
            year,
            plant=plants[name],
            series_mw=year.series_mw * factor,
            raw_gwh=year.raw_gwh * factor,
            calibrated_gwh=year.calibrated_gwh * factor,
        )
        for name, year in supply.years.items()
    }
    site = supply.site.model_copy(update={"plants": tuple(plants.values())})
    return replace(supply, site=site, years=years)


def _times(plant: Plant, factor: float) -> Plant:
    sizes = {name: getattr(plant, name) for name in SIZES}
    return plant.model_copy(update={name: value * factor for name, value in sizes.items() if value is not None})
