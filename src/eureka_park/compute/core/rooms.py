"""Kernels of the nodes: which are free, found through bitmaps by class and number of free GPUs, best fit first.

A node stands in one bucket: that of its class and its free GPUs. A node without any job stands in its class's row of
empty nodes as well. Down and full nodes stand in none. Ties go by the node's index, which goes rack by rack.
"""

from __future__ import annotations

from eureka_park.compute.core.board import DOWN, FIRST_WORD, FROM_WORD, N_SET, NONE, POD, RACK, UP, WORD, Board
from eureka_park.foundation.kernels import kernel

MCPU_LEAST = 50  # a node with less free is full
MEM_LEAST_MIB = 16


@kernel
def ctz(word: int) -> int:
    """Index of the lowest bit that is set; of a word that is not zero."""
    n = 0
    if word & 0xFFFF == 0:
        n += 16
        word >>= 16
    if word & 0xFF == 0:
        n += 8
        word >>= 8
    if word & 0xF == 0:
        n += 4
        word >>= 4
    if word & 0x3 == 0:
        n += 2
        word >>= 2
    if word & 0x1 == 0:
        n += 1
    return n


@kernel
def _set_bit(board: Board, row: int, node: int) -> None:
    word = node // WORD
    bits = board.bitmaps[row]
    bits[FIRST_WORD + word] |= 1 << (node % WORD)
    if bits[N_SET] == 0 or word < bits[FROM_WORD]:
        bits[FROM_WORD] = word
    bits[N_SET] += 1


@kernel
def _clear_bit(board: Board, row: int, node: int) -> None:
    board.bitmaps[row, FIRST_WORD + node // WORD] &= ~(1 << (node % WORD))
    board.bitmaps[row, N_SET] -= 1


@kernel
def next_in_row(board: Board, row: int, node: int) -> int:
    """The first node of a row from index `node` on; NONE when there is none. `node` 0 begins at the row's first."""
    bits = board.bitmaps[row]
    if bits[N_SET] == 0:
        return NONE
    word = node // WORD
    first = bits[FROM_WORD]
    if word <= first:
        word, shift = first, 0 if word < first else node % WORD
    else:
        shift = node % WORD
    words = bits.shape[0] - FIRST_WORD
    rest = (bits[FIRST_WORD + word] >> shift) << shift
    is_from_start = node // WORD <= first and shift == 0
    while rest == 0:
        word += 1
        if word == words:
            return NONE
        rest = bits[FIRST_WORD + word]
    if is_from_start:
        bits[FROM_WORD] = word
    return word * WORD + ctz(rest)


@kernel
def _wanted_row(board: Board, node: int) -> int:
    """The bucket in which a node belongs as it is now; NONE for a node that is down or full."""
    nodes = board.nodes
    if nodes[node].up != UP or nodes[node].free_mcpu < MCPU_LEAST or nodes[node].free_mem_mib < MEM_LEAST_MIB:
        return NONE
    return board.classes[nodes[node].klass].row + nodes[node].free_gpus


@kernel
def empty_row(board: Board, klass: int) -> int:
    """The row of a class's nodes without any job."""
    return board.classes[klass].row + board.classes[klass].n_gpus + 1


@kernel
def is_empty(board: Board, node: int) -> bool:
    """Whether a node is up and holds no job."""
    return board.nodes[node].up == UP and board.nodes[node].n_jobs == 0


@kernel
def mark_stale(board: Board, node: int) -> None:
    """Jobs of a node have changed: when it comes free is worked out anew before it is next asked for."""
    g, n_nodes = board.g[0], board.nodes.shape[0]
    if g.n_stale == n_nodes or board.nodes[node].stale:
        return
    board.nodes[node].stale = 1
    board.nodes[g.n_stale].stale_at = node
    g.n_stale += 1
    if 4 * g.n_stale > 3 * n_nodes:  # so that nobody asks any more until they are looked at
        for index in range(n_nodes):
            board.nodes[index].stale, board.nodes[index].stale_at = 1, index
        g.n_stale = n_nodes


@kernel
def count_empty(board: Board, rack: int, change: int) -> None:
    """A rack has so many empty nodes more."""
    had, row = board.empties[RACK, rack], board.g[0].rack_row
    if had > 0:
        _clear_bit(board, row + had, rack)
    if had + change > 0:
        _set_bit(board, row + had + change, rack)
    board.empties[RACK, rack] = had + change


@kernel
def refile(board: Board, node: int, was_empty: bool) -> None:
    """Put a node into the bucket where it belongs after its free room, or whether it is up, has changed."""
    mark_stale(board, node)
    row = _wanted_row(board, node)
    had = board.nodes[node].row
    if row != had:
        if had != NONE:
            _clear_bit(board, had, node)
        if row != NONE:
            _set_bit(board, row, node)
        board.nodes[node].row = row
    empty = is_empty(board, node)
    if empty != was_empty:
        here = board.classes[board.nodes[node].klass]
        if here.counted == board.g[0].turn and here.by_counts:
            count_empty(board, board.nodes[node].rack, 1 if empty else -1)
            board.empties[POD, board.nodes[node].pod] += 1 if empty else -1
        if empty:
            _set_bit(board, empty_row(board, board.nodes[node].klass), node)
        else:
            _clear_bit(board, empty_row(board, board.nodes[node].klass), node)


@kernel
def base_kw(board: Board, node: int) -> float:
    """What a node draws by itself: idle while it holds a job or cannot sleep, asleep without one, nothing when down."""
    klass = board.nodes[node].klass
    if board.nodes[node].up == DOWN:
        return 0.0
    if board.nodes[node].n_jobs == 0:
        return float(board.classes[klass].sleep_kw)
    return float(board.classes[klass].idle_kw)


@kernel
def _rebase(board: Board, node: int) -> None:
    g = board.g[0]
    kw = base_kw(board, node)
    g.base_kw += kw - board.nodes[node].base_kw
    board.nodes[node].base_kw = kw


@kernel
def lowest_gpus(mask: int, n_gpus: int) -> int:
    """The `n_gpus` lowest of a mask of free GPUs, as a mask."""
    taken, left = 0, n_gpus
    while left > 0:
        low = mask & -mask
        taken |= low
        mask ^= low
        left -= 1
    return taken


@kernel
def take_room(board: Board, slot: int, node: int, gpu_mask: int) -> None:
    """Give a job its part of one node."""
    g = board.g[0]
    job = board.jobs[slot]
    nodes = board.nodes
    was_empty = is_empty(board, node)
    nodes[node].free_mcpu -= job.mcpu
    nodes[node].free_mem_mib -= job.mem_mib
    nodes[node].free_mask &= ~gpu_mask
    nodes[node].free_gpus -= job.gpus
    if nodes[node].up == UP:
        g.free_gpus -= job.gpus
    nodes[node].n_jobs += 1
    _rebase(board, node)
    refile(board, node, was_empty)


@kernel
def free_room(board: Board, slot: int, node: int, gpu_mask: int) -> None:
    """Take a job's part of one node back."""
    g = board.g[0]
    job = board.jobs[slot]
    nodes = board.nodes
    was_empty = is_empty(board, node)
    nodes[node].free_mcpu += job.mcpu
    nodes[node].free_mem_mib += job.mem_mib
    nodes[node].free_mask |= gpu_mask
    nodes[node].free_gpus += job.gpus
    if nodes[node].up == UP:
        g.free_gpus += job.gpus
    nodes[node].n_jobs -= 1
    _rebase(board, node)
    refile(board, node, was_empty)


@kernel
def set_up(board: Board, node: int, up: int) -> None:
    """A node comes up, goes down, or is drained: nothing more starts there, what runs goes on."""
    g = board.g[0]
    nodes = board.nodes
    was_empty = is_empty(board, node)
    change = (1 if up == UP else 0) - (1 if nodes[node].up == UP else 0)
    nodes[node].up = up
    g.free_gpus += change * nodes[node].free_gpus
    board.classes[nodes[node].klass].n_up += change
    _rebase(board, node)
    refile(board, node, was_empty)


@kernel
def fits(board: Board, slot: int, node: int) -> bool:
    """Whether one part of a job fits into what is free on a node now."""
    job = board.jobs[slot]
    nodes = board.nodes
    return (
        job.gpus <= nodes[node].free_gpus
        and job.mcpu <= nodes[node].free_mcpu
        and job.mem_mib <= nodes[node].free_mem_mib
    )


@kernel
def is_within(board: Board, leaf: int, top: int) -> bool:
    """Whether a leaf of the share tree lies in the subtree of `top`."""
    at = leaf
    while at != NONE:
        if at == top:
            return True
        at = board.shares[at].parent
    return False


@kernel
def window_allows(board: Board, slot: int, node: int, now_s: float, end_s: float) -> bool:
    """Whether a node's window (maintenance, advance reservation) lets the job run there from now to `end_s`."""
    job = board.jobs[slot]
    nodes = board.nodes
    if now_s >= nodes[node].window_to_s or end_s <= nodes[node].window_from_s:
        return True
    owner = nodes[node].window_owner
    return owner != NONE and is_within(board, job.leaf, owner)


@kernel
def hold_allows(board: Board, slot: int, node: int, end_s: float) -> bool:
    """Whether a start leaves alone what is promised on a node: it ends before, or fits beside.

    One that is to end in that very instant does not: commands begin a little later than they are started, and the next
    one, and the next, would end a little later each.
    """
    g = board.g[0]
    job = board.jobs[slot]
    nodes = board.nodes
    if nodes[node].stamp != g.turn or end_s < nodes[node].hold_from_s:
        return True
    return bool(
        not job.gang
        and job.gpus <= nodes[node].spare_gpus
        and job.mcpu <= nodes[node].spare_mcpu
        and job.mem_mib <= nodes[node].spare_mem_mib
    )
