"""Whether a job can end by its deadline at all: what the plan has of power, and when its machines are closed.

Only what is sure by the plan is told. Beyond its end everything counts as there; green work has no promise of power, so
the sky alone never makes its deadline impossible. Other jobs are not considered: they end, or give way.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from eureka_park.compute.core.event import Node
from eureka_park.compute.core.job import JobSpec, Tier
from eureka_park.compute.core.placement import job_kw, rated_kw
from eureka_park.control.policy import Sky
from eureka_park.control.supply import Interval, Supply
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import iso_from_s, power_text

Span = tuple[float, float]
_TOLERANCE_KW: Final = 1e-9
_MINUTE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Closed:
    """Nodes that a job cannot have for a while: maintenance, or reserved for others. Instants are park time."""

    node_ids: Collection[str]
    from_s: float
    to_s: float


class DeadlineInfeasible(BadInput):
    """A deadline that cannot be met. `earliest_end_s`: when it could be over; None: not within the plan."""

    def __init__(self, message: str, fix: str, earliest_end_s: float | None) -> None:
        super().__init__(message, fix=fix, field="by", code="deadline_infeasible")
        self.earliest_end_s = earliest_end_s


def earliest_end_s(
    spec: JobSpec, need_kw: float, supply: Supply, now_s: float, *, closed: Iterable[Span] = ()
) -> float | None:
    """The first instant at which a job that needs `need_kw` (IT) could have run its declared time; None when no
    interval of the plan has its power. `closed`: when it has no machines.

    Firm work and work without checkpoints runs in one piece; other work in any pieces. A job runs from its start to its
    end at full power.
    """
    dark = [(item.start_s, item.end_s) for item in supply.intervals if _kw_for(spec.tier, item) < need_kw]
    if supply.intervals and len(dark) == len(supply.intervals):
        return None
    return _end_s(spec, [*dark, *closed], now_s)


def closed_spans(spec: JobSpec, nodes: Sequence[Node], closings: Sequence[Closed]) -> list[Span]:
    """When fewer nodes are open than a job needs, in order. An elastic gang needs the least that it may shrink to."""
    if not closings:
        return []
    holders = {node.node_id for node in nodes if holds(node, spec)}
    n_needed = spec.n_nodes_min or spec.n_nodes
    taken = [(holders.intersection(item.node_ids), item) for item in closings if item.to_s > item.from_s]
    edges = sorted({instant for names, item in taken if names for instant in (item.from_s, item.to_s)})
    spans: list[Span] = []
    for from_s, to_s in pairwise(edges):
        gone: set[str] = set()
        gone.update(*(names for names, item in taken if item.from_s <= from_s and item.to_s >= to_s))
        if len(holders) - len(gone) < n_needed:
            spans.append((from_s, to_s))
    return spans


def holds(node: Node, spec: JobSpec) -> bool:
    """Whether the empty node has the room for a job's part on one node."""
    return (
        spec.n_cpus <= node.n_cpus
        and spec.memory_bytes <= node.memory_bytes
        and spec.n_gpus <= node.n_gpus
        and spec.gpu_type in ("", node.gpu_type)
    )


def check_deadline(
    spec: JobSpec,
    nodes: Sequence[Node],
    supply: Supply,
    sky: Sky,
    now_s: float,
    *,
    is_first: bool = False,
    closings: Sequence[Closed] = (),
) -> None:
    """Raise DeadlineInfeasible, with the earliest end, for a declared deadline that the plan or closed machines make
    impossible. `is_first`: the first job of its project, which no power holds.
    """
    if spec.deadline_s is None:
        return
    is_held = sky is not Sky.OBSERVED and not is_first
    need_kw = min((_need_kw(spec, node) for node in nodes if holds(node, spec)), default=0.0) if is_held else 0.0
    closed = closed_spans(spec, nodes, closings)
    end_s = earliest_end_s(spec, need_kw, supply, now_s, closed=closed)
    known_until_s = supply.intervals[-1].end_s
    if end_s is None and spec.deadline_s < known_until_s + spec.time_s:
        raise _never(spec, need_kw, supply)
    if end_s is not None and end_s > spec.deadline_s:
        raise _too_late(spec, need_kw, supply, end_s)


def _need_kw(spec: JobSpec, node: Node) -> float:
    """The least IT power that must be there for it to start: an elastic gang on its least nodes. Firm power is promised
    for all that its nodes can draw, whatever it declares.
    """
    n_nodes = spec.n_nodes_min or spec.n_nodes
    if spec.tier is Tier.FIRM:
        return rated_kw(spec, node)[0] * n_nodes
    return job_kw(spec, node)[0] * n_nodes / spec.n_nodes


def _kw_for(tier: Tier, item: Interval) -> float:
    """The most IT power that a job of a tier could be given in an interval; firm work has what is nearly sure."""
    if tier is Tier.FIRM:
        return item.grid_kw + item.clean_kw_p10 + _TOLERANCE_KW
    return math.inf if tier is Tier.GREEN else item.grid_kw + item.clean_kw + item.kept_kw + _TOLERANCE_KW


def _end_s(spec: JobSpec, blocked: Iterable[Span], now_s: float) -> float:
    in_pieces = spec.checkpoint and spec.tier is not Tier.FIRM
    start_s, left_s = now_s, spec.time_s
    for from_s, to_s in _merged(blocked):
        if to_s <= start_s:
            continue
        open_s = max(0.0, from_s - start_s)
        if open_s >= left_s:
            break
        left_s -= open_s if in_pieces else 0.0
        start_s = to_s
    return start_s + left_s


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """The same spans in order, those that touch or overlap as one."""
    from_s = to_s = -math.inf
    for begin_s, end_s in sorted(spans):
        if begin_s <= to_s:
            to_s = max(to_s, end_s)
            continue
        if to_s > from_s:
            yield from_s, to_s
        from_s, to_s = begin_s, end_s
    if to_s > from_s:
        yield from_s, to_s


# -- words -------------------------------------------------------------------------------------------------------------
def _never(spec: JobSpec, need_kw: float, supply: Supply) -> DeadlineInfeasible:
    most_kw = max(0.0, max(_kw_for(spec.tier, item) for item in supply.intervals) - _TOLERANCE_KW)
    until = _instant(supply.intervals[-1].end_s)
    return DeadlineInfeasible(
        f"It needs {power_text(need_kw / 1000)} of {_kind(spec.tier)}; the plan has at most "
        f"{power_text(most_kw / 1000)} until {until}, so the deadline cannot be met.",
        f"Ask for less, or leave the deadline out{_or_declare(spec)}.",
        None,
    )


def _too_late(spec: JobSpec, need_kw: float, supply: Supply, end_s: float) -> DeadlineInfeasible:
    assert spec.deadline_s is not None
    is_short = any(_kw_for(spec.tier, item) < need_kw and item.start_s < spec.deadline_s for item in supply.intervals)
    why = f"the plan has {power_text(need_kw / 1000)} of {_kind(spec.tier)} too late"
    if not is_short:
        why = "the machines that it needs are closed for too long"
    # A whole minute, upwards: what is advised here must be let in.
    when_s = math.ceil(end_s / _MINUTE_S) * _MINUTE_S
    return DeadlineInfeasible(
        f"The deadline {_instant(spec.deadline_s)} cannot be met: {why}.",
        f"It can end by {_instant(when_s)}: give that deadline or a later one{_or_declare(spec) if is_short else ''}.",
        when_s,
    )


def _or_declare(spec: JobSpec) -> str:
    return ", or declare its power (kw) if it draws less" if spec.tier is Tier.FLEX and not spec.declared_kw else ""


def _kind(tier: Tier) -> str:
    return "firm power" if tier is Tier.FIRM else "power"


def _instant(instant_s: float) -> str:
    return (iso_from_s(math.ceil(instant_s)) or "").replace(".000Z", "Z")
