"""What the parts of accounts stand on."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from eureka_park.accounts.audit.service import AuditService
from eureka_park.accounts.core.entrance import Lasting
from eureka_park.foundation.bus import Bus
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import NotFound
from eureka_park.foundation.ids import ENTROPY_BYTES, new_id

_SECRET_BYTES: Final = 32
SECRET_CHARS_MAX: Final = 200  # longer is no secret of ours and is not even hashed


@dataclass(frozen=True, slots=True)
class Ground:
    """Database, clock, chance (`entropy(n)` gives n unguessable bytes), the audit log, who wants to hear of it, and how
    long things last as of now.
    """

    db: Database
    clock: Clock
    entropy: Callable[[int], bytes]
    audit: AuditService
    bus: Bus
    lasting: Callable[[], Lasting] = Lasting

    def secret(self, prefix: str = "") -> str:
        """43 letters that nobody guesses."""
        return prefix + base64.urlsafe_b64encode(self.entropy(_SECRET_BYTES)).decode().rstrip("=")

    def fresh_id(self, prefix: str) -> str:
        """An id that nobody has yet."""
        return new_id(prefix, self.entropy(ENTROPY_BYTES))


def no_person(person_id: str) -> NotFound:
    """There is no such person."""
    return NotFound(f"There is no person {person_id[:80]}.", fix="Check the id.", code="no_such_person")
