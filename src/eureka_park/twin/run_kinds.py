"""Which of its plants a run's clean energy came from, hour by hour: wind, PV, CSP under the sun, salt from the tank.

A record tells what came without salt and what came through it. The rest is known from the same weather: without salt
there are wind and PV, in the proportion of that hour; and of what salt gave, as much as mirrors gathered in that very
hour is direct sun, the rest is heat of earlier hours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eureka_park.energy.core.supply import Supply, problem_from
from eureka_park.twin.run_record import Floats, RunRecord

KW_PER_MW = 1000.0


def add_kinds(record: RunRecord, supply: Supply, running: Mapping[str, Floats] | None = None) -> None:
    """Add `wind_kwh`, `pv_kwh` and `csp_kwh` to a record's hours, IT energy that was available: the first two make up
    `direct_kwh`, the third is a part of `salt_kwh`. Nothing is added where the record tells no salt.

    `supply` is the one that the run had, with its plants at the size they had there; `running` as in `problem_from`.
    """
    hours = record.hours
    if not {"hour_s", "direct_kwh", "salt_kwh"} <= set(hours) or not record.n_hours:
        return
    direct, salt = hours["direct_kwh"], hours["salt_kwh"]
    site, n = supply.site, record.n_hours
    stood = {name: part[:n] for name, part in (running or {}).items()}
    problem = problem_from(supply, float(hours["hour_s"][0]), np.full(n, site.site_mw_max), {}, running=stood)
    by_kind = {"wind": np.zeros(n), "pv": np.zeros(n)}
    for plant in site.plants:
        if plant.type in by_kind and plant.id in problem.direct_mw:
            by_kind[plant.type] += problem.direct_mw[plant.id]
    total = by_kind["wind"] + by_kind["pv"]
    sun_mw: Floats = np.zeros(n)
    for tank in problem.salt.values():
        sun_mw = sun_mw + np.minimum(tank.heat_mw_th, tank.power_block_mw_th) * tank.per_heat
    kwh_per_mw = KW_PER_MW * site.factor / float(record.figures.get("per_it") or 1.0)
    for kind, given_mw in by_kind.items():  # where neither gives, what there is comes from batteries
        hours[f"{kind}_kwh"] = direct * np.divide(given_mw, total, out=np.zeros(n), where=total > 0.0)
    hours["csp_kwh"] = np.minimum(salt, sun_mw * kwh_per_mw)
