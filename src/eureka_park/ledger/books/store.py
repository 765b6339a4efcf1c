"""Rows of the books. Postings are only ever added; balances and sums by day are kept with them in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    func,
    insert,
    select,
    true,
)

from eureka_park.foundation.store import COUNTER, insert_or_add
from eureka_park.ledger.core.posting import Posting, Transaction
from eureka_park.ledger.store import metadata

_ACCOUNT: Final = String(120)
_COMMODITY: Final = String(80)

transactions = Table(
    "transactions",
    metadata,
    Column("idempotency_key", String(200), primary_key=True),
    Column("why", String(200), nullable=False),
    Column("at_s", Double, nullable=False),  # park time
    Column("kind", String(24), nullable=False, default=""),  # what the key begins with
    Column("day", Integer, nullable=False, default=0),  # by the site's calendar; see core.days
)
postings = Table(
    "postings",
    metadata,
    Column("idempotency_key", ForeignKey("transactions.idempotency_key"), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("account", _ACCOUNT, nullable=False),
    Column("commodity", _COMMODITY, nullable=False),
    Column("amount_micro", BigInteger, nullable=False),
    Index("postings_by_account", "account", "commodity"),
)
balances = Table(
    "balances",
    metadata,
    Column("account", _ACCOUNT, primary_key=True),
    Column("commodity", _COMMODITY, primary_key=True),
    Column("amount_micro", BigInteger, nullable=False),
)
day_sums = Table(
    "day_sums",
    metadata,
    Column("account", _ACCOUNT, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("commodity", _COMMODITY, primary_key=True),
    Column("kind", String(24), primary_key=True),
    Column("amount_micro", BigInteger, nullable=False),
    Column("n", COUNTER, nullable=False),
)
_IDS_PER_QUERY: Final = 500
Sums = dict[tuple[str, str], int]
DaySums = dict[tuple[str, int, str, str], tuple[int, int]]


def known(conn: Connection, keys: Sequence[str]) -> set[str]:
    """Which of these deeds are booked."""
    found: set[str] = set()
    for start in range(0, len(keys), _IDS_PER_QUERY):
        part = transactions.c.idempotency_key.in_(keys[start : start + _IDS_PER_QUERY])
        found.update(conn.execute(select(transactions.c.idempotency_key).where(part)).scalars())
    return found


def add(conn: Connection, deeds: Sequence[tuple[Transaction, int]]) -> None:
    """Book deeds that are not booked yet, each with the day it belongs to."""
    if not deeds:
        return
    heads = [
        {"idempotency_key": deed.idempotency_key, "why": deed.why, "at_s": deed.at_s, "kind": deed.kind, "day": day}
        for deed, day in deeds
    ]
    conn.execute(insert(transactions), heads)
    conn.execute(insert(postings), [row for deed, _ in deeds for row in _posting_rows(deed)])
    held: Sums = {}
    by_day: DaySums = {}
    for deed, day in deeds:
        for posting in deed.postings:
            key, cell = (posting.account, posting.commodity), (posting.account, day, posting.commodity, deed.kind)
            held[key] = held.get(key, 0) + posting.amount_micro
            amount, n = by_day.get(cell, (0, 0))
            by_day[cell] = amount + posting.amount_micro, n + 1
    # In one order for everybody, so that two writers never wait for each other's rows.
    rows = [{"account": key[0], "commodity": key[1], "amount_micro": amount} for key, amount in sorted(held.items())]
    insert_or_add(conn, balances, rows, ("amount_micro",))
    insert_or_add(conn, day_sums, [_day_row(*item) for item in sorted(by_day.items())], ("amount_micro", "n"))


def _day_row(cell: tuple[str, int, str, str], sums: tuple[int, int]) -> dict[str, Any]:
    account, day, commodity, kind = cell
    amount, n = sums
    return {"account": account, "day": day, "commodity": commodity, "kind": kind, "amount_micro": amount, "n": n}


def _posting_rows(deed: Transaction) -> Iterator[dict[str, Any]]:
    for index, posting in enumerate(deed.postings):
        yield {
            "idempotency_key": deed.idempotency_key,
            "line": index,
            "account": posting.account,
            "commodity": posting.commodity,
            "amount_micro": posting.amount_micro,
        }


def balance_micro(conn: Connection, account: str, commodity: str) -> int:
    """What an account holds of a commodity, in micro-units."""
    table = balances.c
    query = select(table.amount_micro).where(table.account == account, table.commodity == commodity)
    return int(conn.execute(query).scalar() or 0)


def balances_of(conn: Connection, accounts: Sequence[str], commodity: str) -> dict[str, int]:
    """What these accounts hold of a commodity; accounts that never held any are left out."""
    table, found = balances.c, dict[str, int]()
    for start in range(0, len(accounts), _IDS_PER_QUERY):
        query = select(table.account, table.amount_micro).where(
            table.account.in_(accounts[start : start + _IDS_PER_QUERY]), table.commodity == commodity
        )
        found.update({account: int(amount) for account, amount in conn.execute(query)})
    return found


def sums_of(
    conn: Connection, accounts: Sequence[str], first_day: int, past_day: int
) -> list[tuple[str, str, str, int, int]]:
    """Of these accounts over the days `[first_day, past_day)`: (account, commodity, kind, micro-units, postings)."""
    table = day_sums.c
    wanted = table.account.in_(accounts), table.day >= first_day, table.day < past_day
    query = select(table.account, table.commodity, table.kind, func.sum(table.amount_micro), func.sum(table.n))
    rows = conn.execute(query.where(*wanted).group_by(table.account, table.commodity, table.kind))
    return sorted((account, commodity, kind, int(amount), int(n)) for account, commodity, kind, amount, n in rows)


def days_of(conn: Connection, account: str, first_day: int, past_day: int) -> list[tuple[int, str, str, int, int]]:
    """Of an account in order of days: (day, commodity, kind, micro-units, postings)."""
    table = day_sums.c
    query = select(table.day, table.commodity, table.kind, table.amount_micro, table.n).where(
        table.account == account, table.day >= first_day, table.day < past_day
    )
    rows = conn.execute(query.order_by(table.day, table.commodity, table.kind))
    return [(day, commodity, kind, int(amount), n) for day, commodity, kind, amount, n in rows]


def sum_of(conn: Connection, account: str, commodity: str, kind: str) -> int:
    """What deeds of one kind have brought an account of a commodity, in micro-units."""
    table = day_sums.c
    wanted = table.account == account, table.commodity == commodity, table.kind == kind
    return int(conn.execute(select(func.sum(table.amount_micro)).where(*wanted)).scalar() or 0)


def all_postings(conn: Connection) -> Iterator[tuple[str, int, list[Posting]]]:
    """Every transaction's key and day with its postings, a transaction without any included."""
    joined = transactions.outerjoin(postings)
    query = select(transactions.c.idempotency_key.label("key"), transactions.c.day, postings).select_from(joined)
    key, day, together = None, 0, list[Posting]()
    for row in conn.execute(query.order_by("key")):
        if key is not None and row.key != key:
            yield key, day, together
            together = []
        key, day = row.key, row.day
        if row.account is not None:
            together.append(Posting(row.account, row.commodity, int(row.amount_micro)))
    if key is not None:
        yield key, day, together


def all_balances(conn: Connection) -> Sums:
    """What every account holds, by account and commodity."""
    rows = conn.execute(select(balances).where(true()))
    return {(row.account, row.commodity): int(row.amount_micro) for row in rows}


def all_day_sums(conn: Connection) -> Mapping[tuple[str, int, str], tuple[int, int]]:
    """Every account's sum and postings of each day, by account, day and commodity."""
    table = day_sums.c
    query = select(table.account, table.day, table.commodity, func.sum(table.amount_micro), func.sum(table.n))
    rows: Iterable[Any] = conn.execute(query.group_by(table.account, table.day, table.commodity))
    return {(account, day, commodity): (int(amount), int(n)) for account, day, commodity, amount, n in rows}
