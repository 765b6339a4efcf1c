"""Kernels that write down what was decided and why: rows of actions, and each job's reason with its numbers."""

from __future__ import annotations

from eureka_park.compute.core.board import INF, Board
from eureka_park.foundation.kernels import kernel

TOLD_MAX = 1024  # reasons that one turn tells
AGED_MAX = 16  # of them only because their numbers have grown old


@kernel
def log(board: Board, code: int, slot: int, a: float, b: float) -> None:
    """Add a row to the actions of this turn."""
    g, jobs, rows = board.g, board.jobs, board.actions
    at = g.n_actions[0]
    rows.code[at], rows.slot[at], rows.order[at], rows.node[at] = code, slot, jobs.order[slot], jobs.node[slot]
    rows.n_nodes[at], rows.gpu_mask[at], rows.a[at], rows.b[at] = jobs.n_held[slot], jobs.gpu_mask[slot], a, b
    g.n_actions[0] = at + 1


@kernel
def note(board: Board, slot: int, code: int, a: float, b: float, until_s: float) -> int:
    """Keep a job's reason; returns the code."""
    jobs = board.jobs
    jobs.reason[slot], jobs.reason_a[slot], jobs.reason_b[slot], jobs.reason_until_s[slot] = code, a, b, until_s
    return code


@kernel
def tell(board: Board, slot: int, now_s: float) -> None:
    """Put a job's reason among those to be told, if it is news or its numbers have grown old."""
    g, jobs = board.g, board.jobs
    if not g.explain[0] or g.n_told[0] >= TOLD_MAX:
        return
    until_s, told_s = jobs.reason_until_s[slot], jobs.told_until_s[slot]
    is_news = jobs.reason[slot] != jobs.told[slot] or (until_s == INF) != (told_s == INF)
    if not is_news and until_s < INF:
        is_news = abs(until_s - told_s) >= g.refresh_s[0]
    if not is_news:
        if now_s - jobs.told_s[slot] < g.refresh_s[0] or g.n_aged[0] >= AGED_MAX:
            return
        g.n_aged[0] += 1
    jobs.told[slot], jobs.told_until_s[slot], jobs.told_s[slot] = jobs.reason[slot], until_s, now_s
    board.told[g.n_told[0]] = slot
    g.n_told[0] += 1


@kernel
def say(board: Board, slot: int, code: int, a: float, b: float, until_s: float, now_s: float) -> int:
    """Keep a job's reason and tell it; returns the code."""
    note(board, slot, code, a, b, until_s)
    tell(board, slot, now_s)
    return code
