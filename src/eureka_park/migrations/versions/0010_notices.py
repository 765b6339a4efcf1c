"""Notices: what is told, its messages, webhooks, what people chose, places they signed in from"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _told()
    _chosen()


def _told() -> None:
    op.create_table(
        "notices",
        _text("notice_id", 64),
        _text("kind", 32),
        sa.Column("at_s", sa.Double(), nullable=False),
        _text("thing", 200),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("notice_id"),
    )
    op.create_table(
        "notice_deliveries",
        _text("delivery_id", 64),
        _text("notice_id", 64),
        _text("person_id", 64),
        _text("lane", 64),
        _text("kind", 32),
        _text("state", 8),
        sa.Column("n_tries", sa.Integer(), nullable=False),
        sa.Column("made_at_s", sa.Double(), nullable=False),
        sa.Column("due_at_s", sa.Double(), nullable=False),
        sa.Column("until_s", sa.Double(), nullable=True),
        sa.Column("claimed_until_s", sa.Double(), nullable=False),
        sa.Column("ended_at_s", sa.Double(), nullable=True),
        _text("answer", 200),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id"),
    )
    op.create_index("deliveries_due", "notice_deliveries", ["state", "due_at_s"])
    op.create_index("deliveries_by_person", "notice_deliveries", ["person_id", "made_at_s"])
    op.create_index("deliveries_by_notice", "notice_deliveries", ["notice_id"])


def _chosen() -> None:
    op.create_table(
        "notice_webhooks",
        _text("webhook_id", 64),
        _text("person_id", 64),
        _text("name", 200),
        _text("url", 500),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_until_s", sa.Double(), nullable=True),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("n_failures", sa.Integer(), nullable=False),
        sa.Column("failing_since_s", sa.Double(), nullable=True),
        sa.Column("made_at_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("webhook_id"),
    )
    op.create_index("ix_notice_webhooks_person_id", "notice_webhooks", ["person_id"])
    op.create_table(
        "notice_choices",
        _text("person_id", 64),
        _text("lane", 64),
        _text("kind", 32),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "lane", "kind"),
    )
    op.create_table(
        "notice_places",
        _text("person_id", 64),
        _text("mark", 64),
        sa.Column("seen_at_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "mark"),
    )


def _text(name: str, n_chars: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length=n_chars), nullable=False)
