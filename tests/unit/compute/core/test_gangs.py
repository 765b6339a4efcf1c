from tests.helpers.check_board import nodes_of
from tests.helpers.small_board import check, decide, small_board, submit

from eureka_park.compute.core import board as b


def test_a_gang_takes_the_rack_that_just_holds_it() -> None:
    board = small_board(n_nodes=8, nodes_per_rack=4)
    for _ in range(2):
        submit(board, gpus=4)  # rack 0 has two free nodes then, rack 1 has four
    decide(board, 60.0)
    pair, four = submit(board, gpus=4, n_nodes=2), submit(board, gpus=4, n_nodes=4)
    decide(board, 120.0)
    assert nodes_of(board, pair) == [2, 3]
    assert nodes_of(board, four) == [4, 5, 6, 7]
    check(board)


def test_a_gang_that_no_rack_holds_takes_the_fullest_first() -> None:
    board = small_board(n_nodes=6, nodes_per_rack=3)
    submit(board, gpus=4)
    decide(board, 60.0)
    slot = submit(board, gpus=4, n_nodes=4)
    decide(board, 120.0)
    assert nodes_of(board, slot) == [3, 4, 5, 1]


def test_a_gang_waits_for_whole_nodes() -> None:
    board = small_board(n_nodes=2)
    submit(board, gpus=1)
    decide(board, 60.0)
    slot = submit(board, gpus=4, n_nodes=2)
    assert decide(board, 120.0) == []
    assert board.jobs.state[slot] == b.QUEUED


def test_an_elastic_gang_takes_what_is_there() -> None:
    board = small_board(n_nodes=4)
    submit(board, gpus=1)
    decide(board, 60.0)
    slot = submit(board, gpus=4, n_nodes=4, n_nodes_min=2)
    decide(board, 120.0)
    assert board.jobs.n_held[slot] == 3 and board.jobs.speed[slot] == 0.75
    check(board)
