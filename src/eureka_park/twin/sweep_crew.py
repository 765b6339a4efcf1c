"""Workers of a sweep on this machine: processes that do one run at a time, each on one core.

A worker has a session of its own, so that Ctrl-C reaches the caller alone, who ends it. Each makes compiled code ready
before its first run; no two compile the same, for they lock what they compile, and where files cannot be locked the
first worker is ready before the others begin.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections import deque
from dataclasses import dataclass, field
from importlib.util import find_spec
from queue import Empty, SimpleQueue
from typing import Any, Final, Protocol

from eureka_park.twin.sweep_child import WARM, receive, send
from eureka_park.twin.sweep_task import ONE_THREAD, Outcome, Task

_CHILD: Final = (sys.executable, "-m", "eureka_park.twin.sweep_child")
KILLED: Final = "The process of this run was ended by signal {n}; 9 often means that memory ran out."
ENDED: Final = "The process of this run ended without an answer, with exit code {n}."


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a worker tells of a task: how far it is, or, once, what came of it."""

    index: int
    part: str = ""
    frac: float = 0.0
    outcome: Outcome | None = None


class Crew(Protocol):
    """Who does runs, a few at once."""

    @property
    def n_free(self) -> int:
        """How many runs could begin now."""

    def begin(self, index: int, task: Task) -> None:
        """Have a free worker do a run; `index` comes back with its events."""

    def events(self, timeout_s: float) -> list[Event]:
        """What has happened since the last call; waits up to so long for something to happen."""

    def close(self) -> None:
        """End all workers at once."""


@dataclass(slots=True, eq=False)
class _Worker:
    process: subprocess.Popen[bytes]
    index: int | None = None  # of the task that it does
    is_warm: bool = False


@dataclass(slots=True, eq=False)
class Processes:
    """So many processes of this machine, begun when they are first needed."""

    n_workers: int
    warm: bool = True
    _workers: list[_Worker] = field(default_factory=list)
    _heard: SimpleQueue[tuple[_Worker, Any]] = field(default_factory=SimpleQueue)
    _held_back: deque[tuple[_Worker, Task]] = field(default_factory=deque)  # until compiled code is ready
    _is_warm: bool = field(default_factory=lambda: find_spec("fcntl") is not None)  # compiled code may be asked for

    @property
    def n_free(self) -> int:
        """How many runs could begin now."""
        return self.n_workers - sum(worker.index is not None for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """The processes that are there."""
        return [worker.process.pid for worker in self._workers]

    def begin(self, index: int, task: Task) -> None:
        """Have a free worker do a run."""
        worker = next((one for one in self._workers if one.index is None), None) or self._hired()
        worker.index = index
        if self.warm and not self._is_warm:
            self._held_back.append((worker, task))
        else:
            self._set_to(worker, task)

    def events(self, timeout_s: float) -> list[Event]:
        """What has happened since the last call."""
        found: list[Event] = []
        try:
            found += self._told(*self._heard.get(timeout=timeout_s))
            while True:
                found += self._told(*self._heard.get_nowait())
        except Empty:
            return found

    def close(self) -> None:
        """End all workers at once."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.wait()
            _closed(worker)
        self._workers.clear()

    def _hired(self) -> _Worker:
        process = subprocess.Popen(
            _CHILD, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **ONE_THREAD},
            start_new_session=True,
        )  # fmt: skip
        worker = _Worker(process)
        self._workers.append(worker)
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        if self.warm and not self._is_warm and len(self._workers) == 1:
            self._warm(worker)
        return worker

    def _warm(self, worker: _Worker) -> None:
        worker.is_warm = True
        _sent(worker, WARM)

    def _set_to(self, worker: _Worker, task: Task) -> None:
        """Give a worker its task; what it loads before its first one is not that run's CPU time."""
        if self.warm and not worker.is_warm:
            self._warm(worker)
        _sent(worker, task)

    def _listen(self, worker: _Worker) -> None:
        assert worker.process.stdout is not None
        with contextlib.suppress(EOFError, OSError, ValueError):
            while True:
                self._heard.put((worker, receive(worker.process.stdout)))
        self._heard.put((worker, ("over", None)))

    def _told(self, worker: _Worker, message: tuple[str, Any]) -> list[Event]:
        word, value = message
        if word == WARM:
            if not self._is_warm:
                self._go()
            return []
        if word == "over":
            return self._lost(worker)
        if worker.index is None:
            return []
        if word == "part":
            return [Event(worker.index, *value)]
        index, worker.index = worker.index, None
        return [Event(index, outcome=value)]

    def _go(self) -> None:
        """Compiled code is ready, or was not to be had: now all may begin."""
        self._is_warm = True
        while self._held_back:
            self._set_to(*self._held_back.popleft())

    def _lost(self, worker: _Worker) -> list[Event]:
        """A worker has ended by itself; another takes its place when it is needed."""
        if worker not in self._workers:
            return []
        self._workers.remove(worker)
        code = worker.process.wait()
        _closed(worker)
        self._held_back = deque(one for one in self._held_back if one[0] is not worker)
        if not self._is_warm:
            self._go()
        if worker.index is None:
            return []
        error = KILLED.format(n=-code) if code < 0 else ENDED.format(n=code)
        return [Event(worker.index, outcome=Outcome(error=error))]


def _sent(worker: _Worker, message: Any) -> None:
    assert worker.process.stdin is not None
    with contextlib.suppress(OSError):  # it has ended: its listener says so
        send(worker.process.stdin, message)


def _closed(worker: _Worker) -> None:
    for pipe in (worker.process.stdin, worker.process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
