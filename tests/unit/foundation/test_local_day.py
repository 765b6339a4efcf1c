"""When a paced home begins."""

from __future__ import annotations

import pytest

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.local_day import park_start_s
from eureka_park.foundation.units import iso_from_s

NOON_S = 1_795_348_800.0  # 2026-11-22T12:00:00Z


@pytest.mark.parametrize(
    ("text", "now_s", "timezone", "starts"),
    [
        ("05:30", NOON_S, "Africa/Lagos", "2026-11-22T04:30:00.000Z"),
        ("5:30", NOON_S, "UTC", "2026-11-22T05:30:00.000Z"),
        (
            "23:59",
            NOON_S + 11.5 * 3600,
            "Africa/Lagos",
            "2026-11-23T22:59:00.000Z",
        ),  # there it is tomorrow already
        ("2027-06-21T05:00:00Z", NOON_S, "UTC", "2027-06-21T05:00:00.000Z"),
        ("2027-06-21T05:00:00+01:00", NOON_S, "UTC", "2027-06-21T04:00:00.000Z"),
    ],
)
def test_time_of_day_by_the_sites_clocks_or_an_instant(text: str, now_s: float, timezone: str, starts: str) -> None:
    assert iso_from_s(park_start_s(text, now_s, timezone)) == starts


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "1969-07-20T20:17:00Z", "9999-12-31T00:00:00Z"])
def test_years_that_no_calendar_here_tells_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="outside the years") as caught:
        park_start_s(text, NOON_S, "UTC")
    assert caught.value.code == "bad_start"


@pytest.mark.parametrize("text", ["", "24:00", "5:60", "dawn", "2027-06-21", "2027-06-21T05:00:00"])
def test_anything_else_is_refused_with_the_two_forms(text: str) -> None:
    with pytest.raises(BadInput, match="neither a time of day nor an instant") as caught:
        park_start_s(text, NOON_S, "UTC")
    assert "05:30" in caught.value.fix
