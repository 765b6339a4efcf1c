"""Use cases of the ledger. What takes a connection writes inside the caller's transaction; the rest opens its own."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.events import PersonAdded, PersonErased, PersonVerified
from eureka_park.accounts.payees.service import Payees
from eureka_park.foundation.bus import Bus
from eureka_park.foundation.clock import Clock, SteppedClock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import DAY_S, HOUR_S, iso_from_s
from eureka_park.foundation.zones import ZoneInfo
from eureka_park.ledger import store
from eureka_park.ledger.billing.charging import Running
from eureka_park.ledger.billing.service import Bill, Billing
from eureka_park.ledger.books import store as books
from eureka_park.ledger.core.booking import EnergyBooking, EnergyLine, check_booking, hour_lines
from eureka_park.ledger.core.exact import MICRO, UJ_PER_KWH, micro
from eureka_park.ledger.core.metering import IDLE, MODELLED, Allocation, Attribution, attribute
from eureka_park.ledger.core.money_rules import MoneyRules
from eureka_park.ledger.core.posting import (
    CREDIT,
    GRANTS,
    INCOME,
    PLANT,
    Posting,
    Transaction,
    project_account,
    transfer,
    used_account,
)
from eureka_park.ledger.core.readings import clean_frac, reading_of, thinned
from eureka_park.ledger.core.receipt import HourLine, Settlement, build_receipt
from eureka_park.ledger.core.rules import GrantRules
from eureka_park.ledger.first_jobs.service import FirstJobs
from eureka_park.ledger.grants.service import Grants, Trial
from eureka_park.ledger.ground import AccountsGate, ClosedGate, Gate, LedgerGround
from eureka_park.ledger.money.service import Money
from eureka_park.ledger.statements import Statements
from eureka_park.ledger.storage.service import Storage
from eureka_park.ledger.verify import faults

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.accounts.service import AccountsService


READINGS_KEPT_S: Final = 2 * DAY_S
READINGS_MAX: Final = 20_000
COVERED_FRAC: Final = 0.95  # an hour counts as covered by the park's own sun, wind and salt from this share on


class LedgerService:
    """Energy, credits and receipts of one park. Its parts: `grants` (and budgets), `billing` (prices and
    holds), `money` (top-ups, invoices, bank, payouts), `statements`, `first_jobs`; `payees` (whereto pay goes) is of
    accounts, and there once they are connected.
    """

    payees: Payees

    def __init__(
        self,
        db: Database,
        timezone: str = "UTC",
        *,
        clock: Clock | None = None,
        gate: Gate | None = None,
        bus: Bus | None = None,
        rules: GrantRules | None = None,
        money_rules: MoneyRules | None = None,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Without a gate nobody may give, price or see anything; booking and receipts need none."""
        self._db, self._zone = db, ZoneInfo(timezone)
        heard = Bus() if bus is None else bus
        ground = LedgerGround(db, self._zone, clock or SteppedClock(0.0), entropy, gate or ClosedGate(), heard)
        self.ground = ground
        self.grants = Grants(ground, rules)
        self.billing = Billing(ground, self.grants)
        self.first_jobs = FirstJobs(ground)
        self.money = Money(ground, self.grants, money_rules)
        self.statements = Statements(ground)
        self.storage = Storage(ground, self.grants, self.billing)

    def connect(
        self,
        accounts: AccountsService,
        trial: Callable[[], Trial] | None = None,
        money_rules: Callable[[], MoneyRules] | None = None,
    ) -> None:
        """Ask accounts who may do what, note deeds in their log, and hear of people who come, are known, and go.

        `trial`: the operator's settings of the small grant for whoever is new, read when somebody is known;
        `money_rules`: those of money, read when they are used.
        """
        self.grants.trial = trial or self.grants.trial
        self.money.rules_of = money_rules or self.money.rules_of
        payees = self.payees = Payees(accounts.ground, accounts.key)
        self.money.payouts.payees, self.money.payouts.fresh = payees.of, payees.fresh
        accounts.people.on_export("bank_account", payees.exported)
        self.ground.gate, self.ground.bus = AccountsGate(accounts), accounts.ground.bus
        self.grants.organisation_of = accounts.places.organisation_of
        bus = accounts.ground.bus
        bus.on(PersonAdded, lambda conn, event: self.first_jobs.came(conn, event.person_id, event.at_real_s))
        bus.on(PersonErased, lambda conn, event: self.first_jobs.forget(conn, event.person_id))
        bus.on(PersonErased, lambda conn, event: payees.forget(conn, event.person_id))
        bus.on(PersonVerified, lambda conn, event: self.grants.open_try_door(conn, accounts, event.person_id))

    def post(self, conn: Connection, deeds: Sequence[Transaction]) -> int:
        """Book deeds, each once however often it is said; how many were new. Balances and sums by day go with them."""
        return self.ground.post(conn, deeds)

    def book_energy(self, conn: Connection, booking: EnergyBooking) -> None:
        """Add the energy of an interval to its accounts and to the meter, split by hour and source exactly.

        Energy of a job that has its receipt already goes to the idle account, so that receipts stay true. Raises
        Internal when the booking does not add up.
        """
        check_booking(booking)
        closed = store.settled(conn, [line.account for line in booking.lines if line.account != IDLE])
        tiers = {line.account: line.tier for line in booking.lines if line.account not in closed}
        lines = [(IDLE if account in closed else account, line) for account, line in hour_lines(booking)]
        meter: dict[int, tuple[int, int]] = {}
        for _, line in lines:
            it_uj, site_uj = meter.get(line.hour_s, (0, 0))
            meter[line.hour_s] = (it_uj + line.it_uj, site_uj + line.site_uj)
        store.add_energy(conn, lines)
        store.add_tiers(conn, ((IDLE if name == IDLE else tiers.get(name, ""), line) for name, line in lines))
        store.add_meter(conn, [(hour_s, booking.method, *sums) for hour_s, sums in meter.items()])

    def settle(self, conn: Connection, settlement: Settlement) -> dict[str, Any]:
        """The receipt of a job that is over: made and charged once; asked again, the first receipt comes back."""
        return self.settle_all(conn, [settlement])[0]

    def settle_all(self, conn: Connection, settlements: Sequence[Settlement]) -> list[dict[str, Any]]:
        """Settle several jobs together, which costs a few statements however many they are; receipts in their order."""
        names = [item.job_id for item in settlements]
        known = {job_id: dict(json.loads(text)) for job_id, text in store.receipt_texts(conn, names)}
        fresh = {item.job_id: item for item in settlements if item.job_id not in known}
        energy = store.energy_of(conn, list(fresh))
        holds = self.billing.prices_of(conn, list(fresh))
        made, charges, payers = [], [], dict[str, str]()
        for job_id, item in fresh.items():
            hold = holds.get(job_id)
            if hold is not None:
                item = replace(item, prices=hold.price)
            receipt, credits_micro = build_receipt(item, energy[job_id])
            if hold is not None:
                running = Running(job_id, item.n_gpus, item.n_cpus, max(0.0, item.ran_s))
                receipt, credits_micro = self.billing.close(conn, hold, receipt, credits_micro, running, item.at_s)
            else:
                charges.append(_charge(item, credits_micro))
            known[job_id] = receipt
            if item.project not in payers:
                payers[item.project] = self.grants.organisation_of(conn, item.project)
            day = self.ground.day_of(item.at_s)
            made.append(store.NewReceipt(item, payers[item.project], day, credits_micro, energy[job_id], receipt))
            charges.extend(_use(item, receipt))
            self.first_jobs.note(conn, item.person_id, "receipt")
        store.add_receipts(conn, made)
        self.post(conn, charges)
        return [known[name] for name in names]

    def grant(
        self, conn: Connection, project: str, credits: float, why: str, *, at_s: float = 0.0, key: str | None = None
    ) -> bool:
        """Give credits to a project; False when that grant was given before. `key` names the deed (default: `why`)."""
        if not 0 < credits <= 1e12:  # also refuses NaN
            raise BadInput("A grant must be above 0 credits.", fix="Name how many credits to give.", field="credits")
        deed = transfer(
            f"grant:{project}:{key or why}"[:200],
            why[:200],
            at_s,
            source=GRANTS,
            target=project_account(project),
            commodity=CREDIT,
            amount_micro=micro(credits),
        )
        return self.post(conn, [deed]) == 1

    def receipt(self, job_id: str) -> dict[str, Any] | None:
        """The receipt of a job, None while it is unsettled."""
        with self._db.read() as conn:
            return store.receipt(conn, job_id)

    def summaries(self, job_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """By job, kwh, credits and method of its receipt; unsettled jobs are left out."""
        with self._db.read() as conn:
            bodies = {job_id: json.loads(text) for job_id, text in store.receipt_texts(conn, job_ids)}
        return {job_id: {key: body[key] for key in ("kwh", "credits", "method")} for job_id, body in bodies.items()}

    def balance(self, project: str) -> float:
        """Credits that a project has left; below zero when it has spent more than it was given."""
        with self._db.read() as conn:
            return books.balance_micro(conn, project_account(project), CREDIT) / MICRO

    def hours(self, since_s: float, until_s: float) -> list[dict[str, Any]]:
        """The meter by park hour, for hours that begin in `[since_s, until_s)`; unread hours are left out."""
        with self._db.read() as conn:
            found = store.hours_by_tier(conn, since_s, until_s)
        by_hour: dict[int, list[tuple[bool, HourLine]]] = {}
        for tier, line in found:
            by_hour.setdefault(line.hour_s, []).append((tier == IDLE, line))
        return [_meter_row(hour_s, lines) for hour_s, lines in by_hour.items()]

    def hours_of(self, job_id: str) -> list[dict[str, Any]]:
        """The energy of a job by park hour, before its receipt too: hour_s, kwh, by_source_kwh, gco2, method."""
        with self._db.read() as conn:
            found = store.energy_of(conn, [job_id])[job_id]
        by_hour: dict[int, list[tuple[bool, HourLine]]] = {}
        for line in found:
            by_hour.setdefault(line.hour_s, []).append((False, line))
        keys = ("kwh", "by_source_kwh", "gco2", "method")
        rows = {hour_s: _meter_row(hour_s, lines) for hour_s, lines in by_hour.items()}
        return [{"hour_s": hour_s, **{key: row[key] for key in keys}} for hour_s, row in rows.items()]

    def today(self, now_s: float) -> dict[str, Any]:
        """The meter since midnight in the site's time zone: kwh, gco2, by_source_kwh, clean_frac and the `hours`.

        `covered_hours` of `n_hours`: those whose clean share is at least `COVERED_FRAC`; hours without energy count in
        neither. `clean_frac` is None before there is energy.
        """
        local = datetime.fromtimestamp(now_s, UTC).astimezone(self._zone)
        midnight_s = local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        hours = [_with_clean_share(row) for row in self.hours(midnight_s // HOUR_S * HOUR_S, now_s)]
        by_source: dict[str, float] = {}
        for row in hours:
            for source, kwh in row["by_source_kwh"].items():
                by_source[source] = by_source.get(source, 0.0) + kwh
        shares = [row["clean_frac"] for row in hours if row["clean_frac"] is not None]
        return {
            "kwh": sum(by_source.values()),
            "gco2": sum(row["gco2"] for row in hours),
            "by_source_kwh": by_source,
            "clean_frac": clean_frac(by_source),
            "hours": hours,
            "covered_hours": sum(share >= COVERED_FRAC for share in shares),
            "n_hours": len(shares),
            "method": hours[-1]["method"] if hours else "",
        }

    def flows(self, since_s: float, until_s: float) -> list[dict[str, Any]]:
        """Energy from each source to each tier (or `idle`) in the hours that begin in `[since_s, until_s)`.

        source, target, kwh; the largest first.
        """
        with self._db.read() as conn:
            found = store.hours_by_tier(conn, since_s, until_s)
        sums: dict[tuple[str, str], int] = {}
        for tier, line in found:
            sums[line.source, tier] = sums.get((line.source, tier), 0) + line.site_uj
        flows = [{"source": source, "target": tier, "kwh": _kwh([uj])} for (source, tier), uj in sums.items() if uj]
        return sorted(flows, key=lambda flow: (-flow["kwh"], flow["source"], flow["target"]))

    def note_power(
        self,
        conn: Connection,
        bookings: Sequence[EnergyBooking],
        real_s: float,
        pace_factor: float,
        last: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Keep the mean power of an interval for live charts: 48 park hours of it, and 20 000 readings at most.

        With `last`, a reading that was kept just before, that one becomes longer instead. What is kept now.
        """
        row = reading_of(bookings, real_s, pace_factor)
        if last is not None:
            row = {**thinned([last, row], 1)[0], "real_s": last["real_s"]}
        store.add_reading(conn, row)
        if last is None:
            store.drop_readings(conn, row["at_s"] - READINGS_KEPT_S, READINGS_MAX)
        return row

    def metered_s(self) -> float | None:
        """Until when the meter's energy is booked, in park time; None before the first reading."""
        with self._db.read() as conn:
            return store.last_reading_s(conn)

    def readings(self, since_s: float, until_s: float, n_max: int = 500) -> list[dict[str, Any]]:
        """Power readings of a stretch of park time, the oldest first; beyond `n_max` neighbours become their mean.

        from_s, at_s, from_at, at, site_w, it_w, idle_w, method.
        """
        with self._db.read() as conn:
            found = [dict(row._mapping) for row in store.readings(conn, since_s, until_s)]
        fewer = thinned(found, max(1, n_max))
        return [{**row, "from_at": iso_from_s(row["from_s"]), "at": iso_from_s(row["at_s"])} for row in fewer]

    def verify(self) -> list[str]:
        """What does not add up, one sentence each; empty when the books are right.

        Every transaction balances, and what accounts hold is the sum of their postings; in every hour the accounts add
        up to the meter; every receipt stands for all the energy of its job and is charged once. So receipts + unsettled
        jobs + idle = meter.
        """
        with self._db.read() as conn:
            return list(faults(conn))


def _charge(settlement: Settlement, credits_micro: int) -> Transaction:
    return transfer(
        _settle_key(settlement.job_id),
        f"Job {settlement.job_id}",
        settlement.at_s,
        source=project_account(settlement.project),
        target=INCOME,
        commodity=CREDIT,
        amount_micro=credits_micro,
    )


def _use(item: Settlement, receipt: Mapping[str, Any]) -> list[Transaction]:
    """What the job used, by commodity, so that sums over a month are a few rows."""
    amounts = {f"gpu_h:{item.gpu_type or 'any'}": receipt["gpu_h"], "cpu_h": receipt["cpu_h"], "gco2": receipt["gco2"]}
    amounts |= {f"kwh:{source}": kwh for source, kwh in receipt["kwh_by_source"].items()}
    whole = {name: micro(amount) for name, amount in amounts.items() if micro(amount)}
    target = used_account(item.project)
    postings = [Posting(target, name, amount) for name, amount in whole.items()]
    postings += [Posting(PLANT, name, -amount) for name, amount in whole.items()]
    return [Transaction(f"use:{item.job_id}", f"Job {item.job_id}", item.at_s, tuple(postings))] if postings else []


def _settle_key(job_id: str) -> str:
    return f"settle:{job_id}"


def _meter_row(hour_s: int, lines: Sequence[tuple[bool, HourLine]]) -> dict[str, Any]:
    by_source: dict[str, int] = {}
    for _, line in lines:
        by_source[line.source] = by_source.get(line.source, 0) + line.site_uj
    return {
        "hour_at": iso_from_s(hour_s),
        "kwh": _kwh(by_source.values()),
        "it_kwh": _kwh(line.it_uj for _, line in lines),
        "jobs_kwh": _kwh(line.site_uj for is_idle, line in lines if not is_idle),
        "idle_kwh": _kwh(line.site_uj for is_idle, line in lines if is_idle),
        "by_source_kwh": {source: _kwh([site_uj]) for source, site_uj in by_source.items()},
        "gco2": sum(line.gco2_ng for _, line in lines) / 1e9,
        "method": MODELLED if any(line.method == MODELLED for _, line in lines) else lines[0][1].method,
    }


def _with_clean_share(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "clean_frac": clean_frac(row["by_source_kwh"])}


def _kwh(energies_uj: Iterable[int]) -> float:
    return round(sum(energies_uj) / UJ_PER_KWH, 9)


__all__ = [
    "Allocation",
    "Attribution",
    "Bill",
    "EnergyBooking",
    "EnergyLine",
    "LedgerService",
    "Running",
    "Settlement",
    "attribute",
]
