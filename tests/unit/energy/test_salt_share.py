"""How much of a salt plant's output comes from its tank: conservation, bounds, the first interval."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.energy.core.salt_share import from_salt_mw, salt_lasts_h, salt_now, salt_trend
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_reading import load_site

PARK = load_site("eureka-park")
PLAN = make_plan(PARK, PlanRequest(now_s=1_795_348_800.0, demand_mw=250.0))
ETA = {plant.id: float(plant.eta_frac or 0.0) for plant in PARK.plants}
POWERS, LEVELS = st.floats(0, 200), st.floats(0, 3000)


def plan_of(output: list[float], levels: list[float], step_s: float = 3600.0) -> PowerPlan:
    n = len(output)
    return replace(
        PLAN,
        step_s=step_s,
        load_mw=(0.0,) * n,
        available_by_source_mw={"noor-i": tuple(output), "koudia": (9.0,) * n},
        tes_mwh_th={"noor-i": tuple(levels)},
        tes_mwh_th_max={"noor-i": 3000.0},
    )


def test_a_falling_tank_explains_output_up_to_its_heat() -> None:
    plan = plan_of([50.0, 50.0, 50.0, 10.0], [400.0, 300.0, 300.0, 200.0])
    assert from_salt_mw(plan, {"noor-i": 0.4}, [1.0] * 4) == {"noor-i": (0.0, 40.0, 0.0, 10.0)}


def test_half_an_hour_draws_at_twice_the_power() -> None:
    plan = plan_of([90.0, 90.0], [400.0, 300.0], step_s=1800.0)
    assert from_salt_mw(plan, {"noor-i": 0.4}, [1.0, 1.0])["noor-i"][1] == pytest.approx(80.0)


@pytest.mark.parametrize(("sun_mw", "shown"), [(0.0, 50.0), (0.1, 0.0)])
def test_the_first_interval_is_salt_only_in_the_dark(sun_mw: float, shown: float) -> None:
    assert from_salt_mw(plan_of([50.0], [400.0]), {"noor-i": 0.4}, [sun_mw])["noor-i"] == (shown,)


def test_a_plant_without_tank_or_without_series_has_no_share() -> None:
    plan = replace(plan_of([50.0], [400.0]), tes_mwh_th={"gone": (1.0,)})
    assert from_salt_mw(plan, {}, [0.0]) == {}


@given(st.lists(st.tuples(POWERS, LEVELS), min_size=1, max_size=50), st.floats(0.05, 0.6), POWERS)
def test_the_share_is_never_more_than_the_output_nor_than_the_heat(
    hours: list[tuple[float, float]], eta: float, first_sun_mw: float
) -> None:
    output, levels = [mw for mw, _ in hours], [level for _, level in hours]
    shares = from_salt_mw(plan_of(output, levels), {"noor-i": eta}, [first_sun_mw] * len(hours))["noor-i"]
    assert len(shares) == len(output)
    for index, share in enumerate(shares):
        assert 0 <= share <= output[index]
        if index:
            assert share <= max(0.0, levels[index - 1] - levels[index]) * eta + 1e-9


def test_in_a_real_plan_nights_are_carried_by_salt_and_noons_are_not() -> None:
    pv = PLAN.available_by_source_mw["noor-iv"]
    shares = from_salt_mw(PLAN, ETA, pv)
    noon = max(range(PLAN.n_intervals), key=lambda index: pv[index])
    # The oil of the mirror fields is hot for some hours after the sun.
    dark = [index for index in range(5, PLAN.n_intervals) if not any(pv[index - 4 : index + 1])]
    assert sum(series[noon] for series in shares.values()) == pytest.approx(0.0, abs=1e-6)
    given_mw = sum(PLAN.available_by_source_mw[name][index] for name in shares for index in dark)
    salt_mw = sum(shares[name][index] for name in shares for index in dark)
    assert salt_mw == pytest.approx(given_mw, rel=0.05) and salt_mw > 0


@pytest.mark.parametrize(
    ("index", "gone_s", "before", "level"),
    [
        (1, 0.0, None, 400.0),
        (1, 900.0, None, 375.0),
        (1, 3600.0, {"noor-i": 7.0}, 300.0),
        (0, 1800.0, {"noor-i": 200.0}, 300.0),
        (0, 1800.0, {}, 400.0),
        (0, 1800.0, None, 400.0),
        (1, -50.0, None, 400.0),
        (1, 9999.0, None, 300.0),
    ],
)
def test_within_an_hour_the_level_goes_from_its_start_to_its_end(
    index: int, gone_s: float, before: dict[str, float] | None, level: float
) -> None:
    plan = plan_of([50.0, 50.0], [400.0, 300.0])
    found = salt_now(plan, index, plan.interval_start_s(index) + gone_s, before)
    assert found == {"noor-i": (pytest.approx(level), plan.tes_mwh_th["noor-i"][index])}


def test_how_long_salt_lasts() -> None:
    assert salt_lasts_h({"noor-i": 500.0, "noor-ii": 1000.0}, {"noor-i": 0.4, "noor-ii": 0.3}, 250.0) == 2.0
    assert salt_lasts_h({"noor-i": 500.0}, {}, 250.0) == salt_lasts_h({"noor-i": 500.0}, {"noor-i": 0.4}, 0.0) == 0.0


@pytest.mark.parametrize(
    ("level", "trend"),
    [(300.0, "filling"), (339.0, "filling"), (345.0, "steady"), (455.0, "steady"), (461.0, "emptying")],
)
def test_a_trend_is_more_than_a_fiftieth_of_all_tanks(level: float, trend: str) -> None:
    assert salt_trend(plan_of([50.0, 50.0], [500.0, 400.0]), 0, {"noor-i": level}) == trend
    assert salt_trend(plan_of([50.0, 50.0], [500.0, 400.0]), 1, {"noor-i": level}) == trend
