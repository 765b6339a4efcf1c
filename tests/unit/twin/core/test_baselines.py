"""Other policies: what they know of a job, which hour they choose, and what a run under them keeps to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.small_board import HOUR_S, plain, small_board

from eureka_park.compute.core.board import FIRM, FLEX, GREEN, INF, Board
from eureka_park.compute.core.standing import is_urgent
from eureka_park.control.policy import Policy, Sky
from eureka_park.foundation.kernels import Kernel
from eureka_park.twin.core import baselines as other

OTHERS = [name for name in other.CODES if name != "park"]
BUSY_KW = other.BUSY_FRAC * 4 * 5.0  # of the small board's machines


@pytest.fixture(autouse=True, scope="module")
def _as_python() -> Iterator[None]:
    """Their kernels as plain Python: none is compiled by itself."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in vars(other).items():
            if isinstance(value, Kernel) and value.__module__ == other.__name__:
                patch.setattr(other, name, value.py_func)
        yield


def board_under(clean_kw: list[float]) -> Board:
    """A small board on whose plan stand these hours."""
    board = small_board()
    for index, kw in enumerate(clean_kw):
        board.sky[index].clean_kw = kw
    board.g.n_sky[0] = len(clean_kw)
    return board


def declared(how: str, tier: int, deadline_s: float = INF, **fields: Any) -> Any:
    """A job of an hour, submitted at 100 s, as a policy sees it."""
    board = small_board()
    job = board.jobs[0]
    job.submitted_s, job.time_s, job.priority, job.n_nodes_min, job.is_first = 100.0, HOUR_S, 7, 2, 1
    for name, value in fields.items():
        job[name] = value
    other.declare(board, 0, other.CODES[how], tier, deadline_s, 0.0)
    return job


# -- settings ----------------------------------------------------------------------------------------------------------


def test_the_parks_own_policy_stays_as_it_is() -> None:
    policy = Policy(sky=Sky.BINDING, lead_s=120.0)
    assert other.settings_of("park", policy) is policy
    with pytest.raises(KeyError):
        other.settings_of("luck", policy)


@pytest.mark.parametrize("name", OTHERS)
def test_no_other_policy_caps_reserves_for_many_or_takes_back(name: str) -> None:
    found = other.settings_of(name, Policy(sky=Sky.GREEN, can_resize=True, tick_s=30.0))
    assert not found.can_cap
    assert not found.can_resize
    assert found.reserve_depth == 1
    assert found.reclaim_after_s == INF
    assert found.tick_s == 30.0


def test_what_the_sky_binds_is_each_policys_own() -> None:
    skies = {name: other.settings_of(name, Policy()).sky for name in OTHERS}
    assert skies == {"fcfs-easy": Sky.OBSERVED, "hard-cut": Sky.BINDING, "wait-awhile": Sky.BINDING,
                     "lowest-window": Sky.GREEN, "edf-surplus": Sky.BINDING}  # fmt: skip
    cut = other.settings_of("hard-cut", Policy(lead_s=600.0))
    assert (cut.lead_s, cut.min_run_s) == (0.0, 0.0)  # it looks at this minute alone


# -- jobs --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("tier", [FIRM, FLEX, GREEN])
def test_all_jobs_stand_in_one_line_without_rank_of_their_own(name: str, tier: int) -> None:
    job = declared(name, tier, 5e4)
    assert (job.tier, job.n_nodes_min, job.is_first) == (FLEX, 0, 0)
    assert job.priority == (0 if name != "edf-surplus" else -other.order_of(100.0 if tier == FIRM else 46400.0, 0.0))
    knows = name in {"wait-awhile", "edf-surplus"}
    assert job.deadline_s == (INF if not knows else 100.0 if tier == FIRM else 5e4)


@pytest.mark.parametrize("name", ["wait-awhile", "edf-surplus"])
def test_firm_work_is_urgent_from_its_first_turn_on_others_when_they_must_start(name: str) -> None:
    assert plain(is_urgent)(declared(name, FIRM), 100.0)
    for tier, deadline_s, latest_s in ((FLEX, 2e4, 2e4 - HOUR_S), (GREEN, INF, 100.0 + other.MOST_WAIT_S)):
        job = declared(name, tier, deadline_s)
        assert not plain(is_urgent)(job, latest_s - 2.0)
        assert plain(is_urgent)(job, latest_s)


@given(st.integers(0, 2), st.floats(1.0, 1e7) | st.just(INF), st.floats(1.0, 1e6), st.floats(0.0, 1e6))
def test_nobody_has_to_start_before_it_comes_nor_later_than_its_deadline_or_a_day_allows(
    tier: int, deadline_s: float, time_s: float, submitted_s: float
) -> None:
    found = other.latest_start_s(tier, deadline_s, time_s, submitted_s)
    assert found >= submitted_s
    if tier == FIRM:
        assert found == submitted_s
    elif deadline_s == INF:
        assert found == submitted_s + other.MOST_WAIT_S
    else:
        assert found == pytest.approx(max(submitted_s, deadline_s - time_s))


@given(st.floats(-1e4, 4e7), st.floats(-1e4, 4e7))
def test_who_must_start_sooner_never_stands_behind(one_s: float, other_s: float) -> None:
    sooner, later = min(one_s, other_s), max(one_s, other_s)
    first, second = other.order_of(sooner, 0.0), other.order_of(later, 0.0)
    assert 0 <= first <= second <= other.ORDER_MAX
    assert second > first or later - sooner < other.ORDER_S or sooner < 0.0 or second == other.ORDER_MAX


# -- hours -------------------------------------------------------------------------------------------------------------

hours = st.lists(st.floats(0.0, 2.0 * BUSY_KW), min_size=2, max_size=48)


def unclean_of(clean_kw: list[float]) -> list[float]:
    return [max(0.0, 1.0 - kw / BUSY_KW) for kw in clean_kw]


def by_hand_s(clean_kw: list[float], from_s: float, time_s: float) -> float:
    """The same by hours: the part of each that lies in the window, and what lies beyond them."""
    unclean = unclean_of(clean_kw)
    total = 0.0
    for hour, frac in enumerate(unclean):
        total += frac * max(0.0, min(from_s + time_s, 3600.0 * (hour + 1)) - max(from_s, 3600.0 * hour))
    beyond_s = from_s + time_s - max(from_s, 3600.0 * len(unclean))
    return total + float(np.mean(unclean[-other.TAIL_H :])) * max(0.0, beyond_s)


def test_an_hour_is_clean_when_a_busy_park_has_enough() -> None:
    board = board_under([0.0, BUSY_KW / 4, BUSY_KW, 3 * BUSY_KW])
    assert [other.unclean_frac(board, index) for index in range(4)] == pytest.approx([1.0, 0.75, 0.0, 0.0])
    board.g[0].capacity[:] = 0.0  # no machines
    assert other.unclean_frac(board, 0) == 0.0


@given(hours, st.floats(0.0, 3599.0), st.floats(1.0, 3e5), st.floats(0.0, 2e5))
@settings(max_examples=60)
def test_the_hour_that_is_chosen_is_allowed_and_none_is_cleaner(
    clean_kw: list[float], now_s: float, time_s: float, wait_s: float
) -> None:
    board = board_under(clean_kw)
    found_s = other.lowest_window_s(board, time_s, now_s + wait_s, now_s)
    may = [now_s, *(3600.0 * hour for hour in range(1, len(clean_kw)) if 3600.0 * hour <= now_s + wait_s)]
    assert found_s in may
    costs = {at_s: by_hand_s(clean_kw, at_s, time_s) for at_s in may}
    assert costs[found_s] <= min(costs.values()) + 1e-8 * time_s * len(may)
    assert all(costs[at_s] >= costs[found_s] - 1e-8 * time_s for at_s in may if at_s < found_s)


def test_of_equal_hours_the_first_is_taken() -> None:
    assert other.lowest_window_s(board_under([3.0] * 48), 5000.0, 1e6, 700.0) == 700.0
    assert other.lowest_window_s(board_under([0.0, 1.0, 9.0, 9.0, 1.0]), 3600.0, 1e6, 700.0) == 2 * HOUR_S


def test_hours_that_are_over_are_not_chosen_and_without_a_plan_nobody_waits() -> None:
    board = board_under([9.0, 1.0, 1.0])
    assert other.lowest_window_s(board, 3600.0, 1e6, 3700.0) == 3700.0
    board.g.n_sky[0] = 0
    assert other.lowest_window_s(board, 3600.0, 1e6, 3700.0) == 3700.0


@given(st.lists(st.floats(0.0, BUSY_KW), min_size=24, max_size=24, unique_by=lambda kw: round(kw, 3)))
@settings(max_examples=40)
def test_a_low_hour_is_below_the_threshold_of_the_next_day(clean_kw: list[float]) -> None:
    unclean = unclean_of(clean_kw)
    threshold = np.quantile(unclean, other.LOW_FRAC)
    assert other.is_low(board_under(clean_kw)) == (unclean[0] < threshold)


def test_where_hours_are_alike_all_are_low() -> None:
    assert other.is_low(board_under([2.0] * 24))
    assert other.is_low(board_under([1.0] + [0.5] * 47))
    assert other.is_low(board_under([1.0, *[2.0] * 5, *[1.0] * 1, *[0.5] * 40]))
    assert not other.is_low(board_under([1.0, *[2.0] * 5, *[1.0] * 2, *[0.5] * 40]))  # eight are as low or lower
    assert not other.is_low(board_under([0.5] + [1.0] * 47))


@pytest.mark.parametrize("name", OTHERS)
def test_the_sky_opens_and_shuts_for_whom_goes_by_a_threshold_alone(name: str) -> None:
    for clean_kw, reserve_kw in (([0.0, *[1.0] * 40], other.OPEN_KW), ([1.0, *[0.0] * 40], -other.OPEN_KW)):
        board = board_under(clean_kw)
        board.g.service_reserve_kw[0] = 3.0
        other.steer(board, other.CODES[name])
        assert board.g.service_reserve_kw[0] == (reserve_kw if name == "wait-awhile" else 3.0)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("tier", [FIRM, FLEX, GREEN])
def test_only_work_that_can_wait_stands_aside_for_its_window(
    name: str, tier: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, asked = board_under([0.0, 0.0, 9.0, 0.0]), []
    monkeypatch.setattr(other, "deferred", lambda _board, slot, until_s, target_s: asked.append((until_s, target_s)))
    board.jobs[0].submitted_s, board.jobs[0].time_s = 100.0, HOUR_S
    other.hold_back(board, 0, other.CODES[name], tier, INF, 100.0)
    waits = name == "lowest-window" and tier != FIRM
    assert asked == ([(2 * HOUR_S, 2 * HOUR_S)] if waits else [])
    other.hold_back(board, 0, other.CODES[name], tier, 100.0 + 1.5 * HOUR_S, 100.0)  # too soon for that hour
    assert len(asked) == int(waits)


def test_runs_of_rank_are_enough_for_all_orders() -> None:
    assert other.most_runs("park") == 0
    assert other.most_runs("edf-surplus") >= 2 * (other.ORDER_MAX + 1)
    assert all(other.most_runs(name) >= 2 for name in OTHERS)
