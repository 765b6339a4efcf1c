"""Logs: a range of bytes, or a stream that follows the file. Offsets are bytes."""

from __future__ import annotations

import asyncio
import codecs
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

from starlette.concurrency import run_in_threadpool

from eureka_park.compute.service import ENDED_NAMES
from eureka_park.web.events import HEARTBEAT_S, StateWatch, sse

CHUNK_BYTES: Final = 64 * 1024
POLL_S: Final = 0.15


def read_range(path: Path, offset: int, limit: int) -> tuple[bytes, int, int]:
    """Bytes of the log from `offset` (negative: from the end): the bytes, where they begin, and the log's size."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            begin = max(0, size + offset) if offset < 0 else min(offset, size)
            file.seek(begin)
            return file.read(limit), begin, size
    except FileNotFoundError:
        return b"", 0, 0


async def follow(
    path: Path, offset: int, job_id: str, view: Callable[[], dict[str, Any]], states: StateWatch
) -> AsyncIterator[str]:
    """`log` events from `offset` on, `state` when it changes, `end` when the job is over and its log is read."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    _, offset, _ = await run_in_threadpool(read_range, path, offset, 0)
    state, quiet_s = "", 0.0
    shown = await run_in_threadpool(view)
    async with states.watching(job_id):
        while not states.is_closing:
            if shown["state"] != state:
                state = shown["state"]
                yield sse("state", shown)
            is_over = state in ENDED_NAMES  # known before the log is read, so that its last words are not missed
            if _size(path) > offset:
                chunk, _, _ = await run_in_threadpool(read_range, path, offset, CHUNK_BYTES)
                yield sse("log", {"offset": offset, "text": decoder.decode(chunk)}, str(offset + len(chunk)))
                offset, quiet_s = offset + len(chunk), 0.0
                continue
            if is_over:
                yield sse("end", shown)
                return
            await asyncio.sleep(POLL_S)
            quiet_s += POLL_S
            if quiet_s >= HEARTBEAT_S:
                quiet_s = 0.0
                yield ": still here\n\n"
            if states.state(job_id, state) != state:
                shown = await run_in_threadpool(view)


def _size(path: Path) -> int:
    """Asked for on the event loop: it takes microseconds, and a thread for each open stream would cost far more."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
