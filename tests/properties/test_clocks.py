"""Two clocks: park time may be paced, energy and processes never are."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.live_park import START_S, LivePark
from tests.helpers.recorder import PlanInProcess

from eureka_park import bootstrap
from eureka_park.adapters.system_clock import SystemClock
from eureka_park.control.of_site import policy_of
from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.foundation.clock import Pace, SteppedClock
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_reading import load_site
from eureka_park.foundation.units import HOUR_S
from eureka_park.live.metering import _parts
from eureka_park.live.planning import SCHEDULED_S, Planning
from eureka_park.live.process import take_lease

SITE = load_site("eureka-park")
PLAN = make_plan(SITE, PlanRequest(START_S, 300.0))
paces = st.sampled_from([0.5, 1.0, 7.0, 60.0, 240.0, 1000.0])


@given(paces, st.floats(0, 2e9), st.floats(0, 2e9), st.floats(0, 1e6))
def test_park_time_follows_real_time_and_comes_back(
    factor: float, real_s: float, park_s: float, later_s: float
) -> None:
    pace = Pace(factor, real_s, park_s)
    assert pace.park_from_real_s(real_s) == park_s
    assert pace.park_from_real_s(real_s + later_s) - park_s == pytest.approx(later_s * factor, rel=1e-6, abs=1e-3)
    assert pace.real_from_park_s(pace.park_from_real_s(real_s + later_s)) == pytest.approx(real_s + later_s, abs=1e-3)


@given(
    paces,
    st.floats(-2 * HOUR_S, 60 * HOUR_S),
    st.floats(0.01, 4000.0),
    st.dictionaries(st.sampled_from(["job-a", "job-b", "idle"]), st.integers(0, 10**12), min_size=1),
)
def test_energy_falls_into_the_park_hours_of_its_real_seconds(
    factor: float, shift_s: float, real_s: float, energy_uj: dict[str, int]
) -> None:
    """Whatever the pace: nothing is lost, the parts join, each lies in one hour of the plan, in proportion to time."""
    start_s = PLAN.start_s + shift_s
    end_s = start_s + real_s * factor

    def plan_at(at_s: float) -> PowerPlan | None:
        return PLAN

    parts = _parts(start_s, end_s, energy_uj, plan_at)
    for name, whole_uj in energy_uj.items():
        assert sum(part[name] for _, _, _, part in parts) == whole_uj
    assert parts[0][0] == start_s and parts[-1][1] == pytest.approx(end_s)
    for (_, stop_s, _, _), (begin_s, _, _, _) in pairwise(parts):
        assert stop_s == begin_s
    for begin_s, stop_s, plan, part in parts:
        if plan is not None:
            assert begin_s // HOUR_S * HOUR_S + HOUR_S >= stop_s, "one hour of the plan"
        else:
            assert begin_s < PLAN.start_s or stop_s > PLAN.end_s
        for name, whole_uj in energy_uj.items():
            share_uj = whole_uj * (stop_s - begin_s) / (end_s - start_s)
            assert part[name] == pytest.approx(share_uj, rel=1e-6, abs=len(parts) + 1)


@pytest.mark.parametrize("factor", [1.0, 60.0, 600.0])
def test_the_same_real_run_costs_the_same_energy_at_any_pace(factor: float, tmp_path: Path) -> None:
    park = LivePark(tmp_path, pace_factor=factor)
    park.park.close()
    park.clock = SteppedClock(START_S, park.park.facts.pace)
    park.engine.clock = park.meter.clock = park.clock
    park.open()
    job_id = park.submit(run_s=120, tier="firm", cpus=1, time=120 * factor * 1.5)
    park.step(5, times=30)
    assert park.view(job_id)["state"] == "finished"
    receipt = park.receipt(job_id)
    assert receipt["it_kwh"] * 3.6e6 == pytest.approx(10 * 120 + 10 * 120, rel=0.12), "watts times real seconds"
    assert receipt["cpu_h"] == pytest.approx(120 * factor / 3600, rel=0.06), "its run time is park time"
    n_hours = len({hour["hour_at"] for hour in receipt["hours"]})
    assert n_hours >= 120 * factor // 3600
    park.park.close()


@given(paces)
def test_plans_are_made_as_often_as_they_serve_but_never_in_a_hurry(factor: float) -> None:
    class Counting(PlanInProcess):
        def start(self, request: dict[str, Any]) -> None:
            self.requests.append(request)
            self._plan = make_plan_fast(request["now_s"])

    def make_plan_fast(now_s: float) -> PowerPlan:
        from dataclasses import replace

        return replace(PLAN, plan_id=f"plan-{now_s}", issued_at_s=now_s, start_s=now_s // HOUR_S * HOUR_S)

    maker, pace = Counting(), Pace(factor, 0.0, START_S)
    planning = Planning(SITE, maker, lambda _at, _factor: None)
    asked_real_s: list[float] = []
    for second in range(3600):
        n_before = len(maker.requests)
        planning.step(pace.park_from_real_s(second), second, (300.0,) * 48)
        if len(maker.requests) > n_before:
            asked_real_s.append(second)
    gaps_s = [after - before for before, after in pairwise(asked_real_s)]
    assert min(gaps_s) >= SCHEDULED_S
    assert max(gaps_s) * factor <= max(SITE.policy.plan_every_s, (SCHEDULED_S + 1) * factor) + factor


@pytest.mark.parametrize(
    ("factor", "least_s", "apart_s"), [(1.0, 300.0, 1800.0), (60.0, 5.0, 30.0), (600.0, 4.0, 15.0)]
)
def test_pauses_leave_processes_real_seconds(factor: float, least_s: float, apart_s: float) -> None:
    policy = policy_of(SITE, frozenset(), factor)
    assert policy.min_run_s / factor == pytest.approx(least_s)
    assert HOUR_S / policy.pause_rate_max_per_h / factor == pytest.approx(apart_s)


def test_park_time_never_goes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither when the machine's clock is set back under a process, nor under a park that was stopped."""
    now = {"s": START_S}
    monkeypatch.setattr(time, "time", lambda: now["s"])
    clock = SystemClock(Pace(60.0, START_S, 0.0))
    now["s"] += 100
    before_s = clock.park_s()
    now["s"] -= 50
    assert clock.park_s() == before_s
    now["s"] += 60
    assert clock.park_s() == before_s + 600

    home = bootstrap.make_home(tmp_path / "home", now_real_s=now["s"], pace_factor=60.0, is_bare=True)
    bootstrap.prepare(home.folder)
    park = bootstrap.open_park(home.folder)
    now["s"] += 1000
    take_lease(park.db, park.clock)
    last_s = park.clock.park_s()
    park.close()
    now["s"] -= 500
    again = bootstrap.open_park(home.folder)
    assert again.clock.park_s() == pytest.approx(last_s)
    again.close()
