"""Kernels of the world: what really happens to jobs and nodes between two turns, and the turns themselves.

The world knows true run times, powers and failures; control sees the board and the newest plan. In each step the
world first tells what has happened since the last one (commands that run, jobs that ended or paused, by the order of
jobs), then nodes that fail or come back, then new jobs; then control takes its turn, and the world carries it out.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from eureka_park.compute.core.board import (
    DOWN,
    FIRM,
    FLEX,
    GREEN,
    MILLI,
    NONE,
    PAUSING,
    RUNNING,
    STARTING,
    STEPS_MAX,
    UP,
    Board,
)  # fmt: skip
from eureka_park.compute.core.lines import sort_by_order
from eureka_park.compute.core.moves import ended, paused, power_learned, requeued, started
from eureka_park.compute.core.rooms import set_up
from eureka_park.compute.core.standing import kw_of, n_gpus_of, power_at, run_s
from eureka_park.control.budget import all_kw
from eureka_park.control.codes import CAP, END, FREEZE, PAUSE, RESIZE, START, THAW
from eureka_park.control.learn import is_off, remembered
from eureka_park.control.turn import turn
from eureka_park.foundation.kernels import kernel, prefetch
from eureka_park.twin.core.baselines import PARK, steer
from eureka_park.twin.core.coming import arrive, blocks_lacking, has_jobs, has_slots, release
from eureka_park.twin.core.salt import begin_hour, clean_most_kw, give, offered_kw
from eureka_park.twin.core.truth import AHEAD, HOURS_MAX, World, close, draw, enter, hold, key, milli_of, unkey
from eureka_park.twin.core.yarded import come_forward

DONE, NEEDS_SLOTS, LOG_FULL, NEEDS_JOBS, CLOSED_FULL, NEEDS_PLAN, NEEDS_YARD = 0, 1, 2, 3, 4, 5, 6
ACCOUNT_S: Final = 300.0  # power is accounted in means of five minutes
CLOSED_ROWS: Final = 1 << 16  # so many jobs that have ended are taken out at once


@kernel
def _end(board: Board, world: World, slot: int, at_s: float, is_done: bool) -> None:
    """A job came to its end: it has done its work, or all the time that it declared."""
    place, truth = world.place[0], world.truth[slot]
    if place.learns:
        world.learned[truth.image] = remembered(world.learned[truth.image], truth.power_frac)
    done_s = truth.run_s if is_done else board.jobs[slot].time_s
    ended(board, slot, at_s)
    unkey(world, slot)
    hold(world, slot, 0, at_s)
    place.n_used -= 1
    if is_done:
        place.n_finished += 1
    else:
        place.n_timed_out += 1
    child = truth.first_child
    close(board, world, slot, at_s, done_s)
    release(board, world, child, is_done)


@kernel
def _what_happened(board: Board, world: World, now_s: float) -> None:
    """What jobs did since the last turn, by their order: they began, they ended, they paused."""
    jobs, place, batch, n = board.jobs, world.place[0], world.batch, world.place[0].n_batch
    bucket = place.n_turns % AHEAD
    slot = world.ahead[bucket]
    world.ahead[bucket] = NONE
    while slot != NONE:
        prefetch(jobs, slot, 0, 1)
        after = world.truth[slot].next
        world.truth[slot].turn = NONE
        if world.truth[slot].ends_s <= now_s:
            batch[n].slot = slot
            n += 1
        else:
            enter(world, slot)
        slot = after
    place.n_batch = 0
    place.pausing_kw = 0.0
    for index in range(n):
        batch[index].order = jobs[batch[index].slot].order
    sort_by_order(batch, n)
    last_s = now_s - place.tick_s
    for index in range(n):
        _fetch(board, world, n, index)
        _happen(board, world, batch[index].slot, last_s, now_s)
        draw(board, world, batch[index].slot)


@kernel
def _fetch(board: Board, world: World, n: int, index: int) -> None:
    """Bring what the next of a batch will read nearer: to wait for memory takes longer than the work."""
    batch = world.batch
    if index + 12 < n:
        prefetch(board.jobs, batch[index + 12].slot, 0, 6)
        prefetch(world.truth, batch[index + 12].slot, 0, 2)
    if index + 6 < n:
        job = board.jobs[batch[index + 6].slot]
        prefetch(board.nodes, job.node, 0, 1)
        prefetch(board.jobs, job.prev, 0, 1)
        prefetch(board.jobs, job.next, 0, 1)
        prefetch(board.jobs, job.cal_prev, 0, 1)
        prefetch(board.jobs, job.cal_next, 0, 1)
        prefetch(board.jobs, job.node_prev, 0, 1)
        prefetch(board.jobs, job.node_next, 0, 1)


@kernel
def _happen(board: Board, world: World, slot: int, last_s: float, now_s: float) -> None:
    job = board.jobs[slot]
    if job.state == STARTING:
        started(board, slot, last_s)
        key(board, world, slot, last_s)
        if world.truth[slot].ends_s > now_s:
            _meter(board, world, slot, now_s)
            return
    if job.state == PAUSING:
        # writing its checkpoint
        world.truth[slot].lost_gpu_s += world.truth[slot].held_milli / MILLI * (now_s - last_s)
        hold(world, slot, 0, now_s)
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
    unkey(world, slot)
    job = jobs[slot]
    hold(world, slot, 0, now_s)
    did_s = run_s(job, now_s)
    requeued(board, slot, now_s)
    draw(board, world, slot)
    world.truth[slot].lost_gpu_s += n_gpus_of(job) * job.n_nodes * max(0.0, did_s - job.ran_s)


@kernel
def _look_up(board: Board, world: World, now_s: float) -> None:
    """Put the newest plan that is issued onto the board, from this hour on; meters correct this hour."""
    place, sky = world.place[0], board.sky
    plan, n_plans = place.plan, world.plan_issued_s.shape[0]
    while plan + 1 < n_plans and world.plan_issued_s[plan + 1] <= now_s:
        plan += 1
    hour = int((now_s - place.hour0_s) // 3600.0)
    while plan > 0 and world.plan_first_hour[plan] > hour:  # it is issued, but begins later
        plan -= 1
    if plan != place.plan or hour != place.hour:
        _turn_over(board, world, plan, hour)
    last = world.clean_kw.shape[0] - 1
    if place.learns and hour <= last:
        at = max(0, min(hour - world.plan_first_hour[plan], world.plan_salt_kw.shape[1] - 1))
        rest_h = max(place.tick_s, place.hour0_s + 3600.0 * (hour + 1) - now_s) / 3600.0
        sky[0].clean_kw = kw_of(offered_kw(world.salt, hour, world.plan_salt_kw[plan, at], rest_h))


@kernel
def _turn_over(board: Board, world: World, plan: int, hour: int) -> None:
    """Another hour, or another plan: all its hours from this one on."""
    g, sky, place = board.g[0], board.sky, world.place[0]
    for begun in range(place.hour + 1, min(hour, world.clean_kw.shape[0]) + 1):
        begin_hour(world.salt, begun)
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
            hold(world, slot, milli_of(jobs[slot]), now_s)
            truth = world.truth[slot]
            if np.isnan(truth.first_start_s):
                truth.first_start_s = now_s
                if truth.row < world.fate.shape[0]:
                    world.fate[truth.row].first_start_s = now_s
        elif code == PAUSE or code == END:
            unkey(world, slot)
            world.batch[place.n_batch].slot = slot
            place.n_batch += 1
            place.n_pauses += code == PAUSE
            if code == PAUSE:  # it draws on until its checkpoint is written
                kw = jobs[slot].idle_kw + kw_of(jobs[slot].dynamic_kw * power_at(board, slot, jobs[slot].cap_step))
                place.pausing_kw += kw - jobs[slot].idle_kw  # idle power is counted with that of all machines
                place.tier_kwh[world.truth[slot].tier] += kw * place.tick_s / 3600.0
        elif code == CAP or code == THAW or code == FREEZE or code == RESIZE:
            place.n_caps += code == CAP and rows[at].a < 1.0
            place.n_freezes += code == FREEZE
            if code == RESIZE:
                hold(world, slot, milli_of(jobs[slot]), now_s)
            key(board, world, slot, now_s)
        draw(board, world, slot)
        if world.truth[slot].tier == FIRM and (code == PAUSE or code == FREEZE or code == CAP):
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
    limit_kw = clean_most_kw(world.salt, hour, tick_s / 3600.0) + board.sky[0].grid_kw
    clean_kw = give(world.salt, hour, drawn_kw, tick_s / 3600.0)
    at = min(max(0, place.hour), HOURS_MAX - 1)
    if place.how == PARK:
        place.tier_kw[FIRM], place.tier_kw[FLEX] = board.g[0].firm_kw, board.g[0].flex_kw
        place.tier_kw[GREEN] = board.g[0].green_kw
    for tier in range(3):
        place.tier_kwh[tier] += place.tier_kw[tier] * tick_s / 3600.0
    place.it_kwh += drawn_kw * tick_s / 3600.0
    place.load_kwh[at] += drawn_kw * tick_s / 3600.0
    place.held_gpu_s[at] += place.held_milli / MILLI * tick_s
    place.waiting_s[at] += board.g[0].n_waiting * tick_s
    place.on_s[at] += board.g[0].n_on * tick_s
    place.clean_kwh += min(drawn_kw, clean_kw) * tick_s / 3600.0
    if place.by_share and drawn_kw > 0.0:
        _account_by_share(board, world, min(drawn_kw, clean_kw) / drawn_kw)
    place.window_kws += drawn_kw * tick_s
    place.limit_kws += limit_kw * tick_s
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
def play_on(board: Board, world: World) -> int:
    """Step on until the run is over (DONE), or until Python must make room (NEEDS_SLOTS, NEEDS_YARD), bring jobs
    (NEEDS_JOBS), make a plan (NEEDS_PLAN), or take what was written down (LOG_FULL, CLOSED_FULL).
    """
    g = board.g[0]
    place = world.place[0]
    while place.now_s + place.tick_s <= place.until_s:
        now_s = place.now_s + place.tick_s
        if not has_jobs(world, now_s):
            return NEEDS_JOBS
        if not has_slots(board, world, now_s):
            return NEEDS_SLOTS
        if blocks_lacking(board, world, now_s) > 0:
            return NEEDS_YARD
        if place.n_closed > CLOSED_ROWS:
            return CLOSED_FULL
        if place.n_log + board.actions.shape[0] > world.log.shape[0]:
            return LOG_FULL
        if place.next_plan < world.plan_due_s.shape[0] and world.plan_due_s[place.next_plan] <= now_s:
            return NEEDS_PLAN
        place.now_s = now_s
        _what_happened(board, world, now_s)
        _fail(board, world, now_s)
        _look_up(board, world, now_s)
        arrive(board, world, now_s)
        steer(board, place.how)
        g.n_spare = board.jobs.shape[0] - place.n_used
        turn(board, now_s)
        come_forward(board, world)
        _carry_out(board, world, now_s)
        _account(board, world)
        place.n_turns += 1
        place.queue_max = max(place.queue_max, g.n_waiting)
    return DONE
