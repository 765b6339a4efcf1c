"""Racks and pods: filled in order, never larger than told, never shared between classes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from eureka_park.control.of_site import nodes_of
from eureka_park.foundation.site_file import NodeClass
from eureka_park.foundation.site_layout import placed_nodes
from eureka_park.foundation.site_reading import load_site

KINDS = st.lists(
    st.builds(
        NodeClass, id=st.sampled_from(["a", "b"]), n_nodes=st.integers(1, 40), nodes_per_rack=st.integers(1, 9),
        racks_per_pod=st.integers(1, 4), n_cpus=st.just(1), memory_gib=st.just(1.0), rated_kw=st.just(1.0),
        idle_kw=st.just(0.5),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@given(KINDS)
def test_racks_and_pods_are_filled_in_order(kinds: list[NodeClass]) -> None:
    placed = list(placed_nodes(kinds))
    assert [item.kind for item in placed] == [kind for kind in kinds for _ in range(kind.n_nodes)]
    racks = [item.rack for item in placed]
    assert sorted(set(racks)) == list(range(max(racks) + 1)) and racks == sorted(racks)
    for rack in set(racks):
        inside = [item for item in placed if item.rack == rack]
        assert len({id(item.kind) for item in inside}) == 1 and len(inside) <= inside[0].kind.nodes_per_rack
        assert len({item.pod for item in inside}) == 1
    for pod in {item.pod for item in placed}:
        inside = [item for item in placed if item.pod == pod]
        assert len({id(item.kind) for item in inside}) == 1
        assert len({item.rack for item in inside}) <= inside[0].kind.racks_per_pod
    for before, after in pairwise(placed):
        is_full = racks.count(before.rack) == before.kind.nodes_per_rack
        assert after.rack == before.rack or is_full or after.kind is not before.kind


def test_the_built_in_site_s_nodes() -> None:
    placed = list(placed_nodes(load_site("eureka-park").nodes))
    assert len(placed) == 32_768 and placed[-1].rack == 4095 and placed[-1].pod == 255
    assert placed[9].node_id.endswith("-9") and (placed[7].rack, placed[8].rack) == (0, 1)


def test_a_park_declares_them() -> None:
    site = load_site("eureka-park")
    local = site.nodes[0].model_copy(update={"engine": "local", "n_nodes": 200, "sleep_kw": 0.1})
    modelled = site.nodes[0].model_copy(update={"id": "other"})
    nodes = nodes_of(site.model_copy(update={"nodes": (modelled, local)}))
    assert (len(nodes), nodes[0].rack, nodes[199].rack, nodes[199].pod, nodes[0].sleep_kw) == (200, 0, 24, 1, 0.1)
