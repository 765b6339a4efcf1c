"""One policy, two worlds: the live loop and the twin decide the same over two days, with a crash in the middle.

The live side is real but for its clock, meter and engine: inbox, lease, journal, snapshots, kernels. Engine and meter
play the truth that the twin's world plays, so both learn what jobs draw; plans are the same real ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers.live_park import START_S, LivePark
from tests.helpers.truth_engine import TruthEngine, TruthMeter

from eureka_park.control import tick as ticking
from eureka_park.control.codes import CAP, DEFER, FREEZE, PAUSE, START
from eureka_park.control.digest import ActionDigest
from eureka_park.control.supply import supply_from_plan
from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.foundation.cap_curve import speed_frac
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.units import iso_from_s
from eureka_park.live import loop
from eureka_park.live.learning import Learning
from eureka_park.live.metering import it_kw_of_site
from eureka_park.twin.core.arrivals import Arrivals, make_workload
from eureka_park.twin.core.failures import no_failures
from eureka_park.twin.core.opening import opening_of
from eureka_park.twin.core.play import play
from eureka_park.twin.core.sky_series import SkySeries
from eureka_park.twin.core.workload import CLASS_NAMES, FIRM, FLEX, TIER_NAMES, Workload
from eureka_park.twin.run import node_shapes, shares_of

TICK_S = 60.0
HOURS = 48
PLAN_EVERY_H = 6
PROJECTS = ("p0", "p1", "p2", "p3")
N_IMAGES = 3  # of each project
SITE = """
name = "one-policy"
title = "Scale model for one test"
timezone = "Africa/Casablanca"
[scale]
of = "eureka-park"
[[nodes]]
id = "gpu"
engine = "local"
n_nodes = 6
n_cpus = 64
memory_gib = 512
n_gpus = 8
gpu_type = "h100"
gpu_w_max = 700
rated_kw = 8.4
idle_kw = 1.6
[policy]
sky = "binding"
plan_every_s = 900
flex_wait_gain_frac = 0.1
"""


class PlansInTurn:
    """Hands out plans when they are due, without making any."""

    def __init__(self, clock: Any, plans: list[PowerPlan]) -> None:
        self._clock, self._plans = clock, list(plans)

    @property
    def is_busy(self) -> bool:
        """Until the next is due: nobody asks for one before."""
        return bool(self._plans) and self._plans[0].issued_at_s > self._clock.park_s()

    def start(self, request: dict[str, Any]) -> None:
        return

    def take(self) -> tuple[PowerPlan | None, str | None]:
        if self._plans and self._plans[0].issued_at_s <= self._clock.park_s():
            return self._plans.pop(0), None
        return None, None


def plans_of(site: Site) -> list[PowerPlan]:
    """A real plan every six hours, for a demand of the whole site."""
    demand_mw = site.site_kw_rated / 1000.0 / site.factor
    firsts = range(0, HOURS + 48, PLAN_EVERY_H)
    return [make_plan(site, PlanRequest(now_s=START_S + hour * 3600.0, demand_mw=demand_mw)) for hour in firsts]


def sky_from(site: Site, plans: list[PowerPlan], carbon_mad_per_kg: float) -> SkySeries:
    """The plans as the twin reads them, through the very reading of the live park."""
    read = [supply_from_plan(plan, plan.start_s, it_kw_of_site(site), carbon_mad_per_kg).intervals for plan in plans]
    n_steps = max(len(item.steps) for items in read for item in items)

    def grid(value: Any) -> Any:
        return np.array([[value(item) for item in items] for items in read], dtype=np.float64)

    def steps(value: Any) -> Any:
        rows = [[[value(step) for step in item.steps] for item in items] for items in read]
        return np.array([[row + [row[-1]] * (n_steps - len(row)) for row in table] for table in rows])

    newest = [min(hour // PLAN_EVERY_H, len(read) - 1) for hour in range(HOURS + 48)]
    return SkySeries(
        hour0_s=START_S,  # the plan is the truth: the live park has no meter of the sky
        true_clean_kw=np.array([read[at][hour - at * PLAN_EVERY_H].clean_kw for hour, at in enumerate(newest)]),
        plan_issued_s=np.array([plan.issued_at_s for plan in plans]),
        plan_first_hour=np.array([round((plan.start_s - START_S) / 3600.0) for plan in plans]),
        plan_clean_kw=grid(lambda item: item.clean_kw),
        plan_p10_kw=grid(lambda item: item.clean_kw_p10),
        plan_grid_kw=grid(lambda item: item.grid_kw),
        step_up_to_kw=steps(lambda step: step.up_to_kw),
        step_price=steps(lambda step: step.price),
        step_own=steps(lambda step: step.source != "grid").astype(np.bool_),
    )


def work_of(site: Site, n_jobs: int) -> Workload:
    """Two days of jobs. The first of each project is a small firm one, as first jobs are free of the sky."""
    made = make_workload(
        Arrivals(n_jobs, HOURS / 24, PROJECTS, node_shapes(site), load_frac=1.1), SeedTree(5).child("one-policy")
    )
    n = made.n_jobs
    draw = np.random.default_rng(7)
    image = N_IMAGES * made.leaf.astype(np.int32) + draw.integers(0, N_IMAGES, n).astype(np.int32)
    image[: len(PROJECTS)] = N_IMAGES * np.arange(len(PROJECTS))
    usual = draw.uniform(0.3, 1.0, N_IMAGES * len(PROJECTS))
    drawn = np.round(np.clip(usual[image] + draw.normal(0.0, 0.08, n), 0.1, 1.0), 2)  # as well as a meter tells
    columns: dict[str, Any] = {
        "leaf": made.leaf.copy(), "tier": made.tier.copy(), "run_s": np.round(made.run_s, 3), "gpus": made.gpus.copy(),
        "time_s": np.maximum(60.0, np.round(made.time_s)), "deadline_s": np.round(made.deadline_s),
        "power_frac": drawn, "image": image, "after": np.full(n, -1, np.int32),
        "n_nodes": made.n_nodes.copy(), "job_class": np.zeros(n, np.int8),
        "submit_s": np.round(made.submit_s), "n_nodes_min": np.zeros(n, np.int32), "mcpu": made.mcpu.copy(),
    }  # fmt: skip
    for row in range(len(PROJECTS)):
        columns["leaf"][row], columns["tier"][row] = row, FIRM
        columns["gpus"][row], columns["n_nodes"][row], columns["submit_s"][row] = 1, 1, 0.0
        columns["mcpu"][row] = 1000
    flex = columns["tier"] == FLEX
    late = columns["submit_s"] + columns["time_s"] + 86_400.0
    columns["deadline_s"][flex] = np.minimum(columns["deadline_s"], late)[flex]
    columns["deadline_s"][~flex] = np.inf
    return replace(made, **columns).validate()


def request_of(work: Workload, row: int) -> dict[str, Any]:
    """A row of the workload as somebody sends it."""
    gang = work.n_nodes[row] > 1
    deadline_s = work.deadline_s[row]
    return {
        "command": ["true"],
        "name": f"image-{work.image[row]}",
        "project": PROJECTS[work.leaf[row]],
        "tier": TIER_NAMES[work.tier[row]],
        "class": CLASS_NAMES[work.job_class[row]],
        "gpus": int(work.gpus[row] * work.n_nodes[row]),
        "checkpoint": bool(work.checkpoint[row]),
        "priority": int(work.priority[row]),
        "time": float(work.time_s[row]),
        **({} if gang else {"cpus": work.mcpu[row] / 1000.0, "memory": int(work.mem_mib[row]) * 2**20}),
        **({"by": iso_from_s(START_S + deadline_s)} if np.isfinite(deadline_s) else {}),
    }


class WatchedPark(LivePark):
    """A live park whose actions are digested, turn by turn."""

    truth: TruthMeter
    plans: list[PowerPlan]

    def __init__(self, folder: Path, plans: list[PowerPlan] | None = None) -> None:
        self.digest = ActionDigest()
        self.rows: list[tuple[Any, ...]] = []
        (folder / "site.toml").write_text(SITE + _PRICES)
        super().__init__(folder, site_name=str(folder / "site.toml"))

    def before_begin(self) -> None:
        self.live.parts.learning = Learning(settle_s=0.0, sure_s=0.0)  # the twin's meter tells at once, too

    def rating_of(self, job_id: JobId) -> tuple[float, float, bool]:
        """Of a job on nodes: dynamic kW at nameplate, the part that its cap leaves, whether it has GPUs."""
        state = self.live.state
        return *state.side.rating(job_id), bool(state.jobs[job_id].spec.n_gpus)

    def watched_tick(self, state: Any, supply: Any, policy: Any, now_s: float, **more: Any) -> Any:
        decision = ticking.tick(state, supply, policy, now_s, **more)
        self.digest.add_rows(now_s, decision.rows)
        names = ("order", "gpu_mask", "a", "b", "code", "node", "n_nodes")
        self.rows += [(now_s, *(row[name].item() for name in names)) for row in decision.rows]
        return decision


class SeenDigest(ActionDigest):
    """Keeps what it digests, so that a difference can be shown."""

    rows: list[tuple[Any, ...]]

    def __init__(self) -> None:
        super().__init__()
        SeenDigest.rows = []

    def add_records(self, records: Any) -> None:
        super().add_records(records)
        SeenDigest.rows += [row[:8] for row in records.tolist()]


_PRICES = """
[prices.mad_per_gpu_h]
firm = 10.0
flex = 6.0
green = 4.0
[prices.mad_per_cpu_h]
firm = 0.2
flex = 0.1
green = 0.05
"""


def first_difference(a: list[tuple[Any, ...]], b: list[tuple[Any, ...]]) -> int | None:
    """Where two lists of actions first differ; None where they are equal."""
    if a == b:
        return None
    return next((index for index, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def told(a: list[tuple[Any, ...]], b: list[tuple[Any, ...]], at: int) -> str:
    """The neighbourhood of a difference, a line each."""
    lines = [f"{index} live {x}\n    twin {y}" for index, (x, y) in enumerate(zip(a, b, strict=False))]
    return "\n".join(["they differ", *lines[max(0, at - 2) : at + 4]])


@pytest.fixture
def live_park(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedPark]:
    park = WatchedPark(tmp_path)
    site = park.park.site
    policy = park.live.parts.policy
    park.engine = TruthEngine(  # type: ignore[assignment]
        park.clock, lambda cap, has_gpus: speed_frac(cap, policy.cap_curve) if has_gpus else cap
    )
    park.plans = plans_of(site)
    park.maker = PlansInTurn(park.clock, park.plans)  # type: ignore[assignment]
    park.truth = TruthMeter(park.clock, park.engine, park.rating_of)  # type: ignore[arg-type]
    park.meter = park.truth  # type: ignore[assignment]
    monkeypatch.setattr(loop, "tick", park.watched_tick)
    park.park.close()
    park.open()
    yield park
    park.park.close()


@pytest.mark.timeout(900)
def test_live_and_twin_decide_the_same_over_two_days_with_a_crash(
    live_park: WatchedPark, monkeypatch: pytest.MonkeyPatch
) -> None:
    park, site = live_park.park, live_park.park.site
    work = work_of(site, 300)
    for project in PROJECTS:
        park.accounts.ensure_project(project, project, True)
    policy = live_park.live.parts.policy
    n_sent = 0
    for turn in range(1, round(HOURS * 3600.0 / TICK_S) + 1):
        live_park.clock.step(TICK_S)
        now_s = turn * TICK_S
        while n_sent < work.n_jobs and work.submit_s[n_sent] <= now_s:
            job_id = live_park.park.compute.submit(live_park.owner, request_of(work, n_sent))
            live_park.engine.run_s[job_id] = float(work.run_s[n_sent])
            live_park.truth.frac[job_id] = float(work.power_frac[n_sent])
            n_sent += 1
        if turn == 1441:
            live_park.park.close()
            live_park.open()  # a new process takes over: its first cycle is this turn's
        else:
            live_park.live.cycle()
        if turn % 240 == 0:
            live_park.live.state.validate()

    sky = sky_from(site, live_park.plans, policy.carbon_mad_per_kg)
    opening = opening_of(site, work, shares_of(site, work.leaves), half_life_s=policy.half_life_s)
    monkeypatch.setattr("eureka_park.twin.core.play.ActionDigest", SeenDigest)
    learned = np.ones(N_IMAGES * len(PROJECTS))
    played = play(opening, work, sky, no_failures(), policy, TICK_S, learned=learned, tail_h=0.0)
    first = first_difference(live_park.rows, SeenDigest.rows)
    assert first is None, told(live_park.rows, SeenDigest.rows, first)
    kinds = {row[5] for row in live_park.rows}
    assert {START, CAP, PAUSE, FREEZE, DEFER} <= kinds, f"too little happens to tell anything: {kinds}"
    assert played.digest == live_park.digest.hexdigest()
    kept = live_park.live.state.side.learned
    assert len(kept) >= 8 and sum(known.n_jobs for known in kept.values()) > 100, f"too little is learned: {kept}"
