"""A trace at another load: jobs stay what they are, their number follows, the load is met, nothing is out of order."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.units import DAY_S
from eureka_park.twin.core.metrics import units
from eureka_park.twin.core.scaled_trace import in_days, load_frac_of, part_of, scaled, scaling_of, shifts_s
from eureka_park.twin.core.workload import Workload, workload_of

TREE = SeedTree(1)
N_GPUS = 100.0


def trace(n_jobs: int = 400, days: float = 3.0, seed: int = 1, **more: Any) -> Workload:
    draw = np.random.default_rng(seed)
    columns = {
        "submit_s": np.sort(draw.random(n_jobs) * days * DAY_S),
        "run_s": np.exp(7.0 + 2.0 * draw.standard_normal(n_jobs)).clip(1.0, 1e6),
        "gpus": draw.choice([1, 2, 8], n_jobs),
        "leaf": draw.integers(0, 3, n_jobs),
        "image": draw.integers(0, 5, n_jobs),
    }
    return workload_of(("a", "b/x", "b/y"), columns, **more)


def brought(work: Workload, load_frac: float, days: float) -> Workload:
    part, repeats = in_days(work, days)
    scaling = scaling_of(load_frac, load_frac_of(part, units(part), N_GPUS, days), repeats)
    return scaled(part, units(part), scaling, days, TREE)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 20.0), st.sampled_from((0.7, 2.0, 3.0, 5.5)), st.integers(1, 5))
def test_the_load_is_met_and_jobs_are_the_traces(times: float, days: float, seed: int) -> None:
    work = trace(seed=seed)
    part, _repeats = in_days(work, days)
    before = load_frac_of(part, units(part), N_GPUS, days)
    found = brought(work, before * times, days)
    largest = float((units(part) * part.run_s).max()) / (N_GPUS * days * DAY_S)
    assert abs(load_frac_of(found, units(found), N_GPUS, days) - before * times) <= largest + 1e-3 * before
    assert (np.diff(found.submit_s) >= 0.0).all()
    assert found.submit_s.min() >= 0.0
    assert found.submit_s.max() <= days * DAY_S
    jobs = Counter(zip(found.run_s.tolist(), found.gpus.tolist(), strict=True))
    most = int(times) + 1 if times >= 1.0 else 1
    mine = Counter(zip(part.run_s.tolist(), part.gpus.tolist(), strict=True))
    assert all(n <= most * mine[job] for job, n in jobs.items())
    if times >= 1.0:
        assert all(jobs[job] >= int(times + 1e-9) * n for job, n in mine.items())


def test_twice_the_load_is_every_job_twice_by_other_tenants() -> None:
    work = trace(days=21.0)
    before = load_frac_of(work, units(work), N_GPUS, 21.0)
    found = brought(work, 2.0 * before, 21.0)
    assert found.n_jobs == 2 * work.n_jobs
    assert found.leaves == ("a", "b/x", "b/y", "a-copy-2", "b-copy-2/x", "b-copy-2/y")
    one, two = found.rows(found.leaf < 3), found.rows(found.leaf >= 3)
    assert np.allclose(one.submit_s, work.submit_s)
    assert sorted(two.run_s.tolist()) == sorted(work.run_s.tolist())
    assert set(one.image.tolist()).isdisjoint(two.image.tolist())
    shift_s = shifts_s(2, 21.0, TREE.child("copies"))[1]
    assert 7 * DAY_S <= shift_s <= 7 * DAY_S + 3600.0
    at_s = dict(zip(two.run_s.tolist(), two.submit_s.tolist(), strict=True))
    for run_s, submit_s in zip(work.run_s.tolist()[:50], work.submit_s.tolist(), strict=False):
        assert at_s[run_s] == pytest.approx((submit_s + shift_s) % (21 * DAY_S), abs=2e-3)


def test_drawn_tenants_are_the_same_in_each_copy() -> None:
    work = trace(filled={"leaf": 400})
    before = load_frac_of(work, units(work), N_GPUS, 3.0)
    assert brought(work, 3.0 * before, 3.0).leaves == work.leaves


def test_days_beyond_the_trace_begin_it_again() -> None:
    work = trace(days=2.0)
    found, repeats = in_days(work, 5.0)
    assert repeats == 3
    counts = [
        int(((found.submit_s >= at * 2 * DAY_S) & (found.submit_s < (at + 1) * 2 * DAY_S)).sum()) for at in (0, 1)
    ]
    assert counts == [400, 400]
    assert found.submit_s.max() < 5 * DAY_S


def test_a_part_holds_its_share_of_large_jobs() -> None:
    gpu_s = np.exp(2.2 * np.random.default_rng(3).standard_normal(20_000))
    for begin in (0.0, 0.3, 0.99):
        kept = part_of(gpu_s, 0.25, begin)
        assert abs(int(kept.sum()) - 5_000) <= 1
        assert gpu_s[kept].sum() / gpu_s.sum() == pytest.approx(0.25, abs=gpu_s.max() / gpu_s.sum())


def test_a_part_is_never_empty() -> None:
    assert part_of(np.array([5.0, 1.0, 3.0]), 0.01, 0.0).tolist() == [False, True, False]


def test_who_came_after_another_still_does_or_comes_after_nobody() -> None:
    n = 50
    work = workload_of(
        ("a",), {"submit_s": np.arange(n) * 3000.0, "run_s": np.full(n, 500.0), "gpus": 1, "after": np.arange(n) - 1}
    )
    before = load_frac_of(work, units(work), N_GPUS, 2.0)
    found = brought(work, 2.5 * before, 2.0)
    rows = np.arange(found.n_jobs)
    assert (found.after < rows).all()
    has = found.after >= 0
    assert has.sum() > n
    assert (found.leaf[has] == found.leaf[found.after[has]]).all()


def test_deadlines_move_with_their_jobs() -> None:
    work = trace()
    work = workload_of(
        work.leaves, {"submit_s": work.submit_s, "run_s": work.run_s, "gpus": work.gpus,
                      "deadline_s": work.submit_s + work.run_s + 7200.0}
    )  # fmt: skip
    found = brought(work, 3.0 * load_frac_of(work, units(work), N_GPUS, 3.0), 3.0)
    assert np.allclose(found.deadline_s - found.submit_s - found.run_s, 7200.0)


def test_a_trace_that_comes_after_the_run_is_told() -> None:
    work = workload_of(("a",), {"submit_s": np.array([2.5 * DAY_S]), "run_s": np.array([60.0]), "gpus": 1})
    with pytest.raises(BadInput, match="No job of the trace"):
        in_days(work, 1.0)


def test_copies_are_shifted_apart() -> None:
    for n_copies, days in ((1, 3.0), (2, 21.0), (3, 21.0), (4, 21.0), (30, 21.0), (5, 0.5)):
        found = shifts_s(n_copies, days, TREE)
        assert len(found) == n_copies
        assert found[0] == 0.0
        assert len(set(found)) == n_copies
        assert max(found) < max(1.0, days) * DAY_S + 3600.0
