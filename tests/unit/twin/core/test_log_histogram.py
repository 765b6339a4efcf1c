"""Quantiles by a histogram against exact ones: never further off than it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.twin.core.log_histogram import (
    ERROR_FRAC,
    LEAST,
    MOST,
    N_BINS,
    bin_of,
    bins_of,
    histogram,
    quantile,
    value_of,
)

values_in_range = st.floats(LEAST, MOST, exclude_max=True)
once_compiled = settings(deadline=None)  # the first call compiles
some_values = st.lists(st.one_of(st.just(0.0), values_in_range), min_size=1, max_size=60)


def exact(values: np.ndarray, level: float) -> float:
    return float(np.sort(values)[max(0, math.ceil(level * len(values) * (1 - 1e-12)) - 1)])


def test_the_error_is_below_a_hundredth() -> None:
    assert ERROR_FRAC < 0.01


@given(some_values, st.floats(0.001, 1.0))
def test_a_quantile_is_as_near_as_it_says(values: list[float], level: float) -> None:
    wanted = exact(np.array(values), level)
    assert quantile(histogram(np.array(values)), level) == pytest.approx(wanted, rel=ERROR_FRAC * (1 + 1e-9), abs=0)


@given(st.lists(st.tuples(values_in_range, st.integers(1, 9)), min_size=1, max_size=40), st.floats(0.001, 1.0))
def test_weights_are_as_good_as_repeats(pairs: list[tuple[float, int]], level: float) -> None:
    values, weights = np.array([pair[0] for pair in pairs]), np.array([float(pair[1]) for pair in pairs])
    repeated = np.repeat(values, weights.astype(int))
    assert quantile(histogram(values, weights), level) == quantile(histogram(repeated), level)


@once_compiled
@given(st.floats(allow_nan=True))
def test_one_by_one_and_all_at_once_are_alike(value: float) -> None:
    assert bin_of(value) == bins_of(np.array([value]))[0]
    assert 0 <= bin_of(value) < N_BINS


@once_compiled
@given(values_in_range, values_in_range)
def test_bins_rise_with_values(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert bin_of(low) <= bin_of(high)


@once_compiled
@given(values_in_range)
def test_a_value_stands_for_its_bin(value: float) -> None:
    told = value_of(bin_of(value))
    assert bin_of(told) == bin_of(value)
    assert abs(told - value) <= ERROR_FRAC * value * (1 + 1e-12)


def test_the_ends() -> None:
    assert [bin_of(value) for value in (0.0, -5.0, LEAST * 0.99, math.nan, -math.inf)] == [0] * 5
    assert [bin_of(value) for value in (MOST, math.inf, MOST * 0.999999)] == [N_BINS - 1] * 3
    assert bin_of(LEAST) == 1
    assert bin_of(1.0) != bin_of(1.0 + 1 / 64)
    assert bin_of(1.0) == bin_of(1.0 + 1 / 65)
    assert quantile(np.zeros(N_BINS), 0.5) == 0.0
