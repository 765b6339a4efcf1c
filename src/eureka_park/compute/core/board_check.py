"""Invariants of the board and of what the state says beside it, summed anew; for tests and an occasional look."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from eureka_park.compute.core.board import DEFERRED, FIRM, FREE, HELD_BACK, IN_LINE, NONE, PAUSED, PAUSING, QUEUED, UP
from eureka_park.compute.core.board_side import STATES, BoardSide
from eureka_park.compute.core.job import Job
from eureka_park.foundation.ids import JobId


def check_board(side: BoardSide, jobs: Mapping[JobId, Job], held: Collection[JobId]) -> None:
    """AssertionError names what does not add up."""
    board = side.board
    assert board is not None and side.slots.keys() == jobs.keys(), "a job has no slot, or a slot no job"
    taken = board.jobs.state != FREE
    assert {int(slot) for slot in np.flatnonzero(taken)} == set(side.jobs_at), "slots are taken that nobody holds"
    for job_id, slot in side.slots.items():
        job = jobs[job_id]
        assert side.jobs_at[slot] == job_id and board.jobs.order[slot] == job.order, f"{job_id} is in a wrong slot"
        assert board.jobs.state[slot] == STATES[job.state], f"{job_id} is {job.state}, not so on the board"
        assert (board.jobs.where[slot] == HELD_BACK) == (job_id in held) or board.jobs.node[slot] != NONE, job_id
    _check_nodes(side)
    _check_sums(side)


def _check_nodes(side: BoardSide) -> None:
    """What is free and what is held is all that there is."""
    board = side.board
    assert board is not None
    mcpu, memory, gpus = board.nodes.free_mcpu.copy(), board.nodes.free_mem_mib.copy(), board.nodes.free_mask.copy()
    for slot, job_id in side.jobs_at.items():
        node = int(board.jobs.node[slot])
        is_gang = bool(board.jobs.gang[slot])
        while node != NONE:
            mask = (1 << int(board.nodes.n_gpus[node])) - 1 if is_gang else int(board.jobs.gpu_mask[slot])
            assert not int(gpus[node]) & mask, f"{job_id} holds a GPU of {side.machines.node_ids[node]} with another"
            gpus[node] |= mask
            mcpu[node] += board.jobs.mcpu[slot]
            memory[node] += board.jobs.mem_mib[slot]
            node = int(board.nodes.gang_next[node]) if is_gang else NONE
    assert (mcpu == board.nodes.mcpu).all(), "CPUs do not add up"
    assert (memory == board.nodes.mem_mib).all(), "memory does not add up"
    assert (gpus == (1 << board.nodes.n_gpus.astype(np.int64)) - 1).all(), "GPUs do not add up"
    free = np.array([int(mask).bit_count() for mask in board.nodes.free_mask])
    assert (free == board.nodes.free_gpus).all(), "free GPUs are miscounted"
    assert free[board.nodes.up == UP].sum() == board.g.free_gpus[0], "free GPUs do not add up"


def _check_sums(side: BoardSide) -> None:
    """Sums that moves keep are the sums of what is there, to the last bit."""
    board = side.board
    assert board is not None
    jobs, g = board.jobs, board.g
    on_node = (jobs.state != FREE) & (jobs.node != NONE)
    for tier, name in enumerate(("firm_kw", "flex_kw", "green_kw")):
        assert jobs.drawn_kw[on_node & (jobs.tier == tier)].sum() == g[name][0], f"{name} does not add up"
    firm = on_node & (jobs.tier == FIRM) & (jobs.state != PAUSING)
    assert (jobs.idle_kw[firm] + jobs.full_kw[firm]).sum() == g.firm_rated_kw[0], "firm_rated_kw does not add up"
    assert jobs.drawn_kw[on_node & (jobs.bound == 1)].sum() == g.bound_kw[0], "bound_kw does not add up"
    assert jobs.idle_kw[on_node & (jobs.state != PAUSING)].sum() == g.shared_kw[0], "shared_kw does not add up"
    assert board.nodes.base_kw.sum() == g.base_kw[0], "base_kw does not add up"
    waiting = ((jobs.state == QUEUED) | (jobs.state == PAUSED)) & (jobs.where != HELD_BACK)
    assert waiting.sum() == g.n_waiting[0], "n_waiting does not add up"
    assert (waiting & (jobs.where == DEFERRED)).sum() == g.n_deferred[0], "n_deferred does not add up"
    assert (waiting & (jobs.where == IN_LINE)).sum() == board.lines.n.sum(), "lines do not add up"
    assert on_node.sum() == board.lines.n_on.sum() == g.n_on[0], "n_on does not add up"
