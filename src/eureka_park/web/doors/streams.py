"""Bodies on their way between the network and threads, in constant memory."""

from __future__ import annotations

import asyncio
import queue
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from eureka_park.foundation.errors import BadInput, TooLarge
from eureka_park.web.wire import Lent, Wire, wire_of

T = TypeVar("T")
Pieces = queue.Queue["bytes | Exception | Lent | None"]
PIECE_BYTES: Final = 1024**2
AT_ONCE: Final = 16  # each holds a thread while its sender sends; others need some too
OF_ONE: Final = 4  # of one person: several machines of theirs wait for each other, not others for them
PAUSE_S: Final = 60.0  # a sender may be silent so long at once, and so long in all beyond the slowest pace
SLOWEST_BYTES_S: Final = 16 * 1024
_WAITING: Final = 6  # pieces that may wait in memory before the sender must
_PATIENCE_S: Final = 120.0
_ALL_PLACES: Final[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Places]] = weakref.WeakKeyDictionary()


class Places:
    """Places for bodies on their way in, of one web process."""

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(AT_ONCE)
        self._of: weakref.WeakValueDictionary[str, asyncio.Semaphore] = weakref.WeakValueDictionary()

    @asynccontextmanager
    async def taken(self, by: str) -> AsyncIterator[None]:
        """Hold a place as somebody, once there is one."""
        own = self._of.get(by)
        if own is None:
            self._of[by] = own = asyncio.Semaphore(OF_ONE)
        async with own, self._all:
            yield


async def take_in(request: Request, work: Callable[[Iterator[bytes]], T], *, by: str) -> T:
    """Give the pieces of a body to a call in a thread, as they come; what it returns. Raises what it raises.

    `by`: the person whose body it is, who may send it. When the call ends early, the rest is not waited for.
    Raises BadInput (`upload_broken`) inside the call when the sender goes away, pauses or is too slow.
    """
    places = _ALL_PLACES.setdefault(asyncio.get_running_loop(), Places())
    async with places.taken(by):
        pieces: Pieces = queue.Queue(_WAITING)
        worker = asyncio.create_task(run_in_threadpool(work, _taken(pieces)))
        sender = asyncio.create_task(_send(request, pieces, worker))
        try:
            await asyncio.wait({sender, worker}, return_when=asyncio.FIRST_COMPLETED)
            if not worker.done():
                await sender  # raises what no call can be told
            return await worker
        finally:
            sender.cancel()
            await asyncio.wait({sender})


async def _send(request: Request, pieces: Pieces, worker: asyncio.Task[T]) -> None:
    """All of a body into the queue, and its end; or the connection itself, once it has begun."""
    waiting, n_bytes, wire = list[bytes](), 0, wire_of(request.scope)
    try:
        async for part in _at_pace(request):
            waiting.append(part)
            n_bytes += len(part)
            if wire is not None and (lent := wire.lend()) is not None:
                await _lend(wire, lent, b"".join(waiting), pieces, worker)
                return
            if n_bytes >= PIECE_BYTES:
                await _hand_over(pieces, b"".join(waiting), worker)
                waiting, n_bytes = [], 0
    except (ClientDisconnect, TimeoutError) as error:
        await _hand_over(pieces, _broken(error), worker)
        return
    if waiting:
        await _hand_over(pieces, b"".join(waiting), worker)
    await _hand_over(pieces, None, worker)


async def _lend(wire: Wire, lent: Lent, before: bytes, pieces: Pieces, worker: asyncio.Task[T]) -> None:
    """Let the working thread take the rest from the connection itself."""
    try:
        if await _hand_over(pieces, before, worker) and await _hand_over(pieces, lent, worker):
            await asyncio.wait({worker})
    finally:
        wire.give_back(lent)


def _broken(error: Exception) -> BadInput:
    what = "was too slow, or stood still" if isinstance(error, TimeoutError) else "broke off"
    return BadInput(f"The upload {what}.", fix="Send it again.", code="upload_broken")


def _patience_s(n_bytes: int, waited_s: float) -> float:
    """How long to wait for the next bytes of a sender of whom so many have come, and who let us wait so long."""
    return min(PAUSE_S, PAUSE_S + n_bytes / SLOWEST_BYTES_S - waited_s)


async def _at_pace(request: Request) -> AsyncIterator[bytes]:
    """The parts of a body. Raises TimeoutError where its sender lets others wait; time of our own does not count."""
    parts, loop = request.stream(), asyncio.get_running_loop()
    n_bytes, waited_s = 0, 0.0
    while True:
        begin_s = loop.time()
        async with asyncio.timeout(_patience_s(n_bytes, waited_s)):
            part = await anext(parts, None)
        if part is None:
            return
        waited_s += loop.time() - begin_s
        n_bytes += len(part)
        yield part


async def body_of(request: Request, most: int) -> bytes:
    """A small body, whole, of whoever was found to be let in. Raises TooLarge, BadInput (`upload_broken`)."""
    content = bytearray()
    try:
        async for part in _at_pace(request):
            content += part
            if len(content) > most:
                raise TooLarge(
                    f"The body is larger than {most // 1024**2} MiB.", fix="Send less at once.", field="body"
                )
    except (ClientDisconnect, TimeoutError) as error:
        raise _broken(error) from None
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


async def _hand_over(pieces: Pieces, item: bytes | Exception | Lent | None, worker: asyncio.Task[T]) -> bool:
    """Give one piece to the working thread; False when that has ended, done or failed."""
    while not worker.done():
        try:
            pieces.put_nowait(item)
            return True
        except queue.Full:
            await asyncio.sleep(0.002)
    return False


def _taken(pieces: Pieces) -> Iterator[bytes]:
    while True:
        try:
            item = pieces.get(timeout=_PATIENCE_S)
        except queue.Empty:
            raise BadInput("The upload stood still.", fix="Send it again.", code="upload_broken") from None
        if item is None:
            return
        if isinstance(item, Lent):
            try:
                yield from item.pieces(_patience_s)
            except (ConnectionError, TimeoutError) as error:
                raise _broken(error) from None
            return
        if isinstance(item, Exception):
            raise item
        yield item
