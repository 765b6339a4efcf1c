"""Double entry in whole micro-units: what leaves one account arrives in another, per commodity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from eureka_park.foundation.errors import Internal

CREDIT: Final = "credit"  # 1 credit = 1 MAD
GIB_MONTH: Final = "gib_month"  # of storage
GRANTS: Final = "park:grants"  # where granted credits come from; goes below zero
INCOME: Final = "park:income"  # where spent credits go
STORE: Final = "store"  # kind of the deeds that book what is stored in a day
PLANT: Final = "park:plant"  # where energy, GPU-hours and carbon come from that jobs used


def project_account(project: str) -> str:
    """The account of a project."""
    return f"project:{project}"


def held_account(project: str) -> str:
    """Where the credits of a project lie that its open jobs hold."""
    return f"project:{project}:held"


def used_account(project: str) -> str:
    """What a project's jobs have used, by commodity."""
    return f"project:{project}:used"


def grant_account(grant_id: str) -> str:
    """What is left of a grant."""
    return f"grant:{grant_id}"


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount that comes into an account (> 0) or leaves it (< 0), in micro-units of the commodity."""

    account: str
    commodity: str
    amount_micro: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """Postings that belong together. The idempotency key names the deed: the same deed is booked once."""

    idempotency_key: str
    why: str
    at_s: float
    postings: tuple[Posting, ...]

    @property
    def kind(self) -> str:
        """What sort of deed it is: what its key begins with, such as `settle`."""
        return self.idempotency_key.partition(":")[0][:24]

    def __post_init__(self) -> None:
        """An unbalanced transaction cannot be made: that would be a defect of the park."""
        wrong = unbalanced(self.postings)
        if wrong:
            raise Internal(f"The transaction {self.idempotency_key} does not balance: {wrong}.", fix="Report this.")


def unbalanced(postings: Iterable[Posting]) -> dict[str, int]:
    """By commodity, by how many micro-units the postings miss zero; empty when they balance."""
    sums: dict[str, int] = {}
    for posting in postings:
        sums[posting.commodity] = sums.get(posting.commodity, 0) + posting.amount_micro
    return {commodity: amount for commodity, amount in sums.items() if amount != 0}


def transfer(
    idempotency_key: str, why: str, at_s: float, *, source: str, target: str, commodity: str, amount_micro: int
) -> Transaction:
    """The transaction that moves an amount from one account to another."""
    leaves = Posting(source, commodity, -amount_micro)
    arrives = Posting(target, commodity, amount_micro)
    return Transaction(idempotency_key, why, at_s, (leaves, arrives))
