"""Yearly cost of a unit of new supply: its capital as an annuity, and its upkeep. Figures: `foundation/costs.toml`.

An annuity over n years at a real rate r is r / (1 - (1 + r)^-n) of the capital.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from eureka_park.foundation.cost_data import cost_numbers
from eureka_park.foundation.site_file import Plant

KW_PER_MW: Final = 1000.0
CSP_TYPES: Final = ("csp-trough", "csp-tower")


@dataclass(frozen=True, slots=True)
class UnitCost:
    """Of one unit (MW, MWh, m2): what building it costs once, and what it then costs a year, capital included."""

    capital_usd: float
    yearly_mad: float

    def __add__(self, other: UnitCost) -> UnitCost:
        return UnitCost(self.capital_usd + other.capital_usd, self.yearly_mad + other.yearly_mad)


@dataclass(frozen=True, slots=True)
class Costs:
    """The cost table as numbers by `section.name`. `life_years`: one horizon for everything instead of the table's."""

    values: Mapping[str, float]
    life_years: float | None = None

    @classmethod
    def of_table(cls, life_years: float | None = None) -> Costs:
        """The table that comes with the park."""
        return cls(cost_numbers(), life_years)

    def __getitem__(self, name: str) -> float:
        return self.values[name]

    def changed(self, new: Mapping[str, float]) -> Costs:
        """The same with other values by `section.name`."""
        return replace(self, values={**self.values, **new})

    def scaled(self, section: str, factor: float) -> Costs:
        """The same with every capital cost and upkeep of a part times a factor; lives, yields and land stay."""
        scaled = {
            name: value * factor
            for name, value in self.values.items()
            if name.startswith(f"{section}.") and "_usd_per_" in name
        }
        return replace(self, values={**self.values, **scaled})

    @property
    def mad_per_usd(self) -> float:
        """Rate of exchange."""
        return self.values["money.mad_per_usd"]

    def annuity_frac(self, section: str) -> float:
        """Share of the capital that is paid each year of the life."""
        years = self.life_years or self.values[f"{section}.life_years"]
        return annuity_frac(self.values["money.discount_frac"], years)

    def unit(self, section: str, capital_usd: float, upkeep_usd_per_year: float) -> UnitCost:
        """A unit with this capital and this yearly upkeep."""
        yearly_usd = capital_usd * self.annuity_frac(section) + upkeep_usd_per_year
        return UnitCost(capital_usd, yearly_usd * self.mad_per_usd)


def annuity_frac(discount_frac: float, years: float) -> float:
    """r / (1 - (1 + r)^-n); 1 / n without interest."""
    return discount_frac / (1.0 - (1.0 + discount_frac) ** -years) if discount_frac > 0 else 1.0 / years


def wind_mw(costs: Costs) -> UnitCost:
    """A MW of wind."""
    capital = (costs["wind.capital_usd_per_kw"] + costs["grid.reinforcement_usd_per_kw"]) * KW_PER_MW
    return costs.unit("wind", capital, costs["wind.om_usd_per_kw_year"] * KW_PER_MW)


def pv_mw(costs: Costs, dc_ac_ratio: float) -> UnitCost:
    """A MW (AC) of PV with `dc_ac_ratio` MW of panels."""
    panels = costs["pv.capital_usd_per_kw_dc"] * dc_ac_ratio
    capital = (panels + costs["grid.reinforcement_usd_per_kw"]) * KW_PER_MW
    return costs.unit("pv", capital, costs["pv.om_usd_per_kw_year"] * dc_ac_ratio * KW_PER_MW)


def csp_mirror_m2(costs: Costs, csp_type: str) -> UnitCost:
    """A m2 of mirrors with their ground and what gathers their heat: tower and receiver, or the oil circuit."""
    direct = sum(costs[f"{csp_type}.{name}_usd_per_m2"] for name in ("field", "ground", "collecting"))
    return costs.unit(csp_type, direct * _indirect(costs, csp_type), 0.0)


def csp_block_mw(costs: Costs, plant: Plant) -> UnitCost:
    """A net MW of a power block; `plant` says how much gross power that is. Upkeep of the whole plant lies here."""
    gross = plant.gross_mw / float(plant.power_block_mw or plant.gross_mw)
    capital = costs[f"{plant.type}.block_usd_per_kw"] * gross * _indirect(costs, plant.type)
    capital += costs["grid.reinforcement_usd_per_kw"]
    upkeep = costs[f"{plant.type}.om_usd_per_kw_year"] * KW_PER_MW
    return costs.unit(plant.type, capital * KW_PER_MW, upkeep)


def csp_salt_mwh_th(costs: Costs, csp_type: str) -> UnitCost:
    """A MWh of heat in the tanks."""
    capital = costs[f"{csp_type}.salt_usd_per_kwh_th"] * KW_PER_MW * _indirect(costs, csp_type)
    return costs.unit(csp_type, capital, 0.0)


def battery_mw(costs: Costs) -> UnitCost:
    """A MW of converters."""
    return _battery(costs, costs["battery.power_usd_per_kw"])


def battery_mwh(costs: Costs) -> UnitCost:
    """A MWh of cells."""
    return _battery(costs, costs["battery.energy_usd_per_kwh"])


def variable_mad_per_mwh(costs: Costs, plant_type: str) -> float:
    """Upkeep that follows the energy given; MAD/MWh."""
    return costs.values.get(f"{plant_type}.om_usd_per_mwh", 0.0) * costs.mad_per_usd


def land_ha(costs: Costs, plant_type: str, power_mw: float, year_gwh: float) -> float:
    """Total area; of CSP by yearly output, since its field may be of any size; 0 where the table has none. ha."""
    if plant_type in CSP_TYPES:
        return costs[f"{plant_type}.land_ha_per_gwh_year"] * year_gwh
    return costs.values.get(f"{plant_type}.land_ha_per_mw", 0.0) * power_mw


def _battery(costs: Costs, usd_per_k: float) -> UnitCost:
    capital = usd_per_k * KW_PER_MW
    return costs.unit("battery", capital, capital * costs["battery.om_frac_per_year"])


def _indirect(costs: Costs, csp_type: str) -> float:
    return (1.0 + costs[f"{csp_type}.contingency_frac"]) * (1.0 + costs[f"{csp_type}.owner_frac"])
