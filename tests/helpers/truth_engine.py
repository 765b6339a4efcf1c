"""An engine that plays the twin's truth for the live loop: work is done at the speed that caps leave."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path

from eureka_park.foundation.clock import SteppedClock
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.wire.engine import (
    Capability,
    EngineReport,
    JobUsage,
    MeterReading,
    Outcome,
    Phase,
    StartOrder,
)

Key = tuple[JobId, int]
ALL = frozenset({Capability.CHECKPOINT, Capability.FREEZE, Capability.CAP, Capability.GANG, Capability.RESIZE})


@dataclass
class Attempt:
    """One attempt: when its command began, and the work done up to `since_s` at full speed, over all attempts."""

    started_s: float
    has_gpus: bool
    ran_s: float = 0.0
    since_s: float = 0.0
    speed: float = 1.0
    ends_s: float = inf
    phase: Phase = Phase.RUNNING
    outcome: Outcome | None = None
    ended_s: float | None = None


@dataclass
class TruthEngine:
    """`run_s`: true work of a job, in seconds at full speed; `speed_of`: speed under a cap, with GPUs or without."""

    clock: SteppedClock
    speed_of: Callable[[float, bool], float]
    run_s: dict[str, float] = field(default_factory=dict)
    done_s: dict[str, float] = field(default_factory=dict)
    attempts: dict[Key, Attempt] = field(default_factory=dict)
    n_orders: int = 0
    can: frozenset[Capability] = ALL

    def capabilities(self) -> frozenset[Capability]:
        return self.can

    def submit(self, order: StartOrder) -> None:
        key = (order.job_id, order.attempt)
        self.n_orders += 1
        if key in self.attempts:
            return
        now_s = self.clock.real_s()
        made = Attempt(now_s, bool(order.gpu_indices), self.done_s.get(order.job_id, 0.0), now_s)
        made.speed = self.speed_of(order.cap_frac, made.has_gpus)
        self.attempts[key] = made
        self._expect(order.job_id, made)

    def _expect(self, job_id: JobId, attempt: Attempt) -> None:
        left_s = max(0.0, self.run_s[job_id] - attempt.ran_s)
        attempt.ends_s = attempt.since_s + left_s / attempt.speed

    def _settle(self, attempt: Attempt, now_s: float) -> None:
        attempt.ran_s += max(0.0, now_s - attempt.since_s) * attempt.speed
        attempt.since_s = now_s

    def set_cap(self, job_id: JobId, attempt: int, cap_frac: float) -> None:
        found = self.attempts[job_id, attempt]
        if found.phase is Phase.RUNNING and self.speed_of(cap_frac, found.has_gpus) != found.speed:
            self._settle(found, self.clock.real_s())
            found.speed = self.speed_of(cap_frac, found.has_gpus)
            self._expect(job_id, found)

    def suspend(self, job_id: JobId, attempt: int, how: str, grace_s: float) -> None:
        found, now_s = self.attempts[job_id, attempt], self.clock.real_s()
        if found.phase is not Phase.RUNNING:
            return
        self._settle(found, now_s)
        found.ends_s = inf
        if how == "freeze":
            found.phase = Phase.FROZEN
        else:
            self.done_s[job_id] = found.ran_s
            self._end(found, Outcome.PAUSED, now_s)

    def resume(self, job_id: JobId, attempt: int) -> None:
        found = self.attempts[job_id, attempt]
        if found.phase is Phase.FROZEN:
            found.phase, found.since_s = Phase.RUNNING, self.clock.real_s()
            self._expect(job_id, found)

    def cancel(self, job_id: JobId, attempt: int, grace_s: float) -> None:
        found = self.attempts[job_id, attempt]
        if found.phase is not Phase.EXITED:
            self._end(found, Outcome.CANCELLED, self.clock.real_s())

    def _end(self, attempt: Attempt, outcome: Outcome, at_s: float) -> None:
        attempt.phase, attempt.outcome, attempt.ended_s, attempt.ends_s = Phase.EXITED, outcome, at_s, inf

    def status(self, attempts: Iterable[Key]) -> list[EngineReport]:
        now_s = self.clock.real_s()
        found = []
        for key in attempts:
            attempt = self.attempts.get(key)
            if attempt is None:
                continue
            if attempt.phase is Phase.RUNNING and attempt.ends_s <= now_s:
                self._end(attempt, Outcome.FINISHED, attempt.ends_s)
            found.append(
                EngineReport(
                    *key, attempt.phase, attempt.ended_s or now_s, attempt.outcome,
                    started_at_s=attempt.started_s, ended_at_s=attempt.ended_s,
                )
            )  # fmt: skip
        return found

    def usage(self, attempts: Iterable[Key]) -> tuple[JobUsage, ...]:
        return tuple(JobUsage(*key, self.clock.real_s(), 0.0) for key in attempts if key in self.attempts)

    def log_path(self, job_id: JobId) -> Path:
        return Path("/nowhere")

    def close(self) -> None:
        return


@dataclass
class TruthMeter:
    """A measured counter that tells of each job what it truly draws. `frac`: by job, the part of its dynamic power at
    nameplate; `rating_of`: that power in kW, the part of it that its cap leaves, whether it has GPUs.
    """

    clock: SteppedClock
    engine: TruthEngine
    rating_of: Callable[[JobId], tuple[float, float, bool]]
    frac: dict[str, float] = field(default_factory=dict)
    idle_w: float = 1000.0
    total_j: float = 0.0
    drawn_j: dict[Key, float] = field(default_factory=dict)
    last_s: float | None = None

    def read(self, usages: tuple[JobUsage, ...]) -> MeterReading:
        now_s = self.clock.real_s()
        since_s = now_s if self.last_s is None else self.last_s
        self.total_j += self.idle_w * (now_s - since_s)
        self.last_s = now_s
        told = tuple(self._usage(usage, since_s, now_s) for usage in usages)
        return MeterReading(now_s, self.total_j, self.idle_w, "measured", jobs=told)

    def _usage(self, usage: JobUsage, since_s: float, now_s: float) -> JobUsage:
        key = usage.job_id, usage.attempt
        attempt = self.engine.attempts[key]
        full_kw, cap_part, has_gpus = self.rating_of(usage.job_id)
        span_s = max(0.0, (attempt.ended_s or now_s) - max(since_s, attempt.started_s))
        if attempt.phase is Phase.FROZEN:
            span_s = 0.0
        more_j = full_kw * 1000.0 * cap_part * self.frac[usage.job_id] * span_s
        self.total_j += more_j
        self.drawn_j[key] = self.drawn_j.get(key, 0.0) + more_j
        if has_gpus:
            return replace(usage, gpu_j=self.drawn_j[key])
        return replace(usage, cpu_s=self.drawn_j[key] / 100.0)
