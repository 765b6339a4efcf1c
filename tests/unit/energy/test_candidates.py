"""What may be built at a site, what it gives, and sizes as plants that stand."""

from __future__ import annotations

import numpy as np
import pytest
from tests.helpers.small_sizing import TABLE, WINDY

from eureka_park.energy.core.candidates import (
    CSP_DNI_KWH_PER_M2,
    SALT_H_MAX,
    candidates_of,
    outputs_of,
    ratios_of,
    site_with,
    sizes_of,
)
from eureka_park.energy.core.outages import usual_availability_frac
from eureka_park.energy.core.sized import additions_of, plants_toml, supply_with, values_of, yearly_mad_per_unit
from eureka_park.energy.core.supply import supply_of, tank_mwh_th
from eureka_park.foundation.site_reading import load_site, parse_site

PARK = load_site("eureka-park")
SUPPLY = supply_of(PARK, 1)
CANDIDATES = candidates_of(PARK, SUPPLY, TABLE)
MODELLED = supply_of(site_with(PARK, CANDIDATES), 1)
OUTPUTS = outputs_of(CANDIDATES, MODELLED)
SIZES = sizes_of(CANDIDATES, 386.0, {})
NAMES = [size.name for size in SIZES]
BY_ID = {item.plant.id: item for item in CANDIDATES}


def test_what_may_be_built_follows_the_weather_sites() -> None:
    assert {item.plant.type for item in CANDIDATES} == {"pv", "csp-trough", "csp-tower", "wind", "battery"}
    assert BY_ID["new-wind-koudia"].delivered_frac == 1.0
    assert BY_ID["new-pv-ouarzazate"].delivered_frac == pytest.approx(0.96)
    windy = parse_site(WINDY, "windy.toml")
    found = candidates_of(windy, supply_of(windy, 1), TABLE)
    assert [item.plant.id for item in found] == ["new-wind-here", "new-battery"]


def test_salt_plants_need_strong_sun() -> None:
    places = [place.model_copy(update={"dni_kwh_per_m2_year": CSP_DNI_KWH_PER_M2 - 1}) for place in PARK.weather_sites]
    weak = candidates_of(PARK.model_copy(update={"weather_sites": tuple(places)}), SUPPLY, TABLE)
    assert not any(item.is_csp for item in weak)


def test_a_new_plant_does_no_better_than_its_kind() -> None:
    towers = SUPPLY.years["noor-iii"]
    factor = towers.calibration_factor / usual_availability_frac(towers.plant)
    assert BY_ID["new-csp-tower-ouarzazate"].yield_frac == pytest.approx(factor)
    assert "noor-iii" in BY_ID["new-csp-tower-ouarzazate"].yield_source
    assert BY_ID["new-pv-ouarzazate"].yield_frac == TABLE["pv.yield_frac"]
    assert all(0.0 < item.yield_frac <= 1.0 for item in CANDIDATES)


def test_a_new_tower_gives_as_much_a_mirror_as_the_one_that_stands() -> None:
    per_unit = OUTPUTS.per_unit["new-csp-tower-ouarzazate"].sum()
    old = SUPPLY.years["noor-iii"]
    stands = old.series_mw.sum() / (float(old.plant.mirror_area_m2 or 0) / 1000)
    assert per_unit == pytest.approx(stands, rel=0.12)


def test_energy_of_a_unit_pays_transport_only_over_a_line() -> None:
    free, paid = (
        dict(zip(NAMES, yearly_mad_per_unit(CANDIDATES, SIZES, [OUTPUTS], TABLE, rate), strict=True))
        for rate in (0.0, 100.0)
    )
    pv, wind = "new-pv-ouarzazate.mw", "new-wind-koudia.mw"
    assert paid[pv] - free[pv] == pytest.approx(100.0 * OUTPUTS.per_unit["new-pv-ouarzazate"].sum())
    assert paid[wind] == free[wind]
    assert paid["new-csp-tower-ouarzazate.mirror"] > free["new-csp-tower-ouarzazate.mirror"]


def named(**values: float) -> np.ndarray:
    short = {size.name.removeprefix("new-").replace("-", "_").replace(".", "_"): size.name for size in SIZES}
    found = {short[name]: value for name, value in values.items()}
    return np.array([found.get(size.name, 0.0) for size in SIZES])


TOWER = named(csp_tower_ouarzazate_mirror=1500.0, csp_tower_ouarzazate_block=120.0, csp_tower_ouarzazate_salt=3000.0)
MIXED = TOWER + named(pv_ouarzazate_mw=200.0, wind_koudia_mw=50.0, battery_mw=80.0, battery_mwh=320.0)


def test_sizes_become_plants_and_back() -> None:
    found = additions_of(CANDIDATES, SIZES, MIXED, [OUTPUTS], TABLE, 60.0)
    assert values_of(found, CANDIDATES, SIZES) == pytest.approx(MIXED)
    tower = next(item for item in found if item.plant.type == "csp-tower")
    assert tower.plant.power_block_mw == 120.0
    assert tank_mwh_th(tower.plant) == pytest.approx(3000.0)
    assert tower.solar_multiple == pytest.approx(
        1500.0 * OUTPUTS.per_unit["new-csp-tower-ouarzazate"].max() / (120.0 / float(tower.plant.eta_frac or 1))
    )
    assert sum(item.capital_usd for item in found) == pytest.approx(
        sum(value * size.cost(TABLE).capital_usd for value, size in zip(MIXED, SIZES, strict=True))
    )


def test_what_is_too_small_to_be_a_plant_is_none() -> None:
    nothing = named(csp_tower_ouarzazate_salt=500.0, pv_ouarzazate_mw=0.01, battery_mw=5.0)
    assert additions_of(CANDIDATES, SIZES, nothing, [OUTPUTS], TABLE, 60.0) == ()


def test_the_supply_with_additions_holds_them_at_their_size() -> None:
    found = additions_of(CANDIDATES, SIZES, MIXED, [OUTPUTS], TABLE, 60.0)
    more = supply_with(SUPPLY, MODELLED, CANDIDATES, found)
    pv = more.years["new-pv-ouarzazate"].series_mw * 0.96
    assert pv == pytest.approx(200.0 * OUTPUTS.per_unit["new-pv-ouarzazate"])
    heat = more.years["new-csp-tower-ouarzazate"].series_mw
    assert heat == pytest.approx(1500.0 * OUTPUTS.per_unit["new-csp-tower-ouarzazate"])
    assert more.years["new-battery"].is_battery
    assert more.site.plants[-1].contract == "additional"
    assert set(SUPPLY.years) < set(more.years)


def test_additions_are_blocks_that_a_site_file_takes() -> None:
    windy = parse_site(WINDY, "windy.toml")
    supply = supply_of(windy, 1)
    items = candidates_of(windy, supply, TABLE)
    sizes = sizes_of(items, 10.0, {})
    outputs = outputs_of(items, supply_of(site_with(windy, items), 1))
    values = np.array(
        [{"new-wind-here.mw": 12.0, "new-battery.mw": 3.0, "new-battery.mwh": 9.0}[s.name] for s in sizes]
    )
    text = plants_toml(additions_of(items, sizes, values, [outputs], TABLE, 60.0))
    head, nodes = WINDY.split("[[nodes]]")
    read = parse_site(f"{head}{text}\n[[nodes]]{nodes}", "more.toml")
    assert [plant.id for plant in read.plants] == ["old-wind", "new-wind-here", "new-battery"]
    assert read.plants[1].gross_mw == 12.0
    assert read.plants[2].energy_mwh == 9.0


def test_limits_and_hours_of_salt_are_told() -> None:
    limited = {size.name: size.most for size in sizes_of(CANDIDATES, 386.0, {"wind": 40.0, "csp-tower": 100.0})}
    assert limited["new-wind-koudia.mw"] == 40.0
    assert limited["new-csp-tower-ouarzazate.block"] == 100.0
    assert limited["new-pv-ouarzazate.mw"] == np.inf
    assert {ratio.part for ratio in ratios_of(CANDIDATES)} == {
        "new-csp-trough-ouarzazate.salt",
        "new-csp-tower-ouarzazate.salt",
    }
    assert all(ratio.most >= SALT_H_MAX for ratio in ratios_of(CANDIDATES))
