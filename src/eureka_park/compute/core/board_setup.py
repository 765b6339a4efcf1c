"""Filling a board: classes of nodes, nodes, the share tree, and jobs as they are declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eureka_park.compute.core.board import (
    CLASSES_MAX,
    FIRST_WORD,
    FROM_WORD,
    GPU_TYPES_MAX,
    GPUS_MAX,
    INF,
    JOB,
    LEVELS,
    LINE,
    MILLI,
    N_SET,
    NONE,
    R_CPU,
    R_GPU,
    R_KWH,
    R_MEMORY,
    RACK_MOST,
    SHARE,
    UP,
    WORD,
    Array,
    Board,
    all_stale,
    empty_board,
    quantised_kw,
    records,
    with_runs,
)  # fmt: skip
from eureka_park.compute.core.rooms import MCPU_LEAST, MEM_LEAST_MIB
from eureka_park.foundation.kernels import kernel

ShareRow = tuple[int, float, float]  # parent's index (-1 for the root), weight, floor as a part of forecast power


@dataclass(frozen=True, slots=True)
class ClassRow:
    """Nodes of one kind, side by side. Racks and pods are counted on from those of the classes before."""

    n_nodes: int
    mcpu: int
    mem_mib: int
    n_gpus: int
    gpu_type: int
    rated_kw: float
    idle_kw: float
    gpu_kw_max: float = 0.0
    sleep_kw: float | None = None
    nodes_per_rack: int = 8
    racks_per_pod: int = 16


def new_board(
    classes: Sequence[ClassRow], shares: Sequence[ShareRow], n_slots: int = 1024, half_life_s: float = 7 * 86400.0
) -> Board:
    """A board with all nodes up and empty. Raises ValueError for what the arrays cannot hold."""
    if not classes or len(classes) > CLASSES_MAX:
        raise ValueError(f"a board holds 1 to {CLASSES_MAX} classes of nodes, not {len(classes)}")
    if any(row.n_gpus > GPUS_MAX or not 0 <= row.gpu_type < GPU_TYPES_MAX for row in classes):
        raise ValueError(f"a node holds up to {GPUS_MAX} GPUs, a park {GPU_TYPES_MAX} types of them")
    n_nodes = sum(row.n_nodes for row in classes)
    gpus_max = max(row.n_gpus for row in classes)
    board = empty_board(n_nodes, len(classes), max(1, len(shares)), n_slots, gpus_max, half_life_s)
    first = rack = pod = 0
    for index, row in enumerate(classes):
        _fill_class(board, index, row, first, gpus_max)
        rack, pod = _fill_nodes(board, index, row, first, rack, pod)
        first += row.n_nodes
    board.g.n_racks[0], board.g.n_pods[0] = max(1, rack), max(1, pod)
    _file_all(board)
    _fill_capacity(board)
    return with_shares(board, shares)


def _fill_class(board: Board, index: int, row: ClassRow, first: int, gpus_max: int) -> None:
    record = board.classes[index]
    record.mcpu, record.mem_mib, record.n_gpus, record.gpu_type = row.mcpu, row.mem_mib, row.n_gpus, row.gpu_type
    record.rated_kw, record.idle_kw = quantised_kw(row.rated_kw), quantised_kw(row.idle_kw)
    record.sleep_kw = quantised_kw(row.idle_kw if row.sleep_kw is None else row.sleep_kw)
    record.gpus_kw = min(row.n_gpus * row.gpu_kw_max, row.rated_kw - row.idle_kw)
    record.first, record.n_nodes, record.n_up, record.row = first, row.n_nodes, row.n_nodes, index * (gpus_max + 2)
    record.level_row = board.g.rack_row[0] + RACK_MOST + 1 + index * LEVELS


def _fill_nodes(board: Board, klass: int, row: ClassRow, first: int, rack: int, pod: int) -> tuple[int, int]:
    """Fill the nodes of a class; the first free rack and pod after it."""
    part = board.nodes[first : first + row.n_nodes]
    part["mcpu"] = part["free_mcpu"] = row.mcpu
    part["mem_mib"] = part["free_mem_mib"] = row.mem_mib
    part["n_gpus"] = part["free_gpus"] = row.n_gpus
    part["free_mask"], part["klass"], part["up"] = (1 << row.n_gpus) - 1, klass, UP
    part["first_job"] = part["gang_next"] = part["window_owner"] = part["row"] = NONE
    part["window_from_s"], part["window_to_s"] = INF, -INF
    for index in range(row.n_nodes):
        part["rack"][index] = rack + index // row.nodes_per_rack
        part["pod"][index] = pod + index // (row.nodes_per_rack * row.racks_per_pod)
    return int(part["rack"][-1]) + 1, int(part["pod"][-1]) + 1


def _file_all(board: Board) -> None:
    """Enter all nodes as what they are: up, and empty."""
    g = board.g[0]
    for klass in board.classes:
        part = board.nodes[klass.first : klass.first + klass.n_nodes]
        is_full = klass.mcpu < MCPU_LEAST or klass.mem_mib < MEM_LEAST_MIB
        part["base_kw"], part["row"] = klass.sleep_kw, NONE if is_full else klass.row + klass.n_gpus
        g.base_kw += klass.n_nodes * klass.sleep_kw
        g.free_gpus += klass.n_nodes * klass.n_gpus
        index = np.arange(klass.first, klass.first + klass.n_nodes)
        for row in (part["row"][0], klass.row + klass.n_gpus + 1):
            if row != NONE:
                np.bitwise_or.at(board.bitmaps[row], FIRST_WORD + index // WORD, np.int64(1) << (index % WORD))
                board.bitmaps[row, N_SET], board.bitmaps[row, FROM_WORD] = klass.n_nodes, klass.first // WORD
    all_stale(board)


def _fill_capacity(board: Board) -> None:
    capacity = board.capacity
    capacity[:] = 0.0
    for row in board.classes:
        capacity[R_CPU] += row.n_nodes * row.mcpu / 1000.0
        capacity[R_MEMORY] += row.n_nodes * row.mem_mib / 1024.0
        capacity[R_KWH] += row.n_nodes * row.rated_kw
        capacity[R_GPU + row.gpu_type] += row.n_nodes * row.n_gpus


def with_shares(board: Board, shares: Sequence[ShareRow]) -> Board:
    """The board with these shares: those it has keep their use, new ones are added at the end. Row 0 is the root."""
    rows = list(shares) or [(NONE, 1.0, 0.0)]
    had = 0 if board.shares.n_children.sum() == 0 and board.shares.weight[0] == 0.0 else board.shares.shape[0]
    n = len(rows)
    if n < had:
        raise ValueError("shares are never taken from a board")
    tree = records(n, SHARE)
    tree[:had] = board.shares[:had]
    lines = records(3 * n, LINE)
    lines[: 3 * had] = board.lines[: 3 * had]
    for name in ("first_run", "newest", "oldest", "down_oldest", "down_newest", "down_hint"):
        lines[name][3 * had :] = NONE
    parents = np.array([row[0] for row in rows], np.int32)
    tree["parent"], tree["weight"] = parents, [row[1] for row in rows]
    tree["floor_frac"] = [row[2] for row in rows]
    n_children = np.bincount(parents + 1, minlength=n + 1)
    tree["n_children"] = n_children[1:]
    tree["child_start"] = np.cumsum(n_children)[:-1] - n_children[0]
    is_idle = tree["n_waiting"] == 0  # who has somebody waiting stands first among the children of a share
    children = np.lexsort((is_idle, parents))[n_children[0] :]
    tree["child"][: len(children)], tree["place"][children] = children, np.arange(len(children))
    tree["n_wanting"] = np.bincount(parents[~is_idle] + 1, minlength=n + 1)[1:]
    board = board._replace(shares=tree, lines=lines)
    return with_runs(board, max(board.runs.shape[0], 6 * n))


def claim_slot(board: Board) -> int:
    """A free job slot, blank but for its defaults; -1 when the board must grow first (`board.grown`)."""
    slot = int(board.g.free_head[0])
    if slot == NONE:
        return NONE
    board.g.free_head[0] = board.jobs.next[slot]
    clear_slot(board, slot)
    board.jobs.order[slot] = board.g.next_order[0]
    board.g.next_order[0] += 1
    return slot


def clear_slot(board: Board, slot: int) -> None:
    """Set a job record to its defaults."""
    board.jobs[slot] = _BLANK[0]


@kernel
def blank(jobs: Array, slot: int) -> None:
    """Set a job record to its defaults."""
    job = jobs[slot]
    for_inf = INF
    job.deadline_s = job.ends_s = job.latest_key = job.wake_key = for_inf
    job.urgent_key = job.reason_until_s = job.promised_s = job.told_until_s = for_inf
    job.refused_room_s = for_inf
    job.last_pause_s = job.told_s = job.began_s = -for_inf
    job.tried = job.user = -1
    job.time_s = job.submitted_s = job.ran_s = job.since_s = job.broken_s = 0.0
    job.speed = job.power_frac = 1.0
    job.gpu_milli = MILLI
    job.idle_kw = job.full_kw = job.dynamic_kw = job.drawn_kw = 0.0
    job.declared_kw = job.target_s = job.planned_kw = job.reason_a = 0.0
    job.reason_b = 0.0
    job.mcpu = job.mem_mib = job.gpu_mask = 0
    job.classes = -1
    job.leaf = job.n_nodes_min = job.n_held = job.gpus = job.priority = 0
    job.n_nodes = 1
    job.node = job.next = job.prev = job.run = -1
    job.node_next = job.node_prev = job.cal_next = job.cal_prev = job.bucket = -1
    job.n_pauses = job.plan_keep = 0
    job.state = job.tier = job.job_class = job.where = job.checkpoint = 0
    job.is_first = job.ending = job.cap_step = job.bound = job.plan_cap = 0
    job.plan_stop = job.reason = job.told = job.broken_why = job.gang = 0
    job.counted = 0
    job.rated_kw = job.load_kw = job.gives_kw = 0.0


_BLANK = records(1, JOB)
getattr(blank, "py_func", blank)(_BLANK, 0)
