"""A small board for tests of kernels: filled, moved and checked through the two kernels that live calls as well.

Only `happen` and `turn` are compiled for it (others call them too), so that the suite compiles nothing of its own; what
needs no other kernel is tested as plain Python (`plain`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from eureka_park.compute.core import board as b
from eureka_park.compute.core import happen as what
from eureka_park.compute.core.board_setup import ClassRow, ShareRow, claim_slot, new_board
from eureka_park.compute.core.happen import happen
from eureka_park.control.policy import Policy, Sky
from eureka_park.control.setup import set_policy, set_sky
from eureka_park.control.supply import Interval, Step, Supply
from eureka_park.control.turn import turn
from tests.helpers.check_board import ON_NODES, check_bitmaps, check_calendar, check_lines, check_nodes, check_powers

HOUR_S = 3600.0
SHARES: tuple[ShareRow, ...] = ((b.NONE, 1.0, 0.0), (0, 1.0, 0.0), (0, 2.0, 0.0), (1, 1.0, 0.0), (1, 1.0, 0.0))
LEAVES = (2, 3, 4)


def plain(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel as the Python that it is written in."""
    found: Callable[..., Any] = getattr(kernel, "py_func", kernel)
    return found


def small_board(
    n_nodes: int = 4, gpus: int = 4, nodes_per_rack: int = 2, shares: Sequence[ShareRow] = SHARES, clean_kw: float = 1e4
) -> b.Board:
    """Equal nodes with 1000 mCPU and 1000 MiB for each GPU, much power, and a policy that binds all but firm jobs."""
    kind = ClassRow(n_nodes, 1000 * gpus, 1000 * gpus, gpus, 0, 5.0, 1.0, 0.8, nodes_per_rack=nodes_per_rack)
    board = new_board([kind], shares, 64)
    set_policy(board, Policy(sky=Sky.BINDING))
    steps = (Step(clean_kw, 200.0, "sun"),)
    hours = (Interval(h * HOUR_S, (h + 1) * HOUR_S, clean_kw, clean_kw, 10.0, steps) for h in range(48))
    set_sky(board, Supply(tuple(hours)))
    return board


def submit(board: b.Board, *, gpus: int = 1, n_nodes: int = 1, held_back: bool = False, **fields: Any) -> int:
    """A job in its line; its slot."""
    slot = claim_slot(board)
    job = board.jobs[slot]
    job.leaf, job.time_s, job.checkpoint, job.gpus, job.n_nodes, job.gang = 3, HOUR_S, 1, gpus, n_nodes, n_nodes > 1
    job.mcpu, job.mem_mib = 1000 * gpus, 1000 * gpus
    for name, value in fields.items():
        job[name] = value
    tell(board, slot, what.SUBMITTED, n=int(held_back))
    return slot


def tell(
    board: b.Board, slot: int, code: int, at_s: float = 0.0, *, n: int = 0, mask: int = 0, step: int = 0, a: float = 0.0
) -> None:
    """Let one thing happen to a job."""
    happen(board, slot, code, n, mask, step, a, 0.0, at_s)


def decide(board: b.Board, now_s: float) -> list[tuple[int, int]]:
    """One turn; codes and slots of its actions."""
    turn(board, now_s)
    rows = board.actions[: int(board.g.n_actions[0])]
    return [(int(row.code), int(row.slot)) for row in rows]


def check(board: b.Board) -> None:
    """Raises AssertionError where sums, lists, bitmaps or the calendar disagree with the records of jobs."""
    used = [slot for slot in range(board.jobs.shape[0]) if board.jobs.state[slot] != b.FREE]
    on = [slot for slot in used if board.jobs.state[slot] in ON_NODES]
    check_nodes(board, on)
    check_bitmaps(board)
    check_powers(board, on)
    check_lines(board, used, on)
    check_calendar(board, on)
