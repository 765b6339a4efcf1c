"""What the energy of a job costs at most in nine cases of ten: clean power at its p10, and all machines busy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from eureka_park.compute.core.event import Node
from eureka_park.compute.core.job import JobSpec
from eureka_park.compute.core.placement import job_kw
from eureka_park.control.pricing import PlanHours
from eureka_park.control.quote import Load, Quote, QuotedWork
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import GRID_SOURCE_ID, Site

PLANLESS: Final = "none"


@dataclass(frozen=True, slots=True)
class EnergyCeiling:
    """Credits for the energy of one task, by the start it is for (park time)."""

    credits_by_start_s: Mapping[float, float]

    @property
    def most_credits(self) -> float:
        """Those of the dearest start in reach."""
        return max(self.credits_by_start_s.values())


class CeilingDesk:
    """Makes ceilings for one park; what the plan says of its hours is read once for each plan."""

    def __init__(self, site: Site, nodes: Sequence[Node], pace_factor: float = 1.0) -> None:
        self._site, self._nodes, self._pace_factor = site, tuple(nodes), pace_factor
        self._full_kw = sum(node.rated_kw for node in nodes)
        self._known: tuple[str, PlanHours] | None = None

    def ceiling(self, plan: PowerPlan | None, spec: JobSpec, now_s: float) -> EnergyCeiling:
        """The ceiling of one task's energy for its declared time, now and at each interval of the next 48 hours."""
        rated_kw = self._rated_kw(spec)
        n_gpus, n_cpus = spec.n_gpus * spec.n_nodes, spec.n_cpus * spec.n_nodes
        others = Load(str(spec.tier), max(0.0, self._full_kw - rated_kw), inf)
        hours = self._hours(plan)
        quote = Quote(
            self._site,
            hours.plan,
            now_s,
            QuotedWork(str(spec.tier), rated_kw, spec.time_s, n_gpus, n_cpus),
            loads=(others,),
            pace_factor=self._pace_factor,
            hours=hours,
        )
        return EnergyCeiling({start_s: quote.run_at(start_s).energy_credits for start_s in quote.starts()})

    def _rated_kw(self, spec: JobSpec) -> float:
        """The most that it draws on any node that it may get."""
        fits = [node for node in self._nodes if _fits(spec, node)] or list(self._nodes)
        return max(job_kw(spec, node)[0] for node in fits)

    def _hours(self, plan: PowerPlan | None) -> PlanHours:
        name = PLANLESS if plan is None else plan.plan_id
        if self._known is None or self._known[0] != name:
            self._known = name, PlanHours(self._site, None if plan is None else low_plan(plan))
        return self._known[1]


def low_plan(plan: PowerPlan) -> PowerPlan:
    """The plan with its clean power at p10: every plant gives as much less."""
    parts = [
        low / middle if middle > 0 else 1.0
        for low, middle in zip(plan.clean_available_mw_p10, plan.clean_available_mw_p50, strict=True)
    ]
    less = {
        source: series
        if source == GRID_SOURCE_ID
        else tuple(value * part for value, part in zip(series, parts, strict=True))
        for source, series in plan.available_by_source_mw.items()
    }
    return replace(plan, available_by_source_mw=less)


def _fits(spec: JobSpec, node: Node) -> bool:
    is_type = not spec.gpu_type or spec.gpu_type == node.gpu_type
    return is_type and node.n_gpus >= spec.n_gpus and node.n_cpus >= spec.n_cpus
