"""Local clocks over a stretch of UTC hours: a year has days of 23 and 25 hours, and Morocco changes around Ramadan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from eureka_park.energy.core.sun import Floats
from eureka_park.foundation.zones import ZoneInfo

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LocalHours:
    """For each hour: its month (1 to 12), hour of the day (0 to 23), weekday (Monday is 0) and day, by local clocks."""

    month: Numbers
    hour: Numbers
    weekday: Numbers
    day: Numbers


def local_hours(timezone: str, starts_s: Floats) -> LocalHours:
    """Local clocks at UTC instants."""
    zone = ZoneInfo(timezone)
    local = [datetime.fromtimestamp(float(start_s), UTC).astimezone(zone) for start_s in starts_s]
    parts = [(at.month, at.hour, at.weekday(), at.toordinal()) for at in local]
    month, hour, weekday, day = np.array(parts, dtype=np.int64).reshape(-1, 4).T
    return LocalHours(month, hour, weekday, day)
