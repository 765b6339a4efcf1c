"""Several runs side by side: which did best in what, where the park's policy loses, and small pictures of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from markupsafe import Markup

from eureka_park.twin.comparison import compared
from eureka_park.twin.run_record import RunRecord
from eureka_park.web.charts.report_power import top_of
from eureka_park.web.charts.wait_lines import Spread, wait_lines
from eureka_park.web.pages.words import N_, Words, isolated
from eureka_park.web.twin_report.hours import mean_day, power_of
from eureka_park.web.twin_report.measures import BY_GPU_H, GROUPS, SPREADS, TIERS, percent, told, value_of
from eureka_park.web.twin_report.pictures import TIER_TITLES, both, day_picture, heat_of
from eureka_park.web.twin_report.sentences import DOES, PARK, POLICIES, policy_in_text, policy_name

FORMS: Final = {"1": "ratio", "cpu_s": "s"}  # units of a comparison that are told in a form of another name
RUN_TITLES: Final = {"cpu_s": N_("time of computing"), "peak_rss_mib": N_("memory")}


def names_of(records: Sequence[RunRecord], words: Words) -> list[str]:
    """A name for each run: its policy, its seed too where policies repeat, a number where that is not enough."""
    policies = [str(record.figures.get("policy")) for record in records]
    names: list[str] = []
    for at, policy in enumerate(policies):
        name = policy_name(policy, words)
        if policies.count(policy) > 1:
            name = words.joined((name, words.say("seed {n}", n=words.number(records[at].figures.get("seed") or 0, 0))))
        n_before = sum(one == name or one.startswith(f"{name} (") for one in names)
        names.append(name if not n_before else f"{name} ({words.number(n_before + 1)})")
    return names


def comparison_of(records: Sequence[RunRecord], words: Words) -> dict[str, Any]:
    """The table, its sentences, and the small pictures."""
    found = compared([(record.figures, record.request) for record in records])
    columns = [_column_name(column, found["columns"], words) for column in found["columns"]]
    rows = [_row(row, words) for row in found["figures"]]
    return {
        "headline": _headline(found, words),
        "bests": _bests(found, words),
        "differ": [] if found["is_comparable"] else _differ(found, words),
        "columns": columns,
        "rows": rows,
        "does": [(policy_name(one, words), words.say(DOES[one]))
                 for one in dict.fromkeys(str(column["policy"]) for column in found["columns"]) if one in DOES],
        "losses": _losses(found, words),
        "has_uncounted": any(not all(row["counts"]) for row in found["figures"]),
        "runs": _small(records, words),
        "waits": _waits(records, words),
        "n_seeds": max(column["n_runs"] for column in found["columns"]),
    }  # fmt: skip


def _column_name(column: dict[str, Any], columns: Sequence[dict[str, Any]], words: Words) -> str:
    policy = str(column["policy"])
    is_alone = sum(one["policy"] == policy for one in columns) == 1
    return policy_name(policy, words) if is_alone and policy in POLICIES else isolated(str(column["name"]))


def _in_text(column: dict[str, Any], columns: Sequence[dict[str, Any]], words: Words) -> str:
    policy = str(column["policy"])
    if sum(one["policy"] == policy for one in columns) == 1 and policy in POLICIES:
        return policy_in_text(policy, words)
    return words.say("the policy “{name}”", name=_column_name(column, columns, words))


def figure_title(name: str, words: Words) -> str:
    """What a figure of the table is called: `wait_s_by_gpu_h.flex.mean` in words."""
    base, *rest = name.split(".")
    measures = {one.name: one for one in (*SPREADS, *(one for group in GROUPS.values() for one in group))}
    if base in RUN_TITLES:
        return words.say(RUN_TITLES[base])
    measure = measures.get(base) or measures.get(base.removesuffix(BY_GPU_H))
    if measure is None:
        return isolated(name)
    parts = [words.say(measure.title)]
    parts += [words.say("by GPU hours")] if base.endswith(BY_GPU_H) and base not in measures else []
    parts += [words.say(TIERS[part]) if part in TIERS else words.say("mean") if part == "mean" else isolated(part)
              for part in rest]  # fmt: skip
    return words.joined(parts)


def _told(value: float, unit: str, words: Words) -> str:
    if unit == "mib":
        return words.size(value * 2**20)
    return told(value, FORMS.get(unit, unit), words)


def _row(row: dict[str, Any], words: Words) -> dict[str, Any]:
    cells = []
    for at, value in enumerate(row["values"]):
        text = "–" if value is None else _told(value["mean"], row["unit"], words)
        low, high = ("", "") if value is None else (_told(value[end], row["unit"], words) for end in ("min", "max"))
        spread = words.say("{low} to {high}", low=low, high=high) if low != high else ""
        cells.append({"text": text, "spread": spread, "is_best": at in row["best"], "counts": row["counts"][at]})
    return {"title": figure_title(row["name"], words), "name": row["name"], "cells": cells}


def _headline(found: dict[str, Any], words: Words) -> str:
    row = next((row for row in found["figures"] if row["name"] == "cfe_frac"), None)
    n = len(found["columns"])
    if not found["is_comparable"]:
        return words.count("{n} run that is not of the same world", "{n} runs that are not of the same world", n)
    if row is None or len(row["best"]) != 1:
        return words.count("{n} run of the same days", "{n} runs of the same days", n)
    best = row["best"][0]
    shares = sorted(value["mean"] for value in row["values"] if value is not None)
    if percent(shares[-1], words) == percent(shares[-2], words):  # nobody would see who it was
        return words.say(
            "{n} policies over the same days: {low} to {high} from sun, wind and salt.",
            n=words.number(n), low=percent(shares[0], words), high=percent(shares[-1], words),
        )  # fmt: skip
    return words.say(
        "The cleanest of {n}: {policy}, with {share} from sun, wind and salt.",
        policy=_in_text(found["columns"][best], found["columns"], words),
        n=words.number(n), share=percent(row["values"][best]["mean"], words),
    )  # fmt: skip


BESTS: Final = (
    ("wait_s.flex.mean", N_("Flexible jobs waited least under {policy}: {value} on average.")),
    ("deadline_hit_frac.flex", N_("Most of their deadlines were met under {policy}: {value}.")),
    ("bought_mwh", N_("Least was bought under {policy}: {value}.")),
    ("jain_index", N_("Service was most even under {policy}: {value}.")),
)


def _bests(found: dict[str, Any], words: Words) -> list[str]:
    """Who was best in what people notice, where that is one alone."""
    rows = {row["name"]: row for row in found["figures"]}
    told_: list[str] = []
    for name, text in BESTS:
        row = rows.get(name)
        if row is not None and len(row["best"]) == 1:
            best = row["best"][0]
            value = _told(row["values"][best]["mean"], row["unit"], words)
            told_.append(words.say(text, policy=_in_text(found["columns"][best], found["columns"], words), value=value))
    return told_


def _differ(found: dict[str, Any], words: Words) -> list[str]:
    told_: list[str] = []
    for item in found["differ"]:
        values = words.joined(isolated(_plain(value)) for value in item["values"])
        told_.append(words.pair(isolated(str(item["name"])), values))
    return told_


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(_plain(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _losses(found: dict[str, Any], words: Words) -> list[str] | None:
    """Figures in which another policy does better than the park's own; none where the park's is not among them."""
    at = next((at for at, column in enumerate(found["columns"]) if column["policy"] == PARK), None)
    if at is None or not found["is_comparable"] or len(found["columns"]) < 2:
        return None
    lost = []
    for row in found["figures"]:
        mine = row["values"][at]
        if not row["best"] or at in row["best"] or mine is None or not row["better"]:
            continue
        best = row["best"][0]
        theirs, own = (_told(row["values"][one]["mean"], row["unit"], words) for one in (best, at))
        if theirs != own:
            title = figure_title(row["name"], words)
            text = N_("{figure}: {own}, and {theirs} under {policy}")
            lost.append(
                words.say(
                    text,
                    figure=title,
                    theirs=theirs,
                    own=own,
                    policy=_in_text(found["columns"][best], found["columns"], words),
                )
            )
    return lost


def _small(records: Sequence[RunRecord], words: Words) -> list[dict[str, Any]]:
    """A mean day and the hours by days of each run, on one scale."""
    powers = [power_of(record) for record in records]
    days = [[mean_day(power, words, series / 1000.0) for series in (power.there, power.load)]
            for power in powers if power is not None]  # fmt: skip
    top = max((top_of(there, load) for there, load in days), default=0.0)
    shown = []
    for name, record, power in zip(names_of(records, words), records, powers, strict=True):
        share = record.figures.get("cfe_frac")
        item: dict[str, Any] = {"name": name, "share": "–" if share is None else percent(share, words)}
        if power is not None:
            item |= {
                "day": day_picture(power, words, top_mw=top),
                "heat": heat_of(power, words, is_small=True)["picture"],
            }
        shown.append(item)
    return shown


def _waits(records: Sequence[RunRecord], words: Words) -> Markup:
    """Waits of each tier, a line for each run."""
    names, groups = names_of(records, words), []
    for tier, title in TIER_TITLES.items():
        spreads = [
            Spread(name, tier, found)
            for name, record in zip(names, records, strict=True)
            if isinstance(found := value_of(record.figures, f"wait_s.{tier}"), dict) and "p99" in found
        ]
        groups.append((words.say(title), spreads))
    if not any(spreads for _, spreads in groups):
        return Markup("")
    label = words.say("Wait until the first start, by tier and run")
    return both(lambda is_narrow: wait_lines(groups, words, label, is_narrow=is_narrow))
