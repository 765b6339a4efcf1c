"""The committing of what jobs made: a thread of the deciding process, so that no decision waits for a disk."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from eureka_park.foundation.errors import ParkError

POLL_S: Final = 1.0

_log = logging.getLogger("eureka_park")


class Committer:
    """Calls `commit_due` until nothing is due, each second, until stopped. What a stop interrupts is due again."""

    def __init__(self, commit_due: Callable[[], int]) -> None:
        self._commit_due, self._stopped = commit_due, threading.Event()
        self._thread = threading.Thread(target=self._work, name="committer", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, wait_s: float = 1.0) -> None:
        """Begin nothing further."""
        self._stopped.set()
        self._thread.join(wait_s)

    def _work(self) -> None:
        told = ""
        while not self._stopped.wait(POLL_S):
            try:
                while self._commit_due() and not self._stopped.is_set():
                    told = ""
            except (ParkError, OSError) as error:
                if str(error) != told:  # a database that is away, say: told once
                    told = str(error)
                    _log.warning("outputs of jobs wait: %s", told)
            except Exception:
                _log.exception("outputs of jobs wait for a defect of the park")
                self._stopped.wait(60.0)
