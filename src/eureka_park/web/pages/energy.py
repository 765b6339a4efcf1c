"""Energy by the meter: who gave it, who took it, how clean each hour was, what the next megawatt costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, JSONResponse

from eureka_park.bootstrap import Park
from eureka_park.energy.core.sky import sky_now
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import GRID_SOURCE_ID
from eureka_park.foundation.units import DAY_S, HOUR_S, parse_instant_s
from eureka_park.web.api.park import kinds_of, power_now
from eureka_park.web.auth import park_of
from eureka_park.web.charts import curve as curves
from eureka_park.web.charts import heat, live
from eureka_park.web.charts.plan import data_block
from eureka_park.web.charts.sankey import Node, sankey
from eureka_park.web.pages.draw import KIND_NAMES, colours_of, index_of, names_of, page, words_of
from eureka_park.web.pages.energy_tabs import TODAY, tabs_of
from eureka_park.web.pages.known_plants import CONTRACTS, is_eureka_park
from eureka_park.web.pages.words import N_, Words, isolated

TARGETS: Final = (("firm", "ink"), ("flex", "ink"), ("green", "ink"), (N_("idle"), "mute"))  # tier, colour class
PERIODS: Final = ((1, N_("today")), (7, N_("seven days")))
PAST_DAYS: Final = 6
_KINDS: Final = {"csp": N_("Sun and molten salt")}  # what a plant with a tank gives, where both go by one price
LIVE_H: Final = 6
_GAP_S: Final = 900.0  # readings come every 10 to 60 s; beyond this the live line breaks
_ROWS_SHOWN: Final = 12
HEADLINES: Final = (
    (0.95, N_("The sky carried nearly all of today's work.")),
    (0.5, N_("The sky carried {share} of today's work.")),
    (0.0, N_("The grid carried more of today's work than the sky: {share} came from sun, wind and salt.")),
)


def energy_page(request: Request, days: Annotated[int, Query(ge=1, le=7)] = 1) -> HTMLResponse:
    """Today and this week by the meter."""
    park, words = park_of(request), words_of(request)
    now_s = park.clock.park_s()
    today, plan = park.ledger.today(now_s), park.energy.current_plan()
    clean = today["clean_frac"]
    return page(
        request,
        "energy.html",
        "/energy",
        live=True,
        tabs=tabs_of(words, TODAY),
        headline=_headline(clean),
        headline_values={"share": words.percent(clean)} if clean is not None and clean < 0.95 else {},
        today=_today(words, today),
        days=days,
        periods=[(n, words.say(name)) for n, name in PERIODS],
        flows=flows_of(park, words, _since_s(words, now_s, days), now_s),
        shares=shares_of(park, words, plan, now_s),
        carbon=carbon_of(park, words, today["by_source_kwh"]),
        three=three_of(park, words, today),
        curve=curve_of(park, words, plan, now_s) if plan else None,
        live_chart=live_of(park, words, now_s),
        sky=words.say(_sky_sentence(park, plan, now_s)),
    )


def power_series(request: Request, hours: Annotated[float, Query(gt=0, le=48)] = LIVE_H) -> JSONResponse:
    """The meter's readings and the clean power of their hours, as the live chart takes them."""
    park = park_of(request)
    return JSONResponse(_series(park, hours), headers={"Cache-Control": "no-store"})


def _series(park: Park, hours: float) -> dict[str, Any]:
    now_s = park.clock.park_s()
    since_s = now_s - hours * HOUR_S
    sky = park.energy.sky_between(since_s, now_s)
    clean = {int(parse_instant_s(row["from_at"]) // HOUR_S): row["clean_mw_p50"] for row in sky}
    return live.with_gaps(park.ledger.readings(since_s, now_s), clean, max(_GAP_S, 90.0 * park.facts.pace.factor))


def _headline(clean: float | None) -> str:
    if clean is None:
        return N_("No energy has been metered today.")
    return next(text for least, text in HEADLINES if clean >= least)


def _sky_sentence(park: Park, plan: PowerPlan | None, now_s: float) -> str:
    return (
        sky_now(plan, now_s, kinds_of(park.site)).text if plan else N_("There is no power plan yet; one is being made.")
    )


def _since_s(words: Words, now_s: float, days: int) -> float:
    """Midnight of the site's clock, `days` - 1 days ago."""
    midnight = words.local(now_s).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - timedelta(days=days - 1)).timestamp()


def _today(words: Words, today: Mapping[str, Any]) -> dict[str, Any]:
    idle = sum(row["idle_kwh"] for row in today["hours"])
    return {
        "energy": words.energy(today["kwh"]),
        "jobs": words.energy(max(0.0, today["kwh"] - idle)),
        "idle": words.energy(idle),
        "grams": words.grams(today["gco2"]),
        "per_kwh": words.number(today["gco2"] / today["kwh"], 0) if today["kwh"] else "–",
        "clean": words.percent(today["clean_frac"]),
        "covered": words.number(today["covered_hours"]),
        "n_hours": words.number(today["n_hours"]),
        "method": today["method"],
    }


# -- from whom to whom -------------------------------------------------------------------------------------------------
def flows_of(park: Park, words: Words, since_s: float, until_s: float) -> dict[str, Any] | None:
    """Energy from each source to each tier as a picture and a table; None before there is any."""
    flows = park.ledger.flows(since_s // HOUR_S * HOUR_S, until_s)
    amounts = {(flow["source"], flow["target"]): flow["kwh"] for flow in flows}
    if not amounts:
        return None
    names, colours = names_of(park, words), colours_of(park)
    order = ("wind", "pv", "csp", "salt", "battery", "grid")
    given = {source for source, _ in amounts}
    ids = sorted(
        given,
        key=lambda source: (
            order.index(colours.get(source, "grid")),
            list(names).index(source) if source in names else 0,
        ),
    )
    sources = [_source(words, source, names, colours, amounts) for source in ids]
    targets = [_target(words, tier, css, amounts) for tier, css in TARGETS if any(to == tier for _, to in amounts)]
    label = words.say("Energy from each source to each tier")
    drawn = {"is_mirrored": words.direction == "rtl"}
    return {
        "wide": sankey(sources, targets, amounts, label, **drawn),
        "narrow": sankey(sources, targets, amounts, label, is_narrow=True, **drawn),
        "heads": [words.say("Source"), *(node.name for node in targets), words.say("together")],
        "rows": [
            [node.name, *(words.energy(amounts.get((node.id, to.id), 0.0)) for to in targets), node.shown]
            for node in sources
        ],
        "total": words.energy(sum(amounts.values())),
    }  # fmt: skip


def _source(
    words: Words,
    source: str,
    names: Mapping[str, str],
    colours: Mapping[str, str],
    amounts: Mapping[tuple[str, str], float],
) -> Node:
    mine = {to: kwh for (giver, to), kwh in amounts.items() if giver == source}
    shown, name = words.energy(sum(mine.values())), names.get(source, source)
    parts = "; ".join(
        words.say("{energy} to {target}", energy=words.energy(mine[tier]), target=words.say(tier))
        for tier, _ in TARGETS
        if tier in mine
    )
    told = words.say("{name} gave {energy}: {parts}", name=name, energy=shown, parts=parts)
    return Node(source, colours.get(source, "grid"), name, shown, told)


def _target(words: Words, tier: str, css: str, amounts: Mapping[tuple[str, str], float]) -> Node:
    total = sum(kwh for (_, to), kwh in amounts.items() if to == tier)
    return Node(tier, css, words.say(tier), words.energy(total))


# -- hour by hour ------------------------------------------------------------------------------------------------------
def shares_of(park: Park, words: Words, plan: PowerPlan | None, now_s: float) -> dict[str, Any]:
    """The clean share of each hour: past days by the meter, the next hours by the plan."""
    local, first = words.local(now_s), words.local(_since_s(words, now_s, PAST_DAYS + 1)).date()
    known = _metered(park, words, now_s)
    ahead = _planned(words, plan, now_s) if plan else {}
    days = [first + timedelta(days=n) for n in range(PAST_DAYS + 3)]
    rows = [_row(words, day, known, ahead, now_s) for day in days]
    while len(rows) > 1 and all(cell.what == heat.AHEAD for cell in rows[-1].cells):
        rows.pop()
    while days[0] < local.date() and all(cell.what == heat.UNREAD for cell in rows[0].cells):
        rows, days = rows[1:], days[1:]  # a young park has no past to be hatched
    hours = [isolated(f"{hour:02d}:00") for hour in range(24)]
    now = (days.index(local.date()), local.hour + local.minute / 60)
    label = words.say("Share of each hour's energy from sun, wind and salt")
    table = [[row.name, *(_cell_text(words, cell) for cell in row.cells)] for row in rows]
    readings = [[hours[h], *(words.pair(row[0], row[h + 1]) for row in table if row[h + 1] != "–")] for h in range(24)]
    return {
        "wide": heat.heat_map(rows, hours, label, now),
        "narrow": heat.heat_map(rows, hours, label, now, is_narrow=True),
        "heads": [words.say("Day"), *hours],
        "rows": table,
        "readings": data_block("heat-data", readings),
        "ramp": [heat.swatch(heat.METERED, index) for index in range(heat.N_CLASSES)],
        "disc": heat.swatch(heat.FORECAST, 3),
        "unread": heat.swatch(heat.UNREAD),
        "is_any_unread": any(cell.what == heat.UNREAD for row in rows for cell in row.cells),
    }


def _metered(park: Park, words: Words, now_s: float) -> dict[tuple[date, int], float]:
    """By day and local hour, the metered share; hours that occur twice when clocks turn are one."""
    sums: dict[tuple[date, int], list[float]] = {}
    for row in park.ledger.hours(_since_s(words, now_s, PAST_DAYS + 1) // HOUR_S * HOUR_S, now_s):
        local = words.local(parse_instant_s(row["hour_at"]))
        pair = sums.setdefault((local.date(), local.hour), [0.0, 0.0])
        pair[0] += row["kwh"]
        pair[1] += row["kwh"] - row["by_source_kwh"].get(GRID_SOURCE_ID, 0.0)
    return {place: clean / kwh for place, (kwh, clean) in sums.items() if kwh > 0}


def _planned(words: Words, plan: PowerPlan, now_s: float) -> dict[tuple[date, int], float]:
    """By day and local hour, the share of the possible load that the park's own sources carry, from this hour on."""
    grid = plan.by_source_mw.get(GRID_SOURCE_ID, (0.0,) * plan.n_intervals)
    found = {}
    for index in range(plan.n_intervals):
        start_s, load = plan.interval_start_s(index), plan.load_mw[index]
        if start_s + plan.step_s > now_s and load > 0:
            local = words.local(start_s)
            found[local.date(), local.hour] = max(0.0, 1.0 - grid[index] / load)
    return found


def _row(
    words: Words,
    day: date,
    known: Mapping[tuple[date, int], float],
    ahead: Mapping[tuple[date, int], float],
    now_s: float,
) -> heat.Row:
    local = words.local(now_s)
    cells = []
    for hour in range(24):
        is_past = (day, hour) < (local.date(), local.hour)
        if (day, hour) in known:
            cells.append(heat.Cell(heat.METERED, known[day, hour]))
        elif is_past:
            cells.append(heat.Cell(heat.UNREAD))
        elif (day, hour) in ahead:
            cells.append(heat.Cell(heat.FORECAST, ahead[day, hour]))
        else:
            cells.append(heat.Cell(heat.AHEAD))
    noon = local.replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=(day - local.date()).days)
    return heat.Row(words.day(noon.timestamp(), now_s), cells)


def _cell_text(words: Words, cell: heat.Cell) -> str:
    if cell.what == heat.METERED:
        return words.percent(cell.frac)
    if cell.what == heat.FORECAST:
        return words.say("{share} forecast", share=words.percent(cell.frac))
    return words.say("not read") if cell.what == heat.UNREAD else "–"


# -- carbon, three numbers ---------------------------------------------------------------------------------------------
def carbon_of(park: Park, words: Words, by_source: Mapping[str, float]) -> dict[str, Any]:
    """Today's energy by source with the grams behind it, and where the factors come from."""
    names, colours, factors = names_of(park, words), colours_of(park), park.site.gco2_per_kwh_by_source
    rows = [
        {
            "css": colours[source],
            "name": names.get(source, source),
            "energy": words.energy(by_source.get(source, 0.0)),
            "factor": words.number(factor),
            "grams": words.grams(by_source.get(source, 0.0) * factor),
        }
        for source, factor in factors.items()
    ]
    total = sum(by_source.get(source, 0.0) * factor for source, factor in factors.items())
    return {"rows": rows, "total": words.grams(total), "grid_source": park.site.grid.gco2_source}


def three_of(park: Park, words: Words, today: Mapping[str, Any]) -> dict[str, str]:
    """Contracted, matched by the hour, on the wire: three numbers that must not be mixed."""
    factor = park.site.grid.gco2_per_kwh
    return {
        "matched": words.percent(today["clean_frac"]),
        "wire": words.grams(today["kwh"] * factor),
        "booked": words.grams(today["gco2"]),
        "factor": words.number(factor),
        "contracts": words.say(CONTRACTS) if is_eureka_park(park.site) else "",
    }


# -- the curve ---------------------------------------------------------------------------------------------------------
def curve_of(park: Park, words: Words, plan: PowerPlan, now_s: float) -> dict[str, Any]:
    """What a further megawatt costs in this hour, as steps."""
    names, colours = names_of(park, words), colours_of(park)
    kinds = {css: words.say(_KINDS.get(css, name)) for css, name in KIND_NAMES.items()}
    steps = []
    for step in plan.curve[index_of(plan, now_s)]:
        css, name = colours.get(step.source, "grid"), names.get(step.source, step.source)
        steps.append(curves.Step(step.up_to_mw, step.cost_mad_per_mwh, css, name, kinds[css]))
    if not steps:
        return {"next": None}
    load = power_now(park)["site_mw"]
    label = words.say("Price of one more megawatt in this hour")
    here = curves.step_at(steps, load or 0.0)
    top = steps[-1].up_to_mw
    readings = [_reading(words, steps, top * (index + 0.5) / curves.N_READINGS) for index in range(curves.N_READINGS)]
    return {
        "next": {"price": words.number(here.mad_per_mwh, 0), "name": here.name, "css": here.css},
        "wide": curves.curve_chart(steps, words, label, load),
        "narrow": curves.curve_chart(steps, words, label, load, is_narrow=True),
        "readings": data_block("curve-data", readings),
        "heads": [words.say("Up to"), words.say("Source"), words.say("MAD a MWh")],
        "rows": [[words.power(step.up_to_mw), step.name, words.number(step.mad_per_mwh, 0)] for step in steps],
        "kinds": [(css, kinds[css]) for css in dict.fromkeys(step.css for step in steps)],
    }


def _reading(words: Words, steps: Sequence[curves.Step], mw: float) -> list[str]:
    step = curves.step_at(steps, mw)
    return [words.power(mw), words.say("{price} MAD/MWh", price=words.number(step.mad_per_mwh, 0)), step.name]


# -- live --------------------------------------------------------------------------------------------------------------
def live_of(park: Park, words: Words, now_s: float) -> dict[str, Any]:
    """The live chart's own texts, and the same by the hour as a table."""
    drawn = live.Series("drawn_mw", words.say("drawn at the site meter"), "--ink")
    clean = live.Series("clean_mw", words.say("clean power there is"), "--wind", is_filled=True)
    rows = park.ledger.readings(now_s - LIVE_H * HOUR_S, now_s, n_max=_ROWS_SHOWN)
    sky = {
        int(parse_instant_s(row["from_at"]) // HOUR_S): row["clean_mw_p50"]
        for row in park.energy.sky_between(now_s - LIVE_H * HOUR_S, now_s)
    }
    return {
        "series": live.series_json([clean, drawn]),
        "hours": words.number(LIVE_H),
        "heads": [words.say("Until"), drawn.name, clean.name],
        "rows": [
            [words.when(at_s, now_s), words.power(site_w / 1e6), words.power(sky.get(at_s // HOUR_S))]
            for at_s, site_w in ((row["at_s"], row["site_w"]) for row in rows)
        ],
    }  # fmt: skip


__all__ = ["DAY_S", "energy_page", "power_series"]
