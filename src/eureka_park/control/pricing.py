"""Whose power it was and what it cost: one rule for what is booked and for what is quoted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from eureka_park.energy.core.cooling import site_mw_from_it_mw
from eureka_park.energy.core.mix import CLEAN_ORDER, source_shares
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import GRID_SOURCE_ID, Pue, Site

IDLE_TIER: Final = "idle"
_LOADLESS: Final = dict.fromkeys((*CLEAN_ORDER, IDLE_TIER), 0.0)


@dataclass(frozen=True, slots=True)
class HourRates:
    """What a kWh at the site meter consists of in one hour: by tier and source, its price and its carbon."""

    shares: Mapping[str, Mapping[str, float]]
    mad_per_kwh: Mapping[str, float]
    gco2_per_kwh: Mapping[str, float]

    def price_of(self, tier: str) -> float:
        """MAD for a kWh of a tier."""
        return sum(frac * self.mad_per_kwh[source] for source, frac in self.shares[tier].items())

    def gco2_of(self, tier: str) -> float:
        """Grams of CO2 in a kWh of a tier."""
        return sum(frac * self.gco2_per_kwh[source] for source, frac in self.shares[tier].items())


def hour_rates(site: Site, plan: PowerPlan | None, park_s: float, load_by_tier_mw: Mapping[str, float]) -> HourRates:
    """The rates of the hour that holds an instant. `load_by_tier_mw`: at the site meter, `idle` among them."""
    return PlanHours(site, plan).rates(park_s, load_by_tier_mw)


class PlanHours:
    """The hours of one plan, each read once: power by plant and prices by source do not depend on who draws it."""

    def __init__(self, site: Site, plan: PowerPlan | None) -> None:
        self.site, self.plan = site, plan
        self._gco2 = site.gco2_per_kwh_by_source
        self._read: dict[int, tuple[dict[str, float], dict[str, float]]] = {}

    def rates(self, park_s: float, load_by_tier_mw: Mapping[str, float]) -> HourRates:
        """What `hour_rates` tells of an instant."""
        plan = self.plan
        index = plan.index_at(park_s) if plan is not None and plan.start_s <= park_s < plan.end_s else -1
        if index not in self._read:
            self._read[index] = clean_at(plan, park_s), prices_by_source(self.site, plan, park_s)
        clean_mw, prices = self._read[index]
        return HourRates(source_shares(_LOADLESS | dict(load_by_tier_mw), clean_mw), prices, self._gco2)


def pue_at(it_mw: float, pue: Pue) -> float:
    """Site power over IT power while the machines draw `it_mw`."""
    return site_mw_from_it_mw(it_mw, pue) / it_mw if it_mw > 0 else pue.nominal


def clean_at(plan: PowerPlan | None, park_s: float) -> dict[str, float]:
    """Power by plant that a plan has for an instant, MW; empty where it does not reach."""
    if plan is None or not plan.start_s <= park_s < plan.end_s:
        return {}
    index = plan.index_at(park_s)
    return {source: series[index] for source, series in plan.available_by_source_mw.items() if source != GRID_SOURCE_ID}


def prices_by_source(site: Site, plan: PowerPlan | None, park_s: float) -> dict[str, float]:
    """MAD per kWh of each source in one hour: its first step on the plan's curve; without a plan the grid's tariff.

    Nothing where the site's prices include energy.
    """
    if site.prices.energy == "included":
        return dict.fromkeys(site.source_ids, 0.0)
    grid_price = (site.grid.price_full_mad_per_mwh + site.grid.transport_mad_per_mwh) / 1000.0
    prices = dict.fromkeys(site.source_ids, grid_price)
    if plan is not None and plan.start_s <= park_s < plan.end_s:
        for step in reversed(plan.curve[plan.index_at(park_s)]):
            prices[step.source] = step.cost_mad_per_mwh / 1000.0
    return prices
