"""Rows of price lists, and of what jobs hold: one hold per job, from which accounts it was taken, what was refunded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

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
    func,
    insert,
    select,
)

from eureka_park.foundation.store import insert_or_replace
from eureka_park.ledger.store import metadata

price_lists = Table(
    "price_lists",
    metadata,
    Column("valid_from_s", Double, primary_key=True),  # park time
    Column("body", Text, nullable=False),  # JSON; see core.pricing
    Column("set_by", String(64), nullable=False),
    Column("set_at_s", Double, nullable=False),
)
holds = Table(
    "holds",
    metadata,
    Column("job_id", String(80), primary_key=True),
    Column("project", String(63), nullable=False),
    Column("person_id", String(64), nullable=False),
    Column("organisation_id", String(63), nullable=False),
    Column("tier", String(8), nullable=False),
    Column("gpu_type", String(63), nullable=False),
    Column("price", Text, nullable=False),  # JSON: the rates that were promised; see core.pricing
    Column("declared_s", Double, nullable=False),  # for so long the ceiling holds
    Column("n_renewals", Integer, nullable=False),
    Column("ceiling_micro", BigInteger, nullable=False),
    Column("charged_micro", BigInteger, nullable=False),  # so far, refunds taken off
    Column("refunded_micro", BigInteger, nullable=False),  # of its cost so far: paid back, or never charged
    Column("opened_at_s", Double, nullable=False),
    Column("closed_at_s", Double, nullable=True),
    Column("state", String(8), nullable=False),  # open or closed
    Column("settled_s", Double, nullable=False, default=0.0),  # node time that was charged or refunded
    Column("excused_s", Double, nullable=False, default=0.0),  # of it, what was refunded: it counts as not declared
    Column("refused_at_s", Double, nullable=True),  # since when there is no credit for work beyond the declared time
    Index("holds_by_state", "state", "project"),
)
hold_parts = Table(
    "hold_parts",
    metadata,
    Column("job_id", String(80), primary_key=True),
    Column("account", String(120), primary_key=True),  # a grant's, or the project's own
    Column("line", Integer, nullable=False),  # spent in this order
    Column("amount_micro", BigInteger, nullable=False),  # what is still held
    Column("spent_micro", BigInteger, nullable=False),
    Index("hold_parts_by_account", "account"),
)
refunds = Table(
    "refunds",
    metadata,
    Column("job_id", String(80), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("project", String(63), nullable=False),
    Column("day", Integer, nullable=False),  # by the site's calendar
    Column("at_s", Double, nullable=False),  # park time
    Column("why", String(16), nullable=False),  # lost_node, disturbed, or unknown of older parks
    Column("node_s", Double, nullable=False),  # so much node time of the job was refunded
    Column("amount_micro", BigInteger, nullable=False),
    Index("refunds_by_project", "project", "day"),
)
OPEN: Final = "open"
CLOSED: Final = "closed"
_IDS_PER_QUERY: Final = 500


@dataclass(frozen=True, slots=True)
class Part:
    """What a job holds of one account, and what it has spent of it, in micro-credits."""

    account: str
    amount_micro: int
    spent_micro: int = 0


@dataclass(frozen=True, slots=True)
class JobOn:
    """A job that has spent something of an account: whose it is, of what kind, and how much."""

    job_id: str
    person_id: str
    tier: str
    gpu_type: str
    price: Mapping[str, Any]
    opened_at_s: float
    closed_at_s: float | None
    charged_micro: int
    spent_micro: int


@dataclass(frozen=True, slots=True)
class Refund:
    """What was taken off a job's bill at one time: `node_s` of its node time, with its energy."""

    job_id: str
    line: int
    project: str
    day: int
    at_s: float
    why: str
    node_s: float
    amount_micro: int


@dataclass(frozen=True, slots=True)
class Hold:
    """What a job may cost, and has cost so far. `price`: the rates that were promised for `declared_s` of work."""

    job_id: str
    project: str
    person_id: str
    organisation_id: str
    tier: str
    gpu_type: str
    price: Mapping[str, Any]
    declared_s: float
    ceiling_micro: int
    opened_at_s: float
    parts: tuple[Part, ...] = ()
    charged_micro: int = 0
    refunded_micro: int = 0
    n_renewals: int = 0
    closed_at_s: float | None = None
    settled_s: float = 0.0
    excused_s: float = 0.0
    refused_at_s: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still holds credits."""
        return self.closed_at_s is None

    @property
    def held_micro(self) -> int:
        """What it still holds."""
        return sum(part.amount_micro for part in self.parts)


def price_bodies(conn: Connection) -> list[tuple[float, dict[str, Any]]]:
    """All price lists, the oldest first: since when, and what they say."""
    rows = conn.execute(select(price_lists).order_by(price_lists.c.valid_from_s))
    return [
        (row.valid_from_s, {**json.loads(row.body), "set_by": row.set_by, "set_at_s": row.set_at_s}) for row in rows
    ]


def price_body(conn: Connection, at_s: float) -> tuple[float, dict[str, Any]] | None:
    """The price list in force at an instant; None before the first."""
    table = price_lists.c
    query = select(price_lists).where(table.valid_from_s <= at_s).order_by(table.valid_from_s.desc()).limit(1)
    row = conn.execute(query).one_or_none()
    return None if row is None else (row.valid_from_s, json.loads(row.body))


def set_price_body(
    conn: Connection, valid_from_s: float, body: Mapping[str, Any], set_by: str, set_at_s: float
) -> None:
    """Keep a price list; one of the same instant is replaced."""
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, allow_nan=False)
    row = {"valid_from_s": valid_from_s, "body": text, "set_by": set_by, "set_at_s": set_at_s}
    insert_or_replace(conn, price_lists, [row])


def save(conn: Connection, changed: Iterable[Hold]) -> None:
    """Keep holds with their parts, new or changed."""
    changed = list(changed)
    if not changed:
        return
    insert_or_replace(conn, holds, [_row(hold) for hold in changed])
    parts = [
        {"job_id": hold.job_id, "account": part.account, "line": line, "amount_micro": part.amount_micro}
        | {"spent_micro": part.spent_micro}
        for hold in changed
        for line, part in enumerate(hold.parts)
    ]
    insert_or_replace(conn, hold_parts, parts)


def _row(hold: Hold) -> dict[str, Any]:
    same = ("job_id", "project", "person_id", "organisation_id", "tier", "gpu_type", "declared_s", "n_renewals")
    more = ("ceiling_micro", "charged_micro", "refunded_micro", "opened_at_s", "closed_at_s")
    late = ("settled_s", "excused_s", "refused_at_s")
    return {
        **{name: getattr(hold, name) for name in (*same, *more, *late)},
        "price": json.dumps(hold.price, sort_keys=True, ensure_ascii=False),
        "state": OPEN if hold.is_open else CLOSED,
    }


def of(conn: Connection, job_ids: Sequence[str]) -> dict[str, Hold]:
    """The holds of these jobs, open or closed; jobs that never had one are left out."""
    rows, parts = list[Row[Any]](), dict[str, list[Part]]()
    for start in range(0, len(job_ids), _IDS_PER_QUERY):
        names = job_ids[start : start + _IDS_PER_QUERY]
        rows += conn.execute(select(holds).where(holds.c.job_id.in_(names)))
        found = (
            select(hold_parts).where(hold_parts.c.job_id.in_(names)).order_by(hold_parts.c.job_id, hold_parts.c.line)
        )
        for row in conn.execute(found):
            parts.setdefault(row.job_id, []).append(Part(row.account, int(row.amount_micro), int(row.spent_micro)))
    return {row.job_id: _hold(row, tuple(parts.get(row.job_id, ()))) for row in rows}


def _hold(row: Row[Any], parts: tuple[Part, ...]) -> Hold:
    values = {name: value for name, value in row._mapping.items() if name not in ("state", "price")}
    return Hold(**values, price=json.loads(row.price), parts=parts)


def open_jobs(conn: Connection, project: str = "") -> set[str]:
    """The jobs with an open hold, of one project or of all."""
    query = select(holds.c.job_id).where(holds.c.state == OPEN)
    return set(conn.execute(query.where(holds.c.project == project) if project else query).scalars())


def declared_of(conn: Connection, job_ids: Sequence[str] | None = None) -> dict[str, tuple[float, bool]]:
    """By job with an open hold, of these or of all: for how much node time that stands, and whether credit for more was
    refused.
    """
    table, found = holds.c, dict[str, tuple[float, bool]]()
    query = select(table.job_id, table.declared_s + table.excused_s, table.refused_at_s).where(table.state == OPEN)
    blocks = [query]
    if job_ids is not None:
        starts = range(0, len(job_ids), _IDS_PER_QUERY)
        blocks = [query.where(table.job_id.in_(job_ids[start : start + _IDS_PER_QUERY])) for start in starts]
    for block in blocks:
        for job_id, until_s, refused_at_s in conn.execute(block):
            found[job_id] = float(until_s), refused_at_s is not None
    return found


def add_refund(conn: Connection, found: Refund) -> None:
    """Note what was taken off a job's bill."""
    conn.execute(insert(refunds), [{name: getattr(found, name) for name in Refund.__slots__}])


def refunds_of(conn: Connection, job_ids: Sequence[str]) -> dict[str, list[Refund]]:
    """By job, what was taken off its bill, in order; jobs without any are left out."""
    found: dict[str, list[Refund]] = {}
    for start in range(0, len(job_ids), _IDS_PER_QUERY):
        names = job_ids[start : start + _IDS_PER_QUERY]
        query = select(refunds).where(refunds.c.job_id.in_(names)).order_by(refunds.c.job_id, refunds.c.line)
        for row in conn.execute(query):
            found.setdefault(row.job_id, []).append(_refund(row))
    return found


def refunds_of_project(conn: Connection, project: str, limit: int) -> list[Refund]:
    """The newest refunds of a project, the newest first."""
    table = refunds.c
    query = select(refunds).where(table.project == project)
    rows = conn.execute(query.order_by(table.day.desc(), table.at_s.desc(), table.job_id, table.line).limit(limit))
    return [_refund(row) for row in rows]


def refunded_micro(conn: Connection) -> dict[str, int]:
    """By job, the sum of its refunds."""
    query = select(refunds.c.job_id, func.sum(refunds.c.amount_micro)).group_by(refunds.c.job_id)
    return {job_id: int(amount) for job_id, amount in conn.execute(query)}


def _refund(row: Row[Any]) -> Refund:
    return Refund(**row._mapping)


def spent_of(conn: Connection, account: str) -> tuple[int, int]:
    """What jobs have spent of an account, refunds taken off, and what they only hold; in micro-credits."""
    table = hold_parts.c
    query = select(func.sum(table.spent_micro), func.sum(table.amount_micro)).where(table.account == account)
    spent, held = conn.execute(query).one()
    return int(spent or 0), int(held or 0)


def jobs_on(conn: Connection, account: str) -> list[JobOn]:
    """The jobs that have spent something of an account, by id."""
    query = (
        select(
            holds.c.job_id, holds.c.person_id, holds.c.tier, holds.c.gpu_type, holds.c.price, holds.c.opened_at_s,
            holds.c.closed_at_s, holds.c.charged_micro, hold_parts.c.spent_micro,
        )
        .select_from(hold_parts.join(holds, holds.c.job_id == hold_parts.c.job_id))
        .where(hold_parts.c.account == account, hold_parts.c.spent_micro > 0)
        .order_by(holds.c.job_id)
    )  # fmt: skip
    return [JobOn(**{**row._mapping, "price": json.loads(row.price)}) for row in conn.execute(query)]


def has_open(conn: Connection) -> bool:
    """Whether any job holds credits."""
    return conn.execute(select(holds.c.job_id).where(holds.c.state == OPEN).limit(1)).first() is not None


def held_micro(conn: Connection) -> dict[str, int]:
    """By project, what open holds hold together."""
    query = (
        select(holds.c.project, func.sum(hold_parts.c.amount_micro))
        .select_from(holds.join(hold_parts, holds.c.job_id == hold_parts.c.job_id))
        .where(holds.c.state == OPEN)
        .group_by(holds.c.project)
    )
    return {project: int(amount) for project, amount in conn.execute(query)}


def held_of_closed(conn: Connection) -> list[str]:
    """Jobs whose hold is closed and yet holds something; there should be none."""
    query = (
        select(holds.c.job_id)
        .select_from(holds.join(hold_parts, holds.c.job_id == hold_parts.c.job_id))
        .where(holds.c.state == CLOSED, hold_parts.c.amount_micro != 0)
    )
    return sorted(set(conn.execute(query).scalars()))


def over_ceiling(conn: Connection) -> list[str]:
    """Jobs that were charged more than was promised; there should be none."""
    query = select(holds.c.job_id).where(holds.c.charged_micro > holds.c.ceiling_micro)
    return sorted(conn.execute(query).scalars())


def all_charged(conn: Connection) -> list[tuple[str, int, int]]:
    """Every job with a hold, what it was charged, and what was refunded."""
    rows = conn.execute(select(holds.c.job_id, holds.c.charged_micro, holds.c.refunded_micro).order_by(holds.c.job_id))
    return [(job_id, int(charged), int(refunded)) for job_id, charged, refunded in rows]
