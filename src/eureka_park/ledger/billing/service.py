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
from eureka_park.ledger.billing.charging import (
    Longer,
    Running,
    charged,
    due,
    excused,
    listed,
    longer,
    needed,
    paid_until_s,
    time_micro,
)
from eureka_park.ledger.billing.store import Hold, Part, Refund
from eureka_park.ledger.books import store as books
from eureka_park.ledger.core.exact import MICRO
from eureka_park.ledger.core.holding import Unpaid, billed, moved
from eureka_park.ledger.core.posting import CREDIT, GRANTS, Transaction, held_account
from eureka_park.ledger.core.pricing import PriceList, Rates, read_price_list
from eureka_park.ledger.events import HoldRefused, HoldRenewed, JobRefunded, JobSettled

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.ledger.grants.service import Grants
    from eureka_park.ledger.ground import LedgerGround

REFUNDS_SHOWN: Final = 200
LOST_NODE: Final = "lost_node"  # why: work that a failed node took with it
DISTURBED: Final = "disturbed"  # why: firm work that was capped, paused or frozen


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

        Energy must be booked before. Work beyond the declared time renews the hold; without credit it costs no more,
        and `renew` tells who that is. Budgets hear of what their projects have spent.
        """
        by_key = {f"settle:{item.job_id}:{hour_s}": item for item in running}
        done = books.known(conn, list(by_key))
        left = {item.job_id: item for key, item in by_key.items() if key not in done}
        holds = {name: hold for name, hold in store.of(conn, list(left)).items() if hold.is_open}
        costs = self._costs(conn, [left[name] for name in holds], holds)
        changed, deeds = [], []
        for name, hold in holds.items():
            hold, _ = self._renewed(conn, hold, left[name], costs[name], at_s)
            cost = costs[name] - time_micro(holds[name], left[name]) + time_micro(hold, left[name])
            hold, postings = charged(hold, due(hold, cost) - hold.charged_micro)
            if postings:
                deeds.append(Transaction(f"settle:{name}:{hour_s}", f"Job {name}"[:200], at_s, postings))
            changed.append(replace(hold, settled_s=max(hold.settled_s, left[name].node_s)))
        self._ground.post(conn, deeds)
        store.save(conn, changed)
        for project in sorted({hold.project for hold in changed}):
            self._grants.look_at_budgets(conn, project, at_s)
        return len(deeds)

    def renew(self, conn: Connection, running: Sequence[Running], at_s: float) -> dict[str, Unpaid]:
        """Renew the holds of jobs that have gone on beyond what those stand for; those for which there is no credit.

        Asked again, as credit comes, it renews what it could not before. Jobs within their time, and those without a
        hold, are left out.
        """
        items = {item.job_id: item for item in running}
        holds = {name: hold for name, hold in store.of(conn, list(items)).items() if hold.is_open}
        costs = self._costs(conn, [items[name] for name in holds], holds)
        unpaid, changed = {}, []
        for name, hold in holds.items():
            after, lacks = self._renewed(conn, hold, items[name], costs[name], at_s)
            if after is not hold:
                changed.append(after)
            if lacks is not None:
                unpaid[name] = lacks
        store.save(conn, changed)
        return unpaid

    def declared(self, conn: Connection, job_ids: Sequence[str] | None = None) -> dict[str, tuple[float, bool]]:
        """By job that holds credits, of these or of all: for how much of its node time, and whether credit for more was
        refused.
        """
        return store.declared_of(conn, job_ids)

    def excuse(self, conn: Connection, item: Running, why: str, at_s: float, *, is_all: bool) -> int:
        """Take off a job's bill what it has cost so far and was not charged yet; with `is_all` pay the rest back too.

        For work that a failed node lost (`LOST_NODE`), and for hours in which firm work was `DISTURBED`. That time does
        not count against the declared one. The micro-credits taken off.
        """
        hold = store.of(conn, [item.job_id]).get(item.job_id)
        if hold is None or not hold.is_open:
            return 0
        cost = self._costs(conn, [item], {item.job_id: hold})[item.job_id]
        hold, node_s, off, back = excused(hold, item, cost, is_all=is_all)
        hold, postings = charged(hold, -back)
        if postings:
            key = f"settle:{item.job_id}:back-{hold.refunded_micro}"
            self._ground.post(conn, [Transaction(key, f"Job {item.job_id}: {why}"[:200], at_s, postings)])
        store.save(conn, [hold])
        if off:
            line = len(store.refunds_of(conn, [item.job_id]).get(item.job_id, ())) + 1
            day = self._ground.day_of(at_s)
            store.add_refund(conn, Refund(item.job_id, line, hold.project, day, at_s, why[:16], node_s, off))
            self._ground.bus.tell(conn, JobRefunded(item.job_id, hold.project, hold.person_id, off, why))
        return off

    def refunds(self, who: Principal | None, project: str) -> list[dict[str, Any]]:
        """What was taken off the bills of a project's jobs, the newest first: job_id, at, why, node_h, credits."""
        self._ground.gate.project(Act.SEE_BILL, who, project)
        with self._ground.db.read() as conn:
            found = store.refunds_of_project(conn, project, REFUNDS_SHOWN)
        return [{"job_id": item.job_id, **refund_view(item)} for item in found]

    def prices_of(self, conn: Connection, job_ids: Sequence[str]) -> dict[str, Hold]:
        """The open holds of these jobs; their prices are what receipts are made from."""
        return {name: hold for name, hold in store.of(conn, job_ids).items() if hold.is_open}

    def close(
        self, conn: Connection, hold: Hold, receipt: Mapping[str, Any], listed_micro: int, item: Running, at_s: float
    ) -> tuple[dict[str, Any], int]:
        """The last charge of a job that is over, and the rest of its hold goes back; its receipt as charged, and how
        much that is. `listed_micro`: its whole cost by the list.
        """
        hold = self._renewed_at_end(conn, hold, item, listed_micro, at_s)
        listed_micro = listed(hold, item, listed_micro)
        hold, postings = charged(hold, due(hold, listed_micro) - hold.charged_micro)
        deeds = [Transaction(f"settle:{hold.job_id}", f"Job {hold.job_id}"[:200], at_s, postings)] if postings else []
        closed = replace(hold, closed_at_s=at_s, settled_s=item.node_s, refused_at_s=None)
        hold, released = self._released(conn, closed, at_s)
        self._ground.post(conn, [*deeds, *released])
        store.save(conn, [hold])
        shown = billed(receipt, listed_micro, hold.charged_micro, hold.refunded_micro, hold.ceiling_micro)
        if hold.refunded_micro:
            lines = store.refunds_of(conn, [hold.job_id]).get(hold.job_id, [])
            shown["refunds"] = [refund_view(line) for line in lines]
        self._ground.bus.tell(conn, JobSettled(hold.job_id, hold.project, hold.person_id, hold.charged_micro))
        self._grants.look_at_budgets(conn, hold.project, at_s)
        return shown, hold.charged_micro

    def release_lost(self, conn: Connection, is_known: Callable[[str], bool], at_s: float) -> list[str]:
        """Release holds of jobs that neither the journal nor the inbox knows, and pay back what they cost; which."""
        lost = sorted(name for name in store.open_jobs(conn) if not is_known(name))
        for hold in store.of(conn, lost).values():
            hold, postings = charged(hold, -hold.charged_micro)
            if postings:
                self._ground.post(conn, [Transaction(f"settle:{hold.job_id}:lost", "Job unknown", at_s, postings)])
            closed, deeds = self._released(conn, replace(hold, closed_at_s=at_s, refused_at_s=None), at_s)
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

    def _renewed(
        self, conn: Connection, hold: Hold, item: Running, cost_micro: int, at_s: float
    ) -> tuple[Hold, Unpaid | None]:
        """The hold, longer where work has gone on beyond what it stands for; what is lacking where it cannot be."""
        if item.node_s <= paid_until_s(hold):
            return hold, None
        more = needed(hold, item, cost_micro, self._rates(conn, hold, at_s))
        purse = self._grants.purse(conn, hold.project, at_s)
        if purse.total_micro < more.amount_micro:
            since_s = at_s if hold.refused_at_s is None else hold.refused_at_s
            lacks = Unpaid(
                item.job_id, hold.project, since_s, hold.declared_s / max(1, item.n_nodes),
                more.amount_micro, purse.total_micro,
            )  # fmt: skip
            if hold.refused_at_s is not None:
                return hold, lacks
            told = HoldRefused(
                hold.job_id, hold.project, hold.person_id, hold.tier, more.amount_micro, purse.total_micro
            )
            self._ground.bus.tell(conn, told)
            return replace(hold, refused_at_s=at_s), lacks
        return self._taken(conn, hold, more, purse.take(more.amount_micro), at_s), None

    def _renewed_at_end(self, conn: Connection, hold: Hold, item: Running, listed_micro: int, at_s: float) -> Hold:
        """The hold of a job that is over, grown by what it has cost beyond it, as far as there is credit."""
        over_s = item.node_s - paid_until_s(hold)
        if over_s <= 0:
            return hold
        rates = self._rates(conn, hold, at_s)
        whole = longer(hold, Longer(over_s, rates, 0), {})
        lacks = listed(whole, item, listed_micro) - hold.refunded_micro - hold.ceiling_micro
        purse = self._grants.purse(conn, hold.project, at_s)
        amount = max(0, min(lacks, purse.total_micro))
        return self._taken(conn, hold, Longer(over_s, rates, amount), purse.take(amount), at_s)

    def _rates(self, conn: Connection, hold: Hold, at_s: float) -> Rates:
        """What an hour more of a job costs now; what it was promised where no list is in force."""
        prices = self.price_list_in(conn, at_s)
        if prices is None:
            return Rates.from_json(hold.price, hold.tier)
        return prices.rates(hold.gpu_type, str(hold.price["class"]), hold.tier)

    def _taken(self, conn: Connection, hold: Hold, more: Longer, taken: Mapping[str, int], at_s: float) -> Hold:
        """The hold, longer by what was taken out of the purse for it."""
        postings = moved(taken, held_account(hold.project), CREDIT)
        if taken:
            key = f"renew:{hold.job_id}:{hold.n_renewals + 1}"
            self._ground.post(conn, [Transaction(key, f"Job {hold.job_id}"[:200], at_s, postings)])
        if hold.refused_at_s is not None:
            self._ground.bus.tell(conn, HoldRenewed(hold.job_id, hold.project, hold.person_id))
        return longer(hold, more, taken)

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


def refund_view(item: Refund) -> dict[str, Any]:
    """One line of refunds as it is shown: `node_h` hours of a node were paid back."""
    return {
        "at": iso_from_s(item.at_s),
        "why": item.why,
        "node_h": item.node_s / HOUR_S,
        "credits": item.amount_micro / MICRO,
    }


def _no_credit(project: str, wanted_micro: int, left_micro: int) -> Conflict:
    wanted, left = wanted_micro / MICRO, left_micro / MICRO
    return Conflict(
        f"This may cost up to {wanted:,.2f} credits, and {project} has {left:,.2f} left to spend.",
        fix="Declare less time, choose a cheaper tier, or ask a lead for a top-up.",
        code="no_credit",
        field="project",
    )


__all__ = ["DISTURBED", "LOST_NODE", "Bill", "Billing", "Running", "refund_view"]
