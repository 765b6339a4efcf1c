"""The spreadsheet holds the study: cells, live formulas with the right values beside, hours, months, sizes."""

from __future__ import annotations

import copy
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from eureka_park.energy.verdict_assumptions import shipped
from eureka_park.energy.verdict_file import shipped_study
from eureka_park.energy.verdict_schema import ROWS, SCENARIOS, SOURCES
from eureka_park.web.pages.words import CLOSE, OPEN
from eureka_park.web.verdict.sheets import write_workbook


@pytest.fixture(scope="module", params=["fr", "ar", "en"])
def books(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, str]:
    file: Path = tmp_path_factory.mktemp("book") / "verdict.xlsx"
    write_workbook(shipped_study(), shipped(), file, request.param)
    return openpyxl.load_workbook(file), openpyxl.load_workbook(file, data_only=True), request.param


def test_six_sheets_with_their_rows(books: tuple[Any, Any, str]) -> None:
    book, _, lang = books
    table, assumptions, hours, months, sizes, plants = book.worksheets
    assert len(set(book.sheetnames)) == 6
    assert all(bool(sheet.sheet_view.rightToLeft) == (lang == "ar") for sheet in book.worksheets)
    assert table.max_row >= len(ROWS) * len(SCENARIOS) + 5
    assert hours.max_row == 8761 and hours.max_column == len(SOURCES) + 2
    assert months.max_row == len(SOURCES) + 1 and months.max_column == 14
    assert sizes.max_row >= len(shipped_study()["sizes"]) + len(shipped_study()["pareto"]) + 2
    assert plants.max_row == len(shipped_study()["plants"]) + 1
    assert assumptions.max_row >= len(shipped().values) + len(shipped().figures)


@pytest.mark.parametrize("books", ["en"], indirect=True)
def test_raw_stands_beside_calibrated_and_labels_over_the_table(books: tuple[Any, Any, str]) -> None:
    book, _, _ = books
    rows = {str(row[0]): row for row in book["Plants"].iter_rows(2, values_only=True)}
    for plant in shipped_study()["plants"]:
        _name, _kind, _mw, raw, factor, counted, *_ = rows[plant["title"]]
        assert (raw, factor, counted) == (plant["raw_gwh"], plant["calibration_factor"], plant["calibrated_gwh"])
    assert rows["Noor II"][6] == "planned" and rows["Koudia Al Baida"][6] == "estimate"
    texts = [str(cell) for row in book["Table"].iter_rows(values_only=True) for cell in row if isinstance(cell, str)]
    assert any("synthetic weather" in text for text in texts)
    assert texts.count("already sold") == len(ROWS) * len(SCENARIOS)


def test_figures_are_live_formulas_with_the_values_of_python(books: tuple[Any, Any, str]) -> None:
    book, told, _ = books
    sheet, values, worked = book.worksheets[1], told.worksheets[1], shipped().worked_out()
    first = len(shipped().values) + 4
    for row, (name, figure) in enumerate(shipped().figures.items(), first):
        assert sheet.cell(row, 2).value == "=" + figure.formula.replace("floor(", "INT(")
        assert values.cell(row, 2).value == pytest.approx(worked[name])
        assert f"$B${row}" in book.defined_names[name].attr_text
    for row, name in enumerate(shipped().values, 2):
        assert values.cell(row, 2).value == pytest.approx(worked[name])
        assert f"$B${row}" in book.defined_names[name].attr_text


def test_months_are_sums_of_the_hours(books: tuple[Any, Any, str]) -> None:
    _, told, _ = books
    hours, months = told.worksheets[2], told.worksheets[3]
    for column in range(2, len(SOURCES) + 2):
        total = sum(row[0] for row in hours.iter_rows(2, 8761, column, column, values_only=True))
        assert months.cell(column, 14).value == pytest.approx(total / 1000)


def test_no_marks_of_pages_stand_in_cells(books: tuple[Any, Any, str]) -> None:
    book, _, _ = books
    for sheet in (book.worksheets[0], book.worksheets[1], book.worksheets[4], book.worksheets[5]):
        texts = [str(cell) for row in sheet.iter_rows(values_only=True) for cell in row if isinstance(cell, str)]
        assert texts and not any(OPEN in text or CLOSE in text for text in texts)


def test_texts_of_a_study_are_never_formulas(tmp_path: Path) -> None:
    study: Any = copy.deepcopy(shipped_study())
    study["sizes"][0]["command"] = "=cmd|'/c calc'!A0"
    write_workbook(study, shipped(), tmp_path / "verdict.xlsx", "en")
    with zipfile.ZipFile(tmp_path / "verdict.xlsx") as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet5.xml")
        assert b"=cmd|" in parts.read("xl/sharedStrings.xml")
