"""What a power cap saves and what it costs: points measured on a real cluster, straight lines between them.

The table holds where a site has no `[[cap_curve]]` of its own. It was measured elsewhere and is assumed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

# (cap_frac, power_frac, speed_frac): cap over rated GPU power; power and speed over those without a cap.
CapRow = tuple[float, float, float]

CAP_CURVE: Final[tuple[CapRow, ...]] = (
    (0.25, 0.27, 0.21),
    (0.5, 0.53, 0.73),
    (0.625, 0.66, 0.84),
    (0.75, 0.79, 0.91),
    (0.875, 0.90, 0.955),
    (1.0, 1.0, 1.0),
)
CAP_CURVE_SOURCE: Final = (
    "measured elsewhere, assumed here: mean of 8 workloads on 256 GPUs of the 400 W class (A100), data published with "
    "arXiv 2507.00909 (2025), Apache-2.0"
)


def power_frac(cap_frac: float, curve: Sequence[CapRow] = CAP_CURVE) -> float:
    """Power under a cap over power without one; 1. Below the lowest point it stays there: nothing less was measured."""
    return max(curve[0][1], _between(cap_frac, curve, 1))


def speed_frac(cap_frac: float, curve: Sequence[CapRow] = CAP_CURVE) -> float:
    """Work done under a cap over work without one; 1. Below the lowest point it falls straight to nothing."""
    return _between(cap_frac, curve, 2)


def curve_fault(curve: Sequence[CapRow]) -> tuple[int, str, str] | None:
    """What makes a curve unusable: index of the point, its field, and why; None for a good one, and for no points."""
    if not curve:
        return None
    for index, (low, high) in enumerate(pairwise(curve), start=1):
        if high[0] <= low[0]:
            return index, "cap_frac", f"{high[0]:g} comes after {low[0]:g}; list the points by rising cap_frac"
        for field, was, now in (("power_frac", low[1], high[1]), ("speed_frac", low[2], high[2])):
            if now < was:
                return index, field, f"{now:g} is below {was:g} of the point before it; it must not fall"
    if curve[-1] != (1.0, 1.0, 1.0):
        return len(curve) - 1, "cap_frac", "the last point must be the one without a cap: all three are 1"
    return None


def _between(cap_frac: float, curve: Sequence[CapRow], column: int) -> float:
    """The column at a cap, straight between neighbours and from (0, 0) to the first point."""
    low_cap, low = 0.0, 0.0
    for row in curve:
        if cap_frac <= row[0]:
            part = max(0.0, cap_frac - low_cap) / (row[0] - low_cap)
            return low + part * (row[column] - low)
        low_cap, low = row[0], row[column]
    return low
