"""The last good plan is kept when a new one is absurd."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_reading import load_site
from eureka_park.live.planning import Planning

SITE = load_site("eureka-park")
NOW_S = 1_790_000_000.0


class Maker:
    """Hands out what it is given."""

    is_busy = False

    def __init__(self) -> None:
        self.ready: PowerPlan | None = None

    def start(self, request: dict[str, Any]) -> None:
        return

    def take(self) -> tuple[PowerPlan | None, str | None]:
        plan, self.ready = self.ready, None
        return plan, None


def test_an_absurd_plan_is_not_followed() -> None:
    maker = Maker()
    planning = Planning(SITE, maker, lambda _at, _factor: None)
    good = make_plan(SITE, PlanRequest(now_s=NOW_S, demand_mw=200.0))
    maker.ready = good
    assert planning.step(NOW_S, 0.0, (200.0,)) is good
    maker.ready = replace(good, clean_available_mw_p50=(float("inf"),) * good.n_intervals)
    assert planning.step(NOW_S + 60.0, 60.0, (200.0,)) is None
    assert planning.plan is good
    assert planning.error == "The new plan is not followed: clean_available_mw_p50 holds inf."
    maker.ready = good
    assert planning.step(NOW_S + 120.0, 120.0, (200.0,)) is good
    assert planning.error == ""
