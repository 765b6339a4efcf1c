"""Server-sent events: one watcher per process looks for changes, and only while somebody listens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

POLL_S: Final = 0.05
HEARTBEAT_S: Final = 15.0


class ChangeWatch:
    """Tells waiting requests that the journal has grown. `mark` must be cheap."""

    def __init__(self, mark: Callable[[], int]) -> None:
        self._mark = mark
        self._value = 0
        self._n_waiting = 0
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self.is_closing = False

    async def value(self) -> int:
        """The mark as of now."""
        return await run_in_threadpool(self._mark)

    async def wait(self, seen: int, timeout_s: float) -> int:
        """Wait until the mark is beyond `seen`, at most `timeout_s`; the newest mark."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())
        self._n_waiting += 1
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                while self._value <= seen and not self.is_closing:
                    await self._changed.wait()
        except TimeoutError:
            pass
        finally:
            self._n_waiting -= 1
        return max(seen, self._value)

    async def _watch(self) -> None:
        while self._n_waiting and not self.is_closing:
            value = await self.value()
            if value > self._value:
                async with self._changed:
                    self._value = value
                    self._changed.notify_all()
            await asyncio.sleep(POLL_S)

    async def close(self) -> None:
        """Let every waiting request go, so that the server can stop at once."""
        self.is_closing = True
        async with self._changed:
            self._changed.notify_all()


def watch_of(app: FastAPI) -> ChangeWatch:
    """The process's watcher."""
    watch: ChangeWatch = app.state.watch
    return watch


def sse(event: str, data: Any, event_id: str | None = None) -> str:
    """One server-sent event."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


async def changes(watch: ChangeWatch, answer: Callable[[], Any]) -> AsyncIterator[str]:
    """`overview` events: one at once, then one whenever something changed, and heartbeats between."""
    seen = await watch.value()
    yield sse("overview", await run_in_threadpool(answer))
    while not watch.is_closing:
        newest = await watch.wait(seen, HEARTBEAT_S)
        if newest > seen:
            seen = newest
            yield sse("overview", await run_in_threadpool(answer))
        else:
            yield ": still here\n\n"
