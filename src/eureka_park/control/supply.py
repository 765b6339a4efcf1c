"""The plan as the tick reads it: IT kilowatts per interval, and the rising price of more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import GRID_SOURCE_ID
from eureka_park.foundation.units import HOUR_S

ItKwOf = Callable[[float], float]  # site MW -> IT kW; how PUE depends on load is known to energy.core alone


@dataclass(frozen=True, slots=True)
class Step:
    """Up to `up_to_kw` (IT, cumulative) one more MWh costs `price` (MAD, its carbon priced in)."""

    up_to_kw: float
    price: float
    source: str


@dataclass(frozen=True, slots=True)
class Interval:
    """What could be drawn in one interval of the plan, at the IT side."""

    start_s: float
    end_s: float
    clean_kw: float
    clean_kw_p10: float
    grid_kw: float
    steps: tuple[Step, ...]
    salt_frac: float | None = None  # of what its tanks hold, how much is in them at its end; None where there are none

    @property
    def kept_kw(self) -> float:
        """Salt power beyond the clean power of the plan: there, but kept for hours in which it is worth more."""
        below_kw = own_kw = 0.0
        for step in self.steps:
            own_kw += step.up_to_kw - below_kw if step.source != GRID_SOURCE_ID else 0.0
            below_kw = step.up_to_kw
        return max(0.0, own_kw - self.clean_kw)

    def price_of(self, from_kw: float, add_kw: float) -> float:
        """Mean price (MAD/MWh with carbon) of `add_kw` on top of `from_kw`; beyond the last step its price is
        doubled.
        """
        if add_kw <= 0 or not self.steps:
            return 0.0
        left, at, cost = add_kw, from_kw, 0.0
        for step in self.steps:
            part = min(left, max(0.0, step.up_to_kw - at))
            cost += part * step.price
            left -= part
            at += part
            if left <= 1e-12:
                break
        return (cost + left * 2.0 * self.steps[-1].price) / add_kw


@dataclass(frozen=True, slots=True)
class Supply:
    """The rest of a plan from now on; the first interval is the one that holds now."""

    intervals: tuple[Interval, ...]

    @property
    def now(self) -> Interval:
        """The interval that holds now."""
        return self.intervals[0]


def supply_from_plan(plan: PowerPlan, now_s: float, it_kw_of: ItKwOf, carbon_mad_per_kg: float) -> Supply:
    """Read a plan from the interval that holds `now_s` on. Raises Unavailable when the plan does not reach it.

    A price in MAD/MWh gains `carbon_mad_per_kg` x gCO2/kWh, as g/kWh equals kg/MWh.
    """
    first = plan.index_at(now_s)
    salt_max = sum(plan.tes_mwh_th_max.values())
    intervals = []
    for index in range(first, plan.n_intervals):
        steps = tuple(
            Step(it_kw_of(step.up_to_mw), step.cost_mad_per_mwh + carbon_mad_per_kg * step.gco2_per_kwh, step.source)
            for step in plan.curve[index]
        )
        start_s = plan.interval_start_s(index)
        clean_mw = plan.clean_available_mw_p50[index]
        clean_kw = it_kw_of(clean_mw)
        intervals.append(
            Interval(
                start_s,
                start_s + plan.step_s,
                clean_kw,
                it_kw_of(plan.clean_available_mw_p10[index]),
                it_kw_of(clean_mw + plan.grid_limit_mw[index]) - clean_kw,
                steps,
                sum(series[index] for series in plan.tes_mwh_th.values()) / salt_max if salt_max > 0 else None,
            )
        )
    return Supply(tuple(intervals))


def grid_only(now_s: float, grid_kw: float, price: float) -> Supply:
    """The safe fallback while there is no plan: nothing clean is promised, the grid carries what may use it."""
    steps = (Step(grid_kw, price, "grid"),)
    return Supply((Interval(now_s, now_s + HOUR_S, 0.0, 0.0, grid_kw, steps),))


@dataclass(frozen=True, slots=True)
class Work:
    """Work that is declared: its power if all of it ran at once, and its energy, both above the idle power; kW, kWh."""

    wanted_kw: float
    left_kwh: float


def potential_demand_mw(
    n_intervals: int,
    step_s: float,
    capacity_kw: float,
    idle_kw: float,
    expected_frac: float,
    work: Work,
    site_mw_of: Callable[[float], float],
) -> tuple[float, ...]:
    """Potential demand at the site meter for the next plan: declared work at the power it wants, then what is expected.

    Never less than idle and expected, never more than capacity: an idle park with a full queue asks for everything it
    could use, so it is not starved by its own idleness.
    """
    room_kw = max(0.0, capacity_kw - idle_kw)
    expected_kw = expected_frac * room_kw
    hours, left_kwh = step_s / HOUR_S, work.left_kwh
    demand = []
    for _ in range(n_intervals):
        drawn_kw = min(room_kw, work.wanted_kw) if left_kwh > 1e-12 else 0.0
        left_kwh -= drawn_kw * hours
        demand.append(site_mw_of(idle_kw + max(expected_kw, drawn_kw)))
    return tuple(demand)
