"""What must hold in the books whatever happens, told one sentence each where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eureka_park.foundation.units import iso_from_s
from eureka_park.ledger import store
from eureka_park.ledger.billing import store as billing
from eureka_park.ledger.books import store as books
from eureka_park.ledger.core.exact import micro
from eureka_park.ledger.core.posting import CREDIT, INCOME, Posting, held_account, unbalanced
from eureka_park.ledger.money import store as money

if TYPE_CHECKING:
    from sqlalchemy import Connection

TOLD_MAX = 20  # of each kind of fault: one broken rule breaks often


def faults(conn: Connection) -> Iterator[str]:
    """Every fault there is: deeds, balances, sums by day, hours of energy, receipts."""
    charged = dict[str, int]()
    yield from _some(_wrong_books(conn, charged))
    yield from _some(_wrong_hours(conn))
    yield from _some(_wrong_receipts(conn, charged))
    yield from _some(_wrong_holds(conn, charged))
    yield from _some(_wrong_numbers(conn))


def _wrong_holds(conn: Connection, charged: dict[str, int]) -> Iterator[str]:
    """What jobs hold is what lies aside for them; none is charged beyond its ceiling."""
    kept, held = books.all_balances(conn), billing.held_micro(conn)
    aside = {account: amount for (account, commodity), amount in kept.items() if commodity == CREDIT}
    projects = {name.split(":")[1] for name in aside if name.startswith("project:") and name.endswith(":held")}
    for project in sorted({*projects, *held}):
        lies = aside.get(held_account(project), 0)
        if lies != held.get(project, 0):
            yield f"Jobs of {project} hold {held.get(project, 0)} micro-credits, aside lie {lies}."
    for job_id in billing.held_of_closed(conn):
        yield f"Job {job_id} is over and still holds credits."
    for job_id in billing.over_ceiling(conn):
        yield f"Job {job_id} was charged more than its ceiling."
    off = billing.refunded_micro(conn)
    for job_id, amount, refunded in billing.all_charged(conn):
        if off.get(job_id, 0) != refunded:
            yield f"Job {job_id} was refunded {refunded} micro-credits, the lines of it say {off.get(job_id, 0)}."
        if charged.get(job_id, 0) != amount:
            yield f"Job {job_id} was charged {charged.get(job_id, 0)} micro-credits, its hold says {amount}."


def _wrong_numbers(conn: Connection) -> Iterator[str]:
    """Invoices are numbered from 1 without a gap."""
    for series, (after, numbers) in sorted(money.numbers_by_series(conn).items()):
        if numbers != list(range(1, after)):
            yield f"Invoices {series} have the numbers {numbers[:5]} ... up to {after - 1}: some are missing."


def _some(found: Iterator[str]) -> Iterator[str]:
    for index, text in enumerate(found):
        if index == TOLD_MAX:
            yield "There is more of this kind."
            return
        yield text


def _wrong_books(conn: Connection, charged: dict[str, int]) -> Iterator[str]:
    """Reads every posting once. `charged` is filled: what has come in from each job."""
    held: books.Sums = {}
    by_day: dict[tuple[str, int, str], tuple[int, int]] = {}
    for key, day, postings in books.all_postings(conn):
        off = unbalanced(postings)
        if off or not postings:
            yield f"Transaction {key} does not balance: {off or 'it has no postings'}."
        for posting in postings:
            place, cell = (posting.account, posting.commodity), (posting.account, day, posting.commodity)
            held[place] = held.get(place, 0) + posting.amount_micro
            amount, n = by_day.get(cell, (0, 0))
            by_day[cell] = amount + posting.amount_micro, n + 1
        job_id = job_of(key)
        if job_id is not None:
            charged[job_id] = charged.get(job_id, 0) + _income(postings)
    kept = books.all_balances(conn)
    for place in sorted({*held, *kept}):
        if held.get(place, 0) != kept.get(place, 0):
            yield f"Account {place[0]} holds {kept.get(place, 0)} micro {place[1]}, its postings {held.get(place, 0)}."
    days = books.all_day_sums(conn)
    for cell in sorted({*by_day, *days}):
        if by_day.get(cell, (0, 0)) != days.get(cell, (0, 0)):
            yield f"Account {cell[0]}, day {cell[1]}: sums {days.get(cell)}, postings {by_day.get(cell)} {cell[2]}."
    for account, commodity in sorted(kept):
        if kept[account, commodity] < 0 and account.startswith(("grant:", "project:")) and _never_below(account):
            yield f"Account {account} is below zero: {kept[account, commodity]} micro {commodity}."


def _never_below(account: str) -> bool:
    """Grants and what jobs hold cannot be overdrawn; a project without a price list may owe."""
    return account.startswith("grant:") or account.endswith(":held")


def job_of(key: str) -> str | None:
    """The job that a deed charges or pays back, by its key: settle:JOB, settle:JOB:HOUR."""
    kind, _, rest = key.partition(":")
    return rest.split(":", 1)[0] if kind == "settle" else None


def _income(postings: list[Posting]) -> int:
    return sum(posting.amount_micro for posting in postings if posting.account == INCOME)


def _wrong_hours(conn: Connection) -> Iterator[str]:
    meter = store.meter_by_hour(conn)
    for name, sums in (("accounts", store.energy_by_hour(conn)), ("tiers", store.tiers_by_hour(conn))):
        for hour_s in sorted({*sums, *meter}):
            if sums.get(hour_s, (0, 0)) != meter.get(hour_s, (0, 0)):
                yield (
                    f"Hour {iso_from_s(hour_s)}: {name} have {sums.get(hour_s, (0, 0))} uJ (node, site), "
                    f"the meter {meter.get(hour_s, (0, 0))}."
                )


def _wrong_receipts(conn: Connection, charged: dict[str, int]) -> Iterator[str]:
    energies, left = store.energy_by_account(conn), dict(charged)
    for job_id, credits_micro, it_uj, site_uj, shown in store.all_receipts(conn):
        if energies.get(job_id, (0, 0)) != (it_uj, site_uj):
            yield f"Receipt of {job_id} stands for {(it_uj, site_uj)} uJ, its hours have {energies.get(job_id)}."
        arrived = left.pop(job_id, 0)
        if arrived != credits_micro or micro(shown["credits"]) != credits_micro:
            yield f"Receipt of {job_id} is {credits_micro} micro-credits, {arrived} were charged."
    with_hold = billing.open_jobs(conn)
    for job_id in sorted(name for name, amount in left.items() if amount and name not in with_hold):
        yield f"Transaction settle:{job_id} has no receipt."
