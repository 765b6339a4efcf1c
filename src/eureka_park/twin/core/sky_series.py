"""The sky of a run: what plants really give hour by hour, and the plans that control sees, issue by issue.

`replan.open_sky` makes one whose salt is drawn as machines need it and whose plans are made as it is played. `sky_of`
makes one that is known beforehand, whatever machines draw: plans are those of `energy.core.power_plan` for a demand of
the whole site, from the seed's forecasts and the salt that is in the tanks then. Its truth is the weather itself: sun
and wind as they are, and salt drawn as the newest plan has it, as far as the tank holds it; where sun and wind give
more than was planned to be used or sold, salt is kept back. It does not know what the machines then draw: salt that
they leave unused is not saved for later hours. Batteries do what the plan says. Power is IT kW of the site's machines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from eureka_park.energy.core.cooling import it_mw_beyond_fixed
from eureka_park.energy.core.dispatch_problem import DispatchProblem, SaltPlant
from eureka_park.energy.core.forecast import forecast_of
from eureka_park.energy.core.power_plan import WARM_UP_DAYS, PlanRequest, make_plan
from eureka_park.energy.core.quick_plan import fewer_steps
from eureka_park.energy.core.supply import ALL_PLANTS, Supply, problem_from, roll, supply_of
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import GRID_SOURCE_ID, Site
from eureka_park.foundation.units import DAY_S, HOUR_S, kw_from_mw
from eureka_park.twin.core.faults import Faults

if TYPE_CHECKING:
    from eureka_park.twin.core.replan import Planner

Floats = npt.NDArray[np.float64]

PLAN_HOURS: Final = 48
TAIL_H: Final = 48  # hours of truth beyond the run, for what is still running at its end
PLAN_EVERY_H: Final = 6
N_STEPS: Final = 8  # steps of a price curve that are kept; smaller ones are merged
NO_FAULTS: Final = Faults()


@dataclass(frozen=True, slots=True, eq=False)
class Tanks:
    """What salt does in the truth, so that others may ask what it could have done. Plants by rows, hours by columns.

    `direct_kw` is IT power without salt; `per_heat_kw` the IT power of a MW of heat drawn. Heat from the field, most
    that power blocks take (MW of heat), content of tanks (MWh of heat; the first column before the first hour).
    """

    direct_kw: Floats
    per_heat_kw: Floats
    heat_mw_th: Floats
    block_mw_th: Floats
    level_mwh_th: Floats
    size_mwh_th: Floats
    loss_frac: Floats
    spilt_kwh: Floats | None = None  # by hour, of IT energy: heat that no tank could hold, where it is known
    lacking_kw: Floats | None = None  # by hour, IT power that the site itself takes of salt first, where it is known


@dataclass(frozen=True, slots=True, eq=False)
class SkySeries:
    """Truth and plans. `hour0_s` is the UTC epoch second at which the run and its first hour begin.

    `true_clean_kw` has a value for each hour of the run and its tail. Each of P plans, in the order of
    `plan_issued_s` (UTC epoch), tells 48 hours from hour `plan_first_hour` on: clean power (p50, p10), the tie beyond
    it, and steps of price (MAD/MWh, carbon in it) up to a cumulative power; unused steps repeat the last one.
    `tanks`: how the truth came about, where it comes from plants with salt. `planner`: who makes the plans when it is
    played; until then they are empty, and the truth is that without salt. `plan_salt_kw`: what of `plan_clean_kw` is
    salt, where it is asked for.
    """

    hour0_s: float
    true_clean_kw: Floats
    plan_issued_s: Floats
    plan_first_hour: npt.NDArray[np.int64]
    plan_clean_kw: Floats
    plan_p10_kw: Floats
    plan_grid_kw: Floats
    step_up_to_kw: Floats
    step_price: Floats
    step_own: npt.NDArray[np.bool_]
    tanks: Tanks | None = None
    plan_salt_kw: Floats | None = None
    planner: Planner | None = None

    @property
    def n_hours(self) -> int:
        """Hours with a truth."""
        return len(self.true_clean_kw)

    @property
    def n_plans(self) -> int:
        """Plans in all."""
        return len(self.plan_issued_s)

    def plan_at(self, now_s: float) -> int:
        """The newest plan issued by `now_s` (UTC epoch); before the first one, the first."""
        return max(0, int(np.searchsorted(self.plan_issued_s, now_s, side="right")) - 1)


@dataclass(frozen=True, slots=True)
class SkyRequest:
    """What a sky is made for. `prices_stores`: price curves with what salt keeps for other hours, at fourfold cost.

    `faults`: outages of plants and of the tie, instants from the start of the run.
    """

    start_s: float
    days: float
    seed: int = 1
    plan_every_h: int = PLAN_EVERY_H
    scenario: str = ALL_PLANTS
    prices_stores: bool = False
    n_steps: int = N_STEPS
    faults: Faults = NO_FAULTS


def sky_of(site: Site, request: SkyRequest, supply: Supply | None = None) -> SkySeries:
    """The sky of a site, outages left out; `supply`: its plants under other weather or of another size.

    Raises BadInput.
    """
    check_request(request)
    supply = supply or supply_of(site, request.seed, request.scenario)
    n_hours = int(np.ceil(request.days * 24 - 1e-9))
    forecast = forecast_of(supply, request.seed)
    truth_mw, plans, record = np.zeros(n_hours + TAIL_H), [], _Record(n_hours + TAIL_H)
    warm_up_s = request.start_s - WARM_UP_DAYS * DAY_S
    stores = roll(supply, warm_up_s, WARM_UP_DAYS, site.site_mw_max)[1]
    for hour in range(0, n_hours, request.plan_every_h):
        now_s = request.start_s + hour * HOUR_S
        asked = PlanRequest(now_s, site.site_mw_max, stores, request.seed, scenario=request.scenario)
        plans.append(make_plan(site, asked, supply, forecast, prices_stores=request.prices_stores))
        is_last = hour + request.plan_every_h >= n_hours
        until = n_hours + TAIL_H if is_last else hour + request.plan_every_h
        ahead = min(PLAN_HOURS, until - hour)
        truth_mw[hour : hour + ahead], stores = _truth(supply, plans[-1], stores, ahead, record, hour)
        truth_mw[hour + ahead : until] = record.direct_mw[hour + ahead : until] = truth_mw[hour + ahead - 1]
    return replace(sky_of_plans(site, request, truth_mw, plans), tanks=record.tanks(site))


def check_request(request: SkyRequest) -> None:
    """Raises BadInput where no sky can be made of it."""
    if request.start_s % HOUR_S or request.days <= 0 or not 1 <= request.plan_every_h <= 24:
        raise BadInput(
            f"A run of {request.days:g} days with a plan every {request.plan_every_h} h cannot be made.",
            fix="Begin at a full hour, run for more than 0 days, plan every 1 to 24 h.",
            field="days",
        )


def it_kw_of(site: Site, site_mw: Floats) -> Floats:
    """IT power (kW) that powers at the site meter (MW) feed in mild weather, as the live park reads them."""
    return np.maximum(0.0, it_kw_beyond_fixed(site, site_mw))


def it_kw_beyond_fixed(site: Site, site_mw: Floats) -> Floats:
    """The same, below zero where the site itself draws more than there is."""
    return it_mw_beyond_fixed(np.asarray(site_mw, dtype=np.float64), site.pue) * kw_from_mw(1.0)


class _Record:
    """What becomes of salt, written down hour by hour; of the full-scale site."""

    def __init__(self, n_hours: int) -> None:
        self.n_hours, self.direct_mw = n_hours, np.zeros(n_hours)
        self.plants: dict[str, SaltPlant] = {}
        self.heat: dict[str, Floats] = {}
        self.block: dict[str, Floats] = {}
        self.level: dict[str, Floats] = {}

    def open(self, plants: Mapping[str, SaltPlant], stores: Mapping[str, float], at: int) -> None:
        """From hour `at` on these plants stand there, with these contents."""
        for name, plant in plants.items():
            self.plants[name] = plant
            for series, n in ((self.heat, self.n_hours), (self.block, self.n_hours), (self.level, self.n_hours + 1)):
                series.setdefault(name, np.zeros(n))
            self.level[name][at] = min(float(stores.get(name, 0.0)), plant.tes_mwh_th_max)

    def tanks(self, site: Site) -> Tanks | None:
        """All of it; None without tanks. Hours beyond the last known one keep what is left, and draw nothing."""
        names = [name for name, plant in self.plants.items() if plant.tes_mwh_th_max > 0.0]
        if not names:
            return None
        for name in names:
            known = np.flatnonzero(self.block[name])
            after = int(known[-1]) + 2 if len(known) else 1
            kept = 1.0 - self.plants[name].loss_frac
            for hour in range(after, self.n_hours + 1):
                self.level[name][hour] = self.level[name][hour - 1] * kept
        mw = site.site_mw_max
        kw_per_mw = float(np.diff(it_kw_of(site, np.array([mw, mw + site.factor])))[0])
        plants = [self.plants[name] for name in names]
        return Tanks(
            direct_kw=it_kw_of(site, np.maximum(0.0, self.direct_mw) * site.factor),
            per_heat_kw=np.array([plant.per_heat * kw_per_mw for plant in plants]),
            heat_mw_th=np.array([self.heat[name] for name in names]),
            block_mw_th=np.array([self.block[name] for name in names]),
            level_mwh_th=np.array([self.level[name] for name in names]),
            size_mwh_th=np.array([plant.tes_mwh_th_max for plant in plants]),
            loss_frac=np.array([plant.loss_frac for plant in plants]),
        )


def _truth(
    supply: Supply, plan: PowerPlan, stores: Mapping[str, float], n_hours: int, record: _Record, at: int
) -> tuple[Floats, dict[str, float]]:
    """Clean power at the site meter of a full-scale site, MW, for the first hours of a plan; the stores after them.

    What becomes of salt is written into `record` from hour `at` on.
    """
    site, factor = supply.site, supply.site.factor
    real = problem_from(supply, plan.start_s, np.full(n_hours, site.site_mw_max), stores)
    direct = _summed(list(real.direct_mw.values()), n_hours)
    available = {name: np.array(series[:n_hours]) / factor for name, series in plan.available_by_source_mw.items()}
    given_mw, taken_mw = battery_flows(real, available, plan, n_hours)
    uncharged_mw = _summed([series for name, series in available.items() if name not in real.batteries], n_hours)
    kept_frac = np.maximum(1e-9, uncharged_mw) / np.maximum(1e-9, uncharged_mw + taken_mw)
    left = {name: float(stores.get(name, 0.0)) for name in real.salt}
    total = direct + given_mw - taken_mw
    record.open(real.salt, stores, at)
    record.direct_mw[at : at + n_hours] = total
    wanted_mw = (np.array(plan.load_mw[:n_hours]) + np.array(plan.export_mw[:n_hours])) / factor
    for hour in range(n_hours):
        drawn = {}
        for name, plant in real.salt.items():
            there = (1.0 - plant.loss_frac) * min(left[name], plant.tes_mwh_th_max) + float(plant.heat_mw_th[hour])
            wanted = float(available[name][hour] / kept_frac[hour]) / max(plant.per_heat, 1e-12)
            left[name], drawn[name] = there, min(wanted, plant.power_block_mw_th, there)
        over = float(total[hour] - wanted_mw[hour]) + sum(drawn[name] * real.salt[name].per_heat for name in drawn)
        for name, plant in real.salt.items():
            room = max(0.0, plant.tes_mwh_th_max - (left[name] - drawn[name]))
            back = min(drawn[name], room, max(0.0, over) / max(plant.per_heat, 1e-12))
            over -= back * plant.per_heat
            total[hour] += (drawn[name] - back) * plant.per_heat
            left[name] = min(plant.tes_mwh_th_max, left[name] - drawn[name] + back)
            record.heat[name][at + hour], record.block[name][at + hour] = (
                plant.heat_mw_th[hour],
                plant.power_block_mw_th,
            )
            record.level[name][at + hour + 1] = left[name]
    last = n_hours - 1
    batteries = {name: series[last] / factor for name, series in plan.battery_mwh.items()}
    return np.maximum(0.0, total), {**left, **batteries}


def _summed(series: list[Floats], n_hours: int) -> Floats:
    return np.asarray(np.sum(series, axis=0), dtype=np.float64) if series else np.zeros(n_hours)


def battery_flows(
    real: DispatchProblem, available_mw: Mapping[str, Floats], plan: PowerPlan, n_hours: int
) -> tuple[Floats, Floats]:
    """What batteries give and take by the plan, MW of the full site; taking follows from what they hold."""
    given, taken = np.zeros(n_hours), np.zeros(n_hours)
    for name, battery in real.batteries.items():
        holds = np.array(plan.battery_mwh[name][:n_hours])
        scale = battery.energy_mwh / max(plan.battery_mwh_max[name], 1e-12)
        before = np.concatenate([[battery.start_mwh], holds[:-1] * scale])
        grown = holds * scale - before * (1.0 - battery.loss_frac) + available_mw[name] / battery.discharge_frac
        given += available_mw[name]
        taken += np.maximum(0.0, grown / battery.charge_frac)
    return given, taken


# From plans to arrays ---------------------------------------------------------------------------


def sky_of_plans(site: Site, request: SkyRequest, truth_mw: Floats, plans: Sequence[PowerPlan]) -> SkySeries:
    """The sky that plans tell, 48 hours each, beside a truth by hour (MW at the meter of a full-scale site)."""
    clean_mw = np.array([plan.clean_available_mw_p50 for plan in plans])
    grid_mw = np.array([plan.grid_limit_mw for plan in plans])
    p10_mw = np.array([plan.clean_available_mw_p10 for plan in plans])
    clean_kw = it_kw_of(site, clean_mw)
    weight, shape = site.policy.carbon_weight_mad_per_kg, (len(plans), PLAN_HOURS, request.n_steps)
    steps: tuple[list[Floats], ...] = ([], [], [])
    for plan in plans:
        for hour in range(PLAN_HOURS):
            for column, values in zip(steps, _steps(plan, hour, weight, request.n_steps), strict=True):
                column.append(values)
    issued_s = np.array([plan.issued_at_s for plan in plans])
    return SkySeries(
        hour0_s=request.start_s,
        true_clean_kw=it_kw_of(site, truth_mw * site.factor),
        plan_issued_s=issued_s,
        plan_first_hour=((np.array([plan.start_s for plan in plans]) - request.start_s) // HOUR_S).astype(np.int64),
        plan_clean_kw=clean_kw,
        plan_p10_kw=it_kw_of(site, p10_mw),
        plan_grid_kw=it_kw_of(site, clean_mw + grid_mw) - clean_kw,
        step_up_to_kw=it_kw_of(site, np.array(steps[0]).reshape(shape)),
        step_price=np.array(steps[1]).reshape(shape),
        step_own=np.array(steps[2]).reshape(shape) > 0.5,
    )


def _steps(plan: PowerPlan, hour: int, carbon_mad_per_kg: float, n_steps: int) -> tuple[Floats, Floats, Floats]:
    """Cumulative power (MW), price with carbon, and whether it is the park's own, of at most `n_steps` steps."""
    rows = [
        (step.up_to_mw, step.cost_mad_per_mwh + carbon_mad_per_kg * step.gco2_per_kwh, step.source != GRID_SOURCE_ID)
        for step in plan.curve[hour]
    ]
    rows = fewer_steps(rows or [(0.0, 0.0, False)], n_steps)
    rows += [rows[-1]] * (n_steps - len(rows))
    up_to, price, own = np.array(rows, dtype=np.float64).T
    return up_to, price, own


# Plain skies ------------------------------------------------------------------------------------


def flat_sky(kw: float, days: float, grid_kw: float = 0.0, hour0_s: float = 0.0, price: float = 500.0) -> SkySeries:
    """The same clean power always, known exactly; the tie beyond it at `price`. IT kW."""
    return known_sky(np.full(int(np.ceil(days * 24)) + TAIL_H, float(kw)), grid_kw, hour0_s, price)


def day_sun_sky(
    peak_kw: float, days: float, night_kw: float = 0.0, grid_kw: float = 0.0, hour0_s: float = 0.0, price: float = 500.0
) -> SkySeries:
    """A sun that shines from 6 to 18 h with its peak at noon, above what is there at night; known exactly. IT kW."""
    hours = np.arange(int(np.ceil(days * 24)) + TAIL_H) % 24
    sun = np.maximum(0.0, np.sin(np.pi * (hours + 0.5 - 6.0) / 12.0))
    return known_sky(np.asarray(night_kw + (peak_kw - night_kw) * sun), grid_kw, hour0_s, price)


def known_sky(
    true_clean_kw: Floats,
    grid_kw: float,
    hour0_s: float = 0.0,
    price: float = 500.0,
    plan_every_h: int = PLAN_EVERY_H,
) -> SkySeries:
    """A sky that plans know exactly: own power for nothing, the tie at one price. IT kW."""
    truth = np.asarray(true_clean_kw, dtype=np.float64)
    firsts = np.arange(0, max(1, len(truth) - TAIL_H), plan_every_h, dtype=np.int64)
    hours = np.minimum(firsts[:, None] + np.arange(PLAN_HOURS), len(truth) - 1)
    clean = truth[hours]
    up_to = np.stack([clean, clean + grid_kw], axis=2)
    prices, own = np.zeros_like(up_to), np.zeros(up_to.shape, dtype=np.bool_)
    prices[:, :, 1], own[:, :, 0] = price, True
    return SkySeries(
        hour0_s, truth, np.asarray(hour0_s + HOUR_S * firsts, dtype=np.float64), firsts, clean, clean.copy(),
        np.full_like(clean, grid_kw), up_to, prices, own,
    )  # fmt: skip
