"""A real SMTP server on this machine that keeps every letter and can refuse them."""

from __future__ import annotations

import queue
import re
import socket
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


class MailCatcher:
    """`next()` waits for a letter; `refuse_n` letters are put off first, as a busy server does."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.refuse_n = 0
        self._letters: queue.Queue[EmailMessage] = queue.Queue()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.refuse_n > 0:
            self.refuse_n -= 1
            return "421 busy"
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self._letters.put(letter)
        return "250 OK"

    def next(self, wait_s: float = 20.0) -> EmailMessage:
        return self._letters.get(timeout=wait_s)

    def is_empty(self) -> bool:
        return self._letters.empty()

    def link(self) -> str:
        """The link in the next letter."""
        found = re.search(r"https?://\S+code=\S+", said := self.next().get_content())
        assert found is not None, said
        return found[0]

    def stop(self) -> None:
        self._controller.stop()
