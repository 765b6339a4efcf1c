"""Work without credit: the tick is told who that is, and pauses, ends, or lets go on; nothing else changes."""

from __future__ import annotations

import json

import pytest
from tests.helpers.world import HOUR, World, spec, supply_of

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import JobClass, JobState, Tier
from eureka_park.compute.core.state import ParkState
from eureka_park.control.policy import Policy
from eureka_park.control.tick import tick
from eureka_park.ledger.core.holding import Unpaid


def plenty(_start_s: float) -> float:
    return 5.0


def lacks(name: str, since_s: float) -> Unpaid:
    return Unpaid(name, "p", since_s, HOUR, 12_500_000, 250_000)


def look(world: World, unpaid: dict[str, Unpaid] | None, seconds: float = 60.0):
    world.now_s += seconds
    for job in list(world.state.on_node.values()):
        world._truth(job)
    supply = supply_of(plenty, world.now_s)
    decision = tick(world.state, supply, world.policy, world.now_s, unpaid=unpaid)
    world.log += decision.events
    world.state.just_ended.clear()
    world.state.validate()
    return decision


@pytest.fixture
def world() -> World:
    made = World(Policy(), plenty)
    made.not_first("p")
    return made


def test_who_can_be_paused_waits_for_credit_without_a_machine_and_goes_on_when_it_comes(world: World) -> None:
    job_id = world.submit("a", spec(checkpoint=True, deadline_s=3 * HOUR), run_s=2 * HOUR)
    world.step()
    world.step()
    since_s = world.now_s
    decision = look(world, {"a": lacks("a", since_s)})
    assert [type(event) for event in decision.events] == [ev.JobPausing] and decision.events[0].why == "credit"
    reason = decision.reasons[job_id]
    assert reason.code == "no_credit" and "takes 12.50 credits, and p has 0.25" in reason.text
    for _ in range(200):  # beyond its latest start too: no deadline lets it start without credit
        look(world, {"a": lacks("a", since_s)})
    assert world.state.jobs[job_id].state is JobState.PAUSED and world.state.held == {job_id: world.state.jobs[job_id]}
    assert not world.state.on_node and len(world.of(ev.JobHeld)) == 1
    world.state = ParkState.from_json(json.loads(json.dumps(world.state.to_json())))
    look(world, None)  # nobody has asked yet, as after a start of the process
    assert job_id in world.state.held
    decision = look(world, {})
    kinds = [type(event) for event in decision.events]
    assert kinds[0] is ev.JobReleased and ev.JobStarting in kinds and not world.state.held
    look(world, {})
    assert world.state.jobs[job_id].state is JobState.RUNNING


@pytest.mark.parametrize(
    ("what", "is_paused"),
    [
        ({"tier": Tier.FIRM, "checkpoint": True}, False),
        ({"tier": Tier.GREEN}, False),
        ({"tier": Tier.FLEX, "job_class": JobClass.SERVICE}, True),
    ],
)
def test_who_cannot_be_paused_is_ended_after_an_hour_of_notice(world: World, what, is_paused: bool) -> None:
    job_id = world.submit("a", spec(time_s=9 * HOUR, **what), run_s=9 * HOUR)
    world.step()
    world.step()
    since_s = world.now_s
    told = look(world, {"a": lacks("a", since_s)})
    assert (world.state.jobs[job_id].state is JobState.PAUSING) == is_paused
    assert told.reasons[job_id].until_s == (None if is_paused else since_s + HOUR)
    for _ in range(58):
        assert not world.of(ev.JobEnding)
        look(world, {"a": lacks("a", since_s)})
    look(world, {"a": lacks("a", since_s)})
    ended = [event.why for event in world.of(ev.JobEnding)]
    assert ended == ([] if is_paused else ["credit"])


def test_credit_that_comes_within_the_notice_lets_it_run_on(world: World) -> None:
    job_id = world.submit("a", spec(tier=Tier.FIRM, time_s=9 * HOUR), run_s=9 * HOUR)
    world.step()
    world.step()
    since_s = world.now_s
    look(world, {"a": lacks("a", since_s)})
    for _ in range(120):
        look(world, {})
    assert not world.of(ev.JobEnding) and world.state.jobs[job_id].state is JobState.RUNNING


def test_a_waiting_job_stands_aside_and_may_be_cancelled_there(world: World) -> None:
    job_id = world.submit("a", spec(checkpoint=True))
    look(world, {"a": lacks("a", 0.0)})
    assert job_id in world.state.held and not world.of(ev.JobStarting)
    world.happen(ev.JobEnded(job_id, world.now_s, JobState.CANCELLED))
    world.state.validate()
    assert not world.state.held
