"""A year operated day by day: it balances, comes near the bound, and a forecast with errors costs some of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eureka_park.energy.core.dispatch import dispatch
from eureka_park.energy.core.forecast import forecast_of
from eureka_park.energy.core.rolling import RolledYear, roll_year
from eureka_park.energy.core.supply import Supply, half_tanks, problem_from, supply_of
from eureka_park.energy.core.weather_year import REFERENCE_YEAR_S
from eureka_park.foundation.site_reading import load_site

SITE = load_site("eureka-park")
WEEKS_H = 21 * 24
JUNE = 24 * 151


@pytest.fixture(scope="module")
def supply() -> Supply:
    return supply_of(SITE, 7)


def sound(found: RolledYear, supply: Supply) -> None:
    """Balance, limits and the tanks' own books."""
    assert np.abs(found.residual_mw).max() < 1e-6
    for flow in (found.import_mw, found.export_mw, found.unserved_mw, found.curtailed_mw, *found.power_mw.values()):
        assert flow.min() >= -1e-9
    assert found.import_mw.max() <= SITE.grid.import_mw_max + 1e-6
    hours = JUNE + np.arange(len(found.load_mw))
    truth = problem_from(supply, REFERENCE_YEAR_S + JUNE * 3600, found.load_mw, half_tanks(supply))
    for name, plant in truth.salt.items():
        tank = found.tes_mwh_th[name]
        before = np.concatenate([[plant.tes_mwh_th_start], tank[:-1]])
        drawn = found.power_mw[name] / plant.per_heat
        kept = (1 - plant.loss_frac) * before + plant.heat_mw_th - drawn - found.spill_mw_th[name]
        assert np.allclose(tank, kept, atol=1e-6) and tank.max() <= plant.tes_mwh_th_max + 1e-6
        assert drawn.max() <= plant.power_block_mw_th + 1e-6
    direct = sum(truth.direct_mw.values())
    used = sum(found.power_mw[name] for name in truth.direct_mw)
    assert np.allclose(used + found.curtailed_mw, direct, atol=1e-6) and len(hours) == len(direct)


def test_a_perfect_forecast_comes_near_the_bound(supply: Supply) -> None:
    found = roll_year(supply, 200.0, first_hour=JUNE, n_hours=WEEKS_H)
    sound(found, supply)
    whole = problem_from(supply, REFERENCE_YEAR_S + JUNE * 3600, np.full(WEEKS_H, 200.0), half_tanks(supply))
    bound = dispatch(replace(whole, end_value_mad_per_mwh=0.0, n_import_blocks=1, n_draw_blocks=1))
    assert bound.cfe_frac - 0.01 < found.cfe_frac < bound.cfe_frac + 0.005
    assert found.n_plans == 21 and found.forecast == "perfect inside the window"


def test_errors_of_forecast_cost_some_of_it_and_the_books_still_balance(supply: Supply) -> None:
    perfect = roll_year(supply, 200.0, first_hour=JUNE, n_hours=7 * 24)
    real = roll_year(supply, 200.0, forecast_of(supply, 7), first_hour=JUNE, n_hours=7 * 24)
    sound(real, supply)
    assert real.n_plans == 7 * 24 and real.forecast == "with the errors of forecast"
    assert perfect.cfe_frac - 0.08 < real.cfe_frac < perfect.cfe_frac + 0.002
    assert real.cfe_frac == roll_year(supply, 200.0, forecast_of(supply, 7), first_hour=JUNE, n_hours=7 * 24).cfe_frac


def test_nothing_to_serve_and_nothing_to_serve_it_with(supply: Supply) -> None:
    idle = roll_year(supply, 0.0, first_hour=JUNE, n_hours=48)
    assert idle.cfe_frac == 1.0 and idle.import_mw.max() == 0
    gone = supply_of(SITE, 7, without=[plant.id for plant in SITE.plants])
    alone = roll_year(gone, 100.0, first_hour=JUNE, n_hours=48)
    assert alone.cfe_frac == pytest.approx(0.0) and alone.import_mw.min() == pytest.approx(100.0)
    too_much = roll_year(gone, 500.0, first_hour=JUNE, n_hours=48)
    assert too_much.unserved_mw == pytest.approx(np.full(48, 500.0 - SITE.grid.import_mw_max))
