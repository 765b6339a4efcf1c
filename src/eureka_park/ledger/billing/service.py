"""What work costs: the price list in force, a hold for each job, settlement by the hour, refunds, release.

A park without a price list holds nothing; its jobs are charged once, when they are over, to their project's account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.core.roles import Act
from eureka_park.foundation.errors import Conflict
from eureka_park.foundation.units import HOUR_S, iso_from_s
from eureka_park.ledger import store as meter
from eureka_park.ledger.billing import store
from eureka_park.ledger.billing.store import Hold, Part
from eureka_park.ledger.books import store as books
from eureka_park.ledger.core.exact import MICRO
from eureka_park.ledger.core.holding import billed, moved, taken_in_order
from eureka_park.ledger.core.posting import CREDIT, GRANTS, INCOME, Posting, Transaction, held_account
from eureka_park.ledger.core.pricing import PriceList, Rates, read_price_list
from eureka_park.ledger.events import HoldRefused, JobSettled

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.ledger.grants.service import Grants
    from eureka_park.ledger.ground import LedgerGround

RENEWED_S: Final = float(HOUR_S)  # of node time that a renewal holds
RENEWED_ENERGY: Final = 1.5  # so much more energy is held for it than the job has used per hour so far


@dataclass(frozen=True, slots=True)
class Bill:
    """What a job that is submitted may cost: for each of its tasks the time by the list and the energy's ceiling."""

    rates: Rates
    tier: str
    gpu_type: str
    job_class: str
    declared_s: float  # node time of one task
    time_micro: int
    energy_micro: int

    @property
    def ceiling_micro(self) -> int:
        """The most that one task costs within its declared time."""
        return self.time_micro + self.energy_micro


@dataclass(frozen=True, slots=True)
class Running:
    """A job that has run for `node_s` so far, all attempts and nodes together; GPUs and CPUs are those of each node."""

    job_id: str
    n_gpus: int
    n_cpus: float
    node_s: float


class Billing:
    """Price lists and holds of one park."""

    def __init__(self, ground: LedgerGround, grants: Grants) -> None:
        self._ground, self._grants = ground, grants

    # -- price lists ---------------------------------------------------------------------------------------------------
    def price_list(self, at_s: float) -> PriceList | None:
        """The list in force at an instant; None where nobody has set one."""
        with self._ground.db.read() as conn:
            return self.price_list_in(conn, at_s)

    def price_list_in(self, conn: Connection, at_s: float) -> PriceList | None:
        """As `price_list`, inside the caller's transaction."""
        found = store.price_body(conn, at_s)
        return None if found is None else read_price_list(found[1], found[0])

    def price_lists(self) -> list[dict[str, Any]]:
        """All lists, the oldest first: valid_from, the prices, set_by, set_at."""
        with self._ground.db.read() as conn:
            found = store.price_bodies(conn)
        shown = []
        for valid_from_s, body in found:
            set_by, set_at_s = body.pop("set_by"), body.pop("set_at_s")
            shown.append(
                {"valid_from": iso_from_s(valid_from_s), **body, "set_by": set_by, "set_at": iso_from_s(set_at_s)}
            )
        return shown

    def set_price_list(self, who: Principal, body: Mapping[str, Any], valid_from_s: float | None = None) -> PriceList:
        """Set the prices from an instant on; jobs that were quoted keep theirs. For operators.

        Raises Forbidden, BadInput; Conflict for an instant that has passed.
        """
        self._ground.gate.park(Act.PRICE, who)
        now_s = self._ground.clock.park_s()
        made = read_price_list(body, now_s if valid_from_s is None else valid_from_s)
        if made.valid_from_s < now_s:
            raise Conflict(
                "Prices cannot change in the past.", fix="Name an instant to come.", code="past", field="valid_from"
            )
        with self._ground.db.write() as conn:
            store.set_price_body(conn, made.valid_from_s, made.to_json(), who.person_id, now_s)
            detail = {"valid_from": iso_from_s(made.valid_from_s)}
            self._ground.gate.note(conn, "price_list.set", who, "park", detail)
        return made

    # -- holds ---------------------------------------------------------------------------------------------------------
    def hold(
        self, conn: Connection, job_id: str, tasks: Sequence[str], person_id: str, project: str, bill: Bill, at_s: float
    ) -> None:
        """Set credits aside for a job, or for each task of an array. Said again, nothing more is held.

        Raises Conflict `no_credit` with the figures, and `budget` where the project's own rule holds new jobs.
        """
        key = f"hold:{job_id}"
        if books.known(conn, [key]):
            return
        self._grants.check_budgets(conn, project, at_s)
        purse = self._grants.purse(conn, project, at_s)
        wanted = bill.ceiling_micro * len(tasks)
        if purse.total_micro < wanted:
            raise _no_credit(project, wanted, purse.total_micro)
        organisation_id = self._grants.organisation_of(conn, project)
        price = {**bill.rates.to_json(bill.tier), "class": bill.job_class}
        made = []
        for task in tasks:
            parts = tuple(Part(account, amount) for account, amount in purse.take(bill.ceiling_micro).items())
            made.append(
                Hold(
                    task, project, person_id, organisation_id, bill.tier, bill.gpu_type, price, bill.declared_s,
                    bill.ceiling_micro, at_s, parts,
                )
            )  # fmt: skip
        postings = moved(purse.taken_micro, held_account(project), CREDIT)
        self._ground.post(conn, [Transaction(key, f"Job {job_id}"[:200], at_s, postings)])
        store.save(conn, made)

    def has_open(self, conn: Connection) -> bool:
        """Whether any job holds credits."""
        return store.has_open(conn)

    def held(self, job_id: str) -> Hold | None:
        """What a job holds and was charged; None for one that never had a hold."""
        with self._ground.db.read() as conn:
            return store.of(conn, [job_id]).get(job_id)

    def settle_hours(self, conn: Connection, running: Sequence[Running], hour_s: int, at_s: float) -> int:
        """Charge what jobs have cost until now beyond what they were charged, once per job and hour; how many were.

        Energy must be booked before. Work beyond the declared time renews the hold; without credit it costs no more.
        """
        by_key = {f"settle:{item.job_id}:{hour_s}": item for item in running}
        done = books.known(conn, list(by_key))
        left = {item.job_id: item for key, item in by_key.items() if key not in done}
        holds = {name: hold for name, hold in store.of(conn, list(left)).items() if hold.is_open}
        costs = self._costs(conn, [left[name] for name in holds], holds)
        changed, deeds = [], []
        for name, hold in holds.items():
            hold = self._renewed(conn, hold, left[name], costs[name], at_s)
            hold, postings = _charged(hold, _due(hold, costs[name]) - hold.charged_micro)
            if postings:
                deeds.append(Transaction(f"settle:{name}:{hour_s}", f"Job {name}"[:200], at_s, postings))
            changed.append(hold)
        self._ground.post(conn, deeds)
        store.save(conn, changed)
        return len(deeds)

    def excuse(self, conn: Connection, item: Running, why: str, at_s: float, *, is_all: bool) -> int:
        """Take off a job's bill what it has cost so far and was not charged yet; with `is_all` pay the rest back too.

        For work that a failed node lost, and for hours in which firm work was disturbed. The micro-credits taken off.
        """
        hold = store.of(conn, [item.job_id]).get(item.job_id)
        if hold is None or not hold.is_open:
            return 0
        cost = self._costs(conn, [item], {item.job_id: hold})[item.job_id]
        back = hold.charged_micro if is_all else 0
        excused = max(0, cost - hold.refunded_micro - hold.charged_micro) + back
        if excused == 0:
            return 0
        hold = replace(hold, refunded_micro=hold.refunded_micro + excused)
        hold, postings = _charged(hold, -back)
        if postings:
            key = f"settle:{item.job_id}:back-{hold.refunded_micro}"
            self._ground.post(conn, [Transaction(key, why[:200], at_s, postings)])
        store.save(conn, [hold])
        return excused

    def prices_of(self, conn: Connection, job_ids: Sequence[str]) -> dict[str, Hold]:
        """The open holds of these jobs; their prices are what receipts are made from."""
        return {name: hold for name, hold in store.of(conn, job_ids).items() if hold.is_open}

    def close(
        self, conn: Connection, hold: Hold, receipt: Mapping[str, Any], listed_micro: int, item: Running, at_s: float
    ) -> tuple[dict[str, Any], int]:
        """The last charge of a job that is over, and the rest of its hold goes back; its receipt as charged, and how
        much that is. `listed_micro`: its whole cost by the list.
        """
        hold = self._renewed(conn, hold, item, self._listed(hold, item, listed_micro), at_s)
        listed_micro = self._listed(hold, item, listed_micro)
        hold, postings = _charged(hold, _due(hold, listed_micro) - hold.charged_micro)
        deeds = [Transaction(f"settle:{hold.job_id}", f"Job {hold.job_id}"[:200], at_s, postings)] if postings else []
        hold, released = self._released(conn, replace(hold, closed_at_s=at_s), at_s)
        self._ground.post(conn, [*deeds, *released])
        store.save(conn, [hold])
        shown = billed(receipt, listed_micro, hold.charged_micro, hold.refunded_micro, hold.ceiling_micro)
        self._ground.bus.tell(conn, JobSettled(hold.job_id, hold.project, hold.person_id, hold.charged_micro))
        self._grants.look_at_budgets(conn, hold.project, at_s)
        return shown, hold.charged_micro

    def release_lost(self, conn: Connection, is_known: Callable[[str], bool], at_s: float) -> list[str]:
        """Release holds of jobs that neither the journal nor the inbox knows, and pay back what they cost; which."""
        lost = sorted(name for name in store.open_jobs(conn) if not is_known(name))
        for hold in store.of(conn, lost).values():
            hold, postings = _charged(hold, -hold.charged_micro)
            if postings:
                self._ground.post(conn, [Transaction(f"settle:{hold.job_id}:lost", "Job unknown", at_s, postings)])
            closed, deeds = self._released(conn, replace(hold, closed_at_s=at_s), at_s)
            self._ground.post(conn, deeds)
            store.save(conn, [closed])
        return lost

    # -- arithmetic ----------------------------------------------------------------------------------------------------
    def _costs(self, conn: Connection, items: Sequence[Running], holds: Mapping[str, Hold]) -> dict[str, int]:
        """By job, what it has cost so far by the list, in micro-credits: its time, and each hour's energy."""
        lines = meter.energy_of(conn, [item.job_id for item in items])
        return {
            item.job_id: time_micro(holds[item.job_id], item)
            + (sum(line.cost_nmad for line in lines[item.job_id]) + 500) // 1000
            for item in items
        }

    @staticmethod
    def _listed(hold: Hold, item: Running, listed_micro: int) -> int:
        """The whole cost of a job that is over: hours beyond the declared ones cost what was in force then."""
        first = Rates.from_json(hold.price, hold.tier).time_micro(item.n_gpus, item.n_cpus, item.node_s)
        return listed_micro - first + time_micro(hold, item)

    def _renewed(self, conn: Connection, hold: Hold, item: Running, cost_micro: int, at_s: float) -> Hold:
        """The hold, longer where work has gone on beyond what it stands for."""
        if item.node_s <= hold.declared_s or hold.price.get("is_refused"):
            return hold
        prices = self.price_list_in(conn, at_s)
        rates = prices.rates(hold.gpu_type, str(hold.price["class"]), hold.tier) if prices else None
        rates = rates or Rates.from_json(hold.price, hold.tier)
        n_blocks = int((item.node_s - hold.declared_s) // RENEWED_S) + 1
        energy = max(0, cost_micro - time_micro(hold, item)) * RENEWED_ENERGY / max(1.0, item.node_s)
        longer_s = n_blocks * RENEWED_S
        wanted = rates.time_micro(item.n_gpus, item.n_cpus, longer_s) + round(energy * longer_s)
        purse = self._grants.purse(conn, hold.project, at_s)
        if purse.total_micro < wanted:
            self._ground.bus.tell(conn, HoldRefused(hold.job_id, hold.project, hold.person_id))
            return replace(hold, price={**hold.price, "is_refused": True})
        taken = purse.take(wanted)
        key = f"renew:{hold.job_id}:{hold.n_renewals + 1}"
        postings = moved(taken, held_account(hold.project), CREDIT)
        if postings:
            self._ground.post(conn, [Transaction(key, f"Job {hold.job_id}"[:200], at_s, postings)])
        step = {"from_s": hold.declared_s, "gpu_h": rates.mad_per_gpu_h, "cpu_h": rates.mad_per_cpu_h}
        return replace(
            hold,
            n_renewals=hold.n_renewals + 1,
            declared_s=hold.declared_s + longer_s,
            ceiling_micro=hold.ceiling_micro + wanted,
            price={**hold.price, "steps": [*hold.price.get("steps", ()), step]},
            parts=_joined(hold.parts, taken),
        )

    def _released(self, conn: Connection, hold: Hold, at_s: float) -> tuple[Hold, list[Transaction]]:
        """What is left of a hold goes where it came from; to the park where that grant is over."""
        ended = self._grants.ended_accounts(conn, [part.account for part in hold.parts])
        back: dict[str, int] = {}
        for part in hold.parts:
            account = GRANTS if part.account in ended else part.account
            back[account] = back.get(account, 0) + part.amount_micro
        left = {account: -amount for account, amount in back.items() if amount}
        parts = tuple(replace(part, amount_micro=0) for part in hold.parts)
        if not left:
            return replace(hold, parts=parts), []
        postings = moved(left, held_account(hold.project), CREDIT)
        deed = Transaction(f"release:{hold.job_id}", f"Job {hold.job_id}"[:200], at_s, postings)
        return replace(hold, parts=parts), [deed]


def time_micro(hold: Hold, item: Running) -> int:
    """What the time of a job has cost so far, each stretch at its own price."""
    later = [(step["from_s"], Rates(step["gpu_h"], step["cpu_h"], "", 0.0)) for step in hold.price.get("steps", ())]
    stretches = [(0.0, Rates.from_json(hold.price, hold.tier)), *later]
    ends = [from_s for from_s, _ in stretches[1:]] + [float("inf")]
    return sum(
        rates.time_micro(item.n_gpus, item.n_cpus, min(item.node_s, until_s) - from_s)
        for (from_s, rates), until_s in zip(stretches, ends, strict=True)
    )


def _due(hold: Hold, cost_micro: int) -> int:
    """What a job must have been charged by now: never more than its ceiling, never less than it was."""
    return max(hold.charged_micro, min(cost_micro - hold.refunded_micro, hold.ceiling_micro))


def _charged(hold: Hold, amount_micro: int) -> tuple[Hold, tuple[Posting, ...]]:
    """Charge so much of a hold; below zero: back into it. What is not held cannot be charged."""
    if amount_micro == 0:
        return hold, ()
    parts = hold.parts
    if amount_micro > 0:
        spent = taken_in_order([part.amount_micro for part in parts], min(amount_micro, hold.held_micro))
    else:
        spent = [-part for part in taken_in_order([part.spent_micro for part in parts[::-1]], -amount_micro)][::-1]
    parts = tuple(
        replace(part, amount_micro=part.amount_micro - now, spent_micro=part.spent_micro + now)
        for part, now in zip(parts, spent, strict=True)
    )
    total = sum(spent)
    postings = (Posting(held_account(hold.project), CREDIT, -total), Posting(INCOME, CREDIT, total))
    return replace(hold, parts=parts, charged_micro=hold.charged_micro + total), postings if total else ()


def _joined(parts: Sequence[Part], taken: Mapping[str, int]) -> tuple[Part, ...]:
    known = {part.account: part for part in parts}
    for account, amount in taken.items():
        before = known.get(account, Part(account, 0))
        known[account] = replace(before, amount_micro=before.amount_micro + amount)
    return tuple(known.values())


def _no_credit(project: str, wanted_micro: int, left_micro: int) -> Conflict:
    wanted, left = wanted_micro / MICRO, left_micro / MICRO
    return Conflict(
        f"This may cost up to {wanted:,.2f} credits, and {project} has {left:,.2f} left to spend.",
        fix="Declare less time, choose a cheaper tier, or ask a lead for a top-up.",
        code="no_credit",
        field="project",
    )
