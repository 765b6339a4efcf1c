"""When what jobs cost is charged: at each full park hour, at their end, and not at all where the park failed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Final

from eureka_park.compute import store as compute_store
from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import Job, JobState, Tier
from eureka_park.foundation.ids import JobId, array_of
from eureka_park.foundation.units import HOUR_S
from eureka_park.ledger.billing.service import DISTURBED, LOST_NODE
from eureka_park.ledger.core.holding import Unpaid
from eureka_park.ledger.service import LedgerService, Running

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.compute.core.state import ParkState


ASKED_S: Final = 60.0  # park seconds between two looks whether credit has come for those who have none


@dataclass(slots=True)
class Charging:
    """Calls the ledger for the loop, inside its transaction. `_hour`: the last for which was charged; `_paid_s`: by
    job, the node time that its hold stands for, None before it was read. `unpaid`: the jobs for which there is no
    credit, for the next tick; None before anybody has looked.
    """

    ledger: LedgerService
    unpaid: dict[str, Unpaid] | None = None
    _hour: float | None = field(default=None)
    _paid_s: dict[str, float] | None = field(default=None)
    _asked_s: float = -inf

    def step(self, conn: Connection, state: ParkState, events: Sequence[ev.Event], now_s: float) -> None:
        """After the energy of a cycle is booked, before receipts are made: excuse, renew, charge each hour once."""
        started = [event.job_id for event in events if isinstance(event, ev.JobStarted) and event.job_id in state.jobs]
        for job_id in started:
            self.ledger.first_jobs.note(conn, state.jobs[job_id].spec.person, "started")
        if not self.ledger.billing.has_open(conn):
            self.unpaid, self._paid_s = {}, {}
            self._due(conn, now_s)
            return
        found = excused(state, events, is_hour=self._hour != now_s // HOUR_S)
        for job, why, is_all in found:
            self.ledger.billing.excuse(conn, running_of(job, now_s), why, now_s, is_all=is_all)
        self._renew(conn, state, [*started, *(job.job_id for job, _, _ in found)], now_s)
        if self._hour != now_s // HOUR_S:
            jobs = [running_of(job, now_s) for job in state.on_node.values()]
            self.ledger.billing.settle_hours(conn, jobs, int(now_s // HOUR_S) * HOUR_S, now_s)
        self._due(conn, now_s)

    def _renew(self, conn: Connection, state: ParkState, changed: Sequence[JobId], now_s: float) -> None:
        """Hold more for jobs that go on beyond what they hold; know those for which there is no credit."""
        billing = self.ledger.billing
        if self._paid_s is None:
            known = billing.declared(conn)
            self._paid_s = {job_id: until_s for job_id, (until_s, _) in known.items()}
            self.unpaid = None
            refused = {job_id for job_id, (_, is_refused) in known.items() if is_refused}
        else:
            self._paid_s |= {job_id: until_s for job_id, (until_s, _) in billing.declared(conn, changed).items()}
            refused = set(self.unpaid or ())
        for ended in state.just_ended:
            self._paid_s.pop(ended.job_id, None)
        over = [job for job in state.on_node.values() if _node_s(job, now_s) > self._paid_s.get(job.job_id, inf)]
        names = {job.job_id for job in over} | refused
        is_news = self.unpaid is None or any(job.job_id not in refused for job in over)
        if not is_news and (not names or now_s - self._asked_s < ASKED_S):
            return
        self._asked_s = now_s
        jobs = [state.jobs[JobId(name)] for name in sorted(names) if name in state.jobs]
        self.unpaid = billing.renew(conn, [running_of(job, now_s) for job in jobs], now_s)
        self._paid_s |= {name: until_s for name, (until_s, _) in billing.declared(conn, sorted(names)).items()}

    def _due(self, conn: Connection, now_s: float) -> None:
        """Ends of grants, second halves, what goes back: once an hour."""
        if self._hour != now_s // HOUR_S:
            self.ledger.grants.step(conn, now_s)
            self._hour = now_s // HOUR_S

    def begin(self, conn: Connection, state: ParkState, now_s: float) -> list[str]:
        """At start: release what jobs hold that neither journal nor inbox knows; which."""
        posted = {command["job_id"] for command in compute_store.open_commands_of(conn, ["submit"])}

        def is_known(name: str) -> bool:
            return name in state.jobs or name in posted or array_of(name) in posted

        return self.ledger.billing.release_lost(conn, is_known, now_s)


def excused(state: ParkState, events: Sequence[ev.Event], *, is_hour: bool = False) -> list[tuple[Job, str, bool]]:
    """Jobs that the park failed in this cycle: why, and whether all that they did is lost.

    A job without checkpoints that loses its node begins anew, or is lost; others lose what they did since the last
    charge. Firm
    work is promised its power: where it is capped, paused or frozen all the same, what is not charged yet is free, and
    so is each hour that goes by under a cap (`is_hour`: one is over).
    """
    found: dict[str, tuple[Job, str, bool]] = {}
    ended = {job.job_id: job for job in state.just_ended}
    for event in events:
        job = state.jobs.get(event.job_id) or ended.get(event.job_id) if isinstance(event, ev.JobEvent) else None
        if job is None:
            continue
        if isinstance(event, ev.JobRequeued) or (isinstance(event, ev.JobEnded) and event.state is JobState.LOST):
            found[job.job_id] = job, LOST_NODE, not job.spec.checkpoint
        elif _disturbs(job, event) and job.job_id not in found:
            found[job.job_id] = job, DISTURBED, False
    if is_hour:
        capped = (job for job in state.on_node.values() if job.spec.tier is Tier.FIRM and job.cap_frac < 1.0)
        found = {job.job_id: (job, DISTURBED, False) for job in capped} | found
    return list(found.values())


def _disturbs(job: Job, event: ev.Event) -> bool:
    """A cap disturbs until it is lifted: both ends of it count."""
    if job.spec.tier is not Tier.FIRM or (isinstance(event, ev.JobPausing) and event.why == "credit"):
        return False
    return isinstance(event, ev.JobPausing | ev.JobFrozen | ev.JobCapped)


def _node_s(job: Job, now_s: float) -> float:
    """Node time that a job has used until now, its present stint included."""
    stint_s = 0.0 if job.since_s is None else max(0.0, now_s - job.since_s)
    return job.node_s + stint_s * max(1, len(job.nodes))


def running_of(job: Job, now_s: float) -> Running:
    """What a job has used of machines until now, its present stint included."""
    n_nodes = max(1, len(job.nodes), job.spec.n_nodes)
    return Running(job.job_id, job.spec.n_gpus, job.spec.n_cpus, _node_s(job, now_s), n_nodes)
