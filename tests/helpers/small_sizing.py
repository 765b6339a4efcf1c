"""Small sizing problems whose answers can be worked out by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from eureka_park.energy.core.candidates import Candidate, Outputs, Size, sizes_of
from eureka_park.energy.core.costs import Costs
from eureka_park.energy.core.dispatch_problem import DispatchProblem, SaltPlant
from eureka_park.energy.core.sizing import Search, YearWeeks, load_gwh
from eureka_park.energy.core.sizing_weeks import Measure, weeks_of
from eureka_park.energy.core.sun import Floats
from eureka_park.foundation.plant_filling import filled_plant
from eureka_park.foundation.site_file import Plant

TABLE = Costs.of_table()
DAY = np.concatenate([np.zeros(6), np.ones(12), np.zeros(6)])  # the sun of a day


def plant(plant_type: str, **more: Any) -> Plant:
    """A plant as a site file would get it for its type alone."""
    block = {"id": f"new-{plant_type}", "type": plant_type, "weather_site": "here", "gross_mw": 100.0, **more}
    return Plant.model_validate_json(json.dumps(filled_plant(block)))


def candidate(plant_type: str, **more: Any) -> Candidate:
    """One that loses nothing on its way."""
    names = {"wind": ("mw",), "pv": ("mw",), "battery": ("mw", "mwh")}.get(plant_type, ("mirror", "block", "salt"))
    return Candidate(
        plant(plant_type, **more), 1.0, 1.0, "as modelled", {name: f"new-{plant_type}.{name}" for name in names}
    )


def problem(load_mw: Floats, wind_mw: float = 0.0, salt: dict[str, SaltPlant] | None = None) -> DispatchProblem:
    """A load with a grid behind it that sells at 600 MAD/MWh and buys at 100."""
    n = len(load_mw)
    direct = {"old-wind": np.full(n, wind_mw)} if wind_mw else {}
    return DispatchProblem(
        load_mw, salt or {}, direct, np.full(n, 600.0), np.full(n, 100.0), 1000.0, 1000.0, 0.0, is_cyclic=True
    )  # fmt: skip


def search(
    load_mw: Floats,
    series: dict[str, Floats],
    *,
    most_mw: dict[str, float] | None = None,
    counts_bought: bool = False,
    wind_mw: float = 0.0,
) -> tuple[Search, tuple[Size, ...]]:
    """A search over candidates by type, with what a unit of each gives; `battery` gives nothing."""
    items = tuple(candidate(name) for name in series)
    outputs = Outputs({f"new-{name}": values for name, values in series.items() if name != "battery"})
    sizes = sizes_of(items, float(load_mw.max()), most_mw or {})
    held = problem(load_mw, wind_mw)

    def weeks(measure: Measure) -> list[Any]:
        return weeks_of(held, items, outputs, sizes, measure)

    year = YearWeeks(load_gwh(load_mw), weeks("import"), weeks("cost") if counts_bought else [])
    return Search(sizes, [year], counts_bought=counts_bought), sizes


WINDY = """
name = "windy"
title = "A windy place"
site_mw_max = 10

[grid]
import_mw_max = 20
export_mw_max = 20
gco2_per_kwh = 500
price_peak_mad_per_mwh = 1000
price_full_mad_per_mwh = 800
price_off_peak_mad_per_mwh = 600
transport_mad_per_mwh = 60

[[weather_sites]]
id = "here"
latitude_deg = 35
longitude_deg = -5
wind_m_per_s_mean = 8.5

[[plants]]
id = "old-wind"
type = "wind"
weather_site = "here"
gross_mw = 5
line_loss_frac = 0

[[nodes]]
id = "node"
n_cpus = 8
memory_gib = 16
rated_kw = 1
idle_kw = 0.2

[prices.mad_per_gpu_h]
firm = 3
flex = 2
green = 1

[prices.mad_per_cpu_h]
firm = 3
flex = 2
green = 1
"""
