"""Placement by counts against placement from a list of all empty nodes: the same choices, whatever came before."""

import random

import pytest
from tests.helpers.check_board import nodes_of
from tests.helpers.small_board import check, decide, small_board, submit, tell

from eureka_park.compute.core import board as b
from eureka_park.compute.core import happen as what
from eureka_park.compute.core.racks import IN_ORDER, MIXED


def _played(seed: int, layout: int) -> tuple[b.Board, list[list[int]]]:
    draw = random.Random(seed)
    board = small_board(n_nodes=40, nodes_per_rack=draw.choice((1, 3, 4)), clean_kw=1e5)
    board.nodes.pod[:] = board.nodes.rack // draw.choice((2, 3))
    board.classes.layout[:] = layout
    seen = []
    for turn in range(1, 25):
        for _ in range(draw.randrange(4) if board.g.n_waiting[0] < 40 else 0):
            n_nodes, time_s = draw.choice((1, 1, 1, 2, 2, 3, 5, 9, 14)), draw.choice((600.0, 1200.0, 3600.0))
            gpus = 4 if n_nodes > 1 else draw.randrange(1, 5)
            submit(board, gpus=gpus, n_nodes=n_nodes, time_s=time_s, leaf=draw.choice((2, 3, 4)))
        for slot in range(board.jobs.shape[0]):
            if board.jobs.state[slot] == b.STARTING and draw.random() < 0.3:
                tell(board, slot, what.ENDED, turn * 60.0 - 1.0)
        if draw.random() < 0.1:  # a node is closed for a while
            node = draw.randrange(40)
            board.nodes.window_from_s[node], board.nodes.window_to_s[node] = turn * 60.0, turn * 60.0 + 120.0
        decide(board, turn * 60.0)
        seen.append([*map(int, board.nodes.n_jobs), *map(int, board.nodes.first_job), *map(int, board.nodes.gang_next)])
    check(board)
    return board, seen


@pytest.mark.parametrize("seed", range(25))
def test_counts_choose_what_a_list_would(seed: int) -> None:
    counted, by_counts = _played(seed, IN_ORDER)
    listed, by_list = _played(seed, MIXED)
    assert by_counts == by_list
    assert (counted.classes.counted[0] > 0) == (listed.classes.counted[0] > 0)


def test_some_gangs_were_placed_by_counts_and_over_several_racks() -> None:
    board, _ = _played(3, IN_ORDER)
    assert board.classes.by_counts[0] or board.classes.counted[0] > 0
    gangs = [slot for slot in range(len(board.jobs)) if board.jobs.n_held[slot] > 4]
    for slot in gangs:
        assert len(set(nodes_of(board, slot))) == board.jobs.n_held[slot]


def test_racks_that_classes_share_are_listed() -> None:
    board = small_board(n_nodes=4)
    board.nodes.rack[:] = [1, 0, 1, 0]
    submit(board, gpus=4, n_nodes=2)
    decide(board, 60.0)
    assert board.classes.layout[0] == MIXED and not board.classes.by_counts[0]
