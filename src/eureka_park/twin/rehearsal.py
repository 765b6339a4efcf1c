"""A recorded stretch of time played twice, under the policy that holds and under another: who waits longer or shorter.

Both plays have the same jobs, the same plans and the same machines; only policy and shares differ. What is told of the
park as it was is measured too: how far starts in the play under the present policy lie from those that really were.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from eureka_park.compute.core.job import Tier
from eureka_park.compute.core.machines import Machines
from eureka_park.control.policy import Policy
from eureka_park.foundation.errors import BadInput, NotFound
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.units import HOUR_S, iso_from_s
from eureka_park.twin.core.metrics import told_waits, waited_s
from eureka_park.twin.core.opening import opening_on
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.sky_series import PLAN_HOURS, TAIL_H, SkyRequest, SkySeries, it_kw_of, sky_of_plans
from eureka_park.twin.core.workload import Workload
from eureka_park.twin.journal_week import RecordedJob, RecordedWeek, Rows, failures_in, leaves_under, rows_of

Floats = npt.NDArray[np.float64]

LONGER_S: Final = 300.0  # a wait that changes by less is no news
N_MOST_CHANGED: Final = 10
PLAN_GAP_S: Final = 1800.0  # of plans that were made more often so many are played
TICK_S_MIN: Final = 10.0
AFTER_H: Final = 48.0  # for work that a policy puts off
MANY_JOBS: Final = 20_000  # above it the policy's own step is taken
Told = Callable[[str, float], None]  # which play, and how much of it is done


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two policies. `flex_default_s`: deadline of a flex job that named none, from its submission."""

    site: Site
    policy: Policy
    flex_default_s: float | None = None

    @property
    def shares(self) -> tuple[tuple[str, float, float], ...]:
        """The share tree as plain rows."""
        return tuple((share.path, share.weight, share.floor_frac) for share in self.site.shares)


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """What was recorded: the week, its machines, the plans that were issued. `turn_s`: park time between live turns;
    `scale`: how much more power than planned there is, for machines of another size, and `site` whose plans these are
    then; None: that which plays.
    """

    week: RecordedWeek
    plans: Sequence[PowerPlan]
    turn_s: float = 2.0
    scale: float = 1.0
    site: Site | None = None

    def sky_of(self, site: Site) -> SkySeries:
        """The sky as it was planned, for a site that plays."""
        week = self.week
        return scaled(recorded_sky(self.site or site, self.plans, week.from_s, week.to_s), self.scale)


PlayFn = Callable[..., Played]


def rehearse(
    recorded: Recorded, now: Side, then: Side, told: Told = lambda _side, _frac: None, play: PlayFn | None = None
) -> dict[str, Any]:
    """Play a recorded stretch under both policies and compare. Deterministic. Raises NotFound where it holds no job."""
    week = recorded.week
    machines = Machines.of(week.nodes)
    rows = rows_of(week, machines)
    if not rows.counts.any():
        raise NotFound(
            f"No job was submitted from {iso_from_s(week.from_s)} to {iso_from_s(week.to_s)}.",
            fix=fix_of(week), code="empty_span",
        )  # fmt: skip
    tick_s = min(now.policy.tick_s, max(TICK_S_MIN, recorded.turn_s))
    tick_s = tick_s if rows.work.n_jobs <= MANY_JOBS else now.policy.tick_s
    plays, works = [], []
    for name, side in (("now", now), ("then", then)):
        sky = recorded.sky_of(side.site)
        work = work_under(rows, week, side, is_now=side is now or side.flex_default_s == now.flex_default_s)
        works.append(work)
        plays.append(play_side(rows, work, week, machines, sky, side, tick_s, told, name, play or the_play()))
    return {
        "site": now.site.name,
        "from_at": iso_from_s(week.from_s),
        "to_at": iso_from_s(week.to_s),
        **_counts(week, rows, machines),
        "tick_s": tick_s,
        "n_hours": round((week.to_s - week.from_s) / HOUR_S),
        "n_hours_without_plan": len(hours_without_plan(recorded.plans, week.from_s, week.to_s)),
        "match": match_of(rows, plays[0], week),
        "total": _compared(rows, works, plays, rows.counts),
        "projects": _by_project(rows, works, plays),
        "most_changed": _most_changed(rows, works, plays, week),
    }


def the_play() -> PlayFn:
    """The loop of the twin."""
    from eureka_park.twin.core.play import play  # compiled code is loaded only when it is to be played

    return play


def fix_of(week: RecordedWeek) -> str:
    """What to ask for instead of a stretch without jobs."""
    if week.last_s <= 0.0:
        return "Let some jobs run first: the journal holds none."
    return f"Name a stretch with jobs; the last was submitted at {iso_from_s(week.last_s)}."


def _counts(week: RecordedWeek, rows: Rows, machines: Machines) -> dict[str, Any]:
    return {
        "n_jobs": int(rows.counts.sum()),
        "n_jobs_before": int((~rows.counts).sum()),
        "n_cancelled_waiting": week.n_cancelled,
        "n_too_large": rows.n_too_large,
        "n_at_declared_time": sum(not job.is_over for job in rows.jobs),
        "n_nodes": len(machines.nodes),
        "n_policy_changes": week.n_changes,
        "n_closures_not_played": week.n_closed,
    }


def work_under(rows: Rows, week: RecordedWeek, side: Side, *, is_now: bool) -> Workload:
    """The recorded work under a side's shares, and where it is not the present one's under its deadlines."""
    work = leaves_under(rows.work, side.shares)
    if is_now:
        return work
    hour0_s, deadline_s = week.from_s // HOUR_S * HOUR_S, work.deadline_s.copy()
    for row, job in enumerate(rows.jobs):
        if job.spec.tier is Tier.FLEX and job.spec.deadline_s is None:
            span_s = np.inf if side.flex_default_s is None else side.flex_default_s
            deadline_s[row] = max(job.submitted_s + span_s, week.from_s + 1.0) - hour0_s
    return replace(work, deadline_s=np.maximum(deadline_s, work.submit_s + 1.0))


def play_side(
    rows: Rows, work: Workload, week: RecordedWeek, machines: Machines, sky: SkySeries, side: Side, tick_s: float,
    told: Told, name: str, play: PlayFn, policy: str = "park", tail_h: float = AFTER_H,
) -> Played:  # fmt: skip
    """Play recorded work under a side, by the rules of a policy, until so many hours after that of its last job. `name`
    is what `told` hears. Raises BadInput.
    """
    try:
        opening = opening_on(
            machines.classes, machines.gpu_types, work, side.shares, half_life_s=side.policy.half_life_s
        )
    except ValueError as error:
        raise BadInput(f"This park cannot be played: {error}.", fix="Name a smaller site.", field="site") from None
    nodes = opening.board.nodes
    nodes["rack"], nodes["pod"] = ([getattr(node, key) for node in machines.nodes] for key in ("rack", "pod"))
    opening.board.g.n_racks[0], opening.board.g.n_pods[0] = 1 + int(nodes.rack.max()), 1 + int(nodes.pod.max())
    return play(
        opening, work, sky, failures_in(week, machines), side.policy, tick_s, policy, learns=False,
        learned=rows.learned, by_leaf=True, tail_h=tail_h, told=lambda frac: told(name, frac),
    )  # fmt: skip


# The sky as it was planned ----------------------------------------------------------------------


def recorded_sky(site: Site, plans: Sequence[PowerPlan], from_s: float, to_s: float) -> SkySeries:
    """The plans of a stretch as they were issued, and as truth of each hour what the newest plan before its end said.

    Hours that no plan held are the grid's alone, as in the live park; what lies beyond all plans repeats the last day.
    """
    hour0_s = from_s // HOUR_S * HOUR_S
    n_hours = int(np.ceil((to_s - hour0_s) / HOUR_S)) + TAIL_H
    known = [plan for plan in plans if plan.n_intervals == PLAN_HOURS and plan.step_s == HOUR_S]
    known = _thinned(sorted(known, key=lambda plan: (plan.issued_at_s, plan.plan_id)))
    known = [plan for plan in known if plan.end_s > hour0_s and plan.start_s < hour0_s + n_hours * HOUR_S]
    clean_mw = np.full(n_hours, np.nan)
    for plan in known:
        first = max(0, int((max(plan.start_s, plan.issued_at_s // HOUR_S * HOUR_S) - hour0_s) // HOUR_S))
        for hour in range(first, min(n_hours, int((plan.end_s - hour0_s) // HOUR_S))):
            clean_mw[hour] = plan.clean_available_mw_p50[plan.index_at(hour0_s + hour * HOUR_S)]
    gaps = hours_without_plan(known, from_s, to_s)
    for hour in range(n_hours):
        if np.isnan(clean_mw[hour]):
            is_tail = hour0_s + hour * HOUR_S >= to_s and hour >= 24
            clean_mw[hour] = clean_mw[hour - 24] if is_tail else 0.0
    request = SkyRequest(hour0_s, n_hours / 24.0)
    told = [plan for plan in known if plan.issued_at_s < to_s or plan is known[0]]
    sky = sky_of_plans(site, request, clean_mw / site.factor, told) if told else None
    return _filled(site, sky, clean_mw, hour0_s, gaps, request.n_steps)


def scaled(sky: SkySeries, factor: float) -> SkySeries:
    """A sky with so many times the power."""
    names = ("true_clean_kw", "plan_clean_kw", "plan_p10_kw", "plan_grid_kw", "step_up_to_kw")
    return replace(sky, **{name: getattr(sky, name) * factor for name in names})


def _thinned(plans: Sequence[PowerPlan]) -> list[PowerPlan]:
    kept: list[PowerPlan] = []
    for plan in plans:
        if not kept or plan.issued_at_s - kept[-1].issued_at_s >= PLAN_GAP_S:
            kept.append(plan)
    return kept


def hours_without_plan(plans: Sequence[PowerPlan], from_s: float, to_s: float) -> list[int]:
    """The hours of a stretch, from 0, in which no plan held that was issued by their end."""
    hour0_s = from_s // HOUR_S * HOUR_S
    hours = range(int(np.ceil((to_s - hour0_s) / HOUR_S)))
    is_held = np.zeros(len(hours), dtype=np.bool_)
    for plan in plans:
        first = int((max(plan.start_s, plan.issued_at_s // HOUR_S * HOUR_S) - hour0_s) // HOUR_S)
        is_held[max(0, first) : max(0, int((plan.end_s - hour0_s) // HOUR_S))] = True
    return [hour for hour in hours if not is_held[hour]]


def _filled(
    site: Site, sky: SkySeries | None, clean_mw: Floats, hour0_s: float, gaps: Sequence[int], n_steps: int
) -> SkySeries:
    """The sky with a plan for each hour that had none, and for each day after the last plan."""
    grid_kw = float(it_kw_of(site, np.array([site.grid.import_mw_max * site.factor]))[0])
    rows: list[tuple[float, int, dict[str, Any]]] = []
    gap = {
        "plan_clean_kw": np.zeros(PLAN_HOURS), "plan_p10_kw": np.zeros(PLAN_HOURS),
        "plan_grid_kw": np.full(PLAN_HOURS, grid_kw), "step_up_to_kw": np.full((PLAN_HOURS, n_steps), grid_kw),
        "step_price": np.full((PLAN_HOURS, n_steps), site.grid.price_peak_mad_per_mwh),
        "step_own": np.zeros((PLAN_HOURS, n_steps), dtype=np.bool_),
    }  # fmt: skip
    if sky is not None:
        rows = [
            (float(sky.plan_issued_s[at]), int(sky.plan_first_hour[at]), {name: getattr(sky, name)[at] for name in gap})
            for at in range(sky.n_plans)
        ]
        _, hour, last = rows[-1]
        day = np.r_[PLAN_HOURS - 24 : PLAN_HOURS, PLAN_HOURS - 24 : PLAN_HOURS]
        again = {name: array[day] for name, array in last.items()}
        while (hour := hour + 24) < len(clean_mw):
            rows.append((hour0_s + hour * HOUR_S, hour, again))
    rows += [(hour0_s + hour * HOUR_S, hour, gap) for hour in gaps]
    rows.sort(key=lambda row: row[:2])
    if not rows or rows[0][1] > 0:  # the first plan came within the first hour
        rows.insert(0, (hour0_s, 0, gap))
    columns: dict[str, Any] = {name: np.array([row[2][name] for row in rows]) for name in gap}
    return SkySeries(
        hour0_s=hour0_s, true_clean_kw=it_kw_of(site, clean_mw), plan_issued_s=np.array([row[0] for row in rows]),
        plan_first_hour=np.array([row[1] for row in rows], dtype=np.int64), tanks=None, **columns,
    )  # fmt: skip


# What differs -----------------------------------------------------------------------------------


def match_of(rows: Rows, played: Played, week: RecordedWeek) -> dict[str, Any] | None:
    """How far starts under the present policy lie from those that really were; None where none compares."""
    hour0_s = week.from_s // HOUR_S * HOUR_S
    real_s = np.array([np.nan if job.first_start_s is None else job.first_start_s for job in rows.jobs]) - hour0_s
    off_s = np.abs(played.first_start_s - real_s)[rows.counts & (real_s < week.to_s - hour0_s)]
    off_s = off_s[np.isfinite(off_s)]
    if not len(off_s):
        return None
    p50_s, p90_s = np.quantile(off_s, (0.5, 0.9))
    return {
        "n_jobs": len(off_s),
        "mean_abs_s": float(off_s.mean()),
        "p50_abs_s": float(p50_s),
        "p90_abs_s": float(p90_s),
    }


def _compared(
    rows: Rows, works: Sequence[Workload], plays: Sequence[Played], wanted: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    """Figures of some jobs under both policies: `now` and `then`."""
    waits = [waited_s(work, one.first_start_s, one.until_s) for work, one in zip(works, plays, strict=True)]
    change_s = (waits[1] - waits[0])[wanted]
    found: dict[str, Any] = {
        "n_jobs": int(wanted.sum()),
        "n_longer": int((change_s > LONGER_S).sum()),
        "n_shorter": int((change_s < -LONGER_S).sum()),
    }
    for at, name in enumerate(("now", "then")):
        one, told = plays[at], told_waits(waits[at][wanted])
        ends_s, deadline_s = np.nan_to_num(one.end_s, nan=np.inf), works[at].deadline_s
        late = wanted & np.isfinite(deadline_s) & (deadline_s <= one.until_s) & (ends_s > deadline_s)
        leaves = np.unique(rows.work.leaf[wanted])
        kwh, clean_kwh = float(one.leaf_kwh[leaves].sum()), float(one.leaf_clean_kwh[leaves].sum())
        found[name] = {
            "wait_mean_s": told["mean"],
            "wait_p95_s": told["p95"],
            "n_pauses": int(one.n_pauses[wanted].sum()),
            "n_deadlines_missed": int(late.sum()),
            "n_never_started": int((wanted & np.isnan(one.first_start_s)).sum()),
            "kwh": kwh,
            "clean_frac": clean_kwh / kwh if kwh > 0.0 else None,
        }
    return found


def _by_project(rows: Rows, works: Sequence[Workload], plays: Sequence[Played]) -> list[dict[str, Any]]:
    """By project, those first whose mean wait changes most."""
    of = np.array([job.spec.project for job in rows.jobs])
    names = sorted({str(name) for name in of[rows.counts]})
    found = [{"project": name, **_compared(rows, works, plays, rows.counts & (of == name))} for name in names]
    return sorted(found, key=lambda row: -abs(row["then"]["wait_mean_s"] - row["now"]["wait_mean_s"]))


def _most_changed(
    rows: Rows, works: Sequence[Workload], plays: Sequence[Played], week: RecordedWeek
) -> list[dict[str, Any]]:
    waits = [waited_s(work, one.first_start_s, one.until_s) for work, one in zip(works, plays, strict=True)]
    change_s = np.where(rows.counts, np.abs(waits[1] - waits[0]), 0.0)
    order = np.argsort(-change_s, kind="stable")[:N_MOST_CHANGED]
    return [_changed(rows.jobs[row], week, row, waits, plays) for row in order if change_s[row] > 0.0]


def _changed(
    job: RecordedJob, week: RecordedWeek, row: int, waits: Sequence[Floats], plays: Sequence[Played]
) -> dict[str, Any]:
    starts = [float(one.first_start_s[row]) + week.from_s // HOUR_S * HOUR_S for one in plays]
    return {
        "job_id": job.job_id,
        "project": job.spec.project,
        "name": job.spec.name,
        "tier": str(job.spec.tier),
        "submitted_at": iso_from_s(job.submitted_s),
        "wait_now_s": float(waits[0][row]),
        "wait_then_s": float(waits[1][row]),
        "start_now_at": iso_from_s(starts[0]) if np.isfinite(starts[0]) else None,
        "start_then_at": iso_from_s(starts[1]) if np.isfinite(starts[1]) else None,
    }
