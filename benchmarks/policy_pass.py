"""What does one pass of the policy cost in CPU seconds, with all its rules on, over a long queue and a large park?

    .venv/bin/python benchmarks/policy_pass.py [--jobs 100000] [--projects 1000] [--nodes 32768] [--growth]

A park of nodes with 8 GPUs is filled first, turn by turn, until nothing more starts; then ten turns follow, before each
of which some jobs end. The median of those counts, reasons told as in the live park. `--growth`: ten times fewer of
each, one by one. `--json` for JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

import numpy as np

from eureka_park.compute.core import happen as what
from eureka_park.compute.core.board import NONE, QUEUED, RUNNING, STARTING, Board, job_bytes, with_runs
from eureka_park.compute.core.board_setup import ClassRow, claim_slot, new_board
from eureka_park.compute.core.happen import happen
from eureka_park.control.codes import START
from eureka_park.control.policy import Policy, Sky
from eureka_park.control.setup import set_policy, set_sky
from eureka_park.control.supply import Interval, Step, Supply
from eureka_park.control.turn import turn
from eureka_park.foundation.seeds import SeedTree

RATED_KW, IDLE_KW, HOUR_S = 10.2, 1.9, 3600.0
SIZES = ((1, 1), (2, 1), (4, 1), (8, 1), (8, 2), (8, 4), (8, 8), (8, 64))  # GPUs on each of so many nodes
SIZE_WEIGHTS = (0.7, 0.06, 0.06, 0.1, 0.04, 0.02, 0.015, 0.005)


def filled(n_jobs: int, n_projects: int, n_nodes: int) -> Board:
    """A board with so many jobs in its lines."""
    n_orgs = max(1, n_projects // 5)
    shares = [(NONE, 1.0, 0.0), *((0, 1.0, 0.0) for _ in range(n_orgs))]
    shares += [(1 + index % n_orgs, 1.0 + index % 3, 0.0) for index in range(n_projects)]
    kind = ClassRow(n_nodes, 192_000, 2 << 20, 8, 0, RATED_KW, IDLE_KW, 0.7)
    board = with_runs(new_board([kind], shares, n_jobs + 1), 16 * len(shares))
    set_policy(board, Policy(sky=Sky.BINDING))
    steps = (Step(n_nodes * 12.0, 200.0, "koudia"), Step(n_nodes * 16.0, 900.0, "grid"))
    hours = (
        Interval(h * HOUR_S, (h + 1) * HOUR_S, n_nodes * 12.0, n_nodes * 9.0, n_nodes * 4.0, steps) for h in range(48)
    )
    set_sky(board, Supply(tuple(hours)))
    draw = SeedTree(1).child("policy-pass").generator()
    sizes = draw.choice(len(SIZES), n_jobs, p=SIZE_WEIGHTS)
    times_s, tiers = np.exp(draw.normal(8.0, 1.2, n_jobs)) + 60.0, draw.integers(0, 3, n_jobs)
    for row in range(n_jobs):
        slot = claim_slot(board)
        gpus, n_parts = SIZES[sizes[row]]
        while n_parts > n_nodes:
            n_parts //= 2
        job = board.jobs[slot]
        job.leaf, job.tier = 1 + n_orgs + row % n_projects, tiers[row]
        job.gpus, job.n_nodes, job.gang = gpus, n_parts, n_parts > 1
        job.mcpu, job.mem_mib, job.checkpoint = gpus * 16_000, gpus << 17, row % 2
        job.time_s, job.priority = times_s[row], row % 2
        if tiers[row] == 1 and row % 3:
            job.deadline_s = times_s[row] + 30 * HOUR_S
        happen(board, slot, what.SUBMITTED, 0, 0, 0, 0.0, 0.0, 0.0)
    return board


def measured(n_jobs: int, n_projects: int, n_nodes: int) -> dict[str, Any]:
    """CPU seconds of a first turn and of those that follow."""
    board = filled(n_jobs + n_nodes * 13 // 10, n_projects, n_nodes)
    begin = time.process_time()
    turn(board, 60.0)
    first_s, costs, started, now_s = time.process_time() - begin, [], [], 60.0
    while (board.actions.code[: int(board.g.n_actions[0])] == START).any():
        now_s += 1.0
        turn(board, now_s)
    for _ in range(10):
        now_s += 60.0
        for slot in np.flatnonzero(board.jobs.state == STARTING):
            happen(board, int(slot), what.STARTED, 0, 0, 0, 0.0, 0.0, now_s - 30.0)
        for slot in np.flatnonzero(board.jobs.state == RUNNING)[: max(1, n_nodes // 200)]:
            happen(board, int(slot), what.ENDED, 0, 0, 0, 0.0, 0.0, now_s - 30.0)
        begin = time.process_time()
        turn(board, now_s)
        costs.append(time.process_time() - begin)
        started.append(int((board.actions.code[: int(board.g.n_actions[0])] == START).sum()))
    g = board.g[0]
    return {
        "jobs_queued": int((board.jobs.state == QUEUED).sum()), "projects": n_projects, "nodes": n_nodes,
        "jobs_on_nodes": int(g.n_on), "first_turn_cpu_s": round(first_s, 4),
        "turn_cpu_ms_median": round(statistics.median(costs) * 1e3, 2), "turn_cpu_ms_max": round(max(costs) * 1e3, 2),
        "tried": int(g.n_considered), "reserved": int(g.n_reserved), "started_per_turn": started,
        "bytes_per_queued_job": job_bytes(),
    }  # fmt: skip


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--projects", type=int, default=1000)
    parser.add_argument("--nodes", type=int, default=32_768)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    whole = (options.jobs, options.projects, options.nodes)
    measured(1000, 10, 8)  # what is compiled or read from disk counts apart
    cases = [whole]
    if options.growth:
        cases += [tuple(max(1, n // 10) if at == index else n for at, n in enumerate(whole)) for index in range(3)]
    rows = [measured(*case) for case in cases]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(", ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
