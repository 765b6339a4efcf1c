"""What stands behind a plant's MWh beside its power: contract, price, water, carbon."""

from __future__ import annotations

from typing import Final

from eureka_park.foundation.plant_data import has_parameter, parameter, text_parameter
from eureka_park.foundation.site_file import Plant

NOT_STATED: Final = "not stated"
FOR_THE_PARK: Final = "contracted to the park"
ALREADY_SOLD: Final = "already sold"


def contract_of(plant: Plant) -> str:
    """Who has the plant's power: `already sold`, `contracted to the park`, or `not stated`."""
    return text_parameter(plant, "contract") if has_parameter(plant, "contract") else NOT_STATED


def price_mad_per_mwh(plant: Plant) -> float | None:
    """Price of the plant's power at the plant; None where nobody gives one."""
    return parameter(plant, "price_mad_per_mwh") if has_parameter(plant, "price_mad_per_mwh") else None


def water_m3_per_mwh(plant: Plant) -> float:
    """Water that a plant takes for a MWh it gives: cooling, steam and washing. m3/MWh.

    A known plant's yearly water over its published output; else by type and cooling; 0 where nothing is said.
    """
    if has_parameter(plant, "water_m3_year") and plant.year_gwh_published:
        return parameter(plant, "water_m3_year") / (1000.0 * plant.year_gwh_published)
    cooling = text_parameter(plant, "cooling") if has_parameter(plant, "cooling") else ""
    for name in (f"water_m3_per_mwh_{cooling}", "water_m3_per_mwh"):
        if has_parameter(plant, name):
            return parameter(plant, name)
    return 0.0
