"""Plants for any weather and size: never negative, never above the rating, more wind or availability never less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eureka_park.energy.core.outages import markov_availability, planned_outage
from eureka_park.energy.core.plants import limit_mw, plant_year
from eureka_park.energy.core.pv import inverter_mw, pv_mw
from eureka_park.energy.core.scenarios import SCENARIOS, availability_of
from eureka_park.energy.core.weather import typical_year
from eureka_park.energy.core.wind import curve_pu, wind_mw
from eureka_park.foundation.plant_filling import filled_plant
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_file import Plant
from eureka_park.foundation.site_reading import load_site

PARK = load_site("eureka-park")
PLANTS = {plant.id: plant for plant in PARK.plants}
PLACES = {place.id: place for place in PARK.weather_sites}
YEARS = {name: typical_year(place, 1) for name, place in PLACES.items()}
FEW = settings(max_examples=15, deadline=None)


def sky(draw_seed: int, wind_max: float = 40.0):
    """A year with nothing of a real year but its sun."""
    draw = np.random.default_rng(draw_seed)
    base = YEARS["ouarzazate"]
    lit = base.sun.cos_zenith > 0
    dni = np.where(lit, draw.uniform(0, 1100, 8760), 0.0)
    dhi = np.where(lit, draw.uniform(0, 500, 8760), 0.0)
    return replace(
        base,
        dni_w_per_m2=dni,
        dhi_w_per_m2=dhi,
        ghi_w_per_m2=dhi + dni * np.maximum(0.0, base.sun.cos_zenith),
        temp_c=draw.uniform(-25, 50, 8760),
        humidity_frac=draw.uniform(0, 1, 8760),
        pressure_pa=draw.uniform(70_000, 105_000, 8760),
        wind_m_per_s=draw.uniform(0, wind_max, 8760),
    )


@FEW
@given(st.integers(0, 10_000), st.sampled_from(sorted(PLANTS)), st.sampled_from(SCENARIOS), st.integers(1, 99))
def test_output_is_finite_never_negative_and_within_the_plant(seed: int, name: str, scenario, outages: int) -> None:
    plant = PLANTS[name]
    year = plant_year(plant, PLACES[plant.weather_site], sky(seed), scenario, outages)
    assert bool(np.all(np.isfinite(year.series_mw))) and year.series_mw.min() >= 0
    assert year.series_mw.max() <= limit_mw(plant) * (1 + 1e-12)


@FEW
@given(st.integers(0, 10_000), st.floats(1.0, 2.5), st.sampled_from(["one-axis", "fixed"]), st.floats(-60, 60))
def test_panels_never_pass_their_inverters_and_give_nothing_at_night(
    seed: int, ratio: float, tracking: str, latitude_deg: float
) -> None:
    plant = PLANTS["noor-iv"].model_copy(update={"dc_ac_ratio": ratio, "tracking": tracking})
    year = sky(seed)
    place = PLACES["ouarzazate"].model_copy(update={"latitude_deg": latitude_deg})
    given_mw = pv_mw(plant, place, year)
    assert given_mw.min() >= 0 and given_mw.max() <= plant.gross_mw
    assert np.all(given_mw[year.sun.cos_zenith <= 0] == 0)


@given(st.lists(st.floats(0, 200), min_size=2, max_size=20))
def test_more_direct_current_never_gives_less(direct: list[float]) -> None:
    assert np.all(np.diff(inverter_mw(PLANTS["noor-iv"], np.sort(direct))) >= -1e-9)


@given(st.lists(st.floats(0, 25), min_size=2, max_size=40), st.floats(60, 200), st.integers(1, 60))
def test_more_wind_never_gives_less_up_to_the_stop(speeds: list[float], rotor_m: float, machines: int) -> None:
    plant = PLANTS["koudia"].model_copy(update={"rotor_m": rotor_m, "n_turbines": machines})
    curve = curve_pu(plant, np.sort(speeds))
    assert np.all(np.diff(curve) >= 0) and curve.min() >= 0 and curve.max() <= 1


@FEW
@given(st.floats(0, 0.5), st.floats(0, 0.5))
def test_denser_air_never_gives_less(thin: float, dense: float) -> None:
    low, high = sorted((thin, dense))
    plant, place, year = PLANTS["koudia"], PLACES["koudia"], YEARS["koudia"]
    given_mw = [wind_mw(plant, place, replace(year, pressure_pa=year.pressure_pa * (0.7 + x))) for x in (low, high)]
    assert np.all(given_mw[1] >= given_mw[0] - 1e-9)


@FEW
@given(st.floats(0, 0.3), st.floats(0, 0.3), st.sampled_from(sorted(PLANTS)), st.integers(1, 50))
def test_more_availability_never_gives_less_energy(a: float, b: float, name: str, seed: int) -> None:
    plant = PLANTS[name].model_copy(update={"year_gwh_published": None})
    worse, better = (
        plant.model_copy(update={"parameters": {"forced_outage_frac": lost}}) for lost in sorted((a, b), reverse=True)
    )
    series = np.ones(8760)
    left = [availability_of(item, SCENARIOS[0], series, SeedTree(seed)).factor for item in (worse, better)]
    assert np.all(left[1] >= left[0])


@FEW
@example(1, 5e-324, 1.0, 0, 0.0)
@given(st.integers(1, 30), st.floats(0, 1), st.floats(1, 400), st.integers(0, 99), st.floats(0, 200))
def test_availability_is_a_share(units: int, down: float, down_h: float, seed: int, service_h: float) -> None:
    running = markov_availability(units, down, down_h, SeedTree(seed))
    service = planned_outage(running, units, service_h)
    for series in (running, service):
        assert series.shape == (8760,) and series.min() >= 0 and series.max() <= 1
    assert service.sum() == pytest.approx(min(service_h, 8760 / units), abs=1.0)


@FEW
@given(st.floats(50, 250), st.sampled_from(sorted(PLANTS)))
def test_the_published_year_is_given_exactly(gwh: float, name: str) -> None:
    plant = PLANTS[name].model_copy(update={"year_gwh_published": gwh})
    year = plant_year(plant, PLACES[plant.weather_site], YEARS[plant.weather_site])
    assert year.year_gwh == pytest.approx(gwh, rel=1e-9)


@given(
    st.sampled_from(["csp-trough", "csp-tower", "pv", "wind", "battery"]),
    st.floats(0.001, 5000),
    st.one_of(st.none(), st.floats(0, 24)),
)
def test_any_type_and_size_is_a_plant(plant_type: str, gross_mw: float, tes_h: float | None) -> None:
    block = {"id": "p", "type": plant_type, "gross_mw": gross_mw, "weather_site": "here"}
    if tes_h is not None and plant_type.startswith("csp"):
        block["tes_h"] = tes_h
    filled = filled_plant(block)
    if (
        filled.get("mirror_area_m2", 1.0) <= 50_000_000
        and filled.get("power_block_mw", 1.0) <= 2000
        and (filled.get("receiver_mw_th", 1.0) <= 5000)
    ):
        plant = Plant.model_validate(filled)
        assert plant.gross_mw == gross_mw and plant.life_cycle_gco2_per_kwh > 0
