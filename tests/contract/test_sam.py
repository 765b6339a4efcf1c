"""PySAM itself, where it is installed: the quick models run with our inputs, in hours of the UTC year."""

from __future__ import annotations

import numpy as np
import pytest
from tests.helpers.sam_reference import PLACES, PLANTS, POWER, reference

from eureka_park.energy.sam.check import check_plant
from eureka_park.energy.sam.csp_inputs import target_inputs, tower_inputs, trough_inputs
from eureka_park.energy.sam.runs import MODULES, sam_electricity_mw, sam_version
from eureka_park.energy.sam.weather import solar_resource

pysam = pytest.importorskip("PySAM.PySSC", reason="NREL-PySAM is not installed (extra: sam)")


def test_the_version_is_said() -> None:
    assert sam_version().startswith("NREL-PySAM ")


@pytest.mark.parametrize(("name", "place"), [("noor-iv", "ouarzazate"), ("koudia", "koudia")])
def test_pv_and_wind_of_today_are_those_kept(name: str, place: str) -> None:
    known = reference(place)
    found = sam_electricity_mw(PLANTS[name], PLACES[place], known.year())
    assert np.abs(found - known.series(f"{name}_power", POWER)).mean() < 0.05


@pytest.mark.parametrize(("name", "place"), [("noor-iv", "ouarzazate"), ("koudia", "koudia")])
def test_the_check_finds_them_within_the_bars(name: str, place: str) -> None:
    told: list[str] = []
    found = check_plant(PLANTS[name], PLACES[place], reference(place).year(), told.append)
    assert found.faults == () and told == ["ours", "sam"]


def test_hours_are_those_of_utc_wherever_the_place_is() -> None:
    year = reference("ouarzazate").year()
    plant = PLANTS["noor-iv"]
    east = PLACES["ouarzazate"].model_copy(update={"longitude_deg": 113.131})  # 8 h to the east of the same latitude
    moved = np.roll(sam_electricity_mw(plant, PLACES["ouarzazate"], year), 0)
    assert solar_resource(east, year)["tz"] == 8.0
    assert int(np.argmax(moved[24 * 171 : 24 * 172])) in range(10, 15)


@pytest.mark.parametrize("name", ["noor-i", "noor-ii", "noor-iii"])
def test_sam_knows_every_input_of_a_csp_plant(name: str) -> None:
    plant = PLANTS[name]
    module, configuration = MODULES[plant.type]
    model = pytest.importorskip(module).default(configuration)
    inputs = trough_inputs(plant) if plant.type == "csp-trough" else tower_inputs(plant)
    for key, value in (inputs | target_inputs(plant, np.zeros(8760))).items():
        model.value(key, value)  # raises where SAM has no such input, or one of another form
    assert model.value("P_ref") == plant.gross_mw
