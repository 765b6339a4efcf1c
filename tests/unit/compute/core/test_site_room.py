"""Where a declaration fits: a part of one node, whole nodes of a class, or a refusal whose advice can be followed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eureka_park.compute.core.site_room import ClassRoom, Fit, Need, SiteRoom, fit
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import GIB

H100 = ClassRoom("h100-8", "H100", 4, 224, 2048 * GIB, 8, 10.2)
L40S = ClassRoom("l40s-4", "L40S", 3, 64, 512 * GIB, 4, 2.0)
FAT = ClassRoom("fat", "", 10, 128, 4096 * GIB, 0, 1.5)
SITE = SiteRoom((L40S, H100, FAT))
GPU_SITE = SiteRoom((H100,))
CPU_SITE = SiteRoom((FAT,))


def refusal(room: SiteRoom, need: Need) -> BadInput:
    with pytest.raises(BadInput) as caught:
        fit(room, need)
    assert caught.value.field and caught.value.fix
    return caught.value


def test_a_part_of_a_node_takes_what_it_asks_for() -> None:
    assert fit(SITE, Need()) == Fit(1, 0, 0, 1.0, GIB, "", 10.2)
    assert fit(SITE, Need(n_gpus=3, n_cpus=0.5, memory_bytes=2 * GIB)) == Fit(1, 0, 3, 0.5, 2 * GIB, "", 10.2)
    assert fit(SITE, Need(n_gpus=2, gpu_type="l40s")).gpu_type == "L40S", "as the site file spells it"
    small = SiteRoom((replace(FAT, memory_bytes=GIB // 2),))
    assert fit(small, Need()).memory_bytes == GIB // 2, "the usual GiB is no reason to refuse"


def test_more_gpus_than_a_node_has_are_whole_nodes() -> None:
    assert fit(SITE, Need(n_gpus=24)) == Fit(3, 0, 8, 224, 2048 * GIB, "H100", pytest.approx(30.6))
    assert fit(SITE, Need(n_gpus=12)) == Fit(3, 0, 4, 64, 512 * GIB, "L40S", 6.0), "8 do not divide it, 4 do"
    assert fit(SITE, Need(n_gpus=8, gpu_type="L4")).n_nodes == 2, "two nodes of the type, though one of another has 8"


def test_nodes_are_whole() -> None:
    assert fit(SITE, Need(n_nodes=2)) == Fit(2, 0, 0, 128, 4096 * GIB, "", 3.0)
    assert fit(SITE, Need(n_nodes=1, gpu_type="h100")) == Fit(1, 0, 8, 224, 2048 * GIB, "H100", 10.2)
    assert fit(GPU_SITE, Need(n_nodes=2, n_gpus=16)) == fit(GPU_SITE, Need(n_nodes=2)) == fit(GPU_SITE, Need(n_gpus=16))
    assert fit(SITE, Need(n_nodes=3, n_cpus=100, memory_bytes=GIB)).n_cpus == 128, "what is asked for is the least"


def test_an_elastic_gang() -> None:
    assert fit(SITE, Need(n_gpus=24, n_gpus_min=8, is_resumable=True)).n_nodes_min == 1
    assert fit(SITE, Need(n_nodes=5, n_nodes_min=2, is_resumable=True)).n_nodes_min == 2
    assert fit(SITE, Need(n_nodes=5, n_nodes_min=5)).n_nodes_min == 0, "no less than the most is not elastic"


@pytest.mark.parametrize(
    ("need", "code", "field", "says"),
    [
        (Need(n_gpus=20, gpu_type="H100"), "not_whole_nodes", "gpus", ["20", "h100-8 has 8", "16 or 24 GPUs"]),
        (Need(n_gpus=31), "not_whole_nodes", "gpus", ["24 or 32"]),
        (Need(n_gpus=40), "larger_than_site", "gpus", ["40", "32 (4 nodes of 8)", "at most 32"]),
        (Need(n_nodes=11), "larger_than_site", "nodes", ["11 nodes", "10 of fat", "at most 10"]),
        (Need(n_nodes=2, n_gpus=17), "not_whole_nodes", "gpus", ["2 nodes of h100-8 have 16 GPUs, not 17"]),
        (Need(n_gpus=1, gpu_type="h200"), "no_such_gpu_type", "gpu_type", ["'h200'", "There is L40S, H100"]),
        (Need(gpu_type="H100"), "type_without_gpus", "gpu_type", ["asks for no GPU"]),
        (Need(n_cpus=225), "larger_than_any_node", "cpus", ["225", "224"]),
        (Need(memory_bytes=5000 * GIB), "larger_than_any_node", "memory", ["5000 GiB", "has 4096 GiB"]),
        (Need(n_gpus=1, memory_bytes=3000 * GIB), "no_node_has_it", "memory", ["l40s-4 has 512 GiB"]),
        (Need(n_gpus=5, memory_bytes=3000 * GIB), "no_node_has_it", "memory", ["h100-8", "2048 GiB"]),
        (Need(n_cpus=200, memory_bytes=3000 * GIB), "no_node_has_it", "cpus", ["fat has 128"]),
        (Need(n_nodes=2, memory_bytes=5000 * GIB), "no_node_has_it", "memory", ["fat"]),
        (Need(n_nodes=2, n_cpus=129), "no_node_has_it", "cpus", ["at most 128"]),
        (Need(n_gpus=24, n_gpus_min=8), "elastic_needs_checkpoint", "min_gpus", ["checkpoint"]),
        (Need(n_gpus=24, n_gpus_min=12, is_resumable=True), "not_whole_nodes", "min_gpus", ["8 or 16"]),
        (Need(n_gpus=24, n_gpus_min=32, is_resumable=True), "min_above_most", "min_gpus", ["24 GPUs"]),
        (Need(n_nodes=2, n_nodes_min=3, is_resumable=True), "min_above_most", "min_nodes", ["2 nodes"]),
        (Need(n_nodes=2, n_gpus_min=8, is_resumable=True), "bad_input", "min_gpus", ["fat has no GPUs"]),
        (Need(n_gpus=4, n_gpus_min=2, is_resumable=True), "not_elastic", "min_gpus", ["part of one node"]),
        (Need(n_gpus_min=8, n_nodes_min=1), "bad_input", "min_nodes", ["one of them"]),
    ],
)  # fmt: skip
def test_a_refusal_says_what_there_is(need: Need, code: str, field: str, says: list[str]) -> None:
    found = refusal(SITE, need)
    assert (found.code, found.field) == (code, field), found.line()
    for part in says:
        assert part in found.line()


def test_a_site_without_gpus() -> None:
    for need in (Need(n_gpus=1), Need(n_gpus=40), Need(n_nodes=2, n_gpus=16)):
        assert (refusal(CPU_SITE, need).code, refusal(CPU_SITE, need).field) == ("larger_than_any_node", "gpus")
    assert "No node has GPUs" in refusal(CPU_SITE, Need(n_gpus=1, gpu_type="H100")).fix
    assert refusal(CPU_SITE, Need(n_gpus=1, gpu_type="h100")).code == "no_such_gpu_type"


def test_an_unclear_type_names_the_two() -> None:
    twins = SiteRoom((replace(H100, gpu_type="H100-SXM"), replace(L40S, gpu_type="H100-PCIe")))
    assert "H100-SXM or H100-PCIe" in refusal(twins, Need(n_gpus=1, gpu_type="h100")).message
    assert "Did you mean 'H100-SXM'?" in refusal(twins, Need(n_gpus=1, gpu_type="h100-smx")).fix
    assert fit(twins, Need(n_gpus=1, gpu_type="h100-p")).gpu_type == "H100-PCIe"


KINDS = st.builds(
    ClassRoom,
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["", "H100", "L40S"]),
    st.integers(1, 40),
    st.integers(1, 256).map(float),
    st.integers(1, 64).map(lambda n: n * GIB),
    st.sampled_from([0, 1, 4, 6, 8]),
    st.floats(0.1, 20),
)
ROOMS = st.lists(KINDS, min_size=1, max_size=3).map(lambda kinds: SiteRoom(tuple(kinds)))
NEEDS = st.builds(
    Need,
    n_gpus=st.integers(0, 400),
    n_nodes=st.none() | st.integers(1, 50),
    gpu_type=st.sampled_from(["", "", "h100"]),
    n_cpus=st.none() | st.floats(0.1, 300),
    memory_bytes=st.none() | st.integers(1, 70 * GIB),
    n_gpus_min=st.none() | st.integers(1, 100),
    n_nodes_min=st.none() | st.integers(1, 50),
    is_resumable=st.booleans(),
)


@given(room=ROOMS, need=NEEDS)
def test_what_fits_is_there(room: SiteRoom, need: Need) -> None:
    try:
        found = fit(room, need)
    except BadInput as error:
        assert error.field and error.fix
        return
    holders = [
        kind for kind in room.classes
        if kind.n_nodes >= found.n_nodes and kind.n_gpus >= found.n_gpus and kind.n_cpus >= found.n_cpus
        and kind.memory_bytes >= found.memory_bytes and found.gpu_type in ("", kind.gpu_type)
    ]  # fmt: skip
    assert holders and found.kw_max <= found.n_nodes * max(kind.rated_kw for kind in room.classes)
    assert need.n_gpus in (0, found.n_nodes * found.n_gpus), "never fewer nor more GPUs than were asked for"
    assert found.n_nodes == (need.n_nodes or found.n_nodes)
    assert found.n_cpus >= (need.n_cpus or 0) and found.memory_bytes >= (need.memory_bytes or 0)
    assert found.n_nodes_min == 0 or (need.is_resumable and 1 <= found.n_nodes_min < found.n_nodes)


@given(room=ROOMS, n_gpus=st.integers(1, 500))
def test_the_numbers_of_a_refusal_are_right(room: SiteRoom, n_gpus: int) -> None:
    try:
        fit(room, Need(n_gpus=n_gpus))
    except BadInput as error:
        assume(error.code in ("not_whole_nodes", "larger_than_site"))
        for text in re.findall(r"\d+", error.fix):
            assert fit(room, Need(n_gpus=int(text))).n_gpus
