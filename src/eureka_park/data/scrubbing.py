"""Looking whether what is kept is still what it was, a piece at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Final

from eureka_park.data.core.sealed_form import plain_name, realm_of
from eureka_park.data.core.tree import read_node
from eureka_park.data.core.xet import PackReader, hash_text
from eureka_park.data.objects import store as objects
from eureka_park.data.ports import Objects
from eureka_park.data.repositories import store as repositories
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import BadInput, ParkError, Unavailable

BLOB, PACK, NODE = objects.BLOB, objects.PACK, "node"
_BLOCK: Final = 500
_SPAN_BYTES: Final = 8 * 1024**2  # asked for at once, so that no stream stays open while a slow scrub waits
_NO_KEY: Final = ("project_locked", "keeper_silent", "key_unreadable", "key_destroyed")


@dataclass(frozen=True, slots=True)
class Finding:
    """A content that is not what it was: its kind, its name and object, what is wrong, in words."""

    kind: str
    name: str
    object_key: str
    text: str


@dataclass(slots=True)
class Scrubbed:
    """What was read and compared; `findings` names what is wrong, in words. `n_locked`: without the key of their
    project, so nobody could look.
    """

    n_objects: int = 0
    n_bytes: int = 0
    n_nodes: int = 0
    n_locked: int = 0
    findings: list[str] = field(default_factory=list)
    damaged: list[Finding] = field(default_factory=list)


class Locked(Exception):
    """The content is sealed and its key is not here."""


class OutOfReach(Exception):
    """The store does not answer at all: nothing can be said of what is in it."""


Reading = Generator[int, None, Finding | None]
Row = tuple[str, str, int]


class Scrubber:
    """Reads contents and nodes of trees."""

    def __init__(self, db: Database, kept: Objects) -> None:
        self._db, self._objects = db, kept

    def whole(self) -> Scrubbed:
        """Read all that is kept."""
        done = Scrubbed()
        for kind in (BLOB, PACK):
            after = ""
            while rows := self.rows(kind, after):
                for row in rows:
                    self._look_at(done, kind, row)
                after = rows[-1][0]
        after = ""
        while nodes := self.nodes(after):
            done.n_nodes += len(nodes)
            self._tell(done, self.check_nodes(nodes))
            after = nodes[-1][0]
        return done

    def _look_at(self, done: Scrubbed, kind: str, row: Row) -> None:
        done.n_objects += 1
        reading = self.reading(kind, row)
        try:
            while True:
                done.n_bytes += next(reading)
        except StopIteration as end:
            self._tell(done, [] if end.value is None else [end.value])
        except Locked:
            done.n_locked += 1
        except OutOfReach as error:
            raise Unavailable(
                f"The store does not answer: {error}", fix="Check the disk or the bucket.", code="store_silent"
            ) from None

    @staticmethod
    def _tell(done: Scrubbed, found: list[Finding]) -> None:
        done.damaged += found
        done.findings += [one.text for one in found]

    # -- a piece at a time ---------------------------------------------------------------------------------------------
    def rows(self, kind: str, after: str, most: int = _BLOCK) -> list[Row]:
        """Objects of a kind by name, after one: name, key, bytes."""
        with self._db.read() as conn:
            return objects.rows_after(conn, kind, after, most)

    def nodes(self, after: str, most: int = _BLOCK) -> list[tuple[str, bytes]]:
        """Nodes of trees by id, after one."""
        with self._db.read() as conn:
            return repositories.nodes_after(conn, after, most)

    def reading(self, kind: str, row: Row) -> Reading:
        """Read one object: yields how many bytes each piece had, returns what is wrong with it. One that was taken away
        or mended meanwhile is not. Raises Locked, OutOfReach.
        """
        name, key, size_bytes = row
        try:
            found, n_bytes = yield from self._digest(kind, key, size_bytes)
        except ParkError as error:
            if error.code in _NO_KEY:
                raise Locked from None
            if error.code == "store_silent":
                raise OutOfReach(error.message) from None
            return self._if_still_there(kind, name, key, f"The {kind} {name} cannot be read: {error.message}")
        except Exception as error:
            self._check_reach(error)
            return self._if_still_there(kind, name, key, f"The {kind} {name} cannot be read: {error}")
        if found == plain_name(name) and n_bytes == size_bytes:
            return None
        return self._if_still_there(kind, name, key, f"The {kind} {name} is damaged ({key}).")

    def _digest(self, kind: str, key: str, size_bytes: int) -> Generator[int, None, tuple[str, int]]:
        digest, pack, n_bytes = hashlib.sha256(), PackReader(), 0
        for start in range(0, size_bytes, _SPAN_BYTES):
            for piece in self._objects.read(key, start, min(start + _SPAN_BYTES, size_bytes)):
                n_bytes += len(piece)
                digest.update(piece) if kind == BLOB else pack.feed(piece)
                yield len(piece)
        try:
            return (digest.hexdigest() if kind == BLOB else hash_text(pack.finish())), n_bytes
        except (ValueError, BadInput):
            return "", n_bytes

    def _check_reach(self, error: Exception) -> None:
        """A disk or bucket that gives nothing at all says nothing of one content. Raises OutOfReach."""
        try:
            next(iter(self._objects.listed()), None)
        except Exception:
            raise OutOfReach(str(error)) from None

    def _if_still_there(self, kind: str, name: str, key: str, text: str) -> Finding | None:
        with self._db.read() as conn:
            row = objects.blob(conn, name) if kind == BLOB else objects.pack(conn, name)
        return Finding(kind, name, key, text) if row is not None and row.object_key == key else None

    def check_nodes(self, rows: list[tuple[str, bytes]]) -> list[Finding]:
        """What is wrong with some nodes: damaged themselves, or naming contents that are not here."""
        found, named = list[Finding](), dict[str, str]()
        for node_id, content in rows:
            try:
                node = read_node(plain_name(node_id), content)
            except Exception:  # whatever a damaged row holds
                found.append(Finding(NODE, node_id, "", f"The node {node_id} is damaged."))
                continue
            if not node.level:
                realm = realm_of(node_id)
                named.update({realm + name: node_id for name in node.mentions()})
        with self._db.read() as conn:
            missing = sorted(set(named) - set(objects.sizes(conn, named)))
            there = repositories.node_ids(conn, {named[name] for name in missing}) if missing else set()
        lost = [(name, named[name]) for name in missing if named[name] in there]  # else collected meanwhile
        return [*found, *(Finding(NODE, of, "", f"The blob {name} is missing (node {of}).") for name, of in lost)]


__all__ = ["BLOB", "NODE", "PACK", "Finding", "Locked", "OutOfReach", "Scrubbed", "Scrubber"]
