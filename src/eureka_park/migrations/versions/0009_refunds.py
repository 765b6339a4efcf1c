"""What was refunded, line by line; how far jobs are charged, who is without credit; bridge grants, usage reports"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _refunds()
    with op.batch_alter_table("holds") as batch:
        batch.add_column(_col("settled_s", sa.Double(), server_default="0"))
        batch.add_column(_col("excused_s", sa.Double(), server_default="0"))
        batch.add_column(_col("refused_at_s", sa.Double(), nullable=True))
    with op.batch_alter_table("grants") as batch:
        batch.add_column(_col("awaits", sa.String(length=200), server_default=""))
    op.create_table(
        "grant_reports",
        _col("grant_id", sa.String(length=64)),
        _col("at_s", sa.Double()),
        _col("body", sa.Text()),
        sa.PrimaryKeyConstraint("grant_id"),
    )


def _col(name: str, kind: Any, *, nullable: bool = False, **more: Any) -> "sa.Column[Any]":
    return sa.Column(name, kind, nullable=nullable, **more)


def _refunds() -> None:
    op.create_table(
        "refunds",
        _col("job_id", sa.String(length=80)),
        _col("line", sa.Integer(), autoincrement=False),
        _col("project", sa.String(length=63)),
        _col("day", sa.Integer()),
        _col("at_s", sa.Double()),
        _col("why", sa.String(length=16)),
        _col("node_s", sa.Double()),
        _col("amount_micro", sa.BigInteger()),
        sa.PrimaryKeyConstraint("job_id", "line"),
    )
    op.create_index("refunds_by_project", "refunds", ["project", "day"])
    # What was refunded before this is one line for each job: why and when is not known any more.
    op.execute(
        "INSERT INTO refunds (job_id, line, project, day, at_s, why, node_s, amount_micro) "
        "SELECT job_id, 1, project, CAST(coalesce(closed_at_s, opened_at_s) AS BIGINT) / 86400, "
        "coalesce(closed_at_s, opened_at_s), 'unknown', 0, refunded_micro FROM holds WHERE refunded_micro > 0"
    )
