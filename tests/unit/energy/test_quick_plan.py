"""Quick plans are those of `make_plan`; chained programs find the same optima; tabled forecasts are the forecasts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest

from eureka_park.energy.core.dispatch import dispatch
from eureka_park.energy.core.dispatch_chain import DispatchChain
from eureka_park.energy.core.forecast import SupplyForecast, forecast_of
from eureka_park.energy.core.outlook_table import OutlookTable
from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.energy.core.quick_plan import SOLVED_H, QuickPlan, QuickPlanner, run_prices
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.supply import TIE, half_tanks, problem_from, supply_of
from eureka_park.energy.core.weather_year import hour_of_year
from eureka_park.foundation.plant_filling import filled_plant
from eureka_park.foundation.site_file import Plant, Site
from eureka_park.foundation.site_reading import load_site, new_site_text, parse_site
from eureka_park.foundation.units import HOUR_S

START_S = 1_781_049_600.0  # a June day, on which plants give more than 200 MW
N_STEPS = 24


@cache
def park() -> Site:
    return load_site("eureka-park")


@cache
def with_battery() -> Site:
    store = Plant.model_validate(
        filled_plant({"id": "store", "type": "battery", "gross_mw": 80.0, "charge_mw": 40.0, "energy_mwh": 300.0,
                      "weather_site": "koudia", "status": "operating"})
    )  # fmt: skip
    return park().model_copy(update={"plants": (*park().plants, store)})


@cache
def with_small_tie() -> Site:
    """Surplus is given up at noon: of the curve a part is free."""
    grid = park().grid.model_copy(update={"import_mw_max": 60.0, "export_mw_max": 20.0})
    return park().model_copy(update={"grid": grid})


@cache
def roof() -> Site:
    return parse_site(new_site_text("roof"), "roof.toml")


_SEEN: dict[int, SupplyForecast] = {}  # by the identity of a site, which is cached


def seen_of(site: Site) -> SupplyForecast:
    if id(site) not in _SEEN:
        _SEEN[id(site)] = forecast_of(supply_of(site, 1), 1)
    return _SEEN[id(site)]


def planner(site: Site, every_h: int = 6, n_hours: int = 240) -> QuickPlanner:
    seen = seen_of(site)
    table = OutlookTable(seen, every_h, SOLVED_H, 48)
    return QuickPlanner(seen, table, START_S, run_prices(seen.supply, START_S, n_hours))


def assert_is(quick: QuickPlan, site: Site, hour: int, demand: np.ndarray, stores: dict[str, float]) -> None:
    """The figures of `make_plan`, with the price of any amount of power."""
    seen = seen_of(site)
    asked = PlanRequest(START_S + HOUR_S * hour, tuple(demand.tolist()), stores, 1)
    full = make_plan(site, asked, seen.supply, seen, prices_stores=False)
    grain = 1e-5 * site.site_mw_max
    assert quick.clean_mw == pytest.approx(full.clean_available_mw_p50, abs=grain)
    assert quick.grid_mw == pytest.approx(full.grid_limit_mw, abs=grain)
    tanks = {name for name, size in full.tes_mwh_th_max.items() if size > 0}
    salt = [series for name, series in full.available_by_source_mw.items() if name in tanks]
    assert quick.salt_mw == pytest.approx(np.sum(salt, axis=0) if salt else np.zeros(48), abs=grain)
    if len(tanks) < 2:  # else plants may stand in for each other, and their bands differ
        assert quick.p10_mw == pytest.approx(full.clean_available_mw_p10, abs=grain)
    else:
        assert quick.p10_mw == pytest.approx(full.clean_available_mw_p10, abs=0.02 * site.site_mw_max)
    weight = site.policy.carbon_weight_mad_per_kg
    for at in range(48):
        steps = [(one.up_to_mw, one.cost_mad_per_mwh + weight * one.gco2_per_kwh, one.source != "grid")
                 for one in full.curve[at]]  # fmt: skip
        ours = list(zip(quick.step_mw[at].tolist(), quick.step_price[at].tolist(), quick.step_own[at], strict=True))
        for up_to in (0.2, 0.5, 0.9, 1.1):
            power = up_to * float(full.clean_available_mw_p50[at]) + 1.0
            assert cost_of(ours, power) == pytest.approx(cost_of(steps, power), rel=1e-3, abs=grain)
        assert ours[-1][0] == pytest.approx(steps[-1][0], abs=grain)


def cost_of(steps: list[tuple[float, float, bool]], mw: float) -> float:
    left, at, cost = mw, 0.0, 0.0
    for up_to, price, _own in steps:
        part = min(left, max(0.0, up_to - at))
        cost, left, at = cost + part * price, left - part, at + part
    return cost


@pytest.mark.parametrize("site_of", [park, with_battery, with_small_tie, roof])
def test_it_is_the_plan_of_the_live_park(site_of: object) -> None:
    site: Site = site_of()  # type: ignore[operator]
    quick, draw = planner(site), np.random.default_rng(3)
    stores = {**half_tanks(seen_of(site).supply), **({"store": 120.0} if site is with_battery() else {})}
    for hour in (0, 6, 12, 13, 18, 96):
        demand = site.site_mw_max * np.clip(draw.uniform(0.2, 0.9) + 0.1 * draw.standard_normal(48), 0.0, 1.2)
        assert_is(quick.plan(hour, demand, stores, N_STEPS), site, hour, demand, stores)


def test_few_steps_end_where_many_do() -> None:
    site, stores = with_small_tie(), half_tanks(seen_of(with_small_tie()).supply)
    demand = np.full(48, 80.0)
    few, many = (planner(site).plan(0, demand, stores, n) for n in (3, N_STEPS))
    assert few.step_mw.shape == (48, 3)
    assert few.step_mw[:, -1].tolist() == many.step_mw[:, -1].tolist()
    assert (np.diff(few.step_mw, axis=1) >= 0.0).all()


def test_what_is_known_of_outages_is_planned_with() -> None:
    site, demand = park(), np.full(48, 250.0)
    stores = half_tanks(seen_of(site).supply)
    gone = np.r_[np.zeros(12), np.ones(SOLVED_H - 12)]
    whole = planner(site).plan(0, demand, stores, N_STEPS)
    open_tie = planner(site).plan(0, demand, stores, N_STEPS, {TIE: gone})
    assert open_tie.grid_mw.tolist() == [0.0] * 12 + [386.0] * 36
    csp = [plant.id for plant in site.plants if plant.type.startswith("csp")]
    stood: Mapping[str, Floats] = dict(zip(csp, [gone] * len(csp), strict=True))
    without = planner(site).plan(0, demand, stores, N_STEPS, stood)
    assert not without.salt_mw[:12].any()
    assert without.salt_mw[12:].sum() > 0.0
    assert (without.p10_mw <= without.clean_mw).all()
    calm = planner(site).plan(0, demand, stores, N_STEPS, {"koudia": np.zeros(SOLVED_H)})
    assert calm.clean_mw.sum() < whole.clean_mw.sum()


def test_a_chain_finds_the_optimum_of_each_program() -> None:
    seen, chain, stores = seen_of(park()), DispatchChain(386.0), half_tanks(seen_of(park()).supply)
    for hour, load in ((0, 200.0), (6, 300.0), (12, 90.0), (12, 250.0), (80, 386.0)):
        start_s = START_S + HOUR_S * hour
        known = seen.known_at(int(hour_of_year(start_s)[0]), SOLVED_H)
        problem = problem_from(known, start_s, np.full(SOLVED_H, load), stores)
        ours, alone = chain.solve(problem, 6 if hour else 0), dispatch(problem)
        assert ours.objective == pytest.approx(alone.objective, rel=1e-9)
        assert np.abs(ours.residual_mw).max() < 1e-6
        assert ours.iterations < alone.iterations or hour in (0, 80)


def test_a_table_holds_what_is_forecast() -> None:
    seen = seen_of(park())
    table = OutlookTable(seen, 6, SOLVED_H, 48)
    for hour in (0, 6, 8754, 3):
        known = table.alone(hour) if hour == 3 else table.at(hour)
        for name, year in seen.known_at(hour, SOLVED_H).years.items():
            wanted = year.series_mw[(hour + np.arange(SOLVED_H)) % 8760]
            assert known[name].middle.tolist() == wanted.tolist()
