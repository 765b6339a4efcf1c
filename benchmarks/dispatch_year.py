"""What does the year of Eureka Park cost to build and to solve, here, in linopy and in PyPSA?

    .venv/bin/python benchmarks/dispatch_year.py [--load-mw 386] [--seed 1] [--with linopy] [--with pypsa] [--ways]

386 MW with a fifth of the load flexible inside each day and a battery of 100 MW and 400 MWh; CPU seconds, one thread.
`--with` may be given twice; PyPSA is fetched by pip into an environment of its own, which goes again.
`--ways` tries other ways to solve the same matrix. The rolling plan is solved for each day of the year.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from eureka_park.energy.core.dispatch import Battery, Dispatcher, DispatchProblem, dispatch, for_a_year
from eureka_park.energy.core.linear_program import Options
from eureka_park.energy.core.supply import Supply, half_tanks, problem_from, supply_of
from eureka_park.energy.core.weather_year import REFERENCE_YEAR_S
from eureka_park.foundation.site_reading import load_site

HERE = Path(__file__).resolve().parent
BATTERY = Battery(100.0, 400.0)
FLEX_FRAC = 0.2
WAYS: dict[str, Options] = {
    "dual simplex, presolved (chosen)": Options(),
    "dual simplex, no presolve": Options(more=(("presolve", "off"),)),
    "dual simplex, no scaling": Options(more=(("simplex_scale_strategy", 0),)),
    "dual simplex, scaling to powers of two": Options(more=(("simplex_scale_strategy", 4),)),
    "dual simplex, Dantzig's rule": Options(more=(("simplex_dual_edge_weight_strategy", 0),)),
    "dual simplex, Devex": Options(more=(("simplex_dual_edge_weight_strategy", 1),)),
    "dual simplex, costs not perturbed": Options(more=(("dual_simplex_cost_perturbation_multiplier", 0.0),)),
    "primal simplex": Options(more=(("simplex_strategy", 4),)),
    "interior point with crossover": Options(method="ipm"),
    "interior point without crossover": Options(method="ipm", more=(("run_crossover", "off"),)),
}


def year_problem(supply: Supply, load_mw: float) -> DispatchProblem:
    """The year as one problem; local days are those of UTC+1."""
    hours = np.arange(8760)
    problem = problem_from(supply, REFERENCE_YEAR_S, np.full(hours.size, load_mw), {})
    return for_a_year(problem, flex_frac=FLEX_FRAC, batteries={"battery": BATTERY}, day_of_hour=(hours + 1) // 24)


def ours(problem: DispatchProblem, options: Options = Options()) -> dict[str, Any]:
    """Build and solve, with what the answer keeps."""
    begin = time.process_time()
    kept = Dispatcher(problem, options)
    built = time.process_time()
    solution = kept.solver.solve()
    done = time.process_time()
    if solution.status != "optimal":
        return {"status": solution.message}
    rows, columns = kept.program.size
    figures = {"build_cpu_s": round(built - begin, 3), "solve_cpu_s": round(done - built, 2)}
    return {**figures, "iterations": solution.iterations, "objective_mad": solution.objective, "size": [rows, columns]}


def again(problem: DispatchProblem) -> dict[str, Any]:
    """The same year under other loads, from where the solver stood."""
    kept = Dispatcher(problem)
    kept.solve()
    costs = []
    for factor in (0.95, 0.97, 0.98, 0.975):
        kept.set_load(problem.load_mw * factor)
        begin = time.process_time()
        kept.solve()
        costs.append(round(time.process_time() - begin, 2))
    return {"solve_again_cpu_s": costs}


def rolling(supply: Supply, load_mw: float) -> dict[str, Any]:
    """The plan's own problem (48 h, spread in blocks) for each day of the year."""
    salt, costs, bought = half_tanks(supply), [], 0.0
    for day in range(365):
        problem = problem_from(supply, REFERENCE_YEAR_S + day * 86400.0, np.full(48, load_mw), salt)
        begin = time.process_time()
        answer = dispatch(problem)
        costs.append(time.process_time() - begin)
        salt = {name: float(series[23]) for name, series in answer.tes_mwh_th.items()}
        bought += float(answer.import_mw[:24].sum() + answer.unserved_mw[:24].sum())
    bound = dispatch(for_a_year(problem_from(supply, REFERENCE_YEAR_S, np.full(8760, load_mw), {})))
    return {
        "solve_cpu_ms_mean": round(1000 * statistics.mean(costs), 1),
        "solve_cpu_ms_max": round(1000 * max(costs), 1),
        "cfe_frac": round(1 - bought / (load_mw * 8760), 4),
        "cfe_frac_of_the_years_bound": round(bound.cfe_frac, 4),
    }


def in_linopy(problem: DispatchProblem) -> dict[str, Any]:
    """The second formulation, that of the tests."""
    sys.path.insert(0, str(HERE.parent))
    import linopy
    from tests.helpers.linopy_dispatch import linopy_model

    begin = time.process_time()
    model = linopy_model(problem)
    built = time.process_time()
    model.solve(solver_name="highs", output_flag=False, threads=1, io_api="direct")
    done = time.process_time()
    figures = {"build_cpu_s": round(built - begin, 2), "solve_cpu_s": round(done - built, 2)}
    return {"version": linopy.__version__, **figures, "objective_mad": float(model.objective.value)}


def in_pypsa(problem: DispatchProblem, venv: str | None) -> dict[str, Any]:
    """The same case for PyPSA, in a process and an environment of its own: `venv`, or one that goes again."""
    case: dict[str, Any] = {
        "load": problem.load_mw,
        "price": problem.import_cost_mad_per_mwh,
        "sold": problem.surplus_mad_per_mwh,
        "import_max": problem.import_mw_max,
        "export_max": problem.export_mw_max,
        "direct": problem.direct_sum_mw,
        "flex": problem.flex_frac,
        "day": problem.days,
        "salt_names": np.array(list(problem.salt)),
        "battery": np.array([BATTERY.power_mw, BATTERY.energy_mwh, BATTERY.charge_frac]),
    }
    for name, plant in problem.salt.items():
        figures = [plant.power_block_mw_th, plant.eta_frac, plant.per_heat, plant.tes_mwh_th_max, plant.loss_frac]
        case[f"{name}.figures"], case[f"{name}.heat"] = np.array(figures), plant.heat_mw_th
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.npz"
        np.savez(path, **case)
        python = Path(venv or folder) / "bin" / "python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
            wanted = ["pypsa", "highspy<1.16"]
            subprocess.run([str(python), "-m", "pip", "install", "-q", "--only-binary=:all:", *wanted], check=True)
        script = HERE / "foreign" / "dispatch_in_pypsa.py"
        done = subprocess.run([str(python), str(script), str(path)], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return dict(json.loads(lines[-1])) if lines else {"failed": done.stderr.strip().splitlines()[-1:]}


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load-mw", type=float, default=386.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--with", dest="others", action="append", choices=["linopy", "pypsa"], default=[])
    parser.add_argument(
        "--venv", help="folder of PyPSA's environment, made where it is not there; default: a temporary one"
    )
    parser.add_argument("--ways", action="store_true")
    options = parser.parse_args()
    supply = supply_of(load_site("eureka-park"), options.seed)
    problem = year_problem(supply, options.load_mw)
    figures: dict[str, Any] = {"year": ours(problem), "plain_year": ours(replace(problem, flex_frac=0.0, batteries={}))}
    figures["year"].update(again(problem))
    answer = dispatch(problem)
    figures["year"]["residual_mw_max"] = float(np.abs(answer.residual_mw).max())
    figures["year"]["cfe_frac"] = round(answer.cfe_frac, 4)
    figures["rolling"] = rolling(supply, options.load_mw)
    if options.ways:
        figures["ways"] = {name: ours(problem, replace(way, time_limit_s=120.0)) for name, way in WAYS.items()}
    if "linopy" in options.others:
        figures["linopy"] = in_linopy(problem)
    if "pypsa" in options.others:
        figures["pypsa"] = in_pypsa(problem, options.venv)
    for name in options.others:
        if "objective_mad" in figures[name]:
            figures[name]["apart_rel"] = figures[name]["objective_mad"] / figures["year"]["objective_mad"] - 1.0
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
