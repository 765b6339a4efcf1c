"""Our plant models against SAM's answers that are kept in tests/golden/sam: no PySAM is needed."""

from __future__ import annotations

import numpy as np
import pytest
from tests.helpers.sam_reference import DAGGETT_FILE, HEAT, PLACES, PLANTS, POWER, Reference, reference

from eureka_park.energy.core.power_block import replay
from eureka_park.energy.core.weather_year import WeatherYear
from eureka_park.energy.sam.check import correlation, our_electricity_mw, our_heat_mw

CSP = ("noor-i", "noor-ii", "noor-iii")
WITH_FILE = pytest.mark.skipif(not DAGGETT_FILE.exists(), reason="the NSRDB year of Daggett is not at hand")
EVERYWHERE = pytest.mark.parametrize("place", ["ouarzazate", pytest.param("daggett", marks=WITH_FILE)])


@pytest.fixture(scope="module")
def kept() -> dict[str, tuple[Reference, WeatherYear]]:
    names = ["ouarzazate", "koudia", *(["daggett"] if DAGGETT_FILE.exists() else [])]
    return {name: (found := reference(name), found.year()) for name in names}


@EVERYWHERE
@pytest.mark.parametrize("name", CSP)
def test_field_heat_is_sams_hour_by_hour_and_over_the_year(kept, place: str, name: str) -> None:
    known, year = kept[place]
    ours, sam = our_heat_mw(PLANTS[name], PLACES[place], year), known.series(f"{name}_heat", HEAT)
    assert correlation(ours, sam) > 0.99
    assert ours.sum() / sam.sum() == pytest.approx(1.0, abs=0.03)


@EVERYWHERE
@pytest.mark.parametrize("name", CSP)
def test_electricity_is_sams_under_the_same_dispatch(kept, place: str, name: str) -> None:
    known, year = kept[place]
    heat = our_heat_mw(PLANTS[name], PLACES[place], year)
    ours = replay(PLANTS[name], year, heat, known.series(f"{name}_target", HEAT))
    assert ours.net_mw.sum() / 1000 == pytest.approx(known.number(f"{name}_net_gwh"), rel=0.05)
    assert ours.water_m3.sum() == pytest.approx(known.number(f"{name}_water_m3"), rel=0.15)


@EVERYWHERE
def test_pv_is_sams(kept, place: str) -> None:
    known, year = kept[place]
    ours = our_electricity_mw(PLANTS["noor-iv"], PLACES[place], year)
    sam = known.series("noor-iv_power", POWER)
    assert ours.sum() / sam.sum() == pytest.approx(1.0, abs=0.03)
    assert correlation(ours, sam) > 0.99


def test_wind_is_sams_where_no_storm_stops_the_machines(kept) -> None:
    known, year = kept["koudia"]
    ours = our_electricity_mw(PLANTS["koudia"], PLACES["koudia"], year)
    sam = known.series("koudia_power", POWER)
    assert ours.sum() / sam.sum() == pytest.approx(1.0, abs=0.03)
    calm = year.wind_m_per_s < 20.0  # ours wait after a storm until the wind has fallen; SAM's start again at once
    assert np.abs(ours - sam)[calm & (ours > 0)].mean() < 0.5


def test_the_kept_files_are_small_and_hold_no_measured_weather() -> None:
    assert "dni_w_per_m2" not in reference("daggett").arrays
    sizes = [len(array.tobytes()) for array in reference("daggett").arrays.values()]
    assert max(sizes) <= 2 * 8760
