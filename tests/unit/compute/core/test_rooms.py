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


def _small(board: b.Board, milli: int) -> int:
    return submit(board, gpu_milli=milli, mcpu=100, mem_mib=100)


def test_a_part_shares_the_fullest_gpu_that_holds_it_before_another_is_opened() -> None:
    board = small_board(n_nodes=2)
    slots = [_small(board, milli) for milli in (470, 470, 810, 200, 40)]
    decide(board, 60.0)
    assert [int(board.jobs.gpu_mask[slot]) for slot in slots] == [0b0001, 0b0001, 0b0010, 0b0100, 0b0001]
    assert (board.jobs.node[slots] == 0).all() and board.nodes.free_gpus[0] == 1 and board.g.free_gpus[0] == 5
    check(board)
    whole, pair = submit(board, gpus=1), submit(board, gpus=2)
    decide(board, 120.0)
    assert (board.jobs.node[whole], board.jobs.gpu_mask[whole], board.jobs.node[pair]) == (0, 0b1000, 1)


def test_a_shared_gpu_is_free_when_its_last_job_has_left() -> None:
    board = small_board(n_nodes=1)
    slots = [_small(board, milli) for milli in (470, 470, 470)]
    decide(board, 60.0)
    for slot, n_free in zip(slots, (2, 3, 4), strict=True):
        tell(board, slot, what.ENDED, 90.0)
        assert board.nodes.free_gpus[0] == n_free
        check(board)
    assert board.nodes.free_mask[0] == 0b1111 and not board.parts.any()


def test_a_part_is_charged_and_draws_as_much_of_its_gpu() -> None:
    board, other = small_board(n_nodes=1), small_board(n_nodes=1)
    part, whole = submit(board, gpu_milli=250, mcpu=1000), submit(other, mcpu=1000)
    decide(board, 60.0), decide(other, 60.0)
    assert board.used[0, b.R_GPU] == 0.25 * other.used[0, b.R_GPU] > 0.0
    assert board.jobs.idle_kw[part] == 0.25 * other.jobs.idle_kw[whole]
    cpus_kw = 5.0 - 1.0 - 4 * 0.8  # of a node, of which each has a quarter
    for one, job, gpus in ((board, part, 0.25), (other, whole, 1.0)):
        assert abs(one.jobs.full_kw[job] - (cpus_kw / 4 + 0.8 * gpus)) < 1e-5


def test_whoever_fails_with_its_node_leaves_its_part() -> None:
    board = small_board(n_nodes=2)
    slots = [_small(board, milli) for milli in (320, 630)]
    decide(board, 60.0)
    for slot in slots:
        tell(board, slot, what.REQUEUED, 90.0)
    assert not board.parts.any() and board.nodes.free_gpus.tolist() == [4, 4] and not board.nodes.levels.any()
    check(board)
