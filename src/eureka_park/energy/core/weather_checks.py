"""What is wrong in a series of weather: gaps, impossible values, a clock that is off, units that look like others.

Limits: BSRN Global Network recommended QC tests, V2.0 (Long and Dutton 2002), the physically possible ones; closure
GHI = DHI + DNI cos z within 8 % under 75 deg of zenith and 15 % beyond, where the sum is over 50 W/m2 (same source).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from eureka_park.energy.core.clear_sky import clear_sky
from eureka_park.energy.core.sun import Floats, Sun, sun_at

Values = dict[str, str | float | int]

HOURS_SHOWN: Final = 12  # hour numbers kept in a fault; the count is always whole
HPA: Final = 100.0
NIGHT_ELEVATION_DEG: Final = -6.0  # no sun at all below it, whatever the refraction and the width of an hour
NIGHT_SUN_W_PER_M2: Final = 10.0
CLOCK_MINUTES_MIN: Final = 20.0
CLOSURE_MIN_W_PER_M2: Final = 50.0
UNSHADED_FRAC: Final = 0.02  # of bright hours
STUCK_FRAC: Final = 0.30  # of all hours within one narrow band of wind speed

FAULTS: Final[Mapping[str, str]] = {
    "gap": "{n} hours are missing; the first gap follows row {first}.",
    "order": "{n} time stamps are not later than the one before; the first is row {first}.",
    "not-a-number": "{column}: {n} values are missing or no number; the first is hour {first}.",
    "negative": "{column}: {n} values are below zero; the first is hour {first}.",
    "over-limit": "{column}: {n} values are over the physical limit; the first is hour {first}.",
    "out-of-range": "{column}: {n} values lie outside {low} to {high}; the first is hour {first}.",
    "night-sun": "{column}: {n} hours have sun while it is below the horizon; the first is hour {first}.",
    "clock-late": "The sun of the series is {minutes} minutes late: stamps look like UTC+{hours}, or name the end of "
    "the hour.",
    "clock-early": "The sun of the series is {minutes} minutes early: stamps look like UTC-{hours}.",
    "closure": "GHI differs from DHI + DNI cos z in {percent} % of the sunlit hours (rms {rms} W/m2).",
    "unit": "{column}: values look like {unit} ({statistic} {value}).",
    "sea-level": "pressure_pa: {value} hPa on average at {altitude_m} m looks reduced to sea level.",
    "unshaded": "dhi_w_per_m2: in {n} bright hours diffuse is nearly all of global; its sensor was not shaded.",
    "stuck": "{column}: {percent} % of the hours lie within one band of {width} m/s; the sensor looks stuck.",
}
"""A sentence for each code, with places for `WeatherFault.values`; also the keys of translations."""

GRAVE: Final = frozenset({"order", "over-limit", "night-sun", "clock-late", "clock-early", "unit", "stuck"})


class Location(Protocol):
    """Where a series was taken: degrees north and east, metres above the sea."""

    @property
    def latitude_deg(self) -> float:
        """Latitude, north positive."""

    @property
    def longitude_deg(self) -> float:
        """Longitude, east positive."""

    @property
    def altitude_m(self) -> float:
        """Height above the sea."""


@dataclass(frozen=True, slots=True)
class WeatherFault:
    """One kind of fault: its code, the column ("" for the whole series), how many hours, and the first of them.

    `hours` are row numbers from 0. `is_grave`: a model must not run on this without somebody's word.
    """

    code: str
    column: str
    n_hours: int
    hours: tuple[int, ...] = ()
    values: Mapping[str, str | float | int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The fault as one English sentence."""
        return FAULTS[self.code].format(**self.values)

    @property
    def is_grave(self) -> bool:
        """Whether a figure made from this series would be wrong, not merely less certain."""
        return self.code in GRAVE


def check_year(columns: Mapping[str, Floats], place: Location, starts_s: Floats) -> tuple[WeatherFault, ...]:
    """All faults of a series of equal steps, the grave ones first.

    `columns`: any of dni_w_per_m2, dhi_w_per_m2, ghi_w_per_m2, temp_c, humidity_frac, pressure_pa, wind_m_per_s, one
    value per instant of `starts_s` (UTC epoch seconds at which an interval begins). NaN stands for a missing value.
    """
    step_s = float(np.median(np.diff(starts_s))) if len(starts_s) > 1 else 3600.0
    sun = sun_at(starts_s + step_s / 2, place.latitude_deg, place.longitude_deg)
    found = [*_stamps(starts_s, step_s), *_missing(columns)]
    units = _units(columns, place, sun)
    odd = {fault.column for fault in units}
    sound = {name: values for name, values in columns.items() if name not in odd}
    found += [*units, *_limits(sound, sun), *_ranges(sound), *_stuck(sound)]
    clock = _clock(sound, place, starts_s, step_s)
    found += [*clock, *_night(sound, sun)]
    if not clock:
        found += [*_closure(sound, sun), *_unshaded(sound, place, sun)]
    return tuple(sorted(found, key=lambda fault: not fault.is_grave))


def _fault(code: str, column: str, is_wrong: npt.NDArray[np.bool_], **values: str | float | int) -> list[WeatherFault]:
    rows = np.flatnonzero(is_wrong)
    if not len(rows):
        return []
    known: Values = {"column": column, "n": len(rows), "first": int(rows[0]), **values}
    return [WeatherFault(code, column, len(rows), tuple(int(row) for row in rows[:HOURS_SHOWN]), known)]


def _stamps(starts_s: Floats, step_s: float) -> list[WeatherFault]:
    steps = np.diff(starts_s)
    found = _fault("order", "", np.append(False, steps <= 0))
    is_gap = steps > 1.5 * step_s
    if is_gap.any():
        rows = np.flatnonzero(is_gap)
        n_hours = round(float((steps[is_gap] - step_s).sum()) / 3600.0)
        values: Values = {"n": n_hours, "first": int(rows[0])}
        found.append(WeatherFault("gap", "", n_hours, tuple(int(row) for row in rows[:HOURS_SHOWN]), values))
    return found


def _missing(columns: Mapping[str, Floats]) -> list[WeatherFault]:
    return [fault for name, values in columns.items() for fault in _fault("not-a-number", name, ~np.isfinite(values))]


def _limits(columns: Mapping[str, Floats], sun: Sun) -> list[WeatherFault]:
    high = np.maximum(0.0, sun.cos_zenith) ** 1.2 * sun.beam_w_per_m2
    most = {"dni_w_per_m2": sun.beam_w_per_m2, "dhi_w_per_m2": 0.95 * high + 50.0, "ghi_w_per_m2": 1.5 * high + 100.0}
    found: list[WeatherFault] = []
    for name, limit in most.items():
        if name in columns:
            found += _fault("negative", name, columns[name] < -4.0)
            found += _fault("over-limit", name, columns[name] > limit)
    return found


def _ranges(columns: Mapping[str, Floats]) -> list[WeatherFault]:
    allowed = {
        "temp_c": (-60.0, 60.0), "humidity_frac": (0.0, 1.05), "pressure_pa": (45_000.0, 110_000.0),
        "wind_m_per_s": (0.0, 75.0),
    }  # fmt: skip
    found: list[WeatherFault] = []
    for name, (low, high) in allowed.items():
        if name in columns:
            is_out = (columns[name] < low) | (columns[name] > high)
            found += _fault("out-of-range", name, is_out, low=f"{low:g}", high=f"{high:g}")
    return found


def _units(columns: Mapping[str, Floats], place: Location, sun: Sun) -> list[WeatherFault]:
    """Values whose size fits another unit better than the column's."""
    found: list[WeatherFault] = []

    def say(name: str, unit: str, statistic: str, value: float) -> None:
        values: Values = {"column": name, "unit": unit, "statistic": statistic, "value": f"{value:.4g}"}
        found.append(WeatherFault("unit", name, len(columns[name]), (), values))

    for name in ("ghi_w_per_m2", "dni_w_per_m2"):
        if name in columns:
            _tell(say, name, "maximum", _peak(columns[name]), (
                (0.2, 1.6, "kW/m2 or kWh/m2"), (1.6, 6.0, "MJ/m2"), (1800.0, 6000.0, "kJ/m2"), (2e5, 6e6, "J/m2"),
            ))  # fmt: skip
    if "temp_c" in columns:
        mean = float(np.nanmean(columns["temp_c"]))
        _tell(say, "temp_c", "mean", mean, ((45.0, 110.0, "Fahrenheit"), (200.0, 340.0, "kelvin")))
    if "humidity_frac" in columns:
        _tell(say, "humidity_frac", "maximum", _peak(columns["humidity_frac"]), ((2.0, 130.0, "percent"),))
    if "wind_m_per_s" in columns:
        mean = float(np.nanmean(columns["wind_m_per_s"]))
        _tell(say, "wind_m_per_s", "mean", mean, ((13.5, 100.0, "km/h"),))
    if "pressure_pa" in columns:
        mean = float(np.nanmean(columns["pressure_pa"]))
        _tell(say, "pressure_pa", "mean", mean, ((40.0, 115.0, "kPa"), (400.0, 1150.0, "hPa")))
        standard = 101_325.0 * np.exp(-place.altitude_m / 8434.0)
        if place.altitude_m > 400.0 and mean > standard * 1.035 and 98_000.0 < mean < 105_000.0:
            values: Values = {"value": f"{mean / HPA:.0f}", "altitude_m": f"{place.altitude_m:g}"}
            found.append(WeatherFault("sea-level", "pressure_pa", len(columns["pressure_pa"]), (), values))
    return found


def _tell(
    say: Callable[[str, str, str, float], None],
    name: str,
    statistic: str,
    value: float,
    spans: tuple[tuple[float, float, str], ...],
) -> None:
    for low, high, unit in spans:
        if low <= value < high:
            say(name, unit, statistic, value)


def _peak(values: Floats) -> float:
    good = values[np.isfinite(values)]
    return float(np.quantile(good, 0.999)) if len(good) else 0.0


def _stuck(columns: Mapping[str, Floats]) -> list[WeatherFault]:
    """A real wind speed has no band of a tenth of its mean that holds a third of all hours."""
    wind = columns.get("wind_m_per_s", np.zeros(0))
    wind = wind[np.isfinite(wind)]
    mean = float(wind.mean()) if len(wind) else 0.0
    if mean <= 0:
        return []
    width = max(0.1, 0.1 * mean)
    most = float(np.bincount((np.maximum(0.0, wind) / width).astype(np.int64)).max()) / len(wind)
    if most < STUCK_FRAC:
        return []
    values: Values = {"column": "wind_m_per_s", "percent": round(100 * most), "width": f"{width:.2g}"}
    return [WeatherFault("stuck", "wind_m_per_s", round(most * len(wind)), (), values)]


def _night(columns: Mapping[str, Floats], sun: Sun) -> list[WeatherFault]:
    is_night = np.degrees(sun.elevation_rad) < NIGHT_ELEVATION_DEG
    found: list[WeatherFault] = []
    for name in ("ghi_w_per_m2", "dni_w_per_m2"):
        if name in columns:
            found += _fault("night-sun", name, is_night & (columns[name] > NIGHT_SUN_W_PER_M2))
    return found


def clock_minutes(
    columns: Mapping[str, Floats], place: Location, starts_s: Floats, step_s: float = 3600.0
) -> float | None:
    """How late the sun of a series is, in minutes (negative: early); None where there is too little sun to tell.

    The centre of gravity of each bright day is compared with that of the sun's height on the same day; the median over
    the brightest third of the days is what clouds of the afternoon pull least.
    """
    name = next((name for name in ("ghi_w_per_m2", "dni_w_per_m2") if name in columns), None)
    if name is None or len(starts_s) < 10 * 86400.0 / step_s:
        return None
    values = np.nan_to_num(np.maximum(0.0, columns[name]))
    # Days run from local midnight to midnight, so that a shifted afternoon is not cut.
    day = np.floor((starts_s + step_s / 2 + place.longitude_deg * 240.0) / 86400.0).astype(np.int64)
    day -= day.min()
    clock_h = (starts_s + step_s / 2 + place.longitude_deg * 240.0) % 86400.0 / 3600.0
    height = np.maximum(0.0, sun_at(starts_s + step_s / 2, place.latitude_deg, place.longitude_deg).cos_zenith)
    energy, light = np.bincount(day, values), np.bincount(day, height)
    with np.errstate(invalid="ignore", divide="ignore"):
        late_h = np.bincount(day, values * clock_h) / energy - np.bincount(day, height * clock_h) / light
        bright = energy / light
    whole = np.bincount(day) == round(86400.0 / step_s)
    use = whole & np.isfinite(late_h) & (energy > 0)
    if int(use.sum()) < 10:
        return None
    use &= bright >= np.quantile(bright[use], 2 / 3)
    return 60.0 * float(np.median(late_h[use]))


def _clock(columns: Mapping[str, Floats], place: Location, starts_s: Floats, step_s: float) -> list[WeatherFault]:
    late = clock_minutes(columns, place, starts_s, step_s)
    if late is None or abs(late) < CLOCK_MINUTES_MIN:
        return []
    hours = f"{round(2 * abs(late) / 60) / 2:g}"
    values: Values = {"minutes": round(abs(late)), "hours": hours}
    return [WeatherFault("clock-late" if late > 0 else "clock-early", "", len(starts_s), (), values)]


def closure_of(columns: Mapping[str, Floats], sun: Sun) -> tuple[npt.NDArray[np.bool_], Floats, npt.NDArray[np.bool_]]:
    """Which hours can be checked, GHI less (DHI + DNI cos z) in W/m2, and which hours lie outside the limits."""
    total = columns["dhi_w_per_m2"] + columns["dni_w_per_m2"] * np.maximum(0.0, sun.cos_zenith)
    off = columns["ghi_w_per_m2"] - total
    zenith_deg = np.degrees(sun.zenith_rad)
    is_lit = np.isfinite(off) & (total > CLOSURE_MIN_W_PER_M2) & (zenith_deg < 93.0)
    return is_lit, off, is_lit & (np.abs(off) > np.where(zenith_deg < 75.0, 0.08, 0.15) * total)


def _closure(columns: Mapping[str, Floats], sun: Sun) -> list[WeatherFault]:
    if not {"dni_w_per_m2", "dhi_w_per_m2", "ghi_w_per_m2"} <= set(columns):
        return []
    is_lit, off, is_out = closure_of(columns, sun)
    if not is_lit.any() or is_out.sum() <= 0.02 * is_lit.sum():
        return []
    values: Values = {
        "percent": round(100 * float(is_out.sum() / is_lit.sum())),
        "rms": f"{float(np.sqrt(np.mean(off[is_lit] ** 2))):.0f}",
    }
    return _fault("closure", "", is_out, **values)


def _unshaded(columns: Mapping[str, Floats], place: Location, sun: Sun) -> list[WeatherFault]:
    """Hours with 0.85 of a clear sky's global of which over 0.8 is said to be diffuse: what no cloud does for long."""
    if not {"dhi_w_per_m2", "ghi_w_per_m2"} <= set(columns):
        return []
    clear = clear_sky(sun, place.altitude_m, 3.0).ghi_w_per_m2
    is_bright = (np.degrees(sun.zenith_rad) < 75.0) & (columns["ghi_w_per_m2"] > 0.85 * clear)
    is_odd = is_bright & (columns["dhi_w_per_m2"] > 0.8 * columns["ghi_w_per_m2"])
    return _fault("unshaded", "dhi_w_per_m2", is_odd) if is_odd.sum() > UNSHADED_FRAC * is_bright.sum() else []
