"""The study: built from years, largest loads and sizes; nothing computed twice, nothing left out."""

from __future__ import annotations

from typing import Any

import pytest

from eureka_park.energy import verdict, verdict_sizes
from eureka_park.energy.studies_size import PARETO_SHARES
from eureka_park.energy.verdict_schema import ROWS, SCENARIOS, SOURCES, TARGETS
from eureka_park.foundation.site_reading import load_site

HOURS = 8760
SITE = load_site("eureka-park")


def hourly(load_mw: float) -> dict[str, Any]:
    """Half of the load from Koudia and the salt of Noor II, the rest bought."""
    from datetime import UTC, datetime, timedelta

    start = datetime(2025, 1, 1, tzinfo=UTC)
    times = [start + timedelta(hours=hour) for hour in range(HOURS)]
    return {
        "time_utc": [f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in times],
        "time_local": [(time + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M+01:00") for time in times],
        "load_mw": [load_mw] * HOURS, "import_mw": [load_mw / 2] * HOURS, "grid_mw": [load_mw / 2] * HOURS,
        "unserved_mw": [0.0] * HOURS, "export_mw": [1.0] * HOURS, "koudia_mw": [load_mw / 4] * HOURS,
        "noor-ii_mw": [0.0] * HOURS, "noor-ii_salt_mw": [load_mw / 4] * HOURS,
    }  # fmt: skip


def figures(load_mw: float) -> dict[str, Any]:
    names = ("cfe_frac", "volume_frac", "hours_fully_clean_frac", "import_gwh", "export_gwh", "unserved_gwh",
             "gco2_per_kwh", "mad_per_kwh", "water_m3")  # fmt: skip
    told = dict.fromkeys(names, 0.5) | {"load_mw": load_mw}
    return told | {f"{name}_p10": value - 0.1 for name, value in told.items() if name != "load_mw"}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Any:
    plants = {p.id: {"raw_gwh": 2.0, "calibration_factor": 0.5, "calibrated_gwh": 1.0} for p in SITE.plants}
    weather = {"koudia": {"label": "synthetic", "origin": "made"}}
    asked: list[tuple[str, float]] = []

    def run_years(site: Any, load_mw: float, **options: Any) -> dict[str, Any]:
        asked.append((options["scenario"], load_mw))
        gwh = {plant.id: 1.0 for plant in site.plants}
        return {**figures(load_mw), "hourly": hourly(load_mw), "plants": plants, "weather": weather,
                "gwh_by_source": gwh, "export_gwh_by_source": gwh}  # fmt: skip

    def largest_load(_site: Any, shares: list[float], **_options: Any) -> dict[str, Any]:
        return {"loads": [figures(100.0 / share) for share in shares]}

    def run_all(requests: list[Any], *_more: Any) -> list[Any]:
        return [{"sizes": [size(share) for share in request["shares"]]} for request in requests]

    monkeypatch.setattr(verdict, "run_years", run_years)
    monkeypatch.setattr(verdict, "largest_load", largest_load)
    monkeypatch.setattr(verdict_sizes, "run_all", run_all)
    monkeypatch.setattr(verdict, "_operated", lambda _site, _seed, load_mw: {"load_mw": load_mw})
    told: list[tuple[int, int, str]] = []
    study = verdict.study(SITE, (1, 2, 3), date="2026-11-25", progress=lambda *step: told.append(step))
    return study, asked, told


def size(share: float) -> dict[str, Any]:
    additions = [
        {"type": "wind", "power_mw": 100.0, "tes_h": None, "energy_mwh": None},
        {"type": "csp-tower", "power_mw": 50.0, "tes_h": 10.0, "energy_mwh": None},
        {"type": "battery", "power_mw": 20.0, "tes_h": None, "energy_mwh": 80.0},
    ]
    return {"cfe_target_frac": share, "cfe_frac": share, "is_reached": True, "additions": additions,
            "capital_mmad": 2.0, "all_mad_per_kwh": 0.9, "gco2_per_kwh": 100.0, "land_ha": 7.0}  # fmt: skip


def test_every_cell_is_there_once(made: Any) -> None:
    study, asked, told = made
    places = [(cell["row"], cell["scenario"]) for cell in study["cells"]]
    assert sorted(places) == sorted((row, scenario) for row in ROWS for scenario in SCENARIOS)
    assert len(asked) == len(set(asked)) == 9
    assert [step[0] for step in told] == list(range(told[0][1])), "steps are counted to the end"


def test_spans_commands_and_sizes(made: Any) -> None:
    study, _, _ = made
    cell = next(cell for cell in study["cells"] if cell["row"] == "constant")
    assert cell["cfe_frac"] == {"p50": 0.5, "p10": 0.4, "p90": 0.5}
    assert cell["command"] == "park energy year --load-mw 386 --scenario all-plants --seeds 1-3"
    added = cell["additions"]
    assert (added["wind_mw"], added["csp_mw"], added["csp_tes_h"], added["battery_mwh"]) == (100, 50, 10, 80)
    assert added["capital_mad"] == 2e6 and added["target_frac"] == verdict.TARGET_FRAC
    assert [item["target_frac"] for item in study["sizes"]] == list(TARGETS)
    assert len(study["pareto"]) == len(PARETO_SHARES)
    assert all(cell["additions"] is None for cell in study["cells"] if cell["row"].startswith("cfe"))


def test_the_year_is_kept_by_source(made: Any) -> None:
    study, _, _ = made
    sources = study["hours"]["by_source"]
    assert {name for name, series in sources.items() if any(series)} == {"wind", "salt", "grid"}
    assert set(sources) == set(SOURCES) and sources["salt"][0] == 965 and sources["grid"][-1] == 1930
    assert study["duration_mw"]["all-plants"] == [193.0] * 101
    assert study["evening"] == {"import_mw_mean": 193.0, "import_mw_max": 193.0, "clean_mw_mean": 193.0}
    assert [item["load_mw"] for item in study["operated"]] == [386.0, pytest.approx(100 / 0.9)]
    assert study["seeds"] == [1, 2, 3] and study["weather"] == "synthetic, made"
