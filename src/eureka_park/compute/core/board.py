"""The board: all that decisions rest on, as plain record arrays that compiled kernels read and change.

One record per job slot, node, node class, node of the share tree, line and run of a line. Slots are reused. Power is in
kW rounded to 2**-20 kW (`quantised_kw`), so that sums are exact in any order; CPUs are milli-CPUs, memory is MiB, parts
of a GPU are thousandths of it.
"""

from __future__ import annotations

import base64
import hashlib
import math
import zlib
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

Array: TypeAlias = Any  # a numpy record array; `board.jobs.state[slot]` reads one field of one record

NONE: Final = -1
INF: Final = float("inf")
QUEUED, STARTING, RUNNING, PAUSING, PAUSED, FROZEN, FREE = 0, 1, 2, 3, 4, 5, 127  # states of a job slot
FIRM, FLEX, GREEN = 0, 1, 2  # tiers
BATCH, INTERACTIVE, SERVICE = 0, 1, 2
SKY_GREEN, SKY_BINDING, SKY_OBSERVED = 0, 1, 2
DOWN, UP, DRAINED = 0, 1, 2  # nodes
IN_LINE, DEFERRED, HELD_BACK = 0, 1, 2  # where a waiting job stands; held back: waits for other jobs
GPU_TYPES_MAX: Final = 5
R_CPU, R_MEMORY, R_KWH, R_GPU = 0, 1, 2, 3  # resources of the share tree; GPU types follow from R_GPU on
N_RESOURCES: Final = R_GPU + GPU_TYPES_MAX
CAP_STEPS_MAX: Final = 6
GPUS_MAX: Final = 60  # of one node; a mask of them fits a signed 64-bit integer
CLASSES_MAX: Final = 60
MILLI: Final = 1000  # parts of a whole GPU
LEVEL_MILLI: Final = 20  # what is free of a shared GPU counts in steps of so much
LEVELS: Final = MILLI // LEVEL_MILLI
WORD: Final = 32  # nodes per word of a bitmap
CACHE_LINE: Final = 64  # bytes
CALENDAR_S: Final = 60.0
CALENDAR: Final = 1 << 16  # buckets of the calendar of expected ends: 45 days
RING: Final = 1024  # hours that the rings of expected load remember
SKY_MAX: Final = 200  # intervals of a plan
STEPS_MAX: Final = 16  # steps of a plan's curve
BLOCKED_MAX: Final = 4096
TOLD_MAX: Final = 1024  # reasons that one turn tells
# heaps: latest starts, ends of deferral, when slow jobs become urgent; scratch; who has just come, who is starting
LATEST, WAKE, URGENT, DUE, FRESH, BEGINS = 0, 1, 2, 3, 4, 5
N_HEAPS: Final = 6
_USED_HEAPS: Final = tuple(
    zip((LATEST, WAKE, URGENT, FRESH, BEGINS), ("latest_n", "wake_n", "urgent_n", "fresh_n", "begins_n"), strict=True)
)
RACK, POD = 0, 1  # rows of the counts of empty nodes
RACK_MOST: Final = 64  # nodes of a rack that gangs are placed in by counts
N_SET, FROM_WORD, FIRST_WORD = 0, 1, 2  # columns of a bitmap: how many nodes, the first word that may hold one, words
SCHEMA: Final = 5


def _in_lines(*fields: Any) -> np.dtype[Any]:
    """A record that fills whole lines of the processor's cache, so that what is read together comes together."""
    plain = np.dtype(list(fields), align=True)
    size = -(-plain.itemsize // CACHE_LINE) * CACHE_LINE
    offsets = [plain.fields[name][1] for name in plain.names or ()] if plain.fields else []
    formats = [field[1:] if len(field) > 2 else field[1] for field in fields]
    return np.dtype(
        {"names": list(plain.names or ()), "formats": formats, "offsets": offsets, "itemsize": size}, align=True
    )


JOB: Final = _in_lines(
    # what lists and looks at others in them read
    ("ends_s", "f8"), ("next", "i4"), ("prev", "i4"), ("node_next", "i4"), ("node_prev", "i4"), ("cal_next", "i4"),
    ("cal_prev", "i4"), ("down_next", "i4"), ("down_prev", "i4"), ("state", "i1"), ("tier", "i1"), ("gang", "i1"),
    ("ending", "i1"), ("cap_step", "i1"), ("bound", "i1"), ("is_first", "i1"), ("counted", "i1"), ("gpus", "i4"),
    ("leaf", "i4"), ("order", "i8"),
    # what a trial to start it reads
    ("idle_kw", "f8"), ("dynamic_kw", "f8"), ("deadline_s", "f8"), ("time_s", "f8"), ("ran_s", "f8"),
    ("classes", "i8"), ("n_nodes", "i4"), ("n_nodes_min", "i4"), ("tried", "i4"), ("where", "i1"), ("reason", "i1"),
    ("told", "i1"), ("broken_why", "i1"),
    # what moves change
    ("mcpu", "i8"), ("mem_mib", "i8"), ("since_s", "f8"), ("speed", "f8"), ("drawn_kw", "f8"), ("load_kw", "f8"),
    ("full_kw", "f8"), ("rated_kw", "f8"),
    ("power_frac", "f8"), ("gpu_mask", "i8"), ("began_s", "f8"), ("latest_key", "f8"), ("urgent_key", "f8"),
    ("promised_s", "f8"), ("refused_room_s", "f8"), ("seq", "i4"), ("job_class", "i1"), ("checkpoint", "i1"),
    ("plan_cap", "i1"), ("plan_stop", "i1"), ("narrow", "i1"), ("gpu_milli", "i2"),
    ("submitted_s", "f8"), ("last_pause_s", "f8"), ("wake_key", "f8"), ("target_s", "f8"), ("planned_kw", "f8"),
    ("reason_a", "f8"), ("node", "i4"), ("n_held", "i4"), ("bucket", "i4"), ("run", "i4"),
    ("gives_kw", "f8"),
    # the rest
    ("declared_kw", "f8"), ("broken_s", "f8"), ("told_until_s", "f8"), ("told_s", "f8"), ("reason_b", "f8"),
    ("reason_until_s", "f8"), ("user", "i4"), ("priority", "i4"), ("n_pauses", "i4"), ("plan_keep", "i4"),
)  # fmt: skip
NODE: Final = _in_lines(
    ("free_mcpu", "i8"), ("free_mem_mib", "i8"), ("free_mask", "i8"), ("base_kw", "f8"), ("klass", "i4"),
    ("n_gpus", "i4"), ("free_gpus", "i4"), ("n_jobs", "i4"), ("first_job", "i4"), ("gang_next", "i4"), ("row", "i4"),
    ("up", "i1"), ("stale", "i1"), ("n_parts", "i2"),
    ("mcpu", "i8"), ("mem_mib", "i8"), ("window_from_s", "f8"), ("window_to_s", "f8"), ("hold_from_s", "f8"),
    ("avail_s", "f8"), ("spare_mcpu", "i8"), ("spare_mem_mib", "i8"),
    ("stamp", "i8"), ("rack", "i4"), ("pod", "i4"), ("window_owner", "i4"), ("spare_gpus", "i4"),
    # lists laid over all nodes: chosen for a start, held, to be looked at anew; a heap of instants
    ("pick", "i4"), ("free_at", "i4"), ("in_rack", "i4"), ("in_pod", "i4"), ("held", "i4"), ("stale_at", "i4"),
    ("soonest_s", "f8"),
    ("levels", "i8"),  # rows of shared GPUs that the node stands in, a bit each
)  # fmt: skip
CLASS: Final = np.dtype(
    [
        ("mcpu", "i8"), ("mem_mib", "i8"), ("rated_kw", "f8"), ("idle_kw", "f8"), ("sleep_kw", "f8"), ("gpus_kw", "f8"),
        ("first", "i4"), ("n_nodes", "i4"), ("n_gpus", "i4"), ("gpu_type", "i4"), ("n_up", "i4"), ("row", "i4"),
        ("layout", "i4"), ("by_counts", "i4"), ("counted", "i8"), ("level_row", "i4"), ("levels", "i8"),
    ],
    align=True,
)  # fmt: skip
SHARE: Final = _in_lines(
    ("weight", "f8"), ("floor_frac", "f8"), ("committed_kw", "f8"), ("rank", "f8"), ("below", "i4"),
    ("parent", "i4"), ("n_waiting", "i4"), ("n_on", "i4"), ("child_start", "i4"), ("n_children", "i4"),
    ("heap_n", "i4"), ("n_wanting", "i4"),
    ("used", "f8", (N_RESOURCES,)),  # by resource, decayed, in units that grow instead (see `growth`)
    ("place", "i4"),
    # lists laid over all shares: children side by side, and in the order of their turn; leaves; a stack
    ("child", "i4"), ("heap", "i4"), ("leaf", "i4"), ("walk", "i4"),
)  # fmt: skip
LINE: Final = _in_lines(
    ("first_run", "i4"), ("n", "i4"), ("newest", "i4"), ("oldest", "i4"), ("n_on", "i4"), ("n_down", "i4"),
    ("cursor", "i4"), ("n_down_free", "i4"), ("n_refused", "i4"), ("n_scanned", "i4"),
    ("n_narrow", "i4"), ("stamp", "i8"), ("n_planned", "i4"), ("n_up_first", "i4"),
    ("n_uncapped", "i4"), ("n_cappable", "i4"), ("n_stoppable", "i4"),
    # lists of those that are frozen or capped: who goes up before admission, then who does after it
    ("down_oldest", "i4", (2,)), ("down_newest", "i4", (2,)), ("down_hint", "i4", (2,)),
    # 0 where it is not known: power that the first job was refused, without and under a cap, from when on it may be
    # starved; what the next of those that go up late would take at least
    ("refused_kw", "f8"), ("starved_s", "f8"), ("least_down_kw", "f8"), ("refused_capped_kw", "f8"),
    ("gives_kw", "f8"),  # what running jobs of the line would give by the last cap
)  # fmt: skip
RUN: Final = np.dtype(
    [("rank", "i8"), ("head", "i4"), ("tail", "i4"), ("hint", "i4"), ("next", "i4"), ("n", "i4"),
     # jobs of the run that stand in the yard: how many, the first, and where the next comes to stand
     ("n_beyond", "i4"), ("beyond", "i4"), ("beyond_end", "i4")],
    align=True,
)  # fmt: skip
YARD: Final = np.dtype(  # a job that waits far behind the front of its run: see `yard`
    [("order", "i8"), ("classes", "i8"), ("time_s", "f8"), ("submitted_s", "f8"), ("power_frac", "f8"), ("user", "i4"),
     ("mcpu", "i4"), ("mem_mib", "i4"), ("n_nodes", "i4"), ("n_nodes_min", "i4"), ("slot", "i4"), ("next", "i4"),
     ("gpus", "i2"), ("gpu_milli", "i2"), ("job_class", "i1"), ("checkpoint", "i1")],
    align=True,
)  # fmt: skip
HEAP: Final = np.dtype([("key", "f8"), ("order", "i8"), ("slot", "i4")], align=True)
SKY: Final = np.dtype(
    [("start_s", "f8"), ("end_s", "f8"), ("clean_kw", "f8"), ("p10_kw", "f8"), ("grid_kw", "f8"),
     ("firm_min_kw", "f8"), ("load_kw", "f8"), ("n_steps", "i4"),
     ("step_kw", "f8", (STEPS_MAX,)), ("step_price", "f8", (STEPS_MAX,))],
    align=True,
)  # fmt: skip
CAP: Final = np.dtype([("cap_frac", "f8"), ("power_frac", "f8"), ("speed_frac", "f8")])
ACTION: Final = np.dtype(
    [("order", "i8"), ("gpu_mask", "i8"), ("a", "f8"), ("b", "f8"), ("code", "i4"), ("slot", "i4"), ("node", "i4"),
     ("n_nodes", "i4")],
    align=True,
)  # fmt: skip
GLOBAL: Final = np.dtype(
    [
        # sums, all exact: kW of nodes awake without their jobs' shares, and by tier
        ("base_kw", "f8"), ("shared_kw", "f8"), ("firm_kw", "f8"), ("flex_kw", "f8"), ("green_kw", "f8"),
        ("firm_rated_kw", "f8"), ("bound_kw", "f8"), ("free_green_kw", "f8"), ("dynamic_kw", "f8"),
        ("waiting_kw", "f8"), ("growth_epoch_s", "f8"), ("cal_s", "f8"),
        # policy
        ("service_reserve_kw", "f8"), ("min_run_s", "f8"), ("pause_gap_s", "f8"), ("wait_gain_frac", "f8"),
        ("margin_frac", "f8"), ("half_life_s", "f8"), ("reclaim_after_s", "f8"), ("reclaim_gap_s", "f8"),
        ("patient_s", "f8"), ("reclaimed_s", "f8"), ("room_min_kw", "f8"), ("floor_base_kw", "f8"),
        ("refused_least_kw", "f8"), ("refused_green_kw", "f8"), ("gives_green_kw", "f8"), ("gives_flex_kw", "f8"),
        ("turn_s", "f8"), ("refresh_s", "f8"), ("clean_min_kw", "f8"), ("clean_lead_kw", "f8"), ("lead_s", "f8"),
        ("free_head", "i8"), ("run_free", "i8"), ("n_waiting", "i8"), ("n_deferred", "i8"), ("n_on", "i8"),
        ("n_down", "i8"), ("n_down_free", "i8"), ("n_up_first", "i8"), ("n_narrow", "i8"),
        ("n_started", "i8"), ("latest_n", "i8"), ("wake_n", "i8"), ("urgent_n", "i8"), ("fresh_n", "i8"),
        ("begins_n", "i8"), ("turn", "i8"), ("n_actions", "i8"),
        ("n_considered", "i8"), ("n_refused", "i8"), ("n_blocked", "i8"), ("n_reserved", "i8"),
        ("n_told", "i8"), ("n_broken", "i8"), ("n_promised", "i8"), ("free_gpus", "i8"),
        ("n_stale", "i8"), ("next_order", "i8"), ("n_sky", "i8"), ("n_cal", "i8"), ("n_held", "i8"),
        # the yard: jobs in it and their work, runs that it holds jobs of, blocks that are free, the first of them; the
        # list of those who have left it in this turn; slots that are free
        ("n_yard", "i8"), ("n_deep", "i8"), ("n_yard_free", "i8"), ("yard_free", "i8"), ("left_yard", "i8"),
        ("n_spare", "i8"), ("yard_kw", "f8"), ("yard_kwh", "f8"),
        ("n_aged", "i8"), ("n_racks", "i8"), ("n_pods", "i8"), ("rack_row", "i8"), ("gpus_max", "i8"),
        ("lookahead", "i4"), ("scan", "i4"), ("n_considered_max", "i4"), ("reserve_depth", "i4"), ("n_caps", "i4"),
        ("sky", "i4"), ("can_cap", "i4"), ("can_freeze", "i4"), ("can_resize", "i4"), ("explain", "i4"),
        ("n_squeezed_leaves", "i4"), ("squeeze_tier", "i4"), ("squeeze_leaf", "i4"), ("squeeze_slot", "i4"),
        ("start_step", "i4"),
        ("capacity", "f8", (N_RESOURCES,)),  # what the park has
        # by hour % RING: power of jobs that are expected to end in it; power of deferred jobs that have chosen it
        ("ending_kw", "f8", (RING,)), ("planned_kw", "f8", (RING,)),
        ("blocked", "i4", (BLOCKED_MAX,)),  # slots that wait for room, in order
        ("told", "i4", (TOLD_MAX,)),  # slots whose reason is news
    ],
    align=True,
)  # fmt: skip


class Board(NamedTuple):
    """The arrays, by name. Kernels take the whole board; `jobs`, `runs` and the heaps grow through `grown`."""

    jobs: Array
    nodes: Array
    classes: Array
    shares: Array
    lines: Array  # 3 per share: firm, flex, green
    runs: Array
    heaps: Array  # [heap, place]: jobs by an instant
    calendar: Array  # heads of the lists of running jobs by expected end
    bitmaps: Array  # [row, column]: nodes by class and free GPUs, the empty ones of each class; racks; by free parts
    empties: Array  # [RACK or POD, which]: empty nodes of classes whose gangs are placed by counts, in this turn
    growth: Array  # [hours since the epoch of use]: what one unit of use weighs
    sky: Array
    caps: Array
    release_s: Array  # [GPUs, node]: when ends that are expected first leave so many free; last row: all of the node
    actions: Array
    g: Array  # one record of sums, counters and policy
    yard: Array  # jobs that wait far behind the front of their run, in blocks
    yard_next: Array  # by block: the block that follows it
    parts: Array  # [node, GPU]: thousandths of it that jobs hold which share it

    # what Python reads by a name of its own
    @property
    def used(self) -> Array:
        """[share, resource]: use as it is remembered."""
        return self.shares["used"]

    @property
    def capacity(self) -> Array:
        """[resource]: what the park has."""
        return self.g["capacity"][0]

    @property
    def children(self) -> Array:
        """All shares, those of one parent side by side."""
        return self.shares["child"]

    @property
    def pick(self) -> Array:
        """Nodes that are chosen for a start."""
        return self.nodes["pick"]

    @property
    def bits(self) -> Array:
        """[row, word]: nodes by class and number of free GPUs, and the empty ones of each class."""
        return self.bitmaps[:, FIRST_WORD:]

    @property
    def buckets(self) -> Array:
        """[row, 2]: how many nodes, and the first word that may hold one."""
        return self.bitmaps[:, :FIRST_WORD]

    @property
    def latest(self) -> Array:
        """Heap of waiting jobs by latest start."""
        return self.heaps[LATEST]

    @property
    def wake(self) -> Array:
        """Heap of deferred jobs by when they are looked at again."""
        return self.heaps[WAKE]

    @property
    def urgent(self) -> Array:
        """Heap of jobs on nodes by when they may become urgent."""
        return self.heaps[URGENT]

    @property
    def ending_kw(self) -> Array:
        """[hour % RING]: power of jobs that are expected to end in that hour."""
        return self.g["ending_kw"][0]

    @property
    def planned_kw(self) -> Array:
        """[hour % RING]: power of deferred jobs that have chosen that hour."""
        return self.g["planned_kw"][0]

    @property
    def told(self) -> Array:
        """Slots whose reason is news."""
        return self.g["told"][0]

    @property
    def step_kw(self) -> Array:
        """[interval, step]."""
        return self.sky["step_kw"]

    @property
    def step_price(self) -> Array:
        """[interval, step]."""
        return self.sky["step_price"]


def quantised_kw(kw: float) -> float:
    """Power as the board holds it: a multiple of 2**-20 kW, about a milliwatt."""
    return math.floor(kw * 1048576.0 + 0.5) / 1048576.0


def records(n: int | tuple[int, ...], dtype: Any) -> Array:
    """So many zeroed records; the first begins where a line of the processor's cache does."""
    n_bytes = int(np.prod(n)) * dtype.itemsize
    room = np.zeros(n_bytes + CACHE_LINE, np.uint8)
    begin = -room.ctypes.data % CACHE_LINE
    return room[begin : begin + n_bytes].view(dtype).reshape(n).view(np.recarray)


def stretched(array: Array, n: int) -> Array:
    """The same records (of `records`) and zeroed ones behind them, `n` in all. Where the system can, pages are moved,
    not copied, so there is never room for both. Whoever still looks at `array` looks at memory that is not its own.
    """
    had, owner = len(array), array
    while owner.base is not None:
        owner = owner.base
    begin = array.ctypes.data - owner.ctypes.data
    end = begin + n * array.dtype.itemsize
    owner.resize(end, refcheck=False)
    found = owner[begin:end].view(array.dtype).view(np.recarray)
    if found.ctypes.data % CACHE_LINE == 0:
        return found
    aligned = records(n, array.dtype)
    copy_records(aligned, found, had)
    return aligned


def empty_board(n_nodes: int, n_classes: int, n_shares: int, n_slots: int, gpus_max: int, half_life_s: float) -> Board:
    """A board with room for all this and nothing on it; see `board_setup` for filling it."""
    rows = n_classes * (gpus_max + 2)
    words = (n_nodes + WORD - 1) // WORD
    hours = int(np.ceil(64.0 * half_life_s / 3600.0)) + 1
    g = records(1, GLOBAL)
    board = Board(
        jobs=records(n_slots, JOB), nodes=records(n_nodes, NODE), classes=records(n_classes, CLASS),
        shares=records(n_shares, SHARE), lines=records(3 * n_shares, LINE), runs=records(max(16, 6 * n_shares), RUN),
        heaps=records((N_HEAPS, 2 * n_slots + 64), HEAP), calendar=np.full(CALENDAR, NONE, np.int32),
        bitmaps=np.zeros((rows + RACK_MOST + 1 + n_classes * LEVELS, FIRST_WORD + words), np.int64),
        empties=np.zeros((2, n_nodes), np.int32),
        growth=2.0 ** (np.arange(hours) * (3600.0 / half_life_s)), sky=records(SKY_MAX, SKY),
        caps=records(CAP_STEPS_MAX, CAP), release_s=np.full((gpus_max + 2, n_nodes), INF),
        actions=records(2 * n_slots + 1024, ACTION), g=g, yard=records(0, YARD),
        yard_next=np.zeros(0, np.int32), parts=np.zeros((n_nodes, gpus_max), np.int16),
    )  # fmt: skip
    board.jobs.state[:] = FREE
    board.jobs.next[:] = np.arange(1, n_slots + 1)
    board.jobs.next[-1] = NONE
    board.runs.next[:] = np.arange(1, board.runs.shape[0] + 1)
    board.runs.next[-1] = NONE
    for name in ("first_run", "newest", "oldest", "down_oldest", "down_newest", "down_hint"):
        board.lines[name][:] = NONE
    board.shares.parent[:] = NONE
    g.yard_free[0] = g.left_yard[0] = NONE
    g.cal_s[0] = g.growth_epoch_s[0] = -1.0
    g.reclaimed_s[0] = -INF
    g.half_life_s[0] = half_life_s
    g.gpus_max[0], g.rack_row[0] = gpus_max, rows
    board.classes.counted[:] = NONE
    return board


def copy_records(target: Array, source: Array, n: int) -> None:
    """Copy the first `n` records as they lie there; numpy would go field by field."""
    size = source.itemsize * n
    target.view(np.ndarray).view(np.uint8)[:size] = source.view(np.ndarray).view(np.uint8)[:size]


def grown(board: Board, n_slots: int, *, in_place: bool = False) -> Board:
    """The same board with room for more jobs; everything else is shared, not copied. `in_place`: nobody looks at
    `board` any more (see `stretched`).
    """
    had = board.jobs.shape[0]
    if n_slots <= had:
        return board
    if in_place:
        jobs = stretched(board.jobs, n_slots)
    else:
        jobs = records(n_slots, JOB)
        copy_records(jobs, board.jobs, had)
    jobs.state[had:] = FREE
    jobs.next[had:] = np.arange(had + 1, n_slots + 1)
    jobs.next[n_slots - 1] = board.g.free_head[0]
    board.g.free_head[0] = had
    heaps = records((N_HEAPS, 2 * n_slots + 64), HEAP)
    for heap, n in _USED_HEAPS:  # what is never written takes no memory
        copy_records(heaps[heap], board.heaps[heap], int(board.g[n][0]))
    return board._replace(jobs=jobs, actions=records(2 * n_slots + 1024, ACTION), heaps=heaps)


def with_runs(board: Board, n_runs: int) -> Board:
    """The same board with room for more runs (distinct priorities in lines)."""
    had = board.runs.shape[0]
    if n_runs <= had:
        return board
    runs = records(n_runs, RUN)
    runs[:had] = board.runs
    runs.next[had:] = np.arange(had + 1, n_runs + 1)
    runs.next[n_runs - 1] = board.g.run_free[0]
    board.g.run_free[0] = had
    return board._replace(runs=runs)


_SCRATCH: Final = ("release_s", "actions", "growth", "yard", "yard_next")


def board_to_json(board: Board) -> dict[str, Any]:
    """The board for a snapshot: each array's bytes, compressed."""
    return {
        "schema": layout_id(),
        "arrays": {
            name: [
                list(array.shape),
                base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes(), 1)).decode(),
            ]
            for name, array in board._asdict().items()
            if name not in _SCRATCH
        },
        "scratch": {name: list(getattr(board, name).shape) for name in _SCRATCH},
    }


def board_from_json(value: Mapping[str, Any]) -> Board:
    """Read what `board_to_json` wrote. Raises ValueError for arrays of another layout."""
    if value.get("schema") != layout_id():
        raise ValueError("the board was laid out otherwise")
    like = empty_board(1, 1, 1, 1, 1, 3600.0)
    arrays: dict[str, Array] = {}
    for name, (shape, text) in value["arrays"].items():
        dtype = getattr(like, name).dtype
        flat = np.frombuffer(bytearray(zlib.decompress(base64.b64decode(text))), dtype=dtype).reshape(shape)
        arrays[name] = flat
        if dtype.names:
            arrays[name] = records(tuple(shape), dtype)
            arrays[name][...] = flat
    for name, shape in value["scratch"].items():
        dtype = getattr(like, name).dtype
        arrays[name] = records(shape[0], dtype) if dtype.names else np.zeros(shape, dtype)
    half_life_s = float(arrays["g"].half_life_s[0])
    arrays["growth"] = 2.0 ** (np.arange(value["scratch"]["growth"][0]) * (3600.0 / half_life_s))
    board = Board(**arrays)
    all_stale(board)
    return board


def all_stale(board: Board) -> None:
    """Have it worked out anew, when it is next asked for, when nodes come free."""
    n = board.nodes.shape[0]
    board.nodes.stale[:] = 1
    board.nodes.stale_at[:] = np.arange(n)
    board.g.n_stale[0] = n


def layout_id() -> str:
    """A short name of the arrays' layout; it changes when a field does."""
    layout = [SCHEMA, *(str(dtype.descr) for dtype in (JOB, NODE, CLASS, SHARE, LINE, RUN, HEAP, SKY, CAP, GLOBAL))]
    return hashlib.sha256(repr(layout).encode()).hexdigest()[:16]


def job_bytes() -> int:
    """Bytes of the board per job slot: its record, its places in heaps and in the actions."""
    return JOB.itemsize + 2 * N_HEAPS * HEAP.itemsize + 2 * ACTION.itemsize
