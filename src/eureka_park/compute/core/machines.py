"""The park's nodes as a board takes them: classes of equal nodes, an index for each, and which jobs may run where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil

from eureka_park.compute.core.board import GPU_TYPES_MAX
from eureka_park.compute.core.board_setup import ClassRow
from eureka_park.compute.core.event import Node
from eureka_park.compute.core.job import JobSpec
from eureka_park.foundation.units import MIB

_ShapeOfJob = tuple[int, int, int, str, int, bool]


def mcpu_of(n_cpus: float) -> int:
    """CPUs in thousandths."""
    return round(n_cpus * 1000)


def mem_mib_of(memory_bytes: int) -> int:
    """Memory that a job asks for, in whole MiB, rounded up."""
    return ceil(memory_bytes / MIB)


@dataclass(slots=True)
class Machines:
    """Nodes by their index on the board: class by class in order of their first node, each class in the given order."""

    nodes: tuple[Node, ...] = ()
    gpu_types: tuple[str, ...] = ()  # a name's place is its number on the board
    classes: list[ClassRow] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)
    node_ids: list[str] = field(default_factory=list)  # by index
    _masks: dict[_ShapeOfJob, int] = field(default_factory=dict)

    @classmethod
    def of(cls, nodes: Iterable[Node], gpu_types: Sequence[str] = ()) -> Machines:
        """Group nodes. Raises ValueError for more kinds of GPU than a board knows."""
        groups: dict[tuple[object, ...], list[Node]] = {}
        for node in nodes:
            groups.setdefault(_shape(node), []).append(node)
        known = _known_types(gpu_types, [group[0].gpu_type for group in groups.values() if group[0].n_gpus])
        ordered = tuple(node for group in groups.values() for node in group)
        return cls(
            nodes=ordered,
            gpu_types=known,
            classes=[_class_row(group, known) for group in groups.values()],
            index={node.node_id: at for at, node in enumerate(ordered)},
            node_ids=[node.node_id for node in ordered],
        )

    def classes_for(self, spec: JobSpec) -> int:
        """The classes whose empty nodes hold a part of the job, as a bit mask; a gang takes nodes whole."""
        n_least = spec.n_nodes_min or spec.n_nodes
        shape = (
            mcpu_of(spec.n_cpus), mem_mib_of(spec.memory_bytes), spec.n_gpus, spec.gpu_type, n_least, spec.n_nodes > 1,
        )  # fmt: skip
        mask = self._masks.get(shape)
        if mask is None:
            mask = self._masks[shape] = sum(1 << at for at, row in enumerate(self.classes) if self._holds(row, shape))
        return mask

    def _holds(self, row: ClassRow, shape: _ShapeOfJob) -> bool:
        mcpu, mem_mib, n_gpus, gpu_type, n_least, is_gang = shape
        has_type = not gpu_type or (row.n_gpus > 0 and self.gpu_types[row.gpu_type] == gpu_type)
        has_room = mcpu <= row.mcpu and mem_mib <= row.mem_mib and n_gpus <= row.n_gpus
        return has_type and has_room and (not is_gang or (n_gpus == row.n_gpus and n_least <= row.n_nodes))


def _known_types(before: Sequence[str], here: Sequence[str]) -> tuple[str, ...]:
    """The kinds of GPU by number: those known before keep theirs; where there is no other, a new one takes that of one
    which has gone. Raises ValueError.
    """
    types, wanted = list(before), dict.fromkeys(here)
    if len(wanted) > GPU_TYPES_MAX:
        raise ValueError(f"a park holds {GPU_TYPES_MAX} kinds of GPU, not {len(wanted)}: {', '.join(wanted)}")
    for name in wanted:
        if name not in types and len(types) < GPU_TYPES_MAX:
            types.append(name)
        elif name not in types:
            types[next(at for at, known in enumerate(types) if known not in wanted)] = name
    return tuple(types)


def _shape(node: Node) -> tuple[object, ...]:
    return (
        node.n_cpus, node.memory_bytes, node.n_gpus, node.gpu_type, node.rated_kw, node.idle_kw, node.gpu_kw_max,
        node.sleep_kw,
    )  # fmt: skip


def _class_row(group: Sequence[Node], gpu_types: tuple[str, ...]) -> ClassRow:
    node = group[0]
    return ClassRow(
        n_nodes=len(group),
        mcpu=mcpu_of(node.n_cpus),
        mem_mib=node.memory_bytes // MIB,
        n_gpus=node.n_gpus,
        gpu_type=gpu_types.index(node.gpu_type) if node.n_gpus else 0,
        rated_kw=node.rated_kw,
        idle_kw=node.idle_kw,
        gpu_kw_max=node.gpu_kw_max,
        sleep_kw=node.sleep_kw,
    )
