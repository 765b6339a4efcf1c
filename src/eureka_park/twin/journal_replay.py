"""A park's own last days, played again under other policies: what they would have done with the same jobs.

The first column is as the journal tells it. The park's present policy in the twin tells how far the twin is from the
park. All columns have the same jobs, machines and power plans, and figures that are counted the same way.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from eureka_park.compute.core.machines import Machines
from eureka_park.energy.core.forecast import forecast_of
from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.energy.core.supply import supply_of
from eureka_park.foundation.errors import NotFound
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.units import DAY_S, HOUR_S, iso_from_s
from eureka_park.twin.core.energy_figures import kw_of_jobs
from eureka_park.twin.core.sky_series import PLAN_EVERY_H
from eureka_park.twin.core.slurm_power import PowerModel
from eureka_park.twin.core.slurm_workload import Rows
from eureka_park.twin.core.workload import RUN_S_MIN, Workload
from eureka_park.twin.journal_week import RecordedJob, RecordedWeek, rows_of
from eureka_park.twin.journal_week import Rows as JournalRows
from eureka_park.twin.rehearsal import (
    MANY_JOBS,
    TICK_S_MIN,
    PlayFn,
    Recorded,
    Side,
    fix_of,
    hours_without_plan,
    match_of,
    play_side,
    the_play,
    work_under,
)
from eureka_park.twin.replay_figures import RECORDED, Basis, Column, change_of, clean_carbon, figures_of

Flags = npt.NDArray[np.bool_]
PRESENT: Final = "park"


@dataclass(frozen=True, slots=True)
class JournalPolicy:
    """A column: what it is called, which policy plays, and under which site and numbers."""

    name: str
    plays: str
    side: Side


@dataclass(frozen=True, slots=True, eq=False)
class JournalRequest:
    """What to replay. `now`: the site and policy that hold; `power`: carbon, and site power over that of machines.
    `n_hours_planned_again`: as `planned_again` told.
    """

    recorded: Recorded
    now: Side
    policies: tuple[JournalPolicy, ...]
    power: PowerModel
    n_hours_planned_again: int = 0
    told: Callable[[str, float], None] = lambda _name, _frac: None


def replay_journal(request: JournalRequest, play: PlayFn | None = None) -> dict[str, Any]:
    """Play the record again and compare. Deterministic. Raises NotFound where it holds no job, and BadInput."""
    week, now = request.recorded.week, request.now
    machines = Machines.of(week.nodes)
    found = rows_of(week, machines)
    if not found.counts.any():
        told = f"No job was submitted from {iso_from_s(week.from_s)} to {iso_from_s(week.to_s)}."
        raise NotFound(told, fix=fix_of(week), code="empty_span")
    found = _so_far(found, week)
    is_open = np.array([job.first_start_s is None for job in found.jobs])
    rows, basis = _rows(found, is_open, week, machines, request.power.pue), _basis(request, machines)
    sides = {RECORDED: figures_of(_as_it_was(found, week), rows, basis, is_open)}
    tick_s, match = _tick_s(request, found.work), None
    for one in request.policies:
        sky = request.recorded.sky_of(one.side.site)
        is_now = one.side.flex_default_s == now.flex_default_s
        work = work_under(found, week, one.side, is_now=is_now)
        asked = (found, work, week, machines, sky, one.side, tick_s, request.told, one.name, play or the_play(),
                 one.plays)  # fmt: skip
        played = play_side(*asked)
        column = Column.of_play(played, basis.from_s)
        if column.n_pauses:  # those that the record could have seen
            until = play_side(*asked, tail_h=_hours_left(work, week))
            column = replace(column, n_pauses=int(until.n_pauses.sum()))
        sides[one.name] = figures_of(column, rows, basis, is_open)
        if one.name == PRESENT and request.recorded.site is None:  # on other machines there is nothing to meet
            match = match_of(found, played, week)
    return {
        "source": "journal",
        "from_at": iso_from_s(week.from_s),
        "to_at": iso_from_s(week.to_s),
        "days": (week.to_s - week.from_s) / DAY_S,
        "site": now.site.name,
        "tier": None,
        "tick_s": tick_s,
        "n_jobs": int(found.counts.sum()),
        "n_jobs_before": int((~found.counts).sum()),
        "left_out": {name: n for name, n in _left(week, found, is_open).items() if n},
        "n_nodes": len(machines.nodes),
        "n_policy_changes": week.n_changes,
        "n_closures_not_played": week.n_closed,
        "n_hours_planned_again": request.n_hours_planned_again,
        "n_hours_without_plan": len(hours_without_plan(request.recorded.plans, week.from_s, week.to_s)),
        "match": match,
        "sides": sides,
        "change": change_of(sides[RECORDED], sides.get(PRESENT) or sides[request.policies[-1].name]),
        "assumed": {"pue": request.power.pue, "gco2_per_kwh": request.power.gco2_per_kwh,
                    "gco2_source": request.power.gco2_source},
    }  # fmt: skip


def planned_again(recorded: Recorded, site: Site, seed: int) -> tuple[Recorded, int]:
    """What was recorded, with plans for the hours of which none is kept any more, and how many hours these are: made
    again from the home's own seed of weather, for a full site. `site`: the home's.
    """
    week = recorded.week
    missing = hours_without_plan(recorded.plans, week.from_s, week.to_s)
    if not missing:
        return recorded, 0
    supply = supply_of(site, seed)
    forecast = forecast_of(supply, seed)
    hour0_s = week.from_s // HOUR_S * HOUR_S
    made, held_until = [], -1
    for hour in missing:
        if hour >= held_until:
            asked = PlanRequest(hour0_s + hour * HOUR_S, site.site_mw_max, seed=seed)
            made.append(make_plan(site, asked, supply, forecast, prices_stores=False))
            held_until = hour + PLAN_EVERY_H
    plans = sorted((*made, *recorded.plans), key=lambda plan: (plan.issued_at_s, plan.plan_id))
    return replace(recorded, plans=plans), len(missing)


def _left(week: RecordedWeek, found: JournalRows, is_open: Flags) -> dict[str, int]:
    """Jobs that count otherwise or not, and why."""
    return {
        "cancelled_waiting": week.n_cancelled,
        "too_large": found.n_too_large,
        "still_running": sum(not job.is_over for job in found.jobs) - int(is_open.sum()),
        "still_waiting": int(is_open.sum()),
    }


def _tick_s(request: JournalRequest, work: Workload) -> float:
    """Park time between two turns of the twin: as live where there are few jobs, else the policy's own step."""
    own_s = request.now.policy.tick_s
    return min(own_s, max(TICK_S_MIN, request.recorded.turn_s)) if work.n_jobs <= MANY_JOBS else own_s


def _hours_left(work: Workload, week: RecordedWeek) -> float:
    """From the end of the hour in which the last job comes to the end of the stretch."""
    last_h = math.ceil(float(work.submit_s.max()) / HOUR_S)
    return (week.to_s - week.from_s // HOUR_S * HOUR_S) / HOUR_S - last_h


def _so_far(found: JournalRows, week: RecordedWeek) -> JournalRows:
    """Jobs that run still take the time that they have run so far: more is not known of anybody."""
    run_s = found.work.run_s.copy()
    for row, job in enumerate(found.jobs):
        if not job.is_over and job.first_start_s is not None:
            run_s[row] = max(RUN_S_MIN, _done_s(job, week))
    return replace(found, work=replace(found.work, run_s=run_s))


def _done_s(job: RecordedJob, week: RecordedWeek) -> float:
    """Work of a job within the stretch, and after it as far as the journal goes; s at full speed."""
    return max(0.0, (job.done_s if job.is_over else job.done_at(week.to_s)) - job.done_before_s)


def _as_it_was(found: JournalRows, week: RecordedWeek) -> Column:
    """The column of the record."""
    jobs = found.jobs
    return Column(
        start_s=np.array([np.nan if job.first_start_s is None else job.first_start_s for job in jobs]),
        end_s=np.array([np.nan if job.ended_s is None else job.ended_s for job in jobs]),
        until_s=week.to_s,
        done_s=np.array([_done_s(job, week) for job in jobs]),
        n_pauses=sum(job.n_pauses for job in jobs),
    )


def _rows(found: JournalRows, is_open: Flags, week: RecordedWeek, machines: Machines, pue: float) -> Rows:
    """The jobs as figures need them: GPUs of each in all, or CPUs in a park without GPUs, and its power at the
    site meter."""
    work = replace(found.work, power_frac=found.learned[found.work.image])
    has_gpus = any(row.n_gpus for row in machines.classes)
    none = np.full(work.n_jobs, np.nan)
    return Rows(
        eligible_s=np.array([max(job.submitted_s, week.from_s) for job in found.jobs]),
        start_s=none,
        end_s=none,
        run_s=work.run_s,
        n_gpus=(work.n_gpus if has_gpus else np.maximum(1, work.mcpu // 1000) * work.n_nodes).astype(np.float64),
        # the record holds no work of those that waited still: their energy counts in no column
        kw=np.where(is_open, 0.0, kw_of_jobs(work, machines.classes, machines.gpu_types) * pue),
        kind=np.array([_kind(job, machines) if has_gpus else 0 for job in found.jobs], dtype=np.int64),
        counts=found.counts,
    )


def _kind(job: RecordedJob, machines: Machines) -> int:
    """The kind of GPU that a job takes: its own, else that of the first machines that hold it."""
    mask = machines.classes_for(job.spec)
    return machines.classes[(mask & -mask).bit_length() - 1].gpu_type


def _basis(request: JournalRequest, machines: Machines) -> Basis:
    week, site, pue = request.recorded.week, request.now.site, request.power.pue
    sky = request.recorded.sky_of(site)
    kinds = np.zeros(max(1, len(machines.gpu_types)))
    for row in machines.classes:
        if row.n_gpus:
            kinds[row.gpu_type] += row.n_gpus * row.n_nodes
    has_gpus = bool(kinds.any())
    n_cpus = sum(row.mcpu * row.n_nodes for row in machines.classes) // 1000
    return Basis(
        from_s=week.from_s // HOUR_S * HOUR_S,
        to_s=week.to_s,
        n_units=kinds if has_gpus else np.array([float(n_cpus)]),
        clean_kw=sky.true_clean_kw * pue,
        gco2_per_kwh=request.power.intensities(week.from_s // HOUR_S * HOUR_S, sky.n_hours),
        clean_gco2_per_kwh=clean_carbon(site),
        unit="gpu" if has_gpus else "cpu",
    )
