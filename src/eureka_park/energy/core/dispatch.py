"""Which heat is drawn when, what is bought, stored and sold: one linear program, solved by HiGHS.

It serves two uses: the plan of the next hours, solved again and again, and the whole year with perfect foresight
(`for_a_year`), which is the bound that no plan can beat. The equations stand in `dispatch_program`. In a plan, bought
power and the heat drawn are cut into blocks whose cost rises by a trifle: hours of one price then share the salt
evenly, plants share the hour, and green work is not cut on and off. A year is solved without these blocks.
Left out unless asked for (`start_up`): minimum load and start-up heat. Left out: ramps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from eureka_park.energy.core.dispatch_problem import Battery, DispatchProblem, SaltPlant, for_a_year
from eureka_park.energy.core.dispatch_program import (
    UNSERVED_MAD_PER_MWH,
    DispatchHandles,
    add_dispatch,
    daily_mwh,
    import_block_mw,
    load_mw_max,
    load_mw_min,
    solver_unit_mw,
)
from eureka_park.energy.core.linear_program import Block, LinearProgram, Options, Solution, Solver
from eureka_park.energy.core.sun import Floats

SHORT_H: Final = 14 * 24
PLAN_OPTIONS: Final = Options(more=(("presolve", "off"),))  # it costs a short horizon more than it saves
YEAR_OPTIONS: Final = Options()


@dataclass(frozen=True, slots=True, eq=False)
class Dispatch:
    """The answer: flows in MW >= 0, stores in MWh at each hour's end, value of a delivered MWh of salt.

    `power_mw` is what each plant delivers at the site meter: used, charged or sold. What PV and wind together had to
    give up is shared among them in proportion. `load_mw` is what was asked for after flexible load has moved, with what
    is unserved in it: power + discharge + import + unserved = load + charge + export in every hour.
    """

    power_mw: Mapping[str, Floats]
    import_mw: Floats
    export_mw: Floats
    unserved_mw: Floats
    curtailed_mw: Floats
    spill_mw_th: Mapping[str, Floats]
    tes_mwh_th: Mapping[str, Floats]
    salt_value_mad_per_mwh: Mapping[str, Floats]
    cost_mad: float
    load_mw: Floats
    charge_mw: Mapping[str, Floats]
    discharge_mw: Mapping[str, Floats]
    battery_mwh: Mapping[str, Floats]
    marginal_mad_per_mwh: (
        Floats  # dual of the balance: what a further MWh of load would cost; one of several if degenerate
    )
    is_on: Mapping[str, Floats]  # by salt plant, where start-ups were asked for
    objective: float
    iterations: int

    @property
    def residual_mw(self) -> Floats:
        """What the balance of each hour lacks; 0 but for the solver's rounding."""
        given = sum(self.power_mw.values(), np.zeros_like(self.load_mw)) + self.import_mw + self.unserved_mw
        given = given + sum(self.discharge_mw.values(), np.zeros_like(self.load_mw))
        return given - self.load_mw - self.export_mw - sum(self.charge_mw.values(), np.zeros_like(self.load_mw))

    @property
    def cfe_frac(self) -> float:
        """Share of the load that clean power served in its own hour; 1 without load."""
        load_mwh = float(self.load_mw.sum())
        return 1.0 - float(self.import_mw.sum() + self.unserved_mw.sum()) / load_mwh if load_mwh > 0 else 1.0


def dispatch(problem: DispatchProblem, options: Options | None = None) -> Dispatch:
    """The cheapest dispatch. Deterministic: one thread, one seed. Raises Internal when HiGHS finds no optimum.

    No problem is infeasible: what nothing can serve comes back as `unserved_mw`.
    """
    return Dispatcher(problem, options).solve()


class Dispatcher:
    """A problem kept inside the solver, to be solved again from where it stood under another load."""

    def __init__(self, problem: DispatchProblem, options: Options | None = None) -> None:
        self.problem = problem
        self.program = LinearProgram(solver_unit_mw(problem))
        self.handles = add_dispatch(self.program, problem)
        self.solver: Solver = self.program.solver(
            options or (PLAN_OPTIONS if problem.n_hours <= SHORT_H else YEAR_OPTIONS)
        )

    def set_load(self, load_mw: Floats) -> None:
        """Another load, of the same length; the next `solve` starts from where the last one ended."""
        problem = self.problem = replace(self.problem, load_mw=np.asarray(load_mw, dtype=np.float64))
        at, solver = self.handles, self.solver
        solver.set_columns(at.unserved, 0.0, load_mw_max(problem))
        if at.load is None:
            net = problem.load_mw - problem.direct_sum_mw
            solver.set_rows(at.balance, net, net)
        else:
            solver.set_columns(at.load, load_mw_min(problem), load_mw_max(problem))
            daily = daily_mwh(problem)
            solver.set_rows(at.days or "", daily, daily)
        if at.clean is not None and at.load is None:
            solver.set_rows(at.clean, -np.inf, problem.load_mw)
        solver.set_columns(at.bought[0], 0.0, import_block_mw(problem))

    def solve(self) -> Dispatch:
        """Solve from the last basis where there is one. Raises Internal without an optimum."""
        return told(self.problem, self.handles, self.solver.solve().checked("The dispatch"))


def told(problem: DispatchProblem, handles: DispatchHandles, answer: Solution) -> Dispatch:
    """A solution of a program that holds this problem, told as flows and stores."""
    zero = np.zeros(problem.n_hours)

    def flow(*blocks: Block) -> Floats:
        return np.maximum(0.0, np.sum([answer.values[block.name] for block in blocks], axis=0)) if blocks else zero

    salt, batteries = handles.salt, handles.batteries
    power = {name: flow(*at.drawn) * problem.salt[name].per_heat for name, at in salt.items()}
    curtailed = np.minimum(flow(handles.curtailed), problem.direct_sum_mw)
    kept_frac = 1.0 - curtailed / np.maximum(problem.direct_sum_mw, 1e-300)
    power.update({name: series * kept_frac for name, series in problem.direct_mw.items()})
    worth = {
        name: np.maximum(0.0, -answer.duals[at.rows.name]) / max(problem.salt[name].per_heat, 1e-9)
        for name, at in salt.items()
    }
    money = answer.objective
    return Dispatch(
        power_mw=power,
        import_mw=flow(*handles.bought),
        export_mw=flow(handles.sold),
        unserved_mw=flow(handles.unserved),
        curtailed_mw=curtailed,
        spill_mw_th={name: flow(at.spill) for name, at in salt.items()},
        tes_mwh_th={name: np.minimum(flow(at.tank), problem.salt[name].tes_mwh_th_max) for name, at in salt.items()},
        salt_value_mad_per_mwh=worth,
        cost_mad=money,
        load_mw=problem.load_mw if handles.load is None else flow(handles.load),
        charge_mw={name: flow(at.charge) for name, at in batteries.items()},
        discharge_mw={name: flow(at.discharge) for name, at in batteries.items()},
        battery_mwh={name: flow(at.level) for name, at in batteries.items()},
        marginal_mad_per_mwh=answer.duals.get(handles.balance.name, zero),
        is_on={name: flow(at.on) for name, at in salt.items() if at.on is not None},
        objective=answer.objective,
        iterations=answer.iterations,
    )


__all__ = [
    "UNSERVED_MAD_PER_MWH", "Battery", "Dispatch", "DispatchProblem", "Dispatcher", "SaltPlant", "dispatch",
    "for_a_year", "told",
]  # fmt: skip
