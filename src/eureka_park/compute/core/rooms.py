"""Kernels of the nodes: which are free, found through bitmaps by class and number of free GPUs, best fit first.

A node stands in one bucket: that of its class and its free GPUs. A node without any job stands in its class's row of
empty nodes as well. Down and full nodes stand in none. Ties go by the node's index, which goes rack by rack.

A job may ask for a part of one GPU. A GPU that is shared is not free; what jobs hold of it stands in `board.parts`, and
its node in the rows of what is free of its shared GPUs (`levels`), so that a part is placed without looking at nodes.
"""

from __future__ import annotations

from eureka_park.compute.core.board import (
    DOWN,
    FIRST_WORD,
    FROM_WORD,
    LEVEL_MILLI,
    MILLI,
    N_SET,
    NONE,
    POD,
    RACK,
    UP,
    WORD,
    Array,
    Board,
)  # fmt: skip
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
def _wanted_levels(board: Board, node: int) -> int:
    """A bit for each row of shared GPUs in which a node belongs as it is now."""
    here, levels = board.nodes[node], 0
    if here.up != UP or here.free_mcpu < MCPU_LEAST or here.free_mem_mib < MEM_LEAST_MIB:
        return 0
    for gpu in range(here.n_gpus):
        level = _level_of(board, node, gpu)
        if level > 0:
            levels |= 1 << level
    return levels


@kernel
def _level_of(board: Board, node: int, gpu: int) -> int:
    """What is free of a shared GPU, in whole steps; 0 of one that nobody shares."""
    used = int(board.parts[node, gpu])
    return (MILLI - used) // LEVEL_MILLI if used > 0 else 0


@kernel
def level_for(job: Array) -> int:
    """Steps that must be free of a GPU for a job's part."""
    return int(-(-job.gpu_milli // LEVEL_MILLI))


@kernel
def _refile_levels(board: Board, node: int) -> None:
    """Put a node into the rows of shared GPUs where it belongs."""
    here, klass = board.nodes[node], board.classes[board.nodes[node].klass]
    levels = _wanted_levels(board, node)
    changed = levels ^ here.levels
    here.levels = levels
    while changed != 0:
        level = index_of(changed)
        bit = 1 << level
        if levels & bit:
            _set_bit(board, klass.level_row + level, node)
            klass.levels |= bit
        else:
            _clear_bit(board, klass.level_row + level, node)
            if board.bitmaps[klass.level_row + level, N_SET] == 0:
                klass.levels &= ~bit
        changed ^= bit


@kernel
def refile(board: Board, node: int, was_empty: bool) -> None:
    """Put a node into the buckets where it belongs after its free room, or whether it is up, has changed."""
    mark_stale(board, node)
    if board.nodes[node].n_parts > 0 or board.nodes[node].levels != 0:
        _refile_levels(board, node)
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
def n_bits(mask: int) -> int:
    """How many GPUs a mask holds."""
    n = 0
    while mask != 0:
        mask &= mask - 1
        n += 1
    return n


@kernel
def index_of(mask: int) -> int:
    """Which GPU a mask of one holds."""
    if mask & 0xFFFFFFFF == 0:
        return 32 + ctz(mask >> 32)
    return ctz(mask)


@kernel
def is_part(job: Array) -> bool:
    """Whether a job holds, or asks for, a part of one GPU."""
    return bool(job.gpu_milli < MILLI and job.gpus > 0)


@kernel
def gpu_at(board: Board, node: int, level: int) -> int:
    """The lowest GPU of a node that jobs share and of which just so many steps are free; NONE when there is none."""
    for gpu in range(board.nodes[node].n_gpus):
        if _level_of(board, node, gpu) == level:
            return gpu
    return NONE


@kernel
def tightest_level(board: Board, slot: int, node: int) -> int:
    """Free steps of the tightest shared GPU of a node that still holds a job's part; NONE when none does."""
    wanted, best = level_for(board.jobs[slot]), NONE
    if board.nodes[node].n_parts == 0:
        return NONE
    for gpu in range(board.nodes[node].n_gpus):
        level = _level_of(board, node, gpu)
        if level >= wanted and (best == NONE or level < best):
            best = level
    return best


@kernel
def gpus_for(board: Board, slot: int, node: int) -> int:
    """The GPUs that a single gets on a node where it fits, as a mask: a part of a shared one, else free ones."""
    if is_part(board.jobs[slot]):
        level = tightest_level(board, slot, node)
        if level != NONE:
            return 1 << gpu_at(board, node, level)
    return lowest_gpus(board.nodes[node].free_mask, board.jobs[slot].gpus)


@kernel
def _take_gpus(board: Board, node: int, gpu_mask: int, n_gpus: int) -> None:
    """So many GPUs are free no longer."""
    board.nodes[node].free_mask &= ~gpu_mask
    board.nodes[node].free_gpus -= n_gpus
    if board.nodes[node].up == UP:
        board.g[0].free_gpus -= n_gpus


@kernel
def _give_gpus(board: Board, node: int, gpu_mask: int, n_gpus: int) -> None:
    """So many GPUs are free again."""
    board.nodes[node].free_mask |= gpu_mask
    board.nodes[node].free_gpus += n_gpus
    if board.nodes[node].up == UP:
        board.g[0].free_gpus += n_gpus


@kernel
def _take_part(board: Board, node: int, gpu_mask: int, milli: int) -> None:
    """A job holds a part of a GPU: of one that is shared already, or of one that is opened for it."""
    gpu = index_of(gpu_mask)
    if board.parts[node, gpu] == 0:
        _take_gpus(board, node, gpu_mask, 1)
    board.parts[node, gpu] += milli
    board.nodes[node].n_parts += 1


@kernel
def _give_part(board: Board, node: int, gpu_mask: int, milli: int) -> None:
    """A job leaves its part of a GPU; without any it is free again."""
    gpu = index_of(gpu_mask)
    board.parts[node, gpu] -= milli
    board.nodes[node].n_parts -= 1
    if board.parts[node, gpu] == 0:
        _give_gpus(board, node, gpu_mask, 1)


@kernel
def take_room(board: Board, slot: int, node: int, gpu_mask: int) -> None:
    """Give a job its part of one node."""
    job = board.jobs[slot]
    nodes = board.nodes
    was_empty = is_empty(board, node)
    nodes[node].free_mcpu -= job.mcpu
    nodes[node].free_mem_mib -= job.mem_mib
    if is_part(job):
        _take_part(board, node, gpu_mask, job.gpu_milli)
    else:
        _take_gpus(board, node, gpu_mask, job.gpus)
    nodes[node].n_jobs += 1
    _rebase(board, node)
    refile(board, node, was_empty)


@kernel
def free_room(board: Board, slot: int, node: int, gpu_mask: int) -> None:
    """Take a job's part of one node back."""
    job = board.jobs[slot]
    nodes = board.nodes
    was_empty = is_empty(board, node)
    nodes[node].free_mcpu += job.mcpu
    nodes[node].free_mem_mib += job.mem_mib
    if is_part(job):
        _give_part(board, node, gpu_mask, job.gpu_milli)
    else:
        _give_gpus(board, node, gpu_mask, job.gpus)
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
    """Whether one part of a job, with whole GPUs, fits into what is free on a node now."""
    return board.jobs[slot].gpus <= board.nodes[node].free_gpus and fits_beside(board, slot, node)


@kernel
def fits_beside(board: Board, slot: int, node: int) -> bool:
    """Whether the CPUs and memory of one part of a job are free on a node now."""
    job, here = board.jobs[slot], board.nodes[node]
    return job.mcpu <= here.free_mcpu and job.mem_mib <= here.free_mem_mib


@kernel
def fits_without(board: Board, slot: int, other: int) -> bool:
    """Whether a single fits on the node of another one once that has left."""
    job, gone, node = board.jobs[slot], board.jobs[other], board.jobs[other].node
    here, n_freed, room = board.nodes[node], gone.gpus, 0
    if is_part(gone):
        room = MILLI - board.parts[node, index_of(gone.gpu_mask)] + gone.gpu_milli
        n_freed = 1 if room == MILLI else 0
    has_gpus = job.gpus <= here.free_gpus + n_freed
    if not has_gpus and is_part(job):
        has_gpus = level_for(job) <= room // LEVEL_MILLI or tightest_level(board, slot, node) != NONE
    return bool(has_gpus and job.mcpu <= here.free_mcpu + gone.mcpu and job.mem_mib <= here.free_mem_mib + gone.mem_mib)


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
