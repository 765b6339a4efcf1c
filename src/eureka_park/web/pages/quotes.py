"""A quote in words and pictures: what a job would cost in each tier, when it would start, and which hours are best."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from eureka_park.bootstrap import Park
from eureka_park.foundation.units import parse_instant_s
from eureka_park.web.charts.hours import StartHour, hours_strip
from eureka_park.web.charts.plan import data_block
from eureka_park.web.charts.tank import bar
from eureka_park.web.pages.draw import colours_of, names_of
from eureka_park.web.pages.reasons import said
from eureka_park.web.pages.words import N_, Words

TIERS: Final = ("firm", "flex", "green")
_MOST_DIGITS: Final = 6


def credits_text(words: Words, amount: float) -> str:
    """An amount of credits with three figures that matter, at most to the millionth."""
    if not amount:
        return words.number(0)
    digits = max(0, min(_MOST_DIGITS, 2 - math.floor(math.log10(abs(amount)))))
    return words.number(amount, digits)


def tier_texts(words: Words, quoted: Mapping[str, Any], now_s: float) -> dict[str, str]:
    """A tier's price, its energy and carbon, and when it would start."""
    until, estimate = (quoted["reason"] or {}).get("until"), quoted["estimate"]
    if quoted["starts_now"]:
        start = words.say("Starts at once.")
    elif estimate:
        p50, p90 = (words.when(parse_instant_s(estimate[name]), now_s) for name in ("p50_at", "p90_at"))
        start = words.say("It should start by {p50}, in nine cases of ten by {p90}.", p50=p50, p90=p90)
    elif until:
        start = words.say("Starts about {time}.", time=words.when(parse_instant_s(until), now_s))
    else:
        start = words.say("When it starts cannot be said yet.")
    energy, gco2 = words.energy(quoted["energy_kwh"]), words.grams(quoted["gco2"])
    return {
        "price": words.say("{credits} credits", credits=credits_text(words, quoted["credits"])),
        "burns": words.say("{energy}, {gco2} CO₂", energy=energy, gco2=gco2),
        "start": start,
    }


def quote_context(park: Park, words: Words, answer: Mapping[str, Any]) -> dict[str, Any]:
    """What quote.html shows: every tier in three lines, the chosen one with its hours, its parts and its reason."""
    tier = answer["tier"]
    quoted, now_s = answer["tiers"][tier], parse_instant_s(answer["quoted_at"])
    tiers = {name: tier_texts(words, answer["tiers"][name], now_s) for name in TIERS}
    machine, energy = (credits_text(words, quoted[name]) for name in ("machine_credits", "energy_credits"))
    reason = quoted["reason"]
    return {
        "tiers": tiers,
        "chosen": tiers[tier],
        "split": words.say("Machine time {time}, energy {energy}.", time=machine, energy=energy),
        "clean": words.say("{share} from sun, wind and salt", share=words.percent(quoted["clean_frac"])),
        "bar": _sources(park, words, quoted),
        "reason": said(words, [reason], now_s) if reason else None,
        "advice": _ADVICE["flex-open" if tier == "flex" and not quoted["deadline_at"] else tier],
        "aloud": f"{tiers[tier]['price']}. {tiers[tier]['start']}",
        **_strip(words, quoted, now_s),
    }


def _sources(park: Park, words: Words, quoted: Mapping[str, Any]) -> Markup:
    """The energy of the run by source, as a bar."""
    names, colours = names_of(park, words), colours_of(park)
    amounts = [(name, quoted["kwh_by_source"].get(name, 0.0)) for name in park.site.source_ids]
    shares = [(colours[name], names[name], kwh) for name, kwh in amounts if kwh > 0]
    told = words.joined(f"{name} {words.energy(kwh)}" for _, name, kwh in shares)
    return bar(shares, words.pair(words.say("Energy by source"), told))


_ADVICE: Final[Mapping[str, str]] = {
    "firm": N_("It does not wait for a better hour. The bars show what another hour would cost."),
    "flex": N_("The park begins it in the best hour that still meets the deadline."),
    "flex-open": N_(
        "Without a deadline it starts when there is room. With one, the park seeks the best hour before it."
    ),
    "green": N_("It runs while sun, wind and salt carry it, and stands still without them."),
}


def _strip(words: Words, quoted: Mapping[str, Any], now_s: float) -> dict[str, Any]:
    """The strip of hours with its table, and the best hour in a sentence."""
    machine, runs = quoted["machine_credits"], quoted["best_hours"]
    hours = [
        StartHour(
            parse_instant_s(run["start_at"]),
            run["credits"] - machine,
            run["clean_frac"],
            is_too_late=not run["in_time"],
        )
        for run in runs
    ]
    best = next((index for index, run in enumerate(runs) if run["start_at"] == quoted["best_start_at"]), 0)
    heads = [words.say("Start"), words.say("Credits"), words.say("CO₂"), words.say("From sun, wind and salt")]
    rows = [
        [
            words.when(hour.start_s, now_s),
            credits_text(words, run["credits"]),
            words.grams(run["gco2"]),
            words.percent(run["clean_frac"]),
        ]
        for hour, run in zip(hours, runs, strict=True)
    ]
    text = words.say(
        "Best start: {time}, {credits} credits, {share} from sun, wind and salt.",
        time=words.say("now") if best == 0 else rows[best][0],
        credits=rows[best][1],
        share=rows[best][3],
    )
    label = f"{words.say('What its energy would cost, by hour of start')}. {text}"
    texts = [[row[0], *(words.pair(head, cell) for head, cell in zip(heads[1:], row[1:], strict=True))] for row in rows]
    return {
        "strip": hours_strip(hours, words, label, hours[best].start_s, now_s),
        "best": text,
        "heads": heads,
        "table": rows,
        "readings": data_block("hours-data", texts),
    }
