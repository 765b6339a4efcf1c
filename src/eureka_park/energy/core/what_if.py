"""What if: a load, how much of it may move within its day, and new wind, PV and batteries beside a site's plants.

New plants are those of `candidates`, at the first place that suits them; a battery gives `BATTERY_H` hours. Their cost
is that of `costs.toml`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from eureka_park.energy.core.candidates import Candidate, candidates_of, outputs_of, site_with, sizes_of
from eureka_park.energy.core.costs import Costs
from eureka_park.energy.core.new_supply import BATTERY_H, NEW_KINDS
from eureka_park.energy.core.sized import Addition, additions_of, supply_with
from eureka_park.energy.core.supply import Supply
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR
from eureka_park.energy.core.year import SolvedYear, solve_year
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_file import Site


@dataclass(frozen=True, slots=True)
class Wish:
    """A question: constant load (MW), share of it that may move within its day, new supply (MW)."""

    load_mw: float
    flex_frac: float = 0.0
    wind_mw: float = 0.0
    pv_mw: float = 0.0
    battery_mw: float = 0.0

    def new_mw(self, kind: str) -> float:
        """New supply of a kind."""
        return float(getattr(self, f"{kind}_mw"))


@dataclass(frozen=True, slots=True, eq=False)
class Wished:
    """A year of plants with what is wished beside them."""

    supply: Supply
    additions: tuple[Addition, ...]


def with_new(supply: Supply, models: Callable[[Site], Supply], wish: Wish, costs: Costs) -> Wished:
    """The supply with the wish's new plants. `models` gives another site's supply in the same weather and scenario.

    Raises BadInput for a kind that suits no place of the site.
    """
    chosen = _chosen(candidates_of(supply.site, supply, costs))
    for kind in NEW_KINDS:
        if wish.new_mw(kind) > 0 and kind not in chosen:
            raise BadInput(
                f"No place of {supply.site.name} suits new {kind}.", fix=f"Leave {kind}_mw at 0.", field=f"{kind}_mw"
            )
    candidates = tuple(chosen.values())
    modelled = models(site_with(supply.site, candidates))
    sizes, outputs = sizes_of(candidates, supply.site.site_mw_max, {}), [outputs_of(candidates, modelled)]
    transport = supply.site.grid.transport_mad_per_mwh

    named: dict[str, float] = {}
    for kind, candidate in chosen.items():
        named[candidate.sizes["mw"]] = wish.new_mw(kind)
        if "mwh" in candidate.sizes:
            named[candidate.sizes["mwh"]] = BATTERY_H * wish.new_mw(kind)
    values = np.array([named[size.name] for size in sizes])
    additions = additions_of(candidates, sizes, values, outputs, costs, transport)
    return Wished(supply_with(supply, modelled, candidates, additions), additions)


def solved_year(supply: Supply, wish: Wish) -> SolvedYear:
    """The year of a wish, whose new plants are already in the supply."""
    return solve_year(supply, np.full(HOURS_PER_YEAR, wish.load_mw), flex_frac=wish.flex_frac)


def told_additions(wished: Wished) -> list[dict[str, Any]]:
    """The new plants in plain JSON."""
    return [item.to_json() for item in wished.additions]


def _chosen(candidates: tuple[Candidate, ...]) -> dict[str, Candidate]:
    """The first candidate of each kind that can be wished for."""
    found: dict[str, Candidate] = {}
    for candidate in candidates:
        if candidate.plant.type in NEW_KINDS:
            found.setdefault(candidate.plant.type, candidate)
    return found
