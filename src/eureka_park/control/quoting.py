"""The answer to somebody who asks what a job would cost: per tier its price, carbon, sources and hours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from eureka_park.compute.core.event import Node
from eureka_park.compute.core.job import JobSpec, Reason
from eureka_park.control.policy import Policy
from eureka_park.control.pricing import PlanHours
from eureka_park.control.quote import Quote, QuotedWork, Run, best_of
from eureka_park.control.supply import Supply, grid_only, supply_from_plan
from eureka_park.energy.core.cooling import it_mw_from_site_mw
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.units import iso_from_s

if TYPE_CHECKING:
    from eureka_park.compute.core.board import Board
    from eureka_park.control.would_start import Picture, Pictures


@dataclass(frozen=True, slots=True)
class Ask:
    """A checked declaration, as one tier would run it. `ahead`: the first of those before it in its line, and `n_ahead`
    how many there are; `is_first`: its project never had a job.
    """

    spec: JobSpec
    deadline_s: float | None
    ahead: Sequence[Mapping[str, Any]] = ()
    n_ahead: int = 0
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class Basis:
    """What a quote rests on."""

    site: Site
    nodes: tuple[Node, ...]
    policy: Policy
    plan: PowerPlan | None
    pace_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A job of which it is asked when it will start. `laid`: makes a board of the present rows with the job on it, and
    tells its slot.
    """

    spec: JobSpec
    deadline_s: float | None
    is_first: bool
    laid: Callable[[], tuple[Board, int]]


class StartEstimator(Protocol):
    """Works out when a job would start that is only asked about."""

    def estimates(
        self, asked: Mapping[str, Asked], now_s: float, *, basis: object, is_visitor: bool
    ) -> Mapping[str, tuple[float, float]]:
        """By name, as far as it is known at little cost, by when it starts in one case of two and in nine of ten; what
        comes first in `asked` is worked out first. `basis`: another object when the rows have changed.
        """


class QuoteDesk:
    """Makes the quotes of one park. What does not depend on a request is worked out once for many of them: the picture
    of the park until other rows are shown, what the plan says of its hours until there is another.
    """

    def __init__(
        self,
        site: Site,
        nodes: tuple[Node, ...],
        policy: Policy,
        pace_factor: float = 1.0,
        starts: Callable[[], StartEstimator] | None = None,
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        """`starts` makes the estimator when the first quote is asked for; with a `lock` several threads may ask."""
        self._lock = lock
        self._site, self._nodes, self._policy, self._pace_factor = site, nodes, policy, pace_factor
        self._make_starts, self._starts = starts, cast("StartEstimator | None", None)
        self._pictures: Pictures | None = None
        self._hours = PlanHours(site, None)
        self._supply: tuple[PowerPlan | None, Supply] | None = None

    def answer(
        self,
        plan: PowerPlan | None,
        asks: Mapping[str, Ask],
        chosen: str,
        now_s: float,
        running: Sequence[Mapping[str, Any]],
        *,
        is_visitor: bool = False,
    ) -> dict[str, Any]:
        """The quote of a job by tier. `asks`: by tier; `running`: rows of the jobs on nodes. Instants are park time.
        For a visitor less is spent on when it would start.
        """
        from eureka_park.control.would_start import Pictures  # whoever never asks needs no compiled kernels

        if self._pictures is None:
            self._pictures = Pictures(self._nodes, self._policy, self._lock)
            self._starts = self._make_starts() if self._make_starts is not None else None
        if self._hours.plan is None or plan is None or self._hours.plan.plan_id != plan.plan_id:
            self._hours = PlanHours(self._site, plan)
        basis = Basis(self._site, self._nodes, self._policy, plan, self._pace_factor)
        supply, picture = self._supply_at(basis, now_s), self._pictures.of(running, now_s)
        refusals = {
            tier: picture.refusal(ask.spec, ask.deadline_s, ask.ahead, supply, now_s, is_first=ask.is_first)
            for tier, ask in asks.items()
        }
        estimates = self._estimates(picture, asks, chosen, refusals, supply, now_s, is_visitor)
        return _answer(basis, picture, self._hours, asks, chosen, refusals, estimates, now_s)

    def _estimates(
        self,
        picture: Picture,
        asks: Mapping[str, Ask],
        chosen: str,
        refusals: Mapping[str, Reason | None],
        supply: Supply,
        now_s: float,
        is_visitor: bool,
    ) -> Mapping[str, tuple[float, float]]:
        """When those would start that do not at once, the declared tier first."""
        tiers = [tier for tier in sorted(asks, key=lambda tier: tier != chosen) if refusals[tier] is not None]
        if self._starts is None or not tiers:
            return {}
        asked = {
            tier: Asked(
                (ask := asks[tier]).spec,
                ask.deadline_s,
                ask.is_first,
                partial(picture.laid, ask.spec, ask.deadline_s, ask.ahead, supply, now_s, is_first=ask.is_first),
            )
            for tier in tiers
        }
        return self._starts.estimates(asked, now_s, basis=picture, is_visitor=is_visitor)

    def _supply_at(self, basis: Basis, now_s: float) -> Supply:
        """What the plan gives from now on; the same object for as long as it is the same."""
        known = self._supply
        if known is not None and _plan_id(known[0]) == _plan_id(basis.plan):
            if known[1].now.start_s <= now_s < known[1].now.end_s:
                return known[1]
        supply = supply_of(basis, now_s)
        self._supply = (basis.plan, supply)
        return supply


def _plan_id(plan: PowerPlan | None) -> str | None:
    return None if plan is None else plan.plan_id


def _answer(
    basis: Basis,
    picture: Picture,
    hours: PlanHours,
    asks: Mapping[str, Ask],
    chosen: str,
    refusals: Mapping[str, Reason | None],
    estimates: Mapping[str, tuple[float, float]],
    now_s: float,
) -> dict[str, Any]:
    tiers, goes_beyond = {}, False
    for tier, ask in asks.items():
        quote = _quote(basis, picture, hours, ask.spec, tier, now_s)
        tiers[tier] = _tier_answer(quote, ask, refusals[tier], estimates.get(tier))
        goes_beyond = goes_beyond or quote.goes_beyond(now_s)
    spec = asks[chosen].spec
    return {
        "tier": chosen,
        "quoted_at": iso_from_s(now_s),
        "plan_id": basis.plan.plan_id if basis.plan else None,
        "time_s": spec.time_s,
        "n_tasks": spec.n_tasks,
        "tiers": tiers,
        "labels": _labels(basis, goes_beyond) | (_ESTIMATED if estimates else {}),
    }


_ESTIMATED: Final = {
    "starts": "assumption: nobody else asks for anything, and jobs take as much of their time as those before them did"
}


def supply_of(basis: Basis, now_s: float) -> Supply:
    """The rest of the plan; while there is none, the grid."""
    site = basis.site

    def it_kw_of(site_mw: float) -> float:
        return it_mw_from_site_mw(site_mw, site.pue) * 1000.0

    if basis.plan is None or not basis.plan.start_s <= now_s < basis.plan.end_s:
        return grid_only(now_s, it_kw_of(site.grid.import_mw_max * site.factor), site.grid.price_peak_mad_per_mwh)
    return supply_from_plan(basis.plan, now_s, it_kw_of, basis.policy.carbon_mad_per_kg)


def _quote(basis: Basis, picture: Picture, hours: PlanHours, spec: JobSpec, tier: str, now_s: float) -> Quote:
    rated_kw, _ = picture.rated_kw(spec)
    n_gpus, n_cpus = spec.n_gpus * spec.n_nodes, spec.n_cpus * spec.n_nodes
    work = QuotedWork(tier, rated_kw, spec.time_s, n_gpus, n_cpus, spec.n_tasks)
    return Quote(
        basis.site,
        basis.plan,
        now_s,
        work,
        loads=picture.loads(),
        idle_kw=picture.idle_kw(spec),
        pace_factor=basis.pace_factor,
        hours=hours,
    )


def _tier_answer(
    quote: Quote, ask: Ask, refusal: Reason | None, estimate: tuple[float, float] | None
) -> dict[str, Any]:
    runs = [quote.run_at(start_s) for start_s in quote.starts()]
    latest_s = None if ask.deadline_s is None else ask.deadline_s - ask.spec.time_s
    run = _expected(quote, runs, refusal, estimate)
    best = best_of(runs, latest_s)
    by_source = quote.kwh_by_source(run.start_s)
    return {
        "starts_now": refusal is None,
        "reason": None if refusal is None else refusal.to_json(),
        "n_ahead": ask.n_ahead,
        "estimate": {"p50_at": iso_from_s(estimate[0]), "p90_at": iso_from_s(estimate[1])} if estimate else None,
        "start_at": iso_from_s(run.start_s),
        "deadline_at": iso_from_s(ask.deadline_s),
        "rated_kw": quote.work.rated_kw,
        "energy_kwh": run.kwh,
        "credits": run.credits,
        "machine_credits": run.machine_credits,
        "energy_credits": run.energy_credits,
        "gco2": run.gco2,
        "clean_frac": run.clean_frac,
        "kwh_by_source": by_source,
        "best_start_at": iso_from_s(best.start_s),
        "best_credits": best.credits,
        "best_gco2": best.gco2,
        "best_hours": [_run_view(run, latest_s) for run in runs],
    }


def _expected(quote: Quote, runs: Sequence[Run], refusal: Reason | None, estimate: tuple[float, float] | None) -> Run:
    """The run that is to be expected: now; when the reason ends; else by when it starts in one case of two; as far as
    that is known.
    """
    if refusal is None:
        return runs[0]
    until_s = refusal.until_s if refusal.until_s is not None else estimate[0] if estimate else None
    return runs[0] if until_s is None or until_s <= quote.now_s else quote.run_at(until_s)


def _run_view(run: Run, latest_s: float | None) -> dict[str, Any]:
    return {
        "start_at": iso_from_s(run.start_s),
        "credits": run.credits,
        "gco2": run.gco2,
        "clean_frac": run.clean_frac,
        "in_time": latest_s is None or run.start_s <= latest_s,
    }


def _labels(basis: Basis, goes_beyond: bool) -> dict[str, str]:
    labels = {
        "load": "assumption: it draws its rated power for the whole of its declared time",
        "others": "assumption: what runs now goes on to its declared end, and nobody else starts",
        "prices": basis.site.prices.label,
    }
    if basis.plan is None:
        labels["plan"] = "none yet; the grid was counted"
    elif goes_beyond:
        labels["beyond"] = "assumption: beyond the plan the hours of its last day are repeated"
    return labels | dict(basis.plan.labels if basis.plan else {})
