"""From the site meter to the machines, and whose power came from where: worked examples."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_park.energy.core.cooling import it_mw_beyond_fixed, it_mw_from_site_mw, site_mw_from_it_mw
from eureka_park.energy.core.mix import source_shares
from eureka_park.foundation.site_file import Pue

PUE = Pue(nominal=1.15, fixed_share_frac=0.4, it_mw_rated=100.0)


def test_overhead_is_nominal_at_rated_load_and_worse_at_part_load() -> None:
    assert site_mw_from_it_mw(100.0, PUE) == pytest.approx(115.0)
    assert site_mw_from_it_mw(0.0, PUE) == pytest.approx(6.0)
    assert site_mw_from_it_mw(20.0, PUE) / 20.0 == pytest.approx(1.39)
    assert site_mw_from_it_mw(100.0, PUE, 32.0) == pytest.approx(100 + 6 + 9 * 1.2)
    assert site_mw_from_it_mw(100.0, PUE, -5.0) == pytest.approx(115.0)
    assert it_mw_from_site_mw(5.0, PUE) == 0.0


def test_many_powers_at_once_are_the_same_and_lack_what_the_overhead_takes() -> None:
    site_mw = np.array([0.0, 3.0, 6.0, 6.5, 60.0, 115.0])
    found = it_mw_beyond_fixed(site_mw, PUE)
    assert np.maximum(0.0, found).tolist() == [it_mw_from_site_mw(mw, PUE) for mw in site_mw.tolist()]
    assert found[0] == pytest.approx(-6.0 / 1.09)


def test_green_has_the_sun_first_and_the_grid_last() -> None:
    shares = source_shares({"firm": 50.0, "flex": 30.0, "green": 40.0}, {"noor-iii": 45.0, "koudia": 15.0})
    assert shares["green"] == pytest.approx({"noor-iii": 0.75, "koudia": 0.25, "grid": 0.0})
    assert shares["flex"] == pytest.approx({"noor-iii": 0.5, "koudia": 1 / 6, "grid": 1 / 3})
    assert shares["firm"] == {"noor-iii": 0.0, "koudia": 0.0, "grid": 1.0}


def test_an_idle_tier_has_the_shares_of_its_next_watt() -> None:
    assert source_shares({"green": 0.0}, {"koudia": 5.0})["green"] == {"koudia": 1.0, "grid": 0.0}
    assert source_shares({"green": 0.0, "flex": 7.0}, {})["green"] == {"grid": 1.0}
    after = source_shares({"green": 5.0, "flex": 0.0}, {"koudia": 5.0, "grid": 9.0})
    assert after["flex"] == {"koudia": 0.0, "grid": 1.0}
