"""Days and months by the site's calendar. A day is a whole number: days since 1 January 1970."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.zones import ZoneInfo

_EPOCH: Final = date(1970, 1, 1)
_MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])\Z")


def day_of(at_s: float, zone: ZoneInfo) -> int:
    """The day that holds an instant."""
    return (datetime.fromtimestamp(at_s, UTC).astimezone(zone).date() - _EPOCH).days


def day_text(day: int) -> str:
    """A day as YYYY-MM-DD."""
    return (_EPOCH + timedelta(days=day)).isoformat()


def month_text(day: int) -> str:
    """The month that holds a day, as YYYY-MM."""
    return day_text(day)[:7]


def first_day(month: str) -> int:
    """The first day of a month. Raises BadInput for what is none."""
    return days_of(month)[0]


def days_of(month: str) -> tuple[int, int]:
    """The first day of a month `YYYY-MM`, and the first of the next. Raises BadInput for what is none."""
    found = _MONTH.match(month)
    if found is None or not 1970 <= int(found[1]) < 9000:
        raise BadInput(f"'{month[:20]}' is no month.", fix="Write it as 2027-03.", field="month", code="bad_month")
    year, number = int(found[1]), int(found[2])
    after = (year + 1, 1) if number == 12 else (year, number + 1)
    return (date(year, number, 1) - _EPOCH).days, (date(*after, 1) - _EPOCH).days


def start_s(day: int, zone: ZoneInfo) -> float:
    """The instant at which a day begins."""
    begun = _EPOCH + timedelta(days=day)
    return datetime(begun.year, begun.month, begun.day, tzinfo=zone).timestamp()
