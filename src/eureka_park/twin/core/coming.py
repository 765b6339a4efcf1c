"""Kernels by which jobs come: from a chunk into slots of the board, at once or when those that they wait for ended."""

from __future__ import annotations

import math
from typing import Any

from eureka_park.compute.core.board import FREE, INF, NONE, Board
from eureka_park.compute.core.board_setup import blank
from eureka_park.compute.core.moves import submitted
from eureka_park.compute.core.yard import blocks_wanted, slots_kept
from eureka_park.foundation.kernels import kernel
from eureka_park.twin.core.baselines import PARK, declare, hold_back
from eureka_park.twin.core.fairness import Alone, end_alone_s
from eureka_park.twin.core.truth import World, close
from eureka_park.twin.core.yarded import is_far_behind, place_of, stand_by

SPARE_SLOTS = 64


@kernel
def prepare(board: Board, coming: Any, first: int, n: int, gpu_types: Any, alone: Alone, per_cpu: bool) -> None:
    """Work out of rows `first` to `n`: on which classes each job may run (a bit each), and when it would have ended on
    its tenant's own machines. `per_cpu`: those are counted in CPUs; without any, it is not known.
    """
    for index in range(first, n):
        row = coming[index]
        row.classes = _classes(board, row, gpu_types)
        row.alone_end_s = INF
        if alone.size.shape[0] > 0:
            held = row.n_nodes * (row.mcpu / 1000.0) if per_cpu else float(row.n_nodes * row.gpus)
            n_units = math.ceil(held - 1e-9)
            row.alone_end_s = end_alone_s(alone, row.leaf, row.submit_s, row.run_s, n_units)


@kernel
def _classes(board: Board, row: Any, gpu_types: Any) -> Any:
    """Bit mask of the classes on which a job may run."""
    mask, is_gang = 0, row.n_nodes > 1
    least = row.n_nodes_min if row.n_nodes_min > 0 else row.n_nodes
    for index in range(board.classes.shape[0]):
        klass = board.classes[index]
        fits = row.gpus <= klass.n_gpus and row.mcpu <= klass.mcpu and row.mem_mib <= klass.mem_mib
        fits = fits and (row.gpu_type < 0 or gpu_types[row.gpu_type] == klass.gpu_type)
        fits = fits and (not is_gang or (row.gpus == klass.n_gpus and least <= klass.n_nodes))
        if fits:
            mask |= 1 << index
    return mask


@kernel
def has_jobs(world: World, now_s: float) -> bool:
    """Whether all jobs that come until `now_s` stand in the chunk."""
    place, coming = world.place[0], world.coming
    if place.more == 0:
        return True
    last = place.n_coming - 1
    return bool(last >= place.next_job and place.hour0_s + coming[last].submit_s > now_s)


@kernel
def has_slots(board: Board, world: World, now_s: float) -> bool:
    """Whether all that may come in until `now_s` has a slot."""
    place = world.place[0]
    room, kept = board.jobs.shape[0] - place.n_used, slots_kept(board) if place.deep > 0 else 0
    return bool(_n_due(world, now_s) + SPARE_SLOTS + kept <= room)


@kernel
def _n_due(world: World, now_s: float) -> int:
    """How many jobs of the chunk come until `now_s`."""
    place, coming = world.place[0], world.coming
    last = place.next_job
    while last < place.n_coming and place.hour0_s + coming[last].submit_s <= now_s:
        last += 1
    return int(last - place.next_job)


@kernel
def blocks_lacking(board: Board, world: World, now_s: float) -> int:
    """Blocks of the yard that are wanted besides those that are free: for jobs that come until `now_s`, and for those
    that wait for others to end.
    """
    place, g = world.place[0], board.g[0]
    if place.deep == 0:
        return 0
    n_behind = place.n_used - g.n_on - (g.n_waiting - g.n_yard)
    return max(0, blocks_wanted(board, _n_due(world, now_s) + n_behind, place.deep) - g.n_yard_free)


@kernel
def arrive(board: Board, world: World, now_s: float) -> None:
    """Jobs of the chunk come, up to `now_s`."""
    place, coming = world.place[0], world.coming
    while place.next_job < place.n_coming and place.hour0_s + coming[place.next_job].submit_s <= now_s:
        row = coming[place.next_job]
        before = _slot_of(board, world, row.after, row.leaf)
        slot = _taken(board, world, row, place.first_row + place.next_job)
        place.next_job += 1
        if before == NONE:
            _let_in(board, world, slot)
        elif before < NONE:
            world.truth[slot].next_child = world.yarded[place_of(before)].first_child
            world.yarded[place_of(before)].first_child = slot
        else:
            world.truth[slot].next_child = world.truth[before].first_child
            world.truth[before].first_child = slot


@kernel
def _slot_of(board: Board, world: World, row: int, leaf: int) -> int:
    """Where a job is that came before (as in `World.last`); NONE when it has ended. Without fates a job comes after the
    last of its leaf.
    """
    if row < 0:
        return NONE
    if row < world.fate.shape[0]:
        return world.fate[row].slot
    slot = world.last[leaf]
    if slot < NONE:
        return slot if board.yard[place_of(slot)].user == row else NONE
    return slot if slot != NONE and world.truth[slot].row == row else NONE


@kernel
def _taken(board: Board, world: World, row: Any, number: int) -> int:
    """Write a job into a slot; it is not in the queue yet. The slot is there (see `has_slots`)."""
    place, g = world.place[0], board.g[0]
    slot = g.free_head
    g.free_head = board.jobs[slot].next
    blank(board.jobs, slot)
    place.n_used += 1
    job = board.jobs[slot]
    job.state, job.user = FREE, number
    job.n_nodes, job.gpus, job.mcpu, job.mem_mib = row.n_nodes, row.gpus, row.mcpu, row.mem_mib
    job.gpu_milli = row.gpu_milli
    job.job_class, job.checkpoint, job.classes = row.job_class, row.checkpoint, row.classes
    job.time_s, job.submitted_s = row.time_s, place.hour0_s + row.submit_s
    job.gang = 1 if row.n_nodes > 1 else 0
    job.power_frac = world.learned[row.image]
    if place.how != PARK:
        job.leaf = world.leaf_rows[0]
        declare(board, slot, place.how, row.tier, place.hour0_s + row.deadline_s, place.hour0_s)
    else:
        job.leaf, job.tier, job.priority = world.leaf_rows[row.leaf], row.tier, row.priority
        job.deadline_s, job.n_nodes_min = place.hour0_s + row.deadline_s, row.n_nodes_min
        job.is_first = row.is_first
    truth = world.truth[slot]
    truth.ends_s, truth.turn, truth.image, truth.held_milli = INF, NONE, row.image, 0
    truth.run_s, truth.power_frac, truth.tier, truth.ending = row.run_s, row.power_frac, row.tier, row.ending
    truth.row, truth.leaf, truth.deadline_s, truth.alone_end_s = number, row.leaf, row.deadline_s, row.alone_end_s
    truth.first_start_s, truth.held_gpu_s, truth.lost_gpu_s, truth.drawn_kw = math.nan, 0.0, 0.0, 0.0
    truth.first_child = truth.next_child = NONE
    world.last[row.leaf] = slot
    if number < world.fate.shape[0]:
        world.fate[number].slot = slot
    return slot


@kernel
def _let_in(board: Board, world: World, slot: int) -> None:
    """A job enters the queue."""
    g, place, truth = board.g[0], world.place[0], world.truth[slot]
    board.jobs[slot].order = g.next_order
    g.next_order += 1
    if place.deep > 0 and is_far_behind(board, slot, place.how, place.deep):
        stand_by(board, world, slot)
        return
    submitted(board, slot, False)
    hold_back(board, slot, place.how, truth.tier, place.hour0_s + truth.deadline_s, place.now_s)


@kernel
def release(board: Board, world: World, child: int, is_done: bool) -> None:
    """Let in the jobs that waited for one that has ended, from `child` on; or drop them, and who waits for them."""
    truth, place, jobs, g = world.truth, world.place[0], board.jobs, board.g[0]
    while child != NONE:
        after, below = truth[child].next_child, truth[child].first_child
        truth[child].next_child = NONE
        if is_done:
            _let_in(board, world, child)
        else:
            if below != NONE:  # who waits for it is dropped next
                last = below
                while truth[last].next_child != NONE:
                    last = truth[last].next_child
                truth[last].next_child = after
                after = below
            place.n_used -= 1
            place.n_cancelled += 1
            close(board, world, child, math.nan, 0.0)
            jobs[child].user = NONE
            jobs[child].next = g.free_head
            g.free_head = child
        child = after
