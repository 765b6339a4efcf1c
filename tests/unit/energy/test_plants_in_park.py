"""The park's plan that real blocks can follow: their limits, the heat that is there, the clean share that is left."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_park.energy.core.plants_in_park import LEAST_MARGIN, ParkPlan, park_plan
from eureka_park.energy.core.power_block import most_mw_th, power_block, through_the_hours
from eureka_park.energy.core.supply import supply_of
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR
from eureka_park.foundation.site_reading import load_site

PARK = load_site("eureka-park")
CSP = ("noor-i", "noor-ii", "noor-iii")


@pytest.fixture(scope="module")
def plan() -> ParkPlan:
    return park_plan(supply_of(PARK, 1), np.full(HOURS_PER_YEAR, 386.0))


@pytest.mark.parametrize("name", CSP)
def test_a_block_is_off_or_within_its_limits(plan: ParkPlan, name: str) -> None:
    year = plan.supply.years[name]
    block, asked = power_block(year.plant), plan.asked_mw_th(name)
    runs = asked > 1e-3
    assert 2000 < runs.sum() < HOURS_PER_YEAR
    assert asked[runs].min() > block.least_frac * block.design_mw_th * (LEAST_MARGIN - 0.01)
    assert np.all(asked <= most_mw_th(block, year.series_mw) + 1e-3)


@pytest.mark.parametrize("name", CSP)
def test_most_of_the_heat_asked_for_is_there_and_the_targets_are_met(plan: ParkPlan, name: str) -> None:
    year = plan.supply.years[name]
    targets = plan.targets_mw_th(name)
    met = through_the_hours(power_block(year.plant), year.series_mw, targets)
    assert met.drawn_mw_th.sum() > 0.95 * plan.asked_mw_th(name).sum()
    assert np.abs((targets - met.drawn_mw_th)[met.start_mw_th == 0]).max() < 1e-6


def test_the_clean_share_falls_with_what_the_plants_give(plan: ParkPlan) -> None:
    planned = {name: plan.planned_mw(name) for name in CSP}
    assert plan.cfe_frac_with(planned) == pytest.approx(plan.answer.cfe_frac, abs=1e-6)
    assert plan.cfe_frac_with({**planned, "noor-i": 0.9 * planned["noor-i"]}) < plan.answer.cfe_frac - 0.005
    assert plan.cfe_frac_with({}) == pytest.approx(plan.answer.cfe_frac, abs=1e-6)
