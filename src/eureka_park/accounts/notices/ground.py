"""What the parts of notices stand on: accounts, the operator's settings, and a cipher for what waits."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from eureka_park.accounts.ground import Ground
from eureka_park.accounts.settings_file import Settings

_NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class NoticeGround:
    """`settings()`: the operator's as of now. What is sealed can be read by the park's `key` alone."""

    ground: Ground
    key: bytes
    settings: Callable[[], Settings]

    @property
    def now_s(self) -> float:
        """Real time."""
        return self.ground.clock.real_s()

    def seal(self, plain: bytes, about: str) -> str:
        """Text that says nothing without the key; it can be read back for the same `about` alone."""
        nonce = self.ground.entropy(_NONCE_BYTES)
        return base64.b64encode(nonce + bytes(self._cipher().encrypt(nonce, plain, about.encode()))).decode()

    def unseal(self, sealed: str, about: str) -> bytes:
        """What was sealed. Raises ValueError for what was not sealed with this key."""
        from cryptography.exceptions import InvalidTag

        raw = base64.b64decode(sealed)
        try:
            return bytes(self._cipher().decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], about.encode()))
        except InvalidTag:
            raise ValueError("sealed with another key") from None

    def mark_of(self, text: str) -> str:
        """A keyed hash."""
        return hmac.new(self.key, b"place\0" + text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]

    def _cipher(self) -> Any:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(hashlib.sha256(b"notices\0" + self.key).digest())
