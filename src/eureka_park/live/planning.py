"""Having a plan made: when, with which demand, in a child process that ends."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from eureka_park.energy.core.plan_check import plan_fault
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import Site, site_to_json

TRY_AGAIN_S: Final = 30.0  # real seconds between two attempts, so that a failing child cannot spin
DEMAND_STEP_FRAC: Final = 0.1  # a change of potential demand by this part of capacity asks for a new plan
SCHEDULED_S: Final = 15.0  # real seconds between plans, whatever the pace: making one costs about half a CPU second
SETTLE_S: Final = 10.0  # real seconds between plans that only a change of demand asks for
TIMEOUT_S: Final = 120.0
KEPT_PLANS: Final = 4


class PlanMaker(Protocol):
    """Makes plans in the background."""

    def start(self, request: dict[str, Any]) -> None:
        """Begin to make a plan, unless one is being made."""

    def take(self) -> tuple[PowerPlan | None, str | None]:
        """A plan that has become ready, or what went wrong, once each."""

    @property
    def is_busy(self) -> bool:
        """Whether a plan is being made."""


class ChildPlanMaker:
    """Runs `eureka_park.energy.plan_child`; numpy and the solver live and die with it."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._busy = False
        self._plan: PowerPlan | None = None
        self._error: str | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a child is at work."""
        return self._busy

    def start(self, request: dict[str, Any]) -> None:
        """Start a child, unless one is at work."""
        with self._lock:
            if self._busy:
                return
            self._busy = True
        threading.Thread(target=self._run, args=(json.dumps(request),), daemon=True, name="plan").start()

    def take(self) -> tuple[PowerPlan | None, str | None]:
        """What the last child brought, once."""
        with self._lock:
            plan, error, self._plan, self._error = self._plan, self._error, None, None
        return plan, error

    def _run(self, request: str) -> None:
        plan, error = None, None
        command = [sys.executable, "-m", "eureka_park.energy.plan_child"]
        try:
            done = subprocess.run(
                command, input=request, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
            if done.returncode == 0:
                plan = PowerPlan.from_json(json.loads(done.stdout))
            else:
                error = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired) as failure:
            error = f"{type(failure).__name__}: {failure}"
        with self._lock:
            self._plan, self._error, self._busy = plan, error, False
        self._wake()


@dataclass(slots=True)
class Planning:
    """Decides when a new plan is due and what it is asked for."""

    site: Site
    maker: PlanMaker
    salt_at: Callable[[float, float], dict[str, float] | None]
    seed: int = 1
    plan: PowerPlan | None = None
    earlier: list[PowerPlan] = field(default_factory=list)
    error: str = ""
    _asked_real_s: float = field(default=-1e18)
    _asked_demand_mw: tuple[float, ...] = ()

    def step(self, now_s: float, real_s: float, demand_mw: tuple[float, ...]) -> PowerPlan | None:
        """Take a finished plan if there is one, ask for the next if it is due; the new plan or None."""
        fresh, error = self.maker.take()
        fault = plan_fault(fresh, self.site, now_s) if fresh is not None else ""
        if fault:  # the last good plan is followed as far as it reaches, then the grid alone is counted on
            fresh, error = None, f"The new plan is not followed: {fault}."
        if fresh is not None:
            self.earlier = [plan for plan in (self.plan, *self.earlier) if plan is not None][:KEPT_PLANS]
            self.plan, self.error = fresh, ""
        elif error is not None:
            self.error = error
        if not self.maker.is_busy and self._is_due(now_s, real_s, demand_mw):
            self._asked_real_s, self._asked_demand_mw = real_s, demand_mw
            self.maker.start(self._request(now_s, demand_mw))
        return fresh

    def plan_at(self, park_s: float) -> PowerPlan | None:
        """The newest plan whose hours hold an instant: an interval that is booked may lie before the newest plan's."""
        plans = [plan for plan in (self.plan, *self.earlier) if plan is not None]
        return next((plan for plan in plans if plan.start_s <= park_s < plan.end_s), self.plan)

    def _is_due(self, now_s: float, real_s: float, demand_mw: tuple[float, ...]) -> bool:
        waited_s = real_s - self._asked_real_s
        if self.error and waited_s < TRY_AGAIN_S:
            return False
        if self.plan is None:
            return waited_s >= TRY_AGAIN_S or self._asked_real_s < 0
        if now_s - self.plan.issued_at_s >= self.site.policy.plan_every_s:
            return waited_s >= SCHEDULED_S
        if waited_s < SETTLE_S:
            return False
        old = self._asked_demand_mw or (0.0,)
        capacity = max(max(demand_mw), max(old), 1e-12)
        return max(abs(new - before) for new, before in zip(demand_mw, old, strict=False)) > DEMAND_STEP_FRAC * capacity

    def _request(self, now_s: float, demand_mw: tuple[float, ...]) -> dict[str, Any]:
        return {
            "site": site_to_json(self.site),
            "now_s": now_s,
            "demand_mw": [value / self.site.factor for value in demand_mw],
            "tes_mwh_th": self.salt_at(now_s, self.site.factor),
            "seed": self.seed,
            "without": [],
            "horizon_h": 48,
        }
