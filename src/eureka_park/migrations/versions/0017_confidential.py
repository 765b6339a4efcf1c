"""Keys of confidential projects; names in the store that say of which project they are"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_NAMES = {
    "blobs": ["sha256"],
    "holdings": ["content_hash"],
    "known_chunks": ["pack_hash"],
    "packs": ["pack_hash"],
    "recipe_parts": ["sha256", "pack_hash"],
    "commits": ["root_id"],
    "tree_nodes": ["node_id"],
}


def upgrade() -> None:
    op.create_table(
        "project_keys",
        sa.Column("project_id", sa.String(length=80), nullable=False),
        sa.Column("realm", sa.String(length=16), nullable=False),
        sa.Column("keeper", sa.String(length=16), nullable=False),
        sa.Column("wrapped_key", sa.Text(), nullable=False),
        sa.Column("made_at_s", sa.Double(), nullable=False),
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.Column("destroyed_at_s", sa.Double(), nullable=True),
        sa.Column("open_key", sa.Text(), nullable=True),
        sa.Column("open_until_s", sa.Double(), nullable=True),
        sa.Column("open_job_id", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("project_id"),
    )
    op.create_index("project_keys_realm", "project_keys", ["realm"], unique=True)
    _resize(64, 80)


def downgrade() -> None:
    _resize(80, 64)
    op.drop_table("project_keys")


def _resize(old: int, new: int) -> None:
    for table, columns in _NAMES.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.alter_column(
                    column, type_=sa.String(length=new), existing_type=sa.String(length=old), existing_nullable=False
                )
