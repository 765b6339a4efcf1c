"""Reading a blob, whole or in part, whether it is an object or a recipe over packs."""

from __future__ import annotations

import struct
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eureka_park.data.core.sealed_form import plain_name
from eureka_park.data.core.xet import chunks_of
from eureka_park.data.objects import store
from eureka_park.data.ports import Objects
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import NotFound

_CHUNK: Final = struct.Struct("<32sII")
RUN_BYTES: Final = 2 * 1024**2  # of a pack that are unpacked at once
INDEXES_KEPT: Final = 24  # of packs, a megabyte each at most
PARTS_AT_ONCE: Final = 2 * 1024**3  # bytes of a blob whose recipe is looked up at once


@dataclass(frozen=True, slots=True)
class ChunkIndex:
    """Where the chunks of a pack lie: hashes, and where each ends packed and unpacked."""

    hashes: tuple[bytes, ...]
    packed_ends: tuple[int, ...]
    ends: tuple[int, ...]

    def packed(self) -> bytes:
        """As a row keeps it."""
        rows = zip(self.hashes, self.packed_ends, self.ends, strict=True)
        return b"".join(_CHUNK.pack(*row) for row in rows)

    @classmethod
    def of(cls, content: bytes) -> ChunkIndex:
        """Read what `packed` wrote."""
        rows = list(_CHUNK.iter_unpack(content))
        return cls(tuple(row[0] for row in rows), tuple(row[1] for row in rows), tuple(row[2] for row in rows))

    def sizes(self, first: int, end: int) -> list[tuple[bytes, int]]:
        """Hash and size of the chunks [first, end)."""
        return [(self.hashes[at], self.ends[at] - self.start(at)) for at in range(first, end)]

    def start(self, chunk_index: int) -> int:
        """Where a chunk begins in the unpacked pack."""
        return self.ends[chunk_index - 1] if chunk_index else 0

    def packed_start(self, chunk_index: int) -> int:
        """Where a chunk begins in the pack."""
        return self.packed_ends[chunk_index - 1] if chunk_index else 0


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob that is to be read."""

    sha256: str
    size_bytes: int
    read: Callable[[int, int], Iterator[bytes]]  # the bytes [start, end) in pieces
    place: Path | None = None  # the file that holds just this, if there is one

    def content(self) -> bytes:
        """All of it: for small ones."""
        return b"".join(self.read(0, self.size_bytes))


class Reader:
    """Reads blobs by their hashes."""

    def __init__(self, db: Database, objects: Objects) -> None:
        self._db, self._objects = db, objects
        self._indexes: OrderedDict[str, ChunkIndex] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, sha256: str) -> Blob:
        """A blob. Raises NotFound."""
        with self._db.read() as conn:
            row = store.blob(conn, sha256)
        if row is None:
            raise NotFound(f"There is no blob {plain_name(sha256)}.", fix="Send it again.", code="no_such_blob")
        if row.object_key:
            return self.of_object(plain_name(sha256), row.object_key, row.size_bytes)
        return Blob(plain_name(sha256), row.size_bytes, lambda start, end: self._recipe(sha256, start, end))

    def of_object(self, name: str, key: str, size_bytes: int) -> Blob:
        """What an object holds, as it is."""
        return Blob(name, size_bytes, lambda start, end: self._objects.read(key, start, end), self._objects.place(key))

    def _recipe(self, sha256: str, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            until = min(end, start + PARTS_AT_ONCE)
            with self._db.read() as conn:
                parts = store.parts(conn, sha256, start, until)
                packs = store.packs_of(conn, dict.fromkeys(part.pack_hash for part in parts))
            yield from self.parts(parts, packs, start, until)
            start = until

    def parts(
        self, parts: Sequence[store.Part], packs: dict[str, store.PackRow], start: int, end: int
    ) -> Iterator[bytes]:
        """The bytes [start, end) of what these parts make up."""
        for part in parts:
            pack = packs[part.pack_hash]
            index, at = self.index(pack), part.start_bytes
            for first, last in _runs(index, part):
                size = index.ends[last - 1] - index.start(first)
                if at + size > start and at < end:
                    content = b"".join(chunks_of(self._packed(pack, index, first, last)))
                    yield content[max(0, start - at) : max(0, end - at)]
                at += size

    def chunks(self, parts: Sequence[store.Part], packs: dict[str, store.PackRow]) -> Iterator[bytes | memoryview]:
        """All chunks of what these parts make up, as they lie in memory: to be looked at, not kept. What comes next is
        read while the caller looks.
        """
        runs = (
            (packs[part.pack_hash], index, first, last)
            for part in parts
            for index in (self.index(packs[part.pack_hash]),)
            for first, last in _runs(index, part)
        )
        if sum(part.size_bytes for part in parts) <= RUN_BYTES:  # many small files need no thread each
            for run in runs:
                yield from chunks_of(self._packed(*run))
            return
        with ThreadPoolExecutor(1) as ahead:
            coming: Future[bytes] | None = None
            for run in runs:
                come, coming = coming, ahead.submit(self._packed, *run)
                if come is not None:
                    yield from chunks_of(come.result())
            if coming is not None:
                yield from chunks_of(coming.result())

    def index(self, pack: store.PackRow) -> ChunkIndex:
        """Where the chunks of a pack lie; many small files lie in one. Kept by its object: one that is sent again may
        be packed in another way.
        """
        with self._lock:
            found = self._indexes.get(pack.object_key)
            if found is not None:
                self._indexes.move_to_end(pack.object_key)
                return found
        found = ChunkIndex.of(pack.chunks)
        with self._lock:
            self._indexes[pack.object_key] = found
            while len(self._indexes) > INDEXES_KEPT:
                self._indexes.popitem(last=False)
        return found

    def _packed(self, pack: store.PackRow, index: ChunkIndex, first: int, last: int) -> bytes:
        packed = self._objects.read(pack.object_key, index.packed_start(first), index.packed_ends[last - 1])
        return b"".join(packed)


def _runs(index: ChunkIndex, part: store.Part) -> Iterator[tuple[int, int]]:
    """The chunks of a part in runs of a bearable size."""
    first = part.first_chunk
    for at in range(part.first_chunk, part.end_chunk):
        if index.ends[at] - index.start(first) >= RUN_BYTES or at + 1 == part.end_chunk:
            yield first, at + 1
            first = at + 1
