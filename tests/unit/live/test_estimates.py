"""Estimates of starts in the live loop: asked for now and then, told in reasons, remembered with the start."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.live_park import LivePark

from eureka_park.compute import store as compute_store
from eureka_park.compute.core.job import Reason
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.units import parse_instant_s
from eureka_park.live.estimates import EVERY_S, ChildStartForecaster, Estimates, Row
from eureka_park.twin.starts_child import starts_of


class InProcess:
    """Works out starts at once, without a child process."""

    def __init__(self, rows: list[Row] | None = None) -> None:
        self.rows, self.requests = rows, 0
        self._ready: list[Row] | None = None

    @property
    def is_busy(self) -> bool:
        return False

    def start(self, request: Callable[[], Mapping[str, Any]]) -> None:
        self.requests += 1
        self._ready = self.rows if self.rows is not None else [tuple(row) for row in starts_of(request())]

    def take(self) -> tuple[list[Row] | None, str | None]:
        ready, self._ready = self._ready, None
        return ready, None


@pytest.fixture
def park(tmp_path: Path) -> LivePark:
    made = LivePark(tmp_path)
    made.live.parts.estimates.forecaster = InProcess()
    return made


def reason_of(park: LivePark, job_id: JobId) -> dict[str, Any]:
    found: dict[str, Any] = park.view(job_id)["reasons"][0]
    return found


def test_a_waiting_job_is_told_when_it_should_start_and_starts_about_then(park: LivePark) -> None:
    n_cpus = max(node.n_cpus for node in park.live.state.nodes.values())
    park.live.parts.estimates.ended.extend([("welcome", "", 3600.0, 0.5)] * 100)
    park.submit(run_s=1800.0, cpus=n_cpus, tier="firm", project="welcome")
    park.step(10.0, 2)
    begun_s = park.clock.park_s()
    waits = park.submit(run_s=1800.0, cpus=n_cpus, tier="firm", project="welcome")
    park.step(10.0, 8)
    values = reason_of(park, waits)["values"]
    p50_s, p90_s = parse_instant_s(values["start_p50"]), parse_instant_s(values["start_p90"])
    assert begun_s + 1600 < p50_s <= p90_s < begun_s + 2000, "half of the hour that was declared"
    while park.view(waits)["state"] in ("queued", "starting"):
        park.step(60.0)
    assert abs(parse_instant_s(park.view(waits)["started_at"]) - p50_s) < 200
    assert all("start_p50" not in item["values"] for item in park.view(waits)["reasons"])


def test_it_is_asked_for_only_while_somebody_waits_and_once_a_minute(park: LivePark) -> None:
    asked = park.live.parts.estimates.forecaster
    assert isinstance(asked, InProcess)
    n_cpus = max(node.n_cpus for node in park.live.state.nodes.values())
    park.submit(run_s=5000.0, cpus=n_cpus, tier="firm", project="welcome")
    park.step(10.0, 10)
    assert asked.requests == 0
    park.submit(run_s=5000.0, cpus=n_cpus, tier="firm", project="welcome")
    park.step(10.0, 24)
    assert asked.requests == 240 // EVERY_S


def test_ratios_of_ended_jobs_outlive_the_process(park: LivePark) -> None:
    park.submit(run_s=900.0, tier="firm", project="welcome")
    park.step(30.0, 60)
    ended = list(park.live.parts.estimates.ended)
    ((project, _, time_s, ratio),) = ended
    assert (project, time_s) == ("welcome", 3600.0) and ratio == pytest.approx(900 / 3600, abs=0.03)
    park.crash()
    assert list(park.live.parts.estimates.ended) == ended
    with park.park.db.read() as conn:
        assert compute_store.run_times(conn, 10) == ended
        assert compute_store.run_times(conn, 0) == []


def test_an_estimate_that_hardly_moves_is_not_told_anew(park: LivePark) -> None:
    n_cpus = max(node.n_cpus for node in park.live.state.nodes.values())
    park.submit(run_s=5000.0, cpus=n_cpus, tier="firm", project="welcome")
    park.step()
    waits = park.submit(run_s=50.0, cpus=n_cpus, tier="firm", project="welcome")
    park.step()
    state, now_s = park.live.state, park.clock.park_s()
    order, last = state.jobs[waits].order, Reason("room", "It waits.", {})
    estimates = Estimates()
    for p50_s, is_news in ((3000.0, True), (3050.0, False), (3400.0, True)):
        estimates.take(state, [(order, now_s + p50_s, now_s + 4000.0), (999_999, now_s, now_s)], now_s)
        told = estimates.told(state, {}, lambda _: last)
        assert list(told) == ([waits] if is_news else [])
    assert parse_instant_s(told[waits].values["start_p50"]) == pytest.approx(now_s + 3400.0, abs=0.01)
    estimates.note_ended([state.jobs[waits]])
    assert estimates.told(state, {waits: last}, lambda _: last) == {waits: last}


def test_a_child_that_fails_is_told_once_and_asked_again(park: LivePark, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(InProcess):
        def take(self) -> tuple[list[Row] | None, str | None]:
            return None, "ValueError: no board" if self.requests else None

    failing = park.live.parts.estimates.forecaster = Failing([])
    n_cpus = max(node.n_cpus for node in park.live.state.nodes.values())
    for _ in range(2):
        park.submit(run_s=5000.0, cpus=n_cpus, tier="firm", project="welcome")
    park.step(10.0, 15)
    assert failing.requests == 3
    said = [record.getMessage() for record in caplog.records]
    assert said.count("no new estimates of starts: ValueError: no board") == 1


def test_the_child_answers_in_a_process_of_its_own() -> None:
    done = threading.Event()
    child = ChildStartForecaster(done.set)
    child.start(lambda: {"board": {"schema": "another"}})
    assert done.wait(120.0) and not child.is_busy
    rows, error = child.take()
    assert rows is None and error == "ValueError: the board was laid out otherwise"
    assert child.take() == (None, None)
