"""A job's life from its timeline: spans without gaps, caps, pauses, and which reason belongs to which span."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.compute.core.spans import Span, spans_of


def row(at_s: float, what: str, **more: Any) -> dict[str, Any]:
    return {"at_s": at_s, "what": what, "reason": None, "cap_frac": None, "node": None} | more


def why(code: str) -> dict[str, Any]:
    return {"code": code, "text": code, "values": {}, "until": None}


def told(spans: list[Span]) -> list[tuple[str, float, float | None, str]]:
    return [(span.state, span.from_s, span.until_s, (span.reason or {}).get("code", "")) for span in spans]


def test_a_whole_life() -> None:
    timeline = [
        row(0, "queued"),
        row(10, "starting", node="n1", reason=why("better_hour")),
        row(12, "running"),
        row(20, "capped", cap_frac=0.62, reason=why("capped_power")),
        row(25, "capped", cap_frac=0.5, reason=why("capped_power")),
        row(30, "capped", cap_frac=1.0),
        row(40, "pausing", reason=why("paused_power")),
        row(42, "paused"),
        row(60, "starting", node="n2", reason=why("clean_power")),
        row(61, "running"),
        row(70, "frozen", reason=why("frozen_power")),
        row(80, "running"),
        row(90, "ending"),
        row(91, "finished"),
    ]
    spans = spans_of(timeline)
    assert told(spans) == [
        ("queued", 0, 10, "better_hour"),
        ("starting", 10, 12, ""),
        ("running", 12, 20, ""),
        ("capped", 20, 25, "capped_power"),
        ("capped", 25, 30, "capped_power"),
        ("running", 30, 40, ""),
        ("pausing", 40, 42, "paused_power"),
        ("paused", 42, 60, "paused_power"),
        ("starting", 60, 61, ""),
        ("running", 61, 70, ""),
        ("frozen", 70, 80, "frozen_power"),
        ("running", 80, 90, ""),
        ("ending", 90, 91, ""),
    ]
    assert [span.cap_frac for span in spans[3:6]] == [0.62, 0.5, 1.0]
    assert [span.node for span in spans if span.is_on_node] == ["n1"] * 6 + ["n2"] * 5


def test_what_goes_on_has_the_reason_of_now() -> None:
    assert told(spans_of([row(5, "queued")], [why("room")])) == [("queued", 5, None, "room")]
    running = [row(5, "queued"), row(6, "starting"), row(7, "running")]
    assert told(spans_of(running))[-1] == ("running", 7, None, "")
    capped = [*running, row(9, "capped", cap_frac=0.5)]
    assert told(spans_of(capped, [why("capped_power")]))[-1] == ("capped", 9, None, "capped_power")


def test_a_thaw_into_a_cap_keeps_no_foreign_reason() -> None:
    rows = [
        row(5, "queued"),
        row(6, "starting"),
        row(7, "running"),
        row(8, "capped", cap_frac=0.5, reason=why("capped_power")),
        row(9, "frozen", reason=why("frozen_power")),
        row(10, "running", reason=why("clean_power")),
        row(11, "finished"),
    ]
    assert told(spans_of(rows))[-2:] == [("frozen", 9, 10, "frozen_power"), ("capped", 10, 11, "")]


def test_a_job_that_never_ran_and_none_at_all() -> None:
    assert told(spans_of([row(5, "queued"), row(8, "cancelled")])) == [("queued", 5, 8, "")]
    assert spans_of([]) == []


@pytest.mark.parametrize(
    ("since_s", "until_s", "wanted"),
    [(0, 5, None), (30, 40, None), (0, 15, (10, 15)), (12, 40, (12, 20)), (12, 14, (12, 14))],
)
def test_a_part_of_a_span(since_s: float, until_s: float, wanted: tuple[float, float] | None) -> None:
    part = Span("running", 10, 20).within(since_s, until_s)
    assert (part and (part.from_s, part.until_s)) == wanted
    going_on = Span("running", 10, None).within(since_s, until_s)
    assert (going_on is None) == (until_s <= 10) and (going_on is None or going_on.until_s is None)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1e6),
            st.sampled_from(
                ["queued", "starting", "running", "capped", "pausing", "paused", "frozen", "ending", "lost"]
            ),
        )
    )
)
def test_spans_never_overlap_and_leave_no_gap(rows: list[tuple[float, str]]) -> None:
    spans = spans_of([row(at_s, what) for at_s, what in rows])
    for before, after in pairwise(spans):
        assert before.until_s == after.from_s
    assert all(span.until_s is None or span.until_s > span.from_s for span in spans)
    assert all(span.until_s is not None for span in spans[:-1])


def test_a_promise_is_no_span_of_its_own() -> None:
    timeline = [row(0, "queued"), row(10, "starting", node="n1", reason=why("room")), row(12, "running")]
    promised = row(5, "promised", reason=why("promised"))
    assert spans_of([timeline[0], promised, *timeline[1:]]) == spans_of(timeline)
