"""Rules by which grants come in two halves, and by which what lies unused goes back. Numbers are the operator's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eureka_park.foundation.units import DAY_S

BRIDGE: Final = "bridge"  # credits until a grant comes that is awaited
KINDS: Final = ("try", "award", "top_up", BRIDGE, "paid")
AWAITED: Final = ("award", "paid")  # what a bridge reaches to


@dataclass(frozen=True, slots=True)
class GrantRules:
    """`reclaim_below_frac`: under-used is a grant of which less than this is spent at half its time; then what misses
    `reclaim_to_frac` goes back after the notice. `half_used_frac` of the first half, spent, releases the second.
    `ending_days` before its end a project is told. A bridge lasts `bridge_days` at most.
    """

    try_credits: float = 20.0
    try_days: float = 30.0
    reclaim_below_frac: float = 0.3
    reclaim_to_frac: float = 0.5
    notice_days: float = 14.0
    half_used_frac: float = 0.5
    ending_days: float = 7.0
    bridge_days: float = 90.0


def is_under_used(
    rules: GrantRules, amount_micro: int, used_micro: int, from_s: float, until_s: float | None, now_s: float
) -> bool:
    """Whether a part of a grant is to go back: it has an end, half its time is over, and little is spent."""
    if until_s is None or now_s < (from_s + until_s) / 2 or now_s >= until_s:
        return False
    return used_micro < rules.reclaim_below_frac * amount_micro


def reclaimed_micro(rules: GrantRules, amount_micro: int, used_micro: int, left_micro: int) -> int:
    """What goes back of an under-used grant: what misses half of it, never more than is left."""
    return max(0, min(left_micro, round(rules.reclaim_to_frac * amount_micro) - used_micro))


def notice_s(rules: GrantRules) -> float:
    """How long before it goes back a project is told, in seconds."""
    return rules.notice_days * DAY_S
