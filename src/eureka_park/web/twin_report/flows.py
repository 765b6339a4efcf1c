"""Where a run's energy came from and where it went, at the site meter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from eureka_park.twin.run_record import RunRecord
from eureka_park.web.charts.energy_flow import Giver, Taker, energy_flow
from eureka_park.web.pages.words import N_, Words
from eureka_park.web.twin_report.hours import KINDS, Power
from eureka_park.web.twin_report.measures import TIERS
from eureka_park.web.twin_report.pictures import TIER_TITLES, both

TANKS: Final = frozenset({"salt", "heat"})  # kinds that go through tanks


def flow_of(record: RunRecord, power: Power, words: Words) -> dict[str, Any]:
    """The picture, how jobs were told apart, and the same as a table.

    What cooling and supply always draw counts as own clean power, as in all figures of the run; where a run does not
    tell the energy of tiers, that of all jobs is parted by the GPU hours they did.
    """
    givers, takers, unused, is_parted = amounts(record, power, words)
    label = words.say("Energy from its sources through the site meter to those who drew it")
    is_mirrored = words.direction == "rtl"
    meter = words.say("site meter")

    def draw(is_narrow: bool) -> Any:
        return energy_flow(givers, takers, meter, unused, label, is_mirrored=is_mirrored, is_narrow=is_narrow)

    whole = sum(giver.used for giver in givers) or 1.0
    named = [*((giver.name, giver.used) for giver in givers), *((taker.name, taker.amount) for taker in takers)]
    rows = [[name, words.energy(amount), words.percent(amount / whole)] for name, amount in named]
    rows.append([unused.name, words.energy(unused.amount), "–"])
    return {
        "picture": both(draw),
        "is_parted": is_parted,
        "heads": [words.say("From or to"), words.say("Energy"), words.say("Of what was drawn")],
        "rows": rows,
    }


def amounts(record: RunRecord, power: Power, words: Words) -> tuple[list[Giver], list[Taker], Taker, bool]:
    """Sources, what drew, what nobody took (kWh at the meter), and whether jobs are parted by their GPU hours."""
    figures = record.figures
    per_it = float(figures.get("per_it") or 1.0)
    fixed = float(figures.get("fixed_kw") or 0.0) * power.n
    load = float(power.load.sum())
    givers = _with_spilt(_givers(power, per_it, fixed, words), figures.get("curtailed_mwh"), words)
    jobs, is_parted = _jobs(record, load)
    parts = [(tier, TIER_TITLES[tier], kwh) for tier, kwh in jobs.items()]
    parts.append(("mute", N_("Idle machines"), max(0.0, load - sum(jobs.values()))))
    parts.append(("edge", N_("Cooling and supply"), load * (per_it - 1.0) + fixed))
    takers = [Taker(css, words.say(name), kwh, words.energy(kwh)) for css, name, kwh in parts if kwh > load * 1e-6]
    rest = sum(giver.unused for giver in givers)
    return givers, takers, Taker("rest-all", words.say("Not drawn, or sold"), rest, words.energy(rest)), is_parted


def _givers(power: Power, per_it: float, fixed: float, words: Words) -> list[Giver]:
    """Sources, the grid on top; the fixed part of cooling comes from own sources as they gave the rest."""
    own = sum(float(series.sum()) for series in power.used.values()) * per_it
    more = 1.0 + fixed / own if own > 0.0 else 1.0
    grid = float(power.grid.sum()) * per_it + (fixed if own <= 0.0 else 0.0)
    found = [Giver("grid", words.say(KINDS["grid"]), grid, 0.0, words.energy(grid))] if grid > 0.0 else []
    for kind, series in power.used.items():
        used, unused = float(series.sum()) * per_it * more, float(power.unused[kind].sum()) * per_it
        if used + unused > 0.0:
            found.append(Giver(kind, words.say(KINDS[kind]), used, unused, words.energy(used + unused)))
    return found


def _with_spilt(givers: list[Giver], curtailed_mwh: float | None, words: Words) -> list[Giver]:
    """Heat that full tanks let go is in no hour: what the run calls curtailed beyond the hours came from them."""
    spilt = 1000.0 * (curtailed_mwh or 0.0) - sum(giver.unused for giver in givers)
    at = next((at for at, giver in enumerate(givers) if giver.css in TANKS), None)
    if at is None or spilt <= 0.0:
        return givers
    giver = givers[at]
    unused = giver.unused + spilt
    given = replace(giver, unused=unused, shown=words.energy(giver.used + unused))
    return [*givers[:at], given, *givers[at + 1 :]]


def _jobs(record: RunRecord, load: float) -> tuple[dict[str, float], bool]:
    """IT energy of jobs by tier, kWh: as told, else all jobs' energy by the GPU hours that each tier did."""
    tiers = record.figures.get("tiers") or {}
    told = {tier: tiers.get(tier, {}).get("it_kwh") for tier in TIERS}
    if all(value is not None for value in told.values()):
        return {tier: float(value or 0.0) for tier, value in told.items()}, False
    of_tenants = [one.get("it_kwh") for one in (record.figures.get("tenants") or {}).values()]
    known = [float(value) for value in of_tenants if value is not None]
    of_all = min(load, sum(known)) if known else load
    done = {tier: float(tiers.get(tier, {}).get("gpu_h_done") or 0.0) for tier in TIERS}
    whole = sum(done.values())
    return ({tier: of_all * part / whole for tier, part in done.items()} if whole > 0.0 else {}), True
