"""Token buckets: a burst passes, then as much as flows in; whatever the clock does, never more."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.accounts.core.rate_limit import Limit, take

LIMIT = Limit(per_s=2.0, burst=5.0)


def test_a_burst_then_the_rate() -> None:
    bucket, waits = None, []
    for _ in range(6):
        bucket, wait_s = take(bucket, LIMIT, 100.0)
        waits.append(wait_s)
    assert waits == [0.0] * 5 + [0.5]
    bucket, wait_s = take(bucket, LIMIT, 100.5)
    assert wait_s == 0.0 and bucket.n_left == 0.0
    assert take(bucket, LIMIT, 50.0)[1] == pytest.approx(0.5), "a clock that goes back refills nothing"
    assert take(bucket, LIMIT, 1e9)[0].n_left == 4.0, "it never holds more than a burst"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 3), max_size=60))
def test_never_more_than_burst_and_rate(gaps: list[float]) -> None:
    bucket, now_s, n_passed = None, 0.0, 0
    for gap in gaps:
        now_s += gap
        bucket, wait_s = take(bucket, LIMIT, now_s)
        n_passed += wait_s == 0.0
    assert n_passed <= LIMIT.burst + LIMIT.per_s * now_s + 1e-6
