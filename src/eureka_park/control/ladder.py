"""The ladder under shortage: cap, pause or freeze, least harm first; and back up again with a margin.

Holding new starts is the first rung (admission does it by itself), buying from the grid for firm the last (it needs
no act).
Jobs without a checkpoint are never killed to save power: they are frozen where the engine can, else they run on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import Job, JobClass, JobState, Reason, Tier
from eureka_park.compute.core.state import ParkState
from eureka_park.control.policy import Policy, Sky, Totals
from eureka_park.control.supply import Supply
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.units import power_text

Reasons = dict[JobId, Reason]


def is_urgent(job: Job, now_s: float) -> bool:
    """A job that must run now to end by its deadline."""
    latest_s = job.latest_start_s(now_s)
    return latest_s is not None and now_s >= latest_s


def is_bound(job: Job, sky: Sky, now_s: float) -> bool:
    """Whether the sky may hold, cap, pause or freeze this job."""
    if sky is Sky.OBSERVED or job.spec.tier is Tier.FIRM or job.is_first:
        return False
    if job.spec.tier is Tier.GREEN:
        return True
    return sky is Sky.BINDING and not is_urgent(job, now_s)


def totals(state: ParkState, policy: Policy, now_s: float) -> Totals:
    """Sum the power that is committed now."""
    by_tier = dict.fromkeys(Tier, 0.0)
    firm_rated = bound = free_green = shared_idle = 0.0
    for job in state.on_node.values():
        shared_idle += job.rated_kw - job.dynamic_kw
        if job.state is JobState.PAUSING:
            continue  # its power is on the way out
        drawn = job.drawn_kw()
        by_tier[job.spec.tier] += drawn
        if job.spec.tier is Tier.FIRM:
            firm_rated += job.rated_kw
        elif is_bound(job, policy.sky, now_s):
            bound += drawn
        elif job.spec.tier is Tier.GREEN:
            free_green += drawn
    idle = max(0.0, sum(node.idle_kw for node in state.nodes.values()) - shared_idle)
    return Totals(idle, by_tier[Tier.FIRM], by_tier[Tier.FLEX], by_tier[Tier.GREEN], firm_rated, bound, free_green)


def with_started(before: Totals, job: Job, policy: Policy, now_s: float) -> Totals:
    """The totals after one more job has started at full power; the same as summing anew."""
    drawn, tier = job.rated_kw, job.spec.tier
    bound = drawn if tier is not Tier.FIRM and is_bound(job, policy.sky, now_s) else 0.0
    return Totals(
        max(0.0, before.idle_kw - (job.rated_kw - job.dynamic_kw)),
        before.firm_kw + (drawn if tier is Tier.FIRM else 0.0),
        before.flex_kw + (drawn if tier is Tier.FLEX else 0.0),
        before.green_kw + (drawn if tier is Tier.GREEN else 0.0),
        before.firm_rated_kw + (job.rated_kw if tier is Tier.FIRM else 0.0),
        before.bound_kw + bound,
        before.free_green_kw + (drawn - bound if tier is Tier.GREEN else 0.0),
    )


def claims_kw(committed: Totals, policy: Policy) -> float:
    """IT kW of clean power that others have a claim to before the jobs bound by the sky.

    When the sky binds green alone, green has the first claim on clean power (and receipts give it that); when it binds
    all, firm work and urgent flex are counted first.
    """
    if policy.sky is Sky.BINDING:
        return policy.service_reserve_kw + committed.all_kw - committed.idle_kw - committed.bound_kw
    return policy.service_reserve_kw + committed.free_green_kw  # a first green job that the sky does not hold


def bound_budget_kw(supply: Supply, committed: Totals, policy: Policy, until_s: float) -> float:
    """IT kW of clean power that jobs bound by the sky may draw until `until_s`."""
    return max(0.0, supply.clean_kw_min(until_s) - claims_kw(committed, policy))


def bound_hour_s(supply: Supply, committed: Totals, policy: Policy, bound_kw: float) -> float | None:
    """When the plan first lets jobs bound by the sky draw so much, with the margin; None where it never does."""
    return supply.first_clean_s(claims_kw(committed, policy) + bound_kw / (1.0 - policy.margin_frac))


def descend(state: ParkState, supply: Supply, policy: Policy, now_s: float, reasons: Reasons) -> Iterator[ev.Event]:
    """Bring bound power down to the budget of this very interval; yields each event after it was applied."""
    committed = totals(state, policy, now_s)
    budget = bound_budget_kw(supply, committed, policy, supply.now.start_s)
    short_kw = committed.bound_kw - budget
    if short_kw <= 1e-9 * (1 + budget):
        return
    bound = [job for job in _in_order(state) if is_bound(job, policy.sky, now_s)]
    sky = _Sky(supply, committed, policy)
    for event in _shed(bound, short_kw, sky, now_s, reasons):
        state.apply(event)
        yield event


@dataclass(frozen=True, slots=True)
class _Sky:
    """What the reasons of one turn are told from."""

    supply: Supply
    committed: Totals
    policy: Policy


def _reason(code: str, what: str, short_kw: float, sky: _Sky) -> Reason:
    """`short_kw`: what is still missing when it is this job's turn to give way; an hour with so much spares it."""
    budget_kw = bound_budget_kw(sky.supply, sky.committed, sky.policy, sky.supply.now.start_s)
    until_s = bound_hour_s(sky.supply, sky.committed, sky.policy, budget_kw + short_kw)
    text = f"It is {what}: the sky gives {power_text(short_kw / 1000)} less than the bound work draws."
    return Reason(code, text + _kept(short_kw, sky.supply), _values(short_kw, sky.supply), until_s)


def _shed(bound: list[Job], short_kw: float, sky: _Sky, now_s: float, reasons: Reasons) -> Iterator[ev.Event]:
    """The least that each job must bear, worked out first: a job that is to stand still is not capped on the way."""
    policy = sky.policy
    caps, short_kw = _caps(bound, short_kw, policy)
    stops: dict[JobId, tuple[ev.Event, Reason]] = {}
    for job in bound:
        if short_kw <= 0:
            break
        if job.state is not JobState.RUNNING or not _may_stop(job, policy, now_s):
            continue
        saved_kw = job.dynamic_kw * caps.get(job.job_id, (job.cap_frac, 0.0))[0]
        if job.spec.checkpoint or job.spec.job_class is JobClass.SERVICE:
            why = _reason("paused_power", "paused at a checkpoint", short_kw, sky)
            stops[job.job_id] = ev.JobPausing(job.job_id, now_s), why
            saved_kw += job.rated_kw - job.dynamic_kw  # its node's share comes free once the checkpoint is written
        elif policy.can_freeze:
            why = _reason("frozen_power", "frozen in place, its work kept", short_kw, sky)
            stops[job.job_id] = ev.JobFrozen(job.job_id, now_s), why
        else:
            continue
        short_kw -= saved_kw
    for job in bound:
        if job.job_id in stops:
            event, reasons[job.job_id] = stops[job.job_id]
            yield event
        elif job.job_id in caps:
            frac, kw = caps[job.job_id]
            reasons[job.job_id] = _reason("capped_power", f"capped to {frac:.0%} of its power", kw, sky)
            yield ev.JobCapped(job.job_id, now_s, frac)


def _caps(bound: list[Job], short_kw: float, policy: Policy) -> tuple[dict[JobId, tuple[float, float]], float]:
    """Who is capped to what (with the shortage that it meets; kW), and the shortage that caps leave."""
    caps: dict[JobId, tuple[float, float]] = {}
    for frac in policy.cap_steps_frac if policy.can_cap else ():
        for job in bound:
            if short_kw <= 0:
                return caps, short_kw
            before_frac = caps.get(job.job_id, (job.cap_frac, 0.0))[0]
            if job.state is JobState.RUNNING and before_frac > frac:
                caps[job.job_id] = frac, short_kw
                short_kw -= job.dynamic_kw * (before_frac - frac)
    return caps, short_kw


def ascend(state: ParkState, supply: Supply, policy: Policy, now_s: float, reasons: Reasons) -> Iterator[ev.Event]:
    """Thaw frozen jobs, then lift caps, while the budget of the next `min_run_s` leaves a margin; yields each event
    after it was applied. What goes up again and what must still stay down are told why.
    """
    committed: Totals | None = None
    for job in [job for job in reversed(_in_order(state)) if job.state is JobState.FROZEN or job.cap_frac < 1.0]:
        event: ev.Event
        if job.state is JobState.FROZEN:
            need_kw, event = job.dynamic_kw, ev.JobThawed(job.job_id, now_s)
        elif job.state is JobState.RUNNING:
            need_kw, event = job.dynamic_kw * (1.0 - job.cap_frac), ev.JobCapped(job.job_id, now_s, 1.0)
        else:
            continue
        if is_bound(job, policy.sky, now_s):
            committed = totals(state, policy, now_s) if committed is None else committed
            room = room_kw(committed, supply, policy, now_s)
            if need_kw > room:
                until_s = bound_hour_s(supply, committed, policy, committed.bound_kw + need_kw)
                reasons.setdefault(job.job_id, _held(job, need_kw - room, supply, until_s))
                continue
        reasons[job.job_id] = _resumed(job, supply)
        state.apply(event)
        committed = None
        yield event


def _held(job: Job, short_kw: float, supply: Supply, until_s: float | None) -> Reason:
    """Why a job stays frozen or capped, as the hour is now."""
    short = power_text(short_kw / 1000)
    if job.state is JobState.FROZEN:
        text = f"It stays frozen in place, its work kept: the sky gives {short} less than it needs to go on."
        return Reason("frozen_power", text + _kept(short_kw, supply), _values(short_kw, supply), until_s)
    text = f"It stays capped to {job.cap_frac:.0%} of its power: the sky gives {short} less than the rest needs."
    return Reason("capped_power", text + _kept(short_kw, supply), _values(short_kw, supply), until_s)


def _values(short_kw: float, supply: Supply) -> dict[str, float]:
    now = supply.now
    return {"short_kw": round(short_kw, 6), "clean_kw": round(now.clean_kw, 6), "kept_kw": round(now.kept_kw, 6)}


def _kept(short_kw: float, supply: Supply) -> str:
    """Said when the salt could give it, but the plan has a better use for it."""
    return " The plan keeps its salt for dearer hours." if supply.now.kept_kw > short_kw else ""


def _resumed(job: Job, supply: Supply) -> Reason:
    what = "It goes on" if job.state is JobState.FROZEN else "It has its full power again"
    clean = power_text(supply.now.clean_kw / 1000)
    text = f"{what}: sun, wind and salt give {clean} now, enough for it."
    return Reason("resumed_power", text, {"clean_kw": round(supply.now.clean_kw, 6)})


def room_kw(committed: Totals, supply: Supply, policy: Policy, now_s: float) -> float:
    """IT kW by which bound work may grow now, with the margin that keeps it from swinging."""
    budget = bound_budget_kw(supply, committed, policy, now_s + policy.min_run_s)
    return budget * (1.0 - policy.margin_frac) - committed.bound_kw


def _in_order(state: ParkState) -> list[Job]:
    """Who gives way first: green before flex, then the project served most beyond its share, then the newest start."""
    tier_rank = {Tier.GREEN: 0, Tier.FLEX: 1, Tier.FIRM: 2}
    return sorted(
        state.on_node.values(),
        key=lambda job: (tier_rank[job.spec.tier], -state.fair.rank(job.spec.project), -job.order),
    )


def _may_stop(job: Job, policy: Policy, now_s: float) -> bool:
    """Minimum run time since it last began, and no more pauses an hour than the policy allows."""
    began_s = max(job.resumed_s or 0.0, job.since_s or 0.0)
    if now_s - began_s < policy.min_run_s:
        return False
    return job.last_pause_s is None or now_s - job.last_pause_s >= 3600.0 / policy.pause_rate_max_per_h
