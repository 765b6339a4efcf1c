"""Rows of the energy room: the plans, newest last."""

from __future__ import annotations

import json

from sqlalchemy import Column, Connection, Float, MetaData, String, Table, Text, delete, insert, select

from eureka_park.foundation.power_plan import PowerPlan

metadata = MetaData()

plans = Table(
    "plans",
    metadata,
    Column("plan_id", String(64), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("issued_at_s", Float, nullable=False, index=True),
    Column("start_s", Float, nullable=False),
    Column("end_s", Float, nullable=False),
    Column("body", Text, nullable=False),
)


def add_plan(conn: Connection, plan: PowerPlan) -> bool:
    """Store a plan; False when it is there already."""
    if conn.execute(select(plans.c.plan_id).where(plans.c.plan_id == plan.plan_id)).first():
        return False
    body = json.dumps(plan.to_json(), separators=(",", ":"))
    row = {"plan_id": plan.plan_id, "site": plan.site, "issued_at_s": plan.issued_at_s, "body": body}
    conn.execute(insert(plans).values(**row, start_s=plan.start_s, end_s=plan.end_s))
    return True


def newest_plan_id(conn: Connection, now_s: float | None = None, started_before_s: float | None = None) -> str | None:
    """Id of the newest plan: of those issued by `now_s`, of those that start before an instant."""
    query = select(plans.c.plan_id).order_by(plans.c.issued_at_s.desc(), plans.c.plan_id.desc()).limit(1)
    if now_s is not None:
        query = query.where(plans.c.issued_at_s <= now_s)
    if started_before_s is not None:
        query = query.where(plans.c.start_s < started_before_s)
    row = conn.execute(query).first()
    return str(row.plan_id) if row else None


def plan_of(conn: Connection, plan_id: str) -> PowerPlan | None:
    """The plan with an id."""
    row = conn.execute(select(plans.c.body).where(plans.c.plan_id == plan_id)).first()
    return PowerPlan.from_json(json.loads(row.body)) if row else None


def plans_over(conn: Connection, since_s: float, until_s: float) -> list[tuple[str, float, float, float]]:
    """Plans that reach into a stretch of time, the newest first: id, issued, start and end (UTC epoch seconds)."""
    query = select(plans.c.plan_id, plans.c.issued_at_s, plans.c.start_s, plans.c.end_s)
    query = query.where(plans.c.end_s > since_s, plans.c.start_s < until_s)
    rows = conn.execute(query.order_by(plans.c.issued_at_s.desc(), plans.c.plan_id.desc()))
    return [(row.plan_id, row.issued_at_s, row.start_s, row.end_s) for row in rows]


def plans_issued(conn: Connection, since_s: float, until_s: float) -> list[tuple[str, float]]:
    """Id and instant of issue of the plans issued in `[since_s, until_s)`, the oldest first."""
    query = select(plans.c.plan_id, plans.c.issued_at_s)
    query = query.where(plans.c.issued_at_s >= since_s, plans.c.issued_at_s < until_s)
    return [
        (row.plan_id, row.issued_at_s) for row in conn.execute(query.order_by(plans.c.issued_at_s, plans.c.plan_id))
    ]


def drop_plans_before(conn: Connection, issued_at_s: float) -> int:
    """Forget plans issued before an instant; how many went."""
    return int(conn.execute(delete(plans).where(plans.c.issued_at_s < issued_at_s)).rowcount)
