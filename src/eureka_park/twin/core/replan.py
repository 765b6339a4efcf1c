"""A sky that hears the load: salt is drawn as machines need it, and plans are made anew as a run goes on.

Truth: sun and wind as they are, outages in them; tanks hold what was really gathered and not drawn (`salt`). Belief:
at each instant in `due_s` (every few park hours, and when a plant or the tie trips or is back) the park's own planner
is asked, with the salt that is really there, the outages that have begun, and the demand that the live park would ask
for: declared work at the power it wants until it is done, then a quarter of what machines can draw (see
`control.supply.potential_demand_mw`). Batteries do what the newest plan says. Decision 0030.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from eureka_park.compute.core.board import PAUSED, QUEUED, RING, Board
from eureka_park.compute.core.ends import hour_of
from eureka_park.compute.core.yard import kwh_of
from eureka_park.control.supply import Work, potential_demand_mw
from eureka_park.energy.core.cooling import site_mw_from_it_mw
from eureka_park.energy.core.dispatch_problem import DispatchProblem
from eureka_park.energy.core.forecast import SupplyForecast, forecast_of
from eureka_park.energy.core.outlook_table import OutlookTable
from eureka_park.energy.core.power_plan import WARM_UP_DAYS
from eureka_park.energy.core.quick_plan import SOLVED_H, QuickPlan, QuickPlanner, run_prices
from eureka_park.energy.core.supply import TIE, Supply, problem_from, roll, supply_of
from eureka_park.foundation.errors import Internal, ParkError
from eureka_park.foundation.kernels import kernel
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.units import DAY_S, HOUR_S, mw_from_kw
from eureka_park.twin.core.faults import Faults
from eureka_park.twin.core.salt import Salt, no_salt
from eureka_park.twin.core.sky_series import (
    PLAN_HOURS,
    TAIL_H,
    SkyRequest,
    SkySeries,
    Tanks,
    check_request,
    it_kw_beyond_fixed,
    it_kw_of,
)

Floats = npt.NDArray[np.float64]

EXPECTED_LOAD_FRAC: Final = 0.25  # of what jobs can draw, as the live park expects it (live.loop)


def open_sky(site: Site, request: SkyRequest, supply: Supply | None = None) -> SkySeries:
    """The sky of a run whose plans are yet to be made; `supply` as in `sky_of`. Raises BadInput.

    Until it is played its clean power is that without salt. Tanks begin as in the live park's first plan: as a few days
    of the demand that it expects leave them.
    """
    check_request(request)
    supply = supply or supply_of(site, request.seed, request.scenario)
    planner = Planner(supply, request)
    n_plans, n_hours = len(planner.due_s), planner.n_hours
    rows, steps = np.zeros((n_plans, PLAN_HOURS)), np.zeros((n_plans, PLAN_HOURS, request.n_steps))
    return SkySeries(
        hour0_s=request.start_s, true_clean_kw=np.maximum(0.0, planner.direct_kw),
        plan_issued_s=np.full(n_plans, np.inf), plan_first_hour=np.full(n_plans, n_hours, np.int64),
        plan_clean_kw=rows, plan_p10_kw=rows, plan_grid_kw=rows, step_up_to_kw=steps, step_price=steps,
        step_own=steps > 0.0, plan_salt_kw=rows, planner=planner,
    )  # fmt: skip


class Planner:
    """What the plans of a run are made from, and its truth without salt. Any number of runs may begin with it."""

    def __init__(self, supply: Supply, request: SkyRequest) -> None:
        self.supply, self.request, self.site = supply, request, supply.site
        self.n_hours = int(np.ceil(request.days * 24 - 1e-9)) + TAIL_H
        self.due_s = _due_s(request, self.n_hours)
        self.running = {name: request.faults.running_frac(what, self.n_hours) for name, what in _what(supply).items()}
        truth = problem_from(supply, request.start_s, np.zeros(self.n_hours), {}, running=self.running)
        self.tanks = {name: plant for name, plant in truth.salt.items() if plant.tes_mwh_th_max > 0.0}
        self.direct_kw = it_kw_beyond_fixed(self.site, _direct_mw(truth) * self.site.factor)
        kw = it_kw_beyond_fixed(self.site, np.array([0.0, self.site.factor]))
        self.kw_per_mw = float(kw[1] - kw[0])
        per_heat = [plant.per_heat * self.kw_per_mw for plant in self.tanks.values()]
        self.per_heat_kw = np.array(per_heat)
        warm_up_s = request.start_s - WARM_UP_DAYS * DAY_S
        self.stores = roll(supply, warm_up_s, WARM_UP_DAYS, first_demand_mw(self.site) / self.site.factor)[1]
        self.seen: SupplyForecast = forecast_of(supply, request.seed)
        self.prices = run_prices(supply, request.start_s, self.n_hours)

    def begin(self) -> Replanning:
        """The plans of one run."""
        return Replanning(self)

    def salt(self) -> Salt:
        """The tanks as a run finds them."""
        n, k = self.n_hours, len(self.tanks)
        per, plants = self.per_heat_kw, list(self.tanks.values())
        blocks = [
            plant.power_block_mw_th * (np.ones(n) if plant.running is None else plant.running) for plant in plants
        ]
        size = np.array([plant.tes_mwh_th_max for plant in plants]) * per
        level = np.array([self.stores.get(name, 0.0) for name in self.tanks]) * per
        return Salt(
            self.direct_kw.copy(), _rows([plant.heat_mw_th for plant in plants], n) * per[:, None],
            _rows(blocks, n) * per[:, None], size, np.array([1.0 - plant.loss_frac for plant in plants]),
            np.minimum(level, size), np.zeros((k, n + 1)), np.zeros(n), np.zeros(n), np.zeros(n),
        )  # fmt: skip


class Replanning:
    """The plans of one run, made when they are due: each is written into the world's rows of plans."""

    def __init__(self, planner: Planner) -> None:
        self._of = planner
        table = OutlookTable(planner.seen, planner.request.plan_every_h, SOLVED_H, PLAN_HOURS)
        self._quick = QuickPlanner(planner.seen, table, planner.request.start_s, planner.prices)
        batteries = [name for name, year in planner.supply.years.items() if year.is_battery]
        self._held = {name: planner.stores[name] for name in batteries if name in planner.stores}
        self._last: tuple[int, QuickPlan] | None = None

    def make(self, board: Board, world: Any) -> None:
        """Make the plan that is due next, from the board and the world as they are. Raises Internal."""
        row = int(world.place.next_plan[0])
        hour = int((float(self._of.due_s[row]) - self._of.request.start_s) // HOUR_S)
        try:
            self._make(board, world, row, hour)
        except MemoryError:
            raise
        except Exception as error:
            why = error.message if isinstance(error, ParkError) else f"{type(error).__name__}: {error}".rstrip(": .")
            told = f"The plan of hour {hour} of the run could not be made: {why.rstrip('.')}."
            raise Internal(
                told, fix="No policy is to blame: report the site and the seed.", code="plan_failed"
            ) from error

    def _make(self, board: Board, world: Any, row: int, hour: int) -> None:
        of, place, due_s = self._of, world.place, float(self._of.due_s[row])
        demand_mw = np.array(demand_of(board, of.site, due_s)) / of.site.factor
        stores = {**self._battery_mwh(hour), **self._salt_mwh_th(world.salt)}
        known = _known_outages(of.supply, of.request.faults, due_s - of.request.start_s, hour)
        plan = self._quick.plan(hour, demand_mw, stores, of.request.n_steps, known)
        self._last = hour, plan
        _write(world, row, due_s, hour, plan, of)
        ahead = min(PLAN_HOURS, of.n_hours - hour)
        if self._held:
            world.salt.direct_kw[hour : hour + ahead] = (
                of.direct_kw[hour : hour + ahead] + plan.battery_mw[:ahead] * of.kw_per_mw
            )
        place.next_plan[0] = row + 1

    def _salt_mwh_th(self, salt: Salt) -> dict[str, float]:
        levels = salt.level_kwh / self._of.per_heat_kw
        return dict(zip(self._of.tanks, levels.tolist(), strict=True))

    def _battery_mwh(self, hour: int) -> Mapping[str, float]:
        """What batteries hold as an hour begins: they have done what the last plan said."""
        if self._last is not None and hour > self._last[0]:
            gone = min(hour - self._last[0], PLAN_HOURS) - 1
            self._held = {name: float(series[gone]) for name, series in self._last[1].battery_mwh.items()}
        return self._held


def columns_of(sky: SkySeries) -> dict[str, Any]:
    """A sky as a world holds it: what a run changes is its own."""
    planner, n_hours = sky.planner, sky.plan_clean_kw.shape[1]
    own = np.array if planner is not None else np.asarray
    salt = np.zeros((sky.n_plans, n_hours)) if sky.plan_salt_kw is None else sky.plan_salt_kw
    return {
        "clean_kw": sky.true_clean_kw,
        "plan_issued_s": own(sky.plan_issued_s),
        "plan_first_hour": own(sky.plan_first_hour),
        "plan_clean_kw": own(sky.plan_clean_kw),
        "plan_p10_kw": own(sky.plan_p10_kw),
        "plan_grid_kw": own(sky.plan_grid_kw),
        "step_kw": own(sky.step_up_to_kw),
        "step_price": own(sky.step_price),
        "step_own": own(sky.step_own),
        "plan_salt_kw": np.array(salt),
        "plan_due_s": np.zeros(0) if planner is None else planner.due_s,
        "salt": no_salt(sky.true_clean_kw) if planner is None else planner.salt(),
    }


def sky_played(sky: SkySeries, world: Any, hour_s: Floats) -> SkySeries:
    """A sky as a run has made it: its plans, the clean power that was there or drawn, and what became of salt.

    `hour_s`: for how long each hour was metered, s.
    """
    planner = sky.planner
    if planner is None:
        return sky
    salt, made = world.salt, np.isfinite(world.plan_issued_s)
    clean_kw, n = np.maximum(0.0, salt.direct_kw), len(hour_s)
    clean_kw[:n] = salt.clean_kwh[:n] / np.maximum(hour_s, 1e-9) * HOUR_S
    return replace(
        sky, true_clean_kw=clean_kw, plan_issued_s=world.plan_issued_s[made],
        plan_first_hour=world.plan_first_hour[made], plan_clean_kw=world.plan_clean_kw[made],
        plan_p10_kw=world.plan_p10_kw[made], plan_grid_kw=world.plan_grid_kw[made], step_up_to_kw=world.step_kw[made],
        step_price=world.step_price[made], step_own=world.step_own[made], plan_salt_kw=world.plan_salt_kw[made],
        tanks=_tanks_after(planner, salt, int(world.place.hour[0])) if planner.tanks else None, planner=None,
    )  # fmt: skip


def _tanks_after(planner: Planner, salt: Salt, last_hour: int) -> Tanks:
    """What tanks did; beyond the last hour they hold what they held."""
    per = planner.per_heat_kw[:, None]
    levels = salt.levels_kwh.copy()
    levels[:, last_hour + 1 :] = salt.level_kwh[:, None]
    return Tanks(
        direct_kw=np.maximum(0.0, salt.direct_kw), per_heat_kw=planner.per_heat_kw, heat_mw_th=salt.heat_kw / per,
        block_mw_th=salt.block_kw / per, level_mwh_th=levels / per, size_mwh_th=salt.size_kwh / planner.per_heat_kw,
        loss_frac=1.0 - salt.kept_frac, spilt_kwh=salt.spilt_kwh, lacking_kw=np.maximum(0.0, -salt.direct_kw),
    )  # fmt: skip


# Demand -----------------------------------------------------------------------------------------


def demand_of(board: Board, site: Site, now_s: float) -> tuple[float, ...]:
    """Potential demand at the site meter, MW by hour of the next 48, by the rule of the live park."""
    kinds = board.classes
    capacity_kw = float((kinds.rated_kw * kinds.n_nodes).sum())
    idle_kw = float((kinds.idle_kw * kinds.n_nodes).sum())
    work = Work(*declared_work(board, now_s))
    return potential_demand_mw(
        PLAN_HOURS, HOUR_S, capacity_kw, idle_kw, EXPECTED_LOAD_FRAC, work,
        lambda kw: site_mw_from_it_mw(mw_from_kw(kw), site.pue),
    )  # fmt: skip


def first_demand_mw(site: Site) -> float:
    """What the live park asks for while nothing is declared; MW at the site meter."""
    expected_kw = EXPECTED_LOAD_FRAC * max(0.0, site.it_kw_rated - site.it_kw_idle)
    return site_mw_from_it_mw(mw_from_kw(site.it_kw_idle + expected_kw), site.pue)


@kernel
def declared_work(board: Board, now_s: float) -> tuple[float, float]:
    """Power that declared work wants above idle (kW), and what it will draw in all (kWh), on nodes or waiting.

    Energy on nodes is counted as far as a plan reaches. Sums are exact, so it is all one which slots jobs stand in, or
    whether they stand in the yard.
    """
    g, jobs = board.g[0], board.jobs
    first, on_kw, on_kwh = hour_of(now_s), max(0.0, g.dynamic_kw), 0.0
    left_kw = on_kw
    for hour in range(PLAN_HOURS):
        on_kwh += left_kw
        left_kw = max(0.0, left_kw - board.g[0].ending_kw[(first + hour) % RING])
    kw, kwh, left = g.yard_kw, g.yard_kwh, g.n_waiting - g.n_yard
    for slot in range(jobs.shape[0]):
        if left == 0:
            break
        if jobs[slot].state == QUEUED or jobs[slot].state == PAUSED:
            left -= 1
            kw += jobs[slot].dynamic_kw
            kwh += kwh_of(jobs[slot])
    return on_kw + kw, on_kwh + kwh


# Parts ------------------------------------------------------------------------------------------


def _due_s(request: SkyRequest, n_hours: int) -> Floats:
    """When plans are due: every few hours, and at each trip and return; UTC epoch."""
    every_s, span_s = HOUR_S * request.plan_every_h, HOUR_S * n_hours
    regular = every_s * np.arange(int(np.ceil(span_s / every_s)))
    trips = [at for at in request.faults.trips_s if 0.0 <= at < span_s]
    return request.start_s + np.unique(np.concatenate([regular, np.array(trips)]))


def _what(supply: Supply) -> dict[str, str]:
    """What faults call each plant and the tie."""
    return {**{name: f"plant:{name}" for name in supply.years}, TIE: "grid"}


def _known_outages(supply: Supply, faults: Faults, now_s: float, hour: int) -> dict[str, Floats]:
    """Of plants and the tie that stand still now or are known to, the running part of the hours that a plan solves.

    The present hour counts as it stands now. `now_s` from the start of the run, `hour` holds it.
    """
    if not faults.of_supply:
        return {}
    known, found = faults.known_at(now_s), dict[str, Floats]()
    for name, what in _what(supply).items():
        running = known.running_frac(what, hour + SOLVED_H)[hour:]
        running[0] = float(not any(one.what == what and one.at_s <= now_s < one.back_s for one in known.outages))
        if running.min() < 1.0:
            found[name] = running
    return found


def _direct_mw(truth: DispatchProblem) -> Floats:
    """What there is without tanks: sun, wind, and heat of plants that cannot keep it."""
    found = truth.direct_sum_mw.copy()
    for plant in truth.salt.values():
        if plant.tes_mwh_th_max <= 0.0:
            block = plant.power_block_mw_th * (1.0 if plant.running is None else plant.running)
            found += np.minimum(plant.heat_mw_th, block) * plant.per_heat
    return np.asarray(found)


def _rows(series: list[Floats], n: int) -> Floats:
    return np.array(series, dtype=np.float64).reshape(len(series), n)


def _write(world: Any, row: int, due_s: float, hour: int, plan: QuickPlan, of: Planner) -> None:
    """Put a plan into the world, as IT power of the site's own machines."""
    site, factor = of.site, of.site.factor
    clean_kw = it_kw_of(site, plan.clean_mw * factor)
    world.plan_issued_s[row], world.plan_first_hour[row] = due_s, hour
    world.plan_clean_kw[row], world.plan_p10_kw[row] = clean_kw, it_kw_of(site, plan.p10_mw * factor)
    world.plan_grid_kw[row] = it_kw_of(site, (plan.clean_mw + plan.grid_mw) * factor) - clean_kw
    world.plan_salt_kw[row] = plan.salt_mw * of.kw_per_mw
    world.step_kw[row] = it_kw_of(site, plan.step_mw * factor)
    world.step_price[row], world.step_own[row] = plan.step_price, plan.step_own
