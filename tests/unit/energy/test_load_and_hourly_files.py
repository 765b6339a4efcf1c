"""Loads read from files, hours written to them."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pyarrow.parquet
import pytest

from eureka_park.energy import hourly_file
from eureka_park.energy.hourly_file import check_hourly_path, write_hourly
from eureka_park.energy.load_file import read_load
from eureka_park.foundation.errors import BadInput, NotFound, Unavailable

ZONE = "Africa/Casablanca"
TABLE = {"time_utc": ["2025-01-01T00:00:00Z", "2025-01-01T01:00:00Z"], "load_mw": [1.5, 2.0]}


def written(folder: Path, text: str) -> Path:
    path = folder / "load.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("head", ["", "load_mw\n", "# a comment\n\n"])
def test_a_year_of_hours(tmp_path: Path, head: str) -> None:
    found = read_load(written(tmp_path, head + "".join(f"{hour}\n" for hour in range(8760))), ZONE)
    assert found == [float(hour) for hour in range(8760)]


def test_the_named_column_counts_else_the_last(tmp_path: Path) -> None:
    named = "time,load_mw,note\n" + "".join(f"t,{hour},x\n" for hour in range(8760))
    last = "time;mw\n" + "".join(f"t;{hour},5\n" for hour in range(8760))
    assert read_load(written(tmp_path, named), ZONE)[7] == 7.0
    assert read_load(written(tmp_path, last), ZONE)[7] == 7.5


def test_a_week_by_local_hour(tmp_path: Path) -> None:
    rows = [",".join(str(100 * day + hour) for day in range(7)) for hour in range(24)]
    found = read_load(written(tmp_path, "mon,tue,wed,thu,fri,sat,sun\n" + "\n".join(rows)), ZONE)
    assert len(found) == 8760 and found[0] == 201.0  # 1 January 2025 is a Wednesday; one o'clock in Morocco
    turned = [",".join(str(100 * day + hour) for hour in range(24)) for day in range(7)]
    assert read_load(written(tmp_path, "\n".join(turned)), ZONE) == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1\n" * 8784, "has 8784 rows of values \\(a leap year"),
        ("1\n" * 100, "has 100 rows"),
        ('"' + "a" * 300_000, "is no readable CSV: field larger than"),
        ("1\n" * 8759 + "1e9\n", "line 8760: '1e9' is no power in MW from 0 to 1,000,000"),
        ("1\n" * 8759 + "x" * 9000, "line 8760: 'x{40}' is no power"),
        ("", "has 0 rows"),
        ("1\n" * 8758 + "nan\n1\n", "line 8759: 'nan' is no power"),
        ("load_mw\n" + "1\n" * 8758 + "-3\n1\n", "line 8760: '-3' is no power"),
        ("1\n" * 8758 + "much\n1\n", "line 8759: 'much' is no power"),
        ("a,load_mw\n" + "1,1\n" * 8759 + "1\n", "line 8761: '' is no power"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        read_load(written(tmp_path, text), ZONE)
    assert "8,760 rows" in caught.value.fix


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_load(tmp_path / "none.csv", ZONE)


def test_csv_excel_and_parquet_hold_the_same(tmp_path: Path) -> None:
    for ending in ("csv", "xlsx", "parquet"):
        write_hourly(tmp_path / f"hours.{ending}", TABLE)
    with (tmp_path / "hours.csv").open() as stream:
        assert list(csv.reader(stream)) == [
            ["time_utc", "load_mw"],
            [TABLE["time_utc"][0], "1.5"],
            [TABLE["time_utc"][1], "2.0"],
        ]
    sheet = openpyxl.load_workbook(tmp_path / "hours.xlsx").active
    assert sheet is not None
    assert [[cell.value for cell in row] for row in sheet.rows][1:] == [
        [TABLE["time_utc"][0], 1.5],
        [TABLE["time_utc"][1], 2],
    ]
    assert pyarrow.parquet.read_table(tmp_path / "hours.parquet").to_pydict() == TABLE


def test_what_cannot_be_written_is_said_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="does not say its kind"):
        check_hourly_path(tmp_path / "hours.txt")
    with pytest.raises(BadInput, match="There is no folder"):
        check_hourly_path(tmp_path / "none" / "hours.csv")
    monkeypatch.setattr(hourly_file, "find_spec", lambda name: None)
    with pytest.raises(Unavailable) as caught:
        check_hourly_path(tmp_path / "hours.parquet")
    assert caught.value.fix == "Install it: pip install 'eureka-park[parquet]'"
