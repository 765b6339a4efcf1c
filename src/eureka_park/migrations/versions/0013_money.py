"""Lines of the bank that are matched by hand or set aside; bank accounts of people; keys of repeated requests"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("bank_lines") as batch:
        old = sa.String(length=40)
        batch.alter_column("invoice", type_=sa.String(length=400), existing_type=old, existing_nullable=False)
        batch.add_column(_col("closed_at_s", sa.Double(), nullable=True))
        batch.add_column(_col("closed_by", sa.String(length=64), server_default=""))
        batch.add_column(_col("note", sa.String(length=200), server_default=""))
    op.execute("UPDATE bank_lines SET closed_at_s = read_at_s WHERE state = 'matched'")
    op.create_index("bank_lines_by_state", "bank_lines", ["state", "day"])
    op.create_table(
        "repeats",
        _col("key_sha256", sa.String(length=64)),
        _col("asked_sha256", sa.String(length=64)),
        _col("result", sa.String(length=64)),
        _col("at_s", sa.Double()),
        sa.PrimaryKeyConstraint("key_sha256"),
    )
    op.create_index("repeats_by_time", "repeats", ["at_s"])
    op.create_table(
        "payees",
        _col("person_id", sa.String(length=64)),
        _col("holder", sa.String(length=70)),
        _col("iban", sa.String(length=34)),
        _col("changed_at_s", sa.Double()),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"]),
        sa.PrimaryKeyConstraint("person_id"),
    )


def _col(name: str, kind: Any, *, nullable: bool = False, **more: Any) -> "sa.Column[Any]":
    return sa.Column(name, kind, nullable=nullable, **more)
