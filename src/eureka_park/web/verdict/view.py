"""The verdict as what a template needs: every figure spoken, every table filled, nothing decided."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from eureka_park.energy.verdict_assumptions import Assumptions
from eureka_park.energy.verdict_schema import ROWS, SCENARIOS, Cell, Span, Study
from eureka_park.foundation.plant_data import facts, known_plants
from eureka_park.web.pages.words import N_, Words, isolated
from eureka_park.web.verdict import pictures
from eureka_park.web.verdict.facts import FACTS, INPUT_NAMES, ROW_NAMES, SCENARIO_NAMES, SCENARIO_TEXTS, SOURCE_NAMES
from eureka_park.web.verdict.sentences import additions_text, cell_of, mad_text, reasons, verdict_sentence

# Units of assumptions and figures: the text, and what the value is divided by before it is told.
UNITS: Final[Mapping[str, tuple[str, float]]] = {
    "1": ("{n}", 1.0), "frac": ("%", 0.01), "MW": (N_("{n} MW"), 1.0), "kW": (N_("{n} kW"), 1.0),
    "W": (N_("{n} W"), 1.0), "GWh": (N_("{n} GWh"), 1.0), "USD": (N_("US${n}"), 1.0),
    "USD/MW": (N_("US${n} a MW"), 1.0), "MAD/USD": (N_("MAD {n} for US$1"), 1.0), "g/kWh": (N_("{n} g/kWh"), 1.0),
    "L/kWh": (N_("{n} L/kWh"), 1.0), "t": (N_("{n} t"), 1.0), "m3": (N_("{n} m³"), 1.0),
}  # fmt: skip
_LARGE: Final = (
    (1e9, {"USD": N_("US${n} billion"), "m3": N_("{n} billion m³"), "t": N_("{n} billion t")}),
    (1e6, {"USD": N_("US${n} million"), "m3": N_("{n} million m³"), "t": N_("{n} million t"), "USD/MW": N_("US${n} million a MW")}),  # noqa: E501
)  # fmt: skip
_KINDS: Final = {"published": N_("published"), "assumption": N_("assumption"), "yours": N_("yours")}
PLANT_KINDS: Final = {
    "csp-trough": N_("parabolic trough, salt"),
    "csp-tower": N_("tower, salt"),
    "pv": N_("panels"),
    "wind": N_("wind machines"),
    "battery": N_("Battery"),
}
# Whose word a plant's year or price is, by its label in the plants' data.
_WORD_OF: Final = {
    "measured": N_("measured"), "published": "", "announced": N_("planned"), "assumption": N_("estimate"),
}  # fmt: skip


def view(study: Study, assumptions: Assumptions, words: Words) -> dict[str, Any]:
    """Everything that the verdict's template shows."""
    told = _Figures(assumptions, words)
    return {
        "study": study,
        "sentence": verdict_sentence(study, words),
        "reasons": reasons(study, words),
        "three": _three(study, words),
        "labels": labels_of(study, words),
        "table_of": _table(study, assumptions, words),
        "facts": _facts(words),
        "fig": told.markup,
        "year": pictures.year_of(study, words),
        "weeks": pictures.weeks_of(study, words),
        "months": pictures.months_of(study, words),
        "duration": pictures.duration_of(study, words),
        "pareto": pictures.pareto_of(study, words),
        "legend": [(css, words.say(name)) for css, name in SOURCE_NAMES.items()],
        "sizes": _sizes(study, words),
        "plants": _plants(study, words),
        "unpriced": words.joined(
            words.name(item["title"]) for item in study["plants"] if not item["price_mad_per_mwh"]
        ),
        "water": _water(study, words),
        "evening": _evening(study, words),
        "operated": _operated(study, words),
        "supply": _supply(study, words),
        "inputs": [(words.say(name), *input_of(study["inputs"][key], words)) for key, name in INPUT_NAMES.items()],
        "assumptions": told.rows(),
        "figures": told.figure_rows(),
        "formulas": [[name, figure.formula] for name, figure in assumptions.figures.items()],
        "commands": study["commands"],
        "when_known": words.long_date(study["date"]),
        "html": words.html,
    }


def _facts(words: Words) -> list[dict[str, str]]:
    return [
        {
            "point": words.say(fact.point),
            "announced": words.say(fact.announced),
            "known": words.say(fact.known),
            "source": fact.source,
        }
        for fact in FACTS
    ]


def _operated(study: Study, words: Words) -> list[dict[str, str]]:
    seed = words.number(study["seeds"][0], 0)
    return [
        {
            "seed": seed,
            "load": words.power(item["load_mw"]),
            "bound": tenth(item["bound_frac"], words),
            "perfect": tenth(item["perfect_frac"], words),
            "real": tenth(item["forecast_frac"], words),
        }
        for item in study["operated"]
    ]


def tenth(frac: float, words: Words) -> str:
    """A share with one digit after the point."""
    return isolated(form_of("%", words).format(n=words.number(100 * frac, 1)))


def _evening(study: Study, words: Words) -> dict[str, str]:
    evening = study["evening"]
    return {
        "mean": words.power(evening["import_mw_mean"]),
        "max": words.power(evening["import_mw_max"]),
        "clean": words.power(evening["clean_mw_mean"]),
    }


def _three(study: Study, words: Words) -> dict[str, str]:
    cell = cell_of(study, "constant", "all-plants")
    return {
        "matched": words.percent(cell["cfe_frac"]["p50"]),
        "volume": words.percent(cell["volume_frac"]["p50"]),
        "contracted": words.percent(0.0),
        "booked": words.number(cell["gco2_per_kwh"]["p50"], 0),
    }


def labels_of(study: Study, words: Words) -> list[str]:
    """What every figure rests on, in a few words each: weather, years, calibration, date."""
    n = len(study["seeds"])
    return [
        words.say("synthetic weather") if "synthetic" in study["weather"] else study["weather"],
        words.count("{n} year of weather", "{n} years of weather", n),
        words.say("outputs fitted to published or planned years"),
        words.say(
            "calculated on {date}, version {version}",
            date=words.long_date(study["date"]),
            version=isolated(study["version"]),
        ),
    ]


# -- the table -----------------------------------------------------------------------------------------------------
def _table(study: Study, assumptions: Assumptions, words: Words) -> dict[str, Any]:
    shares = {"cfe-99": 0.99, "cfe-90": 0.90, "cfe-75": 0.75}
    shares |= {f"fleet-{end}": assumptions.values[f"gpu_frac_{end}"].value for end in ("low", "high")}
    rows = []
    for row in ROWS:
        cells = [cell_of(study, row, scenario) for scenario in SCENARIOS]
        name = words.say(ROW_NAMES[row], mw=words.power(study["site_mw"]), share=words.percent(shares.get(row)))
        rows.append(
            {"id": row, "name": name, "is_size": row.startswith("cfe"), "cells": [_cell(cell, words) for cell in cells]}
        )
    heads = [{"name": words.say(SCENARIO_NAMES[name]), "text": words.say(SCENARIO_TEXTS[name])} for name in SCENARIOS]
    return {"rows": rows, "heads": heads}


def _cell(cell: Cell, words: Words) -> dict[str, Any]:
    size = cell["additions"]
    return {
        "scenario": words.say(SCENARIO_NAMES[cell["scenario"]]),
        "load": words.power(cell["load_mw"]["p50"]),
        "share": words.percent(cell["cfe_frac"]["p50"]),
        "spread": _spread(cell["cfe_frac"], words),
        "bar": f"{100 * min(1.0, cell['cfe_frac']['p50']):.1f}",
        "import": words.energy(1e6 * cell["import_gwh"]["p50"]),
        "cost": words.number(cell["mad_per_kwh"]["p50"], 2),
        "carbon": words.number(cell["gco2_per_kwh"]["p50"], 0),
        "new": additions_text(size, words) if size and size["capital_mad"] > 0 else "",
        "is_enough": size is not None and size["capital_mad"] <= 0,
        "target": words.percent(size["target_frac"]) if size else "",
        "new_cost": words.number(size["mad_per_kwh"], 2) if size else "",
        "new_carbon": words.number(size["gco2_per_kwh"], 0) if size else "",
        "capital": mad_text(size["capital_mad"], words) if size else "",
        "command": cell["command"],
        "new_command": size["command"] if size else "",
    }


def _spread(span: Span, words: Words) -> str:
    """The range over the years of weather, where there is one to tell."""
    low, high = words.percent(span["p10"]), words.percent(span["p90"])
    return "" if low == high else words.say("{low} to {high}", low=low, high=high)


# -- tables below --------------------------------------------------------------------------------------------------
def _sizes(study: Study, words: Words) -> list[dict[str, Any]]:
    return [
        {
            "target": words.percent(size["target_frac"]),
            "reached": words.percent(size["reached_frac"]),
            "is_reached": size["is_reached"],
            "what": additions_text(size, words),
            "capital": mad_text(size["capital_mad"], words) if size["capital_mad"] > 0 else "–",
            "cost": words.number(size["mad_per_kwh"], 2),
            "carbon": words.number(size["gco2_per_kwh"], 0),
            "command": size["command"],
        }
        for size in study["sizes"]
    ]


def _plants(study: Study, words: Words) -> list[dict[str, str]]:
    return [
        {
            "name": words.name(plant["title"]), "kind": words.say(PLANT_KINDS.get(plant["kind"], plant["kind"])),
            "power": words.power(plant["gross_mw"]), "raw": words.number(plant["raw_gwh"], 0),
            "factor": words.number(plant["calibration_factor"], 2), "used": words.number(plant["calibrated_gwh"], 0),
            "used_word": word_of(plant["id"], "year_gwh_published", plant["calibrated_gwh"], words),
            "price": words.number(plant["price_mad_per_mwh"] / 1000, 2) if plant["price_mad_per_mwh"] else "–",
            "price_word": word_of(plant["id"], "price_mad_per_mwh", plant["price_mad_per_mwh"], words),
            "past": words.percent(plant["availability_frac"].get("historical-availability")),
        }
        for plant in study["plants"]
    ]  # fmt: skip


def input_of(text: str, words: Words) -> tuple[str, str, str]:
    """An input of the years: its value, what it rests on in the reader's language, and the language of that."""
    value, _, source = text.partition("; ")
    if value.endswith("%"):
        shown = words.percent(float(value[:-1]) / 100)
    else:
        parts = re.split(r"(\d+(?:\.\d+)?)", value.replace(" and ", " / "))
        shown = "".join(words.number(float(part)) if part[:1].isdecimal() else part for part in parts)
    return isolated(shown), words.say(source), words.tag_of(source)


def word_of(plant_id: str, name: str, value: float, words: Words) -> str:
    """Whether a figure of a plant was measured, planned or estimated; nothing where the known figure is another."""
    known = facts(plant_id).get(name) if plant_id in known_plants() else None
    if known is None or not isinstance(known.value, float) or abs(known.value - value) > 1e-6 * abs(known.value):
        return ""
    return words.say(_WORD_OF.get(known.label, known.label))


def _water(study: Study, words: Words) -> dict[str, Any]:
    cell = cell_of(study, "constant", "all-plants")
    return {
        "total": _large(cell["water_m3"]["p50"], "m3", words),
        "rows": [
            (words.name(plant["title"]), _large(plant["water_m3"], "m3", words))
            for plant in study["plants"]
            if plant["water_m3"] > 0
        ],
    }


def _supply(study: Study, words: Words) -> dict[str, str]:
    """What power costs a year beside what machines cost."""
    cell = cell_of(study, "constant", "all-plants")
    year_mad = cell["mad_per_kwh"]["p50"] * cell["load_mw"]["p50"] * 8.76e6
    best = next((size for size in study["sizes"] if size["target_frac"] == 0.90), None)
    return {
        "year": mad_text(year_mad, words),
        "per_kwh": words.number(cell["mad_per_kwh"]["p50"], 2),
        "capital": mad_text(best["capital_mad"], words) if best else "–",
        "then": words.number(best["mad_per_kwh"], 2) if best else "–",
        "target": words.percent(0.90),
    }


# -- figures by formula --------------------------------------------------------------------------------------------
class _Figures:
    """Simple figures as text that the page's script can work out anew."""

    def __init__(self, assumptions: Assumptions, words: Words) -> None:
        self.assumptions, self.words, self.values = assumptions, words, assumptions.worked_out()

    def markup(self, name: str, form: str = "") -> Markup:
        """One figure in a sentence; it carries how it is to be told again. `form`: instead of its unit's own."""
        item = self.assumptions.figures.get(name) or self.assumptions.values[name]
        own, size, digits = told_as(self.values[name], item.unit)
        form = form or form_of(own, self.words)
        shown = isolated(form.format(n=self.words.number(self.values[name] / size, digits)))
        return Markup(
            '<span class="n" data-figure="{}" data-form="{}" data-size="{}" data-digits="{}">{}</span>'
        ).format(name, form, f"{size:g}", digits, shown)

    def rows(self) -> list[dict[str, Any]]:
        """The assumptions for the editable table."""
        return [
            {
                "name": name, "text": self.words.say(item.text), "value": f"{item.value:.12g}", "unit": item.unit,
                "shown": _large(item.value, item.unit, self.words), "kind": self.words.say(_KINDS[item.kind]),
                "is_assumption": item.kind == "assumption", "date": item.date,
                "source": self.words.say(item.source), "lang": self.words.tag_of(item.source),
            }
            for name, item in self.assumptions.values.items()
        ]  # fmt: skip

    def figure_rows(self) -> list[dict[str, Any]]:
        """The figures with their formulas."""
        return [
            {"name": name, "text": self.words.say(item.text), "formula": item.formula, "shown": self.markup(name)}
            for name, item in self.assumptions.figures.items()
        ]


def told_as(value: float, unit: str) -> tuple[str, float, int]:
    """In which form a value of a unit is told, by what it is divided, and with how many digits after the point."""
    for size, forms in _LARGE:
        if unit in forms and abs(value) >= size:
            return forms[unit], size, 1
    form, size = UNITS[unit]
    shown = abs(value / size)
    digits = 0 if shown >= 100 or shown == round(shown) else 1 if shown >= 10 else 2
    return form, size, min(digits, 0 if shown >= 10 else 1) if unit == "frac" else digits


def form_of(text: str, words: Words) -> str:
    """A form in the reader's language, `{n}` still in it; the locale's own sign of per cent."""
    if text == "%":
        return words.percent(1.0).strip("\u2068\u2069").replace("100", "{n}")
    return words.say(text, n="{n}")


def _large(value: float, unit: str, words: Words) -> str:
    form, size, digits = told_as(value, unit)
    return isolated(form_of(form, words).format(n=words.number(value / size, digits)))
