"""A generated workload holds its promises for any request, and has the shape of the published traces."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.shared_data import PHILLY, VENUS

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.units import DAY_S, HOUR_S
from eureka_park.twin.core.arrivals import Arrivals, burst_factor, make_workload, tenant_paths
from eureka_park.twin.core.mix import VENUS_DAYS, VENUS_HOURS
from eureka_park.twin.core.workload import BATCH, FLEX, INTERACTIVE, NodeShape, Workload

CLUSTER = (NodeShape(311, 8, 64_000, 524_288),)  # about Philly's 2,490 GPUs
shapes = st.builds(
    NodeShape,
    st.integers(1, 3000),
    st.sampled_from((0, 1, 4, 8)),
    st.sampled_from((500, 8_000, 224_000)),
    st.integers(1024, 2**21),
)
requests = st.builds(
    Arrivals,
    st.integers(1, 800),
    st.floats(0.05, 60.0),
    st.sampled_from((("a",), tenant_paths(7), tenant_paths())),
    st.tuples(shapes),
    st.one_of(st.none(), st.floats(0.05, 1.5)),
    st.integers(0, 167),
)


@settings(max_examples=120, deadline=None)
@given(requests, st.integers(0, 2**31 - 1))
def test_any_workload_is_whole_and_fits_its_site(what: Arrivals, seed: int) -> None:
    work = make_workload(what, SeedTree(seed))
    assert work.n_jobs == what.n_jobs
    assert work.submit_s[-1] <= what.days * DAY_S + 1e-3
    assert work.fitted(what.shapes) is work
    assert (work.time_s >= work.run_s).all()
    assert (work.time_s % 900.0 == 0).all()
    assert np.isinf(work.deadline_s[work.tier != FLEX]).all()
    finite = np.isfinite(work.deadline_s)
    assert (work.deadline_s[finite] >= (work.submit_s + work.time_s + 2 * HOUR_S)[finite] - 1e-3).all()
    assert not work.checkpoint[work.job_class != BATCH].any()
    assert work.checkpoint[work.n_nodes_min > 0].all()
    chained = work.after >= 0
    assert (work.leaf[chained] == work.leaf[work.after[chained]]).all()
    assert (work.run_s[work.job_class == INTERACTIVE] <= max(16 * 8 * HOUR_S, 10.0)).all()


@settings(max_examples=20, deadline=None)
@given(requests, st.integers(0, 2**31 - 1))
def test_the_same_seed_makes_the_same(what: Arrivals, seed: int) -> None:
    one, two = make_workload(what, SeedTree(seed)), make_workload(what, SeedTree(seed))
    for name in ("submit_s", "leaf", "gpus", "run_s", "deadline_s", "tier", "after", "power_frac"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes(), name


@pytest.mark.parametrize("changes", [{"n_jobs": 0}, {"days": 0.0}, {"load_frac": 0.0}, {"leaves": ()}, {"shapes": ()}])
def test_impossible_requests_are_refused(changes: dict[str, Any]) -> None:
    plain: dict[str, Any] = {"n_jobs": 10, "days": 1.0, "leaves": ("a",), "shapes": CLUSTER}
    with pytest.raises(BadInput):
        make_workload(Arrivals(**{**plain, **changes}), SeedTree(1))


# The shape. Bands are about the published figures (named beside them), wide enough for the spread of ten seeds.


@cache
def venus_like(seed: int) -> Workload:
    """183 days at the rate of Helios Venus: 28.8 jobs an hour, April to September."""
    return make_workload(Arrivals(int(28.8 * 24 * 183), 183.0, tenant_paths(), CLUSTER), SeedTree(seed))


@cache
def philly_like(seed: int) -> Workload:
    """As many jobs as the Philly file holds, run times as they are there."""
    return make_workload(Arrivals(82_247, 77.0, tenant_paths(), CLUSTER, None), SeedTree(seed))


def hourly(work: Workload, days: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.bincount((work.submit_s // HOUR_S).astype(int), minlength=days * 24)[: days * 24].astype(float)


def figures(counts: np.ndarray[Any, np.dtype[np.float64]], first_hour: int = 0) -> dict[str, float]:
    """Coefficient of variation, index of dispersion, and both of what is left beside the weekly profile."""
    week = (first_hour + np.arange(len(counts))) % 168
    profile = np.array([counts[week == hour].mean() for hour in range(168)])
    rest = counts / np.maximum(profile[week], 1e-9)
    return {
        "cv": counts.std() / counts.mean(),
        "dispersion": counts.var() / counts.mean(),
        "lag1": float(np.corrcoef(counts[:-1], counts[1:])[0, 1]),
        "rest_cv": float(rest.std()),
        "rest_lag1": float(np.corrcoef(rest[:-1], rest[1:])[0, 1]),
        "p99": float(np.quantile(counts, 0.99) / counts.mean()),
    }


BANDS = {  # figure: least, most; measured at Venus
    "cv": (1.1, 1.55),  # 1.17
    "dispersion": (34.0, 70.0),  # 39
    "lag1": (0.4, 0.65),  # 0.48
    "rest_cv": (0.9, 1.2),  # 1.06
    "rest_lag1": (0.4, 0.6),  # 0.54
    "p99": (4.0, 7.5),  # 4.4: ours has the heavier tail
}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bursts_are_those_of_venus(seed: int) -> None:
    found = figures(hourly(venus_like(seed), 183))
    for name, (least, most) in BANDS.items():
        assert least <= found[name] <= most, name


@pytest.mark.skipif(not VENUS.is_file(), reason="the Venus counts are not part of the repository")
def test_the_bands_hold_the_real_venus() -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the extra 'parquet'")
    counts = parquet.read_table(VENUS)["submit_gpu_job"].to_numpy().reshape(-1, 6).sum(axis=1).astype(float)
    found = figures(counts, first_hour=48)  # 1 April 2020 was a Wednesday
    for name, (least, most) in BANDS.items():
        slack = 0.05 if name != "lag1" else 0.1  # these are four of its six months
        assert least - slack <= found[name] <= most + slack, name


def test_hours_and_days_have_venus_shares() -> None:
    hours = np.zeros(24)
    days = np.zeros(7)
    for seed in (1, 2, 3):
        counts = hourly(venus_like(seed), 182).reshape(-1, 24)
        hours += counts.sum(axis=0)
        days += counts.sum(axis=1).reshape(-1, 7).sum(axis=0)
    assert np.abs(100 * hours / hours.sum() - np.array(VENUS_HOURS)).max() < 1.0
    assert np.abs(100 * days / days.sum() - np.array(VENUS_DAYS)).max() < 3.0


def test_the_burst_factor_has_its_moments() -> None:
    series = np.log(burst_factor(200_000, 1.0, 0.54, SeedTree(1)))
    assert series.var() == pytest.approx(np.log(2.0), rel=0.03)
    assert np.corrcoef(series[:-1], series[1:])[0, 1] == pytest.approx(np.log2(1.54), abs=0.01)
    assert burst_factor(10, 0.0, 0.5, SeedTree(1)).tolist() == [1.0] * 10


def tails(gpu_s: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[float, float]:
    """Shares of the GPU time in the largest 1 % and 10 % of jobs."""
    falling = np.sort(gpu_s)[::-1]
    return tuple(float(falling[: len(falling) // part].sum() / falling.sum()) for part in (100, 10))  # type: ignore[return-value]


def test_few_jobs_use_most_gpu_time() -> None:
    one, ten = np.mean([tails(philly_like(seed).gpu_s) for seed in (1, 2, 3)], axis=0)
    assert 0.6 <= one <= 0.8  # Philly: 0.67
    assert 0.9 <= ten <= 0.98  # Philly: 0.96


def test_sizes_have_phillys_shares() -> None:
    sizes = np.concatenate([philly_like(seed).n_gpus for seed in range(1, 7)])
    for least, most, share in ((1, 1, 93.2), (2, 2, 2.2), (3, 4, 2.3), (5, 8, 2.0), (9, 16, 0.25)):
        found = 100 * float(np.mean((sizes >= least) & (sizes <= most)))
        assert found == pytest.approx(share, rel=0.1, abs=0.05), (least, most)


def test_run_times_have_phillys_quantiles() -> None:
    found = np.quantile(philly_like(2).run_s, [0.25, 0.5, 0.75, 0.9, 0.95])
    for value, wanted in zip(found, (115, 1_144, 2_932, 11_265, 43_646), strict=True):
        assert wanted / 2.6 <= value <= wanted * 2.6  # the middle of Philly is narrower than a log-normal
    mean_gpu_h = np.mean([float(philly_like(seed).gpu_s.mean()) / HOUR_S for seed in (1, 2, 3)])
    assert 9.0 <= mean_gpu_h <= 14.0  # 11.9


@pytest.mark.skipif(not PHILLY.is_file(), reason="the Philly trace is not part of the repository")
def test_the_bands_hold_the_real_philly() -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the extra 'parquet'")
    table = parquet.read_table(PHILLY)
    gpus, run_s = table["num_gpus"].to_numpy(), table["duration_s"].to_numpy().astype(float)
    one, ten = tails(gpus * run_s)
    assert 0.6 <= one <= 0.8
    assert 0.9 <= ten <= 0.98
    real, ours = np.quantile(run_s, [0.25, 0.5, 0.75, 0.9, 0.95]), philly_like(2).run_s
    ratio = np.quantile(ours, [0.25, 0.5, 0.75, 0.9, 0.95]) / real
    assert (np.abs(np.log(ratio)) <= np.log(2.6)).all()


@pytest.mark.parametrize("load_frac", [0.3, 0.7, 1.2])
def test_the_offered_work_is_what_was_asked_for(load_frac: float) -> None:
    shape = NodeShape(2_500, 8, 224_000, 2**21)
    work = make_workload(Arrivals(50_000, 10.0, tenant_paths(), (shape,), load_frac), SeedTree(1))
    assert float(work.gpu_s.sum()) / (20_000 * 10 * DAY_S) == pytest.approx(load_frac, rel=0.02)


def test_tiers_and_power_have_their_shares() -> None:
    works = [philly_like(seed) for seed in range(1, 7)]
    gpu_s = np.concatenate([work.gpu_s for work in works])
    tier = np.concatenate([work.tier for work in works])
    for index, share in enumerate((0.2, 0.5, 0.3)):
        assert float(gpu_s[tier == index].sum() / gpu_s.sum()) == pytest.approx(share, abs=0.05)
    power = np.concatenate([work.power_frac for work in works])
    assert 0.4 <= float((power * gpu_s).sum() / gpu_s.sum()) <= 0.52
