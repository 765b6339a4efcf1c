"""`park energy report`: the shipped verdict told, written in every form, with assumptions of one's own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import hatch_build
import pytest
from tests.unit.cli.conftest import Run, one_json

from eureka_park.cli import energy_report
from eureka_park.energy.verdict_assumptions import shipped
from eureka_park.energy.verdict_file import shipped_study
from eureka_park.energy.verdict_schema import ROWS, SCENARIOS


@pytest.fixture(autouse=True, scope="module")
def built() -> None:
    hatch_build.build()


def test_it_is_told_in_short(run: Run) -> None:
    lines = run("energy", "report").stdout.splitlines()
    assert all(scenario in lines[0] for scenario in SCENARIOS)
    assert sum(" MW " in line for line in lines) == len(ROWS)
    assert any("synthetic" in line for line in lines)


def test_json_has_the_cells_without_the_hours(run: Run) -> None:
    found = one_json(run("energy", "report", "--json"))
    assert len(found["cells"]) == len(ROWS) * len(SCENARIOS)
    assert "hours" not in found and found["site"] == "eureka-park"


def test_page_and_sheet_are_written(run: Run, tmp_path: Path) -> None:
    page, sheet = tmp_path / "verdict.html", tmp_path / "verdict.xlsx"
    done = run("energy", "report", "--out", str(page), "--out", str(sheet), "--lang", "ar")
    assert done.exit_code == 0, done.stderr
    assert 'dir="rtl"' in page.read_text("utf-8") and sheet.read_bytes()[:2] == b"PK"
    assert done.stderr.count("is written") == 2 and not done.stdout


def test_assumptions_of_ones_own_change_the_page(run: Run, tmp_path: Path) -> None:
    mine, page = tmp_path / "mine.toml", tmp_path / "verdict.html"
    assert run("energy", "report", "--write-assumptions", str(mine)).exit_code == 0
    text = mine.read_text("utf-8")
    mine.write_text(text.replace("value = 310000", "value = 100000"), "utf-8")
    done = run("energy", "report", "--assumptions", str(mine), "--out", str(page), "--lang", "en")
    assert done.exit_code == 0, done.stderr
    assert "yours" in page.read_text("utf-8") and 'value="100000"' in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--out", "verdict.docx"], "does not end in '.docx'"),
        (["--study", "{folder}/no.json"], "is not a study of the verdict"),
        (["--assumptions", "none.toml"], "cannot be read"),
        (["--site", "campus-small"], "The shipped study is that of eureka-park."),
        (["--out", "{folder}/none/verdict.html"], "cannot be written"),
        (["--lang", "de"], "de"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(run: Run, tmp_path: Path, words: list[str], says: str) -> None:
    (tmp_path / "no.json").write_text("{", "utf-8")
    done = run("energy", "report", *(word.format(folder=tmp_path) for word in words))
    assert done.exit_code in (1, 2) and says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and "Traceback" not in done.stderr


def _without_cells(study: dict[str, Any]) -> None:
    study["cells"].pop()


def _short_of_hours(study: dict[str, Any]) -> None:
    study["hours"]["by_source"]["wind"].pop()


def _of_text(study: dict[str, Any]) -> None:
    study["cells"][3]["cfe_frac"]["p50"] = "<b>"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_without_cells, "'cells' is not"),
        (_short_of_hours, "'hours.by_source.wind' is not"),
        (_of_text, "'cells[3].cfe_frac.p50' is not"),
        (dict.clear, "the form of another version"),
    ],
)
def test_a_damaged_study_is_told_in_one_line(run: Run, tmp_path: Path, change: Any, says: str) -> None:
    study = json.loads(json.dumps(shipped_study()))
    change(study)
    (tmp_path / "odd.json").write_text(json.dumps(study), "utf-8")
    done = run("energy", "report", "--study", str(tmp_path / "odd.json"))
    assert done.exit_code == 1 and says in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "content", [b"[" * 200_000, gzip.compress(b" " * 70_000_000), b'{"schema": NaN}', b"\x1f\x8b!"]
)
def test_a_file_that_is_no_study_costs_little(run: Run, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.json.gz").write_bytes(content)
    done = run("energy", "report", "--study", str(tmp_path / "odd.json.gz"))
    assert done.exit_code == 1 and "is not a study of the verdict" in done.stderr


def test_no_study_is_computed_for_a_folder_that_is_not_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eureka_park.energy.verdict.study", lambda *_, **__: pytest.fail("computed in vain"))
    for words in (["--study", "none/mine.json"], ["--study", "mine.json", "--out", "none/verdict.html"]):
        done = run("energy", "report", *words)
        assert done.exit_code == 1 and "there is no folder 'none'" in done.stderr


@pytest.mark.parametrize("value", ["1" + "0" * 400, "9" * 5000, "nan", "-1", "1e300"])
def test_assumptions_that_are_no_amounts_are_told_in_one_line(run: Run, tmp_path: Path, value: str) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(f"[assumptions.{next(iter(shipped().values))}]\nvalue = {value}\n", "utf-8")
    done = run("energy", "report", "--assumptions", str(mine))
    assert done.exit_code == 1 and len(done.stderr) < 400 and len(done.stderr.splitlines()) == 1


def test_a_study_that_is_not_there_is_computed_and_kept(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def study(site: Any, seeds: tuple[int, ...], **_options: Any) -> Any:
        asked.append((site.name, seeds))
        return shipped_study()

    monkeypatch.setattr("eureka_park.energy.verdict.study", study)
    file = tmp_path / "mine.json"
    for _ in range(2):
        assert run("energy", "report", "--study", str(file), "--seeds", "2-3").exit_code == 0
    assert asked == [("eureka-park", (2, 3))], "the second time it is read"
    assert json.loads(file.read_text("utf-8")) == shipped_study()


def test_rows_of_the_table_are_those_of_the_study() -> None:
    assert tuple(energy_report.ROWS) == ROWS
