"""Two clocks. *Park time* (sky, plan, deadlines, declared run time) may be paced; *real time* never is.

Clocks live at the edge; cores take `now_s` as an argument. The real clock is `adapters.system_clock`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """What the edges of the park read time from; both in UTC epoch seconds."""

    def real_s(self) -> float:
        """Real time: processes, grace, sessions, tokens, audit."""

    def park_s(self) -> float:
        """Park time: sky, plan, deadlines, run time, the hours of a receipt."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How park time follows real time in one home: fixed when the home is made.

    `park_s = park_origin_s + (real_s - real_origin_s) * factor`.
    """

    factor: float = 1.0
    real_origin_s: float = 0.0
    park_origin_s: float = 0.0

    def park_from_real_s(self, real_s: float) -> float:
        """Park time at a real instant."""
        return self.park_origin_s + (real_s - self.real_origin_s) * self.factor

    def real_from_park_s(self, park_s: float) -> float:
        """Real instant at which park time reaches `park_s`."""
        return self.real_origin_s + (park_s - self.park_origin_s) / self.factor


class SteppedClock:
    """A clock that moves only when told: the double used by tests and by the twin."""

    def __init__(self, start_s: float, pace: Pace | None = None) -> None:
        self._now_s = start_s
        self._pace = pace or Pace()

    def real_s(self) -> float:
        """Real time of the double."""
        return self._now_s

    def park_s(self) -> float:
        """Park time of the double."""
        return self._pace.park_from_real_s(self._now_s)

    def step(self, seconds: float) -> float:
        """Move on by `seconds` >= 0 and return the new real time."""
        if seconds < 0:
            raise ValueError("time never goes back")
        self._now_s += seconds
        return self._now_s
