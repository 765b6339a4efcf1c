"""`park twin report`: where the report is written, what is said of it, and what is refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hatch_build
import pytest
from tests.helpers.recorded_run import recorded_run
from tests.unit.cli.conftest import Run, one_json

from eureka_park.adapters import browser_print
from eureka_park.cli import twin_report
from eureka_park.twin.run_files import write_run
from eureka_park.twin.run_record import RunRecord


@pytest.fixture(autouse=True, scope="module")
def built() -> None:
    hatch_build.build()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_run(tmp_path / "kept", recorded_run())
    return tmp_path / "kept"


def test_the_report_stands_beside_its_run_and_is_told(run: Run, folder: Path) -> None:
    done = run("twin", "report", str(folder))
    assert done.exit_code == 0, done.stderr
    page = (folder / "report.html").read_text("utf-8")
    assert 'lang="en"' in page and str(recorded_run().figures["digest"]) in page
    assert "hour by hour" in done.stdout and done.stderr.count("is written") == 1


def written(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is asked of the process that writes, which is spared here."""
    asked: list[dict[str, Any]] = []

    def write(folders: tuple[Path, ...], file: Path, lang: str, zone: str) -> dict[str, Any]:
        asked.append({"folders": folders, "file": file, "lang": lang, "zone": zone})
        return {"out": str(file), "bytes": 1, "told": "It went well."}

    monkeypatch.setattr(twin_report, "_write", write)
    return asked


def test_several_runs_are_one_report_here_in_the_language_asked_for(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = written(monkeypatch)
    found = one_json(run("twin", "report", str(folder), str(folder), "--lang", "ar", "--json"))
    assert found == {"out": "report.html", "bytes": 1, "told": "It went well."}
    assert asked == [
        {"folders": (folder, folder), "file": Path("report.html"), "lang": "ar", "zone": "Africa/Casablanca"}
    ]
    monkeypatch.setenv("PARK_LANG", "fr")
    monkeypatch.setattr(browser_print, "browser", lambda _instead: "chromium")
    run("twin", "report", str(folder), "--out", "my.pdf")
    assert (asked[-1]["lang"], asked[-1]["file"]) == ("fr", Path("my.pdf"))


def test_without_a_browser_no_pdf_is_begun(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = written(monkeypatch)
    monkeypatch.setattr(browser_print, "PROGRAMS", ())
    done = run("twin", "report", str(folder), "--out", "my.pdf")
    assert done.exit_code == 1 and "Chromium" in done.stderr and "--out report.html" in done.stderr and not asked
    monkeypatch.setenv("PARK_LANG", "fr")
    assert "Installez" in run("twin", "report", str(folder), "--out", "my.pdf").stderr


def test_the_clock_is_that_of_the_site() -> None:
    assert twin_report.zone_of([RunRecord({"site": "nowhere-at-all"})]) == "UTC"
    assert twin_report.zone_of([RunRecord({"site": "x", "timezone": "Asia/Tokyo"})]) == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["{folder}/none"], "There is no folder"),
        (["{folder}/.."], "There is no run in"),
        (["{folder}", "--out", "report.docx"], "does not end in '.docx'"),
        (["{folder}", "--out", "none/report.html"], "there is no folder 'none'"),
        (["{folder}", "--lang", "de"], "de"),
        (["{folder}"] * 13, "13 runs fit no page"),
        ([], "Missing argument"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_and_nothing_is_written(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], says: str
) -> None:
    asked = written(monkeypatch)
    done = run("twin", "report", *(word.format(folder=folder) for word in words))
    assert done.exit_code in (1, 2) and says in done.stderr, done.stderr
    assert not asked and "Traceback" not in done.stderr


def test_damaged_files_are_found_before_anything_is_drawn(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = written(monkeypatch)
    (folder / "hours.csv").write_text("hour_s\n", "utf-8")
    done = run("twin", "report", str(folder))
    assert done.exit_code == 1 and "is damaged" in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert not asked
