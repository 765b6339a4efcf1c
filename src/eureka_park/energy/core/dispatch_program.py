"""The dispatch as columns and rows of a linear program, so that others (sizing) can add theirs to it.

For each hour t, salt plant k and battery b (per_heat_k is electricity at the site meter from a unit of heat):

    salt      e[k,t] = (1 - loss_k) e[k,t-1] + heat[k,t] - spill[k,t] - q[k,t],   0 <= e <= tank
    block     0 <= q[k,t] <= power block of k (heat)
    battery   l[b,t] = (1 - loss_b) l[b,t-1] + into_b c[b,t] - d[b,t] / out_b,   0 <= l <= content, 0 <= c, d <= power
    balance   sum_k per_heat_k q[k,t] + sum_b (d[b,t] - c[b,t]) + import[t] + unserved[t] - export[t] - curtailed[t]
              - load[t] = -sum_j direct[j,t],   0 <= curtailed <= sum_j direct[j,t]
    flexible  (1-f) L[t] <= load[t] <= (1+f) L[t],   sum of each local day kept
    clean     import[t] <= load[t]: what charges a battery or is sold comes from clean power alone
    start-up  least_k block_k on[k,t] <= q[k,t] <= block_k on[k,t],   start[k,t] >= on[k,t] - on[k,t-1], 0 <= on <= 1
              (whole numbers or not); a start takes its heat from the tank

Cost: bought energy at the hour's price, less surplus sold, a small wear on power blocks and batteries, a high penalty
on what is unserved, and a value for what the stores hold at the end. With `least-import`: the energy bought or
unserved, the latter a trifle more, and trifles for wear and in favour of selling.

A candidate of unknown size: give it to the problem without limits (`power_block_mw_th`, `tes_mwh_th_max`, `power_mw`,
`energy_mwh` infinite, heat 0), add a column for its size, then `limit_by(lp, ..., handles.salt[k].tank, size, hours)`
and so on, and for heat `lp.add_entries(handles.salt[k].rows, size, -heat_per_unit)`; PV or wind of unknown size is
`lp.add_entries(handles.balance, size, output_per_unit)` with `is_curtailed_freely=True`. The bought energy of a year is
the sum over `handles.bought`: one row over them is a target for the clean share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from eureka_park.energy.core.dispatch_problem import Battery, DispatchProblem, SaltPlant
from eureka_park.energy.core.linear_program import Block, LinearProgram
from eureka_park.energy.core.sun import Floats

UNSERVED_MAD_PER_MWH: Final = 100_000.0
WEAR_MAD_PER_MWH: Final = 0.5
BATTERY_WEAR_MAD_PER_MWH: Final = 1.0
SPILL_MAD_PER_MWH: Final = 0.01
IMPORT_BLOCK_MAD_PER_MWH: Final = 0.7
DRAW_BLOCK_MAD_PER_MWH: Final = 0.05
LEAST_IMPORT_PER_MWH: Final = 1000.0  # weight of a bought MWh under `least-import`; everything else is a trifle to it
LEAST_UNSERVED_PER_MWH: Final = 1001.0
LEAST_SOLD_PER_MWH: Final = 0.001
SOLVER_UNIT: Final = 100.0  # the largest load in solver units, whatever the size of the site


@dataclass(frozen=True, slots=True)
class SaltColumns:
    """A salt plant's columns (the heat drawn in blocks of rising cost) and the rows of its tank."""

    rows: Block
    tank: Block
    spill: Block
    drawn: tuple[Block, ...]
    on: Block | None = None
    start: Block | None = None


@dataclass(frozen=True, slots=True)
class BatteryColumns:
    """A battery's columns and the rows of its content."""

    rows: Block
    level: Block
    charge: Block
    discharge: Block


@dataclass(frozen=True, slots=True)
class DispatchHandles:
    """Where everything is. `load` is none where the load is fixed; `clean` and `days` where no such rows are needed."""

    balance: Block
    salt: Mapping[str, SaltColumns]
    batteries: Mapping[str, BatteryColumns]
    curtailed: Block
    bought: tuple[Block, ...]
    sold: Block
    unserved: Block
    load: Block | None
    clean: Block | None
    days: Block | None


def solver_unit_mw(problem: DispatchProblem) -> float:
    """The `unit` of a program for this problem."""
    return max(float(problem.load_mw.max()), problem.import_mw_max, 1e-9) / SOLVER_UNIT


def add_dispatch(
    lp: LinearProgram, problem: DispatchProblem, prefix: str = "", *, is_curtailed_freely: bool = False
) -> DispatchHandles:
    """Add a problem's columns and rows, each name after `prefix`; a program may hold several (years, seeds)."""
    n = problem.n_hours
    is_least = problem.objective == "least-import"
    direct = problem.direct_sum_mw
    demand = -direct if problem.flex_frac > 0 else problem.load_mw - direct
    balance = lp.add_rows(prefix + "balance", n, lower=demand, upper=demand)
    salt = {name: _add_salt(lp, problem, plant, balance, prefix + name) for name, plant in problem.salt.items()}
    batteries = {
        name: _add_battery(lp, problem, battery, balance, prefix + name) for name, battery in problem.batteries.items()
    }
    curtailed = lp.add_columns(prefix + "curtailed", n, upper=np.inf if is_curtailed_freely else direct)
    lp.add_entries(balance, curtailed, -1.0)
    bought = _add_bought(lp, problem, balance, prefix)
    earned = np.full(n, LEAST_SOLD_PER_MWH) if is_least else problem.surplus_mad_per_mwh
    sold = lp.add_columns(prefix + "export", n, upper=problem.export_mw_max * problem.tie_frac, cost=-earned)
    lp.add_entries(balance, sold, -1.0)
    lacking = LEAST_UNSERVED_PER_MWH if is_least else UNSERVED_MAD_PER_MWH
    unserved = lp.add_columns(prefix + "unserved", n, upper=load_mw_max(problem), cost=lacking)
    lp.add_entries(balance, unserved, 1.0)
    load, days = _add_flexible(lp, problem, balance, prefix)
    clean = _add_clean(lp, problem, bought, load, prefix)
    return DispatchHandles(balance, salt, batteries, curtailed, bought, sold, unserved, load, clean, days)


def limit_by(
    lp: LinearProgram, name: str, columns: Block, size: Block, per_unit: npt.ArrayLike, fixed: npt.ArrayLike = 0.0
) -> Block:
    """Rows `columns <= fixed + per_unit * size`, `size` being one column."""
    rows = lp.add_rows(name, columns.n, lower=-np.inf, upper=fixed)
    lp.add_entries(rows, columns, 1.0)
    lp.add_entries(rows, size, -np.broadcast_to(np.asarray(per_unit, dtype=np.float64), (columns.n,)))
    return rows


def _add_salt(lp: LinearProgram, problem: DispatchProblem, plant: SaltPlant, balance: Block, name: str) -> SaltColumns:
    n = problem.n_hours
    kept = 1.0 - plant.loss_frac
    inflow = plant.heat_mw_th.copy()
    cost = np.zeros(n)
    if not problem.is_cyclic:
        inflow[0] += kept * min(plant.tes_mwh_th_start, plant.tes_mwh_th_max)
        cost[-1] = -problem.end_value_mad_per_mwh * plant.per_heat if problem.objective == "cost" else 0.0
    rows = lp.add_rows(name + ".salt", n, lower=inflow, upper=inflow)
    tank = lp.add_columns(name + ".tank", n, upper=plant.tes_mwh_th_max, cost=cost)
    late = 2.0 - np.arange(n) / n if not problem.is_cyclic else 1.0  # as late as may be: a tank fills first
    spill = lp.add_columns(name + ".spill", n, cost=SPILL_MAD_PER_MWH * late)
    _chain(lp, rows, tank, kept, problem.is_cyclic)
    lp.add_entries(rows, spill, 1.0)
    drawn = []
    for number in range(problem.n_draw_blocks):
        wear = (WEAR_MAD_PER_MWH + number * DRAW_BLOCK_MAD_PER_MWH) * plant.eta_frac
        width = plant.power_block_mw_th / problem.n_draw_blocks * (1.0 if plant.running is None else plant.running)
        block = lp.add_columns(f"{name}.drawn{number}", n, upper=width, cost=wear)
        lp.add_entries(rows, block, 1.0)
        lp.add_entries(balance, block, plant.per_heat)
        drawn.append(block)
    columns = SaltColumns(rows, tank, spill, tuple(drawn))
    return columns if problem.start_up == "none" else _add_start_up(lp, problem, plant, columns, name)


def _add_start_up(
    lp: LinearProgram, problem: DispatchProblem, plant: SaltPlant, columns: SaltColumns, name: str
) -> SaltColumns:
    """On and start columns. Before the first hour of a horizon that is not cyclic a block counts as on."""
    n, rated, is_whole = problem.n_hours, plant.power_block_mw_th, problem.start_up == "whole"
    on = lp.add_columns(name + ".on", n, upper=1.0, is_integer=is_whole)
    start_cost = plant.start_mad if problem.objective == "cost" else 0.0
    start = lp.add_columns(name + ".start", n, upper=1.0, cost=start_cost, is_integer=False)
    lp.add_entries(columns.rows, start, plant.start_mwh_th)
    most = lp.add_rows(name + ".most", n, lower=-np.inf, upper=0.0)
    least = lp.add_rows(name + ".least", n, lower=0.0, upper=np.inf)
    for block in columns.drawn:
        lp.add_entries(most, block, 1.0)
        lp.add_entries(least, block, 1.0)
    lp.add_entries(most, on, -rated)
    lp.add_entries(least, on, -plant.min_load_frac * rated)
    begun = np.zeros(n)
    begun[0] = 0.0 if problem.is_cyclic else -1.0
    starts = lp.add_rows(name + ".starts", n, lower=begun, upper=np.inf)  # start - on + on before >= 0
    lp.add_entries(starts, start, 1.0)
    lp.add_entries(starts, on, -1.0)
    lp.add_entries(starts.at(slice(1, None)), on.at(slice(None, -1)), 1.0)
    if problem.is_cyclic:
        lp.add_entries(starts.at(0), on.at(-1), 1.0)
    return SaltColumns(columns.rows, columns.tank, columns.spill, columns.drawn, on, start)


def _add_battery(
    lp: LinearProgram, problem: DispatchProblem, battery: Battery, balance: Block, name: str
) -> BatteryColumns:
    n, kept = problem.n_hours, 1.0 - battery.loss_frac
    first, worth = np.zeros(n), np.zeros(n)
    if not problem.is_cyclic:
        first[0] = kept * min(battery.start_mwh, battery.energy_mwh)
        worth[-1] = -problem.end_value_mad_per_mwh * battery.discharge_frac if problem.objective == "cost" else 0.0
    rows = lp.add_rows(name + ".battery", n, lower=first, upper=first)
    level = lp.add_columns(name + ".level", n, upper=battery.energy_mwh, cost=worth)
    charge = lp.add_columns(
        name + ".charge", n, upper=battery.power_mw if battery.charge_mw is None else battery.charge_mw
    )
    discharge = lp.add_columns(name + ".discharge", n, upper=battery.power_mw, cost=BATTERY_WEAR_MAD_PER_MWH)
    _chain(lp, rows, level, kept, problem.is_cyclic)
    lp.add_entries(rows, charge, -battery.charge_frac)
    lp.add_entries(rows, discharge, 1.0 / battery.discharge_frac)
    lp.add_entries(balance, discharge, 1.0)
    lp.add_entries(balance, charge, -1.0)
    return BatteryColumns(rows, level, charge, discharge)


def _chain(lp: LinearProgram, rows: Block, level: Block, kept: float, is_cyclic: bool) -> None:
    """level[t] - kept level[t-1]; the first follows the last where the horizon is a circle."""
    lp.add_entries(rows, level, 1.0)
    lp.add_entries(rows.at(slice(1, None)), level.at(slice(None, -1)), -kept)
    if is_cyclic:
        lp.add_entries(rows.at(0), level.at(-1), -kept)


def _add_bought(lp: LinearProgram, problem: DispatchProblem, balance: Block, prefix: str) -> tuple[Block, ...]:
    n, n_blocks = problem.n_hours, problem.n_import_blocks
    price = problem.import_cost_mad_per_mwh if problem.objective == "cost" else np.full(n, LEAST_IMPORT_PER_MWH)
    bought = []
    for number in range(n_blocks):
        cost = price + number * IMPORT_BLOCK_MAD_PER_MWH
        block = lp.add_columns(f"{prefix}import{number}", n, upper=import_block_mw(problem), cost=cost)
        lp.add_entries(balance, block, 1.0)
        bought.append(block)
    return tuple(bought)


def import_block_mw(problem: DispatchProblem) -> Floats:
    """Width of a block of bought power in each hour; a single block never exceeds a fixed load."""
    width = problem.import_mw_max / problem.n_import_blocks * problem.tie_frac
    is_bound_by_load = problem.n_import_blocks == 1 and problem.flex_frac <= 0
    return np.minimum(width, problem.load_mw) if is_bound_by_load else width


def load_mw_min(problem: DispatchProblem) -> Floats:
    """The least that flexible load may draw in each hour."""
    return problem.load_mw * max(0.0, 1.0 - problem.flex_frac)


def load_mw_max(problem: DispatchProblem) -> Floats:
    """The most that flexible load may draw in each hour."""
    return problem.load_mw * (1.0 + problem.flex_frac)


def daily_mwh(problem: DispatchProblem) -> Floats:
    """What the load draws in each local day; MWh."""
    return np.bincount(problem.days, weights=problem.load_mw).astype(np.float64)


def _add_flexible(
    lp: LinearProgram, problem: DispatchProblem, balance: Block, prefix: str
) -> tuple[Block | None, Block | None]:
    if problem.flex_frac <= 0:
        return None, None
    load = lp.add_columns(prefix + "load", problem.n_hours, lower=load_mw_min(problem), upper=load_mw_max(problem))
    lp.add_entries(balance, load, -1.0)
    daily = daily_mwh(problem)
    rows = lp.add_rows(prefix + "days", daily.size, lower=daily, upper=daily)
    lp.add_entries(rows.at(problem.days), load, 1.0)
    return load, rows


def _add_clean(
    lp: LinearProgram, problem: DispatchProblem, bought: tuple[Block, ...], load: Block | None, prefix: str
) -> Block | None:
    """Rows stand only where something could be charged or sold from the grid, and no column's own bound says it."""
    sells_dear = problem.export_mw_max > 0 and bool(
        np.any(problem.surplus_mad_per_mwh >= problem.import_cost_mad_per_mwh)
    )
    if (not problem.batteries and not sells_dear) or (load is None and len(bought) == 1):
        return None
    fixed = problem.load_mw if load is None else np.zeros(problem.n_hours)
    rows = lp.add_rows(prefix + "clean", problem.n_hours, lower=-np.inf, upper=fixed)
    for block in bought:
        lp.add_entries(rows, block, 1.0)
    if load is not None:
        lp.add_entries(rows, load, -1.0)
    return rows
