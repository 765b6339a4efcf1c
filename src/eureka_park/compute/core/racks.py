"""Kernels that place gangs by counts of empty nodes in racks and pods, which are kept within a turn.

They choose what `gangs.find_gang` would choose from a list of all empty nodes: the first rack among those with the
fewest that still hold the gang, else such a pod, else the fullest pods and in them the fullest racks. They serve
classes whose nodes stand rack by rack and pod by pod, in racks of their own, with none in a window; others are listed.
"""

from __future__ import annotations

from eureka_park.compute.core.board import N_SET, NONE, POD, RACK, RACK_MOST, Board
from eureka_park.compute.core.rooms import count_empty, empty_row, hold_allows, is_empty, next_in_row
from eureka_park.foundation.kernels import kernel

UNKNOWN, IN_ORDER, MIXED = 0, 1, 2  # how the nodes of a class stand


@kernel
def _look_at_layout(board: Board, klass: int) -> None:
    """Note whether the nodes of a class stand rack by rack and pod by pod, in racks and pods of their own."""
    nodes, here = board.nodes, board.classes[klass]
    first, last = here.first, here.first + here.n_nodes - 1
    here.layout = IN_ORDER
    n = 1
    for node in range(first + 1, last + 1):
        n = n + 1 if nodes[node].rack == nodes[node - 1].rack else 1
        moves_on = nodes[node].rack >= nodes[node - 1].rack and nodes[node].pod >= nodes[node - 1].pod
        parts_rack = nodes[node].rack == nodes[node - 1].rack and nodes[node].pod != nodes[node - 1].pod
        if not moves_on or parts_rack or n > RACK_MOST:
            here.layout = MIXED
    for other in range(board.classes.shape[0]):
        at = board.classes[other]
        if other == klass or at.n_nodes == 0:
            continue
        for node in range(at.first, at.first + at.n_nodes):
            rack, pod = nodes[node].rack, nodes[node].pod
            if nodes[first].rack <= rack <= nodes[last].rack or nodes[first].pod <= pod <= nodes[last].pod:
                here.layout = MIXED


@kernel
def is_counted(board: Board, klass: int, now_s: float) -> bool:
    """Whether gangs of a class are placed by counts in this turn; they are made at the first question."""
    g, nodes, here = board.g[0], board.nodes, board.classes[klass]
    if here.counted == g.turn:
        return bool(here.by_counts)
    if here.layout == UNKNOWN:
        _look_at_layout(board, klass)
    here.counted, here.by_counts = g.turn, 0
    if here.layout == MIXED:
        return False
    first, last = here.first, here.first + here.n_nodes - 1
    _forget(board, nodes[first].rack, nodes[last].rack, nodes[first].pod, nodes[last].pod)
    row, node = empty_row(board, klass), -1
    while node + 1 < nodes.shape[0]:
        node = next_in_row(board, row, node + 1)
        if node == NONE:
            break
        if nodes[node].window_to_s > now_s:
            board.empties[RACK, nodes[first].rack : nodes[last].rack + 1] = 0
            return False
        board.empties[RACK, nodes[node].rack] += 1
        board.empties[POD, nodes[node].pod] += 1
    for rack in range(nodes[first].rack, nodes[last].rack + 1):
        n = board.empties[RACK, rack]
        board.empties[RACK, rack] = 0
        if n > 0:
            count_empty(board, rack, n)
    here.by_counts = 1
    return True


@kernel
def _forget(board: Board, rack: int, last_rack: int, pod: int, last_pod: int) -> None:
    """No rack and no pod of a class holds an empty node, as far as is known."""
    for index in range(rack, last_rack + 1):
        n = board.empties[RACK, index]
        if n > 0:
            count_empty(board, index, -n)
    for index in range(pod, last_pod + 1):
        board.empties[POD, index] = 0


@kernel
def pick_close(board: Board, slot: int, klass: int, n_nodes: int, end_s: float) -> bool:
    """Put so many empty nodes of a counted class into `board.pick`; False when there are not enough."""
    n_free = board.bitmaps[empty_row(board, klass), N_SET] - _set_aside(board, slot, klass, end_s, -1)
    if n_free >= n_nodes:
        _pick(board, slot, klass, n_nodes, end_s)
    _set_aside(board, slot, klass, end_s, 1)
    return bool(n_free >= n_nodes)


@kernel
def _set_aside(board: Board, slot: int, klass: int, end_s: float, change: int) -> int:
    """Leave empty nodes that are promised to others out of the counts, or take them in again; how many they are."""
    n, nodes = 0, board.nodes
    for index in range(board.g[0].n_held):
        node = nodes[index].held
        if nodes[node].klass == klass and is_empty(board, node) and not hold_allows(board, slot, node, end_s):
            count_empty(board, nodes[node].rack, change)
            board.empties[POD, nodes[node].pod] += change
            n += 1
    return n


@kernel
def _pick(board: Board, slot: int, klass: int, n_nodes: int, end_s: float) -> None:
    nodes, empties = board.nodes, board.empties
    first = board.classes[klass].first
    last = first + board.classes[klass].n_nodes - 1
    rack = _fewest(board, nodes[first].rack, nodes[last].rack, n_nodes)
    if rack != NONE:
        _from_rack(board, slot, klass, rack, 0, n_nodes, end_s)
        return
    pod, n = NONE, 0
    for index in range(nodes[first].pod, nodes[last].pod + 1):
        if empties[POD, index] >= n_nodes and (pod == NONE or empties[POD, index] < empties[POD, pod]):
            pod = index
    while n < n_nodes:
        if pod == NONE or empties[POD, pod] <= 0:  # the fullest of those that are left
            pod = nodes[first].pod
            for index in range(pod + 1, nodes[last].pod + 1):
                if empties[POD, index] > empties[POD, pod]:
                    pod = index
        n = _from_pod(board, slot, klass, pod, n, n_nodes, end_s)
        empties[POD, pod] = -empties[POD, pod]
    for index in range(nodes[first].pod, nodes[last].pod + 1):
        empties[POD, index] = abs(empties[POD, index])


@kernel
def _fewest(board: Board, first: int, last: int, n_nodes: int) -> int:
    """The first rack among those with the fewest empty nodes that still hold so many; NONE when none does."""
    for n in range(n_nodes, RACK_MOST + 1):
        rack = next_in_row(board, board.g[0].rack_row + n, first)
        if rack != NONE and rack <= last:
            return rack
    return NONE


@kernel
def _from_pod(board: Board, slot: int, klass: int, pod: int, n: int, n_nodes: int, end_s: float) -> int:
    """Add nodes of a pod to the pick, its fullest racks first; how many are picked then."""
    nodes, at = board.nodes, _first_of(board, klass, POD, pod)
    stop, rack, most = board.classes[klass].first + board.classes[klass].n_nodes, nodes[at].rack, 0
    end = rack
    while at < stop and nodes[at].pod == pod:
        end, most = nodes[at].rack, max(most, board.empties[RACK, nodes[at].rack])
        at += 1
    for size in range(most, 0, -1):
        for index in range(rack, end + 1):
            if n == n_nodes:
                return n
            if board.empties[RACK, index] == size:
                n = _from_rack(board, slot, klass, index, n, n_nodes, end_s)
    return n


@kernel
def _first_of(board: Board, klass: int, kind: int, which: int) -> int:
    """The first node of a rack or pod (`kind`), found by halves."""
    first = board.classes[klass].first
    low, high = first - 1, first + board.classes[klass].n_nodes - 1
    while high - low > 1:
        middle = (low + high) // 2
        at = board.nodes[middle].pod if kind == POD else board.nodes[middle].rack
        if at >= which:
            high = middle
        else:
            low = middle
    return high


@kernel
def _from_rack(board: Board, slot: int, klass: int, rack: int, n: int, n_nodes: int, end_s: float) -> int:
    """Add nodes of a rack to the pick, by index; how many are picked then."""
    nodes, row = board.nodes, empty_row(board, klass)
    node = next_in_row(board, row, _first_of(board, klass, RACK, rack))
    while node != NONE and nodes[node].rack == rack and n < n_nodes:
        if hold_allows(board, slot, node, end_s):
            nodes[n].pick = node
            n += 1
        node = next_in_row(board, row, node + 1) if node + 1 < nodes.shape[0] else NONE
    return n
