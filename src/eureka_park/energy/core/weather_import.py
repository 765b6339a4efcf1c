"""From a reading to a year that models can run on: what is wrong is refused with its hours, or repaired on request.

Order: one year, hours, units and clock (`weather_checks`), what is below zero, gaps, missing parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import cos, hypot, radians
from typing import Final, NoReturn

import numpy as np

from eureka_park.energy.core.readers.reading import COLUMNS, DEW, IRRADIANCE, Reading
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather_checks import Location, WeatherFault, check_year, clock_minutes
from eureka_park.energy.core.weather_fill import NIGHT_OFFSET_W_PER_M2, FillRule, filled
from eureka_park.energy.core.weather_hours import (
    HALF,
    Hours,
    Mask,
    hour_text,
    hours_of,
    hours_text,
    one_year,
    refuse_impossible,
)
from eureka_park.energy.core.weather_parts import completed, hour_cosine
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR, REFERENCE_YEAR_S, Provenance, WeatherLabel, WeatherYear
from eureka_park.foundation.errors import BadInput

STARTS_S: Final = REFERENCE_YEAR_S + 3600.0 * np.arange(HOURS_PER_YEAR, dtype=np.float64)
FAR_KM: Final = 50.0
WINDOW_DAYS: Final = 15
CLOCK_JUMP_MINUTES: Final = 35.0
_OWN_CHECKS: Final = frozenset({"gap", "order", "not-a-number", "negative"})
_FILL_FIX: Final = "Repair it with --fill: what is filled is counted in the file's header and in every result."
_ACCEPT_FIX: Final = "If the values are right as they are, take them with --accept; the file then says so."


@dataclass(frozen=True, slots=True)
class Place:
    """Where the year is for: the id that the site file gives the place, degrees, metres above the sea."""

    id: str
    latitude_deg: float
    longitude_deg: float
    altitude_m: float
    temp_mean_c: float | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller allows and says: repairs by `fill`, odd values by `accept`, and words for the provenance."""

    content_id: str
    fill: FillRule | None = None
    accept: bool = False
    year: int | None = None
    label: WeatherLabel | None = None
    licence: str = ""
    origin: str = ""
    of_site_deg: tuple[float, float] | None = None  # where the site has the place: latitude, longitude


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """The year, how many hours of each column were filled, what was worked out, and what still looks odd."""

    year: WeatherYear
    filled_hours: Mapping[str, int]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def n_filled(self) -> int:
        """Values filled, over all columns."""
        return sum(self.filled_hours.values())


def import_year(reading: Reading, place: Place, wish: Wish) -> Imported:
    """The year at a place. Raises BadInput in one line for whatever `wish` does not allow."""
    hours = hours_of(one_year(reading, wish.year), may_drop=wish.fill is not None)
    columns = {name: values for name, values in hours.columns.items() if np.isfinite(values).any()}
    if not columns:
        _refuse("The file has no values of weather.", f"It needs at least one of: {', '.join(COLUMNS)}.")
    notes = list(reading.notes)
    notes += [f"{name} has no values" for name in reading.columns if name not in columns]
    warnings = [*_odd(columns, place, wish), *_far(place, wish)]
    sun, cosine = hour_cosine(place.latitude_deg, place.longitude_deg)
    _refuse_negative(columns, wish)
    columns = {name: _cleared(name, values) for name, values in columns.items()}
    light = {"dni_w_per_m2": (cosine > 0).astype(np.float64), "dhi_w_per_m2": cosine, "ghi_w_per_m2": cosine}
    repaired, filled_hours = _without_gaps(columns, hours, light, wish)
    complete, worked_out = completed(repaired, sun, cosine, place.altitude_m, place.temp_mean_c)
    refuse_impossible(complete, "Say the unit, --column COLUMN=NAME:UNIT, or correct the values.")
    notes += worked_out + _dropped(hours)
    if filled_hours:
        notes.append(f"{sum(filled_hours.values()):,} hourly values filled")
    if wish.accept and warnings:
        notes.append(f"taken although: {' '.join(warnings)}")
    provenance = Provenance(
        wish.label or reading.label,
        "; ".join([wish.origin or reading.origin, *notes]),
        wish.licence or reading.licence or "not stated",
        wish.content_id,
    )
    year = WeatherYear(place.id, provenance, sun, **complete, wind_height_m=reading.wind_height_m)
    extra = {"filled_values": _filled_text(filled_hours)}
    return Imported(year, filled_hours, tuple(notes), tuple(warnings), extra)


def _filled_text(filled_hours: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in filled_hours.items()) or "0"


def _dropped(hours: Hours) -> list[str]:
    told = []
    if hours.n_leap_rows:
        told.append(f"29 February left out ({hours.n_leap_rows} rows)")
    if hours.n_doubled_rows:
        told.append(f"{hours.n_doubled_rows} rows with a time that came before left out")
    return told


def _odd(columns: Mapping[str, Floats], place: Location, wish: Wish) -> list[str]:
    """What the checks find; the grave ones are refused unless they are accepted."""
    seen = {name: values for name, values in columns.items() if name != DEW}
    faults = [fault for fault in check_year(seen, place, STARTS_S) if fault.code not in _OWN_CHECKS]
    told = [_told(fault) for fault in faults]
    grave = [_told(fault) for fault in faults if fault.is_grave]
    clock = _changing_clock(seen, place)
    if clock and not any(fault.code.startswith("clock") for fault in faults):
        told, grave = [clock, *told], [clock, *grave]
    if grave and not wish.accept:
        grave.sort(key=lambda text: not any(word in text for word in ("stamps look", "values look")))
        more = f" (and {len(grave) - 1} more)" if len(grave) > 1 else ""
        _refuse(grave[0] + more, f"{_hint(faults)}{_ACCEPT_FIX}")
    return told


def _told(fault: WeatherFault) -> str:
    when = f" (hour {fault.hours[0]} begins {hour_text(fault.hours[0])} UTC)" if fault.hours else ""
    return f"{fault.text.rstrip('.')}{when}."


def _hint(faults: list[WeatherFault]) -> str:
    codes = {fault.code for fault in faults if fault.is_grave}
    if any(code.startswith("clock") for code in codes):
        return "Say the stamps' clock with --timezone, or what of the interval they name with --stamp. "
    return "Say the unit: --column COLUMN=NAME:UNIT. " if "unit" in codes else ""


def _changing_clock(columns: Mapping[str, Floats], place: Location) -> str:
    """A stretch of the year whose sun is an hour off while the rest is right: stamps of a wall clock that is set."""
    late = []
    for first in range(0, 365 - WINDOW_DAYS + 1, 5):
        part = slice(first * 24, (first + WINDOW_DAYS) * 24)
        window = {name: values[part] for name, values in columns.items() if name in IRRADIANCE}
        late.append(clock_minutes(window, place, STARTS_S[part]) if window else None)
    known = np.array([np.nan if value is None else value for value in late])
    if np.isnan(known).all():
        return ""
    off = known - np.nanmedian(known)
    is_off = np.abs(off) > CLOCK_JUMP_MINUTES
    if is_off.sum() < 3:
        return ""
    first, last = int(np.argmax(is_off)), len(is_off) - 1 - int(np.argmax(is_off[::-1]))
    return (
        f"The sun of the series is {abs(np.nanmedian(off[is_off])):.0f} minutes "
        f"{'late' if np.nanmedian(off[is_off]) > 0 else 'early'} between {hour_text(first * 120)[:-6]} and "
        f"{hour_text((last * 5 + WINDOW_DAYS) * 24 - 1)[:-6]} only: stamps look like a wall clock that was set "
        "(in Morocco it is for Ramadan); name its zone with --timezone."
    )


def _far(place: Place, wish: Wish) -> list[str]:
    if wish.of_site_deg is None:
        return []
    north, east = wish.of_site_deg
    km = 111.2 * hypot(north - place.latitude_deg, (east - place.longitude_deg) * cos(radians(north)))
    return [f"The weather's place lies {km:,.0f} km from where the site has {place.id}."] if km > FAR_KM else []


def _refuse_negative(columns: Mapping[str, Floats], wish: Wish) -> None:
    if wish.fill is not None:
        return
    for name in (*IRRADIANCE, "wind_m_per_s"):
        values = columns.get(name)
        is_wrong = values < 0 if values is not None else np.zeros(0, dtype=np.bool_)
        if values is not None and is_wrong.any():
            _refuse(
                f"{name}: {int(is_wrong.sum()):,} hours are below zero, the lowest {np.nanmin(values):.4g}: "
                f"{hours_text(is_wrong)}.",
                _FILL_FIX,
                name,
            )


def _cleared(name: str, values: Floats) -> Floats:
    """Below zero: the night's offset of a pyranometer becomes 0, anything lower is no value."""
    if name not in (*IRRADIANCE, "wind_m_per_s"):
        return values
    floor = NIGHT_OFFSET_W_PER_M2 if name in IRRADIANCE else 0.0
    return np.where(values < floor, np.nan, np.where(values < 0, 0.0, values))


def _without_gaps(
    columns: Mapping[str, Floats], hours: Hours, light: Mapping[str, Floats], wish: Wish
) -> tuple[dict[str, Floats], dict[str, int]]:
    repaired, counts = {}, {}
    thin = {name: _thin(hours, name, values) for name, values in columns.items()}
    if wish.fill is None:
        _refuse_gaps({name: mask | np.isnan(columns[name]) for name, mask in thin.items()})
    for name, values in columns.items():
        was = hours.columns[name]
        known = np.where(hours.covered_frac[name] < HALF - 1e-9, np.nan, values)
        repaired[name] = filled(known, wish.fill, name, light.get(name)) if wish.fill else known
        n_changed = int((thin[name] | np.isnan(was) | (was != repaired[name])).sum())
        if n_changed:
            counts[name] = n_changed
    return repaired, counts


def _thin(hours: Hours, name: str, values: Floats) -> Mask:
    """Hours that do not have all their samples."""
    return np.asarray(hours.covered_frac[name] < 1.0 - 1e-9)


def _refuse_gaps(missing: Mapping[str, Mask]) -> None:
    everywhere = np.logical_and.reduce(list(missing.values()))
    if everywhere.any():
        n = int(everywhere.sum())
        _refuse(
            f"The file has {HOURS_PER_YEAR - n:,} of the year's {HOURS_PER_YEAR:,} hours whole; {n:,} are missing: "
            f"{hours_text(everywhere)}.",
            _FILL_FIX,
        )
    for name, mask in missing.items():
        if mask.any():
            _refuse(f"{name}: {int(mask.sum()):,} hours have no value: {hours_text(mask)}.", _FILL_FIX, name)


def _refuse(message: str, fix: str, name: str | None = None) -> NoReturn:
    raise BadInput(message, fix=fix, code="bad_weather_file", field=name)
