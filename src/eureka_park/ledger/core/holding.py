"""Drawing on several accounts in order, and giving back to them in the other order: the arithmetic of holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eureka_park.ledger.core.exact import MICRO, micro, split
from eureka_park.ledger.core.posting import Posting


@dataclass(slots=True)
class Purse:
    """What can be spent, by account in the order in which it is: whatever ends first goes first."""

    left_micro: dict[str, int]
    taken_micro: dict[str, int] = field(default_factory=dict)

    @property
    def total_micro(self) -> int:
        """All that is left."""
        return sum(self.left_micro.values())

    def take(self, amount_micro: int) -> dict[str, int]:
        """Take an amount that is there; by account."""
        parts: dict[str, int] = {}
        for account, left in self.left_micro.items():
            part = min(left, amount_micro)
            if part > 0:
                parts[account] = part
                amount_micro -= part
        if amount_micro > 0:
            raise ValueError(f"{amount_micro} micro-credits are missing")
        for account, part in parts.items():
            self.left_micro[account] -= part
            self.taken_micro[account] = self.taken_micro.get(account, 0) + part
        return parts


@dataclass(frozen=True, slots=True)
class Unpaid:
    """A job that has gone on beyond its declared time, and for which there is no credit since then. `need_micro`: what
    it takes for it to go on, its overtime so far included; `declared_s`: run time that is paid for.
    """

    job_id: str
    project: str
    since_s: float
    declared_s: float
    need_micro: int
    left_micro: int


def moved(sources: Mapping[str, int], target: str, commodity: str) -> tuple[Posting, ...]:
    """Postings that move amounts from several accounts into one; below zero: from there into them."""
    leaving = [Posting(account, commodity, -amount) for account, amount in sources.items() if amount]
    return (*leaving, Posting(target, commodity, sum(sources.values())))


def taken_in_order(amounts: Sequence[int], total: int) -> list[int]:
    """How much of each amount is taken when `total` is, the first first."""
    parts = []
    for amount in amounts:
        part = min(amount, total)
        parts.append(part)
        total -= part
    if total > 0:
        raise ValueError(f"{total} are missing")
    return parts


def billed(
    receipt: Mapping[str, Any], listed_micro: int, charged_micro: int, refunded_micro: int, ceiling_micro: int
) -> dict[str, Any]:
    """A receipt by the list as it is charged: refunds and what is above the ceiling are taken off its hours too."""
    hours = [dict(hour) for hour in receipt["hours"]]
    shares = [micro(hour["credits"]) for hour in hours]
    parts = split(charged_micro, shares if any(shares) else [1] * len(hours))
    for hour, part in zip(hours, parts, strict=True):
        hour["credits"] = part / MICRO
    price = {
        **receipt["price"],
        "listed_credits": listed_micro / MICRO,
        "refunded_credits": refunded_micro / MICRO,
        "ceiling_credits": ceiling_micro / MICRO,
    }
    return {**receipt, "hours": hours, "credits": charged_micro / MICRO, "price": price}
