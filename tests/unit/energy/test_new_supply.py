"""What new supply of a what-if costs: by the table, in proportion, and in the cost of a kWh."""

from __future__ import annotations

import pytest

from eureka_park.energy.core.costs import Costs, battery_mw, battery_mwh, pv_mw, wind_mw
from eureka_park.energy.core.new_supply import BATTERY_H, NEW_KINDS, cost_of, mad_per_kwh_with, unit_costs

COSTS = Costs.of_table()


def test_a_unit_costs_what_the_table_says() -> None:
    units = unit_costs(COSTS)
    assert tuple(units) == NEW_KINDS
    assert units["wind"] == (wind_mw(COSTS).capital_usd / 1e6, wind_mw(COSTS).yearly_mad / 1e6)
    assert units["pv"][0] == pv_mw(COSTS, 1.2).capital_usd / 1e6  # a new plant has 1.2 MW of panels on a MW
    whole = battery_mw(COSTS).capital_usd + BATTERY_H * battery_mwh(COSTS).capital_usd
    assert units["battery"][0] == pytest.approx(whole / 1e6)


def test_costs_grow_with_what_is_built_and_nothing_costs_nothing() -> None:
    one, two = cost_of({"wind": 10.0, "battery": 1.0}, COSTS), cost_of({"wind": 20.0, "battery": 2.0}, COSTS)
    assert one["musd"] > 0 and two == pytest.approx({name: 2 * value for name, value in one.items()})
    assert cost_of({}, COSTS) == {"musd": 0, "mmad": 0}


def test_the_yearly_cost_is_spread_over_the_load() -> None:
    assert mad_per_kwh_with(0.9, 100.0, 5.0) == pytest.approx(0.95)
    assert mad_per_kwh_with(0.9, 0.0, 5.0) == 0.9
