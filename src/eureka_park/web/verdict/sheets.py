"""The verdict as a spreadsheet: the table, assumptions with live formulas, the hours, the months, the sizes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from eureka_park.energy.verdict_assumptions import Assumptions, Figure
from eureka_park.energy.verdict_schema import ROWS, SCENARIOS, SOURCES, Study
from eureka_park.energy.weather_file import write_whole
from eureka_park.foundation.units import HOUR_S
from eureka_park.web.pages.words import CLOSE, N_, OPEN, Words
from eureka_park.web.verdict.facts import ROW_NAMES, SCENARIO_NAMES, SOURCE_NAMES
from eureka_park.web.verdict.pictures import months_of
from eureka_park.web.verdict.sentences import additions_text, cell_of, reasons, verdict_sentence
from eureka_park.web.verdict.view import PLANT_KINDS, labels_of, word_of

SHEETS: Final = (N_("Table"), N_("Assumptions"), N_("Hours"), N_("Months"), N_("Sizes"), N_("Plants"))
_INK, _LINE, _MAJORELLE, _WASH = "#16213A", "#E8E0D3", "#4B3FD6", "#EFEDFC"  # the park's light tokens
_FORMATS: Final = {"frac": "0.0%", "USD": "#,##0", "1": "#,##0.###", "MW": "#,##0.0", "GWh": "#,##0"}
_CELL_COLUMNS: Final = (
    ("load_mw", N_("Load, MW"), "0.0"),
    ("cfe_frac", N_("Share, hour by hour"), "0.0%"),
    ("volume_frac", N_("Share, sum of the year"), "0.0%"),
    ("import_gwh", N_("Bought, GWh"), "#,##0"),
    ("export_gwh", N_("Surplus, GWh"), "#,##0"),
    ("unserved_gwh", N_("Unserved, GWh"), "#,##0.0"),
    ("mad_per_kwh", N_("MAD a kWh"), "0.00"),
    ("gco2_per_kwh", N_("g a kWh"), "0"),
    ("water_m3", N_("Water, m³"), "#,##0"),
)
_PLANT_HEADS: Final = (
    N_("Plant"), N_("Kind"), N_("Power, MW"), N_("Model, GWh"), N_("Factor"), N_("Counted, GWh"), N_("Rests on"),
    N_("Sold at, MAD a kWh"), N_("Rests on"), N_("Whose power"), N_("Source"),
)  # fmt: skip
_SIZE_COLUMNS: Final = (
    ("target_frac", N_("Wanted"), "0%"),
    ("reached_frac", N_("The full year gives"), "0.0%"),
    ("wind_mw", N_("Wind, MW"), "0"),
    ("pv_mw", N_("PV, MW"), "0"),
    ("csp_mw", N_("CSP, MW"), "0"),
    ("csp_tes_h", N_("Salt, h"), "0.0"),
    ("battery_mw", N_("Battery, MW"), "0"),
    ("battery_mwh", N_("Battery, MWh"), "0"),
    ("capital_mad", N_("Capital, MAD"), "#,##0"),
    ("mad_per_kwh", N_("MAD a kWh"), "0.00"),
    ("gco2_per_kwh", N_("g a kWh"), "0"),
    ("command", N_("Command"), ""),
)


def write_workbook(study: Study, assumptions: Assumptions, out: Path, lang: str) -> None:
    """Write the spreadsheet in a language. The same study gives the same cells."""
    words = Words(lang, study["timezone"])
    buffer = BytesIO()
    texts_stay = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, {"in_memory": True, **texts_stay}) as book:
        book.set_properties(
            {"title": plain(verdict_sentence(study, words)), "created": datetime.fromisoformat(study["date"])}
        )
        sheets = _Sheets(book, words)
        sheets.table(study)
        sheets.assumptions(assumptions)
        sheets.hours(study)
        sheets.months(study)
        sheets.sizes(study)
        sheets.plants(study)
    write_whole(out, buffer.getvalue())


def plain(text: str) -> str:
    """Text without the marks that only pages need."""
    return text.replace(OPEN, "").replace(CLOSE, "")


class _Sheets:
    """One workbook in one language."""

    def __init__(self, book: Any, words: Words) -> None:
        self.book, self.words = book, words
        self.head = book.add_format(
            {"bold": True, "font_color": _INK, "bottom": 2, "text_wrap": True, "valign": "bottom"}
        )
        self.title = book.add_format(
            {"bold": True, "font_size": 16, "font_color": _INK, "text_wrap": True, "valign": "top"}
        )
        self.wrap = book.add_format({"text_wrap": True, "valign": "top"})
        self.input = book.add_format({"bg_color": _WASH, "font_color": _MAJORELLE, "border": 1, "border_color": _LINE})

    def say(self, text: str, **values: Any) -> str:
        """A text of the reader's language as a cell holds it."""
        return plain(self.words.say(text, **values))

    def sheet(self, index: int, widths: Sequence[float]) -> Any:
        """A new sheet with its columns; right to left where the language is."""
        sheet = self.book.add_worksheet(self.say(SHEETS[index])[:31])
        if self.words.direction == "rtl":
            sheet.right_to_left()
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.hide_gridlines(2)
        return sheet

    def number(self, form: str) -> Any:
        """A number's format."""
        return self.book.add_format({"num_format": form or "@", "valign": "top"})

    def table(self, study: Study) -> None:
        """Row by row and scenario by scenario: every cell of the verdict."""
        sheet = self.sheet(0, (44, 24, *([13] * len(_CELL_COLUMNS)), 16, 46, 70))
        sheet.merge_range(0, 0, 0, 8, plain(verdict_sentence(study, self.words)), self.title)
        sheet.set_row(0, 44)
        for index, reason in enumerate(reasons(study, self.words), 1):
            sheet.write_string(index, 0, plain(reason))
        top = len(reasons(study, self.words)) + 3
        sheet.write_string(top - 2, 0, plain("; ".join(labels_of(study, self.words))))
        heads = [
            N_("Row"),
            N_("Scenario"),
            *(text for _, text, _ in _CELL_COLUMNS),
            N_("Whose power"),
            N_("New supply for 90 %"),
            N_("Command"),
        ]
        for column, text in enumerate(heads):
            sheet.write_string(top, column, self.say(text), self.head)
        places = [(row, scenario) for row in ROWS for scenario in SCENARIOS]
        for at, (row, scenario) in enumerate(places, top + 1):
            self._cell(sheet, at, study, row, scenario)
        sheet.freeze_panes(top + 1, 2)

    def _cell(self, sheet: Any, at: int, study: Study, row: str, scenario: str) -> None:
        cell: Any = cell_of(study, row, scenario)
        share = {"cfe-99": 0.99, "cfe-90": 0.9, "cfe-75": 0.75, "fleet-low": 0.42, "fleet-high": 0.48}.get(row)
        name = self.say(ROW_NAMES[row], mw=self.words.power(study["site_mw"]), share=self.words.percent(share))
        sheet.write_string(at, 0, name, self.wrap)
        sheet.write_string(at, 1, self.say(SCENARIO_NAMES[scenario]), self.wrap)
        for column, (key, _text, form) in enumerate(_CELL_COLUMNS, 2):
            sheet.write_number(at, column, cell[key]["p50"], self.number(form))
        new = (
            plain(additions_text(cell["additions"], self.words))
            if cell["additions"]
            else self.say("none needed at this size")
        )
        last = (self.say("already sold"), new, cell["command"])
        for column, text in enumerate(last, 2 + len(_CELL_COLUMNS)):
            sheet.write_string(at, column, text, self.wrap)

    def assumptions(self, assumptions: Assumptions) -> None:
        """Values to change, and figures as formulas over their names."""
        sheet, values = self.sheet(1, (58, 18, 12, 14, 12, 100)), assumptions.worked_out()
        heads = (N_("What"), N_("Value"), N_("Unit"), N_("Rests on"), N_("Date"), N_("Source"))
        for column, text in enumerate(heads):
            sheet.write_string(0, column, self.say(text), self.head)
        for at, (name, item) in enumerate(assumptions.values.items(), 1):
            self.book.define_name(name, f"='{sheet.get_name()}'!$B${at + 1}")
            sheet.write_string(at, 0, self.say(item.text))
            sheet.write_number(at, 1, item.value, self.input)
            for column, text in enumerate((item.unit, self.say(item.kind), item.date, self.say(item.source)), 2):
                sheet.write_string(at, column, text)
        first = len(assumptions.values) + 3
        sheet.write_string(first - 1, 0, self.say("Figures that follow"), self.head)
        for at, (name, figure) in enumerate(assumptions.figures.items(), first):
            self.book.define_name(name, f"='{sheet.get_name()}'!$B${at + 1}")
            self._figure(sheet, at, figure, values[name])
        sheet.freeze_panes(1, 1)

    def _figure(self, sheet: Any, at: int, figure: Figure, value: float) -> None:
        form = self.number(_FORMATS.get(figure.unit, "#,##0.00"))
        sheet.write_string(at, 0, self.say(figure.text))
        sheet.write_formula(at, 1, "=" + figure.formula.replace("floor(", "INT("), form, value)
        sheet.write_string(at, 2, figure.unit)
        sheet.write_string(at, 5, f"{figure.name} = {figure.formula}")

    def hours(self, study: Study) -> None:
        """The year of the constant load hour by hour."""
        sheet, hours = self.sheet(2, (20, *([13] * 8))), study["hours"]
        heads = [N_("Hour, UTC"), *(SOURCE_NAMES[name] for name in SOURCES), N_("Surplus")]
        for column, text in enumerate(heads):
            suffix = ", MW" if column else ""
            sheet.write_string(0, column, self.say(text) + suffix, self.head)
        for index, exported in enumerate(hours["export"]):
            at = datetime.fromtimestamp(hours["start_s"] + index * HOUR_S, UTC)
            sheet.write_string(index + 1, 0, f"{at:%Y-%m-%d %H:%M}")
            for column, name in enumerate(SOURCES, 1):
                sheet.write_number(index + 1, column, hours["by_source"][name][index] / 10)
            sheet.write_number(index + 1, len(SOURCES) + 1, exported / 10)
        sheet.freeze_panes(1, 1)

    def months(self, study: Study) -> None:
        """The months as sums of the hours: formulas over the sheet before."""
        shown = months_of(study, self.words)
        sheet, source = self.sheet(3, (22, *([10] * 13))), self.say(SHEETS[2])[:31]
        for column, text in enumerate(shown["heads"]):
            sheet.write_string(0, column, plain(text), self.head)
        form = self.number("#,##0.0")
        for at, name in enumerate(SOURCES, 1):
            sheet.write_string(at, 0, self.say(SOURCE_NAMES[name]))
            letter, first, total = "BCDEFG"[at - 1], 2, 0.0
            for month, n_days in enumerate((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1):
                last = first + 24 * n_days - 1
                value = sum(study["hours"]["by_source"][name][first - 2 : last - 1]) / 10_000
                sheet.write_formula(at, month, f"=SUM('{source}'!{letter}{first}:{letter}{last})/1000", form, value)
                first, total = last + 1, total + value
            sheet.write_formula(at, 13, f"=SUM(B{at + 1}:M{at + 1})", form, total)

    def sizes(self, study: Study) -> None:
        """New supply for each share, and the trade-off between share and cost."""
        sheet = self.sheet(4, (12, *([13] * 10), 70))
        for column, (_key, text, _form) in enumerate(_SIZE_COLUMNS):
            sheet.write_string(0, column, self.say(text), self.head)
        for at, size in enumerate(study["sizes"], 1):
            row: Any = size
            for column, (key, _text, form) in enumerate(_SIZE_COLUMNS):
                sheet.write(at, column, row[key], self.number(form))
        top = len(study["sizes"]) + 3
        keys = ("cfe_frac", "mad_per_kwh", "capital_mad", "gco2_per_kwh", "wind_mw", "pv_mw", "csp_mw", "battery_mwh")
        heads = (N_("Share, hour by hour"), N_("MAD a kWh"), N_("Capital, MAD"), N_("g a kWh"), N_("Wind, MW"), N_("PV, MW"), N_("CSP, MW"), N_("Battery, MWh"))  # noqa: E501  # fmt: skip
        for column, text in enumerate(heads):
            sheet.write_string(top, column, self.say(text), self.head)
        for at, point in enumerate(study["pareto"], top + 1):
            values: Any = point
            for column, key in enumerate(keys):
                sheet.write_number(at, column, values[key], self.number("0.0%" if key == "cfe_frac" else "#,##0.00"))

    def plants(self, study: Study) -> None:
        """The plants as they were counted: the model's year beside the calibrated one, and whose word that is."""
        sheet = self.sheet(5, (20, 24, *([13] * 8), 100))
        for column, text in enumerate(_PLANT_HEADS):
            sheet.write_string(0, column, self.say(text), self.head)
        for at, plant in enumerate(study["plants"], 1):
            year, price = plant["calibrated_gwh"], plant["price_mad_per_mwh"]
            row = (
                plain(self.words.name(plant["title"])), self.say(PLANT_KINDS[plant["kind"]]), plant["gross_mw"],
                plant["raw_gwh"], plant["calibration_factor"], year,
                plain(word_of(plant["id"], "year_gwh_published", year, self.words)), price / 1000,
                plain(word_of(plant["id"], "price_mad_per_mwh", price, self.words)), self.say("already sold"),
                plant["source"],
            )  # fmt: skip
            forms = ("", "", "0.0", "0", "0.000", "0", "", "0.00", "", "", "")
            for column, (value, form) in enumerate(zip(row, forms, strict=True)):
                sheet.write(at, column, value, self.number(form))
        sheet.freeze_panes(1, 1)
