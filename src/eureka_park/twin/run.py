"""One run of the twin: its world made from a site and a seed, played under a policy, measured."""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from eureka_park.energy.core.cooling import site_mw_from_it_mw
from eureka_park.energy.core.supply import Supply, supply_from, supply_of
from eureka_park.foundation.errors import BadInput, Internal, ParkError, Unavailable
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_file import GRID_SOURCE_ID, Site
from eureka_park.foundation.units import DAY_S, GIB, MIB, kw_from_mw
from eureka_park.foundation.zones import ZoneInfo
from eureka_park.twin.core.arrivals import Arrivals, make_workload, tenant_paths
from eureka_park.twin.core.came import that_came
from eureka_park.twin.core.energy_figures import Meter, kw_of_jobs
from eureka_park.twin.core.failures import Failures
from eureka_park.twin.core.faults import Faults, Ranges, drawn, failures_under, ranges_of
from eureka_park.twin.core.metrics import Park, report, units
from eureka_park.twin.core.mix import YEAR_MIX, YEAR_TENANTS
from eureka_park.twin.core.opening import class_rows, opening_of, site_gpu_types
from eureka_park.twin.core.own_supply import Asked, asked_mw, own_clean_mw, plants_factor, supply_times
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.promises import SLICES
from eureka_park.twin.core.replan import open_sky
from eureka_park.twin.core.scaled_trace import in_days, load_frac_of, scaled, scaling_of
from eureka_park.twin.core.sky_series import SkyRequest, SkySeries
from eureka_park.twin.core.traces import NOTES, Filling, renamed, workload_from
from eureka_park.twin.core.workload import NodeShape, Workload
from eureka_park.twin.faults_file import asked_faults
from eureka_park.twin.foresight import check_memory
from eureka_park.twin.run_assumed import assumptions_of
from eureka_park.twin.run_bound import BOUND_STOPPED, bound_or_why, no_bound, why_of
from eureka_park.twin.run_kinds import add_kinds
from eureka_park.twin.run_record import RunRecord
from eureka_park.twin.run_request import (
    DAYS,
    DAYS_MAX,
    GPU_H_PER_JOB,
    LOAD_FRAC,
    STREAM_FROM,
    PolicyName,
    TwinRequest,
    check_request,
    tick_s_of,
)
from eureka_park.twin.run_streamed import Streamed, asked_of_stream, first_jobs, play_stream
from eureka_park.twin.run_tables import hours_of, sample_of
from eureka_park.twin.run_weather import weather_of
from eureka_park.twin.trace_files import read_trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eureka_park.control.policy import Policy
    from eureka_park.twin.core.replan import Planner

Declared = tuple[str, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """The truth of a run, and the shares under which it is played. Instants but the sky's count from the start.

    `told`: how it came about, as the report repeats it. `stream`: what the jobs are drawn from as they come; `work`
    then holds the first of them.
    """

    site: Site
    work: Workload
    sky: SkySeries
    failures: Failures
    shares: tuple[Declared, ...]
    days: float
    told: Mapping[str, Any] = field(default_factory=dict)
    stream: Arrivals | None = None


PlayFn = Callable[[World, "Policy", PolicyName], Played]


@dataclass(frozen=True, slots=True)
class Watch:
    """Who watches a run: `told` hears the name of each part as it begins, `told_frac` how much of the days is played;
    a run ends early when `stopped` says so.
    """

    told: Callable[[str], None] = lambda _part: None
    told_frac: Callable[[float], None] = lambda _frac: None
    stopped: Callable[[], bool] = lambda: False


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
    return _run(site, request, policy, Watch(told), play)[0]


def run_recorded(
    site: Site,
    request: TwinRequest,
    policy: Policy,
    told: Callable[[str], None] = lambda _part: None,
    stopped: Callable[[], bool] = lambda: False,
    told_frac: Callable[[float], None] = lambda _frac: None,
) -> RunRecord:
    """As `run_twin`, with what files keep of a run; it ends early when `stopped` says so. Raises BadInput."""
    figures, world, played, streamed, planner = _run(site, request, policy, Watch(told, told_frac, stopped))
    if streamed is not None:
        sample = streamed.sample(world.work.leaves)
    else:
        sample = sample_of(world.work, played, request.seed)
    record = RunRecord(figures, hours_of(world.sky, played), sample, request.to_json())
    if planner is not None:
        add_kinds(record, planner.supply, planner.running)
    return record


def _run(
    site: Site, request: TwinRequest, policy: Policy, watch: Watch, play: PlayFn | None = None
) -> tuple[dict[str, Any], World, Played, Streamed | None, Planner | None]:
    """The figures of a run, its world, what was played, the counts of a stream, and what its plans were made from."""
    clock, streamed = Clock(watch.told), None
    world = make_world(site, request, clock)
    planner = world.sky.planner
    policy = replace(policy, tick_s=tick_s_of(request, world.days))
    with clock.part("play"), _blamed(request.policy):
        if world.stream is not None and play is None:
            streamed = _play_stream(world, world.stream, policy, request, watch)
            played = streamed.played
        else:
            played = play(world, policy, request.policy) if play else _play(world, policy, request.policy, watch)
    world = replace(world, sky=played.sky or world.sky)
    if not played.is_whole and streamed is None:
        world, played = _cut(world, played)
    knows_ends = request.trace is None or bool(world.work.ending.any())
    park = replace(park_of(site, world), knows_ends=knows_ends)
    with clock.part("metrics"):
        if streamed is not None:
            found = streamed.figures(world.work.leaves, world.shares, park)
        else:
            found = report(world.work, played, world.shares, park)
    found |= no_bound()
    if request.bound and played.is_whole and "it_kwh" in played.totals:
        if watch.stopped():
            found |= no_bound(BOUND_STOPPED)
        else:
            with clock.part("bound"):
                found |= bound_or_why(world, played, policy, found["cfe_frac"], streamed)
    figures = {
        "site": site.name,
        "factor": site.factor,
        "policy": request.policy,
        "seed": request.seed,
        "days": world.days,
        "is_whole": played.is_whole,
        "days_played": min(world.days, played.until_s / DAY_S),
        "trace": request.trace.name if request.trace else None,
        "tick_s": policy.tick_s,
        "n_nodes": sum(kind.n_nodes for kind in site.nodes),
        "n_failures": world.failures.n_failures,
        "filled": {name: n for name, n in world.work.filled.items() if name not in NOTES},
        "left_out": {name: n for name, n in world.work.filled.items() if name in NOTES},
        **world.told,
        **found,
        "per_it": park.meter.per_it,
        "fixed_kw": park.meter.fixed_kw,
        "cpu_s": sum(clock.cpu_s.values()),
        "cpu_s_by_part": dict(clock.cpu_s),
        "wall_s": clock.wall_s,
        "peak_rss_mib": peak_rss_mib(),
    }
    return figures, world, played, streamed, planner


def _cut(world: World, played: Played) -> tuple[World, Played]:
    """A run that ended early, of the jobs that had come. Raises Unavailable when there was none."""
    work, played = that_came(world.work, played)
    if not work.n_jobs:
        raise Unavailable("The run was stopped before a job had come.", fix="Let it go on for longer.", code="stopped")
    return replace(world, work=work), played


@contextmanager
def _blamed(name: str) -> Iterator[None]:
    """What breaks while a policy plays is told with its name."""
    try:
        yield
    except (ParkError, MemoryError):
        raise
    except Exception as error:
        told = f"Policy {name} broke off: {why_of(error)}"
        raise Internal(
            told, fix="Run another policy, or report this one with its seed.", code="policy_broke"
        ) from error


def make_world(site: Site, request: TwinRequest, clock: Clock | None = None) -> World:
    """Work, sky and failures of a run. Raises BadInput where the request or the trace is wrong."""
    clock, tree = clock or Clock(), SeedTree(request.seed).child("twin")
    check_request(request)
    faults, ranges = asked_faults(request.faults), node_ranges(site)
    if request.trace is None:
        n_jobs, n_tenants, days = _size(site, request)
        check_memory(site, n_jobs, n_tenants, days, streams=n_jobs > STREAM_FROM)
    with clock.part("work"):
        work, days, told, stream = _work(site, request, tree)
    with clock.part("sky"):
        faults = drawn(faults, [plant.id for plant in site.plants], ranges, days, tree)
        asked_kwh = (
            asked_of(site, work, days) if stream is None else asked_of_stream(site, work, stream, _n_units(site, work))
        )
        supply, of_supply = _supply(site, request, asked_kwh, days)
        asked = SkyRequest(request.start_s, days, request.seed, request.plan_every_h, request.scenario, faults=faults)
        sky = open_sky(site, asked, supply)
        failures = failures_under(faults, ranges, days, tree)
    told |= of_supply | _of_faults(faults) | {"assumptions": assumptions_of(request, work, YEAR_MIX, LOAD_FRAC)}
    return World(site, work, sky, failures, shares_of(site, work.leaves), days, told, stream)


def _of_faults(faults: Faults) -> dict[str, Any]:
    """Outages of plants, tie and network as the report tells them."""
    rows = [{"what": one.what, "at_s": one.at_s, "back_s": one.back_s} for one in faults.of_supply]
    return {"node_failures_of_usual": faults.nodes, "outages": rows, "n_network_outages": len(faults.of_network)}


def _supply(site: Site, request: TwinRequest, asked: Asked, days: float) -> tuple[Supply, dict[str, Any]]:
    """The plants of a run, and how much they give for what is asked. Raises BadInput."""
    weather = weather_of(site, request.weather)
    if weather:
        supply = supply_from(site, weather, request.scenario, outage_seed=request.seed)
    else:
        supply = supply_of(site, request.seed, request.scenario)
    n_hours = math.ceil(days * 24 - 1e-9)
    own_mw = own_clean_mw(supply, request.start_s, n_hours)
    wanted_mw = asked_mw(site, asked, days) / site.factor
    factor = 1.0
    if request.demand_of_supply is not None:
        factor = plants_factor(request.demand_of_supply, wanted_mw, own_mw)
        supply = supply_times(supply, factor)
    given_mw = own_mw * factor
    return supply, {
        "scenario": request.scenario,
        "weather": supply.weather_label,
        "plants_factor": factor,
        "requested_mwh": wanted_mw * site.factor * n_hours,
        "own_clean_mwh": given_mw * site.factor * n_hours,
        "demand_of_supply": wanted_mw / given_mw if given_mw > 0.0 else None,
    }


def asked_of(site: Site, work: Workload, days: float) -> Asked:
    """What the jobs ask for in a run of so many days."""
    kw = kw_of_jobs(work, class_rows(site), site_gpu_types(site))
    return Asked(float((kw * work.run_s).sum()) / 3600.0, _load_frac(site, work, days))


def _n_units(site: Site, work: Workload) -> float:
    """GPUs of the site, or its CPUs where nobody asks for a GPU."""
    has_gpus = bool((work.gpus > 0).any())
    return float(sum(kind.n_nodes * (kind.n_gpus if has_gpus else kind.n_cpus) for kind in site.nodes))


def node_ranges(site: Site) -> Ranges:
    """The racks and pods of a site."""
    return ranges_of((kind.n_nodes, kind.nodes_per_rack, kind.racks_per_pod) for kind in site.nodes)


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


def _size(site: Site, request: TwinRequest) -> tuple[int, int, float]:
    """Jobs, tenants and days of work that the seed draws."""
    days = request.days if request.days is not None else DAYS
    n_jobs = request.n_jobs if request.n_jobs is not None else natural_jobs(node_shapes(site), days, request.load_frac)
    return n_jobs, len(tenants_of(site)), days


def tenants_of(site: Site) -> tuple[str, ...]:
    """The leaves for which a seed draws jobs: the site's own where it lists several, else made-up ones."""
    own = tuple(share.path for share in site.shares)
    leaves = tuple(path for path in own if not any(other.startswith(f"{path}/") for other in own))
    return leaves if len(leaves) > 1 else tenant_paths(YEAR_TENANTS)


def _work(site: Site, request: TwinRequest, tree: SeedTree) -> tuple[Workload, float, dict[str, Any], Arrivals | None]:
    """The jobs of a run (of a stream the first ones), its length in days, how both came about, and the stream."""
    if request.trace is not None:
        return *_traced(site, request, tree), None
    n_jobs, _n_leaves, days = _size(site, request)
    load_frac = LOAD_FRAC if request.load_frac is None else request.load_frac
    first_hour = hour_of_week(site.timezone, request.start_s)
    what = Arrivals(n_jobs, days, tenants_of(site), node_shapes(site), load_frac, first_hour, YEAR_MIX)
    if n_jobs > STREAM_FROM and any(shape.gpus for shape in what.shapes):
        return first_jobs(what, tree), days, {"load_frac": load_frac, "scaled_by": None}, what
    work = make_workload(what, tree, stream=True)
    return work, days, {"load_frac": _load_frac(site, work, days), "scaled_by": None}, None


def _traced(site: Site, request: TwinRequest, tree: SeedTree) -> tuple[Workload, float, dict[str, Any]]:
    """Jobs of a trace: as they are, or brought to a load."""
    assert request.trace is not None
    table = read_trace(request.trace)
    table = renamed(table, request.columns) if request.columns else table
    work = workload_from(table, Filling(node_shapes(site), tree, YEAR_MIX, leaves=tenants_of(site)))
    whole_days = math.ceil((float(work.submit_s[-1]) + 1.0) / DAY_S)
    days = request.days if request.days is not None else float(min(DAYS_MAX, whole_days))
    if request.load_frac is None:
        wanted = work.submit_s < days * DAY_S
        if not wanted.any():
            raise BadInput("No job of the trace falls into these days.", fix="Run for longer.", field="days")
        n_late, work, told = int((~wanted).sum()), work.rows(wanted), None
        work = replace(work, filled={**work.filled, "too_late": n_late}) if n_late else work
    else:
        work, told = _scaled(site, work, request.load_frac, days, tree)
    if request.n_jobs is not None:
        work = work.rows(np.arange(work.n_jobs) < request.n_jobs)
    check_memory(site, work.n_jobs, len(work.leaves), days)
    return work, days, {"load_frac": _load_frac(site, work, days), "scaled_by": told}


def _scaled(
    site: Site, work: Workload, load_frac: float, days: float, tree: SeedTree
) -> tuple[Workload, dict[str, Any]]:
    """A trace at a load, by the rule of `core.scaled_trace`."""
    work, repeats = in_days(work, days)
    scaling = scaling_of(load_frac, _load_frac(site, work, days), repeats)
    check_memory(site, scaling.n_jobs(work.n_jobs), len(work.leaves), days)
    found = scaled(work, units(work), scaling, days, tree)
    return found, scaling.to_json(_load_frac(site, found, days))


def _load_frac(site: Site, work: Workload, days: float) -> float:
    return load_frac_of(work, units(work), _n_units(site, work), days)


def natural_jobs(shapes: Sequence[NodeShape], days: float, load_frac: float | None = None) -> int:
    """As many jobs of the traces' mean size as offer `load_frac` of the site."""
    load_frac = LOAD_FRAC if load_frac is None else load_frac
    n_gpus = sum(shape.n_nodes * (shape.gpus or SLICES) for shape in shapes)
    return max(1, round(load_frac * n_gpus * days * 24.0 / GPU_H_PER_JOB))


def hour_of_week(timezone: str, instant_s: float) -> int:
    """Local hour of the week, from Monday 00:00."""
    local = datetime.fromtimestamp(instant_s, UTC).astimezone(ZoneInfo(timezone))
    return local.weekday() * 24 + local.hour


def _play(world: World, policy: Policy, name: PolicyName, watch: Watch) -> Played:
    from eureka_park.twin.core.play import play

    opening = opening_of(world.site, world.work, world.shares, half_life_s=policy.half_life_s)
    by_leaf = name == "park"  # who knows no shares keeps all jobs in one
    return play(
        opening, world.work, world.sky, world.failures, policy, policy.tick_s, name, by_leaf=by_leaf,
        told=watch.told_frac, stopped=watch.stopped,
    )  # fmt: skip


def _play_stream(world: World, what: Arrivals, policy: Policy, request: TwinRequest, watch: Watch) -> Streamed:
    n_gpus = float(sum(kind.n_nodes * kind.n_gpus for kind in world.site.nodes))
    return play_stream(
        opening_of(world.site, world.work, world.shares, half_life_s=policy.half_life_s), what,
        SeedTree(request.seed).child("twin"), world.sky, world.failures, policy, request.policy, world.shares, n_gpus,
        bounds=request.bound, told=watch.told_frac, stopped=watch.stopped,
    )  # fmt: skip


__all__ = ["DAYS", "PolicyName", "TwinRequest", "World", "make_world", "run_recorded", "run_twin"]
