from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.twin.core.counted import Counted
from eureka_park.twin.core.energy_figures import Meter
from eureka_park.twin.core.log_histogram import ERROR_FRAC
from eureka_park.twin.core.metrics import (
    Park,
    flattened,
    leaf_weights,
    report,
    told_waits,
    waited_s,
    weighted_quantile,
)
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.sky_series import flat_sky
from eureka_park.twin.core.workload import workload_of

nan = math.nan
TIERS = ("firm", "flex", "green")


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
COUNTS = Counted(
    np.array([3.0]), np.array([1000.0]), np.array([800.0, 130.0, 0.0, 70.0]), np.array([0.0, 20.0, 0.0, 0.0])
)
PLAYED = Played(
    np.array([0.0, 60.0, nan, 900.0]), np.array([100.0, 180.0, nan, nan]), np.array([0, 2, 0, 0], dtype=np.int32),
    np.array([100.0, 100.0, 0.0, 50.0]), 1000.0, 0, 0.25, "d1",
    {"it_kwh": 3.0, "clean_kwh": 2.0, "n_promised": 4.0, "n_broken": 1.0}, np.array([2.0, 0.5]), counted=COUNTS,
)  # fmt: skip
PARK = Park(8.0, 64.0, flat_sky(9.0, 1.0), Meter(1.25), np.full(4, 3600.0))


def test_waits_end_with_the_run() -> None:
    assert waited_s(WORK, np.array([0.0, 60.0, nan, 2000.0]), 1000.0).tolist() == [0.0, 50.0, 980.0, 970.0]


def test_a_report_has_the_figures_that_programs_read() -> None:
    rows = flattened(report(WORK, PLAYED, (), PARK))
    assert (rows["jobs"], rows["jobs_started"], rows["jobs_finished"], rows["n_pauses"]) == (4, 3, 2, 2)
    assert rows["digest"] == "d1"
    assert rows["done_frac"] == pytest.approx((800 + 100 + 50) / (800 + 100 + 1 + 100))
    for figure in ("wait_s", "turnaround_s", "bounded_slowdown"):
        for suffix in ("", "_by_gpu_h"):
            wanted = {f"{figure}{suffix}.{tier}.{name}" for tier in TIERS for name in ("mean", "p50", "p95", "p99")}
            assert wanted <= set(rows)
    for suffix in ("", "_by_gpu_h"):
        assert {f"deadline_hit_frac{suffix}.{tier}" for tier in TIERS} <= set(rows)
    assert rows["wait_s.flex.mean"] == pytest.approx((50 + 980) / 2)
    assert rows["wait_s_by_gpu_h.flex.mean"] == pytest.approx((50 * 100 + 980 * 1) / 101)
    assert rows["wait_s.green.p50"] == pytest.approx(870.0, rel=ERROR_FRAC)
    assert rows["turnaround_s.flex.mean"] == 170.0
    assert rows["bounded_slowdown.flex.mean"] == pytest.approx(1.7)


def test_deadlines_beyond_the_run_are_not_counted() -> None:
    rows = flattened(report(WORK, PLAYED, (), PARK))
    assert [rows[f"deadline_hit_frac.{tier}"] for tier in TIERS] == [1.0, 0.5, 1.0]
    assert rows["deadline_hit_frac_by_gpu_h.flex"] == pytest.approx(100 / 101)
    assert rows["gpu_h_finished_frac"] == pytest.approx(100 / 101)


def test_use_of_the_park() -> None:
    rows = flattened(report(WORK, PLAYED, (), PARK))
    assert rows["utilisation_frac"] == pytest.approx(1000 / 8000)
    assert rows["goodput_frac"] == pytest.approx(950 / 1000)
    assert rows["checkpoint_loss_frac"] == pytest.approx(20 / 1000)
    assert rows["tiers.flex.checkpoint_loss_frac"] == pytest.approx(20 / 130)
    assert rows["promises_kept_frac"] == 0.75
    # 1 s of the third job was left at its deadline; the green one's lies beyond the run
    assert rows["unserved_mwh"] == pytest.approx(1 * 3600.0 / 3600.0 / 1000.0 * 1.25)
    assert rows["tiers.firm.unserved_mwh"] == 0.0


def test_energy_is_told_at_the_meter() -> None:
    rows = report(WORK, PLAYED, (), PARK)
    clean_kwh = 9.0 * 1000 / 3600
    assert rows["cfe_frac"] == pytest.approx(clean_kwh / 3.0)
    assert rows["bought_mwh"] == pytest.approx((3.0 - clean_kwh) * 1.25 / 1000)
    assert rows["overrun_mwh"] == pytest.approx(0.25 * 1.25)
    assert rows["imbalance_mwh"] == pytest.approx(0.0)
    assert rows["kwh_per_gpu_h"] == pytest.approx(3.0 * 1.25 / (950 / 3600))


def test_tenants_stand_beside_what_they_had_alone() -> None:
    found = report(WORK, PLAYED, (), PARK)["tenants"]
    assert set(found) == {"a", "b"}
    # alone the first has 4 GPUs: 8 of them for 100 s take 200 s, then the second job 100 s from 200 s on
    assert found["a"]["rho"] == pytest.approx((100 + 170) / (200 + 290))
    assert found["b"]["rho"] == pytest.approx((980 + 970) / (1 + 100))
    assert report(WORK, PLAYED, (), PARK)["rho_max"] == found["b"]["rho"]
    assert found["a"]["rho_by_gpu_h"] == pytest.approx((100 * 800 + 170 * 100) / (200 * 800 + 290 * 100))
    assert found["a"]["wait_s"]["mean"] == 25.0
    assert found["b"]["wait_s"]["p95"] == pytest.approx(980.0, rel=ERROR_FRAC)
    assert found["b"]["deadline_hit_frac"] == 0.0
    assert found["a"]["it_kwh"] == 2.0
    tiers = report(WORK, replace(PLAYED, tier_kwh=np.array([1.0, 1.5, 0.0])), (), PARK)["tiers"]
    assert [tiers[tier]["it_kwh"] for tier in TIERS] == [1.0, 1.5, 0.0]
    assert found["b"]["gpu_h_done"] == pytest.approx(50 / 3600)


def test_jobs_are_told_by_how_they_ended() -> None:
    ends = replace(PLAYED, end_s=np.array([100.0, 180.0, nan, 999.0]), done_s=np.array([100.0, 100.0, 0.0, 50.0]))
    found = report(replace(WORK, ending=np.array([2, 0, 2, 1], np.int8)), ends, (), PARK)
    assert found["jobs_ended"] == {"finished": 1, "cancelled": 0, "failed": 1, "timed_out": 1}
    assert sum(found["jobs_ended"].values()) == found["jobs_finished"]
    assert found["gpu_h_ended"] == pytest.approx(
        {"finished": 100 / 3600, "cancelled": 0.0, "failed": 800 / 3600, "timed_out": 50 / 3600}
    )
    assert found["gpu_h_failed_frac"] == pytest.approx(800 / 950)
    assert report(WORK, ends, (), replace(PARK, knows_ends=False))["jobs_ended"] is None


def test_a_policy_that_knows_no_tiers_disturbs_firm_jobs_all_the_same() -> None:
    assert report(WORK, PLAYED, ())["firm_disturbed"] == 0
    paused = replace(PLAYED, n_pauses=np.array([3, 2, 0, 0], np.int32))
    assert report(WORK, paused, ())["firm_disturbed"] == 3
    assert report(WORK, replace(paused, firm_disturbed=5), ())["firm_disturbed"] == 5


def test_what_was_not_counted_is_told_as_nothing() -> None:
    bare = replace(PLAYED, counted=None, totals={}, leaf_kwh=np.zeros(0))
    found = report(WORK, bare, ())
    for name in ("utilisation_frac", "goodput_frac", "checkpoint_loss_frac", "cfe_frac", "imbalance_mwh",
                 "unserved_mwh", "rho_max", "promises_kept_frac"):  # fmt: skip
        assert found[name] is None, name
    assert found["overrun_mwh"] == 0.25
    assert found["tenants"]["a"]["it_kwh"] is None


def test_without_gpus_tenants_share_cpus() -> None:
    work = workload_of(("a", "b"), {"submit_s": [0.0], "run_s": [100.0], "mcpu": [64_000]})
    gone = Played(np.zeros(1), np.array([100.0]), np.zeros(1, np.int32), np.array([100.0]), 1000.0, 0, 0.0, "d")
    found = report(work, gone, (), Park(0.0, 64.0))
    assert found["tenants"]["a"]["rho"] == pytest.approx(100 / 200)
    assert "b" not in found["tenants"]
    assert found["jain_index"] == 1.0


job_rows = st.tuples(
    st.floats(0, 20 * 3600), st.floats(1, 9 * 3600), st.integers(0, 16), st.integers(0, 2), st.integers(0, 3),
    st.floats(0, 12 * 3600), st.floats(1, 3), st.one_of(st.just(math.inf), st.floats(1, 30 * 3600)),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.lists(job_rows, min_size=1, max_size=25))
def test_figures_stay_in_range_and_add_up(rows: list[tuple[float, ...]]) -> None:
    rows.sort()
    submit, run, gpus, tier, leaf, wait, slow, due = (np.array(column) for column in zip(*rows, strict=True))
    work = workload_of(
        ("a/x", "a/y", "b", "c"),
        {"submit_s": submit, "run_s": run, "gpus": gpus, "tier": tier, "leaf": leaf, "deadline_s": submit + due},
    )
    until_s, start = 24 * 3600.0, submit + wait
    end = start + run * slow
    done = np.clip((np.minimum(end, until_s) - start) / slow, 0.0, run)
    held = work.n_gpus * np.clip(np.minimum(end, until_s) - start, 0.0, None)
    counts = Counted(np.full(24, 5.0), np.full(24, 3600.0), held, held * 0.1)
    played = Played(
        np.where(start <= until_s, start, nan), np.where(end <= until_s, end, nan), np.zeros(work.n_jobs, np.int32),
        done, until_s, 0, 0.0, "d", {"it_kwh": 120.0, "clean_kwh": 1.0}, counted=counts,
    )  # fmt: skip
    found = report(work, played, (), Park(64.0, 64.0, flat_sky(4.0, 1.0), Meter(1.1), np.ones(work.n_jobs)))
    for name, value in flattened(found).items():
        if name.endswith("_frac") and "served" not in name and value is not None:
            assert 0.0 <= value <= 1.0 + 1e-9, name
        if name.startswith("jain"):
            assert 0.0 < value <= 1.0 + 1e-9, name
        if name.endswith(("_mwh", "_s", "mean", "p50", "p95", "p99", "rho")) and value is not None:
            assert value >= 0.0, name
        if name.startswith("bounded_slowdown") and name.endswith("p50") and value > 0.0:
            assert value >= 1.0, name
    for figure in ("wait_s", "turnaround_s", "bounded_slowdown"):
        for one in found[figure].values():
            assert one["p50"] <= one["p95"] <= one["p99"]
    for name in ("jobs", "jobs_started", "jobs_finished", "gpu_h", "gpu_h_done"):
        for groups in ("tiers", "tenants"):
            assert sum(one[name] for one in found[groups].values()) == pytest.approx(found[name])
    assert found["cfe_frac"] == pytest.approx(4.0 / 5.0)
