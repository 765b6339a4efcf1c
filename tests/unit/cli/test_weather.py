"""`park weather make-typical` and `describe`: files made, told and drawn."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.cli.conftest import Run, one_json

from eureka_park.cli.weather_faults import SAID_BY_THE_CHECKS
from eureka_park.energy.core.weather import typical_years
from eureka_park.energy.core.weather_checks import FAULTS
from eureka_park.energy.weather_file import read_weather, write_weather
from eureka_park.foundation.site_reading import load_site


def test_years_are_made_and_read_again(run: Run) -> None:
    made = one_json(run("weather", "make-typical", "--seeds", "3-4", "--out", "years", "--json"))["items"]
    assert [(one["place"], one["seed"]) for one in made] == [
        ("ouarzazate", 3), ("koudia", 3), ("ouarzazate", 4), ("koudia", 4),
    ]  # fmt: skip
    assert made[0]["dni_kwh_per_m2"] == 2508.0 and made[1]["wind_m_per_s_mean"] == 9.5
    assert all(one["label"] == "synthetic" for one in made)
    there = read_weather(made[2]["path"])
    here = typical_years(load_site("eureka-park").weather_sites, 4)["ouarzazate"]
    assert there.dni_w_per_m2 == pytest.approx(here.dni_w_per_m2, abs=1e-5)
    assert there.provenance.seed == 4 and there.provenance.content_id == here.provenance.content_id


def test_a_seed_makes_the_same_file_again(run: Run) -> None:
    for folder in ("one", "two"):
        run("weather", "make-typical", "--seed", "7", "--place", "koudia", "--out", folder)
    assert Path("one/koudia-7.park.csv").read_bytes() == Path("two/koudia-7.park.csv").read_bytes()
    assert not Path("one/ouarzazate-7.park.csv").exists()


def test_the_page_names_what_is_written(run: Run) -> None:
    lines = run("weather", "make-typical", "--out", "years").stdout.splitlines()
    assert lines[0] == "years/ouarzazate-1.park.csv is written: DNI 2,508 kWh/m2, GHI 2,123 kWh/m2, air 19.0 degC."
    assert lines[1] == "years/koudia-1.park.csv is written: wind 9.5 m/s, air 17.0 degC."
    assert lines[2].startswith("These years are synthetic.")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--seed", "1", "--seeds", "2-3"], "--seed and --seeds are given."),
        (["--place", "rabat"], "There is no place 'rabat'."),
        (["--site", "nowhere"], "There is no site 'nowhere'."),
        (["--seeds", "x"], "names no seeds"),
    ],
)
def test_a_wrong_wish_is_one_line(run: Run, words: list[str], says: str) -> None:
    result = run("weather", "make-typical", *words)
    assert result.exit_code != 0 and says in result.stderr and "Traceback" not in result.stderr


def test_a_file_is_described_with_months_and_a_strip(run: Run) -> None:
    run("weather", "make-typical", "--seed", "2", "--out", "years")
    page = run("weather", "describe", "years/ouarzazate-2.park.csv", "--out", "plot.svg").stdout
    assert page.startswith("ouarzazate: synthetic typical year, seed 2; CC0-1.0\nSun: DNI 2,508, GHI 2,126, DHI ")
    lines = page.splitlines()
    assert sum(line.lstrip()[:2].strip().isdigit() and "█" in line for line in lines) >= 12
    assert any(line.startswith("12:00 ") and ("█" in line or "▓" in line) for line in lines)
    assert all(not set(line[6:]) & set("░▒▓█") for line in lines if line.startswith(("00:00", "22:00")))
    assert "No gaps, and nothing looks wrong." in page and Path("plot.svg").read_text("utf-8").startswith("<svg")
    wind = run("weather", "describe", "years/koudia-2.park.csv").stdout
    assert "Sun: none." in wind and "Weibull k 1.90" in wind and "wind speed, m/s" in wind


def test_what_is_wrong_is_said_and_counted(run: Run) -> None:
    place = load_site("eureka-park").weather_sites[0]
    year = typical_years((place,), 1)["ouarzazate"]
    year.temp_c[:] += 273.15
    year.ghi_w_per_m2[:] *= 0.7
    write_weather("odd.park.csv", year, place)
    found = one_json(run("weather", "describe", "odd.park.csv", "--json"))
    assert {fault["code"] for fault in found["faults"]} == {"unit", "closure"}
    assert found["closure_outside_frac"] > 0.9 and found["label"] == "synthetic"
    page = run("weather", "describe", "odd.park.csv").stdout
    assert "wrong: temp_c: values look like kelvin (mean 292.1)." in page and "look: GHI differs" in page


def test_describing_speaks_french(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("weather", "make-typical", "--seed", "1", "--place", "koudia", "--out", ".")
    monkeypatch.setenv("PARK_LANG", "fr")
    page = run("weather", "describe", "koudia-1.park.csv").stdout
    assert "Soleil : aucun." in page and "Weibull" in page and "Aucune lacune" in page


def test_every_sentence_of_the_checks_can_be_translated() -> None:
    assert set(SAID_BY_THE_CHECKS) == set(FAULTS.values())


def test_a_file_that_is_no_weather_file_is_refused(run: Run) -> None:
    Path("plan.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    result = run("weather", "describe", "plan.csv")
    assert result.exit_code == 1 and "is not a park weather file" in result.stderr
