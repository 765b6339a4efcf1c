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
from eureka_park.twin.core.chance import BITS, at_score, bits, picked, score, seeded, uniform
from eureka_park.twin.core.chance import normal_tables as normals
from eureka_park.twin.core.promises import SLICES, largest
from eureka_park.twin.core.stream_tables import Tables, stretched, tables_of
from eureka_park.twin.core.workload import (
    BATCH,
    CANCELLED,
    DTYPES,
    FAILED,
    FINISHED,
    FIRM,
    FLEX,
    GREEN,
    INTERACTIVE,
    SERVICE,
    Workload,
    workload_of,
)

CHUNK: Final = 65_536  # rows
REHEARSED_MAX: Final = 2_000_000  # jobs up to which the load is met by what is drawn, not by what is expected
DECLARED_S: Final = 900.0
POWER_SIGMA: Final = 0.03
ROW: Final = np.dtype([(name, dtype) for name, dtype in DTYPES.items()], align=True)
SWEEP: Final = np.dtype(
    [("due_s", "f8"), ("z", "f8"), ("mcpu", "i8"), ("mem_mib", "i8"), ("kind", "i8"), ("leaf", "i8"), ("image", "i8"),
     ("n_nodes_min", "i4"), ("tier", "i4"), ("job_class", "i4"), ("checkpoint", "i4"), ("priority", "i4")], align=True
)  # fmt: skip
STATE: Final = np.dtype(
    [*BITS, ("row", "i8"), ("n_left", "i8"), ("n_follow", "i8"), ("hour", "i8"), ("in_hour", "i8"), ("begins", "i8"),
     ("head", "i8"), ("tail", "i8"), ("hour_at_s", "f8"), ("into_s", "f8"), ("next_s", "f8"), ("gpu_s", "f8")],
    align=True,
)  # fmt: skip
ONLY_21: Final = np.uint64((1 << 21) - 1)
FIRST_21: Final = np.uint64(43)
SECOND_21: Final = np.uint64(22)
THIRD_21: Final = np.uint64(1)
TO_21: Final = 2.0**-21


class Stream(NamedTuple):
    """A stream of jobs: `state` and `ring` change from draw to draw, `last` holds each tenant's last row."""

    state: Any
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
    seeded(state, tree.child("stream"))
    state.n_left[0], state.n_follow[0], state.begins[0] = what.n_jobs, what.n_jobs - n_sweeps, n_sweeps
    state.hour[0], state.next_s[0] = -1, -1.0
    busiest = what.n_jobs / n_sweeps * float((tables.sweeps / tables.hour_s).max()) * what.mix.sweep_gap_s
    size = 1 << max(10, min(20, math.ceil(math.log2(4.0 * busiest + 1.0))))
    middle, tail = normals()
    return Stream(
        state=state, ring=records(size, SWEEP), last=np.full(len(what.leaves), -1, np.int64), rules=tables.rules,
        kinds=tables.kinds, kind_odds=tables.kind_odds, leaf_odds=tables.leaf_odds, run_s=tables.run_s,
        slack_s=tables.slack_s, power=tables.power, sweeps=tables.sweeps, hour_s=tables.hour_s, middle=middle,
        tail=tail,
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
    """Fill a chunk with the next jobs; how many there are. Fewer than there is room for: the stream has ended."""
    state, ring, size = stream.state[0], stream.ring, stream.ring.shape[0]
    n = min(chunk.shape[0], state.n_left)
    for index in range(n):
        if state.next_s < 0.0:
            _find_next(stream, state)
        at = state.tail & (size - 1)
        if state.tail > state.head and ring[state.head & (size - 1)].due_s <= state.next_s:
            at_s, at = ring[state.head & (size - 1)].due_s, state.head & (size - 1)
            state.head += 1
        else:
            at_s = state.next_s
            state.next_s = -1.0
            _begin_sweep(stream, state, ring[at])
        at_s = min(at_s, stream.rules[0].end_s)
        _fill(stream, state, ring[at], chunk[index], at_s)
        if _is_followed(state, size):
            to = state.tail & (size - 1)
            if to != at:
                ring[to] = ring[at]
            ring[to].due_s = at_s + stream.rules[0].gap_s
            state.tail += 1
    return n


@kernel
def _is_followed(state: Any, size: int) -> Any:
    """Whether the job that was drawn last is followed by another of its sweep."""
    chance = state.n_follow > 0 and uniform(state) * state.n_left < state.n_follow
    is_room = state.tail - state.head < size - 1
    must = state.n_follow > 0 and state.begins == 0 and state.next_s < 0.0 and state.tail == state.head
    state.n_left -= 1
    if (chance and is_room) or must:
        state.n_follow -= 1
        return True
    return False


@kernel
def _find_next(stream: Stream, state: Any) -> None:
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
    x = -math.log(1.0 - uniform(state)) / state.in_hour
    part = x * (1.0 - x * 0.5 * (1.0 - x / 3.0 * (1.0 - x * 0.25))) if x < 0.01 else 1.0 - math.exp(-x)
    state.into_s += (stream.hour_s[state.hour] - state.into_s) * part
    state.next_s = state.hour_at_s + math.floor(state.into_s * 1000.0) * 0.001
    state.in_hour -= 1
    state.begins -= 1


@kernel
def _begin_sweep(stream: Stream, state: Any, sweep: Any) -> None:
    """Draw what the jobs of a sweep share."""
    rules = stream.rules[0]
    sweep.kind = picked(state, stream.kind_odds)
    sweep.leaf = picked(state, stream.leaf_odds)
    kind = stream.kinds[sweep.kind]
    sweep.z = rules.shared * score(state, stream.middle, stream.tail)
    x = bits(state)
    cores, which, image = _first(x), _second(x), _third(x)
    part = kind.cores_low + kind.cores_span * cores
    sweep.mcpu = max(rules.whole_cpu, int(rules.mcpu * part) // rules.whole_cpu * rules.whole_cpu)
    sweep.mem_mib = max(1, int(rules.mem_mib * part))
    sweep.image = sweep.leaf * rules.n_images + int(image * rules.n_images)
    sweep.job_class = BATCH
    if kind.is_small == 1:
        sweep.job_class = INTERACTIVE if which < rules.interactive else BATCH if which < rules.service else SERVICE
    x = bits(state)
    tier, keeps, rank = _first(x), _second(x), _third(x)
    sweep.tier = FIRM if tier < rules.firm or sweep.job_class == SERVICE else FLEX if tier < rules.flex else GREEN
    sweep.checkpoint = 1 if sweep.job_class == BATCH and keeps < rules.checkpoint else 0
    sweep.priority = 0 if rank < rules.low_priority else 1 if rank < rules.mid_priority else 2
    # the place of `keeps` among those that declare a checkpoint is as even as a new number
    is_elastic = sweep.checkpoint == 1 and keeps < rules.checkpoint * rules.elastic and kind.is_gang == 1
    sweep.n_nodes_min = (kind.n_nodes + 1) // 2 if is_elastic else 0


@kernel
def _fill(stream: Stream, state: Any, sweep: Any, row: Any, at_s: float) -> None:
    """One job of a sweep."""
    rules, kind = stream.rules[0], stream.kinds[sweep.kind]
    run_s = at_score(stream.run_s[kind.bin], sweep.z + rules.own * score(state, stream.middle, stream.tail))
    if sweep.job_class == INTERACTIVE:
        run_s = min(run_s, rules.interactive_s)
    run_s = math.floor(min(max(run_s * rules.stretch, rules.least_s), rules.most_s) * 1000.0 + 0.5) * 0.001
    x = bits(state)
    declared, end, chain = _first(x), _second(x), _third(x)
    time_s = math.ceil(run_s * (1.0 + rules.declared * declared) / DECLARED_S) * DECLARED_S
    row.submit_s, row.run_s, row.time_s = at_s, run_s, time_s
    row.deadline_s = math.inf
    if sweep.tier == FLEX and uniform(state) < rules.due:
        slack_s = at_score(stream.slack_s, score(state, stream.middle, stream.tail))
        row.deadline_s = math.floor((at_s + time_s + slack_s) * 1000.0 + 0.5) * 0.001
    row.power_frac = min(
        1.0, max(0.1, stream.power[sweep.image] + POWER_SIGMA * score(state, stream.middle, stream.tail))
    )
    gpu_s = kind.n_gpus * run_s
    is_heavy = gpu_s >= rules.heavy_gpu_s
    done = rules.heavy_done if is_heavy else rules.light_done
    cancelled = rules.heavy_cancelled if is_heavy else rules.light_cancelled
    row.ending = FINISHED if end < done else CANCELLED if end < cancelled else FAILED
    row.after = stream.last[sweep.leaf] if chain < rules.after else -1
    row.leaf, row.image, row.n_nodes, row.n_nodes_min = sweep.leaf, sweep.image, kind.n_nodes, sweep.n_nodes_min
    row.gpus, row.gpu_milli, row.mcpu, row.mem_mib = kind.gpus, kind.gpu_milli, sweep.mcpu, sweep.mem_mib
    row.tier, row.job_class, row.checkpoint = sweep.tier, sweep.job_class, sweep.checkpoint == 1
    row.priority, row.gpu_type, row.is_first = sweep.priority, -1, False
    stream.last[sweep.leaf] = state.row
    state.row += 1
    state.gpu_s += gpu_s


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
