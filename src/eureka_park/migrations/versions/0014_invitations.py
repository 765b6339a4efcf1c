"""Invitations, and how many wrong codes of a second step came in a row"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("totp") as batch:
        batch.add_column(_col("n_wrong", sa.Integer(), server_default="0"))
        batch.add_column(sa.Column("locked_until_s", sa.Double(), nullable=True))
    op.create_table(
        "invitations",
        _col("invitation_id", sa.String(length=64)),
        _col("code_sha256", sa.String(length=64)),
        _col("email", sa.String(length=254)),
        _col("email_key", sa.String(length=254)),
        _col("name", sa.String(length=200)),
        _col("language", sa.String(length=8)),
        _col("role", sa.String(length=16)),
        _col("scope", sa.String(length=80)),
        _col("invited_by", sa.String(length=64)),
        _col("created_at_s", sa.Double()),
        _col("expires_at_s", sa.Double()),
        sa.PrimaryKeyConstraint("invitation_id"),
        sa.ForeignKeyConstraint(["invited_by"], ["people.person_id"]),
    )
    op.create_index("invitations_by_code", "invitations", ["code_sha256"], unique=True)
    op.create_index("invitations_by_scope", "invitations", ["scope", "email_key"], unique=True)
    op.create_index("ix_invitations_invited_by", "invitations", ["invited_by"])


def _col(name: str, kind: Any, *, nullable: bool = False, **more: Any) -> "sa.Column[Any]":
    return sa.Column(name, kind, nullable=nullable, **more)
