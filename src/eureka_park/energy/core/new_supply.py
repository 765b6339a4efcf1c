"""What wind, PV and batteries beside a site's plants cost in a what-if. Plain Python: pages read it without arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from eureka_park.energy.core.costs import Costs, battery_mw, battery_mwh, pv_mw, wind_mw
from eureka_park.foundation.plant_data import type_facts

BATTERY_H: Final = 4.0  # hours of full power that a battery holds
NEW_KINDS: Final = ("wind", "pv", "battery")


def unit_costs(costs: Costs) -> dict[str, tuple[float, float]]:
    """MUSD to build and MMAD a year for a MW of each kind: PV with a new plant's panels, a battery with its hours."""
    units = {"wind": wind_mw(costs), "pv": pv_mw(costs, _panels_per_mw())}
    found = {kind: (unit.capital_usd / 1e6, unit.yearly_mad / 1e6) for kind, unit in units.items()}
    power, content = battery_mw(costs), battery_mwh(costs)
    found["battery"] = (
        (power.capital_usd + BATTERY_H * content.capital_usd) / 1e6,
        (power.yearly_mad + BATTERY_H * content.yearly_mad) / 1e6,
    )
    return found


def cost_of(new_mw: Mapping[str, float], costs: Costs) -> dict[str, float]:
    """`musd` to build and `mmad` a year for new supply in MW by kind."""
    units = unit_costs(costs)
    return {
        "musd": sum(mw * units[kind][0] for kind, mw in new_mw.items()),
        "mmad": sum(mw * units[kind][1] for kind, mw in new_mw.items()),
    }


def mad_per_kwh_with(mad_per_kwh: float, load_gwh: float, new_mmad: float) -> float:
    """Cost of a kWh of the load with the yearly cost of new supply in it; MAD/kWh, as MMAD/GWh is."""
    return mad_per_kwh + new_mmad / load_gwh if load_gwh > 0 else mad_per_kwh


def _panels_per_mw() -> float:
    """Panels of a new plant over its inverters; from the plant data."""
    value = type_facts("pv")["dc_ac_ratio"].value
    assert isinstance(value, float)
    return value
