"""Studies: many years in processes, the same answer whatever their number, children that end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from eureka_park.energy import crew, study_child
from eureka_park.energy.core.weather import typical_year
from eureka_park.energy.studies import largest_load, run_years, spread
from eureka_park.energy.weather_file import write_weather
from eureka_park.foundation.errors import BadInput, Internal
from eureka_park.foundation.site_reading import load_site

PARK = load_site("eureka-park")
ASKING = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from eureka_park.energy.studies import largest_load
from eureka_park.foundation.site_reading import load_site
print("asking", flush=True)
largest_load(load_site("eureka-park"), [0.5, 0.6, 0.7, 0.8, 0.9, 0.99], seeds=range(1, 9), n_workers=2)
"""


@pytest.fixture(scope="module")
def two_years() -> dict[str, object]:
    return run_years(PARK, 386.0, seeds=(1, 2), n_workers=2, hourly=True)


def test_the_answer_does_not_depend_on_the_number_of_workers(two_years: dict[str, object]) -> None:
    assert run_years(PARK, 386.0, seeds=(1, 2), n_workers=1, hourly=True) == two_years
    assert json.loads(json.dumps(two_years, allow_nan=False)) == two_years


def test_an_answer_says_what_it_rests_on(two_years: dict[str, object]) -> None:
    for name in ("site", "scenario", "seeds", "flex_frac", "version", "weather", "plants", "foresight", "accounting"):
        assert two_years[name] is not None, name
    assert two_years["scenario"] == "all-plants" and two_years["flex_frac"] == 0.0 and two_years["seeds"] == [1, 2]
    weather = two_years["weather"]
    assert isinstance(weather, dict) and set(weather) == {place.id for place in PARK.weather_sites}
    for place in weather.values():
        assert place["label"] == "synthetic" and place["licence"] and len(set(place["content_ids"])) == 2
    plants = two_years["plants"]
    assert isinstance(plants, dict) and set(plants) == {plant.id for plant in PARK.plants}
    for plant in plants.values():
        assert plant["raw_gwh"] > 0 and plant["calibrated_gwh"] == pytest.approx(
            plant["raw_gwh"] * plant["calibration_factor"], rel=1e-4
        )
        assert plant["contract"] == "already sold"
    labels = {name: (plant["published_gwh_label"], plant["price_label"]) for name, plant in plants.items()}
    assert labels["noor-i"] == ("measured", "published")
    assert labels["noor-ii"] == ("announced", "published")  # planned: what it really gave was not found
    assert labels["koudia"] == ("assumption", "assumption")
    assert all(plant["published_gwh_source"] for plant in plants.values())


def test_three_accounts_are_three_numbers(two_years: dict[str, object]) -> None:
    accounts = two_years["accounting"]
    assert isinstance(accounts, dict)
    assert accounts["contracted_frac"] == 0.0 < accounts["physical_grid_frac"] < accounts["hour_matched_frac"] < 1.0
    assert accounts["physical_grid_frac"] == PARK.grid.clean_frac  # all of it is sold to the public grid
    assert accounts["hour_matched_frac"] == two_years["cfe_frac"]


def test_figures_at_the_top_have_their_spread(two_years: dict[str, object]) -> None:
    rows = two_years["by_seed"]
    assert isinstance(rows, list) and [row["seed"] for row in rows] == [1, 2]
    shares = sorted(row["cfe_frac"] for row in rows)
    low, middle, high = (two_years[f"cfe_frac{ending}"] for ending in ("_p10", "", "_p90"))
    assert middle == pytest.approx(sum(shares) / 2) and shares[0] <= low <= middle <= high <= shares[1]  # type: ignore[operator]


def test_the_hourly_table_sums_to_the_year(two_years: dict[str, object]) -> None:
    hourly = two_years["hourly"]
    assert isinstance(hourly, dict)
    rows = two_years["by_seed"]
    assert isinstance(rows, list) and {len(values) for values in hourly.values()} == {8760}
    assert hourly["time_utc"][0] == "2025-01-01T00:00:00Z" and hourly["time_local"][0] == "2025-01-01T01:00+01:00"
    for name in ("import", "export", "unserved", "load"):
        assert sum(hourly[f"{name}_mw"]) / 1000 == pytest.approx(rows[0][f"{name}_gwh"], abs=1e-2)
    ids = {*(plant.id for plant in PARK.plants), "grid"}
    sources = [name for name in hourly if name.endswith("_mw") and name.split("_")[0] in ids]
    assert {"noor-ii_salt_mw", "grid_mw", "koudia_mw"} <= set(sources)
    for hour in range(0, 8760, 97):
        assert sum(hourly[name][hour] for name in sources) == pytest.approx(386.0, abs=0.01)


def test_a_weather_file_stands_for_one_year(two_years: dict[str, Any], tmp_path: Path) -> None:
    files = {}
    for place in PARK.weather_sites:
        files[place.id] = tmp_path / f"{place.id}.csv"
        write_weather(files[place.id], typical_year(place, 1), place)
    found = run_years(PARK, 386.0, weather=files)
    assert found["n_years"] == 1 and found["seeds"] == [] and "by_seed" not in found
    assert found["cfe_frac"] == pytest.approx(two_years["by_seed"][0]["cfe_frac"], abs=2e-3)


def test_several_shares_are_answered_at_once() -> None:
    found = largest_load(PARK, [0.99, 0.75], seeds=(1,))
    assert [entry["asked_cfe_frac"] for entry in found["loads"]] == [0.99, 0.75]
    assert found["loads"][0]["load_mw"] < found["loads"][1]["load_mw"]
    one = largest_load(PARK, 0.75, seeds=(1,))
    assert one["load_mw"] == pytest.approx(found["loads"][1]["load_mw"], abs=0.5)
    assert one["load_mw_p10"] == one["load_mw"] == one["load_mw_p90"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"without": ("noor-v",)}, "There is no plant 'noor-v'"),
        ({"scenario": "all-good"}, "scenario"),
        ({"seeds": ()}, "There are no seeds"),
        ({"load_mw": [1.0, 2.0]}, "load"),
        ({"load_mw": float("nan")}, "hour 0 is nan"),
        ({"flex_frac": 2.0}, "flex_frac"),
    ],
)
def test_wrong_questions_are_bad_input(asked: dict[str, object], says: str) -> None:
    load = asked.pop("load_mw", 386.0)
    with pytest.raises((BadInput, ValueError), match=says):
        run_years(PARK, load, **asked)  # type: ignore[arg-type]


def test_a_child_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "_CHILD", (sys.executable, "-c", "pass"))
    with pytest.raises(Internal, match="ended without an answer"):
        crew.run_all([{"task": "year"}])


def test_an_unknown_task_is_an_answer() -> None:
    assert study_child.answer_to({"task": "bake"})["error"]["kind"] == "BadInput"
    with pytest.raises(BadInput, match="no task 'bake'"):
        crew.run_all([{"task": "bake"}])
    assert crew.run_all([]) == []


def test_spread_of_one_is_itself() -> None:
    found = spread([{"a": 2, "parts": {"x": 1.0}, "list": [{"month": 1, "v": 3.0}]}])
    assert found == {"a": 2.0, "a_p10": 2.0, "a_p90": 2.0, "parts": {"x": 1.0}, "list": [{"month": 1, "v": 3.0}]}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_children_end_with_who_asked(how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ASKING], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ
    ) as asker:
        assert asker.stdout is not None and asker.stdout.readline() == "asking\n"
        children = _children_of(asker.pid, 2)
        asker.send_signal(how)
        asker.wait(timeout=20)
    _gone, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


def _children_of(pid: int, n: int) -> list[psutil.Process]:
    for _ in range(200):
        children = psutil.Process(pid).children(recursive=True)
        if len(children) >= n:
            return children
        time.sleep(0.05)
    raise AssertionError("it never had its children")
