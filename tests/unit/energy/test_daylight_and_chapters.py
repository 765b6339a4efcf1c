"""Sunrise without arrays equals sunrise with them; the day's chapters come in order, from sun and salt alone."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.energy.core.chapters import CHAPTERS, chapter_at
from eureka_park.energy.core.clear_day import clearest, seen
from eureka_park.energy.core.daylight import daylight, elevation_deg, place_of
from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.energy.core.sun import sun_at
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_reading import load_site
from eureka_park.foundation.units import DAY_S, HOUR_S

OUARZAZATE = (31.049, -6.869)
NOVEMBER_S = 1_795_348_800.0  # 2026-11-22T12:00:00Z
SITE = load_site("eureka-park")
CODES = [chapter.code for chapter in CHAPTERS]


@pytest.fixture(scope="module")
def plan() -> PowerPlan:
    start_s = daylight(NOVEMBER_S, *OUARZAZATE).sunrise_s - 2 * HOUR_S
    return make_plan(SITE, PlanRequest(start_s, 320.0, seed=3))


@given(st.floats(0, 2_500_000_000), st.floats(-89, 89), st.floats(-180, 180))
def test_elevation_is_that_of_the_arrays(instant_s: float, latitude_deg: float, longitude_deg: float) -> None:
    arrays = math.degrees(float(sun_at(np.array([instant_s]), latitude_deg, longitude_deg).elevation_rad[0]))
    assert elevation_deg(instant_s, latitude_deg, longitude_deg) == pytest.approx(arrays, abs=1e-5)


@given(st.floats(0, 2_500_000_000), st.floats(-60, 60), st.floats(-180, 180))
def test_the_sun_rises_before_noon_and_sets_after_it(
    instant_s: float, latitude_deg: float, longitude_deg: float
) -> None:
    day = daylight(instant_s, latitude_deg, longitude_deg)
    assert day.sunrise_s < day.noon_s < day.sunset_s < day.sunrise_s + DAY_S
    assert abs(instant_s - day.noon_s) <= DAY_S / 2 + 1500
    for at_s, step_s in ((day.sunrise_s, 60), (day.sunset_s, -60)):
        before, after = (elevation_deg(at_s + shift, latitude_deg, longitude_deg) for shift in (-step_s, step_s))
        assert before < -0.833 < after


def test_sunrise_at_ouarzazate_on_22_november() -> None:
    day = daylight(NOVEMBER_S, *OUARZAZATE)
    assert day.sunrise_s == pytest.approx(1_795_330_800.0, abs=180), "07:00 UTC by the almanac's formulas"
    assert place_of(SITE) == OUARZAZATE, "where the beam is, not where the wind is"


@pytest.mark.parametrize(("latitude_deg", "light_h"), [(78.0, 24.0), (-78.0, 0.0)])
def test_where_the_sun_stays_up_or_down(latitude_deg: float, light_h: float) -> None:
    day = daylight(1_782_043_200.0, latitude_deg, 15.0)  # 21 June
    assert (day.sunset_s - day.sunrise_s) / HOUR_S == pytest.approx(light_h, abs=0.01)
    assert chapter_at(1_782_043_200.0, latitude_deg, 15.0, None).chapter.code in CODES


def test_chapters_come_in_order_and_announce_the_next(plan: PowerPlan) -> None:
    told = [chapter_at(plan.start_s + minute * 60, *OUARZAZATE, plan) for minute in range(5, 26 * 60, 5)]
    seen_codes = [
        code
        for at, code in enumerate(item.chapter.code for item in told)
        if not at or told[at - 1].chapter.code != code
    ]
    assert seen_codes[:1] in (["night"], ["before_sunrise"])
    start = CODES.index(seen_codes[0])
    assert seen_codes == [CODES[(start + step) % len(CODES)] for step in range(len(seen_codes))]
    assert set(CODES) <= set(seen_codes)
    for minute, item in zip(range(5, 26 * 60, 5), told, strict=True):
        now_s = plan.start_s + minute * 60
        assert item.since_s <= now_s < item.next_s
        assert chapter_at(item.next_s + 1, *OUARZAZATE, plan).chapter == item.next
        assert item.chapter == CHAPTERS[item.index]


def test_salt_takes_over_for_as_long_as_it_carries(plan: PowerPlan) -> None:
    sunset_s = daylight(NOVEMBER_S, *OUARZAZATE).sunset_s
    telling = chapter_at(sunset_s + HOUR_S, *OUARZAZATE, plan)
    assert telling.chapter.code == "salt_takes_over" and telling.next.code == "night"
    last = plan.index_at(telling.next_s - 1)
    salt = [sum(plan.available_by_source_mw[name][index] for name in plan.tes_mwh_th) for index in (last, last + 1)]
    assert salt[0] > 0.15 * max(plan.clean_available_mw_p50) > salt[1]


def test_without_salt_or_without_a_plan_night_follows_sunset(plan: PowerPlan) -> None:
    at_s = daylight(NOVEMBER_S, *OUARZAZATE).sunset_s + HOUR_S
    assert chapter_at(at_s, *OUARZAZATE, None).chapter.code == "night"
    assert chapter_at(at_s, *OUARZAZATE, replace(plan, tes_mwh_th={})).chapter.code == "night"


def test_the_clearest_year_is_seen_best() -> None:
    start_s = daylight(NOVEMBER_S, *OUARZAZATE).sunrise_s - HOUR_S / 2
    scores = {seed: seen(SITE, make_plan(SITE, PlanRequest(start_s, 0.85 * 386, seed=seed))) for seed in range(1, 7)}
    assert clearest(SITE, start_s, range(1, 7)) == max(scores, key=lambda seed: scores[seed])
    assert max(scores.values()) > min(scores.values()) + 1.0, "years differ"
