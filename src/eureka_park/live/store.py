"""Rows of live: the gapless journal, the lease with its fencing token, snapshots of the state."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from eureka_park.foundation.errors import Conflict
from eureka_park.foundation.store import COUNTER

metadata = MetaData()

journal = Table(
    "journal",
    metadata,
    Column("seq", COUNTER, primary_key=True, autoincrement=False),
    Column("token", COUNTER, nullable=False),
    Column("at_real_s", Float, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("payload", Text, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("token", COUNTER, nullable=False),
    Column("holder", Text, nullable=False),
    Column("until_real_s", Float, nullable=False),
)

snapshots = Table(
    "snapshots_of_state",
    metadata,
    Column("seq", COUNTER, primary_key=True, autoincrement=False),
    Column("schema", Integer, nullable=False),
    Column("state", LargeBinary, nullable=False),
)

LEASE_TTL_S = 15.0
_NAME = "live"
_HOME = "home"  # no lease: the row of the home that the database belongs to, for ever
KEEP_SNAPSHOTS = 3


@dataclass(frozen=True, slots=True)
class Lease:
    """Who decides: `token` grows with every holder, so that a stale one can be refused."""

    token: int
    holder: str
    until_real_s: float


def heartbeat(conn: Connection) -> Lease | None:
    """The present lease, or None before the first."""
    row = conn.execute(select(lease).where(lease.c.name == _NAME)).first()
    return None if row is None else Lease(row.token, row.holder, row.until_real_s)


def _held(conn: Connection) -> Lease | None:
    """The present lease, its row locked until the transaction ends."""
    row = conn.execute(select(lease).where(lease.c.name == _NAME).with_for_update()).first()
    return None if row is None else Lease(row.token, row.holder, row.until_real_s)


def take_lease(conn: Connection, holder: str, now_real_s: float, ttl_s: float, *, may_take: bool) -> Lease:
    """Take the lease with the next token. Raises Conflict while another holds it and `may_take` is false."""
    held = _held(conn)
    if held is not None and held.until_real_s > now_real_s and not may_take:
        raise Conflict("Another process decides for this park.", fix="Stop it first: park down", code="lease_held")
    token = 1 if held is None else held.token + 1
    row = {"token": token, "holder": holder, "until_real_s": now_real_s + ttl_s}
    if held is None:
        conn.execute(insert(lease).values(name=_NAME, **row))
    else:
        conn.execute(update(lease).where(lease.c.name == _NAME).values(**row))
    return Lease(token, holder, now_real_s + ttl_s)


def claim_for_home(conn: Connection, home_id: str) -> None:
    """Tie a database to the home that uses it. Raises Conflict for one that another home uses."""
    held = conn.execute(select(lease.c.holder).where(lease.c.name == _HOME)).scalar()
    if held is None:
        conn.execute(insert(lease).values(name=_HOME, token=0, holder=home_id, until_real_s=0.0))
    elif held != home_id:
        raise Conflict(
            "The database belongs to the park of another home.",
            fix="Name an empty database, or start the park with the home that it belongs to.",
            code="database_of_another_home",
        )


def check_token(conn: Connection, token: int) -> None:
    """Refuse a stale holder. Call inside the very transaction that writes: until it ends nobody can take the lease.

    Raises Conflict.
    """
    held = _held(conn)
    if held is None or held.token != token:
        raise Conflict("The lease has gone to another process.", fix="This process must stop.", code="lease_lost")


def renew_lease(conn: Connection, token: int, until_real_s: float) -> None:
    """Prolong the lease. Raises Conflict when it was lost."""
    check_token(conn, token)
    conn.execute(update(lease).where(lease.c.name == _NAME).values(until_real_s=until_real_s))


def release_lease(conn: Connection, token: int, now_real_s: float) -> None:
    """Let the lease end at once, if it is still ours."""
    conn.execute(update(lease).where(lease.c.name == _NAME, lease.c.token == token).values(until_real_s=now_real_s))


def journal_head(conn: Connection) -> int:
    """The last sequence of the journal, 0 before the first entry."""
    return int(conn.execute(select(func.max(journal.c.seq))).scalar() or 0)


def append_journal(
    conn: Connection, head: int, token: int, at_real_s: float, entries: Sequence[tuple[str, dict[str, Any]]]
) -> int:
    """Append entries after `head` without a gap; the new head. A clash on `seq` means that another process wrote."""
    rows = [
        {"seq": head + 1 + index, "token": token, "at_real_s": at_real_s, "kind": kind, "payload": json.dumps(payload)}
        for index, (kind, payload) in enumerate(entries)
    ]
    if rows:
        conn.execute(insert(journal), rows)
    return head + len(rows)


def journal_after(conn: Connection, seq: int, limit: int) -> list[tuple[int, str, dict[str, Any]]]:
    """Entries after a sequence, in order."""
    query = select(journal.c.seq, journal.c.kind, journal.c.payload).where(journal.c.seq > seq).order_by(journal.c.seq)
    return [(row.seq, row.kind, json.loads(row.payload)) for row in conn.execute(query.limit(limit))]


def journal_of_kinds(
    conn: Connection, kinds: Collection[str], seq: int, limit: int
) -> list[tuple[int, str, dict[str, Any]]]:
    """Entries of some kinds after a sequence, in order."""
    query = select(journal.c.seq, journal.c.kind, journal.c.payload).where(journal.c.seq > seq)
    query = query.where(journal.c.kind.in_(sorted(kinds))).order_by(journal.c.seq).limit(limit)
    return [(row.seq, row.kind, json.loads(row.payload)) for row in conn.execute(query)]


def save_snapshot(conn: Connection, seq: int, schema: int, state: dict[str, Any]) -> None:
    """Keep a snapshot of the state after journal entry `seq`; older ones beyond a few are dropped."""
    packed = zlib.compress(json.dumps(state).encode(), 1)
    conn.execute(delete(snapshots).where(snapshots.c.seq == seq))
    conn.execute(insert(snapshots).values(seq=seq, schema=schema, state=packed))
    seqs = [row[0] for row in conn.execute(select(snapshots.c.seq).order_by(snapshots.c.seq.desc()))]
    if len(seqs) > KEEP_SNAPSHOTS:
        conn.execute(delete(snapshots).where(snapshots.c.seq <= seqs[KEEP_SNAPSHOTS]))


def last_snapshot(conn: Connection, schema: int) -> tuple[int, dict[str, Any]] | None:
    """The newest snapshot of this schema version and its sequence; None means a full replay."""
    query = select(snapshots).where(snapshots.c.schema == schema).order_by(snapshots.c.seq.desc()).limit(1)
    row = conn.execute(query).first()
    return None if row is None else (row.seq, json.loads(zlib.decompress(row.state)))
