from __future__ import annotations

import numpy as np
import pytest

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.site_reading import load_site
from eureka_park.twin.core.opening import opening_of, site_gpu_types
from eureka_park.twin.core.workload import workload_of


def site(*counts: int) -> Site:
    park = load_site("eureka-park")
    kinds = [
        park.nodes[0].model_copy(update={"id": f"n{index}", "n_nodes": count, "gpu_type": f"type-{index}"})
        for index, count in enumerate(counts)
    ]
    return park.model_copy(update={"nodes": tuple(kinds)})


def work(*leaves: str, **more: object):  # type: ignore[no-untyped-def]
    return workload_of(leaves, {"submit_s": [0.0], "run_s": [1.0]}, **more)


def test_all_machines_stand_empty() -> None:
    board = opening_of(site(3, 2), work("a"), ()).board
    assert board.nodes.shape[0] == 5
    assert board.g.free_gpus[0] == 40
    assert board.classes.gpu_type.tolist() == [0, 1]
    assert board.classes.rated_kw[0] == pytest.approx(10.2, abs=1e-6)
    assert board.nodes.mem_mib[0] == 2048 * 1024


def test_each_leaf_lies_below_its_path() -> None:
    found = opening_of(site(1), work("a/x", "b", "new"), (("a", 3.0, 0.5), ("a/x", 1.0, 0.2), ("b", 2.0, 0.0)))
    shares = found.board.shares
    assert len(set(found.leaf_rows.tolist())) == 3
    above = [int(shares.parent[row]) for row in found.leaf_rows]
    assert shares.weight[above].tolist() == [1.0, 2.0, 1.0]
    assert shares.floor_frac[above].tolist() == [0.2, 0.0, 0.0]
    grand = int(shares.parent[above[0]])
    assert (shares.weight[grand], shares.floor_frac[grand]) == (3.0, 0.5)
    assert int(shares.parent[above[1]]) == 0
    assert (shares.n_children[found.leaf_rows] == 0).all()


def test_a_leaf_may_have_others_below_it() -> None:
    found = opening_of(site(1), work("a", "a/x"), ())
    assert (found.board.shares.n_children[found.leaf_rows] == 0).all()


def test_gpu_types_are_those_of_the_site() -> None:
    assert site_gpu_types(site(1, 1)) == ("type-0", "type-1")
    found = opening_of(site(1, 1), work("a", gpu_types=("type-1", "other")), ())
    assert found.gpu_types.tolist() == [1, -1]
    assert found.gpu_types.dtype == np.int32


def test_a_site_that_no_board_holds_is_refused() -> None:
    with pytest.raises(BadInput, match="The twin cannot hold eureka-park"):
        opening_of(site(*[1] * 8), work("a"), ())
