"""What was spent of a grant is found by its account; when its project was told that it ends soon"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("hold_parts_by_account", "hold_parts", ["account"])
    with op.batch_alter_table("grants") as batch:
        batch.add_column(sa.Column("ending_told_s", sa.Double(), nullable=True))
