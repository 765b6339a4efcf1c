"""Texts that say nothing without the park's key, as they stand in the database."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

_NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Cipher:
    """AES-256-GCM under a key made of the park's `key` and what it is for; `entropy(n)` gives n unguessable bytes."""

    key: bytes = field(repr=False)
    purpose: bytes
    entropy: Callable[[int], bytes]

    def seal(self, plain: bytes, about: str) -> str:
        """Text that can be read back with the same key, for the same `about` alone."""
        nonce = self.entropy(_NONCE_BYTES)
        return base64.b64encode(nonce + bytes(self._cipher().encrypt(nonce, plain, about.encode()))).decode()

    def unseal(self, sealed: str, about: str) -> bytes:
        """What was sealed. Raises ValueError for what was not sealed with this key."""
        from cryptography.exceptions import InvalidTag

        raw = base64.b64decode(sealed)
        try:
            return bytes(self._cipher().decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], about.encode()))
        except InvalidTag:
            raise ValueError("sealed with another key") from None

    def _cipher(self) -> Any:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(hashlib.sha256(self.purpose + b"\0" + self.key).digest())
