"""The state: rebuilt equal from its snapshot and from its events; illegal events are refused."""

from __future__ import annotations

import json

import pytest
from tests.helpers.board_view import differences, view_of
from tests.helpers.world import HOUR, World, spec

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import JobState, Tier
from eureka_park.compute.core.state import ParkState
from eureka_park.control.policy import Policy, Sky


def busy_world() -> World:
    sky = {"kw": 2.0}
    world = World(Policy(sky=Sky.BINDING, min_run_s=60), lambda _s: sky["kw"])
    world.not_first("p", "q")
    world.submit("a", spec(tier=Tier.GREEN, checkpoint=True, time_s=9 * HOUR), run_s=5 * HOUR)
    world.submit("b", spec("q", tier=Tier.GREEN, n_cpus=2), run_s=2 * HOUR)
    world.submit("arr", spec(is_array=True, n_tasks=5, n_cpus=2), run_s=HOUR)
    world.submit("c", spec(), waiting_for=["arr"])
    world.run(0.5)
    sky["kw"] = 0.3
    world.run(0.2)
    return world


def test_snapshot_round_trip_is_equal_and_valid() -> None:
    state = busy_world().state
    value = json.loads(json.dumps(state.to_json()))
    again = ParkState.from_json(value)
    again.validate()
    assert json.dumps(again.to_json(), sort_keys=True) == json.dumps(value, sort_keys=True)
    assert again.open_tasks == state.open_tasks and again.dependents == state.dependents


def test_replaying_the_journal_gives_the_same_state() -> None:
    world = busy_world()
    again = ParkState()
    again.known_projects.update({"p", "q"})
    for event in world.log:
        kind, payload = ev.event_to_json(event)
        again.apply(ev.event_from_json(kind, json.loads(json.dumps(payload))))
    assert differences(view_of(again, world.now_s), view_of(world.state, world.now_s)) == []


def test_another_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="schema"):
        ParkState.from_json({**ParkState().to_json(), "schema": 99})


def test_a_job_cannot_start_twice_or_be_submitted_twice() -> None:
    world = World(Policy(), lambda _s: 5.0)
    world.submit("a", spec())
    world.step()
    with pytest.raises(ValueError, match="cannot start"):
        world.state.apply(ev.JobStarting(world.state.jobs["a"].job_id, 1.0, 2, "n0"))
    with pytest.raises(ValueError, match="already submitted"):
        world.submit("a", spec())


def test_cancel_of_a_waiting_dependent_leaves_nothing_behind() -> None:
    world = World(Policy(), lambda _s: 5.0)
    world.submit("a", spec())
    world.submit("b", spec(), waiting_for=["a"])
    world.happen(ev.JobEnded(world.state.jobs["b"].job_id, 1.0, JobState.CANCELLED))
    world.run(2)
    assert not world.state.jobs and not world.state.dependents and not world.state.held
    assert world.state.queued_kwh == pytest.approx(0.0, abs=1e-9)


def test_job_views_of_time() -> None:
    world = World(Policy(), lambda _s: 5.0)
    world.submit("a", spec(time_s=1000, deadline_s=5000.0))
    job = world.state.jobs["a"]
    assert job.left_s(0.0) == 1000.0
    world.step(60)
    world.step(60)
    assert job.run_s(world.now_s + 100) == 100 + world.now_s - job.since_s
    assert job.drawn_kw() == job.rated_kw > job.dynamic_kw > 0
