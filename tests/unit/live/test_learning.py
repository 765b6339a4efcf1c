"""The live park learns what jobs draw: who is read how, what counts, what comes back after a crash."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.helpers.live_park import LivePark
from tests.helpers.truth_engine import TruthEngine, TruthMeter
from tests.helpers.world import spec

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import Job, JobState
from eureka_park.compute.core.state import ParkState
from eureka_park.control.learn import frac_of
from eureka_park.foundation.clock import SteppedClock
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.site_reading import load_site
from eureka_park.foundation.wire.engine import JobUsage, MeterReading
from eureka_park.live.journal import recorded_events
from eureka_park.live.learning import Learning
from eureka_park.live.metering import Metering, journal_form


class MeteredPark(LivePark):
    """A live park whose engine and meter play a truth."""

    truth: TruthMeter

    def open(self) -> None:
        if not hasattr(self, "truth"):
            self.engine = TruthEngine(self.clock, lambda cap, _has_gpus: cap)  # type: ignore[assignment]
            self.truth = TruthMeter(self.clock, self.engine, self.rating_of)  # type: ignore[arg-type]
            self.meter = self.truth  # type: ignore[assignment]
        super().open()

    def rating_of(self, job_id: JobId) -> tuple[float, float, bool]:
        state = self.live.state
        return *state.side.rating(job_id), bool(state.jobs[job_id].spec.n_gpus)

    def send(self, frac: float, run_s: float = 600.0, **request: object) -> JobId:
        job_id = self.submit(run_s, **{"cpus": 0.5, "name": "train", **request})
        self.truth.frac[job_id] = frac
        return job_id

    def job(self, job_id: JobId) -> Job:
        return self.live.state.jobs[job_id]

    def predicted(self, job_id: JobId) -> float:
        return self.live.state.side.predicted_frac(job_id)

    def events(self, kind: type[ev.JobMetered | ev.PowerLearned]) -> list[ev.Event]:
        return [event for event in recorded_events(self.park.db) if isinstance(event, kind)]


@pytest.fixture
def park(tmp_path: Path) -> MeteredPark:
    return MeteredPark(tmp_path)


def test_a_running_job_is_corrected_and_its_name_remembered_over_a_crash(park: MeteredPark) -> None:
    first = park.send(0.4, run_s=200.0)
    park.step(5.0, 4)
    assert park.job(first).power_from == "table" and park.predicted(first) == 1.0, "it may still be warming up"
    park.step(5.0, 20)
    assert park.job(first).power_from == "meter" and park.predicted(first) == 0.4
    rated_kw = park.live.state.side.rating(first)[0]
    assert park.job(first).dynamic_kw == pytest.approx(0.4 * rated_kw, abs=2e-6)
    assert park.view(first)["power"]["from"] == "meter"
    assert park.view(first)["power"]["predicted_kw"] == pytest.approx(park.job(first).rated_kw, abs=1e-6)
    assert park.park.compute.why(park.owner, first)["power"]["from"] == "meter"
    seen_j = park.job(first).seen_j
    park.crash()
    assert park.predicted(first) == 0.4 and park.job(first).seen_j == seen_j > 0.0
    park.step(5.0, 20)
    assert first not in park.live.state.jobs
    known = park.live.state.side.learned["welcome", "train"]
    assert known.frac == pytest.approx(1.0 + 0.2 * (0.4 - 1.0)) and known.n_jobs == 1
    park.crash()
    assert park.live.state.side.learned["welcome", "train"] == known
    second = park.send(0.4)
    other = park.send(0.4, name="renamed")
    park.step()
    assert park.job(second).power_from == "learned" and park.predicted(second) == known.frac
    assert (park.view(second)["power"]["from"], park.view(second)["power"]["n_jobs"]) == ("learned", 1)
    assert park.predicted(other) == 1.0, "another name gains nothing: the nameplate is counted"


def test_a_meter_that_only_models_teaches_nothing(park: MeteredPark, monkeypatch: pytest.MonkeyPatch) -> None:
    read = park.truth.read
    monkeypatch.setattr(TruthMeter, "read", lambda _self, usages: replace(read(usages), method="modelled"))
    park.send(0.4, run_s=200.0)
    park.step(5.0, 60)
    assert park.events(ev.JobMetered) == [] and park.events(ev.PowerLearned) == []
    assert park.live.state.side.learned == {}


def test_a_meter_that_tells_nothing_of_jobs_teaches_nothing(park: MeteredPark, monkeypatch: pytest.MonkeyPatch) -> None:
    read = park.truth.read

    def silent(_self: TruthMeter, usages: tuple[JobUsage, ...]) -> MeterReading:
        return replace(read(usages), jobs=usages)  # counters that stand still

    monkeypatch.setattr(TruthMeter, "read", silent)
    park.send(0.4, run_s=200.0)
    park.step(5.0, 60)
    assert park.events(ev.JobMetered) == [] and park.events(ev.PowerLearned) == []


def test_a_quiet_begin_is_not_taken_for_a_low_draw(park: MeteredPark) -> None:
    job = park.send(0.02, run_s=300.0)
    park.step(5.0, 6)
    park.truth.frac[job] = 0.9
    park.step(5.0, 40)
    assert park.predicted(job) in (0.9, 1.0) and park.job(job).seen_j == pytest.approx(
        0.9 * park.job(job).seen_rated_j, rel=0.02
    )


def test_jobs_beside_each_other_are_told_apart(park: MeteredPark) -> None:
    low, high = park.send(0.3), park.send(0.8, name="other")
    park.step(5.0, 25)
    assert (park.predicted(low), park.predicted(high)) == (0.3, 0.8)


def test_a_cap_does_not_teach_a_low_draw_and_a_change_of_it_waits(park: MeteredPark) -> None:
    job = park.send(0.6, run_s=2_000.0)
    park.step(5.0, 25)
    assert park.predicted(job) == 0.6
    state = park.live.state
    state.apply(ev.JobCapped(job, park.clock.park_s(), 0.5))
    before_j = park.job(job).seen_j
    park.step(5.0, 4)
    assert park.job(job).seen_j == before_j, "just capped: what it draws has not settled"
    if park.job(job).cap_frac == 0.5:
        park.step(5.0, 60)
    assert park.predicted(job) == 0.6
    assert park.job(job).seen_j == pytest.approx(0.6 * park.job(job).seen_rated_j, rel=0.01)


def test_a_job_that_wakes_up_is_corrected_upwards_within_minutes(park: MeteredPark) -> None:
    job = park.send(0.1, run_s=5_000.0)
    park.step(10.0, 60)
    assert park.predicted(job) == 0.1
    park.truth.frac[job] = 1.0
    park.step(10.0, 24)
    assert park.predicted(job) > 0.9
    assert len(park.events(ev.JobMetered)) < 12, "not with every reading"


def test_what_is_declared_stands_until_the_meter_knows_better(park: MeteredPark) -> None:
    job = park.send(0.5, kw=0.005)
    park.step()
    assert park.job(job).power_from == "declared"
    declared = park.predicted(job)
    park.step(5.0, 25)
    assert park.job(job).state is JobState.RUNNING
    if abs(declared - 0.5) > 0.05:
        assert park.job(job).power_from == "meter" and park.predicted(job) == 0.5


def test_gpus_tell_their_own_energy_even_where_the_machine_is_modelled() -> None:
    site = load_site("eureka-park")
    state = ParkState()
    state.apply(ev.NodesDeclared(0.0, (ev.Node("n0", "local", 64, 512 * 2**30, 8, "h100", 8.4, 1.6, 0.7),)))
    for name, n_gpus in (("gpu", 4), ("cpu", 0)):
        declared = spec("p", n_gpus=n_gpus, n_cpus=8)
        state.apply(ev.JobSubmitted(JobId(name), 0.0, declared))
        gpus = tuple(range(n_gpus))
        state.apply(ev.JobStarting(JobId(name), 0.0, 1, "n0", gpus))
        state.apply(ev.JobStarted(JobId(name), 0.0))
    clock = SteppedClock(0.0)
    counters = {"gpu": (0.0, 0.0), "cpu": (0.0, None)}

    class Counters:
        def usage(self, _attempts: object) -> tuple[JobUsage, ...]:
            now_s = clock.real_s()
            return tuple(JobUsage(JobId(name), 1, now_s, *told) for name, told in counters.items())

    class Modelled:
        total_j = 0.0

        def read(self, usages: tuple[JobUsage, ...]) -> MeterReading:
            return MeterReading(clock.real_s(), self.total_j, 1600.0, "modelled", jobs=usages)

    meter = Modelled()
    metering = Metering(Counters(), meter, site, lambda real_s: real_s)  # type: ignore[arg-type]
    for at_s in (0.0, 60.0, 120.0):
        clock.step(at_s - clock.real_s())
        meter.total_j, counters["gpu"], counters["cpu"] = 4_000.0 * at_s, (8 * at_s, 1_400.0 * at_s), (8 * at_s, None)
        reading, _ = metering.read(state, {}, lambda _at_s: None)
        state.apply(ev.MeterRead(at_s, journal_form(reading)))
    told = metering.metered
    assert told is not None and list(told.dynamic_j) == ["gpu"]
    seen = Learning().look(state, told, {JobId("gpu"): 0.0}, {})
    assert [one.job.job_id for one in seen] == ["gpu"]
    frac = frac_of(seen[0].seen_j, seen[0].rated_j)
    assert frac is not None and 0.5 <= frac <= 0.8, "1.4 kW of its own GPUs, and its part of the rest, of 2.9 kW"
