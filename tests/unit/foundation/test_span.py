"""Stretches of past time as people name them."""

from __future__ import annotations

import pytest

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.span import span_s
from eureka_park.foundation.units import DAY_S, parse_instant_s

NOW_S = parse_instant_s("2026-11-25T12:30:00Z")


def test_named_stretches_end_now() -> None:
    assert span_s("last-day", NOW_S, "UTC") == (NOW_S - DAY_S, NOW_S)
    assert span_s(" Last-Week ", NOW_S, "UTC") == (NOW_S - 7 * DAY_S, NOW_S)


def test_dates_are_midnights_of_the_site_and_nothing_ahead_is_told() -> None:
    from_s, to_s = span_s("2026-11-23..2026-11-25", NOW_S, "Asia/Tokyo")
    assert (from_s, to_s) == (
        parse_instant_s("2026-11-23T00:00:00+09:00"),
        parse_instant_s("2026-11-25T00:00:00+09:00"),
    )
    assert span_s("2026-11-24T06:00:00Z..2026-11-30", NOW_S, "UTC") == (parse_instant_s("2026-11-24T06:00:00Z"), NOW_S)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("yesterday", "no stretch of time"), ("", "no stretch of time"), ("2026-11-23", "no stretch of time"),
        ("2026-11-26..2026-11-28", "no time that has passed"), ("2026-11-23..2026-11-22", "no time that has passed"),
        ("2026-01-01..2026-11-01", "more than 31 days"), ("2026-13-01..2026-11-01", "neither a date nor an instant"),
        ("2026-11-20T10:00..2026-11-21", "neither a date nor an instant"), ("..", "neither a date nor an instant"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        span_s(text, NOW_S, "UTC")
    assert "last-week" in str(caught.value.fix) and caught.value.field == "on"
