"""What becomes of the outputs of jobs that are committed"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_outputs",
        _col("job_id", sa.String(length=64)),
        _col("position", sa.Integer(), autoincrement=False),
        _col("state", sa.String(length=16)),
        _col("person_id", sa.String(length=80)),
        _col("due_at_s", sa.Double()),
        _col("n_tries", sa.Integer()),
        _col("repository_id", sa.String(length=40)),
        _col("commit_id", sa.String(length=40)),
        _col("n_files", sa.BigInteger()),
        _col("size_bytes", sa.BigInteger()),
        _col("text", sa.Text()),
        _col("fix", sa.Text()),
        sa.PrimaryKeyConstraint("job_id", "position"),
    )
    op.create_index("outputs_due", "job_outputs", ["state", "due_at_s"])
    op.create_index("outputs_by_commit", "job_outputs", ["repository_id", "commit_id"])


def _col(name: str, kind: Any, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, **more)


def downgrade() -> None:
    op.drop_table("job_outputs")
