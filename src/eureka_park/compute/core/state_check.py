"""Every invariant of the park's state, for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from eureka_park.compute.core.board_check import check_board
from eureka_park.compute.core.job import ENDED, ON_NODE, WAITING, Job, JobState

if TYPE_CHECKING:
    from eureka_park.compute.core.state import ParkState


def check_state(state: ParkState, waiting: Mapping[Any, Any], left_kwh: Callable[[Job], float]) -> None:
    """AssertionError names the one that is broken. `waiting`: those that wait; `left_kwh`: what a job still needs."""
    for job_id, job in state.jobs.items():
        assert job.job_id == job_id and job.state not in ENDED, f"{job_id} ended but is still held"
        assert (job.state in ON_NODE) == (job_id in state.on_node), f"{job_id} is {job.state}"
        is_aside = job.state is JobState.QUEUED or (job.state is JobState.PAUSED and job.held_for != "")
        assert job_id not in state.held or is_aside, f"{job_id} is held and {job.state}"
    assert waiting.keys() == {job.job_id for job in state.jobs.values() if job.state in WAITING}
    waiting_kwh = sum(left_kwh(job) for job in state.jobs.values() if job.state in WAITING)
    assert abs(waiting_kwh - state.queued_kwh) <= 1e-6 * (1 + waiting_kwh), "queued_kwh does not add up"
    if state.board is not None:
        check_board(state.side, state.jobs, state.held)
