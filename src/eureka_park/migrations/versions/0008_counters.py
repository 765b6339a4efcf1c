"""Numbers that grow for ever get 64 bits on PostgreSQL; days of older rows by the site's calendar

SQLite keeps every whole number in up to 64 bits: there nothing is to be widened.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from eureka_park.foundation.zones import ZoneInfo

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_WIDER = {
    "journal": ("seq", "token"),
    "lease": ("token",),
    "snapshots_of_state": ("seq",),
    "job_timeline": ("seq",),
    "inbox": ("inbox_seq", "done_seq"),
    "jobs": ("ordinal",),
    "audit_entries": ("entry_id",),
    "day_sums": ("n",),
}
_COUNTING = {"job_timeline": "seq", "inbox": "inbox_seq", "audit_entries": "entry_id"}
_QUARTER_S = 900  # offsets of all zones are whole quarters of an hour
_DAY_QUARTERS = 96
_BLOCK = 2_000


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _widen()
    zone = ZoneInfo(context.config.attributes.get("zone") or "UTC")
    if _date_transactions(zone):
        _sum_days_again()
    _date_receipts()


def _widen() -> None:
    for table, names in _WIDER.items():
        op.execute(f'ALTER TABLE "{table}" ' + ", ".join(f"ALTER COLUMN {name} TYPE BIGINT" for name in names))
    for table, name in _COUNTING.items():  # a sequence has a width of its own
        found = op.get_bind().execute(sa.text(f"SELECT pg_get_serial_sequence('{table}', '{name}')")).scalar()
        if found is not None:
            op.execute(f"ALTER SEQUENCE {found} AS BIGINT")


def _date_transactions(zone: ZoneInfo) -> int:
    """Give each transaction the day that held it where the site is: the migration before knew UTC alone. How many."""
    known: dict[int, int] = {}
    wrong = []
    for key, at_s, day in _rows("SELECT idempotency_key, at_s, day FROM transactions"):
        quarter = int(at_s // _QUARTER_S)
        if quarter not in known:
            at = datetime.fromtimestamp(quarter * _QUARTER_S, UTC).astimezone(zone)
            offset_s = int((at.utcoffset() or at - at).total_seconds())
            known[quarter] = (quarter * _QUARTER_S + offset_s) // (_DAY_QUARTERS * _QUARTER_S)
        if known[quarter] != day:
            wrong.append({"key": key, "day": known[quarter]})
    statement = sa.text("UPDATE transactions SET day = :day WHERE idempotency_key = :key")
    for begin in range(0, len(wrong), _BLOCK):
        op.get_bind().execute(statement, wrong[begin : begin + _BLOCK])
    return len(wrong)


def _rows(query: str) -> Iterator[Any]:
    yield from op.get_bind().execute(sa.text(query).execution_options(yield_per=_BLOCK))


def _sum_days_again() -> None:
    op.execute("DELETE FROM day_sums")
    op.execute(
        "INSERT INTO day_sums SELECT p.account, t.day, p.commodity, t.kind, sum(p.amount_micro), count(*) "
        "FROM postings p JOIN transactions t ON t.idempotency_key = p.idempotency_key "
        "GROUP BY p.account, t.day, p.commodity, t.kind"
    )


def _date_receipts() -> None:
    """A receipt of before days were kept is of the day on which it was settled."""
    settled = "(SELECT t.day FROM transactions t WHERE t.idempotency_key = 'settle:' || receipts.job_id)"
    op.execute(f"UPDATE receipts SET day = {settled} WHERE day = 0 AND {settled} IS NOT NULL")
