"""Where a job stands in its line is what the board that decides says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.live_park import LivePark

from eureka_park.compute.core.board import NONE
from eureka_park.foundation.ids import JobId


@pytest.fixture
def park(tmp_path: Path) -> Iterator[LivePark]:
    """A park whose one machine is taken."""
    park = LivePark(tmp_path)
    park.submit(run_s=1, tier="firm", cpus=0.1)  # a project's first job starts whatever the sky says
    park.step(times=4)
    park.submit(run_s=1e6, tier="firm", cpus=park.park.site.nodes[0].n_cpus, time="9h")
    park.step(times=2)
    yield park
    park.park.close()


def line_of(park: LivePark, job_id: JobId) -> list[JobId]:
    """The line in which a job stands, as the board has it."""
    state = park.live.state
    board, slot = state.board, state.slot_of[job_id]
    assert board is not None
    run = int(board.lines.first_run[3 * int(board.jobs.leaf[slot]) + int(board.jobs.tier[slot])])
    found = []
    while run != NONE:
        at = int(board.runs.head[run])
        while at != NONE:
            found.append(state.job_at[at])
            at = int(board.jobs.next[at])
        run = int(board.runs.next[run])
    return found


def test_priorities_decide_within_a_line(park: LivePark) -> None:
    whole = park.park.site.nodes[0].n_cpus
    priorities = (0, 5, 0, -3, 5, 2, 0)
    ids = [park.submit(run_s=10, tier="firm", cpus=whole, priority=priority) for priority in priorities]
    others = [park.submit(run_s=10, tier="flex", cpus=whole, priority=9) for _ in range(2)]
    park.step(times=2)
    line = line_of(park, ids[0])
    assert line == [ids[at] for at in (1, 4, 5, 0, 2, 6, 3)]
    for job_id in (*ids, *others):
        answer = park.park.compute.why(park.owner, job_id)
        assert answer["line"] == {"n_ahead": line_of(park, job_id).index(job_id)}, job_id


def test_a_person_waits_behind_jobs_of_their_own(park: LivePark) -> None:
    from eureka_park.accounts.service import Principal

    whole = park.park.site.nodes[0].n_cpus
    for _ in range(3):
        park.submit(run_s=10, tier="firm", cpus=whole)
    ben = Principal(park.park.accounts.add_person("ben"), "ben", True, frozenset())
    request = {"command": ["true"], "time": 3600, "tier": "firm", "cpus": whole}
    mine = [park.park.compute.submit(ben, request) for _ in range(2)]
    park.step(times=2)
    for at, job_id in enumerate(mine):
        assert line_of(park, job_id).index(job_id) == at
        assert park.park.compute.why(ben, job_id)["line"] == {"n_ahead": at}


def test_a_quote_counts_those_whom_its_priority_does_not_pass(park: LivePark) -> None:
    whole = park.park.site.nodes[0].n_cpus
    for priority in (5, 0, 0):
        park.submit(run_s=10, tier="firm", cpus=whole, priority=priority)
    park.step(times=2)
    request = {"command": ["true"], "time": 3600, "tier": "firm", "cpus": whole}
    for priority, n_ahead in ((0, 3), (1, 1), (6, 0)):
        told = park.park.compute.quote(park.owner, {**request, "priority": priority})["tiers"]
        assert (told["firm"]["n_ahead"], told["green"]["n_ahead"]) == (n_ahead, 0)
