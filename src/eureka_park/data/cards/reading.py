"""Reading cards: noted within the transaction of the version that brings them, read right after it, or later if not.

A card that cannot be read stops no version: it says so itself.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from eureka_park.data.cards import store
from eureka_park.data.cards.store import Due
from eureka_park.data.core.card import CARD, CARD_BYTES_MAX, Card, read_card
from eureka_park.data.core.entry import Entry
from eureka_park.data.core.repository import MAIN, Commit, Repository
from eureka_park.data.objects.service import ObjectsService
from eureka_park.data.repositories.store import by_id
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import NotFound, ParkError

if TYPE_CHECKING:
    from sqlalchemy import Connection

AGAIN_S: Final = 300.0  # when a card is tried again whose content could not be read
AT_ONCE: Final = 20
_log = logging.getLogger("eureka_park.data")


class CardReader:
    """Keeps what the cards of newest versions say in step with them."""

    def __init__(self, db: Database, clock: Clock, objects: ObjectsService) -> None:
        self._db, self._clock, self._objects = db, clock, objects

    def noted(
        self, conn: Connection, repository: Repository, branch: str, made: Commit, edits: Mapping[str, Entry | None]
    ) -> None:
        """Inside the transaction that makes a version: whether its card has to be read, or is gone."""
        if branch != MAIN or CARD not in edits:
            return
        entry = edits[CARD]
        if entry is None:
            store.drop(conn, repository.repository_id)
            return
        is_sealed = ":" in made.root_id  # the mark of a confidential project
        due = Due(repository.repository_id, entry.sha256, is_sealed)
        store.set_due(conn, due, self._clock.real_s())

    def read(self, repository_id: str) -> None:
        """Read the card of a repository if that is due. Raises nothing."""
        with self._db.read() as conn:
            due = store.due_of(conn, repository_id)
        if due is not None:
            self._read(due)

    def read_due(self) -> int:
        """Read cards that a process left unread when it died, some at a time; how many were due."""
        with self._db.read() as conn:
            found = store.all_due(conn, self._clock.real_s(), AT_ONCE)
        for due in found:
            self._read(due)
        return len(found)

    def content(self, project_id: str, sha256: str, kind: str) -> Card:
        """The card that a README.md is. Raises NotFound or Unavailable where its content cannot be read."""
        blob = self._objects.open(project_id, sha256)
        size_bytes = min(blob.size_bytes, CARD_BYTES_MAX)
        text = b"".join(blob.read(0, size_bytes))
        return read_card(text, kind, is_whole=size_bytes == blob.size_bytes)

    def _read(self, due: Due) -> None:
        try:
            with self._db.read() as conn:
                found = by_id(conn, due.repository_id)
            if found is None:
                raise NotFound("Its repository is no more.")
            card = self.content(found.project_id, due.readme_sha256, found.kind)
            with self._db.write() as conn:
                store.keep(conn, due, card)
        except (ParkError, OSError) as error:
            _log.warning("the card of %s could not be read: %s", due.repository_id, error)
            self._postpone(due)

    def _postpone(self, due: Due) -> None:
        try:
            with self._db.write() as conn:
                store.postpone(conn, due, self._clock.real_s() + AGAIN_S)
        except (ParkError, OSError):
            _log.warning("the card of %s stays due", due.repository_id)
