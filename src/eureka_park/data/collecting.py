"""Taking away what nobody needs any more, and looking whether what is kept is still what it was.

Every step is one transaction, or one removal that the next run would repeat: it may be killed at any point.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from eureka_park.data.core.tree import read_node
from eureka_park.data.core.xet import PackReader, hash_text
from eureka_park.data.objects import store as objects
from eureka_park.data.ports import Objects
from eureka_park.data.repositories import store as repositories
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import BadInput, ParkError
from eureka_park.foundation.units import HOUR_S

GRACE_S: Final = 24 * HOUR_S
_BLOCK: Final = 500


@dataclass(slots=True)
class Collected:
    """What a collection took away."""

    n_blobs: int = 0
    n_packs: int = 0
    n_nodes: int = 0
    n_objects: int = 0  # of blobs and packs, and litter of uploads that broke off
    n_staged: int = 0


@dataclass(slots=True)
class Scrubbed:
    """What was read and compared; `findings` names what is wrong, in words."""

    n_objects: int = 0
    n_bytes: int = 0
    n_nodes: int = 0
    findings: list[str] = field(default_factory=list)


class Collector:
    """The housekeeping of the store."""

    def __init__(self, db: Database, kept: Objects, clock: Clock) -> None:
        self._db, self._objects, self._clock = db, kept, clock

    def collect(self, grace_s: float = GRACE_S) -> Collected:
        """Take away what nothing has mentioned for `grace_s` real seconds."""
        before_s, done = self._clock.real_s() - grace_s, Collected()
        while self._step(lambda conn, now_s: repositories.purge_deleted(conn, before_s, now_s, _BLOCK)):
            pass
        steps = (
            ("n_nodes", repositories.drop_idle_nodes),
            ("n_blobs", objects.doom_blobs),
            ("n_packs", objects.doom_packs),
        )
        for name, take in steps:
            while n := self._step(lambda conn, now_s, take=take: take(conn, before_s, now_s, _BLOCK)):
                setattr(done, name, getattr(done, name) + n)
        done.n_objects = self._drop_doomed() + self._drop_litter(before_s)
        done.n_staged = self._objects.sweep(before_s)
        return done

    def _step(self, take) -> int:  # type: ignore[no-untyped-def]  # noqa: ANN001
        with self._db.write() as conn:
            return int(take(conn, self._clock.real_s()))

    def _drop_doomed(self) -> int:
        n_dropped = 0
        while True:
            with self._db.read() as conn:
                keys = objects.doomed(conn, _BLOCK)
            if not keys:
                return n_dropped
            for key in keys:
                self._objects.drop(key)
            with self._db.write() as conn:
                objects.forget_doomed(conn, keys)
            n_dropped += len(keys)

    def _drop_litter(self, before_s: float) -> int:
        """Objects that never got a row: their uploads broke off, or somebody was quicker with the same."""
        n_dropped, block = 0, list[str]()

        def drop() -> int:
            with self._db.read() as conn:
                known = objects.known_keys(conn, block)
            unknown = [key for key in block if key not in known]
            for key in unknown:
                self._objects.drop(key)
            block.clear()
            return len(unknown)

        for stored in self._objects.listed():
            if stored.changed_at_s < before_s:
                block.append(stored.key)
            if len(block) >= _BLOCK:
                n_dropped += drop()
        return n_dropped + (drop() if block else 0)

    def scrub(self) -> Scrubbed:
        """Read all that is kept and compare it with its hashes."""
        done = Scrubbed()
        for kind in (objects.BLOB, objects.PACK):
            for name, key, size_bytes in self._rows(kind):
                self._scrub_object(done, kind, name, key, size_bytes)
        after = ""
        while rows := self._node_rows(after):
            for node_id, content in rows:
                done.n_nodes += 1
                self._scrub_node(done, node_id, content)
            after = rows[-1][0]
        return done

    def _scrub_object(self, done: Scrubbed, kind: str, name: str, key: str, size_bytes: int) -> None:
        done.n_objects += 1
        digest, pack, n_bytes = hashlib.sha256(), PackReader(), 0
        try:
            for piece in self._objects.read(key, 0, size_bytes):
                n_bytes += len(piece)
                digest.update(piece) if kind == objects.BLOB else pack.feed(piece)
            found = digest.hexdigest() if kind == objects.BLOB else hash_text(pack.finish())
        except (BadInput, ParkError, OSError, ValueError) as error:
            done.findings.append(f"The {kind} {name} cannot be read: {error}")
            return
        finally:
            done.n_bytes += n_bytes
        if found != name or n_bytes != size_bytes:
            done.findings.append(f"The {kind} {name} is damaged ({key}).")

    def _scrub_node(self, done: Scrubbed, node_id: str, content: bytes) -> None:
        try:
            node = read_node(node_id, content)
        except Exception:  # whatever a damaged row holds
            done.findings.append(f"The node {node_id} is damaged.")
            return
        if node.level:
            return
        names = node.mentions()
        with self._db.read() as conn:
            missing = [name for name in names if objects.blob(conn, name) is None]
        done.findings += [f"The blob {name} is missing (node {node_id})." for name in missing]

    def _rows(self, kind: str) -> Iterator[tuple[str, str, int]]:
        after = ""
        while True:
            with self._db.read() as conn:
                rows = objects.rows_after(conn, kind, after, _BLOCK)
            if not rows:
                return
            yield from rows
            after = rows[-1][0]

    def _node_rows(self, after: str) -> list[tuple[str, bytes]]:
        with self._db.read() as conn:
            return repositories.nodes_after(conn, after, _BLOCK)
