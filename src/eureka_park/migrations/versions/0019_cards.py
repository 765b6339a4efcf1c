"""What cards of repositories say, and by what they are sought"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cards",
        _col("repository_id", sa.String(length=40)),
        _col("is_sealed", sa.Integer()),
        _col("readme_sha256", sa.String(length=64)),
        _col("due_at_s", sa.Double(), nullable=True),
        _col("pretty_name", sa.String(length=200)),
        _col("licence", sa.String(length=200)),
        _col("languages", sa.String(length=400)),
        _col("personal_data", sa.String(length=16)),
        _col("n_findings", sa.Integer()),
        sa.PrimaryKeyConstraint("repository_id"),
    )
    op.create_index("cards_due", "cards", ["due_at_s"])
    op.create_table(
        "card_facets",
        _col("facet", sa.String(length=16)),
        _col("value", sa.String(length=160)),
        _col("repository_id", sa.String(length=40)),
        sa.PrimaryKeyConstraint("facet", "value", "repository_id"),
    )
    op.create_index("facets_of_repository", "card_facets", ["repository_id"])


def downgrade() -> None:
    op.drop_table("card_facets")
    op.drop_table("cards")


def _col(name: str, kind: Any, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable)
