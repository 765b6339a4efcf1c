"""What do the sky of a run and its plans cost in CPU seconds, by the length of the run?

    .venv/bin/python benchmarks/twin_plans.py [--days 30 365] [--every 6] [--json]

The plants of Eureka Park; a plan every few hours for a demand that follows the day and the seed, tanks half full; and
what one of the live park's own costs for it (`make_plan` without the prices of stores).
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np

from eureka_park.energy.core.forecast import forecast_of
from eureka_park.energy.core.outlook_table import OutlookTable
from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.energy.core.quick_plan import SOLVED_H, QuickPlanner, run_prices
from eureka_park.energy.core.supply import half_tanks, supply_of
from eureka_park.foundation.site_reading import load_site
from eureka_park.foundation.units import HOUR_S

START_S = 1_772_409_600.0
N_WHOLE = 40


def measured(days: float, every_h: int, seed: int) -> dict[str, Any]:
    """CPU seconds of the supply with its forecasts, and of all plans."""
    begin, site, n_hours = time.process_time(), load_site("eureka-park"), round(days * 24)
    supply = supply_of(site, seed)
    seen, stores = forecast_of(supply, seed), half_tanks(supply)
    table = OutlookTable(seen, every_h, SOLVED_H, 48)
    planner = QuickPlanner(seen, table, START_S, run_prices(supply, START_S, n_hours))
    told: dict[str, Any] = {"days": days, "supply_cpu_s": time.process_time() - begin}
    draw, day = np.random.default_rng(seed), 60.0 * np.sin(np.arange(48) * np.pi / 12.0)
    hours = range(0, n_hours, every_h)
    demands = [np.clip(draw.uniform(120.0, 300.0) + day, 0.0, site.site_mw_max) for _ in hours]
    begin = time.process_time()
    for hour, demand in zip(hours, demands, strict=True):
        planner.plan(hour, demand, stores, 8)
    told |= {"plans": len(hours), "plans_cpu_s": time.process_time() - begin}
    told["ms_per_plan"] = 1000.0 * told["plans_cpu_s"] / len(hours)
    begin, some = time.process_time(), list(zip(hours, demands, strict=True))[:N_WHOLE]
    for hour, demand in some:
        asked = PlanRequest(START_S + HOUR_S * hour, tuple(demand.tolist()), stores, seed)
        make_plan(site, asked, supply, seen, prices_stores=False)
    return told | {"ms_per_whole_plan": 1000.0 * (time.process_time() - begin) / len(some)}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, nargs="+", default=[30.0, 365.0])
    parser.add_argument("--every", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for days in options.days:
        told = measured(days, options.every, options.seed)
        if options.json:
            print(json.dumps(told), flush=True)
        else:
            print("  ".join(f"{name} {value:,.4g}" for name, value in told.items()), flush=True)


if __name__ == "__main__":
    main()
