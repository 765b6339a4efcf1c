"""Repairs of a year of weather that somebody asked for: short gaps by a line, longer ones from the same hour nearby."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather_hours import Mask, hours_text, runs_of
from eureka_park.foundation.errors import BadInput

DAYS_LOOKED_AT: Final = 10  # before and after a gap
NIGHT_OFFSET_W_PER_M2: Final = -10.0  # a cold pyranometer shows so little; below it the value is no measurement


@dataclass(frozen=True, slots=True)
class FillRule:
    """Gaps of up to `short_h` are bridged by a line; up to `long_h` by the mean of the same hour on near days."""

    short_h: int = 3
    long_h: int = 168


def filled(values: Floats, rule: FillRule, name: str, light: Floats | None = None) -> Floats:
    """The series without NaN; the year is a ring. `light`: sun's light of each hour, by which irradiance is divided.

    Raises BadInput for a gap longer than `long_h`.
    """
    base = np.ones(len(values)) if light is None else light
    is_dark = base <= 0
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(is_dark, 0.0, values / base)
    is_missing = np.isnan(values)
    shift = int(np.argmin(is_missing))  # begin where a value is there, so that no gap runs over the end
    ratio, gaps = np.roll(ratio, -shift), np.roll(is_missing, -shift)
    if is_missing.all():
        _too_long(name, len(values), rule, is_missing)
    for first, last in runs_of(gaps):
        if last - first > rule.long_h:
            _too_long(name, last - first, rule, is_missing)
        if last - first <= rule.short_h:
            ratio[first:last] = _line(ratio, first, last)
        else:
            ratio[first:last] = _nearby(ratio, gaps, first, last)
    return np.where(is_missing, np.roll(ratio, shift) * base, values)


def _line(ratio: Floats, first: int, last: int) -> Floats:
    before, after = ratio[first - 1], ratio[last % len(ratio)]
    steps = np.arange(1, last - first + 1) / (last - first + 1)
    return np.asarray(before + (after - before) * steps, dtype=np.float64)


def _nearby(ratio: Floats, gaps: Mask, first: int, last: int) -> Floats:
    """For each hour the mean of the nearest day before and the nearest after that have it."""
    found = np.empty(last - first)
    for at, hour in enumerate(range(first, last)):
        near = [
            next((ratio[(hour + sign * 24 * day) % len(ratio)] for day in range(1, DAYS_LOOKED_AT + 1)
                  if not gaps[(hour + sign * 24 * day) % len(ratio)]), None)
            for sign in (-1, 1)
        ]  # fmt: skip
        good = [value for value in near if value is not None]
        found[at] = np.mean(good) if good else np.nanmean(ratio[~gaps])
    return found


def _too_long(name: str, n_hours: int, rule: FillRule, is_missing: Mask) -> None:
    raise BadInput(
        f"{name}: a gap of {n_hours:,} hours is too long to fill (at most {rule.long_h}): {hours_text(is_missing)}.",
        fix="Find a fuller file, or allow longer gaps with --fill-max-h.",
        code="bad_weather_file",
        field=name,
    )
