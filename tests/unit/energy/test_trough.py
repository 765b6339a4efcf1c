"""The trough field by itself: its optics, its warm-up, its evening."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eureka_park.energy.core.sun import sun_at
from eureka_park.energy.core.trough import optical_frac, trough_field, trough_flows, trough_heat_mw
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR, REFERENCE_YEAR_S, Provenance, WeatherYear
from eureka_park.foundation.site_reading import load_site

PARK = load_site("eureka-park")
PLANT = next(plant for plant in PARK.plants if plant.id == "noor-i")
PLACE = next(place for place in PARK.weather_sites if place.id == "ouarzazate")
FIELD = trough_field(PLANT)
SUN = sun_at(REFERENCE_YEAR_S + 3600 * (np.arange(HOURS_PER_YEAR) + 0.5), PLACE.latitude_deg, PLACE.longitude_deg)


def year(dni: float = 800.0, temp_c: float = 20.0, wind: float = 0.0) -> WeatherYear:
    def flat(value: float) -> np.ndarray:
        return np.full(HOURS_PER_YEAR, value)

    beam = dni * (SUN.cos_zenith > 0)
    nothing = Provenance("synthetic", "test", "CC0-1.0", "test", 1)
    return WeatherYear(
        "ouarzazate", nothing, SUN, beam, flat(0.0), beam * np.maximum(0, SUN.cos_zenith), flat(temp_c), flat(0.5),
        flat(87_000.0), flat(wind), 10.0,
    )  # fmt: skip


def test_the_loops_come_out_of_the_area() -> None:
    assert FIELD.n_loops == pytest.approx(400)
    assert FIELD.receiver_m == pytest.approx(400 * 4 * 150)


def test_optics_are_best_when_the_sun_stands_across_the_axis() -> None:
    share = optical_frac(FIELD, year())
    assert share.min() >= 0 and 0.7 < share.max() < FIELD.mirror_frac
    noon_june, noon_december = 24 * 171 + 12, 24 * 354 + 12
    assert share[noon_june] > 1.2 * share[noon_december]
    assert np.all(share[np.degrees(SUN.elevation_rad) < 0] == 0)


def test_mirrors_are_stowed_in_a_storm() -> None:
    assert optical_frac(FIELD, year(wind=26.0)).max() == 0


def test_the_first_sun_warms_the_field_and_the_evening_still_gives() -> None:
    flows = trough_flows(FIELD, year())
    day = slice(24 * 171, 24 * 172)
    lit = flows.beam_mw[day] > 0
    first = int(lit.argmax())
    assert flows.heat_mw[day][first] < 0.5 * flows.beam_mw[day][first]  # most of the first hour warms the field
    assert flows.heat_mw[day][lit].sum() < flows.beam_mw[day].sum()
    last_lit = int(np.flatnonzero(lit)[-1])
    assert flows.heat_mw[day][last_lit + 1] > 0  # what the oil still holds


def test_no_sun_gives_no_heat_and_never_cools_below_protection() -> None:
    flows = trough_flows(FIELD, year(dni=0.0, temp_c=-10.0))
    assert flows.heat_mw[24:].max() == 0
    assert flows.mean_c.min() == FIELD.freeze_c


def test_wind_and_cold_cost_heat() -> None:
    still = trough_flows(FIELD, year()).heat_mw.sum()
    assert trough_flows(FIELD, year(wind=8.0)).heat_mw.sum() < still
    assert trough_flows(FIELD, year(temp_c=-5.0)).heat_mw.sum() < still


def test_more_sun_never_gives_less_heat_in_a_year() -> None:
    sums = [trough_flows(FIELD, year(dni=dni)).heat_mw.sum() for dni in (0, 100, 200, 400, 800, 1000)]
    assert sums == sorted(sums) and sums[-1] > 0


def test_heat_never_passes_what_the_pumps_move() -> None:
    small = replace(FIELD, give_mw_max=100.0)
    assert trough_flows(small, year()).heat_mw.max() == pytest.approx(100.0)


def test_the_energy_of_the_field_adds_up_over_a_year() -> None:
    flows = trough_flows(replace(FIELD, warm_up_loss_frac=0.0), year())
    kept = FIELD.capacity_mwh_per_k * (flows.mean_c[-1] - flows.mean_c[0])
    taken = flows.beam_mw[1:].sum() * FIELD.absorptance_frac
    assert flows.heat_mw[1:].sum() + flows.loss_mw[1:].sum() + kept == pytest.approx(taken, rel=0.01)


def test_the_plant_function_is_the_field() -> None:
    assert np.array_equal(trough_heat_mw(PLANT, PLACE, year()), trough_flows(FIELD, year()).heat_mw)
