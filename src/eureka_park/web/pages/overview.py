"""The overview: the sky in two sentences, 48 hours in a picture, salt, today, what runs, what waits and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse

from eureka_park.bootstrap import Park
from eureka_park.energy.core.plan_check import Standing
from eureka_park.energy.core.salt_share import salt_lasts_h, salt_now, salt_trend
from eureka_park.energy.core.sky import sky_now
from eureka_park.energy.core.sky_then import sky_then
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.units import HOUR_S, iso_from_s, parse_instant_s
from eureka_park.web.api.park import kinds_of, power_now
from eureka_park.web.auth import park_of
from eureka_park.web.charts.plan import Layer, Picture, data_block, plan_chart
from eureka_park.web.charts.tank import tank
from eureka_park.web.pages.draw import index_of, layers_of, page, someone, words_of
from eureka_park.web.pages.reasons import said
from eureka_park.web.pages.words import N_, Words
from eureka_park.web.status import plan_status

_LISTED: Final = 8
RUNNING: Final = ("running", "starting", "pausing", "frozen")
WAITING: Final = ("queued", "paused")
SENTENCES: Final[Mapping[str, str]] = {
    "salt_takes_over": N_("The salt takes over from the sun."),
    "salt_by_night": N_("Molten salt carries the work through the dark."),
    "sun_rises": N_("The sun comes up and begins to fill the salt."),
    "sun_carries": N_("The sun carries most of the work."),
    "wind_carries": N_("The wind carries most of the work."),
    "wind_and_salt": N_("Wind and salt share the work."),
    "battery_carries": N_("Stored power carries most of the work."),
    "mixed": N_("Sun, salt and wind share the work."),
    "grid_carries": N_("The sky gives little now; the grid carries most of the work."),
}
_UNTIL: Final[Mapping[str, str]] = {
    "sun": N_("Until about {time} the sun carries {share} of the work."),
    "salt": N_("Until about {time} the heat kept in the salt carries {share} of the work."),
    "wind": N_("Until about {time} the wind carries {share} of the work."),
    "grid": N_("Until about {time} the grid carries {share} of the work."),
}
_THEN: Final[Mapping[str, str]] = {
    "sun": N_("Then the sun takes over, with {share}."),
    "salt": N_("Then the salt takes over, with {share}."),
    "wind": N_("Then the wind takes over, with {share}."),
    "grid": N_("Then the grid must give {share}."),
}
_TRENDS: Final = {"filling": N_("filling"), "emptying": N_("emptying"), "steady": N_("steady")}
_LATE: Final = N_("A newer power plan is overdue. The park follows the one of {issued}, which reaches until {until}.")
_OVER: Final = N_(
    "The last power plan, of {issued}, ended {until}. Until there is a new one the park counts on the grid alone: "
    "green work rests, firm work goes on."
)
_FAULT: Final = N_("The last attempt gave no plan that can be followed; the operator sees why in park status.")
_STEADY: Final = N_("It stays so for as far as the plan sees.")


def overview(request: Request) -> HTMLResponse:
    """The first page that anybody sees."""
    park, words = park_of(request), words_of(request)
    who, now_s = someone(request), park.clock.park_s()
    plan = park.energy.current_plan()
    running, _ = park.compute.jobs(who, states=RUNNING, limit=_LISTED)
    waiting, _ = park.compute.jobs(who, states=WAITING, limit=_LISTED)
    counts = park.compute.counts()
    n_running, n_waiting = (sum(counts.get(name, 0) for name in names) for names in (RUNNING, WAITING))
    return page(
        request,
        "overview.html",
        "/",
        live=True if plan else "soon",
        jobs=[row_of(words, job, now_s) for job in [*running, *reversed(waiting)]],
        n_running=n_running,
        n_waiting=n_waiting,
        n_more=max(0, n_running + n_waiting - len(running) - len(waiting)),
        notice=plan_notice(park, words),
        **today_of(park, words),
        **(plan_of(park, words, plan) if plan else no_plan_of(words)),
    )


def plan_notice(park: Park, words: Words) -> str:
    """What a visitor should know when plans do not come as they should; empty when they do."""
    found, now_s = plan_status(park), park.clock.park_s()
    if found["standing"] not in (Standing.LATE, Standing.OVER):
        return ""
    issued = words.when(parse_instant_s(found["issued_at"]), now_s)
    until = words.when(parse_instant_s(found["until"]), now_s)
    text = _LATE if found["standing"] == Standing.LATE else _OVER
    said = words.say(text, issued=issued, until=until)
    return f"{said} {words.say(_FAULT)}" if found["fault"] else said


def row_of(words: Words, job: Mapping[str, Any], now_s: float) -> dict[str, Any]:
    """A job as one line of a table: reason in words, how far it is by its declared time."""
    ran = job["ran_s"] or 0.0
    if job["state"] == "running" and job["started_at"] and job["resume_count"] == 0:
        ran = max(ran, now_s - parse_instant_s(job["started_at"]))
    return {
        **job,
        "reason": said(words, job["reasons"], now_s),
        "done_frac": min(1.0, ran / job["time_s"]) if job["time_s"] else 0.0,
        "ran": words.duration(ran) if ran else "",
        "cap": words.percent(job["cap_frac"]) if job["cap_frac"] < 1 else "",
    }


def today_of(park: Park, words: Words) -> dict[str, Any]:
    """Today by the meter: energy, carbon, share and hours from the park's own plants; power by the last reading."""
    today = park.ledger.today(park.clock.park_s())
    return {
        "drawn_now": words.power(power_now(park)["site_mw"]),
        "method": today["method"],
        "today_energy": words.energy(today["kwh"]),
        "today_gco2": words.grams(today["gco2"]),
        "today_clean": words.percent(today["clean_frac"]),
        "n_covered": words.number(today["covered_hours"]),
        "n_metered": words.number(today["n_hours"]),
        "story": story_of(park, words),
    }


def story_of(park: Park, words: Words) -> dict[str, Any] | None:
    """The chapter of a watched day and what comes next, where this park tells one."""
    found = park.story_now()
    if found is None:
        return None
    told = {name: words.say(found[name]) for name in ("title", "text", "next_title")}
    return {
        **told,
        "next": ""
        if found["is_over"]
        else words.say("Next: {chapter}, about {time}", chapter=told["next_title"], time=words.clock(found["next_s"])),
        "next_at": iso_from_s(found["next_s"]),
        "progress": found["progress"],
        "label": words.say("How far the day is: {share}", share=words.percent(found["progress"])),
    }


def plan_of(park: Park, words: Words, plan: PowerPlan, size: str = "wide") -> dict[str, Any]:
    """What the plan says, as pictures, sentences and a table."""
    now_s = park.clock.park_s()
    layers, index = layers_of(park, words, plan), index_of(plan, now_s)
    picture = picture_of(plan, layers, now_s)
    title = words.say("The next 48 hours")
    table = [_table_row(words, plan, layers, at, now_s) for at in range(plan.n_intervals)]
    heads = [
        words.say("Hour"),
        *(layer.name for layer in layers),
        words.say("Possible load"),
        words.say("Clean, p10 to p90"),
    ]
    return {
        "headline": SENTENCES[sky_now(plan, now_s, kinds_of(park.site)).code],
        "lead": lead_of(words, plan, layers, now_s),
        "clean_now": words.power(plan.clean_available_mw_p50[index]),
        "clean_frac": plan.clean_available_mw_p50[index] / max(plan.load_mw[index], 1e-12),
        "wide": plan_chart(picture, words, title, size),
        "narrow": plan_chart(picture, words, title, "narrow"),
        "readings": data_block(
            "plan-data", [[words.pair(head, cell) for head, cell in zip(heads, row, strict=True)] for row in table]
        ),
        "layers": layers,
        "heads": heads,
        "table": table,
        "labels": labels_of(park, words, plan),
        "salt": salt_of(park, words, plan, index),
    }


def picture_of(plan: PowerPlan, layers: list[Layer], now_s: float | None) -> Picture:
    """The plan as the chart draws it; a night is where no sun reaches panels."""
    pv = next((layer.mw for layer in layers if layer.css == "pv"), None)
    top = max(pv, default=0.0) if pv else 0.0
    dark = [mw <= 0.02 * top for mw in pv] if pv and top > 0 else [False] * plan.n_intervals
    p10, p90 = plan.clean_available_mw_p10, plan.clean_available_mw_p90
    return Picture(plan.start_s, plan.step_s, layers, plan.load_mw, p10, p90, dark, now_s)


def lead_of(words: Words, plan: PowerPlan, layers: list[Layer], now_s: float) -> str:
    """Until when this goes on, and what comes then."""
    then = sky_then({layer.css: layer.mw for layer in layers}, plan.load_mw, plan.start_s, plan.step_s, now_s)
    if then.until_s is None:
        return words.say(_STEADY)
    time = words.when(then.until_s, now_s)
    first = words.say(_UNTIL[then.carrier], time=time, share=words.percent(then.share_frac))
    return f"{first} {words.say(_THEN[then.then], share=words.percent(then.then_frac))}"


def labels_of(park: Park, words: Words, plan: PowerPlan) -> list[str]:
    """What the plan's figures rest on, in a few words."""
    is_synthetic = plan.labels.get("weather", "").startswith("synthetic")
    weather = words.say("synthetic weather") if is_synthetic else words.say("weather: see the site page")
    labels = [weather, words.say("outputs fitted to published or planned years")]
    return [*labels, words.say("scale model of Eureka Park")] if park.site.is_scale_model else labels


def salt_of(park: Park, words: Words, plan: PowerPlan, index: int) -> dict[str, Any] | None:
    """The salt in all tanks together and by plant; None where there is no tank."""
    most = {name: top for name, top in plan.tes_mwh_th_max.items() if top > 0}
    if not most:
        return None
    now_s = park.clock.park_s()
    both = salt_now(plan, index, now_s, park.energy.salt_at(now_s))
    levels = {name: both[name][0] for name in most}
    frac = sum(levels.values()) / sum(most.values())
    plants = {plant.id: plant for plant in park.site.plants}
    eta = {name: plant.eta_frac or 0.0 for name, plant in plants.items()}
    shown = words.percent(frac)
    return {
        "tank": tank(frac, shown, words.say("Salt in the tanks: {level}", level=shown)),
        "hours": words.duration(salt_lasts_h(levels, eta, plan.load_mw[index]) * HOUR_S),
        "trend": _TRENDS[salt_trend(plan, index, levels)],
        "tanks": [
            {
                "name": words.name(plants[name].title or name) if name in plants else name,
                "level": words.percent(levels[name] / most[name]),
                "frac": levels[name] / most[name],
            }
            for name in most
        ],
    }


def no_plan_of(words: Words) -> dict[str, Any]:
    """What stands in the place of a plan before the first."""
    empty: dict[str, Any] = {"layers": [], "labels": [], "table": [], "heads": []}
    return {
        **empty, "headline": N_("The park is waking up."),
        "lead": words.say("The first plan is being made; it takes a few seconds."),
        "clean_now": "–", "clean_frac": 0.0, "wide": None, "narrow": None, "readings": "", "salt": None,
    }  # fmt: skip


def _table_row(words: Words, plan: PowerPlan, layers: list[Layer], at: int, now_s: float) -> list[str]:
    band = f"{words.power(plan.clean_available_mw_p10[at])} – {words.power(plan.clean_available_mw_p90[at])}"
    hour = words.when(plan.interval_start_s(at), now_s)
    return [hour, *(words.power(layer.mw[at]) for layer in layers), words.power(plan.load_mw[at]), band]
