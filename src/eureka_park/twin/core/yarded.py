"""Jobs of a run that wait in the yard (see `compute.core.yard`), with what the world alone knows of them.

Those of streams go there that have no deadline by what the policy knows of them, so that nothing but their line's turn
starts them: under the park's own policy green work, under policies without deadlines all of it. What the world knows of
them stands in `World.yarded`, at their place; when a turn has given them a slot it moves there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from eureka_park.compute.core.board import GREEN, INF, JOB, NONE, Board, records, stretched
from eureka_park.compute.core.board_setup import blank
from eureka_park.compute.core.standing import rate
from eureka_park.compute.core.yard import is_deep, put_by, with_yard
from eureka_park.foundation.kernels import kernel
from eureka_park.twin.core.baselines import FCFS_EASY, HARD_CUT, PARK
from eureka_park.twin.core.truth import CLOSED, World

WITHOUT_DEADLINES: Final = frozenset({PARK, FCFS_EASY, HARD_CUT})  # policies under which much work has none
BLOCKS_MORE: Final = 64  # that a yard grows by at least; and by an eighth of what it has
TOLD: Final = 1 << 16  # jobs that are told at once


@kernel
def is_far_behind(board: Board, slot: int, how: int, deep: int) -> bool:
    """Whether a job that comes now may wait in the yard, and stands so far behind others that it does."""
    job = board.jobs[slot]
    if job.deadline_s < INF or job.is_first:
        return False
    if how == PARK and job.tier != GREEN:
        return False
    return is_deep(board, slot, deep)


@kernel
def place_of(before: int) -> int:
    """The place in the yard of a job that `World.last` tells; and the other way round."""
    return -2 - before


@kernel
def stand_by(board: Board, world: World, slot: int) -> None:
    """A job that comes waits in the yard."""
    at, truth = put_by(board, slot), world.truth[slot]
    one = world.yarded[at]
    one.run_s, one.power_frac, one.deadline_s = truth.run_s, truth.power_frac, truth.deadline_s
    one.alone_end_s, one.image, one.leaf = truth.alone_end_s, truth.image, truth.leaf
    one.first_child, one.tier, one.ending = truth.first_child, truth.tier, truth.ending
    truth.row, truth.first_child = NONE, NONE
    world.place[0].n_used -= 1
    if world.last[one.leaf] == slot:
        world.last[one.leaf] = place_of(at)


@kernel
def come_forward(board: Board, world: World) -> None:
    """Whoever has left the yard in a turn is known by its slot from now on."""
    g, place, at = board.g[0], world.place[0], board.g[0].left_yard
    while at != NONE:
        one, slot = world.yarded[at], board.yard[at].slot
        truth = world.truth[slot]
        truth.ends_s, truth.turn, truth.image, truth.held_milli = INF, NONE, one.image, 0
        truth.run_s, truth.power_frac, truth.tier, truth.ending = one.run_s, one.power_frac, one.tier, one.ending
        truth.row, truth.leaf = board.yard[at].user, one.leaf
        truth.deadline_s, truth.alone_end_s = one.deadline_s, one.alone_end_s
        truth.first_start_s, truth.held_gpu_s, truth.lost_gpu_s, truth.drawn_kw = math.nan, 0.0, 0.0, 0.0
        truth.first_child, truth.next_child = one.first_child, NONE
        place.n_used += 1
        if world.last[one.leaf] == place_of(at):
            world.last[one.leaf] = slot
        at = board.yard[at].next
    g.left_yard = NONE


def with_more_yard(board: Board, world: World, n_blocks: int) -> tuple[Board, World]:
    """The same with so many blocks more at least. What was there before has a yard no longer."""
    more = max(n_blocks, BLOCKS_MORE, board.yard_next.shape[0] // 8)
    board = with_yard(board, more)
    return board, world._replace(yarded=stretched(world.yarded, board.yard.shape[0]))


def yarded_jobs(board: Board, world: World) -> Iterator[Any]:
    """Jobs in the yard as records of `truth.CLOSED` that never started, some at a time."""
    places = np.flatnonzero(board.yard.slot == NONE)
    for first in range(0, len(places), TOLD):
        some = places[first : first + TOLD]
        found = records(len(some), CLOSED)
        _told(board, world, some, found, records(1, JOB))
        yield found


@kernel
def _told(board: Board, world: World, places: Any, found: Any, jobs: Any) -> None:
    """Fill in what becomes of jobs that wait at these places until the end; `jobs` is room for one."""
    t0_s = world.place[0].hour0_s
    for index in range(places.shape[0]):
        row, truth, one, job = board.yard[places[index]], world.yarded[places[index]], found[index], jobs[0]
        blank(jobs, 0)
        job.mcpu, job.gpus, job.n_nodes, job.power_frac = row.mcpu, row.gpus, row.n_nodes, row.power_frac
        job.gpu_milli = one.gpu_milli = row.gpu_milli
        job.gang = 1 if row.n_nodes > 1 else 0
        for klass in range(board.classes.shape[0]):
            if (row.classes >> klass) & 1:
                rate(job, board.classes[klass], row.n_nodes)
                break
        one.row, one.submit_s, one.first_start_s, one.end_s = row.user, row.submitted_s - t0_s, math.nan, math.nan
        one.done_s, one.run_s, one.deadline_s, one.alone_end_s = 0.0, truth.run_s, truth.deadline_s, truth.alone_end_s
        one.held_gpu_s, one.lost_gpu_s, one.power_frac = 0.0, 0.0, truth.power_frac
        one.idle_kw, one.mcpu, one.classes, one.gpus = job.idle_kw, job.mcpu, row.classes, row.gpus
        one.n_nodes, one.leaf, one.n_pauses, one.tier, one.ending = row.n_nodes, truth.leaf, 0, truth.tier, truth.ending
