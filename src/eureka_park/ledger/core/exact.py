"""Exact arithmetic: amounts are whole micro-units, and every split adds up to what was split."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from eureka_park.foundation.units import HOUR_S

MICRO: Final = 1_000_000
UJ_PER_KWH: Final = 3_600_000 * MICRO
_WEIGHT_BITS: Final = 60


def micro(value: float) -> int:
    """A quantity as whole micro-units of the same unit (J to uJ, MAD to uMAD), rounded half to even."""
    return round(value * MICRO)


def split(total: int, weights: Sequence[float]) -> list[int]:
    """Split a whole `total` >= 0 in proportion to weights >= 0; the parts add up to `total` exactly.

    Largest remainder: each part is the exact share rounded down, and the units left over go to the largest remainders,
    ties to the first. Whole weights are used as they are; others are taken to 60 bits of the largest.
    """
    scaled = _whole(weights)
    whole = sum(scaled)
    if total < 0 or (whole == 0 and total > 0):
        raise ValueError(f"{total} cannot be split by weights that add up to {whole}")
    if whole == 0:
        return [0] * len(scaled)
    parts = [divmod(total * weight, whole) for weight in scaled]
    amounts = [amount for amount, _ in parts]
    by_remainder = sorted(range(len(parts)), key=lambda index: -parts[index][1])
    for index in by_remainder[: total - sum(amounts)]:
        amounts[index] += 1
    return amounts


def split_hours(start_s: float, end_s: float, energy_uj: int) -> list[tuple[int, int]]:
    """Split an energy over the hours that `[start_s, end_s)` touches, by time: (start of the hour in s, uJ), adding up.

    An interval of no length belongs to the hour in which it lies. Raises ValueError when it ends before it starts.
    """
    if not end_s >= start_s:
        raise ValueError(f"an interval ends at {end_s}, before its start at {start_s}")
    first = int(start_s // HOUR_S)
    last = max(first, -int(-end_s // HOUR_S) - 1)
    hours = [hour * HOUR_S for hour in range(first, last + 1)]
    if len(hours) == 1:
        return [(hours[0], energy_uj)]
    inside_s = [min(end_s, hour_s + HOUR_S) - max(start_s, hour_s) for hour_s in hours]
    return list(zip(hours, split(energy_uj, inside_s), strict=True))


def _whole(weights: Sequence[float]) -> list[int]:
    """Weights as whole numbers, in proportion."""
    if all(isinstance(weight, int) for weight in weights):
        whole = [int(weight) for weight in weights]
    else:
        _check_finite(weights)
        largest = max(weights, default=0.0)
        shift = _WEIGHT_BITS - math.frexp(largest)[1]
        whole = [int(math.ldexp(weight, shift)) for weight in weights]
    if any(weight < 0 for weight in whole):
        raise ValueError("a weight is below zero")
    return whole


def _check_finite(weights: Iterable[float]) -> None:
    if not all(math.isfinite(weight) for weight in weights):
        raise ValueError("a weight is not a finite number")
