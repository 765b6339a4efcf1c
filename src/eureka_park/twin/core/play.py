"""A run of the twin: the world and control step by step, compiled; Python only makes room and takes the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from eureka_park.compute.core.board import (
    FREE,
    HEAP,
    MILLI,
    NONE,
    PAUSING,
    RUNNING,
    Board,
    copy_records,
    grown,
    records,
    stretched,
    with_runs,
)
from eureka_park.control.digest import RECORD, ActionDigest
from eureka_park.control.policy import Policy
from eureka_park.control.setup import set_policy
from eureka_park.twin.core.baselines import CODES, PARK, most_runs, settings_of
from eureka_park.twin.core.coming import blocks_lacking
from eureka_park.twin.core.counted import counted
from eureka_park.twin.core.failures import Failures
from eureka_park.twin.core.opening import Opening
from eureka_park.twin.core.played import Floats, Played
from eureka_park.twin.core.replan import columns_of, sky_played
from eureka_park.twin.core.sky_series import SkySeries
from eureka_park.twin.core.sources import Source, WholeWork
from eureka_park.twin.core.truth import AHEAD, CLOSED, FATE, PLACE, TRUTH, YARDED, World
from eureka_park.twin.core.workload import Workload
from eureka_park.twin.core.world import CLOSED_ROWS, DONE, NEEDS_JOBS, NEEDS_PLAN, NEEDS_SLOTS, NEEDS_YARD, play_on
from eureka_park.twin.core.yarded import WITHOUT_DEADLINES, with_more_yard, yarded_jobs

SLOTS: Final = 16_384
MANY_SLOTS: Final = 262_144
LEARNED_FIRST: Final = 0.8  # of rated power, for an image that nothing is known of yet; assumption
LOG_ROWS: Final = 1 << 18
TAIL_H: Final = 48.0
TOTALS: Final = ("n_caps", "n_freezes", "n_timed_out", "n_requeued", "n_cancelled", "n_turns", "queue_max", "it_kwh",
                 "clean_kwh")  # fmt: skip


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
    stopped: Callable[[], bool] = lambda: False,
) -> Played:
    """Play a workload under a sky. `name`: who decides (`baselines.CODES`).

    `learns`: predicted power follows what jobs of the same image drew, and the meter; else every job draws what is
    rated, or by image the part `learned` of it. `by_leaf`: energy is counted by leaf too. Runs until `tail_h` hours
    after the last hour of arrivals, as far as the sky reaches, or until `stopped` says so. Deterministic.
    """
    return play_from(
        opening, WholeWork(work), sky, failures, policy, tick_s, name, learns=learns, learned=learned,
        by_leaf=by_leaf, tail_h=tail_h, told=told, stopped=stopped,
    )  # fmt: skip


def play_from(
    opening: Opening,
    source: Source,
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
    stopped: Callable[[], bool] = lambda: False,
    closed: Callable[..., None] | None = None,
    deep: int = 0,
) -> Played:
    """As `play`, with jobs from any source. `closed` is given the jobs that have ended (records of `truth.CLOSED`), and
    at the end all others that came, with the end's instant. `deep`: behind so many others of their run jobs wait in the
    yard, where policy and jobs allow it (see `yarded`); 0: all have slots. Of sources that keep fates all do.
    """
    how, policy = CODES[name], settings_of(name, policy)
    board = grown(opening.board, SLOTS)
    n_runs = max(most_runs(name), board.lines.shape[0] * 2 * (1 + source.n_priorities))
    board = with_runs(board, min(n_runs, source.n_jobs) + 64)  # a run holds a job at least
    set_policy(board, policy, explain=False)
    world = world_of(board, source, sky, failures, opening.leaf_rows, opening.gpu_types, learns=learns, learned=learned)
    world = with_room(world, board, counts=closed is not None)
    place = world.place
    place.by_share[0], place.how[0], place.tick_s[0] = by_leaf, how, tick_s
    place.deep[0] = deep if source.n_rows == 0 and how in WITHOUT_DEADLINES else 0
    last_s = np.ceil(source.span_s / 3600.0) * 3600.0 + tail_h * 3600.0
    place.until_s[0] = sky.hour0_s + min(last_s, sky.n_hours * 3600.0)
    plans = sky.planner.begin() if sky.planner is not None else None
    digest, begun_s, status = ActionDigest(), float(place.now_s[0]), -1
    while status != DONE and not stopped():
        status = play_on(board, world)
        _take(world, digest, closed)
        told((float(place.now_s[0]) - begun_s) / max(1.0, float(place.until_s[0]) - begun_s))
        if status == NEEDS_JOBS:
            world = source.refill(world, board, opening.gpu_types)
        elif status == NEEDS_PLAN and plans is not None:
            plans.make(board, world)
        elif status == NEEDS_SLOTS:
            board = grown(board, _more_slots(board.jobs.shape[0]), in_place=True)
            world = with_room(world, board, counts=closed is not None)
        elif status == NEEDS_YARD:
            lacking = blocks_lacking(board, world, float(place.now_s[0] + place.tick_s[0]))
            board, world = with_more_yard(board, world, lacking)
    if closed is not None:
        ended_s = float(place.now_s[0]) - sky.hour0_s
        closed(open_jobs(board, world), ended_s)
        for waiting in yarded_jobs(board, world):
            closed(waiting, ended_s)
    rows = opening.leaf_rows if by_leaf and how == PARK else opening.leaf_rows[:0]
    return _played(board, world, sky, digest, rows)


def _more_slots(n_slots: int) -> int:
    """Twice as many; a quarter more of many, so that little room stands empty."""
    return 2 * n_slots if n_slots < MANY_SLOTS else n_slots + n_slots // 4


def _take(world: World, digest: ActionDigest, closed: Callable[..., None] | None) -> None:
    """Take what was written down."""
    place = world.place
    digest.add_records(world.log[: place.n_log[0]])
    if closed is not None and place.n_closed[0]:
        closed(world.closed[: place.n_closed[0]])
    place.n_log[0] = place.n_closed[0] = 0


def world_of(
    board: Board,
    source: Source | Workload,
    sky: SkySeries,
    failures: Failures,
    leaf_rows: Any,
    gpu_types: Any,
    *,
    learns: bool = True,
    learned: Floats | None = None,
) -> World:
    """The truth of a run as kernels take it, before its first step; `leaf_rows` and `gpu_types` as in an opening."""
    source = WholeWork(source) if isinstance(source, Workload) else source
    n_slots, n_nodes = board.jobs.shape[0], board.nodes.shape[0]
    place = records(1, PLACE)
    coming, place.n_coming[0], place.more[0] = source.begin(board, gpu_types)
    place.now_s[0] = place.hour0_s[0] = place.t0_s[0] = sky.hour0_s
    place.hour[0], place.learns[0] = -1, learns
    fate = records(source.n_rows, FATE)
    fate.first_start_s[:] = fate.end_s[:] = np.nan
    fate.slot[:] = NONE
    if learned is None:
        learned = np.full(source.n_images, LEARNED_FIRST if learns else 1.0)
    return World(
        coming=coming, leaf_rows=np.array(leaf_rows, np.int32), last=np.full(max(1, source.n_leaves), NONE, np.int32),
        fate=fate, closed=records(0, CLOSED),
        learned=np.array(learned, dtype=np.float64), share_kwh=np.zeros(board.shares.shape[0]),
        share_clean_kwh=np.zeros(board.shares.shape[0]), **columns_of(sky),
        fail_s=failures.at_s + sky.hour0_s, fail_node=failures.node, up_again_s=failures.up_again_s + sky.hour0_s,
        truth=blank_truth(n_slots), yarded=records(0, YARDED), ahead=np.full(AHEAD, NONE, np.int32),
        batch=records(3 * n_slots, HEAP), down=np.zeros(n_nodes, np.int32), down_until_s=np.zeros(n_nodes),
        log=records(LOG_ROWS + board.actions.shape[0], RECORD), place=place,
    )  # fmt: skip


def blank_truth(n_slots: int) -> Any:
    """Slots in which nobody is."""
    truth = records(n_slots, TRUTH)
    truth.row[:] = truth.turn[:] = NONE
    return truth


def with_room(world: World, board: Board, *, counts: bool = False) -> World:
    """The same world for a board with more slots; `counts`: with room for jobs that have ended. What was there before
    is no world any longer.
    """
    n_slots, had = board.jobs.shape[0], world.truth.shape[0]
    closed = records(n_slots + CLOSED_ROWS, CLOSED) if counts else world.closed
    if n_slots == had:
        return world._replace(closed=closed)
    truth, batch = stretched(world.truth, n_slots), records(3 * n_slots, HEAP)
    truth.row[had:] = truth.turn[had:] = NONE
    copy_records(batch, world.batch, int(world.place.n_batch[0]))
    log = records(LOG_ROWS + board.actions.shape[0], RECORD)
    return world._replace(truth=truth, batch=batch, log=log, closed=closed)


def open_jobs(board: Board, world: World) -> Any:
    """Jobs that came and have not ended, as records of `truth.CLOSED` whose end is nan."""
    slots, now_s, t0_s = np.flatnonzero(world.truth.row != NONE), float(world.place.now_s[0]), world.place.hour0_s[0]
    truth, jobs, found = world.truth[slots], board.jobs[slots], records(len(slots), CLOSED)
    for name in ("row", "first_start_s", "run_s", "deadline_s", "alone_end_s", "lost_gpu_s", "power_frac", "leaf",
                 "tier", "ending"):  # fmt: skip
        found[name] = truth[name]
    for name in ("idle_kw", "mcpu", "classes", "gpus", "gpu_milli", "n_nodes", "n_pauses"):
        found[name] = jobs[name]
    found.first_start_s -= t0_s
    found.submit_s, found.end_s = jobs.submitted_s - t0_s, np.nan
    found.done_s = np.minimum(done_by(jobs, now_s), truth.run_s)
    found.held_gpu_s = truth.held_gpu_s + truth.held_milli / MILLI * np.maximum(0.0, now_s - truth.held_since_s)
    return found


def done_by(jobs: Any, now_s: float) -> Floats:
    """Work that jobs have done, s at full speed."""
    running = np.isin(jobs.state, (RUNNING, PAUSING))
    return np.asarray(jobs.ran_s + np.where(running, (now_s - jobs.since_s) * jobs.speed, 0.0))


def _played(board: Board, world: World, sky: SkySeries, digest: ActionDigest, leaf_rows: Any) -> Played:
    """What the run leaves behind; work in progress is counted as far as it is done."""
    place, jobs, fate, hour0_s, found = world.place, board.jobs, world.fate, sky.hour0_s, counted(board, world)
    done, pauses, now_s = fate.done_s.copy(), fate.n_pauses.copy(), float(place.now_s[0])
    if len(fate):
        slots = np.flatnonzero((jobs.state != FREE) & (jobs.user >= 0))
        rows = jobs.user[slots]
        done[rows] = np.minimum(done_by(jobs[slots], now_s), world.coming.run_s[rows])
        pauses[rows] = jobs.n_pauses[slots]
    totals = {name: float(place[name][0]) for name in TOTALS}
    totals |= {"n_actions": float(digest.n_actions), "n_promised": float(board.g.n_promised[0])}
    totals["n_broken"] = float(board.g.n_broken[0])
    return Played(
        first_start_s=fate.first_start_s - hour0_s, end_s=fate.end_s - hour0_s, n_pauses=pauses, done_s=done,
        until_s=now_s - hour0_s, firm_disturbed=int(place.firm_disturbed[0]),
        overrun_mwh=float(place.over_kws[0]) / 3600.0 / 1000.0, digest=digest.hexdigest(), totals=totals,
        leaf_kwh=world.share_kwh[leaf_rows], leaf_clean_kwh=world.share_clean_kwh[leaf_rows],
        tier_kwh=place.tier_kwh[0].copy(), counted=found, sky=sky_played(sky, world, found.hour_s),
        is_whole=bool(place.now_s[0] + place.tick_s[0] > place.until_s[0]),
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
