"""Streamed jobs hold their promises for any request, whatever the length of chunks; the seed alone decides them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.units import DAY_S
from eureka_park.twin.core import stream as stream_of
from eureka_park.twin.core.arrivals import Arrivals, make_workload, tenant_paths
from eureka_park.twin.core.mix import YEAR_MIX, Mix
from eureka_park.twin.core.stream import begin, chunk_of, drawn, streamed_workload
from eureka_park.twin.core.stream_tables import expected_gpu_s, kinds_of, run_tables, tables_of
from eureka_park.twin.core.workload import BATCH, DTYPES, FLEX, NodeShape, Workload

SITE = (NodeShape(2_500, 8, 224_000, 2**21),)
shapes = st.builds(
    NodeShape,
    st.integers(1, 3000),
    st.sampled_from((0, 1, 4, 8)),
    st.sampled_from((500, 8_000, 224_000)),
    st.integers(1024, 2**21),
)
mixes = st.builds(
    replace,
    st.sampled_from((YEAR_MIX, Mix())),
    sweep_jobs=st.sampled_from((1.0, 1.9, 30.0)),
    sweep_gap_s=st.sampled_from((0.0, 2.0, 900.0)),
    part_frac=st.sampled_from((0.0, 0.44)),
)
requests = st.builds(
    Arrivals,
    st.integers(1, 800),
    st.floats(0.05, 60.0),
    st.sampled_from((("a",), tenant_paths(7), tenant_paths())),
    st.tuples(shapes),
    st.one_of(st.none(), st.floats(0.05, 1.5)),
    st.integers(0, 167),
    mixes,
)


def digest(work: Workload) -> str:
    sha = hashlib.sha256()
    for name in DTYPES:
        sha.update(getattr(work, name).tobytes())
    return sha.hexdigest()


@settings(max_examples=120, deadline=None)
@given(requests, st.integers(0, 2**31 - 1))
def test_any_stream_is_whole_and_fits_its_site(what: Arrivals, seed: int) -> None:
    work = streamed_workload(what, SeedTree(seed))
    assert work.n_jobs == what.n_jobs
    assert work.submit_s[-1] <= what.days * DAY_S + 1e-3
    assert work.fitted(what.shapes) is work
    assert (work.time_s >= work.run_s).all()
    assert (work.time_s % 900.0 == 0).all()
    assert np.isinf(work.deadline_s[work.tier != FLEX]).all()
    finite = np.isfinite(work.deadline_s)
    assert (work.deadline_s[finite] >= (work.submit_s + work.time_s)[finite]).all()
    assert not work.checkpoint[work.job_class != BATCH].any()
    assert work.checkpoint[work.n_nodes_min > 0].all()
    chained = work.after >= 0
    assert (work.leaf[chained] == work.leaf[work.after[chained]]).all()
    assert (work.gpu_milli[work.gpus * work.n_nodes != 1] == 1000).all()
    assert (work.image // what.mix.images_per_leaf == work.leaf).all()


@settings(max_examples=25, deadline=None)
@given(requests, st.integers(0, 2**31 - 1), st.lists(st.integers(1, 300), min_size=1, max_size=5))
def test_the_length_of_chunks_changes_nothing(what: Arrivals, seed: int, lengths: list[int]) -> None:
    whole, parts = streamed_workload(what, SeedTree(seed)), []
    stream, chunks = begin(what, SeedTree(seed)), [chunk_of(n) for n in lengths]
    while True:
        chunk = chunks[len(parts) % len(chunks)]
        n = drawn(stream, chunk)
        if n == 0:
            break
        parts.append(chunk[:n].copy())
    rows = np.concatenate(parts)
    assert len(rows) == what.n_jobs
    for name in DTYPES:
        assert np.ascontiguousarray(rows[name]).tobytes() == getattr(whole, name).tobytes(), name


def test_a_seed_makes_the_same_and_another_makes_others() -> None:
    what = Arrivals(20_000, 10.0, tenant_paths(), SITE, 0.8, mix=YEAR_MIX)
    one = make_workload(what, SeedTree(1), stream=True)
    assert digest(one) == digest(streamed_workload(what, SeedTree(1), 777))
    assert digest(one) != digest(streamed_workload(what, SeedTree(2)))


def of_python() -> str:
    """Digests of small streams; also run as a program, where kernels are Python."""
    what = Arrivals(1500, 3.0, tenant_paths(9), SITE, None, mix=YEAR_MIX)
    return " ".join(digest(streamed_workload(what, SeedTree(seed))) for seed in (3, 14))


def test_jobs_are_the_same_as_python_and_as_machine_code() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c",
         "from tests.properties.test_stream import of_python; print(of_python())"],
        cwd=Path(__file__).parents[2], env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == of_python()


@pytest.mark.parametrize("changes", [{"n_jobs": 0}, {"days": 0.0}, {"load_frac": 0.0}, {"leaves": ()}, {"shapes": ()}])
def test_impossible_requests_are_refused(changes: dict[str, Any]) -> None:
    plain: dict[str, Any] = {"n_jobs": 10, "days": 1.0, "leaves": ("a",), "shapes": SITE}
    with pytest.raises(BadInput):
        begin(Arrivals(**{**plain, **changes}), SeedTree(1))


def test_a_stream_holds_no_more_the_longer_it_is() -> None:
    def held(n_jobs: int) -> int:
        stream = begin(Arrivals(n_jobs, 365.0, tenant_paths(1000), SITE, 0.8, mix=YEAR_MIX), SeedTree(1))
        return sum(array.nbytes for array in stream)

    assert held(200_000_000) <= held(3_000_000) + 2**17  # the ring of open sweeps follows the rate
    assert held(200_000_000) < 2**21


@pytest.mark.parametrize("load_frac", [0.3, 0.8, 1.2])
def test_a_rehearsed_stream_offers_what_was_asked_for(load_frac: float) -> None:
    work = streamed_workload(Arrivals(50_000, 10.0, tenant_paths(), SITE, load_frac, mix=YEAR_MIX), SeedTree(1))
    assert float(work.gpu_s.sum()) / (20_000 * 10 * DAY_S) == pytest.approx(load_frac, rel=2e-3)


def test_a_stream_too_long_to_rehearse_offers_it_in_expectation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_of, "REHEARSED_MAX", 0)
    what = Arrivals(1_000_000, 60.0, tenant_paths(), SITE, 0.8, mix=YEAR_MIX)
    work = streamed_workload(what, SeedTree(1))
    assert float(work.gpu_s.sum()) / (20_000 * 60 * DAY_S) == pytest.approx(0.8, rel=0.04)  # a heavy tail
    tables = tables_of(what, SeedTree(1))
    mean_s = expected_gpu_s(what, kinds_of(what).jobs_frac, tables.kinds, run_tables(what.mix), tables.rules.stretch[0])
    assert mean_s * what.n_jobs / (20_000 * 60 * DAY_S) == pytest.approx(0.8, rel=1e-6)


def test_sweeps_have_their_length_and_their_gap() -> None:
    mix = replace(YEAR_MIX, sweep_jobs=4.0, sweep_gap_s=2.0)
    what = Arrivals(4_000, 300.0, tenant_paths(1000), SITE, None, mix=mix)  # so rare that sweeps hardly overlap
    work = streamed_workload(what, SeedTree(4))
    gaps = np.diff(work.submit_s)
    is_next = np.abs(gaps - 2.0) < 1e-6
    assert int(is_next.sum()) == pytest.approx(3000, abs=60)
    alike = np.diff(work.image) == 0
    assert alike[is_next].mean() > 0.97
    assert alike[~is_next].mean() < 0.1
    lengths = np.diff(np.flatnonzero(np.concatenate([[True], ~is_next, [True]])))
    assert lengths.var() == pytest.approx(12.0, rel=0.25)  # geometric of mean 4


def test_work_comes_evenly_inside_an_hour() -> None:
    what = Arrivals(200_000, 1.0, ("a",), SITE, None, mix=replace(YEAR_MIX, sweep_jobs=1.0))
    into = streamed_workload(what, SeedTree(1)).submit_s % 3600.0 / 3600.0
    assert into.mean() == pytest.approx(0.5, abs=0.004)
    assert into.var() == pytest.approx(1 / 12, rel=0.02)
