"""The same key gives the same answer: what was asked under it is done once, however often the request arrives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eureka_park.foundation.errors import Conflict
from eureka_park.foundation.units import DAY_S
from eureka_park.ledger.repeats import store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.accounts.core.permissions import Principal

KEPT_S: Final = 30 * DAY_S


@dataclass(frozen=True, slots=True)
class Repeat:
    """A key of somebody, and what they ask under it; without a key nothing is kept and all is new."""

    key_sha256: str
    asked_sha256: str

    def done(self, conn: Connection, at_s: float) -> str:
        """What came of it before; '' where it is new. Raises Conflict (`key_reused`) where it asked something else."""
        if not self.key_sha256:
            return ""
        store.forget(conn, at_s - KEPT_S)
        asked, result = store.claim(conn, self.key_sha256, self.asked_sha256, at_s)
        if asked != self.asked_sha256:
            raise Conflict(
                "This Idempotency-Key was used for another request.", fix="Send a fresh key.", code="key_reused"
            )
        return result

    def close(self, conn: Connection, result: str) -> None:
        """Note what came of it, in the transaction that did it."""
        if self.key_sha256:
            store.close(conn, self.key_sha256, result)


def repeat_of(who: Principal, key: str, act: str, asked: Mapping[str, Any]) -> Repeat:
    """A request of somebody. The key is theirs alone, and is kept as its hash; so is what they ask."""
    body = json.dumps({"act": act, **asked}, sort_keys=True, ensure_ascii=False, default=str)
    return Repeat(_hash(f"{who.person_id}\n{key}") if key else "", _hash(body))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
