"""`park weather score`: a table and its JSON."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import Run, one_json

from eureka_park.energy.core.weather import typical_year
from eureka_park.energy.weather_file import write_weather
from eureka_park.foundation.site_reading import load_site

PLACES = {place.id: place for place in load_site("eureka-park").weather_sites}


def test_synthetic_years(run: Run) -> None:
    (table,) = one_json(run("weather", "score", "--seeds", "31", "--place", "koudia", "--json"))["tables"]
    assert table["seeds"] == [31] and table["training_seeds"] == [1, 2, 3, 4, 5] and table["label"] == "synthetic"
    rows = {(row["method"], row["lead_h"]): row for row in table["rows"] if row["series"] == "wind_m_per_s"}
    assert rows["forecast", 1]["crps"] < rows["forecast", 24]["crps"] < rows["climatology", 48]["crps"]
    assert rows["forecast", 24]["rmse"] < rows["persistence", 24]["rmse"]
    assert "Nonnenmacher" in table["forecast"]


def test_a_weather_file_as_a_table(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "k.csv"
    write_weather(path, typical_year(PLACES["koudia"], 4), PLACES["koudia"])
    result = run("weather", "score", "--weather", str(path))
    assert result.exit_code == 0
    lines = [line for line in result.stdout.splitlines() if "wind, m/s" in line and "statistical" in line]
    assert len(lines) == 7 and "%" in lines[0]
    assert "koudia: synthetic typical year, seed 4" in result.stdout and "held out" in result.stdout


def test_wrong_words(run: Run) -> None:
    assert run("weather", "score").exit_code == 2
    assert run("weather", "score", "--seeds", "1", "--weather", "x.csv").exit_code == 2
    result = run("weather", "score", "--seeds", "1", "--place", "moon")
    assert result.exit_code == 1 and "no place 'moon'" in result.stderr
