"""GiB-months: what lies in storage for a day is that many GiB over the days of its month."""

from __future__ import annotations

from collections.abc import Mapping

from eureka_park.foundation.units import GIB
from eureka_park.ledger.core.days import days_of, month_text
from eureka_park.ledger.core.exact import MICRO
from eureka_park.ledger.core.posting import (
    CREDIT,
    GIB_MONTH,
    INCOME,
    PLANT,
    STORE,
    Posting,
    Transaction,
    used_account,
)


def gib_month_micro(n_bytes: int, day: int) -> int:
    """So many bytes stored for a day, in millionths of a GiB-month, rounded to the nearest, halves up.

    A day is one part of its own month, so that a month of the same size is that size whatever its length.
    """
    first, past = days_of(month_text(day))
    whole = GIB * (past - first)
    return (2 * n_bytes * MICRO + whole) // (2 * whole)


def stored_gib(amount_micro: int, day: int) -> float:
    """How many GiB lay there on a day for which so many millionths of a GiB-month were booked."""
    first, past = days_of(month_text(day))
    return amount_micro * (past - first) / MICRO


def stored(project: str, day: int, at_s: float, amount_micro: int, paid_micro: Mapping[str, int]) -> Transaction:
    """The deed that books a day of storage: what was used, and what was paid for it out of which accounts."""
    target = used_account(project)
    postings = [Posting(target, GIB_MONTH, amount_micro), Posting(PLANT, GIB_MONTH, -amount_micro)]
    postings += [Posting(account, CREDIT, -amount) for account, amount in paid_micro.items() if amount]
    total = sum(paid_micro.values())
    if total:
        postings.append(Posting(INCOME, CREDIT, total))
    return Transaction(f"{STORE}:{project}:{day}", f"Storage of {project}"[:200], at_s, tuple(postings))
