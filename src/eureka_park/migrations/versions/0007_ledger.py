"""Price lists, grants, holds and budgets; balances and daily sums beside the postings; invoices, payments and payouts;
how long people wait for their first job
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.String(length=64)
_NAME = sa.String(length=63)
_ACCOUNT = sa.String(length=120)
_COMMODITY = sa.String(length=80)


def upgrade() -> None:
    _books()
    _prices()
    _grants()
    _holds()
    _budgets()
    _invoices()
    _payouts()
    _first_jobs()


def _col(name: str, kind: Any, *, nullable: bool = False, **more: Any) -> "sa.Column[Any]":
    return sa.Column(name, kind, nullable=nullable, **more)


def _books() -> None:
    with op.batch_alter_table("transactions") as batch:
        batch.add_column(_col("kind", sa.String(length=24), server_default=""))
        batch.add_column(_col("day", sa.Integer(), server_default="0"))
    with op.batch_alter_table("postings") as batch:
        batch.alter_column("account", type_=_ACCOUNT, existing_type=sa.String(length=80), existing_nullable=False)
        batch.alter_column("commodity", type_=_COMMODITY, existing_type=sa.String(length=32), existing_nullable=False)
    with op.batch_alter_table("receipts") as batch:
        batch.add_column(_col("person_id", _ID, server_default=""))
        batch.add_column(_col("organisation_id", _NAME, server_default=""))
        batch.add_column(_col("day", sa.Integer(), server_default="0"))
    op.create_index("receipts_by_day", "receipts", ["project", "day"])
    op.execute("UPDATE transactions SET day = CAST(at_s AS BIGINT) / 86400")
    # Every key begins with the kind of the deed: grant:..., settle:...
    where = "position(':' in idempotency_key)" if _is_postgres() else "instr(idempotency_key, ':')"
    op.execute(f"UPDATE transactions SET kind = substr(idempotency_key, 1, {where} - 1) WHERE {where} BETWEEN 2 AND 24")
    op.create_table(
        "balances",
        _col("account", _ACCOUNT),
        _col("commodity", _COMMODITY),
        _col("amount_micro", sa.BigInteger()),
        sa.PrimaryKeyConstraint("account", "commodity"),
    )
    op.create_table(
        "day_sums",
        _col("account", _ACCOUNT),
        _col("day", sa.Integer(), autoincrement=False),
        _col("commodity", _COMMODITY),
        _col("kind", sa.String(length=24)),
        _col("amount_micro", sa.BigInteger()),
        _col("n", sa.Integer()),
        sa.PrimaryKeyConstraint("account", "day", "commodity", "kind"),
    )
    op.execute(
        "INSERT INTO balances SELECT account, commodity, sum(amount_micro) FROM postings GROUP BY account, commodity"
    )
    op.execute(
        "INSERT INTO day_sums SELECT p.account, t.day, p.commodity, t.kind, sum(p.amount_micro), count(*) "
        "FROM postings p JOIN transactions t ON t.idempotency_key = p.idempotency_key "
        "GROUP BY p.account, t.day, p.commodity, t.kind"
    )


def _is_postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _prices() -> None:
    op.create_table(
        "price_lists",
        _col("valid_from_s", sa.Double()),
        _col("body", sa.Text()),
        _col("set_by", _ID),
        _col("set_at_s", sa.Double()),
        sa.PrimaryKeyConstraint("valid_from_s"),
    )


def _grants() -> None:
    op.create_table(
        "grants",
        _col("grant_id", _ID),
        _col("project", _NAME),
        _col("kind", sa.String(length=8)),
        _col("title", sa.String(length=200)),
        _col("amount_micro", sa.BigInteger()),
        _col("second_micro", sa.BigInteger()),
        _col("released_at_s", sa.Double(), nullable=True),
        _col("valid_from_s", sa.Double()),
        _col("valid_until_s", sa.Double(), nullable=True),
        _col("conditions", sa.Text()),
        _col("state", sa.String(length=8)),
        _col("given_by", _ID),
        _col("given_at_s", sa.Double()),
        sa.PrimaryKeyConstraint("grant_id"),
    )
    op.create_index("grants_by_project", "grants", ["project"])
    op.create_index("grants_by_state", "grants", ["state", "valid_until_s"])
    op.create_table(
        "reclaims",
        _col("grant_id", _ID),
        _col("noticed_at_s", sa.Double()),
        _col("due_at_s", sa.Double()),
        _col("amount_micro", sa.BigInteger()),
        _col("state", sa.String(length=8)),
        sa.PrimaryKeyConstraint("grant_id", "noticed_at_s"),
    )


def _holds() -> None:
    op.create_table(
        "holds",
        _col("job_id", sa.String(length=80)),
        _col("project", _NAME),
        _col("person_id", _ID),
        _col("organisation_id", _NAME),
        _col("tier", sa.String(length=8)),
        _col("gpu_type", _NAME),
        _col("price", sa.Text()),
        _col("declared_s", sa.Double()),
        _col("n_renewals", sa.Integer()),
        _col("ceiling_micro", sa.BigInteger()),
        _col("charged_micro", sa.BigInteger()),
        _col("refunded_micro", sa.BigInteger()),
        _col("opened_at_s", sa.Double()),
        _col("closed_at_s", sa.Double(), nullable=True),
        _col("state", sa.String(length=8)),
        sa.PrimaryKeyConstraint("job_id"),
    )
    op.create_index("holds_by_state", "holds", ["state", "project"])
    op.create_table(
        "hold_parts",
        _col("job_id", sa.String(length=80)),
        _col("account", _ACCOUNT),
        _col("line", sa.Integer()),
        _col("amount_micro", sa.BigInteger()),
        _col("spent_micro", sa.BigInteger()),
        sa.PrimaryKeyConstraint("job_id", "account"),
    )


def _budgets() -> None:
    op.create_table(
        "budgets",
        _col("project", _NAME),
        _col("name", _NAME),
        _col("amount_micro", sa.BigInteger()),
        _col("period", sa.String(length=8)),
        _col("thresholds", sa.String(length=120)),
        _col("action", sa.String(length=8)),
        sa.PrimaryKeyConstraint("project", "name"),
    )
    op.create_table(
        "budget_marks",
        _col("project", _NAME),
        _col("name", _NAME),
        _col("period_day", sa.Integer(), autoincrement=False),
        _col("threshold_pct", sa.Integer(), autoincrement=False),
        _col("at_s", sa.Double()),
        sa.PrimaryKeyConstraint("project", "name", "period_day", "threshold_pct"),
    )


def _invoices() -> None:
    op.create_table(
        "top_ups",
        _col("top_up_id", _ID),
        _col("project", _NAME),
        _col("organisation_id", _NAME),
        _col("amount_micro", sa.BigInteger()),
        _col("currency", sa.String(length=3)),
        _col("asked_by", _ID),
        _col("asked_at_s", sa.Double()),
        _col("state", sa.String(length=10)),
        sa.PrimaryKeyConstraint("top_up_id"),
    )
    op.create_index("top_ups_by_project", "top_ups", ["project"])
    op.create_table(
        "invoice_series",
        _col("series", sa.String(length=24)),
        _col("next", sa.Integer()),
        sa.PrimaryKeyConstraint("series"),
    )
    op.create_table(
        "invoices",
        _col("series", sa.String(length=24)),
        _col("number", sa.Integer(), autoincrement=False),
        _col("kind", sa.String(length=10)),
        _col("top_up_id", _ID),
        _col("organisation_id", _NAME),
        _col("project", _NAME),
        _col("currency", sa.String(length=3)),
        _col("net_minor", sa.BigInteger()),
        _col("vat_minor", sa.BigInteger()),
        _col("total_minor", sa.BigInteger()),
        _col("issued_at_s", sa.Double()),
        _col("due_at_s", sa.Double()),
        _col("paid_at_s", sa.Double(), nullable=True),
        _col("body", sa.Text()),
        sa.PrimaryKeyConstraint("series", "number"),
    )
    op.create_index("invoices_by_top_up", "invoices", ["top_up_id"])
    op.create_table(
        "bank_lines",
        _col("line_sha256", sa.String(length=64)),
        _col("day", sa.String(length=10)),
        _col("amount_minor", sa.BigInteger()),
        _col("currency", sa.String(length=3)),
        _col("reference", sa.String(length=200)),
        _col("invoice", sa.String(length=40)),
        _col("state", sa.String(length=10)),
        _col("read_at_s", sa.Double()),
        sa.PrimaryKeyConstraint("line_sha256"),
    )


def _payouts() -> None:
    op.create_table(
        "payout_batches",
        _col("batch_id", _ID),
        _col("made_at_s", sa.Double()),
        _col("made_by", _ID),
        _col("n", sa.Integer()),
        _col("total_micro", sa.BigInteger()),
        sa.PrimaryKeyConstraint("batch_id"),
    )
    op.create_table(
        "payouts",
        _col("batch_id", _ID),
        _col("person_id", _ID),
        _col("amount_micro", sa.BigInteger()),
        sa.PrimaryKeyConstraint("batch_id", "person_id"),
    )


def _first_jobs() -> None:
    op.create_table(
        "first_jobs",
        _col("person_id", _ID),
        _col("signed_up_real_s", sa.Double()),
        _col("submitted_real_s", sa.Double(), nullable=True),
        _col("started_real_s", sa.Double(), nullable=True),
        _col("receipt_real_s", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("person_id"),
    )
