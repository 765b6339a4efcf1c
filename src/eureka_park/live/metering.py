"""Reading the meter, sharing the energy among jobs, pricing it by source: one booking per interval and park hour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from eureka_park.compute.core.job import Job
from eureka_park.compute.core.placement import idle_frac
from eureka_park.compute.ports import Engine, Meter
from eureka_park.control.pricing import IDLE_TIER, hour_rates, pue_at
from eureka_park.energy.core.cooling import it_mw_from_site_mw, site_mw_from_it_mw
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.units import HOUR_S
from eureka_park.foundation.wire.engine import JobUsage, MeterReading
from eureka_park.ledger.core.exact import split_hours
from eureka_park.ledger.core.metering import IDLE, MEASURED, Allocation, Attribution, attribute, site_energy
from eureka_park.ledger.service import EnergyBooking, EnergyLine
from eureka_park.live.learning import Metered

if TYPE_CHECKING:
    from eureka_park.compute.core.state import ParkState


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
    metered: Metered | None = None  # what the last reading told of jobs themselves; None where it told nothing

    def read(
        self, state: ParkState, ended_real_s: Mapping[JobId, float], plan_at: Callable[[float], PowerPlan | None]
    ) -> tuple[MeterReading, tuple[EnergyBooking, ...]]:
        """Read the meter and share the energy since the last reading. Call before the events of this cycle apply.

        `ended_real_s`: when jobs left their node since the last reading. No booking before the first reading; one for
        each park hour that the interval touches, as each has its own sources and prices.
        """
        jobs = list(state.on_node.values())
        self.metered = None
        reading = self.meter.read(self.engine.usage([(job.job_id, job.attempt) for job in jobs]))
        if not state.meter:
            return reading, ()
        before = reading_from_json(state.meter)
        if reading.at_s <= before.at_s:
            return before, ()
        spans = [self._allocation(state, job, before, reading, ended_real_s) for job in jobs]
        node_cpu_s = None
        if reading.cpu_s is not None and before.cpu_s is not None and reading.cpu_s >= before.cpu_s:
            node_cpu_s = reading.cpu_s - before.cpu_s  # what no job used goes to the idle account
        shared = attribute(before, reading, [span for span in spans if span is not None], node_cpu_s=node_cpu_s)
        if shared.node_uj == 0:
            return reading, ()
        if not shared.counter_restarted:
            self.metered = self._metered(state, before, reading, shared)
        return reading, self._bookings(shared, {job.job_id: str(job.spec.tier) for job in jobs}, plan_at)

    def _metered(self, state: ParkState, before: MeterReading, after: MeterReading, shared: Attribution) -> Metered:
        """What a reading tells of jobs: only counters of their own do, and one that stands still does not.

        What is modelled teaches nothing; GPUs count their own energy even where the rest of a machine is modelled.
        """
        pace = max(1e-9, (self.park_of(after.at_s) - self.park_of(before.at_s)) / (after.at_s - before.at_s))
        had = {(usage.job_id, usage.attempt): usage for usage in before.jobs}
        dynamic_j, since_real_s = {}, {}
        for usage in after.jobs:
            job, old = state.on_node.get(usage.job_id), had.get((usage.job_id, usage.attempt))
            if job is None or usage.attempt != job.attempt:
                continue
            if shared.method != MEASURED and not job.spec.n_gpus:
                continue
            moved = usage.cpu_s - (old.cpu_s if old else 0.0)
            if job.spec.n_gpus:
                moved = (usage.gpu_j or 0.0) - ((old.gpu_j if old else None) or 0.0)
            if moved <= 0.0:
                continue
            dynamic_j[usage.job_id] = shared.dynamic_uj.get(usage.job_id, 0) / 1e6
            since_real_s[usage.job_id] = after.at_s - (self.park_of(after.at_s) - job.steady_s) / pace
        return Metered(before, after, dynamic_j, since_real_s)

    def _allocation(
        self, state: ParkState, job: Job, before: MeterReading, now: MeterReading, ended: Mapping[JobId, float]
    ) -> Allocation | None:
        node = state.nodes.get(job.node)
        if node is None:
            return None
        start_s = self.since_real_s.get(job.job_id, before.at_s)
        # The meter is that of all nodes here together: a job carries of their idle power what its own nodes draw.
        of_all = node.idle_kw / state.nodes_idle_kw if state.nodes_idle_kw > 0.0 else 1.0 / len(state.nodes)
        share_frac = idle_frac(job.spec, node) * max(1, len(job.nodes)) * of_all
        return Allocation(job.job_id, share_frac, start_s, ended.get(job.job_id, now.at_s))

    def _bookings(
        self,
        shared: Attribution,
        tiers: Mapping[str, str],
        plan_at: Callable[[float], PowerPlan | None],
    ) -> tuple[EnergyBooking, ...]:
        it_uj = shared.by_account()
        elapsed_s = max(1e-3, shared.end_s - shared.start_s)
        it_mw = shared.node_uj / 1e6 / elapsed_s / 1e6
        pue = pue_at(it_mw, self.site.pue)
        self.power_it_mw, self.pue = it_mw, pue
        tier_of = {**tiers, IDLE: IDLE_TIER}
        load_mw = dict.fromkeys(tier_of.values(), 0.0)
        for account, energy_uj in site_energy(it_uj, pue).items():
            load_mw[tier_of[account]] += energy_uj / 1e6 / elapsed_s / 1e6
        start_s, end_s = self.park_of(shared.start_s), self.park_of(shared.end_s)
        bookings = []
        for begin_s, stop_s, plan, part_uj in _parts(start_s, end_s, it_uj, plan_at):
            middle_s = (begin_s + stop_s) / 2
            rates = hour_rates(self.site, plan, middle_s, load_mw)
            site_uj = site_energy(part_uj, pue)
            lines = tuple(
                EnergyLine(name, part_uj[name], site_uj[name], rates.shares[tier_of[name]], tier_of[name])
                for name in part_uj
            )
            bookings.append(
                EnergyBooking(
                    start_s=begin_s,
                    end_s=stop_s,
                    lines=lines,
                    gco2_per_kwh=rates.gco2_per_kwh,
                    mad_per_kwh=rates.mad_per_kwh,
                    node_it_uj=sum(part_uj.values()),
                    node_site_uj=sum(site_uj.values()),
                    method=shared.method,
                )
            )
        return tuple(bookings)


_Part = tuple[float, float, PowerPlan | None, dict[str, int]]


def _parts(
    start_s: float, end_s: float, it_uj: Mapping[str, int], plan_at: Callable[[float], PowerPlan | None]
) -> list[_Part]:
    """An interval cut at the full park hours: from, to, the plan that holds it (None for none), energy by account.

    All parts together are what there was, exactly. Hours that no plan holds, after a long stop, stay together.
    """
    hours: dict[int, dict[str, int]] = {}
    for account, energy_uj in it_uj.items():
        for hour_s, part_uj in split_hours(start_s, end_s, energy_uj):
            hours.setdefault(hour_s, {})[account] = part_uj
    parts: list[_Part] = []
    for hour_s, by_account in sorted(hours.items()):
        begin_s, stop_s = max(start_s, float(hour_s)), max(start_s, min(end_s, hour_s + HOUR_S))
        middle_s = (begin_s + stop_s) / 2
        plan = plan_at(middle_s)
        plan = plan if plan is not None and plan.start_s <= middle_s < plan.end_s else None
        if plan is None and parts and parts[-1][2] is None:
            begin_s, _, _, before = parts.pop()
            by_account = {name: before[name] + uj for name, uj in by_account.items()}
        parts.append((begin_s, stop_s, plan, by_account))
    return parts


def journal_form(reading: MeterReading) -> dict[str, Any]:
    """What the journal keeps of a reading."""
    return asdict(reading)


def it_kw_of_site(site: Site) -> Callable[[float], float]:
    """Site MW -> IT kW for one site."""
    return lambda site_mw: it_mw_from_site_mw(site_mw, site.pue) * 1000.0


def site_mw_of_it(site: Site) -> Callable[[float], float]:
    """IT kW -> site MW for one site."""
    return lambda it_kw: site_mw_from_it_mw(it_kw / 1000.0, site.pue)
