"""Reading a stretch of past time: `last-day`, `last-week`, or FROM..TO."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import DAY_S, parse_instant_s
from eureka_park.foundation.zones import ZoneInfo

_NAMED: Final = {"last-day": DAY_S, "last-week": 7 * DAY_S}
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
SPAN_S_MAX: Final = 31 * DAY_S


def span_s(text: str, now_s: float, timezone: str) -> tuple[float, float]:
    """Begin and end of a stretch, UTC epoch seconds; a date is its midnight in `timezone`, what lies ahead is cut off.

    Raises BadInput for what is no such stretch, is empty, or has more than 31 days.
    """
    named = _NAMED.get(text.strip().lower())
    if named is not None:
        return now_s - named, now_s
    begin, dots, end = text.partition("..")
    if not dots:
        raise _bad(f"'{text}' is no stretch of time.")
    from_s, to_s = _instant_s(begin, timezone), min(now_s, _instant_s(end, timezone))
    if to_s <= from_s:
        raise _bad(f"'{text}' holds no time that has passed.")
    if to_s - from_s > SPAN_S_MAX:
        raise _bad(f"'{text}' has more than 31 days.")
    return from_s, to_s


def _instant_s(text: str, timezone: str) -> float:
    text = text.strip()
    try:
        if _DATE.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone)).timestamp()
        return parse_instant_s(text)
    except (ValueError, BadInput):
        raise _bad(f"'{text}' is neither a date nor an instant.") from None


def _bad(message: str) -> BadInput:
    fix = "Write last-week, last-day, or FROM..TO such as 2026-11-16..2026-11-23."
    return BadInput(message, fix=fix, field="on", code="bad_span")
