"""What was made from what"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lineage_makings",
        _col("making_id", sa.String(length=40)),
        _col("repository_id", sa.String(length=40)),
        _col("commit_id", sa.String(length=40)),
        _col("way", sa.String(length=16)),
        _col("job_id", sa.String(length=64)),
        _col("job_project", sa.String(length=128)),
        _col("person_id", sa.String(length=80)),
        _col("made_at_s", sa.Double()),
        sa.PrimaryKeyConstraint("making_id"),
    )
    op.create_index("makings_of_version", "lineage_makings", ["repository_id", "commit_id"])
    op.create_index("makings_of_job", "lineage_makings", ["job_id"])
    op.create_table(
        "lineage_sources",
        _col("making_id", sa.String(length=40)),
        _col("position", sa.Integer(), autoincrement=False),
        _col("relation", sa.String(length=16)),
        _col("repository_id", sa.String(length=40)),
        _col("commit_id", sa.String(length=40)),
        _col("text", sa.Text()),
        sa.PrimaryKeyConstraint("making_id", "position"),
    )
    op.create_index("sources_by_version", "lineage_sources", ["repository_id", "commit_id"])


def _col(name: str, kind: Any, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, **more)


def downgrade() -> None:
    for table in ("lineage_sources", "lineage_makings"):
        op.drop_table(table)
