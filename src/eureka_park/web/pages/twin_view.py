"""What a kept run of the twin says to people: its answer in words, its figures with their meaning, its pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from eureka_park.foundation.units import DAY_S, HOUR_S
from eureka_park.twin.run_desk import RunStatus
from eureka_park.twin.run_hours import RunHours, hours_of
from eureka_park.twin.run_question import DAY_H, EXAMPLE
from eureka_park.web.charts.dispatch_week import dispatch_week
from eureka_park.web.charts.heat import N_CLASSES
from eureka_park.web.charts.plan import Layer
from eureka_park.web.charts.run_heat import run_heat
from eureka_park.web.charts.year_heat import swatch
from eureka_park.web.pages.draw import KIND_NAMES
from eureka_park.web.pages.words import N_, Words

if TYPE_CHECKING:
    from eureka_park.twin.run_record import RunRecord

WEEK_H: Final = 168
LEAST_MW: Final = 0.05  # a source that gives less is left out
TIERS: Final = (("firm", N_("firm")), ("flex", N_("flex")), ("green", N_("green")))
POLICY_NAMES: Final[Mapping[str, str]] = {
    "park": N_("The park's own policy"),
    "fcfs-easy": N_("First come, first served"),
    "hard-cut": N_("Hard cut at the budget"),
    "wait-awhile": N_("Wait a while for clean power"),
    "lowest-window": N_("Cleanest window"),
    "edf-surplus": N_("Deadlines first, on surplus"),
}
Told = Callable[[Words, Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Shown:
    """A run that is looked at: where it stands, its record, its hours."""

    status: RunStatus
    record: RunRecord
    hours: RunHours

    @classmethod
    def of(cls, status: RunStatus, record: RunRecord) -> Shown:
        """A kept run."""
        return cls(status, record, hours_of(record))

    @property
    def figures(self) -> Mapping[str, Any]:
        """Figures of the model."""
        return self.record.figures


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of a run: its name, what it is, and how it is told."""

    name: str
    hint: str
    told: Told


def _percent(key: str) -> Told:
    return lambda words, figures: words.percent(figures.get(key))


def _energy(key: str) -> Told:
    """Energy of the model, at the scale of the full site."""

    def told(words: Words, figures: Mapping[str, Any]) -> str:
        value = figures.get(key)
        return words.energy(None if value is None else 1000.0 * value / float(figures.get("factor") or 1.0))

    return told


def _number(key: str, digits: int | None = None) -> Told:
    def told(words: Words, figures: Mapping[str, Any]) -> str:
        value = figures.get(key)
        return "–" if value is None else words.number(value, digits)

    return told


def _wait(tier: str) -> Told:
    """Half of the jobs, and nineteen of twenty."""

    def told(words: Words, figures: Mapping[str, Any]) -> str:
        found = (figures.get("wait_s") or {}).get(tier) or {}
        if found.get("p50") is None:
            return "–"
        return words.say("{half} · {most}", half=words.duration(found["p50"]), most=words.duration(found.get("p95")))

    return told


def _deadlines(words: Words, figures: Mapping[str, Any]) -> str:
    return words.percent((figures.get("deadline_hit_frac") or {}).get("flex"))


ROWS: Final = (
    Row(N_("Clean, hour by hour"), N_("of the machines' energy, met in its own hour by sun, wind and salt"),
        _percent("cfe_frac")),
    Row(N_("The most that was possible"), N_("with all weather and all jobs known in advance"),
        _percent("cfe_bound_frac")),
    Row(N_("Work done in time"), N_("GPU hours of jobs whose deadline fell into the run"),
        _percent("gpu_h_finished_frac")),
    Row(N_("Deadlines met"), N_("of flex jobs that named one"), _deadlines),
    Row(N_("Wait of firm jobs"), N_("half of them at most · nineteen in twenty at most"), _wait("firm")),
    Row(N_("Wait of flex jobs"), N_("half of them at most · nineteen in twenty at most"), _wait("flex")),
    Row(N_("Wait of green jobs"), N_("half of them at most · nineteen in twenty at most"), _wait("green")),
    Row(N_("Firm jobs disturbed"), N_("capped, paused or frozen for want of power"), _number("firm_disturbed")),
    Row(N_("Pauses"), N_("of all jobs, for want of power"), _number("n_pauses")),
    Row(N_("GPU hours in use"), N_("of those there were"), _percent("utilisation_frac")),
    Row(N_("Bought from the grid"), N_("at the scale of the whole site"), _energy("bought_mwh")),
    Row(N_("Clean energy without work"), N_("at the scale of the whole site"), _energy("curtailed_mwh")),
    Row(N_("Carbon of a kWh"), N_("grams at the site meter, plants' life cycle included"), _number("gco2_per_kwh", 0)),
    Row(N_("Fairness among projects"), N_("Jain's index over weeks; 1 is even"), _number("jain_index", 2)),
)  # fmt: skip


def policy_name(words: Words, policy: str) -> str:
    """A policy for people."""
    return words.say(POLICY_NAMES[policy]) if policy in POLICY_NAMES else policy


def days_told(words: Words, days: float) -> str:
    """A number of days; days and hours where a run ended within one."""
    return words.count("{n} day", "{n} days", days) if days == round(days) else words.duration(days * DAY_S)


def work_told(words: Words, status: RunStatus) -> str:
    """What was asked for, without its policy, in a line."""
    asked = status.question
    parts = [
        words.say(
            "{days} from {month}", days=days_told(words, asked.days), month=words.months("wide")[asked.month - 1]
        ),
        words.say("all machines") if asked.one_in == 1 else words.say("one in {n}", n=words.number(asked.one_in)),
        words.say("load {share}", share=words.percent(asked.load_frac)),
    ]
    for kind, mw in (("wind", asked.wind_mw), ("pv", asked.pv_mw)):
        if mw:
            form = N_("{mw} of new wind") if kind == "wind" else N_("{mw} of new PV")
            parts.append(words.say(form, mw=words.power(mw)))
    if asked.demand_of_supply:
        parts.append(words.say("demand {share} of supply", share=words.percent(asked.demand_of_supply)))
    if asked.seed != EXAMPLE.seed:
        parts.append(words.say("seed {n}", n=words.number(asked.seed)))
    return words.joined(parts)


def answer_of(words: Words, shown: Shown) -> str:
    """A run in two sentences."""
    figures = shown.figures
    told = words.say(
        "{finished} of {jobs} jobs of the model ended within its days, at {use} of its GPU hours.",
        finished=words.number(figures.get("jobs_finished") or 0), jobs=words.number(figures.get("jobs") or 0),
        use=words.percent(figures.get("utilisation_frac")),
    )  # fmt: skip
    disturbed = figures.get("firm_disturbed")
    if disturbed is None:
        return told
    if disturbed == 0:
        return f"{told} {words.say('No firm job was disturbed for want of power.')}"
    firm = words.count(
        "{n} firm job was disturbed for want of power.", "{n} firm jobs were disturbed for want of power.", disturbed
    )
    return f"{told} {firm}"


def beside_told(words: Words, shown: Shown, other: Shown) -> str:
    """How another policy did with the same work."""
    return words.say(
        "With the same jobs under the same sky, the policy “{policy}” comes to {share}.",
        policy=policy_name(words, other.status.question.policy), share=words.percent(other.figures.get("cfe_frac")),
    )  # fmt: skip


def table_of(words: Words, runs: Sequence[Shown]) -> dict[str, Any]:
    """The figures of one run, or of two side by side."""

    def row_told(row: Row) -> dict[str, Any]:
        told = [row.told(words, run.figures) for run in runs]
        return {"name": words.say(row.name), "hint": words.say(row.hint), "told": told}

    return {
        "heads": [policy_name(words, run.status.question.policy) for run in runs],
        "rows": [row_told(row) for row in ROWS],
    }


def pictures_of(words: Words, shown: Shown, week: str | None, query: Mapping[str, str]) -> dict[str, Any]:
    """The days by hours, and a week; what a browser without scripts is left with."""
    hours = shown.hours
    shares, n_days = hours.clean_fracs(), max(1, -(-hours.n // DAY_H))
    days = [words.day(hours.start_s + (index + 0.5) * DAY_S) for index in range(n_days)]
    label = words.say("Share of the work from sun, wind and salt, for every hour of the run")
    return {
        "heats": [run_heat(shares, days, label, size) for size in ("wide", "narrow")],
        "of": words.say(
            "Share of the work from sun, wind and salt, under this policy: {policy}",
            policy=policy_name(words, shown.status.question.policy),
        ),
        "ramp": [swatch(index) for index in range(N_CLASSES)],
        "full": words.percent(sum(share > 0.999 for share in shares) / max(1, len(shares))),
        "week": _week(words, hours, week, query),
        "kinds": [(kind, words.say(KIND_NAMES[kind])) for kind in hours.by_kind_mw if _gives(hours, kind)],
    }


def _gives(hours: RunHours, kind: str) -> bool:
    return float(hours.by_kind_mw[kind].max(initial=0.0)) > LEAST_MW


def _week(words: Words, hours: RunHours, asked: str | None, query: Mapping[str, str]) -> dict[str, Any]:
    n_weeks = max(1, -(-hours.n // WEEK_H))
    number = int(asked) if asked and asked.isascii() and asked.isdecimal() and len(asked) < 4 else 1
    week = min(n_weeks, max(1, number)) - 1
    part = slice(week * WEEK_H, min(hours.n, (week + 1) * WEEK_H))
    starts_s = [hours.start_s + at * HOUR_S for at in range(part.start, part.stop, DAY_H)]
    days = [words.day(start_s + DAY_S / 2) for start_s in starts_s]
    layers = [Layer(kind, words.say(KIND_NAMES[kind]), mw[part].tolist()) for kind, mw in hours.by_kind_mw.items()]
    load = hours.load_mw[part].tolist()
    clean = 1.0 - sum(layers[-1].mw) / max(sum(load), 1e-9)
    told = words.say("{from} to {to}: {share} from sun, wind and salt", **{"from": days[0]}, to=days[-1],
                     share=words.percent(clean))  # fmt: skip

    def link(to: int) -> str:
        return "?" + urlencode({**query, "week": str(to)}) + "#play"

    return {
        "told": told,
        "picture": dispatch_week(layers, load, days, words, told, float(hours.load_mw.max(initial=0.0))),
        "heads": [words.say("Source"), *days],
        "rows": [
            [layer.name, *(words.energy(1000.0 * sum(layer.mw[at : at + DAY_H])) for at in range(0, len(load), DAY_H))]
            for layer in layers
            if max(layer.mw) > LEAST_MW
        ],
        "before": link(week) if week > 0 else "",
        "after": link(week + 2) if week + 1 < n_weeks else "",
    }
