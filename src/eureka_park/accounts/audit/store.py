"""Rows of the audit log: added by whoever does something, sealed by the process that decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    update,
)

from eureka_park.accounts.core.audit_chain import Entry, Seal
from eureka_park.accounts.store import metadata
from eureka_park.foundation.store import COUNTER

entries = Table(
    "audit_entries",
    metadata,
    Column("entry_id", COUNTER, primary_key=True, autoincrement=True),
    Column("at_real_s", Double, nullable=False),
    Column("who", String(64), nullable=False),  # a person's id; '' for nobody who is known
    Column("act", String(48), nullable=False),  # what was done, as `token.made`
    Column("thing", String(200), nullable=False),  # to what, by id
    Column("outcome", String(8), nullable=False),  # done or refused
    Column("request_id", String(64), nullable=False),
    Column("address", String(16), nullable=False),  # a keyed hash of where it came from
    Column("detail", Text, nullable=False),  # JSON
    Column("seq", BigInteger),  # its place in the chain, once it is sealed
    Column("hash", String(64), nullable=False),
    Index("audit_by_seq", "seq", unique=True),
    Index("audit_by_who", "who", "entry_id"),
    Index("audit_by_thing", "thing", "entry_id"),
)
seals = Table(
    "audit_seals",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("n", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("sealed_at_real_s", Double, nullable=False),
    Column("mac", String(64), nullable=False),
)
_BLOCK = 2_000


def add(conn: Connection, entry: Entry) -> None:
    """Add an entry; it is sealed later."""
    row = {
        "at_real_s": entry.at_real_s, "who": entry.who, "act": entry.act, "thing": entry.thing,
        "outcome": entry.outcome, "request_id": entry.request_id, "address": entry.address, "detail": entry.detail,
        "hash": "",
    }  # fmt: skip
    conn.execute(insert(entries), row)


def is_any_open(conn: Connection) -> bool:
    """Whether an entry waits for its seal."""
    return conn.execute(select(1).where(entries.c.seq.is_(None)).limit(1)).scalar() is not None


def open_entries(conn: Connection, limit: int) -> list[tuple[int, Entry]]:
    """Entries that wait for their seal, in the order in which they came: (entry_id, entry)."""
    query = select(entries).where(entries.c.seq.is_(None)).order_by(entries.c.entry_id).limit(limit)
    return [(row.entry_id, _entry(row)) for row in conn.execute(query)]


def seal(conn: Connection, ids: Sequence[int], sealed: Sequence[Entry], made: Seal) -> None:
    """Give entries their place and hash, and keep the seal that ends them."""
    statement = (
        update(entries).where(entries.c.entry_id == bindparam("of")).values(seq=bindparam("s"), hash=bindparam("h"))
    )
    rows = [{"of": name, "s": entry.seq, "h": entry.hash} for name, entry in zip(ids, sealed, strict=True)]
    conn.execute(statement, rows)
    row = {"seq": made.seq, "n": made.n, "hash": made.hash, "sealed_at_real_s": made.sealed_at_real_s, "mac": made.mac}
    conn.execute(insert(seals), row)


def last_seal(conn: Connection) -> Seal | None:
    """The newest seal."""
    row = conn.execute(select(seals).order_by(seals.c.seq.desc()).limit(1)).one_or_none()
    return None if row is None else _seal(row)


def all_sealed(conn: Connection) -> Iterator[Entry]:
    """Every sealed entry in order, read in blocks."""
    seq = 0
    while True:
        query = select(entries).where(entries.c.seq > seq).order_by(entries.c.seq).limit(_BLOCK)
        block = [_entry(row) for row in conn.execute(query)]
        yield from block
        if len(block) < _BLOCK:
            return
        seq = block[-1].seq


def all_seals(conn: Connection) -> Iterator[Seal]:
    """Every seal in order."""
    seq = -1
    while True:
        block = [
            _seal(row)
            for row in conn.execute(select(seals).where(seals.c.seq > seq).order_by(seals.c.seq).limit(_BLOCK))
        ]
        yield from block
        if len(block) < _BLOCK:
            return
        seq = block[-1].seq


def newest(conn: Connection, before: int | None, limit: int, who: str = "", thing: str = "") -> list[tuple[int, Entry]]:
    """Entries of a person or a thing, or all, the newest first, from before one on."""
    query = select(entries).order_by(entries.c.entry_id.desc()).limit(limit)
    if before is not None:
        query = query.where(entries.c.entry_id < before)
    if who:
        query = query.where(entries.c.who == who)
    if thing:
        query = query.where(entries.c.thing == thing)
    return [(row.entry_id, _entry(row)) for row in conn.execute(query)]


def count(conn: Connection, who: str) -> int:
    """How many entries are a person's."""
    return int(conn.execute(select(func.count()).select_from(entries).where(entries.c.who == who)).scalar() or 0)


def count_since(conn: Connection, who: str, act: str, since_real_s: float) -> int:
    """How many entries of one act are a person's since an instant."""
    table = entries.c
    query = select(func.count()).select_from(entries)
    query = query.where(table.who == who, table.act == act, table.at_real_s > since_real_s)
    return int(conn.execute(query).scalar() or 0)


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        row.at_real_s, row.who, row.act, row.thing, row.outcome, row.request_id, row.address, row.detail, row.seq or 0,
        row.hash,
    )  # fmt: skip


def _seal(row: Row[Any]) -> Seal:
    return Seal(row.seq, row.n, row.hash, row.sealed_at_real_s, row.mac)
