"""Properties of the policy over random jobs, skies and nodes; the state's own invariants are checked at every tick."""

from __future__ import annotations

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.helpers.world import HOUR, World, node, spec

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import JobState, Tier
from eureka_park.compute.core.state import ParkState
from eureka_park.control.policy import Policy, Sky

jobs = st.lists(
    st.builds(
        dict,
        tier=st.sampled_from(Tier),
        project=st.sampled_from(["a", "b", "c"]),
        n_cpus=st.sampled_from([0.5, 1.0, 2.0, 4.0]),
        n_gpus=st.sampled_from([0, 0, 1, 2]),
        checkpoint=st.booleans(),
        time_s=st.floats(300, 6 * HOUR),
        slack_h=st.none() | st.floats(0.1, 30),
        real_frac=st.floats(0.05, 1.2),
        at_h=st.floats(0, 20),
    ),
    min_size=1,
    max_size=25,
)
skies = st.lists(st.floats(0, 2.5), min_size=6, max_size=24)


def replayed(world: World) -> ParkState:
    """The state as the journal alone gives it, through JSON."""
    again = ParkState()
    again.known_projects |= world.known
    for event in world.log:
        kind, payload = ev.event_to_json(event)
        again.apply(ev.event_from_json(kind, json.loads(json.dumps(payload))))
    again.just_ended.clear()
    return again


def play(
    sky: Sky, declared: list[dict], clean: list[float], policy: dict | None = None, *, crashes: bool = False
) -> World:
    nodes = (node("n0", 8, 2), node("n1", 4, 0))
    world = World(
        Policy(sky=sky, min_run_s=300, **(policy or {})),
        lambda s: clean[int(s // HOUR) % len(clean)],
        nodes,
        grid_kw=4.0,
    )
    world.not_first("a", "b", "c")
    waiting = sorted(enumerate(declared), key=lambda item: item[1]["at_h"])
    while waiting or (world.state.jobs and world.now_s < 100 * HOUR):
        while waiting and waiting[0][1]["at_h"] * HOUR <= world.now_s:
            index, item = waiting.pop(0)
            deadline = None if item["slack_h"] is None else world.now_s + item["time_s"] + item["slack_h"] * HOUR
            names = ("tier", "project", "n_cpus", "n_gpus", "checkpoint", "time_s")
            world.submit(
                f"j{index}",
                spec(**{name: item[name] for name in names}, deadline_s=deadline),
                item["time_s"] * item["real_frac"],
            )
        world.step(600)
        if crashes and len(world.log) % 3 == 0:
            world.state = replayed(world)
    return world


_OFTEN_PAUSED = {
    "tier": Tier.FLEX, "project": "a", "n_cpus": 0.5, "n_gpus": 1, "checkpoint": True, "time_s": 7924.0,
    "slack_h": None, "real_frac": 0.984375, "at_h": 0.0,
}  # fmt: skip


def check_firm_goes_on(world: World, declared: list[dict]) -> None:
    for kind in (ev.JobCapped, ev.JobPausing, ev.JobFrozen):
        assert all(declared[int(event.job_id[1:])]["tier"] is not Tier.FIRM for event in world.of(kind))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(Sky), jobs, skies)
@example(Sky.BINDING, [_OFTEN_PAUSED] * 2, [0.0] * 6)
def test_every_job_ends_and_none_is_stopped_for_power_that_must_not_be(
    sky: Sky, declared: list[dict], clean: list[float]
) -> None:
    """Not firm ones, not those without checkpoints, and none under a sky that is only observed."""
    if sky is not Sky.OBSERVED:
        clean = [*clean, 2.5]  # some hour of each day is bright enough for any job
    world = play(sky, declared, clean)
    assert not [job for job in world.state.jobs.values() if job.spec.tier is not Tier.GREEN], "left waiting"
    check_firm_goes_on(world, declared)
    for event in world.of(ev.JobPausing):
        assert declared[int(event.job_id[1:])]["checkpoint"]
    for job in world.ended.values():
        assert job.state in (JobState.FINISHED, JobState.FAILED)
        assert job.state is JobState.FINISHED or declared[int(job.job_id[1:])]["real_frac"] >= 1.0
    if sky is Sky.OBSERVED:
        assert not world.of(ev.JobCapped) + world.of(ev.JobPausing) + world.of(ev.JobFrozen)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(Sky), jobs, skies)
def test_the_same_input_gives_the_same_journal_even_when_it_crashes_again_and_again(
    sky: Sky, declared: list[dict], clean: list[float]
) -> None:
    world = play(sky, declared, clean)
    check_firm_goes_on(world, declared)
    assert world.log == play(sky, declared, clean, crashes=True).log
