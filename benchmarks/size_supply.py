"""What does it cost in CPU seconds to find what must be built: one share, and eight; with how many years of weather?

    .venv/bin/python benchmarks/size_supply.py [--seeds 1] [--ways]

Everything runs in this process, one thread. `--ways` compares with one program that holds the whole year at once, and
with one that holds some weeks for all of them: what they cost, and how far off they are.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np

from eureka_park.energy.core.costs import Costs
from eureka_park.energy.core.size import Basis, basis_for, size_for, told
from eureka_park.energy.core.sized import yearly_mad_per_unit
from eureka_park.energy.core.sizing_weeks import Week, window
from eureka_park.energy.core.supply import Supply, supply_of
from eureka_park.energy.core.year import year_problem
from eureka_park.energy.studies_size import PARETO_SHARES
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.site_reading import load_site

SITE, COSTS, LOAD_MW, SHARE = load_site("eureka-park"), Costs.of_table(), np.full(8760, 386.0), 0.9


def modelled(site: Site, name: str) -> Supply:
    return supply_of(site, int(name))


def laid_out(n_seeds: int) -> Basis:
    years = {str(seed): supply_of(SITE, seed) for seed in range(1, n_seeds + 1)}
    return basis_for(SITE, years, modelled, LOAD_MW, COSTS)


def row(found: dict[str, Any], cpu_s: float) -> dict[str, Any]:
    keys = ("cfe_target_frac", "cfe_frac", "error_frac", "yearly_mmad", "n_trials", "n_looks")
    return {**{key: found[key] for key in keys}, "cpu_s": round(cpu_s, 1)}


def searched(n_seeds: int) -> dict[str, Any]:
    begun = time.process_time()
    basis = laid_out(n_seeds)
    first = told(basis, size_for(basis, SHARE, COSTS), COSTS)
    one = row(first, time.process_time() - begun)
    rows = []
    for share in PARETO_SHARES:
        begun = time.process_time()
        rows.append(row(told(basis, size_for(basis, share, COSTS), COSTS), time.process_time() - begun))
    return {"one_share_from_nothing": one, "eight_more": rows, "eight_cpu_s": sum(item["cpu_s"] for item in rows)}


def at_once(basis: Basis, hours: np.ndarray[Any, np.dtype[np.int64]], method: str) -> dict[str, Any]:
    """One program over some hours (whole weeks) with the sizes as columns and the share as a row."""
    import highspy

    from eureka_park.energy.core.candidates import Outputs
    from eureka_park.energy.core.linear_program import Options

    begun = time.process_time()
    problem = year_problem(basis.years[0].supply, LOAD_MW)
    year = window(problem, slice(0, 8760))
    parts = {name: series[hours] for name, series in basis.outputs[0].per_unit.items()}
    held = _picked(year, hours)
    week = Week(held, basis.candidates, Outputs(parts), basis.sizes, "import")
    lp, unit = week.program, yearly_mad_per_unit(basis.candidates, basis.sizes, basis.outputs, COSTS, 63.9)
    bought = lp.columns("import0")
    allowed = lp.add_rows("share", lower=-np.inf, upper=(1.0 - SHARE) * float(held.load_mw.sum()))
    lp.add_entries(allowed, bought, 1.0)
    lp.add_entries(allowed, lp.columns("unserved"), 1.0)
    solver = lp.solver(Options(method=method, more=(("run_crossover", "off"),) if method == "ipm" else ()))
    for block in lp.column_blocks:
        solver.set_costs(block, 0.0)
    for block, cost in zip(week.size_blocks, unit, strict=True):
        solver.set_columns(block, 0.0, highspy.kHighsInf)
        solver.set_costs(block, cost / 1e6)
    answer = solver.solve()
    return {
        "hours": int(hours.size), "method": method, "status": answer.status,
        "yearly_mmad": answer.objective, "cpu_s": round(time.process_time() - begun, 1),
    }  # fmt: skip


def _picked(problem: Any, hours: Any) -> Any:
    from dataclasses import replace

    return replace(
        problem,
        load_mw=problem.load_mw[hours],
        salt={name: replace(plant, heat_mw_th=plant.heat_mw_th[hours]) for name, plant in problem.salt.items()},
        direct_mw={name: series[hours] for name, series in problem.direct_mw.items()},
        import_cost_mad_per_mwh=problem.import_cost_mad_per_mwh[hours],
        surplus_mad_per_mwh=problem.surplus_mad_per_mwh[hours],
        day_of_hour=None,
    )


def ways() -> list[dict[str, Any]]:
    basis, year = laid_out(1), np.arange(8736).reshape(52, 168)
    some = [year[np.linspace(0, 51, n).astype(np.int64)].ravel() for n in (8, 16, 26)]
    rows = [at_once(basis, hours, "simplex") for hours in some]
    return [*rows, at_once(basis, year.ravel(), "ipm")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--ways", action="store_true")
    asked = parser.parse_args()
    print(json.dumps(ways() if asked.ways else {"seeds": asked.seeds, **searched(asked.seeds)}, indent=2))


if __name__ == "__main__":
    main()
