"""The board beside the state: what events do to it, and what stays when machines, shares or the policy change."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.helpers.board_view import differences, view_of
from tests.helpers.world import HOUR, World, node, spec

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.board import FROZEN, NONE, RUNNING, Board
from eureka_park.compute.core.event import event_from_json, event_to_json
from eureka_park.compute.core.job import JobState, Tier
from eureka_park.compute.core.state import ParkState
from eureka_park.control.policy import Policy, Sky
from eureka_park.control.tick import policy_used
from eureka_park.foundation.ids import JobId

OBSERVED = Policy(sky=Sky.OBSERVED, min_run_s=60)
BINDING = Policy(sky=Sky.BINDING, min_run_s=60)
LONG = {"time_s": 40 * HOUR}


def much(_s: float) -> float:
    return 50.0


def board_of(world: World) -> Board:
    assert world.state.board is not None
    return world.state.board


def replayed(world: World) -> ParkState:
    """The state that the journal gives, through JSON as it is kept."""
    again = ParkState()
    again.known_projects |= world.known
    for event in world.log:
        kind, payload = event_to_json(event)
        again.apply(event_from_json(kind, json.loads(json.dumps(payload))))
    again.just_ended.clear()
    return again


def check(world: World) -> None:
    world.state.validate()
    again = replayed(world)
    assert differences(view_of(again, world.now_s), view_of(world.state, world.now_s)) == []


def busy(nodes: tuple[ev.Node, ...], n_jobs: int = 4, policy: Policy = OBSERVED, **more: object) -> World:
    world = World(policy, much, nodes)
    for index in range(n_jobs):
        world.submit(f"j{index}", spec(n_cpus=2, **{**LONG, **more}), run_s=30 * HOUR)
    for _ in range(3):
        world.step()
    return world


def test_a_machine_that_goes_takes_its_jobs_off_and_they_start_elsewhere() -> None:
    world = busy((node("n0", 4), node("n1", 4), node("n2", 4)), 6, checkpoint=True)
    lost = [job.job_id for job in world.state.jobs_on("n1")]
    done_s = world.state.jobs[lost[0]].run_s(world.now_s)
    assert len(lost) == 2 and done_s > 0
    world.happen(ev.NodesDeclared(world.now_s, (node("n0", 4), node("n2", 4))))
    assert {world.state.jobs[name].state for name in lost} == {JobState.PAUSED}
    assert world.state.jobs[lost[0]].run_s(world.now_s) == done_s, "from its checkpoint"
    check(world)
    world.happen(ev.NodesDeclared(world.now_s, (node("n0", 4), node("n2", 4), node("n3", 4))))
    world.step()
    assert {world.state.jobs[name].node for name in lost} == {"n3"}
    check(world)


def test_a_single_local_machine_keeps_its_jobs_under_another_name() -> None:
    world = busy((node("old", 8),))
    before = {job.job_id: (job.state, job.attempt) for job in world.state.on_node.values()}
    world.happen(ev.NodesDeclared(world.now_s, (node("new", 8, rated_kw=2.0),)))
    after = {job.job_id: (job.state, job.attempt) for job in world.state.on_node.values()}
    assert before == after and {job.node for job in world.state.on_node.values()} == {"new"}
    assert world.state.nodes_kw == 2.0
    check(world)


def test_every_state_of_a_job_is_put_back_onto_another_board() -> None:
    sky = {"kw": 50.0}
    world = World(BINDING, lambda _s: sky["kw"], (node("n0", 16, 4),))
    world.not_first("p", "q")
    for name, more in (
        ("saves", {"checkpoint": True}),
        ("plain", {}),
        ("kept", {"n_gpus": 2}),
        ("q", {"project": "q"}),
    ):
        world.submit(name, spec(tier=Tier.GREEN, n_cpus=2, **{**LONG, **more}), run_s=30 * HOUR)
    world.run(0.1)
    world.submit("waits", spec(n_cpus=16, deadline_s=200 * HOUR, **LONG))  # flexible work of a project would go first
    world.submit("after", spec(), waiting_for=["plain"])
    world.run(0.2)
    sky["kw"] = 0.2
    world.step()
    states = {job.job_id: job.state for job in world.state.jobs.values()}
    assert {JobState.PAUSING, JobState.FROZEN, JobState.QUEUED} <= set(states.values())
    view = view_of(world.state, world.now_s)
    world.happen(ev.NodesDeclared(world.now_s, (node("n0", 16, 4), node("n9", 2))))
    for part in ("on_board", "lines", "used", "tree", "drawn"):
        skipped = () if part != "on_board" else ("classes", "ends_s")
        assert [
            line
            for line in differences(view[part], view_of(world.state, world.now_s)[part])
            if not any(name in line for name in skipped)
        ] == []
    check(world)


def test_caps_slow_work_down_and_the_state_says_so() -> None:
    world = busy((node("n0", 8, 2, rated_kw=1.0),), 1, BINDING, n_gpus=2)
    job = world.state.jobs["j0"]
    done_s = job.run_s(world.now_s)
    world.happen(ev.JobCapped(job.job_id, world.now_s, 0.5))
    slot = world.state.slot_of[job.job_id]
    assert job.speed == board_of(world).jobs.speed[slot] == 0.73, "half the power, nearly three quarters of the work"
    assert job.run_s(world.now_s + 1000) == pytest.approx(done_s + 730)
    assert job.left_s(world.now_s) == LONG["time_s"] - done_s
    assert job.drawn_kw() == board_of(world).jobs.drawn_kw[slot] < job.rated_kw
    check(world)


def test_another_policy_changes_what_caps_do_and_what_the_sky_holds() -> None:
    world = busy((node("n0", 8),), 1, BINDING)
    world.submit("green", spec(tier=Tier.GREEN, **LONG))
    world.step()
    world.step()
    world.happen(ev.JobCapped(world.state.jobs["green"].job_id, world.now_s, 0.62))
    bound_kw = float(board_of(world).g.bound_kw[0])
    world.policy = replace(OBSERVED, cap_steps_frac=(0.7, 0.4), half_life_s=3600.0)
    world.clean_kw = lambda _s: 0.0
    decision = world.step()
    assert [type(event) for event in decision.events[:2]] == [ev.PolicyUsed, ev.JobCapped]
    assert decision.events[1].cap_frac == 0.4, "0.62 is no step of it: the next deeper one"
    assert bound_kw > 0 and board_of(world).g.bound_kw[0] == 0, "the sky holds nobody now"
    assert decision.events[-1].cap_frac == 1.0, "what is not bound goes up at once"
    check(world)


def test_use_is_worth_the_same_under_another_half_life() -> None:
    world = busy((node("n0", 8),), 4)
    world.submit("other", spec("q", n_cpus=8))
    ranks = board_of(world).used[:, 0] / 2.0 ** (world.now_s // HOUR * HOUR / OBSERVED.half_life_s)
    world.happen(policy_used(replace(OBSERVED, half_life_s=1800.0), world.now_s))
    assert np.allclose(board_of(world).used[:, 0], ranks) and board_of(world).growth[1] == 4.0
    check(world)


def test_shares_move_with_what_they_have_used() -> None:
    world = busy((node("n0", 8),), 4)
    used = {path: board_of(world).used[at].tolist() for at, path in enumerate(world.state.share_paths)}
    world.happen(ev.SharesDeclared(world.now_s, (("a", 1.0, 0.0), ("a/p", 3.0, 0.25), ("b", 2.0, 0.0))))
    paths = world.state.share_paths
    assert paths[:4] == ["", "a", "a/p", "b"] and "a/p/-" in paths
    now = board_of(world).used
    assert now[paths.index("a/p/-")].tolist() == used["p/-"] == now[paths.index("a")].tolist()
    assert board_of(world).shares.floor_frac[paths.index("a/p")] == 0.25
    check(world)
    world.happen(ev.SharesDeclared(world.now_s, (("a", 1.0, 0.0), ("a/p", 5.0, 0.5), ("b", 2.0, 0.0))))
    assert board_of(world).shares.weight[paths.index("a/p")] == 5.0
    check(world)


def test_a_gang_holds_whole_machines_and_shrinks_through_events() -> None:
    nodes = tuple(node(f"n{index}", 8, 4) for index in range(5))
    world = World(OBSERVED, much, nodes)
    world.submit("gang", spec(n_nodes=3, n_nodes_min=1, n_gpus=4, n_cpus=8, **LONG), run_s=30 * HOUR)
    world.submit("one", spec(n_gpus=1, **LONG), run_s=30 * HOUR)
    decision = world.step()
    start = next(event for event in decision.events if event.job_id == "gang")
    assert start.nodes == ("n0", "n1", "n2") and start.node == "n0" and start.gpu_indices == ()
    job = world.state.jobs["gang"]
    assert job.rated_kw == pytest.approx(3 * 1.0, rel=1e-5) and world.state.jobs["one"].node == "n3"
    world.step()
    world.happen(ev.JobResized(job.job_id, world.now_s, 2))
    assert job.nodes == ("n0", "n1") and job.speed == pytest.approx(2 / 3) and not world.state.jobs_on("n2")
    check(world)
    world.happen(ev.JobResized(job.job_id, world.now_s, 3, ("n0", "n1", "n2")))
    assert job.nodes == ("n0", "n1", "n2") and job.speed == 1.0 and job.leaving == ()
    assert job.rated_kw == pytest.approx(3 * 1.0, rel=1e-5)
    check(world)
    world.happen(ev.JobResized(job.job_id, world.now_s, 2, ("n0", "n1")))
    check(world)
    world.happen(ev.NodeDown("n1", world.now_s, "its power supply failed", ev.DOWN))
    assert job.state is JobState.QUEUED and job.run_s(world.now_s) == 0.0, "no checkpoint: from the beginning"
    world.step()
    assert job.nodes == ("n0", "n2", "n4")
    check(world)


def test_drained_machines_take_nobody_and_keep_who_is_there() -> None:
    world = busy((node("n0", 4), node("n1", 4)), 2)
    assert {job.node for job in world.state.on_node.values()} == {"n0"}
    world.happen(ev.NodeDown("n1", world.now_s, "new disk"))
    world.submit("more", spec(n_cpus=2))
    world.step()
    assert world.started("more") is None and len(world.state.jobs_on("n0")) == 2
    check(world)
    world.happen(ev.NodeUp("n1", world.now_s))
    world.step()
    assert world.state.jobs["more"].node == "n1"
    check(world)


def test_windows_keep_machines_for_their_project_and_pass() -> None:
    world = World(OBSERVED, much, (node("n0", 4),))
    world.happen(ev.WindowSet("w", 0.0, ("n0",), 1 * HOUR, 3 * HOUR, "q"))
    world.happen(ev.WindowSet("later", 0.0, ("n0",), 5 * HOUR, 6 * HOUR))
    world.submit("long", spec("p", time_s=2.5 * HOUR))
    world.submit("short", spec("p", time_s=0.5 * HOUR), run_s=600)
    world.submit("theirs", spec("q", time_s=2 * HOUR), run_s=1.5 * HOUR)
    world.run(0.9)
    assert world.started("short") and world.started("theirs") and world.started("long") is None
    check(world)
    world.run(2.3)
    assert world.started("long") is None, "two and a half hours from three o'clock reach into the next window"
    world.happen(ev.WindowCleared("later", world.now_s))
    world.step()
    assert world.started("long") == world.now_s
    check(world)


def test_what_is_learned_of_power_holds_for_those_to_come_and_the_meter_for_those_that_run() -> None:
    world = busy((node("n0", 8),), 1)
    job = world.state.jobs["j0"]
    was_kw = job.dynamic_kw
    world.happen(ev.PowerLearned(world.now_s, "p", "j", 0.5, n_jobs=3))
    assert job.dynamic_kw == was_kw and job.power_from == "table"
    world.submit("next", spec(n_cpus=2))
    world.submit("declared", spec(n_cpus=2, declared_kw=0.05))
    after, declared = world.state.jobs["next"], world.state.jobs["declared"]
    assert after.dynamic_kw == pytest.approx(was_kw / 2, rel=1e-5)
    assert (after.power_from, after.n_learned_from, declared.power_from) == ("learned", 3, "declared")
    check(world)
    drawn_kw = job.drawn_kw()
    world.happen(ev.JobMetered(job.job_id, world.now_s, 0.25))
    assert job.dynamic_kw == pytest.approx(was_kw / 4, rel=1e-5) and job.power_from == "meter"
    assert job.drawn_kw() == pytest.approx(drawn_kw - 0.75 * was_kw, rel=1e-4)
    check(world)


def test_a_job_that_waited_for_another_is_predicted_by_what_is_known_when_it_enters_its_line() -> None:
    world = busy((node("n0", 8),), 1)
    held = world.state.jobs[world.submit("held", spec(n_cpus=2, after=(JobId("j0"),)), waiting_for=("j0",))]
    was_kw = held.dynamic_kw
    world.happen(ev.PowerLearned(world.now_s, "p", "j", 0.5, n_jobs=1))
    world.happen(ev.JobEnded(JobId("j0"), world.now_s, JobState.FINISHED, 0))
    assert held.dynamic_kw == pytest.approx(was_kw / 2, rel=1e-5) and held.power_from == "learned"
    world.state.validate()
    check(world)


def test_names_that_were_not_heard_of_for_longest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eureka_park.compute.core.board_side.LEARNED_MAX", 2)
    world = busy((node("n0", 8),), 1)
    for name, frac in (("a", 0.5), ("b", 0.6), ("a", 0.4), ("c", 0.7)):
        world.happen(ev.PowerLearned(world.now_s, "p", name, frac))
    assert list(world.state.side.learned) == [("p", "a"), ("p", "c")]
    check(world)


def test_events_that_an_older_park_wrote_of_a_job_whose_machine_was_gone_change_nothing() -> None:
    world = busy((node("n0", 4), node("n1", 4)), 4)
    lost = world.state.jobs_on("n1")[0].job_id
    world.happen(ev.NodesDeclared(world.now_s, (node("n0", 4),)))
    for event in (ev.JobFrozen(lost, world.now_s), ev.JobThawed(lost, world.now_s), ev.JobPausing(lost, world.now_s)):
        world.happen(event)
    assert world.state.jobs[lost].state is JobState.QUEUED
    world.happen(ev.JobEnded(lost, world.now_s, JobState.FINISHED, 0))
    check(world)


def test_a_gpu_is_never_given_twice() -> None:
    world = busy((node("n0", 8, 2),), 1, n_gpus=2)
    world.submit("other", spec(n_gpus=1))
    with pytest.raises(ValueError, match="held already"):
        world.state.apply(ev.JobStarting(world.state.jobs["other"].job_id, world.now_s, 1, "n0", (1,)))


def test_a_journal_of_months_keeps_the_calendar_of_ends() -> None:
    world = busy((node("n0", 8),), 1, time_s=400.0)
    world.happen(ev.JobEnded(world.state.jobs["j0"].job_id, world.now_s, JobState.FINISHED, 0))
    world.now_s = 90 * 24 * HOUR
    world.submit("late", spec(time_s=1000.0), run_s=1e6)
    world.step()
    world.step()
    slot = world.state.slot_of[world.state.jobs["late"].job_id]
    assert board_of(world).jobs.state[slot] == RUNNING
    again = replayed(world)
    assert again.board is not None and again.board.jobs.bucket[slot] != NONE
    world.state = again
    world.now_s += 24 * HOUR  # nobody looked for a day
    decision = world.step()
    assert [(event.job_id, event.why) for event in decision.events] == [("late", "time")]


def test_a_command_that_began_before_the_last_turn_is_still_ended_in_time() -> None:
    world = World(OBSERVED, much, (node("n0", 8),))
    job_id = world.submit("short", spec(time_s=100.0), run_s=1e6)
    world.step(10)
    for _ in range(30):
        world.now_s += 10
        world.decisions.append(_tick(world))
    world.happen(ev.JobStarted(job_id, 15.0))
    assert [event.why for event in _tick(world).events if isinstance(event, ev.JobEnding)] == ["time"]


def _tick(world: World):  # type: ignore[no-untyped-def]
    from tests.helpers.world import supply_of

    from eureka_park.control.tick import tick

    return tick(world.state, supply_of(much, world.now_s), world.policy, world.now_s)


def test_a_snapshot_of_another_layout_is_refused() -> None:
    world = busy((node("n0", 8),))
    value = world.state.to_json()
    value["side"]["board"]["schema"] = "another"
    with pytest.raises(ValueError, match="laid out otherwise"):
        ParkState.from_json(value)


def test_frozen_jobs_are_never_expected_to_end() -> None:
    sky = {"kw": 5.0}
    world = World(BINDING, lambda _s: sky["kw"])
    world.not_first("p")
    world.submit("a", spec(tier=Tier.GREEN, **LONG), run_s=30 * HOUR)
    world.run(0.2)
    sky["kw"] = 0.0
    world.step()
    slot = world.state.slot_of[world.state.jobs["a"].job_id]
    assert board_of(world).jobs.state[slot] == FROZEN and board_of(world).jobs.ends_s[slot] == np.inf
    check(world)


def lent(crashes: bool) -> World:
    """A project that fills the park, and another one that is below its floor and waits."""
    world = World(replace(OBSERVED, reclaim_after_s=1200.0), lambda _s: 1.0, (node("n0", 8),), grid_kw=1.0)
    world.happen(ev.SharesDeclared(0.0, (("a", 1.0, 0.5), ("b", 1.0, 0.0))))
    for index in range(4):
        world.submit(f"b{index}", spec("b", n_cpus=2, checkpoint=True, **LONG), run_s=30 * HOUR)
    world.step()
    world.submit("claims", spec("a", n_cpus=2, **LONG), run_s=30 * HOUR)
    for _ in range(30):
        world.step()
        if crashes:
            world.state = replayed(world)
    return world


def test_promises_are_in_the_journal_alone() -> None:
    """They are written once for each wait, and what a replay knows of them is what the deciding process knows."""
    world = World(OBSERVED, much, (node("n0", 8),))
    for index in range(5):
        world.submit(f"j{index}", spec(n_cpus=8, time_s=1200.0 - 60.0 * index, checkpoint=True), run_s=3000.0)
    n_known = 0
    for _ in range(120):
        world.step()
        again = replayed(world)
        board, other = board_of(world), again.board
        assert other is not None
        slots = [world.state.slot_of[job.job_id] for job in world.state.jobs.values()]
        assert (board.jobs.promised_s[slots] == other.jobs.promised_s[slots]).all()
        assert (board.jobs.broken_s[slots] == other.jobs.broken_s[slots]).all()
        for name in ("n_promised", "n_broken"):
            assert board.g[name][0] == other.g[name][0], name
        n_known = max(n_known, int((board.jobs.promised_s[slots] < np.inf).sum()))
    told = [event.job_id for event in world.of(ev.JobPromised)]
    assert n_known == 4 and sorted(told) == ["j1", "j2", "j3", "j4"]
    assert int(board_of(world).g.n_promised[0]) == 4
    promised = {event.job_id: event for event in world.of(ev.JobPromised)}
    assert all(event.at_s < event.start_s for event in promised.values())


def test_one_turn_writes_so_many_promises_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eureka_park.control.tick.PROMISED_MAX", 2)
    world = World(OBSERVED, much, (node("n0", 8),))
    for index in range(5):
        world.submit(f"j{index}", spec(n_cpus=8, time_s=1200.0), run_s=1200.0)
    world.step()
    assert [event.job_id for event in world.of(ev.JobPromised)] == ["j1", "j2"]


def test_a_floor_is_claimed_at_the_same_instant_whatever_crashes() -> None:
    world = lent(crashes=True)
    blocked, paused = world.of(ev.JobBlocked)[0], world.of(ev.JobPausing)[0]
    assert (blocked.job_id, paused.job_id, paused.why) == ("claims", "b3", "reclaim")
    assert paused.at_s - blocked.since_s == 1200.0 and len(world.of(ev.JobBlocked)) == 1
    assert world.started("claims") == paused.at_s + 60
    assert world.log == lent(crashes=False).log


def test_shares_have_the_same_rows_whenever_a_window_comes_to_hold() -> None:
    def told(looks_s: tuple[float, ...]) -> list[str]:
        state = ParkState()
        state.apply(ev.NodesDeclared(0.0, (node("n"),)))
        state.apply(ev.WindowSet("closed", 1.0, ("n",), 10.0, 100.0, "", ""))
        state.apply(ev.WindowSet("kept", 1.0, ("n",), 200.0, 300.0, "lab", ""))
        for look_s in looks_s:
            state.refresh(look_s)
        state.apply(ev.JobSubmitted(JobId("job"), 160.0, spec(project="other"), None))
        state.refresh(170.0)
        return state.share_paths

    assert told((150.0,)) == told(())


def test_kinds_of_gpu_may_be_called_otherwise_again_and_again() -> None:
    state = ParkState()
    for at in range(7):
        state.apply(ev.NodesDeclared(float(at), (replace(node("n", n_gpus=1), gpu_type=f"kind-{at}"),)))
    assert "kind-6" in state.side.machines.gpu_types
    assert len(state.side.machines.gpu_types) == 5
