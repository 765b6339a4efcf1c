"""One pure tick of the live park: the kernels decide on the board, here their rows become events and reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.board import INF, NONE, Board
from eureka_park.compute.core.job import WAITING, Job, JobSpec, JobState, Reason
from eureka_park.compute.core.state import ParkState
from eureka_park.control import codes
from eureka_park.control.credit import of_credit, reasons_of_credit
from eureka_park.control.policy import Policy
from eureka_park.control.reasons import Teller
from eureka_park.control.setup import set_policy, set_sky
from eureka_park.control.supply import Supply
from eureka_park.control.turn import turn
from eureka_park.foundation.cap_curve import power_frac, speed_frac
from eureka_park.foundation.ids import JobId
from eureka_park.ledger.core.holding import Unpaid

REFRESH_S: Final = 60.0  # park seconds after which the numbers of an unchanged reason are told anew
PROMISED_MAX: Final = 64  # promises that one turn writes down; more are written in the turns that follow
_TOLD_WITHOUT_PLAN: Final = 256


@dataclass(frozen=True, slots=True)
class Decision:
    """What one tick decided: events in order (already applied) and the reasons that are news.

    `rows` are the kernels' actions as they wrote them, for the digest.
    """

    events: tuple[ev.Event, ...]
    reasons: dict[JobId, Reason] = field(default_factory=dict)
    rows: Any = ()


def tick(
    state: ParkState,
    supply: Supply | None,
    policy: Policy,
    now_s: float,
    *,
    refresh_s: float = REFRESH_S,
    unpaid: Mapping[str, Unpaid] | None = None,
) -> Decision:
    """Decide for the instant `now_s` (park time). While `supply` is None nothing new starts (see `supply.grid_only`).

    `unpaid`: the jobs for which there is no credit (see `control.credit`); None where nobody asks. The state is changed
    only through the returned events. Deterministic; ties go by order.
    """
    events: list[ev.Event] = []
    for event in (*_in_vain(state, now_s), *_new_policy(state, policy, now_s), *of_credit(state, unpaid, now_s)):
        state.apply(event)
        events.append(event)
    reasons = {job.job_id: _dependency_reason(job) for job in state.newly_held if job.job_id in state.held}
    reasons |= reasons_of_credit(state, unpaid)
    state.newly_held.clear()
    if state.board is None:
        return Decision(tuple(events), _without_plan(state) | reasons)
    board = state.board
    set_up(state, supply, policy, now_s, refresh_s)
    n_promised = int(board.g.n_promised[0])
    turn(board, now_s)
    rows = board.actions[: int(board.g.n_actions[0])]
    decided = [_EVENTS[row[4]](state, board, row, now_s) for row in rows.tolist()]
    decided += _blocked(state, board, now_s)
    if int(board.g.n_promised[0]) != n_promised:
        decided += _promised(state, board, now_s)
    state.follow(decided)
    if supply is None:
        reasons = _without_plan(state) | reasons
    if board.g.n_told[0]:
        teller = Teller(board, state.node_ids, state.share_paths, supply, now_s)
        reasons = {state.job_at[slot]: reason for slot, reason in teller.told()} | reasons
    return Decision((*events, *decided), reasons, rows)


def warm() -> None:
    """Have every kernel compiled that the live park calls: what was compiled once is found on disk from then on."""
    state = ParkState()
    state.apply(ev.NodesDeclared(0.0, (ev.Node("n", "local", 1.0, 1 << 30, 0, "", 1.0, 0.5),)))
    state.apply(ev.JobSubmitted(JobId("job"), 0.0, JobSpec("p", "j", ("true",)), None))
    state.apply(ev.NodeDown("n", 0.0))
    tick(state, None, Policy(), 60.0)


def set_up(state: ParkState, supply: Supply | None, policy: Policy, now_s: float, refresh_s: float = REFRESH_S) -> None:
    """Put policy and plan onto the board, as far as they are not there already; let windows come to hold and pass."""
    board = state.board
    assert board is not None
    state.refresh(now_s)
    known = state.on_board
    if known is None or known[0] is not board.g or known[1] != policy or known[2] != refresh_s:
        set_policy(board, policy, refresh_s=refresh_s)
        known = None
    if known is None or known[3] is not supply:
        set_sky(board, supply)
        state.on_board = (board.g, policy, refresh_s, supply)


# -- what the state must know before the kernels decide ----------------------------------------------------------------


def _in_vain(state: ParkState, now_s: float) -> Iterator[ev.Event]:
    """Jobs that waited for one which did not finish."""
    for waiter_id, (name, ended_as) in list(state.broken.items()):
        detail = f"It was to run after {name}, which {_ENDED_WORDS[ended_as]}."
        yield ev.JobEnded(waiter_id, now_s, JobState.CANCELLED, detail=detail)


_ENDED_WORDS: Final = {
    JobState.FINISHED: "finished",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "was cancelled",
    JobState.LOST: "was lost",
}


def policy_used(policy: Policy, now_s: float) -> ev.PolicyUsed:
    """What the state keeps of a policy."""
    caps = tuple(
        (frac, power_frac(frac, policy.cap_curve), speed_frac(frac, policy.cap_curve))
        for frac in (1.0, *policy.cap_steps_frac)
    )
    return ev.PolicyUsed(now_s, str(policy.sky), policy.half_life_s, caps)


def _new_policy(state: ParkState, policy: Policy, now_s: float) -> Iterator[ev.Event]:
    """The policy, where another one held until now; caps that it does not know become the nearest that it does."""
    known, used = state.side.policy, policy_used(policy, now_s)
    if known is not None and (known.sky, known.half_life_s, known.caps) == (used.sky, used.half_life_s, used.caps):
        return
    yield used
    fracs = [cap[0] for cap in used.caps]
    for job in state.on_node.values():
        if job.cap_frac not in fracs:
            yield ev.JobCapped(job.job_id, now_s, next((frac for frac in fracs if frac < job.cap_frac), fracs[-1]))


# -- rows of the kernels -----------------------------------------------------------------------------------------------

_Row = tuple[Any, ...]  # order, gpu_mask, a, b, code, slot, node, n_nodes


def _start(state: ParkState, board: Board, row: _Row, now_s: float) -> ev.JobEvent:
    job = state.jobs[state.job_at[row[5]]]
    gpus = tuple(index for index in range(row[1].bit_length()) if row[1] >> index & 1)
    nodes = _nodes_from(state, board, row[6]) if job.spec.n_nodes > 1 else ()
    return ev.JobStarting(job.job_id, now_s, job.attempt + 1, state.node_ids[row[6]], gpus, row[3], nodes)


def _nodes_from(state: ParkState, board: Board, node: int) -> tuple[str, ...]:
    """The nodes of a gang from one of them on."""
    names, nodes = state.node_ids, []
    while node != NONE:
        nodes.append(names[node])
        node = int(board.nodes.gang_next[node])
    return tuple(nodes)


def _cap(state: ParkState, _: Board, row: _Row, now_s: float) -> ev.JobEvent:
    return ev.JobCapped(state.job_at[row[5]], now_s, row[2])


def _pause(state: ParkState, _: Board, row: _Row, now_s: float) -> ev.JobEvent:
    return ev.JobPausing(state.job_at[row[5]], now_s, "reclaim" if row[2] else "power")


def _freeze(state: ParkState, _: Board, row: _Row, now_s: float) -> ev.JobEvent:
    return ev.JobFrozen(state.job_at[row[5]], now_s)


def _thaw(state: ParkState, _: Board, row: _Row, now_s: float) -> ev.JobEvent:
    return ev.JobThawed(state.job_at[row[5]], now_s)


def _end(state: ParkState, _: Board, row: _Row, now_s: float) -> ev.JobEvent:
    return ev.JobEnding(state.job_at[row[5]], now_s, "time")


def _defer(state: ParkState, _: Board, row: _Row, now_s: float) -> ev.JobEvent:
    return ev.JobDeferred(state.job_at[row[5]], now_s, row[2], row[3])


def _resize(state: ParkState, board: Board, row: _Row, now_s: float) -> ev.JobEvent:
    return ev.JobResized(state.job_at[row[5]], now_s, row[7], _nodes_from(state, board, row[6]))


def _blocked(state: ParkState, board: Board, now_s: float) -> list[ev.JobEvent]:
    """Since when jobs below a floor have waited for room: what reclaiming looks at must be in the journal."""
    if not state.side.has_floors:
        return []
    waiting = [state.jobs[state.job_at[slot]] for slot in board.g["blocked"][0][: int(board.g.n_blocked[0])].tolist()]
    refused_s = board.jobs.refused_room_s
    return [
        ev.JobBlocked(job.job_id, now_s, float(refused_s[state.slot_of[job.job_id]]))
        for job in waiting
        if job.blocked_s is None and job.state in WAITING and state.side.may_claim(job)
    ]


def _promised(state: ParkState, board: Board, now_s: float) -> list[ev.JobEvent]:
    """Starts that jobs were told first in this turn: the journal alone must tell by what they are measured."""
    slots = board.g["blocked"][0][: int(board.g.n_reserved[0])]
    starts = zip(slots.tolist(), board.jobs["promised_s"][slots].tolist(), strict=True)
    waiting = ((state.jobs[state.job_at[slot]], start_s) for slot, start_s in starts if start_s < INF)
    fresh = (ev.JobPromised(job.job_id, now_s, start_s) for job, start_s in waiting if job.promised_s is None)
    return list(islice(fresh, PROMISED_MAX))


_EVENTS: Final[dict[int, Callable[[ParkState, Board, _Row, float], ev.JobEvent]]] = {
    codes.START: _start,
    codes.CAP: _cap,
    codes.PAUSE: _pause,
    codes.FREEZE: _freeze,
    codes.THAW: _thaw,
    codes.END: _end,
    codes.DEFER: _defer,
    codes.RESIZE: _resize,
}


# -- reasons that only the state knows ---------------------------------------------------------------------------------


def _dependency_reason(job: Job) -> Reason:
    names = ", ".join(job.waiting_for[:3]) + (
        f" and {len(job.waiting_for) - 3} more" if len(job.waiting_for) > 3 else ""
    )
    return Reason("dependency", f"It runs after {names}.", {"after": list(job.waiting_for)})


def _without_plan(state: ParkState) -> dict[JobId, Reason]:
    reason = Reason("no_plan", "There is no power plan yet; one is being made.", {})
    waiting = (job.job_id for job in state.jobs.values() if job.state in WAITING)
    return dict.fromkeys(islice(waiting, _TOLD_WITHOUT_PLAN), reason)
