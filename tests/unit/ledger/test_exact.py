"""Exact splits, by hand."""

from __future__ import annotations

import pytest

from eureka_park.ledger.core.exact import split, split_hours


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (10, [1, 1, 1], [4, 3, 3]),
        (10, [0.5, 0.25, 0.25], [5, 3, 2]),
        (7, [0, 1], [0, 7]),
        (0, [], []),
        (0, [0.0, 0.0], [0, 0]),
        (1, [1e-300, 1e-300], [1, 0]),
        (2, [1e300, 1e300], [1, 1]),
        (10**30, [1, 2], [333333333333333333333333333333, 666666666666666666666666666667]),
    ],
)
def test_splits(total, weights, parts):
    assert split(total, weights) == parts


@pytest.mark.parametrize(
    ("total", "weights"), [(1, []), (1, [0]), (-1, [1]), (5, [-1, 2]), (5, [float("nan"), 1]), (5, [float("inf"), 1])]
)
def test_what_cannot_be_split(total, weights):
    with pytest.raises(ValueError):
        split(total, weights)


@pytest.mark.parametrize(
    ("start_s", "end_s", "hours"),
    [
        (0, 3600, [(0, 90)]),
        (1800, 5400, [(0, 45), (3600, 45)]),
        (3600.5, 3600.5, [(3600, 90)]),
        (7200, 7200, [(7200, 90)]),
        (3599, 10801, [(0, 0), (3600, 45), (7200, 45), (10800, 0)]),
        (-1800, 1800, [(-3600, 45), (0, 45)]),
    ],
)
def test_hours(start_s, end_s, hours):
    assert split_hours(start_s, end_s, 90) == hours


@pytest.mark.parametrize(("start_s", "end_s"), [(1, 0), (float("nan"), 0)])
def test_no_interval_runs_backwards(start_s, end_s):
    with pytest.raises(ValueError):
        split_hours(start_s, end_s, 1)
