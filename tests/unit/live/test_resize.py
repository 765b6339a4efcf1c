"""Elastic gangs on a live park: they give up machines while power is short, through every crash; engine and sky are
doubles.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.live_park import LivePark
from tests.helpers.recorder import ALL
from tests.helpers.sky_park import FULL_MW, TurnedSky

from eureka_park.foundation.ids import JobId
from eureka_park.foundation.wire.engine import Capability, Outcome, StartOrder

SITE = """
name = "four-racks"
title = "Four machines for one test"
timezone = "Africa/Casablanca"
[scale]
of = "eureka-park"
[[nodes]]
id = "rack"
engine = "local"
n_nodes = 4
n_cpus = 8
memory_gib = 64
n_gpus = 2
gpu_type = "L40S"
gpu_w_max = 300
rated_kw = 2.0
idle_kw = 0.4
[policy]
sky = "binding"
min_run_s = 0
margin_frac = 0
pause_rate_max_per_h = 60
[prices.mad_per_gpu_h]
firm = 10.0
flex = 6.0
green = 4.0
[prices.mad_per_cpu_h]
firm = 0.2
flex = 0.1
green = 0.05
"""
LESS_MW = 0.0066  # after cooling, enough for two machines of four


class Racks(LivePark):
    """Four machines, an engine that can neither cap nor freeze, and a sky that the test turns."""

    def __init__(self, folder: Path) -> None:
        (folder / "site.toml").write_text(SITE)
        self.turned = TurnedSky()
        super().__init__(folder, site_name=str(folder / "site.toml"))
        self.park.close()
        self.maker = self.turned  # type: ignore[assignment]
        self.engine.can = ALL - {Capability.CAP, Capability.FREEZE}
        self.open()
        self.sky(FULL_MW)
        self.submit(run_s=1.0, tier="firm", cpus=1)  # no power holds the first job of a project
        self.step(times=3)

    def sky(self, clean_mw: float) -> None:
        self.turned.turn(self.clock.park_s(), clean_mw, self.park.site)

    def gang(self, run_s: float = 1e6, **request: object) -> JobId:
        job_id = self.submit(run_s, nodes=4, min_nodes=2, checkpoint=True, tier="green", time="20h", **request)
        self.step(times=2)
        assert self.view(job_id)["state"] == "running" and len(self.live.state.jobs[job_id].nodes) == 4
        return job_id

    def order(self, job_id: JobId, attempt: int) -> StartOrder | None:
        found = [order for order in self.engine.orders if (order.job_id, order.attempt) == (job_id, attempt)]
        return found[-1] if found else None

    def whats(self, job_id: JobId) -> list[str]:
        return [row["what"] for row in self.park.compute.timeline(self.owner, job_id)]


@pytest.fixture
def racks(tmp_path: Path) -> Iterator[Racks]:
    world = Racks(tmp_path)
    yield world
    world.live.state.validate()
    assert world.park.ledger.verify() == []
    world.park.close()


def test_each_part_of_a_gang_is_ordered_with_its_machine_and_its_gpus(racks: Racks) -> None:
    job_id = racks.gang()
    order = racks.order(job_id, 1)
    assert order is not None and order.n_parts == 4
    assert [(part.node, part.gpu_indices) for part in order.parts] == [
        (f"rack-{at}", (2 * at, 2 * at + 1)) for at in range(4)
    ], "several nodes of one engine share no GPU"
    assert order.gpu_indices == tuple(range(8)) and order.n_cpus == 8


def test_a_job_on_one_of_several_machines_gets_that_machines_gpus(racks: Racks) -> None:
    jobs = [racks.submit(1e6, gpus=2, tier="firm") for _ in range(2)]
    racks.step(times=2)
    orders = [racks.order(job_id, 1) for job_id in jobs]
    assert all(order is not None and not order.parts for order in orders)
    assert sorted(order.gpu_indices for order in orders if order) == [(0, 1), (2, 3)]


def test_power_falls_and_the_gang_goes_on_with_fewer_machines(racks: Racks) -> None:
    job_id = racks.gang()
    racks.step(60)
    racks.sky(LESS_MW)
    racks.step(times=3)
    job = racks.live.state.jobs[job_id]
    assert (job.nodes, job.leaving, job.is_regrouping) == (("rack-0", "rack-1"), (), False)
    view = racks.view(job_id)
    assert (view["state"], view["attempt"], view["resume_count"], view["n_pauses"]) == ("running", 2, 1, 0)
    order = racks.order(job_id, 2)
    assert order is not None and [part.node for part in order.parts] == ["rack-0", "rack-1"]
    assert order.resume_count == 1 and order.gpu_indices == (0, 1, 2, 3)
    assert racks.engine.done_s[job_id] >= 60, "what it has done is in its checkpoint"
    assert (view["held_nodes"], view["nodes"]) == (["rack-0", "rack-1"], 4)
    assert [reason["code"] for reason in view["reasons"]] == ["shrunk_power"], "it still says why it has fewer"
    listed, _ = racks.park.compute.jobs(racks.owner)
    assert next(job["held_nodes"] for job in listed if job["job_id"] == job_id) == ["rack-0", "rack-1"]
    whats = racks.park.compute.timeline(racks.owner, job_id)
    assert any("with 2 nodes" in row["text"] and "sky" in row["text"].lower() for row in whats), whats
    assert racks.whats(job_id).count("paused") == 0, "it never left its machines"
    racks.step(3600)
    racks.engine.run_s[job_id] = 0.0
    racks.step(times=2)
    view = racks.view(job_id)
    assert view["state"] == "finished" and view["held_nodes"] == []
    on_four_s = 60 + 5 + 5  # running until the sky was seen to turn
    expected_gpu_h = 2 * (4 * on_four_s + 2 * (view["ran_s"] - on_four_s)) / 3600
    assert racks.receipt(job_id)["gpu_h"] == pytest.approx(expected_gpu_h, abs=2 * 10 / 3600), "of what it held"


def test_power_comes_back_and_the_gang_has_all_its_machines_again(racks: Racks) -> None:
    job_id = racks.gang()
    racks.sky(LESS_MW)
    racks.step(times=3)
    assert len(racks.live.state.jobs[job_id].nodes) == 2
    racks.sky(FULL_MW)
    racks.step(times=3)
    assert len(racks.live.state.jobs[job_id].nodes) == 2, "a shrink counts as a pause: one in a minute"
    racks.step(60)
    job = racks.live.state.jobs[job_id]
    assert job.nodes == tuple(f"rack-{at}" for at in range(4)) and job.leaving == ()
    racks.step(times=2)
    assert (job.resized_from, job.is_regrouping, job.attempt, job.resume_count) == ((), False, 3, 2)
    order = racks.order(job_id, 3)
    assert order is not None and [part.node for part in order.parts] == list(job.nodes)
    assert order.gpu_indices == tuple(range(8))
    view = racks.view(job_id)
    assert (view["state"], view["n_pauses"], len(view["held_nodes"])) == ("running", 0, 4)
    assert racks.whats(job_id).count("paused") == 0, "it never left its machines"
    whats = racks.park.compute.timeline(racks.owner, job_id)
    assert any("with 4 nodes" in row["text"] and "nobody waits" in row["text"] for row in whats), whats


def test_a_gang_takes_nothing_from_who_waits(racks: Racks) -> None:
    job_id = racks.gang()
    racks.sky(LESS_MW)
    racks.step(times=3)
    waits = racks.submit(1e6, nodes=3, tier="green", time="20h", checkpoint=True)
    racks.sky(FULL_MW)
    racks.step(60, times=5)
    assert racks.view(waits)["state"] == "queued" and len(racks.live.state.jobs[job_id].nodes) == 2
    racks.park.compute.cancel(racks.owner, waits)
    racks.step(times=2)
    assert len(racks.live.state.jobs[job_id].nodes) == 4


def test_a_crash_while_it_grows_leaves_one_of_the_two_states_and_runs_nothing_twice(racks: Racks) -> None:
    job_id = racks.gang()
    racks.sky(LESS_MW)
    racks.step(times=3)
    racks.engine.writes_long = True
    racks.sky(FULL_MW)
    racks.step(61.0)
    job = racks.live.state.jobs[job_id]
    assert (len(job.nodes), job.resized_from) == (4, ("rack-0", "rack-1"))
    other = racks.submit(1e6, gpus=1, tier="firm")
    racks.step(times=2)
    assert racks.view(other)["state"] == "queued", "the machines are the gang's"
    racks.engine.calls.clear()
    racks.crash()  # the request to write the checkpoint is said again
    assert ("checkpoint", job_id) in racks.engine.calls
    job = racks.live.state.jobs[job_id]
    assert (len(job.nodes), job.resized_from) == (4, ("rack-0", "rack-1"))
    racks.engine.stop(job_id, 2)
    racks.engine.drop_orders = True
    racks.step()
    for _ in range(2):
        racks.crash()
        job = racks.live.state.jobs[job_id]
        assert job.is_regrouping and len(job.nodes) == 4 and not racks.engine.runs.get((job_id, 3))
    racks.engine.drop_orders = False
    racks.crash()
    racks.step(times=2)
    assert {key: n for key, n in racks.engine.runs.items() if key[0] == job_id} == {(job_id, at): 1 for at in (1, 2, 3)}


def test_power_falls_while_it_grows_and_it_holds_what_it_had(racks: Racks) -> None:
    job_id = racks.gang()
    racks.sky(LESS_MW)
    racks.step(times=3)
    racks.engine.writes_long = True
    racks.sky(FULL_MW)
    racks.step(61.0)
    racks.sky(LESS_MW)
    racks.step(61.0)
    job = racks.live.state.jobs[job_id]
    assert (job.nodes, job.resized_from, job.leaving) == (("rack-0", "rack-1"), ("rack-0", "rack-1"), ())
    racks.engine.writes_long = False
    racks.engine.stop(job_id, 2)
    racks.step(times=2)
    assert racks.view(job_id)["state"] == "running" and racks.live.state.jobs[job_id].attempt == 3
    order = racks.order(job_id, 3)
    assert order is not None and len(order.parts) == 2


def test_machines_that_it_has_not_left_yet_are_its_own_again(racks: Racks) -> None:
    first = racks.gang()
    racks.sky(LESS_MW)
    racks.engine.writes_long = True
    racks.step(times=2)
    assert racks.live.state.jobs[first].leaving == ("rack-2", "rack-3")
    racks.sky(FULL_MW)
    racks.step(61.0)
    job = racks.live.state.jobs[first]
    assert len(job.nodes) == 4 and job.leaving == ()
    racks.engine.stop(first, 1)
    racks.step(times=2)
    assert racks.view(first)["state"] == "running" and racks.live.state.jobs[first].attempt == 2


def test_what_was_given_up_is_another_jobs_only_when_the_gang_has_left_it(racks: Racks) -> None:
    job_id = racks.gang()
    racks.engine.writes_long = True
    racks.sky(LESS_MW)
    racks.step(times=2)
    assert racks.live.state.jobs[job_id].leaving == ("rack-2", "rack-3")
    other = racks.submit(1e6, gpus=1, tier="firm")
    racks.step(times=2)
    assert racks.live.state.jobs[other].node in ("rack-2", "rack-3") and racks.view(other)["state"] == "starting"
    racks.crash()
    racks.step(5, times=4)
    assert racks.order(other, 1) is None, "the gang still works there"
    racks.engine.stop(job_id, 1)
    racks.step(times=2)
    assert racks.view(other)["state"] == "running" and racks.engine.runs[other, 1] == 1
    assert racks.view(job_id)["state"] == "running" and racks.live.state.jobs[job_id].attempt == 2


def test_a_crash_anywhere_leaves_one_of_the_two_states_and_runs_nothing_twice(racks: Racks) -> None:
    job_id = racks.gang()
    racks.engine.writes_long = True
    racks.sky(LESS_MW)
    racks.clock.step(5)
    racks.live.cycle()
    racks.engine.calls.clear()
    racks.crash()  # the request to write the checkpoint is said again
    assert ("checkpoint", job_id) in racks.engine.calls
    racks.engine.stop(job_id, 1)
    racks.engine.drop_orders = True
    racks.step()
    assert racks.live.state.jobs[job_id].is_regrouping and not racks.engine.runs.get((job_id, 2))
    for _ in range(3):
        racks.crash()
        assert racks.live.state.jobs[job_id].nodes == ("rack-0", "rack-1")
    racks.engine.drop_orders = False
    racks.crash()
    racks.step(times=2)
    assert not racks.live.state.jobs[job_id].is_regrouping
    assert {key: n for key, n in racks.engine.runs.items() if key[0] == job_id} == {(job_id, 1): 1, (job_id, 2): 1}


def test_an_order_that_got_lost_is_given_again_without_a_restart(racks: Racks) -> None:
    job_id = racks.gang()
    racks.engine.drop_orders = True
    racks.sky(LESS_MW)
    racks.step(times=3)
    assert racks.live.state.jobs[job_id].is_regrouping
    racks.engine.drop_orders = False
    racks.step(times=5)
    assert racks.engine.runs[job_id, 2] == 1 and not racks.live.state.jobs[job_id].is_regrouping


@pytest.mark.parametrize(("outcome", "state"), [(Outcome.FINISHED, "finished"), (Outcome.FAILED, "failed")])
def test_a_gang_that_ends_instead_of_stopping_has_ended(racks: Racks, outcome: Outcome, state: str) -> None:
    job_id = racks.gang()
    racks.engine.writes_long = True
    racks.sky(LESS_MW)
    racks.step(times=2)
    racks.engine._end(job_id, 1, outcome, code=0 if state == "finished" else 1)
    racks.step()
    assert racks.view(job_id)["state"] == state and (job_id, 2) not in racks.engine.runs


def test_a_cancel_while_it_shrinks_cancels(racks: Racks) -> None:
    job_id = racks.gang()
    racks.engine.writes_long = True
    racks.sky(LESS_MW)
    racks.step(times=2)
    racks.park.compute.cancel(racks.owner, job_id)
    racks.step(times=2)
    assert racks.view(job_id)["state"] == "cancelled" and not racks.live.state.on_node


def test_all_power_gone_while_it_shrinks_pauses_it_and_later_it_has_all_its_machines(racks: Racks) -> None:
    job_id = racks.gang()
    racks.engine.writes_long = True
    racks.sky(LESS_MW)
    racks.step(times=2)
    racks.sky(0.0)
    racks.step(61.0)  # a shrink counts as a pause, of which there is one in a minute at most
    racks.step()
    assert racks.view(job_id)["state"] == "pausing"
    racks.engine.stop(job_id, 1)
    racks.step()
    assert racks.view(job_id)["state"] == "paused" and racks.live.state.jobs[job_id].leaving == ()
    racks.sky(FULL_MW)
    racks.step(times=3)
    assert racks.view(job_id)["state"] == "running" and len(racks.live.state.jobs[job_id].nodes) == 4


def test_an_engine_that_cannot_take_nodes_pauses_the_gang(racks: Racks) -> None:
    racks.engine.can = frozenset({Capability.CHECKPOINT, Capability.GANG})
    racks.crash()
    assert not racks.live.parts.policy.can_resize
    job_id = racks.gang()
    racks.sky(LESS_MW)
    racks.step(times=2)
    assert "pausing" in racks.whats(job_id) and racks.view(job_id)["n_pauses"] == 1


def test_an_engine_without_gangs_says_so(racks: Racks) -> None:
    racks.engine.can = frozenset({Capability.CHECKPOINT})
    racks.crash()
    job_id = racks.submit(1e6, nodes=2, tier="firm")
    racks.step(times=3)
    view = racks.view(job_id)
    assert view["state"] == "failed" and "several machines" in view["detail"] and not racks.live.state.on_node


def test_a_job_carries_the_idle_power_of_its_own_machines(racks: Racks) -> None:
    """The meter counts all four machines together."""
    racks.meter.watts = 20.0
    jobs = {n: racks.submit(600.0, nodes=n, tier="firm", time="1h") for n in (1, 2)}
    racks.step(10, times=70)
    of_idle_kwh = 20.0 * 600 / 3.6e6
    for n, job_id in jobs.items():
        assert racks.view(job_id)["state"] == "finished"
        assert racks.receipt(job_id)["it_kwh"] == pytest.approx(n / 4 * of_idle_kwh, rel=0.05)
