"""Forecasts beside what came: a week of each month at some leads, and scores against simpler ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from eureka_park.energy.forecast_file import shipped_forecasts
from eureka_park.foundation.units import DAY_S, HOUR_S
from eureka_park.web.charts import fan
from eureka_park.web.charts.plan import data_block
from eureka_park.web.pages.draw import page, words_of
from eureka_park.web.pages.energy_tabs import AHEAD, tabs_of
from eureka_park.web.pages.words import N_, Words, isolated
from eureka_park.web.pages.year_pictures import YEAR_START_S

LEAD_SHOWN: Final = 24
SERIES_NAMES: Final = {
    "dni_w_per_m2": N_("Beam of the sun"),
    "ghi_w_per_m2": N_("Global light"),
    "wind_m_per_s": N_("Wind speed"),
}
UNITS: Final = {"dni_w_per_m2": "W/m²", "ghi_w_per_m2": "W/m²", "wind_m_per_s": "m/s"}
PLACE_NAMES: Final = {
    "ouarzazate": N_("Ouarzazate"),
    "koudia": N_("Koudia Al Baida"),
    "daggett": N_("Daggett, California"),
    "tetouan": N_("Tétouan"),
}
LABELS: Final = {"synthetic": N_("synthetic"), "measured": N_("measured"), "reanalysis": N_("reanalysis")}
METHODS: Final = ("forecast", "statistical")
LEADS_TOLD: Final = (3, 6, 24, 48)


def ahead_page(request: Request) -> HTMLResponse:
    """The page for what the address chooses: a series, a lead, a month; anything else is the first of each."""
    words, study = words_of(request), shipped_forecasts()
    chosen = chosen_in(dict(request.query_params), study)
    weeks = study["weeks"][chosen["series"]]
    row = _row_of(study["synthetic"][weeks["place"]], weeks["series"], "forecast", chosen["lead"])
    return page(
        request,
        "energy_ahead.html",
        "/energy",
        tabs=tabs_of(words, AHEAD),
        headline=N_("A day ahead, the beam of the sun is known to {beam}, the wind to {wind}."),
        headline_values=_known_to(words, study),
        series=[
            (_link(chosen, series=index), _series_name(words, one["place"], one["series"]), index == chosen["series"])
            for index, one in enumerate(study["weeks"])
        ],
        leads=[
            (_link(chosen, lead=lead), words.count("{n} hour ahead", "{n} hours ahead", lead), lead == chosen["lead"])
            for lead in study["leads_h"]
        ],
        months=[
            (_link(chosen, month=index + 1), name, index + 1 == chosen["month"])
            for index, name in enumerate(words.months())
        ],
        week=_week(words, weeks, chosen),
        inside=words.percent(row["coverage_frac"]),
        heads=[
            words.say("Series"), words.say("Hours ahead"), words.say("Typical error"),
            words.say("Better than yesterday"),
            words.say("Better than what is usual"), words.say("In the band"),
        ],
        rows=[row for place, rows in study["synthetic"].items() for row in _score_rows(words, place, rows)],
        real=[
            {
                "name": _place(words, one["place"]),
                "label": words.say(LABELS.get(one["label"], one["label"])),
                "origin": one["origin"].partition(";")[0],
                "licence": one["licence"],
                "rows": _score_rows(words, one["place"], _measured_rows(one)),
            }
            for one in study["real"]
        ],
        seeds=", ".join(words.number(seed) for seed in study["seeds"]),
        training=", ".join(words.number(seed) for seed in study["training_seeds"]),
    )  # fmt: skip


def chosen_in(values: Mapping[str, str], study: Mapping[str, Any]) -> dict[str, int]:
    """Index of the series, lead in hours, month from 1."""
    series, lead, month = (_number(values.get(name)) for name in ("series", "lead", "month"))
    return {
        "series": series if series is not None and series < len(study["weeks"]) else 0,
        "lead": lead if lead is not None and lead in study["leads_h"] else LEAD_SHOWN,
        "month": month if month is not None and 1 <= month <= 12 else 1,
    }


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and len(text) <= 3 and text.isascii() and text.isdecimal() else None


def _link(chosen: Mapping[str, int], **change: int) -> str:
    return "?" + urlencode({**chosen, **change}) + "#ahead-card"


def _place(words: Words, place: str) -> str:
    return words.say(PLACE_NAMES[place]) if place in PLACE_NAMES else place


def _series_name(words: Words, place: str, series: str) -> str:
    return words.pair(words.say(SERIES_NAMES[series]), _place(words, place))


def _known_to(words: Words, study: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for word, place, series in (("beam", "ouarzazate", "dni_w_per_m2"), ("wind", "koudia", "wind_m_per_s")):
        row = _row_of(study["synthetic"][place], series, "forecast", LEAD_SHOWN)
        found[word] = _amount(words, row["rmse"], series)
    return found


def _row_of(rows: Sequence[Mapping[str, Any]], series: str, method: str, lead_h: int) -> Mapping[str, Any]:
    return next(row for row in rows if (row["series"], row["method"], row["lead_h"]) == (series, method, lead_h))


def _amount(words: Words, value: float, series: str) -> str:
    digits = 0 if series.endswith("w_per_m2") else 1
    return isolated(f"{words.number(value, digits)}\u00a0{UNITS[series]}")


def _week(words: Words, weeks: Mapping[str, Any], chosen: Mapping[str, int]) -> dict[str, Any]:
    month, scale, series = chosen["month"] - 1, weeks["scale"], weeks["series"]

    def values(part: Sequence[Sequence[int]]) -> list[float]:
        return [value / scale for value in part[month]]

    lead = weeks["leads"][str(chosen["lead"])]
    truth, low, middle, high = values(weeks["truth"]), *(values(lead[word]) for word in ("p10", "p50", "p90"))
    start_s = YEAR_START_S + weeks["starts_h"][month] * HOUR_S
    days = [words.day(start_s + (day + 0.5) * DAY_S) for day in range(7)]
    name = _series_name(words, weeks["place"], series)
    label = words.say("{name}: what came, and what was said {n} hours before", name=name,
                      n=words.number(chosen["lead"]))  # fmt: skip
    readings = [
        [
            words.when(start_s + hour * HOUR_S),
            words.pair(words.say("what came"), _amount(words, truth[hour], series)),
            words.pair(words.say("said before"), _amount(words, middle[hour], series)),
            _span(words, low[hour], high[hour], series),
        ]
        for hour in range(len(truth))
    ]
    rows = [
        [words.say("what came"), *_daily(words, truth)],
        [words.say("said before"), *_daily(words, middle)],
    ]
    inside = [one <= came <= other for one, came, other in zip(low, truth, high, strict=True) if other > one]
    picture = fan.fan_chart(truth, low, middle, high, days, UNITS[series], words, label)
    field = (
        f'<svg data-readable="ahead-data" data-x0="{fan.START:g}" data-x1="{fan.WIDTH - fan.END:g}" '
        f'data-y0="{fan.ABOVE:g}" data-y1="{fan.GROUND:g}" '
    )
    return {
        "picture": Markup(str(picture).replace("<svg ", field, 1)),
        "readings": data_block("ahead-data", readings),
        "label": label,
        "inside": words.percent(sum(inside) / len(inside)) if inside else "–",
        "heads": [words.say("Mean of the day, {unit}", unit=UNITS[series]), *days],
        "rows": rows,
        "seed": words.number(weeks["seed"]),
    }


def _span(words: Words, low: float, high: float, series: str) -> str:
    return words.say("{low} to {high}", low=_amount(words, low, series), high=_amount(words, high, series))


def _daily(words: Words, series: Sequence[float]) -> list[str]:
    return [words.number(sum(series[24 * day : 24 * day + 24]) / 24) for day in range(7)]


def _measured_rows(one: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Scores of what a file held; a beam that was worked out from global light is left out."""
    is_worked_out = "no DNI in the file" in one["origin"]
    return [row for row in one["rows"] if not (is_worked_out and row["series"] == "dni_w_per_m2")]


def _score_rows(words: Words, place: str, rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Forecasts by lead: their error, skills against persistence and what is usual, coverage of the band."""
    return [
        [
            _series_name(words, place, row["series"]),
            words.number(row["lead_h"]),
            _amount(words, row["rmse"], row["series"]),
            words.percent(row["rmse_skill_frac"]),
            words.percent(row["crps_skill_frac"]),
            words.percent(row["coverage_frac"]),
        ]
        for row in rows
        if row["method"] in METHODS and row["lead_h"] in LEADS_TOLD
    ]
