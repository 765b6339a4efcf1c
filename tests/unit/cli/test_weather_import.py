"""`park weather import`: the whole way from a file to a year that every command reads."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.helpers import weather_forms as forms
from tests.unit.cli.conftest import Run, one_json

from eureka_park.energy.weather_file import read_weather

ROWS = list(forms.sky(datetime(2021, 1, 1, tzinfo=UTC), 8760))
PLAIN = (
    "--time-column",
    "When",
    "--column",
    "ghi_w_per_m2=GHI",
    "--column",
    "dhi_w_per_m2=DHI",
    "--column",
    "temp_c=T [K]:K",
)
AT = ("--place", "test", "--latitude", "34.5", "--longitude", "-5")


@pytest.fixture
def epw() -> Path:
    path = Path("test.epw")
    path.write_text(forms.epw(ROWS))
    return path


def test_a_file_of_a_known_form_needs_no_words(epw: Path, run: Run) -> None:
    told = one_json(run("weather", "import", str(epw), "--place", "somewhere", "--accept", "--json"))
    assert told["path"] == "test-somewhere.park.csv" and told["format"] == "epw" and told["n_rows"] == 8760
    year = read_weather(told["path"])
    assert year.weather_site == "somewhere" and year.wind_height_m == 10
    assert told["content_id"] == year.provenance.content_id and len(told["content_id"]) == 64
    assert told["origin"] == year.provenance.origin and "from test.epw" in told["origin"]
    assert told["dni_kwh_per_m2"] == pytest.approx(sum(row[2] for row in ROWS) / 1000, abs=0.1)
    assert run("weather", "import", told["path"], "--place", "x").exit_code == 1


def test_people_are_told_what_it_is_and_how_it_is_used(epw: Path, run: Run) -> None:
    words = ("--out", "k.csv", "--licence", "CC BY 4.0", "--label", "measured", "--origin", "our mast", "--accept")
    result = run("weather", "import", str(epw), "--place", "koudia", *words)
    assert result.exit_code == 0
    assert "k.csv is written: measured, our mast" in result.stdout and "--weather koudia=k.csv" in result.stdout
    assert "Look at this: The weather's place lies 152 km from where the site has koudia." in result.stderr
    assert read_weather("k.csv").provenance.licence == "CC BY 4.0"


def test_a_plain_csv_by_its_mapping(run: Run) -> None:
    Path("log.csv").write_text(forms.plain(ROWS))
    words = ("weather", "import", "log.csv", *AT, *PLAIN, "--wind-height", "40", "--accept", "--json")
    told = one_json(run(*words))
    year = read_weather(told["path"])
    assert year.temp_c[12] == pytest.approx(ROWS[12][4]) and "no DNI in the file" in told["origin"]
    assert year.wind_height_m == 40


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("log.csv", "--place", "test", *PLAIN), "Nothing says where 'test' is."),
        (("none.csv", *AT), "There is no file 'none.csv'."),
        (("log.csv", *AT), "log.csv: The file has none of the forms"),
        (("log.csv", *AT, *PLAIN[:2], "--column", "ghi=GHI"), "'ghi=GHI' is not COLUMN=NAME"),
        (("log.csv", *AT, *PLAIN, "--timezone", "Mars"), "'Mars' is no time zone."),
        (("log.csv", *AT, *PLAIN, "--format", "epw"), "log.csv: Line 1 of an EPW file must begin with LOCATION"),
        (("log.csv", *AT, *PLAIN, "--year", "2011", "--accept"), "The file has no rows of 2011."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line_and_writes_nothing(words: tuple[str, ...], text: str, run: Run) -> None:
    Path("log.csv").write_text(forms.plain(ROWS))
    result = run("weather", "import", *words)
    assert result.exit_code == 1 and result.stderr.count("\n") == 1 and text in result.stderr
    assert sorted(path.name for path in Path().iterdir()) == ["log.csv"]


def test_a_gap_is_told_and_filled_on_request(run: Run) -> None:
    Path("log.csv").write_text(forms.plain([*ROWS[:5000], *ROWS[5030:]]))
    words = ("weather", "import", "log.csv", *AT, *PLAIN, "--accept")
    result = run(*words)
    assert result.exit_code == 1 and "30 are missing: 28 Jul 08:00 to 29 Jul 13:00 UTC (30 h)" in result.stderr
    assert "--fill" in result.stderr
    told = one_json(run(*words, "--fill", "--json"))
    assert told["filled_hours"] == {"ghi_w_per_m2": 30, "dhi_w_per_m2": 30, "temp_c": 30} and told["n_filled"] == 90
    assert run(*words, "--fill", "--fill-max-h", "20").exit_code == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--place", "../../x"), "'../../x' is no id of a place."),
        (("--place", "x", "--latitude", "nan"), "'nan' is no number."),
        (("--place", "x", "--altitude", "inf"), "altitude_m = inf is outside -500 to 9000."),
        (("--place", "x", "--wind-height", "nan"), "'nan' is no number."),
    ],
)
def test_places_that_are_none_are_refused(epw: Path, run: Run, words: tuple[str, ...], says: str) -> None:
    result = run("weather", "import", str(epw), "--accept", *words)
    assert result.exit_code in (1, 2) and says in result.stderr and "Traceback" not in result.stderr
    assert [path.name for path in Path().iterdir() if path.is_file()] == ["test.epw"]


def test_words_of_strangers_reach_no_terminal_as_orders(epw: Path, run: Run) -> None:
    words = ("--out", "k.csv", "--origin", "a\x1b[31m\n# label: [/b] forecast", "--accept")
    result = run("weather", "import", str(epw), "--place", "koudia", *words)
    assert result.exit_code == 0 and "\x1b" not in result.output and "\x1b" not in Path("k.csv").read_text()
    assert read_weather("k.csv").provenance.label == "measured"
    assert run("weather", "score", "--weather", "k.csv").exit_code == 0
