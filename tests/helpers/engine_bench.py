"""One local engine and short words for using it: what its contract tests share."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from eureka_park.adapters.engines.local.engine import LocalEngine
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.wire.engine import EngineReport, Phase, StartOrder
from eureka_park.sandbox.levels import Level

MIB = 1024**2
LEVELS = [level.word for level in reversed(Level)]
numbers = itertools.count()


class Bench:
    """One engine and short words for using it."""

    def __init__(self, engine: LocalEngine) -> None:
        self.engine = engine
        self.home = Path(engine.home)
        self.level = engine.sandbox.level

    def start(self, *command: str, job: str = "", attempt: int = 1, **more: object) -> JobId:
        job_id = JobId(job or f"job-{next(numbers)}")
        settings: dict[str, object] = {
            "env": {},
            "files": (),
            "n_cpus": 1.0,
            "memory_bytes": 512 * MIB,
            "project": "welcome",
        }
        settings |= more
        self.engine.submit(StartOrder(job_id=job_id, attempt=attempt, command=command, **settings))  # type: ignore[arg-type]
        return job_id

    def python(self, code: str, **more: object) -> JobId:
        return self.start("python", "-c", code, uses_python=True, **more)  # type: ignore[arg-type]

    def report(self, job: JobId, attempt: int = 1) -> EngineReport | None:
        found = self.engine.status([(job, attempt)])
        return found[0] if found else None

    def until(self, job: JobId, *phases: Phase, attempt: int = 1, wait_s: float = 20.0) -> EngineReport:
        end_s = time.monotonic() + wait_s
        while True:
            report = self.report(job, attempt)
            if report and report.phase in phases:
                return report
            assert time.monotonic() < end_s, f"{report} did not become {phases}\n{self.log(job)}"
            time.sleep(0.01)

    def end(self, job: JobId, attempt: int = 1) -> EngineReport:
        return self.until(job, Phase.EXITED, Phase.LOST, attempt=attempt)

    def log(self, job: JobId) -> str:
        path = self.engine.log_path(job)
        return path.read_text() if path.exists() else ""

    def says(self, job: JobId, word: str, wait_s: float = 20.0) -> None:
        wait_for(lambda: word in self.log(job), f"{word!r} in the log", wait_s)

    def cpu_s(self, job: JobId) -> float:
        return self.engine.usage([(job, 1)])[0].cpu_s

    def supervisor(self, job: JobId) -> int:
        return int(json.loads((self.home / "jobs" / job / "attempts" / "1" / "claim").read_text())["pid"])


def wait_for(is_true: Callable[[], bool], what: str, wait_s: float = 20.0) -> None:
    end_s = time.monotonic() + wait_s
    while not is_true():
        assert time.monotonic() < end_s, f"waited in vain for {what}"
        time.sleep(0.01)


def open_bench(home: Path, level: str | None) -> Bench:
    bench = Bench(LocalEngine(home, level))
    if level and bench.engine.sandbox_level != level:
        reason = bench.engine.sandbox.why_not.get(level, "unknown")
        bench.engine.close()
        pytest.skip(f"{level} is not reached here: {reason}")
    return bench


def is_living(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
