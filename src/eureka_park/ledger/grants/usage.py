"""What was really spent of a grant: by jobs that were charged, and by storage. What jobs hold or what was moved does
not count. The report of it stands for the essay that others ask for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from eureka_park.foundation.units import iso_from_s
from eureka_park.ledger import store as meter
from eureka_park.ledger.billing import store as billing
from eureka_park.ledger.books import store as books
from eureka_park.ledger.core.days import month_text
from eureka_park.ledger.core.exact import MICRO
from eureka_park.ledger.core.posting import CREDIT, STORE, grant_account

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.ledger.grants.store import Grant
    from eureka_park.ledger.ground import LedgerGround

_USED: Final = ("gpu_h", "cpu_h", "kwh", "gco2")


class Use(NamedTuple):
    """What became of what was given so far, in micro-credits: the rest of it was moved on or went back."""

    spent_micro: int
    held_micro: int
    left_micro: int
    stored_micro: int  # of what was spent, for storage

    @property
    def base_micro(self) -> int:
        """What the grant is measured by: all that was neither moved on nor went back."""
        return self.spent_micro + self.held_micro + self.left_micro


def use_of(conn: Connection, grant: Grant) -> Use:
    """What became of a grant by now."""
    account = grant_account(grant.grant_id)
    spent, held = billing.spent_of(conn, account)
    stored = -books.sum_of(conn, account, CREDIT, STORE)
    return Use(spent + stored, held, books.balance_micro(conn, account, CREDIT), stored)


def report(conn: Connection, ground: LedgerGround, grant: Grant, at_s: float) -> dict[str, Any]:
    """What was used of a grant, by whom and on what, as far as jobs are charged: people, kinds of work, months.

    A job that was paid from several accounts counts with the part that this grant paid. People are ids.
    """
    use = use_of(conn, grant)
    jobs = billing.jobs_on(conn, grant_account(grant.grant_id))
    receipts = {name: json.loads(text) for name, text in meter.receipt_texts(conn, [job.job_id for job in jobs])}
    rows = [_row(job, receipts.get(job.job_id)) for job in jobs]
    return {
        "grant_id": grant.grant_id,
        "project": grant.project,
        "title": grant.title,
        "at": iso_from_s(at_s),
        "given_credits": grant.given_micro / MICRO,
        "spent_credits": use.spent_micro / MICRO,
        "held_credits": use.held_micro / MICRO,
        "left_credits": use.left_micro / MICRO,
        "storage_credits": use.stored_micro / MICRO,
        "moved_credits": max(0, grant.given_micro - use.base_micro) / MICRO,
        "n_jobs": len(rows),
        "first_at": iso_from_s(min((job.opened_at_s for job in jobs), default=None)),
        "last_at": iso_from_s(max((job.closed_at_s or at_s for job in jobs), default=None)),
        "people": _grouped(rows, ("person_id",)),
        "work": _grouped(rows, ("tier", "class", "gpu_type")),
        "months": sorted(
            _grouped([row | {"month": month_text(ground.day_of(row["at_s"]))} for row in rows], ("month",)),
            key=lambda row: str(row["month"]),
        ),
    }


def _row(job: billing.JobOn, receipt: Mapping[str, Any] | None) -> dict[str, Any]:
    part = job.spent_micro / job.charged_micro if job.charged_micro else 0.0
    used = {name: (receipt[name] * part if receipt else 0.0) for name in _USED}
    return {
        "person_id": job.person_id, "tier": job.tier, "class": str(job.price.get("class", "")),
        "gpu_type": job.gpu_type, "at_s": job.closed_at_s or job.opened_at_s, "spent_micro": job.spent_micro, **used,
    }  # fmt: skip


def _grouped(rows: Iterable[Mapping[str, Any]], by: tuple[str, ...]) -> list[dict[str, Any]]:
    """Sums over rows that are alike in `by`; who spent most comes first."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in by), []).append(row)
    made = [
        {
            **dict(zip(by, key, strict=True)),
            "n_jobs": len(group),
            "credits": sum(row["spent_micro"] for row in group) / MICRO,
            **{name: round(sum(row[name] for row in group), 9) for name in _USED},
        }
        for key, group in groups.items()
    ]
    return sorted(made, key=lambda row: (-row["credits"], *(str(row[name]) for name in by)))
