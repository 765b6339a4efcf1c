"""A site with a battery: valid everywhere, filled by its plants, carried from plan to plan."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.energy.core.sky import sky_now
from eureka_park.energy.core.supply import problem_from, roll, supply_of
from eureka_park.foundation.plant_filling import filled_plant
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import Plant, Site, site_from_json, site_to_json
from eureka_park.foundation.site_reading import load_site

PARK = load_site("eureka-park")
STORE = Plant.model_validate(
    filled_plant({"id": "store", "type": "battery", "gross_mw": 80.0, "charge_mw": 40.0, "energy_mwh": 300.0,
                  "weather_site": "koudia", "status": "operating"})
)  # fmt: skip
NOON_S = datetime(2026, 6, 10, 6, 20, tzinfo=UTC).timestamp()
KINDS = {"noor-i": "csp", "noor-ii": "csp", "noor-iii": "csp", "noor-iv": "pv", "koudia": "wind", "store": "battery"}


def with_store(**changes: object) -> Site:
    store = STORE.model_copy(update=changes)
    return PARK.model_copy(update={"plants": (*PARK.plants, store)})


SITE = with_store()
PLAN = make_plan(SITE, PlanRequest(NOON_S, 250.0))


def test_the_file_reads_back() -> None:
    assert site_from_json(json.loads(json.dumps(site_to_json(SITE)))) == SITE
    assert SITE.source_ids[-2:] == ("store", "grid") and SITE.gco2_per_kwh_by_source["store"] == 22.0


def test_the_problem_has_it_as_a_battery_and_not_as_a_source() -> None:
    supply = supply_of(SITE, 1)
    problem = problem_from(supply, NOON_S // 3600 * 3600, np.full(48, 250.0), {"store": 120.0})
    battery = problem.batteries["store"]
    assert (battery.power_mw, battery.charge_mw, battery.energy_mwh, battery.start_mwh) == (80.0, 40.0, 300.0, 120.0)
    assert "store" not in problem.direct_mw and "store" not in problem.salt
    assert "store" not in supply.calibration_text
    late = problem_from(supply_of(with_store(status="announced"), 1), NOON_S // 3600 * 3600, np.full(48, 250.0), {})
    assert late.batteries["store"].energy_mwh == late.batteries["store"].power_mw == 0.0


def test_the_plan_balances_and_the_battery_takes_from_the_plants() -> None:
    by_source = np.sum([PLAN.by_source_mw[name] for name in (*KINDS, "grid")], axis=0)
    assert by_source + np.array(PLAN.unserved_mw) == pytest.approx(np.array(PLAN.load_mw), abs=1e-4)
    assert max(PLAN.by_source_mw["store"]) > 1.0
    assert np.sum([PLAN.available_by_source_mw[name] for name in KINDS], axis=0) == pytest.approx(
        np.array(PLAN.clean_available_mw_p50), abs=1e-5
    )
    for name in KINDS:
        assert np.all(np.array(PLAN.by_source_mw[name]) <= np.array(PLAN.available_by_source_mw[name]) + 1e-4), name
    level = np.array(PLAN.battery_mwh["store"])
    assert level.min() >= 0 and level.max() <= PLAN.battery_mwh_max["store"] == 300.0
    assert (
        np.diff(level).max() <= 40.0 and -np.diff(level).min() * 0.95 <= 80.0 + 0.02
    )  # it also loses a little by itself


def test_the_plan_reads_back_and_scales() -> None:
    assert PowerPlan.from_json(json.loads(json.dumps(PLAN.to_json()))) == PLAN
    half = PLAN.scaled(0.5)
    assert half.battery_mwh["store"][0] == PLAN.battery_mwh["store"][0] / 2
    assert half.battery_mwh_max == {"store": 150.0} and half.calibration == PLAN.calibration
    assert PLAN.calibration["noor-i"]["year_gwh"] == 424 and "store" not in PLAN.calibration


def test_its_content_is_carried_to_the_next_plan() -> None:
    later_s = NOON_S + 5 * 3600
    salt = PLAN.salt_before(later_s)
    assert salt is not None and salt["store"] == PLAN.battery_mwh["store"][4]
    after = make_plan(SITE, PlanRequest(later_s, 250.0, tes_mwh_th=salt))
    assert abs(after.battery_mwh["store"][0] - salt["store"]) <= 85.0
    _, ends = roll(supply_of(SITE, 1), NOON_S // 3600 * 3600, 1, 250.0)
    assert ends.keys() == {"noor-i", "noor-ii", "noor-iii", "store"}


def test_the_curve_may_empty_it_earlier() -> None:
    sources = {step.source for steps in PLAN.curve for step in steps}
    assert "store" in sources
    for steps in PLAN.curve:
        assert [step.up_to_mw for step in steps] == sorted(step.up_to_mw for step in steps)


def test_a_plan_of_an_earlier_version_has_no_batteries() -> None:
    old = PLAN.to_json()
    for name in ("battery_mwh", "battery_mwh_max", "calibration"):
        old.pop(name)
    read = PowerPlan.from_json(old)
    assert read.battery_mwh == {} and read.battery_mwh_max == {} and read.calibration == {}


def test_the_sky_says_when_stored_power_carries_the_work() -> None:
    night = {**dict.fromkeys(KINDS, (0.0,) * 48), "store": (200.0,) * 48}
    plan = PowerPlan.from_json({**PLAN.to_json(), "available_by_source_mw": night})
    assert sky_now(plan, plan.start_s, KINDS).code == "battery_carries"


def test_a_plan_under_a_scenario_says_so_and_other_weather_makes_another_plan() -> None:
    plan = make_plan(PARK, PlanRequest(NOON_S, 250.0, scenario="noor-iii-out"))
    assert max(plan.available_by_source_mw["noor-iii"]) == 0 and plan.tes_mwh_th_max["noor-iii"] == 0
    assert plan.labels["scenario"].startswith("noor-iii-out") and plan.labels["outage"] == "without noor-iii"
    assert "koudia already sold" in plan.labels["contracts"]
    assert "koudia 0." in plan.labels["calibration"] and "assumption 367 GWh/year" in plan.labels["calibration"]
    assert "measured 424 GWh/year" in plan.labels["calibration"]
    other = make_plan(PARK, PlanRequest(NOON_S, 250.0, scenario="noor-iii-out"), supply_of(PARK, 7, "noor-iii-out"))
    assert other.plan_id != plan.plan_id and other.labels["weather"] == "synthetic typical year, seed 7"
