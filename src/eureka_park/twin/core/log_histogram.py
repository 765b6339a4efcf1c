"""Quantiles of any number of values in bounded memory: a histogram whose bins are 1/64 of an octave's begin wide.

Counts may be weights. A quantile is told by a point of its bin that lies at most `ERROR_FRAC` from any value in it.
Bins are found by exact arithmetic (a mantissa and an exponent, no logarithm), so that one by one and all at once give
the same bins on every machine. The idea is that of HdrHistogram (log-linear buckets).
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from eureka_park.foundation.kernels import kernel

Floats = npt.NDArray[np.float64]

PARTS: Final = 64  # bins of an octave
FIRST_OCTAVE: Final = -10
N_OCTAVES: Final = 40
LEAST: Final = 2.0**FIRST_OCTAVE  # what is smaller counts as 0
MOST: Final = 2.0 ** (FIRST_OCTAVE + N_OCTAVES)  # what is larger falls into the last bin: 34 years, in seconds
N_BINS: Final = 1 + N_OCTAVES * PARTS
ERROR_FRAC: Final = 1.0 / (2 * PARTS + 1)  # 0.78 %


@kernel
def bin_of(value: float) -> int:
    """The bin of a value; 0 for what is below `LEAST`, and for what is no number."""
    if not value >= LEAST:
        return 0
    if value >= MOST:
        return N_BINS - 1
    mantissa, exponent = math.frexp(value)  # value = mantissa * 2**exponent, the mantissa from 0.5 to 1
    return 1 + (exponent - 1 - FIRST_OCTAVE) * PARTS + int((mantissa - 0.5) * (2 * PARTS))


def bins_of(values: Floats) -> npt.NDArray[np.int64]:
    """The bins of many values, as `bin_of` finds them."""
    mantissa, exponent = np.frexp(np.clip(np.nan_to_num(values, nan=0.0, posinf=MOST), 0.0, MOST))
    part = ((mantissa - 0.5) * (2 * PARTS)).astype(np.int64)
    place = 1 + (exponent.astype(np.int64) - 1 - FIRST_OCTAVE) * PARTS + part
    return np.where(values >= LEAST, np.minimum(place, N_BINS - 1), 0)


def histogram(values: Floats, weights: Floats | None = None) -> Floats:
    """Counts (or weights) by bin."""
    return np.bincount(bins_of(values), weights=weights, minlength=N_BINS).astype(np.float64)


def value_of(place: int) -> float:
    """What stands for all values of a bin: as far from its begin as from its end, as parts of themselves."""
    if place == 0:
        return 0.0
    octave, part = divmod(place - 1, PARTS)
    low, high = 1.0 + part / PARTS, 1.0 + (part + 1) / PARTS
    return float(2.0 ** (octave + FIRST_OCTAVE) * 2.0 * low * high / (low + high))


def quantile(counts: npt.NDArray[Any], level: float) -> float:
    """The value at or below which `level` of all counts lies, to `ERROR_FRAC`; 0 without counts."""
    until = np.cumsum(counts, dtype=np.float64)
    if until[-1] <= 0.0:
        return 0.0
    place = int(np.searchsorted(until, level * until[-1] * (1.0 - 1e-12), side="left"))
    return value_of(min(place, len(until) - 1))
