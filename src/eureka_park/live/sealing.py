"""Sealing the audit log: the one process that decides puts what was noted into the chain, fenced as all it writes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eureka_park.accounts.audit.service import BATCH_MAX, AuditService
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import ParkError
from eureka_park.live import store

if TYPE_CHECKING:
    from eureka_park.accounts.core.audit_chain import Seal

SEAL_S: Final = 0.9  # real seconds between two looks at most, so that an entry is sealed within a second
HEAD_FILE: Final = "audit.head"  # in the home: outside of the database, so that a chain cut short is seen


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals what waits. `tell_head` keeps the end of the chain outside of the database."""

    db: Database
    audit: AuditService
    tell_head: Callable[[str], None]

    def step(self, token: int) -> int:
        """Seal all that waits; how many batches. Raises Conflict when the lease has gone to another process."""
        n_batches, is_full = 0, self.audit.is_any_open()
        while is_full:
            seal = self._seal(token)
            is_full = seal is not None and seal.n == BATCH_MAX
            if seal is not None:
                n_batches += 1
                with suppress(ParkError):  # a full disk costs only that
                    self.tell_head(head_text(seal.seq, seal.hash))
        return n_batches

    def _seal(self, token: int) -> Seal | None:
        with self.db.write() as conn:
            store.check_token(conn, token)
            return self.audit.seal(conn)


def head_text(seq: int, chain_hash: str) -> str:
    """The end of the chain as the home keeps it."""
    return f"{seq} {chain_hash}\n"


def read_head(text: str | None) -> tuple[int, str] | None:
    """The end of the chain from the home; None where nothing that can be read was noted."""
    parts = (text or "").split()
    return (int(parts[0]), parts[1]) if len(parts) == 2 and parts[0].isdigit() else None
