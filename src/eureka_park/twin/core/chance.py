"""Chance inside kernels: random bits whose state is a record, and draws from tables of a distribution.

The generator is SFC64, "small fast counting", by Chris Doty-Humphrey (PractRand, version 0.94, public domain): 192 bits
of chaotic state and a counter, so no cycle is shorter than 2**64. Bits are those of numpy's `SFC64` with that state.

Draws use only sums, products and tables, so that a seed gives the same jobs whichever library of functions is at hand.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from eureka_park.foundation.kernels import kernel
from eureka_park.foundation.seeds import SeedTree

Floats = npt.NDArray[np.float64]

BITS: Final = [("a", "u8"), ("b", "u8"), ("c", "u8"), ("count", "u8")]  # fields of a record that `bits` changes
N_BINS: Final = 2048
LAST: Final = np.uint64(N_BINS - 1)
ZERO: Final = np.uint64(0)
ONE: Final = np.uint64(1)
THREE: Final = np.uint64(3)
ELEVEN: Final = np.uint64(11)
ROLL: Final = np.uint64(24)
ROLL_BACK: Final = np.uint64(40)
TOP_11: Final = np.uint64(53)  # shift that leaves the highest 11 bits
NEXT_11: Final = np.uint64(42)
LOW_42: Final = np.uint64((1 << 42) - 1)
TO_53: Final = 2.0**-53
TO_42: Final = 2.0**-42
Z_MAX: Final = 6.0  # tables over scores reach so far either way; beyond it are 2e-9 of all
PER_Z: Final = 64
N_Z: Final = int(2 * Z_MAX * PER_Z)


@kernel
def stepped(a: Any, b: Any, c: Any, count: Any) -> Any:
    """The state after a step, and 64 random bits; for loops that keep the state in registers."""
    out = a + b + count
    return b ^ (b >> ELEVEN), c + (c << THREE), ((c << ROLL) | (c >> ROLL_BACK)) + out, count + ONE, out


@kernel
def bits(state: Any) -> Any:
    """The next 64 random bits; `state` is a record with the fields of `BITS`."""
    state.a, state.b, state.c, state.count, out = stepped(state.a, state.b, state.c, state.count)
    return out


@kernel
def fill_block(state: Any, block: Any) -> None:
    """Fill an array with random bits: in a row they cost a third of what they cost one by one."""
    a, b, c, count = state.a, state.b, state.c, state.count
    for index in range(block.shape[0]):
        a, b, c, count, block[index] = stepped(a, b, c, count)
    state.a, state.b, state.c, state.count = a, b, c, count


@kernel
def uniform(x: Any) -> Any:
    """A number from 0 to below 1 from random bits, a multiple of 2**-53."""
    return (x >> ELEVEN) * TO_53


@kernel
def score(x: Any, middle: Any, tail: Any) -> Any:
    """A standard normal number from random bits and the tables of `normal_tables`."""
    index = x >> TOP_11
    if ZERO < index < LAST:
        left = middle[index]
        return left + ((x >> ELEVEN) & LOW_42) * TO_42 * (middle[index + ONE] - left)
    deep = (x >> NEXT_11) & LAST
    left = tail[deep]
    found = left + (x & LOW_42) * TO_42 * (tail[deep + ONE] - left)
    return found if index == ZERO else -found


@kernel
def waiting(x: Any, table: Any) -> Any:
    """An exponential number of mean 1 from random bits and `waiting_table`; what is beyond a table begins anew."""
    index = x >> TOP_11
    if index < LAST:
        left = table[index]
        return left + ((x >> ELEVEN) & LOW_42) * TO_42 * (table[index + ONE] - left)
    deep = (x >> NEXT_11) & LAST
    left = table[deep]
    return table[LAST] + left + (x & LOW_42) * TO_42 * (table[deep + ONE] - left)


@kernel
def at_score(table: Any, z: float) -> Any:
    """The value that a table of `over_scores` has at a score, linear between its points."""
    place = (z + Z_MAX) * PER_Z
    if place <= 0.0:
        return table[0]
    index = int(place)
    if index >= N_Z:
        return table[N_Z]
    return table[index] + (place - index) * (table[index + 1] - table[index])


@kernel
def picked(x: Any, odds: Any) -> Any:
    """An index from random bits, with the weights of a table of `alias_table`; no branch."""
    place = uniform(x) * (odds.shape[0] // 2)
    index = int(place)
    return odds[2 * index + int(place - index >= odds[2 * index].own)].to


def seeded(record: Any, tree: SeedTree) -> None:
    """Set the fields of `BITS` from a seed; as the author does, the first twelve outputs are thrown away."""
    words = np.frombuffer(tree.entropy()[:24], dtype="<u8")
    record.a[0], record.b[0], record.c[0], record.count[0] = *words, 1
    with np.errstate(over="ignore"):  # where kernels run as Python, numpy tells of each carry
        for _ in range(12):
            bits(record[0])


def normal_tables() -> tuple[Floats, Floats]:
    """Scores at the borders of `N_BINS` equally likely bins, and those at the borders inside the lowest bin.

    The two outermost points, whose scores are infinite, are set such that the mean inside their bin is right.
    """
    inverse = NormalDist().inv_cdf
    inner = [inverse(index / N_BINS) for index in range(1, N_BINS)]
    tail = [inverse(index / N_BINS**2) for index in range(1, N_BINS + 1)]
    first = tail[0]
    mean = -math.exp(-first * first / 2.0) / math.sqrt(2.0 * math.pi) * N_BINS**2
    return np.array([inner[0], *inner, inner[-1]]), np.array([2.0 * mean - first, *tail])


def waiting_table() -> Floats:
    """Exponential numbers at the borders of `N_BINS` equally likely bins; the last one gives its bin the right mean."""
    inner = -np.log1p(-np.arange(N_BINS) / N_BINS)
    return np.append(inner, inner[-1] + 2.0)


def over_scores(values: Any) -> Floats:
    """A table for `at_score` from the values at `grid()`."""
    return np.ascontiguousarray(values, dtype=np.float64)


def grid() -> Floats:
    """The scores at which tables for `at_score` hold a value."""
    return np.linspace(-Z_MAX, Z_MAX, N_Z + 1)


def below(z: Floats) -> Floats:
    """The share of a standard normal below each score."""
    return np.array([0.5 * math.erfc(-one / math.sqrt(2.0)) for one in np.atleast_1d(z)])


ODDS: Final = np.dtype([("own", "f8"), ("to", "i8")])  # two rows a place: its own part, who has the rest


def alias_table(weights: Any) -> Any:
    """A table for `picked` (A. J. Walker 1977, built as M. D. Vose 1991): one look-up for any number of weights."""
    share = np.asarray(weights, dtype=np.float64)
    share = share * (len(share) / share.sum())
    odds = np.zeros(2 * len(share), ODDS).view(np.recarray)
    odds.own[:], odds.to[:] = 1.0, np.arange(2 * len(share)) // 2
    small = [index for index, one in enumerate(share) if one < 1.0]
    large = [index for index, one in enumerate(share) if one >= 1.0]
    while small and large:
        low, high = small.pop(), large[-1]
        odds.own[2 * low], odds.to[2 * low + 1] = share[low], high
        share[high] -= 1.0 - share[low]
        if share[high] < 1.0:
            small.append(large.pop())
    return odds
