"""Runs whose jobs are drawn as they come: the same jobs, decisions and figures as with a table of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eureka_park.control.policy import Policy, Sky
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.site_reading import load_site
from eureka_park.twin.core.arrivals import Arrivals, make_workload, tenant_paths
from eureka_park.twin.core.bound_work import served_of
from eureka_park.twin.core.energy_figures import kw_of_jobs
from eureka_park.twin.core.failures import failures_of
from eureka_park.twin.core.metrics import Park, flattened, report
from eureka_park.twin.core.mix import YEAR_MIX
from eureka_park.twin.core.opening import class_rows, opening_of, site_gpu_types
from eureka_park.twin.core.play import play
from eureka_park.twin.core.sky_series import day_sun_sky
from eureka_park.twin.run import node_shapes, shares_of
from eureka_park.twin.run_streamed import asked_of_stream, first_jobs, play_stream

DAYS, LEAVES = 3.0, tenant_paths(12)
POLICY = Policy(sky=Sky.BINDING, tick_s=300.0, lead_s=300.0)


@pytest.fixture(scope="module")
def site() -> Site:
    site = load_site("eureka-park")
    return site.model_copy(update={"nodes": (site.nodes[0].model_copy(update={"n_nodes": 12}),)})


@pytest.fixture(scope="module")
def both(site: Site) -> tuple[dict[str, Any], Any, Any, Any, Any]:
    """A scarce sky, jobs that fail nodes under them: played from a table, and from a stream."""
    what = Arrivals(1_500, DAYS, LEAVES, node_shapes(site), 0.9, 0, YEAR_MIX)
    tree, shares, kw = SeedTree(5), shares_of(site, LEAVES), 12 * site.nodes[0].rated_kw
    sky, failures = day_sun_sky(kw, DAYS, 0.3 * kw, 0.2 * kw), failures_of(12, DAYS, tree, mtbf_s=5e5)
    work = make_workload(what, tree, stream=True)
    played = play(opening_of(site, work, shares), work, sky, failures, POLICY, 300.0, by_leaf=True)
    classes, types = class_rows(site), site_gpu_types(site)
    park = Park(96.0, 0.0, sky, job_kw=kw_of_jobs(work, classes, types))
    streamed = play_stream(opening_of(site, work, shares), what, tree, sky, failures, POLICY, "park", shares, 96.0)
    figures = report(work, played, shares, park)
    served = served_of(work, played, classes, types, failures, tick_s=300.0)
    return figures, streamed.figures(LEAVES, shares, park), served, streamed.served(classes, failures), streamed


def test_decisions_are_the_same(both: Any) -> None:
    table, stream, *_ = both
    assert stream["digest"] == table["digest"]
    assert stream["n_pauses"] > 0
    assert stream["n_requeued"] > 0


def test_figures_are_the_same(both: Any) -> None:
    """Every one of them: the board rounds ratings, and sums are added in another order."""
    table, stream, *_ = both
    left, right = flattened(table), flattened(stream)
    assert left.keys() == right.keys()
    for name, value in left.items():
        if isinstance(value, float):
            assert right[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name
        else:
            assert right[name] == value, name


def test_a_bound_must_serve_the_same(both: Any) -> None:
    *_, table, stream, _streamed = both
    assert stream.earliest == pytest.approx(table.earliest, rel=1e-7, abs=1e-6)
    assert stream.latest == pytest.approx(table.latest, rel=1e-7, abs=1e-6)
    assert stream.gpus_kw == pytest.approx(table.gpus_kw)
    assert stream.base_kwh.tolist() == table.base_kwh.tolist()
    assert (stream.it_kwh, stream.clean_kwh) == (table.it_kwh, table.clean_kwh)


def test_a_sample_is_in_the_order_of_its_jobs(both: Any) -> None:
    streamed = both[-1]
    sample = streamed.sample(LEAVES)
    assert len(sample["leaf"]) == 1_500
    assert (np.diff(sample["submit_s"]) >= 0).all()
    started = np.isfinite(sample["first_start_s"])
    assert (sample["first_start_s"][started] >= sample["submit_s"][started]).all()


def test_a_small_chunk_is_refilled_and_made_larger(site: Site, both: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from eureka_park.twin import run_streamed
    from eureka_park.twin.core.sources import StreamedWork

    monkeypatch.setattr(run_streamed, "StreamedWork", lambda *told: StreamedWork(*told, 7))
    what = Arrivals(1_500, DAYS, LEAVES, node_shapes(site), 0.9, 0, YEAR_MIX)
    tree, shares, kw = SeedTree(5), shares_of(site, LEAVES), 12 * site.nodes[0].rated_kw
    sky, failures = day_sun_sky(kw, DAYS, 0.3 * kw, 0.2 * kw), failures_of(12, DAYS, tree, mtbf_s=5e5)
    opening = opening_of(site, first_jobs(what, tree, 10), shares)
    again = play_stream(opening, what, tree, sky, failures, POLICY, "park", shares, 96.0, bounds=False)
    assert again.played.digest == both[0]["digest"]


def test_what_is_asked_follows_the_load(site: Site) -> None:
    what = Arrivals(5_000, 30.0, LEAVES, node_shapes(site), 0.5, 0, YEAR_MIX)
    asked = asked_of_stream(site, first_jobs(what, SeedTree(1)), what, 96.0)
    assert asked.held_frac == 0.5
    gpu_h = 0.5 * 96.0 * 30.0 * 24.0
    assert 0.1 < asked.it_kwh / gpu_h < 1.0
