"""The line of a job: who sent it and its priority, of those that are not over"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BLOCK = 1000


def upgrade() -> None:
    op.add_column("jobs", sa.Column("person", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
    conn = op.get_bind()
    found = conn.execute(sa.text("SELECT job_id, spec FROM jobs WHERE ended_s IS NULL")).fetchall()
    specs = [(job_id, json.loads(spec)) for job_id, spec in found]
    rows = [{"id": name, "person": spec.get("person", ""), "priority": spec.get("priority", 0)} for name, spec in specs]
    for start in range(0, len(rows), _BLOCK):
        statement = sa.text("UPDATE jobs SET person = :person, priority = :priority WHERE job_id = :id")
        conn.execute(statement, rows[start : start + _BLOCK])
    op.create_index("jobs_in_line", "jobs", ["project", "tier", "state", "person", "priority", "ordinal"])
