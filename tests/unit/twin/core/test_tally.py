"""Sums of jobs by tier and tenant, on a few jobs worked out by hand, and against exact quantiles on many."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from eureka_park.twin.core.counted import Counted
from eureka_park.twin.core.log_histogram import ERROR_FRAC
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.tally import (
    BY_GPU_H,
    BY_JOB,
    SLOWDOWN,
    TURNAROUND,
    WAIT,
    Tally,
    add_job,
    add_jobs,
    hit_fracs,
    jobs_of,
    leaf_sums,
    means,
    new_tally,
    tier_sums,
    told_figure,
    unserved_s,
)
from eureka_park.twin.core.workload import FIRM, FLEX, GREEN, Workload, workload_of

nan, inf = math.nan, math.inf
UNTIL_S = 1000.0
WORK = workload_of(
    ("a", "b"),
    {
        "submit_s": [0.0, 10.0, 20.0, 30.0], "run_s": [100.0, 100.0, 1.0, 100.0], "gpus": [8, 1, 0, 1],
        "tier": [FIRM, FLEX, FLEX, GREEN], "deadline_s": [inf, 200.0, 25.0, 5000.0], "leaf": [0, 0, 1, 1],
    },
)  # fmt: skip
COUNTED = Counted(np.zeros(0), np.zeros(0), np.array([800.0, 130.0, 0.0, 50.0]), np.array([0.0, 20.0, 0.0, 0.0]))


def played(
    start: list[float], end: list[float], done: list[float], work: Workload = WORK, counted: Counted | None = COUNTED
) -> Played:
    pauses = np.array([0, 2, 0, 1][: work.n_jobs], np.int32)
    return Played(
        np.array(start), np.array(end), pauses, np.array(done), UNTIL_S, 0, 0.0, "d", counted=counted
    )  # fmt: skip


GONE = played([0.0, 60.0, nan, 900.0], [100.0, 180.0, nan, nan], [100.0, 100.0, 0.0, 50.0])


def tally_of(gone: Played = GONE, work: Workload = WORK, **more: Any) -> Tally:
    tally = new_tally(len(work.leaves))
    alone_end_s = more.get("alone_end_s", work.submit_s + work.run_s)
    kw = more.get("kw", np.ones(work.n_jobs))
    add_jobs(tally, jobs_of(work, gone, alone_end_s, kw), gone.until_s)
    return tally


def told(tally: Tally, tier: int, figure: int, by: int = BY_JOB) -> dict[str, float]:
    return told_figure(tally, tier_sums(tally), tier, figure, by)


def near(value: float) -> Any:
    return pytest.approx(value, rel=ERROR_FRAC * 1.001)


def test_waits_and_turnarounds_of_tiers() -> None:
    tally = tally_of()
    assert told(tally, FIRM, WAIT) == {"mean": 0.0, "p50": 0.0, "p95": 0.0, "p99": 0.0}
    flex = told(tally, FLEX, WAIT)  # 50 s, and 980 s for who has not started
    assert flex["mean"] == (50 + 980) / 2
    assert (flex["p50"], flex["p95"]) == (near(50), near(980))
    assert told(tally, FLEX, WAIT, BY_GPU_H)["mean"] == pytest.approx((50 * 100 + 980 * 1) / 101)
    assert told(tally, FLEX, WAIT, BY_GPU_H)["p95"] == near(50)
    assert told(tally, GREEN, WAIT)["p50"] == near(870)
    assert told(tally, FIRM, TURNAROUND)["mean"] == 100.0
    assert told(tally, FLEX, TURNAROUND)["mean"] == 170.0  # of those that ended
    assert told(tally, GREEN, TURNAROUND) == {"mean": 0.0, "p50": 0.0, "p95": 0.0, "p99": 0.0}


def test_a_slowdown_is_never_below_one_and_counts_ten_seconds_at_least() -> None:
    gone = played([0.0, 60.0, 39.0, 30.0], [100.0, 210.0, 40.0, 130.0], [100.0, 100.0, 1.0, 100.0])
    tally = tally_of(gone)
    assert told(tally, FIRM, SLOWDOWN) == {"mean": 1.0, "p50": 1.0, "p95": 1.0, "p99": 1.0}
    assert told(tally, FLEX, SLOWDOWN)["mean"] == pytest.approx((200 / 100 + 20 / 10) / 2)
    assert told(tally, FLEX, SLOWDOWN)["p99"] == near(2.0)


def test_tenants_have_their_own_sums() -> None:
    tally = tally_of()
    sums = leaf_sums(tally)
    wanted = {
        "n_jobs": [2, 2], "n_started": [2, 1], "n_ended": [2, 0], "n_pauses": [2, 1], "gpu_s": [900, 100],
        "done_gpu_s": [900, 50], "held_gpu_s": [930, 50], "lost_gpu_s": [20, 0], "weight": [900, 101],
    }  # fmt: skip
    assert {name: sums[name].tolist() for name in wanted} == wanted
    assert means(sums, WAIT).tolist() == [25, (980 + 870) / 2]
    assert means(sums, TURNAROUND).tolist() == [(100 + 170) / 2, 0]
    assert tally.by_leaf.sum(axis=1).tolist() == [2, 2]


def test_deadlines_inside_the_run_are_hit_missed_or_finished_late() -> None:
    late = played([0.0, 300.0, 20.0, 900.0], [100.0, 400.0, 25.0, nan], [100.0, 100.0, 1.0, 50.0])
    sums = tier_sums(tally_of(late))
    assert (sums["n_due"][FLEX], sums["due_weight"][FLEX]) == (2.0, 101.0)
    assert hit_fracs(sums).tolist() == [1.0, 0.5, 1.0]
    assert hit_fracs(sums, BY_GPU_H)[FLEX] == pytest.approx(1 / 101)
    assert sums["due_ended_weight"][FLEX] == 101.0


@pytest.mark.parametrize(
    ("row", "end_s", "done_s", "owed_s"),
    [
        (1, 180.0, 100.0, 0.0),  # in time
        (1, 230.0, 100.0, 30.0),  # the last 30 s came after the deadline
        (1, 900.0, 100.0, 100.0),  # all of it may have
        (1, nan, 20.0, 100.0),  # 80 s are left, more was left at the deadline
        (0, nan, 30.0, 70.0),  # firm, and not done though it could be
        (0, 950.0, 100.0, 0.0),  # firm: done by the end of the run
        (3, nan, 0.0, 0.0),  # its deadline lies beyond the run
    ],
)
def test_what_is_owed(row: int, end_s: float, done_s: float, owed_s: float) -> None:
    ends, done = [nan] * 4, [0.0] * 4
    ends[row], done[row] = end_s, done_s
    gone = played([0.0] * 4, ends, done)
    kw = np.full(4, 3.6)
    assert unserved_s(jobs_of(WORK, gone, gone.end_s, kw), row, UNTIL_S) == pytest.approx(owed_s)
    tally = new_tally(2)
    add_job(tally, jobs_of(WORK, gone, gone.end_s, kw), row, UNTIL_S)
    assert tier_sums(tally)["unserved_kwh"][int(WORK.tier[row])] == pytest.approx(owed_s / 1000.0)


def test_time_in_the_park_stands_beside_time_alone() -> None:
    sums = leaf_sums(tally_of(alone_end_s=np.array([50.0, 110.0, 21.0, inf])))
    assert sums["shared_s"].tolist() == [100.0 + 170.0, 980.0 + 970.0]
    assert sums["alone_s"].tolist() == [50.0 + 100.0, 1.0 + 970.0]  # nobody is told beyond the run


def test_quantiles_of_many_jobs_are_near_the_exact_ones() -> None:
    draw = np.random.default_rng(3)
    n = 4000
    submit_s, run_s, wait_s = np.sort(draw.random(n)) * 1e5, draw.lognormal(6, 2, n), draw.lognormal(5, 3, n)
    work = workload_of(("a",), {"submit_s": submit_s, "run_s": run_s, "gpus": draw.integers(0, 9, n)})
    start_s = submit_s + wait_s
    pauses = np.zeros(n, np.int32)
    gone = Played(start_s, start_s + run_s, pauses, run_s, 1e9, 0, 0.0, "d")
    tally = tally_of(gone, work)
    weight = np.maximum(1, work.n_gpus) * run_s
    for figure, values in ((WAIT, wait_s), (TURNAROUND, wait_s + run_s)):
        order = np.argsort(values)
        until = np.cumsum(weight[order])
        for name, level in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
            assert told(tally, FLEX, figure)[name] == near(np.sort(values)[math.ceil(level * n) - 1])
            exact = values[order][np.searchsorted(until, level * until[-1])]
            assert told(tally, FLEX, figure, BY_GPU_H)[name] == near(exact)
