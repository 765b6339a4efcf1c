"""The sky of a run: plans are those that the live park would make, truth is the weather and what was in the tanks."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from eureka_park.control.supply import supply_from_plan
from eureka_park.energy.core.cooling import it_mw_from_site_mw
from eureka_park.energy.core.dispatch import dispatch
from eureka_park.energy.core.forecast import forecast_of
from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.energy.core.supply import delivered_frac, half_tanks, problem_from, roll, supply_of
from eureka_park.energy.core.weather_year import hour_of_year
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.plant_filling import filled_plant
from eureka_park.foundation.site_file import Plant, Site
from eureka_park.foundation.site_reading import load_site, new_site_text, parse_site
from eureka_park.foundation.units import DAY_S, HOUR_S
from eureka_park.twin.core.sky_series import (
    TAIL_H,
    SkyRequest,
    SkySeries,
    battery_flows,
    day_sun_sky,
    flat_sky,
    it_kw_of,
    known_sky,
    sky_of,
)

START_S = 1_772_409_600.0


@cache
def park() -> Site:
    return load_site("eureka-park")


@cache
def sky(prices_stores: bool = False) -> SkySeries:
    return sky_of(park(), SkyRequest(START_S, 3.0, seed=1, prices_stores=prices_stores, n_steps=24))


def test_there_is_a_truth_for_each_hour_and_a_plan_every_six() -> None:
    assert sky().n_hours == 72 + TAIL_H
    assert sky().plan_issued_s.tolist() == [START_S + 6 * HOUR_S * index for index in range(12)]
    assert sky().plan_first_hour.tolist() == [6 * index for index in range(12)]
    assert sky().plan_clean_kw.shape == sky().plan_p10_kw.shape == sky().plan_grid_kw.shape == (12, 48)
    assert sky().step_price.shape == (12, 48, 24)


def test_the_first_plan_is_the_live_parks_own() -> None:
    site, start_s = park(), START_S
    supply = supply_of(site, 1)
    stores = roll(supply, start_s - 3 * DAY_S, 3, site.site_mw_max)[1]
    plan = make_plan(site, PlanRequest(start_s, site.site_mw_max, stores, 1))
    seen = supply_from_plan(
        plan,
        start_s,
        lambda mw: it_mw_from_site_mw(mw, site.pue) * 1000.0,
        site.policy.carbon_weight_mad_per_kg,
    )
    ours = sky(prices_stores=True)
    for hour, interval in enumerate(seen.intervals):
        assert ours.plan_clean_kw[0, hour] == interval.clean_kw
        assert ours.plan_p10_kw[0, hour] == interval.clean_kw_p10
        assert ours.plan_grid_kw[0, hour] == interval.grid_kw
        steps = interval.steps
        assert ours.step_up_to_kw[0, hour, : len(steps)].tolist() == [step.up_to_kw for step in steps]
        assert ours.step_price[0, hour, : len(steps)].tolist() == [step.price for step in steps]
        assert ours.step_own[0, hour, : len(steps)].tolist() == [step.source != "grid" for step in steps]


def test_without_the_price_of_stores_only_the_steps_differ() -> None:
    plain, whole = sky(), sky(prices_stores=True)
    assert plain.true_clean_kw.tolist() == whole.true_clean_kw.tolist()
    assert plain.plan_clean_kw.tolist() == whole.plan_clean_kw.tolist()
    assert plain.plan_p10_kw.tolist() == whole.plan_p10_kw.tolist()
    assert plain.step_price.tolist() != whole.step_price.tolist()


def test_steps_rise_and_reach_clean_and_tie() -> None:
    found = sky()
    assert (np.diff(found.step_up_to_kw, axis=2) >= 0).all()
    assert (np.diff(found.step_price, axis=2) >= -1e-9).all()
    assert (found.step_up_to_kw[:, :, -1] >= found.plan_clean_kw + found.plan_grid_kw - 1.0).all()


def test_few_steps_keep_the_kinds_and_the_end() -> None:
    few = sky_of(park(), SkyRequest(START_S, 0.25, n_steps=3))
    many = sky_of(park(), SkyRequest(START_S, 0.25, n_steps=24))
    assert few.step_price.shape == (1, 48, 3)
    assert few.step_up_to_kw[:, :, -1].tolist() == many.step_up_to_kw[:, :, -1].tolist()
    for hour in range(48):
        own = many.step_own[0, hour]
        most_own = many.step_up_to_kw[0, hour][own].max(initial=0.0)
        assert few.step_up_to_kw[0, hour][few.step_own[0, hour]].max(initial=0.0) == most_own


def test_truth_is_near_the_newest_plan_but_not_the_plan() -> None:
    found = sky_of(park(), SkyRequest(START_S, 20.0, seed=2))
    hours = np.arange(480)
    newest = np.array([found.plan_at(START_S + hour * HOUR_S) for hour in hours])
    planned = found.plan_clean_kw[newest, hours - found.plan_first_hour[newest]]
    p10 = found.plan_p10_kw[newest, hours - found.plan_first_hour[newest]]
    truth = found.true_clean_kw[:480]
    error = float(np.sqrt(np.mean((truth - planned) ** 2))) / float(truth.mean())
    assert 0.01 < error < 0.3
    assert abs(float(truth.mean() / planned.mean()) - 1.0) < 0.05
    assert float(np.mean(truth >= p10 - 1.0)) > 0.8


def test_sun_and_wind_alone_are_the_weather_itself() -> None:
    site = park().model_copy(update={"plants": tuple(one for one in park().plants if one.type in ("wind", "pv"))})
    found = sky_of(site, SkyRequest(START_S, 2.0, seed=3))
    supply = supply_of(site, 3)
    hours = hour_of_year(START_S + HOUR_S * np.arange(48))
    wanted = sum(year.series_mw[hours] * delivered_frac(site, year.plant) for year in supply.years.values())
    assert found.true_clean_kw[:48].tolist() == pytest.approx(it_kw_of(site, np.asarray(wanted)).tolist())


def test_tanks_give_no_more_than_was_gathered() -> None:
    site = park().model_copy(update={"plants": tuple(one for one in park().plants if one.type.startswith("csp"))})
    found = sky_of(site, SkyRequest(START_S, 5.0, seed=1))
    assert found.true_clean_kw.min() >= 0.0
    supply = supply_of(site, 1)
    hours = hour_of_year(START_S + HOUR_S * np.arange(120))
    heat = sum(
        float(year.series_mw[hours].sum()) * float(year.plant.eta_frac or 1) * delivered_frac(site, year.plant)
        for year in supply.years.values()
    )
    tanks = sum(
        float(one.tes_h or 0) * float(one.power_block_mw or 0) * delivered_frac(site, one) for one in site.plants
    )
    assert found.true_clean_kw[:120].sum() / 1000.0 <= heat + tanks


def test_a_scale_model_has_the_full_sites_shape() -> None:
    text = (
        'name = "mini"\ntitle = "Mini"\n[scale]\nof = "eureka-park"\n[[nodes]]\nid = "n"\nn_nodes = 100\nn_cpus = 224\n'
        "memory_gib = 2048\nn_gpus = 8\nrated_kw = 10.2\nidle_kw = 1.9\n"
    )
    mini = sky_of(parse_site(text, "mini.toml"), SkyRequest(START_S, 3.0))
    ratio = 100 / 32_768
    assert mini.true_clean_kw.tolist() == pytest.approx((sky().true_clean_kw * ratio).tolist(), rel=0.01, abs=1.0)


def test_a_small_site_with_a_roof_sees_the_sun() -> None:
    site = parse_site(new_site_text("roof"), "roof.toml")
    found = sky_of(site, SkyRequest(START_S, 2.0))
    assert found.true_clean_kw[:48].max() > 0.0
    assert found.true_clean_kw[0] == 0.0


def test_the_seed_decides_alone() -> None:
    one, two, other = (sky_of(park(), SkyRequest(START_S, 0.5, seed)) for seed in (4, 4, 5))
    assert one.true_clean_kw.tolist() == two.true_clean_kw.tolist()
    assert one.step_price.tolist() == two.step_price.tolist()
    assert one.true_clean_kw.tolist() != other.true_clean_kw.tolist()


def test_the_newest_plan_is_never_of_the_future() -> None:
    for hour in range(72):
        now_s = START_S + hour * HOUR_S + 1.0
        index = sky().plan_at(now_s)
        assert sky().plan_issued_s[index] <= now_s
        assert index == 11 or sky().plan_issued_s[index + 1] > now_s


@pytest.mark.parametrize(
    "request_",
    [SkyRequest(START_S + 1, 1.0), SkyRequest(START_S, 0.0), SkyRequest(START_S, 1.0, plan_every_h=0)],
)
def test_what_cannot_be_made_is_refused(request_: SkyRequest) -> None:
    with pytest.raises(BadInput):
        sky_of(park(), request_)


def test_plain_skies_are_known_exactly() -> None:
    flat = flat_sky(50.0, 2.0, grid_kw=10.0, price=700.0)
    assert set(flat.true_clean_kw.tolist()) == {50.0}
    assert set(flat.plan_clean_kw.ravel().tolist()) == {50.0}
    assert flat.step_up_to_kw[0, 0].tolist() == [50.0, 60.0]
    assert flat.step_price[0, 0].tolist() == [0.0, 700.0]
    assert flat.step_own[0, 0].tolist() == [True, False]
    day = day_sun_sky(100.0, 2.0, night_kw=20.0)
    assert day.true_clean_kw[0] == 20.0
    assert day.true_clean_kw[12] == pytest.approx(99.3, abs=0.1)
    assert day.plan_clean_kw[1].tolist() == day.true_clean_kw[6:54].tolist()
    own = known_sky(np.arange(60.0), 0.0, plan_every_h=1)
    assert own.n_plans == 12
    assert own.plan_clean_kw[11, 47] == 58.0


def test_what_batteries_take_follows_from_what_they_hold() -> None:
    store = Plant.model_validate(
        filled_plant({"id": "store", "type": "battery", "gross_mw": 80.0, "charge_mw": 40.0, "energy_mwh": 300.0,
                      "weather_site": "koudia", "status": "operating"})
    )  # fmt: skip
    site = park().model_copy(update={"plants": (*park().plants, store)})
    supply = supply_of(site, 1)
    forecast = forecast_of(supply, 1)
    stores = {**half_tanks(supply), "store": 120.0}
    start_s = 1_781_049_600.0  # a June day, on which plants give more than 200 MW
    plan = make_plan(site, PlanRequest(start_s, 200.0, stores, 1), supply, forecast)
    hour = int(hour_of_year(start_s)[0])
    load = np.full(72, 200.0)
    answer = dispatch(problem_from(forecast.known_at(hour, 72), start_s, load, stores))
    real = problem_from(supply, start_s, load[:48], stores)
    available = {name: np.array(series) for name, series in plan.available_by_source_mw.items()}
    given, taken = battery_flows(real, available, plan, 48)
    assert given.max() > 1.0
    assert taken.max() > 1.0
    assert given == pytest.approx(answer.discharge_mw["store"][:48], abs=1e-4)
    assert taken == pytest.approx(answer.charge_mw["store"][:48], abs=1e-4)
    found = sky_of(site, SkyRequest(start_s, 2.0))
    assert (found.true_clean_kw >= 0.0).all()
