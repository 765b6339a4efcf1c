"""Putting a page together: language, band, clock, template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, Literal

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from eureka_park import __version__
from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.energy.core.salt_share import from_salt_mw
from eureka_park.foundation.errors import ParkError
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import GRID_SOURCE_ID, Site
from eureka_park.foundation.units import iso_from_s
from eureka_park.web.api.park import kinds_of
from eureka_park.web.assets import asset
from eureka_park.web.auth import park_of, principal_or_none
from eureka_park.web.charts.band import zellige_band
from eureka_park.web.charts.plan import Layer
from eureka_park.web.pages.glossary import term_in
from eureka_park.web.pages.known_plants import is_eureka_park
from eureka_park.web.pages.words import LANGUAGES, N_, Language, Words
from eureka_park.web.pages.words import words_of as chosen_words

_CACHE: Final = "no-store"
NAVIGATION: Final[tuple[tuple[str, str, str], ...]] = (
    ("/", N_("Overview"), "o"),
    ("/jobs", N_("Jobs"), "j"),
    ("/data", N_("Data"), "d"),
    ("/energy", N_("Energy"), "e"),
    ("/twin", N_("Twin"), "t"),
    ("/site", N_("Site"), "s"),
    ("/verdict", N_("Verdict"), "v"),
    ("/welcome", N_("Welcome"), "w"),
)
KIND_NAMES: Final[Mapping[str, str]] = {
    "wind": N_("Wind"),
    "pv": N_("Sun (PV)"),
    "csp": N_("Direct sun (CSP)"),
    "salt": N_("Molten salt"),
    "battery": N_("Battery"),
    "grid": N_("Grid"),
}


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("eureka_park.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def words_of(request: Request) -> Words:
    """The words of the asker, telling time in the site's zone."""
    return chosen_words(request, park_of(request).site.timezone)


def page(
    request: Request,
    template: str,
    here: str = "",
    status: int = 200,
    *,
    live: bool | Literal["soon"] = False,
    **context: Any,
) -> HTMLResponse:
    """One whole page."""
    words = words_of(request)
    text = _environment().get_template(template).render(**frame_of(request, words, here, live), **context)
    answer = HTMLResponse(text, status, {"Cache-Control": _CACHE, "Vary": "Accept-Language, Cookie"})
    if request.query_params.get("lang") in LANGUAGES:
        answer.set_cookie("lang", words.lang, max_age=365 * 86400, samesite="lax", httponly=True)
    return answer


def part(request: Request, template: str, **context: Any) -> HTMLResponse:
    """A piece of a page, for a form that shows its answer in place."""
    text = _environment().get_template(template).render(**frame_of(request, words_of(request), "", False), **context)
    return HTMLResponse(text, 200, {"Cache-Control": _CACHE, "Vary": "Accept-Language, Cookie"})


def frame_of(request: Request, words: Words, here: str, live: bool | Literal["soon"]) -> dict[str, Any]:
    """What every template knows."""
    park = park_of(request)
    now_s, pace = park.clock.park_s(), park.facts.pace.factor
    return {
        "_": words.say, "words": words, "count": words.count, "languages": offered_in(park), "version": __version__,
        "h1": _heading(words, "h1"), "h2": _heading(words, "h2"), "h3": _heading(words, "h3"),
        "term": lambda text, key="": term_in(words, text, key), "asset": asset, "here": here, "live": live,
        "navigation": navigation_of(park.site), "who": someone(request), "band": zellige_band(hour_shares(park)),
        "now_s": now_s, "now_at": iso_from_s(now_s), "pace": pace, "zone": park.site.timezone,
        "place": name_of(park) or (words.say("Tétouan") if park.site.is_scale_model else park.site.title),
        "site_title": park.site.title, "scale_model": park.site.is_scale_model, "path": request.url.path,
    }  # fmt: skip


def name_of(park: Park) -> str:
    """What the operator calls this park; '' where they have said nothing."""
    settings = getattr(park, "sign_in", None)
    return str(settings.settings().name) if settings is not None else ""


def offered_in(park: Park) -> Mapping[str, Language]:
    """The languages in which the operator offers pages; all where they have named none."""
    settings = getattr(park, "sign_in", None)
    named = settings.settings().languages if settings is not None else ()
    return {code: LANGUAGES[code] for code in named} if named else LANGUAGES


def navigation_of(site: Site) -> tuple[tuple[str, str, str], ...]:
    """The pages of a park; the verdict is that of Eureka Park, and stands on its pages alone."""
    return NAVIGATION if is_eureka_park(site) else tuple(item for item in NAVIGATION if item[0] != "/verdict")


def _heading(words: Words, tag: str) -> Any:
    def heading(text: str, ident: str = "", **values: Any) -> Markup:
        """A heading that says which language it speaks, where that is not the page's."""
        spoken_in = words.head_tag(text)
        lang = Markup(' lang="{}"').format(spoken_in) if spoken_in != words.tag else ""
        name = Markup(' id="{}"').format(ident) if ident else ""
        return Markup("<{0}{1}{2}>{3}</{0}>").format(Markup(tag), name, lang, words.head(text, **values))

    return heading


def someone(request: Request) -> Principal | None:
    """Who looks at the page; a wrong token makes a visitor here."""
    try:
        return principal_or_none(request)
    except ParkError:
        return None


def names_of(park: Park, words: Words) -> dict[str, str]:
    """Sources by id, named for people."""
    names = {plant.id: words.name(plant.title or plant.id) for plant in park.site.plants}
    return {**names, GRID_SOURCE_ID: words.say("Grid")}


def colours_of(park: Park) -> dict[str, str]:
    """The colour class of each source by its plant's kind. Energy of a salt plant has the colour of its sun: only the
    plan tells what comes out of the tank.
    """
    return {**kinds_of(park.site), GRID_SOURCE_ID: "grid"}


def layers_of(park: Park, words: Words, plan: PowerPlan) -> list[Layer]:
    """The plan's clean power by kind from the ground up: wind, PV, direct sun, salt; then the grid for the load."""
    kinds, n = kinds_of(park.site), plan.n_intervals
    sums: dict[str, list[float]] = {kind: [0.0] * n for kind in KIND_NAMES}
    for source, series in plan.available_by_source_mw.items():
        _add(sums[kinds.get(source, "grid")], series)
    eta = {plant.id: plant.eta_frac or 0.0 for plant in park.site.plants}
    for part_mw in from_salt_mw(plan, eta, sums["pv"]).values():
        _add(sums["salt"], part_mw)
        _add(sums["csp"], [-value for value in part_mw])
    _add(sums["grid"], plan.by_source_mw.get(GRID_SOURCE_ID, (0.0,) * n))
    there = set(kinds.values()) | {"grid"} | ({"salt"} if plan.tes_mwh_th else set())
    return [
        Layer(kind, words.say(name), [max(0.0, mw) for mw in sums[kind]])
        for kind, name in KIND_NAMES.items()
        if kind in there
    ]


def _add(total: list[float], series: Sequence[float]) -> None:
    for index, value in enumerate(series):
        total[index] += value


def hour_shares(park: Park) -> list[tuple[str, float]]:
    """This hour's sources for the load, as (colour class, MW): what the band on top shows."""
    plan = park.energy.current_plan()
    if plan is None:
        return []
    index = index_of(plan, park.clock.park_s())
    layers = layers_of(park, Words("en"), plan)
    clean = [(layer.css, layer.mw[index]) for layer in layers if layer.css != "grid"]
    load, total = plan.load_mw[index], sum(mw for _, mw in clean)
    used = min(1.0, load / total) if total > 0 else 0.0
    return [*((css, mw * used) for css, mw in clean), ("grid", max(0.0, load - total))]


def index_of(plan: PowerPlan, now_s: float) -> int:
    """The interval of the plan that holds now, or its nearest end."""
    return min(max(0, int((now_s - plan.start_s) // plan.step_s)), plan.n_intervals - 1)
