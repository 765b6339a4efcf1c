"""How files are put together from packs, for clients that fetch packs themselves; and which packs they may rely on."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eureka_park.data.core.sealed_form import plain_name, realm_of
from eureka_park.data.core.shard import Pack, packs_shard
from eureka_park.data.core.xet import hash_bytes
from eureka_park.data.objects import store
from eureka_park.data.objects.reading import Blob, ChunkIndex, Reader
from eureka_park.data.objects.store import PACK, PackRow, Part
from eureka_park.data.upkeep import store as damage
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import NotFound
from eureka_park.foundation.units import HOUR_S

if TYPE_CHECKING:
    from sqlalchemy import Connection

KNOWN_S: Final = 12 * HOUR_S  # how long a client may rely on packs that it was told of: half a grace
SPAN_BYTES: Final = 16 * 1024**2  # what clients fetch at once: of whole packs they take a third more CPU
TOLD_AT_ONCE: Final = 128  # packs, of some 64 MiB each: a shard of six megabytes at most


@dataclass(frozen=True, slots=True)
class Span:
    """Chunks [first_chunk, end_chunk) of a pack, by its name in the store: where they lie in it, and their sizes."""

    pack_name: str
    first_chunk: int
    end_chunk: int
    size_bytes: int
    packed_start: int
    packed_end: int

    @property
    def pack_hash(self) -> str:
        """What clients call the pack."""
        return plain_name(self.pack_name)


@dataclass(frozen=True, slots=True)
class Plan:
    """What makes up a range of a file: spans in order, of the first of which so many bytes are left out; and what
    of each pack there is to fetch, each chunk once. The last comes first: some clients look for the range in which
    a span lies from the front on, and take one that ends where the span begins.
    """

    skipped_bytes: int
    terms: tuple[Span, ...]
    fetched: Mapping[str, tuple[Span, ...]]


def span_of(index: ChunkIndex, pack_name: str, first: int, end: int) -> Span:
    """Chunks of a pack as a span."""
    size = index.ends[end - 1] - index.start(first)
    return Span(pack_name, first, end, size, index.packed_start(first), index.packed_ends[end - 1])


def plan_of(parts: Sequence[Part], indexes: Mapping[str, ChunkIndex], start: int, end: int) -> Plan:
    """How the bytes [start, end) of a file are put together, from the parts of its recipe that overlap them."""
    terms, skipped = list[Span](), 0
    for part in parts:
        index = indexes[part.pack_hash]
        begin = index.start(part.first_chunk)  # where the part begins in the unpacked pack
        first = bisect_right(index.ends, begin + max(0, start - part.start_bytes))
        last = bisect_left(index.ends, begin + min(part.size_bytes, end - part.start_bytes))
        if not terms:
            skipped = max(0, start - part.start_bytes) - (index.start(first) - begin)
        terms += _cut(index, part.pack_hash, first, last + 1)
    return Plan(skipped, tuple(terms), {name: tuple(_joined(name, indexes[name], terms))[::-1] for name in indexes})


def _cut(index: ChunkIndex, name: str, first: int, end: int) -> Iterator[Span]:
    """Chunks in spans of a bearable size."""
    while first < end:
        last = bisect_right(index.ends, index.start(first) + SPAN_BYTES, first + 1, end)
        yield span_of(index, name, first, last)
        first = last


def _joined(name: str, index: ChunkIndex, terms: Sequence[Span]) -> Iterator[Span]:
    """What there is to fetch of a pack, in order: spans of terms, one where several overlap."""
    first, end = -1, -1
    for term in sorted((one for one in terms if one.pack_name == name), key=lambda one: one.first_chunk):
        if first >= 0 and term.first_chunk < end:
            end = max(end, term.end_chunk)
            continue
        if first >= 0:
            yield span_of(index, name, first, end)
        first, end = term.first_chunk, term.end_chunk
    yield span_of(index, name, first, end)


class Rebuilder:
    """Tells clients of packs. `name(project_id, hash)` is what a content of a project is called in the store."""

    def __init__(self, db: Database, reader: Reader, clock: Clock, name: Callable[[str, str], str]) -> None:
        self._db, self._reader, self._clock, self._name = db, reader, clock, name

    def file_hash(self, project_id: str, sha256: str) -> str:
        """What clients call a file that lies in packs; '' for any other, and for one that only the park can open."""
        name = self._name(project_id, sha256)
        with self._db.read() as conn:
            row = store.blob(conn, name)
        return "" if row is None or realm_of(name) else row.file_hash

    def plan(self, project_id: str, sha256: str, start: int, end: int) -> Plan | None:
        """How the bytes [start, end) of a file that lies in packs are put together; None behind its end."""
        name = self._name(project_id, sha256)
        with self._db.read() as conn:
            parts = store.parts(conn, name, start, end)
            packs = store.packs_of(conn, dict.fromkeys(part.pack_hash for part in parts))
        if not parts or start >= end:
            return None
        return plan_of(parts, {key: self._reader.index(row) for key, row in packs.items()}, start, end)

    def pack(self, pack_name: str) -> Blob:
        """A pack as it was sent. Whoever calls knows that it may be read. Raises NotFound."""
        with self._db.read() as conn:
            row = store.pack_place(conn, pack_name)
        if row is None:
            raise NotFound("The pack is no more.", fix="Ask anew how the file is made up.", code="no_such_pack")
        return self._reader.of_object(plain_name(pack_name), *row)

    def find_chunk(self, project_id: str, name: str) -> bytes | None:
        """A shard of packs of a project, the first of which has this chunk: those in which files that lie there go on.

        A client asks for few chunks, a file's first and one of a thousand, and knows of all others only by what it is
        told then; so it is told of much at once.
        """
        hash_bytes(name)
        with self._db.read() as conn:
            found = store.pack_with_chunk(conn, project_id, name)
            rows = [] if found is None else self._told(conn, project_id, found)
        if not rows:
            return None
        now_s = self._clock.real_s()
        with self._db.write() as conn:
            store.renew_packs(conn, [row.pack_hash for row in rows], now_s)
        packs = []
        for row in rows:
            index = ChunkIndex.of(row.chunks)
            chunks = tuple(index.sizes(0, len(index.hashes)))
            packs.append(Pack(hash_bytes(plain_name(row.pack_hash)), chunks, row.size_bytes))
        return packs_shard(packs, now_s, now_s + KNOWN_S)

    def _told(self, conn: Connection, project_id: str, found: PackRow) -> list[PackRow]:
        names = dict.fromkeys([found.pack_hash, *store.packs_after(conn, project_id, found.pack_hash, TOLD_AT_ONCE)])
        held = store.held(conn, project_id, PACK, names) - set(damage.damaged(conn, PACK, list(names)))  # is sent again
        if found.pack_hash not in held:
            return []
        rows = store.packs_of(conn, [name for name in names if name in held])
        return [rows[name] for name in names if name in rows]


__all__ = ["Plan", "Rebuilder", "Span", "plan_of"]
