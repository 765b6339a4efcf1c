"""Sending letters through a mail server, beside the requests that ask for them: nobody waits, and nobody learns by the
time of an answer whether a letter was written. A server that is away is tried again while its letters are of use.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from queue import PriorityQueue
from typing import Final

from eureka_park import __version__
from eureka_park.accounts.settings_file import MailSettings
from eureka_park.accounts.sign_in.ground import Letter
from eureka_park.accounts.sign_in.letter_texts import Written, written
from eureka_park.foundation.errors import Unavailable

PASSWORD_VARIABLE: Final = "PARK_SMTP_PASSWORD"
TIMEOUT_S: Final = 20.0
AGAIN_S: Final = (5.0, 20.0, 60.0, 120.0, 240.0, 480.0)
WAITING_MAX: Final = 1_000  # letters; further ones are dropped, and that is logged

_FINAL: Final = 500  # below, a server asks to try again
_REFUSED: Final = "letter_refused"

_log = logging.getLogger("eureka_park")


@dataclass(order=True)
class _Waiting:
    due_s: float
    n: int
    letter: Written = field(compare=False)
    n_tries: int = field(default=0, compare=False)


class Post:
    """Letters on their way. `settings()`: the mail server as of now; `password()`: its secret."""

    def __init__(
        self,
        settings: Callable[[], MailSettings | None],
        password: Callable[[], str],
        again_s: tuple[float, ...] = AGAIN_S,
    ) -> None:
        self._settings, self._password, self._again_s = settings, password, again_s
        self._waiting: PriorityQueue[_Waiting] = PriorityQueue(WAITING_MAX)
        self._thread: threading.Thread | None = None
        self._lock, self._stop, self._n = threading.Lock(), threading.Event(), 0
        self._fresh = threading.Event()

    def send(self, letter: Letter) -> None:
        """Have a letter sent; returns at once."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="post", daemon=True)
                self._thread.start()
        self._put(written(letter), 0, 0.0)

    def close(self) -> None:
        """Stop; letters that wait are lost, and who waits for one asks again."""
        self._stop.set()
        self._fresh.set()
        if self._thread is not None:
            self._thread.join(1.0)

    def _put(self, letter: Written, n_tries: int, after_s: float) -> None:
        with self._lock:
            self._n += 1
            n = self._n
        if self._waiting.full():
            _log.error("a letter was dropped: %d wait for the mail server", WAITING_MAX)
            return
        self._waiting.put(_Waiting(time.monotonic() + after_s, n, letter, n_tries))
        self._fresh.set()

    def _work(self) -> None:
        while not self._stop.is_set():
            self._fresh.clear()
            item = self._waiting.get()
            wait_s = item.due_s - time.monotonic()
            if wait_s > 0:  # a fresh letter must not wait for one that is tried again later
                self._waiting.put(item)
                self._fresh.wait(wait_s)
                continue
            self._try(item)

    def _try(self, item: _Waiting) -> None:
        settings = self._settings()
        if settings is None:
            _log.error("a letter was dropped: accounts.toml names no mail server any more")
            return
        try:
            deliver(settings, self._password(), item.letter)
        except Unavailable as error:
            if error.code == _REFUSED or item.n_tries >= len(self._again_s):
                _log.error("a letter was dropped after %d tries: %s", item.n_tries + 1, error.message)
                return
            _log.warning("a letter waits: %s", error.message)
            self._put(item.letter, item.n_tries + 1, self._again_s[item.n_tries])


def deliver(settings: MailSettings, password: str, letter: Written) -> None:
    """Hand one letter to the mail server. Raises Unavailable (`mail_server_away`, `letter_refused`)."""
    try:
        with _connected(settings) as server:
            if settings.user:
                server.login(settings.user, password)
            server.send_message(message_of(settings, letter))
    except (OSError, smtplib.SMTPException) as error:
        if (code := _code_of(error)) >= _FINAL:
            raise Unavailable(f"The mail server {settings.host} refused a letter ({code}).", code=_REFUSED) from None
        raise Unavailable(
            f"The mail server {settings.host}:{settings.port} cannot be used ({type(error).__name__}).",
            fix="Check [mail] in accounts.toml and PARK_SMTP_PASSWORD.", code="mail_server_away",
        ) from None  # fmt: skip


def message_of(settings: MailSettings, letter: Written) -> EmailMessage:
    """The letter as it goes over the line."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.sender, letter.to, letter.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=parseaddr(settings.sender)[1].rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers it
    message["X-Mailer"] = f"eureka-park/{__version__}"
    message.set_content(letter.body)
    message["Content-Language"] = letter.language.replace("_", "-")
    return message


def _connected(settings: MailSettings) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if settings.tls == "tls":
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=TIMEOUT_S, context=context)
    server = smtplib.SMTP(settings.host, settings.port, timeout=TIMEOUT_S)
    if settings.tls == "starttls":
        server.starttls(context=context)  # raises where the server cannot: nothing goes in the clear
    return server


def _code_of(error: Exception) -> int:
    """The server's answer to this letter; 0 where the connection itself failed."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return max((code for code, _ in error.recipients.values()), default=0)
    is_of_letter = isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused)
    return error.smtp_code if is_of_letter and isinstance(error, smtplib.SMTPResponseException) else 0
