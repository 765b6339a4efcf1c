"""What do start-ups and minimum load change, and what does it cost to take them in?

    .venv/bin/python benchmarks/start_ups.py [--weeks 2 15 28 41] [--load-mw 386 200] [--limit-s 120]

Weeks of Eureka Park as circles: the plain linear program, the same spread in blocks as the live plan is, the
relaxation with start-ups, and the program with whole numbers. Cost and clean share of each, starts, CPU seconds; and
what the plans made without start-ups are worth once their starts are paid for.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from typing import Any

import numpy as np

from eureka_park.energy.core.dispatch import Dispatch, Dispatcher, DispatchProblem, dispatch, for_a_year
from eureka_park.energy.core.dispatch_problem import PLAN_DRAW_BLOCKS, PLAN_IMPORT_BLOCKS
from eureka_park.energy.core.linear_program import Options
from eureka_park.energy.core.start_ups import n_starts, with_start_ups
from eureka_park.energy.core.supply import problem_from, supply_of
from eureka_park.energy.core.weather_year import REFERENCE_YEAR_S
from eureka_park.foundation.errors import Internal
from eureka_park.foundation.site_reading import load_site

HOURS = 168


def told(problem: DispatchProblem, answer: Dispatch, cpu_s: float) -> dict[str, Any]:
    """The figures of one answer."""
    salt_mwh = sum(float(answer.power_mw[name].sum()) for name in problem.salt)
    return {
        "cost_mad": round(answer.objective),
        "cfe_frac": round(answer.cfe_frac, 4),
        "salt_mwh": round(salt_mwh),
        "starts": sum(n_starts(problem, answer).values()),
        "cpu_s": round(cpu_s, 2),
    }


def measured(problem: DispatchProblem, options: Options) -> tuple[Dispatch, dict[str, Any]]:
    """Solve and time."""
    begin = time.process_time()
    answer = dispatch(problem, options)
    return answer, told(problem, answer, time.process_time() - begin)


def paid_for(asked: DispatchProblem, plain: Dispatch) -> dict[str, Any]:
    """A plan made without start-ups, its blocks run in its hours and starts paid for; the least load is waived."""
    salt = {name: replace(plant, min_load_frac=0.0) for name, plant in asked.salt.items()}
    problem = replace(asked, salt=salt, start_up="relaxed")
    kept = Dispatcher(problem, Options())
    for name, plant in problem.salt.items():
        runs = (plain.power_mw[name] > 1e-3 * plant.power_block_mw_th * plant.per_heat).astype(float)
        on = kept.handles.salt[name].on
        if on is not None:
            kept.solver.set_columns(on, runs, runs)
    answer = kept.solve()
    return {"cost_mad": round(answer.objective), "cfe_frac": round(answer.cfe_frac, 4)}


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, nargs="+", default=[2, 15, 28, 41])
    parser.add_argument("--load-mw", type=float, nargs="+", default=[386.0, 200.0])
    parser.add_argument("--gap", type=float, default=1e-3)
    parser.add_argument("--limit-s", type=float, default=120.0)
    options = parser.parse_args()
    site = load_site("eureka-park")
    supply = supply_of(site, 1)
    whole = Options(time_limit_s=options.limit_s, gap_frac=options.gap)
    for load_mw in options.load_mw:
        for week in options.weeks:
            start_s = REFERENCE_YEAR_S + week * HOURS * 3600.0
            problem = for_a_year(problem_from(supply, start_s, np.full(HOURS, load_mw), {}))
            spread = replace(problem, n_import_blocks=PLAN_IMPORT_BLOCKS, n_draw_blocks=PLAN_DRAW_BLOCKS)
            asked = with_start_ups(problem, site, "relaxed")
            figures: dict[str, Any] = {"load_mw": load_mw, "week": week}
            plain, figures["plain"] = measured(problem, Options())
            even, figures["spread"] = measured(spread, Options())
            figures["relaxed"] = measured(asked, Options())[1]
            try:
                figures["whole"] = measured(replace(asked, start_up="whole"), whole)[1]
            except Internal as error:
                figures["whole"] = {"failed": str(error)}
            figures["plain_paid_for"] = paid_for(asked, plain)
            figures["spread_paid_for"] = paid_for(asked, even)
            print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
