"""Questions about a site's years: many years of weather at once, told as one JSON value.

Top-level figures are the median (p50) over the years that were run, with `_p10` and `_p90` beside; nested ones are
medians, element by element, and with several years their parts need not sum to the whole. `by_seed` has each year's
own.
Every answer repeats what it rests on: weather, plants with raw and calibrated output, scenario, contracts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from eureka_park import __version__
from eureka_park.energy.core.footprint import contract_of, price_mad_per_mwh
from eureka_park.energy.crew import Progress, run_all
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.plant_data import fact, has_parameter
from eureka_park.foundation.site_file import LIFE_CYCLE_SOURCE, Plant, Site, site_to_json

DEFAULT_SCENARIO: Final = "all-plants"
DIGITS: Final = 8
SPREAD: Final = (("", 50.0), ("_p10", 10.0), ("_p90", 90.0))
FORESIGHT: Final = (
    "the whole year known in advance, one linear program: a bound, which plans with forecasts stay below; constant "
    "efficiency of the power blocks, without start-up heat and minimum load"
)
ACCOUNTING: Final = (
    "Three accounts, not to be added. hour_matched: power of the site's plants in the load's hour, whoever owns it."
    " contracted: the part that is contracted to the park. physical_grid: the low-carbon share of what flows in the "
    "wire, the grid's mix, but for plants beside the site that are not sold to others."
)


def run_years(
    site: Site,
    load_mw: float | Sequence[float],
    *,
    flex_frac: float = 0.0,
    seeds: Sequence[int] = (1,),
    weather: Mapping[str, Path] | None = None,
    scenario: str = DEFAULT_SCENARIO,
    without: Sequence[str] = (),
    hourly: bool = False,
    load_name: str = "",
    n_workers: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The figures of `core.year.YearResult` over years of weather; `hourly`: of the first year, under `hourly`.

    `load_mw` is one power or 8,760. Weather files by place stand for one measured year; without them the seeds' years.
    Raises BadInput. The answer does not depend on `n_workers`.
    """
    base = {**years_request(site, seeds, weather, scenario, without), "task": "year", "flex_frac": flex_frac}
    load = load_mw if isinstance(load_mw, int | float) else [float(value) for value in load_mw]
    years = _years(seeds, weather)
    requests = [{**base, **year, "load_mw": load, "hourly": hourly and not index} for index, year in enumerate(years)]
    answers = run_all(requests, n_workers, progress)
    results = [answer["result"] for answer in answers]
    told = {
        "what": "year",
        **_head(site, scenario, without, flex_frac, seeds, weather),
        "load": load_name or ("constant" if isinstance(load, int | float) else "profile"),
        "load_mw": float(np.mean(load)),
        **spread(results),
        "accounting": _accounting(site, results),
        **told_basis(site, answers),
        **_by_seed(seeds, weather, results),
    }
    return {**told, "hourly": answers[0]["hourly"]} if hourly else told


def largest_load(
    site: Site,
    cfe_frac: float | Sequence[float],
    *,
    flex_frac: float = 0.0,
    seeds: Sequence[int] = (1,),
    weather: Mapping[str, Path] | None = None,
    scenario: str = DEFAULT_SCENARIO,
    without: Sequence[str] = (),
    n_workers: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The largest constant load that reaches a share, or each of several shares; figures of the year at that load.

    One share: the figures stand at the top. Several: one entry of `loads` for each. Raises BadInput.
    """
    asked = [float(cfe_frac)] if isinstance(cfe_frac, int | float) else [float(value) for value in cfe_frac]
    base = {**years_request(site, seeds, weather, scenario, without), "task": "max-load", "flex_frac": flex_frac}
    requests = [{**base, **year, "cfe_frac": asked} for year in _years(seeds, weather)]
    answers = run_all(requests, n_workers, progress)
    loads = [spread([answer["loads"][index] for answer in answers]) for index in range(len(asked))]
    for entry, share in zip(loads, asked, strict=True):
        entry["asked_cfe_frac"] = share
        for name in ("asked_cfe_frac_p10", "asked_cfe_frac_p90"):
            del entry[name]
    return {
        "what": "max-load",
        **_head(site, scenario, without, flex_frac, seeds, weather),
        **(loads[0] if len(asked) == 1 else {"loads": loads}),
        "method": "bracket closed by exact years, each started from the last one's optimum; to 0.5 MW",
        **told_basis(site, answers),
        **_by_seed(seeds, weather, [{"load_mw": [item["load_mw"] for item in answer["loads"]]} for answer in answers]),
    }


def spread(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Several results of one form as one: numbers at the top as p50, `_p10` and `_p90`, nested ones as p50."""
    told: dict[str, Any] = {}
    for name, first in results[0].items():
        values = [result[name] for result in results]
        if isinstance(first, int | float):
            for ending, percent in SPREAD:
                told[name + ending] = _rounded(float(np.percentile(values, percent)))
        else:
            told[name] = _middle(values)
    return told


def _middle(values: Sequence[Any]) -> Any:
    first = values[0]
    if isinstance(first, Mapping):
        return {key: _middle([value[key] for value in values]) for key in first}
    if isinstance(first, list):
        return [_middle([value[index] for value in values]) for index in range(len(first))]
    if isinstance(first, bool) or not isinstance(first, int | float):
        return first
    return (
        first
        if all(value == first for value in values) and isinstance(first, int)
        else _rounded(float(np.median(values)))
    )


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}") + 0.0


def _years(seeds: Sequence[int], weather: Mapping[str, Path] | None) -> list[dict[str, Any]]:
    if weather:
        return [{"weather": {place: str(path) for place, path in weather.items()}}]
    if not seeds:
        raise BadInput("There are no seeds.", fix="Give one or more, such as 1-5.", field="seeds")
    return [{"seed": int(seed)} for seed in seeds]


def years_request(
    site: Site, seeds: Sequence[int], weather: Mapping[str, Path] | None, scenario: str, without: Sequence[str]
) -> dict[str, Any]:
    """What every request of a study says: site, scenario, plants left out. Raises BadInput for an unknown plant."""
    known = [plant.id for plant in site.plants]
    for name in without:
        if name not in known:
            raise BadInput(
                f"There is no plant '{name}'.", fix=f"Plants: {', '.join(known) or 'none'}.", field="without"
            )
    return {"site": site_to_json(site), "scenario": scenario, "without": list(without)}


def _head(
    site: Site,
    scenario: str,
    without: Sequence[str],
    flex_frac: float,
    seeds: Sequence[int],
    weather: Mapping[str, Path] | None,
) -> dict[str, Any]:
    return {
        "version": __version__,
        "site": site.name,
        "scale_model_of": site.scale.of if site.scale else None,
        "scenario": scenario,
        "without": list(without),
        "flex_frac": flex_frac,
        "seeds": [] if weather else list(seeds),
        "n_years": 1 if weather else len(seeds),
        "foresight": FORESIGHT,
    }


def _accounting(site: Site, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    def middle(name: str) -> float:
        return _rounded(float(np.median([result[name] for result in results])))

    return {
        "hour_matched_frac": middle("cfe_frac"),
        "contracted_frac": middle("contracted_frac"),
        "physical_grid_frac": middle("physical_grid_frac"),
        "grid_clean_frac": site.grid.clean_frac,
        "note": ACCOUNTING,
    }


def told_basis(site: Site, answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Weather, plants and contracts, prices and carbon: what the figures rest on."""
    weather = {}
    for place in answers[0]["weather"]:
        years = [answer["weather"][place] for answer in answers]
        same = {key: years[0][key] for key in ("label", "origin", "licence")}
        weather[place] = {**same, "content_ids": [year["content_id"] for year in years]}
    plants = _middle([answer["plants"] for answer in answers])
    for plant in site.plants:
        published, price = plant.year_gwh_published, price_mad_per_mwh(plant)
        more = {"published_gwh": published, "price_mad_per_mwh": price, "contract": contract_of(plant)}
        plants[plant.id] = {**plants.get(plant.id, {}), **more, **_rests_on(plant)}
    is_sold = any(contract_of(plant) == "already sold" for plant in site.plants)
    return {
        "weather": weather,
        "plants": plants,
        "supply": "already sold to others, where a plant says so; nothing here is additional" if is_sold else "",
        "unpriced_plants": [plant.id for plant in site.plants if price_mad_per_mwh(plant) is None],
        "grid_gco2": f"{site.grid.gco2_per_kwh:g} g/kWh: {site.grid.gco2_source}",
        "plant_gco2": LIFE_CYCLE_SOURCE,
        "tariff": site.grid.price_source,
    }


def _rests_on(plant: Plant) -> dict[str, str]:
    """Whether a plant's yearly output and its price were measured, published, planned or assumed, and who says so."""
    told: dict[str, str] = {}
    for name, short in (("year_gwh_published", "published_gwh"), ("price_mad_per_mwh", "price")):
        if has_parameter(plant, name):
            found = fact(plant, name)
            told |= {f"{short}_label": found.label, f"{short}_source": found.source}
    return told


def _by_seed(
    seeds: Sequence[int], weather: Mapping[str, Path] | None, results: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    if weather or len(results) < 2:
        return {}
    rows = []
    for seed, result in zip(seeds, results, strict=True):
        figures = {name: value for name, value in result.items() if isinstance(value, int | float)}
        figures |= {name: value for name, value in result.items() if name == "load_mw"}
        rows.append({"seed": seed, **{name: _middle([value]) for name, value in figures.items()}})
    return {"by_seed": rows}
