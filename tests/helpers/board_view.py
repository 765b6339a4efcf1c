"""All of a state that decisions rest on, so that two can be compared whatever slots their jobs have."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from eureka_park.compute.core.board import FREE, INF, NONE, Board
from eureka_park.compute.core.state import ParkState
from eureka_park.control.give_way import bind_anew
from eureka_park.control.turn import _wake

_OF_JOBS = (
    "order", "time_s", "deadline_s", "submitted_s", "ran_s", "since_s", "began_s", "last_pause_s", "speed", "idle_kw",
    "full_kw", "dynamic_kw", "drawn_kw", "power_frac", "declared_kw", "mcpu", "mem_mib", "classes", "gpu_mask",
    "n_nodes", "n_nodes_min", "n_held", "gpus", "priority", "n_pauses", "state", "tier", "job_class", "where",
    "checkpoint", "is_first", "ending", "cap_step", "bound", "gang",
)  # fmt: skip
_OF_NODES = (
    "free_mcpu", "free_mem_mib", "free_mask", "free_gpus", "n_jobs", "klass", "rack", "pod", "up", "window_from_s",
    "window_to_s", "window_owner", "base_kw",
)  # fmt: skip
_SUMS = (
    "base_kw", "shared_kw", "firm_kw", "flex_kw", "green_kw", "firm_rated_kw", "bound_kw", "free_green_kw",
    "dynamic_kw", "n_waiting", "n_deferred", "n_on", "n_down", "free_gpus", "next_order", "growth_epoch_s",
    "reclaimed_s", "sky",
)  # fmt: skip


def view_of(state: ParkState, now_s: float) -> dict[str, Any]:
    """The state as the next turn at `now_s` would find it."""
    state = state.copied()
    board = state.board
    assert board is not None
    _wake(board, now_s)
    bind_anew(board, now_s)
    value = json.loads(json.dumps(state.to_json()))
    paths = state.share_paths
    return {
        **{name: value[name] for name in value if name not in ("side", "queued")},
        "tree": value["side"]["tree"],
        "policy": {name: part for name, part in (value["side"]["policy"] or {}).items() if name != "at_s"},
        "on_board": [_job(board, slot, paths) for slot in sorted(state.job_at, key=lambda at: board.jobs.order[at])],
        "lines": {paths[line // 3] + f" {line % 3}": _line(board, line) for line in range(len(board.lines))},
        "nodes_now": {name: board.nodes[name].tolist() for name in _OF_NODES},
        "used": board.used.tolist(),
        "drawn": board.shares.committed_kw.tolist(),
        "sums": {name: board.g[name].tolist() for name in _SUMS},
    }


def _job(board: Board, slot: int, paths: list[str]) -> dict[str, Any]:
    assert board.jobs.state[slot] != FREE
    found = {name: board.jobs[name][slot].item() for name in _OF_JOBS}
    nodes, node = [], int(board.jobs.node[slot])
    while node != NONE:
        nodes.append(node)
        node = int(board.nodes.gang_next[node]) if board.jobs.gang[slot] else NONE
    deferred = {name: board.jobs[name][slot].item() for name in ("wake_key", "target_s")} if found["where"] == 1 else {}
    ends_s = max(float(board.jobs.ends_s[slot]), float(board.g.turn_s[0])) if nodes else INF
    return {**found, **deferred, "leaf": paths[board.jobs.leaf[slot]], "nodes": nodes, "ends_s": ends_s}


def _line(board: Board, line: int) -> dict[str, list[int]]:
    """Orders of those that wait, as they stand, and of those on nodes, the newest start first."""
    waiting, run = [], int(board.lines.first_run[line])
    while run != NONE:
        slot = int(board.runs.head[run])
        while slot != NONE:
            waiting.append(int(board.jobs.order[slot]))
            slot = int(board.jobs.next[slot])
        run = int(board.runs.next[run])
    running, slot = [], int(board.lines.newest[line])
    while slot != NONE:
        running.append(int(board.jobs.order[slot]))
        slot = int(board.jobs.next[slot])
    return {"waiting": waiting, "running": running}


def differences(a: Any, b: Any, where: str = "") -> list[str]:
    """Where two views differ, for people."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return [line for key in a for line in differences(a[key], b[key], f"{where}.{key}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [line for at in range(len(a)) for line in differences(a[at], b[at], f"{where}[{at}]")]
    same = a == b or (isinstance(a, float) and isinstance(b, float) and np.isnan(a) and np.isnan(b))
    return [] if same else [f"{where}: {a} is not {b}"]
