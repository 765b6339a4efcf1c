"""The live loop: load what came in, think without database or network, apply in one fenced transaction, then act."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.notices.service import JobOver, Notices
from eureka_park.compute import store as compute_store
from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import ENDED, Job, JobState, Reason
from eureka_park.compute.core.state import ParkState
from eureka_park.compute.materials import store as materials_store
from eureka_park.compute.ports import Engine
from eureka_park.control.policy import Policy
from eureka_park.control.supply import Supply, Work, grid_only, potential_demand_mw, supply_from_plan
from eureka_park.control.tick import REFRESH_S, policy_used, tick
from eureka_park.energy.service import EnergyService
from eureka_park.foundation.clock import Clock, Pace
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import Unavailable
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.units import DAY_S, HOUR_S
from eureka_park.foundation.wire.engine import EngineReport, MeterReading
from eureka_park.ledger.service import EnergyBooking, LedgerService, Settlement
from eureka_park.live import store
from eureka_park.live.actions import Actions
from eureka_park.live.billing import Charging
from eureka_park.live.estimates import KEPT_ENDS, Estimates
from eureka_park.live.facts import facts_of
from eureka_park.live.journal import Journal
from eureka_park.live.learning import Learning, Seen
from eureka_park.live.learning import journal_form as seen_form
from eureka_park.live.metering import Metering, it_kw_of_site, journal_form, site_mw_of_it
from eureka_park.live.observe import events_of_command, events_of_report, loss_of
from eureka_park.live.planning import Planning
from eureka_park.live.rows import REFRESH_REAL_S, RowWriter, timeline_rows
from eureka_park.live.sealing import SEAL_S
from eureka_park.live.storage import StorageBooking
from eureka_park.live.store import LEASE_TTL_S

if TYPE_CHECKING:
    from sqlalchemy import Connection

LEASE_RENEW_S: Final = 5.0
METER_BUSY_S: Final = 10.0
METER_IDLE_S: Final = 60.0
TICK_S: Final = 2.0
READING_S: Final = 5.0  # real seconds between the begins of two power readings that are kept, at least
INBOX_BLOCK: Final = 1_000
AGAIN_S: Final = 10.0  # real seconds after which an order that nobody took over is given again
SILENT_S: Final = 60.0  # real seconds without any report after which a running job is given up
EXPECTED_LOAD_FRAC: Final = 0.25  # of what jobs can draw; until demand is forecast from the park's own history
FACTS_S: Final = 5.0  # real seconds between two looks at what people may see of the board, while nothing asks for one
PLAN_PATIENCE_S: Final = 20.0  # real seconds without a plan that reaches now before the grid alone is counted on

_log = logging.getLogger("eureka_park.live")


@dataclass(slots=True)
class Parts:
    """What the loop works with; bootstrap builds it."""

    db: Database
    clock: Clock
    pace: Pace
    site: Site
    policy: Policy
    engine: Engine
    energy: EnergyService
    ledger: LedgerService
    actions: Actions
    metering: Metering
    planning: Planning
    tell_facts: Callable[[str], None] = lambda _text: None  # keeps what people may see of the board; see `board_facts`
    seal: Callable[[int], object] = lambda _token: None  # puts what the audit log noted into its chain
    notices: Notices | None = None  # tells people what came about, in the transaction in which it does
    estimates: Estimates = field(default_factory=Estimates)
    learning: Learning = field(default_factory=Learning)


@dataclass(slots=True)
class _Cycle:
    """What one cycle has gathered until it is applied."""

    now_s: float
    real_s: float
    events: list[ev.Event] = field(default_factory=list)
    inbox_seqs: list[int] = field(default_factory=list)
    ended_real_s: dict[JobId, float] = field(default_factory=dict)
    reasons: dict[JobId, Reason] = field(default_factory=dict)
    began_real_s: dict[JobId, float] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    bookings: tuple[EnergyBooking, ...] = ()
    plan: PowerPlan | None = None


class Live:
    """One park's decisions. `cycle` may be called at any time by any pace; nothing else changes the state."""

    def __init__(self, parts: Parts, state: ParkState, journal: Journal) -> None:
        self.parts, self.state, self.journal = parts, state, journal
        self._refresh_s = max(REFRESH_S, REFRESH_REAL_S * parts.pace.factor)
        self._rows = RowWriter(self._refresh_s)
        self.heard: Callable[[float, Any], None] = lambda _at_s, _rows: None  # the kernels' rows of each turn
        self._refused: list[tuple[JobId, str]] = []
        self._ordered_real_s: dict[JobId, float] = {}
        self._meter_hour = -1.0
        self._undone_real_s: dict[JobId, float] = {}
        self._silent_real_s: dict[JobId, float] = {}
        self._tidied_real_s = parts.clock.real_s()
        self._reading: dict[str, Any] | None = None  # the last that was kept
        self._lease_real_s = self._meter_real_s = self._tick_real_s = -1e18
        self._planless_real_s: float | None = None  # since when there is no plan that reaches now
        self._told_error, self._is_to_tell = "", False  # the last fault of planning, and whether operators hear of it
        self._known_supply: tuple[str, Supply] | None = None  # of one plan and interval
        self._told_facts, self._facts_real_s = "", -1e18
        self._charging = Charging(parts.ledger)
        self._storage = StorageBooking(parts.db, parts.ledger)

    # -- start -----------------------------------------------------------------------------------------------------
    def begin(self, nodes: tuple[ev.Node, ...]) -> None:
        """Declare the nodes, take over what the engine knows, and repeat what may not have been carried out."""
        now_s = self.parts.clock.park_s()
        cycle = _Cycle(now_s, self.parts.clock.real_s())
        self._declare(cycle, nodes)
        with self.parts.db.read() as conn:
            self.parts.estimates.ended.extend(compute_store.run_times(conn, KEPT_ENDS))
        reports = self._reports()
        self.cycle(cycle, reports)
        known = {report.job_id for report in reports}
        with self.parts.db.write() as conn:
            store.check_token(conn, self.journal.token)
            self._charging.begin(conn, self.state, now_s)
        for job in list(self.state.on_node.values()):
            self._repeat(job, job.job_id in known)

    def _declare(self, cycle: _Cycle, nodes: tuple[ev.Node, ...]) -> None:
        """Tell the state what the site and the policy in use say, as far as it has not heard it."""
        state, now_s = self.state, cycle.now_s
        shares = tuple((share.path, share.weight, share.floor_frac) for share in self.parts.site.shares)
        if shares != state.side.tree.shares:
            self._happen(cycle, ev.SharesDeclared(now_s, shares))
        if nodes != tuple(state.nodes.values()):
            for job in state.jobs_without(nodes):
                self._happen(cycle, loss_of(job, now_s, "its node is gone"))
            self._happen(cycle, ev.NodesDeclared(now_s, nodes))
        if state.side.policy is None:
            self._happen(cycle, policy_used(self.parts.policy, now_s))

    # -- one cycle -------------------------------------------------------------------------------------------------
    def cycle(self, cycle: _Cycle | None = None, reports: list[EngineReport] | None = None) -> bool:
        """Load, think, apply, act; whether anything was written."""
        cycle = cycle or _Cycle(self.parts.clock.park_s(), self.parts.clock.real_s())
        commands, ended_deps = self._load()
        reports = self._reports() if reports is None else reports
        self._gather_endings(cycle, reports)
        reading = self._read_meter(cycle)
        self._take_reports(cycle, reports)
        for event in self.parts.learning.events(self.state, cycle.seen, cycle.now_s):
            self._happen(cycle, event)
        for command in commands:
            cycle.inbox_seqs.append(command["inbox_seq"])
            self._happen(cycle, *events_of_command(self.state, command, cycle.now_s, ended_deps))
        self._take_refused(cycle)
        cycle.plan = self._plan(cycle)
        n_observed = len(cycle.events)
        self._decide(cycle)
        self._estimate(cycle)
        if reading is not None:
            self._happen(cycle, ev.MeterRead(cycle.now_s, journal_form(reading), seen_form(cycle.seen)))
        wrote = self._apply(cycle)
        for index, event in enumerate(cycle.events):
            self._act(event, is_decision=index >= n_observed, real_s=cycle.real_s)
        self.parts.actions.start_held_back(self.state)
        if wrote:
            self._tell_facts(cycle)
        if self.journal.snapshot_is_due(len(self.state.jobs)):
            self.journal.save_snapshot(self.parts.db, self.state)
        self.parts.seal(self.journal.token)
        self._storage.step(self.journal.token, cycle.now_s)
        return wrote

    def _happen(self, cycle: _Cycle, *events: ev.Event) -> None:
        for event in events:
            self.state.apply(event)
            cycle.events.append(event)

    # -- load ------------------------------------------------------------------------------------------------------
    def _load(self) -> tuple[list[dict[str, Any]], dict[str, str]]:
        with self.parts.db.read() as conn:
            commands = compute_store.open_commands(conn, INBOX_BLOCK)
            names = {dep for item in commands if item["kind"] == "submit" for dep in item["payload"]["spec"]["after"]}
            ended, _ = compute_store.open_among(conn, sorted(names)) if names else ({}, set())
        return commands, ended

    def _reports(self) -> list[EngineReport]:
        attempts = [(job.job_id, job.attempt) for job in self.state.on_node.values()]
        return self.parts.engine.status(attempts) if attempts else []

    def _gather_endings(self, cycle: _Cycle, reports: list[EngineReport]) -> None:
        for report in reports:
            job = self.state.on_node.get(report.job_id)
            if job is None or report.attempt != job.attempt:
                continue
            if report.phase in ("exited", "lost"):
                cycle.ended_real_s[report.job_id] = report.ended_at_s or report.at_s
            if report.started_at_s is not None:
                cycle.began_real_s[report.job_id] = report.started_at_s

    # -- think -----------------------------------------------------------------------------------------------------
    def _take_reports(self, cycle: _Cycle, reports: list[EngineReport]) -> None:
        reported = set()
        for report in reports:
            reported.add(report.job_id)
            job = self.state.on_node.get(report.job_id)
            if job is not None:
                self._happen(cycle, *events_of_report(job, report, self._park_of))
        for job in list(self.state.on_node.values()):
            self._look_after(cycle, job, job.job_id in reported)

    def _look_after(self, cycle: _Cycle, job: Job, is_reported: bool) -> None:
        """Say again what was not carried out; give up a job that the engine has known nothing of for long."""
        if job.job_id in self._undone_real_s or (_is_to_start(job) and not is_reported):
            asked_s = self._undone_real_s.get(job.job_id, self._ordered_real_s.get(job.job_id, cycle.real_s))
            if cycle.real_s - asked_s > AGAIN_S:
                self._ordered_real_s[job.job_id] = cycle.real_s
                self._repeat(job, is_reported)
        if is_reported or _is_to_start(job):
            self._silent_real_s.pop(job.job_id, None)
        elif cycle.real_s - self._silent_real_s.setdefault(job.job_id, cycle.real_s) > SILENT_S:
            del self._silent_real_s[job.job_id]
            detail = "The engine knows nothing of it any more."
            self._happen(cycle, ev.JobEnded(job.job_id, cycle.now_s, JobState.LOST, detail=detail))

    def _repeat(self, job: Job, is_known: bool) -> None:
        self._undone_real_s.pop(job.job_id, None)
        try:
            self.parts.actions.repeat(self.state, job, is_known=is_known)
        except OSError as error:
            self._could_not(job.job_id, error)

    def _could_not(self, job_id: JobId, error: OSError) -> None:
        """The engine could not carry something out (a full disk, say): it is said again a little later."""
        _log.warning("%s: %s; tried again in %.0f s", job_id, error, AGAIN_S)
        self._undone_real_s[job_id] = self.parts.clock.real_s()

    def _take_refused(self, cycle: _Cycle) -> None:
        refused, self._refused = self._refused, []
        for job_id, text in refused:
            if job_id in self.state.on_node:
                self._happen(cycle, ev.JobEnded(job_id, cycle.now_s, JobState.FAILED, detail=text))

    def refuse(self, job_id: JobId, text: str) -> None:
        """An order that no engine takes: the job fails with the reason at the next cycle."""
        self._refused.append((job_id, text))

    def _park_of(self, real_s: float) -> float:
        return self.parts.pace.park_from_real_s(real_s)

    def _plan(self, cycle: _Cycle) -> PowerPlan | None:
        site, state = self.parts.site, self.state
        capacity_kw, idle_kw = state.nodes_kw, state.nodes_idle_kw
        running = [(job.dynamic_kw, job.left_s(cycle.now_s) / HOUR_S) for job in state.on_node.values()]
        work = Work(
            state.queued_kw + sum(kw for kw, _ in running),
            state.queued_kwh + sum(kw * left_h for kw, left_h in running),
        )
        demand = potential_demand_mw(
            48,
            HOUR_S,
            capacity_kw,
            idle_kw,
            EXPECTED_LOAD_FRAC,
            work,
            site_mw_of_it(site),
        )
        fresh = self.parts.planning.step(cycle.now_s, cycle.real_s, demand)
        if self.parts.planning.error and self.parts.planning.error != self._told_error:
            _log.warning("no new plan: %s", self.parts.planning.error)
            self._is_to_tell = True
        self._told_error = self.parts.planning.error
        return fresh

    def _supply(self, cycle: _Cycle) -> Supply | None:
        plan, site = self.parts.planning.plan, self.parts.site
        it_kw_of = it_kw_of_site(site)
        if plan is not None:
            known = self._known_supply
            if (
                known is not None
                and known[0] == plan.plan_id
                and known[1].now.start_s <= cycle.now_s < known[1].now.end_s
            ):
                return known[1]
            try:
                supply = supply_from_plan(plan, cycle.now_s, it_kw_of, self.parts.policy.carbon_mad_per_kg)
            except Unavailable:
                pass  # it ended before a new one came
            else:
                self._known_supply = (plan.plan_id, supply)
                self._planless_real_s = None
                return supply
        if self._planless_real_s is None:
            self._planless_real_s = cycle.real_s
        if cycle.real_s - self._planless_real_s < PLAN_PATIENCE_S:
            return None
        return grid_only(cycle.now_s, it_kw_of(site.grid.import_mw_max * site.factor), site.grid.price_peak_mad_per_mwh)

    def _decide(self, cycle: _Cycle) -> None:
        due = bool(cycle.events) or cycle.plan is not None or cycle.real_s - self._tick_real_s >= TICK_S
        if not due or not self.state.jobs:
            return
        self._tick_real_s = cycle.real_s
        supply = self._supply(cycle)
        unpaid = self._charging.unpaid
        decision = tick(self.state, supply, self.parts.policy, cycle.now_s, refresh_s=self._refresh_s, unpaid=unpaid)
        self.heard(cycle.now_s, decision.rows)
        cycle.events += decision.events  # the tick has applied them
        cycle.reasons = decision.reasons

    def _estimate(self, cycle: _Cycle) -> None:
        """Have starts to come worked out, and put those that are known into the reasons."""
        estimates = self.parts.estimates
        estimates.step(self.state, cycle.now_s, cycle.real_s)
        cycle.reasons = estimates.told(self.state, cycle.reasons, self._rows.last_reason)

    def _read_meter(self, cycle: _Cycle) -> MeterReading | None:
        """Read when somebody leaves a node, every few seconds while jobs run, and now and then when idle."""
        every_s = METER_BUSY_S if self.state.on_node else METER_IDLE_S
        hour = cycle.now_s // HOUR_S
        if not cycle.ended_real_s and cycle.real_s - self._meter_real_s < every_s and hour == self._meter_hour:
            return None
        self._meter_hour = hour  # a reading at each full hour: its sources and prices are its own
        reading, cycle.bookings = self.parts.metering.read(self.state, cycle.ended_real_s, self.parts.planning.plan_at)
        told = self.parts.metering.metered
        if told is not None:
            cycle.seen = self.parts.learning.look(self.state, told, cycle.began_real_s, cycle.ended_real_s)
        self._meter_real_s = cycle.real_s
        for job_id in cycle.ended_real_s:
            self.parts.metering.since_real_s.pop(job_id, None)
        return reading

    # -- apply -----------------------------------------------------------------------------------------------------
    def _apply(self, cycle: _Cycle) -> bool:
        touched = self._rows.changed_jobs(self.state, cycle.events)
        lines = timeline_rows(self.journal.head + 1, cycle.events, cycle.reasons, self._rows.last_reason)
        fresh = self._rows.fresh_reasons(self.state, touched, cycle.reasons, cycle.now_s)
        rows = self._rows.rows(touched, cycle.reasons, cycle.now_s)
        renew = cycle.real_s - self._lease_real_s >= LEASE_RENEW_S
        if not (cycle.events or cycle.inbox_seqs or fresh or cycle.plan or cycle.bookings or renew or self._is_to_tell):
            return False
        with self.parts.db.write() as conn:
            head = self.journal.append(conn, cycle.events, cycle.real_s)
            compute_store.save_timeline(conn, lines)
            compute_store.save_jobs(conn, rows)
            compute_store.save_reasons(conn, fresh)
            compute_store.close_commands(conn, cycle.inbox_seqs, head)
            if cycle.plan is not None:
                self.parts.energy.record_plan(conn, cycle.plan)
            self._settle(conn, cycle)
            self._tell(conn)
            if renew:
                store.renew_lease(conn, self.journal.token, cycle.real_s + LEASE_TTL_S)
                self._tidy(conn, cycle.real_s)
        if renew:
            self._lease_real_s = cycle.real_s
        self.journal.committed(head)
        self.state.just_ended.clear()
        self._is_to_tell = False
        return True

    def _tell(self, conn: Connection) -> None:
        """Put into the queue of notices what people chose to hear of; nothing is sent here."""
        notices = self.parts.notices
        if notices is None:
            return
        over = [JobOver(job.job_id, job.spec.project, job.spec.person, str(job.state)) for job in self.state.just_ended]
        notices.jobs_over(conn, over)
        if self._is_to_tell:
            notices.tell_operators(conn, "plan.missing", "plan", why=self._told_error[:300])

    def _tidy(self, conn: Connection, real_s: float) -> None:
        """Once an hour, forget commands of more than a week ago, and their idempotency keys with them."""
        if real_s - self._tidied_real_s >= HOUR_S:
            self._tidied_real_s = real_s
            compute_store.drop_old_commands(conn, real_s - 7 * DAY_S)

    def _settle(self, conn: Connection, cycle: _Cycle) -> None:
        """Book the interval's energy first, then make the receipts of what ended in it."""
        for booking in cycle.bookings:
            self.parts.ledger.book_energy(conn, booking)
        self._note_power(conn, cycle)
        self._charging.step(conn, self.state, cycle.events, cycle.now_s)
        if self.state.just_ended:
            self.parts.estimates.note_ended(self.state.just_ended)
            over = [self._settlement(job, cycle.now_s) for job in self.state.just_ended]
            receipts = self.parts.ledger.settle_all(conn, over)
            compute_store.save_energy(conn, {receipt["job_id"]: receipt["kwh"] for receipt in receipts})
            materials_store.note_over(conn, self.state.just_ended, cycle.real_s)

    def _note_power(self, conn: Connection, cycle: _Cycle) -> None:
        """Keep the power for live charts; what is read within a few seconds becomes one reading."""
        if cycle.bookings:
            last = self._reading
            if last is not None and cycle.real_s - last["real_s"] >= READING_S:
                last = None
            factor = self.parts.pace.factor
            self._reading = self.parts.ledger.note_power(conn, cycle.bookings, cycle.real_s, factor, last)

    def _settlement(self, job: Job, now_s: float) -> Settlement:
        site, plan = self.parts.site, self.parts.planning.plan
        assert job.state in ENDED
        return Settlement(
            job_id=job.job_id,
            project=job.spec.project,
            tier=str(job.spec.tier),
            n_gpus=job.spec.n_gpus,
            n_cpus=job.spec.n_cpus,
            ran_s=job.node_s,
            at_s=now_s,
            method=str(self.state.meter.get("method", "modelled")) if self.state.meter else "modelled",
            is_scale_model=site.is_scale_model,
            prices=site.prices.model_dump(mode="json"),
            labels=dict(plan.labels) if plan else {"plan": "none yet; the grid was counted"},
            gpu_type=self._gpu_type(job),
            person_id=job.spec.person,
        )

    def _gpu_type(self, job: Job) -> str:
        """The type of GPU that a job took or asked for; '' for none."""
        node = self.state.nodes.get(job.node)
        return "" if not job.spec.n_gpus else job.spec.gpu_type or (node.gpu_type if node else "")

    def _tell_facts(self, cycle: _Cycle) -> None:
        """Leave what people may see of the board beside the database, when it has changed."""
        is_of_nodes = any(self._is_of_nodes(event) for event in cycle.events)
        if not is_of_nodes and cycle.real_s - self._facts_real_s < FACTS_S:
            return
        self._facts_real_s = cycle.real_s
        text = facts_of(self.state, cycle.now_s).to_text()
        if text != self._told_facts:
            self._told_facts = text
            self.parts.tell_facts(text)

    @staticmethod
    def _is_of_nodes(event: ev.Event) -> bool:
        """Whether it changes nodes, or which of them a gang holds."""
        if isinstance(event, ev.JobStarting):
            return bool(event.nodes)
        others = ev.JobEvent | ev.MeterRead | ev.PowerLearned
        return not isinstance(event, others) or isinstance(event, ev.JobResized)

    # -- act -------------------------------------------------------------------------------------------------------
    def _act(self, event: ev.Event, *, is_decision: bool, real_s: float) -> None:
        if isinstance(event, ev.JobStarting | ev.JobRegrouped):
            self.parts.metering.since_real_s[event.job_id] = real_s
            self._ordered_real_s[event.job_id] = real_s
        elif isinstance(event, ev.JobStarted | ev.JobEnded):
            self._ordered_real_s.pop(event.job_id, None)
        if is_decision or isinstance(event, ev.JobEnding | ev.JobRequeued | ev.JobRegrouped):
            try:
                self.parts.actions.act(self.state, event)
            except OSError as error:
                self._could_not(getattr(event, "job_id", JobId("")), error)

    # -- for the process around it -----------------------------------------------------------------------------------
    def wait_s(self) -> float:
        """How long the process may sleep when nothing wakes it."""
        return SEAL_S


def _is_to_start(job: Job) -> bool:
    """Whether the engine was ordered an attempt that is not known to run yet."""
    return job.state is JobState.STARTING or job.is_regrouping
