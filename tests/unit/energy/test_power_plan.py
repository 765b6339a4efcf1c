"""The power plan of Eureka Park on known days: salt at night, outages, idleness, labels, the scale model."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest

from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.energy.core.supply import roll, supply_of
from eureka_park.energy.core.tariff import import_cost_mad_per_mwh, surplus_mad_per_mwh, tariff_posts
from eureka_park.energy.core.weather import hour_of_year, typical_year
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.machine import MachineFacts
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_reading import load_site, new_site_text, parse_site

PARK = load_site("eureka-park")
JUNE_S = datetime(2026, 6, 10, 6, 20, tzinfo=UTC).timestamp()
SALT = ("noor-i", "noor-ii", "noor-iii")


@cache
def plan_at(now_s: float = JUNE_S, demand_mw: float = 386.0, without: tuple[str, ...] = (), seed: int = 1) -> PowerPlan:
    return make_plan(PARK, PlanRequest(now_s, demand_mw, seed=seed, without=without))


def test_a_plan_covers_48_hours_from_the_hour_that_holds_now() -> None:
    plan = plan_at()
    assert plan.n_intervals == 48 and plan.step_s == 3600 and plan.start_s == JUNE_S - 1200
    assert plan.issued_at_s == JUNE_S and plan.index_at(JUNE_S) == 0
    assert set(plan.by_source_mw) == {*SALT, "noor-iv", "koudia", "grid"}
    assert set(plan.tes_mwh_th) == set(SALT) == set(plan.tes_mwh_th_max)
    assert plan.tes_mwh_th_max["noor-iii"] == pytest.approx(2625)


def test_salt_gives_power_when_the_sun_is_down() -> None:
    plan = plan_at()
    place = next(place for place in PARK.weather_sites if place.id == "ouarzazate")
    dni = typical_year(place, 1).dni_w_per_m2[hour_of_year(plan.start_s + 3600 * np.arange(48.0))]
    night_mw = [sum(plan.by_source_mw[name][hour] for name in SALT) for hour in range(48) if dni[hour] == 0]
    assert max(night_mw) > 300
    drawn = np.diff(plan.tes_mwh_th["noor-iii"])[dni[1:] == 0]
    assert drawn.min() < -200


def test_noor_iii_out_changes_the_plan() -> None:
    whole, less = plan_at(), plan_at(without=("noor-iii",))
    assert sum(less.clean_available_mw_p50) < 0.85 * sum(whole.clean_available_mw_p50)
    assert max(less.available_by_source_mw["noor-iii"]) == 0 == max(less.tes_mwh_th["noor-iii"])
    assert sum(less.by_source_mw["grid"]) > sum(whole.by_source_mw["grid"])
    assert whole.labels["outage"] == "none" and less.labels["outage"] == "without noor-iii"


def test_an_announced_or_future_plant_gives_nothing() -> None:
    plants = tuple(
        plant.model_copy(update={"status": "announced"} if plant.id == "koudia" else {"commissioned": "2026-07-01"})
        for plant in PARK.plants
    )
    plan = make_plan(PARK.model_copy(update={"plants": plants}), PlanRequest(JUNE_S, 100.0))
    assert max(plan.clean_available_mw_p90) == 0 and min(plan.by_source_mw["grid"]) == 100


def test_load_follows_potential_demand_not_idleness() -> None:
    idle, full = plan_at(demand_mw=1.0), plan_at()
    assert set(idle.load_mw) == {1.0} and set(full.load_mw) == {386.0}
    assert max(idle.by_source_mw["grid"]) == 0 and sum(idle.export_mw) > 0
    assert max(full.export_mw) == 0 and max(full.unserved_mw) == 0
    # What the sky gives does not shrink because nobody asked yesterday.
    assert sum(idle.clean_available_mw_p50) > 0.95 * sum(full.clean_available_mw_p50)


def test_demand_by_hour_is_served_hour_by_hour() -> None:
    demand = tuple(float(50 + 5 * hour) for hour in range(48))
    plan = make_plan(PARK, PlanRequest(JUNE_S, demand))
    assert plan.load_mw == demand
    served = np.sum([np.array(series) for series in plan.by_source_mw.values()], axis=0)
    assert served == pytest.approx(np.array(demand), abs=1e-3)


def test_more_than_the_tie_carries_is_said_to_be_unserved() -> None:
    grid = PARK.grid.model_copy(update={"import_mw_max": 50.0})
    plan = make_plan(PARK.model_copy(update={"grid": grid}), PlanRequest(JUNE_S, 386.0))
    assert max(plan.unserved_mw) > 100 and max(plan.by_source_mw["grid"]) <= 50 + 1e-6


def test_the_curve_names_surplus_salt_and_tariff() -> None:
    plan = plan_at()
    for hour, steps in enumerate(plan.curve):
        grid = [step for step in steps if step.source == "grid"]
        assert len(grid) == 1 and grid[0].gco2_per_kwh == 551
        assert grid[0].cost_mad_per_mwh in (613.9, 813.9, 1063.9)
        at_surplus = sum(1 for step in steps if step.cost_mad_per_mwh in (180, 210))
        assert at_surplus == sum(1 for series in plan.available_by_source_mw.values() if series[hour] > 0)
    dear = [step for steps in plan.curve for step in steps if step.source in SALT and step.cost_mad_per_mwh > 500]
    assert dear, "salt drawn earlier than planned has its worth"


def test_salt_is_carried_from_plan_to_plan() -> None:
    before = plan_at()
    later_s = JUNE_S + 5 * 3600
    salt = before.salt_before(later_s)
    assert salt == {name: series[4] for name, series in before.tes_mwh_th.items()}
    after = make_plan(PARK, PlanRequest(later_s, 386.0, tes_mwh_th=salt))
    for name in SALT:  # same world, same plan: the salt goes on where it was
        assert after.tes_mwh_th[name][0] == pytest.approx(before.tes_mwh_th[name][5], abs=150)
    assert before.salt_before(JUNE_S) is None and before.salt_before(before.end_s + 7200) is None
    assert (after.labels["salt"], before.labels["salt"]) == ("carried from the plan before", "from a 72 h warm-up")


def test_a_seed_and_a_request_give_one_plan_bit_by_bit() -> None:
    again = make_plan(PARK, PlanRequest(JUNE_S, 386.0))
    assert again == plan_at() and again.plan_id.startswith("plan-")
    other = plan_at(seed=2)
    assert other.plan_id != again.plan_id and other.clean_available_mw_p50 != again.clean_available_mw_p50


def test_every_plan_says_what_it_rests_on() -> None:
    labels = plan_at().labels
    assert labels["weather"] == "synthetic typical year, seed 1"
    assert "with errors of published size" in labels["forecast"] and "assumption" in labels["forecast"]
    assert all(f"{name} 0." in labels["calibration"] for name in (*SALT, "noor-iv", "koudia"))
    assert labels["scale_model"] == "" and "contracts" in labels["match"]


def test_a_scale_model_has_the_same_plan_in_small() -> None:
    bench = load_site("bench", MachineFacts(8, 2**34))
    small, whole = make_plan(bench, PlanRequest(JUNE_S, 386.0)), plan_at()
    assert small.site == "bench" and small.labels["scale_model"].startswith("scale model of eureka-park, 1 : ")
    assert np.array(small.clean_available_mw_p50) / bench.factor == pytest.approx(
        np.array(whole.clean_available_mw_p50)
    )
    assert small.load_mw[0] == pytest.approx(bench.site_kw_rated / 1000)
    assert small.curve[20][0].cost_mad_per_mwh == whole.curve[20][0].cost_mad_per_mwh


def test_a_roof_is_planned_as_precisely_as_a_park() -> None:
    site = parse_site(new_site_text("uni"), "uni.toml")
    plan = make_plan(site, PlanRequest(JUNE_S, 0.01))
    served = np.sum([np.array(series) for series in plan.by_source_mw.values()], axis=0)
    assert served == pytest.approx(np.array(plan.load_mw), abs=1e-8)
    assert max(plan.by_source_mw["solar-roof"]) == pytest.approx(0.01)
    assert "not calibrated" in plan.labels["calibration"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"without": ("noor-v",)}, "no plant 'noor-v'"),
        ({"tes_mwh_th": {"moon": 1.0}}, "no plant 'moon'"),
        ({"demand_mw": -1.0}, "demand_mw"),
        ({"demand_mw": (1.0, 2.0)}, "demand_mw"),
        ({"demand_mw": float("nan")}, "demand_mw"),
        ({"horizon_h": 0}, "horizon_h"),
    ],
)
def test_a_wrong_request_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        make_plan(PARK, PlanRequest(**{"now_s": JUNE_S, "demand_mw": 1.0, **change}))  # type: ignore[arg-type]


def test_tariffs_follow_the_local_clock() -> None:
    starts_s = datetime(2026, 6, 10, 0, tzinfo=UTC).timestamp() + 3600 * np.arange(24.0)  # local time is UTC+1
    posts = tariff_posts(PARK.grid, PARK.timezone, starts_s)
    assert posts == ("off-peak",) * 6 + ("full",) * 10 + ("peak",) * 5 + ("off-peak",) * 3
    assert import_cost_mad_per_mwh(PARK.grid, PARK.timezone, starts_s)[17] == pytest.approx(1063.9)
    assert surplus_mad_per_mwh(PARK.grid, PARK.timezone, starts_s)[[5, 17]].tolist() == [180, 210]


def test_a_roll_over_spring_days_stays_within_the_tanks() -> None:
    supply = supply_of(PARK, 1)
    days, salt = roll(supply, datetime(2026, 4, 1, tzinfo=UTC).timestamp(), 5, 200.0)
    score = 1 - sum(float(day.import_mw[:24].sum()) for day in days) / (200 * 24 * 5)
    assert 0.5 < score <= 1.0
    assert all(0 <= salt[name] <= plan_at().tes_mwh_th_max[name] for name in SALT)


def test_salt_kept_for_later_costs_what_buys_instead_and_brings_the_grids_carbon() -> None:
    plan = plan_at()
    kept = [step for steps in plan.curve for step in steps if step.source in SALT and step.cost_mad_per_mwh > 250]
    assert all(500 < step.gco2_per_kwh < 600 for step in kept)
    assert all(550 < step.cost_mad_per_mwh < 1100 for step in kept)


def test_clean_power_that_is_given_up_is_free() -> None:
    grid = PARK.grid.model_copy(update={"export_mw_max": 0.0})
    plan = make_plan(PARK.model_copy(update={"grid": grid}), PlanRequest(JUNE_S, 50.0))
    noon = max(range(24), key=lambda hour: plan.curtailed_mw[hour])
    assert plan.curtailed_mw[noon] > 5
    free_mw = max(step.up_to_mw for step in plan.curve[noon] if step.cost_mad_per_mwh == 0.0)
    assert free_mw >= 50.0 + plan.curtailed_mw[noon] - 1e-3


def test_firm_is_what_the_p10_and_the_tie_carry() -> None:
    plan = plan_at()
    for hour, firm_mw in enumerate(plan.firm_mw):
        by_step = plan.firm_steps_mw(hour)
        widths = np.diff([0.0, *(step.up_to_mw for step in plan.curve[hour])])
        assert all(0 <= part <= width + 1e-9 for part, width in zip(by_step, widths, strict=True))
        assert sum(by_step) == pytest.approx(firm_mw)
        assert firm_mw == pytest.approx(plan.clean_available_mw_p10[hour] + 386)
