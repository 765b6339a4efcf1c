"""A year of a site, to be explored: sliders with answers known in advance, the exact year behind them, pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from eureka_park.energy.core.costs import Costs
from eureka_park.energy.core.new_supply import cost_of, mad_per_kwh_with, unit_costs
from eureka_park.energy.lattice_file import ShippedLattice, lattice_for
from eureka_park.energy.verdict_file import shipped_study
from eureka_park.energy.verdict_schema import SCENARIOS, scenarios_of
from eureka_park.energy.year_desk import FLEX_MOST_FRAC, LOAD_LEAST_FRAC, Question, Status
from eureka_park.foundation.site_file import Site
from eureka_park.web.api.years import desk_of
from eureka_park.web.auth import Someone, park_of
from eureka_park.web.pages.draw import page, words_of
from eureka_park.web.pages.energy_tabs import YEAR, tabs_of
from eureka_park.web.pages.forms import TheForm
from eureka_park.web.pages.known_plants import is_eureka_park
from eureka_park.web.pages.words import N_, Words
from eureka_park.web.pages.year_pictures import pictures_of, shown_hours
from eureka_park.web.verdict.view import word_of

SPREAD_TOLD: Final = "cfe_frac"
ENERGY_FORMS: Final = ((1.0, N_("{n} GWh")), (1e-3, N_("{n} MWh")), (1e-6, N_("{n} kWh")))
SCENARIO_NAMES: Final = {
    "all-plants": N_("All plants"),
    "noor-iii-out": N_("Noor III out"),
    "historical-availability": N_("As available as in the past"),
}


@dataclass(frozen=True, slots=True)
class Slider:
    """A value that people move: name in the address, name for people, unit, range, step."""

    name: str
    label: str
    unit: str
    least: float
    most: float
    step: float


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a year: its key and name, what it is, and for plain numbers the form with {n} and the digits."""

    key: str
    name: str
    kind: Literal["percent", "energy", "number"]
    hint: str
    form: str = "{n}"
    digits: int = 0


FIGURES: Final = (
    Figure("cfe_frac", N_("Clean, hour by hour"), "percent", N_("of the load's energy")),
    Figure("hours_fully_clean_frac", N_("Hours fully clean"), "percent", N_("of the year's hours")),
    Figure("import_gwh", N_("Bought from the grid"), "energy", N_("in the year")),
    Figure("export_gwh", N_("Surplus sold"), "energy", N_("in the year")),
    Figure("gco2_per_kwh", N_("Carbon"), "number", N_("CO₂ behind a kWh of the load"), N_("{n} g")),
    Figure("mad_per_kwh", N_("Cost of a kWh"), "number", N_("new supply included"), N_("{n} MAD"), 2),
)


def year_page(request: Request) -> HTMLResponse:
    """The page for the question in the address; what the address says wrongly is brought into range."""
    park, words = park_of(request), words_of(request)
    asked = question_in(dict(request.query_params), park.site)
    found, status = lattice_for(park.site), desk_of(request).status(asked.question_id)
    exact = status.answer if status else None
    near = found.lattice.figures(asked.scenario, asked.wish) if found else None
    figures = exact.figures if exact else near
    new = new_supply(asked)
    share = figures["cfe_frac"] if figures else None
    hours = shown_hours(park.site, exact)
    return page(
        request,
        "energy_year.html",
        "/energy",
        tabs=tabs_of(words, YEAR),
        headline=N_("At {mw}, the sky carries {share} of the year.") if figures else N_("A year of this site."),
        headline_values={"mw": words.power(asked.load_mw), "share": words.percent(share)} if figures else {},
        asked=asked,
        sliders=[_slider_view(words, slider, asked) for slider in sliders_of(park.site)],
        scenarios=[(name, words.say(SCENARIO_NAMES[name]), name == asked.scenario) for name in scenarios_of(park.site)],
        figures=[_figure_view(words, figure, figures, exact, new) for figure in FIGURES],
        new=_new_view(words, new),
        unit_costs=unit_costs(Costs.of_table()),
        error=_error_view(words, found),
        lattice=found is not None,
        weather=found.weather if found else "",
        solving=_status_view(words, status),
        energy_forms=[[size, words.say(form, n="{n}")] for size, form in ENERGY_FORMS],
        has_noor=is_eureka_park(park.site),
        plants=counted_plants(words) if found else [],
        command=command_of(asked, park.site),
        hidden=_query(asked),
        pictures=pictures_of(words, hours, request.query_params.get("week"), _query(asked)) if hours else None,
        pictures_exact=exact is not None,
    )


def ask_for_year(request: Request, _who: Someone, form: TheForm) -> Response:
    """Have the exact year computed and go back to the page. For browsers without scripts."""
    park = park_of(request)
    names = ("scenario", "load", "flex", "wind", "pv", "battery")
    asked = question_in({name: form.one(name) for name in names if form.has(name)}, park.site)
    desk = desk_of(request)
    desk.ask(desk.checked(asked, SCENARIOS))
    return RedirectResponse(f"{YEAR}?{urlencode(_query(asked))}", 303)


def question_in(values: Mapping[str, str], site: Site) -> Question:
    """The question that an address asks: unknown words and numbers outside a slider's range are brought inside."""
    scenario = values.get("scenario", SCENARIOS[0])
    numbers = {slider.name: _inside(values.get(slider.name), slider) for slider in sliders_of(site)}
    asked = Question(
        scenario if scenario in SCENARIOS else SCENARIOS[0],
        numbers["load"],
        numbers["flex"] / 100.0,
        numbers["wind"],
        numbers["pv"],
        numbers["battery"],
    )
    return asked.rounded


def counted_plants(words: Words) -> list[tuple[str, str, str, str]]:
    """The plants of the shipped site: name, the model's raw year, the factor on it, the year counted and whose word."""
    return [
        (
            words.name(plant["title"]),
            words.number(plant["raw_gwh"], 0),
            words.number(plant["calibration_factor"], 2),
            f"{words.number(plant['calibrated_gwh'], 0)} "
            + word_of(plant["id"], "year_gwh_published", plant["calibrated_gwh"], words),
        )
        for plant in shipped_study()["plants"]
    ]


def command_of(asked: Question, site: Site) -> str:
    """The command line that answers the same; none while new supply is asked for, which needs a site file."""
    if asked.wind_mw or asked.pv_mw or asked.battery_mw:
        return ""
    flex = f" --flex-frac {asked.flex_frac:g}" if asked.flex_frac else ""
    scenario = f" --scenario {asked.scenario}" if asked.scenario != SCENARIOS[0] else ""
    name = site.scale.of if site.scale else site.name
    return f"park energy year --site {name} --load-mw {asked.load_mw:g}{flex}{scenario} --seeds 1-3"


def sliders_of(site: Site) -> tuple[Slider, ...]:
    """What can be moved at a site. New supply goes as far as the lattice does, or to twice the site."""
    found = lattice_for(site)
    axes = found.lattice.axes if found else {}
    most_mw = site.site_mw_max
    step = _nice(most_mw / 386.0)
    has_wind = any(place.wind_m_per_s_mean is not None for place in site.weather_sites)
    has_sun = any(place.dni_kwh_per_m2_year is not None for place in site.weather_sites)

    def most(axis: str, is_there: bool = True) -> float:
        return (axes[axis][-1] if axis in axes else _nice(2.0 * most_mw)) if is_there else 0.0

    least = max(LOAD_LEAST_FRAC * most_mw, axes["load_mw"][0] if axes else 0.0)
    return (
        Slider("load", N_("Load, drawn constantly"), "MW", _down(least, step), most_mw, step),
        Slider("flex", N_("Part that may move within its day"), "%", 0.0, 100 * _flex_most(axes), 1.0),
        Slider("wind", N_("New wind"), "MW", 0.0, most("wind_mw", has_wind), 5 * step),
        Slider("pv", N_("New sun (PV)"), "MW", 0.0, most("pv_mw", has_sun), 5 * step),
        Slider("battery", N_("New battery, four hours"), "MW", 0.0, most("battery_mw"), 5 * step),
    )


def _flex_most(axes: Mapping[str, tuple[float, ...]]) -> float:
    return min(FLEX_MOST_FRAC, axes["flex_frac"][-1]) if axes else FLEX_MOST_FRAC


def new_supply(asked: Question) -> dict[str, float]:
    """What the new supply of a question costs: MUSD to build, MMAD a year."""
    new_mw = {"wind": asked.wind_mw, "pv": asked.pv_mw, "battery": asked.battery_mw}
    return cost_of(new_mw, Costs.of_table())


def _inside(text: str | None, slider: Slider) -> float:
    default = slider.most if slider.name == "load" else 0.0
    try:
        value = float(text) if text else default
    except ValueError:
        value = default
    return min(slider.most, max(slider.least, value)) if value == value else default


def _query(asked: Question) -> dict[str, str]:
    """The question as an address says it."""
    values = {
        "load": asked.load_mw, "flex": 100 * asked.flex_frac, "wind": asked.wind_mw, "pv": asked.pv_mw,
        "battery": asked.battery_mw,
    }  # fmt: skip
    return {"scenario": asked.scenario, **{name: f"{value:.6g}" for name, value in values.items()}}


def _power(words: Words, power_mw: float) -> str:
    is_whole = power_mw == round(power_mw)
    return words.say("{n} MW", n=words.number(power_mw, 0)) if is_whole else words.power(power_mw)


def energy_text(words: Words, gwh: float, load_gwh: float) -> str:
    """An energy in the unit that suits the load's own: GWh of a park, MWh or kWh of a roof."""
    size, form = next((item for item in ENERGY_FORMS if load_gwh >= item[0]), ENERGY_FORMS[-1])
    shown = gwh / size
    return words.say(form, n=words.number(shown, 0 if shown >= 10 or shown == 0 else 1))


# -- what is shown -----------------------------------------------------------------------------------------------------
def _slider_view(words: Words, slider: Slider, asked: Question) -> dict[str, Any]:
    value = {
        "load": asked.load_mw, "flex": 100 * asked.flex_frac, "wind": asked.wind_mw, "pv": asked.pv_mw,
        "battery": asked.battery_mw,
    }[slider.name]  # fmt: skip
    is_share = slider.unit == "%"
    return {
        "name": slider.name,
        "label": words.say(slider.label),
        "least": f"{slider.least:.6g}",
        "most": f"{slider.most:.6g}",
        "step": f"{slider.step:.6g}",
        "value": f"{value:.6g}",
        "told": words.percent(value / 100) if is_share else _power(words, value),
        "is_share": is_share,
    }


def _figure_view(
    words: Words, figure: Figure, figures: Mapping[str, float] | None, exact: Any, new: Mapping[str, float]
) -> dict[str, Any]:
    def told(values: Mapping[str, float]) -> str:
        value = values[figure.key]
        if figure.key == "mad_per_kwh":
            value = mad_per_kwh_with(value, values["load_gwh"], new["mmad"])
        if figure.kind == "energy":
            return energy_text(words, value, values["load_gwh"])
        if figure.kind == "percent":
            return words.percent(value)
        return words.say(figure.form, n=words.number(value, figure.digits))

    spread = ""
    if figure.key == SPREAD_TOLD and exact is not None and told(exact.low) != told(exact.high):
        spread = words.say("{low} to {high} over {n} years", low=told(exact.low), high=told(exact.high),
                           n=words.number(exact.n_years))  # fmt: skip
    return {
        "key": figure.key,
        "name": words.say(figure.name),
        "told": told(figures) if figures else "–",
        "form": words.say(figure.form, n="{n}"),
        "digits": figure.digits,
        "kind": figure.kind,
        "hint": words.say(figure.hint),
        "spread": spread,
    }


def _new_view(words: Words, new: Mapping[str, float]) -> dict[str, str]:
    millions, dollars = words.say("US$ {n} million", n="{n}"), words.say("US$ {n}", n="{n}")
    is_much = new["musd"] >= 1.0
    shown = words.number(new["musd"] if is_much else 1e6 * new["musd"], 0)
    return {"money": (millions if is_much else dollars).replace("{n}", shown), "form": millions, "small": dollars}


def _error_view(words: Words, found: ShippedLattice | None) -> dict[str, str] | None:
    """How far off an approximate share is, in points of a hundred."""
    if found is None or "cfe_frac_p95" not in found.error:
        return None
    return {
        "points": words.number(100 * found.error["cfe_frac_p95"], 1),
        "most": words.number(100 * found.error["cfe_frac_max"], 1),
        "n": words.number(found.error["n_points"]),
    }


def _status_view(words: Words, status: Status | None) -> dict[str, Any]:
    """Where the exact year stands, for people and for the island."""
    if status is None or status.state == "dropped":
        return {"state": "none", "told": "", "done_frac": 0.0}
    told = {
        "waiting": words.say("Waiting: another year is being solved."),
        "running": words.say("Solving year {n} of {of}.", n=words.number(status.done + 1), of=words.number(status.of)),
        "failed": words.say("The exact year could not be computed."),
        "done": words.say("Exact: {n} years of synthetic weather, hour by hour.", n=words.number(status.of)),
    }[status.state]
    return {"state": status.state, "told": told, "done_frac": status.done / status.of}


def _nice(value: float) -> float:
    """A round number not far above: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** len(str(int(value)).lstrip("0")) / 10.0 if value >= 1 else 1e-3
    while power * 10 <= value:
        power *= 10
    return next((mark * power for mark in (1.0, 2.0, 5.0, 10.0) if mark * power >= value * (1 - 1e-9)), 10.0 * power)


def _down(value: float, step: float) -> float:
    return step * max(1.0, value // step)
