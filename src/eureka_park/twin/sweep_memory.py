"""How many runs of a sweep memory lets go on at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eureka_park.foundation.errors import TooLarge

if TYPE_CHECKING:
    from eureka_park.twin.sweep import Wanted


def check_each(runs: Sequence[Wanted], memory_mib: float) -> None:
    """Raise TooLarge where one of these runs alone would need more than there is."""
    large = max(runs, key=lambda one: one.foreseen_mib, default=None)
    if large is not None and large.foreseen_mib > memory_mib:
        raise TooLarge(
            f"Run {large.name} would hold about {large.foreseen_mib:,.0f} MiB; {memory_mib:,.0f} MiB are free.",
            fix="Ask for fewer jobs or days, or a smaller site.", field="jobs", code="too_little_memory",
        )  # fmt: skip


def n_at_once(runs: Sequence[Wanted], n_workers: int, memory_mib: float) -> int:
    """How many of these runs memory lets go on at once, at most `n_workers`; 1 at least."""
    left, n = memory_mib, 0
    for run in sorted(runs, key=lambda one: one.foreseen_mib)[:n_workers]:
        left -= run.foreseen_mib
        n += left >= 0.0
    return max(1, n)
