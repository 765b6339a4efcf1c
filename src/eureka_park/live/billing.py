"""When what jobs cost is charged: at each full park hour, at their end, and not at all where the park failed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eureka_park.compute import store as compute_store
from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import Job, Tier
from eureka_park.foundation.ids import array_of
from eureka_park.foundation.units import HOUR_S
from eureka_park.ledger.service import LedgerService, Running

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.compute.core.state import ParkState

LOST = "Work that a failed node lost"
DISTURBED = "Firm work that was disturbed"


@dataclass(slots=True)
class Charging:
    """Calls the ledger for the loop, inside its transaction. `_hour`: the last for which was charged."""

    ledger: LedgerService
    _hour: float | None = field(default=None)

    def step(self, conn: Connection, state: ParkState, events: Sequence[ev.Event], now_s: float) -> None:
        """After the energy of a cycle is booked, before receipts are made: excuse, then charge each hour once."""
        for event in events:
            if isinstance(event, ev.JobStarted) and event.job_id in state.jobs:
                self.ledger.first_jobs.note(conn, state.jobs[event.job_id].spec.person, "started")
        if not self.ledger.billing.has_open(conn):
            self._due(conn, now_s)
            return
        for job, why, is_all in excused(state, events):
            self.ledger.billing.excuse(conn, running_of(job, now_s), why, now_s, is_all=is_all)
        if self._hour != now_s // HOUR_S:
            jobs = [running_of(job, now_s) for job in state.on_node.values()]
            self.ledger.billing.settle_hours(conn, jobs, int(now_s // HOUR_S) * HOUR_S, now_s)
        self._due(conn, now_s)

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


def excused(state: ParkState, events: Sequence[ev.Event]) -> list[tuple[Job, str, bool]]:
    """Jobs that the park failed in this cycle: why, and whether all that they did is lost.

    A job without checkpoints that loses its node begins anew; others lose what they did since the last charge. Firm
    work is promised its power: where it is capped, paused or frozen all the same, what is not charged yet is free.
    """
    found: dict[str, tuple[Job, str, bool]] = {}
    for event in events:
        job = state.jobs.get(event.job_id) if isinstance(event, ev.JobEvent) else None
        if job is None:
            continue
        if isinstance(event, ev.JobRequeued):
            found[job.job_id] = job, LOST, not job.spec.checkpoint
        elif _disturbs(job, event) and job.job_id not in found:
            found[job.job_id] = job, DISTURBED, False
    return list(found.values())


def _disturbs(job: Job, event: ev.Event) -> bool:
    if job.spec.tier is not Tier.FIRM:
        return False
    return isinstance(event, ev.JobPausing | ev.JobFrozen) or (isinstance(event, ev.JobCapped) and event.cap_frac < 1.0)


def running_of(job: Job, now_s: float) -> Running:
    """What a job has used of machines until now, its present stint included."""
    stint_s = 0.0 if job.since_s is None else max(0.0, now_s - job.since_s)
    node_s = job.node_s + stint_s * max(1, len(job.nodes))
    return Running(job.job_id, job.spec.n_gpus, job.spec.n_cpus, node_s)
