"""Other policies for a run of the twin: the park's own board and turn, with other settings and other declarations.

What each of them knows of a job is written over its declaration (`declare`) before it enters the queue; what it asks
of the plan is worked out at its arrival (`hold_back`) or once a turn (`steer`). None knows true run times or true
weather beyond the present hour. Definitions and sources: docs/decisions/0031-other-policies-on-the-same-run.md.

"How unclean" an hour is: the part of what a busy park draws that own clean power is forecast not to cover. It stands
for the carbon intensity of a grid, by which such policies choose hours elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from eureka_park.compute.core.board import FIRM, FLEX, INF, R_KWH, Board
from eureka_park.compute.core.moves import deferred
from eureka_park.control.policy import Policy, Sky
from eureka_park.foundation.kernels import kernel

PARK, FCFS_EASY, HARD_CUT, WAIT_AWHILE, LOWEST_WINDOW, EDF_SURPLUS = 0, 1, 2, 3, 4, 5
CODES: Final = {
    "park": PARK, "fcfs-easy": FCFS_EASY, "hard-cut": HARD_CUT, "wait-awhile": WAIT_AWHILE,
    "lowest-window": LOWEST_WINDOW, "edf-surplus": EDF_SURPLUS,
}  # fmt: skip
MOST_WAIT_S: Final = 86_400.0  # work that can be moved and has no deadline waits so long at most
BUSY_FRAC: Final = (
    0.5  # of rated power: busy fleets draw 42 to 48 % of what their GPUs may (Acme, 2023), and idle power
)
LOOK_H: Final = 24  # hours among which the threshold of `wait-awhile` is taken
LOW_FRAC: Final = 0.3  # so many of them are below it
TAIL_H: Final = 24  # beyond its last hour a plan is taken to go on as in these hours on average
ORDER_S: Final = 900.0  # latest starts within one such step stand by age
ORDER_MAX: Final = 40_000  # steps: 416 days; later ones are one
OPEN_KW: Final = float(1 << 30)  # more than any site has: the sky binds nobody; the same below zero: nothing may start
NEVER: Final = 2.0  # a gain that no hour has: nobody is put off for a cheaper one


def settings_of(name: str, policy: Policy) -> Policy:
    """The numbers with which the turn plays a policy: those of the park, as far as it does not say otherwise.

    Raises KeyError for a name that is none of `CODES`.
    """
    if CODES[name] == PARK:
        return policy
    plain = replace(
        policy, flex_wait_gain_frac=NEVER, can_cap=False, can_resize=False, reserve_depth=1, lookahead=1000, scan=1000,
        reclaim_after_s=INF,
    )  # fmt: skip
    return {
        FCFS_EASY: replace(plain, sky=Sky.OBSERVED),
        HARD_CUT: replace(plain, sky=Sky.BINDING, lead_s=0.0, min_run_s=0.0, pause_rate_max_per_h=3600.0),
        WAIT_AWHILE: replace(plain, sky=Sky.BINDING, lead_s=0.0, can_freeze=False),
        LOWEST_WINDOW: replace(plain, sky=Sky.GREEN),  # by which no flexible job is bound
        EDF_SURPLUS: replace(plain, sky=Sky.BINDING),
    }[CODES[name]]


def most_runs(name: str) -> int:
    """So many runs of equal rank (`board.with_runs`) the line of a policy may have; 0: as jobs are declared."""
    return {PARK: 0, EDF_SURPLUS: 2 * (ORDER_MAX + 1)}.get(CODES[name], 2)


# -- jobs ------------------------------------------------------------------------------------------------------------


@kernel
def latest_start_s(tier: int, deadline_s: float, time_s: float, submitted_s: float) -> float:
    """When a job must start at the latest: firm ones at once, others by their deadline, or in a day where they have
    none. Never before its submission.
    """
    if tier == FIRM:
        return submitted_s
    if deadline_s == INF:
        return submitted_s + MOST_WAIT_S
    return max(submitted_s, deadline_s - time_s)


@kernel
def declare(board: Board, slot: int, how: int, tier: int, deadline_s: float, t0_s: float) -> None:
    """Write over a job's declaration what the policy `how` knows of it; all jobs stand in one line.

    `tier` and `deadline_s` are the job's own, `t0_s` is when the run began. The caller gives it its leaf.
    """
    job = board.jobs[slot]
    job.tier, job.priority, job.n_nodes_min, job.is_first, job.deadline_s = FLEX, 0, 0, 0, INF
    if how == WAIT_AWHILE or how == EDF_SURPLUS:
        start_s = latest_start_s(tier, deadline_s, job.time_s, job.submitted_s)
        job.deadline_s = start_s + job.time_s
        if tier == FIRM:
            job.deadline_s = job.submitted_s  # it is urgent from its first turn to its end
        if how == EDF_SURPLUS:
            job.priority = -order_of(start_s, t0_s)


@kernel
def order_of(start_s: float, t0_s: float) -> int:
    """The place of a latest start in the order of all."""
    return int(max(0.0, min(float(ORDER_MAX), math.floor((start_s - t0_s) / ORDER_S))))


@kernel
def hold_back(board: Board, slot: int, how: int, tier: int, deadline_s: float, now_s: float) -> None:
    """Let a job that has just entered the queue stand aside until the hour that suits the policy `how`."""
    job = board.jobs[slot]
    if how != LOWEST_WINDOW or tier == FIRM:
        return
    latest_s = latest_start_s(tier, deadline_s, job.time_s, job.submitted_s)
    at_s = lowest_window_s(board, job.time_s, latest_s, now_s)
    if at_s > now_s:
        deferred(board, slot, at_s, at_s)


# -- hours -----------------------------------------------------------------------------------------------------------


@kernel
def unclean_frac(board: Board, index: int) -> float:
    """How unclean an interval of the plan is; 0 where own clean power would do for a busy park."""
    busy_kw = BUSY_FRAC * board.g[0].capacity[R_KWH]
    return float(max(0.0, 1.0 - board.sky[index].clean_kw / busy_kw)) if busy_kw > 0.0 else 0.0


@kernel
def unclean_after(board: Board) -> float:
    """How unclean it is taken to be beyond the last hour of the plan: as in its last hours on average."""
    n = board.g[0].n_sky
    first, total = max(0, n - TAIL_H), 0.0
    for index in range(first, n):
        total += unclean_frac(board, index)
    return total / max(1, n - first)


@kernel
def unclean_s(board: Board, first: int, from_s: float, to_s: float, after: float) -> float:
    """How unclean a window is that begins in interval `first`, summed over its seconds; `after`: beyond the plan."""
    total, at_s, index = 0.0, from_s, first
    while at_s < to_s and index < board.g[0].n_sky:
        until_s = min(to_s, board.sky[index].end_s)
        total += unclean_frac(board, index) * max(0.0, until_s - at_s)
        at_s = max(at_s, until_s)
        index += 1
    return total + after * max(0.0, to_s - at_s)


@kernel
def lowest_window_s(board: Board, time_s: float, latest_s: float, now_s: float) -> float:
    """When a job should start: now, or with an hour of the plan up to `latest_s`, so that the window of its declared
    time is the least unclean; the first of those that are alike.
    """
    n, first = board.g[0].n_sky, 0
    while first < n and board.sky[first].end_s <= now_s:
        first += 1
    after, best_s = unclean_after(board), now_s
    least = unclean_s(board, first, now_s, now_s + time_s, after) - 1e-9 * time_s
    for index in range(first + 1, n):
        start_s = board.sky[index].start_s
        if start_s > latest_s:
            break
        found = unclean_s(board, index, start_s, start_s + time_s, after)
        if found < least:
            least, best_s = found - 1e-9 * time_s, start_s
    return best_s


@kernel
def is_low(board: Board) -> bool:
    """Whether the present interval is below the threshold of the next day, as no more than `LOW_FRAC` of it are; or
    none is cleaner.
    """
    n, here = min(LOOK_H, board.g[0].n_sky), unclean_frac(board, 0)
    n_less, n_as_low = 0, 0
    for index in range(n):
        n_less += unclean_frac(board, index) < here
        n_as_low += unclean_frac(board, index) <= here
    return n_less == 0 or n_as_low <= LOW_FRAC * n


@kernel
def steer(board: Board, how: int) -> None:
    """Before a turn: open or shut the sky for work that can wait, where the policy `how` goes by a threshold."""
    if how == WAIT_AWHILE:
        board.g[0].service_reserve_kw = -OPEN_KW if is_low(board) else OPEN_KW
