"""What the parts of notices stand on: accounts, the operator's settings, and a cipher for what waits."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from eureka_park.accounts.ground import Ground
from eureka_park.accounts.sealing import Cipher
from eureka_park.accounts.settings_file import Settings


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
        return self._cipher().seal(plain, about)

    def unseal(self, sealed: str, about: str) -> bytes:
        """What was sealed. Raises ValueError for what was not sealed with this key."""
        return self._cipher().unseal(sealed, about)

    def mark_of(self, text: str) -> str:
        """A keyed hash."""
        return hmac.new(self.key, b"place\0" + text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]

    def _cipher(self) -> Cipher:
        return Cipher(self.key, b"notices", self.ground.entropy)
