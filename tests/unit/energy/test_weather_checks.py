"""Faults of a series of weather are found, named and counted; a sound year has none."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from tests.helpers.real_weather import daggett, tetouan

from eureka_park.energy.core.sun import Floats, sun_at
from eureka_park.energy.core.weather_checks import FAULTS, check_year, clock_minutes

PLACE = SimpleNamespace(latitude_deg=31.05, longitude_deg=-6.87, altitude_m=1260.0)
STARTS_S = 1735689600.0 + 3600.0 * np.arange(8760.0)


def sound() -> dict[str, Floats]:
    """A plain year: clear sky of one clearness, air of one season, wind of no particular shape."""
    sun = sun_at(STARTS_S + 1800.0, PLACE.latitude_deg, PLACE.longitude_deg)
    high = np.maximum(0.0, sun.cos_zenith)
    dni, dhi = 850.0 * (high > 0) * high**0.3, 120.0 * high
    wave = np.sin(2 * np.pi * STARTS_S / 86400.0)
    return {
        "dni_w_per_m2": dni, "dhi_w_per_m2": dhi, "ghi_w_per_m2": dhi + dni * high, "temp_c": 18.0 + 6.0 * wave,
        "humidity_frac": 0.4 + 0.1 * wave, "pressure_pa": np.full(8760, 87_500.0),
        "wind_m_per_s": 8.0 * (-np.log1p(-((np.arange(8760) * 0.618034) % 1.0))) ** 0.5,
    }  # fmt: skip


def codes(columns: dict[str, Floats], starts_s: Floats = STARTS_S) -> set[tuple[str, str]]:
    return {(fault.code, fault.column) for fault in check_year(columns, PLACE, starts_s)}


def test_a_sound_year_has_no_fault() -> None:
    assert codes(sound()) == set()


@pytest.mark.parametrize(
    ("column", "change", "found"),
    [
        ("ghi_w_per_m2", lambda v: v / 1000.0, "unit"),
        ("ghi_w_per_m2", lambda v: v * 0.0036, "unit"),
        ("ghi_w_per_m2", lambda v: v * 3.6, "unit"),
        ("dni_w_per_m2", lambda v: v / 1000.0, "unit"),
        ("temp_c", lambda v: v + 273.15, "unit"),
        ("temp_c", lambda v: 32.0 + 1.8 * v, "unit"),
        ("wind_m_per_s", lambda v: v * 3.6, "unit"),
        ("humidity_frac", lambda v: v * 100.0, "unit"),
        ("pressure_pa", lambda v: v / 100.0, "unit"),
        ("pressure_pa", lambda v: v / 1000.0, "unit"),
        ("pressure_pa", lambda v: v + 14_000.0, "sea-level"),
        ("wind_m_per_s", lambda v: np.where(v < 9.0, 0.1, v), "stuck"),
        ("temp_c", lambda v: np.where(np.arange(len(v)) == 7, np.nan, v), "not-a-number"),
        ("temp_c", lambda v: np.where(np.arange(len(v)) == 7, 75.0, v), "out-of-range"),
        ("ghi_w_per_m2", lambda v: np.where(np.arange(len(v)) == 7, -30.0, v), "negative"),
        ("dni_w_per_m2", lambda v: np.where(np.arange(len(v)) == 12, 1500.0, v), "over-limit"),
        ("dni_w_per_m2", lambda v: np.where(np.arange(len(v)) == 0, 55.0, v), "night-sun"),
        ("dhi_w_per_m2", lambda v: np.where(np.arange(len(v)) < 3000, 7.0 * v, v), "unshaded"),
    ],
)
def test_one_fault_is_found_and_named(column: str, change: Callable[[Floats], Floats], found: str) -> None:
    columns = sound()
    columns[column] = change(columns[column])
    assert (found, column) in codes(columns)


@pytest.mark.parametrize(("hours", "code"), [(1, "clock-late"), (-1, "clock-early"), (2, "clock-late")])
def test_stamps_of_another_clock_are_told(hours: int, code: str) -> None:
    columns = {name: np.roll(values, hours) for name, values in sound().items()}
    fault = next(fault for fault in check_year(columns, PLACE, STARTS_S) if fault.code == code)
    assert float(str(fault.values["minutes"])) == pytest.approx(60 * abs(hours), abs=2)
    assert f"UTC{'+' if hours > 0 else '-'}{abs(hours)}" in fault.text and fault.is_grave


def test_a_clock_needs_sun_to_be_told() -> None:
    assert clock_minutes({"temp_c": np.zeros(8760)}, PLACE, STARTS_S) is None
    assert clock_minutes({"ghi_w_per_m2": np.zeros(8760)}, PLACE, STARTS_S) is None
    assert clock_minutes({"ghi_w_per_m2": np.ones(48)}, PLACE, STARTS_S[:48]) is None


def test_a_hole_and_a_repeated_stamp_are_counted() -> None:
    keep = np.r_[0:100, 124:8760]
    columns = {name: values[keep] for name, values in sound().items()}
    gap = next(fault for fault in check_year(columns, PLACE, STARTS_S[keep]) if fault.code == "gap")
    assert (gap.n_hours, gap.hours) == (24, (99,)) and not gap.is_grave
    again = STARTS_S.copy()
    again[500] = again[499]
    assert ("order", "") in codes(sound(), again)


def test_parts_that_do_not_add_up_are_told_with_their_size() -> None:
    columns = sound()
    columns["ghi_w_per_m2"] = columns["ghi_w_per_m2"] * 0.8
    fault = next(fault for fault in check_year(columns, PLACE, STARTS_S) if fault.code == "closure")
    assert fault.values["percent"] == 100 and float(str(fault.values["rms"])) > 50


def test_every_code_has_a_sentence_that_its_values_fill() -> None:
    columns = sound()
    columns["temp_c"] = columns["temp_c"] + 273.15
    columns["dni_w_per_m2"] = columns["dni_w_per_m2"] * 0.5
    for fault in check_year(columns, PLACE, STARTS_S):
        assert fault.code in FAULTS and fault.text.endswith(".") and "{" not in fault.text


def test_a_real_typical_year_of_the_desert_is_sound() -> None:
    real = daggett()
    assert check_year(real.columns, real, real.starts_s) == ()


def test_the_real_series_of_tetouan_is_told_to_be_on_utc_plus_one() -> None:
    as_utc, as_local = tetouan(0.0), tetouan(1.0)
    found = {fault.code: fault for fault in check_year(as_utc.columns, as_utc, as_utc.starts_s)}
    assert "UTC+1" in found["clock-late"].text
    assert found["stuck"].column == "wind_m_per_s"  # the town's sensor has two states
    assert {fault.code for fault in check_year(as_local.columns, as_local, as_local.starts_s)} == {
        "over-limit", "stuck", "unshaded",
    }  # fmt: skip
