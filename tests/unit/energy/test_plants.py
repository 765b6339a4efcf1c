"""Plants over a year: calibration kept beside the raw figure, limits, what a plant without a published year gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eureka_park.energy.core.outages import cleanness, usual_availability_frac
from eureka_park.energy.core.plants import calibration_factor, limit_mw, plant_year
from eureka_park.energy.core.supply import supply_from, supply_of
from eureka_park.energy.core.weather import typical_year, typical_years
from eureka_park.foundation.site_reading import load_site

PARK = load_site("eureka-park")
PLACES = {place.id: place for place in PARK.weather_sites}
PLANTS = {plant.id: plant for plant in PARK.plants}


@pytest.mark.parametrize("seed", [1, 2])
def test_calibrated_plants_give_the_published_year_and_keep_the_raw_figure(seed: int) -> None:
    supply = supply_of(PARK, seed)
    for name, year in supply.years.items():
        per_mwh = year.plant.eta_frac or 1.0
        assert year.series_mw.sum() * per_mwh / 1000 == pytest.approx(year.plant.year_gwh_published, rel=1e-9), name
        assert year.calibrated_gwh == year.plant.year_gwh_published
        assert year.year_gwh == pytest.approx(year.calibrated_gwh)
        assert 0.6 < year.calibration_factor < 1.05  # SAM needs 0.63 to 0.87 for the sun plants
        assert f"{name} {year.calibration_factor:.3f} (model {year.raw_gwh:.3g}" in supply.calibration_text
        assert year.series_mw.min() >= 0
        assert year.series_mw.max() <= limit_mw(year.plant)


def test_a_dull_measured_year_gives_less_than_the_published_one() -> None:
    typical = typical_years(PARK.weather_sites, 1)
    sunny = typical["ouarzazate"]
    dull = replace(
        sunny,
        provenance=replace(sunny.provenance, label="measured", seed=None),
        dni_w_per_m2=0.8 * sunny.dni_w_per_m2,
    )
    told, usual = supply_from(PARK, {**typical, "ouarzazate": dull}), supply_of(PARK, 1)
    for name in ("noor-i", "noor-ii", "noor-iii", "noor-iv"):
        year = told.years[name]
        assert year.calibration_factor == usual.years[name].calibration_factor
        assert year.raw_gwh < usual.years[name].raw_gwh
        assert year.calibrated_gwh < 0.95 * float(year.plant.year_gwh_published or 0.0)
        assert year.year_gwh == pytest.approx(year.calibrated_gwh)
    assert told.years["koudia"].calibrated_gwh == PLANTS["koudia"].year_gwh_published
    assert "noor-i 0." in told.calibration_text and "GWh/year in typical weather)" in told.calibration_text


def test_a_plant_without_a_published_year_is_the_model_less_its_usual_outages() -> None:
    plant = PLANTS["noor-iv"].model_copy(update={"year_gwh_published": None})
    place = PLACES["ouarzazate"]
    year = plant_year(plant, place, typical_year(place, 1))
    assert year.calibration_factor == 1.0 and 180 < year.raw_gwh < 200  # SAM: 189 GWh
    assert year.year_gwh == pytest.approx(year.raw_gwh * usual_availability_frac(plant))
    assert "usual availability 0.970" in year.availability_text


def test_a_published_year_above_the_model_never_passes_the_rating() -> None:
    raw = np.concatenate([np.linspace(0.0, 60.0, 4380), np.linspace(60.0, 0.0, 4380)])
    plant = PLANTS["noor-iv"].model_copy(update={"year_gwh_published": 400.0})
    factor = calibration_factor(plant, raw)
    given = np.minimum(raw * factor, plant.gross_mw)
    assert given.sum() / 1000 == pytest.approx(400.0, rel=1e-9) and given.max() == plant.gross_mw
    too_much = plant.model_copy(update={"year_gwh_published": 700.0})  # 72 MW in all hours give 631 GWh
    assert np.minimum(raw * calibration_factor(too_much, raw), 72.0).max() == 72.0


def test_a_battery_makes_nothing() -> None:
    plant = PLANTS["noor-iv"].model_copy(update={"type": "battery", "year_gwh_published": None})
    year = plant_year(plant, PLACES["ouarzazate"], typical_year(PLACES["ouarzazate"], 1))
    assert year.is_battery and year.raw_gwh == year.year_gwh == 0.0


def test_dust_lies_and_is_washed_off_around_a_mean_of_one() -> None:
    mirrors = cleanness(PLANTS["noor-i"])
    assert mirrors.mean() == pytest.approx(1.0)
    assert 0.97 < mirrors.min() < 0.99 < 1.0 < mirrors.max() < 1.03
    assert np.diff(mirrors).max() > 0.02  # a wash
    assert np.all(cleanness(PLANTS["koudia"]) == 1.0)
