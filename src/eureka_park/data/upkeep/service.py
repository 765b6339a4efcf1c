"""The store's upkeep, day and night: what nobody needs goes, rules are applied, and everything is read and compared.

One process of a park does it, the one that decides; a turn is bounded, so it can be told to stop at any time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.service import AccountsService, Act, Principal
from eureka_park.data.collecting import GRACE_S, Collected, Collector, Fence
from eureka_park.data.core.sealed_form import plain_name
from eureka_park.data.keeping.service import Keeping
from eureka_park.data.objects import store as objects
from eureka_park.data.objects.store import BLOB, PACK
from eureka_park.data.scrubbing import NODE, Finding, Locked, OutOfReach, Row, Scrubbed
from eureka_park.data.upkeep import store
from eureka_park.data.upkeep.places import places_of
from eureka_park.data.upkeep.store import LITTER, SCRUB, Damage, Place, Round
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.units import DAY_S, HOUR_S, MIB

if TYPE_CHECKING:
    from sqlalchemy import Connection

TURN_ROWS: Final = 100  # that one transaction takes away: some milliseconds
BREATH_S: Final = 0.05  # between two turns while there is work, so that others come to their turn
IDLE_S: Final = 30.0  # between two looks whether there is any
AGAIN_S: Final = 600.0  # after the store did not answer
RULES_EVERY_S: Final = HOUR_S
LITTER_EVERY_S: Final = DAY_S
SAVE_EVERY_S: Final = 5.0
SLOWEST_BYTES_S: Final = 256 * 1024  # a small store is read faster than its days would allow
SHOWN: Final = 100
_ALL: Final = 10_000
_KINDS: Final = (BLOB, PACK, NODE)

_log = logging.getLogger("eureka_park.live")


@dataclass(frozen=True, slots=True)
class UpkeepRules:
    """What an operator says of it: the grace of what nothing needs, in how many seconds everything is read once, and
    how fast at most.
    """

    grace_s: float = GRACE_S
    scrub_s: float = 30 * DAY_S
    scrub_bytes_s_max: float = 8.0 * MIB


@dataclass(frozen=True, slots=True)
class UpkeepStatus:
    """How the store is: what is damaged (the newest hundred), and how far the reading of everything has come."""

    n_damaged: int
    damage: tuple[Damage, ...]
    scrub: Round
    litter: Round


class Upkeep:
    """The upkeep of one park's store. `tell(conn, damage)`: puts the news of a damaged content on its way.
    `expire(fence)`: one step of what goes by the rules of buckets; whether there was one to do.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        accounts: AccountsService,
        collector: Collector,
        keeping: Keeping,
        rules: Callable[[], UpkeepRules] = UpkeepRules,
        tell: Callable[[Connection, Damage], object] = lambda _conn, _damage: None,
    ) -> None:
        self._db, self._clock, self._accounts, self._keeping = db, clock, accounts, keeping
        self._collector, self.rules, self.tell = collector, rules, tell
        self.expire: Callable[[Fence], bool] = lambda _fence: False
        self._collect_at_s = self._rules_at_s = self._litter_at_s = self._scrub_at_s = 0.0
        self._total_bytes = 0
        self._taken = Collected()
        self._litter: Iterator[int] | None = None
        self._scrub: Iterator[int] | None = None

    # -- told ----------------------------------------------------------------------------------------------------------
    def status(self, who: Principal | None) -> UpkeepStatus:
        """How the store is, for operators. Raises Forbidden."""
        self._accounts.require_park(Act.OPERATE, who)
        with self._db.read() as conn:
            return UpkeepStatus(
                store.n_damaged(conn),
                tuple(store.damage(conn, SHOWN)),
                store.round_of(conn, SCRUB),
                store.round_of(conn, LITTER),
            )

    def note(self, damaged: list[Finding], fence: Fence = lambda _conn: None) -> None:
        """Keep what a scrub has found, by whoever did it, and tell of it with the files concerned."""
        with self._db.write() as conn:
            fence(conn)
            for found in damaged:
                if found.kind != NODE:
                    seen = Damage(found.kind, found.name, found.object_key, found.text, self._clock.real_s())
                    store.note_damage(conn, seen)
        while self._name_places(fence):
            pass

    def note_whole(self, done: Scrubbed, begun_s: float) -> list[Damage]:
        """The same of a scrub of everything that began at `begun_s`; what is damaged now, with its files."""
        self.note(done.damaged)
        named = {(one.kind, one.name) for one in done.damaged}
        with self._db.write() as conn:
            for one in store.damage(conn, _ALL):
                if one.found_at_s < begun_s and (one.kind, one.content_hash) not in named and not done.n_locked:
                    store.mended(conn, one.kind, [one.content_hash])
            return store.damage(conn, _ALL)

    # -- a turn --------------------------------------------------------------------------------------------------------
    def turn(self, fence: Fence) -> float:
        """One bounded step of what is due; after how many seconds to come again. Raises Conflict once another process
        decides.
        """
        now_s = self._clock.real_s()
        if (
            self._collect_some(fence, now_s)
            or self._apply_some(fence, now_s)
            or self.expire(fence)
            or self._drop_some_litter(fence, now_s)
        ):
            return BREATH_S
        if now_s >= self._scrub_at_s:
            return self._scrub_some(fence, now_s)
        return min(IDLE_S, self._scrub_at_s - now_s)

    def _collect_some(self, fence: Fence, now_s: float) -> bool:
        """Take away some of what nobody needs; whether there was any."""
        if now_s < self._collect_at_s:
            return False
        before_s, collector = now_s - self.rules().grace_s, self._collector.fenced(fence)
        if collector.step(before_s, TURN_ROWS, self._taken):
            return True
        self._collect_at_s = now_s + IDLE_S
        if self._taken != Collected():
            _log.info("collected: %s", self._taken)
            self._taken = Collected()
        return False

    def _apply_some(self, fence: Fence, now_s: float) -> bool:
        """Apply a step of a rule; whether one was due."""
        if now_s < self._rules_at_s:
            return False
        if self._keeping.is_any_due(now_s - RULES_EVERY_S):
            with self._db.write() as conn:
                fence(conn)
                self._keeping.apply_due(conn, now_s - RULES_EVERY_S)
            return True
        self._rules_at_s = now_s + IDLE_S
        return False

    def _drop_some_litter(self, fence: Fence, now_s: float) -> bool:
        """Look through some objects for those without a row; whether a round goes on."""
        if self._litter is None:
            if now_s < self._litter_at_s or not self._begins(LITTER, fence, now_s, LITTER_EVERY_S):
                return False
            before_s, collector = now_s - self.rules().grace_s, self._collector.fenced(fence)
            collector.sweep(before_s)
            self._litter = collector.litter(before_s, self._taken)
        try:
            next(self._litter)
        except StopIteration:
            self._litter, self._litter_at_s = None, now_s + HOUR_S
            self._save(fence, lambda old: replace(old, place="", ended_at_s=now_s), LITTER)
        except Exception:
            self._litter, self._litter_at_s = None, now_s + AGAIN_S
            raise
        return True

    def _begins(self, name: str, fence: Fence, now_s: float, every_s: float) -> bool:
        """Whether a round is due, or was broken off; a new one is noted as begun."""
        with self._db.write() as conn:
            fence(conn)
            old = store.round_of(conn, name)
            if old.place:
                return True
            if old.begun_at_s and now_s < old.begun_at_s + every_s:
                self._wait(name, old.begun_at_s + every_s)
                return False
            store.save_round(conn, Round(name, "begun", 0, 0, now_s, old.ended_at_s))
        return True

    def _wait(self, name: str, until_s: float) -> None:
        if name == LITTER:
            self._litter_at_s = until_s
        else:
            self._scrub_at_s = until_s

    def _save(self, fence: Fence, changed: Callable[[Round], Round], name: str) -> None:
        with self._db.write() as conn:
            fence(conn)
            store.save_round(conn, changed(store.round_of(conn, name)))

    # -- reading everything --------------------------------------------------------------------------------------------
    def _scrub_some(self, fence: Fence, now_s: float) -> float:
        """Read one piece; how long to wait until the next, so that the round takes its days."""
        if self._name_places(fence):
            return BREATH_S
        if self._scrub is None:
            if not self._begins(SCRUB, fence, now_s, self.rules().scrub_s):
                return BREATH_S
            self._scrub = self._round(fence)
        try:
            n_bytes = next(self._scrub)
        except StopIteration:
            self._scrub = None
            return BREATH_S
        except OutOfReach as error:
            _log.warning("the store does not answer: %s; tried again in %.0f s", error, AGAIN_S)
            self._scrub, self._scrub_at_s = None, now_s + AGAIN_S
            return BREATH_S
        wait_s = n_bytes / self._pace()
        self._scrub_at_s = now_s + wait_s
        return min(IDLE_S, wait_s)

    def _pace(self) -> float:
        """Bytes a second."""
        rules = self.rules()
        return min(rules.scrub_bytes_s_max, max(SLOWEST_BYTES_S, self._total_bytes / rules.scrub_s))

    def _round(self, fence: Fence) -> Iterator[int]:
        """Read everything from where the last process got to; yields bytes, a mebibyte at most at a time."""
        with self._db.read() as conn:
            begun, self._total_bytes = store.round_of(conn, SCRUB), objects.total_bytes(conn)
        kind, _, after = begun.place.partition(":")
        first, saved_s = _KINDS.index(kind) if kind in _KINDS else 0, self._clock.real_s()
        now = begun
        for kind in _KINDS[first:]:
            while rows := self._some(kind, after):
                for name, reading in self._readings(kind, rows, fence):
                    for n_bytes in reading:
                        now = replace(now, n_bytes=now.n_bytes + n_bytes)
                        yield n_bytes
                    now = replace(now, place=f"{kind}:{name}", n_contents=now.n_contents + 1)
                    if self._clock.real_s() - saved_s >= SAVE_EVERY_S:
                        saved_s = self._clock.real_s()
                        self._save(fence, lambda _old, now=now: now, SCRUB)  # type: ignore[misc]
                after = rows[-1][0]
            after = ""
        ended_s = self._clock.real_s()
        self._save(fence, lambda _old: replace(now, place="", ended_at_s=ended_s), SCRUB)

    def _some(self, kind: str, after: str) -> list[Any]:
        scrubber = self._collector.scrubber
        return list(scrubber.nodes(after, TURN_ROWS) if kind == NODE else scrubber.rows(kind, after, TURN_ROWS))

    def _readings(self, kind: str, rows: list[Any], fence: Fence) -> Iterator[tuple[str, Iterator[int]]]:
        if kind == NODE:
            yield rows[-1][0], self._reading_nodes(rows)
            return
        for row in rows:
            yield row[0], self._reading(kind, row, fence)

    def _reading(self, kind: str, row: Row, fence: Fence) -> Iterator[int]:
        try:
            found = yield from self._collector.scrubber.reading(kind, row)
        except Locked:
            return
        if found is not None:
            _log.error("%s", found.text)
            self.note([found], fence)
            return
        with self._db.read() as conn:
            was_damaged = store.is_damaged(conn, kind, row[0])
        if was_damaged:  # a disk that reads again what it could not read
            with self._db.write() as conn:
                fence(conn)
                store.mended(conn, kind, [row[0]])

    def _reading_nodes(self, rows: list[tuple[str, bytes]]) -> Iterator[int]:
        for found in self._collector.scrubber.check_nodes(rows):
            _log.error("%s", found.text)
        yield sum(len(content) for _, content in rows)

    # -- where damage lies ---------------------------------------------------------------------------------------------
    def _name_places(self, fence: Fence) -> bool:
        """Look for the files in which damaged contents lie, for all that were found lately, and tell of them."""
        with self._db.read() as conn:
            if not store.is_any_damaged(conn):
                return False
            fresh = store.damage(conn, SHOWN, is_without_places=True)
            packs = store.blobs_in_packs(conn, [one.content_hash for one in fresh if one.kind == PACK])
            holders = objects.holders(conn, [(one.kind, one.content_hash) for one in fresh])
        if not fresh:
            return False
        wanted = {one.content_hash: packs.get(one.content_hash, [one.content_hash]) for one in fresh}
        names = {plain_name(name) for given in wanted.values() for name in given}
        lies_in = places_of(self._db, names, holders)
        with self._db.write() as conn:
            fence(conn)
            for one in fresh:
                places = [place for name in wanted[one.content_hash] for place in lies_in[plain_name(name)]]
                store.set_places(conn, one.kind, one.content_hash, places[:SHOWN])
                self.tell(conn, replace(one, places=tuple(places[:SHOWN])))
        return True


__all__ = ["Damage", "Place", "Upkeep", "UpkeepRules", "UpkeepStatus"]
