"""Fairness of a run: Jain's index of service over entitlement, and what each tenant had alone on its own machines.

Service and demand are counted by hour and tenant. Between its first start and its end a job's work is taken to be done
evenly, for a run keeps no hours of single jobs: exact for who is never paused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from eureka_park.foundation.kernels import kernel
from eureka_park.twin.core.tally import Jobs

Floats = npt.NDArray[np.float64]

WINDOW_H: Final = 7 * 24
SLACK_FRAC: Final = 1e-9  # rounding makes nobody contested


def jain_index(served: Floats) -> float:
    """(sum x)^2 / (n sum x^2) of service over entitlement: 1 when all are served alike, 1/n when one has all.

    1 for nobody, and where nobody was served.
    """
    x = np.asarray(served, dtype=np.float64)
    most = float(x.max()) if len(x) else 0.0
    if most <= 0.0:
        return 1.0
    x = x / most  # so that no square overflows or vanishes
    return float(x.sum() ** 2 / (len(x) * (x**2).sum()))


def water_level(weight: Floats, demand: Floats, total: float) -> float:
    """The level at which the least of demand and level times weight sums to a total; inf where all demand fits."""
    counts = weight > 0.0
    weights, demands = weight[counts], demand[counts]
    if total >= float(demands.sum()) * (1.0 - 1e-12):
        return float("inf")
    fills_at = demands / weights
    order = np.argsort(fills_at, kind="stable")
    filled = np.concatenate([[0.0], np.cumsum(demands[order])[:-1]])
    open_weight = np.cumsum(weights[order][::-1])[::-1]
    reached = filled + fills_at[order] * open_weight >= total
    at = int(np.argmax(reached)) if reached.any() else len(order) - 1
    return max(0.0, (total - float(filled[at])) / float(open_weight[at]))


# Hours ----------------------------------------------------------------------------------------------------------------


class Hours(NamedTuple):
    """Changes of service and of demand from hour to hour, in units times seconds, [hour, tenant]; see `levels`."""

    served: Any
    wanted: Any


def new_hours(until_s: float, n_leaves: int) -> Hours:
    """Room for a run of that length: 16 bytes for each tenant and hour, 140 MB for 1,000 tenants in a year."""
    n_hours = max(1, math.ceil(until_s / 3600.0 - 1e-9))
    return Hours(np.zeros((n_hours + 1, n_leaves)), np.zeros((n_hours + 1, n_leaves)))


@kernel
def _once(changes: Any, hour: int, leaf: int, amount: float) -> None:
    changes[hour, leaf] += amount
    changes[hour + 1, leaf] -= amount


@kernel
def _spread(changes: Any, leaf: int, from_s: float, to_s: float, rate: float) -> None:
    """Add a rate over a stretch of time."""
    if to_s <= from_s or rate <= 0.0:
        return
    last = changes.shape[0] - 2
    first, final = min(last, int(from_s / 3600.0)), min(last, int(to_s / 3600.0))
    if first == final:
        _once(changes, first, leaf, rate * (to_s - from_s))
        return
    _once(changes, first, leaf, rate * (3600.0 * (first + 1) - from_s))
    changes[first + 1, leaf] += rate * 3600.0
    changes[final, leaf] -= rate * 3600.0
    _once(changes, final, leaf, rate * (to_s - 3600.0 * final))


@kernel
def add_hours(hours: Hours, jobs: Jobs, row: int, held: float, until_s: float) -> None:
    """Add what a job that holds so many units wanted and got in each hour.

    In an hour that it was there it could have done the least of its run time and the time that it was there; in that of
    its end it wanted what it got.
    """
    leaf, submit_s, run_s, end_s = jobs.leaf[row], jobs.submit_s[row], jobs.run_s[row], jobs.end_s[row]
    if submit_s >= until_s:
        return
    has_ended = end_s <= until_s
    gone_s = end_s if has_ended else until_s
    start_s = jobs.first_start_s[row]
    rate = 0.0
    if start_s < gone_s:
        rate = held * jobs.done_s[row] / (gone_s - start_s)
        _spread(hours.served, leaf, start_s, gone_s, rate)
    last = hours.wanted.shape[0] - 2
    first, final = min(last, int(submit_s / 3600.0)), min(last, int(gone_s / 3600.0))
    if first < final:
        _once(hours.wanted, first, leaf, held * min(run_s, 3600.0 * (first + 1) - submit_s))
        hours.wanted[first + 1, leaf] += held * min(run_s, 3600.0)
        hours.wanted[final, leaf] -= held * min(run_s, 3600.0)
    here_s = max(submit_s, 3600.0 * final)
    if has_ended:
        got = rate * max(0.0, gone_s - max(start_s, here_s))
        _once(hours.wanted, final, leaf, got if start_s < gone_s else held * min(run_s, gone_s - here_s))
    else:
        _once(hours.wanted, final, leaf, held * min(run_s, gone_s - here_s))


@kernel
def add_all_hours(hours: Hours, jobs: Jobs, held: Any, until_s: float) -> None:
    """Add all rows; `held` is what each job holds while it runs."""
    for row in range(jobs.submit_s.shape[0]):
        add_hours(hours, jobs, row, held[row], until_s)


def levels(changes: Floats) -> Iterator[Floats]:
    """Amounts of each hour by tenant, from their changes."""
    amounts = np.zeros(changes.shape[1])
    for change in changes[:-1]:
        amounts += change
        yield np.where(amounts > 1e-6, amounts, 0.0)  # a rest of rounding is nothing


class Served(NamedTuple):
    """Sums by window and tenant: what was got and what was due in hours with demand; the same of contested hours, in
    which a tenant asked for more than was due to it.
    """

    got: Floats
    due: Floats
    got_contested: Floats
    due_contested: Floats


def served_by_window(hours: Hours, weight: Floats, window_h: int = WINDOW_H) -> Served:
    """Service and entitlement. What is due in an hour is the max-min fair part, by weights and up to each one's demand,
    of all that was served in it.
    """
    n_hours = hours.served.shape[0] - 1
    found = Served(*(np.zeros((-(-n_hours // window_h), len(weight))) for _ in Served._fields))
    for hour, (got, wanted) in enumerate(zip(levels(hours.served), levels(hours.wanted), strict=True)):
        want = np.maximum(wanted, got)
        is_there = want > 0.0
        if not is_there.any():
            continue
        level = water_level(weight, want, float(got.sum()))
        due = np.minimum(want, level * weight) if level < math.inf else want
        is_contested = is_there & (want > due * (1.0 + SLACK_FRAC))
        window = hour // window_h
        found.got[window] += got
        found.due[window] += due
        found.got_contested[window] += np.where(is_contested, got, 0.0)
        found.due_contested[window] += np.where(is_contested, due, 0.0)
    return found


def told_fairness(served: Served) -> dict[str, float]:
    """`jain_index`: mean of the windows' indices, by what was due in them; its least; and that of contested hours."""
    all_of, least = _over_windows(served.got, served.due)
    contested, _ = _over_windows(served.got_contested, served.due_contested)
    return {"jain_index": all_of, "jain_index_min": least, "jain_index_contested": contested,
            "n_demanding": int((served.due_contested > 0.0).any(axis=0).sum())}  # fmt: skip


def _over_windows(got: Floats, due: Floats) -> tuple[float, float]:
    """Mean, by what was due, and least of the windows' indices; 1 where nobody was due anything."""
    weights = due.sum(axis=1)
    if not (weights > 0.0).any():
        return 1.0, 1.0
    each = np.array([jain_index(one[part > 0.0] / part[part > 0.0]) for one, part in zip(got, due, strict=True)])
    return float((each * weights).sum() / weights.sum()), float(each[weights > 0.0].min())


# Alone ----------------------------------------------------------------------------------------------------------------


class Alone(NamedTuple):
    """A queue of each tenant's own: a heap of `(free from, how many units)` in its stretch of the arrays."""

    free_s: Any
    n_free: Any
    begin: Any
    n: Any
    size: Any


def new_alone(weight: Floats, n_units: float) -> Alone:
    """Each tenant's part of all units by weight, rounded up to a whole one."""
    size = np.maximum(1, np.ceil(weight * n_units - 1e-9)).astype(np.int64)
    begin = np.concatenate([[0], np.cumsum(size + 1)])
    alone = Alone(np.zeros(begin[-1]), np.zeros(begin[-1], np.int64), begin[:-1], np.ones(len(size), np.int64), size)
    alone.n_free[alone.begin] = size
    return alone


@kernel
def _push(alone: Alone, leaf: int, at_s: float, n_free: int) -> None:
    begin, at = alone.begin[leaf], alone.n[leaf]
    alone.n[leaf] += 1
    while at > 0 and alone.free_s[begin + (at - 1) // 2] > at_s:
        above = (at - 1) // 2
        alone.free_s[begin + at], alone.n_free[begin + at] = alone.free_s[begin + above], alone.n_free[begin + above]
        at = above
    alone.free_s[begin + at], alone.n_free[begin + at] = at_s, n_free


@kernel
def _drop_first(alone: Alone, leaf: int) -> None:
    begin = alone.begin[leaf]
    alone.n[leaf] -= 1
    n, at = alone.n[leaf], 0
    at_s, n_free = alone.free_s[begin + n], alone.n_free[begin + n]
    while 2 * at + 1 < n:
        below = 2 * at + 1
        if below + 1 < n and alone.free_s[begin + below + 1] < alone.free_s[begin + below]:
            below += 1
        if alone.free_s[begin + below] >= at_s:
            break
        alone.free_s[begin + at], alone.n_free[begin + at] = alone.free_s[begin + below], alone.n_free[begin + below]
        at = below
    alone.free_s[begin + at], alone.n_free[begin + at] = at_s, n_free


@kernel
def end_alone_s(alone: Alone, leaf: int, submit_s: float, run_s: float, n_units: int) -> float:
    """When a job would end on its tenant's own machines: first come first served, gangs larger than all of them take
    so much longer. Jobs come in the order of their submission.
    """
    size = alone.size[leaf]
    wanted, start_s = min(n_units, size), submit_s
    if wanted <= 0:
        return submit_s + run_s
    open_units = wanted
    while open_units > 0:
        first = alone.begin[leaf]
        at_s, n_free = alone.free_s[first], alone.n_free[first]
        start_s = max(start_s, at_s)
        if n_free > open_units:
            alone.n_free[first] -= open_units
            break
        open_units -= n_free
        _drop_first(alone, leaf)
    end_s = start_s + run_s * max(1.0, n_units / size)
    _push(alone, leaf, end_s, wanted)
    return end_s


@kernel
def all_ends_alone(alone: Alone, leaf: Any, submit_s: Any, run_s: Any, n_units: Any, ends_s: Any) -> None:
    """`end_alone_s` of all rows."""
    for row in range(submit_s.shape[0]):
        ends_s[row] = end_alone_s(alone, leaf[row], submit_s[row], run_s[row], n_units[row])
