"""`park energy size` without a park: answers, tables, errors in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.helpers.small_sizing import WINDY
from tests.unit.cli.conftest import Run, one_json

from eureka_park.cli.energy_size import TYPES, print_sizes


@pytest.fixture
def windy(tmp_path: Path) -> str:
    path = tmp_path / "windy.toml"
    path.write_text(WINDY, encoding="utf-8")
    return str(path)


def test_a_size_is_told_as_json_and_as_tables(run: Run, windy: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("energy", "size", "--site", windy, "--load-mw", "10", "--cfe", "0.5", "--life-years", "20", "--json")
    view = one_json(run(*words))
    assert view["what"] == "size" and view["site"] == "windy" and view["least"] == "additions"
    assert view["is_reached"] and view["cfe_frac"] == pytest.approx(0.5, abs=1e-3)
    assert view["life_years"] == 20 and view["seeds"] == [1]
    assert {item["type"] for item in view["additions"]} <= {"wind", "battery"}
    assert any(row["name"] == "wind.capital_usd_per_kw" and row["source"] for row in view["assumptions"])
    print_sizes(view)
    page = capsys.readouterr().out
    assert "to be built" in page and "wind, here" in page and "seed 1: clean" in page
    assert "docs/reference/costs.md" in page


def test_a_share_out_of_reach_is_an_answer_and_no_error(run: Run, windy: str) -> None:
    limits = ("--most", "wind=1", "--most", "battery=1")
    done = run("energy", "size", "--site", windy, "--load-mw", "10", "--cfe", "0.95", *limits)
    assert done.exit_code == 0, done.stderr
    assert "95 % is out of reach; the most is" in done.stdout


def one(share: float, **more: Any) -> dict[str, Any]:
    wind = {
        "type": "wind", "weather_site": "here", "power_mw": 120.0, "energy_mwh": None, "tes_h": None,
        "solar_multiple": None, "capital_musd": 168.0, "yearly_mmad": 190.0, "year_gwh": 430.0,
    }  # fmt: skip
    tower = {**wind, "type": "csp-tower", "tes_h": 12.0, "solar_multiple": 2.4}
    return {
        "cfe_target_frac": share, "is_reached": True, "cfe_most_frac": None, "cfe_frac": share,
        "additions": [wind, tower], "capital_musd": 168.0, "all_mad_per_kwh": 0.9, "gco2_per_kwh": 80.0,
        "yearly_mmad": 190.0, **more,
    }  # fmt: skip


BASIS: dict[str, Any] = {
    "site": "here", "load_mean_mw": 386.0, "scenario": "all-plants", "without": [], "seeds": [1], "flex_frac": 0.0,
    "weather": {}, "plants": {}, "existing": "e", "flexible": "f", "method": "m", "error": "r", "mad_per_usd": 10.0,
    "discount_frac": 0.064,
}  # fmt: skip


def test_many_shares_are_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    far = one(0.99, is_reached=False, cfe_most_frac=0.97)
    print_sizes({**BASIS, "sizes": [one(0.9), far]})
    page = capsys.readouterr().out
    assert "90 %" in page and "120 MW" in page and "at most 97.00 %" in page


def test_what_changes_the_answer_is_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"name": "wind +20 %", "by_type_mw": {"wind": 100.0, "battery": 5.0, "battery_mwh": 40.0}, "size": one(0.9)}
    ]
    print_sizes({**BASIS, "sizes": [one(0.9)], "sensitivities": rows})
    page = capsys.readouterr().out
    assert "wind +20 %" in page and "what changes" in page


@pytest.mark.parametrize("text", ["wind", "tide=5", "wind=-1", "wind=x", "wind=inf"])
def test_a_limit_that_limits_nothing_is_one_line(run: Run, text: str) -> None:
    done = run("energy", "size", "--most", text)
    assert f"'{text}' limits nothing. Write TYPE=MW with one of: {', '.join(TYPES)}." in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and done.exit_code == 1


@pytest.mark.parametrize("words", [["--cfe", "1.2"], ["--load-mw", "-1"], ["--least", "x"], ["--life-years", "0"]])
def test_wrong_options_are_refused_before_anything_is_computed(run: Run, words: list[str]) -> None:
    assert run("energy", "size", *words).exit_code == 2
