"""The dispatch written a second time, in linopy and from the equations alone: it shares no matrix with the product."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from eureka_park.energy.core.dispatch_problem import DispatchProblem

# Figures of the objective, said again on purpose: a slip in one place is then seen.
UNSERVED = 100_000.0
POWER_BLOCK_WEAR = 0.5
BATTERY_WEAR = 1.0
SPILL = 0.01
LEAST_IMPORT, LEAST_UNSERVED, LEAST_SOLD = 1000.0, 1001.0, 0.001


def linopy_model(problem: DispatchProblem) -> Any:
    """A linopy model of a problem without spreading blocks and without start-ups."""
    import linopy

    assert problem.n_import_blocks == problem.n_draw_blocks == 1 and problem.start_up == "none"
    n = len(problem.load_mw)
    hours = pd.RangeIndex(n, name="hour")
    is_cost = problem.objective == "cost"

    def over_time(values: Any) -> xr.DataArray:
        return xr.DataArray(np.broadcast_to(np.asarray(values, dtype=float), (n,)), coords=[hours], dims=["hour"])

    model = linopy.Model(force_dim_names=True)
    bought = model.add_variables(lower=0, upper=over_time(problem.import_mw_max), name="bought")
    sold = model.add_variables(lower=0, upper=over_time(problem.export_mw_max), name="sold")
    lacking = model.add_variables(lower=0, coords=[hours], name="lacking")
    given = bought + lacking - sold
    price = problem.import_cost_mad_per_mwh if is_cost else LEAST_IMPORT
    earned = problem.surplus_mad_per_mwh if is_cost else LEAST_SOLD
    cost = (over_time(price) * bought - over_time(earned) * sold).sum()
    cost = cost + ((UNSERVED if is_cost else LEAST_UNSERVED) * lacking).sum()
    worth = problem.end_value_mad_per_mwh if is_cost and not problem.is_cyclic else 0.0

    for name, series in problem.direct_mw.items():
        given = given + model.add_variables(lower=0, upper=over_time(series), name=f"{name} used")

    for name, plant in problem.salt.items():
        level = model.add_variables(lower=0, upper=over_time(plant.tes_mwh_th_max), name=f"{name} level")
        heat = model.add_variables(lower=0, upper=over_time(plant.power_block_mw_th), name=f"{name} heat")
        spilt = model.add_variables(lower=0, coords=[hours], name=f"{name} spilt")
        gained = over_time(plant.heat_mw_th) - heat - spilt
        _store(model, name, level, gained, 1 - plant.loss_frac, plant.tes_mwh_th_start, problem.is_cyclic)
        given = given + plant.eta_frac * plant.delivered_frac * heat
        late = 1.0 if problem.is_cyclic else 2 - np.arange(n) / n
        cost = cost + (POWER_BLOCK_WEAR * plant.eta_frac * heat + over_time(SPILL * late) * spilt).sum()
        if worth:
            cost = cost - worth * plant.eta_frac * plant.delivered_frac * level.isel(hour=n - 1, drop=True)

    for name, battery in problem.batteries.items():
        level = model.add_variables(lower=0, upper=over_time(battery.energy_mwh), name=f"{name} level")
        into = model.add_variables(lower=0, upper=over_time(battery.power_mw), name=f"{name} in")
        out = model.add_variables(lower=0, upper=over_time(battery.power_mw), name=f"{name} out")
        gained = battery.charge_frac * into - (1 / battery.discharge_frac) * out
        _store(model, name, level, gained, 1 - battery.loss_frac, battery.start_mwh, problem.is_cyclic)
        given = given + out - into
        cost = cost + (BATTERY_WEAR * out).sum()
        if worth:
            cost = cost - worth * battery.discharge_frac * level.isel(hour=n - 1, drop=True)

    flex = problem.flex_frac
    wanted = over_time(problem.load_mw)
    load = model.add_variables(lower=(1 - flex) * wanted, upper=(1 + flex) * wanted, name="load")
    of_day = problem.day_of_hour if problem.day_of_hour is not None else np.arange(n) // 24
    numbers, among = np.unique(of_day, return_inverse=True)
    day = xr.DataArray(among, coords=[hours], dims=["hour"], name="day")
    daily = [float(problem.load_mw[among == number].sum()) for number in range(numbers.size)]
    wanted_daily = xr.DataArray(daily, coords=[pd.RangeIndex(numbers.size, name="day")], dims=["day"])
    model.add_constraints((1 * load).groupby(day).sum() == wanted_daily, name="days")
    model.add_constraints(given - load == 0, name="balance")
    model.add_constraints(bought - load <= 0, name="bought for the load alone")
    model.add_objective(cost)
    return model


def _store(model: Any, name: str, level: Any, gained: Any, kept: float, start: float, is_cyclic: bool) -> None:
    """level[t] = kept level[t-1] + gained[t]; before the first hour comes the last, or the start."""
    n = level.sizes["hour"]
    hours = level.indexes["hour"]
    from_before = xr.DataArray(np.full(n, kept), coords=[hours], dims=["hour"])
    at_first = xr.DataArray(np.zeros(n), coords=[hours], dims=["hour"])
    if not is_cyclic:
        from_before[0], at_first[0] = 0.0, kept * start
    model.add_constraints(level - from_before * level.roll(hour=1) - gained == at_first, name=f"{name} hour to hour")


def linopy_objective(problem: DispatchProblem) -> float:
    """The least cost that linopy and its own call of HiGHS find."""
    model = linopy_model(problem)
    model.solve(solver_name="highs", output_flag=False, threads=1, io_api="direct")
    return float(model.objective.value)
