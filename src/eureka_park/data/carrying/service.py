"""Many small contents in one body: each on its own would cost a transaction and a wait for the disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from eureka_park.data.objects.limits import SMALL_BYTES_MAX
from eureka_park.data.objects.service import Batch, ObjectsService
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import BadInput, ParkError

CONTENTS_MAX: Final = 1000
LENGTH_BYTES: Final = 4


class Carrying:
    """Takes contents in by the hundred."""

    def __init__(self, db: Database, objects: ObjectsService) -> None:
        self._db, self._objects = db, objects

    def put_many(self, project_id: str, pieces: Iterable[bytes]) -> list[str]:
        """Take in contents for a project, all or none; their SHA-256 in order. They are on the disk when this returns.

        Raises BadInput for a body of another form, TooLarge (`quota`), Unavailable (`disk_full`).
        """
        self._objects.check_room(project_id, 0)
        batch, found = Batch(), list[str]()
        try:
            for content in contents_of(pieces):
                found.append(self._objects.put_small(project_id, batch, content).sha256)
            self._objects.sync(batch)
            with self._db.write() as conn:
                left = self._objects.settle(conn, project_id, batch)
        except ParkError:
            self._objects.drop([row.object_key for row in batch.rows.values()])
            raise
        self._objects.drop(left)
        return found


def contents_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The contents of a body: each behind its length in four bytes, the highest first. Raises BadInput."""
    rest, n_contents = b"", 0
    for piece in pieces:
        rest += piece
        at = 0
        while len(rest) - at >= LENGTH_BYTES:
            size_bytes = int.from_bytes(rest[at : at + LENGTH_BYTES], "big")
            if size_bytes > SMALL_BYTES_MAX or n_contents == CONTENTS_MAX:
                raise _bad(f"takes {CONTENTS_MAX:,} contents of up to {SMALL_BYTES_MAX // 1024} KiB")
            end = at + LENGTH_BYTES + size_bytes
            if len(rest) < end:
                break
            n_contents += 1
            yield rest[at + LENGTH_BYTES : end]
            at = end
        rest = rest[at:]
    if rest:
        raise _bad("broke off")


def _bad(what: str) -> BadInput:
    return BadInput(
        f"The body {what}.",
        fix="Send each content behind its length in four bytes; large ones alone.",
        code="bad_contents",
        field="body",
    )
