"""Everything that the report's template shows: every figure spoken, every picture drawn."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from eureka_park.twin.run_record import RunRecord
from eureka_park.web.pages.words import N_, Words, isolated
from eureka_park.web.twin_report import pictures
from eureka_park.web.twin_report.compare import comparison_of, names_of
from eureka_park.web.twin_report.flows import flow_of
from eureka_park.web.twin_report.gantt import gantt_of
from eureka_park.web.twin_report.hours import power_of
from eureka_park.web.twin_report.measures import (
    BY_GPU_H,
    ENDS,
    GROUPS,
    QUANTILES,
    SPREADS,
    TIERS,
    percent,
    told,
    value_of,
)
from eureka_park.web.twin_report.sentences import bound_failed, headline, paragraph, period, policy_name, stopped_early

# What was asked for, by its name in the request, and how it is called; the option that asks for it.
ASKED: Final[Mapping[str, tuple[str, str]]] = {
    "policy": (N_("policy"), "--policy"),
    "days": (N_("days"), "--days"),
    "seed": (N_("seed"), "--seed"),
    "n_jobs": (N_("jobs"), "--jobs"),
    "load_frac": (N_("GPU hours asked for, over those installed"), "--load"),
    "demand_of_supply": (N_("energy asked for, over own clean energy"), "--demand-of-supply"),
    "trace": (N_("trace"), "--trace"),
    "weather": (N_("weather files"), "--weather"),
    "scenario": (N_("outages of plants"), "--scenario"),
    "faults": (N_("faults"), "--faults"),
    "plan_every_h": (N_("hours from plan to plan"), ""),
}
_DEFAULTS: Final = {"scenario": "all-plants", "policy": "park"}
LIMITS: Final = (
    N_("Everything here is simulated. The same seed gives the same run, to the last decision; its digest says so."),
    N_(
        "Weather is synthetic unless a file is named; plans know it only by forecasts whose errors have published size."
    ),
    N_("Salt that the machines leave stays in the tanks as far as they hold it; what they cannot hold is lost."),
    N_("Jobs of a seed have the shape of published traces of other clusters; nobody has run this one."),
    N_("Carbon of own plants is their mean by power, for a run does not tell which of them gave."),
)


def view_of(records: Sequence[RunRecord], words: Words) -> dict[str, Any]:
    """What the template needs: of one run everything, of several their comparison."""
    shared = {
        "groups": _groups(records, words),
        "columns": names_of(records, words),
        **_bases(records, words),
        "limits": [words.say(text) for text in LIMITS],
        "warnings": [
            text for record in records for told_ in (stopped_early, bound_failed) if (text := told_(record, words))
        ],
        "period": period(records[0], words),
        "site": isolated(str(records[0].figures.get("site") or "")),
        "labels": _labels(records, words),
        "mix": _mix(records[0]),
    }
    if len(records) > 1:
        found = comparison_of(records, words)
        power = power_of(records[0])
        legend = pictures.legend_of(power, words) if power is not None else []
        return {**shared, "comparison": found, "headline": found["headline"], "legend": legend}
    return {**shared, "comparison": None, **_one(records[0], words)}


def _one(record: RunRecord, words: Words) -> dict[str, Any]:
    power = power_of(record)
    drawn: dict[str, Any] = dict.fromkeys(("weeks", "months", "heat", "legend", "flow", "gantt"))
    if power is not None:
        drawn = {
            "weeks": pictures.weeks_of(power, words),
            "months": pictures.months_picture(power, words),
            "heat": pictures.heat_of(power, words),
            "legend": pictures.legend_of(power, words),
            "has_plan": power.planned is not None,
            "flow": flow_of(record, power_of(record, with_tail=True) or power, words),
            "gantt": gantt_of(record, power, words),
        }
    return {
        **drawn,
        "headline": headline(record, words),
        "paragraph": paragraph(record, words),
        "cards": _cards(record, words),
        "waits": pictures.waits_of(record, words),
        "deadlines": pictures.deadlines_of(record, words),
        "fairness": pictures.fairness_of(record, words),
        "fair_told": _fair_told(record, words),
        "spreads": _spreads(record, words),
    }


def _cards(record: RunRecord, words: Words) -> list[dict[str, str]]:
    """The figures that stand first."""
    flex, bound = value_of(record.figures, "wait_s.flex.p50"), record.figures.get("cfe_bound_frac")
    asked = (
        ("cfe_frac", N_("clean, hour by hour"),
         words.say("possible: {bound}", bound=percent(bound, words)) if bound is not None else ""),
        ("bought_mwh", N_("bought from the grid"), ""),
        ("done_frac", N_("of the work done"), ""),
    )  # fmt: skip
    forms = {one.name: one.form for group in GROUPS.values() for one in group}
    cards = [
        {"figure": told(record.figures[name], forms[name], words), "name": words.say(title), "under": under}
        for name, title, under in asked
        if record.figures.get(name) is not None
    ]
    if flex is not None:
        under = words.say("95 of 100 within {wait}", wait=words.duration(value_of(record.figures, "wait_s.flex.p95")))
        cards.append({"figure": words.duration(flex), "name": words.say("median wait, flexible jobs"), "under": under})
    return cards


def _fair_told(record: RunRecord, words: Words) -> str:
    jain, least = record.figures.get("jain_index"), record.figures.get("jain_index_min")
    rho = record.figures.get("rho_max_by_gpu_h")
    if jain is None or least is None:
        return ""
    text = words.say(
        "Evenness of service (Jain) is {jain}, in the least even week {least}; 1 is even.",
        jain=words.number(jain, 2), least=words.number(least, 2),
    )  # fmt: skip
    if rho is None:
        return text
    more = N_("The worst tenant’s work took {rho} times as long as on machines of its own.")
    return f"{text} {words.say(more, rho=words.number(rho, 2))}"


# Tables ---------------------------------------------------------------------------------------------------------------


def _groups(records: Sequence[RunRecord], words: Words) -> list[dict[str, Any]]:
    """All measures with their meaning, a value for each run; those that no run has counted are left out."""
    found = []
    for title, measures in GROUPS.items():
        rows = [
            {
                "title": words.say(one.title), "name": one.name, "meaning": words.say(one.meaning),
                "values": [_value(record.figures.get(one.name), one.form, words) for record in records],
            }
            for one in measures
            if any(record.figures.get(one.name) is not None for record in records)
        ]  # fmt: skip
        if rows:
            found.append({"title": title, "rows": rows})
    return found


def _value(value: Any, form: str, words: Words) -> list[str]:
    """A figure in a line; one by tier, or by how jobs ended, has a line for each."""
    if isinstance(value, Mapping):
        names = ENDS if ENDS.keys() & value.keys() else TIERS
        return [words.pair(words.say(name), told(value.get(key), form, words)) for key, name in names.items()]
    return [told(value, form, words)]


def _spreads(record: RunRecord, words: Words) -> list[dict[str, Any]]:
    """Measures by tier and quantile."""
    found = []
    for one in SPREADS:
        rows = []
        for suffix, counted in pictures.COUNTED:
            for tier, name in TIERS.items():
                spread = value_of(record.figures, f"{one.name}{suffix}.{tier}")
                if isinstance(spread, Mapping):
                    cells = [told(spread.get(part), one.form, words) for part in QUANTILES]
                    rows.append([words.joined((words.say(name), words.say(counted))), *cells])
        if rows:
            heads = [words.say("Tier"), words.say("mean"), *QUANTILES[1:]]
            found.append({"title": words.say(one.title), "meaning": words.say(one.meaning),
                          "names": f"{one.name}, {one.name}{BY_GPU_H}", "heads": heads, "rows": rows})  # fmt: skip
    return found


# What it rests on -----------------------------------------------------------------------------------------------------


def _bases(records: Sequence[RunRecord], words: Words) -> dict[str, Any]:
    """What each run rests on; what all have in common is told once."""
    found = [_basis(record, name, words) for record, name in zip(records, names_of(records, words), strict=True)]
    common = [row for row in found[0]["asked"] if len(found) > 1 and all(row in one["asked"] for one in found)]
    for one in found:
        one["asked"] = [row for row in one["asked"] if row not in common]
    return {"basis": found, "common": common}


def _basis(record: RunRecord, name: str, words: Words) -> dict[str, Any]:
    """What was asked for, what was assumed, how to have it again."""
    figures = record.figures
    asked = [
        (words.say(title), isolated(_plain(value)))
        for key, (title, _) in ASKED.items()
        if (value := record.request.get(key, figures.get(key))) not in (None, "", {}, [])
    ]
    assumed = [
        {"name": str(key), "value": _plain(item.get("value")), "source": str(item.get("source") or "")}
        for key, item in (figures.get("assumptions") or {}).items()
        if isinstance(item, Mapping)
    ]
    filled = words.joined(
        words.pair(isolated(str(column)), words.number(n)) for column, n in (figures.get("filled") or {}).items()
    )
    cost = None
    if figures.get("cpu_s") is not None:
        cost = words.say("{cpu} of computing, {memory} of memory at most", cpu=words.duration(figures["cpu_s"]),
                         memory=words.size((figures.get("peak_rss_mib") or 0.0) * 2**20))  # fmt: skip
    return {
        "name": name, "asked": asked, "assumed": assumed, "filled": filled, "cost": cost,
        "digest": str(figures.get("digest") or ""), "command": command_of(record),
    }  # fmt: skip


def command_of(record: RunRecord) -> str:
    """The command that gives the same run."""
    words = ["park", "twin", "run", "--site", str(record.figures.get("site"))]
    request = record.request or {}
    for key, (_, option) in ASKED.items():
        value = request.get(key, record.figures.get(key))
        if not option or value in (None, "", {}, []) or value == _DEFAULTS.get(key):
            continue
        values = [f"{place}={file}" for place, file in value.items()] if isinstance(value, Mapping) else [_plain(value)]
        for one in values:
            words += [option, one]
    return shlex.join(words)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(one) for one in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _labels(records: Sequence[RunRecord], words: Words) -> list[str]:
    """What every figure rests on, in a few words each."""
    figures = records[0].figures
    seeds = sorted({int(record.figures.get("seed") or 0) for record in records})
    weather = str(figures.get("weather") or "synthetic")
    policy = [policy_name(str(figures.get("policy")), words)] if len(records) == 1 else []
    return [
        words.say("simulated"),
        words.say("synthetic weather") if "synthetic" in weather else isolated(weather),
        *policy,
        words.say("seed {n}", n=words.joined(words.number(seed, 0) for seed in seeds)),
    ]


def _mix(record: RunRecord) -> list[tuple[str, float]]:
    """What served the machines by source, for the band on top."""
    power = power_of(record)
    if power is None:
        return []
    return [*((kind, float(series.sum())) for kind, series in power.used.items()), ("grid", float(power.grid.sum()))]
