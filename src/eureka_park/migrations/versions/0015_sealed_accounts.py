"""Bank accounts of people are sealed by the park's key, which takes more room; those in clear are read as before"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("payees") as batch:
        old = sa.String(length=34)
        batch.alter_column("iban", type_=sa.String(length=200), existing_type=old, existing_nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("payees") as batch:
        old = sa.String(length=200)
        batch.alter_column("iban", type_=sa.String(length=34), existing_type=old, existing_nullable=False)
