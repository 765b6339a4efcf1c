"""Rows of what becomes of the outputs of jobs. Each function is a part of its caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Connection, Double, Index, Integer, String, Table, Text, select, update

from eureka_park.compute.core.job import Job, JobState
from eureka_park.compute.store import metadata
from eureka_park.foundation.store import insert_or_ignore, insert_or_replace

DUE, WAITING, COMMITTED = "due", "waiting", "committed"
_BLOCK: Final = 500

job_outputs = Table(
    "job_outputs",
    metadata,
    Column("job_id", String(64), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),  # among the outputs that the job declares
    Column("state", String(16), nullable=False),
    Column("person_id", String(80), nullable=False),  # whose commit it is
    Column("due_at_s", Double, nullable=False),  # real time
    Column("n_tries", Integer, nullable=False),
    Column("repository_id", String(40), nullable=False),  # '' until it is committed
    Column("commit_id", String(40), nullable=False),
    Column("n_files", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("text", Text, nullable=False),  # why it is not committed
    Column("fix", Text, nullable=False),
    Index("outputs_due", "state", "due_at_s"),
    Index("outputs_by_commit", "repository_id", "commit_id"),
)


@dataclass(frozen=True, slots=True)
class OutputRow:
    """How far one output of a job is."""

    job_id: str
    position: int
    state: str
    person_id: str
    due_at_s: float
    n_tries: int = 0
    repository_id: str = ""
    commit_id: str = ""
    n_files: int = 0
    size_bytes: int = 0
    text: str = ""
    fix: str = ""

    def to_row(self) -> dict[str, Any]:
        """As the table has it."""
        return {name: getattr(self, name) for name in self.__slots__}


def note_over(conn: Connection, jobs: Iterable[Job], real_s: float) -> None:
    """Have the outputs of jobs that are over committed, in the transaction that tells of their ends."""
    rows = [
        OutputRow(job.job_id, position, DUE, job.spec.person, real_s).to_row()
        for job in jobs
        if job.state is JobState.FINISHED or (job.spec.output_always and job.state is JobState.FAILED)
        for position in range(len(job.spec.outputs))
    ]
    insert_or_ignore(conn, job_outputs, rows)


def put(conn: Connection, rows: Sequence[OutputRow]) -> None:
    """Keep rows as they are now."""
    insert_or_replace(conn, job_outputs, [row.to_row() for row in rows])


def due(conn: Connection, real_s: float, most: int) -> list[OutputRow]:
    """Outputs whose turn it is, the longest due first."""
    of = job_outputs.c
    query = select(job_outputs).where(of.state == DUE, of.due_at_s <= real_s).order_by(of.due_at_s).limit(most)
    return [_row(row) for row in conn.execute(query)]


def of_jobs(conn: Connection, job_ids: Sequence[str]) -> dict[tuple[str, int], OutputRow]:
    """How far the outputs of jobs are, by job and position."""
    found: dict[tuple[str, int], OutputRow] = {}
    for at in range(0, len(job_ids), _BLOCK):
        query = select(job_outputs).where(job_outputs.c.job_id.in_(job_ids[at : at + _BLOCK]))
        found |= {(row.job_id, row.position): _row(row) for row in conn.execute(query)}
    return found


def settle(conn: Connection, done: OutputRow) -> bool:
    """Note a commit, in its own transaction; False where another one was quicker, and this must not be."""
    of = job_outputs.c
    chosen = (of.job_id == done.job_id) & (of.position == done.position) & (of.state != COMMITTED)
    return conn.execute(update(job_outputs).where(chosen).values(**done.to_row())).rowcount == 1


def _row(row: Any) -> OutputRow:
    return OutputRow(**row._mapping)
