"""Properties of the search for sizes: planes lie under the figure, more costs more, cheaper never costs more."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.small_sizing import DAY, candidate, problem, search

from eureka_park.energy.core.candidates import Outputs, sizes_of
from eureka_park.energy.core.sizing import TOLERANCE_FRAC
from eureka_park.energy.core.sizing_weeks import Week

HOURS = 48
LOAD = np.full(HOURS, 10.0)
SUN = np.tile(DAY, 2)
SMALL = 0.02  # MW that a search leaves out as nothing, and what rounding adds
shares = st.floats(0.05, 0.95)
costs = st.floats(0.2, 5.0)
winds = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).uniform(0.0, 1.0, HOURS))
points = st.tuples(st.floats(0, 60), st.floats(0, 60), st.floats(0, 30), st.floats(0, 200)).map(np.array)


@settings(max_examples=25, deadline=None)
@given(winds, points, points)
def test_a_plane_lies_under_the_figure_everywhere(wind: np.ndarray, here: np.ndarray, there: np.ndarray) -> None:
    items = (candidate("wind"), candidate("pv"), candidate("battery"))
    outputs = Outputs({"new-wind": wind, "new-pv": SUN})
    week = Week(problem(LOAD), items, outputs, sizes_of(items, 10.0, {}), "import")
    plane, truth = week.plane(here), week.plane(there)
    assert plane.offset + plane.slope @ there <= truth.value + 1e-7
    assert 0.0 <= truth.value <= 10.0 * HOURS / 1000.0 + 1e-9


@settings(max_examples=20, deadline=None)
@given(winds, st.tuples(costs, costs, costs, costs), st.tuples(shares, shares))
def test_a_higher_share_is_never_cheaper(wind: np.ndarray, unit: tuple[float, ...], both: tuple[float, float]) -> None:
    found, _ = search(LOAD, {"wind": wind, "pv": SUN, "battery": SUN})
    low, high = (found.cheapest(unit, [share], None) for share in (min(both), max(both) + 2 * TOLERANCE_FRAC))
    assert low.least_mad <= high.yearly_mad * (1.0 + 1e-6) + SMALL * sum(unit)
    assert low.share_by_year[0] >= min(both) - TOLERANCE_FRAC
    assert high.share_by_year[0] >= max(both)


@settings(max_examples=20, deadline=None)
@given(winds, st.tuples(costs, costs, costs, costs), shares, st.integers(0, 3), st.floats(0.5, 1.0))
def test_a_cheaper_technology_never_raises_the_cost(
    wind: np.ndarray, unit: tuple[float, ...], share: float, which: int, factor: float
) -> None:
    found, _ = search(LOAD, {"wind": wind, "pv": SUN, "battery": SUN})
    cheaper = [cost * (factor if index == which else 1.0) for index, cost in enumerate(unit)]
    dear = found.cheapest(unit, [share + 2 * TOLERANCE_FRAC], None)  # so that it truly reaches the share
    assert found.cheapest(cheaper, [share], None).least_mad <= dear.yearly_mad * (1.0 + 1e-6) + SMALL * sum(unit)


@settings(max_examples=10, deadline=None)
@given(winds, st.tuples(costs, costs, costs, costs), shares)
def test_what_is_found_is_as_cheap_as_the_planes_allow(wind: np.ndarray, unit: tuple[float, ...], share: float) -> None:
    found, _ = search(LOAD, {"wind": wind, "pv": SUN, "battery": SUN})
    answer = found.cheapest(unit, [share], None)
    again = found.cheapest(unit, [share + 2 * TOLERANCE_FRAC], None)
    assert answer.least_mad <= again.yearly_mad * (1.0 + 1e-6) + SMALL * sum(unit)
    assert answer.yearly_mad <= answer.least_mad + SMALL * sum(unit)
