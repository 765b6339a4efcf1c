"""Yearly costs of a unit of new supply."""

from __future__ import annotations

import pytest

from eureka_park.energy.core.costs import (
    Costs,
    annuity_frac,
    battery_mw,
    battery_mwh,
    csp_block_mw,
    csp_mirror_m2,
    csp_salt_mwh_th,
    land_ha,
    pv_mw,
    variable_mad_per_mwh,
    wind_mw,
)
from eureka_park.foundation.cost_data import built_musd
from eureka_park.foundation.site_file import Plant
from eureka_park.foundation.site_reading import load_site

TABLE = Costs.of_table()


def noor(name: str) -> Plant:
    return next(plant for plant in load_site("eureka-park").plants if plant.id == name)


def test_an_annuity_pays_the_capital_back_with_interest() -> None:
    yearly, left = annuity_frac(0.08, 20), 1.0
    for _ in range(20):
        left = left * 1.08 - yearly
    assert left == pytest.approx(0.0, abs=1e-9)
    assert annuity_frac(0.0, 25) == pytest.approx(1 / 25)


def test_a_mw_of_wind_by_hand() -> None:
    costs = TABLE.changed(
        {"wind.capital_usd_per_kw": 1000.0, "wind.om_usd_per_kw_year": 30.0, "wind.life_years": 20.0}
    ).changed({"money.discount_frac": 0.0, "money.mad_per_usd": 10.0})
    unit = wind_mw(costs)
    assert unit.capital_usd == pytest.approx(1e6)
    assert unit.yearly_mad == pytest.approx((1e6 / 20 + 30_000) * 10)


def test_pv_is_paid_by_its_panels() -> None:
    assert pv_mw(TABLE, 1.2).capital_usd == pytest.approx(1.2 * pv_mw(TABLE, 1.0).capital_usd)


def test_one_life_for_everything_may_be_asked_for() -> None:
    short, long = Costs.of_table(10), Costs.of_table(40)
    for unit in (wind_mw, battery_mw, battery_mwh):
        assert unit(short).yearly_mad > unit(TABLE).yearly_mad > unit(long).yearly_mad


def test_a_part_is_scaled_alone_and_wholly() -> None:
    dearer = TABLE.scaled("csp-tower", 1.2)
    assert csp_mirror_m2(dearer, "csp-tower").yearly_mad == pytest.approx(
        1.2 * csp_mirror_m2(TABLE, "csp-tower").yearly_mad
    )
    assert variable_mad_per_mwh(dearer, "csp-tower") == pytest.approx(1.2 * variable_mad_per_mwh(TABLE, "csp-tower"))
    assert csp_mirror_m2(dearer, "csp-trough") == csp_mirror_m2(TABLE, "csp-trough")
    assert dearer.annuity_frac("csp-tower") == TABLE.annuity_frac("csp-tower")


def test_a_stronger_grid_is_paid_by_every_plant_and_not_by_a_battery() -> None:
    dearer = TABLE.changed({"grid.reinforcement_usd_per_kw": 50.0})
    assert wind_mw(dearer).capital_usd - wind_mw(TABLE).capital_usd == pytest.approx(50_000)
    assert pv_mw(dearer, 1.2).capital_usd - pv_mw(TABLE, 1.2).capital_usd == pytest.approx(50_000)
    assert battery_mw(dearer) == battery_mw(TABLE)


@pytest.mark.parametrize("name", ["noor-ii", "noor-iii"])
def test_a_plant_as_built_costs_what_was_published_within_a_third(name: str) -> None:
    plant = noor(name)
    parts = (
        csp_mirror_m2(TABLE, plant.type).capital_usd * float(plant.mirror_area_m2 or 0),
        csp_block_mw(TABLE, plant).capital_usd * float(plant.power_block_mw or 0),
        csp_salt_mwh_th(TABLE, plant.type).capital_usd
        * float(plant.tes_h or 0)
        * float(plant.power_block_mw or 0)
        / float(plant.eta_frac or 1),
    )
    published = float(built_musd()[name].value)
    assert sum(parts) / 1e6 == pytest.approx(published, rel=1 / 3)


def test_land_of_csp_follows_its_output() -> None:
    assert land_ha(TABLE, "csp-tower", 10.0, 600.0) == land_ha(TABLE, "csp-tower", 500.0, 600.0) > 0
    assert land_ha(TABLE, "pv", 100.0, 0.0) == pytest.approx(100 * TABLE["pv.land_ha_per_mw"])
    assert land_ha(TABLE, "battery", 100.0, 0.0) == 0.0
