"""`park energy` without a park: options read, plans made, errors in one line."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click
import pytest
from tests.unit.cli.conftest import Run, one_json

from eureka_park.cli.energy_options import FACT_WORDS, NOTES, POWER, SEEDS, SHARE, ranges_text, weather_files
from eureka_park.cli.output import clean
from eureka_park.energy import studies
from eureka_park.energy.core.weather import typical_year
from eureka_park.energy.weather_file import write_weather
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.plant_data import Label
from eureka_park.foundation.site_reading import load_site


def test_seeds_are_read() -> None:
    assert SEEDS.convert("1", None, None) == (1,)
    assert SEEDS.convert("1-4", None, None) == (1, 2, 3, 4)
    assert SEEDS.convert("9, 2-3,2", None, None) == (9, 2, 3)


@pytest.mark.parametrize("text", ["", "x", "3-1", "1-101", "1,,2", "-1", "1.5", "1-99,200-300"])
def test_what_names_no_seeds_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="names no seeds"):
        SEEDS.convert(text, None, None)


@pytest.mark.parametrize("text", ["nan", "-1", "inf", "1e7", "x", ""])
def test_powers_and_shares_are_numbers(text: str) -> None:
    with pytest.raises(click.BadParameter, match="no power"):
        POWER.convert(text, None, None)
    with pytest.raises(click.BadParameter, match="no share"):
        SHARE.convert(text, None, None)


def test_notes_have_the_words_of_the_studies() -> None:
    assert studies.FORESIGHT in NOTES
    assert set(get_args(Label)) == set(FACT_WORDS)


def test_french_spaces_stay_and_what_steers_a_terminal_goes() -> None:
    assert clean("à 99\N{NO-BREAK SPACE}%, 3\N{NARROW NO-BREAK SPACE}381") == (
        "à 99\N{NO-BREAK SPACE}%, 3\N{NARROW NO-BREAK SPACE}381"
    )
    assert clean("a\x1b[2J\u202eb") == "a\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}b"


def test_a_plan_needs_no_park(run: Run) -> None:
    words = ("energy", "plan", "--at", "2026-06-21T05:00:00Z", "--load-mw", "200")
    page = run(*words).stdout.splitlines()
    assert page[0].startswith("noor-i ") and any(line.startswith("load") for line in page)
    assert any(line.startswith("weather: synthetic") for line in page)
    view = one_json(run(*words, "--json"))
    assert view["site"] == "eureka-park" and max(view["load_mw"]) == 200 and len(view["load_mw"]) == 48
    assert view["start_s"] == 1782018000


def test_a_plant_left_out_gives_nothing(run: Run) -> None:
    view = one_json(run("energy", "plan", "--without", "koudia", "--at", "2026-06-21T05:00:00Z", "--json"))
    assert max(view["by_source_mw"]["koudia"]) == 0 and max(view["by_source_mw"]["noor-ii"]) > 0


def test_a_plan_of_a_scenario_and_of_weather_files(run: Run, tmp_path: Path) -> None:
    words = ("energy", "plan", "--at", "2026-06-21T05:00:00Z", "--json")
    out = one_json(run(*words, "--scenario", "noor-iii-out"))
    assert max(out["available_by_source_mw"]["noor-iii"]) == 0 < max(out["available_by_source_mw"]["noor-ii"])
    site = load_site("eureka-park")
    files = []
    for place in site.weather_sites:
        write_weather(tmp_path / f"{place.id}.csv", typical_year(place, 2), place)
        files += ["--weather", f"{place.id}={tmp_path / place.id}.csv"]
    from_files, from_seed = (one_json(run(*words, "--seeds", "2", *more)) for more in (files, []))
    assert from_files["clean_available_mw_p50"] == pytest.approx(from_seed["clean_available_mw_p50"], abs=3.0)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--site", "nowhere"], "There is no site 'nowhere'."),
        (["--without", "noor-v"], "There is no plant 'noor-v'. Plants: noor-i,"),
        (["--seeds", "1-3"], "A plan is made of one seed."),
        (["--at", "yesterday"], "neither a time of day nor an instant"),
        (["--weather", "gone.csv"], "does not say for which place"),
        (["--weather", "koudia=gone.csv"], "There is no weather file 'gone.csv'."),
    ],
)
def test_wrong_words_are_one_line(run: Run, words: list[str], says: str) -> None:
    found = run("energy", "plan", *words)
    assert says in found.stderr and found.exit_code in (1, 2)
    assert len(found.stderr.strip().splitlines()) == 1 and found.stdout == ""


def test_weather_of_every_place_is_asked_for(tmp_path: Path) -> None:
    site = load_site("eureka-park")
    file = tmp_path / "a.csv"
    file.touch()
    both = weather_files(site, (f"koudia={file}", f"ouarzazate={file}"))
    assert both == {"koudia": file, "ouarzazate": file}
    with pytest.raises(BadInput, match="No weather is given for ouarzazate"):
        weather_files(site, (f"koudia={file}",))
    assert weather_files(site, ()) == {}


def test_a_group_names_itself_in_errors(run: Run) -> None:
    assert run("energy", "nonsense").stderr == "park: there is no command 'nonsense'. See: park energy --help\n"
    assert "Did you mean 'plan'" in run("energy", "plann").stderr


def test_a_year_for_people(run: Run, tmp_path: Path) -> None:
    found = run("energy", "year", "--load-mw", "386", "--hourly", str(tmp_path / "hours.csv"))
    page = found.stdout
    assert page.startswith("eureka-park: 386 MW, scenario all-plants; synthetic weather, seeds 1; flexible share 0\n")
    assert "clean, matched hour by hour" in page and "already sold" in page and "known in advance" in page
    assert "hours.csv is written" in found.stderr
    lines = (tmp_path / "hours.csv").read_text().splitlines()
    assert len([line for line in lines if not line.startswith("#")]) == 8761
    assert "# scenario: all-plants" in lines and any("synthetic" in line for line in lines)


def test_a_year_for_programs(run: Run) -> None:
    view = one_json(run("energy", "year", "--load-mw", "200", "--flex-frac", "0.2", "--seeds", "1-2", "--json"))
    for name in (
        "cfe_frac", "volume_frac", "import_gwh", "export_gwh", "curtailed_gwh", "unserved_gwh",
        "hours_fully_clean_frac", "gco2_per_kwh", "mad_per_kwh", "water_m3",
    ):  # fmt: skip
        assert view[f"{name}_p10"] <= view[name] <= view[f"{name}_p90"]
    assert view["flex_frac"] == 0.2 and view["seeds"] == [1, 2] and view["scenario"] == "all-plants"
    assert len(view["by_month"]) == 12 and len(view["by_hour"]) == 24
    assert sum(view["gwh_by_source"].values()) + view["unserved_gwh"] == pytest.approx(view["load_gwh"], rel=1e-3)


def test_the_largest_load(run: Run) -> None:
    words = ("energy", "max-load", "--cfe", "0.9", "--scenario", "noor-iii-out")
    page = run(*words).stdout
    assert "clean share" in page and " MW" in page and "scenario noor-iii-out" in page
    view = one_json(run("energy", "max-load", "--cfe", "0.9", "--json"))
    assert 0 < view["load_mw"] < 386 and view["cfe_frac"] >= 0.9 - 1e-6 and view["asked_cfe_frac"] == 0.9


def test_a_load_of_a_file(run: Run, tmp_path: Path) -> None:
    week = tmp_path / "week.csv"
    week.write_text("\n".join(["100,100,100,100,100,50,50"] * 24))
    view = one_json(run("energy", "year", "--load-profile", str(week), "--json"))
    assert view["load"] == "week.csv" and 80 < view["load_mw"] < 90


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--load-mw", "1", "--load-profile", "x.csv"], "Both --load-mw and --load-profile are given."),
        (["--load-profile", "none.csv"], "There is no file 'none.csv'."),
        (["--hourly", "hours.txt"], "does not say its kind"),
        (["--load-mw", "-3"], "no power in MW"),
        (["--flex-frac", "2"], "no share"),
        (["--scenario", "never"], "There is no scenario 'never'."),
    ],
)
def test_wrong_years_are_one_line(run: Run, words: list[str], says: str) -> None:
    found = run("energy", "year", *words)
    last = found.stderr.strip().splitlines()[-1]
    assert says in last and last.startswith("park: ") and found.exit_code in (1, 2) and found.stdout == ""


def test_seeds_are_told_as_they_are_typed() -> None:
    assert ranges_text([1, 2, 3, 7]) == "1-3,7" and ranges_text([]) == ""
