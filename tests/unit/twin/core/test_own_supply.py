"""Plants against what work asks for: means by hand, and plants that are larger give as much more."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_park.energy.core.cooling import site_mw_from_it_mw
from eureka_park.energy.core.supply import supply_of
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_reading import load_site
from eureka_park.twin.core.own_supply import Asked, asked_mw, own_clean_mw, plants_factor, supply_times
from eureka_park.twin.core.sky_series import SkyRequest, sky_of

START_S = 1_772_409_600.0
SITE = load_site("eureka-park")


def test_what_is_asked_for_is_at_the_meter() -> None:
    n_nodes, idle_kw = SITE.nodes[0].n_nodes, SITE.nodes[0].idle_kw
    half = Asked(1000.0 * 48.0, 0.5)
    assert asked_mw(SITE, half, 2.0) == pytest.approx(
        site_mw_from_it_mw(1.0 + 0.5 * n_nodes * idle_kw / 1000, SITE.pue)
    )
    more_than_all = Asked(1000.0 * 48.0, 1.5)
    assert asked_mw(SITE, more_than_all, 2.0) == pytest.approx(site_mw_from_it_mw(1.0, SITE.pue))


def test_plants_that_are_larger_give_as_much_more() -> None:
    supply = supply_of(SITE, 1)
    own_mw = own_clean_mw(supply, START_S, 14 * 24)
    assert 50.0 < own_mw < sum(plant.gross_mw for plant in SITE.plants)
    assert own_clean_mw(supply_times(supply, 2.5), START_S, 14 * 24) == pytest.approx(2.5 * own_mw)


def test_the_sky_of_larger_plants_is_larger_and_its_salt_as_well() -> None:
    supply, asked = supply_of(SITE, 1), SkyRequest(START_S, 2.0)
    one, two = sky_of(SITE, asked, supply), sky_of(SITE, asked, supply_times(supply, 2.0))
    assert one.tanks is not None
    assert two.tanks is not None
    assert np.allclose(two.tanks.size_mwh_th, 2.0 * one.tanks.size_mwh_th)
    assert np.allclose(two.tanks.heat_mw_th, 2.0 * one.tanks.heat_mw_th)
    assert two.true_clean_kw[:48].sum() > 1.7 * one.true_clean_kw[:48].sum()


def test_the_factor_brings_demand_to_supply() -> None:
    assert plants_factor(0.8, 200.0, 250.0) == pytest.approx(1.0)
    assert plants_factor(0.5, 200.0, 100.0) == pytest.approx(4.0)
    with pytest.raises(BadInput, match="give nothing in these days"):
        plants_factor(0.8, 200.0, 0.0)
    with pytest.raises(BadInput, match="no model of it"):
        plants_factor(0.8, 200.0, 0.01)
