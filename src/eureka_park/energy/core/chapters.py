"""A day told in chapters, from the sun over the mirrors and the salt that the plan has: nothing here is scripted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from eureka_park.energy.core.daylight import daylight
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.units import DAY_S, HOUR_S

SALT_GIVES_FRAC: Final = 0.15  # of the largest clean power of the plan: below it the tanks carry little
LAST_OF_TANK_FRAC: Final = 0.2
LITTLE_FRAC: Final = 0.33
RISING_S: Final = HOUR_S
SETTING_S: Final = (HOUR_S, HOUR_S / 2)  # before and after the sun touches the horizon


@dataclass(frozen=True, slots=True)
class Chapter:
    """One part of the day: a stable code, and English words for people."""

    code: str
    title: str
    text: str


CHAPTERS: Final[tuple[Chapter, ...]] = (
    Chapter(
        "before_sunrise",
        "Before sunrise",
        "It is still dark. Firm work runs on the wind and the grid; green work waits for the sun.",
    ),
    Chapter(
        "sunrise",
        "Sunrise",
        "The first light reaches the panels and the mirrors. Work that waited for the sun begins.",
    ),
    Chapter(
        "salt_fills",
        "The salt fills",
        "The mirrors gather more heat than the turbines take. The rest goes into the salt tanks, for the evening.",
    ),
    Chapter(
        "sunset",
        "Sunset",
        "The sun goes down and the panels fade. The tanks begin to give what they gathered.",
    ),
    Chapter(
        "salt_takes_over",
        "The salt takes over",
        "No sun, and the work goes on: hot salt makes steam, and steam drives the turbines.",
    ),
    Chapter(
        "night",
        "Night: the wind and what is left of the salt",
        "The tanks have given what they had. Green work stands still and loses nothing; firm work goes on.",
    ),
)
_BY_CODE: Final = {chapter.code: chapter for chapter in CHAPTERS}


@dataclass(frozen=True, slots=True)
class Telling:
    """The chapter that holds an instant, since when, and the one after it."""

    chapter: Chapter
    since_s: float
    next: Chapter
    next_s: float

    @property
    def index(self) -> int:
        """Place of the chapter in the day, from 0."""
        return CHAPTERS.index(self.chapter)


def chapter_at(now_s: float, latitude_deg: float, longitude_deg: float, plan: PowerPlan | None) -> Telling:
    """Which chapter of the day it is. Without a plan nobody knows how long the salt lasts: night follows sunset."""
    marks = sorted(_marks(now_s, latitude_deg, longitude_deg, plan))
    at = max(index for index, (start_s, _) in enumerate(marks) if start_s <= now_s)
    following = next(mark for mark in marks[at + 1 :] if mark[1] != marks[at][1])
    while at and marks[at - 1][1] == marks[at][1]:
        at -= 1
    return Telling(_BY_CODE[marks[at][1]], marks[at][0], _BY_CODE[following[1]], following[0])


def _marks(
    now_s: float, latitude_deg: float, longitude_deg: float, plan: PowerPlan | None
) -> Iterator[tuple[float, str]]:
    """Beginnings of chapters from the day before to the day after."""
    days = [daylight(now_s + shift * DAY_S, latitude_deg, longitude_deg) for shift in (-1, 0, 1, 2)]
    for day, next_day in pairwise(days):
        rise_end_s = min(day.sunrise_s + RISING_S, day.noon_s)
        set_begin_s = max(day.sunset_s - SETTING_S[0], day.noon_s)
        dark_s, dawn_s = day.sunset_s + SETTING_S[1], next_day.sunrise_s - HOUR_S
        yield day.sunrise_s, "sunrise"
        yield rise_end_s, "salt_fills"
        yield set_begin_s, "sunset"
        out_s = _salt_out_s(plan, dark_s, (day.noon_s + next_day.noon_s) / 2, dawn_s)
        if out_s > dark_s:
            yield dark_s, "salt_takes_over"
        if out_s < dawn_s:
            yield out_s, "night"
        yield max(dark_s, dawn_s), "before_sunrise"


def _salt_out_s(plan: PowerPlan | None, dark_s: float, midnight_s: float, dawn_s: float) -> float:
    """Until when salt carries the night that begins at `dark_s`, as far as the plan sees; `dark_s` when it does not.

    It carries while it gives more than a little. After midnight the last of the tanks counts no longer, and little is
    enough before that: plans made one after the other then tell one night.
    """
    if plan is None:
        return dark_s
    least_mw = SALT_GIVES_FRAC * max(plan.clean_available_mw_p50, default=0.0)
    full_mwh_th = sum(plan.tes_mwh_th_max.values())
    out_s = dark_s
    for index in range(plan.n_intervals):
        start_s = plan.interval_start_s(index)
        if not dark_s - plan.step_s < start_s < dawn_s:
            continue
        gives_mw = sum(plan.available_by_source_mw[name][index] for name in plan.tes_mwh_th)
        left_mwh_th = sum(series[index] for series in plan.tes_mwh_th.values())
        is_late = start_s >= midnight_s
        if gives_mw <= (LITTLE_FRAC if is_late else 1.0) * least_mw:
            break
        if is_late and left_mwh_th < LAST_OF_TANK_FRAC * full_mwh_th:
            break
        out_s = start_s + plan.step_s
    return out_s
