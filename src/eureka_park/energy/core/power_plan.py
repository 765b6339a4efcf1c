"""The power plan: the next 48 h told as what *could* be drawn, how sure that is, and what more would cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from eureka_park.energy.core.curve import Money, stored_steps
from eureka_park.energy.core.dispatch import Dispatch, DispatchProblem, dispatch
from eureka_park.energy.core.forecast import SupplyForecast, forecast_label, forecast_of
from eureka_park.energy.core.forecast_band import clean_band_mw
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.supply import (
    ALL_PLANTS,
    LOOK_AHEAD_H,
    Supply,
    problem_from,
    roll,
    supply_of,
)
from eureka_park.energy.core.tariff import import_cost_mad_per_mwh
from eureka_park.energy.core.weather_year import hour_of_year
from eureka_park.foundation.canonical import content_id
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.power_plan import CurveStep, PowerPlan, Series
from eureka_park.foundation.site_file import GRID_SOURCE_ID, LIFE_CYCLE_SOURCE, Site, site_to_json
from eureka_park.foundation.units import HOUR_S

WARM_UP_DAYS: Final = 3
HORIZON_H: Final = 48
DECIMALS_OF_SITE: Final = 8  # plans are rounded to this precision of the site's size before anyone reads them
GIVEN_UP_FRAC: Final = 1e-6  # of the hour's clean power; less is rounding
DISPATCH_LABEL: Final = "rolling LP, constant efficiency; without start-up heat and minimum load (about 5 % of output)"
MATCH_LABEL: Final = "matched hour by hour at the site meter; not a statement about contracts"


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What a plan is made from. Powers and salt are on the scale of the full site; salt is that at the hour's start."""

    now_s: float
    demand_mw: float | tuple[float, ...]
    tes_mwh_th: Mapping[str, float] | None = None
    seed: int = 1
    without: tuple[str, ...] = ()
    horizon_h: int = HORIZON_H
    scenario: str = ALL_PLANTS


def make_plan(
    site: Site,
    request: PlanRequest,
    supply: Supply | None = None,
    forecast: SupplyForecast | None = None,
    *,
    prices_stores: bool = True,
) -> PowerPlan:
    """The plan from the hour that holds `now_s` on; in a scale model already multiplied by the site's factor.

    Demand is *potential* demand (running, queued and expected), clipped to the site. `supply`: the plants under other
    weather than the synthetic year of the seed. `forecast`: its forecasts by the same seed, where they are at hand.
    `prices_stores` False leaves out of the curve what salt and batteries keep for other hours, which is quicker. Raises
    BadInput.
    """
    _check(site, request)
    if supply is None:
        supply = supply_of(site, request.seed, request.scenario)
    start_s = float(request.now_s // HOUR_S * HOUR_S)
    load = _load(site, request)
    tes = request.tes_mwh_th
    if tes is None:
        warm_up_s = start_s - WARM_UP_DAYS * 24 * HOUR_S
        tes = roll(supply, warm_up_s, WARM_UP_DAYS, float(load[0]), without=request.without)[1]
    hour = int(hour_of_year(start_s)[0])
    seen = forecast if forecast is not None else forecast_of(supply, request.seed, hour, len(load))
    problem = problem_from(seen.known_at(hour, len(load)), start_s, load, tes, request.without)
    plan = _told(seen, request, start_s, problem, dispatch(problem), prices_stores)
    return plan.scaled(site.factor) if site.is_scale_model else plan


def _check(site: Site, request: PlanRequest) -> None:
    known = {plant.id for plant in site.plants}
    for name in (*request.without, *(request.tes_mwh_th or {})):
        if name not in known:
            raise BadInput(
                f"There is no plant '{name}'.", fix=f"Plants: {', '.join(sorted(known)) or 'none'}.", field="without"
            )
    if not 1 <= request.horizon_h <= 24 * 14:
        raise BadInput(f"horizon_h = {request.horizon_h} is outside 1 to 336 h.", fix="Ask for 48.", field="horizon_h")
    demand = np.atleast_1d(np.asarray(request.demand_mw, dtype=np.float64))
    if demand.size not in (1, request.horizon_h) or not bool(np.all(np.isfinite(demand) & (demand >= 0))):
        raise BadInput(
            f"demand_mw must be one number >= 0 or {request.horizon_h} of them; MW.",
            fix="Send one value for each hour of the horizon.",
            field="demand_mw",
        )


def _load(site: Site, request: PlanRequest) -> Floats:
    """Load of the horizon and of the look-ahead, which repeats the horizon's last day."""
    demand = np.broadcast_to(np.asarray(request.demand_mw, dtype=np.float64), request.horizon_h)
    tail = np.resize(demand[-LOOK_AHEAD_H:], LOOK_AHEAD_H)
    return np.asarray(np.clip(np.concatenate([demand, tail]), 0.0, site.site_mw_max), dtype=np.float64)


def _told(
    seen: SupplyForecast,
    request: PlanRequest,
    start_s: float,
    problem: DispatchProblem,
    answer: Dispatch,
    prices_stores: bool,
) -> PowerPlan:
    supply = seen.supply
    site, n_hours = supply.site, request.horizon_h
    decimals = DECIMALS_OF_SITE - int(np.ceil(np.log10(site.site_mw_max)))

    def series(values: Floats) -> Series:
        return tuple((np.round(np.maximum(0.0, values[:n_hours]), decimals) + 0.0).tolist())

    available = {
        name: np.round(values[:n_hours], decimals) + 0.0
        for name, values in available_mw(supply, problem, answer).items()
    }
    middle = np.sum(list(available.values()), axis=0) if available else np.zeros(n_hours)
    at_first = {name: plant.tes_mwh_th_start for name, plant in problem.salt.items()}
    hour = int(hour_of_year(start_s)[0])
    low, high = clean_band_mw(seen, start_s, hour, available, at_first, request.without)
    tank_max = {name: plant.tes_mwh_th_max for name, plant in problem.salt.items()}
    return PowerPlan(
        plan_id=_plan_id(supply, request),
        site=site.name,
        issued_at_s=request.now_s,
        start_s=start_s,
        step_s=float(HOUR_S),
        load_mw=series(problem.load_mw),
        clean_available_mw_p10=tuple(np.minimum(middle, np.round(np.maximum(0.0, low), decimals)).tolist()),
        clean_available_mw_p50=tuple(middle.tolist()),
        clean_available_mw_p90=tuple(np.maximum(middle, np.round(high, decimals)).tolist()),
        grid_limit_mw=series(np.full(n_hours, problem.import_mw_max)),
        available_by_source_mw={name: tuple(values.tolist()) for name, values in available.items()},
        by_source_mw={name: series(values) for name, values in _serving(supply, answer).items()},
        export_mw=series(answer.export_mw),
        curtailed_mw=series(answer.curtailed_mw),
        unserved_mw=series(answer.unserved_mw),
        tes_mwh_th={name: series(values) for name, values in answer.tes_mwh_th.items()},
        tes_mwh_th_max=tank_max,
        curve=_curve(supply, start_s, problem, answer, available, decimals, prices_stores),
        labels=_labels(supply, request),
        battery_mwh={name: series(values) for name, values in answer.battery_mwh.items()},
        battery_mwh_max={name: battery.energy_mwh for name, battery in problem.batteries.items()},
        calibration={
            name: {"raw_gwh": year.raw_gwh, "factor": year.calibration_factor, "year_gwh": year.calibrated_gwh}
            for name, year in supply.years.items()
            if not year.is_battery
        },
    )


def _charged_frac(answer: Dispatch) -> Floats:
    """Share of the plants' power that goes into batteries; they are filled by nothing else."""
    power, charge = sum_mw(answer.power_mw, answer), sum_mw(answer.charge_mw, answer)
    return np.clip(charge / np.maximum(power, 1e-12), 0.0, 1.0)


def available_mw(supply: Supply, problem: DispatchProblem, answer: Dispatch) -> dict[str, Floats]:
    """What each source could give: PV and wind, salt as dispatched, less what is charged; batteries what they give."""
    kept = 1.0 - _charged_frac(answer)
    by_source = {}
    for name in supply.years:
        if name in answer.discharge_mw:
            by_source[name] = answer.discharge_mw[name]
        else:
            whole = problem.direct_mw.get(name, answer.power_mw[name])
            by_source[name] = np.maximum(0.0, whole - answer.power_mw[name] * (1.0 - kept))
    return by_source


def _serving(supply: Supply, answer: Dispatch) -> dict[str, Floats]:
    """What serves the load: plants fill batteries, then all sources export in proportion; the rest is bought."""
    kept = 1.0 - _charged_frac(answer)
    sent = {
        name: answer.discharge_mw[name] if name in answer.discharge_mw else answer.power_mw[name] * kept
        for name in supply.years
    }
    used_frac = np.clip(1.0 - answer.export_mw / np.maximum(sum_mw(sent, answer), 1e-12), 0.0, 1.0)
    return {**{name: values * used_frac for name, values in sent.items()}, GRID_SOURCE_ID: answer.import_mw}


def sum_mw(series: Mapping[str, Floats], answer: Dispatch) -> Floats:
    """Sum of series, zeros where there are none; MW."""
    return np.sum(list(series.values()), axis=0) if series else np.zeros_like(answer.import_mw)


def _curve(
    supply: Supply,
    start_s: float,
    problem: DispatchProblem,
    answer: Dispatch,
    available: Mapping[str, Floats],
    decimals: int,
    prices_stores: bool,
) -> tuple[tuple[CurveStep, ...], ...]:
    """For each hour the blocks of power by rising cost, stacked.

    Clean power that is there costs what its surplus would earn, and nothing where the plan gives some up; what is in
    salt and batteries for other hours costs what they would do instead (`energy.core.curve`); then the grid at the
    hour's tariff.
    """
    site = supply.site
    n_hours = len(next(iter(available.values()))) if available else len(answer.import_mw) - LOOK_AHEAD_H
    carbon = site.gco2_per_kwh_by_source
    starts_s = start_s + HOUR_S * np.arange(problem.n_hours, dtype=np.float64)
    tariff = import_cost_mad_per_mwh(site.grid, site.timezone, starts_s)
    weight = site.policy.carbon_weight_mad_per_kg
    grid_g = carbon[GRID_SOURCE_ID]
    money = Money(tariff, problem.surplus_mad_per_mwh, grid_g, carbon, weight, problem.end_value_mad_per_mwh)
    hours = []
    for hour in range(n_hours):
        clean = {name: float(values[hour]) for name, values in available.items()}
        blocks = _clean_blocks(clean, answer, hour, float(problem.surplus_mad_per_mwh[hour]), carbon)
        for step in stored_steps(problem, answer, money, hour) if prices_stores else ():
            blocks.append((step.mad_per_mwh, step.gco2_per_kwh, step.source, step.mw))
        blocks.append((float(tariff[hour]), grid_g, GRID_SOURCE_ID, problem.import_mw_max))
        hours.append(_stacked(sorted(blocks), decimals))
    return tuple(hours)


def _clean_blocks(
    clean: Mapping[str, float], answer: Dispatch, hour: int, surplus: float, carbon: Mapping[str, float]
) -> list[tuple[float, float, str, float]]:
    """The hour's clean power: free up to what can be sold, where the plan gives some up; the rest at its surplus."""
    whole = sum(clean.values())
    gives_up = float(answer.curtailed_mw[hour]) > GIVEN_UP_FRAC * whole
    free_frac = min(1.0, max(0.0, 1.0 - float(answer.export_mw[hour]) / whole)) if gives_up else 0.0
    free = [(0.0, carbon[name], name, mw * free_frac) for name, mw in clean.items()]
    return [*free, *((surplus, carbon[name], name, mw * (1.0 - free_frac)) for name, mw in clean.items())]


def _stacked(blocks: Sequence[tuple[float, float, str, float]], decimals: int) -> tuple[CurveStep, ...]:
    steps: list[CurveStep] = []
    up_to_mw = 0.0
    for cost, carbon, source, power_mw in blocks:
        width_mw = round(power_mw, decimals)
        if width_mw > 0:
            up_to_mw = round(up_to_mw + width_mw, decimals)
            steps.append(CurveStep(up_to_mw, round(cost, 2), round(carbon, 1), source))
    return tuple(steps)


def _plan_id(supply: Supply, request: PlanRequest) -> str:
    demand = request.demand_mw if isinstance(request.demand_mw, float | int) else list(request.demand_mw)
    tes = None if request.tes_mwh_th is None else dict(request.tes_mwh_th)
    weather = [year.provenance.content_id for year in supply.weather.values()]
    asked = [request.seed, list(request.without), request.horizon_h, supply.scenario.name, weather]
    basis = [site_to_json(supply.site), request.now_s, demand, tes, *asked]
    return f"plan-{content_id(basis)[:20]}"


def _labels(supply: Supply, request: PlanRequest) -> dict[str, str]:
    site = supply.site
    gone = ", ".join(dict.fromkeys((*request.without, *supply.without)))
    ratio = f", 1 : {1 / site.factor:,.0f}" if site.factor > 0 else ""
    return {
        "weather": supply.weather_label,
        "calibration": supply.calibration_text,
        "scenario": supply.labels["scenario"],
        "contracts": supply.labels["contracts"],
        "outage": f"without {gone}" if gone else "none",
        "scale_model": f"scale model of {site.scale.of}{ratio}" if site.scale else "",
        "forecast": forecast_label(supply),
        "dispatch": DISPATCH_LABEL,
        "match": MATCH_LABEL,
        "grid_gco2": f"{site.grid.gco2_per_kwh:g} g/kWh: {site.grid.gco2_source}",
        "plant_gco2": LIFE_CYCLE_SOURCE,
        "tariff": site.grid.price_source,
        "salt": "carried from the plan before" if request.tes_mwh_th is not None else "from a 72 h warm-up",
    }


__all__ = ["PlanRequest", "make_plan"]
