"""Which heat is drawn when, what is bought and what is sold: a linear program over the next hours, solved by HiGHS.

For each hour t and salt plant k (delivered_k is the share that reaches the site meter):

    salt      e[k,t] = (1 - loss_k) e[k,t-1] + heat[k,t] - spill[k,t] - q[k,t],   0 <= e <= tank
    block     0 <= q[k,t] <= power block of k (heat)
    balance   sum_k eta_k delivered_k q[k,t] + sum_j used[j,t] + import[t] + unserved[t] - export[t] = load[t]

Cost: bought energy at the hour's price, less surplus sold, a small wear on the power blocks, a high penalty on what is
unserved, and a value for the salt left at the end so that the horizon does not drain it. Bought power and the heat
drawn are cut into blocks whose cost rises by a trifle: hours of one price then share the salt evenly, plants share the
hour, and green work is not cut on and off.
Left out (as LP): minimum load, start-up heat, ramps; about 5 % of yearly output when replayed in SAM.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import highspy
import numpy as np

from eureka_park.energy.core.sparse import ByColumn, Entries
from eureka_park.energy.core.sun import Floats
from eureka_park.foundation.errors import Internal

UNSERVED_MAD_PER_MWH: Final = 100_000.0
WEAR_MAD_PER_MWH: Final = 0.5
SPILL_MAD_PER_MWH: Final = 0.01
N_IMPORT_BLOCKS: Final = 12
IMPORT_BLOCK_MAD_PER_MWH: Final = 0.7
N_DRAW_BLOCKS: Final = 4
DRAW_BLOCK_MAD_PER_MWH: Final = 0.05
_PER_SALT: Final = 2 + N_DRAW_BLOCKS
SOLVER_UNIT: Final = 100.0  # the largest load in solver units, whatever the size of the site


@dataclass(frozen=True, slots=True, eq=False)
class SaltPlant:
    """A plant with a tank: its field's heat (MW heat), limits in MW and MWh of heat, what it had at the start."""

    heat_mw_th: Floats
    power_block_mw_th: float
    eta_frac: float
    delivered_frac: float
    tes_mwh_th_max: float
    tes_mwh_th_start: float
    loss_frac: float


@dataclass(frozen=True, slots=True, eq=False)
class DispatchProblem:
    """What the dispatch must serve and may use, hour by hour. `direct_mw` is PV and wind at the site meter."""

    load_mw: Floats
    salt: Mapping[str, SaltPlant]
    direct_mw: Mapping[str, Floats]
    import_cost_mad_per_mwh: Floats
    surplus_mad_per_mwh: Floats
    import_mw_max: float
    export_mw_max: float
    end_value_mad_per_mwh: float  # of a delivered MWh still in the tanks at the end

    @property
    def n_hours(self) -> int:
        """Length of the horizon."""
        return len(self.load_mw)


@dataclass(frozen=True, slots=True, eq=False)
class Dispatch:
    """The answer: flows in MW >= 0, tanks in MWh of heat at each hour's end, value of a delivered MWh of salt."""

    power_mw: Mapping[str, Floats]  # delivered at the site meter, used or sold
    import_mw: Floats
    export_mw: Floats
    unserved_mw: Floats
    curtailed_mw: Floats
    spill_mw_th: Mapping[str, Floats]
    tes_mwh_th: Mapping[str, Floats]
    salt_value_mad_per_mwh: Mapping[str, Floats]
    cost_mad: float


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where each block of `n_hours` columns begins."""

    n_hours: int
    salt: tuple[str, ...]
    direct: tuple[str, ...]

    def tank(self, name: str) -> slice:
        return self._block(_PER_SALT * self.salt.index(name))

    def spill(self, name: str) -> slice:
        return self._block(_PER_SALT * self.salt.index(name) + 1)

    def drawn(self, name: str, block: int) -> slice:
        return self._block(_PER_SALT * self.salt.index(name) + 2 + block)

    def used(self, name: str) -> slice:
        return self._block(_PER_SALT * len(self.salt) + self.direct.index(name))

    def bought(self, block: int) -> slice:
        return self._block(self._after_plants + block)

    @property
    def sold(self) -> slice:
        return self._block(self._after_plants + N_IMPORT_BLOCKS)

    @property
    def unserved(self) -> slice:
        return self._block(self._after_plants + N_IMPORT_BLOCKS + 1)

    @property
    def n_columns(self) -> int:
        return (self._after_plants + N_IMPORT_BLOCKS + 2) * self.n_hours

    @property
    def _after_plants(self) -> int:
        return _PER_SALT * len(self.salt) + len(self.direct)

    def _block(self, index: int) -> slice:
        return slice(index * self.n_hours, (index + 1) * self.n_hours)


def dispatch(problem: DispatchProblem) -> Dispatch:
    """The cheapest dispatch. Deterministic: simplex, one thread. Raises Internal when HiGHS finds no optimum."""
    largest = max(float(problem.load_mw.max()), problem.import_mw_max, 1e-9)
    unit_mw = largest / SOLVER_UNIT
    scaled = _divided(problem, unit_mw)
    columns = _Columns(problem.n_hours, tuple(problem.salt), tuple(problem.direct_mw))
    values, duals, cost = _solve(_program(scaled, columns))
    return _answer(problem, scaled, columns, values, duals, unit_mw, cost * unit_mw)


def _divided(problem: DispatchProblem, unit_mw: float) -> DispatchProblem:
    """The same problem in solver units, so that a roof and a park are solved to the same relative precision."""
    salt = {
        name: replace(
            plant,
            heat_mw_th=plant.heat_mw_th / unit_mw,
            power_block_mw_th=plant.power_block_mw_th / unit_mw,
            tes_mwh_th_max=plant.tes_mwh_th_max / unit_mw,
            tes_mwh_th_start=min(plant.tes_mwh_th_start, plant.tes_mwh_th_max) / unit_mw,
        )
        for name, plant in problem.salt.items()
    }
    return replace(
        problem,
        load_mw=problem.load_mw / unit_mw,
        salt=salt,
        direct_mw={name: series / unit_mw for name, series in problem.direct_mw.items()},
        import_mw_max=problem.import_mw_max / unit_mw,
        export_mw_max=problem.export_mw_max / unit_mw,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Program:
    cost: Floats
    lower: Floats
    upper: Floats
    row: Floats  # all rows are equations
    matrix: ByColumn


def _program(problem: DispatchProblem, at: _Columns) -> _Program:
    n_hours = problem.n_hours
    cost, upper = np.zeros(at.n_columns), np.full(at.n_columns, np.inf)
    rows = np.zeros((1 + len(at.salt)) * n_hours)
    rows[:n_hours] = problem.load_mw
    entries = Entries()
    hours = np.arange(n_hours)
    for number, name in enumerate(at.salt, start=1):
        plant, row = problem.salt[name], number * n_hours
        tank, spill = at.tank(name), at.spill(name)
        per_heat = plant.eta_frac * plant.delivered_frac
        upper[tank] = plant.tes_mwh_th_max
        cost[spill] = SPILL_MAD_PER_MWH * (2.0 - hours / n_hours)  # as late as may be: a tank fills first
        cost[tank.stop - 1] = -problem.end_value_mad_per_mwh * per_heat
        entries.add(row + hours, tank.start + hours, 1.0)
        entries.add(row + hours[1:], tank.start + hours[:-1], -(1 - plant.loss_frac))
        for block in range(N_DRAW_BLOCKS):
            drawn = at.drawn(name, block)
            upper[drawn] = plant.power_block_mw_th / N_DRAW_BLOCKS
            cost[drawn] = (WEAR_MAD_PER_MWH + block * DRAW_BLOCK_MAD_PER_MWH) * plant.eta_frac
            entries.add(hours, drawn.start + hours, per_heat)
            entries.add(row + hours, drawn.start + hours, 1.0)
        entries.add(row + hours, spill.start + hours, 1.0)
        rows[row : row + n_hours] = plant.heat_mw_th
        rows[row] += (1 - plant.loss_frac) * plant.tes_mwh_th_start
    for name in at.direct:
        upper[at.used(name)] = problem.direct_mw[name]
        entries.add(hours, at.used(name).start + hours, 1.0)
    for block in range(N_IMPORT_BLOCKS):
        upper[at.bought(block)] = problem.import_mw_max / N_IMPORT_BLOCKS
        cost[at.bought(block)] = problem.import_cost_mad_per_mwh + block * IMPORT_BLOCK_MAD_PER_MWH
        entries.add(hours, at.bought(block).start + hours, 1.0)
    upper[at.sold], cost[at.sold] = problem.export_mw_max, -problem.surplus_mad_per_mwh
    cost[at.unserved] = UNSERVED_MAD_PER_MWH
    entries.add(hours, at.sold.start + hours, -1.0)
    entries.add(hours, at.unserved.start + hours, 1.0)
    return _Program(cost, np.zeros(at.n_columns), upper, rows, entries.by_column(rows.size, at.n_columns))


def _solve(program: _Program) -> tuple[Floats, Floats, float]:
    """Values of the columns, duals of the rows and the cost."""
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = program.matrix.n_columns, program.matrix.n_rows
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.cost, program.lower, program.upper
    lp.row_lower_, lp.row_upper_ = program.row, program.row
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.num_col_, lp.a_matrix_.num_row_ = program.matrix.n_columns, program.matrix.n_rows
    lp.a_matrix_.start_, lp.a_matrix_.index_ = program.matrix.start, program.matrix.index
    lp.a_matrix_.value_ = program.matrix.value
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in (("output_flag", False), ("threads", 1), ("solver", "simplex"), ("random_seed", 0)):
        solver.setOptionValue(option, value)
    solver.passModel(lp)
    solver.run()
    status = solver.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        raise Internal(f"The dispatch found no optimum: {solver.modelStatusToString(status)}.", code="dispatch_failed")
    solution = solver.getSolution()
    cost = float(solver.getInfo().objective_function_value)
    return np.asarray(solution.col_value), np.asarray(solution.row_dual), cost


def _answer(
    problem: DispatchProblem,
    scaled: DispatchProblem,
    at: _Columns,
    values: Floats,
    duals: Floats,
    unit_mw: float,
    cost: float,
) -> Dispatch:
    values = np.maximum(0.0, values) * unit_mw
    power, tanks, spills, salt_value = {}, {}, {}, {}
    for number, name in enumerate(at.salt, start=1):
        plant = problem.salt[name]
        per_heat = plant.eta_frac * plant.delivered_frac
        drawn = np.sum([values[at.drawn(name, block)] for block in range(N_DRAW_BLOCKS)], axis=0)
        power[name] = drawn * per_heat
        tanks[name] = np.minimum(values[at.tank(name)], plant.tes_mwh_th_max)
        spills[name] = values[at.spill(name)]
        row = number * problem.n_hours
        salt_value[name] = np.maximum(0.0, -duals[row : row + problem.n_hours]) / max(per_heat, 1e-9)
    curtailed = np.zeros(problem.n_hours)
    for name in at.direct:
        power[name] = np.minimum(values[at.used(name)], problem.direct_mw[name])
        curtailed += problem.direct_mw[name] - power[name]
    bought = np.sum([values[at.bought(block)] for block in range(N_IMPORT_BLOCKS)], axis=0)
    return Dispatch(power, bought, values[at.sold], values[at.unserved], curtailed, spills, tanks, salt_value, cost)
