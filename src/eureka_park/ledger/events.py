"""What the ledger tells other rooms, in the transaction in which it came about. Everything is named by id."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GrantGiven:
    """A project has credits to spend."""

    grant_id: str
    project: str
    kind: str
    amount_micro: int
    valid_until_s: float | None


@dataclass(frozen=True, slots=True)
class GrantEnding:
    """A grant ends within a week, or has just ended (`is_over`)."""

    grant_id: str
    project: str
    left_micro: int
    valid_until_s: float
    is_over: bool


@dataclass(frozen=True, slots=True)
class GrantReclaimNoticed:
    """A grant is little used: a part of it goes back at `due_at_s` unless that changes."""

    grant_id: str
    project: str
    amount_micro: int
    due_at_s: float


@dataclass(frozen=True, slots=True)
class GrantReclaimed:
    """A part of a grant went back."""

    grant_id: str
    project: str
    amount_micro: int


@dataclass(frozen=True, slots=True)
class BudgetReached:
    """A project has spent a part of its budget; `is_held`: it starts no new jobs by its own rule."""

    project: str
    name: str
    threshold_pct: int
    spent_micro: int
    amount_micro: int
    is_held: bool


@dataclass(frozen=True, slots=True)
class HoldRefused:
    """A job went on beyond its declared time and there is no credit for more: it is paused until there is, or ended an
    hour later where it cannot be (firm work, and what writes no checkpoints).
    """

    job_id: str
    project: str
    person_id: str
    tier: str = ""
    need_micro: int = 0  # what an hour more takes, its overtime so far included
    left_micro: int = 0


@dataclass(frozen=True, slots=True)
class HoldRenewed:
    """Credit has come for a job that had none: it may go on."""

    job_id: str
    project: str
    person_id: str


@dataclass(frozen=True, slots=True)
class JobRefunded:
    """A job is not charged for work that the park failed: `why` is lost_node or disturbed."""

    job_id: str
    project: str
    person_id: str
    amount_micro: int
    why: str


@dataclass(frozen=True, slots=True)
class JobSettled:
    """A job has its receipt."""

    job_id: str
    project: str
    person_id: str
    credits_micro: int


@dataclass(frozen=True, slots=True)
class TopUpRequested:
    """Somebody asks to buy credits for a project."""

    top_up_id: str
    project: str
    organisation_id: str
    amount_micro: int
    currency: str


@dataclass(frozen=True, slots=True)
class InvoiceIssued:
    """There is an invoice, or a pro-forma."""

    name: str
    kind: str
    project: str
    organisation_id: str
    total_minor: int
    currency: str
