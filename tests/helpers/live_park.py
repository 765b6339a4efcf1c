"""A whole park in one process on a stepped clock, that can be crashed and opened again at any moment."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from eureka_park import bootstrap
from eureka_park.accounts.service import Principal
from eureka_park.control.of_site import nodes_of
from eureka_park.foundation.clock import SteppedClock
from eureka_park.foundation.ids import JobId
from eureka_park.live import store as live_store
from eureka_park.live.loop import Live
from tests.helpers.recorder import CounterMeter, PlanInProcess, RecorderEngine

START_S = 1_795_348_800.0  # 2026-11-22T12:00:00Z
ARE_ROWS_ELSEWHERE = False  # with `--database postgres`: a copy of a home's folder is no copy of the park


@cache
def _new_home(**home: Any) -> Path:
    """A home made once for all tests of a process: each gets a copy of its own."""
    folder = Path(tempfile.mkdtemp(prefix="park-home-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return _make_home(folder / "home", **home)


def _make_home(folder: Path, **home: Any) -> Path:
    """A home as `park up` makes it."""
    bootstrap.make_home(folder, now_real_s=START_S, is_bare=True, **home)
    bootstrap.prepare(folder)
    return folder


class LivePark:
    """Use `submit`, `step`, `crash`; everything real but engine, meter and clock."""

    def __init__(self, folder: Path, **home: Any) -> None:
        self.clock = SteppedClock(START_S)
        self.folder = folder / "home"
        if ARE_ROWS_ELSEWHERE or "PARK_DATABASE_URL" in os.environ:
            _make_home(self.folder, **home)
        else:
            shutil.copytree(_new_home(**home), self.folder, symlinks=True)
        self.engine, self.meter, self.maker = RecorderEngine(self.clock), CounterMeter(self.clock), PlanInProcess()
        self.live: Live
        self.open()

    def open(self) -> None:
        self.park = bootstrap.open_park(self.folder, self.clock)
        with self.park.db.write() as conn:
            lease = live_store.take_lease(conn, "test", self.clock.real_s(), 15.0, may_take=True)
        self.live = bootstrap.build_live(self.park, self.engine, self.meter, self.maker, lease.token)
        self.before_begin()
        self.live.begin(nodes_of(self.park.site))

    def before_begin(self) -> None:
        """For tests that need other parts: nothing has happened yet."""

    def crash(self) -> None:
        """Lose the process: memory gone, the engine's jobs go on; then a new one takes over."""
        self.live.state.validate()
        self.park.close()
        self.open()
        self.live.state.validate()

    @property
    def owner(self) -> Principal:
        person_id, _ = self.park.accounts.ensure_owner()
        return Principal(person_id, "owner", True, frozenset())

    def submit(self, run_s: float = 60.0, **request: Any) -> JobId:
        job_id = self.park.compute.submit(self.owner, {"command": ["true"], "time": 3600, **request})
        self.engine.run_s[job_id] = run_s
        return job_id

    def step(self, seconds: float = 5.0, times: int = 1) -> None:
        for _ in range(times):
            self.clock.step(seconds)
            self.live.cycle()
            self.live.state.validate()

    def view(self, job_id: str) -> dict[str, Any]:
        return self.park.compute.job(self.owner, job_id)

    def receipt(self, job_id: str) -> dict[str, Any]:
        receipt = self.park.ledger.receipt(job_id)
        assert receipt is not None
        return receipt
