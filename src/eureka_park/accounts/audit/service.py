"""The audit log: a note inside every deed's own transaction, sealed by `live`, checked from its beginning."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.audit import store
from eureka_park.accounts.core.audit_chain import Checked, Entry, Seal, check, seal_batch
from eureka_park.accounts.core.permissions import Principal
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.units import iso_from_s

if TYPE_CHECKING:
    from sqlalchemy import Connection

BATCH_MAX: Final = 2_000
_THING_CHARS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that a deed is part of: its id, and where it came from."""

    request_id: str = ""
    address: str = ""


_NOBODY: Final = Asked()  # a command on the machine itself
asked: ContextVar[Asked] = ContextVar("asked", default=_NOBODY)
Detail = Mapping[str, str | int | float | bool | None]


class AuditService:
    """Who did what. `key` is the park's, kept outside of the database; `head` is what the home notes of the chain."""

    def __init__(
        self, db: Database, clock: Clock, key: bytes = b"", head: Callable[[], tuple[int, str] | None] = lambda: None
    ) -> None:
        self._db, self._clock, self._key, self._head = db, clock, key, head

    def note(
        self,
        conn: Connection,
        act: str,
        *,
        who: Principal | str | None = None,
        thing: str = "",
        detail: Detail | None = None,
        outcome: str = "done",
    ) -> None:
        """Add an entry inside the transaction of the deed. Ids only: no name, no address, no secret."""
        person_id = who.person_id if isinstance(who, Principal) else who or ""
        more = {"token": who.token_id} if isinstance(who, Principal) and who.token_id else {}
        here = asked.get()
        text = json.dumps({**(detail or {}), **more}, ensure_ascii=False, sort_keys=True)
        address = self.address_of(here.address) if here.address else ""
        entry = Entry(
            self._clock.real_s(), person_id, act, thing[:_THING_CHARS_MAX], outcome, here.request_id[:64], address, text
        )
        store.add(conn, entry)

    def address_of(self, address: str) -> str:
        """An address as the log keeps it: a keyed hash, alike for the same address, and nobody reads it back."""
        return hmac.new(self._key, b"audit address\0" + address.encode(), hashlib.sha256).hexdigest()[:16]

    def is_any_open(self) -> bool:
        """Whether an entry waits for its seal."""
        with self._db.read() as conn:
            return store.is_any_open(conn)

    def seal(self, conn: Connection) -> Seal | None:
        """Seal what waits, at most a batch of it. Only who holds the lease may call this, in a fenced transaction."""
        waiting = store.open_entries(conn, BATCH_MAX)
        if not waiting:
            return None
        fresh = [entry for _, entry in waiting]
        sealed, seal = seal_batch(store.last_seal(conn), fresh, self._key, self._clock.real_s())
        store.seal(conn, [name for name, _ in waiting], sealed, seal)
        return seal

    def check(self) -> Checked:
        """Follow the chain from its beginning; `fault` names the first entry that is altered or missing."""
        head = self._head()  # before the database: a chain may grow meanwhile, never shrink
        with self._db.read() as conn:
            return self.check_in(conn, head)

    def check_in(self, conn: Connection, head: tuple[int, str] | None) -> Checked:
        """As `check`, inside the caller's transaction, against an end of the chain that was noted elsewhere."""
        return check(store.all_sealed(conn), store.all_seals(conn), self._key, head)

    def newest(
        self, before: int | None = None, limit: int = 100, *, who: str = "", thing: str = ""
    ) -> list[dict[str, Any]]:
        """Entries, the newest first; `entry_id` of the last is the next `before`."""
        with self._db.read() as conn:
            return [_shown(name, entry) for name, entry in store.newest(conn, before, limit, who, thing)]

    def count(self, who: str) -> int:
        """How many entries are a person's."""
        with self._db.read() as conn:
            return store.count(conn, who)

    def count_since(self, conn: Connection, who: str, act: str, lasts_s: float) -> int:
        """How often a person did something within the last seconds, the caller's transaction included."""
        return store.count_since(conn, who, act, self._clock.real_s() - lasts_s)


def _shown(entry_id: int, entry: Entry) -> dict[str, Any]:
    return {
        "entry_id": entry_id,
        "at": iso_from_s(entry.at_real_s),
        "who": entry.who,
        "act": entry.act,
        "thing": entry.thing,
        "outcome": entry.outcome,
        "request_id": entry.request_id,
        "address": entry.address,
        "detail": json.loads(entry.detail),
        "seq": entry.seq or None,
    }
