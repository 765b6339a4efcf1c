"""The tick over a stepped world: tiers, ladder, pauses, order and reasons."""

from __future__ import annotations

from itertools import pairwise

from tests.helpers.world import HOUR, World, day_sun, node, spec

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import JobState, Tier
from eureka_park.control.policy import Policy, Sky
from eureka_park.control.supply import grid_only
from eureka_park.control.tick import tick

GREEN, BINDING, OBSERVED = (Policy(sky=sky, min_run_s=60) for sky in (Sky.GREEN, Sky.BINDING, Sky.OBSERVED))


def no_sun(_s: float) -> float:
    return 0.0


def much(_s: float) -> float:
    return 5.0


def test_first_job_of_a_project_starts_whatever_the_sky_says() -> None:
    for tier in Tier:
        world = World(BINDING, no_sun)
        world.submit("a", spec(tier=tier))
        world.step(10)
        assert world.started("a") == 10


def test_firm_starts_on_the_grid_and_green_waits_for_the_sun_with_the_hour_named() -> None:
    world = World(GREEN, day_sun, now_s=2 * HOUR)
    world.not_first("p")
    world.submit("firm", spec(tier=Tier.FIRM))
    world.submit("green", spec(tier=Tier.GREEN))
    decision = world.step()
    assert world.started("firm") and world.started("green") is None
    reason = decision.reasons["green"]
    assert reason.code == "clean_power" and reason.until_s == 7 * HOUR
    assert "0 W" in reason.text or "0.00 W" in reason.text
    world.run(6)
    assert 7 * HOUR <= world.started("green") < 8 * HOUR


def test_firm_is_admitted_only_within_grid_and_p10_clean() -> None:
    world = World(BINDING, no_sun, grid_kw=0.45)
    world.not_first("p")
    world.submit("a", spec(tier=Tier.FIRM, n_cpus=2))  # 0.25 kW with its share of idle
    world.submit("b", spec(tier=Tier.FIRM, n_cpus=2))
    decision = world.step()
    assert world.started("a") and not world.started("b")
    assert decision.reasons["b"].code == "firm_power"


def test_flex_with_slack_waits_for_the_cheap_hours_and_meets_its_deadline() -> None:
    world = World(GREEN, day_sun)
    world.not_first("p")
    world.submit("slack", spec(deadline_s=20 * HOUR))
    world.submit("tight", spec(deadline_s=3 * HOUR))
    world.submit("none", spec())
    decision = world.step()
    assert world.started("none") is not None, "a job without a deadline has not offered to wait"
    assert decision.reasons["slack"].code == "better_hour"
    world.run(20)
    assert 6 * HOUR < world.started("slack") < 18 * HOUR
    assert world.ended["slack"].state is JobState.FINISHED and world.ended["slack"].ended_s <= 20 * HOUR
    assert world.ended["tight"].ended_s <= 3 * HOUR + 120


def test_binding_sky_runs_urgent_flex_on_the_grid_in_time() -> None:
    world = World(BINDING, no_sun)
    world.not_first("p")
    world.submit("a", spec(deadline_s=5 * HOUR))
    world.run(6)
    assert 3.9 * HOUR < world.started("a") <= 4.1 * HOUR


def test_ladder_caps_before_it_pauses_and_goes_up_again() -> None:
    sky = {"kw": 2.0}
    world = World(BINDING, lambda _s: sky["kw"])
    world.not_first("p")
    for name in "abcd":
        world.submit(name, spec(tier=Tier.GREEN, n_cpus=2, time_s=40 * HOUR), run_s=30 * HOUR)
    world.run(0.2)
    assert len(world.state.on_node) == 4
    sky["kw"] = 0.75
    decision = world.step()
    assert {type(event) for event in decision.events} == {ev.JobCapped}
    assert world.bound_kw() <= 0.75 + 1e-9
    assert all(reason.code == "capped_power" for reason in decision.reasons.values())
    sky["kw"] = 2.0
    world.step()
    assert all(job.cap_frac == 1.0 for job in world.state.on_node.values())


def test_without_checkpoint_frozen_never_killed_with_checkpoint_paused() -> None:
    sky = {"kw": 2.0}
    world = World(BINDING, lambda _s: sky["kw"])
    world.not_first("p")
    world.submit("plain", spec(tier=Tier.GREEN, time_s=40 * HOUR), run_s=2 * HOUR)
    world.submit("saves", spec(tier=Tier.GREEN, checkpoint=True, time_s=40 * HOUR), run_s=2 * HOUR)
    world.run(0.2)
    sky["kw"] = 0.0
    world.step()
    assert world.state.jobs["plain"].state is JobState.FROZEN
    assert world.state.jobs["saves"].state is JobState.PAUSING
    world.step()
    assert world.state.jobs["saves"].state is JobState.PAUSED
    sky["kw"] = 2.0
    world.run(4)
    assert world.ended["plain"].state is world.ended["saves"].state is JobState.FINISHED
    assert world.ended["saves"].resume_count == 1 and world.ended["plain"].attempt == 1


def test_engine_that_cannot_freeze_lets_uncheckpointed_jobs_run_on() -> None:
    sky = {"kw": 2.0}
    world = World(Policy(sky=Sky.BINDING, min_run_s=60, can_freeze=False, can_cap=False), lambda _s: sky["kw"])
    world.not_first("p")
    world.submit("plain", spec(tier=Tier.GREEN), run_s=0.5 * HOUR)
    world.run(0.2)
    sky["kw"] = 0.0
    world.run(1)
    assert world.ended["plain"].state is JobState.FINISHED and not world.of(ev.JobFrozen)


def test_green_binding_sky_leaves_flex_and_firm_alone() -> None:
    sky = {"kw": 2.0}
    world = World(GREEN, lambda _s: sky["kw"])
    world.not_first("p")
    for tier in Tier:
        world.submit(tier, spec(tier=tier, time_s=10 * HOUR), run_s=2 * HOUR)
    world.run(0.2)
    sky["kw"] = 0.0
    world.run(1)
    assert {event.job_id for event in world.of(ev.JobFrozen)} == {"green"}
    assert {event.job_id for event in world.of(ev.JobCapped)} <= {"green"}


def test_observed_sky_holds_nothing() -> None:
    world = World(OBSERVED, no_sun)
    world.not_first("p")
    for tier in Tier:
        world.submit(tier, spec(tier=tier))
    world.step()
    assert len(world.state.on_node) == 3


def test_longer_than_declared_is_ended() -> None:
    world = World(GREEN, much)
    world.submit("a", spec(time_s=600), run_s=HOUR)
    world.run(0.5)
    assert [event.why for event in world.of(ev.JobEnding)] == ["time"]
    assert world.ended["a"].state is JobState.FAILED


def test_dependencies_hold_release_and_break() -> None:
    world = World(GREEN, much)
    world.submit("a", spec(), run_s=600)
    world.submit("b", spec(), run_s=600, waiting_for=["a"])
    decision = world.step()
    assert decision.reasons["b"].code == "dependency" and world.started("b") is None
    world.run(1)
    assert world.ended["b"].state is JobState.FINISHED
    world.submit("c", spec(time_s=300), run_s=HOUR)
    world.submit("d", spec(), waiting_for=["c"])
    world.run(1)
    assert world.ended["c"].state is JobState.FAILED and world.ended["d"].state is JobState.CANCELLED
    assert "c" in world.ended["d"].detail


def test_array_dependency_waits_for_every_task() -> None:
    world = World(GREEN, much)
    world.submit("arr", spec(n_tasks=3, is_array=True, n_cpus=4))
    world.submit("after", spec(), waiting_for=["arr"])
    world.run(0.9)
    assert world.started("after") is None
    world.run(2.2)
    assert world.started("after") is not None
    assert sorted(world.ended) == ["arr[0]", "arr[1]", "arr[2]"] or "after" in world.ended


def test_fair_share_alternates_between_projects() -> None:
    world = World(OBSERVED, much, nodes=(node(n_cpus=1),))
    for index in range(3):
        world.submit(f"a{index}", spec("alice"), run_s=600)
    for index in range(3):
        world.submit(f"b{index}", spec("bob"), run_s=600)
    world.run(2)
    order = [event.job_id[0] for event in world.of(ev.JobStarting)]
    assert order == ["a", "b", "a", "b", "a", "b"]


def test_weights_give_a_larger_part() -> None:
    world = World(OBSERVED, much, nodes=(node(n_cpus=1),))
    world.happen(ev.SharesDeclared(0.0, (("big", 3.0, 0.0), ("small", 1.0, 0.0))))
    for index in range(40):
        world.submit(f"b{index}", spec("big"), run_s=540)
        world.submit(f"s{index}", spec("small"), run_s=540)
    world.run(6)
    started = [event.job_id[0] for event in world.of(ev.JobStarting)]
    assert 2.2 < started.count("b") / started.count("s") < 3.8


def test_priority_goes_first_within_a_project() -> None:
    world = World(OBSERVED, much, nodes=(node(n_cpus=1),))
    world.submit("x", spec(), run_s=600)
    world.submit("low", spec(priority=0), run_s=600)
    world.submit("high", spec(priority=5), run_s=600)
    world.run(1)
    assert world.started("high") < world.started("low")


def test_without_a_plan_nothing_starts_and_the_grid_alone_carries_firm() -> None:
    world = World(GREEN, much)
    world.not_first("p")
    world.submit("firm", spec(tier=Tier.FIRM))
    world.submit("green", spec(tier=Tier.GREEN))
    decision = tick(world.state, None, GREEN, 10.0)
    assert not decision.events and decision.reasons["firm"].code == "no_plan"
    decision = tick(world.state, grid_only(20.0, 5.0, 1000.0), GREEN, 20.0)
    assert [event.job_id for event in decision.events] == ["firm"]
    assert decision.reasons["green"].code == "clean_power"


def test_reason_for_room_names_what_is_free_and_until_when() -> None:
    world = World(OBSERVED, much, nodes=(node(n_cpus=2),))
    world.submit("a", spec(n_cpus=2, time_s=1800))
    world.submit("b", spec(n_cpus=1))
    world.step()
    decision = world.step()
    reason = decision.reasons["b"]
    assert reason.code == "room" and "1 CPU" in reason.text and "0 CPU" in reason.text
    assert abs(reason.until_s - (world.started("a") + 60 + 1800)) < 1


def test_ramp_up_from_idle_thousand_jobs_fill_the_park() -> None:
    nodes = tuple(node(f"n{i:03d}") for i in range(100))
    world = World(BINDING, lambda _s: 200.0, nodes=nodes)
    world.not_first("p")
    for index in range(1000):
        world.submit(f"j{index}", spec(n_cpus=1), run_s=10 * HOUR)
    for _ in range(5):
        world.step(60)
    assert sum(job.spec.n_cpus for job in world.state.on_node.values()) == 800


def test_thousand_equal_flex_jobs_do_not_oscillate() -> None:
    """Equal jobs, one price, a sky that hovers about what they need: no job is stopped and started again and again."""
    nodes = tuple(node(f"n{i:03d}") for i in range(100))
    wobble = {"n": 0}

    def sky(start_s: float) -> float:
        return 60.0 + (3.0 if (int(start_s // HOUR) + wobble["n"]) % 2 else -3.0)

    world = World(BINDING, sky, nodes=nodes, grid_kw=20.0)
    world.not_first("p")
    for index in range(1000):
        world.submit(f"j{index}", spec(deadline_s=60 * HOUR, time_s=5 * HOUR), run_s=4 * HOUR)
    running = []
    for minute in range(24 * 20):
        wobble["n"] = minute % 7 == 0
        world.step(180)
        running.append(len(world.state.on_node))
    stops = len(world.of(ev.JobPausing)) + len(world.of(ev.JobFrozen))
    assert stops <= 20, f"{stops} stops"
    swings = [abs(b - a) for a, b in pairwise(running)]
    assert max(running) >= 400 and sum(1 for swing in swings if swing > 100) <= 12
    assert len(world.ended) >= 900


def test_jobs_waiting_for_a_better_hour_hold_up_nobody_behind_them() -> None:
    world = World(GREEN, day_sun)
    world.not_first("p")
    for index in range(20):
        world.submit(f"slack{index}", spec(deadline_s=23 * HOUR, n_cpus=0.1), run_s=600)
    world.submit("urgent", spec(deadline_s=1.2 * HOUR, n_cpus=0.1), run_s=600)
    world.submit("none", spec(n_cpus=0.1), run_s=600)
    world.step()
    assert world.started("none") is not None and world.started("slack0") is None
    world.run(1.2)
    assert world.ended["urgent"].ended_s <= 1.2 * HOUR


def test_a_large_job_is_not_overtaken_for_ever() -> None:
    world = World(OBSERVED, much, nodes=(node(n_cpus=8),))
    for index in range(8):
        world.submit(f"a{index}", spec("busy", time_s=1200), run_s=1200 - 60 * index)
    world.step(10)
    world.submit("large", spec("big", tier=Tier.FIRM, n_cpus=8, time_s=600), run_s=300)
    for index in range(400):
        if index % 3 == 0:
            world.submit(f"small{index}", spec("busy", time_s=1200), run_s=600)
        world.step(10)
    assert world.started("large") is not None and world.started("large") < 1400


def test_small_jobs_pass_a_large_one_where_they_do_not_delay_it() -> None:
    world = World(OBSERVED, much, nodes=(node(n_cpus=8),))
    world.submit("half", spec("a", n_cpus=6, time_s=3600), run_s=3600)
    world.step(10)
    world.submit("large", spec("a", n_cpus=6, time_s=600), run_s=300)
    world.submit("short", spec("b", n_cpus=1, time_s=600), run_s=300)
    world.submit("beside", spec("b", n_cpus=2, time_s=9000), run_s=300)
    world.run(0.3)
    assert world.started("short") and world.started("beside")
    world.run(1)
    assert world.started("large") <= 3700


def test_many_projects_without_power_leave_the_others_their_turn() -> None:
    world = World(GREEN, no_sun)
    names = [f"p{index:03d}" for index in range(200)]
    world.not_first(*names, "z")
    for name in names:
        for index in range(8):
            world.submit(f"{name}-{index}", spec(name, tier=Tier.GREEN))
    world.submit("firm", spec("z", tier=Tier.FIRM))
    world.step()
    assert world.started("firm") is not None


def test_firm_is_promised_for_its_whole_time_or_not_at_all() -> None:
    world = World(GREEN, lambda s: 5.0 if s < 2 * HOUR else 0.0, grid_kw=0.3)
    world.not_first("p")
    world.submit("long", spec(tier=Tier.FIRM, n_cpus=6, time_s=10 * HOUR))
    world.submit("short", spec(tier=Tier.FIRM, n_cpus=6, time_s=HOUR), run_s=600)
    decision = world.step()
    assert world.started("short") is not None
    assert decision.reasons["long"].code == "firm_power"


def test_first_green_job_takes_its_part_of_the_clean_power() -> None:
    world = World(GREEN, lambda _s: 0.16)
    world.submit("first", spec(tier=Tier.GREEN), run_s=HOUR)
    world.submit("second", spec(tier=Tier.GREEN), run_s=HOUR)
    decision = world.step()
    assert world.started("first") is not None and world.started("second") is None
    assert decision.reasons["second"].code == "clean_power"


def test_a_gpu_that_vanishes_under_a_job_stops_nobody() -> None:
    world = World(OBSERVED, much, nodes=(node(n_gpus=2),))
    world.submit("gpu", spec(n_gpus=2), run_s=600)
    world.submit("cpu", spec(), run_s=600)
    world.step()
    world.happen(ev.NodesDeclared(world.now_s, (node(n_gpus=0),)))
    world.state.validate()
    world.run(0.5)
    assert {job.state for job in world.ended.values()} == {JobState.FINISHED}
    assert world.state.board is not None and world.state.board.nodes.free_mask[0] == 0


def test_dependents_of_what_has_just_ended_badly_are_cancelled() -> None:
    world = World(OBSERVED, much)
    world.submit("a", spec(), run_s=600)
    world.step()
    world.happen(ev.JobEnded(world.state.jobs["a"].job_id, world.now_s, JobState.FAILED, 1))
    world.submit("b", spec(), waiting_for=["a"])
    world.submit("arr", spec(n_tasks=2, is_array=True), run_s=600)
    world.step()
    world.happen(ev.JobEnded(world.state.jobs["arr[0]"].job_id, world.now_s, JobState.FAILED, 1))
    world.submit("c", spec(), waiting_for=["arr"])
    world.run(1)
    assert world.ended["b"].state is world.ended["c"].state is JobState.CANCELLED
    world.submit("d", spec(), waiting_for=["arr"], run_s=60)
    world.run(0.5)
    assert world.ended["d"].state is JobState.CANCELLED
