"""What pages ask for: names to search, energy of jobs, reasons in timelines, power readings, hours by tier"""

import json
import re

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CAP = re.compile(r"Power cap (\d+)%")
_NODE = re.compile(r"Admitted; its place on (.+) is held\.")
_BLOCK = 1000


def upgrade() -> None:
    _tables()
    _fill_jobs()
    _fill_timeline()
    op.execute(
        "INSERT INTO tier_hours (hour_s, tier, source, method, it_uj, site_uj, gco2_ng, cost_nmad) "
        "SELECT e.hour_s, COALESCE(j.tier, 'idle'), e.source, e.method, SUM(e.it_uj), SUM(e.site_uj), SUM(e.gco2_ng), "
        "SUM(e.cost_nmad) FROM energy_hours e LEFT JOIN jobs j ON j.job_id = e.account "
        "GROUP BY e.hour_s, COALESCE(j.tier, 'idle'), e.source, e.method"
    )


def _tables() -> None:
    op.create_table(
        "power_readings",
        sa.Column("real_s", sa.Double(), nullable=False),
        sa.Column("from_s", sa.Double(), nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("site_w", sa.Double(), nullable=False),
        sa.Column("it_w", sa.Double(), nullable=False),
        sa.Column("idle_w", sa.Double(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("real_s"),
    )
    op.create_index("power_readings_by_time", "power_readings", ["at_s"])
    op.create_table(
        "tier_hours",
        sa.Column("hour_s", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tier", sa.String(length=8), nullable=False),
        sa.Column("source", sa.String(length=63), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("it_uj", sa.BigInteger(), nullable=False),
        sa.Column("site_uj", sa.BigInteger(), nullable=False),
        sa.Column("gco2_ng", sa.BigInteger(), nullable=False),
        sa.Column("cost_nmad", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hour_s", "tier", "source", "method"),
    )
    for column in (
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("cap_frac", sa.Float(), nullable=True),
        sa.Column("node", sa.String(length=128), nullable=True),
    ):
        op.add_column("job_timeline", column)
    op.add_column("jobs", sa.Column("name_key", sa.String(length=128), nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("kwh", sa.Float(), nullable=False, server_default="0"))
    for name in ("jobs_by_state", "jobs_by_project", "jobs_by_ordinal"):
        op.drop_index(name, table_name="jobs")
    op.create_index("jobs_by_state", "jobs", ["state", "ordinal", "project", "tier"])
    op.create_index("jobs_by_project", "jobs", ["project", "state", "ordinal", "tier"])
    listed = ["ordinal", "state", "tier", "project", "job_id", "name_key", "started_s", "ended_s", "ran_s", "kwh"]
    op.create_index("jobs_listed", "jobs", listed)


def _fill_jobs() -> None:
    conn = op.get_bind()
    receipts = {row[0]: row[1] for row in conn.execute(sa.text("SELECT job_id, receipt FROM receipts"))}
    rows = [
        {"id": job_id, "key": name.casefold()[:128], "kwh": json.loads(receipts.get(job_id, "{}")).get("kwh", 0.0)}
        for job_id, name in conn.execute(sa.text("SELECT job_id, name FROM jobs"))
    ]
    for start in range(0, len(rows), _BLOCK):
        statement = sa.text("UPDATE jobs SET name_key = :key, kwh = :kwh WHERE job_id = :id")
        conn.execute(statement, rows[start : start + _BLOCK])


def _fill_timeline() -> None:
    """Caps and nodes stood in the words alone."""
    conn = op.get_bind()
    found = conn.execute(sa.text("SELECT seq, text FROM job_timeline WHERE what IN ('capped', 'starting')")).fetchall()
    for seq, text in found:
        cap, node = _CAP.search(text), _NODE.search(text)
        values = {"seq": seq, "cap": int(cap[1]) / 100 if cap else None, "node": node[1][:128] if node else None}
        conn.execute(sa.text("UPDATE job_timeline SET cap_frac = :cap, node = :node WHERE seq = :seq"), values)
