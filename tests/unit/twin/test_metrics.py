from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.twin.core.metrics import (
    bounded_slowdown,
    deadline_hit_frac,
    flattened,
    jain_index,
    leaf_weights,
    report,
    service_over_entitlement,
    told_waits,
    waits_by_tier,
    water_level,
    weighted_quantile,
)
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.workload import workload_of

amounts = st.lists(st.floats(0.0, 1e12), min_size=1, max_size=30)
nan = math.nan


@given(amounts)
def test_jain_lies_between_one_over_n_and_one(served: list[float]) -> None:
    found = jain_index(np.array(served))
    assert 1.0 / len(served) - 1e-9 <= found <= 1.0 + 1e-9


@given(st.floats(1e-6, 1e6), st.integers(1, 50))
def test_jain_is_one_for_equals(value: float, n: int) -> None:
    assert jain_index(np.full(n, value)) == pytest.approx(1.0)


@given(st.floats(1e-6, 1e6), st.integers(1, 50))
def test_jain_is_one_over_n_when_one_has_all(value: float, n: int) -> None:
    assert jain_index(np.array([value] + [0.0] * (n - 1))) == pytest.approx(1.0 / n)


@given(amounts, st.floats(1e-3, 1e3))
def test_jain_does_not_know_units(served: list[float], factor: float) -> None:
    assert jain_index(np.array(served) * factor) == pytest.approx(jain_index(np.array(served)), rel=1e-6)


def test_jain_of_two_to_one() -> None:
    assert jain_index(np.array([2.0, 1.0])) == pytest.approx(9 / 10)
    assert jain_index(np.zeros(0)) == jain_index(np.zeros(3)) == 1.0


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(1, 5)), min_size=1, max_size=40), st.floats(0.01, 0.99))
def test_weights_are_as_good_as_repeats(pairs: list[tuple[float, int]], level: float) -> None:
    values, weights = np.array([value for value, _n in pairs]), np.array([float(n) for _value, n in pairs])
    repeated = np.sort(np.repeat(values, [n for _value, n in pairs]))
    place = max(0, math.ceil(level * len(repeated) * (1 - 1e-12)) - 1)
    assert weighted_quantile(values, weights, level) == repeated[place]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40))
def test_quantiles_rise_and_stay_in_range(waits: list[float]) -> None:
    found = told_waits(np.array(waits))
    assert min(waits) <= found["p50"] <= found["p95"] <= found["p99"] <= max(waits)
    assert min(waits) - 1e-6 <= found["mean"] <= max(waits) + 1e-6


def test_waits_of_nobody_are_nothing() -> None:
    assert told_waits(np.zeros(0)) == {"mean": 0.0, "p50": 0.0, "p95": 0.0, "p99": 0.0}


@given(st.lists(st.tuples(st.floats(0.01, 10), st.floats(0, 1000)), min_size=1, max_size=20), st.floats(0.01, 0.99))
def test_water_fills_to_the_total(pairs: list[tuple[float, float]], part: float) -> None:
    weight, demand = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    total = part * float(demand.sum())
    level = water_level(weight, demand, total)
    if total > 0:
        assert float(np.minimum(demand, level * weight).sum()) == pytest.approx(total, rel=1e-6)
    assert water_level(weight, demand, float(demand.sum())) == math.inf


def test_who_asks_for_little_is_satisfied_and_not_counted() -> None:
    # of 100, three of weight 1: one asks for 10 and gets it; the others are entitled to 45 each
    found = service_over_entitlement(np.array([10.0, 30.0, 60.0]), np.ones(3), np.array([10.0, 200.0, 200.0]))
    assert found.tolist() == pytest.approx([30 / 45, 60 / 45])
    assert len(service_over_entitlement(np.array([5.0, 5.0]), np.ones(2), np.array([5.0, 5.0]))) == 0


def test_leaf_weights_multiply_down_the_tree() -> None:
    shares = (("a", 3.0, 0.0), ("b", 1.0, 0.0), ("a/x", 1.0, 0.0), ("a/y", 2.0, 0.0))
    assert leaf_weights(("a/x", "a/y", "b"), shares).tolist() == pytest.approx([0.25, 0.5, 0.25])
    assert leaf_weights(("p", "q"), ()).tolist() == [0.5, 0.5]


WORK = workload_of(
    ("a", "b"),
    {
        "submit_s": [0.0, 10.0, 20.0, 30.0], "run_s": [100.0, 100.0, 1.0, 100.0], "gpus": [8, 1, 1, 1],
        "tier": [0, 1, 1, 2], "deadline_s": [math.inf, 200.0, 25.0, 5000.0], "leaf": [0, 0, 1, 1],
    },
)  # fmt: skip


def test_waits_end_with_the_run() -> None:
    waits = waits_by_tier(WORK, np.array([0.0, 60.0, nan, 900.0]), 1000.0)
    assert waits["firm"]["mean"] == 0.0
    assert waits["flex"]["mean"] == pytest.approx((50 + 980) / 2)
    assert waits["green"]["p50"] == 870.0
    by_gpu_s = waits_by_tier(WORK, np.array([0.0, 60.0, nan, 900.0]), 1000.0, by_gpu_s=True)
    assert by_gpu_s["flex"]["mean"] == pytest.approx((50 * 100 + 980 * 1) / 101)


def test_a_deadline_beyond_the_run_is_not_counted() -> None:
    found = deadline_hit_frac(WORK, np.array([100.0, 180.0, nan, nan]), 1000.0)
    assert found == {"firm": 1.0, "flex": 0.5, "green": 1.0}


def test_slowdown_is_bounded_by_ten_seconds() -> None:
    found = bounded_slowdown(WORK, np.array([200.0, nan, 40.0, 130.0]))
    assert found["p50"] == 2.0  # 200/100, 20/10, 100/100
    assert found["mean"] == pytest.approx((2 + 2 + 1) / 3)


def test_a_report_has_the_figures_that_programs_read() -> None:
    played = Played(
        np.array([0.0, 60.0, nan, 900.0]), np.array([100.0, 180.0, nan, nan]), np.array([0, 2, 0, 0], dtype=np.int32),
        np.array([100.0, 100.0, 0.0, 50.0]), 1000.0, 0, 0.25, "d1", {"energy_mwh": 3.0},
    )  # fmt: skip
    rows = flattened(report(WORK, played, ()))
    assert rows["jobs_finished"] == 2
    assert rows["jobs_started"] == 3
    assert rows["n_pauses"] == 2
    assert rows["overrun_mwh"] == 0.25
    assert rows["digest"] == "d1"
    assert rows["energy_mwh"] == 3.0
    assert rows["done_frac"] == pytest.approx((800 + 100 + 50) / (800 + 100 + 1 + 100))
    wanted = {f"wait_s.{tier}.{name}" for tier in ("firm", "flex", "green") for name in ("mean", "p50", "p95", "p99")}
    assert wanted <= set(rows)
    assert {f"deadline_hit_frac.{tier}" for tier in ("firm", "flex", "green")} <= set(rows)
