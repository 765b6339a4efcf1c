"""What one process of a sizing study computes: additions for some shares, or what changes them, in plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from eureka_park.energy.core.costs import Costs
from eureka_park.energy.core.size import Basis, Progress, basis_for, size_for, told
from eureka_park.energy.core.supply import Supply, supply_from
from eureka_park.energy.core.weather import typical_year
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR, WeatherYear
from eureka_park.energy.study_tasks import basis_of, load_asked
from eureka_park.energy.weather_file import read_weather
from eureka_park.foundation.site_file import Site, site_from_json

FILE_YEAR: Final = "file"
WEEK_H: Final = 168


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read: what all sizes of it share."""

    site: Site
    request: Mapping[str, Any]
    costs: Costs


def size(request: Mapping[str, Any], progress: Progress | None = None) -> dict[str, Any]:
    """`{"sizes": [one for each share of "shares"], "weather": [...], "plants": [...]}`, in the order asked."""
    asked = read(request)
    basis = laid_out(asked)
    answers = []
    for number, share in enumerate(request["shares"], start=1):
        if progress is not None:
            progress("share", number)
        answers.append(told(basis, size_for(basis, float(share), asked.costs, progress), asked.costs))
    return {"sizes": answers, "basis": [basis_of(year.supply) for year in basis.years]}


def case(request: Mapping[str, Any], progress: Progress | None = None) -> dict[str, Any]:
    """Additions in some cases that share their years: `{"cases": [{"name", "size"}]}`.

    A case changes costs alone (`scale`: part of the table and factor; `set`: figures), so that all start from the same
    planes.
    """
    asked = read(request)
    basis = laid_out(asked)
    rows = []
    for number, item in enumerate(request["cases"], start=1):
        if progress is not None:
            progress("case", number)
        costs = asked.costs.changed(item.get("set", {}))
        for part, factor in item.get("scale", {}).items():
            costs = costs.scaled(part, float(factor))
        found = told(basis, size_for(basis, float(request["shares"][0]), costs, progress), costs)
        rows.append({"name": item["name"], "size": found})
    return {"cases": rows}


def dullest(request: Mapping[str, Any]) -> dict[str, Any]:
    """The seed whose worst week gives least: `{"seed", "gwh"}` among `seeds`."""
    years, _weather = _years(read(request))
    worst = {seed: _worst_week_gwh(years[f"seed {seed}"]) for seed in request["seeds"]}
    seed = min(worst, key=lambda key: worst[key])
    return {"seed": seed, "gwh": worst[seed]}


def read(request: Mapping[str, Any]) -> Asked:
    """A request's site, with its grid and policy changed where it says so, and its costs."""
    site = site_from_json(request["site"])
    site = site.model_copy(
        update={
            "grid": site.grid.model_copy(update=dict(request.get("grid", {}))),
            "policy": site.policy.model_copy(update=dict(request.get("policy", {}))),
        }
    )
    return Asked(site, request, Costs.of_table(request.get("life_years")))


def laid_out(asked: Asked) -> Basis:
    """The weeks of all years of a request."""
    request = asked.request
    years, weather = _years(asked)

    def modelled(site: Site, name: str) -> Supply:
        return supply_from(site, weather[name], str(request["scenario"]))

    return basis_for(
        asked.site,
        years,
        modelled,
        load_asked(request),
        asked.costs,
        flex_frac=float(request["flex_frac"]),
        most_mw=request.get("most_mw", {}),
        least=request.get("least", "additions"),
    )


def _years(asked: Asked) -> tuple[dict[str, Supply], dict[str, dict[str, WeatherYear]]]:
    request, places = asked.request, asked.site.weather_sites
    files = request.get("weather") or {}
    if files:
        weather = {FILE_YEAR: {place.id: read_weather(Path(files[place.id])) for place in places}}
    else:
        weather = {
            f"seed {seed}": {place.id: typical_year(place, int(seed)) for place in places} for seed in request["seeds"]
        }
    scenario, without = str(request["scenario"]), tuple(request["without"])
    return {name: supply_from(asked.site, year, scenario, without) for name, year in weather.items()}, weather


def _worst_week_gwh(supply: Supply) -> float:
    total = np.zeros(HOURS_PER_YEAR)
    for year in supply.years.values():
        if year.plant.id not in supply.without:
            total += year.series_mw * (float(year.plant.eta_frac or 1.0) if year.is_csp else 1.0)
    weeks = total[: HOURS_PER_YEAR // WEEK_H * WEEK_H].reshape(-1, WEEK_H).sum(axis=1)
    return float(weeks.min()) / 1000.0
