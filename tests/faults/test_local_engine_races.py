"""Moments of the local engine that real time seldom hits, held still."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eureka_park.adapters.engines.local.engine import LocalEngine
from eureka_park.adapters.engines.local.places import Attempt
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.wire.engine import EngineReport, Phase, StartOrder
from eureka_park.sandbox.cgroups import Cgroup
from eureka_park.sandbox.processes import Identity

JOB = JobId("job-race")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[LocalEngine]:
    found = LocalEngine(tmp_path)
    yield found
    found.close()


def start(engine: LocalEngine, text: str) -> None:
    command = ("sh", "-c", text)
    engine.submit(
        StartOrder(JOB, 1, project="welcome", command=command, env={}, files=(), n_cpus=1.0, memory_bytes=64 * 1024**2)
    )


def until(engine: LocalEngine, *phases: Phase) -> EngineReport:
    end_s = time.monotonic() + 20.0
    while True:
        reports = engine.status([(JOB, 1)])
        if reports and reports[0].phase in phases:
            return reports[0]
        assert time.monotonic() < end_s, reports
        time.sleep(0.01)


def test_a_claim_made_while_the_engine_looks_is_not_a_loss(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(engine, "sleep 1; exit 4")
    until(engine, Phase.RUNNING)
    (Path(engine.home) / "jobs" / JOB / "attempts/1/state.json").unlink()  # as before its first word
    look, looks = LocalEngine._supervisor, []

    def first_look_misses(self: LocalEngine, attempt: Attempt) -> Identity | None:
        looks.append(attempt)
        return None if len(looks) == 1 else look(self, attempt)

    monkeypatch.setattr(LocalEngine, "_supervisor", first_look_misses)
    (report,) = engine.status([(JOB, 1)])
    assert report.phase is Phase.PREPARING
    assert until(engine, Phase.EXITED).exit_code == 4


def test_a_damaged_claim_is_a_loss_in_words(engine: LocalEngine) -> None:
    folder = Path(engine.home) / "jobs" / JOB / "attempts" / "1"
    folder.mkdir(parents=True)
    (folder / "claim").write_text("{")
    (report,) = engine.status([(JOB, 1)])
    assert report.phase is Phase.LOST
    assert "died without a last word" in report.detail


def test_a_job_whose_group_is_taken_away_still_has_a_last_word(engine: LocalEngine) -> None:
    if engine.sandbox.place is None:
        pytest.skip(f"no control groups here: {dict(engine.sandbox.why_not)}")
    start(engine, "echo began; sleep 60")
    until(engine, Phase.RUNNING)
    facts: Any = engine.sandbox.place.group(f"{JOB}.1")
    assert isinstance(facts, Cgroup)
    log, end_s = Path(engine.home) / "jobs" / JOB / "log.txt", time.monotonic() + 20.0
    while b"began" not in log.read_bytes():  # a job is reported to run as soon as it is born; then it enters its group
        assert time.monotonic() < end_s
        time.sleep(0.01)
    facts.kill()
    facts.remove()
    assert until(engine, Phase.EXITED, Phase.LOST).phase is Phase.EXITED
