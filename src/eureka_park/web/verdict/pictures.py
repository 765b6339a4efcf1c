"""The pictures of the verdict and the same figures as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from eureka_park.energy.verdict_schema import SCENARIOS, SOURCES, Study
from eureka_park.foundation.units import HOUR_S
from eureka_park.web.charts.dispatch_week import dispatch_week
from eureka_park.web.charts.duration import Falling, duration_chart, key
from eureka_park.web.charts.heat import N_CLASSES
from eureka_park.web.charts.month_stack import Month, month_stack
from eureka_park.web.charts.pareto import Dot, pareto_chart
from eureka_park.web.charts.plan import Layer
from eureka_park.web.charts.year_heat import swatch, year_heat
from eureka_park.web.pages.words import Words
from eureka_park.web.verdict.facts import SCENARIO_NAMES, SOURCE_NAMES
from eureka_park.web.verdict.sentences import cell_of, mad_text

LOCAL_H: Final = 1  # Morocco is one hour before UTC all year but for Ramadan
_WEEK_H: Final = 168
_TENTHS: Final = 10.0


def series_mw(study: Study) -> dict[str, list[float]]:
    """What serves the constant load by source, MW hour by hour."""
    return {name: [tenths / _TENTHS for tenths in study["hours"]["by_source"][name]] for name in SOURCES}


def clean_shares(study: Study) -> list[float]:
    """Share of the load that is not from the grid, hour by hour."""
    load = study["hours"]["load_mw"]
    clean = [series for name, series in series_mw(study).items() if name != "grid"]
    return [min(1.0, sum(values) / load) for values in zip(*clean, strict=True)]


def year_of(study: Study, words: Words) -> dict[str, Any]:
    """The heat map; its hours are those of the site."""
    shares = clean_shares(study)
    local = shares[-LOCAL_H:] + shares[:-LOCAL_H]
    label = words.say("Share of the load from sun, wind and salt, for every hour of the year")
    full = sum(share > 0.999 for share in shares) / len(shares)
    return {
        "picture": year_heat(local, words.months(), label),
        "ramp": [(swatch(index), words.percent((index + 1) / N_CLASSES)) for index in range(N_CLASSES)],
        "full": words.percent(full),
        "heads": [words.say("Hour"), *words.months()],
        "rows": _means(local, words),
    }


def _means(local: Sequence[float], words: Words) -> list[list[str]]:
    """Mean share by hour of the day and month: the heat map as a table, every third hour."""
    by_month = _months_of(local)
    rows = []
    for hour in range(0, 24, 3):
        means = [[sum(month[at::24]) * 24 / len(month) for at in range(hour, hour + 3)] for month in by_month]
        rows.append([f"{hour:02d}:00", *(words.percent(sum(three) / 3) for three in means)])
    return rows


def _months_of(series: Sequence[float]) -> list[list[float]]:
    days, at, parts = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 0, []
    for n_days in days:
        parts.append(list(series[at : at + 24 * n_days]))
        at += 24 * n_days
    return parts


def weeks_of(study: Study, words: Words) -> list[dict[str, Any]]:
    """The best and the worst of the year's 52 weeks, on one scale."""
    shares, hours = clean_shares(study), study["hours"]
    ranked = sorted(range(len(shares) // _WEEK_H), key=lambda week: sum(_week(shares, week)))
    top = hours["load_mw"] * 1.02
    shown = []
    for week, name in ((ranked[-1], words.say("The best week")), (ranked[0], words.say("The worst week"))):
        starts = [hours["start_s"] + (week * _WEEK_H + 24 * day) * HOUR_S for day in range(7)]
        layers = [
            Layer(css, words.say(SOURCE_NAMES[css]), _week(series, week)) for css, series in series_mw(study).items()
        ]
        share = words.percent(sum(_week(shares, week)) / _WEEK_H)
        told = words.say("{name}: {share} from sun, wind and salt", name=name, share=share)
        days = [words.day(start + 12 * HOUR_S) for start in starts]
        picture = dispatch_week(layers, hours["load_mw"], days, words, told, top)
        heads = [words.say("Source"), *days]
        rows = [
            [layer.name, *(words.energy(1000 * sum(layer.mw[24 * day : 24 * day + 24])) for day in range(7))]
            for layer in layers
            if max(layer.mw) > 0
        ]
        shown.append({"told": told, "picture": picture, "heads": heads, "rows": rows})
    return shown


def _week(series: Sequence[float], week: int) -> list[float]:
    return list(series[week * _WEEK_H : (week + 1) * _WEEK_H])


def months_of(study: Study, words: Words) -> dict[str, Any]:
    """The monthly stack."""
    by_source = {name: [sum(month) / 1000 for month in _months_of(series)] for name, series in series_mw(study).items()}
    months = []
    for index, name in enumerate(words.months()):
        parts = [(css, values[index]) for css, values in by_source.items()]
        total = sum(gwh for _, gwh in parts) or 1.0
        clean = 1.0 - by_source["grid"][index] / total
        months.append(Month(name, parts, words.percent(clean)))
    rows = [
        [words.say(SOURCE_NAMES[css]), *(words.number(gwh, 0) for gwh in values), words.number(sum(values), 0)]
        for css, values in by_source.items()
        if sum(values) > 0
    ]
    label = words.say("Energy that serves the load, by month and source")
    heads = [words.say("GWh"), *words.months(), words.say("Year")]
    return {"picture": month_stack(months, words, label), "heads": heads, "rows": rows}


def duration_of(study: Study, words: Words) -> dict[str, Any]:
    """Clean power that serves the load, sorted, under each scenario."""
    load = study["hours"]["load_mw"]
    lines = [
        Falling(str(n), words.say(SCENARIO_NAMES[name]), study["duration_mw"][name]) for n, name in enumerate(SCENARIOS)
    ]
    label = words.say("Clean power that serves the load, sorted from the most to the least")
    marks = (0, 25, 50, 75, 100)
    return {
        "picture": duration_chart(lines, load, words.say("the load, {mw}", mw=words.power(load)), words, label),
        "keys": [(key(line.css), line.name) for line in lines],
        "heads": [words.say("Share of the year"), *(words.percent(mark / 100) for mark in marks)],
        "rows": [[line.name, *(words.power(line.mw[mark]) for mark in marks)] for line in lines],
    }


def pareto_of(study: Study, words: Words) -> dict[str, Any]:
    """The least-cost systems and what exists today."""
    now = cell_of(study, "constant", "all-plants")
    today = words.say("today’s plants")
    dots = [Dot(now["cfe_frac"]["p50"], now["mad_per_kwh"]["p50"], today, is_now=True)]
    rows = []
    for point in study["pareto"]:
        share, cost = words.percent(point["cfe_frac"]), words.number(point["mad_per_kwh"], 2)
        if point["capital_mad"] > 0:  # what needs nothing new is the ring
            capital = words.number(point["capital_mad"] / 1e9, 1)
            dots.append(Dot(point["cfe_frac"], point["mad_per_kwh"], words.pair(share, cost), capital))
        rows.append(
            [share, cost, mad_text(point["capital_mad"], words), words.number(point["gco2_per_kwh"], 0),
             words.power(point["wind_mw"]), words.power(point["pv_mw"]), words.power(point["csp_mw"]),
             words.energy(1000 * point["battery_mwh"])]
        )  # fmt: skip
    heads = [
        words.say("Share"), words.say("MAD a kWh"), words.say("Capital"), words.say("g a kWh"), words.say("Wind"),
        words.say("PV"), words.say("CSP"), words.say("Battery"),
    ]  # fmt: skip
    label = words.say("Cost of a kWh over the hour-matched share")
    return {"picture": pareto_chart(dots, words, label), "heads": heads, "rows": rows}


def year_mix(study: Study) -> list[tuple[str, float]]:
    """The sources of the whole year as (colour class, energy), for the band on top."""
    return [(name, float(sum(series))) for name, series in study["hours"]["by_source"].items()]
