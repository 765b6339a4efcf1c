"""`park energy plan`: the 48 h plan of a site from its file alone, as `park plan` tells it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from eureka_park.cli.energy_options import POWER, Basis, basis, basis_options, server_part
from eureka_park.cli.output import print_json
from eureka_park.cli.plan import print_plan
from eureka_park.foundation.errors import BadInput

if TYPE_CHECKING:
    from eureka_park.foundation.power_plan import PowerPlan


@click.command()
@click.option("--at", metavar="WHEN", help="Where it begins: 05:30 (local, today) or an instant; default: now.")
@click.option("--load-mw", type=POWER, metavar="MW", help="Load at the site meter; default: the site's largest.")
@basis_options
def plan(at: str | None, load_mw: float | None, as_json: bool, **options: Any) -> None:
    """Plot what sun, salt, wind and grid can give a site over 48 hours. No park needs to run.

    \b
    park energy plan
    park energy plan --at 2026-06-21T05:00:00Z --load-mw 200
    park energy plan --site my-university.toml --json
    """
    with server_part("energy plan"):
        found = _made(basis(**options), at, load_mw)
    view: Any = found.to_json()
    if as_json:
        print_json(view)
    else:
        print_plan(view)


def _made(asked: Basis, at: str | None, load_mw: float | None) -> PowerPlan:
    from eureka_park.energy.core.power_plan import PlanRequest, make_plan
    from eureka_park.energy.core.supply import supply_from
    from eureka_park.energy.weather_file import read_weather
    from eureka_park.foundation.local_day import park_start_s

    if len(asked.seeds) > 1:
        raise BadInput("A plan is made of one seed.", fix="Give one, such as --seeds 1.", field="seeds")
    now_s = time.time()
    start_s = park_start_s(at, now_s, asked.site.timezone) if at else now_s
    demand_mw = asked.site.site_mw_max if load_mw is None else load_mw
    request = PlanRequest(start_s, demand_mw, seed=asked.seeds[0], without=asked.without, scenario=asked.scenario)
    weather = {place: read_weather(file) for place, file in asked.weather.items()}
    supply = supply_from(asked.site, weather, asked.scenario, outage_seed=request.seed) if weather else None
    return make_plan(asked.site, request, supply)
