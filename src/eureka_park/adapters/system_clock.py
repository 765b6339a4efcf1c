"""The real clock, and the park's time paced from it."""

from __future__ import annotations

import time

from eureka_park.foundation.clock import Pace


class SystemClock:
    """Reads the machine's time. Park time follows the home's pace and never goes back: it stands still while the
    machine's clock, set back, is behind what it was. `since_park_s`: where park time has surely been already.
    """

    def __init__(self, pace: Pace, since_park_s: float = float("-inf")) -> None:
        self._pace = pace
        self._last_park_s = since_park_s

    def real_s(self) -> float:
        """UTC epoch seconds."""
        return time.time()

    def park_s(self) -> float:
        """UTC epoch seconds of park time."""
        self._last_park_s = max(self._last_park_s, self._pace.park_from_real_s(time.time()))
        return self._last_park_s
