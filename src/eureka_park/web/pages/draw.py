"""Putting a page together: language, band, clock, template."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from eureka_park import __version__
from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import ParkError
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import GRID_SOURCE_ID
from eureka_park.foundation.units import parse_instant_s
from eureka_park.web.api.park import kinds_of
from eureka_park.web.assets import asset
from eureka_park.web.auth import park_of, principal_or_none
from eureka_park.web.pages import charts
from eureka_park.web.pages.words import LANGUAGES, Words, reason_text, words_of

_CACHE: Final = "no-store"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("eureka_park.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(
    request: Request, template: str, here: str = "", status: int = 200, *, live: bool = False, **context: Any
) -> HTMLResponse:
    """One whole page."""
    park, words = park_of(request), words_of(request)
    text = (
        _environment()
        .get_template(template)
        .render(
            _=words.say,
            words=words,
            languages=LANGUAGES,
            version=__version__,
            asset=asset,
            here=here,
            live=live,
            who=someone(request),
            band=charts.zellige_band(hour_shares(park)),
            park_time=clock_text(park.clock.park_s(), park.site.timezone),
            scale_model=park.site.is_scale_model,
            **context,
        )
    )
    answer = HTMLResponse(text, status, {"Cache-Control": _CACHE, "Vary": "Accept-Language, Cookie"})
    if request.query_params.get("lang") in LANGUAGES:
        answer.set_cookie("lang", words.lang, max_age=365 * 86400, samesite="lax", httponly=True)
    return answer


def someone(request: Request) -> Principal | None:
    """Who looks at the page; a wrong token makes a visitor here."""
    try:
        return principal_or_none(request)
    except ParkError:
        return None


def names_of(park: Park, words: Words) -> dict[str, str]:
    """Sources by id, named for people."""
    names = {plant.id: plant.title or plant.id for plant in park.site.plants}
    return {**names, GRID_SOURCE_ID: words.say("grid")}


def colours_of(park: Park) -> dict[str, str]:
    """The colour class of each source."""
    kinds, found, n_csp = kinds_of(park.site), {GRID_SOURCE_ID: "grid"}, 0
    for source, kind in kinds.items():
        found[source] = charts.css_of(kind, n_csp)
        n_csp += kind == "csp"
    return found


def hour_shares(park: Park) -> list[tuple[str, float]]:
    """This hour's sources for the load, as (colour class, amount): what the band on top shows."""
    plan = park.energy.current_plan()
    if plan is None:
        return []
    index = index_of(plan, park.clock.park_s())
    colours = colours_of(park)
    clean = {name: series[index] for name, series in plan.available_by_source_mw.items() if name in colours}
    load, total = plan.load_mw[index], sum(clean.values())
    used = min(1.0, load / total) if total > 0 else 0.0
    shares = [(colours[name], mw * used) for name, mw in clean.items()]
    return [*shares, ("outline", max(0.0, load - total))]


def index_of(plan: PowerPlan, now_s: float) -> int:
    """The interval of the plan that holds now, or its nearest end."""
    return min(max(0, int((now_s - plan.start_s) // plan.step_s)), plan.n_intervals - 1)


def clock_text(instant_s: float, timezone: str) -> str:
    """An instant as date and time of the site."""
    return f"{datetime.fromtimestamp(instant_s, UTC).astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M}"


def when(iso: str | None, timezone: str) -> str:
    """An ISO instant as date and time of the site, empty for none."""
    return clock_text(parse_instant_s(iso), timezone) if iso else ""


def said(park: Park, words: Words, reasons: list[Mapping[str, Any]]) -> dict[str, str] | None:
    """The first reason in words, with until when."""
    if not reasons:
        return None
    text, lang = reason_text(words, reasons[0])
    until = when(reasons[0]["until"], park.site.timezone)
    return {"text": text, "lang": lang, "until": until, "until_words": words.say("until")}


def grams(gco2: float) -> str:
    """A mass of CO2 with a unit that fits."""
    if gco2 >= 1e6:
        return f"{gco2 / 1e6:.2f} t"
    if gco2 >= 1e3:
        return f"{gco2 / 1e3:.2f} kg"
    digits = 2 if gco2 == 0 else max(0, min(6, 2 - math.floor(math.log10(gco2))))
    return f"{gco2:.{min(digits, 4)}f} g"


def percent(part: float, whole: float) -> str:
    """A share in percent; a dash where there is no whole."""
    return f"{100 * part / whole:.0f} %" if whole > 0 else "–"
