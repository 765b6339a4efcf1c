import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.check_board import check_heaps
from tests.helpers.small_board import check, decide, plain, small_board, submit, tell

from eureka_park.compute.core import board as b
from eureka_park.compute.core import happen as what
from eureka_park.compute.core.board import HEAP, records
from eureka_park.compute.core.lines import _compact, heap_push, sort_by_order


def test_higher_priority_stands_before_age() -> None:
    board = small_board(n_nodes=1, gpus=1)
    slots = [submit(board, priority=p) for p in (0, 2, 1, 2)]
    started = []
    for index in range(4):
        now_s = 60.0 * (index + 1)
        ((_, slot),) = decide(board, now_s)
        started.append(slot)
        tell(board, slot, what.ENDED, now_s + 1.0)
    assert started == [slots[1], slots[3], slots[2], slots[0]]


def test_paused_stand_before_queued() -> None:
    board = small_board(n_nodes=1, gpus=1)
    first = submit(board)
    decide(board, 60.0)
    submit(board, priority=5)
    tell(board, first, what.STARTED, 60.0)
    tell(board, first, what.PAUSING_ASKED, 120.0)
    tell(board, first, what.PAUSED, 130.0)
    assert decide(board, 180.0) == [(1, first)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=50), st.lists(st.integers(0, 49), max_size=50))
def test_runs_of_equal_rank_come_and_go(priorities: list[int], gone: list[int]) -> None:
    board = small_board()
    slots = [submit(board, priority=p) for p in priorities]
    for index in gone:
        if slots:
            tell(board, slots.pop(index % len(slots)), what.ENDED, 10.0)
    check(board)


@given(st.lists(st.integers(0, 1000), max_size=60))
def test_entries_are_sorted_by_order(orders: list[int]) -> None:
    due = records(max(1, len(orders)), HEAP)
    for index, order in enumerate(orders):
        due[index].order, due[index].slot = order, index
    plain(sort_by_order)(due, len(orders))
    assert due.order[: len(orders)].tolist() == sorted(orders)
    assert [orders[slot] for slot in due.slot[: len(orders)]] == sorted(orders)


@given(
    st.lists(st.tuples(st.floats(0, 100), st.integers(0, 10_000)), min_size=1, max_size=40, unique_by=lambda x: x[1])
)
def test_the_first_entry_of_a_heap_is_the_least(rows: list[tuple[float, int]]) -> None:
    heap, n = records(len(rows), HEAP), 0
    for key, order in rows:
        n = plain(heap_push)(heap, n, key, order, order)
        found = [(float(heap.key[at]), int(heap.order[at])) for at in range(n)]
        assert all(found[(at - 1) // 2] <= found[at] for at in range(1, n))
    assert (heap.key[0], heap.order[0]) == min(rows)


def test_latest_starts_are_known_for_all_who_have_a_deadline() -> None:
    board = small_board(n_nodes=1, gpus=1)
    for index in range(20):
        submit(board, tier=b.FLEX, deadline_s=np.inf if index % 3 else 90_000.0 + 1000.0 * ((7 * index) % 20))
    decide(board, 60.0)
    check_heaps(board, [s for s in range(64) if board.jobs.state[s] != b.FREE], 60.0)


def test_a_job_that_comes_back_again_and_again_never_overflows_a_heap() -> None:
    heap, n = records(6, HEAP), 0
    orders, keys = np.array([0, 1]), np.array([100.0, 50.0])
    for slot in (0, 1, 0, 0, 1, 0):
        n = plain(heap_push)(heap, n, keys[slot], orders[slot], slot)
    n = plain(_compact)(heap, n, orders, keys)
    assert heap.slot[:n].tolist() == [1, 0], "one entry for each job, the first on top"
    assert keys.tolist() == [100.0, 50.0]
