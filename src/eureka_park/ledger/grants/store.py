"""Rows of grants, of what goes back from them, and of budgets."""

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
    delete,
    select,
)

from eureka_park.foundation.store import insert_or_ignore, insert_or_replace
from eureka_park.ledger.core.rules import BRIDGE
from eureka_park.ledger.store import metadata

grants = Table(
    "grants",
    metadata,
    Column("grant_id", String(64), primary_key=True),
    Column("project", String(63), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("title", String(200), nullable=False),
    Column("amount_micro", BigInteger, nullable=False),  # both halves, where there are two
    Column("second_micro", BigInteger, nullable=False),  # the second half; 0: given at once
    Column("released_at_s", Double, nullable=True),  # when the second half came
    Column("valid_from_s", Double, nullable=False),  # park time
    Column("valid_until_s", Double, nullable=True),
    Column("conditions", Text, nullable=False),
    Column("state", String(8), nullable=False),  # open or ended
    Column("given_by", String(64), nullable=False),
    Column("given_at_s", Double, nullable=False),
    Column("awaits", String(200), nullable=False, default=""),  # of a bridge: the grant that it reaches to
    Column("ending_told_s", Double, nullable=True),  # when its project was told that it ends soon
    Index("grants_by_project", "project"),
    Index("grants_by_state", "state", "valid_until_s"),
)
reclaims = Table(
    "reclaims",
    metadata,
    Column("grant_id", String(64), primary_key=True),
    Column("noticed_at_s", Double, primary_key=True),
    Column("due_at_s", Double, nullable=False),
    Column("amount_micro", BigInteger, nullable=False),
    Column("state", String(8), nullable=False),  # noticed, done or undone
)
grant_reports = Table(
    "grant_reports",
    metadata,
    Column("grant_id", String(64), primary_key=True),
    Column("at_s", Double, nullable=False),  # when it was made, and the second half given by it
    Column("body", Text, nullable=False),  # JSON; see reports.report
)
budgets = Table(
    "budgets",
    metadata,
    Column("project", String(63), primary_key=True),
    Column("name", String(63), primary_key=True),
    Column("amount_micro", BigInteger, nullable=False),
    Column("period", String(8), nullable=False),  # month or total
    Column("thresholds", String(120), nullable=False),  # percent, by commas
    Column("action", String(8), nullable=False),  # at 100 %: notify or hold
)
budget_marks = Table(
    "budget_marks",
    metadata,
    Column("project", String(63), primary_key=True),
    Column("name", String(63), primary_key=True),
    Column("period_day", Integer, primary_key=True, autoincrement=False),
    Column("threshold_pct", Integer, primary_key=True, autoincrement=False),
    Column("at_s", Double, nullable=False),
)
OPEN: Final = "open"
ENDED: Final = "ended"


@dataclass(frozen=True, slots=True)
class Grant:
    """Credits that a project may spend for a time. `second_micro` of `amount_micro` comes after a report."""

    grant_id: str
    project: str
    kind: str
    title: str
    amount_micro: int
    valid_from_s: float
    valid_until_s: float | None
    given_by: str
    given_at_s: float
    second_micro: int = 0
    released_at_s: float | None = None
    conditions: str = ""
    state: str = OPEN
    awaits: str = ""
    ending_told_s: float | None = None

    @property
    def given_micro(self) -> int:
        """What has been given of it so far."""
        return self.amount_micro if self.released_at_s is not None else self.amount_micro - self.second_micro

    def is_valid(self, at_s: float) -> bool:
        """Whether new work may draw on it at an instant."""
        is_over = self.valid_until_s is not None and at_s >= self.valid_until_s
        return self.state == OPEN and self.valid_from_s <= at_s and not is_over


@dataclass(frozen=True, slots=True)
class Budget:
    """What a project means to spend at most in a month, or in all. `thresholds`: percent at which it is told."""

    project: str
    name: str
    amount_micro: int
    period: str
    thresholds: tuple[int, ...]
    action: str


@dataclass(frozen=True, slots=True)
class Reclaim:
    """What goes back of a grant that is little used, and when."""

    grant_id: str
    noticed_at_s: float
    due_at_s: float
    amount_micro: int
    state: str


def save(conn: Connection, grant: Grant) -> None:
    """Keep a grant, new or changed."""
    insert_or_replace(conn, grants, [{name: getattr(grant, name) for name in Grant.__slots__}])


def grant(conn: Connection, grant_id: str) -> Grant | None:
    """One grant."""
    row = conn.execute(select(grants).where(grants.c.grant_id == grant_id)).one_or_none()
    return None if row is None else Grant(**row._mapping)


def of_project(conn: Connection, project: str) -> list[Grant]:
    """The grants of a project, those that end first before others; without an end last."""
    found = [Grant(**row._mapping) for row in conn.execute(select(grants).where(grants.c.project == project))]
    return sorted(found, key=_by_end)


def _by_end(item: Grant) -> tuple[float, float, str]:
    until_s = item.valid_until_s if item.valid_until_s is not None else float("inf")
    return until_s, item.given_at_s, item.grant_id


def open_grants(conn: Connection) -> list[Grant]:
    """All grants that are not ended, of all projects."""
    rows = conn.execute(select(grants).where(grants.c.state == OPEN).order_by(grants.c.grant_id))
    return [Grant(**row._mapping) for row in rows]


def past_end(conn: Connection, at_s: float) -> list[Grant]:
    """Grants that are over and not ended yet."""
    query = select(grants).where(grants.c.state == OPEN, grants.c.valid_until_s <= at_s)
    return [Grant(**row._mapping) for row in conn.execute(query.order_by(grants.c.grant_id))]


def open_bridges(conn: Connection, project: str = "") -> list[Grant]:
    """Bridges that are not ended, of one project or of all."""
    query = select(grants).where(grants.c.state == OPEN, grants.c.kind == BRIDGE)
    rows = conn.execute((query.where(grants.c.project == project) if project else query).order_by(grants.c.grant_id))
    return [Grant(**row._mapping) for row in rows]


def save_report(conn: Connection, grant_id: str, at_s: float, body: Mapping[str, Any]) -> None:
    """Keep the report by which a second half came."""
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, allow_nan=False)
    insert_or_replace(conn, grant_reports, [{"grant_id": grant_id, "at_s": at_s, "body": text}])


def kept_report(conn: Connection, grant_id: str) -> dict[str, Any] | None:
    """That report; None where there was none."""
    body = conn.execute(select(grant_reports.c.body).where(grant_reports.c.grant_id == grant_id)).scalar()
    return None if body is None else dict(json.loads(body))


def all_grants(conn: Connection, limit: int = 1000, after: str = "") -> list[Grant]:
    """Grants by id."""
    query = select(grants).where(grants.c.grant_id > after).order_by(grants.c.grant_id).limit(limit)
    return [Grant(**row._mapping) for row in conn.execute(query)]


def save_reclaim(conn: Connection, found: Reclaim) -> None:
    """Keep what goes back of a grant."""
    insert_or_replace(conn, reclaims, [{name: getattr(found, name) for name in Reclaim.__slots__}])


def reclaims_of(conn: Connection, grant_ids: Sequence[str]) -> list[Reclaim]:
    """What was noticed of these grants, the oldest first."""
    query = select(reclaims).where(reclaims.c.grant_id.in_(grant_ids)).order_by(reclaims.c.noticed_at_s)
    return [Reclaim(**row._mapping) for row in conn.execute(query)]


def save_budget(conn: Connection, budget: Budget) -> None:
    """Set a budget."""
    row = {name: getattr(budget, name) for name in Budget.__slots__}
    insert_or_replace(conn, budgets, [row | {"thresholds": ",".join(str(pct) for pct in budget.thresholds)}])


def drop_budget(conn: Connection, project: str, name: str) -> bool:
    """Forget a budget; whether there was one."""
    gone = conn.execute(delete(budgets).where(budgets.c.project == project, budgets.c.name == name))
    return bool(gone.rowcount)


def budgets_of(conn: Connection, project: str) -> list[Budget]:
    """The budgets of a project by name."""
    rows = conn.execute(select(budgets).where(budgets.c.project == project).order_by(budgets.c.name))
    return [_budget(dict(row._mapping)) for row in rows]


def _budget(row: Mapping[str, Any]) -> Budget:
    return Budget(**{**row, "thresholds": tuple(int(text) for text in str(row["thresholds"]).split(",") if text)})


def marks_of(conn: Connection, budget: Budget, period_day: int) -> set[int]:
    """The thresholds that were told in a period, in percent."""
    table = budget_marks.c
    query = select(table.threshold_pct).where(
        table.project == budget.project, table.name == budget.name, table.period_day == period_day
    )
    return set(conn.execute(query).scalars())


def mark(conn: Connection, budget: Budget, period_day: int, pcts: Sequence[int], at_s: float) -> None:
    """Note that thresholds are told."""
    key = {"project": budget.project, "name": budget.name, "period_day": period_day, "at_s": at_s}
    insert_or_ignore(conn, budget_marks, [key | {"threshold_pct": pct} for pct in pcts])
