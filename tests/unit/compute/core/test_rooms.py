from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.small_board import check, decide, plain, small_board, submit, tell

from eureka_park.compute.core import board as b
from eureka_park.compute.core import happen as what
from eureka_park.compute.core.rooms import ctz, lowest_gpus


@given(st.integers(1, 2**32 - 1))
def test_lowest_set_bit(word: int) -> None:
    assert plain(ctz)(word) == (word & -word).bit_length() - 1


@given(st.integers(0, 2**16 - 1), st.integers(0, 16))
def test_lowest_gpus_are_taken(mask: int, n_gpus: int) -> None:
    n_gpus = min(n_gpus, mask.bit_count())
    taken = plain(lowest_gpus)(mask, n_gpus)
    assert taken & ~mask == 0 and taken.bit_count() == n_gpus
    assert n_gpus == 0 or mask & ((1 << taken.bit_length()) - 1) == taken


def test_a_part_goes_where_least_is_left_over() -> None:
    board = small_board(n_nodes=3)
    for gpus in (3, 2):
        submit(board, gpus=gpus)
    decide(board, 60.0)  # 1 free GPU on node 0, 2 on node 1, 4 on node 2
    single, pair = submit(board, gpus=1), submit(board, gpus=2)
    decide(board, 120.0)
    assert (board.jobs.node[single], board.jobs.node[pair]) == (0, 1)


def test_memory_counts_where_gpus_are_free() -> None:
    board = small_board(n_nodes=2)
    submit(board, gpus=1, mem_mib=3500)
    decide(board, 60.0)
    slot = submit(board, gpus=1, mem_mib=1000)
    decide(board, 120.0)
    assert board.jobs.node[slot] == 1
    check(board)


def test_what_ends_gives_its_gpus_back() -> None:
    board = small_board(n_nodes=1)
    slots = [submit(board, gpus=2), submit(board, gpus=2)]
    decide(board, 60.0)
    assert [int(board.jobs.gpu_mask[slot]) for slot in slots] == [0b0011, 0b1100]
    tell(board, slots[0], what.ENDED, 90.0)
    assert board.nodes.free_mask[0] == 0b0011 and board.nodes.free_gpus[0] == 2
    assert board.g.free_gpus[0] == 2 and board.jobs.state[slots[0]] == b.FREE
    check(board)
