"""The overview: the sky in a sentence, 48 hours in a picture, what runs, what waits and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse

from eureka_park.bootstrap import Park
from eureka_park.energy.core.sky import sky_now
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import GRID_SOURCE_ID
from eureka_park.foundation.units import DAY_S, energy_text, power_text
from eureka_park.web.api.park import kinds_of, power_now
from eureka_park.web.auth import park_of
from eureka_park.web.pages import charts
from eureka_park.web.pages.draw import (
    clock_text,
    colours_of,
    grams,
    index_of,
    names_of,
    page,
    percent,
    said,
    someone,
    when,
)
from eureka_park.web.pages.words import Words, isolated, words_of

_LISTED = 12


def overview(request: Request) -> HTMLResponse:
    """The first page that anybody sees."""
    park, words = park_of(request), words_of(request)
    who = someone(request)
    plan = park.energy.current_plan()
    running, _ = park.compute.jobs(who, states=["running", "starting", "pausing", "frozen"], limit=_LISTED)
    waiting, _ = park.compute.jobs(who, states=["queued", "paused"], limit=_LISTED)
    counts = park.compute.counts()
    drawn: dict[str, Any] = {**_energy(park), **(_plan(park, words, plan) if plan else _no_plan(words))}
    return page(
        request,
        "overview.html",
        "/",
        live=True,
        running=[_row(park, words, job) for job in running],
        waiting=[_row(park, words, job) for job in reversed(waiting)],
        n_running=sum(counts.get(name, 0) for name in ("running", "starting", "pausing", "frozen")),
        n_waiting=counts.get("queued", 0) + counts.get("paused", 0),
        **drawn,
    )


def _row(park: Park, words: Words, job: Mapping[str, Any]) -> dict[str, Any]:
    since = when(job["started_at"] or job["submitted_at"], park.site.timezone)
    return {**job, "since": since[-5:], "reason": said(park, words, job["reasons"])}


def _energy(park: Park) -> dict[str, str]:
    now_s = park.clock.park_s()
    zone = ZoneInfo(park.site.timezone)
    local = datetime.fromtimestamp(now_s, UTC).astimezone(zone)
    midnight_s = local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    rows = park.ledger.hours(max(midnight_s, now_s - DAY_S), now_s)
    by_source: dict[str, float] = {}
    for row in rows:
        for name, kwh in row["by_source_kwh"].items():
            by_source[name] = by_source.get(name, 0.0) + kwh
    total = sum(by_source.values())
    drawn_mw = power_now(park)["site_mw"]
    return {
        "drawn_now": "–" if drawn_mw is None else power_text(drawn_mw),
        "method": rows[-1]["method"] if rows else "",
        "today_energy": energy_text(total),
        "today_gco2": grams(sum(row["gco2"] for row in rows)),
        "today_clean": isolated(percent(total - by_source.get(GRID_SOURCE_ID, 0.0), total)),
    }


def _plan(park: Park, words: Words, plan: PowerPlan) -> dict[str, Any]:
    now_s = park.clock.park_s()
    kinds, zone = kinds_of(park.site), park.site.timezone
    sources = charts.sources_of(plan, kinds, names_of(park, words))
    index = index_of(plan, now_s)
    return {
        "headline": words.say(sky_now(plan, now_s, kinds).text),
        "clean_now": power_text(plan.clean_available_mw_p50[index]),
        "chart": charts.plan_chart(plan, now_s, sources, zone, words.say("The next 48 hours")),
        "sources": sources,
        "zone": zone,
        "labels": _labels(park, words, plan),
        "table": [_table_row(plan, sources, at, zone) for at in range(plan.n_intervals)],
        "tanks": _tanks(park, words, plan, index),
    }


def _labels(park: Park, words: Words, plan: PowerPlan) -> list[str]:
    weather = (
        "synthetic weather" if plan.labels.get("weather", "").startswith("synthetic") else "weather: see the site page"
    )
    labels = [words.say(weather), words.say("outputs calibrated to published years")]
    return [*labels, words.say("scale model of Eureka Park")] if park.site.is_scale_model else labels


def _no_plan(words: Words) -> dict[str, Any]:
    empty: dict[str, Any] = {"sources": [], "labels": [], "table": [], "tanks": []}
    return {**empty, "headline": words.say("The park is waking up."), "clean_now": "–", "chart": None, "zone": ""}


def _table_row(plan: PowerPlan, sources: list[charts.Source], at: int, zone: str) -> dict[str, Any]:
    cells = []
    for source in sources:
        columns = plan.by_source_mw if source.source_id == GRID_SOURCE_ID else plan.available_by_source_mw
        cells.append(power_text(columns[source.source_id][at]) if source.source_id in columns else power_text(0))
    return {"hour": clock_text(plan.interval_start_s(at), zone)[5:], "cells": [*cells, power_text(plan.load_mw[at])]}


def _tanks(park: Park, words: Words, plan: PowerPlan, index: int) -> list[dict[str, Any]]:
    names, colours, tanks = names_of(park, words), colours_of(park), []
    for plant, series in plan.tes_mwh_th.items():
        most = plan.tes_mwh_th_max.get(plant, 0.0)
        if most > 0:
            level = min(1.0, series[index] / most)
            tanks.append(
                {
                    "name": names.get(plant, plant),
                    "css": colours.get(plant, "salt0"),
                    "level": f"{level:.0%}".replace("%", " %"),
                    "heat": energy_text(series[index] * 1000),
                    "width": f"{600 * level:.1f}",
                }
            )
    return tanks
