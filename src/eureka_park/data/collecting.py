"""Taking away what nobody needs any more, in steps that are bounded.

Every step is one transaction, or removals that the next run would repeat: it may be killed at any point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eureka_park.data.objects import store as objects
from eureka_park.data.ports import Objects
from eureka_park.data.repositories import store as repositories
from eureka_park.data.scrubbing import Scrubbed, Scrubber
from eureka_park.data.upkeep import store as damage
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.units import HOUR_S

if TYPE_CHECKING:
    from sqlalchemy import Connection

GRACE_S: Final = 24 * HOUR_S
_BLOCK: Final = 500

Fence = Callable[["Connection"], None]


@dataclass(slots=True)
class Collected:
    """What a collection took away."""

    n_blobs: int = 0
    n_packs: int = 0
    n_nodes: int = 0
    n_objects: int = 0  # of blobs and packs, and litter of uploads that broke off
    n_staged: int = 0


class Collector:
    """The housekeeping of the store. `fence` refuses, inside each transaction, a process that decides no more."""

    def __init__(self, db: Database, kept: Objects, clock: Clock, fence: Fence = lambda _conn: None) -> None:
        self._db, self._objects, self._clock, self._fence = db, kept, clock, fence
        self.scrubber = Scrubber(db, kept)

    def fenced(self, fence: Fence) -> Collector:
        """The same, for a process that has to be the one that decides."""
        return Collector(self._db, self._objects, self._clock, fence)

    def collect(self, grace_s: float = GRACE_S) -> Collected:
        """Take away what nothing has mentioned for `grace_s` real seconds."""
        before_s, done = self._clock.real_s() - grace_s, Collected()
        while self.step(before_s, _BLOCK, done):
            pass
        for _ in self.litter(before_s, done):
            pass
        done.n_staged = self.sweep(before_s)
        return done

    def step(self, before_s: float, most: int, done: Collected) -> bool:
        """One bounded step of what nothing has mentioned since; False where there is nothing left now."""
        with self._write() as conn:
            now_s = self._clock.real_s()
            if repositories.purge_deleted(conn, before_s, now_s, most):
                return True
            for name, take in _TAKING:
                if n := take(conn, before_s, now_s, most):
                    setattr(done, name, getattr(done, name) + n)
                    damage.forget_gone(conn)
                    return True
        return self._drop_doomed(most, done)

    def _drop_doomed(self, most: int, done: Collected) -> bool:
        with self._db.read() as conn:
            keys = objects.doomed(conn, most)
        if keys:
            self._fenced()
            for key in keys:
                self._objects.drop(key)
            with self._write() as conn:
                objects.forget_doomed(conn, keys)
            done.n_objects += len(keys)
        return bool(keys)

    def litter(self, before_s: float, done: Collected) -> Iterator[int]:
        """Take away objects that never got a row: their uploads broke off, or somebody was quicker with the same. Tells
        after each block how many were looked at.
        """
        block = list[str]()
        for n_seen, stored in enumerate(self._objects.listed(), 1):
            if stored.changed_at_s < before_s:
                block.append(stored.key)
            if n_seen % _BLOCK == 0:
                done.n_objects += self._drop_unknown(block)
                block.clear()
                yield _BLOCK
        done.n_objects += self._drop_unknown(block)

    def _drop_unknown(self, keys: list[str]) -> int:
        if not keys:
            return 0
        with self._db.read() as conn:
            known = objects.known_keys(conn, keys)
        unknown = [key for key in keys if key not in known]
        if unknown:
            self._fenced()
        for key in unknown:
            self._objects.drop(key)
        return len(unknown)

    def sweep(self, before_s: float) -> int:
        """Take away staged files of uploads that broke off; how many."""
        return self._objects.sweep(before_s)

    def scrub(self) -> Scrubbed:
        """Read all that is kept and compare it with its hashes."""
        return self.scrubber.whole()

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._db.write() as conn:
            self._fence(conn)
            yield conn

    def _fenced(self) -> None:
        with self._db.write(alone=False) as conn:
            self._fence(conn)


_TAKING: Final = (
    ("n_nodes", repositories.drop_idle_nodes),
    ("n_blobs", objects.doom_blobs),
    ("n_packs", objects.doom_packs),
)
__all__ = ["GRACE_S", "Collected", "Collector", "Fence", "Scrubbed"]
