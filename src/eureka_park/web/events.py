"""Server-sent events: one watcher per process looks for changes, and only while somebody listens.

Everybody who follows the park gets the same few bytes, made once per change and at most twice a second. Who reads
slowly misses some and gets the newest: nothing piles up.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

POLL_S: Final = 0.05
TROUBLE_S: Final = 1.0  # until the next look after one that failed
HEARTBEAT_S: Final = 15.0
LOOK_S: Final = 0.1  # between two looks at the states of jobs that are waited for, at least
PULSE_S: Final = 0.5  # between two events of the park, at least
_STILL_HERE: Final = b": still here\n\n"

_log = logging.getLogger("eureka_park.web")


class ChangeWatch:
    """Tells waiting requests that the journal has grown. `mark` must be cheap."""

    def __init__(self, mark: Callable[[], int]) -> None:
        self._mark = mark
        self.newest = 0  # the newest mark; kept fresh while somebody listens
        self._n_listening = 0
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.is_closing = False

    async def value(self) -> int:
        """The mark as of now."""
        return await run_in_threadpool(self._mark)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Have changes looked for meanwhile, so that `newest` is fresh."""
        self._n_listening += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            self._n_listening -= 1

    async def wait(self, seen: int, timeout_s: float) -> int:
        """Wait until the mark is beyond `seen`, at most `timeout_s`; the newest mark."""
        async with self.listening():
            try:
                async with asyncio.timeout(timeout_s):
                    while self.newest <= seen and not self.is_closing:
                        await self._changed.wait()
            except TimeoutError:
                pass
        return max(seen, self.newest)

    async def _watch(self) -> None:
        while self._n_listening and not self.is_closing:
            pause_s = POLL_S
            try:
                value = await self.value()
            except Exception:  # the database is busy, say; streams outlive that
                _log.exception("changes are not seen")
                value, pause_s = self.newest, TROUBLE_S
            if value > self.newest:
                self.newest = value
                self._fire()
            await asyncio.sleep(pause_s)

    def _fire(self) -> None:
        fired, self._changed = self._changed, asyncio.Event()
        fired.set()

    async def close(self) -> None:
        """Let every waiting request go, so that the server can stop at once."""
        self.is_closing = True
        self._fire()


class StateWatch:
    """Tells those who wait for a job that its state has changed: one question for all of them at a time, not one each.

    `ask` gives the states of jobs by id; unknown ones are left out.
    """

    def __init__(self, watch: ChangeWatch, ask: Callable[[list[str]], dict[str, str]]) -> None:
        self._watch, self._ask = watch, ask
        self._n_waiting: dict[str, int] = {}
        self._states: dict[str, str] = {}
        self._looked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watching(self, job_id: str) -> AsyncIterator[None]:
        """Have the state of a job looked at meanwhile, so that `state` is fresh."""
        self._n_waiting[job_id] = self._n_waiting.get(job_id, 0) + 1
        try:
            found = await run_in_threadpool(self._ask, [job_id])  # it may have changed since it was seen
            self._states |= found
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._run())
            yield
        finally:
            self._n_waiting[job_id] -= 1
            if not self._n_waiting[job_id]:
                del self._n_waiting[job_id]
                self._states.pop(job_id, None)

    @property
    def is_closing(self) -> bool:
        """Whether the server stops."""
        return self._watch.is_closing

    def state(self, job_id: str, otherwise: str) -> str:
        """The newest state of a job that is watched; `otherwise` where it is not known yet."""
        return self._states.get(job_id, otherwise)

    async def wait(self, job_id: str, seen: str, timeout_s: float) -> None:
        """Wait until the state is another than the one that was seen, at most `timeout_s`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), self.watching(job_id):
                while self.state(job_id, seen) == seen and not self._watch.is_closing:
                    await self._looked.wait()

    async def _run(self) -> None:
        mark = -1
        while self._n_waiting and not self._watch.is_closing:
            newest = await self._watch.wait(mark, HEARTBEAT_S)
            if newest > mark:
                pause_s = LOOK_S
                try:
                    found = await run_in_threadpool(self._ask, list(self._n_waiting))
                    mark = newest
                    self._states = {name: state for name, state in found.items() if name in self._n_waiting}
                    self._fire()
                except Exception:
                    _log.exception("those who wait are told nothing")
                    pause_s = TROUBLE_S
                await asyncio.sleep(pause_s)
        self._fire()

    def _fire(self) -> None:
        fired, self._looked = self._looked, asyncio.Event()
        fired.set()


def states_of(app: FastAPI, ask: Callable[[list[str]], dict[str, str]]) -> StateWatch:
    """The process's watcher of states, made when the first waits."""
    if not hasattr(app.state, "states"):
        app.state.states = StateWatch(watch_of(app), ask)
    states: StateWatch = app.state.states
    return states


def watch_of(app: FastAPI) -> ChangeWatch:
    """The process's watcher."""
    watch: ChangeWatch = app.state.watch
    return watch


def sse(event: str, data: Any, event_id: str | None = None) -> str:
    """One server-sent event."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


class Pulse:
    """What all who follow the park are told: the newest facts, made once for everybody."""

    def __init__(self, watch: ChangeWatch, facts: Callable[[], dict[str, Any]]) -> None:
        self.watch, self._facts = watch, facts
        self._n_followers = 0
        self._beat, self._making = asyncio.Event(), asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._mark, self.event = -1, b""
        self.n_made = 0

    async def first(self) -> bytes:
        """The newest event for one who has just come; it is made when there is none of the present mark."""
        await self._make(await self.watch.value())
        return self.event

    async def next(self, timeout_s: float) -> bytes | None:
        """The newest event once another was made; None when none was in that time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._beat.wait()
        except TimeoutError:
            return None
        return self.event

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Have events made meanwhile."""
        self._n_followers += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._n_followers -= 1

    async def _run(self) -> None:
        while self._n_followers and not self.watch.is_closing:
            newest = await self.watch.wait(self._mark, HEARTBEAT_S)
            if newest > self._mark:
                try:
                    await self._make(newest)
                except Exception:
                    _log.exception("followers are told nothing")
                await asyncio.sleep(PULSE_S)
        self._fire()

    async def _make(self, mark: int) -> None:
        async with self._making:
            if mark > self._mark:
                facts = await run_in_threadpool(self._facts)
                self._mark, self.event = mark, sse("changed", {"mark": mark, **facts}).encode()
                self.n_made += 1
                self._fire()

    def _fire(self) -> None:
        fired, self._beat = self._beat, asyncio.Event()
        fired.set()


class PulseResponse(Response):
    """A stream of the pulse. Leaner than a general stream: one task more for each listener, and no copies."""

    media_type = "text/event-stream"

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse
        self.status_code, self.background = 200, None
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})  # no body yet, so no length

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one listener until it leaves or the server stops."""
        first = await self._pulse.first()  # an error is answered as such
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        stream = asyncio.create_task(self._stream(send, first))
        gone = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({stream, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stream, gone):
                task.cancel()
            await asyncio.gather(stream, gone, return_exceptions=True)

    async def _stream(self, send: Send, event: bytes | None) -> None:
        pulse = self._pulse
        async with pulse.following():
            while not pulse.watch.is_closing:
                await send({"type": "http.response.body", "body": event or _STILL_HERE, "more_body": True})
                event = await pulse.next(HEARTBEAT_S)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
