"""A Slurm cluster's last days, played again under the park's policy: what it would have changed.

Three columns: as it was recorded; first come, first served with backfill in the twin; the park's policy in the twin.
The middle one tells how far the twin is from the cluster: it knows no reservations, limits, outages nor partitions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from eureka_park.control.policy import Policy, Sky
from eureka_park.foundation.errors import BadInput, NotFound
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.units import HOUR_S, iso_from_s
from eureka_park.twin.core.failures import no_failures
from eureka_park.twin.core.metrics import told_waits
from eureka_park.twin.core.opening import opening_on
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.sky_series import TAIL_H, SkyRequest, SkySeries, known_sky, sky_of
from eureka_park.twin.core.slurm_power import ByHour, PowerModel
from eureka_park.twin.core.slurm_workload import Gathered, Rows, Shapes, shapes_of, workload_and_rows
from eureka_park.twin.core.workload import TIER_NAMES, Workload
from eureka_park.twin.observe import Observer, ObserveRequest, Told, observe_range
from eureka_park.twin.slurm_files import Counts, SlurmSource, read_jobs

Floats = npt.NDArray[np.float64]
STEP_S: Final = 60.0  # of the samples in which idle GPUs are counted
TICK_S: Final = 10.0
MANY_JOBS: Final = 100_000  # above it the policy's own step is taken
GRID_SPARE: Final = 4.0  # times all machines at full power: without a site file no power limit is assumed
GRID_PRICE: Final = 500.0
SIDES: Final = ("recorded", "fcfs-easy", "park")
Side = Literal["fcfs-easy", "park"]
PlayFn = Callable[..., Played]


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
    policy = _policy(request, shapes)
    tick_s = TICK_S if work.n_jobs <= MANY_JOBS else policy.tick_s
    measure = _Measure(request, rows, shapes, gathered, sky)
    found = {"recorded": measure.side(rows.start_s, rows.end_s, None)}
    for name in SIDES[1:]:
        one = _played(work, shapes, sky, policy, tick_s, name, request, play)
        found[name] = measure.side(one.first_start_s + gathered.from_s, one.end_s + gathered.from_s, one)
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
        "change": _change(found["recorded"], found["park"]),
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


def _policy(request: ReplayRequest, shapes: Shapes) -> Policy:
    """The policy, its reserve of power in proportion; without a site nothing is bound by the sky."""
    if request.site is None:
        return replace(request.policy, sky=Sky.OBSERVED, service_reserve_kw=0.0)
    reserve_kw = request.policy.service_reserve_kw * _scale(request.site, shapes) / request.site.factor
    return replace(request.policy, service_reserve_kw=reserve_kw)


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
    work: Workload, shapes: Shapes, sky: SkySeries, policy: Policy, tick_s: float, name: str, request: ReplayRequest,
    play: PlayFn | None,
) -> Played:  # fmt: skip
    if play is None:
        from eureka_park.twin.core.play import play as compiled  # loaded only when it is to be played

        play = compiled
    declared = _shares(request, work)
    try:
        opening = opening_on(shapes.classes, shapes.kinds, work, declared, half_life_s=policy.half_life_s)
    except ValueError as error:
        raise BadInput(f"This cluster cannot be played: {error}.", fix="Give fewer machines.", field="nodes") from None
    learned = np.full(int(work.image.max()) + 1, request.power.power_frac)
    return play(
        opening, work, sky, no_failures(), policy, tick_s, name, learns=False, learned=learned,
        told=lambda frac: request.told_play(name, frac),
    )  # fmt: skip


def _shares(request: ReplayRequest, work: Workload) -> tuple[tuple[str, float, float], ...]:
    """Accounts and users alike; where a site file names them, by its weights."""
    named = {share.path: (share.path, share.weight, share.floor_frac) for share in request.site.shares} if (
        request.site
    ) else {}  # fmt: skip
    own = {path.split("/")[0] for path in work.leaves} | set(work.leaves)
    return tuple(named.get(path, (path, 1.0, 0.0)) for path in sorted(own))


class _Measure:
    """Figures of one way in which the jobs ran, the same for all ways."""

    def __init__(self, request: ReplayRequest, rows: Rows, shapes: Shapes, gathered: Gathered, sky: SkySeries) -> None:
        self.rows, self.shapes, self.power = rows, shapes, request.power
        self.from_s, self.to_s = gathered.from_s, gathered.to_s
        self.n_hours = len(sky.true_clean_kw)
        self.clean_kw = sky.true_clean_kw * request.power.pue
        self.carbon = request.power.intensities(self.from_s, self.n_hours)
        plants = [plant.life_cycle_gco2_per_kwh for plant in request.site.plants] if request.site else []
        self.clean_carbon = float(np.mean(plants)) if plants else 0.0

    def side(self, start_s: Floats, end_s: Floats, played: Played | None) -> dict[str, Any]:
        """Waits, energy, carbon and idle GPUs; jobs that did not start have waited until the end."""
        rows, counts = self.rows, self.rows.counts
        until_s = self.from_s + played.until_s if played else self.to_s
        started = np.isfinite(start_s)
        starts_s = np.where(started, start_s, until_s)
        ends_s = np.where(np.isfinite(end_s), end_s, until_s)
        wait_s = np.maximum(0.0, starts_s - rows.eligible_s)[counts]
        done_s = np.minimum(played.done_s, rows.run_s) if played else rows.run_s
        first_s = np.maximum(starts_s, self.from_s)
        span_s = np.maximum(1.0, ends_s - first_s)
        by_hour = ByHour(self.from_s, self.n_hours, 1)
        by_hour.add(np.zeros(len(starts_s), dtype=np.int64), first_s, ends_s, rows.kw * done_s / span_s)
        kw = by_hour.hours()[0]
        clean = np.minimum(kw, self.clean_kw)
        waits = told_waits(wait_s)
        by_gpu_h = told_waits(wait_s, (rows.n_gpus * rows.run_s)[counts]) if rows.n_gpus[counts].any() else waits
        return {
            "wait_s": waits,
            "wait_s_by_gpu_h": by_gpu_h,
            "kwh": float(kw.sum()),
            "clean_kwh": float(clean.sum()),
            "gco2_kg": float(((kw - clean) * self.carbon + clean * self.clean_carbon).sum()) / 1000.0,
            "idle_while_waiting_gpu_h": self._wasted(starts_s, ends_s, rows.eligible_s),
            "n_never_started": int((~started & counts).sum()),
            "n_pauses": int(played.n_pauses.sum()) if played else 0,
            "digest": played.digest if played else "",
        }

    def _wasted(self, start_s: Floats, end_s: Floats, eligible_s: Floats) -> float:
        """GPU hours free while as many were waited for, in these days; kind by kind."""
        n = int(np.ceil((self.to_s - self.from_s) / STEP_S))
        wasted = 0.0
        for kind, n_gpus in enumerate(self.shapes.n_gpus):
            mine = (self.rows.kind == kind) & (self.rows.n_gpus > 0)
            gpus = self.rows.n_gpus[mine].astype(np.int64)
            held, asked = np.zeros(n + 1, dtype=np.int64), np.zeros(n + 1, dtype=np.int64)
            for cells, begin_s, until_s in (
                (held, start_s[mine], end_s[mine]), (asked, eligible_s[mine], start_s[mine])
            ):  # fmt: skip
                first, last = (
                    np.clip(np.ceil((at - self.from_s) / STEP_S), 0, n).astype(np.int64) for at in (begin_s, until_s)
                )
                np.add.at(cells, first, gpus)
                np.subtract.at(cells, last, gpus)
            free = np.maximum(0, int(n_gpus) - np.cumsum(held)[:n])
            wasted += float(np.minimum(free, np.cumsum(asked)[:n]).sum()) * STEP_S / HOUR_S
        return wasted


def _change(was: dict[str, Any], park: dict[str, Any]) -> dict[str, float]:
    """What the park's policy would have changed: park less record."""
    found = {name: park[name] - was[name] for name in ("kwh", "gco2_kg", "idle_while_waiting_gpu_h")}
    return {
        **{f"wait_{name}_s": park["wait_s"][name] - was["wait_s"][name] for name in ("p50", "p95", "mean")},
        **found,
    }
