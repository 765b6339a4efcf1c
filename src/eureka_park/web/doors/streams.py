"""Bodies on their way between the network and threads, in constant memory."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from eureka_park.foundation.errors import BadInput, TooLarge

T = TypeVar("T")
PIECE_BYTES: Final = 1024**2
_WAITING: Final = 6  # pieces that may wait in memory before the sender must
_PATIENCE_S: Final = 120.0
_AT_ONCE: Final = asyncio.Semaphore(16)  # each holds a thread while its sender sends; others need some too


async def take_in(request: Request, work: Callable[[Iterator[bytes]], T]) -> T:
    """Give the pieces of a body to a call in a thread, as they come; what it returns. Raises what it raises.

    Raises BadInput (`upload_broken`) inside the call when the sender goes away.
    """
    async with _AT_ONCE:
        pieces: queue.Queue[bytes | Exception | None] = queue.Queue(_WAITING)
        worker = asyncio.create_task(run_in_threadpool(work, _taken(pieces)))
        try:
            waiting = bytearray()
            async for part in request.stream():
                waiting += part
                if len(waiting) >= PIECE_BYTES:
                    if not await _hand_over(pieces, bytes(waiting), worker):
                        break
                    waiting.clear()
            if waiting:
                await _hand_over(pieces, bytes(waiting), worker)
            await _hand_over(pieces, None, worker)
        except ClientDisconnect:
            broken = BadInput("The upload broke off.", fix="Send it again.", code="upload_broken")
            await _hand_over(pieces, broken, worker)
        return await worker


async def body_of(request: Request, most: int) -> bytes:
    """A small body, whole. Raises TooLarge."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > most:
            raise TooLarge(f"The body is larger than {most // 1024**2} MiB.", fix="Send less at once.", field="body")
    return bytes(content)


def lines_of(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    """The lines of a body, each of at most so many bytes. Raises TooLarge."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        *whole, rest = waiting.split(b"\n")
        yield from (bytes(line) for line in whole if line.strip())
        waiting = bytearray(rest)
        if len(waiting) > most:
            raise TooLarge(
                f"A line is larger than {most // 1024**2} MiB.", fix="Send it as a large file.", field="body"
            )
    if waiting.strip():
        yield bytes(waiting)


async def _hand_over(
    pieces: queue.Queue[bytes | Exception | None], item: bytes | Exception | None, worker: asyncio.Task[T]
) -> bool:
    """Give one piece to the working thread; False when that has ended, done or failed."""
    while not worker.done():
        try:
            pieces.put_nowait(item)
            return True
        except queue.Full:
            await asyncio.sleep(0.002)
    return False


def _taken(pieces: queue.Queue[bytes | Exception | None]) -> Iterator[bytes]:
    while True:
        try:
            item = pieces.get(timeout=_PATIENCE_S)
        except queue.Empty:
            raise BadInput("The upload stood still.", fix="Send it again.", code="upload_broken") from None
        if item is None:
            return
        if isinstance(item, Exception):
            raise item
        yield item
