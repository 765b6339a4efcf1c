"""Doubles for live: an engine that plays a truth of its own, a meter that knows nothing of jobs, a plan maker in
process.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from eureka_park.energy.core.power_plan import make_plan
from eureka_park.energy.core.supply import Supply, supply_of
from eureka_park.energy.plan_child import read_request
from eureka_park.foundation.clock import SteppedClock
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import site_from_json
from eureka_park.foundation.wire.engine import (
    Capability,
    EngineReport,
    JobUsage,
    MeterReading,
    Outcome,
    Phase,
    StartOrder,
)

ALL = frozenset({Capability.CHECKPOINT, Capability.FREEZE, Capability.CAP, Capability.GANG, Capability.RESIZE})
Key = tuple[JobId, int]


@dataclass
class RecorderEngine:
    """Runs attempts in its own head, outliving any live process that talks to it. `runs` counts real starts."""

    clock: SteppedClock
    run_s: dict[str, float] = field(default_factory=dict)  # real seconds a job's command needs; 60 when not named
    codes: dict[str, int] = field(default_factory=dict)
    reports: dict[Key, EngineReport] = field(default_factory=dict)
    done_s: dict[str, float] = field(default_factory=dict)  # work done in attempts before
    runs: dict[Key, int] = field(default_factory=dict)
    orders: list[StartOrder] = field(default_factory=list)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    drop_orders: bool = False
    can: frozenset[Capability] = ALL
    writes_long: bool = False  # a checkpoint is done when the test says so (`stop`), not at once

    def capabilities(self) -> frozenset[Capability]:
        return self.can

    def submit(self, order: StartOrder) -> None:
        self.orders.append(order)
        key = (order.job_id, order.attempt)
        if self.drop_orders or key in self.reports:
            return
        self.runs[key] = self.runs.get(key, 0) + 1
        now = self.clock.real_s()
        self.reports[key] = EngineReport(order.job_id, order.attempt, Phase.RUNNING, now, started_at_s=now)

    def cancel(self, job_id: JobId, attempt: int, grace_s: float) -> None:
        self.calls.append(("cancel", job_id))
        self._end(job_id, attempt, Outcome.CANCELLED, signal=15)

    def suspend(self, job_id: JobId, attempt: int, how: str, grace_s: float) -> None:
        self.calls.append((how, job_id))
        report = self.reports.get((job_id, attempt))
        if report is None or report.phase is Phase.EXITED:
            return
        if how == "freeze":
            self.reports[job_id, attempt] = replace(report, phase=Phase.FROZEN)
        elif self.writes_long:
            self.reports[job_id, attempt] = replace(report, phase=Phase.PAUSING)
        else:
            self.stop(job_id, attempt)

    def stop(self, job_id: JobId, attempt: int) -> None:
        """The checkpoint is written; the attempt ends."""
        report = self.reports[job_id, attempt]
        self.done_s[job_id] = self.done_s.get(job_id, 0.0) + self.clock.real_s() - (report.started_at_s or 0.0)
        self._end(job_id, attempt, Outcome.PAUSED, code=75)

    def resume(self, job_id: JobId, attempt: int) -> None:
        report = self.reports.get((job_id, attempt))
        if report is not None and report.phase is Phase.FROZEN:
            self.reports[job_id, attempt] = replace(report, phase=Phase.RUNNING)

    def set_cap(self, job_id: JobId, attempt: int, cap_frac: float) -> None:
        self.calls.append(("cap", job_id, f"{cap_frac:g}"))

    def status(self, attempts: Iterable[Key]) -> list[EngineReport]:
        now = self.clock.real_s()
        for key, report in list(self.reports.items()):
            need = self.run_s.get(key[0], 60.0) - self.done_s.get(key[0], 0.0)
            if report.phase is Phase.RUNNING and now - (report.started_at_s or now) >= need:
                code = self.codes.get(key[0], 0)
                outcome = Outcome.FINISHED if code == 0 else Outcome.FAILED
                self._end(*key, outcome, code=code, at_s=(report.started_at_s or now) + need)
        return [self.reports[key] for key in attempts if key in self.reports]

    def usage(self, attempts: Iterable[Key]) -> tuple[JobUsage, ...]:
        self.status([])
        return tuple(self._usage(key) for key in attempts if key in self.reports)

    def _usage(self, key: Key) -> JobUsage:
        report = self.reports[key]
        end = report.ended_at_s or self.clock.real_s()
        return JobUsage(*key, self.clock.real_s(), end - (report.started_at_s or end))

    def _end(
        self, job_id: JobId, attempt: int, outcome: Outcome, *, code: int | None = None, signal: int | None = None,
        at_s: float | None = None,
    ) -> None:  # fmt: skip
        report = self.reports.get((job_id, attempt))
        if report is None or report.phase is Phase.EXITED:
            return
        ended = at_s if at_s is not None else self.clock.real_s()
        self.reports[job_id, attempt] = replace(
            report, phase=Phase.EXITED, outcome=outcome, exit_code=code, exit_signal=signal, ended_at_s=ended
        )

    def log_path(self, job_id: JobId) -> Path:
        return Path("/nowhere")

    def close(self) -> None:
        return


@dataclass
class CounterMeter:
    """A node counter that wraps, restarts and knows nothing of jobs: watts follow a list over time."""

    clock: SteppedClock
    watts: float = 30.0
    range_j: float = 5_000.0
    epoch: str = "boot-1"
    total_j: float = 0.0
    _last_s: float | None = None

    def read(self, usages: tuple[JobUsage, ...]) -> MeterReading:
        now = self.clock.real_s()
        if self._last_s is not None:
            self.total_j += self.watts * (now - self._last_s)
        self._last_s = now
        return MeterReading(
            now,
            self.total_j % self.range_j if self.range_j else self.total_j,
            20.0,
            "measured",
            self.range_j,
            self.epoch,
            usages,
        )


@lru_cache(maxsize=8)
def _supply(site: str, seed: int, scenario: str) -> Supply:
    return supply_of(site_from_json(json.loads(site)), seed, scenario)


@lru_cache(maxsize=256)
def _plan(asked: str) -> PowerPlan:
    site, request = read_request(json.loads(asked))
    return make_plan(site, request, _supply(json.dumps(json.loads(asked)["site"]), request.seed, request.scenario))


class PlanInProcess:
    """Makes real plans at once, without a child process. What was asked before, by any test, is answered from memory:
    a plan depends on its request alone (tests/unit/energy/test_plan_child_and_service.py).
    """

    def __init__(self) -> None:
        self._plan: PowerPlan | None = None
        self._last: PowerPlan | None = None
        self.requests: list[dict[str, Any]] = []
        self.again_for_s = 0.0  # how old the last plan may be to be given again; for processes lost many times a minute

    @property
    def is_busy(self) -> bool:
        return False

    def start(self, request: dict[str, Any]) -> None:
        self.requests.append(request)
        last = self._last
        if last is None or request["now_s"] - last.issued_at_s >= self.again_for_s:
            self._last = _plan(json.dumps(request))
        self._plan = self._last

    def take(self) -> tuple[PowerPlan | None, str | None]:
        plan, self._plan = self._plan, None
        return plan, None
