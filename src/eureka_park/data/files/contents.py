"""The bytes of files: taken in and hashed as they come, referred to by versions, read whole or in part."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from eureka_park.data.core.bucket import FilePart
from eureka_park.data.files.ground import Ground
from eureka_park.data.files.store import Content, VersionRow
from eureka_park.data.files.uploads import store as uploads
from eureka_park.data.objects import store as blobs
from eureka_park.data.objects.service import Batch
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import MIB

if TYPE_CHECKING:
    from sqlalchemy import Connection

SMALL_BYTES: Final = MIB  # up to this a body waits in memory and is known by the transaction that makes its version
Ended: TypeAlias = Callable[[str], Mapping[str, str]]


@dataclass(slots=True)
class Taken:
    """A body that has come: durable, and not yet known where it is a small one (`batch`)."""

    sha256: str
    size_bytes: int
    md5: str
    checksums: Mapping[str, str]
    batch: Batch = field(default_factory=Batch)

    def content(self) -> Content:
        """As a version has it."""
        return Content(self.sha256, None, self.size_bytes, self.md5)


class _Coming:
    """A body on its way, with the MD5 of what has come, and what its door says at its end."""

    def __init__(self, pieces: Iterable[bytes], size_bytes: int | None, ended: Ended | None) -> None:
        self._pieces, self._size_bytes, self._ended = iter(pieces), size_bytes, ended
        self._digest = hashlib.md5(usedforsecurity=False)
        self.n_bytes, self.md5 = 0, ""
        self.checksums: Mapping[str, str] = {}

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._digest.update(piece)
            self.n_bytes += len(piece)
            yield piece
        if self._size_bytes is not None and self.n_bytes != self._size_bytes:
            raise BadInput(
                f"{self.n_bytes} of {self._size_bytes} bytes came.", fix="Send it again.", code="size_mismatch"
            )
        self.md5 = self._digest.hexdigest()
        self.checksums = self._ended(self.md5) if self._ended is not None else {}


class Contents:
    """Bodies and references of files."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._objects = ground, ground.objects

    # -- taking in -----------------------------------------------------------------------------------------------------
    def take(
        self, project_id: str, pieces: Iterable[bytes], size_bytes: int | None = None, ended: Ended | None = None
    ) -> Taken:
        """Take in a body. `ended(md5)` is called when all of it has come and before anything is known of it: it may
        refuse it by raising, and tells the checksums to be kept. Raises as `ObjectsService.put`; nothing is left then.
        """
        coming = _Coming(pieces, size_bytes, ended)
        body, first, n_first = iter(coming), list[bytes](), 0
        for piece in body:
            first.append(piece)
            n_first += len(piece)
            if n_first > SMALL_BYTES:
                row = self._objects.put(project_id, chain(first, body), size_bytes=size_bytes)
                return Taken(row.sha256, row.size_bytes, coming.md5, coming.checksums)
        batch = Batch()
        row = self._objects.put_small(project_id, batch, b"".join(first))
        self._objects.sync(batch)
        return Taken(row.sha256, row.size_bytes, coming.md5, coming.checksums, batch)

    @contextmanager
    def settling(self, taken: Taken) -> Iterator[list[str]]:
        """Round the transaction that makes a body known: objects that nothing needs go after it. Put into the list
        what `settle` returns.
        """
        left = list[str]()
        try:
            yield left
        except BaseException:
            self._objects.drop([row.object_key for row in taken.batch.rows.values()])
            raise
        self._objects.drop(left)

    def settle(self, conn: Connection, project_id: str, taken: Taken) -> list[str]:
        """Make a small body known, inside the caller's transaction. Raises TooLarge beyond the project's limit."""
        return self._objects.settle(conn, project_id, taken.batch) if taken.batch.rows else []

    # -- references ----------------------------------------------------------------------------------------------------
    def refer(self, conn: Connection, project_id: str, content: Content, by: int) -> None:
        """Count a version of a file that comes (1) or goes (-1)."""
        if content.layout_id is not None:
            self.let_go(conn, project_id, uploads.count_layout(conn, content.layout_id, by))
        elif content.sha256 is not None:
            self.count(conn, project_id, [content.sha256], by)

    def let_go(self, conn: Connection, project_id: str, hashes: Sequence[str]) -> None:
        """Nothing names these blobs any more, once for each time that they are given."""
        self.count(conn, project_id, hashes, -1)

    def drop_upload(self, conn: Connection, project_id: str, upload_id: str) -> None:
        """Take an upload that has not ended away with its parts."""
        self.let_go(conn, project_id, uploads.drop_upload(conn, upload_id))

    def count(self, conn: Connection, project_id: str, hashes: Sequence[str], by: int) -> None:
        """Count blobs that something names, once for each time that they are given."""
        names = self._names(project_id, hashes)
        blobs.count(conn, blobs.blobs, blobs.blobs.c.sha256, names, by, self._ground.now_s())

    def _names(self, project_id: str, hashes: Iterable[str]) -> list[str]:
        """What blobs of a project are called in the store."""
        realm = self._objects.name(project_id, "")
        return [realm + sha256 for sha256 in hashes]

    def may_share(self, project_id: str, other_id: str) -> bool:
        """Whether two projects can refer to the same blobs: not where one of them is confidential."""
        return project_id == other_id or self._objects.name(project_id, "") == self._objects.name(other_id, "")

    def share(self, conn: Connection, project_id: str, content: Content) -> None:
        """Let another project hold a content too. Raises TooLarge beyond its limit."""
        if content.layout_id is not None:
            sizes = dict(uploads.blobs_of(conn, [content.layout_id]))
        else:
            sizes = {content.sha256: content.size_bytes} if content.sha256 is not None else {}
        blobs.hold(conn, project_id, blobs.BLOB, sizes)
        self._objects.settle(conn, project_id, Batch())

    # -- reading -------------------------------------------------------------------------------------------------------
    def read(self, project_id: str, row: VersionRow, start: int, end: int) -> Iterator[bytes]:
        """The bytes [start, end) of a version, in pieces. What they lie in is known when this returns, and stays for a
        day: a version that is deleted meanwhile is read to its end.
        """
        content = row.content
        if content.layout_id is None:
            if content.sha256 is None or start >= end:
                return iter(())
            return self._objects.open(project_id, content.sha256).read(start, end)
        with self._ground.db.read() as conn:
            parts = uploads.layout(conn, content.layout_id, start, end)
        return chain.from_iterable(self._part(project_id, part, start, end) for part in parts)

    def _part(self, project_id: str, row: uploads.LayoutPart, start: int, end: int) -> Iterator[bytes]:
        at = row.part.start_bytes
        blob = self._objects.open(project_id, row.sha256)
        return blob.read(max(0, start - at), min(row.part.size_bytes, end - at))

    def parts(self, conn: Connection, row: VersionRow, after: int, most: int) -> list[FilePart]:
        """The parts of a version by number; none for one that came as a whole."""
        if row.content.layout_id is None:
            return []
        return [one.part for one in uploads.layout_parts_of(conn, row.content.layout_id, after, most)]


def checks_of(given: Any) -> dict[str, str]:
    """Checksums as a row keeps them."""
    return {str(name): str(text) for name, text in dict(given).items()}
