"""Kernels of the world: what really happens to jobs and nodes between two turns, and the turns themselves.

The world knows true run times, powers and failures; control sees the board and the newest plan. In each step the
world first tells what has happened since the last one (commands that run, jobs that ended or paused, by the order of
jobs), then nodes that fail or come back, then new jobs; then control takes its turn, and the world carries it out.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from eureka_park.compute.core.board import (
    DOWN,
    FIRM,
    INF,
    NONE,
    PAUSING,
    RUNNING,
    STARTING,
    STEPS_MAX,
    UP,
    Board,
)  # fmt: skip
from eureka_park.compute.core.board_setup import blank
from eureka_park.compute.core.lines import sort_by_order
from eureka_park.compute.core.moves import ended, paused, power_learned, requeued, started, submitted
from eureka_park.compute.core.rooms import set_up
from eureka_park.compute.core.standing import kw_of, power_at, run_s
from eureka_park.control.budget import all_kw
from eureka_park.control.codes import CAP, END, FREEZE, PAUSE, RESIZE, START, THAW
from eureka_park.control.learn import is_off, remembered
from eureka_park.control.turn import turn
from eureka_park.foundation.kernels import kernel

DONE, NEEDS_SLOTS, LOG_FULL = 0, 1, 2
ACCOUNT_S = 300.0  # power is accounted in means of five minutes
HOURS_MAX = 9_216  # hours that are accounted one by one: 384 days
PLACE: Any = np.dtype(
    [("now_s", "f8"), ("tick_s", "f8"), ("until_s", "f8"), ("t0_s", "f8"), ("over_kws", "f8"), ("window_kws", "f8"),
     ("limit_kws", "f8"), ("window_s", "f8"), ("pausing_kw", "f8"), ("it_kwh", "f8"), ("hour0_s", "f8"),
     ("clean_kwh", "f8"),
     ("next_job", "i8"), ("next_failure", "i8"), ("n_batch", "i8"),
     ("n_log", "i8"), ("n_used", "i8"), ("n_turns", "i8"), ("hour", "i8"), ("plan", "i8"), ("n_down", "i8"),
     ("n_pauses", "i8"), ("n_caps", "i8"), ("n_freezes", "i8"), ("firm_disturbed", "i8"), ("n_finished", "i8"),
     ("n_timed_out", "i8"), ("n_requeued", "i8"), ("n_cancelled", "i8"), ("learns", "i8"), ("queue_max", "i8"),
     ("by_share", "i8"), ("load_kwh", "f8", (HOURS_MAX,))],
    align=True,
)  # fmt: skip
TRUTH: Any = np.dtype(
    [("ends_s", "f8"), ("run_s", "f8"), ("power_frac", "f8"), ("next", "i4"), ("prev", "i4"), ("bucket", "i4"),
     ("image", "i4"), ("held_since_s", "f8"), ("held_gpus", "i4")],
    align=True,
)  # fmt: skip
FATE: Any = np.dtype(
    [("first_start_s", "f8"), ("end_s", "f8"), ("done_s", "f8"), ("held_gpu_s", "f8"), ("lost_gpu_s", "f8"),
     ("n_pauses", "i4"), ("first_child", "i4"), ("next_child", "i4")],
    align=True,
)  # fmt: skip
AHEAD = 1 << 14  # turns


class World(NamedTuple):
    """The truth of a run. Columns of jobs by row, of plans by issue, of failures by time; scratch at the end."""

    submit_s: Any
    leaf: Any
    n_nodes: Any
    n_nodes_min: Any
    gpus: Any
    mcpu: Any
    mem_mib: Any
    tier: Any
    job_class: Any
    checkpoint: Any
    priority: Any
    time_s: Any
    run_s: Any
    deadline_s: Any
    power_frac: Any
    after: Any
    image: Any
    classes: Any
    fate: Any  # by row: what became of each job, and who waits for it
    learned: Any  # by image: what its jobs drew of their rated dynamic power
    share_kwh: Any  # by leaf of the share tree: what its jobs drew, and the clean part of it
    share_clean_kwh: Any
    clean_kw: Any  # by hour
    plan_issued_s: Any
    plan_first_hour: Any
    plan_clean_kw: Any
    plan_p10_kw: Any
    plan_grid_kw: Any
    step_kw: Any
    step_price: Any
    fail_s: Any
    fail_node: Any
    up_again_s: Any
    truth: Any  # by slot: how long it really runs and what it draws, when it really ends
    ahead: Any  # heads of the lists of those, by turn
    batch: Any  # slots that were started, paused or ended in the last turn
    down: Any  # nodes that are down
    down_until_s: Any
    log: Any
    place: Any
    is_first: Any = np.zeros(0, np.bool_)  # by row: the first job that its project ever had; none where it is empty


@kernel
def _key(board: Board, world: World, slot: int, now_s: float) -> None:
    """Work out when a running job really ends."""
    job, truth = board.jobs[slot], world.truth[slot]
    _unkey(world, slot)
    if job.state == RUNNING:
        truth.ends_s = now_s + max(0.0, truth.run_s - job.ran_s) / job.speed
        _enter(world, slot)


@kernel
def _enter(world: World, slot: int) -> None:
    """Stand a job into the list of the turn that sees its end; what lies too far ahead is moved on when it is met."""
    truth, place = world.truth, world.place[0]
    ahead = max(1.0, min(math.ceil((truth[slot].ends_s - place.now_s) / place.tick_s - 1e-9), AHEAD - 1.0))
    bucket = (place.n_turns + int(ahead)) % AHEAD
    first = world.ahead[bucket]
    truth[slot].bucket, truth[slot].prev, truth[slot].next = bucket, NONE, first
    if first != NONE:
        truth[first].prev = slot
    world.ahead[bucket] = slot


@kernel
def _unkey(world: World, slot: int) -> None:
    """Nobody knows any more when a job ends."""
    truth = world.truth
    bucket, before, after = truth[slot].bucket, truth[slot].prev, truth[slot].next
    truth[slot].ends_s = INF
    if bucket == NONE:
        return
    if before == NONE:
        world.ahead[bucket] = after
    else:
        truth[before].next = after
    if after != NONE:
        truth[after].prev = before
    truth[slot].bucket = NONE


@kernel
def _hold(world: World, row: int, slot: int, n_gpus: int, now_s: float) -> None:
    """Book the GPU time that a job has held until now; from now on it holds `n_gpus`."""
    truth = world.truth[slot]
    world.fate[row].held_gpu_s += truth.held_gpus * max(0.0, now_s - truth.held_since_s)
    truth.held_gpus, truth.held_since_s = n_gpus, now_s


@kernel
def _submit(board: Board, world: World, row: int) -> None:
    """A job enters the queue; the slot is there (see `_has_slots`)."""
    place = world.place[0]
    jobs, g = board.jobs, board.g[0]
    slot = g.free_head
    g.free_head = jobs[slot].next
    blank(jobs, slot)
    jobs[slot].order = g.next_order
    g.next_order += 1
    place.n_used += 1
    jobs[slot].user, jobs[slot].leaf, jobs[slot].n_nodes = row, world.leaf[row], world.n_nodes[row]
    jobs[slot].n_nodes_min, jobs[slot].gpus, jobs[slot].mcpu = world.n_nodes_min[row], world.gpus[row], world.mcpu[row]
    jobs[slot].mem_mib, jobs[slot].tier, jobs[slot].job_class = (
        world.mem_mib[row],
        world.tier[row],
        world.job_class[row],
    )
    jobs[slot].checkpoint, jobs[slot].priority = world.checkpoint[row], world.priority[row]
    jobs[slot].time_s, jobs[slot].deadline_s = world.time_s[row], world.deadline_s[row]
    jobs[slot].classes, jobs[slot].submitted_s = world.classes[row], world.submit_s[row]
    jobs[slot].gang = 1 if world.n_nodes[row] > 1 else 0
    if row < world.is_first.shape[0]:
        jobs[slot].is_first = world.is_first[row]
    jobs[slot].power_frac = world.learned[world.image[row]]
    truth = world.truth[slot]
    truth.ends_s, truth.bucket, truth.image, truth.held_gpus = INF, NONE, world.image[row], 0
    truth.run_s, truth.power_frac = world.run_s[row], world.power_frac[row]
    submitted(board, slot, False)


@kernel
def _arrive(board: Board, world: World, now_s: float) -> None:
    place = world.place[0]
    n = world.submit_s.shape[0]
    while place.next_job < n and world.submit_s[place.next_job] <= now_s:
        row = place.next_job
        place.next_job += 1
        before = world.after[row]
        if before != NONE and np.isnan(world.fate[before].end_s):
            world.fate[row].next_child = world.fate[before].first_child
            world.fate[before].first_child = row
            place.n_used += 1  # many may be let in at once: each has its slot from now on
        else:
            _submit(board, world, row)


@kernel
def _end(board: Board, world: World, slot: int, at_s: float, is_done: bool) -> None:
    """A job came to its end: it has done its work, or all the time that it declared."""
    job = board.jobs[slot]
    place = world.place[0]
    row = job.user
    if place.learns:
        image = world.truth[slot].image
        world.learned[image] = remembered(world.learned[image], world.truth[slot].power_frac)
    ended(board, slot, at_s)
    _unkey(world, slot)
    _hold(world, row, slot, 0, at_s)
    place.n_used -= 1
    world.fate[row].end_s, world.fate[row].n_pauses = at_s, job.n_pauses
    world.fate[row].done_s = world.truth[slot].run_s if is_done else job.time_s
    if is_done:
        place.n_finished += 1
    else:
        place.n_timed_out += 1
    child = world.fate[row].first_child
    world.fate[row].first_child = NONE
    while child != NONE:
        after = world.fate[child].next_child
        place.n_used -= 1
        if is_done:
            _submit(board, world, child)
        else:
            place.n_cancelled += 1
        child = after


@kernel
def _what_happened(board: Board, world: World, now_s: float) -> None:
    """What jobs did since the last turn, by their order: they began, they ended, they paused."""
    jobs, place, batch, n = board.jobs, world.place[0], world.batch, world.place[0].n_batch
    bucket = place.n_turns % AHEAD
    slot = world.ahead[bucket]
    world.ahead[bucket] = NONE
    while slot != NONE:
        after = world.truth[slot].next
        world.truth[slot].bucket = NONE
        if world.truth[slot].ends_s <= now_s:
            batch[n].slot = slot
            n += 1
        else:
            _enter(world, slot)
        slot = after
    place.n_batch = 0
    place.pausing_kw = 0.0
    for index in range(n):
        batch[index].order = jobs[batch[index].slot].order
    sort_by_order(batch, n)
    last_s = now_s - place.tick_s
    for index in range(n):
        _happen(board, world, batch[index].slot, last_s, now_s)


@kernel
def _happen(board: Board, world: World, slot: int, last_s: float, now_s: float) -> None:
    job = board.jobs[slot]
    if job.state == STARTING:
        started(board, slot, last_s)
        _key(board, world, slot, last_s)
        if world.truth[slot].ends_s > now_s:
            _meter(board, world, slot, now_s)
            return
    if job.state == PAUSING:
        world.fate[job.user].lost_gpu_s += world.truth[slot].held_gpus * (now_s - last_s)  # writing its checkpoint
        _hold(world, job.user, slot, 0, now_s)
        paused(board, slot, last_s)
    elif job.ending:
        _end(board, world, slot, last_s, False)
    elif job.state == RUNNING and world.truth[slot].ends_s <= now_s:
        _end(board, world, slot, world.truth[slot].ends_s, True)


@kernel
def _meter(board: Board, world: World, slot: int, now_s: float) -> None:
    """The meter corrects what was predicted."""
    place = world.place[0]
    job = board.jobs[slot]
    true_frac = world.truth[slot].power_frac
    if place.learns and is_off(job.power_frac, true_frac):
        power_learned(board, slot, true_frac, now_s)


@kernel
def _fail(board: Board, world: World, now_s: float) -> None:
    """Nodes come back, nodes fail; whoever ran there waits again."""
    place, n = world.place[0], 0
    for index in range(place.n_down):
        if world.down_until_s[index] <= now_s:
            set_up(board, world.down[index], UP)
        else:
            world.down[n], world.down_until_s[n] = world.down[index], world.down_until_s[index]
            n += 1
    place.n_down = n
    while place.next_failure < world.fail_s.shape[0] and world.fail_s[place.next_failure] <= now_s:
        at = place.next_failure
        place.next_failure += 1
        node = world.fail_node[at]
        while board.nodes[node].n_jobs > 0:
            _requeue_oldest(board, world, node, now_s)
        set_up(board, node, DOWN)
        world.down[place.n_down], world.down_until_s[place.n_down] = node, world.up_again_s[at]
        place.n_down += 1


@kernel
def _requeue_oldest(board: Board, world: World, node: int, now_s: float) -> None:
    place = world.place[0]
    jobs = board.jobs
    slot = board.nodes[node].first_job
    if not jobs[slot].gang:
        other = jobs[slot].node_next
        while other != NONE:
            slot = other if jobs[other].order < jobs[slot].order else slot
            other = jobs[other].node_next
    place.n_requeued += 1
    _unkey(world, slot)
    job = jobs[slot]
    _hold(world, job.user, slot, 0, now_s)
    did_s = run_s(job, now_s)
    requeued(board, slot, now_s)
    world.fate[job.user].lost_gpu_s += job.gpus * job.n_nodes * max(0.0, did_s - job.ran_s)


@kernel
def _look_up(board: Board, world: World, now_s: float) -> None:
    """Put the newest plan that is issued onto the board, from this hour on; meters correct this hour."""
    g = board.g[0]
    place, sky = world.place[0], board.sky
    plan, n_plans = place.plan, world.plan_issued_s.shape[0]
    while plan + 1 < n_plans and world.plan_issued_s[plan + 1] <= now_s:
        plan += 1
    hour = int((now_s - place.hour0_s) // 3600.0)
    while plan > 0 and world.plan_first_hour[plan] > hour:  # it is issued, but begins later
        plan -= 1
    if plan == place.plan and hour == place.hour:
        return
    place.plan, place.hour = plan, hour
    first = max(0, hour - world.plan_first_hour[plan])
    n = world.plan_clean_kw.shape[1] - first
    n_steps = min(STEPS_MAX, world.step_kw.shape[2])
    for index in range(max(1, n)):
        at = min(first + index, world.plan_clean_kw.shape[1] - 1)
        sky[index].start_s = place.hour0_s + 3600.0 * (hour + index)
        sky[index].end_s = sky[index].start_s + 3600.0
        sky[index].clean_kw = kw_of(world.plan_clean_kw[plan, at])
        sky[index].p10_kw, sky[index].grid_kw = kw_of(world.plan_p10_kw[plan, at]), kw_of(world.plan_grid_kw[plan, at])
        sky[index].n_steps = n_steps
        for step in range(n_steps):
            board.sky[index].step_kw[step] = world.step_kw[plan, at, step]
            board.sky[index].step_price[step] = world.step_price[plan, at, step]
    if place.learns and hour < world.clean_kw.shape[0]:
        sky[0].clean_kw = kw_of(world.clean_kw[hour])
    g.n_sky = max(1, n)


@kernel
def _carry_out(board: Board, world: World, now_s: float) -> None:
    """The engines do what was decided."""
    g = board.g[0]
    jobs, place, rows = board.jobs, world.place[0], board.actions
    for at in range(g.n_actions):
        slot, code = rows[at].slot, rows[at].code
        _write(world, rows, at, now_s)
        if code == START:
            world.batch[place.n_batch].slot = slot
            place.n_batch += 1
            row = jobs[slot].user
            _hold(world, row, slot, jobs[slot].gpus * jobs[slot].n_held, now_s)
            if np.isnan(world.fate[row].first_start_s):
                world.fate[row].first_start_s = now_s
        elif code == PAUSE or code == END:
            _unkey(world, slot)
            world.batch[place.n_batch].slot = slot
            place.n_batch += 1
            place.n_pauses += code == PAUSE
            if code == PAUSE:  # it draws on until its checkpoint is written
                place.pausing_kw += jobs[slot].idle_kw + kw_of(
                    jobs[slot].dynamic_kw * power_at(board, slot, jobs[slot].cap_step)
                )
        elif code == CAP or code == THAW or code == FREEZE or code == RESIZE:
            place.n_caps += code == CAP and rows[at].a < 1.0
            place.n_freezes += code == FREEZE
            if code == RESIZE:
                _hold(world, jobs[slot].user, slot, jobs[slot].gpus * jobs[slot].n_held, now_s)
            _key(board, world, slot, now_s)
        if jobs[slot].tier == FIRM and (code == PAUSE or code == FREEZE or code == CAP):
            place.firm_disturbed += 1


@kernel
def _write(world: World, rows: Any, at: int, now_s: float) -> None:
    """Keep an action for the digest."""
    place = world.place[0]
    log, n = world.log, place.n_log
    log[n].at_s, log[n].order, log[n].gpu_mask = now_s, rows[at].order, rows[at].gpu_mask
    log[n].a, log[n].b, log[n].code = rows[at].a, rows[at].b, rows[at].code
    log[n].node, log[n].n_nodes = rows[at].node, rows[at].n_nodes
    place.n_log = n + 1


@kernel
def _account(board: Board, world: World) -> None:
    """Energy drawn until the next turn, and what of it lies above the limit, in means of five minutes."""
    place = world.place[0]
    tick_s = place.tick_s
    hour = min(place.hour, world.clean_kw.shape[0] - 1)
    drawn_kw = all_kw(board) + place.pausing_kw
    clean_kw = world.clean_kw[hour]
    place.it_kwh += drawn_kw * tick_s / 3600.0
    place.load_kwh[min(max(0, place.hour), HOURS_MAX - 1)] += drawn_kw * tick_s / 3600.0
    place.clean_kwh += min(drawn_kw, clean_kw) * tick_s / 3600.0
    if place.by_share and drawn_kw > 0.0:
        _account_by_share(board, world, min(drawn_kw, clean_kw) / drawn_kw)
    place.window_kws += drawn_kw * tick_s
    place.limit_kws += (clean_kw + board.sky[0].grid_kw) * tick_s
    place.window_s += tick_s
    if place.window_s >= ACCOUNT_S:
        place.over_kws += max(0.0, place.window_kws - place.limit_kws)
        place.window_kws = place.limit_kws = place.window_s = 0.0


@kernel
def _account_by_share(board: Board, world: World, clean_frac: float) -> None:
    """Energy that each leaf's jobs draw until the next turn; clean power is shared out as all power is drawn."""
    hours = world.place[0].tick_s / 3600.0
    for share in range(board.shares.shape[0]):
        if board.shares[share].n_children == 0:
            kwh = board.shares[share].committed_kw * hours
            world.share_kwh[share] += kwh
            world.share_clean_kwh[share] += kwh * clean_frac


@kernel
def _has_slots(board: Board, world: World, now_s: float) -> bool:
    """Whether all that may come in until `now_s` has a slot."""
    place = world.place[0]
    last = place.next_job
    while last < world.submit_s.shape[0] and world.submit_s[last] <= now_s:
        last += 1
    room = board.jobs.shape[0] - place.n_used
    return bool(last - place.next_job + 64 <= room)


@kernel
def play_on(board: Board, world: World) -> int:
    """Step on until the run is over (DONE), or until Python must make room (NEEDS_SLOTS) or take the log (LOG_FULL)."""
    g = board.g[0]
    place = world.place[0]
    while place.now_s + place.tick_s <= place.until_s:
        now_s = place.now_s + place.tick_s
        if not _has_slots(board, world, now_s):
            return NEEDS_SLOTS
        if place.n_log + board.actions.shape[0] > world.log.shape[0]:
            return LOG_FULL
        place.now_s = now_s
        _what_happened(board, world, now_s)
        _fail(board, world, now_s)
        _arrive(board, world, now_s)
        _look_up(board, world, now_s)
        turn(board, now_s)
        _carry_out(board, world, now_s)
        _account(board, world)
        place.n_turns += 1
        place.queue_max = max(place.queue_max, g.n_waiting)
    return DONE
