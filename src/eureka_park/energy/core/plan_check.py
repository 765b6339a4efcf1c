"""Whether a plan may be followed, and whether it is still the one that should be."""

from __future__ import annotations

from enum import StrEnum
from math import isfinite
from typing import Final

from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import Site

LATE_AFTER: Final = 3.0  # a plan is late after this many times the interval in which plans are made
ROUNDING_FRAC: Final = 1e-6


class Standing(StrEnum):
    """How the newest plan stands at an instant."""

    NONE = "none"  # there has been no plan yet
    GOOD = "good"
    LATE = "late"  # a newer one is overdue; this one still reaches now and is followed
    OVER = "over"  # it does not reach now: the grid alone is counted on


def standing(plan: PowerPlan | None, now_s: float, plan_every_s: float) -> Standing:
    """How the newest plan stands. `plan_every_s`: how often one is due, in park time."""
    if plan is None:
        return Standing.NONE
    if not plan.start_s <= now_s < plan.end_s:
        return Standing.OVER
    return Standing.LATE if now_s - plan.issued_at_s > LATE_AFTER * plan_every_s else Standing.GOOD


def plan_fault(plan: PowerPlan, site: Site, now_s: float) -> str:
    """What makes a plan absurd, in one sentence; empty for one that may be followed.

    Looked at: that it reaches now and was not issued in the future, that all powers are finite and not negative, that
    p10 <= p50 <= p90, that nobody is promised more than all plants and the tie can give, and that its curve rises.
    """
    if not plan.n_intervals or plan.step_s <= 0:
        return "it has no intervals"
    if not plan.start_s <= now_s < plan.end_s:
        return "it does not reach now"
    if plan.issued_at_s > now_s + plan.step_s:
        return "it was issued in the future"
    return _fault_of_powers(plan) or _fault_of_size(plan, site) or _fault_of_curve(plan)


def _fault_of_powers(plan: PowerPlan) -> str:
    series = {
        "clean_available_mw_p10": plan.clean_available_mw_p10, "clean_available_mw_p50": plan.clean_available_mw_p50,
        "clean_available_mw_p90": plan.clean_available_mw_p90, "grid_limit_mw": plan.grid_limit_mw,
        **plan.available_by_source_mw, **plan.tes_mwh_th, **plan.battery_mwh,
    }  # fmt: skip
    for name, values in series.items():
        if len(values) != plan.n_intervals:
            return f"{name} has {len(values)} values for {plan.n_intervals} intervals"
        bad = next((value for value in values if not isfinite(value) or value < -1e-9), None)
        if bad is not None:
            return f"{name} holds {bad:g}"
    bands = zip(plan.clean_available_mw_p10, plan.clean_available_mw_p50, plan.clean_available_mw_p90, strict=True)
    for p10, p50, p90 in bands:
        room = ROUNDING_FRAC * max(1e-9, p90, p50)
        if p10 > p50 + room or p50 > p90 + room:
            return f"its band is upside down: p10 {p10:g}, p50 {p50:g}, p90 {p90:g} MW"
    return ""


def _fault_of_size(plan: PowerPlan, site: Site) -> str:
    own_mw = sum(plant.gross_mw for plant in site.plants) * site.factor
    most = max(plan.clean_available_mw_p90)
    if most > own_mw * (1.0 + ROUNDING_FRAC) + 1e-9:
        return f"it promises {most:g} MW of clean power; all plants together have {own_mw:g} MW"
    tie = max(plan.grid_limit_mw)
    if tie > site.grid.import_mw_max * site.factor * (1.0 + ROUNDING_FRAC) + 1e-9:
        return f"it takes {tie:g} MW from the grid; the tie has {site.grid.import_mw_max * site.factor:g} MW"
    return ""


def _fault_of_curve(plan: PowerPlan) -> str:
    if len(plan.curve) != plan.n_intervals:
        return f"it has {len(plan.curve)} price curves for {plan.n_intervals} intervals"
    for steps in plan.curve:
        below_mw = 0.0
        for step in steps:
            if not (isfinite(step.up_to_mw) and isfinite(step.cost_mad_per_mwh) and isfinite(step.gco2_per_kwh)):
                return "its price curve is not finite"
            if step.up_to_mw < below_mw - ROUNDING_FRAC * max(1e-9, below_mw):
                return f"its price curve goes back from {below_mw:g} to {step.up_to_mw:g} MW"
            below_mw = step.up_to_mw
    return ""
