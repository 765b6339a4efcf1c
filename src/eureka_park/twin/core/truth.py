"""The truth of a run as kernels hold it: jobs to come, what really becomes of those that came, when they really end.

A job takes a slot of the board when it arrives, and what the world alone knows of it stands in the same slot of
`truth`. Jobs come in chunks, a row each, so that a run needs room for those that are there, not for all that ever were.
Who has ended is written into `closed`, from where Python has it counted; and into `fate` by row, where there is one.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np

from eureka_park.compute.core.board import INF, MILLI, NONE, RUNNING, Board, _in_lines
from eureka_park.foundation.kernels import kernel
from eureka_park.twin.core.baselines import PARK
from eureka_park.twin.core.workload import DTYPES

HOURS_MAX: Final = 9_216  # hours that are accounted one by one: 384 days
AHEAD: Final = 1 << 14  # turns
PLACE: Any = np.dtype(
    [("now_s", "f8"), ("tick_s", "f8"), ("until_s", "f8"), ("t0_s", "f8"), ("over_kws", "f8"), ("window_kws", "f8"),
     ("limit_kws", "f8"), ("window_s", "f8"), ("pausing_kw", "f8"), ("it_kwh", "f8"), ("hour0_s", "f8"),
     ("clean_kwh", "f8"),
     ("next_job", "i8"), ("n_coming", "i8"), ("first_row", "i8"), ("more", "i8"), ("how", "i8"), ("n_closed", "i8"),
     ("held_milli", "i8"), ("next_failure", "i8"), ("n_batch", "i8"),
     ("n_log", "i8"), ("n_used", "i8"), ("n_turns", "i8"), ("hour", "i8"), ("plan", "i8"), ("n_down", "i8"),
     ("n_pauses", "i8"), ("n_caps", "i8"), ("n_freezes", "i8"), ("firm_disturbed", "i8"), ("n_finished", "i8"),
     ("n_timed_out", "i8"), ("n_requeued", "i8"), ("n_cancelled", "i8"), ("learns", "i8"), ("queue_max", "i8"),
     ("by_share", "i8"), ("deep", "i8"), ("next_plan", "i8"), ("load_kwh", "f8", (HOURS_MAX,)),
     ("held_gpu_s", "f8", (HOURS_MAX,)), ("waiting_s", "f8", (HOURS_MAX,)), ("on_s", "f8", (HOURS_MAX,)),
     ("tier_kw", "f8", (3,)), ("tier_kwh", "f8", (3,))],
    align=True,
)  # fmt: skip
COMING: Final = np.dtype(  # the columns of a workload, and what is worked out of them as they come
    [*DTYPES.items(), ("classes", np.int64), ("alone_end_s", np.float64)], align=True
)
TRUTH: Any = _in_lines(
    ("ends_s", "f8"), ("run_s", "f8"), ("power_frac", "f8"), ("held_since_s", "f8"), ("next", "i4"), ("prev", "i4"),
    ("turn", "i4"), ("image", "i4"), ("held_milli", "i4"), ("first_child", "i4"), ("next_child", "i4"),
    ("tier", "i1"), ("ending", "i1"),
    ("row", "i8"), ("first_start_s", "f8"), ("held_gpu_s", "f8"), ("lost_gpu_s", "f8"), ("deadline_s", "f8"),
    ("alone_end_s", "f8"), ("drawn_kw", "f8"), ("leaf", "i4"),
)  # fmt: skip
YARDED: Any = np.dtype(  # of a job in the yard, at its place there
    [("run_s", "f8"), ("power_frac", "f8"), ("deadline_s", "f8"), ("alone_end_s", "f8"), ("image", "i4"),
     ("leaf", "i4"), ("first_child", "i4"), ("tier", "i1"), ("ending", "i1")],
    align=True,
)  # fmt: skip
FATE: Any = np.dtype(
    [("first_start_s", "f8"), ("end_s", "f8"), ("done_s", "f8"), ("held_gpu_s", "f8"), ("lost_gpu_s", "f8"),
     ("n_pauses", "i4"), ("slot", "i4")],
    align=True,
)  # fmt: skip
CLOSED: Any = np.dtype(
    [("row", "i8"), ("submit_s", "f8"), ("first_start_s", "f8"), ("end_s", "f8"), ("done_s", "f8"), ("run_s", "f8"),
     ("deadline_s", "f8"), ("alone_end_s", "f8"), ("held_gpu_s", "f8"), ("lost_gpu_s", "f8"), ("power_frac", "f8"),
     ("idle_kw", "f8"), ("mcpu", "i8"), ("classes", "i8"), ("gpus", "i4"), ("n_nodes", "i4"), ("leaf", "i4"),
     ("n_pauses", "i4"), ("gpu_milli", "i2"), ("tier", "i1"), ("ending", "i1")],
    align=True,
)  # fmt: skip


class World(NamedTuple):
    """The truth of a run. Jobs to come, plans by issue, failures by time; by slot and by leaf; scratch at the end."""

    coming: Any  # rows of jobs: `place.next_job` comes next, of `n_coming`; row 0 is job `first_row`
    leaf_rows: Any  # the board's share of each leaf of the work
    last: Any  # by leaf of the work: slot of the job that came last; in the yard: -2 less its place
    fate: Any  # by row, or nothing: what became of each job
    closed: Any  # jobs that have ended, until they are counted; or nothing
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
    step_own: Any
    plan_salt_kw: Any
    plan_due_s: Any  # when plans are to be made; none where all are there
    salt: Any  # see `salt`: clean power without salt by hour, and the tanks
    fail_s: Any
    fail_node: Any
    up_again_s: Any
    truth: Any  # by slot: how long it really runs and what it draws, when it really ends
    yarded: Any  # by place in the yard: the same of jobs that wait there
    ahead: Any  # heads of the lists of those, by turn
    batch: Any  # slots that were started, paused or ended in the last turn
    down: Any  # nodes that are down
    down_until_s: Any
    log: Any
    place: Any


@kernel
def key(board: Board, world: World, slot: int, now_s: float) -> None:
    """Work out when a running job really ends."""
    job, truth = board.jobs[slot], world.truth[slot]
    if job.state != RUNNING:
        unkey(world, slot)
        return
    ends_s = now_s + max(0.0, truth.run_s - job.ran_s) / job.speed
    if truth.turn == NONE or truth.turn > _turn_of(world, ends_s):
        unkey(world, slot)
        truth.ends_s = ends_s
        enter(world, slot)
    else:
        truth.ends_s = ends_s  # it stands in a list that comes sooner, and is moved on when that is met


@kernel
def enter(world: World, slot: int) -> None:
    """Stand a job into the list of the turn that sees its end; what lies too far ahead is moved on when it is met."""
    truth, turn = world.truth, _turn_of(world, world.truth[slot].ends_s)
    first = world.ahead[turn % AHEAD]
    truth[slot].turn, truth[slot].prev, truth[slot].next = turn, NONE, first
    if first != NONE:
        truth[first].prev = slot
    world.ahead[turn % AHEAD] = slot


@kernel
def _turn_of(world: World, ends_s: float) -> int:
    """The turn that sees an end, or the last one that has a list."""
    place = world.place[0]
    ahead = max(1.0, min(math.ceil((ends_s - place.now_s) / place.tick_s - 1e-9), AHEAD - 1.0))
    return place.n_turns + int(ahead)


@kernel
def unkey(world: World, slot: int) -> None:
    """Nobody knows any more when a job ends."""
    truth = world.truth
    turn, before, after = truth[slot].turn, truth[slot].prev, truth[slot].next
    truth[slot].ends_s = INF
    if turn == NONE:
        return
    if before == NONE:
        world.ahead[turn % AHEAD] = after
    else:
        truth[before].next = after
    if after != NONE:
        truth[after].prev = before
    truth[slot].turn = NONE


@kernel
def hold(world: World, slot: int, gpu_milli: int, now_s: float) -> None:
    """Book the GPU time that a job has held until now; from now on it holds so many thousandths of GPUs."""
    truth = world.truth[slot]
    truth.held_gpu_s += truth.held_milli / MILLI * max(0.0, now_s - truth.held_since_s)
    world.place[0].held_milli += gpu_milli - truth.held_milli
    truth.held_milli, truth.held_since_s = gpu_milli, now_s


@kernel
def milli_of(job: Any) -> int:
    """Thousandths of GPUs that a job holds on its nodes."""
    return int(job.gpus * job.n_held * job.gpu_milli)


@kernel
def draw(board: Board, world: World, slot: int) -> None:
    """Book what a job draws from now on by its own tier: under other policies than the park's the board knows none."""
    place, truth = world.place[0], world.truth[slot]
    if place.how != PARK:
        kw = board.jobs[slot].drawn_kw
        place.tier_kw[truth.tier] += kw - truth.drawn_kw
        truth.drawn_kw = kw


@kernel
def close(board: Board, world: World, slot: int, end_s: float, done_s: float) -> None:
    """Write down what became of a job: it leaves its slot. `end_s`: nan for who never ends."""
    job, truth, place = board.jobs[slot], world.truth[slot], world.place[0]
    if truth.row < world.fate.shape[0]:
        fate = world.fate[truth.row]
        fate.end_s, fate.done_s, fate.n_pauses, fate.slot = end_s, done_s, job.n_pauses, NONE
        fate.held_gpu_s, fate.lost_gpu_s = truth.held_gpu_s, truth.lost_gpu_s
    if world.closed.shape[0] > 0:
        one, t0_s = world.closed[place.n_closed], place.hour0_s
        place.n_closed += 1
        one.row, one.submit_s, one.first_start_s = truth.row, job.submitted_s - t0_s, truth.first_start_s - t0_s
        one.end_s, one.done_s, one.run_s = end_s - t0_s, done_s, truth.run_s
        one.deadline_s, one.alone_end_s = truth.deadline_s, truth.alone_end_s
        one.held_gpu_s, one.lost_gpu_s, one.power_frac = truth.held_gpu_s, truth.lost_gpu_s, truth.power_frac
        one.idle_kw, one.mcpu, one.classes = job.idle_kw, job.mcpu, job.classes
        one.gpus, one.n_nodes, one.leaf, one.n_pauses = job.gpus, job.n_nodes, truth.leaf, job.n_pauses
        one.gpu_milli, one.tier, one.ending = job.gpu_milli, truth.tier, truth.ending
    truth.row = NONE
