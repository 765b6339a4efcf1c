"""Absurd plans are not followed; a plan that is late or over says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eureka_park.energy.core.plan_check import Standing, plan_fault, standing
from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_reading import load_site

SITE = load_site("eureka-park")
NOW_S = 1_790_000_000.0


@pytest.fixture(scope="module")
def plan() -> PowerPlan:
    return make_plan(SITE, PlanRequest(now_s=NOW_S, demand_mw=200.0))


def test_a_real_plan_is_followed(plan: PowerPlan) -> None:
    assert plan_fault(plan, SITE, NOW_S) == ""


def test_each_absurdity_is_named(plan: PowerPlan) -> None:
    first, *rest = plan.clean_available_mw_p50
    step = plan.curve[0][-1]
    back = (*plan.curve[0], replace(step, up_to_mw=step.up_to_mw - 1.0))
    faults = {
        "holds nan": replace(plan, clean_available_mw_p50=(float("nan"), *rest)),
        "holds -5": replace(plan, clean_available_mw_p10=(-5.0, *plan.clean_available_mw_p10[1:])),
        "47 values": replace(plan, grid_limit_mw=plan.grid_limit_mw[1:]),
        "upside down": replace(plan, clean_available_mw_p10=(first + 1.0, *plan.clean_available_mw_p10[1:])),
        "all plants together have": replace(plan, clean_available_mw_p90=(1e6, *plan.clean_available_mw_p90[1:])),
        "the tie has": replace(plan, grid_limit_mw=(1e6, *plan.grid_limit_mw[1:])),
        "goes back": replace(plan, curve=(back, *plan.curve[1:])),
        "future": replace(plan, issued_at_s=NOW_S + 86_400.0),
        "reach now": replace(plan, start_s=NOW_S + 3600.0),
    }
    for said, wrong in faults.items():
        assert said in plan_fault(wrong, SITE, NOW_S), said


def test_standing_follows_the_clock(plan: PowerPlan) -> None:
    assert standing(None, NOW_S, 900.0) is Standing.NONE
    assert standing(plan, NOW_S, 900.0) is Standing.GOOD
    assert standing(plan, plan.issued_at_s + 2701.0, 900.0) is Standing.LATE
    assert standing(plan, plan.end_s, 900.0) is Standing.OVER
