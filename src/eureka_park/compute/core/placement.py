"""Where a job fits: free CPUs, memory and GPUs of each node, best fit first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from eureka_park.compute.core.event import Node
from eureka_park.compute.core.job import Job, JobSpec

_ROUND = 6  # CPUs may be fractions; rounding keeps sums of many from drifting


@dataclass(slots=True)
class NodeRoom:
    """What is free on one node."""

    node: Node
    free_cpus: float
    free_memory_bytes: int
    free_gpus: list[int] = field(default_factory=list)

    def fits(self, spec: JobSpec) -> bool:
        """Whether the job fits into what is free now."""
        return (
            spec.n_cpus <= self.free_cpus + 1e-9
            and spec.memory_bytes <= self.free_memory_bytes
            and spec.n_gpus <= len(self.free_gpus)
        )


class Rooms:
    """Free room on all nodes; the same resource is never given twice (`validate` of the state checks it)."""

    def __init__(self, nodes: Iterable[Node] = ()) -> None:
        self.by_node: dict[str, NodeRoom] = {
            node.node_id: NodeRoom(node, node.n_cpus, node.memory_bytes, list(range(node.n_gpus))) for node in nodes
        }

    def find(self, spec: JobSpec) -> NodeRoom | None:
        """The node that fits with the least left over (fewest free GPUs, then CPUs), or None."""
        fitting = [room for room in self.by_node.values() if room.fits(spec)]
        return min(fitting, key=lambda room: (len(room.free_gpus), room.free_cpus, room.node.node_id), default=None)

    def take(self, node_id: str, spec: JobSpec, gpu_indices: Iterable[int]) -> None:
        """Hold resources. Raises ValueError when a GPU is already held or the node is unknown."""
        room = self.by_node.get(node_id)
        if room is None:
            raise ValueError(f"unknown node {node_id}")
        room.free_cpus = round(room.free_cpus - spec.n_cpus, _ROUND)
        room.free_memory_bytes -= spec.memory_bytes
        for index in gpu_indices:
            room.free_gpus.remove(index)

    def give_back(self, job: Job) -> None:
        """Free what a job held; a node that has gone is left alone."""
        room = self.by_node.get(job.node)
        if room is None:
            return
        room.free_cpus = round(room.free_cpus + job.spec.n_cpus, _ROUND)
        room.free_memory_bytes += job.spec.memory_bytes
        still_there = (index for index in job.gpu_indices if index < room.node.n_gpus)
        room.free_gpus = sorted({*room.free_gpus, *still_there})

    def ever_fits(self, spec: JobSpec) -> bool:
        """Whether some empty node could hold the job."""
        return any(
            spec.n_cpus <= room.node.n_cpus
            and spec.memory_bytes <= room.node.memory_bytes
            and spec.n_gpus <= room.node.n_gpus
            for room in self.by_node.values()
        )


def dominant_frac(spec: JobSpec, node: Node) -> float:
    """The largest fraction of the node that the job holds: of its GPUs where it asks for any, else of CPUs or
    memory.
    """
    parts = [spec.n_cpus / node.n_cpus, spec.memory_bytes / node.memory_bytes]
    if node.n_gpus:
        parts.append(spec.n_gpus / node.n_gpus)
    return min(1.0, max(parts))


def rated_kw(spec: JobSpec, node: Node) -> tuple[float, float]:
    """IT power of a job at full draw on a node: (with its share of idle, the dynamic part alone); kW.

    The dynamic power of a node is its rating less idle; GPUs draw the node's `gpu_kw_max` each, the rest follows
    the CPUs.
    """
    gpus_kw = min(node.n_gpus * node.gpu_kw_max, node.rated_kw - node.idle_kw)
    cpus_kw = node.rated_kw - node.idle_kw - gpus_kw
    dynamic = cpus_kw * spec.n_cpus / node.n_cpus + (gpus_kw * spec.n_gpus / node.n_gpus if node.n_gpus else 0.0)
    return dynamic + node.idle_kw * idle_frac(spec, node), dynamic


def idle_frac(spec: JobSpec, node: Node) -> float:
    """The part of a node's idle power that a job carries: by GPUs on a GPU node when it holds any, else by CPUs."""
    if node.n_gpus and spec.n_gpus:
        return min(1.0, spec.n_gpus / node.n_gpus)
    return min(1.0, spec.n_cpus / node.n_cpus)


def job_kw(spec: JobSpec, node: Node) -> tuple[float, float]:
    """IT power of a whole job on nodes like this one: (with its share of idle, the dynamic part alone); kW.

    What it declares stands above the table, between the idle power that its nodes draw for it anyway and all they can.
    """
    full, dynamic = rated_kw(spec, node)
    idle_kw, dynamic = (full - dynamic) * spec.n_nodes, dynamic * spec.n_nodes
    if spec.declared_kw is not None:
        dynamic = min(dynamic, max(0.0, spec.declared_kw - idle_kw))
    return idle_kw + dynamic, dynamic
