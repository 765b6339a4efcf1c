"""How much a year still buys, and how much less with a little more of each size: a year in 52 linear programs.

Each window (a week; the last has eight days) is a dispatch of its own whose stores end as they began. For given sizes
it tells the energy that is bought at least and, by the reduced costs of the sizes, how that falls with each. Both make
a plane that lies under the true figure everywhere, since the figure is convex in the sizes: see `sizing`. Salt and
batteries hold hours, not weeks, so little is lost at the joints; the whole year is solved afterwards to see how much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from eureka_park.energy.core.candidates import Candidate, Outputs, Size
from eureka_park.energy.core.dispatch_problem import Battery, DispatchProblem, SaltPlant
from eureka_park.energy.core.dispatch_program import (
    LEAST_IMPORT_PER_MWH,
    DispatchHandles,
    add_dispatch,
    limit_by,
    solver_unit_mw,
)
from eureka_park.energy.core.linear_program import Block, LinearProgram, Solver
from eureka_park.energy.core.sun import Floats
from eureka_park.foundation.errors import Internal
from eureka_park.foundation.units import MWH_PER_GWH

WEEK_H: Final = 168
Measure = Literal["import", "cost"]


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """`value + slope . (sizes - at)` is never more than the true figure; GWh bought, or MAD million."""

    value: float
    slope: Floats
    at: Floats

    @property
    def offset(self) -> float:
        """The plane at sizes of zero."""
        return self.value - float(self.slope @ self.at)


class Week:
    """One window of a year, kept in the solver and solved again for other sizes.

    `program` holds the dispatch, and `size_blocks` one column for each size, 0 until `plane` sets it.
    """

    def __init__(
        self,
        problem: DispatchProblem,
        candidates: Sequence[Candidate],
        outputs: Outputs,
        sizes: Sequence[Size],
        measure: Measure,
    ) -> None:
        self._per_unit = 1.0 / (LEAST_IMPORT_PER_MWH * MWH_PER_GWH) if measure == "import" else 1e-6
        held = replace(
            problem,
            objective="least-import" if measure == "import" else "cost",
            salt={**problem.salt, **{item.plant.id: _salt(item, problem) for item in candidates if item.is_csp}},
            batteries={
                **problem.batteries,
                **{item.plant.id: _battery(item) for item in candidates if item.plant.type == "battery"},
            },
        )
        self.program = LinearProgram(solver_unit_mw(problem))
        handles = add_dispatch(self.program, held, is_curtailed_freely=True)
        self.size_blocks = [self.program.add_columns(f"size.{size.name}", upper=0.0) for size in sizes]
        blocks = {size.name: block for size, block in zip(sizes, self.size_blocks, strict=True)}
        for item in candidates:
            _limit(self.program, handles, item, outputs, blocks)
        self._solver: Solver = self.program.solver()
        if measure == "import":
            self._free_trifles(handles)

    def plane(self, sizes: Floats) -> Plane:
        """What is bought (or paid) at these sizes, with its slope. Raises Internal without an optimum."""
        for block, value in zip(self.size_blocks, sizes, strict=True):
            self._solver.set_columns(block, float(value), float(value))
        answer = self._solver.solve()
        if answer.status != "optimal":
            raise Internal(f"A week found no optimum: {answer.message}.", code="sizing_failed")
        slope = np.array([answer.reduced_costs[block.name][0] for block in self.size_blocks])
        return Plane(answer.objective * self._per_unit, slope * self._per_unit, sizes.copy())

    def _free_trifles(self, handles: DispatchHandles) -> None:
        """Only what is bought or missing counts; wear and surplus would bend the figure a little."""
        free = [handles.sold, handles.curtailed]
        free += [block for at in handles.salt.values() for block in (at.tank, at.spill, *at.drawn)]
        free += [block for at in handles.batteries.values() for block in (at.level, at.charge, at.discharge)]
        for block in free:
            self._solver.set_costs(block, 0.0)
        self._solver.set_costs(handles.unserved, LEAST_IMPORT_PER_MWH)


def weeks_of(
    problem: DispatchProblem,
    candidates: Sequence[Candidate],
    outputs: Outputs,
    sizes: Sequence[Size],
    measure: Measure = "import",
) -> list[Week]:
    """A year's windows in their order."""
    return [
        Week(window(problem, hours), candidates, outputs.window(hours), sizes, measure)
        for hours in windows(problem.n_hours)
    ]


def windows(n_hours: int) -> list[slice]:
    """Whole weeks, the last one taking what is left over."""
    starts = list(range(0, max(1, n_hours - WEEK_H + 1), WEEK_H))
    return [slice(start, stop) for start, stop in zip(starts, [*starts[1:], n_hours], strict=True)]


def window(problem: DispatchProblem, hours: slice) -> DispatchProblem:
    """Some hours of a problem as a circle of their own; a day that is cut keeps its sum on each side."""
    return replace(
        problem,
        load_mw=problem.load_mw[hours],
        salt={name: replace(plant, heat_mw_th=plant.heat_mw_th[hours]) for name, plant in problem.salt.items()},
        direct_mw={name: series[hours] for name, series in problem.direct_mw.items()},
        import_cost_mad_per_mwh=problem.import_cost_mad_per_mwh[hours],
        surplus_mad_per_mwh=problem.surplus_mad_per_mwh[hours],
        day_of_hour=None if problem.day_of_hour is None else problem.day_of_hour[hours],
        is_cyclic=True,
        n_import_blocks=1,
        n_draw_blocks=1,
    )


def _salt(candidate: Candidate, problem: DispatchProblem) -> SaltPlant:
    plant = candidate.plant
    eta, loss = float(plant.eta_frac or 1.0), plant.tes_loss_frac_per_h
    nothing = np.zeros(problem.n_hours)
    return SaltPlant(nothing, np.inf, eta, candidate.delivered_frac, np.inf, 0.0, loss)


def _battery(candidate: Candidate) -> Battery:
    plant = candidate.plant
    charge, discharge = float(plant.charge_eff_frac or 1.0), float(plant.discharge_eff_frac or 1.0)
    return Battery(np.inf, np.inf, charge, discharge, float(plant.self_discharge_frac_per_h or 0.0))


def _limit(
    lp: LinearProgram, handles: DispatchHandles, item: Candidate, outputs: Outputs, sizes: dict[str, Block]
) -> None:
    """Tie what a candidate does to its sizes."""
    name, plant = item.plant.id, item.plant
    if item.is_csp:
        mirrors, block, salt = (sizes[item.sizes[part]] for part in ("mirror", "block", "salt"))
        at = handles.salt[name]
        lp.add_entries(at.rows, mirrors, -outputs.per_unit[name])
        limit_by(lp, f"{name}.block", at.drawn[0], block, 1.0 / float(plant.eta_frac or 1.0))
        limit_by(lp, f"{name}.tank.most", at.tank, salt, 1.0)
    elif plant.type == "battery":
        power, energy = sizes[item.sizes["mw"]], sizes[item.sizes["mwh"]]
        store = handles.batteries[name]
        both = limit_by(lp, f"{name}.power", store.charge, power, 1.0)
        lp.add_entries(both, store.discharge, 1.0)
        limit_by(lp, f"{name}.content", store.level, energy, 1.0)
    else:
        lp.add_entries(handles.balance, sizes[item.sizes["mw"]], outputs.per_unit[name])
