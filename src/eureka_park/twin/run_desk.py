"""Runs of the twin for the pages: one is played at a time, in a process of its own; others wait in line, and know it.

Nothing of a run costs the park's own process more than reading a few lines; a kept run is not played again.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

from eureka_park.foundation.errors import Conflict, Forbidden, NotFound, RateLimited, Unavailable
from eureka_park.foundation.site_file import Site, site_to_json
from eureka_park.twin.run_question import EXAMPLE, Cost, Question, checked, cost_of
from eureka_park.twin.run_shelf import RunShelf

LINE_MAX: Final = 6  # runs that wait
OWN_MAX: Final = 2  # runs of one asker that wait or are played
REMEMBERED: Final = 32  # questions whose failure or stop is still told
LONGEST_S: Final = 1800.0  # of one run, waiting for the lock included
TELLING_FRAC: Final = 0.02  # of a run's days, from which on their pace tells when it ends
ENDING_FRAC: Final = 0.95  # of a run's time, after which its figures are worked out
EXAMPLE_AGAIN_S: Final = 60.0  # until a visitor may have an example tried again that failed
PARTS: Final = ("wait", "compile", "work", "sky", "play", "metrics", "bound")
_ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_CHILD: Final = (sys.executable, "-m", "eureka_park.twin.run_child")

State = Literal["waiting", "running", "stopping", "done", "failed", "stopped"]
OVER: Final = frozenset({"done", "failed", "stopped"})
Event = Mapping[str, Any]
VISITOR: Final = ""  # who asks for the example without an account


@dataclass(frozen=True, slots=True)
class RunStatus:
    """Where a run stands. `place`: how many are played before it; `played_frac`: of its days; `done_frac` and `left_s`
    are reckoned from that, and before from what such runs take.
    """

    question: Question
    state: State
    asker: str = field(default=VISITOR, repr=False)
    place: int = 0
    part: str = ""
    played_frac: float = 0.0
    done_frac: float = 0.0
    left_s: float = 0.0
    error: str = ""
    fix: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in OVER


class Child:
    """The process of one run: a request in, events out, a word to stop. Ends with the process that made it."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._process = subprocess.Popen(
            _CHILD, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
            env={**os.environ, **_ONE_THREAD}, start_new_session=True,
        )  # fmt: skip
        self._say(json.dumps(request, separators=(",", ":")))

    def events(self, hear: Callable[[Event], None]) -> int:
        """Hear all that it tells until it ends; its exit status."""
        assert self._process.stdout is not None and self._process.stdin is not None
        with self._process.stdout as lines:
            for line in lines:
                hear(json.loads(line))
        with contextlib.suppress(OSError):  # what was said last may never have been read
            self._process.stdin.close()
        return self._process.wait()

    def stop(self) -> None:
        """Ask it to end with what it has."""
        self._say("stop")

    def kill(self) -> None:
        """End it now."""
        self._process.kill()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # it has ended already, and its status says how
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()


Begin = Callable[[Mapping[str, Any]], Child]


class RunDesk:
    """Has runs of one site played. `site` is the full one; `folder` where runs are kept."""

    def __init__(
        self,
        site: Site,
        folder: Path,
        scenarios: Sequence[str],
        begin: Begin = Child,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.site, self.shelf, self.scenarios = site, RunShelf(folder), tuple(scenarios)
        self._begin, self._clock = begin, clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, RunStatus] = OrderedDict()
        self._line: list[str] = []
        self._running = ""
        self._child: Child | None = None
        self._begun_s = self._playing_s = self._ended_s = 0.0
        self._pace = 1.0  # real seconds over reckoned ones, of runs before
        self._is_at_work = self._is_closed = False

    # -- asking --------------------------------------------------------------------------------------------------------
    def ask(self, question: Question, asker: str) -> RunStatus:
        """Have a question played, unless it is kept, played or in line. Raises BadInput, RateLimited, Unavailable."""
        question = checked(question, self.site, self.scenarios)
        found = self._kept(question)
        if found is not None and found.state == "done":
            return found  # one that was ended early is played anew
        with self._lock:
            known = self._known.get(question.run_id)
            if known is not None and not known.is_over:
                return self._told(known)
            own = sum(not item.is_over and item.asker == asker for item in self._known.values())
            if own >= OWN_MAX:
                raise RateLimited(
                    f"{own} of your runs are not played yet.", fix="Wait for one, or cancel it.", code="own_runs_wait"
                )
            if len(self._line) >= LINE_MAX:
                raise Unavailable(f"{LINE_MAX} runs are in line.", fix="Come back in a while.", code="line_is_full")
            self._keep(RunStatus(question, "waiting", asker))
            self._line.append(question.run_id)
            if not self._is_at_work:
                self._is_at_work = True
                threading.Thread(target=self._work, name="runs", daemon=True).start()
            return self._told(self._known[question.run_id])

    def example(self) -> RunStatus:
        """Have the example played, for whoever looks; once it is kept that costs nothing. Raises Unavailable."""
        known = self.status(EXAMPLE.run_id)
        if known is not None and known.state == "failed" and self._clock() - self._ended_s < EXAMPLE_AGAIN_S:
            raise Unavailable("The example could not be played just now.", fix="Try it again in a minute.")
        return self.ask(EXAMPLE, VISITOR)

    def status(self, run_id: str) -> RunStatus | None:
        """Where a run stands; None for one that nobody asked for, or that is no longer kept."""
        with self._lock:
            known = self._known.get(run_id)
            if known is not None and not known.is_over:
                return self._told(known)
        summary = self.shelf.summary(run_id)
        return self._kept(summary.question) if summary is not None else known

    def all(self) -> list[RunStatus]:
        """The run that is played, those in line, then those kept, the newest first."""
        with self._lock:
            names = [name for name in (self._running, *self._line) if name]
            going = [self._told(self._known[name]) for name in names]
        kept = (self.status(name) for name in self.shelf.ids() if name not in names)
        return [*going, *(item for item in kept if item is not None)]

    def cancel(self, run_id: str, asker: str, *, is_operator: bool) -> RunStatus:
        """Take a run out of the line, or end it early: what was played of it is kept. Raises Forbidden, NotFound,
        Conflict.
        """
        with self._lock:
            known = self._known.get(run_id)
            if known is None:
                raise NotFound(f"No run '{run_id[:40]}' is played or in line.", fix="Look: GET /api/v1/twin/runs")
            if known.is_over:
                raise Conflict("The run is over.", fix="There is nothing to cancel.", code="run_is_over")
            if not is_operator and asker != known.asker:
                raise Forbidden("Somebody else asked for this run.", fix="Ask them, or an operator, to cancel it.")
            if run_id in self._line:
                self._line.remove(run_id)
                self._keep(replace(known, state="stopped"))
            else:
                self._keep(replace(known, state="stopping"))
                if self._child is not None:
                    self._child.stop()
            return self._told(self._known[run_id])

    def cost(self, question: Question) -> Cost:
        """What a question takes, in seconds as runs here have taken them."""
        cost = cost_of(self.site, question)
        return replace(cost, cpu_s=cost.cpu_s * self._pace)

    def close(self) -> None:
        """End what is played; nothing more begins."""
        with self._lock:
            self._is_closed = True
            self._line.clear()
            if self._child is not None:
                self._child.kill()

    # -- telling -------------------------------------------------------------------------------------------------------
    def _kept(self, question: Question) -> RunStatus | None:
        """The status of a run that is kept; None of one that is not."""
        summary = self.shelf.summary(question.run_id)
        if summary is None:
            return None
        is_whole = bool(summary.figures.get("is_whole", True))
        done_frac = 1.0 if is_whole else _done_frac(summary.figures)
        return RunStatus(question, "done" if is_whole else "stopped", done_frac=done_frac)

    def _told(self, status: RunStatus) -> RunStatus:
        """With its place in line, and how long it may take from now on."""
        name = status.question.run_id
        if status.is_over:
            return status
        gone_s, of_s = self._gone_s()
        if name == self._running:
            return replace(status, done_frac=min(ENDING_FRAC, gone_s / of_s), left_s=max(1.0, of_s - gone_s))
        before = self._line[: self._line.index(name)] if name in self._line else []
        each_s = [self.cost(self._known[item].question).cpu_s for item in (*before, name)]
        left_s = sum(each_s) + (max(1.0, of_s - gone_s) if self._running else 0.0)
        return replace(status, place=len(before) + bool(self._running), left_s=left_s)

    def _gone_s(self) -> tuple[float, float]:
        """How long the run has been played, and how long it should take: by what it has played already, else by what
        was reckoned; one that takes longer is reckoned anew.
        """
        if not self._running:
            return 0.0, 1.0
        status, gone_s = self._known[self._running], self._clock() - self._begun_s
        of_s = self.cost(status.question).cpu_s
        before_s = self._playing_s - self._begun_s
        if status.played_frac > TELLING_FRAC and gone_s > before_s:
            of_s = (before_s + (gone_s - before_s) / status.played_frac) / ENDING_FRAC
        return gone_s, max(of_s, gone_s / ENDING_FRAC)

    def _keep(self, status: RunStatus) -> None:
        name = status.question.run_id
        self._known[name] = status
        self._known.move_to_end(name)
        while len(self._known) > REMEMBERED:
            oldest = next((key for key, item in self._known.items() if item.is_over), None)
            if oldest is None:
                return
            del self._known[oldest]

    # -- playing -------------------------------------------------------------------------------------------------------
    def _work(self) -> None:
        """Play what is in line until nothing is; then the thread ends."""
        while True:
            with self._lock:
                self._child = None
                if not self._line or self._is_closed:
                    self._running, self._is_at_work = "", False
                    return
                name = self._running = self._line.pop(0)
                self._begun_s = self._clock()
                status = replace(self._known[name], state="running")
                self._keep(status)
            over = self._played(status)
            with self._lock:
                self._keep(replace(self._known[name], **over))
                self._ended_s = self._clock()
                self._running = ""
            self.shelf.prune()

    def _played(self, status: RunStatus) -> dict[str, Any]:
        """Play one run; what has become of it, as changes to its status."""
        name, told = status.question.run_id, dict[str, Any]()
        request = {
            "site": site_to_json(self.site),
            "question": status.question.to_json(),
            "folder": str(self.shelf.path(name)),
            "lock": str(self.shelf.lock_file),
        }
        watch: threading.Timer | None = None
        try:
            self.shelf.folder.mkdir(parents=True, exist_ok=True)
            child = self._begin(request)
            watch = threading.Timer(LONGEST_S, child.kill)
            watch.daemon = True
            watch.start()
            with self._lock:
                self._child = child
                if self._known[name].state == "stopping":
                    child.stop()
                if self._is_closed:
                    child.kill()
            exit_status = child.events(lambda event: self._hear(name, event, told))
        except Exception as error:  # a defect must not end the desk; it is told as one
            return _failure(f"The run failed ({type(error).__name__}).", "Look at the park's log.")
        finally:
            if watch is not None:
                watch.cancel()
        if told.get("done"):
            self._learn(status.question)
            return {"state": "done"}
        if told.get("code") == "stopped":
            return {"state": "stopped"}
        if "error" in told:
            return _failure(str(told["error"]), str(told.get("fix", "")))
        return _failure(*_ending(exit_status))

    def _hear(self, name: str, event: Event, told: dict[str, Any]) -> None:
        told.update(event)
        with self._lock:
            if "part" in event:
                if event["part"] not in ("wait", "compile") and self._known[name].part in ("wait", "compile"):
                    self._begun_s = self._clock()  # waiting and compiling are no part of what runs take
                if event["part"] == "play":
                    self._playing_s = self._clock()
                self._keep(replace(self._known[name], part=str(event["part"])))
            elif "frac" in event:
                self._keep(replace(self._known[name], played_frac=min(1.0, float(event["frac"]))))

    def _learn(self, question: Question) -> None:
        """Take the run's time into what later ones are said to take; one that was stopped teaches nothing."""
        summary = self.shelf.summary(question.run_id)
        if summary is None or not summary.figures.get("is_whole", True):
            return
        with self._lock:
            factor = (self._clock() - self._begun_s) / max(1e-9, cost_of(self.site, question).cpu_s)
            self._pace = 0.5 * self._pace + 0.5 * min(10.0, max(0.1, factor))


def _done_frac(figures: Mapping[str, Any]) -> float:
    days, played = figures.get("days"), figures.get("days_played")
    return min(1.0, float(played) / float(days)) if days and played else 0.0


def _failure(error: str, fix: str) -> dict[str, Any]:
    return {"state": "failed", "error": error, "fix": fix}


def _ending(exit_status: int) -> tuple[str, str]:
    """What an exit status without an answer means."""
    if exit_status < 0:
        return "The run was ended by the machine: it had too little memory or time.", "Ask for a smaller run."
    return "The run ended without an answer.", "Look at the park's log."


__all__ = ["PARTS", "Child", "RunDesk", "RunStatus"]
