"""What is the year's clean share worth when tanks and blocks with starts and part load follow the plan?

    .venv/bin/python benchmarks/followed.py [--load-mw 386] [--seed 1]

Three plans of Eureka Park's year, after calibration: the plain year program followed blindly, the plan that blocks can
follow, and for each plant the dispatch it would have alone. Electricity planned and given (GWh at the fence), the clean
share of each, and what it would be if one plant alone gave less than planned.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np

from eureka_park.energy.core.plant_alone import targets_alone_mw_th
from eureka_park.energy.core.plants_in_park import ParkPlan, park_plan
from eureka_park.energy.core.power_block import Replay, replay
from eureka_park.energy.core.start_ups import n_starts
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.supply import Supply, supply_of
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR
from eureka_park.energy.core.year import solve_year
from eureka_park.foundation.site_reading import load_site


def followed(supply: Supply, name: str, targets_mw_th: Floats) -> Replay:
    """A plant of the supply under targets of heat."""
    year = supply.years[name]
    return replay(year.plant, supply.weather[year.plant.weather_site], year.series_mw, targets_mw_th)


def told(plan: ParkPlan) -> dict[str, Any]:
    """A plan beside what its plants then give."""
    given = {name: followed(plan.supply, name, plan.targets_mw_th(name)) for name in plan.problem.salt}
    net = {name: one.net_mw for name, one in given.items()}
    cfe_frac = plan.cfe_frac_with({})
    return {
        "cfe_frac": round(cfe_frac, 4),
        "followed_cfe_frac": round(plan.cfe_frac_with(net), 4),
        "points_by_plant": {
            name: round(100 * (plan.cfe_frac_with({name: series}) - cfe_frac), 2) for name, series in net.items()
        },
        "planned_gwh": {name: gwh(plan.planned_mw(name)) for name in net},
        "given_gwh": {name: gwh(series) for name, series in net.items()},
        "net_per_heat": {
            name: round(float(one.net_mw.sum() / one.heat.drawn_mw_th.sum()), 4) for name, one in given.items()
        },
        "starts_planned": n_starts(plan.problem, plan.answer),
    }


def gwh(series_mw: Floats) -> float:
    """Sum of a year."""
    return round(float(series_mw.sum()) / 1000, 1)


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load-mw", type=float, default=386.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    supply = supply_of(load_site("eureka-park"), options.seed)
    load = np.full(HOURS_PER_YEAR, options.load_mw)
    plain = solve_year(supply, load)
    begin = time.process_time()
    plan = park_plan(supply, load)
    cpu_s = round(time.process_time() - begin, 1)
    places = {place.id: place for place in supply.site.weather_sites}
    alone = {}
    for name in plan.problem.salt:
        year = supply.years[name]
        targets = targets_alone_mw_th(year.plant, places[year.plant.weather_site], year.series_mw)
        alone[name] = gwh(followed(supply, name, targets).net_mw)
    blind = told(ParkPlan(supply, plain.problem, plain.answer))
    print(json.dumps({"plain": blind, "plan": told(plan) | {"cpu_s": cpu_s}, "alone_gwh": alone}, indent=1))


if __name__ == "__main__":
    main()
