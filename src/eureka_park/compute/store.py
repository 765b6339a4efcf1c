"""Rows of compute: the jobs as people see them, and the inbox through which commands reach `live`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from eureka_park.compute.core.job import ENDED, Job, Reason
from eureka_park.compute.core.listing import NAME_KEY_CHARS, STATE_ORDER, Cursor, Sort, name_key
from eureka_park.compute.place_in_line import Place
from eureka_park.foundation.store import COUNTER, insert_or_ignore, insert_or_replace

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String(64), primary_key=True),
    Column("ordinal", COUNTER, nullable=False),
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
    Column("name_key", String(NAME_KEY_CHARS), nullable=False, server_default=""),  # what is searched and sorted
    Column("kwh", Float, nullable=False, server_default="0"),  # of its receipt
    Column("power", Text, nullable=False, server_default=""),  # JSON: predicted power and what it rests on
    # The rest of a row is wide: what lists filter and sort by stands in indexes that answer without it.
    Index("jobs_by_state", "state", "ordinal", "project", "tier"),
    Column("person", String(64), nullable=False, server_default=""),
    Column("priority", Integer, nullable=False, server_default="0"),
    Index("jobs_in_line", "project", "tier", "state", "person", "priority", "ordinal"),
    Index("jobs_by_project", "project", "state", "ordinal", "tier"),
    Index("jobs_by_array", "array_id", "task_index"),
    Index(
        "jobs_listed",
        *("ordinal", "state", "tier", "project", "job_id", "name_key", "started_s", "ended_s", "ran_s", "kwh"),
    ),
)

timeline = Table(
    "job_timeline",
    metadata,
    Column("seq", COUNTER, primary_key=True),
    Column("job_id", String(64), nullable=False),
    Column("at_s", Float, nullable=False),
    Column("what", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("reason", Text),  # JSON: why, where somebody decided it; for a start, what it had waited for
    Column("cap_frac", Float),
    Column("node", String(128)),
    Index("timeline_by_job", "job_id", "seq"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("inbox_seq", COUNTER, primary_key=True, autoincrement=True),
    Column("idempotency_key", String(200), nullable=False, unique=True),
    Column("kind", String(32), nullable=False),
    Column("job_id", String(64), nullable=False),
    Column("payload", Text, nullable=False),
    Column("posted_real_s", Float, nullable=False),
    Column("done_seq", COUNTER),
    Index("inbox_open", "done_seq", "inbox_seq"),
    Index("inbox_by_job", "job_id"),
)

_ENDED_NAMES: Final = tuple(str(state) for state in ENDED)
_IDS_PER_QUERY: Final = 500


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


def post_cancels(conn: Connection, keys_by_job: Mapping[str, str], real_s: float) -> None:
    """Append a command to cancel for each of these jobs: job id, then its idempotency key."""
    rows = [
        {"idempotency_key": key, "kind": "cancel", "job_id": job_id, "payload": "{}", "posted_real_s": real_s}
        for job_id, key in keys_by_job.items()
    ]
    insert_or_ignore(conn, inbox, rows)


def open_commands(conn: Connection, limit: int) -> list[dict[str, Any]]:
    """Commands that live has not taken yet, oldest first."""
    rows = conn.execute(select(inbox).where(inbox.c.done_seq.is_(None)).order_by(inbox.c.inbox_seq).limit(limit))
    return [{**row._mapping, "payload": json.loads(row.payload)} for row in rows]


def open_commands_of(conn: Connection, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Commands of these kinds that live has not taken yet, oldest first."""
    query = select(inbox).where(inbox.c.done_seq.is_(None), inbox.c.kind.in_(kinds)).order_by(inbox.c.inbox_seq)
    return [{**row._mapping, "payload": json.loads(row.payload)} for row in conn.execute(query)]


def commands_keyed(conn: Connection, prefix: str, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Commands of these kinds whose idempotency keys begin so, oldest first: those taken already too, as far as they
    are kept.
    """
    beyond = prefix[:-1] + chr(ord(prefix[-1]) + 1)  # a range, which the index of keys answers
    is_keyed = and_(inbox.c.idempotency_key >= prefix, inbox.c.idempotency_key < beyond)
    query = select(inbox).where(is_keyed, inbox.c.kind.in_(kinds)).order_by(inbox.c.inbox_seq)
    return [{**row._mapping, "payload": json.loads(row.payload)} for row in conn.execute(query)]


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
        "reasons": json.dumps([reason.to_json() for reason in reasons]), "name_key": name_key(job.spec.name),
        "power": json.dumps(_power_of(job)), "person": job.spec.person, "priority": job.spec.priority,
    }  # fmt: skip


def _power_of(job: Job) -> dict[str, Any]:
    """What it is predicted to draw without a cap, with its share of idle power; IT kW."""
    n_jobs = job.n_learned_from if job.power_from == "learned" else None
    return {"predicted_kw": round(job.rated_kw, 6), "from": job.power_from, "n_jobs": n_jobs}


_FIXED: Final = (
    "ordinal", "array_id", "task_index", "project", "name", "name_key", "tier", "spec", "submitted_s", "deadline_s",
    "person", "priority",
)  # fmt: skip


def save_jobs(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or replace job rows."""
    insert_or_replace(conn, jobs, rows, _FIXED)


def run_times(conn: Connection, limit: int) -> list[tuple[str, str, float, float]]:
    """Of the jobs that ended last and had run: project, person, declared time, run time over it; the oldest first."""
    query = select(jobs.c.spec, jobs.c.ran_s).where(jobs.c.ended_s.is_not(None), jobs.c.started_s.is_not(None))
    rows = list(conn.execute(query.order_by(jobs.c.ended_s.desc()).limit(limit)))
    specs = ((json.loads(row.spec), row.ran_s) for row in reversed(rows))
    asked = ((spec, max(1.0, spec["time_s"]), ran_s) for spec, ran_s in specs)
    return [(spec["project"], spec.get("person", ""), time_s, ran_s / time_s) for spec, time_s, ran_s in asked]


def save_energy(conn: Connection, kwh_by_job: Mapping[str, float]) -> None:
    """Note the energy of jobs that have their receipt, so that lists can be sorted by it."""
    rows = [{"id": job_id, "energy": kwh} for job_id, kwh in kwh_by_job.items()]
    if rows:
        conn.execute(update(jobs).where(jobs.c.job_id == bindparam("id")).values(kwh=bindparam("energy")), rows)


def save_reasons(conn: Connection, reasons: Mapping[str, Sequence[Reason]]) -> None:
    """Write the newest reasons of jobs that did not change otherwise."""
    rows = [
        {"id": job_id, "words": json.dumps([item.to_json() for item in items])} for job_id, items in reasons.items()
    ]
    if rows:
        conn.execute(update(jobs).where(jobs.c.job_id == bindparam("id")).values(reasons=bindparam("words")), rows)


def save_timeline(conn: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Append to the jobs' timelines: seq, job_id, at_s, what, text, reason, cap_frac, node."""
    rows = list(rows)
    if rows:
        conn.execute(insert(timeline), rows)


def timeline_of(conn: Connection, job_id: str) -> list[dict[str, Any]]:
    """What happened to a job, oldest first."""
    return timelines_of(conn, [job_id])[job_id]


def timelines_of(conn: Connection, job_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """What happened to each of these jobs, oldest first."""
    found: dict[str, list[dict[str, Any]]] = {job_id: [] for job_id in job_ids}
    for at in range(0, len(job_ids), _IDS_PER_QUERY):
        query = select(timeline).where(timeline.c.job_id.in_(job_ids[at : at + _IDS_PER_QUERY]))
        for row in conn.execute(query.order_by(timeline.c.job_id, timeline.c.seq)):
            reason = json.loads(row.reason) if row.reason else None
            found[row.job_id].append({**row._mapping, "reason": reason})
    return found


def _read(row: Any) -> dict[str, Any]:
    power = json.loads(row.power) if row.power else None
    return {**row._mapping, "spec": json.loads(row.spec), "reasons": json.loads(row.reasons), "power": power}


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


def rows_of(conn: Connection, job_ids: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of these jobs, in this order; unknown ones are left out."""
    found: dict[str, dict[str, Any]] = {}
    for at in range(0, len(job_ids), _IDS_PER_QUERY):
        query = select(jobs).where(jobs.c.job_id.in_(job_ids[at : at + _IDS_PER_QUERY]))
        found.update({row.job_id: _read(row) for row in conn.execute(query)})
    return [found[job_id] for job_id in job_ids if job_id in found]


def where_of(conn: Connection, job_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Project and state of these jobs; unknown ones are left out."""
    found: dict[str, tuple[str, str]] = {}
    for at in range(0, len(job_ids), _IDS_PER_QUERY):
        part = jobs.c.job_id.in_(job_ids[at : at + _IDS_PER_QUERY])
        rows = conn.execute(select(jobs.c.job_id, jobs.c.project, jobs.c.state).where(part))
        found.update({row.job_id: (row.project, row.state) for row in rows})
    return found


def projects_of(conn: Connection, job_ids: Sequence[str]) -> dict[str, str]:
    """The project of each of these jobs, arrays or submissions that live has not taken yet; unknown ones are left
    out.
    """
    known = where_of(conn, [*job_ids, *(f"{name}[0]" for name in job_ids)])
    rows = {name: known.get(name) or known.get(f"{name}[0]") for name in job_ids}
    found = {name: row[0] for name, row in rows.items() if row is not None}
    rest = [name for name in rows if name not in found]
    for at in range(0, len(rest), _IDS_PER_QUERY):
        query = select(inbox.c.job_id, inbox.c.payload).where(inbox.c.kind == "submit", inbox.c.done_seq.is_(None))
        for row in conn.execute(query.where(inbox.c.job_id.in_(rest[at : at + _IDS_PER_QUERY]))):
            found[row.job_id] = str(json.loads(row.payload)["spec"]["project"])
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """Which jobs a list is asked for. `projects` None: all there are; `text`: part of name, id or project."""

    states: tuple[str, ...] = ()
    tier: str | None = None
    projects: tuple[str, ...] | None = None
    text: str = ""

    @property
    def is_of_one_project(self) -> bool:
        """Whether it asks for one project alone."""
        return self.projects is not None and len(self.projects) == 1


def page(
    conn: Connection, asked: Asked, sort: Sort = Sort.NEWEST, after: Cursor | None = None, limit: int = 100
) -> list[tuple[str, Cursor]]:
    """The ids of jobs in order, from after a cursor, each with its own cursor."""
    if sort not in (Sort.NEWEST, Sort.OLDEST):
        return _sorted_page(conn, asked, sort, after, limit)
    states = asked.states or (STATE_ORDER if asked.is_of_one_project else ())
    if not states or asked.text:
        return _page_by_age(conn, asked, sort, after, limit)
    pages = [_page_by_age(conn, replace(asked, states=(name,)), sort, after, limit) for name in states]
    sign = -1 if sort is Sort.NEWEST else 1
    return sorted((row for part in pages for row in part), key=lambda row: sign * row[1].ordinal)[:limit]


def _page_by_age(
    conn: Connection, asked: Asked, sort: Sort, after: Cursor | None, limit: int
) -> list[tuple[str, Cursor]]:
    """Walk an index that stands in this order: that of one state, or of all jobs where a text is looked for."""
    is_newest = sort is Sort.NEWEST
    by_age = jobs.c.ordinal.desc() if is_newest else jobs.c.ordinal
    query: Select[Any] = select(jobs.c.job_id, jobs.c.ordinal).order_by(by_age)
    query = _filtered(query, asked, by_state=len(asked.states) == 1 and not asked.text)
    if after is not None:
        query = query.where(jobs.c.ordinal < after.ordinal if is_newest else jobs.c.ordinal > after.ordinal)
    return [(row.job_id, Cursor(None, row.ordinal)) for row in conn.execute(query.limit(limit))]


def _sorted_page(
    conn: Connection, asked: Asked, sort: Sort, after: Cursor | None, limit: int
) -> list[tuple[str, Cursor]]:
    """Read the narrow index once and keep the first of the order; equal ones stand newest first."""
    key, is_falling = _sort_key(sort)
    query = _filtered(select(jobs.c.job_id, jobs.c.ordinal, key.label("place")), asked)
    if after is not None:
        beyond = key < after.key if is_falling else key > after.key
        query = query.where(or_(beyond, and_(key == after.key, jobs.c.ordinal < after.ordinal)))
    query = query.order_by(key.desc() if is_falling else key, jobs.c.ordinal.desc()).limit(limit)
    return [(row.job_id, Cursor(row.place, row.ordinal)) for row in conn.execute(query)]


def _sort_key(sort: Sort) -> tuple[Any, bool]:
    """What a list is sorted by, never NULL, and whether it falls."""
    ranks = {name: rank for rank, name in enumerate(STATE_ORDER)}
    keys: dict[Sort, tuple[Any, bool]] = {
        Sort.NAME: (jobs.c.name_key, False),
        Sort.STATE: (case(ranks, value=jobs.c.state, else_=len(ranks)), False),
        Sort.TIER: (jobs.c.tier, False),
        Sort.STARTED: (func.coalesce(jobs.c.started_s, -1.0), True),
        Sort.ENDED: (func.coalesce(jobs.c.ended_s, -1.0), True),
        Sort.ENERGY: (jobs.c.kwh, True),
        Sort.LONGEST: (jobs.c.ran_s, True),
    }
    return keys[sort]


def _filtered(query: Select[Any], asked: Asked, *, by_state: bool = False) -> Select[Any]:
    """A query with its conditions. Those that are not to choose the index are told as expressions."""
    by_project = by_state and asked.is_of_one_project
    if asked.states:
        query = query.where((jobs.c.state if by_state else jobs.c.state.concat("")).in_(asked.states))
    if asked.tier:
        query = query.where(jobs.c.tier == asked.tier)
    if asked.projects is not None:
        query = query.where((jobs.c.project if by_project else jobs.c.project.concat("")).in_(asked.projects))
    if asked.text:
        part = asked.text.casefold()
        places = (jobs.c.name_key, jobs.c.job_id, func.lower(jobs.c.project))
        query = query.where(or_(*(place.contains(part, autoescape=True) for place in places)))
    return query


def count(conn: Connection, asked: Asked) -> int:
    """How many jobs a list has."""
    every: Select[Any] = select(func.count()).select_from(jobs)
    query = _filtered(every, asked, by_state=not asked.text)
    return int(conn.execute(query).scalar_one())


def counts(conn: Connection, projects: Sequence[str] | None = None) -> dict[str, int]:
    """How many jobs are in each state, of all projects or of some."""
    query = select(jobs.c.state, func.count()).group_by(jobs.c.state)
    if projects is not None:
        query = query.where(jobs.c.project.concat("").in_(projects))
    return {row[0]: row[1] for row in conn.execute(query)}


def started_between(
    conn: Connection, since_s: float, until_s: float, projects: Sequence[str] | None, limit: int
) -> list[str]:
    """Jobs that had started before the end of a stretch of time and not ended before its begin, latest start first."""
    query = select(jobs.c.job_id).where(
        jobs.c.started_s < until_s, or_(jobs.c.ended_s.is_(None), jobs.c.ended_s > since_s)
    )
    if projects is not None:
        query = query.where(jobs.c.project.concat("").in_(projects))
    query = query.order_by(jobs.c.started_s.desc(), jobs.c.ordinal.desc()).limit(limit)
    return list(conn.execute(query).scalars())


def n_before(conn: Connection, place: Place) -> int:
    """How many jobs stand before a queued one in its line."""
    return int(conn.execute(select(func.count()).select_from(jobs).where(_stand_before(place))).scalar_one())


def rows_before(conn: Connection, place: Place, limit: int) -> list[dict[str, Any]]:
    """The first of those, first in line first."""
    order = (case((jobs.c.state == "paused", 0), else_=1), jobs.c.priority.desc(), jobs.c.ordinal)
    query = select(jobs.c.job_id).where(_stand_before(place)).order_by(*order).limit(limit)
    return rows_of(conn, list(conn.execute(query).scalars()))


def _stand_before(place: Place) -> Any:
    c, priority = jobs.c, place.priority
    is_sooner = c.priority >= priority
    if place.ordinal is not None:
        is_sooner = or_(c.priority > priority, and_(c.priority == priority, c.ordinal < place.ordinal))
    in_line = and_(c.project == place.project, c.tier == place.tier, c.person == place.person)
    return and_(in_line, or_(c.state == "paused", and_(c.state == "queued", is_sooner)))


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


def jobs_of_person(conn: Connection, person_id: str, limit: int) -> list[dict[str, Any]]:
    """The jobs that a person sent, the newest first."""
    columns = [jobs.c[name] for name in ("job_id", "name", "project", "state", "submitted_s", "ended_s", "kwh")]
    query = select(*columns).where(jobs.c.person == person_id).order_by(jobs.c.ordinal.desc()).limit(limit)
    return [dict(row._mapping) for row in conn.execute(query)]
