"""`park energy check-sam`: quick plants, wrong words, and a machine without PySAM."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Run, one_json

from eureka_park.cli import energy_check_sam
from eureka_park.energy.core.weather import typical_year
from eureka_park.energy.sam import runs
from eureka_park.energy.sam.check import Compared
from eureka_park.energy.weather_file import write_weather
from eureka_park.foundation.errors import Unavailable
from eureka_park.foundation.site_reading import load_site

WITH_SAM = pytest.mark.skipif(find_spec("PySAM") is None, reason="NREL-PySAM is not installed (extra: sam)")


def off(**changes: float) -> Compared:
    usual = {"heat_gwh": 100.0, "sam_heat_gwh": 100.0, "net_gwh": 40.0, "sam_net_gwh": 40.0, "correlation": 0.999}
    return Compared("noor-i", "csp-trough", "ouarzazate", "synthetic", **{**usual, **changes})


def test_bars() -> None:
    assert off().faults == ()
    assert off(heat_gwh=94.9).faults == ("heat",)
    assert off(net_gwh=42.1, correlation=0.97).faults == ("net", "correlation")
    assert off(correlation=float("nan")).faults == ("correlation",)
    assert off(sam_net_gwh=0.0).faults == ("net",)
    assert Compared("koudia", "wind", "koudia", "", None, None, 104.0, 100.0, 0.9).faults == ("net",)


@WITH_SAM
def test_quick_plants_are_within_the_bars(run: Run) -> None:
    told = one_json(run("energy", "check-sam", "--plant", "noor-iv", "--plant", "koudia", "--json"))
    assert [row["plant"] for row in told["plants"]] == ["noor-iv", "koudia"] and told["is_within"]
    assert told["sam"].startswith("NREL-PySAM") and told["plants"][0]["heat_ratio"] is None


@WITH_SAM
def test_a_weather_file_moves_the_solar_plants(run: Run, tmp_path: Path) -> None:
    place = load_site("eureka-park").weather_sites[0]
    file = tmp_path / "elsewhere.csv"
    write_weather(file, typical_year(place, 3), place.model_copy(update={"id": "elsewhere"}))
    page = run("energy", "check-sam", "--plant", "noor-iv", "--weather", str(file)).stdout
    assert "noor-iv" in page and "within" in page and "synthetic" in page


def test_what_is_off_ends_with_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "sam_version", lambda: "NREL-PySAM 0")
    monkeypatch.setattr("eureka_park.energy.sam.check.check_plant", lambda *_: off(net_gwh=50.0))
    found = run("energy", "check-sam", "--plant", "noor-i")
    assert found.exit_code == 1 and "off: electricity" in found.stdout and "1.250" in found.stdout


def test_the_parks_dispatch_tells_what_was_planned(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []
    monkeypatch.setattr(runs, "sam_version", lambda: "NREL-PySAM 0")
    monkeypatch.setattr("eureka_park.energy.sam.check.plan_of_park", lambda site, seed, load_mw: loads.append(load_mw))
    monkeypatch.setattr("eureka_park.energy.sam.check.check_plant", lambda *_: off(planned_gwh=41.5))
    page = run("energy", "check-sam", "--plant", "noor-i", "--dispatch", "park").stdout
    assert "planned, GWh" in page and "41.5" in page and "counts on" in page
    told = one_json(run("energy", "check-sam", "--plant", "noor-i", "--dispatch", "park", "--load-mw", "200", "--json"))
    assert told["dispatch"] == "park" and told["plants"][0]["planned_gwh"] == 41.5
    assert loads == [386.0, 200.0]


@pytest.mark.parametrize("words", [("--dispatch", "park", "--weather", "{file}"), ("--load-mw", "200")])
def test_options_that_do_not_go_together(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(runs, "sam_version", lambda: "NREL-PySAM 0")
    place = load_site("eureka-park").weather_sites[0]
    file = tmp_path / "elsewhere.csv"
    write_weather(file, typical_year(place, 3), place)
    found = run("energy", "check-sam", "--plant", "noor-i", *(word.format(file=file) for word in words))
    assert found.exit_code == 1 and "--dispatch park" in found.stderr


def test_an_unknown_plant_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "sam_version", lambda: "NREL-PySAM 0")
    found = run("energy", "check-sam", "--plant", "noor-v")
    assert found.exit_code == 1 and "noor-v" in found.stderr and "noor-iii" in found.stderr


def test_without_pysam_one_line_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(runs.importlib, "import_module", missing)
    with pytest.raises(Unavailable) as caught:
        runs.sam_version()
    assert caught.value.fix == "Install it: pip install 'eureka-park[sam]'"
    assert energy_check_sam.check_sam.name == "check-sam"
