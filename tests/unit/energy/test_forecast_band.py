"""The band of a plan: narrow at once, wide later; salt makes power sure; it holds what comes four times in five."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from eureka_park.energy.core.forecast import FORECAST_LABEL, SupplyForecast, forecast_label, forecast_of
from eureka_park.energy.core.forecast_band import clean_band_mw
from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.energy.core.supply import Supply, delivered_frac, supply_from, supply_of, tank_mwh_th
from eureka_park.energy.core.weather_year import REFERENCE_YEAR_S
from eureka_park.foundation.site_reading import load_site

SITE = load_site("eureka-park")
HOUR = 24 * 171 + 6


@cache
def park() -> Supply:
    return supply_of(SITE, 23)


@cache
def seen() -> SupplyForecast:
    return forecast_of(park(), 23)


def band(available: dict[str, np.ndarray], tanks: dict[str, float], hour: int = HOUR) -> tuple[np.ndarray, np.ndarray]:
    return clean_band_mw(seen(), REFERENCE_YEAR_S + hour * 3600, hour, available, tanks)


def alone(name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    return {plant: values if plant == name else np.zeros(len(values)) for plant in park().years}


def medians(hour: int, n_hours: int, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """What PV and wind give in the median at the site meter."""
    found = {}
    for name in park().years:
        outlook = seen().outlooks[name]
        share = delivered_frac(SITE, park().years[name].plant)
        found[name] = outlook.issued(hour, n_hours).quantile(0.5) * share if name in names else np.zeros(n_hours)
    return found


def test_a_full_tank_makes_power_sure() -> None:
    plant = park().years["noor-iii"].plant
    sent = alone("noor-iii", np.full(48, 60.0))  # a steady draw
    empty, full = (band(sent, {"noor-iii": tank_mwh_th(plant) * filled}) for filled in (0.02, 1.0))

    def width(found: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Below the median; what PV and wind may add above theirs is not of this plant."""
        return 60.0 - found[0]

    assert np.all(width(full) <= width(empty) + 1e-9) and width(full)[2:18].mean() < 0.7 * width(empty)[2:18].mean()
    assert width(full)[:6].max() < 2.0 and width(full)[30:].mean() > 5 * width(full)[:6].mean()


def test_the_band_opens_with_the_lead() -> None:
    for name in ("noor-iv", "koudia"):
        lows, widths = [], []
        for day in range(0, 40, 4):
            hour = HOUR + 24 * day
            middle = medians(hour, 48, (name,))
            low, high = band(middle, {}, hour)
            lows.append(middle[name] - low)
            widths.append(high - low)
        narrow, wide = np.mean(widths, axis=0)[:2].mean(), np.mean(widths, axis=0)[26:48].mean()
        assert narrow < wide and np.min(lows) >= 0


def test_wind_and_pv_come_inside_the_band_four_times_in_five() -> None:
    inside, total = 0, 0
    direct = ("noor-iv", "koudia")
    for day in range(0, 360, 6):
        hour = 24 * day + 5
        middle = medians(hour, 48, direct)
        low, high = band(middle, {}, hour)
        hours = (hour + np.arange(48)) % 8760
        came = sum(
            park().years[name].series_mw[hours] * delivered_frac(SITE, park().years[name].plant) for name in direct
        )
        inside += int(((came >= low - 1e-9) & (came <= high + 1e-9)).sum())
        total += 48
    assert 0.72 < inside / total < 0.9


def test_a_plant_that_is_out_has_no_band() -> None:
    plan = make_plan(SITE, PlanRequest(REFERENCE_YEAR_S + HOUR * 3600, 100.0, without=tuple(park().years)))
    assert max(plan.clean_available_mw_p90) == 0


def test_what_a_plan_says_of_an_hour_comes_nearer_to_the_truth() -> None:
    truth = park().years["koudia"].series_mw * delivered_frac(SITE, park().years["koudia"].plant)
    early, late = [], []
    for day in range(3, 43, 4):
        hour = 24 * (120 + day)
        for lead, found in ((40, early), (3, late)):
            plan = make_plan(SITE, PlanRequest(REFERENCE_YEAR_S + (hour - lead) * 3600, 150.0, {}, seed=23), park())
            found.append(abs(plan.available_by_source_mw["koudia"][lead] - truth[hour]))
    assert np.mean(late) < 0.7 * np.mean(early)


def test_the_first_hour_is_nearly_the_truth() -> None:
    for day in range(0, 40, 8):
        hour = HOUR + 24 * day + 6
        plan = make_plan(SITE, PlanRequest(REFERENCE_YEAR_S + hour * 3600, 150.0, {}, seed=23), park())
        for name in ("koudia", "noor-iv"):
            plant = park().years[name].plant
            now = park().years[name].series_mw[hour] * delivered_frac(SITE, plant)
            assert abs(plan.available_by_source_mw[name][0] - now) < 0.15 * plant.gross_mw
        assert plan.clean_available_mw_p90[0] - plan.clean_available_mw_p10[0] < 0.06 * 650


def test_weather_that_is_a_forecast_keeps_its_values_and_gets_a_band() -> None:
    weather = dict(park().weather)
    told = replace(weather["koudia"].provenance, label="forecast")
    weather["koudia"] = replace(weather["koudia"], provenance=told)
    supply = supply_from(SITE, weather)
    issue = forecast_of(supply, 1).outlooks["koudia"].issued(HOUR, 48)
    hours = HOUR + np.arange(48)
    assert np.median(np.abs(issue.quantile(0.5) - supply.years["koudia"].series_mw[hours])) < 0.5
    assert np.mean(issue.quantile(0.9) - issue.quantile(0.1)) > 5
    assert (
        forecast_label(supply)
        == f"the weather's own at koudia, with bands of published size; elsewhere {FORECAST_LABEL}"
    )
    assert forecast_label(park()) == FORECAST_LABEL


@pytest.mark.parametrize("hour", [8755, 0, 24 * 59 - 2])
def test_plans_run_over_the_years_end(hour: int) -> None:
    plan = make_plan(SITE, PlanRequest(REFERENCE_YEAR_S + hour * 3600, 200.0, {}), park())
    assert plan.n_intervals == 48 and sum(plan.clean_available_mw_p50) > 0
    low, middle, high = (np.array(getattr(plan, f"clean_available_mw_{level}")) for level in ("p10", "p50", "p90"))
    assert np.all(low <= middle) and np.all(middle <= high)
