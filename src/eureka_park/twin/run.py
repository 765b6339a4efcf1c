"""One run of the twin: its world made from a site and a seed, played under a policy, measured."""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from eureka_park.energy.core.cooling import site_mw_from_it_mw
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_file import GRID_SOURCE_ID, Site
from eureka_park.foundation.units import DAY_S, GIB, MIB, kw_from_mw
from eureka_park.foundation.zones import ZoneInfo
from eureka_park.twin.core.arrivals import Arrivals, make_workload, tenant_paths
from eureka_park.twin.core.bound_work import FIGURES
from eureka_park.twin.core.energy_figures import Meter, kw_of_jobs
from eureka_park.twin.core.failures import Failures, failures_of
from eureka_park.twin.core.metrics import Park, report
from eureka_park.twin.core.opening import class_rows, opening_of, site_gpu_types
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.promises import SLICES
from eureka_park.twin.core.sky_series import SkyRequest, SkySeries, sky_of
from eureka_park.twin.core.traces import Filling, workload_from
from eureka_park.twin.core.workload import NodeShape, Workload
from eureka_park.twin.trace_files import read_trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eureka_park.control.policy import Policy

START_S: Final = 1_772_409_600.0  # 2026-03-02T00:00:00Z, a Monday near the equinox
DAYS: Final = 2.0
DAYS_MAX: Final = 366.0
LOAD_FRAC: Final = 0.7
BOUND_DAYS: Final = 92.0  # runs up to this length are bounded unattended: a second or two; a year takes 15 CPU s
GPU_H_PER_JOB: Final = 11.9  # Philly's; what `--jobs` follows from where nobody gives it
PolicyName = Literal["park", "fcfs-easy"]
Declared = tuple[str, float, float]


@dataclass(frozen=True, slots=True)
class TwinRequest:
    """What to run. None: as many jobs as fill `load_frac` of the site; two days, or the length of the trace.

    `bound`: whether the clairvoyant bound of clean power is solved; None: in runs of up to `BOUND_DAYS`.
    """

    n_jobs: int | None = None
    days: float | None = None
    seed: int = 1
    trace: Path | None = None
    policy: PolicyName = "park"
    load_frac: float = LOAD_FRAC
    start_s: float = START_S
    plan_every_h: int = 6
    bound: bool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """The truth of a run, and the shares under which it is played. Instants but the sky's count from the start."""

    site: Site
    work: Workload
    sky: SkySeries
    failures: Failures
    shares: tuple[Declared, ...]
    days: float


PlayFn = Callable[[World, "Policy", PolicyName], Played]


@dataclass(slots=True)
class Clock:
    """CPU and wall seconds of the run, by part; `told` hears the name of each part as it begins."""

    told: Callable[[str], None] = lambda _part: None
    cpu_s: dict[str, float] = field(default_factory=dict)
    wall_s: float = 0.0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time a part."""
        self.told(name)
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        try:
            yield
        finally:
            self.cpu_s[name] = time.process_time() - cpu_s
            self.wall_s += time.perf_counter() - wall_s


def run_twin(
    site: Site,
    request: TwinRequest,
    policy: Policy,
    told: Callable[[str], None] = lambda _part: None,
    play: PlayFn | None = None,
) -> dict[str, Any]:
    """Make the world, play it, measure it. Deterministic by seed but for times and memory. Raises BadInput."""
    clock = Clock(told)
    world = make_world(site, request, clock)
    with clock.part("play"):
        played = (play or _play)(world, policy, request.policy)
    with clock.part("metrics"):
        found = report(world.work, played, world.shares, park_of(site, world))
    found |= dict.fromkeys(FIGURES)
    if (world.days <= BOUND_DAYS if request.bound is None else request.bound) and "it_kwh" in played.totals:
        with clock.part("bound"):
            found |= _bound(world, played, policy, found["cfe_frac"])
    return {
        "site": site.name,
        "policy": request.policy,
        "seed": request.seed,
        "days": world.days,
        "trace": request.trace.name if request.trace else None,
        "n_nodes": sum(kind.n_nodes for kind in site.nodes),
        "n_failures": world.failures.n_failures,
        "filled": dict(world.work.filled),
        **found,
        "cpu_s": sum(clock.cpu_s.values()),
        "cpu_s_by_part": dict(clock.cpu_s),
        "wall_s": clock.wall_s,
        "peak_rss_mib": peak_rss_mib(),
    }


def make_world(site: Site, request: TwinRequest, clock: Clock | None = None) -> World:
    """Work, sky and failures of a run. Raises BadInput where the request or the trace is wrong."""
    clock, tree = clock or Clock(), SeedTree(request.seed).child("twin")
    _check(request)
    with clock.part("work"):
        work, days = _work(site, request, tree)
    with clock.part("sky"):
        sky = sky_of(site, SkyRequest(request.start_s, days, request.seed, request.plan_every_h))
        failures = failures_of(sum(kind.n_nodes for kind in site.nodes), days, tree)
    return World(site, work, sky, failures, shares_of(site, work.leaves), days)


def park_of(site: Site, world: World) -> Park:
    """What figures of a run need of the site."""
    classes = class_rows(site)
    return Park(
        n_gpus=float(sum(kind.n_nodes * kind.n_gpus for kind in site.nodes)),
        n_cpus=float(sum(kind.n_nodes * kind.n_cpus for kind in site.nodes)),
        sky=world.sky,
        meter=meter_of(site),
        job_kw=kw_of_jobs(world.work, classes, site_gpu_types(site)),
    )


def meter_of(site: Site) -> Meter:
    """The site's meter in mild weather; carbon of its plants is their mean by power: the sky tells no plants apart."""
    fixed_mw = site_mw_from_it_mw(0.0, site.pue)
    carbon = site.gco2_per_kwh_by_source
    gives = [plant for plant in site.plants if plant.charge_mw is None]  # batteries give what others gave them
    of_all_mw = sum(plant.gross_mw for plant in gives)
    own = sum(carbon[plant.id] * plant.gross_mw for plant in gives) / of_all_mw if gives else 0.0
    return Meter(site_mw_from_it_mw(1.0, site.pue) - fixed_mw, kw_from_mw(fixed_mw), carbon[GRID_SOURCE_ID], own)


def node_shapes(site: Site) -> tuple[NodeShape, ...]:
    """The machines of a site as the workload sees them."""
    return tuple(
        NodeShape(kind.n_nodes, kind.n_gpus, kind.n_cpus * 1000, int(kind.memory_gib * GIB) // MIB, kind.gpu_type)
        for kind in site.nodes
    )


def shares_of(site: Site, leaves: Sequence[str]) -> tuple[Declared, ...]:
    """The site's shares, and the run's other leaves at weight 1."""
    declared = {share.path: (share.path, share.weight, getattr(share, "floor_frac", 0.0)) for share in site.shares}
    return (*declared.values(), *((path, 1.0, 0.0) for path in leaves if path not in declared))


def peak_rss_mib() -> float:
    """Most memory that this process has held; MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def _check(request: TwinRequest) -> None:
    if request.days is not None and not 0.0 < request.days <= DAYS_MAX:
        raise BadInput(f"{request.days:g} days cannot be run.", fix=f"Give 0.1 to {DAYS_MAX:g} days.", field="days")
    if request.n_jobs is not None and request.n_jobs < 1:
        raise BadInput(f"{request.n_jobs} jobs cannot be run.", fix="Give at least 1.", field="jobs")


def _work(site: Site, request: TwinRequest, tree: SeedTree) -> tuple[Workload, float]:
    shapes = node_shapes(site)
    own = tuple(share.path for share in site.shares)
    leaves = tuple(path for path in own if not any(other.startswith(f"{path}/") for other in own))
    leaves = leaves if len(leaves) > 1 else tenant_paths()
    if request.trace is not None:
        work = workload_from(read_trace(request.trace), Filling(shapes, tree, leaves=leaves))
        whole_days = math.ceil((float(work.submit_s[-1]) + 1.0) / DAY_S)
        days = request.days if request.days is not None else float(min(DAYS_MAX, whole_days))
        wanted = work.submit_s < days * DAY_S
        if request.n_jobs is not None:
            wanted[request.n_jobs :] = False
        if not wanted.any():
            raise BadInput("No job of the trace falls into these days.", fix="Run for longer.", field="days")
        return work.rows(wanted), days
    days = request.days if request.days is not None else DAYS
    n_jobs = request.n_jobs if request.n_jobs is not None else natural_jobs(shapes, days, request.load_frac)
    what = Arrivals(n_jobs, days, leaves, shapes, request.load_frac, hour_of_week(site.timezone, request.start_s))
    return make_workload(what, tree), days


def natural_jobs(shapes: Sequence[NodeShape], days: float, load_frac: float) -> int:
    """As many jobs of the traces' mean size as offer `load_frac` of the site."""
    n_gpus = sum(shape.n_nodes * (shape.gpus or SLICES) for shape in shapes)
    return max(1, round(load_frac * n_gpus * days * 24.0 / GPU_H_PER_JOB))


def hour_of_week(timezone: str, instant_s: float) -> int:
    """The local hour of the week, 0 for Monday 00:00."""
    local = datetime.fromtimestamp(instant_s, UTC).astimezone(ZoneInfo(timezone))
    return local.weekday() * 24 + local.hour


def _bound(world: World, played: Played, policy: Policy, cfe_frac: float | None) -> dict[str, float | None]:
    """What a clairvoyant could have done with the same work; see `core.bound`."""
    from eureka_park.twin.core.bound import bound_figures
    from eureka_park.twin.core.bound_work import served_of

    classes, types = class_rows(world.site), site_gpu_types(world.site)
    served = served_of(world.work, played, classes, types, world.failures, tick_s=policy.tick_s)
    return bound_figures(served, world.sky, policy.cap_curve if policy.can_cap else (), cfe_frac)


def _play(world: World, policy: Policy, name: PolicyName) -> Played:
    from eureka_park.twin.core.play import play

    opening = opening_of(world.site, world.work, world.shares, half_life_s=policy.half_life_s)
    by_leaf = name == "park"  # who knows no shares keeps all jobs in one
    return play(opening, world.work, world.sky, world.failures, policy, policy.tick_s, name, by_leaf=by_leaf)


__all__ = ["TwinRequest", "World", "make_world", "run_twin"]
