"""The policy in words: what the sky binds, the ladder in steps, what each tier is promised, what it costs."""

from __future__ import annotations

import json
from typing import Any, Final

from eureka_park.bootstrap import Park
from eureka_park.control.of_site import policy_of
from eureka_park.foundation.site_file import Grid
from eureka_park.foundation.wire.engine import Capability
from eureka_park.web.pages.words import N_, Words

POLICIES: Final = {
    "green": N_("The sky binds green jobs only. Flex jobs with a deadline wait for better hours, never beyond it."),
    "binding": N_("The sky binds green and flex jobs; firm jobs and those whose deadline presses may use the grid."),
    "observed": N_("The sky is only watched: it holds no job back."),
}
TIERS: Final = ("firm", "flex", "green")
STARTS: Final = {
    "firm": N_(
        "when its full power fits into what the grid can give and what sun, wind and salt give with nine chances in ten"
    ),
    "flex": N_("when there is room, and no hour before its latest start is at least {gain} cheaper, carbon priced in"),
    "green": N_("when its full power fits into clean power that nobody uses, with room to spare"),
}
SHORTAGE: Final = {
    "firm": N_("never capped, paused or frozen"),
    "flex-binding": N_("capped, then paused or frozen, as long as it can still wait for its deadline"),
    "flex": N_("never capped, paused or frozen under this policy"),
    "green": N_("capped, then paused or frozen; it goes on when sun, wind or salt are back"),
    "observed": N_("never capped, paused or frozen under this policy"),
}


def engine_note(park: Park) -> dict[str, Any]:
    """What the engine wrote of itself when it started."""
    return dict(json.loads(park.home.read("run/engine.json") or "{}"))


def sky_of(words: Words, sky: str) -> str:
    """What the sky binds here."""
    return words.say(POLICIES[sky])


def ladder_of(park: Park, words: Words) -> list[dict[str, str]]:
    """The steps under shortage, in the order in which they are taken; `note` says what this machine cannot do."""
    policy, able = park.site.policy, _capabilities(park)
    cannot_cap = (
        "" if able is None or Capability.CAP in able else words.say("This machine cannot limit power: step left out.")
    )
    cannot_freeze = (
        "" if able is None or Capability.FREEZE in able else words.say("This machine cannot freeze: step left out.")
    )
    steps = [
        {"name": words.say("Hold"), "text": words.say("New jobs that the sky binds wait in their line."), "note": ""}
    ]
    steps += [
        {
            "name": words.say("Cap to {share}", share=words.percent(frac)),
            "text": words.say("They run on with {share} of their power.", share=words.percent(frac)),
            "note": cannot_cap,
        }
        for frac in policy.cap_steps_frac
    ]
    cannot_shrink = words.say("This machine cannot take machines from a job that runs: step left out.")
    steps.append(
        {
            "name": words.say("Shrink"),
            "text": words.say("Jobs on several machines that can do with fewer save their work and go on with those."),
            "note": "" if able is None or Capability.RESIZE in able else cannot_shrink,
        }
    )
    pause = words.say(
        "Jobs that can write a checkpoint get {grace} for it and stop; "
        "at most {n} times an hour, never in their first {least}.",
        grace=words.duration(policy.grace_s),
        n=words.number(policy.pause_rate_max_per_h),
        least=words.duration(policy.min_run_s),
    )
    steps.append({"name": words.say("Pause"), "text": pause, "note": ""})
    freeze = words.say("All others stand still in place with their memory kept. Nobody is killed to save power.")
    steps.append({"name": words.say("Freeze"), "text": freeze, "note": cannot_freeze})
    return steps


def _capabilities(park: Park) -> frozenset[str] | None:
    found = engine_note(park).get("capabilities")
    return None if found is None else frozenset(found)


def policy_facts_of(park: Park, words: Words) -> list[tuple[str, str]]:
    """The figures that steer, by name."""
    policy, pue = park.site.policy, park.site.pue
    steering = policy_of(park.site, frozenset())
    facts = [
        (words.say("Room left before a step is taken back"), words.percent(steering.margin_frac)),
        (
            words.say("Price of carbon in decisions"),
            words.say("{n} MAD/kg", n=words.number(policy.carbon_weight_mad_per_kg)),
        ),
        (words.say("A new plan every"), words.duration(policy.plan_every_s)),
        (words.say("Site power over machine power (PUE) at rated load"), words.number(pue.nominal)),
    ]
    if policy.service_reserve_mw:
        facts.insert(1, (words.say("Kept for live demos"), words.power(policy.service_reserve_mw)))
    return facts


def tiers_of(park: Park, words: Words) -> list[dict[str, str]]:
    """What each tier is promised: when it starts, what happens under shortage."""
    gain = words.percent(policy_of(park.site, frozenset()).flex_wait_gain_frac)
    return [
        {
            "tier": tier,
            "start": words.say(STARTS[tier], gain=gain),
            "shortage": words.say(SHORTAGE[_shortage(tier, park.sky)]),
        }
        for tier in TIERS
    ]


def _shortage(tier: str, sky: str) -> str:
    if tier == "firm" or sky == "observed":
        return "firm" if tier == "firm" else "observed"
    return "flex-binding" if tier == "flex" and sky == "binding" else tier


def prices_of(park: Park, words: Words) -> dict[str, Any]:
    """The table of prices, what is bought and sold, and what all that rests on."""
    site = park.site
    gpu, cpu, grid = site.prices.mad_per_gpu_h, site.prices.mad_per_cpu_h, site.grid
    return {
        "rows": [
            {"tier": tier, "gpu": words.number(getattr(gpu, tier), 2), "cpu": words.number(getattr(cpu, tier), 2)}
            for tier in TIERS
        ],
        "label": site.prices.label,
        "date": site.prices.date or "",
        "is_curve": site.prices.energy == "hourly-curve",
        "grid": _tariff(words, grid),
        "transport": words.number(grid.transport_mad_per_mwh),
        "surplus": (words.number(grid.surplus_peak_mad_per_mwh), words.number(grid.surplus_off_peak_mad_per_mwh)),
        "sources": [text for text in (grid.price_source, grid.transport_source, grid.surplus_source) if text],
    }  # fmt: skip


def _tariff(words: Words, grid: Grid) -> list[tuple[str, str, str]]:
    """What bought energy costs: name of the hours, which they are, MAD a MWh."""
    peak, low = (grid.peak_from_h, grid.peak_to_h), (grid.off_peak_from_h, grid.off_peak_to_h)
    return [
        (words.say("peak"), _hours(words, *peak), words.number(grid.price_peak_mad_per_mwh)),
        (words.say("full"), words.say("other hours"), words.number(grid.price_full_mad_per_mwh)),
        (words.say("off-peak"), _hours(words, *low), words.number(grid.price_off_peak_mad_per_mwh)),
    ]


def _hours(words: Words, from_h: int, to_h: int) -> str:
    return words.say("from {start} to {end} h", start=words.number(from_h), end=words.number(to_h))
