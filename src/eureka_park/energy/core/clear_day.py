"""Which synthetic year shows a day best: sun enough to fill the salt, an evening on salt, a night without it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from eureka_park.energy.core.daylight import daylight, place_of
from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.units import DAY_S, HOUR_S

LOAD_FRAC: Final = 0.85  # of the site: what a watched day asks for


def clearest(site: Site, start_s: float, seeds: Iterable[int]) -> int:
    """The seed whose day from `start_s` on is seen best; the first of equals."""
    load_mw = LOAD_FRAC * site.site_mw_max
    scores = {seed: seen(site, make_plan(site, PlanRequest(start_s, load_mw, seed=seed))) for seed in seeds}
    return max(scores, key=lambda seed: scores[seed])


def seen(site: Site, plan: PowerPlan) -> float:
    """How well a plan shows a day, the more the better: full power by day and in the evening, tanks that fill and are
    empty before dawn, a dark end of the night and a bright morning after it.
    """
    latitude_deg, longitude_deg = place_of(site)
    day = daylight(plan.start_s + 6 * HOUR_S, latitude_deg, longitude_deg)
    dawn_s = daylight(day.noon_s + DAY_S, latitude_deg, longitude_deg).sunrise_s
    load = max(max(plan.load_mw), 1e-12)

    def clean(from_s: float, to_s: float) -> list[float]:
        found = [
            min(1.0, plan.clean_available_mw_p50[index] / load)
            for index in range(plan.n_intervals)
            if from_s <= plan.interval_start_s(index) + plan.step_s / 2 < to_s
        ]
        return found or [0.0]

    light = clean(day.sunrise_s + 2 * HOUR_S, day.sunset_s)
    evening = clean(day.sunset_s, day.sunset_s + 3 * HOUR_S)
    late = clean(dawn_s - 5 * HOUR_S, dawn_s)
    morning = clean(dawn_s + HOUR_S, dawn_s + 4 * HOUR_S)
    tank = max(sum(plan.tes_mwh_th_max.values()), 1e-12)
    fullest = max(sum(series[index] for series in plan.tes_mwh_th.values()) for index in range(14)) / tank
    return (
        2.0 * sum(light) / len(light)
        + min(light)
        + 2.0 * min(evening)
        + fullest
        + 3.0 * (1.0 - sum(late) / len(late))
        + sum(morning) / len(morning)
    )
