"""Rows of money: requests for top-ups, invoices and their numbers, lines of the bank, payouts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    String,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)

from eureka_park.foundation.store import insert_or_ignore, insert_or_replace
from eureka_park.ledger.books.store import balances
from eureka_park.ledger.store import metadata

top_ups = Table(
    "top_ups",
    metadata,
    Column("top_up_id", String(64), primary_key=True),
    Column("project", String(63), nullable=False),
    Column("organisation_id", String(63), nullable=False),
    Column("amount_micro", BigInteger, nullable=False),  # credits
    Column("currency", String(3), nullable=False),
    Column("asked_by", String(64), nullable=False),
    Column("asked_at_s", Double, nullable=False),
    Column("state", String(10), nullable=False),  # asked, invoiced, paid or cancelled
    Index("top_ups_by_project", "project"),
)
invoice_series = Table(
    "invoice_series",
    metadata,
    Column("series", String(24), primary_key=True),
    Column("next", Integer, nullable=False),
)
invoices = Table(
    "invoices",
    metadata,
    Column("series", String(24), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(10), nullable=False),  # pro_forma, invoice
    Column("top_up_id", String(64), nullable=False),
    Column("organisation_id", String(63), nullable=False),
    Column("project", String(63), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("net_minor", BigInteger, nullable=False),
    Column("vat_minor", BigInteger, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("issued_at_s", Double, nullable=False),
    Column("due_at_s", Double, nullable=False),
    Column("paid_at_s", Double, nullable=True),
    Column("body", Text, nullable=False),  # JSON as shown
    Index("invoices_by_top_up", "top_up_id"),
)
bank_lines = Table(
    "bank_lines",
    metadata,
    Column("line_sha256", String(64), primary_key=True),
    Column("day", String(10), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("reference", String(200), nullable=False),
    Column("invoice", String(400), nullable=False),  # names of what it pays, by spaces
    Column("state", String(10), nullable=False),  # open, matched, or aside: it pays no invoice
    Column("read_at_s", Double, nullable=False),
    Column("closed_at_s", Double, nullable=True),  # since when it is not open
    Column("closed_by", String(64), nullable=False, default=""),  # who matched it by hand or set it aside
    Column("note", String(200), nullable=False, default=""),
    Index("bank_lines_by_state", "state", "day"),
)
payout_batches = Table(
    "payout_batches",
    metadata,
    Column("batch_id", String(64), primary_key=True),
    Column("made_at_s", Double, nullable=False),
    Column("made_by", String(64), nullable=False),
    Column("n", Integer, nullable=False),
    Column("total_micro", BigInteger, nullable=False),
)
payouts = Table(
    "payouts",
    metadata,
    Column("batch_id", String(64), primary_key=True),
    Column("person_id", String(64), primary_key=True),
    Column("amount_micro", BigInteger, nullable=False),
)
OPEN: Final = "open"
MATCHED: Final = "matched"
ASIDE: Final = "aside"


@dataclass(frozen=True, slots=True)
class TopUp:
    """Credits that somebody wants to buy for a project."""

    top_up_id: str
    project: str
    organisation_id: str
    amount_micro: int
    currency: str
    asked_by: str
    asked_at_s: float
    state: str


@dataclass(frozen=True, slots=True)
class Invoice:
    """A pro-forma or an invoice. Amounts in hundredths of the currency."""

    series: str
    number: int
    kind: str
    top_up_id: str
    organisation_id: str
    project: str
    currency: str
    net_minor: int
    vat_minor: int
    total_minor: int
    issued_at_s: float
    due_at_s: float
    body: Mapping[str, Any]
    paid_at_s: float | None = None

    @property
    def name(self) -> str:
        """What it is called, such as EP-2027-000001."""
        return f"{self.series}-{self.number:06d}"


@dataclass(frozen=True, slots=True)
class BankLine:
    """A payment as the bank's file tells it."""

    line_sha256: str
    day: str
    amount_minor: int
    currency: str
    reference: str
    invoice: str
    state: str
    read_at_s: float
    closed_at_s: float | None = None
    closed_by: str = ""
    note: str = ""


def save_top_up(conn: Connection, item: TopUp) -> None:
    """Keep a request, new or changed."""
    insert_or_replace(conn, top_ups, [{name: getattr(item, name) for name in TopUp.__slots__}])


def top_up(conn: Connection, top_up_id: str) -> TopUp | None:
    """One request."""
    row = conn.execute(select(top_ups).where(top_ups.c.top_up_id == top_up_id)).one_or_none()
    return None if row is None else TopUp(**row._mapping)


def top_ups_of(conn: Connection, project: str = "", limit: int = 500) -> list[TopUp]:
    """Requests of a project or of all, the newest first."""
    query = select(top_ups).order_by(top_ups.c.asked_at_s.desc(), top_ups.c.top_up_id).limit(limit)
    rows = conn.execute(query.where(top_ups.c.project == project) if project else query)
    return [TopUp(**row._mapping) for row in rows]


def next_number(conn: Connection, series: str) -> int:
    """Take the next number of a series, from 1 on; an undone transaction gives it back, so that none is missing."""
    insert_or_ignore(conn, invoice_series, [{"series": series, "next": 1}])
    query = select(invoice_series.c.next).where(invoice_series.c.series == series).with_for_update()
    number = int(conn.execute(query).scalar_one())
    conn.execute(update(invoice_series).where(invoice_series.c.series == series).values(next=number + 1))
    return number


def add_invoice(conn: Connection, item: Invoice) -> None:
    """Keep an invoice."""
    row = {name: getattr(item, name) for name in Invoice.__slots__}
    text = json.dumps(item.body, ensure_ascii=False, sort_keys=True, allow_nan=False)
    conn.execute(insert(invoices), [row | {"body": text}])


def set_paid(conn: Connection, item: Invoice, at_s: float) -> None:
    """Note that an invoice is paid."""
    where = (invoices.c.series == item.series, invoices.c.number == item.number)
    conn.execute(update(invoices).where(*where).values(paid_at_s=at_s))


def invoice(conn: Connection, series: str, number: int) -> Invoice | None:
    """One invoice."""
    query = select(invoices).where(invoices.c.series == series, invoices.c.number == number)
    row = conn.execute(query).one_or_none()
    return None if row is None else _invoice(dict(row._mapping))


def invoices_of(
    conn: Connection, *, project: str = "", top_up_id: str = "", is_unpaid: bool = False, limit: int = 500
) -> list[Invoice]:
    """Invoices of a project, of a request or of all, the newest first; with `is_unpaid` those alone."""
    query = select(invoices).order_by(invoices.c.issued_at_s.desc(), invoices.c.series, invoices.c.number.desc())
    if is_unpaid:
        query = query.where(invoices.c.paid_at_s.is_(None))
    if project:
        query = query.where(invoices.c.project == project)
    if top_up_id:
        query = query.where(invoices.c.top_up_id == top_up_id)
    return [_invoice(dict(row._mapping)) for row in conn.execute(query.limit(limit))]


def _invoice(row: Mapping[str, Any]) -> Invoice:
    return Invoice(**{**row, "body": json.loads(row["body"])})


def numbers_by_series(conn: Connection) -> dict[str, tuple[int, list[int]]]:
    """By series, the number that comes next and those that were given, in order."""
    found = {row.series: (int(row.next), list[int]()) for row in conn.execute(select(invoice_series))}
    for row in conn.execute(
        select(invoices.c.series, invoices.c.number).order_by(invoices.c.series, invoices.c.number)
    ):
        found.setdefault(row.series, (1, []))[1].append(row.number)
    return found


def known_lines(conn: Connection, hashes: Sequence[str]) -> set[str]:
    """Which lines of the bank were read before."""
    found: set[str] = set()
    for start in range(0, len(hashes), 500):
        part = bank_lines.c.line_sha256.in_(hashes[start : start + 500])
        found.update(conn.execute(select(bank_lines.c.line_sha256).where(part)).scalars())
    return found


def add_line(conn: Connection, line: BankLine) -> None:
    """Keep a line of the bank."""
    conn.execute(insert(bank_lines), [{name: getattr(line, name) for name in BankLine.__slots__}])


def save_line(conn: Connection, line: BankLine) -> None:
    """Keep a line that was changed."""
    insert_or_replace(conn, bank_lines, [{name: getattr(line, name) for name in BankLine.__slots__}])


def lines_named(conn: Connection, line_ids: Sequence[str]) -> list[BankLine]:
    """These lines in the order of their ids."""
    query = select(bank_lines).where(bank_lines.c.line_sha256.in_(line_ids)).order_by(bank_lines.c.line_sha256)
    return [BankLine(**row._mapping) for row in conn.execute(query)]


def lines(conn: Connection, state: str = "", limit: int = 500) -> list[BankLine]:
    """Lines of the bank in one state or in all: open ones from the oldest on, others with the newest first."""
    table = bank_lines.c
    query = select(bank_lines).limit(limit)
    query = query.where(table.state == state) if state else query
    if state == OPEN:
        return [BankLine(**row._mapping) for row in conn.execute(query.order_by(table.day, table.line_sha256))]
    order = (table.read_at_s.desc(), table.day.desc(), table.line_sha256)
    return [BankLine(**row._mapping) for row in conn.execute(query.order_by(*order))]


def n_lines(conn: Connection) -> dict[str, int]:
    """How many lines of the bank there are, by state."""
    query = select(bank_lines.c.state, func.count()).group_by(bank_lines.c.state)
    return {state: int(n) for state, n in conn.execute(query)}


def add_batch(conn: Connection, batch_id: str, at_s: float, made_by: str, amounts: Mapping[str, int]) -> None:
    """Keep what is paid out together, by person."""
    row = {"batch_id": batch_id, "made_at_s": at_s, "made_by": made_by, "n": len(amounts)}
    conn.execute(insert(payout_batches), [row | {"total_micro": sum(amounts.values())}])
    rows = [{"batch_id": batch_id, "person_id": name, "amount_micro": micro} for name, micro in amounts.items()]
    conn.execute(insert(payouts), rows)


def batch(conn: Connection, batch_id: str) -> dict[str, int]:
    """What a batch pays, by person; empty for one that is not there."""
    query = select(payouts).where(payouts.c.batch_id == batch_id).order_by(payouts.c.person_id)
    return {row.person_id: int(row.amount_micro) for row in conn.execute(query)}


def batches(conn: Connection, batch_id: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """Batches of payouts, the newest first; with `batch_id` that one alone, however old."""
    query = select(payout_batches).order_by(payout_batches.c.made_at_s.desc(), payout_batches.c.batch_id).limit(limit)
    query = query.where(payout_batches.c.batch_id == batch_id) if batch_id else query
    return [dict(row._mapping) for row in conn.execute(query)]


def owed(conn: Connection, like: str, commodity: str, least_micro: int) -> dict[str, int]:
    """What accounts named like this hold of a commodity, from an amount on."""
    table = balances.c
    query = select(table.account, table.amount_micro).where(
        table.account.like(like), table.commodity == commodity, table.amount_micro >= least_micro
    )
    return {row.account: int(row.amount_micro) for row in conn.execute(query.order_by(table.account))}
