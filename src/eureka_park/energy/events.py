"""What energy tells the other rooms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlanIssued:
    """A new power plan is stored; instants in UTC epoch seconds of park time."""

    plan_id: str
    site: str
    issued_at_s: float
    start_s: float
    end_s: float
