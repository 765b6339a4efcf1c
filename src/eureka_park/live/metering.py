"""Reading the meter, sharing the energy among jobs, pricing it by source: one booking per interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from eureka_park.compute.core.job import Job
from eureka_park.compute.core.placement import idle_frac
from eureka_park.compute.core.state import ParkState
from eureka_park.compute.ports import Engine, Meter
from eureka_park.energy.core.cooling import it_mw_from_site_mw, site_mw_from_it_mw
from eureka_park.energy.core.mix import source_shares
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import GRID_SOURCE_ID, Site
from eureka_park.foundation.wire.engine import JobUsage, MeterReading
from eureka_park.ledger.core.metering import IDLE, Allocation, Attribution, attribute, site_energy
from eureka_park.ledger.service import EnergyBooking, EnergyLine

_CLEAN_TIERS = ("green", "flex", "firm")


def reading_from_json(value: Mapping[str, Any]) -> MeterReading:
    """Read what the journal keeps of a reading."""
    data = dict(value)
    data["jobs"] = tuple(JobUsage(**item) for item in data.get("jobs", ()))
    return MeterReading(**data)


@dataclass(slots=True)
class Metering:
    """Books the energy between readings. Remembers since when each job holds its node, in real time."""

    engine: Engine
    meter: Meter
    site: Site
    park_of: Callable[[float], float]
    since_real_s: dict[JobId, float] = field(default_factory=dict)
    power_it_mw: float = 0.0
    pue: float = 1.0

    def read(
        self, state: ParkState, ended_real_s: Mapping[JobId, float], plan_at: Callable[[float], PowerPlan | None]
    ) -> tuple[MeterReading, EnergyBooking | None]:
        """Read the meter and share the energy since the last reading. Call before the events of this cycle apply.

        `ended_real_s`: when jobs left their node since the last reading. No booking before the first reading.
        """
        jobs = list(state.on_node.values())
        reading = self.meter.read(self.engine.usage([(job.job_id, job.attempt) for job in jobs]))
        if not state.meter:
            return reading, None
        before = reading_from_json(state.meter)
        if reading.at_s <= before.at_s:
            return before, None
        spans = [self._allocation(state, job, before, reading, ended_real_s) for job in jobs]
        node_cpu_s = None
        if reading.cpu_s is not None and before.cpu_s is not None and reading.cpu_s >= before.cpu_s:
            node_cpu_s = reading.cpu_s - before.cpu_s  # what no job used goes to the idle account
        shared = attribute(before, reading, [span for span in spans if span is not None], node_cpu_s=node_cpu_s)
        if shared.node_uj == 0:
            return reading, None
        plan = plan_at(self.park_of((shared.start_s + shared.end_s) / 2))
        return reading, self._booking(shared, {job.job_id: str(job.spec.tier) for job in jobs}, plan)

    def _allocation(
        self, state: ParkState, job: Job, before: MeterReading, now: MeterReading, ended: Mapping[JobId, float]
    ) -> Allocation | None:
        node = state.nodes.get(job.node)
        if node is None:
            return None
        start_s = self.since_real_s.get(job.job_id, before.at_s)
        return Allocation(job.job_id, idle_frac(job.spec, node), start_s, ended.get(job.job_id, now.at_s))

    def _booking(self, shared: Attribution, tiers: Mapping[str, str], plan: PowerPlan | None) -> EnergyBooking:
        it_uj = shared.by_account()
        elapsed_s = max(1e-3, shared.end_s - shared.start_s)
        it_mw = shared.node_uj / 1e6 / elapsed_s / 1e6
        pue = site_mw_from_it_mw(it_mw, self.site.pue) / it_mw if it_mw > 0 else self.site.pue.nominal
        site_uj = site_energy(it_uj, pue)
        self.power_it_mw, self.pue = it_mw, pue
        tier_of = {**tiers, IDLE: "idle"}
        load_mw = dict.fromkeys((*_CLEAN_TIERS, "idle"), 0.0)
        for account, energy_uj in site_uj.items():
            load_mw[tier_of[account]] += energy_uj / 1e6 / elapsed_s / 1e6
        start_s, end_s = self.park_of(shared.start_s), self.park_of(shared.end_s)
        shares = source_shares(load_mw, _clean_at(plan, (start_s + end_s) / 2))
        lines = tuple(
            EnergyLine(account, it_uj[account], site_uj[account], shares[tier_of[account]]) for account in it_uj
        )
        return EnergyBooking(
            start_s=start_s,
            end_s=end_s,
            lines=lines,
            gco2_per_kwh=self.site.gco2_per_kwh_by_source,
            mad_per_kwh=prices_by_source(self.site, plan, start_s),
            node_it_uj=shared.node_uj,
            node_site_uj=sum(site_uj.values()),
            method=shared.method,
        )


def _clean_at(plan: PowerPlan | None, park_s: float) -> dict[str, float]:
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


def journal_form(reading: MeterReading) -> dict[str, Any]:
    """What the journal keeps of a reading."""
    return asdict(reading)


def it_kw_of_site(site: Site) -> Callable[[float], float]:
    """Site MW -> IT kW for one site."""
    return lambda site_mw: it_mw_from_site_mw(site_mw, site.pue) * 1000.0


def site_mw_of_it(site: Site) -> Callable[[float], float]:
    """IT kW -> site MW for one site."""
    return lambda it_kw: site_mw_from_it_mw(it_kw / 1000.0, site.pue)
