"""What this park is, in three sentences and a picture; three things to try; for whom, and what is not there yet."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse

from eureka_park.bootstrap import Park
from eureka_park.energy.core.salt_share import salt_now
from eureka_park.energy.core.sky import sky_now
from eureka_park.energy.verdict_file import shipped_study
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.web.api.park import kinds_of
from eureka_park.web.auth import Anyone, park_of
from eureka_park.web.charts.welcome import welcome_picture
from eureka_park.web.pages.draw import index_of, page, words_of
from eureka_park.web.pages.overview import SENTENCES
from eureka_park.web.pages.words import N_, Words, isolated
from eureka_park.web.verdict.sentences import cell_of

_HEADLINE: Final = N_("Computing that follows the sun, the wind and the salt.")
_HEADLINE_ELSEWHERE: Final = N_("Computing that follows the sky.")
PEOPLE: Final = (
    (
        N_("Researchers, startups, companies"),
        N_("Run scripts, trainings and many tasks at once, know why each waits, and get a receipt for it."),
        N_("Not yet: notebooks, invitations to a project, credits that can run out."),
    ),
    (
        N_("Learners and teachers"),
        N_("Read the jobs that greet a newcomer, change them, run them, and see what the sky makes of them."),
        N_("Not yet: courses, graded work, badges."),
    ),
    (
        N_("Annotators"),
        N_("Nothing to do yet."),
        N_("Not yet: paid labelling with measured quality."),
    ),
    (
        N_("Visitors"),
        N_("Read everything that is public without an account: the sky, the jobs, their reasons and receipts."),
        N_("Not yet: live demonstrations and leaderboards of the Expo."),
    ),
    (
        N_("Planners"),
        N_("Read the verdict on 386 MW, and ask for any load what a year of sun, wind and salt would carry and cost."),
        N_("Not yet: a simulated year of all jobs."),
    ),
    (
        N_("Operators"),
        N_("Start a park with one command, describe a site in one file, announce maintenance."),
        N_("Not yet: several machines, people and projects by command."),
    ),
)


def welcome_page(request: Request, who: Anyone) -> HTMLResponse:
    """The page for somebody who has never been here."""
    park, words = park_of(request), words_of(request)
    plan = park.energy.current_plan()
    salt = salt_frac_of(park, plan, park.clock.park_s())
    finished, _ = park.compute.jobs(who, states=["finished"], limit=1)
    return page(
        request,
        "welcome.html",
        "/welcome",
        picture=welcome_picture(_names(park, words, salt), _spoken(park, words), salt, words.direction),
        now=words.say(SENTENCES[sky_now(plan, park.clock.park_s(), kinds_of(park.site)).code]) if plan else "",
        receipt={**finished[0], "shown": isolated(finished[0]["name"])} if finished else None,
        people=PEOPLE,
        headline=_HEADLINE if is_eureka_park(park) else _HEADLINE_ELSEWHERE,
        **_figures(park, words, plan),
    )


def _names(park: Park, words: Words, salt: float | None) -> dict[str, str]:
    """The parts of the picture that this park has, named; the places of Eureka Park for it and its scale model."""
    kinds, is_eureka = set(kinds_of(park.site).values()), is_eureka_park(park)
    found = {}
    if kinds & {"pv", "csp"}:
        found["sun"] = words.say("The sun of Ouarzazate") if is_eureka else words.say("The sun")
    if "pv" in kinds:
        found["panels"] = words.say("panels")
    if "csp" in kinds:
        found |= {"mirrors": words.say("mirrors"), "turbine": words.say("turbine")}
    if salt is not None:
        found["salt"] = words.say("salt, {level} hot", level=words.percent(salt))
    if "wind" in kinds:
        found["wind"] = words.say("wind, Koudia Al Baida") if is_eureka else words.say("wind")
    found["campus"] = words.say("the machines, Tétouan") if is_eureka else words.say("the machines")
    return {**found, "grid": words.say("grid")}


def is_eureka_park(park: Park) -> bool:
    """Whether this is the announced site itself or a scale model of it."""
    site = park.site
    return "eureka-park" in (site.name, site.scale.of if site.scale else "")


def _spoken(park: Park, words: Words) -> str:
    if not is_eureka_park(park):
        return words.say("What gives this park its power, and the machines that take it.")
    return words.say(
        "Mirrors gather the sun's heat, hot salt keeps it for the night, a turbine makes electricity of it; "
        "panels and the wind of Koudia give theirs at once; the machines in Tétouan take what comes and buy the rest."
    )


def salt_frac_of(park: Park, plan: PowerPlan | None, now_s: float) -> float | None:
    """How full the tanks are together; None without a plan or tanks."""
    if plan is None or not any(plan.tes_mwh_th_max.values()):
        return None
    index = index_of(plan, now_s)
    levels = salt_now(plan, index, now_s, park.energy.salt_at(now_s))
    return sum(level for level, _ in levels.values()) / sum(plan.tes_mwh_th_max.values())


def _figures(park: Park, words: Words, plan: PowerPlan | None) -> dict[str, Any]:
    """The shipped verdict in one sentence, and what the present plan says about the next two days."""
    carried_year = cell_of(shipped_study(), "constant", "all-plants")
    carried = None
    if plan is not None and sum(plan.load_mw) > 0:
        own = sum(min(clean, load) for clean, load in zip(plan.clean_available_mw_p50, plan.load_mw, strict=True))
        carried = own / sum(plan.load_mw)
    return {
        "study": words.say(
            "Over a year, Noor and Koudia alone carry a constant {mw} to {share}, hour by hour; "
            "without Noor III to {less}.",
            mw=words.power(carried_year["load_mw"]["p50"]),
            share=words.percent(carried_year["cfe_frac"]["p50"]),
            less=words.percent(cell_of(shipped_study(), "constant", "noor-iii-out")["cfe_frac"]["p50"]),
        )
        if is_eureka_park(park)
        else "",
        "ahead": words.say(
            "In the next 48 hours of this park's plan its own plants could carry {share} of the possible load.",
            share=words.percent(carried),
        )
        if carried is not None
        else "",
        "site_mw": words.power(park.site.site_mw_max),
    }
