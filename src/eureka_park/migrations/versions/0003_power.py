"""What a job is predicted to draw, and what that rests on; of jobs that were there before nobody has noted it"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("power", sa.Text(), nullable=False, server_default=""))
