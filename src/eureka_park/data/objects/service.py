"""Use cases of blobs and packs: take them in, verified and once; hand them out; collect what nobody needs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from eureka_park.data.core.sealed_form import plain_name, realm_of, realm_of_key, sealed_key
from eureka_park.data.core.shard import SHARD_BYTES_MAX, ShardFile, read_files
from eureka_park.data.core.snapshot import check_sha256
from eureka_park.data.core.xet import (
    XORB_BYTES_MAX,
    PackReader,
    file_hash,
    hash_bytes,
    hash_text,
    is_asked_for,
)
from eureka_park.data.keys.service import KeysService
from eureka_park.data.objects import store
from eureka_park.data.objects.limits import (
    BLOB_BYTES_MAX,
    SHARDS_AT_ONCE,
    Coming,
    Turns,
    check_free,
    check_shard,
    limit_of,
)
from eureka_park.data.objects.reading import Blob, ChunkIndex, Reader
from eureka_park.data.objects.rebuilding import Rebuilder
from eureka_park.data.objects.store import BLOB, PACK, BlobRow, PackRow, Part
from eureka_park.data.ports import Objects
from eureka_park.data.upkeep import store as damage
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import BadInput, Conflict, TooLarge
from eureka_park.foundation.units import GIB, MIB

if TYPE_CHECKING:
    from sqlalchemy import Connection

PACKED_TIMES: Final = 8  # how often a project's limit the files may hold, unpacked, that are put together from packs
_PIECE: Final = 1024**2
_NONCE_BYTES: Final = 6
_SEALED_NONCE_BYTES: Final = 20


@dataclass(slots=True)
class Batch:
    """Small contents on their way into one commit: written, not yet durable, not yet known to anybody."""

    rows: dict[str, BlobRow] = field(default_factory=dict)
    realm: str | None = None  # of the project, once asked for
    nonce: str = ""


class ObjectsService:
    """Blobs and packs of all projects. `entropy(n)` gives n unguessable bytes."""

    def __init__(
        self, db: Database, objects: Objects, clock: Clock, entropy: Callable[[int], bytes], realms: KeysService
    ) -> None:
        self._db, self._objects, self._clock, self._entropy, self._realms = db, objects, clock, entropy, realms
        self.reader = Reader(db, objects)
        self.packs = Rebuilder(db, self.reader, clock, self.name)
        self._shards, self._coming = Turns(SHARDS_AT_ONCE), Coming()

    def open(self, project_id: str, sha256: str) -> Blob:
        """A blob of a project to be read. Whoever calls knows that it lies there. Raises NotFound."""
        check_sha256(sha256)  # not a name in the store, which could be of another project's
        self.check_key(project_id)
        return self.reader.open(self.name(project_id, sha256))

    # -- names ---------------------------------------------------------------------------------------------------------
    def name(self, project_id: str, content_hash: str) -> str:
        """What a content of a project is called in the store: its hash; in a confidential project not that alone, so
        that nothing is shared with others.
        """
        return self._realms.realm(project_id) + content_hash

    def check_key(self, project_id: str) -> None:
        """Say that a confidential project is locked before anything has come, or has been promised."""
        realm = self._realms.realm(project_id)
        if realm:
            self._realms.key_of(realm)

    def _key_in(self, project_id: str, batch: Batch, sha256: str, size_bytes: int) -> str:
        """A fresh key of a small content: those of one commit lie in one folder, made once."""
        if batch.realm is None:
            batch.realm, batch.nonce = self._realms.realm(project_id), self._entropy(_NONCE_BYTES).hex()
        if batch.realm:
            return sealed_key(batch.realm, self._entropy(_SEALED_NONCE_BYTES).hex(), size_bytes)
        return f"{batch.nonce[:2]}/{batch.nonce}/{sha256}.{batch.nonce}"

    def _fresh_key(self, project_id: str, content_hash: str, size_bytes: int) -> str:
        realm = self._realms.realm(project_id)
        if realm:
            return sealed_key(realm, self._entropy(_SEALED_NONCE_BYTES).hex(), size_bytes)
        return f"{content_hash[:2]}/{content_hash[2:4]}/{content_hash}.{self._entropy(_NONCE_BYTES).hex()}"

    # -- taking in -----------------------------------------------------------------------------------------------------
    def put(
        self, project_id: str, pieces: Iterable[bytes], *, sha256: str = "", size_bytes: int | None = None
    ) -> BlobRow:
        """Take in a blob for a project, in the memory of one piece; it is on the disk when this returns.

        Raises BadInput (`hash_mismatch`, `size_mismatch`) for what is not what was promised, TooLarge as soon as more
        has come than the project has room for, Unavailable (`disk_full`); nothing is left then.
        """
        if sha256:
            check_sha256(sha256)
        self.check_room(project_id, size_bytes or 0)
        self._check_free(size_bytes or 0)
        with self._objects.staged() as file, self._coming.counting(project_id) as add:
            found, n_bytes = _fill(file, self._with_room(project_id, add, pieces), size_bytes)
            return self._adopt(project_id, file, found, n_bytes, sha256, size_bytes)

    def put_file(self, project_id: str, file: Path, *, sha256: str, size_bytes: int) -> BlobRow:
        """The same with a file that was staged before, which is moved away. Raises as `put`."""
        digest, n_bytes = hashlib.sha256(), 0
        with file.open("rb") as content:
            while piece := content.read(_PIECE):
                digest.update(piece)
                n_bytes += len(piece)
        return self._adopt(project_id, file, digest.hexdigest(), n_bytes, sha256, size_bytes)

    def _adopt(
        self, project_id: str, file: Path, found: str, n_bytes: int, sha256: str, size_bytes: int | None
    ) -> BlobRow:
        _check_promise(found, n_bytes, sha256, size_bytes)
        row = BlobRow(found, n_bytes, self._fresh_key(project_id, found, n_bytes))
        self._objects.keep(file, row.object_key)
        with self._unless_full(row.object_key), self._db.write() as conn:
            left = self.settle(conn, project_id, Batch({found: row}))
        self._drop(left)
        return row

    @contextmanager
    def _unless_full(self, key: str) -> Iterator[None]:
        """Leave nothing of an object for which its project has no room."""
        try:
            yield
        except TooLarge:
            self._drop([key])
            raise

    def put_small(self, project_id: str, batch: Batch, content: bytes) -> BlobRow:
        """Write a small content for a commit; `settle` makes it known, after `sync`. Raises Unavailable."""
        self._check_free(len(content))
        sha256 = hashlib.sha256(content).hexdigest()
        row = batch.rows.get(sha256)
        if row is None:
            key = self._key_in(project_id, batch, sha256, len(content))
            row = batch.rows[sha256] = BlobRow(sha256, len(content), key)
            self._objects.put(key, content)
        return row

    def sync(self, batch: Batch) -> None:
        """Have a batch survive a power cut."""
        if batch.rows:
            self._objects.sync()

    def settle(self, conn: Connection, project_id: str, batch: Batch) -> list[str]:
        """Inside the caller's transaction: rows for what is new, and the project holds all of it. Keys of objects that
        were here already; they are to be dropped after the transaction (`drop`). Raises TooLarge beyond the limit.
        """
        now_s, realm = self._clock.real_s(), self._realms.realm_in(conn, project_id)
        rows = {realm + row.sha256: row for row in batch.rows.values()}
        self._check_realm(conn, project_id, [row.object_key for row in rows.values()])
        named = [replace(row, sha256=name) for name, row in rows.items()]
        known = store.present(conn, rows, now_s) - damage.mend_blobs(conn, named, now_s)
        store.add_blobs(conn, [row for row in named if row.sha256 not in known], now_s)
        store.hold(conn, project_id, BLOB, {name: row.size_bytes for name, row in rows.items()})
        self._check_limit(conn, project_id)
        return [row.object_key for name, row in rows.items() if name in known]

    def mend(self, project_id: str, batch: Batch) -> None:
        """What came with a commit that changes nothing: it may be what was found damaged, else it goes."""
        if batch.rows:
            with self._db.write() as conn:
                left = self.settle(conn, project_id, batch)
            self._drop(left)

    def _check_realm(self, conn: Connection, project_id: str, keys: Sequence[str]) -> None:
        """Nothing of a project that has become confidential since it was written may stay in clear."""
        realm = self._realms.realm_in(conn, project_id)
        if any(realm_of_key(key) != realm for key in keys):
            raise Conflict("The project has become confidential meanwhile.", fix="Send it again.", code="confidential")

    def drop(self, keys: Sequence[str]) -> None:
        """Take away objects that have no row."""
        self._drop(keys)

    def _drop(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._objects.drop(key)

    # -- who holds what ------------------------------------------------------------------------------------------------
    def held(self, project_id: str, hashes: Iterable[str]) -> set[str]:
        """Which of these blobs a project was sent and still holds. One that was found damaged has to be sent again."""
        with self._db.read() as conn:
            found = self.held_in(conn, project_id, hashes)
            realm = self._realms.realm_in(conn, project_id)
            return found - {plain_name(name) for name in damage.broken_blobs(conn, [realm + one for one in found])}

    def held_in(self, conn: Connection, project_id: str, hashes: Iterable[str]) -> set[str]:
        """The same inside a transaction."""
        realm = self._realms.realm_in(conn, project_id)
        return {plain_name(name) for name in store.held(conn, project_id, BLOB, [realm + one for one in hashes])}

    def sizes(self, project_id: str, hashes: Sequence[str]) -> dict[str, int]:
        """The sizes of those of these blobs that a project was sent and still holds, as `held`."""
        with self._db.read() as conn:
            realm = self._realms.realm_in(conn, project_id)
            held = store.held(conn, project_id, BLOB, [realm + one for one in hashes])
            held -= damage.broken_blobs(conn, held)
            return {plain_name(name): size for name, size in store.sizes(conn, held).items()}

    def holds_nothing(self, conn: Connection, project_id: str) -> bool:
        """Whether a project holds no content at all."""
        return not store.is_any_held(conn, project_id)

    def use(self, project_id: str) -> tuple[int, int]:
        """Bytes that a project holds, and its limit."""
        with self._db.read() as conn:
            used, limit = store.use_of(conn, project_id)
        return used, limit_of(limit)

    def set_limit(self, project_id: str, limit_bytes: int | None) -> None:
        """How many bytes a project may hold; None: the default."""
        with self._db.write() as conn:
            store.set_limit(conn, project_id, limit_bytes)

    def check_room(self, project_id: str, n_bytes: int) -> None:
        """Raise TooLarge (`quota`) where a project has no room for so many more bytes, or for uploads that have begun;
        Forbidden (`project_locked`) for a confidential one whose key is not here.

        The larger of the two: what is asked for may be an upload that has begun.
        """
        self.check_key(project_id)
        used, limit = self.use(project_id)
        if used + max(n_bytes, self._objects.staged_bytes(_staged(project_id))) > limit:
            raise _over(project_id, limit)

    def check_begin(self, project_id: str, n_bytes: int) -> None:
        """Raise TooLarge (`quota`) or Unavailable (`disk_full`) where so many more bytes need not be begun with."""
        if n_bytes:
            self.check_room(project_id, n_bytes)
            self._check_free(n_bytes)

    def _check_free(self, n_bytes: int) -> None:
        check_free(*self._objects.space(), n_bytes)

    def _with_room(self, project_id: str, add: Callable[[int], int], pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pieces, as long as project and disk have room for them beside all that waits or comes at the same time."""
        used, limit = self.use(project_id)
        left = limit - used - self._objects.staged_bytes(_staged(project_id))
        for piece in pieces:
            if add(len(piece)) > left:
                raise _over(project_id, limit)
            self._check_free(len(piece))
            yield piece

    def _check_limit(self, conn: Connection, project_id: str) -> None:
        used, limit = store.use_of(conn, project_id)
        if used > limit_of(limit):
            raise _over(project_id, limit_of(limit))

    # -- packs ---------------------------------------------------------------------------------------------------------
    def put_pack(self, project_id: str, name: str, pieces: Iterable[bytes]) -> bool:
        """Take in a pack of chunks, each of them checked, in the memory of one chunk; whether it is new to the project.

        Whether another project has sent the same is never told.
        Raises BadInput (`bad_pack`, `hash_mismatch`), TooLarge, Unavailable; nothing is left then.
        """
        expected, reader = hash_bytes(name), PackReader()
        self.check_room(project_id, 0)
        with self._objects.staged() as file, self._coming.counting(project_id) as add:
            with file.open("wb") as content:
                for piece in _bounded(self._with_room(project_id, add, pieces), XORB_BYTES_MAX):
                    reader.feed(piece)
                    content.write(piece)
            if reader.finish() != expected:
                raise _mismatch("pack")
            key = self._fresh_key(project_id, name, reader.n_packed)
            name = self.name(project_id, name)
            row = PackRow(name, key if realm_of(name) else f"packs/{key}", reader.n_packed, _index(reader).packed())
            self._objects.keep(file, row.object_key)
        with self._unless_full(row.object_key), self._db.write() as conn:
            self._check_realm(conn, project_id, [row.object_key])
            is_first = store.pack(conn, name) is None or damage.mend_pack(conn, row, self._clock.real_s())
            is_new_here = not store.held(conn, project_id, PACK, [name])
            store.add_pack(conn, row, self._clock.real_s())
            store.renew_packs(conn, [name], self._clock.real_s())
            store.hold(conn, project_id, PACK, {name: row.size_bytes})
            self._check_limit(conn, project_id)
        if not is_first:
            self._drop([row.object_key])
        return is_new_here

    def put_shard(self, project_id: str, content: bytes) -> dict[str, str]:
        """Take in the files that a shard lists, each put together and compared with its hashes; by the hash that names
        them there, their SHA-256.

        Raises BadInput (`bad_shard`, `unknown_pack`, `hash_mismatch`), TooLarge (`too_large`, `quota`), Unavailable
        (`busy`); no file of it is known then.
        """
        with self._shards.taken(project_id):
            return self._put_shard(project_id, content)

    def _put_shard(self, project_id: str, content: bytes) -> dict[str, str]:
        if len(content) > SHARD_BYTES_MAX:
            raise TooLarge("The shard is too large.", fix="Send fewer files at once.", code="too_large")
        files = read_files(content)
        realm = self._realms.realm(project_id)
        names = dict.fromkeys(realm + hash_text(term.xorb_hash) for file in files for term in file.terms)
        with self._db.write() as conn:
            held = store.held(conn, project_id, PACK, names) - set(damage.damaged(conn, PACK, names))
            store.renew_packs(conn, held, self._clock.real_s())
            found = store.packs_of(conn, held)
        indexes = {plain_name(name): self.reader.index(row) for name, row in found.items()}
        n_bytes = check_shard(files, indexes)
        with self._db.read() as conn:
            self._check_packed(conn, project_id, n_bytes)
        recipes = [self._recipe(file, realm, found, indexes) for file in files]
        with self._db.write() as conn:
            if self._realms.realm_in(conn, project_id) != realm:
                raise Conflict("The project has become confidential.", fix="Send it again.", code="confidential")
            self._know(conn, project_id, realm, recipes, indexes)
        return {
            hash_text(file.file_hash): plain_name(row.sha256) for file, (row, _) in zip(files, recipes, strict=True)
        }

    def _recipe(
        self, file: ShardFile, realm: str, found: dict[str, PackRow], indexes: dict[str, ChunkIndex]
    ) -> tuple[BlobRow, list[Part]]:
        """A file of a shard that `check_shard` let pass as a recipe, once its content has been read and compared."""
        parts, chunks, at = list[Part](), list[tuple[bytes, int]](), 0
        for term in file.terms:
            name = hash_text(term.xorb_hash)
            index = indexes[name]
            if not term.is_proven(index.hashes):
                raise _mismatch("shard")
            of_term = index.sizes(term.first_chunk, term.end_chunk)
            size = sum(n_bytes for _, n_bytes in of_term)
            parts.append(Part(at, size, realm + name, term.first_chunk, term.end_chunk))
            chunks += of_term
            at += size
        digest = hashlib.sha256()
        for chunk in self.reader.chunks(parts, found):
            digest.update(chunk)
        if file_hash(chunks) != file.file_hash or (file.sha256 and digest.hexdigest() != file.sha256):
            raise _mismatch("file of the shard")
        return BlobRow(realm + digest.hexdigest(), at, "", hash_text(file.file_hash)), parts

    def _know(
        self,
        conn: Connection,
        project_id: str,
        realm: str,
        recipes: Sequence[tuple[BlobRow, list[Part]]],
        indexes: dict[str, ChunkIndex],
    ) -> None:
        now_s = self._clock.real_s()
        by_hash = {row.sha256: (row, parts) for row, parts in recipes}
        known = store.present(conn, by_hash, now_s) - damage.mend_blobs(conn, [row for row, _ in recipes], now_s)
        fresh = [item for name, item in by_hash.items() if name not in known]
        used = dict.fromkeys(part.pack_hash for _, parts in fresh for part in parts)
        if set(used) - set(store.packs_of(conn, used)):
            raise Conflict("A pack of the shard is no more.", fix="Send the file again.", code="unknown_pack")
        store.add_blobs(conn, [row for row, _ in fresh], now_s)
        store.add_parts(conn, {row.sha256: parts for row, parts in fresh})
        store.hold(conn, project_id, BLOB, dict.fromkeys(by_hash, 0))
        self._check_packed(conn, project_id, 0)
        starts = {(part.pack_hash, part.first_chunk) for _, parts in recipes for part in parts[:1]}
        for name, index in indexes.items():
            asked = {digest for digest in index.hashes if is_asked_for(digest)}
            asked |= {index.hashes[first] for pack_name, first in starts if pack_name == realm + name}
            store.know_chunks(conn, project_id, realm + name, map(hash_text, asked))

    def _check_packed(self, conn: Connection, project_id: str, n_bytes: int) -> None:
        """A file costs a project what its packs do, though a few kilobytes may unpack to anything: a second limit."""
        most = PACKED_TIMES * limit_of(store.use_of(conn, project_id)[1])
        if store.packed_bytes(conn, project_id) + n_bytes > most:
            raise TooLarge(
                f"The project {project_id} may hold files from packs of {_size(most)} in all.",
                fix=_more_room(project_id),
                code="quota",
            )

    def find_chunk(self, project_id: str, name: str) -> bytes | None:
        """A shard of packs of a project that has a chunk, so that its client need not send it again."""
        return self.packs.find_chunk(project_id, name)

    # -- uploads in parts ----------------------------------------------------------------------------------------------
    def put_part(self, project_id: str, name: str, start_bytes: int, size_bytes: int, pieces: Iterable[bytes]) -> str:
        """Write a part of an upload to its place; an ETag of what was written.

        Raises BadInput for a wrong size, TooLarge where the project has no room for it beside all parts that wait.
        """
        digest, n_bytes = hashlib.sha256(), 0
        with self._objects.staged(_staged(project_id, name)) as file, self._coming.counting(project_id) as add:
            given = self._with_room(project_id, add, pieces)
            file.touch()
            with file.open("r+b") as content:
                content.seek(start_bytes)
                for piece in _bounded(given, size_bytes):
                    digest.update(piece)
                    content.write(piece)
                    n_bytes += len(piece)
        if n_bytes != size_bytes:
            raise _cut_off(n_bytes, size_bytes)
        return digest.hexdigest()[:32]

    def end_parts(self, project_id: str, name: str, *, sha256: str, size_bytes: int) -> BlobRow:
        """All parts have come: take the blob in. Raises BadInput for what is not what was promised."""
        with self._objects.staged(_staged(project_id, name)) as file:
            if not file.exists():
                if sha256 in self.held(project_id, [sha256]):
                    return BlobRow(sha256, size_bytes, "")  # a client that asks twice
                raise _cut_off(0, size_bytes)
            return self.put_file(project_id, file, sha256=sha256, size_bytes=size_bytes)


def _staged(project_id: str, name: str = "") -> str:
    """What files of uploads in parts are called: those of a project begin alike, and as no other project's."""
    return f"{project_id}~{name}"


def _fill(file: Path, pieces: Iterable[bytes], size_bytes: int | None) -> tuple[str, int]:
    digest, n_bytes = hashlib.sha256(), 0
    with file.open("wb") as content:
        for piece in _bounded(pieces, BLOB_BYTES_MAX if size_bytes is None else min(BLOB_BYTES_MAX, size_bytes)):
            digest.update(piece)
            content.write(piece)
            n_bytes += len(piece)
    return digest.hexdigest(), n_bytes


def _bounded(pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
    n_bytes = 0
    for piece in pieces:
        n_bytes += len(piece)
        if n_bytes > most:
            raise TooLarge(f"More came than {most} bytes.", fix="Send what was announced.", code="size_mismatch")
        yield piece


def _check_promise(found: str, n_bytes: int, sha256: str, size_bytes: int | None) -> None:
    if size_bytes is not None and n_bytes != size_bytes:
        raise _cut_off(n_bytes, size_bytes)
    if sha256 and found != sha256:
        raise _mismatch("content")


def _cut_off(n_bytes: int, size_bytes: int) -> BadInput:
    return BadInput(f"{n_bytes} of {size_bytes} bytes came.", fix="Send it again.", code="size_mismatch")


def _mismatch(what: str) -> BadInput:
    return BadInput(
        f"The {what} does not have the hash that was named.",
        fix="Send it again; the file may have changed meanwhile.",
        code="hash_mismatch",
    )


def _over(project_id: str, limit: int) -> TooLarge:
    return TooLarge(
        f"The project {project_id} may hold {_size(limit)}, and there is no room for this.",
        fix=_more_room(project_id),
        code="quota",
    )


def _more_room(project_id: str) -> str:
    return (
        f"See what takes room (park data quota {project_id}); delete what is no longer needed, which is free two days "
        "later, or ask an operator for more."
    )


def _size(n_bytes: int) -> str:
    return f"{n_bytes / GIB:,.4g} GiB" if n_bytes >= GIB else f"{n_bytes / MIB:,.3g} MiB"


def _index(reader: PackReader) -> ChunkIndex:
    ends, total = [], 0
    for _, size in reader.chunks:
        total += size
        ends.append(total)
    return ChunkIndex(tuple(digest for digest, _ in reader.chunks), tuple(reader.ends), tuple(ends))


__all__ = ["BLOB_BYTES_MAX", "Batch", "Blob", "ObjectsService"]
