"""What a month came to: the statement of a project or an organisation, and a project's carbon."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import Query, Request
from fastapi.responses import Response

from eureka_park.accounts.service import Act
from eureka_park.bootstrap import Park
from eureka_park.ledger.statements import matched_frac
from eureka_park.web.auth import Anyone, park_of
from eureka_park.web.charts.carbon_months import CarbonBar, carbon_months
from eureka_park.web.charts.hour_bars import HourBar, hour_bars
from eureka_park.web.pages.draw import colours_of, names_of, words_of
from eureka_park.web.pages.papers import month_name, share_text
from eureka_park.web.pages.people_words import show, sign_in_first
from eureka_park.web.pages.words import N_, Words, isolated

Month = Annotated[str, Query(max_length=7)]
_MONTH: Final = re.compile(r"(20|21)\d\d-(0[1-9]|1[0-2])", re.ASCII)
_ORDER: Final = ("wind", "pv", "csp", "salt", "battery", "grid")


def _chosen(request: Request, month: str) -> str:
    """The month that was asked for; the present one where none was, or none that is one."""
    words = words_of(request)
    return month if _MONTH.fullmatch(month) else words.local(park_of(request).clock.park_s()).strftime("%Y-%m")


# -- statements --------------------------------------------------------------------------------------------------------
def project_months(request: Request, who: Anyone, project_id: str, month: Month = "") -> Response:
    """What a project used and paid in a month."""
    if who is None:
        return sign_in_first(request)
    park, chosen = park_of(request), _chosen(request, month)
    project = park.accounts.require(Act.SEE_BILL, who, project_id)
    told = park.ledger.statements.of_project(who, project_id, chosen)
    return _statement(request, told, project=project, seat=None, base=f"/projects/{project_id}")


def organisation_months(request: Request, who: Anyone, organisation_id: str, month: Month = "") -> Response:
    """What the projects of an organisation used and paid in a month."""
    if who is None:
        return sign_in_first(request)
    park, chosen = park_of(request), _chosen(request, month)
    seat = park.accounts.require_organisation(Act.SEE_BILL, who, organisation_id)
    told = park.ledger.statements.of_organisation(who, organisation_id, chosen)
    return _statement(request, told, project=None, seat=seat, base=f"/organisations/{organisation_id}")


def _statement(request: Request, told: dict[str, Any], **more: Any) -> Response:
    park, words = park_of(request), words_of(request)
    names, colours = names_of(park, words), colours_of(park)
    kwh = sum(told["kwh_by_source"].values())
    sources = [
        {"name": names.get(source, source), "css": colours.get(source, "grid"), "energy": words.energy(amount),
         "share": words.percent(amount / kwh if kwh else None)}
        for source, amount in sorted(told["kwh_by_source"].items(), key=lambda item: -item[1])
    ]  # fmt: skip
    days = [{**row, "name": words.long_date(row["date"])} for row in told["days"]]
    return show(
        request, "months.html", "/projects", told=told, kwh=kwh, sources=sources, days=days, **more,
        **_around(words, park, told["month"]),
    )  # fmt: skip


def _around(words: Words, park: Park, month: str) -> dict[str, Any]:
    """The month's name, and those before and after it."""
    year, number = int(month[:4]), int(month[5:])
    before = f"{year - (number == 1):04d}-{12 if number == 1 else number - 1:02d}"
    after = f"{year + (number == 12):04d}-{1 if number == 12 else number + 1:02d}"
    now = words.local(park.clock.park_s()).strftime("%Y-%m")
    return {
        "month": month, "month_name": month_name(words, month),
        "before": before, "before_name": month_name(words, before),
        "after": after if after <= now else "", "after_name": month_name(words, after),
    }  # fmt: skip


# -- carbon ------------------------------------------------------------------------------------------------------------
def carbon_page(request: Request, who: Anyone, project_id: str, month: Month = "") -> Response:
    """The carbon of a project in a month, by place and by hour, with its hours of the day and its year."""
    if who is None:
        return sign_in_first(request)
    park, words, chosen = park_of(request), words_of(request), _chosen(request, month)
    project = park.accounts.require(Act.SEE_BILL, who, project_id)
    statements, per_kwh = park.ledger.statements, park.site.grid.gco2_per_kwh
    told = statements.carbon(who, project_id, chosen, per_kwh)
    hours = statements.by_hour_of_day(who, project_id, chosen)
    months = statements.months(who, project_id, chosen)
    bars = _hour_bars(words, park, hours)
    return show(
        request, "carbon.html", "/projects", project=project, told=told,
        matched=share_text(words, told["hour_matched"]["matched_frac"]), per_kwh=per_kwh,
        hours=_hour_rows(words, hours),
        hour_chart=hour_bars(bars, words, words.say(N_("Energy by hour of the day and source")), 860),
        sources=_sources(words, park, told), months=_month_rows(words, months, per_kwh),
        month_chart=carbon_months(
            [CarbonBar(_short(words, row["month"]), row["kwh"] * per_kwh, row["gco2"]) for row in months], words,
            words.say(N_("Carbon of each month, by place and by hour")),
        ),
        **_around(words, park, chosen),
    )  # fmt: skip


def _hour_bars(words: Words, park: Park, hours: list[dict[str, Any]]) -> list[HourBar]:
    """Sources of a colour stand together, in one order from the ground."""
    colours, names = colours_of(park), names_of(park, words)
    bars = []
    for row in hours:
        parts: dict[str, tuple[list[str], float]] = {}
        for source, kwh in row["kwh_by_source"].items():
            said, total = parts.get(colours.get(source, "grid"), ([], 0.0))
            told = words.pair(names.get(source, source), words.energy(kwh))
            parts[colours.get(source, "grid")] = ([*said, told], total + kwh)
        shares = [(css, words.joined(said), kwh) for css, (said, kwh) in parts.items()]
        shares.sort(key=lambda share: _ORDER.index(share[0]) if share[0] in _ORDER else len(_ORDER))
        bars.append(HourBar(isolated(f"{row['hour']:02d}"), shares))
    return bars


def _hour_rows(words: Words, hours: list[dict[str, Any]]) -> list[dict[str, str]]:
    rows = []
    for row in hours:
        matched = matched_frac(row["kwh_by_source"])
        if matched is not None:
            rows.append({
                "hour": isolated(f"{row['hour']:02d}:00"), "energy": words.energy(sum(row["kwh_by_source"].values())),
                "carbon": words.grams(row["gco2"]), "matched": share_text(words, matched),
            })  # fmt: skip
    return rows


def _sources(words: Words, park: Park, told: dict[str, Any]) -> list[dict[str, str]]:
    names, colours, kwh = names_of(park, words), colours_of(park), told["kwh"]
    found = told["hour_matched"]["kwh_by_source"]
    return [
        {"css": colours.get(source, "grid"), "name": names.get(source, source), "share": words.percent(amount / kwh)}
        for source, amount in sorted(found.items(), key=lambda item: -item[1])
        if kwh and amount
    ]


def _month_rows(words: Words, months: list[dict[str, Any]], per_kwh: float) -> list[dict[str, str]]:
    return [
        {"month": row["month"], "name": month_name(words, row["month"]), "energy": words.energy(row["kwh"]),
         "place": words.grams(row["kwh"] * per_kwh), "hours": words.grams(row["gco2"])}
        for row in reversed(months)
        if row["kwh"]
    ]  # fmt: skip


def _short(words: Words, month: str) -> str:
    return words.months()[int(month[5:]) - 1]
