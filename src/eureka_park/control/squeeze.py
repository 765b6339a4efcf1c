"""Kernels of squeezing: work that waits for clean power starts under a cap, and running work is capped for it.

Where clean power is short and machines are free, a GPU under the last cap does more for its power than one without
(decision 0037). So a bound job with GPUs that clean power refuses starts at the last cap step, if it fits with what
running bound jobs of its tier or a lower one can still give by that same cap. They give in the order of the ladder;
who is under the floor of a share gives nothing.
"""

from __future__ import annotations

from eureka_park.compute.core.board import FLEX, GREEN, INF, NONE, Board
from eureka_park.compute.core.moves import capped
from eureka_park.compute.core.share_tree import most_served_leaves
from eureka_park.control.budget import need_kw, room_kw
from eureka_park.control.codes import CAP, CAPPED
from eureka_park.control.say import log, say
from eureka_park.foundation.kernels import kernel


@kernel
def begin_squeezing(board: Board) -> None:
    """Nobody has been squeezed in this turn, and nobody knows who could be."""
    g = board.g[0]
    g.n_squeezed_leaves = NONE
    g.refused_green_kw = INF


@kernel
def step_for(board: Board, slot: int, may_squeeze: bool) -> int:
    """The cap step at which clean power lets a bound job start; NONE if it does not. `may_squeeze`: under a cap too."""
    if need_kw(board, slot, 0) <= room_kw(board):
        return 0
    if may_squeeze and has_room_capped(board, board.jobs[slot].tier, capped_need_kw(board, slot)):
        return int(board.g[0].n_caps - 1)
    return NONE


@kernel
def capped_need_kw(board: Board, slot: int) -> float:
    """Clean power that a waiting job needs to start under the last cap; INF where a cap is of no use to it."""
    g = board.g[0]
    if not g.can_cap or g.n_caps <= 1 or board.jobs[slot].gpus == 0:
        return INF
    return need_kw(board, slot, g.n_caps - 1)


@kernel
def has_room_capped(board: Board, tier: int, capped_kw: float) -> bool:
    """Whether so much is there under the last cap, with what running work of the tier or a lower one could give."""
    g = board.g[0]
    short_kw = capped_kw - room_kw(board)
    if short_kw <= 0.0 or capped_kw == INF:
        return bool(capped_kw < INF)
    if g.n_squeezed_leaves == NONE:
        _look(board)
    return bool(short_kw <= g.gives_green_kw + (g.gives_flex_kw if tier == FLEX else 0.0))


@kernel
def _look(board: Board) -> None:
    """Work out once a turn what all running work could give, and in which order leaves do."""
    g = board.g[0]
    n = _without_floors(board, most_served_leaves(board))
    g.gives_green_kw = g.gives_flex_kw = 0.0
    for tier in (GREEN, FLEX):
        gives_kw = 0.0
        for index in range(n):
            gives_kw += board.lines[3 * board.shares[index].leaf + tier].gives_kw
        if tier == GREEN:
            g.gives_green_kw = gives_kw
        else:
            g.gives_flex_kw = gives_kw
    g.n_squeezed_leaves, g.squeeze_tier, g.squeeze_leaf, g.squeeze_slot = n, GREEN, NONE, NONE


@kernel
def _without_floors(board: Board, n: int) -> int:
    """Of the leaves in `shares[...].leaf` keep those that are under no floor: what is guaranteed is not given."""
    shares, kept = board.shares, 0
    for index in range(n):
        leaf = shares[index].leaf
        at = leaf
        while at > 0 and shares[at].floor_frac <= 0.0:
            at = shares[at].parent
        if at <= 0:
            shares[kept].leaf = leaf
            kept += 1
    return kept


@kernel
def squeeze(board: Board, slot: int, step: int, now_s: float) -> None:
    """Cap running work until a job fits at a cap step; green first, the most served leaves first, the newest first."""
    short_kw = need_kw(board, slot, step) - room_kw(board)
    while short_kw > 0.0:
        giver = _next_giver(board)
        if giver == NONE:
            return
        gives_kw = board.jobs[giver].gives_kw
        if gives_kw <= 0.0:
            continue
        g, frac = board.g[0], board.caps[step].cap_frac
        if board.jobs[giver].tier == GREEN:
            g.gives_green_kw -= gives_kw
        else:
            g.gives_flex_kw -= gives_kw
        say(board, giver, CAPPED, short_kw, frac, INF, now_s)
        capped(board, giver, step, now_s)
        log(board, CAP, giver, frac, 0.0)
        short_kw -= gives_kw


@kernel
def _next_giver(board: Board) -> int:
    """The next running job in order, from where this turn has come to; NONE when all have been asked."""
    g = board.g[0]
    if g.squeeze_slot != NONE:
        line = board.lines[3 * board.shares[g.squeeze_leaf].leaf + g.squeeze_tier]
        g.squeeze_slot = board.jobs[g.squeeze_slot].next if line.gives_kw > 0.0 else NONE
    while g.squeeze_slot == NONE:
        g.squeeze_leaf += 1
        if g.squeeze_leaf >= g.n_squeezed_leaves:
            if g.squeeze_tier == FLEX:
                g.squeeze_leaf -= 1
                return NONE
            g.squeeze_tier, g.squeeze_leaf = FLEX, NONE
            continue
        line = board.lines[3 * board.shares[g.squeeze_leaf].leaf + g.squeeze_tier]
        g.squeeze_slot = line.newest if line.gives_kw > 0.0 else NONE
    return int(g.squeeze_slot)
