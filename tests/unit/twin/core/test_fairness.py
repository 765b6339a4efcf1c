"""Fairness: hours by hand, entitlement by max-min shares, queues alone against a plain one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.twin.core.fairness import (
    Hours,
    Served,
    add_all_hours,
    all_ends_alone,
    jain_index,
    levels,
    new_alone,
    new_hours,
    served_by_window,
    told_fairness,
    water_level,
)
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.tally import jobs_of
from eureka_park.twin.core.workload import workload_of

H = 3600.0
nan = math.nan


def hours_of(columns: dict[str, Any], start: Any, end: Any, done: Any, until_h: float = 4.0) -> Hours:
    leaves = tuple(f"t{index}" for index in range(1 + max(columns.get("leaf", [0]))))
    work = workload_of(leaves, {"gpus": 1, **columns})
    n = work.n_jobs
    gone = Played(np.array(start, float), np.array(end, float), np.zeros(n, np.int32), np.array(done, float),
                  until_h * H, 0, 0.0, "d")  # fmt: skip
    hours = new_hours(gone.until_s, len(leaves))
    add_all_hours(hours, jobs_of(work, gone, work.submit_s, np.ones(n)), work.n_gpus.astype(np.float64), gone.until_s)
    return hours


def by_hour(changes: Any, leaf: int = 0) -> list[float]:
    return [round(float(one), 6) for one in np.array(list(levels(changes)))[:, leaf] / H]


def test_who_runs_at_once_wants_what_it_gets() -> None:
    hours = hours_of({"submit_s": [1800.0], "run_s": [2 * H], "gpus": [2]}, [1800.0], [1800.0 + 2 * H], [2 * H])
    assert by_hour(hours.served) == by_hour(hours.wanted) == [1.0, 2.0, 1.0, 0.0]


def test_who_waits_wants_its_work_and_not_its_waiting_time() -> None:
    columns = {"submit_s": [0.0], "run_s": [600.0], "gpus": [6]}
    hours = hours_of(columns, [2 * H + 1800.0], [2 * H + 2400.0], [600.0])
    assert by_hour(hours.wanted) == [1.0, 1.0, 1.0, 0.0]
    assert by_hour(hours.served) == [0.0, 0.0, 1.0, 0.0]


def test_who_never_starts_wants_until_the_end_of_the_run() -> None:
    hours = hours_of({"submit_s": [1800.0], "run_s": [9 * H]}, [nan], [nan], [0.0], 3.5)
    assert by_hour(hours.wanted) == [0.5, 1.0, 1.0, 0.5]
    assert by_hour(hours.served) == [0.0, 0.0, 0.0, 0.0]


def test_service_of_an_unfinished_job_is_spread_over_the_time_since_its_start() -> None:
    hours = hours_of({"submit_s": [0.0], "run_s": [9 * H]}, [H], [nan], [1.5 * H])
    assert by_hour(hours.served) == [0.0, 0.5, 0.5, 0.5]
    assert by_hour(hours.wanted) == [1.0, 1.0, 1.0, 1.0]


Row = tuple[float, float, float, float, int]
job_rows = st.tuples(st.floats(0, 9.9), st.floats(0.01, 6), st.floats(0, 5), st.floats(1, 3), st.integers(0, 2))


@settings(deadline=None)
@given(st.lists(job_rows, min_size=1, max_size=20))
def test_no_service_is_lost_and_none_is_more_than_was_wanted(
    rows: list[tuple[float, float, float, float, int]],
) -> None:
    rows.sort()
    submit, run, wait, slow = (np.array([row[at] for row in rows]) * (H if at < 3 else 1) for at in range(4))
    start, end, until_s = submit + wait, submit + wait + run * slow, 10 * H
    done = np.clip((np.minimum(end, until_s) - start) / slow, 0.0, run)
    columns = {"submit_s": submit, "run_s": run, "leaf": [row[4] for row in rows]}
    hours = hours_of(columns, start, np.where(end <= until_s, end, nan), done, 10.0)
    got, wanted = (np.array(list(levels(one))) for one in hours)
    assert got.sum() == pytest.approx(float(done.sum()), rel=1e-9, abs=1e-4)
    assert (got <= wanted + 1e-3).all()


def test_tenants_served_by_their_weights_are_served_fairly() -> None:
    # two tenants want 10 units each hour; 8 are served: by weight 3 to 1 these are 6 and 2
    hours = Hours(*(np.zeros((3, 2)) for _ in range(2)))
    hours.wanted[0] = 10 * H
    hours.served[0] = 6 * H, 2 * H
    served = served_by_window(hours, np.array([0.75, 0.25]))
    assert served.due[0].tolist() == pytest.approx([12 * H, 4 * H])
    assert told_fairness(served) == {"jain_index": 1.0, "jain_index_min": 1.0, "jain_index_contested": 1.0,
                                     "n_demanding": 2}  # fmt: skip
    hours.served[0] = 2 * H, 6 * H  # x = 1/3 and 3
    found = told_fairness(served_by_window(hours, np.array([0.75, 0.25])))
    assert found["jain_index"] == pytest.approx((1 / 3 + 3) ** 2 / (2 * (1 / 9 + 9)))


def test_only_hours_with_demand_count_and_contested_ones_apart() -> None:
    # hour 0: the first wants 2 and gets 2, the second wants 10 and gets 4 (of 6 each is due 3, so 2 and 4)
    # hour 1: the first wants nothing, the second gets all that it wants
    hours = Hours(*(np.zeros((3, 2)) for _ in range(2)))
    hours.wanted[0], hours.wanted[1] = (2 * H, 10 * H), (-2 * H, -5 * H)
    hours.served[0], hours.served[1] = (2 * H, 4 * H), (-2 * H, 1 * H)
    served = served_by_window(hours, np.array([0.5, 0.5]))
    assert served.due[0].tolist() == pytest.approx([2 * H, 9 * H])
    assert served.due_contested[0].tolist() == pytest.approx([0.0, 4 * H])
    assert told_fairness(served)["jain_index"] == pytest.approx(1.0)
    assert told_fairness(served)["n_demanding"] == 1


def test_windows_weigh_by_what_was_due_in_them() -> None:
    ones, zeros = np.array([[1.0, 1.0], [2.0, 0.0]]), np.zeros((2, 2))
    due = np.array([[1.0, 1.0], [3.0, 3.0]])
    found = told_fairness(Served(ones, due, zeros, zeros))
    assert found["jain_index"] == pytest.approx((1.0 * 2 + 0.5 * 6) / 8)
    assert found["jain_index_min"] == pytest.approx(0.5)
    assert told_fairness(Served(zeros, zeros, zeros, zeros))["jain_index"] == 1.0


def ends_alone(weight: list[float], n_units: float, rows: Sequence[tuple[int, float, float, int]]) -> list[float]:
    leaf, submit, run, units = (np.array(column) for column in zip(*rows, strict=True))
    ends = np.zeros(len(rows))
    alone = new_alone(np.array(weight), n_units)
    all_ends_alone(alone, leaf, submit.astype(float), run.astype(float), units.astype(np.int64), ends)
    return [float(end) for end in ends]


def test_alone_a_tenant_waits_only_for_itself() -> None:
    rows = [(0, 0, 100, 4), (1, 0, 100, 2), (0, 10, 100, 2), (1, 20, 50, 2), (0, 30, 10, 0)]
    # the first has 4 units, the second 4: the third job waits for the first, the fourth finds room
    assert ends_alone([0.5, 0.5], 8, rows) == [100.0, 100.0, 200.0, 70.0, 40.0]


def test_alone_a_gang_larger_than_the_share_takes_longer() -> None:
    assert ends_alone([0.25], 8, [(0, 0, 100, 8)]) == [400.0]
    assert ends_alone([0.01], 8, [(0, 0, 100, 1)]) == [100.0]  # a part of a unit is rounded up


@settings(deadline=None)
@given(
    st.integers(1, 6),
    st.lists(st.tuples(st.floats(0, 50), st.floats(0.1, 30), st.integers(1, 8)), min_size=1, max_size=30),
)
def test_alone_is_first_come_first_served_on_that_many_units(
    n_units: int, jobs: list[tuple[float, float, int]]
) -> None:
    jobs.sort()
    free, wanted = [0.0] * n_units, []
    for submit_s, run_s, asked in jobs:
        free.sort()
        n = min(asked, n_units)
        end_s = max(submit_s, free[n - 1]) + run_s * max(1.0, asked / n_units)
        free[:n] = [end_s] * n
        wanted.append(end_s)
    found = ends_alone([1.0], n_units, [(0, *job) for job in jobs])
    assert found == pytest.approx(wanted, rel=1e-12)


amounts = st.lists(st.floats(0.0, 1e12), min_size=1, max_size=30)


@given(amounts)
def test_jain_lies_between_one_over_n_and_one(served: list[float]) -> None:
    found = jain_index(np.array(served))
    assert 1.0 / len(served) - 1e-9 <= found <= 1.0 + 1e-9


@given(st.floats(1e-6, 1e6), st.integers(1, 50))
def test_jain_is_one_for_equals(value: float, n: int) -> None:
    assert jain_index(np.full(n, value)) == pytest.approx(1.0)


@given(st.floats(1e-6, 1e6), st.integers(1, 50))
def test_jain_is_one_over_n_when_one_has_all(value: float, n: int) -> None:
    assert jain_index(np.array([value] + [0.0] * (n - 1))) == pytest.approx(1.0 / n)


@given(amounts, st.floats(1e-3, 1e3))
def test_jain_does_not_know_units(served: list[float], factor: float) -> None:
    assert jain_index(np.array(served) * factor) == pytest.approx(jain_index(np.array(served)), rel=1e-6)


def test_jain_of_two_to_one() -> None:
    assert jain_index(np.array([2.0, 1.0])) == pytest.approx(9 / 10)
    assert jain_index(np.zeros(0)) == jain_index(np.zeros(3)) == 1.0


@given(st.lists(st.tuples(st.floats(0.01, 10), st.floats(0, 1000)), min_size=1, max_size=20), st.floats(0.01, 0.99))
def test_water_fills_to_the_total(pairs: list[tuple[float, float]], part: float) -> None:
    weight, demand = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    total = part * float(demand.sum())
    level = water_level(weight, demand, total)
    if total > 0:
        assert float(np.minimum(demand, level * weight).sum()) == pytest.approx(total, rel=1e-6)
    assert water_level(weight, demand, float(demand.sum())) == math.inf
