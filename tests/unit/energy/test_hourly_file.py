"""Hours on disk say what they rest on, whatever the kind of the file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet

from eureka_park.energy.hourly_file import about_hours, write_hourly

TABLE = {"time_utc": ["2025-01-01T00:00:00Z", "2025-01-01T01:00:00Z"], "load_mw": [3.0, 4.5]}
FOUND: dict[str, Any] = {
    "site": "eureka-park", "version": "1", "scenario": "noor-iii-out", "load": "constant", "load_mw": 386.0,
    "flex_frac": 0.2, "without": ["koudia"], "seeds": [4, 5], "foresight": "a bound,\nknown in advance", "supply": "",
    "weather": {
        "ouarzazate": {"label": "synthetic", "origin": "made", "licence": "CC0-1.0", "content_ids": ["ab", "cd"]},
    },
    "plants": {
        "noor-i": {"raw_gwh": 561.4, "calibration_factor": 0.7552, "contract": "already sold"},
        "koudia": {"contract": "already sold"},
    },
}  # fmt: skip


def test_labels_of_the_first_year_are_told() -> None:
    about = about_hours(FOUND)
    assert about["scenario"] == "noor-iii-out" and about["without"] == "koudia" and about["seed"] == "4"
    assert about["weather ouarzazate"] == "synthetic; made; CC0-1.0; content id ab"
    assert about["plant noor-i"] == "model 561.4 GWh, factor 0.7552; already sold"
    assert about["foresight"] == "a bound, known in advance"  # one line
    assert "supply" not in about and "plant koudia" not in about


def test_every_kind_of_file_repeats_them(tmp_path: Path) -> None:
    about = about_hours(FOUND)
    for ending in ("csv", "xlsx", "parquet"):
        write_hourly(tmp_path / f"hours.{ending}", TABLE, about)
    lines = (tmp_path / "hours.csv").read_text("utf-8").splitlines()
    notes, rows = [line for line in lines if line[0] == "#"], [line for line in lines if line[0] != "#"]
    assert notes == [f"# {name}: {text}" for name, text in about.items()] == lines[: len(notes)]
    assert list(csv.DictReader(rows))[1] == {"time_utc": "2025-01-01T01:00:00Z", "load_mw": "4.5"}
    sheet = openpyxl.load_workbook(tmp_path / "hours.xlsx")["about"]
    assert {str(name): str(text) for name, text in sheet.values} == about
    kept = pyarrow.parquet.read_schema(tmp_path / "hours.parquet").metadata
    assert {name.decode(): text.decode() for name, text in kept.items()} == about
