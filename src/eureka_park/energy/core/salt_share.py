"""How much of a salt plant's output comes from the tank, how much from the sun of the hour: for pictures, not bills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from eureka_park.foundation.power_plan import PowerPlan

TREND_FRAC: Final = 0.02  # of all tanks together; less than this within the next hour is no trend


def from_salt_mw(
    plan: PowerPlan, eta_frac: Mapping[str, float], pv_mw: Sequence[float]
) -> dict[str, tuple[float, ...]]:
    """By plant with a tank, the part of its `available_by_source_mw` that the falling level explains; MW.

    What a tank loses in an interval times the efficiency `eta_frac` of the power block behind it, at most the output.
    The level before the first interval is not in the plan: there all output is salt without sun (`pv_mw` zero), else
    none.
    """
    hours, found = plan.step_s / 3600.0, {}
    for plant, levels in plan.tes_mwh_th.items():
        output = plan.available_by_source_mw.get(plant)
        if output is None:
            continue
        eta = eta_frac.get(plant, 0.0)
        drawn = [0.0 if pv_mw[0] > 0 else output[0]]
        for before, after, mw in zip(levels, levels[1:], output[1:], strict=False):
            drawn.append(min(mw, max(0.0, before - after) * eta / hours))
        found[plant] = tuple(drawn)
    return found


def salt_now(
    plan: PowerPlan, index: int, now_s: float, before_mwh_th: Mapping[str, float] | None
) -> dict[str, tuple[float, float]]:
    """By plant, salt at `now_s` and at the end of interval `index` that holds it; MWh of heat.

    The plan tells the ends of its intervals. Within one the level goes evenly from its start to its end; the start of
    the plan's first interval is in an earlier plan: `before_mwh_th`, or, where nobody knows it, the end.
    """
    gone_frac = min(1.0, max(0.0, (now_s - plan.interval_start_s(index)) / plan.step_s))
    found = {}
    for plant, levels in plan.tes_mwh_th.items():
        end = levels[index]
        start = levels[index - 1] if index > 0 else (before_mwh_th or {}).get(plant, end)
        found[plant] = (start + (end - start) * gone_frac, end)
    return found


def salt_lasts_h(level_mwh_th: Mapping[str, float], eta_frac: Mapping[str, float], load_mw: float) -> float:
    """Hours for which the salt alone would carry a load (MW at the site meter, losses left out); 0 without one."""
    electric_mwh = sum(level * eta_frac.get(plant, 0.0) for plant, level in level_mwh_th.items())
    return electric_mwh / load_mw if load_mw > 0 else 0.0


def salt_trend(plan: PowerPlan, index: int, level_mwh_th: Mapping[str, float]) -> str:
    """`filling`, `emptying` or `steady`: all tanks, from now to the end of the interval after `index`."""
    later = min(index + 1, plan.n_intervals - 1)
    change = sum(levels[later] for levels in plan.tes_mwh_th.values()) - sum(level_mwh_th.values())
    least = TREND_FRAC * sum(plan.tes_mwh_th_max.values())
    return "filling" if change > least else "emptying" if change < -least else "steady"
