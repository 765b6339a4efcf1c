"""How long versions stay, legal holds, contents found damaged, and how far rounds of the store have come"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make_rules()
    _make_rounds()


def _make_rules() -> None:
    op.create_table(
        "lasting_rules",
        _col("repository_id", sa.String(length=40)),
        _col("n_versions", sa.Integer(), nullable=True),
        _col("history_s", sa.Double(), nullable=True),
        _col("branches_s", sa.Double(), nullable=True),
        _col("branch_prefix", sa.String(length=200)),
        _col("set_by", sa.String(length=80)),
        _col("set_at_s", sa.Double()),
        _col("applied_at_s", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("repository_id"),
    )
    op.create_table(
        "legal_holds",
        _col("repository_id", sa.String(length=40)),
        _col("reason", sa.Text()),
        _col("set_by", sa.String(length=80)),
        _col("set_at_s", sa.Double()),
        sa.PrimaryKeyConstraint("repository_id"),
    )
    op.create_table(
        "lost_versions",
        _col("repository_id", sa.String(length=40)),
        _col("n_versions", sa.BigInteger()),
        _col("n_branches", sa.BigInteger()),
        _col("newest_at_s", sa.Double(), nullable=True),
        _col("lost_at_s", sa.Double()),
        sa.PrimaryKeyConstraint("repository_id"),
    )


def _make_rounds() -> None:
    op.create_table(
        "damaged_contents",
        _col("kind", sa.String(length=8)),
        _col("content_hash", sa.String(length=120)),
        _col("object_key", sa.String(length=120)),
        _col("reason", sa.Text()),
        _col("found_at_s", sa.Double()),
        _col("places", sa.Text()),
        sa.PrimaryKeyConstraint("kind", "content_hash"),
    )
    op.create_table(
        "store_rounds",
        _col("name", sa.String(length=16)),
        _col("place", sa.Text()),
        _col("n_contents", sa.BigInteger()),
        _col("n_bytes", sa.BigInteger()),
        _col("begun_at_s", sa.Double()),
        _col("ended_at_s", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )


def _col(name: str, kind: Any, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable)


def downgrade() -> None:
    for table in ("store_rounds", "damaged_contents", "lost_versions", "legal_holds", "lasting_rules"):
        op.drop_table(table)
