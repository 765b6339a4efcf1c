"""What the deciding process does for the store: a thread that keeps it in order, each day's storage for the books."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eureka_park.data.objects import store as objects
from eureka_park.data.upkeep import store as rounds
from eureka_park.data.upkeep.store import BOOKING, Round
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import ParkError
from eureka_park.ledger.service import LedgerService
from eureka_park.live import store

if TYPE_CHECKING:
    from sqlalchemy import Connection

PROJECTS_AT_ONCE: Final = 20  # booked in one transaction, so that the loop goes on
AGAIN_S: Final = 60.0  # real seconds after something did not work

_log = logging.getLogger("eureka_park.live")


@dataclass(slots=True)
class StorageBooking:
    """Books what each project stores, once for each day of the site's calendar: at the day's first turn, of what lies
    there then. Days that the park was down for are made up for. What is deleted stays for a day at least, so nothing
    that lay there misses all turns.
    """

    db: Database
    ledger: LedgerService
    _next_s: float = -1e18  # park time before which there is nothing to do
    _after: str = ""  # the last project that was booked today

    def step(self, token: int, now_s: float) -> int:
        """Book some projects, if the day is not done; how many. Raises Conflict when the lease has gone."""
        if now_s < self._next_s:
            return 0
        with self.db.write() as conn:
            store.check_token(conn, token)
            last = rounds.round_of(conn, BOOKING)
            days = self.ledger.storage.days_since(int(last.place) if last.place else None, now_s)
            some = objects.uses_after(conn, self._after, PROJECTS_AT_ONCE) if days else []
            for project_id, n_bytes in some:
                for _, at_s in days:
                    self.ledger.storage.book_day(conn, project_id, at_s, n_bytes)
            self._after = some[-1][0] if len(some) == PROJECTS_AT_ONCE else ""
            if not self._after:
                if days:
                    rounds.save_round(conn, Round(BOOKING, str(days[-1][0]), 0, 0, now_s, now_s))
                self._next_s = self.ledger.storage.next_day_s(now_s)
        return len(some)


class StorageKeeper:
    """The store's upkeep in a thread of the process that decides, as long as it does. `turn(fence)`: one bounded step;
    how many seconds to wait until the next.
    """

    def __init__(self, turn: Callable[[Callable[[Connection], None]], float], token: int) -> None:
        self._turn, self._token = turn, token
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, until stopped or until another process decides."""
        self._thread = threading.Thread(target=self._work, name="storage", daemon=True)
        self._thread.start()

    def stop(self, wait_s: float = 2.0) -> None:
        """Begin no further turn. One that is under way may be cut off at any point."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(wait_s)

    def _work(self) -> None:
        while not self._stopped.is_set():
            wait_s = self._once()
            if wait_s is None:
                return
            self._stopped.wait(wait_s)

    def _once(self) -> float | None:
        try:
            return self._turn(self._fence)
        except ParkError as error:
            if error.code == "lease_lost":
                return None
            _log.warning("the store's upkeep waits: %s", error.line())
        except Exception:
            _log.exception("the store's upkeep waits")
        return AGAIN_S

    def _fence(self, conn: Connection) -> None:
        store.check_token(conn, self._token)
