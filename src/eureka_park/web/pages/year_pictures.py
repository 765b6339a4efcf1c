"""The pictures of a solved year: hours by days, a week of dispatch, months by source, how often how much is clean."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup

from eureka_park.energy.lattice_file import is_like
from eureka_park.energy.verdict_file import shipped_study
from eureka_park.energy.year_desk import KINDS, Answer, Hours
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.units import DAY_S, HOUR_S
from eureka_park.web.charts import dispatch_week as weeks
from eureka_park.web.charts import year_heat as year_heats
from eureka_park.web.charts.dispatch_week import dispatch_week
from eureka_park.web.charts.duration import Falling, duration_chart, key
from eureka_park.web.charts.heat import N_CLASSES
from eureka_park.web.charts.month_stack import Month, month_stack
from eureka_park.web.charts.plan import Layer, data_block
from eureka_park.web.charts.year_heat import swatch, year_heat
from eureka_park.web.pages.draw import KIND_NAMES
from eureka_park.web.pages.words import Words

YEAR_START_S: Final = 1735689600.0  # 1 January of the reference year, 00:00 UTC
MONTH_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
WEEK_H: Final = 168
N_WEEKS: Final = 52
N_MARKS: Final = 101
_TENTHS: Final = 10.0
_KEPT: Final = 16
_kept: dict[tuple[int, str], tuple[Hours, dict[str, Any]]] = {}


def shown_hours(site: Site, exact: Answer | None) -> tuple[Hours, float] | None:
    """The hours to draw and their load: of the exact answer, else of the study that comes with the park, else none."""
    if exact is not None:
        return exact.hours, exact.question.load_mw
    study = shipped_study()
    if not is_like(site, study["site"]):
        return None
    return _shipped_hours()


@cache
def _shipped_hours() -> tuple[Hours, float]:
    hours = shipped_study()["hours"]
    by_kind = {kind: array("f", [value / _TENTHS for value in hours["by_source"][kind]]) for kind in KINDS}
    load_mw = float(hours["load_mw"])
    export = array("f", [value / _TENTHS for value in hours["export"]])
    n = len(export)
    return Hours(int(hours["seed"]), array("f", [load_mw]) * n, by_kind, export), load_mw


def pictures_of(words: Words, shown: tuple[Hours, float], week: str | None, query: Mapping[str, str]) -> dict[str, Any]:
    """All pictures with their tables."""
    hours, load_mw = shown
    return {**_of_the_year(words, hours, load_mw), "week": _week(words, hours, load_mw, week, query)}


def _of_the_year(words: Words, hours: Hours, load_mw: float) -> dict[str, Any]:
    """All but the week; kept by year and language, since drawing 8,760 hours takes longer than the rest of a page."""
    name = (id(hours), words.lang)
    if name not in _kept:
        while len(_kept) >= _KEPT:
            _kept.pop(next(iter(_kept)), None)
        told = {
            "load": words.power(load_mw),
            "seed": words.number(hours.seed),
            "year": _year(words, hours.clean_fracs()),
            "months": _months(words, hours),
            "duration": _duration(words, hours, load_mw),
            "kinds": [(kind, words.say(KIND_NAMES[kind])) for kind in KINDS if max(hours.by_kind_mw[kind]) > 0.05],
        }
        _kept[name] = (hours, told)  # with its hours, so that no other year can take their place in memory
    return _kept[name][1]


def _year(words: Words, shares: Sequence[float]) -> dict[str, Any]:
    label = words.say("Share of the load from sun, wind and salt, for every hour of the year")
    days = [shares[day * 24 : day * 24 + 24] for day in range(len(shares) // 24)]
    readings = [
        [words.day(YEAR_START_S + (index + 0.5) * DAY_S), words.percent(sum(day) / 24.0)]
        for index, day in enumerate(days)
    ]
    by_month = _by_month(shares)
    rows = []
    for hour in range(0, 24, 3):
        means = [[sum(month[at::24]) * 24 / len(month) for at in range(hour, hour + 3)] for month in by_month]
        rows.append([f"{hour:02d}:00", *(words.percent(sum(three) / 3) for three in means)])
    return {
        "picture": _readable(
            year_heat(shares, words.months(), label),
            "year-data",
            (year_heats.START, year_heats.WIDTH - year_heats.END),
            (year_heats.ABOVE, year_heats.ABOVE + 24 * year_heats.PITCH),
        ),
        "readings": data_block("year-data", readings),
        "ramp": [swatch(index) for index in range(N_CLASSES)],
        "heads": [words.say("Hour (UTC)"), *words.months()],
        "rows": rows,
        "full": words.percent(sum(share > 0.999 for share in shares) / len(shares)),
    }


def _readable(picture: Markup, block: str, x: tuple[float, float], y: tuple[float, float]) -> Markup:
    """The picture with what the reading line needs: its data, and the field that it moves in."""
    place = f'data-x0="{x[0]:g}" data-x1="{x[1]:g}" data-y0="{y[0]:g}" data-y1="{y[1]:g}"'
    return Markup(str(picture).replace("<svg ", f'<svg data-readable="{block}" {place} ', 1))


def week_asked(text: str | None, shares: Sequence[float]) -> int:
    """The week (0 to 51) that an address names: a number from 1, `best`, or `worst`, which is the one shown first."""
    ranked = sorted(range(N_WEEKS), key=lambda week: sum(shares[week * WEEK_H : (week + 1) * WEEK_H]))
    if text == "best":
        return ranked[-1]
    if text is not None and text.isascii() and text.isdecimal() and len(text) <= 2 and 1 <= int(text) <= N_WEEKS:
        return int(text) - 1
    return ranked[0]


def _week(words: Words, hours: Hours, load_mw: float, asked: str | None, query: Mapping[str, str]) -> dict[str, Any]:
    shares = hours.clean_fracs()
    week = week_asked(asked, shares)
    part = slice(week * WEEK_H, (week + 1) * WEEK_H)
    starts_s = [YEAR_START_S + (week * WEEK_H + 24 * day) * HOUR_S for day in range(7)]
    days = [words.day(start_s + DAY_S / 2) for start_s in starts_s]
    layers = [Layer(kind, words.say(KIND_NAMES[kind]), list(hours.by_kind_mw[kind][part])) for kind in KINDS]
    load = hours.load_mw[part]
    clean = sum(shares[at] * hours.load_mw[at] for at in range(part.start, part.stop)) / max(sum(load), 1e-9)
    told = words.say("{from} to {to}: {share} from sun, wind and salt", **{"from": days[0]}, to=days[-1],
                     share=words.percent(clean))  # fmt: skip
    readings = [_hour(words, starts_s[0] + at * HOUR_S, layers, at, load[at]) for at in range(WEEK_H)]
    rows = [
        [layer.name, *(words.energy(1000.0 * sum(layer.mw[24 * day : 24 * day + 24])) for day in range(7))]
        for layer in layers
        if max(layer.mw) > 0.05
    ]

    def link(name: object) -> str:
        return "?" + urlencode({**query, "week": str(name)}) + "#week-card"

    return {
        "number": week + 1,
        "picture": _readable(
            dispatch_week(layers, load_mw, days, words, told, max(hours.load_mw) * 1.02),
            "week-data",
            (weeks.START, weeks.WIDTH - weeks.END),
            (weeks.ABOVE, weeks.GROUND),
        ),
        "readings": data_block("week-data", readings),
        "told": told,
        "heads": [words.say("Source"), *days],
        "rows": rows,
        "before": link(week) if week > 0 else "",
        "after": link(week + 2) if week < N_WEEKS - 1 else "",
        "best": link("best"),
        "worst": link("worst"),
    }


def _hour(words: Words, start_s: float, layers: Sequence[Layer], at: int, load_mw: float) -> list[str]:
    given = [words.pair(layer.name, words.power(layer.mw[at])) for layer in layers if layer.mw[at] > 0.05]
    return [words.when(start_s), words.pair(words.say("Load"), words.power(load_mw)), *given]


def _months(words: Words, hours: Hours) -> dict[str, Any]:
    by_kind = {kind: [sum(month) / 1000.0 for month in _by_month(hours.by_kind_mw[kind])] for kind in KINDS}
    months = []
    for index, name in enumerate(words.months()):
        parts = [(kind, values[index]) for kind, values in by_kind.items()]
        total = sum(gwh for _, gwh in parts) or 1.0
        months.append(Month(name, parts, words.percent(1.0 - by_kind["grid"][index] / total)))
    rows = [
        [words.say(KIND_NAMES[kind]), *(words.number(gwh, 0) for gwh in values), words.number(sum(values), 0)]
        for kind, values in by_kind.items()
        if sum(values) > 0.05
    ]
    return {
        "picture": month_stack(months, words, words.say("Energy that serves the load, by month and source")),
        "heads": [words.say("GWh"), *words.months(), words.say("Year")],
        "rows": rows,
    }


def _duration(words: Words, hours: Hours, load_mw: float) -> dict[str, Any]:
    clean = [load - bought for load, bought in zip(hours.load_mw, hours.by_kind_mw["grid"], strict=True)]
    there = [mw + sold for mw, sold in zip(clean, hours.export_mw, strict=True)]
    lines = [
        Falling("0", words.say("clean power that serves the load"), _falling(clean, 1.07 * load_mw)),
        Falling("1", words.say("with the surplus that is sold"), _falling(there, 1.07 * load_mw)),
    ]
    marks = (0, 25, 50, 75, 100)
    label = words.say("Clean power that serves the load, sorted from the most to the least")
    return {
        "picture": duration_chart(lines, load_mw, words.say("the load, {mw}", mw=words.power(load_mw)), words, label),
        "keys": [(key(line.css), line.name) for line in lines],
        "heads": [words.say("Share of the year"), *(words.percent(mark / 100) for mark in marks)],
        "rows": [[lines[0].name, *(words.power(lines[0].mw[mark]) for mark in marks)]],
    }


def _falling(series: Sequence[float], most: float) -> list[float]:
    """Marks from the most to the least; what goes beyond the picture runs along its edge."""
    ordered = sorted(series, reverse=True)
    return [min(most, ordered[round(mark / (N_MARKS - 1) * (len(ordered) - 1))]) for mark in range(N_MARKS)]


def _by_month(series: Sequence[float]) -> list[Sequence[float]]:
    found, at = [], 0
    for n_days in MONTH_DAYS:
        found.append(series[at : at + 24 * n_days])
        at += 24 * n_days
    return found
