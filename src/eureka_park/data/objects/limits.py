"""How much may come at once: what is on its way into a project, who is being served, and what the disk keeps free."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from eureka_park.data.core.shard import ShardFile
from eureka_park.data.core.xet import hash_text
from eureka_park.data.objects.reading import ChunkIndex
from eureka_park.foundation.errors import BadInput, TooLarge, Unavailable
from eureka_park.foundation.units import GIB

LIMIT_BYTES_DEFAULT: Final = 1024 * GIB  # what a project may hold where nobody has set another limit
BLOB_BYTES_MAX: Final = 1024 * GIB
SMALL_BYTES_MAX: Final = 64 * 1024  # of a content that comes along with others
# A shard of 64 MiB lists new chunks of some 85 GiB (48 bytes for each 64 KiB), so clients stay below these two.
SHARD_FILES_BYTES_MAX: Final = 128 * GIB
SHARD_CHUNKS_MAX: Final = 2 * 1024**2
SHARDS_AT_ONCE: Final = 2  # of one project, in one process: each reads what it lists
FREE_BYTES: Final = GIB  # what uploads leave of a disk ...
FREE_FRAC: Final = 0.02  # ... or, of a small one, this part


class Turns:
    """At most so many at once for each key, in this process."""

    def __init__(self, n_at_once: int) -> None:
        self._n_at_once, self._running = n_at_once, Counter[str]()
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, key: str) -> Iterator[None]:
        """Hold a turn. Raises Unavailable (`busy`) at once where none is free: clients come again."""
        with self._lock:
            if self._running[key] >= self._n_at_once:
                raise Unavailable("Other uploads of the project are being checked.", fix="Try again.", code="busy")
            self._running[key] += 1
        try:
            yield
        finally:
            _lower(self._running, self._lock, key, 1)


class Coming:
    """Bytes that are on their way into each project, in this process, and have no row yet."""

    def __init__(self) -> None:
        self._n_bytes, self._lock = Counter[str](), threading.Lock()

    def total(self, key: str) -> int:
        """Bytes on their way into a project."""
        with self._lock:
            return self._n_bytes[key]

    @contextmanager
    def counting(self, key: str) -> Iterator[Callable[[int], int]]:
        """Count one upload as long as it lasts: a call adds so many bytes of it and tells the project's total."""
        of_this = 0

        def add(n_bytes: int) -> int:
            nonlocal of_this
            with self._lock:
                of_this += n_bytes
                self._n_bytes[key] += n_bytes
                return self._n_bytes[key]

        try:
            yield add
        finally:
            _lower(self._n_bytes, self._lock, key, of_this)


def _lower(counter: Counter[str], lock: threading.Lock, key: str, by: int) -> None:
    with lock:
        counter[key] -= by
        if counter[key] <= 0:
            del counter[key]


def limit_of(limit_bytes: int | None) -> int:
    """How much a project may hold, by what was set for it."""
    return LIMIT_BYTES_DEFAULT if limit_bytes is None else limit_bytes


def check_free(free_bytes: int, total_bytes: int, n_bytes: int) -> None:
    """Raise Unavailable (`disk_full`) where so many more bytes would leave a disk less than it keeps free."""
    if free_bytes - n_bytes < min(FREE_BYTES, FREE_FRAC * total_bytes):
        raise Unavailable("The disk is nearly full.", fix="Free some space, then try again.", code="disk_full")


def check_shard(files: list[ShardFile], indexes: dict[str, ChunkIndex]) -> int:
    """Look at what a shard claims before any of it is read; the bytes of all its files.

    Raises BadInput (`unknown_pack`, `hash_mismatch`), TooLarge.
    """
    n_bytes, n_chunks = 0, 0
    for file in files:
        for term in file.terms:
            index = indexes.get(hash_text(term.xorb_hash))
            if index is None:
                raise BadInput("The shard names a pack that was not sent.", fix="Send it first.", code="unknown_pack")
            if not 0 <= term.first_chunk < term.end_chunk <= len(index.hashes):
                raise BadInput("The shard names chunks that its pack does not have.", code="hash_mismatch")
            n_bytes += index.ends[term.end_chunk - 1] - index.start(term.first_chunk)
            n_chunks += term.end_chunk - term.first_chunk
    if n_bytes > SHARD_FILES_BYTES_MAX or n_chunks > SHARD_CHUNKS_MAX:
        raise TooLarge(
            f"The shard makes up more than {SHARD_FILES_BYTES_MAX // GIB} GiB.",
            fix="Send fewer files at once, or a file that large without Xet (HF_HUB_DISABLE_XET=1).",
            code="too_large",
        )
    return n_bytes
