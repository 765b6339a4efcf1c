"""One policy, two worlds, with gangs that shrink and grow: doing so by a checkpoint decides nothing otherwise.

As `test_one_policy`, for a day and a half, with many elastic gangs and nothing learned of power.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.faults.test_one_policy import (
    PROJECTS,
    SITE,
    TICK_S,
    PlansInTurn,
    SeenDigest,
    WatchedPark,
    first_difference,
    plans_of,
    request_of,
    sky_from,
    told,
    work_of,
)
from tests.helpers.recorder import CounterMeter
from tests.helpers.truth_engine import ALL, Attempt, Key, TruthEngine

from eureka_park.control.codes import PAUSE, RESIZE, START
from eureka_park.control.tick import Decision
from eureka_park.foundation.cap_curve import speed_frac
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.wire.engine import Capability, Phase, StartOrder
from eureka_park.live import loop
from eureka_park.twin.core.failures import no_failures
from eureka_park.twin.core.opening import opening_of
from eureka_park.twin.core.play import play
from eureka_park.twin.core.workload import GREEN, Workload
from eureka_park.twin.run import shares_of

HOURS = 36
CRASH_TURN = 1001


@dataclass
class ElasticTruth(TruthEngine):
    """Fewer parts do less: `n_nodes` is what each gang asked for."""

    n_nodes: dict[str, int] = field(default_factory=dict)
    parts: dict[Key, float] = field(default_factory=dict)

    def submit(self, order: StartOrder) -> None:
        key = (order.job_id, order.attempt)
        if key in self.attempts:
            return
        self.parts[key] = order.n_parts / self.n_nodes[order.job_id]
        now_s, has_gpus = self.clock.real_s(), bool(order.gpu_indices)
        speed = self.speed_of(order.cap_frac, has_gpus) * self.parts[key]
        made = Attempt(now_s, has_gpus, self.done_s.get(order.job_id, 0.0), now_s, speed)
        self.attempts[key] = made
        self._expect(order.job_id, made)

    def set_cap(self, job_id: JobId, attempt: int, cap_frac: float) -> None:
        found = self.attempts[job_id, attempt]
        speed = self.speed_of(cap_frac, found.has_gpus) * self.parts[job_id, attempt]
        if found.phase is Phase.RUNNING and speed != found.speed:
            self._settle(found, self.clock.real_s())
            found.speed = speed
            self._expect(job_id, found)


def elastic_work(site: Site, n_jobs: int) -> Workload:
    """The same jobs, each third a green elastic gang of three to six machines; all draw what is rated.

    They are so much shorter that there are turns in which nobody is refused: else no gang grows.
    """
    work, kind = work_of(site, n_jobs), site.nodes[0]
    row = np.arange(work.n_jobs)
    gang = (row % 3 == 0) & (row >= len(PROJECTS))
    shorter = np.where(gang, 0.15, 0.05)
    return replace(
        work,
        run_s=np.round(work.run_s * shorter, 3),
        time_s=np.maximum(60.0, np.round(work.time_s * shorter)),
        n_nodes=np.where(gang, 3 + row // 3 % 4, 1).astype(np.int32),
        n_nodes_min=np.where(gang, 1, 0).astype(np.int32),
        gpus=np.where(gang, kind.n_gpus, np.minimum(work.gpus, kind.n_gpus)).astype(np.int32),
        mcpu=np.where(gang, 1000 * kind.n_cpus, work.mcpu).astype(work.mcpu.dtype),
        mem_mib=np.where(gang, int(kind.memory_gib * 1024), work.mem_mib).astype(work.mem_mib.dtype),
        checkpoint=work.checkpoint | gang,
        tier=np.where(gang, GREEN, work.tier).astype(work.tier.dtype),
        deadline_s=np.where(gang, np.inf, work.deadline_s),
        power_frac=np.ones(work.n_jobs),
    ).validate()


@dataclass
class Muted:
    """The live park's tick, which may be kept from deciding: what engines report is then taken in, and no more."""

    tick: Callable[..., Decision]
    is_mute: bool = False

    def __call__(self, *given: Any, **more: Any) -> Decision:
        return Decision(()) if self.is_mute else self.tick(*given, **more)


@pytest.mark.timeout(900)
def test_live_and_twin_decide_the_same_with_gangs_that_resize(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = SITE.replace("n_nodes = 6", "n_nodes = 12").replace("gpu_w_max = 700", "gpu_w_max = 300")
    small = small.replace("rated_kw = 8.4", "rated_kw = 4.2").replace("idle_kw = 1.6", "idle_kw = 0.1")
    monkeypatch.setattr(
        "tests.faults.test_one_policy.SITE", small
    )  # what the sky leaves at night carries some machines
    live_park = WatchedPark(tmp_path)
    site = live_park.park.site
    work = elastic_work(site, 240)
    curve = site.cap_rows
    engine = ElasticTruth(live_park.clock, lambda cap, has_gpus: speed_frac(cap, curve) if has_gpus else cap)
    engine.can = ALL - {Capability.CAP}  # what a cap would save, shrinking has to
    live_park.engine = engine  # type: ignore[assignment]
    plans = plans_of(site)
    live_park.maker = PlansInTurn(live_park.clock, plans)  # type: ignore[assignment]
    live_park.meter = CounterMeter(live_park.clock)
    muted = Muted(live_park.watched_tick)
    monkeypatch.setattr(loop, "tick", muted)
    live_park.park.close()
    live_park.open()
    policy = live_park.live.parts.policy
    assert policy.can_resize and not policy.can_cap
    for project in PROJECTS:
        live_park.park.accounts.ensure_project(project, project, True)
    n_sent = 0
    for turn in range(1, round(HOURS * 3600.0 / TICK_S) + 1):
        live_park.clock.step(TICK_S)
        while n_sent < work.n_jobs and work.submit_s[n_sent] <= turn * TICK_S:
            least = {"min_nodes": int(work.n_nodes_min[n_sent])} if work.n_nodes_min[n_sent] else {}
            job_id = live_park.park.compute.submit(live_park.owner, {**request_of(work, n_sent), **least})
            engine.run_s[job_id], engine.n_nodes[job_id] = float(work.run_s[n_sent]), int(work.n_nodes[n_sent])
            n_sent += 1
        if turn == CRASH_TURN:
            live_park.park.close()
            live_park.open()
        else:
            live_park.live.cycle()
        if any(job.resized_from for job in live_park.live.state.on_node.values()):
            muted.is_mute = True  # the attempt has stopped at once, and the engine wakes the park
            live_park.live.cycle()
            muted.is_mute = False
            assert not any(job.resized_from for job in live_park.live.state.on_node.values())
    live_park.live.state.validate()

    sky = sky_from(site, plans, policy.carbon_mad_per_kg)
    opening = opening_of(site, work, shares_of(site, work.leaves), half_life_s=policy.half_life_s)
    monkeypatch.setattr("eureka_park.twin.core.play.ActionDigest", SeenDigest)
    play(opening, work, sky, no_failures(), policy, TICK_S, learns=False, tail_h=0.0)
    until_s = live_park.clock.park_s()
    twin_rows = [row for row in SeenDigest.rows if row[0] <= until_s]
    live_park.park.close()
    first = first_difference(live_park.rows, twin_rows)
    assert first is None, told(live_park.rows, twin_rows, first)
    kinds = [row[5] for row in live_park.rows]
    held: dict[int, float] = {}
    n_grown = 0
    for row in live_park.rows:
        if row[5] in (START, RESIZE):
            n_grown += row[5] == RESIZE and row[3] > held[row[1]]
            held[row[1]] = row[3]
    assert n_grown >= 3, f"{n_grown} gangs have grown"
    assert {START, PAUSE, RESIZE} <= set(kinds) and kinds.count(RESIZE) >= 3, f"too little happens: {sorted(kinds)}"
