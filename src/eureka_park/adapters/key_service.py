"""The operator's own keeper of projects' keys (a KMS, an HSM, a vault), asked by the program that PARK_KMS names."""

from __future__ import annotations

import base64
import binascii
import shlex
import subprocess
from typing import Final

from eureka_park.foundation.errors import BadInput, Unavailable

VARIABLE: Final = "PARK_KMS"
TIMEOUT_S: Final = 20.0
NOT_MINE: Final = 2
_CHARS_MAX: Final = 16_384


class KeyService:
    """Calls `PROGRAM wrap ABOUT` with a key in base 64 on its input, and keeps the text that it writes; calls
    `PROGRAM unwrap ABOUT` with that text, and reads the key in base 64. Exit 2 says that the text is not its own.
    """

    def __init__(self, command: str) -> None:
        """Raises BadInput for what is no command line."""
        try:
            self._words = shlex.split(command)
        except ValueError:
            self._words = []
        if not self._words:
            raise BadInput(f"{VARIABLE} is no command line.", fix="Name a program and its words.", code="bad_kms")

    def wrap(self, key: bytes, about: str) -> str:
        """The key as the service wraps it. Raises Unavailable (`keeper_silent`)."""
        wrapped = self._ask("wrap", about, base64.b64encode(key).decode())
        if not wrapped:
            raise _silent()
        return wrapped

    def unwrap(self, wrapped: str, about: str) -> bytes:
        """What was wrapped. Raises ValueError for what the service does not know, Unavailable."""
        try:
            return base64.b64decode(self._ask("unwrap", about, wrapped), validate=True)
        except binascii.Error:
            raise _silent() from None

    def _ask(self, act: str, about: str, text: str) -> str:
        try:
            done = subprocess.run(
                [*self._words, act, about], input=text, text=True, capture_output=True, timeout=TIMEOUT_S, check=False
            )
        except (OSError, UnicodeDecodeError, subprocess.TimeoutExpired):
            raise _silent() from None
        if done.returncode == NOT_MINE:
            raise ValueError("wrapped by another service")
        if done.returncode or len(done.stdout) > _CHARS_MAX:
            raise _silent()
        return done.stdout.strip()


def key_service(command: str) -> KeyService | None:
    """The key service that a command line names; None for none."""
    return KeyService(command) if command.strip() else None


def _silent() -> Unavailable:
    return Unavailable(
        "The park's key service does not answer.",
        fix=f"Try again later; its operator finds the program in {VARIABLE}.",
        code="keeper_silent",
    )


__all__ = ["VARIABLE", "KeyService", "key_service"]
