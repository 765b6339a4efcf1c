"""Where the machines of a site stand: names, racks and pods, counted through all classes in the order of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from eureka_park.foundation.site_file import NodeClass


class Placed(NamedTuple):
    """One machine. Racks and pods are numbered over the whole site; none is shared between classes."""

    kind: NodeClass
    node_id: str
    rack: int
    pod: int


def placed_nodes(kinds: Iterable[NodeClass]) -> Iterator[Placed]:
    """Every machine of every class: the first `nodes_per_rack` share a rack, the first `racks_per_pod` racks a pod."""
    rack_0 = pod_0 = 0
    for kind in kinds:
        for index in range(kind.n_nodes):
            rack = index // kind.nodes_per_rack
            node_id = kind.id if kind.n_nodes == 1 else f"{kind.id}-{index}"
            yield Placed(kind, node_id, rack_0 + rack, pod_0 + rack // kind.racks_per_pod)
        n_racks = -(-kind.n_nodes // kind.nodes_per_rack)
        rack_0 += n_racks
        pod_0 += -(-n_racks // kind.racks_per_pod)
