"""A year of weather in figures: sums and means by year and month, the law of the wind, closure, what looks wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from math import gamma
from typing import Any, Final

import numpy as np

from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather_checks import Location, WeatherFault, check_year, closure_of
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR, REFERENCE_YEAR_S, WeatherYear

COLUMNS: Final = (
    "dni_w_per_m2", "dhi_w_per_m2", "ghi_w_per_m2", "temp_c", "humidity_frac", "pressure_pa", "wind_m_per_s",
)  # fmt: skip
MONTH_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
MONTH_OF_HOUR: Final = np.repeat(np.arange(12), np.array(MONTH_DAYS) * 24)
STARTS_S: Final = REFERENCE_YEAR_S + 3600.0 * np.arange(HOURS_PER_YEAR, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Month:
    """Sums of irradiation (kWh/m2) and means of a month; number 1 to 12."""

    number: int
    dni_kwh_per_m2: float
    dhi_kwh_per_m2: float
    ghi_kwh_per_m2: float
    temp_c_mean: float
    humidity_frac_mean: float
    wind_m_per_s_mean: float


@dataclass(frozen=True, slots=True)
class WeatherSummary:
    """A year in figures. `wind_k` and `wind_scale_m_per_s`: the Weibull law most like the wind; None without wind.

    `closure_rms_w_per_m2`: of GHI less DHI + DNI cos z over sunlit hours; `closure_outside_frac`: share outside the
    limits of `weather_checks`; None without sun.
    """

    dni_kwh_per_m2: float
    dhi_kwh_per_m2: float
    ghi_kwh_per_m2: float
    dni_w_per_m2_max: float
    bright_days_frac: float | None
    temp_c_min: float
    temp_c_mean: float
    temp_c_max: float
    humidity_frac_mean: float
    pressure_pa_mean: float
    wind_m_per_s_mean: float
    wind_m_per_s_max: float
    wind_k: float | None
    wind_scale_m_per_s: float | None
    closure_rms_w_per_m2: float | None
    closure_outside_frac: float | None
    months: tuple[Month, ...]
    faults: tuple[WeatherFault, ...]

    def to_json(self) -> dict[str, Any]:
        """A plain value; each fault with its sentence."""
        value = asdict(self)
        value["faults"] = [
            {
                "code": fault.code, "column": fault.column, "n_hours": fault.n_hours, "hours": list(fault.hours),
                "is_grave": fault.is_grave, "text": fault.text,
            }
            for fault in self.faults
        ]  # fmt: skip
        return value


def describe(year: WeatherYear, place: Location) -> WeatherSummary:
    """The figures of a year at a place, and its faults."""
    columns = {name: getattr(year, name) for name in COLUMNS}
    sums = {name: float(np.nansum(columns[f"{name}_w_per_m2"])) / 1000.0 for name in ("dni", "dhi", "ghi")}
    law = weibull_fit(year.wind_m_per_s)
    rms, outside = _closure(year)
    return WeatherSummary(
        sums["dni"],
        sums["dhi"],
        sums["ghi"],
        float(np.nanmax(year.dni_w_per_m2)),
        bright_days_frac(year),
        float(np.nanmin(year.temp_c)),
        float(np.nanmean(year.temp_c)),
        float(np.nanmax(year.temp_c)),
        float(np.nanmean(year.humidity_frac)),
        float(np.nanmean(year.pressure_pa)),
        float(np.nanmean(year.wind_m_per_s)),
        float(np.nanmax(year.wind_m_per_s)),
        None if law is None else law[0],
        None if law is None else law[1],
        rms,
        outside,
        tuple(_month(year, number) for number in range(12)),
        check_year(columns, place, STARTS_S),
    )


def weibull_fit(speeds_m_per_s: Floats) -> tuple[float, float] | None:
    """Shape and scale (m/s) of the Weibull law of highest likelihood; None where there is hardly any wind."""
    speeds = speeds_m_per_s[np.isfinite(speeds_m_per_s) & (speeds_m_per_s > 0.05)]
    if len(speeds) < 100 or speeds.max() - speeds.min() < 1e-6:
        return None
    logs = np.log(speeds)
    mean = float(logs.mean())
    low, high = 0.2, 20.0
    for _ in range(60):
        shape = (low + high) / 2
        powers = speeds**shape
        is_low = float((powers * logs).sum() / powers.sum()) - 1.0 / shape - mean < 0
        low, high = (shape, high) if is_low else (low, shape)
    return low, float(np.mean(speeds**low) ** (1.0 / low))


def weibull_mean(shape: float, scale_m_per_s: float) -> float:
    """Mean of a Weibull law; m/s."""
    return scale_m_per_s * gamma(1.0 + 1.0 / shape)


def bright_days_frac(year: WeatherYear) -> float | None:
    """Share of days with over 0.8 of the best beam of the 41 days around; None without sun."""
    daily = np.nan_to_num(year.dni_w_per_m2).reshape(365, 24).sum(axis=1)
    if daily.max() <= 0:
        return None
    best = np.max([np.roll(daily, step) for step in range(-20, 21)], axis=0)
    return float((daily > 0.8 * best).mean())


def hours_by_stretch(series: Floats, n_stretches: int) -> Floats:
    """Means by hour of the day (24 rows, UTC) and by equal stretches of the year (columns)."""
    days = np.nan_to_num(series).reshape(365, 24)
    edges = np.linspace(0, 365, n_stretches + 1).astype(np.int64)
    return np.array([days[first:last].mean(axis=0) for first, last in pairwise(edges)]).T


def _month(year: WeatherYear, number: int) -> Month:
    inside = number == MONTH_OF_HOUR
    sums = [
        float(np.nansum(series[inside])) / 1000.0
        for series in (year.dni_w_per_m2, year.dhi_w_per_m2, year.ghi_w_per_m2)
    ]
    means = [float(np.nanmean(series[inside])) for series in (year.temp_c, year.humidity_frac, year.wind_m_per_s)]
    return Month(number + 1, sums[0], sums[1], sums[2], means[0], means[1], means[2])


def _closure(year: WeatherYear) -> tuple[float | None, float | None]:
    columns = {name: getattr(year, name) for name in COLUMNS[:3]}
    is_lit, off, is_out = closure_of(columns, year.sun)
    if not is_lit.any():
        return None, None
    return float(np.sqrt(np.mean(off[is_lit] ** 2))), float(is_out.sum() / is_lit.sum())
