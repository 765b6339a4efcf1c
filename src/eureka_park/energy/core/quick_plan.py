"""What `power_plan.make_plan` tells of the clean power of the next 48 h and its price, for a year of plans in seconds.

For who makes many plans of one supply one after another and reads little of each. Forecasts come from a table, the
program stays in the solver, and nothing is made that is only for people. The figures are those of `make_plan` without
the prices of stores; tests compare them. Where plants may stand in for each other it may be another of them that gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from eureka_park.energy.core.dispatch import Dispatch
from eureka_park.energy.core.dispatch_chain import DispatchChain
from eureka_park.energy.core.dispatch_problem import DispatchProblem
from eureka_park.energy.core.forecast import SupplyForecast
from eureka_park.energy.core.forecast_band import TURNOVER_H
from eureka_park.energy.core.outlook_table import Known, OutlookTable
from eureka_park.energy.core.power_plan import DECIMALS_OF_SITE, GIVEN_UP_FRAC, HORIZON_H, available_mw, sum_mw
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.supply import LOOK_AHEAD_H, Supply, delivered_frac, hours_on, problem_from
from eureka_park.energy.core.tariff import import_cost_mad_per_mwh, surplus_mad_per_mwh
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR, hour_of_year
from eureka_park.foundation.site_file import GRID_SOURCE_ID
from eureka_park.foundation.units import HOUR_S

SOLVED_H: Final = HORIZON_H + LOOK_AHEAD_H


@dataclass(frozen=True, slots=True, eq=False)
class QuickPlan:
    """The next 48 h by hour, MW at the site meter of the full-scale site.

    `clean_mw` (p50) and `p10_mw` as in a plan; `salt_mw` is what of `clean_mw` comes out of tanks; `grid_mw` the tie.
    The price curve: up to `step_mw` (cumulative) a MWh costs `step_price` (MAD, carbon in it) and is the park's own or
    not; unused steps repeat the last one. `battery_mw` is what batteries give less what they take, `battery_mwh` what
    each holds at the end of each hour.
    """

    clean_mw: Floats
    p10_mw: Floats
    salt_mw: Floats
    grid_mw: Floats
    step_mw: Floats
    step_price: Floats
    step_own: npt.NDArray[np.bool_]
    battery_mw: Floats
    battery_mwh: Mapping[str, Floats]


class QuickPlanner:
    """Plans of one supply at rising instants, all from `start_s` on (UTC epoch, a full hour) and within `n_hours`."""

    def __init__(
        self, seen: SupplyForecast, table: OutlookTable, start_s: float, prices: tuple[Floats, Floats]
    ) -> None:
        site = seen.supply.site
        self._seen, self._table, self._start_s, self._prices = seen, table, start_s, prices
        self._chain = DispatchChain(max(site.site_mw_max, site.grid.import_mw_max))
        self._last_hour = 0

    def plan(
        self,
        hour: int,
        demand_mw: Floats,
        stores_mwh: Mapping[str, float],
        n_steps: int,
        running: Mapping[str, Floats] | None = None,
    ) -> QuickPlan:
        """The plan from an hour after the start on. `demand_mw` has 48 values; `stores_mwh` is heat and what batteries
        hold. `running` as in `supply.problem_from`, of 72 h: what is known of outages. Raises Internal.
        """
        running, supply = running or {}, self._seen.supply
        start_s = self._start_s + HOUR_S * hour
        at = int(hour_of_year(start_s)[0])
        known = self._table.alone(at) if hour % self._table.every_h else self._table.at(at)
        load = np.clip(np.concatenate([demand_mw, demand_mw[-LOOK_AHEAD_H:]]), 0.0, supply.site.site_mw_max)
        prices = (self._prices[0][hour : hour + SOLVED_H], self._prices[1][hour : hour + SOLVED_H])
        seen = _supply_as_known(supply, known, at)
        problem = problem_from(seen, start_s, load, stores_mwh, running=running, prices=prices)
        answer = self._chain.solve(problem, max(0, hour - self._last_hour))
        self._last_hour = hour
        return self._told(known, start_s, problem, answer, n_steps, running)

    def _told(
        self,
        known: Mapping[str, Known],
        start_s: float,
        problem: DispatchProblem,
        answer: Dispatch,
        n_steps: int,
        running: Mapping[str, Floats],
    ) -> QuickPlan:
        supply, zero = self._seen.supply, np.zeros(HORIZON_H)
        decimals = DECIMALS_OF_SITE - int(np.ceil(np.log10(supply.site.site_mw_max)))
        available = {
            name: np.round(values[:HORIZON_H], decimals) + 0.0
            for name, values in available_mw(supply, problem, answer).items()
        }
        clean = np.sum(list(available.values()), axis=0) if available else zero
        low = self._low_mw(known, start_s, problem, available, clean, running)
        salt = [available[name] for name, plant in problem.salt.items() if plant.tes_mwh_th_max > 0.0]
        step_mw, step_price, step_own = _steps(supply, problem, answer, available, decimals, n_steps)
        flows = sum_mw(answer.discharge_mw, answer) - sum_mw(answer.charge_mw, answer)
        return QuickPlan(
            clean, np.minimum(clean, np.round(np.maximum(0.0, low), decimals)),
            np.sum(salt, axis=0) if salt else zero, (problem.import_mw_max * problem.tie_frac)[:HORIZON_H],
            step_mw, step_price, step_own, flows[:HORIZON_H],
            {name: series[:HORIZON_H] for name, series in answer.battery_mwh.items()},
        )  # fmt: skip

    def _low_mw(
        self,
        known: Mapping[str, Known],
        start_s: float,
        problem: DispatchProblem,
        available: Mapping[str, Floats],
        clean: Floats,
        running: Mapping[str, Floats],
    ) -> Floats:
        """p10 of the clean power in all, by the rule of `forecast_band`."""
        supply, groups = self._seen.supply, self._seen.groups
        starts_s = start_s + HOUR_S * np.arange(HORIZON_H, dtype=np.float64)
        below: dict[str, Floats] = {}
        for name, one in known.items():
            middle = available[name]
            if name in problem.salt:
                left = problem.salt[name].tes_mwh_th_start * _LEFT
                part = (left + one.gathered_low) / np.maximum(left + one.gathered, 1e-9)
                low = middle * np.minimum(1.0, part)
            else:
                plant = supply.years[name].plant
                share = hours_on(plant, starts_s, supply.without) * delivered_frac(supply.site, plant)
                low = one.low * share * (running[name][:HORIZON_H] if name in running else 1.0)
            below[groups[name]] = below.get(groups[name], 0.0) + np.maximum(0.0, middle - low)
        parts = [part**2 for part in below.values()]
        return np.maximum(0.0, clean - np.sqrt(np.sum(parts, axis=0))) if parts else clean


_LEFT: Final = np.maximum(0.0, 1.0 - np.arange(HORIZON_H) / TURNOVER_H)


def run_prices(supply: Supply, start_s: float, n_hours: int) -> tuple[Floats, Floats]:
    """What bought energy costs without carbon, and what surplus earns, in `n_hours` and as far as plans look on."""
    grid, zone = supply.site.grid, supply.site.timezone
    starts_s = start_s + HOUR_S * np.arange(n_hours + SOLVED_H, dtype=np.float64)
    return import_cost_mad_per_mwh(grid, zone, starts_s), surplus_mad_per_mwh(grid, zone, starts_s)


def _supply_as_known(supply: Supply, known: Mapping[str, Known], hour: int) -> Supply:
    """As `SupplyForecast.known_at`."""
    years, hours = dict(supply.years), (hour + np.arange(SOLVED_H)) % HOURS_PER_YEAR
    for name, one in known.items():
        series = np.zeros(HOURS_PER_YEAR)
        series[hours] = one.middle
        years[name] = replace(years[name], series_mw=series)
    return replace(supply, years=years)


# The price curve --------------------------------------------------------------------------------


def _steps(
    supply: Supply, problem: DispatchProblem, answer: Dispatch, available: Mapping[str, Floats], decimals: int, n: int
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """The curve of `power_plan` in `n` steps an hour: clean power by carbon, free where some is given up; the grid."""
    carbon, weight = supply.site.gco2_per_kwh_by_source, supply.site.policy.carbon_weight_mad_per_kg
    names = sorted(available)
    mw = np.array([available[name] for name in names]).reshape(len(names), HORIZON_H)
    whole, hours = mw.sum(axis=0), slice(0, HORIZON_H)
    sold_frac = answer.export_mw[hours] / np.maximum(whole, 1e-300)
    gives_up = answer.curtailed_mw[hours] > GIVEN_UP_FRAC * whole
    free_frac = np.where(gives_up, np.clip(1.0 - sold_frac, 0.0, 1.0), 0.0)
    grams = np.array([carbon[name] for name in names] * 2 + [carbon[GRID_SOURCE_ID]])
    grid_mad = problem.import_cost_mad_per_mwh[hours] - weight * supply.site.grid.gco2_per_kwh
    widths = np.vstack([mw * free_frac, mw * (1.0 - free_frac), (problem.import_mw_max * problem.tie_frac)[hours]])
    surplus = problem.surplus_mad_per_mwh[hours]
    cost = np.vstack([np.zeros_like(mw), np.broadcast_to(surplus, mw.shape), grid_mad])
    rank = np.broadcast_to(np.array([*range(len(names)), *range(len(names)), len(names)])[:, None], cost.shape)
    all_grams = np.broadcast_to(grams[:, None], cost.shape)
    order = np.lexsort((rank, all_grams, cost), axis=0)
    width = np.round(np.take_along_axis(widths, order, axis=0), decimals)
    price = np.round(cost, 2) + weight * np.round(all_grams, 1)
    price = np.take_along_axis(price, order, axis=0)
    own = np.take_along_axis(rank, order, axis=0) < len(names)
    return _fitted(width, price, own, decimals, n)


def _fitted(
    width: Floats, price: Floats, own: npt.NDArray[np.bool_], decimals: int, n: int
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Rows are hours from here on: blocks without width are left out, the rest brought to `n` steps."""
    order = np.argsort(width <= 0.0, axis=0, kind="stable")
    width, price, own = (np.take_along_axis(part, order, axis=0).T for part in (np.maximum(0.0, width), price, own))
    there = (width > 0.0).sum(axis=1)
    up_to = np.round(np.cumsum(width, axis=1), decimals)
    at = np.minimum(np.arange(n), np.maximum(1, there)[:, None] - 1)
    found = [np.take_along_axis(part, np.minimum(at, width.shape[1] - 1), axis=1) for part in (up_to, price, own)]
    for hour in np.flatnonzero(there > n):
        rows = zip(up_to[hour, : there[hour]].tolist(), price[hour].tolist(), own[hour].tolist(), strict=False)
        for column, values in zip(found, zip(*fewer_steps(list(rows), n), strict=True), strict=True):
            column[hour] = values
    nothing = there == 0
    found[1][nothing], found[2][nothing] = 0.0, False
    return np.asarray(found[0]), np.asarray(found[1]), np.asarray(found[2], dtype=np.bool_)


def fewer_steps(rows: list[tuple[float, float, bool]], n_steps: int) -> list[tuple[float, float, bool]]:
    """Of steps (up to, price, own), neighbours of one kind whose prices are nearest are merged, at their mean price,
    until `n_steps` are left.
    """
    rows = list(rows)
    while len(rows) > n_steps:
        widths = np.diff([0.0, *(up_to for up_to, _price, _own in rows)])
        gaps = [
            (abs(rows[at + 1][1] - rows[at][1]) + (1e9 if rows[at + 1][2] != rows[at][2] else 0.0), at)
            for at in range(len(rows) - 1)
        ]
        at = min(gaps)[1]
        both = widths[at] + widths[at + 1]
        price = (widths[at] * rows[at][1] + widths[at + 1] * rows[at + 1][1]) / both if both > 0 else rows[at][1]
        rows[at : at + 2] = [(rows[at + 1][0], float(price), rows[at + 1][2])]
    return rows
