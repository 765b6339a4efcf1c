"""The site: plants on a map, machines as squares, policy, promises and prices in words, each with what it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse

from eureka_park.bootstrap import Park
from eureka_park.energy.core.salt_share import from_salt_mw
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import GRID_SOURCE_ID, Plant, Site
from eureka_park.foundation.units import iso_from_s
from eureka_park.web.api.park import kinds_of, power_now
from eureka_park.web.auth import park_of
from eureka_park.web.charts import schematic as drawing
from eureka_park.web.pages.draw import index_of, page, someone, words_of
from eureka_park.web.pages.known_plants import (
    CONTRACTS,
    LABEL_MEANINGS,
    OUTAGES,
    SYNTHETIC,
    TETOUAN_DEG,
    THROUGH_GRID,
    is_eureka_park,
    known,
)  # fmt: skip
from eureka_park.web.pages.site_machines import machines_of, sandbox_of
from eureka_park.web.pages.site_policy import ladder_of, policy_facts_of, prices_of, sky_of, tiers_of
from eureka_park.web.pages.words import N_, Words, isolated

EARTH_KM: Final = 6371.0
KINDS: Final = {
    "csp-trough": N_("Parabolic mirrors (CSP)"),
    "csp-tower": N_("Mirrors and a tower of salt (CSP)"),
    "pv": N_("Solar panels (PV)"),
    "wind": N_("Wind farm"),
    "battery": N_("Battery"),
}
PLACES: Final = {"ouarzazate": N_("Ouarzazate"), "koudia": N_("Koudia Al Baida")}
NAMES_ON_MAP: Final = (
    ("sea-name", N_("Atlantic"), 116.0, 92.0),
    ("sea-name", N_("Mediterranean"), 602.0, 84.0),
    ("land-name", N_("High Atlas"), 158.0, 392.0),
    ("land-name", N_("Rif"), 560.0, 196.0),
)
_TABLE: Final = (N_("Plant"), N_("Place"), N_("Now"), N_("Of its most"), N_("At most, after losses"))


def site_page(request: Request) -> HTMLResponse:
    """What this park is made of."""
    park, words = park_of(request), words_of(request)
    site, plan = park.site, park.energy.current_plan()
    plants = [_plant(park, words, plan, plant) for plant in site.plants]
    return page(
        request,
        "site.html",
        "/site",
        live=True,
        site=site,
        lead=_lead(words, site),
        plants=plants,
        outages=_outages(words, site),
        map=_map(park, words, plan, plants),
        contracts=words.say(CONTRACTS) if is_eureka_park(site) else "",
        machines=machines_of(park, words, someone(request)),
        sky=sky_of(words, park.sky),
        ladder=ladder_of(park, words),
        policy_facts=policy_facts_of(park, words),
        tiers=tiers_of(park, words),
        prices=prices_of(park, words),
        carbon=_carbon(park, words),
        clocks=_clocks(park, words),
        sandbox=sandbox_of(park, words),
        label_meanings=LABEL_MEANINGS,
        plan_labels=dict(plan.labels) if plan else {},
    )


def _lead(words: Words, site: Site) -> str:
    if site.scale is None:
        return words.count(
            "{mw} at the site meter at most, from {n} plant and the grid.",
            "{mw} at the site meter at most, from {n} plants and the grid.",
            len(site.plants),
            mw=words.power(site.site_mw_max),
        )
    return words.say(
        "This machine ({here} at the site meter) stands for Eureka Park at {mw}: every power is divided by {factor}.",
        here=words.power(site.site_kw_rated / 1000),
        mw=words.power(site.site_mw_max),
        factor=words.number(1 / site.factor, 0),
    )


# -- plants ------------------------------------------------------------------------------------------------------------
def loss_of(site: Site, plant: Plant) -> float:
    """Share of a plant's power lost on the way to the site."""
    return site.grid.line_loss_frac if plant.line_loss_frac is None else plant.line_loss_frac


def _now_of(park: Park, plan: PowerPlan | None, plant: Plant) -> tuple[float | None, str]:
    """What the plan says that a plant gives now at the site meter (MW of the full site), and its colour class."""
    kind = kinds_of(park.site)[plant.id]
    if plan is None or plant.id not in plan.available_by_source_mw:
        return None, kind
    index = index_of(plan, park.clock.park_s())
    mw = plan.available_by_source_mw[plant.id][index]
    if plant.id in plan.tes_mwh_th:
        panels = [
            name for name, of in kinds_of(park.site).items() if of == "pv" and name in plan.available_by_source_mw
        ]
        sun = [sum(plan.available_by_source_mw[name][at] for name in panels) for at in range(plan.n_intervals)]
        salt = from_salt_mw(plan, {plant.id: plant.eta_frac or 0.0}, sun).get(plant.id)
        kind = "salt" if salt and mw > 0 and salt[index] > mw / 2 else kind
    return mw / park.site.factor, kind


def _plant(park: Park, words: Words, plan: PowerPlan | None, plant: Plant) -> dict[str, Any]:
    mw, css = _now_of(park, plan, plant)
    most = (plant.power_block_mw or plant.gross_mw) * (1 - loss_of(park.site, plant))
    return {
        "id": plant.id,
        "css": css,
        "place": plant.weather_site,
        "name": words.name(plant.title or plant.id),
        "kind": words.say(KINDS[plant.type]),
        "status": "" if plant.status == "operating" else plant.status,
        "mw": mw or 0.0,
        "now": words.power(mw),
        "frac": min(1.0, (mw or 0.0) / most),
        "share": words.percent((mw or 0.0) / most if mw is not None else None),
        "most": words.power(most),
        "is_salt": css == "salt",
        "facts": [*_facts(park.site, words, plan, plant)],
        "source": plant.source,
    }


def _outages(words: Words, site: Site) -> list[dict[str, str]]:
    """What is known of plants that stood still, told as fact with its source."""
    told = []
    for plant in site.plants if is_eureka_park(site) else ():
        if plant.id in OUTAGES:
            text, source = OUTAGES[plant.id]
            name = words.name(plant.title or plant.id)
            told.append({"id": plant.id, "name": name, "text": words.say(text), "source": source})
    return told


def _facts(site: Site, words: Words, plan: PowerPlan | None, plant: Plant) -> list[dict[str, Any]]:
    """The figures of a plant, each with its label and its source."""
    yearly = plant.year_gwh_published
    shown: list[tuple[str, str, str]] = [
        ("gross_mw", N_("Capacity"), words.power(plant.gross_mw)),
        ("power_block_mw", N_("Net power"), words.power(plant.power_block_mw) if plant.power_block_mw else ""),
        ("tes_h", N_("Salt for full power"), words.duration(plant.tes_h * 3600) if plant.tes_h else ""),
        ("energy_mwh", N_("Holds"), words.energy(plant.energy_mwh * 1e3) if plant.energy_mwh else ""),
        ("commissioned", N_("Since"), isolated(plant.commissioned) if plant.commissioned else ""),
        ("year_gwh_published", N_("In a year"), words.energy(yearly * 1e6) if yearly else ""),
    ]  # fmt: skip
    facts = [_fact(words, plant, field, name, value) for field, name, value in shown if value]
    model = plan.calibration.get(plant.id) if plan else None
    if model is not None:
        text, why = _model_of(words, model, is_calibrated=yearly is not None)
        facts.append(
            {"name": words.say("Model"), "value": text, "label": words.say(SYNTHETIC), "source": why, "lang": ""}
        )
    return facts


def _model_of(words: Words, model: Mapping[str, float], *, is_calibrated: bool) -> tuple[str, str]:
    """The raw year of the model beside the calibrated one, and what the factor is."""
    raw = words.energy(model["raw_gwh"] * 1e6)
    if not is_calibrated:
        return raw, words.say("our model's year before outages; nobody published one to set beside it")
    factor, year = words.number(model["factor"], 3), words.energy(model["year_gwh"] * 1e6)
    return (
        words.say("{raw} × {factor} = {year}", raw=raw, factor=factor, year=year),
        words.say("our model's year times the factor that brings it to the yearly figure above"),
    )


def _fact(words: Words, plant: Plant, field: str, name: str, value: str) -> dict[str, Any]:
    rests = known(plant, field)
    is_ours = rests.source != plant.source
    return {
        "name": words.say(name),
        "value": value,
        "label": words.say(rests.label),
        "source": words.say(rests.source) if is_ours else rests.source,
        "lang": words.tag_of(rests.source) if is_ours else "en",
    }


# -- map ---------------------------------------------------------------------------------------------------------------
def _map(park: Park, words: Words, plan: PowerPlan | None, plants: list[dict[str, Any]]) -> dict[str, Any]:
    site = park.site
    index = index_of(plan, park.clock.park_s()) if plan else 0
    grid_mw = plan.by_source_mw[GRID_SOURCE_ID][index] / site.factor if plan else 0.0
    drawn = power_now(park)["site_mw"]
    lines = [_line(site, words, place, plants) for place in dict.fromkeys(plant["place"] for plant in plants)]
    scene = drawing.Scene(
        campus=words.say("Tétouan") if is_eureka_park(site) else site.title,
        campus_shown=words.say("draws {power}", power=words.power(drawn / site.factor)) if drawn else "",
        lines=lines,
        grid_mw=grid_mw,
        grid_name=words.say("Public grid"),
        grid_shown=words.say("{power} for the full load", power=words.power(grid_mw)) if plan else "",
        grid_short=words.power(grid_mw) if plan else "",
        whole_mw=site.site_mw_max,
        names=[(css, words.say(name), x, y) for css, name, x, y in NAMES_ON_MAP],
    )
    label = words.say("Plants, lines and what flows now; the same figures are in the cards below.")
    return {
        "wide": drawing.schematic(scene, label),
        "narrow": drawing.schematic(scene, label, is_narrow=True),
        "grid": words.power(grid_mw) if plan else "",
        "grid_frac": min(1.0, grid_mw / site.site_mw_max),
        "is_scaled": site.scale is not None,
        "heads": [words.say(name) for name in _TABLE],
        "rows": [
            [
                item["name"],
                words.say(PLACES.get(item["place"], item["place"])),
                item["now"],
                item["share"],
                item["most"],
            ]
            for item in plants
        ],
        "notes": [(line.name, line.notes) for line in lines if line.notes],
    }


def _line(site: Site, words: Words, place: str, plants: list[dict[str, Any]]) -> drawing.Line:
    here = [plant for plant in plants if plant["place"] == place]
    losses = {loss_of(site, plant) for plant in site.plants if plant.weather_site == place}
    notes = [words.say("{share} lost on the way", share=words.percent(loss)) for loss in sorted(losses) if loss]
    if is_eureka_park(site) and place in THROUGH_GRID:
        notes.append(words.say("{km} km in a straight line", km=words.number(distance_km(site, place), 0)))
        notes.append(words.say("through the public grid"))
    return drawing.Line(
        place,
        words.say(PLACES.get(place, place)),
        [
            drawing.Plant(item["id"], item["css"], item["name"], item["now"], item["frac"], item["share"])
            for item in here
        ],
        [
            (css, sum(item["mw"] for item in here if item["css"] == css))
            for css in ("wind", "pv", "csp", "salt", "battery")
        ],
        notes,
        place in THROUGH_GRID and is_eureka_park(site),
    )


def distance_km(site: Site, place: str) -> float:
    """From a weather site to Tétouan, in a straight line."""
    spot = next(item for item in site.weather_sites if item.id == place)
    (lat0, lon0), (lat1, lon1) = (
        (math.radians(deg) for deg in (spot.latitude_deg, spot.longitude_deg)),
        (math.radians(deg) for deg in TETOUAN_DEG),
    )
    chord = math.sin((lat1 - lat0) / 2) ** 2 + math.cos(lat0) * math.cos(lat1) * math.sin((lon1 - lon0) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(chord))


# -- clocks and carbon -------------------------------------------------------------------------------------------------
def _carbon(park: Park, words: Words) -> list[dict[str, Any]]:
    """Grams a kWh by source."""
    names = {plant.id: words.name(plant.title or plant.id) for plant in park.site.plants}
    kinds = kinds_of(park.site)
    return [
        {
            "css": kinds.get(source, "grid"),
            "name": names.get(source, words.say("Grid")),
            "grams": words.number(grams),
            "frac": grams / (max(park.site.gco2_per_kwh_by_source.values()) or 1.0),
            "is_grid": source == GRID_SOURCE_ID,
        }
        for source, grams in park.site.gco2_per_kwh_by_source.items()
    ]


def _clocks(park: Park, words: Words) -> dict[str, Any]:
    real_s = park.clock.real_s()
    return {
        "real": words.when(real_s),
        "real_at": iso_from_s(real_s),
        "is_paced": park.facts.pace.factor != 1,
        "began": words.when(park.facts.created_real_s),
    }
