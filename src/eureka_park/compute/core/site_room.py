"""What the machines of a site have, by class, and the place that a declaration gets there: a part of one node, or a
gang of whole nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, TypeVar

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import GIB

CPUS_DEFAULT: Final = 1.0
MEMORY_DEFAULT_BYTES: Final = GIB
_Place = TypeVar("_Place")


@dataclass(frozen=True, slots=True)
class ClassRoom:
    """Equal machines: how many there are, and what each of them has. `rated_kw` is IT power with everything busy."""

    class_id: str
    gpu_type: str
    n_nodes: int
    n_cpus: float
    memory_bytes: int
    n_gpus: int
    rated_kw: float = float("inf")


@dataclass(frozen=True, slots=True)
class SiteRoom:
    """The machines of a site that jobs run on: what one job can ask for. There is at least one class."""

    classes: tuple[ClassRoom, ...]

    @property
    def n_cpus(self) -> float:
        """CPUs of the largest node."""
        return max(kind.n_cpus for kind in self.classes)

    @property
    def memory_bytes(self) -> int:
        """Memory of the largest node."""
        return max(kind.memory_bytes for kind in self.classes)

    @property
    def n_gpus(self) -> int:
        """GPUs of the node that has most of them."""
        return max(kind.n_gpus for kind in self.classes)

    @property
    def n_nodes(self) -> int:
        """Nodes of the largest class: a gang stays within one."""
        return max(kind.n_nodes for kind in self.classes)

    @property
    def n_gpus_gang(self) -> int:
        """GPUs of the largest gang."""
        return max(kind.n_nodes * kind.n_gpus for kind in self.classes)

    @property
    def gpu_types(self) -> tuple[str, ...]:
        """The types of GPU as the site file spells them, each once."""
        return tuple(dict.fromkeys(kind.gpu_type for kind in self.classes if kind.n_gpus and kind.gpu_type))


@dataclass(frozen=True, slots=True)
class Need:
    """What a declaration asks for. `n_gpus` counts those of all nodes together; CPUs and memory are those of a node, of
    a gang's nodes at least. None and 0: nothing was said.
    """

    n_gpus: int = 0
    n_nodes: int | None = None
    gpu_type: str = ""
    n_cpus: float | None = None
    memory_bytes: int | None = None
    n_gpus_min: int | None = None
    n_nodes_min: int | None = None
    is_resumable: bool = False  # it writes checkpoints


@dataclass(frozen=True, slots=True)
class Fit:
    """The place that a need gets: per-node figures, and the most IT power that its nodes draw."""

    n_nodes: int
    n_nodes_min: int
    n_gpus: int
    n_cpus: float
    memory_bytes: int
    gpu_type: str
    kw_max: float


class NotWholeNodes(BadInput):
    """GPUs that are not those of whole nodes; `counts` are the nearest that are."""

    def __init__(self, message: str, field: str, counts: Sequence[int]) -> None:
        fix = f"Ask for {' or '.join(str(count) for count in counts)} GPUs."
        super().__init__(message, fix=fix, field=field, code="not_whole_nodes")
        self.counts = tuple(counts)


def fit(room: SiteRoom, need: Need) -> Fit:
    """The place that a need gets. Up to a node's GPUs it is a part of one node; beyond, or with `n_nodes`, whole nodes
    of one class: with GPUs the class that needs fewest nodes, else one of those with fewest GPUs.

    Raises BadInput with `field` where no class has the room: what there is, and what would be right.
    """
    if need.n_nodes_min is not None and need.n_gpus_min is not None:
        raise BadInput("It gives both min_gpus and min_nodes.", fix="Give one of them.", field="min_nodes")
    classes, gpu_type = _of_type(room, need)
    if need.n_nodes is None and need.n_gpus <= max(kind.n_gpus for kind in classes):
        return _part(room, classes, need, gpu_type)
    if need.n_gpus:
        usable = sorted((kind for kind in classes if kind.n_gpus), key=lambda kind: -kind.n_gpus)
        if not usable:
            raise _too_large(f"It asks for {need.n_gpus} GPUs; the largest node has none.", "Leave it out.", "gpus")
    else:
        fewest = min(kind.n_gpus for kind in classes)  # nodes with GPUs are dearer: whoever wants them names their type
        usable = [kind for kind in classes if kind.n_gpus == fewest]
    return _first(usable, lambda kind: _gang(kind, need))


def _of_type(room: SiteRoom, need: Need) -> tuple[Sequence[ClassRoom], str]:
    """The classes with the type of GPU that is asked for, and its name as the site spells it."""
    if not need.gpu_type:
        return room.classes, ""
    known, wanted = room.gpu_types, need.gpu_type.casefold()
    found = [name for name in known if name.casefold() == wanted]
    found = found or [name for name in known if name.casefold().startswith(wanted)]
    if len(found) != 1:
        near = get_close_matches(wanted, [name.casefold() for name in known], 1)
        hint = next((f"Did you mean '{name}'? " for name in known if near and name.casefold() == near[0]), "")
        there = f"There is {', '.join(known)}." if known else "No node has GPUs: leave it out."
        what = f"is not clear: {' or '.join(found)}" if found else "does not exist here"
        raise BadInput(
            f"The GPU type '{need.gpu_type}' {what}.", fix=f"{hint}{there}", field="gpu_type", code="no_such_gpu_type"
        )
    if not need.n_gpus and need.n_nodes is None:
        raise BadInput(
            f"It names the GPU type {found[0]} but asks for no GPU.",
            fix="Ask for GPUs too, such as gpus = 1, or leave gpu_type out.",
            field="gpu_type",
            code="type_without_gpus",
        )
    return [kind for kind in room.classes if kind.gpu_type == found[0] and kind.n_gpus], found[0]


# -- a part of one node ------------------------------------------------------------------------------------------------
def _part(room: SiteRoom, classes: Sequence[ClassRoom], need: Need, gpu_type: str) -> Fit:
    field = "min_nodes" if need.n_nodes_min is not None else "min_gpus"
    if need.n_nodes_min is not None or need.n_gpus_min is not None:
        raise BadInput(
            "Only a gang of whole nodes can shrink; this job is a part of one node.",
            fix=f"Leave {field} out, or ask for whole nodes.",
            field=field,
            code="not_elastic",
        )
    n_cpus = CPUS_DEFAULT if need.n_cpus is None else need.n_cpus
    if n_cpus > room.n_cpus:
        raise _too_large(
            f"It asks for {n_cpus:g} CPUs; the largest node has {room.n_cpus:g}.",
            f"Ask for at most {room.n_cpus:g}.",
            "cpus",
        )
    size = min(MEMORY_DEFAULT_BYTES, room.memory_bytes) if need.memory_bytes is None else need.memory_bytes
    if size > room.memory_bytes:
        raise _too_large(
            f"It asks for {_gib(size)} of memory; the largest node has {_gib(room.memory_bytes)}.",
            "Ask for less.",
            "memory",
        )
    usable = sorted((kind for kind in classes if kind.n_gpus >= need.n_gpus), key=lambda kind: kind.n_gpus)
    _first(usable, lambda kind: _has(kind, n_cpus, size))
    most_kw = max(other.rated_kw for other in usable if other.n_cpus >= n_cpus and other.memory_bytes >= size)
    return Fit(1, 0, need.n_gpus, n_cpus, size, gpu_type, most_kw)


def _has(kind: ClassRoom, n_cpus: float, size: int) -> None:
    if n_cpus > kind.n_cpus:
        text = f"It asks for {n_cpus:g} CPUs of a node; one of {kind.class_id} has {kind.n_cpus:g}."
        raise _lacks(text, f"Ask for at most {kind.n_cpus:g}.", "cpus")
    if size > kind.memory_bytes:
        text = f"It asks for {_gib(size)} of memory on a node; one of {kind.class_id} has {_gib(kind.memory_bytes)}."
        raise _lacks(text, f"Ask for at most {_gib(kind.memory_bytes)}.", "memory")


# -- whole nodes -------------------------------------------------------------------------------------------------------
def _gang(kind: ClassRoom, need: Need) -> Fit:
    _check_size(kind, need)
    n_nodes = _n_nodes(kind, need)
    _has(kind, need.n_cpus or 0.0, need.memory_bytes or 0)
    least = _n_nodes_min(kind, need, n_nodes)
    return Fit(
        n_nodes, least, kind.n_gpus, kind.n_cpus, kind.memory_bytes, kind.gpu_type if kind.n_gpus else "",
        n_nodes * kind.rated_kw,
    )  # fmt: skip


def _check_size(kind: ClassRoom, need: Need) -> None:
    n_gpus = kind.n_nodes * kind.n_gpus
    if need.n_nodes is not None and need.n_nodes > kind.n_nodes:
        have = f"there {'is' if kind.n_nodes == 1 else 'are'} {kind.n_nodes} of {kind.class_id}"
        text, fix, field = f"It asks for {need.n_nodes} nodes; {have}.", f"{kind.n_nodes}", "nodes"
    elif need.n_nodes is None and need.n_gpus > n_gpus:
        have = f"{kind.class_id} has {n_gpus} ({_nodes(kind.n_nodes)} of {kind.n_gpus})"
        text, fix, field = f"It asks for {need.n_gpus} GPUs; {have}.", f"{n_gpus}", "gpus"
    else:
        return
    raise BadInput(text, fix=f"Ask for at most {fix}.", field=field, code="larger_than_site")


def _n_nodes(kind: ClassRoom, need: Need) -> int:
    """The nodes of a class that a need takes; GPUs that are not those of whole nodes are refused, never rounded."""
    if need.n_nodes is None:
        return _whole_nodes(kind, need.n_gpus, "gpus", kind.n_nodes)
    have = need.n_nodes * kind.n_gpus
    if need.n_gpus not in (0, have):
        each = f"{_nodes(need.n_nodes)} of {kind.class_id} {'has' if need.n_nodes == 1 else 'have'} {have} GPUs"
        raise NotWholeNodes(f"{each}, not {need.n_gpus}: a gang takes whole nodes.", "gpus", [have])
    return need.n_nodes


def _n_nodes_min(kind: ClassRoom, need: Need, n_nodes: int) -> int:
    """How far the gang may shrink; 0 where it may not."""
    field = "min_nodes" if need.n_nodes_min is not None else "min_gpus"
    if need.n_nodes_min is not None:
        least = need.n_nodes_min
    elif need.n_gpus_min is None:
        return 0
    elif not kind.n_gpus:
        raise BadInput(f"{kind.class_id} has no GPUs.", fix="Give min_nodes instead.", field=field)
    else:
        least = _whole_nodes(kind, need.n_gpus_min, field, n_nodes)
    if least > n_nodes:
        have = f"{n_nodes * kind.n_gpus} GPUs" if field == "min_gpus" else _nodes(n_nodes)
        raise BadInput(
            f"'{field}' is more than the job asks for: {have}.", fix=f"Give less than {have}.", field=field,
            code="min_above_most",
        )  # fmt: skip
    if least < n_nodes and not need.is_resumable:
        raise BadInput(
            "Only a job that writes checkpoints can shrink.",
            fix=f"Set checkpoint = true, or leave {field} out.",
            field=field,
            code="elastic_needs_checkpoint",
        )
    return least if least < n_nodes else 0


def _whole_nodes(kind: ClassRoom, n_gpus: int, field: str, most_nodes: int) -> int:
    if n_gpus % kind.n_gpus == 0:
        return n_gpus // kind.n_gpus
    below = n_gpus // kind.n_gpus
    counts = [n * kind.n_gpus for n in (below, below + 1) if 1 <= n <= most_nodes] or [most_nodes * kind.n_gpus]
    each = f"one of {kind.class_id} has {kind.n_gpus}"
    raise NotWholeNodes(f"{n_gpus} GPUs are not whole nodes: {each}, and a gang takes whole nodes.", field, counts)


# -- words -------------------------------------------------------------------------------------------------------------
def _first(classes: Sequence[ClassRoom], placed: Callable[[ClassRoom], _Place]) -> _Place:
    """The place on the first class that has the room; where none has, what the first of them said."""
    refused: BadInput | None = None
    for kind in classes:
        try:
            return placed(kind)
        except BadInput as error:
            refused = refused or error
    assert refused is not None, "there is at least one class"
    raise refused


def _too_large(message: str, fix: str, field: str) -> BadInput:
    return BadInput(message, fix=fix, field=field, code="larger_than_any_node")


def _lacks(message: str, fix: str, field: str) -> BadInput:
    return BadInput(message, fix=fix, field=field, code="no_node_has_it")


def _nodes(n_nodes: int) -> str:
    return "1 node" if n_nodes == 1 else f"{n_nodes} nodes"


def _gib(size: float) -> str:
    return f"{round(size / GIB, 2):g} GiB"
