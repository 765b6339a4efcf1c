"""Sizes as plants that stand: what they are, what they cost, and the whole year with them.

The whole year is the same program as `park energy year`: perfect foresight, stores that carry over from day to day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from eureka_park.energy.core.candidates import MIRROR_M2, REFERENCE_MW, Candidate, Outputs, Size
from eureka_park.energy.core.costs import Costs, land_ha, variable_mad_per_mwh
from eureka_park.energy.core.plants import PlantYear
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.supply import Supply
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR
from eureka_park.foundation.site_file import Plant

SMALLEST_FRAC: Final = 0.02  # of a step (half a per cent of the load): less is no plant
_TOML_FIELDS: Final = (
    "id", "title", "type", "weather_site", "gross_mw", "line_loss_frac", "power_block_mw", "tes_h", "mirror_area_m2",
    "receiver_mw_th", "n_turbines", "charge_mw", "energy_mwh", "year_gwh_published", "contract", "source",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Addition:
    """A plant to be built, with what it costs. `year_gwh` is at the site meter before curtailment, of a mean year."""

    plant: Plant
    capital_usd: float
    yearly_mad: float  # capital as an annuity, fixed and variable upkeep
    transport_mad: float  # what the network charges a year for bringing it, if all of it is used
    year_gwh: float
    land_ha: float
    solar_multiple: float | None
    yield_frac: float
    yield_source: str

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value."""
        plant = self.plant
        return {
            "id": plant.id,
            "title": plant.title,
            "type": plant.type,
            "weather_site": plant.weather_site,
            "power_mw": plant.power_block_mw or plant.gross_mw,
            "energy_mwh": plant.energy_mwh,
            "tes_h": plant.tes_h,
            "mirror_area_m2": plant.mirror_area_m2,
            "solar_multiple": self.solar_multiple,
            "capital_musd": self.capital_usd / 1e6,
            "yearly_mmad": self.yearly_mad / 1e6,
            "transport_mmad": self.transport_mad / 1e6,
            "year_gwh": self.year_gwh,
            "land_ha": self.land_ha,
            "yield_frac": self.yield_frac,
            "yield_source": self.yield_source,
        }


def yearly_mad_per_unit(
    candidates: Sequence[Candidate], sizes: Sequence[Size], outputs: Sequence[Outputs], costs: Costs, transport: float
) -> list[float]:
    """What a unit of each size costs a year: annuity, upkeep, and by energy its variable upkeep and transport.

    Energy is what the unit could give, curtailed or not: an upper figure. Plants without a line to the site meter pay
    no transport (`transport`: MAD/MWh).
    """
    by_energy = _mad_by_energy(candidates, outputs, costs, transport)
    return [size.cost(costs).yearly_mad + by_energy.get(size.name, 0.0) for size in sizes]


def additions_of(
    candidates: Sequence[Candidate],
    sizes: Sequence[Size],
    values: Floats,
    outputs: Sequence[Outputs],
    costs: Costs,
    transport: float,
) -> tuple[Addition, ...]:
    """The plants that sizes describe, those too small to be one left out."""
    named = {size.name: float(value) for size, value in zip(sizes, values, strict=True)}
    by_name = {size.name: size for size in sizes}
    found = (_addition(item, named, by_name, outputs, costs, transport) for item in candidates)
    return tuple(item for item in found if item is not None)


def values_of(additions: Sequence[Addition], candidates: Sequence[Candidate], sizes: Sequence[Size]) -> Floats:
    """The sizes that plants have: `additions_of` turned round, what is left out being 0."""
    found: dict[str, float] = {}
    names = {item.plant.id: item.sizes for item in candidates}
    for plant in (item.plant for item in additions):
        at = names[plant.id]
        if "mirror" in at:
            block = float(plant.power_block_mw or 0.0)
            found[at["mirror"]] = float(plant.mirror_area_m2 or 0.0) / MIRROR_M2
            found[at["block"]] = block
            found[at["salt"]] = float(plant.tes_h or 0.0) * block / float(plant.eta_frac or 1.0)
        else:
            found[at["mw"]] = plant.gross_mw
            if "mwh" in at:
                found[at["mwh"]] = float(plant.energy_mwh or 0.0)
    return np.array([found.get(size.name, 0.0) for size in sizes])


def supply_with(
    supply: Supply, modelled: Supply, candidates: Sequence[Candidate], additions: Sequence[Addition]
) -> Supply:
    """The supply with the additions in it. `modelled` holds the candidates in the same year."""
    by_id = {item.plant.id: item for item in candidates}
    years = dict(supply.years)
    for plant in (item.plant for item in additions):
        candidate = by_id[plant.id]
        if plant.type == "battery":
            years[plant.id] = PlantYear(plant, np.zeros(HOURS_PER_YEAR), 0.0, 1.0)
            continue
        ratio, base = _ratio(plant, candidate), modelled.years[plant.id]
        years[plant.id] = replace(
            base,
            plant=plant,
            series_mw=base.series_mw * (ratio * candidate.yield_frac),
            raw_gwh=base.raw_gwh * ratio,
            calibration_factor=candidate.yield_frac,
        )
    plants = (*supply.site.plants, *(item.plant for item in additions))
    return replace(supply, site=supply.site.model_copy(update={"plants": plants}), years=years)


def plants_toml(additions: Sequence[Addition]) -> str:
    """The additions as `[[plants]]` blocks of a site file."""
    blocks = []
    for plant in (item.plant for item in additions):
        lines = ["[[plants]]"]
        for name in _TOML_FIELDS:
            value = getattr(plant, name)
            if value is not None and value != "":
                lines.append(f"{name} = {_toml(value)}")
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _toml(value: str | float) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def _mad_by_energy(
    candidates: Sequence[Candidate], outputs: Sequence[Outputs], costs: Costs, transport: float
) -> dict[str, float]:
    found = {}
    for item in candidates:
        if item.plant.type == "battery":
            continue
        per_mwh = variable_mad_per_mwh(costs, item.plant.type) / item.delivered_frac + _transport(item, transport)
        found[item.sizes["mirror" if item.is_csp else "mw"]] = per_mwh * _year_mwh(item, outputs)
    return found


def _transport(item: Candidate, transport: float) -> float:
    return transport if item.delivered_frac < 1.0 else 0.0


def _year_mwh(item: Candidate, outputs: Sequence[Outputs]) -> float:
    """What a unit (MW, or thousand m2) gives at the site meter in a mean year, before curtailment."""
    mean = float(np.mean([year.per_unit[item.plant.id].sum() for year in outputs]))
    return mean * float(item.plant.eta_frac or 1.0) * item.delivered_frac if item.is_csp else mean


def _addition(
    item: Candidate,
    named: Mapping[str, float],
    sizes: Mapping[str, Size],
    outputs: Sequence[Outputs],
    costs: Costs,
    transport: float,
) -> Addition | None:
    least_mw = SMALLEST_FRAC * sizes[item.sizes["block" if item.is_csp else "mw"]].step
    plant = _plant(item, {part: named[name] for part, name in item.sizes.items()}, least_mw)
    if plant is None:
        return None
    units = [sizes[name].cost(costs) for name in item.sizes.values()]
    amounts = [named[name] for name in item.sizes.values()]
    lead = named[item.sizes["mirror" if item.is_csp else "mw"]]
    mwh = 0.0 if plant.type == "battery" else lead * _year_mwh(item, outputs)
    upkeep = variable_mad_per_mwh(costs, plant.type) * mwh / item.delivered_frac
    heat = max((float(year.per_unit[plant.id].max()) for year in outputs), default=0.0) if item.is_csp else 0.0
    block_heat = float(plant.power_block_mw or 0.0) / float(plant.eta_frac or 1.0)
    return Addition(
        plant.model_copy(update={"year_gwh_published": mwh / item.delivered_frac / 1000.0 or None}),
        sum(unit.capital_usd * amount for unit, amount in zip(units, amounts, strict=True)),
        sum(unit.yearly_mad * amount for unit, amount in zip(units, amounts, strict=True)) + upkeep,
        _transport(item, transport) * mwh,
        mwh / 1000.0,
        land_ha(costs, plant.type, plant.gross_mw, mwh / 1000.0),
        lead * heat / block_heat if item.is_csp else None,
        item.yield_frac,
        item.yield_source,
    )


def _plant(item: Candidate, parts: Mapping[str, float], least_mw: float) -> Plant | None:
    """The plant of these sizes; None where a part of it is missing."""
    plant = item.plant
    if item.is_csp:
        return _csp(plant, parts["mirror"], parts["block"], parts["salt"], least_mw)
    if parts["mw"] < least_mw:
        return None
    changes: dict[str, Any] = {"gross_mw": parts["mw"]}
    if plant.type == "battery":
        if parts["mwh"] < least_mw:
            return None
        changes |= {"charge_mw": parts["mw"], "energy_mwh": parts["mwh"]}
    if plant.n_turbines is not None:
        changes["n_turbines"] = max(1, round(parts["mw"] / (plant.gross_mw / plant.n_turbines)))
    return plant.model_copy(update=changes)


def _csp(plant: Plant, mirror: float, block_mw: float, salt_mwh_th: float, least_mw: float) -> Plant | None:
    if block_mw < least_mw or mirror <= 0.0:
        return None
    reference_mw, area_m2 = float(plant.power_block_mw or 1.0), float(plant.mirror_area_m2 or 1.0)
    changes = {
        "power_block_mw": block_mw,
        "gross_mw": plant.gross_mw * block_mw / reference_mw,
        "tes_h": salt_mwh_th * float(plant.eta_frac or 1.0) / block_mw,
        "mirror_area_m2": mirror * MIRROR_M2,
    }
    if plant.receiver_mw_th is not None:
        changes["receiver_mw_th"] = plant.receiver_mw_th * mirror * MIRROR_M2 / area_m2
    return plant.model_copy(update=changes)


def _ratio(plant: Plant, candidate: Candidate) -> float:
    if candidate.is_csp:
        return float(plant.mirror_area_m2 or 0.0) / float(candidate.plant.mirror_area_m2 or 1.0)
    return plant.gross_mw / REFERENCE_MW
