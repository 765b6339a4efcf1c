"""The salt plants of a site under the site's own dispatch of the year, made so that real power blocks can follow it.

The plain year program turns blocks on for a minute's worth of power and off again. Here it is solved twice, with tanks
and draws as plants can use them: first with start-ups relaxed (`start_ups`), then with each block on in the hours for
which the first answer asked for at least half of its least load, off in all others, and between its limits while on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from eureka_park.energy.core.dispatch import YEAR_OPTIONS, Dispatch, told
from eureka_park.energy.core.dispatch_problem import DispatchProblem, SaltPlant
from eureka_park.energy.core.dispatch_program import add_dispatch, solver_unit_mw
from eureka_park.energy.core.linear_program import LinearProgram
from eureka_park.energy.core.power_block import PowerBlock, met_targets_mw_th, most_mw_th, power_block
from eureka_park.energy.core.start_ups import with_start_ups
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.supply import Supply
from eureka_park.energy.core.year import year_problem

LEAST_MARGIN: Final = 1.02  # a plan keeps clear of the load at which a block stops
ON_FROM_FRAC: Final = 0.5  # of the least load: from there on a block is on
START_MAD: Final = 10.0  # so that starts are no free way to get rid of heat
LACKING_MAD_PER_MWH: Final = 100_000.0  # of heat: where rounding asks for more than there is, which no block then gets


@dataclass(frozen=True, slots=True, eq=False)
class ParkPlan:
    """A year's dispatch that power blocks can follow, with the supply that it was made for."""

    supply: Supply
    problem: DispatchProblem
    answer: Dispatch

    def asked_mw_th(self, name: str) -> Floats:
        """Heat that the plan draws for a plant's block in each hour, starts apart; MW."""
        return self.answer.power_mw[name] / max(self.problem.salt[name].per_heat, 1e-9)

    def planned_mw(self, name: str) -> Floats:
        """What the plan counts on from a plant at its fence: the heat drawn at one efficiency; MW."""
        return self.asked_mw_th(name) * self.problem.salt[name].eta_frac

    def targets_mw_th(self, name: str) -> Floats:
        """The heat asked for, followed once through tank and block, so that the targets can be met; MW."""
        year = self.supply.years[name]
        return met_targets_mw_th(power_block(year.plant), year.series_mw, self.asked_mw_th(name))

    def cfe_frac_with(self, given_mw: Mapping[str, Floats]) -> float:
        """Share of the load served in its own hour where salt plants give this much at their fences (MW) instead.

        What then lacks is bought; what is too much is sold or lost. Batteries keep to the plan.
        """
        answer, salt = self.answer, self.problem.salt
        change = sum(salt[name].delivered_frac * (given_mw[name] - self.planned_mw(name)) for name in given_mw)
        lacks = answer.import_mw + answer.unserved_mw - answer.export_mw - change
        return 1.0 - float(np.clip(lacks, 0.0, answer.load_mw).sum()) / max(float(answer.load_mw.sum()), 1e-9)


def park_plan(supply: Supply, load_mw: Floats) -> ParkPlan:
    """The year's dispatch of all plants under a load (MW by hour). Raises BadInput for a wrong load."""
    problem = with_start_ups(year_problem(supply, load_mw), supply.site)
    blocks = {name: power_block(supply.years[name].plant) for name in problem.salt}
    problem = replace(problem, salt={name: _as_usable(plant, blocks[name]) for name, plant in problem.salt.items()})
    program = LinearProgram(solver_unit_mw(problem))
    handles = add_dispatch(program, problem)
    for name, columns in handles.salt.items():
        lacks = program.add_columns(name + ".lacks", problem.n_hours, cost=LACKING_MAD_PER_MWH)
        program.add_entries(columns.rows, lacks, -1.0)
    solver = program.solver(YEAR_OPTIONS)
    most = {
        name: np.minimum(plant.power_block_mw_th, most_mw_th(blocks[name], plant.heat_mw_th))
        for name, plant in problem.salt.items()
    }
    for name in problem.salt:
        solver.set_columns(handles.salt[name].drawn[0], 0.0, most[name])
    relaxed = ParkPlan(supply, problem, told(problem, handles, solver.solve().checked("The dispatch")))
    for name, plant in problem.salt.items():
        least = plant.min_load_frac * plant.power_block_mw_th
        is_on = (relaxed.asked_mw_th(name) >= ON_FROM_FRAC * least) & (most[name] > least)
        solver.set_columns(handles.salt[name].drawn[0], is_on * least, is_on * most[name])
        solver.set_columns(name + ".on", is_on.astype(float), is_on.astype(float))
    return ParkPlan(supply, problem, told(problem, handles, solver.solve().checked("The dispatch")))


def _as_usable(plant: SaltPlant, block: PowerBlock) -> SaltPlant:
    """Tank, least load and start of the block as the replay knows them."""
    least_mw_th = LEAST_MARGIN * block.least_frac * block.design_mw_th
    return replace(
        plant,
        tes_mwh_th_max=min(plant.tes_mwh_th_max, block.tank_mwh_th),
        min_load_frac=min(1.0, least_mw_th / max(plant.power_block_mw_th, 1e-9)),
        start_mwh_th=block.start_mwh_th,
        start_mad=START_MAD,
    )
