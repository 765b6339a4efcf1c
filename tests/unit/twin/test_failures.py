from __future__ import annotations

import numpy as np
import pytest

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.units import DAY_S
from eureka_park.twin.core.failures import NODE_MTBF_S, failures_of, no_failures


def test_the_default_is_that_of_llama_3() -> None:
    days = NODE_MTBF_S / DAY_S
    assert days == pytest.approx(338.4, abs=0.1)


def test_failures_come_as_often_as_the_mtbf_says() -> None:
    found = failures_of(10_000, 100.0, SeedTree(1))
    expected = 10_000 * 100.0 * DAY_S / NODE_MTBF_S
    assert abs(found.n_failures - expected) < 4 * np.sqrt(expected)


def test_failures_are_sorted_inside_the_run_and_repaired_later() -> None:
    found = failures_of(500, 365.0, SeedTree(2))
    assert (np.diff(found.at_s) >= 0).all()
    assert found.at_s.min() >= 0
    assert found.at_s.max() <= 365 * DAY_S
    assert (found.up_again_s > found.at_s).all()
    assert 0 <= found.node.min() <= found.node.max() < 500


def test_a_node_that_is_down_does_not_fail() -> None:
    found = failures_of(3, 200.0, SeedTree(3), mtbf_s=DAY_S, repair_median_s=DAY_S / 2)
    assert found.n_failures > 100
    for node in range(3):
        rows = found.node == node
        assert (found.at_s[rows][1:] > found.up_again_s[rows][:-1]).all()


def test_the_seed_decides_alone() -> None:
    one, two, other = (failures_of(200, 90.0, SeedTree(seed)) for seed in (7, 7, 8))
    assert one.at_s.tolist() == two.at_s.tolist()
    assert one.node.tolist() == two.node.tolist()
    assert one.at_s.tolist() != other.at_s.tolist()


def test_no_failures_is_a_run_without_any() -> None:
    assert no_failures().n_failures == 0


@pytest.mark.parametrize(
    ("n_nodes", "days", "mtbf_s", "repair_s"), [(0, 1, 1e6, 1e3), (1, 0, 1e6, 1e3), (1, 1, 0, 1e3), (1, 1, 1e6, 0)]
)
def test_impossible_numbers_are_refused(n_nodes: int, days: float, mtbf_s: float, repair_s: float) -> None:
    with pytest.raises(BadInput):
        failures_of(n_nodes, days, SeedTree(1), mtbf_s, repair_s)
