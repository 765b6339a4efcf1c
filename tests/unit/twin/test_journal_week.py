"""Reading a stretch of a journal as a workload: true run times, who was there before, who is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import JobSpec, JobState, Tier
from eureka_park.compute.core.machines import Machines
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.units import GIB
from eureka_park.twin.journal_week import RecordedWeek, failures_in, leaves_under, read_week, rows_of

T0 = 1_795_348_800.0
HOUR = 3600.0
NODES = tuple(ev.Node(f"n{at}", "local", 8.0, 32 * GIB, 0, "", 0.4, 0.1) for at in range(2))


def submitted(name: str, at_h: float, project: str = "physics", **spec: Any) -> ev.JobSubmitted:
    deadline_s = spec.pop("deadline_h", None)
    return ev.JobSubmitted(
        JobId(name), T0 + at_h * HOUR, JobSpec(project, name, ("true",), **spec),
        None if deadline_s is None else T0 + deadline_s * HOUR, tuple(JobId(dep) for dep in spec.get("after", ())),
    )  # fmt: skip


def starting(name: str, at_h: float, **more: Any) -> ev.JobStarting:
    return ev.JobStarting(JobId(name), T0 + at_h * HOUR, 1, "n0", **more)


def started(name: str, at_h: float) -> ev.JobStarted:
    return ev.JobStarted(JobId(name), T0 + at_h * HOUR)


def ended(name: str, at_h: float, state: JobState = JobState.FINISHED) -> ev.JobEnded:
    return ev.JobEnded(JobId(name), T0 + at_h * HOUR, state)


def week(*events: ev.Event, from_h: float = 0.0, to_h: float = 24.0) -> RecordedWeek:
    told = sorted((ev.NodesDeclared(T0 - 100 * HOUR, NODES), *events), key=lambda event: event.at_s)
    return read_week(told, T0 + from_h * HOUR, T0 + to_h * HOUR, lambda cap: 0.5 + cap / 2)


def test_a_job_is_played_with_the_work_that_it_did() -> None:
    found = week(submitted("a", 1.0), starting("a", 2.0), started("a", 2.0), ended("a", 3.5))
    (job,) = found.jobs
    assert (job.run_s, job.first_start_s, found.n_submitted) == (1.5 * HOUR, T0 + 2 * HOUR, 1)
    rows = rows_of(found, Machines.of(found.nodes))
    assert rows.work.submit_s.tolist() == [HOUR] and rows.work.run_s.tolist() == [1.5 * HOUR]
    assert rows.counts.tolist() == [True]


def test_capped_paused_and_frozen_time_counts_as_the_work_that_was_done() -> None:
    found = week(
        submitted("a", 0.0, checkpoint=True), starting("a", 1.0), started("a", 1.0),
        ev.JobCapped(JobId("a"), T0 + 2 * HOUR, 0.5),  # a job without GPUs works at the speed of its cap
        ev.JobPausing(JobId("a"), T0 + 4 * HOUR), ev.JobPaused(JobId("a"), T0 + 4 * HOUR),
        starting("a", 6.0), started("a", 6.0), ev.JobFrozen(JobId("a"), T0 + 7 * HOUR),
        ev.JobThawed(JobId("a"), T0 + 9 * HOUR), ended("a", 10.0),
    )  # fmt: skip
    (job,) = found.jobs
    assert job.run_s == pytest.approx((1.0 + 2 * 0.5 + 1.0 + 1.0) * HOUR)
    assert job.n_pauses == 2


def test_who_is_over_before_it_or_comes_after_it_is_not_there() -> None:
    found = week(
        submitted("gone", -5.0), starting("gone", -5.0), started("gone", -5.0), ended("gone", -1.0),
        submitted("late", 30.0), submitted("here", 1.0), starting("here", 1.0), started("here", 1.0),
        ended("here", 30.0),
    )  # fmt: skip
    assert [job.job_id for job in found.jobs] == ["here"]
    assert found.jobs[0].run_s == 29 * HOUR, "what happened later tells how long it ran"
    assert found.last_s == T0 + 30 * HOUR


def test_who_was_there_before_comes_first_with_the_rest_of_its_work_and_is_not_counted() -> None:
    found = week(
        submitted("queued", -6.0, time_s=2 * HOUR), submitted("ran", -4.0, time_s=10 * HOUR), starting("ran", -3.0),
        started("ran", -3.0), ended("ran", 2.0), starting("queued", 2.0), started("queued", 2.0), ended("queued", 3.0),
    )  # fmt: skip
    assert [(job.job_id, job.was_on_node) for job in found.jobs] == [("ran", True), ("queued", False)]
    rows = rows_of(found, Machines.of(found.nodes))
    assert rows.work.submit_s.tolist() == [0.0, 0.0] and not rows.counts.any()
    assert rows.work.run_s.tolist() == [2 * HOUR, HOUR] and rows.work.time_s.tolist() == [7 * HOUR, 2 * HOUR]


def test_ends_of_all_kinds() -> None:
    found = week(
        submitted("waited", 1.0), ended("waited", 2.0, JobState.CANCELLED),
        submitted("failed", 1.0), starting("failed", 1.0), started("failed", 1.0),
        ended("failed", 2.0, JobState.FAILED),
        submitted("open", 1.0, time_s=5 * HOUR), starting("open", 2.0), started("open", 2.0),
        submitted("never", 3.0, time_s=2 * HOUR),
    )  # fmt: skip
    assert found.n_cancelled == 1 and found.n_open == 2
    assert {job.job_id: job.run_s / HOUR for job in found.jobs} == {"failed": 1.0, "open": 5.0, "never": 2.0}


def test_work_without_checkpoint_is_lost_with_its_node_and_the_node_is_played_as_down() -> None:
    for keeps in (False, True):
        found = week(
            submitted("a", 0.0, checkpoint=keeps), starting("a", 0.0), started("a", 0.0),
            ev.JobRequeued(JobId("a"), T0 + 3 * HOUR), ev.NodeDown("n0", T0 + 3 * HOUR, "broken"),
            ev.NodeUp("n0", T0 + 4 * HOUR), starting("a", 5.0), started("a", 5.0), ended("a", 6.0),
        )  # fmt: skip
        assert found.jobs[0].run_s == (4 * HOUR if keeps else HOUR)
        down = failures_in(found, Machines.of(found.nodes))
        assert (down.at_s.tolist(), down.node.tolist(), down.up_again_s.tolist()) == ([3 * HOUR], [0], [4 * HOUR])


def test_a_job_that_starts_twice_without_a_word_between_lost_its_node() -> None:
    found = week(
        submitted("a", 0.0), starting("a", 0.0), started("a", 0.0), starting("a", 5.0), started("a", 5.0),
        ended("a", 6.0),
    )  # fmt: skip
    assert found.jobs[0].run_s == HOUR and found.jobs[0].first_start_s == T0


def test_tasks_come_one_by_one_and_dependents_after_the_last() -> None:
    found = week(
        submitted("arr", 0.0, n_tasks=3, is_array=True), submitted("next", 0.0, after=(JobId("arr"),)),
        *(event for at in range(3) for event in (starting(f"arr[{at}]", 1.0), started(f"arr[{at}]", 1.0),
                                                 ended(f"arr[{at}]", 2.0))),
        starting("next", 2.0), started("next", 2.0), ended("next", 3.0),
    )  # fmt: skip
    rows = rows_of(found, Machines.of(found.nodes))
    assert [job.job_id for job in rows.jobs] == ["arr[0]", "arr[1]", "arr[2]", "next"]
    assert rows.work.after.tolist() == [-1, -1, -1, 2]


def test_leaves_follow_the_share_tree_and_power_what_was_declared_or_learned() -> None:
    found = week(
        ev.PowerLearned(T0, "physics", "b", 0.6), submitted("a", 1.0, person="ada", declared_kw=0.05, n_cpus=4.0),
        submitted("b", 1.0), submitted("c", 1.0, project="biology", tier=Tier.FIRM),
    )  # fmt: skip
    rows = rows_of(found, Machines.of(found.nodes))
    assert rows.work.leaves == ("physics/ada", "physics", "biology")
    told = leaves_under(rows.work, (("science/physics", 1.0, 0.0), ("biology", 2.0, 0.0)))
    assert told.leaves == ("science/physics/ada", "science/physics/-", "biology/-")
    assert rows.learned == pytest.approx(
        [0.0, 0.6, 1.0]
    )  # half a node's idle power is 0.05 kW: nothing is left to draw
    assert np.array_equal(rows.work.tier, [1, 1, 0])


def test_a_job_draws_what_the_meter_told_of_it_and_else_what_was_predicted_when_it_came() -> None:
    found = week(
        submitted("before", 1.0), ev.PowerLearned(T0 + 1.5 * HOUR, "physics", "before", 0.6), submitted("after", 2.0),
        starting("before", 2.0), started("before", 2.0), ev.JobMetered(JobId("before"), T0 + 2.1 * HOUR, 0.3),
        ev.PowerLearned(T0 + 2.2 * HOUR, "physics", "after", 0.6), submitted("seen", 3.0),
        ev.MeterRead(T0 + 3.5 * HOUR, {}, ((JobId("seen"), 40.0, 100.0), (JobId("gone"), 1.0, 1.0))),
        ev.MeterRead(T0 + 3.6 * HOUR, {}, ((JobId("seen"), 60.0, 100.0),)),
    )  # fmt: skip
    rows = rows_of(found, Machines.of(found.nodes))
    by_name = {job.job_id: rows.learned[image] for job, image in zip(rows.jobs, rows.work.image, strict=True)}
    assert by_name == {"before": 0.3, "after": 1.0, "seen": 0.5}


def test_a_job_that_no_machine_holds_is_left_out_and_counted() -> None:
    found = week(submitted("big", 1.0, n_cpus=64.0), submitted("small", 1.0))
    rows = rows_of(found, Machines.of(found.nodes))
    assert [job.job_id for job in rows.jobs] == ["small"] and rows.n_too_large == 1


def test_changes_of_policy_within_it_are_counted_but_not_the_first() -> None:
    first, second = (ev.PolicyUsed(T0 + at * HOUR, sky, 1e6, ()) for at, sky in ((1.0, "green"), (2.0, "binding")))
    assert week(first).n_changes == 0
    assert week(first, second).n_changes == 1
    assert week(first, second, from_h=3.0).n_changes == 0


def test_the_first_job_of_a_project_is_the_first_of_the_whole_journal() -> None:
    found = week(
        submitted("early", -30.0, "old"), submitted("new", 1.0, "new"), submitted("later", 2.0, "old"),
        submitted("second", 3.0, "new"), from_h=0.0,
    )  # fmt: skip
    assert {job.job_id: job.is_first for job in found.jobs} == {
        "early": True, "new": True, "later": False, "second": False
    }  # fmt: skip
    rows = rows_of(found, Machines.of(found.nodes))
    assert rows.work.is_first.tolist() == [job.is_first for job in rows.jobs]
