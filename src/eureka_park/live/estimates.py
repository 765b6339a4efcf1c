"""When waiting jobs should start: asked of a child process now and then, and put into the reasons they are given."""

from __future__ import annotations

import copy
import json
import logging
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, Protocol

from eureka_park.compute.core.board import Board, board_to_json
from eureka_park.compute.core.job import WAITING, Job, Reason
from eureka_park.compute.core.share_paths import NOBODY
from eureka_park.compute.core.state import ParkState
from eureka_park.control.reasons import with_estimate
from eureka_park.foundation.errors import ParkError
from eureka_park.foundation.ids import JobId

EVERY_S: Final = 60.0  # real seconds between two estimates, at least
BUDGET_S: Final = 10.0  # CPU seconds of one estimate; a long queue gets fewer draws
TIMEOUT_S: Final = 300.0  # compiling for the first time included
KEPT_ENDS: Final = 2_000  # ended jobs whose run times are remembered
TOLD_AT_ONCE: Final = 500  # jobs that are told a new estimate in one cycle
NEWS_S: Final = 120.0  # an estimate that moves by less, or by less than NEWS_FRAC of the wait, is no news
NEWS_FRAC: Final = 0.1

_log = logging.getLogger("eureka_park.live")

End = tuple[str, str, float, float]  # project, person, declared time, work done over it
Row = tuple[int, float, float]  # order of the job, p50 and p90 of its start


class StartForecaster(Protocol):
    """Works out starts in the background."""

    def start(self, request: Callable[[], Mapping[str, Any]]) -> None:
        """Begin, unless it is at work; the request is made where it does not hold up the park."""

    def take(self) -> tuple[list[Row] | None, str | None]:
        """What has become ready, or what went wrong, once each."""

    @property
    def is_busy(self) -> bool:
        """Whether it is at work."""


class ChildStartForecaster:
    """Runs `eureka_park.twin.starts_child`; what it needs lives and dies with it. `keep` is given each request as text:
    quotes are estimated from the same board.
    """

    def __init__(self, wake: Callable[[], None], keep: Callable[[str], None] = lambda _text: None) -> None:
        self._wake, self._keep = wake, keep
        self._lock = threading.Lock()
        self._busy = False
        self._rows: list[Row] | None = None
        self._error: str | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a child is at work."""
        return self._busy

    def start(self, request: Callable[[], Mapping[str, Any]]) -> None:
        """Start a child, unless one is at work."""
        with self._lock:
            if self._busy:
                return
            self._busy = True
        threading.Thread(target=self._run, args=(request,), daemon=True, name="starts").start()

    def take(self) -> tuple[list[Row] | None, str | None]:
        """What the last child brought, once."""
        with self._lock:
            rows, error, self._rows, self._error = self._rows, self._error, None, None
        return rows, error

    def _run(self, request: Callable[[], Mapping[str, Any]]) -> None:
        rows, error = None, None
        command = [sys.executable, "-m", "eureka_park.twin.starts_child"]
        try:
            text = json.dumps(request())
            with suppress(ParkError):  # a full disk costs only that
                self._keep(text)
            done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
            if done.returncode == 0:
                rows = [(int(order), float(p50), float(p90)) for order, p50, p90 in json.loads(done.stdout)]
            else:
                error = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        except (OSError, ValueError, TypeError, subprocess.TimeoutExpired) as failure:
            error = f"{type(failure).__name__}: {failure}"
        with self._lock:
            self._rows, self._error, self._busy = rows, error, False
        self._wake()


@dataclass(slots=True)
class Estimates:
    """What is known of starts to come. Without a forecaster nothing ever is."""

    forecaster: StartForecaster | None = None
    tick_s: float = 60.0
    seed: int = 1
    error: str = ""
    ended: deque[End] = field(default_factory=lambda: deque(maxlen=KEPT_ENDS))
    _known: dict[JobId, tuple[float, float]] = field(default_factory=dict)
    _told: dict[JobId, tuple[float, float]] = field(default_factory=dict)
    _untold: dict[JobId, None] = field(default_factory=dict)
    _asked_real_s: float = -1e18

    def note_ended(self, jobs: Iterable[Job]) -> None:
        """Remember how much of their declared time jobs took that ran."""
        for job in jobs:
            if job.first_started_s is not None:
                time_s = max(1.0, job.spec.time_s)
                self.ended.append((job.spec.project, job.spec.person, time_s, job.ran_s / time_s))
            for kept in (self._known, self._told, self._untold):
                kept.pop(job.job_id, None)

    def step(self, state: ParkState, now_s: float, real_s: float) -> None:
        """Take what has become ready; ask anew when it is due and somebody waits."""
        if self.forecaster is None:
            return
        rows, error = self.forecaster.take()
        if error and error != self.error:
            _log.warning("no new estimates of starts: %s", error)
        self.error = error or ("" if rows is not None else self.error)
        if rows is not None:
            self.take(state, rows, now_s)
        is_due = real_s - self._asked_real_s >= EVERY_S and not self.forecaster.is_busy
        if is_due and state.board is not None and state.board.g.n_waiting[0] > 0:
            self._asked_real_s = real_s
            self.forecaster.start(self._request(state, now_s, real_s))

    def take(self, state: ParkState, rows: Iterable[Row], now_s: float) -> None:
        """Take over estimates by the jobs' orders; those that are no news are kept, but told to nobody."""
        by_order = {job.order: job.job_id for job in state.jobs.values() if job.state in WAITING}
        self._known = {by_order[order]: (p50_s, p90_s) for order, p50_s, p90_s in rows if order in by_order}
        soonest = sorted(self._known, key=lambda job_id: self._known[job_id])
        self._untold = {job_id: None for job_id in soonest if self._is_news(job_id, now_s)}

    def told(
        self, state: ParkState, reasons: Mapping[JobId, Reason], last_of: Callable[[JobId], Reason | None]
    ) -> dict[JobId, Reason]:
        """Reasons with the estimates in them, and those of some jobs whose estimate is news; `last_of` is the reason
        that a job was given last.
        """
        if not self._known:
            return dict(reasons)
        found = {job_id: self._with(state, job_id, reason) for job_id, reason in reasons.items()}
        for job_id in list(islice(self._untold, TOLD_AT_ONCE)):
            self._untold.pop(job_id)
            reason = last_of(job_id)
            if job_id not in found and reason is not None:
                found[job_id] = self._with(state, job_id, reason)
        return found

    def _with(self, state: ParkState, job_id: JobId, reason: Reason) -> Reason:
        known, job = self._known.get(job_id), state.jobs.get(job_id)
        if known is None or job is None or job.state not in WAITING:
            return reason
        self._told[job_id] = known
        self._untold.pop(job_id, None)
        return with_estimate(reason, *known)

    def _is_news(self, job_id: JobId, now_s: float) -> bool:
        told, known = self._told.get(job_id), self._known[job_id]
        return told is None or any(
            abs(new - old) > max(NEWS_S, NEWS_FRAC * (old - now_s)) for new, old in zip(known, told, strict=True)
        )

    def _request(self, state: ParkState, now_s: float, real_s: float) -> Callable[[], Mapping[str, Any]]:
        """A request over a copy of the board: it is packed while the park goes on."""
        assert state.board is not None
        board = Board(*(array.copy() for array in state.board))
        names = copy.copy(state.side)
        names.board, names.slots = None, {}
        side, leaves = names.to_json(), state.side.tree.leaves()
        named = (((project, person or NOBODY), time_s, ratio) for project, person, time_s, ratio in self.ended)
        ended = [[leaves.get(key, -1), time_s, ratio] for key, time_s, ratio in named]
        return lambda: {
            "board": board_to_json(board), "ended": ended, "now_s": now_s, "seed": self.seed, "tick_s": self.tick_s,
            "budget_s": BUDGET_S, "side": side, "real_s": real_s,
        }  # fmt: skip
