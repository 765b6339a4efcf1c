"""The search for sizes on days that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from tests.helpers.small_sizing import DAY, candidate, problem, search

from eureka_park.energy.core.candidates import Outputs, sizes_of
from eureka_park.energy.core.dispatch_problem import SaltPlant
from eureka_park.energy.core.sizing import TOLERANCE_FRAC, OutOfReach
from eureka_park.energy.core.sizing_weeks import Week, window, windows

WEEK = 168
LOAD = np.full(WEEK, 10.0)
SUN = np.tile(DAY, 7)


def test_steady_wind_is_sized_by_division() -> None:
    found, sizes = search(LOAD, {"wind": np.full(WEEK, 0.5)})
    answer = found.cheapest([1.0], [0.9], None)
    assert [size.name for size in sizes] == ["new-wind.mw"]
    assert answer.sizes[0] == pytest.approx(18.0, abs=20 * TOLERANCE_FRAC * 10)
    assert answer.share_by_year[0] == pytest.approx(0.9, abs=TOLERANCE_FRAC)


def test_what_stands_already_is_not_built_again() -> None:
    found, _ = search(LOAD, {"wind": np.full(WEEK, 0.5)}, wind_mw=4.0)
    assert found.cheapest([1.0], [0.9], None).sizes[0] == pytest.approx(10.0, abs=0.1)
    assert found.cheapest([1.0], [0.4], None).sizes[0] == 0.0


def test_a_night_on_panels_and_a_battery() -> None:
    """10 MW for 12 dark hours: 120 MWh out, 126.3 in the cells, 133.0 from the panels on top of 120 by day."""
    found, sizes = search(LOAD, {"pv": SUN, "battery": SUN})
    answer = found.cheapest([1.0, 0.1, 0.1], [1.0], None)
    got = dict(zip([size.name for size in sizes], answer.sizes, strict=True))
    assert got["new-pv.mw"] == pytest.approx((120 + 120 / 0.95**2) / 12, rel=5e-3)
    assert got["new-battery.mwh"] == pytest.approx(120 / 0.95, rel=5e-3)
    assert got["new-battery.mw"] == pytest.approx((120 / 0.95**2) / 12, rel=5e-3)


def test_a_night_on_salt() -> None:
    """Mirrors give heat by day, the block runs on: as much salt as the night takes."""
    found, sizes = search(LOAD, {"csp-tower": SUN})
    answer = found.cheapest([1.0, 1.0, 0.01], [0.999], None)
    got = dict(zip([size.name for size in sizes], answer.sizes, strict=True))
    eta = candidate("csp-tower").plant.eta_frac or 1.0
    assert got["new-csp-tower.block"] == pytest.approx(10.0, rel=5e-3)
    assert got["new-csp-tower.mirror"] == pytest.approx(20.0 / eta, rel=1e-2)
    assert got["new-csp-tower.salt"] == pytest.approx(120.0 / eta, rel=1e-2)


def test_the_cheaper_of_two_equals_is_built() -> None:
    steady = np.full(WEEK, 0.5)
    found, _ = search(LOAD, {"wind": steady, "pv": steady})
    assert found.cheapest([1.0, 2.0], [0.9], None).sizes == pytest.approx([18.0, 0.0], abs=0.1)
    assert found.cheapest([2.0, 1.0], [0.9], None).sizes == pytest.approx([0.0, 18.0], abs=0.1)


def test_a_limit_is_kept_and_a_share_beyond_it_says_how_far_it_goes() -> None:
    found, _ = search(LOAD, {"wind": np.full(WEEK, 0.5)}, most_mw={"wind": 10.0})
    assert found.cheapest([1.0], [0.45], None).sizes[0] <= 10.0
    with pytest.raises(OutOfReach) as caught:
        found.cheapest([1.0], [0.9], None)
    assert caught.value.most_frac == pytest.approx(0.5, abs=1e-6)


def test_where_what_is_bought_counts_it_may_pay_to_build_more_than_the_share_asks() -> None:
    """A MW gives half a MW: 84 MWh a week, 50,400 MAD of bought energy; it costs less than that, or more."""
    found, _ = search(LOAD, {"wind": np.full(WEEK, 0.5)}, counts_bought=True)
    assert found.cheapest([40_000.0], [0.5], None).sizes[0] == pytest.approx(20.0, rel=0.01)
    assert found.cheapest([60_000.0], [0.5], None).sizes[0] == pytest.approx(10.0, rel=0.01)


def test_every_share_is_kept_in_every_year() -> None:
    strong, strong_sizes = search(LOAD, {"wind": np.full(WEEK, 0.5)})
    weak, _ = search(LOAD, {"wind": np.full(WEEK, 0.25)})
    both = type(strong)(strong_sizes, [*strong.years, *weak.years])
    answer = both.cheapest([1.0], [0.9, 0.9], None)
    assert answer.sizes[0] == pytest.approx(36.0, rel=0.01)
    assert answer.share_by_year[0] == pytest.approx(1.0)


def test_windows_cover_every_hour_once() -> None:
    for hours in (8760, 168, 100, 335, 336):
        parts = windows(hours)
        assert [index for part in parts for index in range(hours)[part]] == list(range(hours))
        assert all(part.stop - part.start < 2 * WEEK for part in parts)


def test_a_window_is_a_circle_of_its_own_hours() -> None:
    heat = np.arange(48.0)
    salt = {"s": SaltPlant(heat, 5.0, 0.4, 1.0, 10.0, 0.0, 0.0)}
    part = window(problem(np.arange(48.0), 1.0, salt), slice(24, 48))
    assert part.is_cyclic
    assert part.load_mw[0] == part.salt["s"].heat_mw_th[0] == 24.0
    assert part.n_hours == 24


def test_a_plane_touches_the_figure_where_it_was_taken() -> None:
    items = (candidate("pv"), candidate("battery"))
    sizes = sizes_of(items, 10.0, {})
    week = Week(problem(LOAD), items, Outputs({"new-pv": SUN}), sizes, "import")
    at = np.array([15.0, 5.0, 40.0])
    plane = week.plane(at)
    assert plane.offset + plane.slope @ at == pytest.approx(plane.value)
    assert plane.value == pytest.approx((10.0 * 84 - 7 * 40.0 * 0.95) / 1000.0, rel=1e-3)
    assert np.all(plane.slope <= 1e-12)
