"""How often one token or one address may ask. Kept in the memory of this process: of several web processes each allows
as much, so an operator who runs n of them divides the rates by n, or limits at the proxy.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final

from eureka_park.accounts.core.naming import email_key
from eureka_park.accounts.core.rate_limit import Bucket, Limit, take
from eureka_park.foundation.errors import ParkError, RateLimited

KEYS_MAX: Final = 20_000  # who has not asked for longest is forgotten, and begins with a full bucket
LIMITS: Final[Mapping[str, Limit]] = {
    "address": Limit(200.0, 2_000.0),  # a campus shares one
    "token": Limit(100.0, 1_000.0),
    "sign_in": Limit(0.2, 20.0),  # tries at one account
    "sign_in_from": Limit(1.0, 100.0),  # tries from one address
    "sign_up": Limit(20 / 3600.0, 20.0),
    "notice": Limit(30 / 3600.0, 10.0),  # messages that one has sent to oneself, as a test or once more
    "mail": Limit(5 / 3600.0, 5.0),  # to one address
}


def counted_as(account: str) -> str:
    """One key for an account, however its address is written."""
    try:
        return email_key(account)
    except ParkError:
        return account.strip().casefold()[:254]


class Limits:
    """The buckets of one web process."""

    def __init__(
        self,
        limits: Mapping[str, Limit] = LIMITS,
        now_s: Callable[[], float] = time.monotonic,
        keys_max: int = KEYS_MAX,
    ) -> None:
        self._limits, self._now_s, self._keys_max = dict(limits), now_s, keys_max
        self._buckets: OrderedDict[tuple[str, str], Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, kind: str, key: str, n: float = 1.0) -> None:
        """Count a request of somebody. Raises RateLimited with the time until there is room for it."""
        wait_s = self.wait_s(kind, key, n)
        if wait_s > 0.0:
            error = RateLimited(
                "Too many requests from one place.", fix=f"Wait {wait_s:.0f} s, then go on more slowly."
            )
            error.retry_after_s = wait_s
            raise error

    def wait_s(self, kind: str, key: str, n: float = 1.0) -> float:
        """Count a request of somebody: 0, or how long they have to wait; then nothing was counted."""
        with self._lock:
            bucket, wait_s = take(self._buckets.get((kind, key)), self._limits[kind], self._now_s(), n)
            self._buckets[kind, key] = bucket
            self._buckets.move_to_end((kind, key))
            if len(self._buckets) > self._keys_max:
                self._buckets.popitem(last=False)
        return wait_s
