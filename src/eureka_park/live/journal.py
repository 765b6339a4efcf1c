"""Opening the state: the last snapshot, then the journal's tail; and writing both, fenced by the lease's token."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from eureka_park.compute.core.event import KINDS, Event, MeterRead, event_from_json, event_to_json
from eureka_park.compute.core.state import SCHEMA_VERSION, ParkState
from eureka_park.foundation.database import Database
from eureka_park.live import store

if TYPE_CHECKING:
    from sqlalchemy import Connection

_log = logging.getLogger("eureka_park.live")

SNAPSHOT_EVERY: Final = 5_000
_REPLAY_BLOCK: Final = 10_000


class Journal:
    """The journal of one park, held by the process whose token is the newest."""

    def __init__(self, token: int, head: int, snapshot_seq: int) -> None:
        self.token, self.head, self._snapshot_seq = token, head, snapshot_seq

    def append(self, conn: Connection, events: Sequence[Event], at_real_s: float) -> int:
        """Append events inside the caller's transaction; the new head. Raises Conflict when the lease was lost."""
        store.check_token(conn, self.token)
        return store.append_journal(conn, self.head, self.token, at_real_s, [event_to_json(item) for item in events])

    def committed(self, head: int) -> None:
        """Note that entries up to `head` are on disk."""
        self.head = head

    def snapshot_is_due(self, n_jobs: int) -> bool:
        """Whether enough was written since the last snapshot; of a longer queue it is dearer, so rarer."""
        return self.head - self._snapshot_seq >= max(SNAPSHOT_EVERY, n_jobs)

    def save_snapshot(self, db: Database, state: ParkState) -> None:
        """Keep a snapshot of the state at the head."""
        if self.head == self._snapshot_seq:
            return
        with db.write() as conn:
            store.check_token(conn, self.token)
            store.save_snapshot(conn, self.head, SCHEMA_VERSION, state.to_json())
        self._snapshot_seq = self.head


def open_state(db: Database, token: int) -> tuple[ParkState, Journal]:
    """Rebuild the state as of the journal's head, from the beginning where no snapshot can be read."""
    with db.read() as conn:
        state, seq = _from_snapshot(store.last_snapshot(conn, SCHEMA_VERSION))
        snapshot_seq = seq
        while block := store.journal_after(conn, seq, _REPLAY_BLOCK):
            for number, kind, payload in block:
                if number != seq + 1:
                    raise RuntimeError(f"the journal has a gap after entry {seq}")
                state.apply(event_from_json(kind, payload))
                seq = number
    state.just_ended.clear()
    return state, Journal(token, seq, snapshot_seq)


def recorded_events(db: Database) -> Iterator[Event]:
    """All that the journal tells of jobs, nodes, shares and policy, from its beginning; nothing is changed.

    A park may go on deciding meanwhile: each block is read for itself. What an older park wrote in another form, or a
    newer one under a kind that is not known here, is passed over.
    """
    kinds, seq = KINDS - {MeterRead.__name__}, 0
    while True:
        with db.read() as conn:
            block = store.journal_of_kinds(conn, kinds, seq, _REPLAY_BLOCK)
        if not block:
            return
        for _, kind, payload in block:
            try:
                yield event_from_json(kind, payload)
            except (KeyError, TypeError, ValueError):
                continue
        seq = block[-1][0]


def _from_snapshot(found: tuple[int, dict[str, Any]] | None) -> tuple[ParkState, int]:
    if found is not None:
        try:
            return ParkState.from_json(found[1]), found[0]
        except ValueError as error:  # written by a park that lays out its board otherwise
            _log.info("the snapshot after entry %s is left aside: %s", found[0], error)
    return ParkState(), 0
