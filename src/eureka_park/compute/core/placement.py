"""What a job draws on a node: from what it asks for and the node's table, or as it declares."""

from __future__ import annotations

from eureka_park.compute.core.event import Node
from eureka_park.compute.core.job import JobSpec


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
