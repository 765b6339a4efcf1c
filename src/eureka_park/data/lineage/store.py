"""Rows of lineage. Each function is a part of its caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, Double, Index, Integer, String, Table, Text, delete, literal, select

from eureka_park.data.core.lineage import Making, Relation, Source, Way
from eureka_park.data.repositories.store import commits
from eureka_park.data.store import metadata
from eureka_park.foundation.store import insert_or_replace

_BLOCK: Final = 500

lineage_makings = Table(
    "lineage_makings",
    metadata,
    Column("making_id", String(40), primary_key=True),
    Column("repository_id", String(40), nullable=False),  # what was made
    Column("commit_id", String(40), nullable=False),
    Column("way", String(16), nullable=False),
    Column("job_id", String(64), nullable=False),  # '' where no job did it
    Column("job_project", String(128), nullable=False),
    Column("person_id", String(80), nullable=False),
    Column("made_at_s", Double, nullable=False),
    Index("makings_of_version", "repository_id", "commit_id"),
    Index("makings_of_job", "job_id"),
)
lineage_sources = Table(
    "lineage_sources",
    metadata,
    Column("making_id", String(40), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("relation", String(16), nullable=False),
    Column("repository_id", String(40), nullable=False),  # '' for something outside the park, which `text` names
    Column("commit_id", String(40), nullable=False),
    Column("text", Text, nullable=False),
    Index("sources_by_version", "repository_id", "commit_id"),
)


def note(conn: Connection, made: Making) -> None:
    """Keep a making; one that is there already takes the new sources."""
    row = {
        "making_id": made.making_id,
        "repository_id": made.repository_id,
        "commit_id": made.commit_id,
        "way": str(made.way),
        "job_id": made.job_id,
        "job_project": made.job_project,
        "person_id": made.person_id,
        "made_at_s": made.made_at_s,
    }
    insert_or_replace(conn, lineage_makings, [row])
    conn.execute(delete(lineage_sources).where(lineage_sources.c.making_id == made.making_id))
    rows = [
        {
            "making_id": made.making_id,
            "position": position,
            "relation": str(one.relation),
            "repository_id": one.repository_id,
            "commit_id": one.commit_id,
            "text": one.text,
        }
        for position, one in enumerate(made.sources)
    ]
    insert_or_replace(conn, lineage_sources, rows)


def forget(conn: Connection, making_id: str) -> None:
    """Take a making away."""
    for table in (lineage_sources, lineage_makings):
        conn.execute(delete(table).where(table.c.making_id == making_id))


def makings_of(conn: Connection, repository_id: str, commit_ids: Sequence[str], most: int) -> list[Making]:
    """How some versions of a repository came about, the newest first."""
    of, rows = lineage_makings.c, list[Any]()
    for at in range(0, len(commit_ids), _BLOCK):
        chosen = (of.repository_id == repository_id, of.commit_id.in_(commit_ids[at : at + _BLOCK]))
        rows += conn.execute(select(lineage_makings).where(*chosen).order_by(of.made_at_s.desc()).limit(most))
    return _with_sources(conn, rows[:most])


def made_versions(conn: Connection, repository_id: str, most: int) -> list[str]:
    """The versions of a repository of which one knows how they came about, the newest first."""
    of = lineage_makings.c
    query = select(of.commit_id).where(of.repository_id == repository_id).order_by(of.made_at_s.desc()).limit(most)
    return list(dict.fromkeys(conn.execute(query).scalars()))


def used_versions(conn: Connection, repository_id: str, most: int) -> list[str]:
    """The versions of a repository from which something was made, those used last first."""
    of, made = lineage_sources.c, lineage_makings.c
    query = select(of.commit_id).join(lineage_makings, of.making_id == made.making_id)
    query = query.where(of.repository_id == repository_id).order_by(made.made_at_s.desc()).limit(most)
    return list(dict.fromkeys(conn.execute(query).scalars()))


def made_from(conn: Connection, repository_id: str, commit_id: str, most: int) -> list[Making]:
    """What was made from a version, the newest first."""
    of, made = lineage_sources.c, lineage_makings.c
    query = select(lineage_makings).join(lineage_sources, of.making_id == made.making_id)
    query = query.where(of.repository_id == repository_id, of.commit_id == commit_id).distinct()
    return _with_sources(conn, list(conn.execute(query.order_by(made.made_at_s.desc()).limit(most))))


def _with_sources(conn: Connection, rows: Iterable[Any]) -> list[Making]:
    found = list(rows)
    sources: dict[str, list[Source]] = {row.making_id: [] for row in found}
    names, of = list(sources), lineage_sources.c
    for at in range(0, len(names), _BLOCK):
        query = select(lineage_sources).where(of.making_id.in_(names[at : at + _BLOCK]))
        for row in conn.execute(query.order_by(of.making_id, of.position)):
            source = Source(Relation(row.relation), row.repository_id, row.commit_id, row.text)
            sources[row.making_id].append(source)
    return [
        Making(
            row.repository_id, row.commit_id, Way(row.way), row.made_at_s, tuple(sources[row.making_id]), row.job_id,
            row.job_project, row.person_id,
        )
        for row in found
    ]  # fmt: skip


def chain(conn: Connection, repository_id: str, commit_id: str, most: int) -> list[str]:
    """A version and those before it, the newest first, at most so many."""
    of = commits.c
    start = select(of.commit_id, of.parent_id, literal(0).label("depth"))
    line = start.where(of.repository_id == repository_id, of.commit_id == commit_id).cte("line", recursive=True)
    before = select(of.commit_id, of.parent_id, (line.c.depth + 1).label("depth"))
    before = before.where(of.repository_id == repository_id, of.commit_id == line.c.parent_id, line.c.depth + 1 < most)
    line = line.union_all(before)
    return list(conn.execute(select(line.c.commit_id).order_by(line.c.depth)).scalars())
