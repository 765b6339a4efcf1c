"""Going down and up the ladder: no step in vain, and every reason looks ahead."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from tests.helpers.world import HOUR, World, day_sun, spec

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import JobState, Tier
from eureka_park.control.policy import Policy, Sky
from eureka_park.control.supply import Interval, Step, Supply
from eureka_park.control.tick import tick

BINDING = Policy(sky=Sky.BINDING, min_run_s=60)
LONG = {"tier": Tier.GREEN, "time_s": 60 * HOUR}


def test_who_is_to_stand_still_is_not_capped_on_the_way() -> None:
    sky = {"kw": 2.0}
    world = World(BINDING, lambda _s: sky["kw"])
    world.not_first("p")
    for name in "abcd":
        world.submit(name, spec(**LONG, n_cpus=2, checkpoint=name in "ab"), run_s=50 * HOUR)
    world.run(0.2)
    sky["kw"] = 0.33  # 0.2 are idle power
    decision = world.step()
    assert Counter(event.job_id for event in decision.events) == Counter("abcd"), "one step for each"
    kinds = {event.job_id: type(event) for event in decision.events}
    assert kinds == {"a": ev.JobCapped, "b": ev.JobPausing, "c": ev.JobFrozen, "d": ev.JobFrozen}
    assert world.bound_kw() <= 0.3 + 1e-9
    assert world.state.jobs["c"].cap_frac == 1.0
    assert {decision.reasons[name].code for name in "abcd"} == {"capped_power", "paused_power", "frozen_power"}


def test_caps_meet_the_shortage_that_remains_and_no_more() -> None:
    sky = {"kw": 2.0}
    world = World(BINDING, lambda _s: sky["kw"])
    world.not_first("p")
    for name in "abcd":
        world.submit(name, spec(**LONG, n_cpus=2), run_s=50 * HOUR)
    world.run(0.2)
    full_kw = world.bound_kw()
    sky["kw"] = full_kw - 0.05
    decision = world.step()
    assert [(event.job_id, event.cap_frac) for event in decision.events] == [("d", 0.62)], "the newest alone"


def test_reasons_of_those_who_wait_frozen_or_capped_never_lie_in_the_past() -> None:
    world = World(BINDING, day_sun, now_s=10 * HOUR)
    world.not_first("p")
    for name, cpus in (("small", 1.0), ("large", 5.0)):
        world.submit(name, spec(**LONG, n_cpus=cpus), run_s=50 * HOUR)
    promised: dict[str, float] = {}
    for _ in range(26 * 60):
        decision = world.step()
        for job_id, reason in decision.reasons.items():
            job = world.state.jobs[job_id]
            if reason.code == "resumed_power":
                assert reason.until_s is None and job.state is JobState.RUNNING
                continue
            assert reason.until_s is None or reason.until_s > world.now_s, f"{job_id}: {reason}"
            if job.state is JobState.FROZEN:
                assert reason.until_s is not None
                promised[job_id] = reason.until_s
        for job in world.state.on_node.values():
            if job.state is JobState.FROZEN:
                assert job.job_id in decision.reasons, "a frozen job is told why at every tick"
    thawed = {event.job_id: event.at_s for event in world.of(ev.JobThawed)}
    assert set(thawed) == {"small", "large"}, "the morning thaws both"
    for job_id, at_s in thawed.items():
        assert abs(at_s - promised[job_id]) <= HOUR, f"{job_id} was promised {promised[job_id]}, thawed {at_s}"


def test_what_goes_up_again_says_why() -> None:
    sky = {"kw": 2.0}
    world = World(BINDING, lambda _s: sky["kw"])
    world.not_first("p")
    world.submit("a", spec(**LONG), run_s=50 * HOUR)
    world.run(0.2)
    sky["kw"] = 0.0
    world.step()
    assert world.state.jobs["a"].state is JobState.FROZEN
    world.run(0.6)
    sky["kw"] = 2.0
    decision = world.step()
    assert [type(event) for event in decision.events] == [ev.JobThawed]
    assert decision.reasons["a"].code == "resumed_power" and "2.00 kW" in decision.reasons["a"].text


def test_the_hour_that_is_named_counts_what_comes_first() -> None:
    """Firm work has the first claim: an hour with just enough for the frozen job alone is not the one."""

    def sky(start_s: float) -> float:
        return {0: 2.0, 1: 0.0, 2: 0.3, 3: 0.3, 4: 1.5}.get(int(start_s // HOUR), 2.0)

    world = World(BINDING, sky)
    world.not_first("p")
    world.submit("firm", spec(tier=Tier.FIRM, n_cpus=4, time_s=60 * HOUR), run_s=50 * HOUR)
    world.submit("green", spec(**LONG, n_cpus=2), run_s=50 * HOUR)
    world.run(1.1)
    reason = world.decisions[-1].reasons["green"]
    assert world.state.jobs["green"].state is JobState.FROZEN and reason.until_s == 4 * HOUR
    world.run(3.2)
    assert world.state.jobs["green"].state is JobState.RUNNING
    assert 4 * HOUR <= world.of(ev.JobThawed)[0].at_s <= 4.1 * HOUR


def test_salt_that_is_kept_is_told() -> None:
    steps = (Step(1.0, 100.0, "koudia"), Step(3.0, 900.0, "grid"), Step(5.0, 950.0, "noor-iii"))
    kept = Interval(0.0, HOUR, 1.0, 0.8, 2.0, steps)
    assert kept.kept_kw == 2.0 and replace(kept, steps=steps[:2]).kept_kw == 0.0
    world = World(BINDING, lambda _s: 1.0)
    world.not_first("p")
    world.submit("green", spec(**LONG, n_cpus=8), run_s=50 * HOUR)
    world.clean_kw = lambda _s: 5.0
    world.run(0.2)
    decision = tick(world.state, Supply((replace(kept, end_s=2 * HOUR, clean_kw=0.1),)), BINDING, world.now_s + 90)
    reason = decision.reasons["green"]
    assert reason.code == "frozen_power" and reason.text.endswith("The plan keeps its salt for dearer hours.")
    assert reason.values["kept_kw"] == 2.9 and reason.until_s is None
