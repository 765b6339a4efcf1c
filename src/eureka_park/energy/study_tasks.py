"""What one process of a study computes: one year of weather, told in plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from eureka_park.energy.core.hourly import hourly_table
from eureka_park.energy.core.largest_load import largest_loads
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.supply import Supply, supply_from
from eureka_park.energy.core.weather import typical_year
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR, WeatherYear
from eureka_park.energy.core.year import solve_year, year_result
from eureka_park.energy.weather_file import read_weather
from eureka_park.foundation.site_file import Site, site_from_json


def year(request: Mapping[str, Any]) -> dict[str, Any]:
    """One year: `{"result", "weather", "plants"}`, and `hourly` where it is asked for."""
    supply = supply_asked(request)
    solved = solve_year(supply, load_asked(request), flex_frac=float(request["flex_frac"]))
    told: dict[str, Any] = {"result": year_result(solved).to_json(), **basis_of(supply)}
    return {**told, "hourly": hourly_table(solved)} if request.get("hourly") else told


def max_load(request: Mapping[str, Any]) -> dict[str, Any]:
    """The largest constant load for each share in `cfe_frac`: `{"loads": [...], "weather", "plants"}`."""
    supply = supply_asked(request)
    found = largest_loads(supply, [float(value) for value in request["cfe_frac"]], float(request["flex_frac"]))
    return {"loads": [item.to_json() for item in found], **basis_of(supply)}


def supply_asked(request: Mapping[str, Any]) -> Supply:
    """The plants under the weather of the request: files by place, or the synthetic years of a seed."""
    site = site_from_json(request["site"])
    return supply_from(site, _weather(site, request), str(request["scenario"]), tuple(request["without"]))


def load_asked(request: Mapping[str, Any]) -> Floats:
    """The load of each hour of the year: one number, or all of them; MW."""
    load = np.asarray(request["load_mw"], dtype=np.float64)
    return np.full(HOURS_PER_YEAR, float(load)) if load.ndim == 0 else load


def basis_of(supply: Supply) -> dict[str, Any]:
    """What a year rests on: each place's weather, each plant's raw, calibrated and available output."""
    weather = {
        place: {
            "label": year.provenance.label,
            "origin": year.provenance.origin,
            "licence": year.provenance.licence,
            "content_id": year.provenance.content_id,
            "seed": year.provenance.seed,
        }
        for place, year in supply.weather.items()
    }
    plants = {
        name: {
            "raw_gwh": year.raw_gwh,
            "calibration_factor": year.calibration_factor,
            "calibrated_gwh": year.calibrated_gwh,
            "availability_frac": year.availability_frac,
            "year_gwh": year.year_gwh,
        }
        for name, year in supply.years.items()
    }
    return {"weather": weather, "plants": plants}


def _weather(site: Site, request: Mapping[str, Any]) -> dict[str, WeatherYear]:
    files = request.get("weather") or {}
    if files:
        return {place.id: read_weather(Path(files[place.id])) for place in site.weather_sites}
    return {place.id: typical_year(place, int(request["seed"])) for place in site.weather_sites}
