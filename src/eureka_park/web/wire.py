"""Connections whose bodies threads may read and write themselves, without a detour through the event loop.

A server's protocol hands a body over in parts of some ten kilobytes, each through several layers. A thread that has to
work on it anyway takes it straight from the socket, a mebibyte at a time; what it took is then told to the protocol, so
that the connection goes on as if nothing had happened. Files go the other way without being read at all (sendfile).
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import h11
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

EXTENSION: Final = "park.wire"
PIECE_BYTES: Final = 1024**2
LENT_BYTES_MIN: Final = 256 * 1024  # less is not worth it
BYTES: Final = "application/octet-stream"
_COPIED_AT_ONCE: Final = 8 * 1024**2
_TICK_S: Final = 0.002
_SLICE_S: Final = 1.0  # how soon a thread notices that nobody wants its body any more


class Wire(H11Protocol):
    """The protocol of one connection; requests find it among the extensions of their scope."""

    def handle_events(self) -> None:
        """What came; a request that began is told of its wire before it is looked at."""
        super().handle_events()
        if self.scope is not None:
            extensions: dict[Any, Any] = self.scope.setdefault("extensions", {})
            extensions[EXTENSION] = self
        cycle = self.cycle
        if cycle is not None and cycle.waiting_for_100_continue and "send" not in vars(cycle):
            vars(cycle)["send"] = _closing(cycle)

    def lend(self) -> Lent | None:
        """The rest of the body, for a thread; None where it is short, or its length is not known."""
        reader, cycle = getattr(self.conn, "_reader", None), self.cycle
        left: Any = getattr(reader, "_remaining", None)
        if type(left) is not int or left < LENT_BYTES_MIN or self.conn.their_state is not h11.SEND_BODY:
            return None
        if self.conn.trailing_data[0] or cycle is None or cycle.disconnected or cycle.waiting_for_100_continue:
            return None
        self.flow.pause_reading()
        first, cycle.body = bytes(cycle.body), bytearray()
        own = self.transport.get_extra_info("socket")
        return Lent(socket.socket(fileno=socket.dup(own.fileno())), first, left)

    def give_back(self, lent: Lent) -> None:
        """Go on where a thread stopped."""
        lent.end()
        self.conn._reader._remaining -= lent.n_taken  # type: ignore[attr-defined, union-attr, unused-ignore]
        if lent.n_taken == lent.n_lent and not self.transport.is_closing():
            self.handle_events()  # the end of the body

    async def send_file(self, path: Path, start: int, end: int) -> None:
        """The bytes [start, end) of a file as the body of the answer whose head was sent. Raises OSError.

        A thread copies as much as the connection takes at once, so that a slow disk holds up nobody else, and a slow
        reader no thread.
        """
        if self.transport.is_closing():
            raise ConnectionError("the reader went away")
        self.conn.send_with_data_passthrough(h11.Data(data=_Sized(end - start)))  # type: ignore[arg-type]
        while self.transport.get_write_buffer_size() and not self.transport.is_closing():
            await asyncio.sleep(_TICK_S)
        own = socket.socket(fileno=socket.dup(self.transport.get_extra_info("socket").fileno()))
        try:
            with path.open("rb", buffering=0) as file:
                while start < end:
                    start = await run_in_threadpool(_copied, own, file.fileno(), start, end)
                    if start < end:
                        await _writable(own)
        finally:
            own.close()


def _closing(cycle: RequestResponseCycle) -> Send:
    """End a connection whose client is told no before it was told to go on with its body (Expect: 100-continue): it
    sends no body then, and the next request would be taken for one.
    """
    send: Any = cycle.send

    async def closing(message: Message) -> None:
        if message["type"] == "http.response.start" and cycle.waiting_for_100_continue:
            message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        await send(message)

    return closing


class FilePart(Response):
    """The bytes [start, end) of a file, `headers` telling their number. It may go while it is sent."""

    def __init__(self, path: Path, start: int, end: int, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(status_code=status, media_type=BYTES, headers=headers)
        self._path, self._start, self._end = path, start, end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        wire, is_body = wire_of(scope), scope["method"] != "HEAD" and self._end > self._start
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if is_body and wire is not None:
            try:
                await wire.send_file(self._path, self._start, self._end)
            except OSError:  # the reader went away, or what they were promised did
                wire.transport.abort()
                return
        elif is_body:
            with self._path.open("rb") as file:
                file.seek(self._start)
                left = self._end - self._start
                while left and (piece := await run_in_threadpool(file.read, min(PIECE_BYTES, left))):
                    left -= len(piece)
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Sized:
    """Stands for a body of this size that goes another way."""

    def __init__(self, n_bytes: int) -> None:
        self._n_bytes = n_bytes

    def __len__(self) -> int:
        return self._n_bytes


def _copied(own: socket.socket, handle: int, start: int, end: int) -> int:
    """Copy what a connection takes at once; where the rest begins."""
    while start < end:
        try:
            n = os.sendfile(own.fileno(), handle, start, min(end - start, _COPIED_AT_ONCE))
        except BlockingIOError:
            break
        if not n:
            raise OSError("the file is shorter than it was")
        start += n
    return start


async def _writable(own: socket.socket) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_writer(own, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_writer(own)


class Lent:
    """The rest of a body. `n_taken` of its `n_lent` bytes have been taken from the socket."""

    def __init__(self, own: socket.socket, first: bytes, n_lent: int) -> None:
        """`first`: what has come already of the bytes before."""
        self._socket, self.first, self.n_lent, self.n_taken = own, first, n_lent, 0
        self._is_over = False

    def pieces(self, patience_s: Callable[[int, float], float]) -> Iterator[bytes]:
        """In a thread: the bytes as they come. `patience_s(n_bytes, waited_s)`: how long to wait for the next ones.

        Raises TimeoutError, ConnectionError.
        """
        if self.first:
            yield self.first
        waited = _Waited(self._socket, patience_s, len(self.first))
        room = bytearray(min(PIECE_BYTES, self.n_lent))
        view = memoryview(room)
        while left := self.n_lent - self.n_taken:
            size, got = min(len(room), left), 0
            while got < size:
                n = self._received(view[got:size], waited)
                got += n
                self.n_taken += n
            yield bytes(view[:got])

    def _received(self, view: memoryview, waited: _Waited) -> int:
        while not self._is_over:
            try:
                n = self._socket.recv_into(view)
            except BlockingIOError:
                waited.wait(lambda: self._is_over)
                continue
            if not n:
                break
            waited.n_bytes += n
            return n
        raise ConnectionError("the sender went away")

    def end(self) -> None:
        """Nobody wants the rest; may be called twice."""
        self._is_over = True
        self._socket.close()


class _Waited:
    def __init__(self, own: socket.socket, patience_s: Callable[[int, float], float], n_bytes: int) -> None:
        self._poll, self._patience_s = select.poll(), patience_s
        self._poll.register(own, select.POLLIN)
        self.n_bytes, self._waited_s = n_bytes, 0.0

    def wait(self, is_over: Callable[[], bool]) -> None:
        """Until more has come or nobody wants it. Raises TimeoutError."""
        begun_s = time.monotonic()
        until_s = begun_s + self._patience_s(self.n_bytes, self._waited_s)
        while not is_over():
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            if self._poll.poll(1000 * min(_SLICE_S, left_s)):
                break
        self._waited_s += time.monotonic() - begun_s


def wire_of(scope: Scope) -> Wire | None:
    """The wire of a request, where its server has one and nothing encrypts what goes over it."""
    found = scope.get("extensions", {}).get(EXTENSION)
    is_plain = isinstance(found, Wire) and found.transport.get_extra_info("sslcontext") is None
    return found if is_plain else None
