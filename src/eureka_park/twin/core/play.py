"""A run of the twin: the world and control step by step, compiled; Python only makes room and takes the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from eureka_park.compute.core.board import FREE, HEAP, NONE, PAUSING, RUNNING, Board, grown, records, with_runs
from eureka_park.control.digest import RECORD, ActionDigest
from eureka_park.control.policy import Policy
from eureka_park.control.setup import set_policy
from eureka_park.twin.core.counted import counted
from eureka_park.twin.core.failures import Failures
from eureka_park.twin.core.opening import Opening
from eureka_park.twin.core.played import Floats, Played
from eureka_park.twin.core.sky_series import SkySeries
from eureka_park.twin.core.workload import FLEX, Workload
from eureka_park.twin.core.world import AHEAD, DONE, FATE, NEEDS_SLOTS, PLACE, TRUTH, World, play_on

SLOTS: Final = 16_384
LEARNED_FIRST: Final = 0.8  # of rated power, for an image that nothing is known of yet; assumption
LOG_ROWS: Final = 1 << 18
TAIL_H: Final = 48.0


def play(
    opening: Opening,
    work: Workload,
    sky: SkySeries,
    failures: Failures,
    policy: Policy,
    tick_s: float,
    name: str = "park",
    *,
    learns: bool = True,
    learned: Floats | None = None,
    by_leaf: bool = False,
    tail_h: float = TAIL_H,
    told: Callable[[float], None] = lambda _frac: None,
) -> Played:
    """Play a workload under a sky. `name`: park, or fcfs-easy, which knows no shares, tiers, deadlines nor caps.

    `learns`: predicted power follows what jobs of the same image drew, and the meter; else every job draws what is
    rated, or by image the part `learned` of it. `by_leaf`: energy is counted by leaf too. Runs until `tail_h` hours
    after the last hour of arrivals, as far as the sky reaches. Deterministic.
    """
    board = opening.board
    if name == "fcfs-easy":
        board, work, policy = _as_fcfs(opening, work, policy)
    leaf_rows = opening.leaf_rows if name != "fcfs-easy" else np.zeros_like(opening.leaf_rows) + opening.leaf_rows[0]
    board = grown(board, SLOTS)
    n_runs = board.lines.shape[0] * 2 * (1 + len(np.unique(work.priority)))
    board = with_runs(board, min(n_runs, work.n_jobs) + 64)  # a run holds a job at least
    set_policy(board, policy, explain=False)
    world = world_of(board, work, sky, failures, leaf_rows, opening.gpu_types, learns=learns, learned=learned)
    place = world.place
    place.by_share[0] = by_leaf
    place.tick_s[0], place.until_s[0] = tick_s, sky.hour0_s + min(_span_s(work, tail_h), sky.n_hours * 3600.0)
    digest, begun_s = ActionDigest(), float(place.now_s[0])
    while True:
        status = play_on(board, world)
        digest.add_records(world.log[: place.n_log[0]])
        place.n_log[0] = 0
        told((float(place.now_s[0]) - begun_s) / max(1.0, float(place.until_s[0]) - begun_s))
        if status == DONE:
            return _played(board, world, sky.hour0_s, digest, leaf_rows if by_leaf else leaf_rows[:0])
        if status == NEEDS_SLOTS:
            board = grown(board, 2 * board.jobs.shape[0])
        world = with_room(world, board)


def _span_s(work: Workload, tail_h: float) -> float:
    last_s = float(work.submit_s[-1]) if work.n_jobs else 0.0
    return np.ceil(last_s / 3600.0) * 3600.0 + tail_h * 3600.0


def _as_fcfs(opening: Opening, work: Workload, policy: Policy) -> tuple[Board, Workload, Policy]:
    """First come, first served with EASY backfill: one line for all, one reservation, pauses by the newest start."""
    n = work.n_jobs
    plain = replace(
        work,
        tier=np.full(n, FLEX, np.int8),
        deadline_s=np.full(n, np.inf),
        priority=np.zeros(n, np.int32),
        n_nodes_min=np.zeros(n, np.int32),
        leaf=np.zeros(n, np.int32),
    )
    policy = replace(policy, can_cap=False, reserve_depth=1, lookahead=1000, scan=1000, reclaim_after_s=np.inf)
    return opening.board, plain, policy


def _classes_of(board: Board, work: Workload, gpu_types: Any) -> Any:
    """Bit masks of the classes on which each job may run."""
    masks = np.zeros(work.n_jobs, np.int64)
    wanted = np.where(work.gpu_type >= 0, np.append(gpu_types, -1)[work.gpu_type], -2)
    gang = work.n_nodes > 1
    for index, row in enumerate(board.classes):
        fits = (work.gpus <= row.n_gpus) & (work.mcpu <= row.mcpu) & (work.mem_mib <= row.mem_mib)
        fits &= (wanted == -2) | (wanted == row.gpu_type)
        fits &= ~gang | ((work.gpus == row.n_gpus) & (work.least_nodes <= row.n_nodes))
        masks |= fits.astype(np.int64) << index
    return masks


def world_of(
    board: Board,
    work: Workload,
    sky: SkySeries,
    failures: Failures,
    leaf_rows: Any,
    gpu_types: Any,
    *,
    learns: bool = True,
    learned: Floats | None = None,
) -> World:
    """The truth of a run as kernels take it, before its first step; `leaf_rows` and `gpu_types` as in an opening."""
    n, n_slots, n_nodes = work.n_jobs, board.jobs.shape[0], board.nodes.shape[0]
    place = records(1, PLACE)
    place.now_s[0] = place.hour0_s[0] = place.t0_s[0] = sky.hour0_s
    place.hour[0] = place.plan[0] = -1
    place.learns[0] = learns
    fate = records(n, FATE)
    fate.first_start_s[:] = fate.end_s[:] = np.nan
    fate.first_child[:] = fate.next_child[:] = NONE
    kept = {
        name: getattr(work, name)
        for name in ("n_nodes", "n_nodes_min", "gpus", "mcpu", "mem_mib", "tier", "job_class", "checkpoint", "priority",
                     "time_s", "run_s", "power_frac", "after", "image", "is_first")
    }  # fmt: skip
    place.plan[0] = 0
    if learned is None:
        learned = np.full(int(work.image.max()) + 1 if n else 1, LEARNED_FIRST if learns else 1.0)
    return World(
        submit_s=work.submit_s + sky.hour0_s, leaf=leaf_rows[work.leaf] if n else work.leaf,
        deadline_s=work.deadline_s + sky.hour0_s, classes=_classes_of(board, work, gpu_types), **kept,
        fate=fate,
        learned=np.array(learned, dtype=np.float64), share_kwh=np.zeros(board.shares.shape[0]),
        share_clean_kwh=np.zeros(board.shares.shape[0]), clean_kw=sky.true_clean_kw,
        plan_issued_s=sky.plan_issued_s, plan_first_hour=sky.plan_first_hour, plan_clean_kw=sky.plan_clean_kw,
        plan_p10_kw=sky.plan_p10_kw, plan_grid_kw=sky.plan_grid_kw, step_kw=sky.step_up_to_kw,
        step_price=sky.step_price,
        fail_s=failures.at_s + sky.hour0_s, fail_node=failures.node, up_again_s=failures.up_again_s + sky.hour0_s,
        truth=records(n_slots, TRUTH), ahead=np.full(AHEAD, NONE, np.int32), batch=records(3 * n_slots, HEAP),
        down=np.zeros(n_nodes, np.int32), down_until_s=np.zeros(n_nodes),
        log=records(max(LOG_ROWS, 2 * board.actions.shape[0]), RECORD), place=place,
    )  # fmt: skip


def with_room(world: World, board: Board) -> World:
    """The same world for a board with more slots."""
    n_slots, had = board.jobs.shape[0], world.truth.shape[0]
    if n_slots == had:
        return world
    truth, batch = records(n_slots, TRUTH), records(3 * n_slots, HEAP)
    truth[:had], batch[: 3 * had] = world.truth, world.batch
    log = records(max(LOG_ROWS, 2 * board.actions.shape[0]), RECORD)
    return world._replace(truth=truth, batch=batch, log=log)


def _played(board: Board, world: World, hour0_s: float, digest: ActionDigest, leaf_rows: Any) -> Played:
    """What the run leaves behind; work in progress is counted as far as it is done."""
    place, jobs = world.place, board.jobs
    slots = np.flatnonzero((jobs.state != FREE) & (jobs.user >= 0))
    done = world.fate.done_s.copy()
    running = np.isin(jobs.state[slots], (RUNNING, PAUSING))
    now_s = float(place.now_s[0])
    ran = jobs.ran_s[slots] + np.where(running, (now_s - jobs.since_s[slots]) * jobs.speed[slots], 0.0)
    done[jobs.user[slots]] = np.minimum(ran, world.run_s[jobs.user[slots]])
    pauses = world.fate.n_pauses.copy()
    pauses[jobs.user[slots]] = jobs.n_pauses[slots]
    names = (
        "n_caps",
        "n_freezes",
        "n_timed_out",
        "n_requeued",
        "n_cancelled",
        "n_turns",
        "queue_max",
        "it_kwh",
        "clean_kwh",
    )
    totals = {name: float(place[name][0]) for name in names}
    totals |= {"n_actions": float(digest.n_actions), "n_promised": float(board.g.n_promised[0])}
    totals["n_broken"] = float(board.g.n_broken[0])
    return Played(
        first_start_s=world.fate.first_start_s - hour0_s, end_s=world.fate.end_s - hour0_s,
        n_pauses=pauses, done_s=done,
        until_s=now_s - hour0_s, firm_disturbed=int(place.firm_disturbed[0]),
        overrun_mwh=float(place.over_kws[0]) / 3600.0 / 1000.0, digest=digest.hexdigest(), totals=totals,
        leaf_kwh=world.share_kwh[leaf_rows], leaf_clean_kwh=world.share_clean_kwh[leaf_rows],
        counted=counted(board, world),
    )  # fmt: skip


def warm() -> None:
    """Have the loop compiled: what was compiled once is found on disk from then on."""
    from eureka_park.compute.core.board_setup import ClassRow
    from eureka_park.foundation.seeds import SeedTree
    from eureka_park.twin.core.arrivals import Arrivals, make_workload
    from eureka_park.twin.core.failures import failures_of
    from eureka_park.twin.core.opening import opening_on
    from eureka_park.twin.core.sky_series import flat_sky
    from eureka_park.twin.core.workload import NodeShape

    tree, leaves = SeedTree(1), ("a/b", "a/c")
    work = make_workload(Arrivals(20, 0.05, leaves, (NodeShape(2, 8, 64_000, 1 << 19),), 0.5), tree)
    kind = ClassRow(2, 64_000, 1 << 19, 8, 0, 10.0, 2.0, 0.7)
    opening = opening_on((kind,), ("any",), work, [(leaf, 1.0, 0.0) for leaf in leaves])
    play(opening, work, flat_sky(30.0, 0.1), failures_of(2, 0.1, tree), Policy(), 60.0, tail_h=0.0)
