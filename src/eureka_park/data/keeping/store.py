"""Rows of rules and holds. Each function is a part of its caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Double, Integer, String, Table, Text, delete, select, update

from eureka_park.data.core.lasting import LastingRule
from eureka_park.data.store import metadata
from eureka_park.foundation.errors import Conflict
from eureka_park.foundation.store import insert_or_ignore, insert_or_replace
from eureka_park.foundation.units import iso_from_s

lasting_rules = Table(
    "lasting_rules",
    metadata,
    Column("repository_id", String(40), primary_key=True),
    Column("n_versions", Integer),
    Column("history_s", Double),
    Column("branches_s", Double),
    Column("branch_prefix", String(200), nullable=False),
    Column("set_by", String(80), nullable=False),
    Column("set_at_s", Double, nullable=False),
    Column("applied_at_s", Double),
)
legal_holds = Table(
    "legal_holds",
    metadata,
    Column("repository_id", String(40), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("set_by", String(80), nullable=False),
    Column("set_at_s", Double, nullable=False),
)
lost_versions = Table(
    "lost_versions",
    metadata,
    Column("repository_id", String(40), primary_key=True),
    Column("n_versions", BigInteger, nullable=False),
    Column("n_branches", BigInteger, nullable=False),
    Column("newest_at_s", Double),  # when the newest of them was made
    Column("lost_at_s", Double, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold: nothing of the repository may go while it is on."""

    repository_id: str
    reason: str
    set_by: str
    set_at_s: float


@dataclass(frozen=True, slots=True)
class Lost:
    """What rules have taken from a repository so far. `newest_at_s`: when the newest version of that was made."""

    n_versions: int = 0
    n_branches: int = 0
    newest_at_s: float | None = None
    lost_at_s: float | None = None


# -- rules -------------------------------------------------------------------------------------------------------------
def rule(conn: Connection, repository_id: str) -> LastingRule:
    """A repository's rule; an empty one where nobody has set any."""
    row = conn.execute(select(lasting_rules).where(lasting_rules.c.repository_id == repository_id)).one_or_none()
    return LastingRule() if row is None else _rule(row)


def set_rule(conn: Connection, repository_id: str, new: LastingRule, by: str, now_s: float) -> None:
    """Keep a rule in place of the one before; an empty one goes."""
    if new.is_empty:
        conn.execute(delete(lasting_rules).where(lasting_rules.c.repository_id == repository_id))
        return
    row = {
        "repository_id": repository_id,
        "n_versions": new.n_versions,
        "history_s": new.history_s,
        "branches_s": new.branches_s,
        "branch_prefix": new.branch_prefix,
        "set_by": by,
        "set_at_s": now_s,
        "applied_at_s": None,
    }
    insert_or_replace(conn, lasting_rules, [row])


def due_rules(conn: Connection, before_s: float, most: int) -> list[str]:
    """Repositories whose rules were not applied since, those that never were first."""
    of = lasting_rules.c
    query = select(of.repository_id).where(of.applied_at_s.is_(None) | (of.applied_at_s < before_s))
    return list(conn.execute(query.order_by(of.applied_at_s, of.repository_id).limit(most)).scalars())


def note_applied(conn: Connection, repository_id: str, now_s: float) -> None:
    """A rule was applied whole."""
    of = lasting_rules.c
    conn.execute(update(lasting_rules).where(of.repository_id == repository_id).values(applied_at_s=now_s))


def add_lost(
    conn: Connection, repository_id: str, n_versions: int, n_branches: int, newest_at_s: float | None, now_s: float
) -> None:
    """Count what a rule has taken."""
    of = lost_versions.c
    first = {"repository_id": repository_id, "n_versions": 0, "n_branches": 0, "newest_at_s": None, "lost_at_s": now_s}
    insert_or_ignore(conn, lost_versions, [first])
    before = lost(conn, repository_id)
    newest = [at_s for at_s in (before.newest_at_s, newest_at_s) if at_s is not None]
    values = {
        "n_versions": before.n_versions + n_versions,
        "n_branches": before.n_branches + n_branches,
        "newest_at_s": max(newest) if newest else None,
        "lost_at_s": now_s,
    }
    conn.execute(update(lost_versions).where(of.repository_id == repository_id).values(**values))


def lost(conn: Connection, repository_id: str) -> Lost:
    """What rules have taken from a repository."""
    row = conn.execute(select(lost_versions).where(lost_versions.c.repository_id == repository_id)).one_or_none()
    return Lost() if row is None else Lost(row.n_versions, row.n_branches, row.newest_at_s, row.lost_at_s)


def _rule(row: Any) -> LastingRule:
    return LastingRule(row.n_versions, row.history_s, row.branches_s, row.branch_prefix)


# -- holds -------------------------------------------------------------------------------------------------------------
def hold(conn: Connection, repository_id: str) -> Hold | None:
    """The hold on a repository."""
    row = conn.execute(select(legal_holds).where(legal_holds.c.repository_id == repository_id)).one_or_none()
    return None if row is None else Hold(row.repository_id, row.reason, row.set_by, row.set_at_s)


def holds(conn: Connection, repository_ids: Sequence[str]) -> dict[str, Hold]:
    """The holds on some repositories."""
    query = select(legal_holds).where(legal_holds.c.repository_id.in_(repository_ids))
    return {
        row.repository_id: Hold(row.repository_id, row.reason, row.set_by, row.set_at_s) for row in conn.execute(query)
    }


def set_hold(conn: Connection, on: Hold) -> None:
    """Put a hold on a repository, in place of one before."""
    row = {
        "repository_id": on.repository_id, "reason": on.reason, "set_by": on.set_by, "set_at_s": on.set_at_s,
    }  # fmt: skip
    insert_or_replace(conn, legal_holds, [row])


def lift_hold(conn: Connection, repository_id: str) -> bool:
    """Take a hold off; whether there was one."""
    return conn.execute(delete(legal_holds).where(legal_holds.c.repository_id == repository_id)).rowcount == 1


def check_no_hold(conn: Connection, repository_id: str, full_name: str) -> None:
    """Raise Conflict (`on_hold`) where nothing of a repository may go. Call inside the transaction that takes away.

    The reason is not told here: whoever asks for the hold itself is told.
    """
    on = hold(conn, repository_id)
    if on is not None:
        since = (iso_from_s(on.set_at_s) or "")[:10]
        raise Conflict(
            f"{full_name} is on legal hold since {since}: nothing of it can be taken away.",
            fix=f"Ask whoever set the hold (park data hold {full_name}), or leave it as it is.",
            code="on_hold",
        )


def forget(conn: Connection, repository_id: str) -> None:
    """A repository is no more: its rule and what was lost by it go too."""
    for table in (lasting_rules, lost_versions):
        conn.execute(delete(table).where(table.c.repository_id == repository_id))
