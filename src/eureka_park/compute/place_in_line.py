"""Where a job stands in its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job stands in its line, that of a person's jobs in one project and tier: those paused stand first, then
    the higher priority, then who came first. `ordinal`: None for a job that would come now.
    """

    project: str
    person: str
    tier: str
    priority: int
    ordinal: int | None = None

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Place:
        """That of a job by its row."""
        return cls(row["project"], row["person"], row["tier"], row["priority"], row["ordinal"])
