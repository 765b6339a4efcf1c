"""Kernels that write down what was decided and why: rows of actions, and each job's reason with its numbers."""

from __future__ import annotations

from eureka_park.compute.core.board import INF, TOLD_MAX, Board
from eureka_park.foundation.kernels import kernel

AGED_MAX = 16  # of them only because their numbers have grown old


@kernel
def log(board: Board, code: int, slot: int, a: float, b: float) -> None:
    """Add a row to the actions of this turn."""
    job = board.jobs[slot]
    g, rows = board.g[0], board.actions
    at = g.n_actions
    rows[at].code, rows[at].slot, rows[at].order, rows[at].node = code, slot, job.order, job.node
    rows[at].n_nodes, rows[at].gpu_mask, rows[at].a, rows[at].b = job.n_held, job.gpu_mask, a, b
    g.n_actions = at + 1


@kernel
def note(board: Board, slot: int, code: int, a: float, b: float, until_s: float) -> int:
    """Keep a job's reason; returns the code."""
    job = board.jobs[slot]
    job.reason, job.reason_a, job.reason_b, job.reason_until_s = code, a, b, until_s
    return code


@kernel
def tell(board: Board, slot: int, now_s: float) -> None:
    """Put a job's reason among those to be told, if it is news or its numbers have grown old."""
    g = board.g[0]
    job = board.jobs[slot]
    g = board.g[0]
    if not g.explain or g.n_told >= TOLD_MAX:
        return
    until_s, told_s = job.reason_until_s, job.told_until_s
    is_news = job.reason != job.told or (until_s == INF) != (told_s == INF)
    if not is_news and until_s < INF:
        is_news = abs(until_s - told_s) >= g.refresh_s
    if not is_news:
        if now_s - job.told_s < g.refresh_s or g.n_aged >= AGED_MAX:
            return
        g.n_aged += 1
    job.told, job.told_until_s, job.told_s = job.reason, until_s, now_s
    board.g[0].told[g.n_told] = slot
    g.n_told += 1


@kernel
def say(board: Board, slot: int, code: int, a: float, b: float, until_s: float, now_s: float) -> int:
    """Keep a job's reason and tell it; returns the code."""
    note(board, slot, code, a, b, until_s)
    tell(board, slot, now_s)
    return code
