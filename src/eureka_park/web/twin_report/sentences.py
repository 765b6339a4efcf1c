"""What a run was and what came out, in words. All of it follows from the figures, whatever they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from eureka_park.twin.run_record import RunRecord
from eureka_park.web.pages.words import N_, Words, isolated
from eureka_park.web.twin_report.measures import energy, percent, value_of

POLICIES: Final[Mapping[str, str]] = {
    "park": N_("The park's own policy"),
    "fcfs-easy": N_("First come, first served"),
    "hard-cut": N_("Hard cut at the budget"),
    "wait-awhile": N_("Wait a while for clean power"),
    "lowest-window": N_("Cleanest window"),
    "edf-surplus": N_("Deadlines first, on surplus"),
}
# What each of the others does; of the park's own there is a guide.
DOES: Final[Mapping[str, str]] = {
    "fcfs-easy": N_("in the order of sending, with backfill; power is not looked at."),
    "hard-cut": N_("the same, as far as own clean power reaches; where it falls whole jobs stop, firm ones too."),
    "wait-awhile": N_(
        "work that can wait starts in the cleaner hours of the next day, at its latest start in any case."
    ),
    "lowest-window": N_("work that can wait chooses its cleanest start when it comes, and keeps to it."),
    "edf-surplus": N_("work that can wait runs on own clean power, the most urgent first; at its latest start on any."),
}


PARK: Final = "park"
_WHOLE: Final = 0.9995
_MOST: Final = 0.5


def policy_name(name: str, words: Words) -> str:
    """A policy as people call it; its own name where it is none of the park's."""
    return words.say(POLICIES[name]) if name in POLICIES else isolated(name)


def policy_in_text(name: str, words: Words) -> str:
    """A policy inside a sentence."""
    if name == PARK:
        return words.say("the park’s own policy")
    return words.say("the policy “{name}”", name=policy_name(name, words))


def headline(record: RunRecord, words: Words) -> str:
    """The first sentence: how much of the energy was clean when it was drawn; else how much of the work is done."""
    share = record.figures.get("cfe_frac")
    if share is None:
        return words.say("{share} of the work that came is done.", share=_frac(record, "done_frac", words))
    if share >= _WHOLE:
        return words.say("Sun, wind and salt carried the machines in every hour.")
    text = (
        N_("Sun, wind and salt carried {share} of what the machines drew, hour by hour.")
        if share >= _MOST
        else N_("Sun, wind and salt carried only {share} of what the machines drew, hour by hour.")
    )
    return words.say(text, share=percent(share, words))


def paragraph(record: RunRecord, words: Words) -> list[str]:
    """What was run and what came out: sentences of one paragraph."""
    parts = (_what, _jobs, _waits, _deadlines, _firm, _energy, _bound)
    return [sentence for part in parts if (sentence := part(record, words))]


def period(record: RunRecord, words: Words) -> str:
    """The days of a run, from the first to the last."""
    first_s = start_of(record)
    days = record.figures.get("days_played") or record.figures.get("days") or 0.0
    if first_s is None:
        return words.count("{n} day", "{n} days", days)
    last_s = first_s + 86_400.0 * days - 1.0
    first, last = (words.long_date(f"{words.local(instant):%Y-%m-%d}") for instant in (first_s, last_s))
    return first if first == last else words.say("{from} to {to}", **{"from": first, "to": last})


def start_of(record: RunRecord) -> float | None:
    """When the run begins, epoch seconds; none where it does not say."""
    if record.n_hours and "hour_s" in record.hours:
        return float(record.hours["hour_s"][0])
    found = record.request.get("start_s")
    return float(found) if isinstance(found, int | float) else None


def stopped_early(record: RunRecord, words: Words) -> str:
    """A warning where the run was not played to its end; else empty."""
    figures = record.figures
    if figures.get("is_whole", True):
        return ""
    played, wanted = (figures.get(name) or 0.0 for name in ("days_played", "days"))
    return words.say(
        "The run was stopped early: {played} of {wanted} days were played, and every figure is of those.",
        played=words.number(played, _digits(played)), wanted=words.number(wanted, _digits(wanted)),
    )  # fmt: skip


def bound_failed(record: RunRecord, words: Words) -> str:
    """A warning where it could not be worked out what was possible; else empty."""
    why = record.figures.get("bound_failed")
    if not why:
        return ""
    return words.say(
        "What was possible could not be worked out; all other figures hold. The solver said: {why}",
        why=isolated(str(why)),
    )  # fmt: skip


def _digits(value: float) -> int:
    """Digits after the point for a number of days."""
    return 0 if value == round(value) else 1


def _what(record: RunRecord, words: Words) -> str:
    figures = record.figures
    days = words.count("{n} day", "{n} days", figures.get("days_played") or figures.get("days") or 0.0)
    nodes = words.count("{n} node", "{n} nodes", figures.get("n_nodes") or 0)
    jobs = words.count("{n} job", "{n} jobs", figures.get("jobs") or 0)
    policy, trace = policy_in_text(str(figures.get("policy")), words), figures.get("trace")
    if trace:
        text = N_("A computer played {days} of {site} with {nodes}: {jobs} of the trace {trace}, under {policy}.")
    else:
        text = N_("A computer played {days} of {site} with {nodes}: {jobs} drawn by a seed, under {policy}.")
    return words.say(
        text, days=days, site=isolated(str(figures.get("site"))), nodes=nodes, jobs=jobs, policy=policy,
        trace=isolated(str(trace)),
    )  # fmt: skip


def _jobs(record: RunRecord, words: Words) -> str:
    jobs, ended = record.figures.get("jobs"), record.figures.get("jobs_finished")
    if not jobs or ended is None:
        return ""
    return words.say("{share} of the jobs ended by the last hour.", share=percent(ended / jobs, words))


def _waits(record: RunRecord, words: Words) -> str:
    halves = [value_of(record.figures, f"wait_s.{tier}.p50") for tier in ("firm", "flex", "green")]
    if any(half is None for half in halves):
        return ""
    firm, flex, green = (words.duration(half) for half in halves)
    return words.say(
        "Half of the firm jobs began within {firm}, half of the flexible ones within {flex}, half of the green ones within {green}.",  # noqa: E501
        firm=firm, flex=flex, green=green,
    )  # fmt: skip


def _deadlines(record: RunRecord, words: Words) -> str:
    hit = value_of(record.figures, "deadline_hit_frac.flex")
    return (
        "" if hit is None else words.say("{share} of the flexible jobs’ deadlines were met.", share=percent(hit, words))
    )


def _firm(record: RunRecord, words: Words) -> str:
    disturbed = record.figures.get("firm_disturbed")
    if disturbed is None:
        return ""
    if not disturbed:
        return words.say("No firm job was slowed or stopped for want of power.")
    return words.count(
        "Firm jobs were slowed or stopped once for want of power.",
        "Firm jobs were slowed or stopped {n} times for want of power.",
        disturbed,
    )


def _energy(record: RunRecord, words: Words) -> str:
    bought, unused = record.figures.get("bought_mwh"), record.figures.get("curtailed_mwh")
    if bought is None or unused is None:
        return ""
    return words.say(
        "The grid gave {bought}; {unused} of own clean energy found no work and no room in a tank.",
        bought=energy(bought, words), unused=energy(unused, words),
    )  # fmt: skip


def _bound(record: RunRecord, words: Words) -> str:
    bound = record.figures.get("cfe_bound_frac")
    if bound is None:
        return ""
    return words.say(
        "Somebody who knew all weather and jobs in advance could have reached {bound} with the same work.",
        bound=percent(bound, words),
    )  # fmt: skip


def _frac(record: RunRecord, name: str, words: Words) -> str:
    value = record.figures.get(name)
    return "–" if value is None else percent(value, words)
