"""Rows of compute: the jobs as people see them, and the inbox through which commands reach `live`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from eureka_park.compute.core.job import ENDED, Job, Reason
from eureka_park.foundation.store import insert_or_ignore, insert_or_replace

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String(64), primary_key=True),
    Column("ordinal", Integer, nullable=False),
    Column("array_id", String(64)),
    Column("task_index", Integer),
    Column("project", String(128), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tier", String(8), nullable=False),
    Column("spec", Text, nullable=False),
    Column("submitted_s", Float, nullable=False),
    Column("deadline_s", Float),
    Column("started_s", Float),
    Column("ended_s", Float),
    Column("exit_code", Integer),
    Column("exit_signal", Integer),
    Column("attempt", Integer, nullable=False),
    Column("resume_count", Integer, nullable=False),
    Column("n_pauses", Integer, nullable=False),
    Column("cap_frac", Float, nullable=False),
    Column("ran_s", Float, nullable=False),
    Column("node", String(128), nullable=False),
    Column("sandbox_level", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Index("jobs_by_state", "state", "ordinal"),
    Index("jobs_by_project", "project", "ordinal"),
    Index("jobs_by_array", "array_id", "task_index"),
    Index("jobs_by_ordinal", "ordinal"),
)

timeline = Table(
    "job_timeline",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("job_id", String(64), nullable=False),
    Column("at_s", Float, nullable=False),
    Column("what", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Index("timeline_by_job", "job_id", "seq"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("inbox_seq", Integer, primary_key=True, autoincrement=True),
    Column("idempotency_key", String(200), nullable=False, unique=True),
    Column("kind", String(32), nullable=False),
    Column("job_id", String(64), nullable=False),
    Column("payload", Text, nullable=False),
    Column("posted_real_s", Float, nullable=False),
    Column("done_seq", Integer),
    Index("inbox_open", "done_seq", "inbox_seq"),
    Index("inbox_by_job", "job_id"),
)

_ENDED_NAMES: Final = tuple(str(state) for state in ENDED)


# -- inbox -------------------------------------------------------------------------------------------------------------
def post_command(conn: Connection, key: str, kind: str, job_id: str, payload: Mapping[str, Any], real_s: float) -> str:
    """Append a command; the job id of the first command with this idempotency key comes back, now or then."""
    row = {
        "idempotency_key": key,
        "kind": kind,
        "job_id": job_id,
        "payload": json.dumps(payload),
        "posted_real_s": real_s,
    }
    insert_or_ignore(conn, inbox, [row])
    first: str = conn.execute(select(inbox.c.job_id).where(inbox.c.idempotency_key == key)).scalar_one()
    return first


def open_commands(conn: Connection, limit: int) -> list[dict[str, Any]]:
    """Commands that live has not taken yet, oldest first."""
    rows = conn.execute(select(inbox).where(inbox.c.done_seq.is_(None)).order_by(inbox.c.inbox_seq).limit(limit))
    return [{**row._mapping, "payload": json.loads(row.payload)} for row in rows]


def close_commands(conn: Connection, inbox_seqs: Sequence[int], journal_seq: int) -> None:
    """Mark commands as taken at a journal sequence."""
    for at in range(0, len(inbox_seqs), 500):
        part = inbox_seqs[at : at + 500]
        conn.execute(update(inbox).where(inbox.c.inbox_seq.in_(part)).values(done_seq=journal_seq))


def drop_old_commands(conn: Connection, before_real_s: float) -> None:
    """Forget taken commands (and their idempotency keys) older than an instant."""
    conn.execute(delete(inbox).where(inbox.c.done_seq.is_not(None), inbox.c.posted_real_s < before_real_s))


def posted_job(conn: Connection, job_id: str) -> dict[str, Any] | None:
    """The submission of a job that live has not taken yet."""
    query = select(inbox).where(inbox.c.job_id == job_id, inbox.c.kind == "submit", inbox.c.done_seq.is_(None))
    row = conn.execute(query).first()
    return None if row is None else {**row._mapping, "payload": json.loads(row.payload)}


# -- jobs --------------------------------------------------------------------------------------------------------------
def row_of(job: Job, array_id: str | None, task_index: int | None, reasons: Sequence[Reason]) -> dict[str, Any]:
    """A job's row as live writes it."""
    return {
        "job_id": job.job_id, "ordinal": job.order, "array_id": array_id, "task_index": task_index,
        "project": job.spec.project, "name": job.spec.name, "state": str(job.state), "tier": str(job.spec.tier),
        "spec": json.dumps(job.spec.to_json()), "submitted_s": job.submitted_s, "deadline_s": job.deadline_s,
        "started_s": job.first_started_s, "ended_s": job.ended_s, "exit_code": job.exit_code, "exit_signal":
        job.exit_signal,
        "attempt": job.attempt, "resume_count": job.resume_count, "n_pauses": job.n_pauses, "cap_frac": job.cap_frac,
        "ran_s": job.ran_s, "node": job.node, "sandbox_level": job.sandbox_level, "detail": job.detail,
        "reasons": json.dumps([reason.to_json() for reason in reasons]),
    }  # fmt: skip


def save_jobs(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or replace job rows."""
    insert_or_replace(conn, jobs, rows)


def save_reasons(conn: Connection, reasons: Mapping[str, Sequence[Reason]]) -> None:
    """Write the newest reasons of jobs that did not change otherwise."""
    rows = [
        {"id": job_id, "words": json.dumps([item.to_json() for item in items])} for job_id, items in reasons.items()
    ]
    if rows:
        conn.execute(update(jobs).where(jobs.c.job_id == bindparam("id")).values(reasons=bindparam("words")), rows)


def save_timeline(conn: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Append to the jobs' timelines: seq, job_id, at_s, what, text."""
    rows = list(rows)
    if rows:
        conn.execute(insert(timeline), rows)


def timeline_of(conn: Connection, job_id: str) -> list[dict[str, Any]]:
    """What happened to a job, oldest first."""
    rows = conn.execute(select(timeline).where(timeline.c.job_id == job_id).order_by(timeline.c.seq))
    return [dict(row._mapping) for row in rows]


def _read(row: Any) -> dict[str, Any]:
    return {**row._mapping, "spec": json.loads(row.spec), "reasons": json.loads(row.reasons)}


def job(conn: Connection, job_id: str) -> dict[str, Any] | None:
    """One job's row, or None."""
    row = conn.execute(select(jobs).where(jobs.c.job_id == job_id)).first()
    return None if row is None else _read(row)


def task_ids(conn: Connection, array_id: str) -> list[str]:
    """The ids of an array's tasks by index."""
    query = select(jobs.c.job_id).where(jobs.c.array_id == array_id).order_by(jobs.c.task_index)
    return list(conn.execute(query).scalars())


@dataclass(frozen=True, slots=True)
class ArrayTimes:
    """An array's first start, last end, and how the first task that did not finish ended, as far as there are any."""

    started_s: float | None
    ended_s: float | None
    n_ended: int
    exit_code: int | None
    exit_signal: int | None


def array_times(conn: Connection, array_id: str) -> ArrayTimes:
    """The times of an array, in two statements however many tasks it has."""
    mine = jobs.c.array_id == array_id
    spans = select(func.min(jobs.c.started_s), func.max(jobs.c.ended_s), func.count(jobs.c.ended_s)).where(mine)
    started_s, ended_s, n_ended = conn.execute(spans).one()
    ended_badly = and_(mine, jobs.c.ended_s.is_not(None), jobs.c.state != "finished")
    worst = select(jobs.c.exit_code, jobs.c.exit_signal).where(ended_badly).order_by(jobs.c.task_index).limit(1)
    code, signal = conn.execute(worst).first() or (0, None)
    return ArrayTimes(started_s, ended_s, n_ended, code, signal)


def array_states(conn: Connection, array_id: str) -> dict[str, int]:
    """How many tasks of an array are in each state."""
    query = select(jobs.c.state, func.count()).where(jobs.c.array_id == array_id).group_by(jobs.c.state)
    return {row[0]: row[1] for row in conn.execute(query)}


def page(
    conn: Connection,
    *,
    states: Sequence[str] = (),
    tier: str | None = None,
    projects: Sequence[str] | None = None,
    before: int | None = None,
    limit: int = 100,
    newest_first: bool = True,
) -> list[dict[str, Any]]:
    """Job rows by age; `projects` None means all; `before` continues after an ordinal."""
    query = select(jobs).order_by(jobs.c.ordinal.desc() if newest_first else jobs.c.ordinal).limit(limit)
    if states:
        query = query.where(jobs.c.state.in_(states))
    if tier:
        query = query.where(jobs.c.tier == tier)
    if projects is not None:
        query = query.where(jobs.c.project.in_(projects))
    if before is not None:
        query = query.where(jobs.c.ordinal < before if newest_first else jobs.c.ordinal > before)
    return [_read(row) for row in conn.execute(query)]


def counts(conn: Connection) -> dict[str, int]:
    """How many jobs are in each state."""
    return {row[0]: row[1] for row in conn.execute(select(jobs.c.state, func.count()).group_by(jobs.c.state))}


def n_before(conn: Connection, project: str, tier: str, ordinal: int) -> int:
    """How many queued jobs of the same project and tier came before."""
    query = select(func.count()).where(
        jobs.c.project == project, jobs.c.tier == tier, jobs.c.state == "queued", jobs.c.ordinal < ordinal
    )
    return int(conn.execute(query).scalar_one())


def open_among(conn: Connection, job_ids: Sequence[str]) -> tuple[dict[str, str], set[str]]:
    """Of these job or array ids: the states of ended jobs, and those that are unknown here (perhaps still in the
    inbox).
    """
    ended: dict[str, str] = {}
    unknown: set[str] = set()
    for job_id in job_ids:
        states = array_states(conn, job_id)
        row = job(conn, job_id) if not states else None
        if not states and row is None:
            unknown.add(job_id)
        elif row is not None and row["state"] in _ENDED_NAMES:
            ended[job_id] = row["state"]
        elif states and set(states) <= set(_ENDED_NAMES):
            ended[job_id] = "finished" if set(states) == {"finished"} else next(s for s in states if s != "finished")
    return ended, unknown
