"""What stands behind a job's reason: place in line, its project's share, what was promised, what would change it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from eureka_park.foundation.units import parse_instant_s
from eureka_park.web.pages.words import N_, Words, isolated

ADVICE: Final = (
    N_("Ask for fewer GPUs, CPUs or memory on one machine."),
    N_("Declare a shorter time (--time), if it needs less: a short job may pass through a gap."),
    N_("Declare a time (--time) that ends before the window begins, or let it wait for its end."),
    N_("In tier flex or green it waits for sun, wind or salt and needs no firm power."),
    N_("Ask for less power, or declare what it really draws with --kw."),
    N_("In tier firm the grid carries it: dearer, but no cloud holds it."),
    N_("Name an earlier deadline with --by: it then starts sooner, at a higher price."),
    N_("Give it a higher --priority to pass other jobs of its project."),
    N_("Submit it again and ask for less of one machine."),
    N_("It starts when they have finished; should one fail, this job is cancelled."),
    N_("Nothing need be done: the first plan is there within minutes."),
    N_("Jobs of tier firm are never capped, paused or frozen by the plan."),
    N_("Within its own share nobody asks it to give way."),
    N_("A top-up of its project, or a transfer from another one, lets it go on."),
    N_("Declare the time that it takes (--time): that is held before it starts."),
    N_("Ask for fewer machines (--nodes or --gpus)."),
    N_("With checkpoints it may begin on fewer machines: --min-nodes."),
    N_("What its project has used counts less from day to day; its turn comes back by itself."),
    N_("With a deadline (--by) it runs in time for it, by then on the grid."),
)
CAUSES: Final[Mapping[str, str]] = {
    "room": N_("no machine was free"),
    "reserved": N_("jobs before it held its place"),
    "window": N_("its machines were closed"),
    "clean_power": N_("too little sun, wind and salt"),
    "firm_power": N_("no firm power was left"),
    "site_power": N_("plants and grid gave too little"),
    "better_hour": N_("it waited for a better hour"),
}


def why_of(words: Words, answer: Mapping[str, Any], now_s: float) -> dict[str, list[str]] | None:
    """Sentences (`facts`) and what would change it (`advice`) in the reader's language; None for nothing to say."""
    facts = list(_facts(words, answer, now_s))
    advice = [words.say(text) for text in answer["advice"]]
    return {"facts": facts, "advice": advice} if facts or advice else None


def _ahead(words: Words, n_ahead: int) -> str:
    if not n_ahead:
        return words.say("No other job stands before it in its line.")
    return words.count("{n} job stands before it in its line.", "{n} jobs stand before it in its line.", n_ahead)


def _facts(words: Words, answer: Mapping[str, Any], now_s: float) -> Iterator[str]:
    codes = {reason["code"] for reason in answer["reasons"]}
    if (line := answer["line"]) and not codes & {"behind", "next"}:
        yield _ahead(words, line["n_ahead"])
    if (share := answer["share"]) and not any("used_frac" in reason["values"] for reason in answer["reasons"]):
        used, due = words.percent(share["used_frac"]), words.percent(share["due_frac"])
        yield words.say("Its project has used {used} of the park lately; {due} is due to it.", used=used, due=due)
    if promise := answer["promise"]:
        yield _promise(words, promise, now_s)
        if promise["told_at"]:
            yield words.say("That was promised at {time}.", time=words.when(parse_instant_s(promise["told_at"]), now_s))
    if estimate := answer["estimate"]:
        p50, p90 = (words.when(parse_instant_s(estimate[name]), now_s) for name in ("p50_at", "p90_at"))
        yield words.say("It should start by {p50}, in nine cases of ten by {p90}.", p50=p50, p90=p90)


def _promise(words: Words, promise: Mapping[str, Any], now_s: float) -> str:
    at = words.when(parse_instant_s(promise["promised_at"]), now_s)
    if promise["cause"] is None:
        return words.say("A start at {time} was promised to it.", time=at)
    cause = CAUSES.get(promise["cause"])
    return words.say(
        "A start at {time} was promised to it; it is {late} late: {cause}.",
        time=at,
        late=words.duration(promise["late_s"]),
        cause=words.say(cause) if cause else isolated(promise["cause"]),
    )
