"""Reading when a paced home begins: a time of day where the site stands, or an instant."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import parse_instant_s
from eureka_park.foundation.zones import ZoneInfo

_FIRST_S: Final = 31_536_000.0  # 1971-01-01: instants are told from 1970 on, and a day before the start is looked at
_LAST_S: Final = 221_845_392_000.0  # 9000-01-01: calendars end a thousand years later
_TIME_OF_DAY: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def park_start_s(text: str, now_s: float, timezone: str) -> float:
    """`05:30` (today, by the site's clocks) or an ISO 8601 instant; UTC epoch seconds. Raises BadInput."""
    match = _TIME_OF_DAY.fullmatch(text.strip())
    if match:
        today = datetime.fromtimestamp(now_s, UTC).astimezone(ZoneInfo(timezone))
        return today.replace(hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0).timestamp()
    try:
        start_s = parse_instant_s(text)
    except BadInput:
        raise BadInput(
            f"'{text}' is neither a time of day nor an instant.",
            fix="Write 05:30 (the site's local time, today) or an instant such as 2026-06-21T05:00:00Z.",
            field="start",
            code="bad_start",
        ) from None
    if not _FIRST_S <= start_s <= _LAST_S:
        raise BadInput(
            f"'{text}' is outside the years 1971 to 8999.",
            fix="Choose a year between them.",
            field="start",
            code="bad_start",
        )
    return start_s
