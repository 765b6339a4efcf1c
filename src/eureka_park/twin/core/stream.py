"""Jobs as a stream: each is drawn when it is wanted, in the order of time, in room that never grows.

`begin` makes the tables and the state of a seed; the kernel `draw` fills a chunk with the next jobs, as often as one
likes. The jobs depend on the seed alone, not on the length of chunks. `streamed_workload` gathers them all.

Hours hold sweeps as the rates of `arrivals` tell; inside an hour the next instant is the least of those that are left.
Each job is its sweep's last, or another follows it after a fixed gap; open sweeps stand in a ring, so that they come in
order without sorting. Of n jobs in S sweeps exactly n - S are followed, each as likely as any other: lengths are
geometric, given their sum. A sweep's jobs share their kind, tenant, tier and image, and part of the score of run times.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np

from eureka_park.compute.core.board import records
from eureka_park.foundation.kernels import kernel
from eureka_park.foundation.seeds import SeedTree
from eureka_park.twin.core.arrivals import Arrivals, check
from eureka_park.twin.core.chance import (
    BITS,
    at_score,
    fill_block,
    picked,
    score,
    seeded,
    stepped,
    uniform,
    waiting,
    waiting_table,
)
from eureka_park.twin.core.chance import normal_tables as normals
from eureka_park.twin.core.promises import SLICES, largest
from eureka_park.twin.core.stream_tables import Tables, stretched, tables_of
from eureka_park.twin.core.truth import COMING
from eureka_park.twin.core.workload import (
    BATCH,
    DTYPES,
    FIRM,
    FLEX,
    INTERACTIVE,
    SERVICE,
    Workload,
    workload_of,
)

CHUNK: Final = 65_536  # rows
REHEARSED_MAX: Final = 2_000_000  # jobs up to which the load is met by what is drawn, not by what is expected
DECLARED_S: Final = 900.0
POWER_SPREAD: Final = 0.03 * math.sqrt(12.0)  # of an even distribution with a standard deviation of 0.03
HUGE: Final = 1e300
ROW: Final = COMING
STATE: Final = np.dtype(
    [*BITS, ("at", "i8"), ("row", "i8"), ("n_left", "i8"), ("n_follow", "i8"), ("hour", "i8"), ("in_hour", "i8"),
     ("begins", "i8"), ("head", "i8"), ("tail", "i8"), ("hour_at_s", "f8"), ("into_s", "f8"), ("next_s", "f8"),
     ("gpu_s", "f8")],
    align=True,
)  # fmt: skip
BLOCK: Final = 1024  # words of random bits that are drawn at once
PER_JOB: Final = 2  # words that a job takes
PER_SWEEP: Final = 6  # words that a sweep takes besides
ONLY_21: Final = np.uint64((1 << 21) - 1)
FIRST_21: Final = np.uint64(43)
SECOND_21: Final = np.uint64(22)
THIRD_21: Final = np.uint64(1)
TO_21: Final = 2.0**-21


class Stream(NamedTuple):
    """A stream of jobs. `state`, `own` and `block` (random bits), `ring` (jobs that follow in open sweeps) and `last`
    (each tenant's last row) change from draw to draw.
    """

    state: Any
    own: Any
    block: Any
    ring: Any
    last: Any
    rules: Any
    kinds: Any
    kind_odds: Any
    leaf_odds: Any
    run_s: Any
    slack_s: Any
    power: Any
    sweeps: Any
    hour_s: Any
    middle: Any
    tail: Any
    waits: Any


def begin(what: Arrivals, tree: SeedTree) -> Stream:
    """The stream of a seed, before its first job. Raises BadInput.

    `load_frac` is met in expectation; up to `REHEARSED_MAX` jobs a rehearsal sees to it that they offer it themselves.
    """
    check(what)
    tables = tables_of(what, tree)
    if what.load_frac is not None and what.n_jobs <= REHEARSED_MAX:
        tables = _rehearsed(what, tables, tree)
    return _at_start(what, tables, tree)


def chunk_of(n_rows: int = CHUNK) -> Any:
    """Room for so many jobs, as `draw` fills it."""
    return records(n_rows, ROW)


def drawn(stream: Stream, chunk: Any) -> int:
    """`draw`, also where kernels run as Python."""
    with np.errstate(over="ignore"):
        return int(draw(stream, chunk))


def streamed_workload(what: Arrivals, tree: SeedTree, n_rows: int = CHUNK) -> Workload:
    """All jobs of a stream as a workload. Raises BadInput."""
    stream, chunk, at = begin(what, tree), chunk_of(n_rows), 0
    columns: dict[str, Any] = {name: np.empty(what.n_jobs, dtype) for name, dtype in DTYPES.items()}
    while n := drawn(stream, chunk):
        for name, column in columns.items():
            column[at : at + n] = chunk[name][:n]
        at += n
    return workload_of(what.leaves, columns)


def _at_start(what: Arrivals, tables: Tables, tree: SeedTree) -> Stream:
    state, n_sweeps = records(1, STATE), int(tables.sweeps.sum())
    own = records(1, np.dtype(BITS))
    seeded(state, tree.child("stream"))
    seeded(own, tree.child("own"))
    state.n_left[0], state.n_follow[0], state.begins[0] = what.n_jobs, what.n_jobs - n_sweeps, n_sweeps
    state.hour[0], state.next_s[0], state.at[0] = -1, -1.0, BLOCK
    busiest = what.n_jobs / n_sweeps * float((tables.sweeps / tables.hour_s).max()) * what.mix.sweep_gap_s
    size = 1 << max(10, min(20, math.ceil(math.log2(4.0 * busiest + 1.0))))
    middle, tail = normals()
    return Stream(
        state=state, own=own, block=np.zeros(BLOCK, np.uint64), ring=records(size, ROW),
        last=np.full(len(what.leaves), -1, np.int64), rules=tables.rules, kinds=tables.kinds,
        kind_odds=tables.kind_odds, leaf_odds=tables.leaf_odds, run_s=tables.run_s, slack_s=tables.slack_s,
        power=tables.power, sweeps=tables.sweeps, hour_s=tables.hour_s, middle=middle, tail=tail,
        waits=waiting_table(),
    )  # fmt: skip


def _rehearsed(what: Arrivals, tables: Tables, tree: SeedTree) -> Tables:
    """Tables with the factor at which these very jobs offer the load, as far as the bounds of run times let them."""
    shape, chunk = largest(what.shapes), chunk_of(min(CHUNK, what.n_jobs))
    wanted = (what.load_frac or 0.0) * shape.n_nodes * (shape.gpus or SLICES) * what.days * 86_400.0
    first = factor = float(tables.rules.stretch[0])
    for _ in range(8):
        stream = _at_start(what, tables, tree)
        while drawn(stream, chunk):
            pass
        found = float(stream.state.gpu_s[0])
        if abs(found - wanted) <= 1e-3 * wanted:
            break
        factor = min(16.0 * first, max(first / 16.0, factor * wanted / found))
        tables = stretched(tables, factor)
    return tables


# Kernels ----------------------------------------------------------------------------------------


@kernel
def draw(stream: Stream, chunk: Any) -> Any:
    """Fill a chunk with the next jobs; how many there are. 0: the stream has ended."""
    n = min(chunk.shape[0], stream.state[0].n_left)
    for index in range(n):
        _place(stream, chunk, index)
    _fill(stream, chunk, n)
    return n


@kernel
def _place(stream: Stream, chunk: Any, index: int) -> None:
    """The next job in the order of time, with what it shares with its sweep; see `_begin_sweep`."""
    state, ring, block, rules = stream.state[0], stream.ring, stream.block, stream.rules[0]
    row, last_place, at = chunk[index], ring.shape[0] - 1, state.at
    if at + PER_JOB + PER_SWEEP > block.shape[0]:
        fill_block(state, block)
        at = 0
    state.at = at + PER_JOB
    if state.next_s < 0.0:
        _find_next(stream, state, block[at])
    if state.tail > state.head and ring[state.head & last_place].submit_s <= state.next_s:
        _copy(ring[state.head & last_place], row)
        state.head += 1
    else:
        row.submit_s = state.next_s
        state.next_s = -1.0
        _begin_sweep(stream, row, at + PER_JOB)
        state.at += PER_SWEEP
    row.submit_s = min(row.submit_s, rules.end_s)
    x = block[at + 1]
    if _is_followed(state, last_place, _first(x)):
        follower = ring[state.tail & last_place]
        _copy(row, follower)
        follower.submit_s = row.submit_s + rules.gap_s
        state.tail += 1
    row.after = stream.last[row.leaf] if _second(x) < rules.after else -1
    stream.last[row.leaf] = state.row
    state.row += 1


@kernel
def _copy(one: Any, two: Any) -> None:
    """What a sweep's jobs share, from one row to another; whole records would be copied byte by byte."""
    two.submit_s, two.run_s, two.time_s, two.deadline_s = one.submit_s, one.run_s, one.time_s, one.deadline_s
    two.leaf, two.image, two.n_nodes, two.n_nodes_min = one.leaf, one.image, one.n_nodes, one.n_nodes_min
    two.gpus, two.gpu_milli, two.gpu_type, two.ending = one.gpus, one.gpu_milli, one.gpu_type, one.ending
    two.mcpu, two.mem_mib, two.tier, two.job_class = one.mcpu, one.mem_mib, one.tier, one.job_class
    two.checkpoint, two.priority, two.is_first = one.checkpoint, one.priority, one.is_first


@kernel
def _is_followed(state: Any, room: int, place: float) -> Any:
    """Whether the job that was drawn last is followed by another of its sweep."""
    chance = place * state.n_left < state.n_follow
    must = state.n_follow > 0 and state.begins == 0 and state.next_s < 0.0 and state.tail == state.head
    state.n_left -= 1
    if (chance and state.tail - state.head < room) or must:
        state.n_follow -= 1
        return True
    return False


@kernel
def _find_next(stream: Stream, state: Any, word: Any) -> None:
    """The instant at which the next sweep begins; INF where none is left.

    Of k instants that are even over what is left of an hour, the least leaves the part U**(1/k) of it behind.
    """
    if state.begins == 0:
        state.next_s = math.inf
        return
    while state.in_hour == 0:
        state.hour += 1
        state.in_hour = stream.sweeps[state.hour]
        state.hour_at_s, state.into_s = state.hour * 3600.0, 0.0
    x = waiting(word, stream.waits) / state.in_hour
    part = x * (1.0 - x * 0.5 * (1.0 - x / 3.0 * (1.0 - x * 0.25))) if x < 0.01 else 1.0 - math.exp(-x)
    state.into_s += (stream.hour_s[state.hour] - state.into_s) * part
    state.next_s = state.hour_at_s + math.floor(state.into_s * 1000.0) * 0.001
    state.in_hour -= 1
    state.begins -= 1


@kernel
def _begin_sweep(stream: Stream, row: Any, at: int) -> None:
    """Draw what the jobs of a sweep share, from words of the block.

    Until `_fill`, `run_s` holds the sweep's score, `time_s` the job's GPUs, `deadline_s` 0 for jobs that will have one,
    and `ending` the bin.
    """
    rules, block = stream.rules[0], stream.block
    kind = stream.kinds[picked(block[at], stream.kind_odds)]
    row.leaf = leaf = picked(block[at + 1], stream.leaf_odds)
    row.run_s = rules.shared * score(block[at + 2], stream.middle, stream.tail)
    row.time_s, row.ending = kind.n_gpus, kind.bin
    row.n_nodes, row.gpus, row.gpu_milli, row.gpu_type = kind.n_nodes, kind.gpus, kind.gpu_milli, -1
    x = block[at + 3]
    cores, which, image = _first(x), _second(x), _third(x)
    part = kind.cores_low + kind.cores_span * cores
    row.mcpu = max(1, int(rules.cpus * part)) * rules.cpu_mcpu
    row.mem_mib = max(1, int(rules.mem_mib * part))
    row.image = leaf * rules.n_images + int(image * rules.n_images)
    job_class = INTERACTIVE * int(which < kind.interactive) + SERVICE * int(which >= kind.service)  # else BATCH
    x, last, keep, elastic, due = block[at + 4], uniform(block[at + 5]), rules.checkpoint, rules.elastic, rules.due
    place, keeps, rank = _first(x), _second(x), _third(x)
    tier = int(place >= rules.firm) + int(place >= rules.flex)  # FIRM, FLEX, GREEN
    tier = FIRM if job_class == SERVICE else tier
    checkpoint = (job_class == BATCH) & (keeps < keep)
    # the place of `keeps` among those that declare a checkpoint is as even as a new number
    is_elastic = checkpoint & (keeps < keep * elastic) & (kind.is_gang == 1)
    row.job_class, row.tier, row.checkpoint, row.is_first = job_class, tier, checkpoint, False
    row.n_nodes_min = int(is_elastic) * ((kind.n_nodes + 1) // 2)
    row.priority = int(rank >= rules.low_priority) + int(rank >= rules.mid_priority)
    row.deadline_s = (1.0 - int((tier == FLEX) & (last < due))) * HUGE * HUGE  # 0 or INF, with nothing to foresee


@kernel
def _fill(stream: Stream, chunk: Any, n: int) -> None:
    """What the jobs of a chunk do not share with their sweeps, from random bits of their own."""
    rules, own, middle, tail, sum_gpu_s = stream.rules[0], stream.own[0], stream.middle, stream.tail, 0.0
    a, b, c, count = own.a, own.b, own.c, own.count
    for index in range(n):
        row = chunk[index]
        a, b, c, count, x = stepped(a, b, c, count)
        declared, end, place = _first(x), _second(x), _third(x)
        a, b, c, count, x = stepped(a, b, c, count)
        run_s = at_score(stream.run_s[row.ending], row.run_s + rules.own * score(x, middle, tail))
        run_s = min(run_s, rules.interactive_s) if row.job_class == INTERACTIVE else run_s
        run_s = math.floor(min(max(run_s * rules.stretch, rules.least_s), rules.most_s) * 1000.0 + 0.5) * 0.001
        gpu_s = row.time_s * run_s
        time_s = math.ceil(run_s * (1.0 + rules.declared * declared) / DECLARED_S) * DECLARED_S
        a, b, c, count, x = stepped(a, b, c, count)
        slack_s = at_score(stream.slack_s, score(x, middle, tail))
        due_s = math.floor((row.submit_s + time_s + slack_s) * 1000.0 + 0.5) * 0.001
        power_frac = stream.power[row.image] + POWER_SPREAD * (place - 0.5)
        row.run_s, row.time_s, row.deadline_s = run_s, time_s, max(row.deadline_s, due_s)
        row.power_frac = min(1.0, max(0.1, power_frac))
        is_heavy = gpu_s >= rules.heavy_gpu_s
        done = rules.heavy_done if is_heavy else rules.light_done
        cancelled = rules.heavy_cancelled if is_heavy else rules.light_cancelled
        row.ending = int(end >= done) + int(end >= cancelled)  # FINISHED, CANCELLED, FAILED
        sum_gpu_s += gpu_s
    own.a, own.b, own.c, own.count = a, b, c, count
    stream.state[0].gpu_s += sum_gpu_s


@kernel
def _first(x: Any) -> Any:
    """The highest 21 bits as a number from 0 to below 1."""
    return (x >> FIRST_21) * TO_21


@kernel
def _second(x: Any) -> Any:
    """The 21 bits below them."""
    return ((x >> SECOND_21) & ONLY_21) * TO_21


@kernel
def _third(x: Any) -> Any:
    """The 21 bits below those."""
    return ((x >> THIRD_21) & ONLY_21) * TO_21
