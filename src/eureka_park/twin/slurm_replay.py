"""A Slurm cluster's last days, played again under the park's policy and others: what they would have changed.

The first column is as it was recorded. First come, first served with backfill in the twin tells how far the twin is
from the cluster: it knows no reservations, limits, outages nor partitions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from eureka_park.control.policy import Policy, Sky
from eureka_park.foundation.errors import BadInput, NotFound
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.units import HOUR_S, iso_from_s
from eureka_park.twin.core.failures import no_failures
from eureka_park.twin.core.opening import opening_on
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.sky_series import TAIL_H, SkyRequest, SkySeries, known_sky, sky_of
from eureka_park.twin.core.slurm_power import PowerModel
from eureka_park.twin.core.slurm_workload import Gathered, Shapes, shapes_of, workload_and_rows
from eureka_park.twin.core.workload import TIER_NAMES, Workload
from eureka_park.twin.observe import Observer, ObserveRequest, Told, observe_range
from eureka_park.twin.replay_figures import RECORDED, Basis, Column, change_of, clean_carbon, figures_of
from eureka_park.twin.slurm_files import Counts, SlurmSource, read_jobs

TICK_S: Final = 10.0
MANY_JOBS: Final = 100_000  # above it the policy's own step is taken
GRID_SPARE: Final = 4.0  # times all machines at full power: without a site file no power limit is assumed
GRID_PRICE: Final = 500.0
PlayFn = Callable[..., Played]


@dataclass(frozen=True, slots=True)
class ReplayPolicy:
    """A column: what it is called, which policy plays, and under which numbers and shares where not the request's."""

    name: str
    plays: str = ""
    policy: Policy | None = None
    site: Site | None = None


POLICIES: Final = (ReplayPolicy("fcfs-easy"), ReplayPolicy("park"))


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What to replay. `site`: whose sun, wind, salt and grid carry the cluster; None: a grid without limit, and a
    policy that the sky does not bind. `tier`: of all jobs, as Slurm knows none.
    """

    source: SlurmSource
    power: PowerModel
    now_s: float
    policy: Policy
    site: Site | None = None
    tier: str = "flex"
    slack_h: float = 24.0
    seed: int = 1
    policies: tuple[ReplayPolicy, ...] = POLICIES
    told: Told = lambda _n: None
    told_play: Callable[[str, float], None] = lambda _side, _frac: None


def replay(request: ReplayRequest, play: PlayFn | None = None) -> dict[str, Any]:
    """Play the record again and compare. Deterministic. Raises BadInput, NotFound and Unavailable."""
    if request.tier not in TIER_NAMES:
        raise BadInput(f"There is no tier '{request.tier}'.", fix=f"Name one of {', '.join(TIER_NAMES)}.")
    observer, gathered = _gather(request)
    shapes = shapes_of(observer.nodes, request.power)
    work, rows, left = workload_and_rows(gathered, shapes, TIER_NAMES.index(request.tier), request.slack_h * HOUR_S)
    if not rows.counts.any():
        raise NotFound("No job began to wait in these days.", fix="Look at more days: --days 90.", code="empty_span")
    sky = _sky(request, shapes, gathered.from_s)
    tick_s = TICK_S if work.n_jobs <= MANY_JOBS else request.policy.tick_s
    basis = _basis(request, shapes, gathered, sky)
    was = Column(rows.start_s, rows.end_s, gathered.to_s, rows.run_s)
    found = {RECORDED: figures_of(was, rows, basis)}
    for one in request.policies:
        played = _played(work, shapes, sky, tick_s, one, request, play)
        found[one.name] = figures_of(Column.of_play(played, gathered.from_s), rows, basis)
    return {
        "source": request.source.name,
        "from_at": iso_from_s(gathered.from_s),
        "to_at": iso_from_s(gathered.to_s),
        "days": request.source.days,
        "site": request.site.name if request.site else None,
        "tier": request.tier,
        "tick_s": tick_s,
        "n_jobs": int(rows.counts.sum()),
        "n_jobs_before": int((~rows.counts).sum()),
        "left_out": left,
        "n_machines_left_out": shapes.n_left_out,
        "machines_from": "jobs" if "SEEN" in observer.nodes[0].flags else "scontrol",
        "sides": found,
        "change": change_of(found[RECORDED], found.get("park") or found[request.policies[-1].name]),
        "assumed": {"power_frac": request.power.power_frac, "pue": request.power.pue,
                    "gco2_per_kwh": request.power.gco2_per_kwh, "gco2_source": request.power.gco2_source,
                    "slack_h": request.slack_h},
    }  # fmt: skip


def _gather(request: ReplayRequest) -> tuple[Observer, Gathered]:
    """Read the record: the machines (where nobody names them, from the jobs), and the jobs."""
    from_s, to_s = observe_range(request.source, request.now_s)
    gathered = Gathered(request.power, from_s // HOUR_S * HOUR_S, to_s)
    looked = ObserveRequest(request.source, request.power, request.now_s, request.told, keep=gathered.add)
    observer, counts = Observer(looked, request.source.machines(), to_s), Counts()
    for job in read_jobs(request.source, counts, request.told):
        observer.take(job)
    observer.close()
    if not observer.nodes:
        raise NotFound("No machine is known.", fix="Give the machines: --nodes FILE, of scontrol show node.")
    return observer, gathered


def _scale(site: Site, shapes: Shapes) -> float:
    """The cluster's rated power over that of the site's machines."""
    return float(sum(row.n_nodes * row.rated_kw for row in shapes.classes)) / site.it_kw_rated


def _policy(request: ReplayRequest, one: ReplayPolicy, shapes: Shapes) -> Policy:
    """The numbers of a column, their reserve of power in proportion; without a site nothing is bound by the sky."""
    policy = one.policy or request.policy
    if request.site is None:
        return replace(policy, sky=Sky.OBSERVED, service_reserve_kw=0.0)
    reserve_kw = policy.service_reserve_kw * _scale(request.site, shapes) / request.site.factor
    return replace(policy, service_reserve_kw=reserve_kw)


def _basis(request: ReplayRequest, shapes: Shapes, gathered: Gathered, sky: SkySeries) -> Basis:
    return Basis(
        gathered.from_s, gathered.to_s, shapes.n_gpus, sky.true_clean_kw * request.power.pue,
        request.power.intensities(gathered.from_s, len(sky.true_clean_kw)), clean_carbon(request.site),
    )  # fmt: skip


def _sky(request: ReplayRequest, shapes: Shapes, from_s: float) -> SkySeries:
    if request.site is None:
        rated_kw = sum(row.n_nodes * row.rated_kw for row in shapes.classes)
        n_hours = int(np.ceil(request.source.days * 24)) + 1 + TAIL_H
        return known_sky(np.zeros(n_hours), GRID_SPARE * rated_kw, from_s, GRID_PRICE)
    sky = sky_of(request.site, SkyRequest(from_s, request.source.days, request.seed))
    scale = _scale(request.site, shapes)
    names = ("true_clean_kw", "plan_clean_kw", "plan_p10_kw", "plan_grid_kw", "step_up_to_kw")
    return replace(sky, **{name: getattr(sky, name) * scale for name in names})


def _played(
    work: Workload, shapes: Shapes, sky: SkySeries, tick_s: float, one: ReplayPolicy, request: ReplayRequest,
    play: PlayFn | None,
) -> Played:  # fmt: skip
    if play is None:
        from eureka_park.twin.core.play import play as compiled  # loaded only when it is to be played

        play = compiled
    policy = _policy(request, one, shapes)
    declared = _shares(one.site or request.site, work)
    try:
        opening = opening_on(shapes.classes, shapes.kinds, work, declared, half_life_s=policy.half_life_s)
    except ValueError as error:
        raise BadInput(f"This cluster cannot be played: {error}.", fix="Give fewer machines.", field="nodes") from None
    learned = np.full(int(work.image.max()) + 1, request.power.power_frac)
    return play(
        opening, work, sky, no_failures(), policy, tick_s, one.plays or one.name, learns=False, learned=learned,
        told=lambda frac: request.told_play(one.name, frac),
    )  # fmt: skip


def _shares(site: Site | None, work: Workload) -> tuple[tuple[str, float, float], ...]:
    """Accounts and users alike; where a site file names them, by its weights."""
    named = {share.path: (share.path, share.weight, share.floor_frac) for share in site.shares} if site else {}
    own = {path.split("/")[0] for path in work.leaves} | set(work.leaves)
    return tuple(named.get(path, (path, 1.0, 0.0)) for path in sorted(own))
