"""Power blocks with a least load and starts that cost heat: figures for the dispatch from the plant data.

With `whole` the dispatch becomes a program with whole numbers (a block is on or off); with `relaxed` a block may be on
in part, which costs little time and takes most of the effect. What the two change: benchmarks/start_ups.py.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eureka_park.energy.core.dispatch import Dispatch
from eureka_park.energy.core.dispatch_problem import DispatchProblem, SaltPlant, StartUp
from eureka_park.foundation.plant_data import parameter
from eureka_park.foundation.site_file import Plant, Site


def with_start_ups(problem: DispatchProblem, site: Site, start_up: StartUp = "relaxed") -> DispatchProblem:
    """The same problem with each plant's least load and heat of a start (`block_load_min_frac`, `block_start_frac`)."""
    plants = {plant.id: plant for plant in site.plants}
    salt = {name: _with_figures(plant, plants[name]) for name, plant in problem.salt.items()}
    return replace(problem, salt=salt, start_up=start_up)


def n_starts(problem: DispatchProblem, answer: Dispatch) -> dict[str, int]:
    """How often each power block begins to draw, by the hours; in a circle the first hour follows the last."""
    found = {}
    for name, plant in problem.salt.items():
        runs = answer.power_mw[name] > 1e-3 * max(1e-9, plant.power_block_mw_th * plant.per_heat)
        before = np.roll(runs, 1)
        before[0] = before[0] if problem.is_cyclic else True
        found[name] = int(np.sum(runs & ~before))
    return found


def _with_figures(plant: SaltPlant, known: Plant) -> SaltPlant:
    start_mwh_th = parameter(known, "block_start_frac") * plant.power_block_mw_th
    return replace(plant, min_load_frac=parameter(known, "block_load_min_frac"), start_mwh_th=start_mwh_th)
