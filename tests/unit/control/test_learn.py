"""The rule by which power is learned: one strange job does not swing it, the meter goes up at once and down slowly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.control.learn import CORRECT_FROM, FRAC_MIN, Lately, frac_of, is_off, remembered

fracs = st.floats(FRAC_MIN, 1.0)


def test_what_it_began_from_counts_as_four_jobs_and_many_jobs_are_believed() -> None:
    frac = remembered(1.0, 0.5)
    assert frac == pytest.approx((4 * 1.0 + 0.5) / 5)
    for _ in range(30):
        frac = remembered(frac, 0.5)
    assert frac == pytest.approx(0.5, abs=2e-3)
    assert remembered(0.5, 0.5) == 0.5 and remembered(0.5, 0.500001) == 0.5, "what moves by nothing is not written"


@given(fracs, st.lists(fracs, max_size=20))
def test_one_job_moves_it_by_a_fifth_at_most_and_it_stays_among_what_was_seen(first: float, seen: list[float]) -> None:
    frac = first
    for one in seen:
        after = remembered(frac, one)
        assert abs(after - frac) <= 0.2 * abs(one - frac) + 1e-12
        frac = after
    assert min([first, *seen]) - 1e-9 <= frac <= max([first, *seen]) + 1e-9


def test_a_meter_tells_hundredths_between_a_tenth_and_all() -> None:
    assert frac_of(33.3, 100.0) == 0.33 and frac_of(0.0, 100.0) == 0.1 and frac_of(140.0, 100.0) == 1.0
    assert frac_of(5.0, 0.0) is None


def test_little_noise_corrects_nothing() -> None:
    assert not is_off(0.60, 0.64) and is_off(0.60, 0.60 + 2 * CORRECT_FROM)


def test_nothing_is_said_before_enough_was_seen() -> None:
    lately = Lately()
    lately.note(10.0, 100.0, 10.0)
    assert lately.frac() is None and lately.frac(sure_s=0.0) == 0.1
    lately.note(20.0, 200.0, 20.0)
    assert lately.frac() == 0.1


def test_it_goes_up_with_the_last_minute_and_down_with_the_last_ten() -> None:
    lately = Lately()
    for _ in range(60):
        lately.note(1.0, 10.0, 10.0)
    for _ in range(12):
        lately.note(10.0, 10.0, 10.0)
    high = lately.frac()
    assert high is not None and high > 0.85, "two minutes at full power"
    for _ in range(12):
        lately.note(1.0, 10.0, 10.0)
    after = lately.frac()
    slow = frac_of(lately.slow_j, lately.slow_rated_j)
    assert after is not None and after == slow and after > 0.2, "it may be but a lull"


@given(fracs, st.lists(st.floats(1.0, 500.0), min_size=1, max_size=30))
def test_a_constant_draw_is_told_as_it_is_however_it_is_read(frac: float, spans: list[float]) -> None:
    lately, truth = Lately(), round(frac, 2)
    for span_s in spans:
        lately.note(truth * 3.0 * span_s, 3.0 * span_s, span_s)
    assert lately.frac(sure_s=0.0) == truth
