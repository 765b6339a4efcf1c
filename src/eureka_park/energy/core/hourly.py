"""A solved year hour by hour: a table whose columns say their unit in their name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from eureka_park.energy.core.flows import flows_of
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.year import SolvedYear, emitted_kg_per_h
from eureka_park.foundation.zones import ZoneInfo

DECIMALS = 4


def hourly_table(year: SolvedYear) -> dict[str, list[Any]]:
    """Columns by name, 8,760 values each, in this order.

    `time_utc`, `time_local` (start of the hour), `load_mw`; for each source `<id>_mw` is what reached the load at once,
    `<id>_salt_mw` through its salt, `<id>_battery_mw` through a battery; then import, export, curtailed, unserved, salt
    by plant (`<id>_tes_mwh_th`, end of the hour), battery content, what a further MWh would cost, gCO2 of the load.
    """
    answer, flows = year.answer, flows_of(year.problem, year.answer)
    table: dict[str, list[Any]] = dict(zip(("time_utc", "time_local"), _times(year), strict=True))

    def add(name: str, series: Floats) -> None:
        table[name] = (np.round(series, DECIMALS) + 0.0).tolist()

    add("load_mw", year.load_mw)
    for origin in flows.origins:
        add(f"{origin}_mw", flows.at_once_mw[origin])
        for way, series in (("salt", flows.through_salt_mw), ("battery", flows.through_battery_mw)):
            if origin in series:
                add(f"{origin}_{way}_mw", series[origin])
    for name in ("import", "export", "curtailed", "unserved"):
        add(f"{name}_mw", getattr(answer, f"{name}_mw"))
    for plant, level in answer.tes_mwh_th.items():
        add(f"{plant}_tes_mwh_th", level)
    for battery, level in answer.battery_mwh.items():
        add(f"{battery}_mwh", level)
    add("marginal_mad_per_mwh", answer.marginal_mad_per_mwh)
    load = year.load_mw - answer.unserved_mw
    emitted = emitted_kg_per_h(year, flows)
    add("gco2_per_kwh", np.divide(emitted, load, out=np.zeros_like(load), where=load > 0))
    return table


def _times(year: SolvedYear) -> tuple[list[str], list[str]]:
    zone = ZoneInfo(year.supply.site.timezone)
    utc = [datetime.fromtimestamp(float(start_s), UTC) for start_s in year.starts_s]
    return (
        [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in utc],
        [at.astimezone(zone).isoformat(timespec="minutes") for at in utc],
    )
