"""What does it cost not to know the weather: a year operated by plans of two days, with and without errors of forecast?

    .venv/bin/python benchmarks/rolling_year.py [--loads 200,386] [--seed 1] [--hours 8760]

Three shares for each load: the year known in advance (the bound), plans that know their two days (made anew each day),
plans that rest on forecasts (made anew each hour, settled against the truth). CPU seconds of the last, and of one plan.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from eureka_park.energy.core.forecast import forecast_of
from eureka_park.energy.core.rolling import roll_year
from eureka_park.energy.core.supply import supply_of
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR
from eureka_park.energy.core.year import solve_year
from eureka_park.foundation.site_reading import load_site


def main() -> None:
    """Print a line of JSON for each load."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loads", default="200,386")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=int, default=HOURS_PER_YEAR)
    options = parser.parse_args()
    supply = supply_of(load_site("eureka-park"), options.seed)
    forecast = forecast_of(supply, options.seed)
    for load_mw in map(float, options.loads.split(",")):
        bound = solve_year(supply, np.full(HOURS_PER_YEAR, load_mw)).answer.cfe_frac
        perfect = roll_year(supply, load_mw, n_hours=options.hours)
        begin = time.process_time()
        real = roll_year(supply, load_mw, forecast, n_hours=options.hours)
        cpu_s = time.process_time() - begin
        figures = {
            "load_mw": load_mw,
            "seed": options.seed,
            "bound_cfe_frac": round(bound, 4),
            "perfect_window_cfe_frac": round(perfect.cfe_frac, 4),
            "forecast_cfe_frac": round(real.cfe_frac, 4),
            "lost_points": round(100 * (perfect.cfe_frac - real.cfe_frac), 2),
            "more_bought_gwh": round(float(real.import_mw.sum() - perfect.import_mw.sum()) / 1000, 1),
            "more_sold_gwh": round(float(real.export_mw.sum() - perfect.export_mw.sum()) / 1000, 1),
            "cpu_s": round(cpu_s, 1),
            "cpu_ms_per_plan": round(1000 * cpu_s / real.n_plans, 2),
        }
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
