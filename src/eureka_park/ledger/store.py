"""Rows of the ledger, all energies in whole microjoules.

The largest site's hour fits a 64-bit column, its year does not: sums over hours are taken in Python.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    MetaData,
    Row,
    Select,
    String,
    Table,
    Text,
    case,
    delete,
    func,
    insert,
    select,
)

from eureka_park.foundation.store import insert_or_add, insert_or_replace
from eureka_park.ledger.core.metering import IDLE
from eureka_park.ledger.core.receipt import HourLine, Settlement

metadata = MetaData()

energy_hours = Table(
    "energy_hours",
    metadata,
    Column("account", String(80), primary_key=True),  # a job's id, or 'idle'
    Column("hour_s", BigInteger, primary_key=True, autoincrement=False),  # start of the park hour
    Column("source", String(63), primary_key=True),
    Column("method", String(16), primary_key=True),  # measured and modelled stay apart
    Column("it_uj", BigInteger, nullable=False),
    Column("site_uj", BigInteger, nullable=False),
    Column("gco2_ng", BigInteger, nullable=False),
    Column("cost_nmad", BigInteger, nullable=False),
    Index("energy_hours_by_hour", "hour_s"),
)
meter_hours = Table(
    "meter_hours",
    metadata,
    Column("hour_s", BigInteger, primary_key=True, autoincrement=False),
    Column("method", String(16), primary_key=True),
    Column("it_uj", BigInteger, nullable=False),
    Column("site_uj", BigInteger, nullable=False),
)
# The same energy once more by tier instead of account: what charts ask for stays small however many jobs there are.
tier_hours = Table(
    "tier_hours",
    metadata,
    Column("hour_s", BigInteger, primary_key=True, autoincrement=False),
    Column("tier", String(8), primary_key=True),  # of the jobs, or 'idle'
    Column("source", String(63), primary_key=True),
    Column("method", String(16), primary_key=True),
    Column("it_uj", BigInteger, nullable=False),
    Column("site_uj", BigInteger, nullable=False),
    Column("gco2_ng", BigInteger, nullable=False),
    Column("cost_nmad", BigInteger, nullable=False),
)
power_readings = Table(
    "power_readings",
    metadata,
    Column("real_s", Double, primary_key=True),
    Column("from_s", Double, nullable=False),  # park time; means over [from_s, at_s)
    Column("at_s", Double, nullable=False),
    Column("site_w", Double, nullable=False),
    Column("it_w", Double, nullable=False),
    Column("idle_w", Double, nullable=False),  # at the site meter, of what is no job's
    Column("method", String(16), nullable=False),
    Index("power_readings_by_time", "at_s"),
)
receipts = Table(
    "receipts",
    metadata,
    Column("job_id", String(80), primary_key=True),
    Column("project", String(63), nullable=False, index=True),
    Column("credits_micro", BigInteger, nullable=False),
    Column("it_uj", String(40), nullable=False),  # decimal text: a large job may pass 2**63
    Column("site_uj", String(40), nullable=False),
    Column("receipt", Text, nullable=False),  # JSON as shown
    Column("person_id", String(64), nullable=False, default=""),
    Column("organisation_id", String(63), nullable=False, default=""),
    Column("day", Integer, nullable=False, default=0),  # of its end, by the site's calendar; see core.days
    Index("receipts_by_day", "project", "day"),
)

_SUMS: Final = ("it_uj", "site_uj", "gco2_ng", "cost_nmad")
_IDS_PER_QUERY: Final = 500


def add_energy(conn: Connection, lines: Iterable[tuple[str, HourLine]]) -> None:
    """Add lines to their accounts' hours."""
    rows = [
        {
            "account": account,
            "hour_s": line.hour_s,
            "source": line.source,
            "method": line.method,
            "it_uj": line.it_uj,
            "site_uj": line.site_uj,
            "gco2_ng": line.gco2_ng,
            "cost_nmad": line.cost_nmad,
        }
        for account, line in lines
    ]
    insert_or_add(conn, energy_hours, rows, _SUMS)


def add_tiers(conn: Connection, lines: Iterable[tuple[str, HourLine]]) -> None:
    """Add lines to their tiers' hours."""
    sums: dict[tuple[int, str, str, str], list[int]] = {}
    for tier, line in lines:
        found = sums.setdefault((line.hour_s, tier, line.source, line.method), [0] * len(_SUMS))
        for index, name in enumerate(_SUMS):
            found[index] += getattr(line, name)
    rows = [
        {**dict(zip(("hour_s", "tier", "source", "method"), key, strict=True)), **dict(zip(_SUMS, uj, strict=True))}
        for key, uj in sums.items()
    ]
    insert_or_add(conn, tier_hours, rows, _SUMS)


def add_reading(conn: Connection, row: Mapping[str, Any]) -> None:
    """Keep a power reading, or a longer one of the same begin (`real_s`)."""
    insert_or_replace(conn, power_readings, [row])


def drop_readings(conn: Connection, keep_from_s: float, n_max: int) -> None:
    """Forget readings that end before an instant of park time, and the oldest beyond `n_max`."""
    conn.execute(delete(power_readings).where(power_readings.c.at_s < keep_from_s))
    newest_first = select(power_readings.c.real_s).order_by(power_readings.c.real_s.desc())
    surplus_s = conn.execute(newest_first.offset(n_max).limit(1)).scalar()
    if surplus_s is not None:
        conn.execute(delete(power_readings).where(power_readings.c.real_s <= surplus_s))


def last_reading_s(conn: Connection) -> float | None:
    """When the newest reading ends."""
    found: float | None = conn.execute(select(func.max(power_readings.c.at_s))).scalar()
    return found


def readings(conn: Connection, since_s: float, until_s: float) -> list[Row[Any]]:
    """Power readings that end in `(since_s, until_s]`, the oldest first."""
    table = power_readings.c
    query = select(power_readings).where(table.at_s > since_s, table.at_s <= until_s)
    return list(conn.execute(query.order_by(table.at_s, table.real_s)))


def add_meter(conn: Connection, hours: Iterable[tuple[int, str, int, int]]) -> None:
    """Add (start of the hour, method, uJ at the node, uJ at the site) to the meter's hours."""
    rows = [
        {"hour_s": hour_s, "method": method, "it_uj": it_uj, "site_uj": site_uj}
        for hour_s, method, it_uj, site_uj in hours
    ]
    insert_or_add(conn, meter_hours, rows, ("it_uj", "site_uj"))


def energy_of(conn: Connection, accounts: Sequence[str]) -> dict[str, list[HourLine]]:
    """By account, all its lines by hour and source; an account without any has an empty list."""
    table, found = energy_hours.c, {account: list[HourLine]() for account in accounts}
    for start in range(0, len(accounts), _IDS_PER_QUERY):
        query = select(energy_hours).where(table.account.in_(accounts[start : start + _IDS_PER_QUERY]))
        for row in conn.execute(query.order_by(table.account, table.hour_s, table.source, table.method)):
            found[row.account].append(_line(row))
    return found


def settled(conn: Connection, job_ids: Sequence[str]) -> set[str]:
    """Which of these jobs have their receipt."""
    return {job_id for job_id, _ in receipt_texts(conn, job_ids)}


def receipt_texts(conn: Connection, job_ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The receipts of these jobs, as (job, JSON); jobs without one are left out."""
    for start in range(0, len(job_ids), _IDS_PER_QUERY):
        query = select(receipts.c.job_id, receipts.c.receipt).where(
            receipts.c.job_id.in_(job_ids[start : start + _IDS_PER_QUERY])
        )
        yield from ((row.job_id, row.receipt) for row in conn.execute(query))


def receipt(conn: Connection, job_id: str) -> dict[str, Any] | None:
    """The receipt of a job."""
    text = conn.execute(select(receipts.c.receipt).where(receipts.c.job_id == job_id)).scalar()
    return None if text is None else dict(json.loads(text))


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """A receipt to be kept beside the energy it stands for."""

    job: Settlement
    organisation_id: str
    day: int
    credits_micro: int
    lines: Sequence[HourLine]
    body: dict[str, Any]


def add_receipts(conn: Connection, fresh: Sequence[NewReceipt]) -> None:
    """Keep receipts of jobs that have none yet."""
    rows = [
        {
            "job_id": item.job.job_id,
            "project": item.job.project,
            "person_id": item.job.person_id,
            "organisation_id": item.organisation_id,
            "day": item.day,
            "credits_micro": item.credits_micro,
            "it_uj": str(sum(line.it_uj for line in item.lines)),
            "site_uj": str(sum(line.site_uj for line in item.lines)),
            "receipt": json.dumps(item.body, ensure_ascii=False, allow_nan=False),
        }
        for item in fresh
    ]
    if rows:
        conn.execute(insert(receipts), rows)


def n_receipts(conn: Connection, project: str, first_day: int, past_day: int) -> int:
    """How many jobs of a project had their receipt on the days `[first_day, past_day)`."""
    table = receipts.c
    where = (table.project == project, table.day >= first_day, table.day < past_day)
    return int(conn.execute(select(func.count()).select_from(receipts).where(*where)).scalar_one())


def projects_of_organisation(conn: Connection, organisation: str, first_day: int, past_day: int) -> list[str]:
    """The projects whose receipts of these days were an organisation's."""
    table = receipts.c
    where = (table.organisation_id == organisation, table.day >= first_day, table.day < past_day)
    return sorted(conn.execute(select(table.project).where(*where).distinct()).scalars())


def project_hours(conn: Connection, project: str, first_day: int, past_day: int) -> list[tuple[int, str, int, int]]:
    """Of a project's jobs whose receipt fell on these days: (start of the hour, source, uJ at the site, ng of CO2)."""
    table = energy_hours.c
    query = (
        select(table.hour_s, table.source, func.sum(table.site_uj), func.sum(table.gco2_ng))
        .select_from(energy_hours.join(receipts, receipts.c.job_id == table.account))
        .where(receipts.c.project == project, receipts.c.day >= first_day, receipts.c.day < past_day)
        .group_by(table.hour_s, table.source)
    )
    rows = conn.execute(query.order_by(table.hour_s, table.source))
    return [(hour_s, source, int(site_uj), int(gco2_ng)) for hour_s, source, site_uj, gco2_ng in rows]


def energy_by_use(conn: Connection, since_s: float, until_s: float) -> list[tuple[str, str, int]]:
    """Of the hours that begin in `[since_s, until_s)`: (receipts, open or idle; source; uJ at the site), by hour."""
    table = energy_hours.c
    use = case((table.account == IDLE, IDLE), (receipts.c.job_id.is_not(None), "receipts"), else_="open")
    query = (
        select(use, table.source, func.sum(table.site_uj))
        .select_from(energy_hours.outerjoin(receipts, receipts.c.job_id == table.account))
        .where(table.hour_s >= since_s, table.hour_s < until_s)
        .group_by(use, table.source, table.hour_s)
    )
    return [(name, source, int(site_uj)) for name, source, site_uj in conn.execute(query)]


def all_receipts(conn: Connection) -> Iterator[tuple[str, int, int, int, dict[str, Any]]]:
    """Every receipt: job, micro-credits, uJ at the node, uJ at the site, and what was shown."""
    for row in conn.execute(select(receipts).order_by(receipts.c.job_id)):
        yield row.job_id, row.credits_micro, int(row.it_uj), int(row.site_uj), json.loads(row.receipt)


def energy_by_account(conn: Connection) -> dict[str, tuple[int, int]]:
    """By account, uJ at the node and at the site over all hours."""
    table = energy_hours.c
    grouped = select(table.account, func.sum(table.it_uj), func.sum(table.site_uj)).group_by(
        table.account, table.hour_s
    )
    return _summed(conn, grouped)


def energy_by_hour(conn: Connection) -> dict[int, tuple[int, int]]:
    """By hour, uJ at the node and at the site over all accounts."""
    table = energy_hours.c
    return _summed(conn, select(table.hour_s, func.sum(table.it_uj), func.sum(table.site_uj)).group_by(table.hour_s))


def meter_by_hour(conn: Connection) -> dict[int, tuple[int, int]]:
    """By hour, uJ at the node and at the site by the meter."""
    return _summed(conn, select(meter_hours.c.hour_s, meter_hours.c.it_uj, meter_hours.c.site_uj))


def hours_by_tier(conn: Connection, since_s: float, until_s: float) -> list[tuple[str, HourLine]]:
    """Per hour, tier, source and method, in order of time: the tier or `idle`, and the sums."""
    table = tier_hours.c
    query = select(tier_hours).where(table.hour_s >= since_s, table.hour_s < until_s)
    rows = conn.execute(query.order_by(table.hour_s, table.source, table.method, table.tier))
    return [(row.tier, _line(row)) for row in rows]


def tiers_by_hour(conn: Connection) -> dict[int, tuple[int, int]]:
    """By hour, uJ at the node and at the site over all tiers."""
    table = tier_hours.c
    return _summed(conn, select(table.hour_s, func.sum(table.it_uj), func.sum(table.site_uj)).group_by(table.hour_s))


def _line(row: Row[Any]) -> HourLine:
    sums = {name: int(getattr(row, name)) for name in _SUMS}
    return HourLine(hour_s=row.hour_s, source=row.source, method=row.method, **sums)


def _summed(conn: Connection, query: Select[Any]) -> dict[Any, tuple[int, int]]:
    sums: dict[Any, tuple[int, int]] = {}
    for key, it_uj, site_uj in conn.execute(query):
        before = sums.get(key, (0, 0))
        sums[key] = (before[0] + int(it_uj), before[1] + int(site_uj))
    return sums
