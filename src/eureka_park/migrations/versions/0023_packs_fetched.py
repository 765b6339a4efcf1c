"""What clients that fetch packs call a file; files by the packs in which they lie"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("blobs", sa.Column("file_hash", sa.String(length=64), nullable=True))
    op.create_index("recipe_parts_of_pack", "recipe_parts", ["pack_hash"])


def downgrade() -> None:
    op.drop_index("recipe_parts_of_pack", "recipe_parts")
    with op.batch_alter_table("blobs") as batch:
        batch.drop_column("file_hash")
