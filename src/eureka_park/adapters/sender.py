"""The sending of what waits in the queue of notices: a few threads beside everything else, so that nobody waits for a
mail server or a webhook.

`live` sends all that waits. A process that puts letters in sends those at once too; what one has in hand, the other
leaves alone.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from eureka_park.accounts.core.notices import LETTER
from eureka_park.accounts.notices.outbox import HOOKS_AT_ONCE, Call, Mail, Outbox, Task
from eureka_park.accounts.settings_file import Settings
from eureka_park.adapters import mail, webhook
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.errors import ParkError, Unavailable

N_AT_ONCE: Final = 4
POLL_S: Final = 1.0
TIDY_S: Final = 3600.0
_SOON_S: Final = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)  # a letter is there when the transaction that wrote it has ended

_log = logging.getLogger("eureka_park")


class Sender:
    """Sends for one process. `lanes`: only these; None: all."""

    def __init__(
        self,
        outbox: Outbox,
        settings: Callable[[], Settings],
        password: Callable[[], str],
        clock: Clock,
        lanes: Collection[str] | None = None,
    ) -> None:
        self._outbox, self._settings, self._password, self._clock = outbox, settings, password, clock
        self._lanes = lanes
        self._woken, self._stopped = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._n_busy = self._n_hooks = 0

    def start(self) -> None:
        """Look for what is due every second, until stopped."""
        with self._lock:
            if self._thread is None:
                self._pool = ThreadPoolExecutor(N_AT_ONCE, thread_name_prefix="sender")
                self._thread = threading.Thread(target=self._work, name="sender", daemon=True)
                self._thread.start()

    def soon(self) -> None:
        """Something is being put in by a transaction that is still open."""
        self.start()
        self._woken.set()

    def stop(self, wait_s: float = 1.0) -> None:
        """Send nothing further. What is under way is sent again by the next process if its end is not seen."""
        self._stopped.set()
        self._woken.set()
        if self._thread is not None and self._pool is not None:
            self._thread.join(wait_s)
            self._pool.shutdown(wait=False, cancel_futures=True)

    def send_due(self) -> int:
        """Send what is due now, one after the other, in this thread; how many tries that were."""
        n_tries = 0
        while tasks := self._outbox.claim(N_AT_ONCE, self._lanes):
            for task in tasks:
                self.send(task)
                n_tries += 1
        return n_tries

    def send(self, task: Task) -> None:
        """One try, and note how it went."""
        try:
            answer = self._send_mail(task) if isinstance(task, Mail) else self._call(task)
        except _Again as error:
            _log.warning("a message waits: %s", error)
            self._outbox.failed(task, str(error), is_final=False)
        except _Never as error:
            _log.error("a message was given up: %s", error)
            self._outbox.failed(task, str(error), is_final=True)
        else:
            self._outbox.sent(task, answer)

    # -- ways ----------------------------------------------------------------------------------------------------------
    def _send_mail(self, task: Mail) -> str:
        settings = self._settings().mail
        if settings is None:
            raise _Never("no mail server")
        try:
            mail.deliver(settings, self._password(), task.letter, task.message_id)
        except Unavailable as error:
            raise (_Never if error.code == mail.REFUSED else _Again)(error.message) from None
        return "accepted"

    def _call(self, task: Call) -> str:
        try:
            return webhook.call(task, self._clock.real_s(), self._settings().webhook_hosts)
        except webhook.Refused as error:
            raise _Again(str(error)) from None

    # -- the thread ----------------------------------------------------------------------------------------------------
    def _work(self) -> None:
        tidy_s, waits, n_soon = 0.0, False, 0
        while not self._stopped.is_set():
            try:
                n_found = self._hand_out()
                waits = self._lanes is not None and self._outbox.is_any_waiting(self._lanes)
                if self._lanes is None and (tidy_s := tidy_s - POLL_S) <= 0:
                    tidy_s = TIDY_S
                    self._outbox.tidy()
            except ParkError as error:  # a busy or lost database: the next look finds what waits
                n_found = 0
                _log.warning("messages wait: %s", error.message)
            except Exception:  # a defect must not end the sending of everything else
                n_found = 0
                _log.exception("messages wait")
            n_soon = 0 if n_found else n_soon
            self._rest(n_soon, waits)
            n_soon = min(n_soon + 1, len(_SOON_S))

    def _rest(self, n_soon: int, waits: bool) -> None:
        """Sleep until something may be due: shortly after a letter was announced, every second where all is looked
        after or a letter is tried again, else until woken.
        """
        if self._woken.is_set() and n_soon < len(_SOON_S):
            self._stopped.wait(_SOON_S[n_soon])
            if n_soon == len(_SOON_S) - 1:
                self._woken.clear()
            return
        self._woken.clear()
        self._woken.wait(POLL_S if self._lanes is None or waits else None)

    def _hand_out(self) -> int:
        n_free = N_AT_ONCE - self._n_busy
        tasks = self._outbox.claim(n_free, self._lanes, HOOKS_AT_ONCE - self._n_hooks) if n_free > 0 else []
        for task in tasks:
            with self._lock:
                self._n_busy += 1
                self._n_hooks += isinstance(task, Call)
            assert self._pool is not None
            self._pool.submit(self._sent_beside, task)
        return len(tasks)

    def _sent_beside(self, task: Task) -> None:
        try:
            self.send(task)
        except ParkError as error:  # its claim runs out, and it is sent again
            _log.warning("a message is not noted as sent: %s", error.message)
        except Exception:
            _log.exception("a message is not noted as sent")
        finally:
            with self._lock:
                self._n_busy -= 1
                self._n_hooks -= isinstance(task, Call)
            self._woken.set()


class _Again(Exception):
    """It did not work now."""


class _Never(Exception):
    """It will not work."""


LETTERS: Final = (LETTER,)
