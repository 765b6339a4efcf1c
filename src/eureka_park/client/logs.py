"""Reading a log by byte offset: exact across lost connections, characters never cut in two."""

from __future__ import annotations

import codecs
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from eureka_park.client.transport import Transport, patiently
from eureka_park.client.views import ENDED

if TYPE_CHECKING:
    from http.client import HTTPMessage

CHUNK_BYTES: Final = 1024 * 1024
PAUSE_MIN_S: Final = 0.1
PAUSE_MAX_S: Final = 1.0


def read(transport: Transport, job_path: str, *, follow: bool, offset: int, patience_s: float) -> Iterator[str]:
    """Text of a log from byte `offset` (negative: from the end); with `follow` until the job has ended."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    pause_s, had_ended = PAUSE_MIN_S, False
    while True:
        chunk, headers = _chunk(transport, job_path, offset, patience_s)
        begin = _number(headers, "X-Log-Offset", max(0, offset))
        offset = begin + len(chunk)
        if text := decoder.decode(chunk):
            yield text
        if chunk and offset < _number(headers, "X-Log-Size", offset):
            continue
        # Once it has ended, one more look: the last bytes may have come between the read and the state.
        if not follow or had_ended:
            break
        had_ended = headers.get("X-Job-State", "") in ENDED
        if had_ended:
            continue
        pause_s = PAUSE_MIN_S if chunk else min(PAUSE_MAX_S, pause_s * 1.5)
        time.sleep(pause_s)
    if tail := decoder.decode(b"", final=True):
        yield tail


def _chunk(transport: Transport, job_path: str, offset: int, patience_s: float) -> tuple[bytes, HTTPMessage]:
    params = {"offset": offset, "limit": CHUNK_BYTES}
    return patiently(lambda: transport.read(f"{job_path}/logs", params=params), first_s=PAUSE_MAX_S, lost_s=patience_s)


def _number(headers: HTTPMessage, name: str, otherwise: int) -> int:
    try:
        return int(headers.get(name, otherwise))
    except ValueError:
        return otherwise
