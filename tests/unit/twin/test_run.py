"""A run composed: the world by site and seed, the report that programs read. The loop itself has its own tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eureka_park.control.policy import Policy
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.policy_tables import Share
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.site_reading import load_site
from eureka_park.twin.core.metrics import flattened
from eureka_park.twin.core.played import Played
from eureka_park.twin.run import TwinRequest, World, hour_of_week, make_world, natural_jobs, node_shapes, run_twin

ISSUE_KEYS = {
    "jobs_finished", "cpu_s", "wall_s", "peak_rss_mib", "n_pauses", "firm_disturbed", "overrun_mwh", "jain_index",
    "digest",
    "cfe_frac", "unserved_mwh", "curtailed_mwh", "checkpoint_loss_frac", "gpu_h_finished_frac", "imbalance_mwh",
    "rho_max",
    *(
        f"{figure}.{tier}.{name}" for figure in ("wait_s", "bounded_slowdown", "turnaround_s")
        for tier in ("firm", "flex", "green") for name in ("mean", "p50", "p95", "p99")
    ),
    *(f"deadline_hit_frac.{tier}" for tier in ("firm", "flex", "green")),
}  # fmt: skip


def small_site(n_nodes: int = 20, **changes: Any) -> Site:
    site = load_site("eureka-park")
    nodes = (site.nodes[0].model_copy(update={"n_nodes": n_nodes}),)
    return site.model_copy(update={"nodes": nodes, **changes})


def at_once(world: World, _policy: Policy, _name: str, _watch: object = None) -> Played:
    """A loop for tests: all work starts when it comes and ends when it is done."""
    work, until_s = world.work, world.days * 86_400.0
    end_s = work.submit_s + work.run_s
    done_s = np.minimum(work.run_s, until_s - work.submit_s)
    ended_s = np.where(end_s <= until_s, end_s, np.nan)
    n_pauses = np.zeros(work.n_jobs, dtype=np.int32)
    return Played(work.submit_s, ended_s, n_pauses, done_s, until_s, 0, 0.0, "none")


def test_a_run_has_the_keys_that_programs_read() -> None:
    parts: list[str] = []
    found = run_twin(small_site(), TwinRequest(500, 2.0), Policy(), parts.append, at_once)
    assert set(flattened(found)) >= ISSUE_KEYS
    assert parts == ["work", "sky", "play", "metrics"]
    assert found["jobs"] == 500
    assert 0 < found["jobs_finished"] <= 500
    assert found["wait_s"]["firm"]["p99"] == 0.0
    assert found["jain_index"] == pytest.approx(1.0, abs=1e-6)
    assert found["n_nodes"] == 20
    assert found["cpu_s"] > 0
    assert found["peak_rss_mib"] > 1


def test_the_world_is_the_seeds() -> None:
    one, two, other = (make_world(small_site(), TwinRequest(300, 1.0, seed)) for seed in (3, 3, 4))
    assert one.work.submit_s.tolist() == two.work.submit_s.tolist()
    assert one.sky.true_clean_kw.tolist() == two.sky.true_clean_kw.tolist()
    assert one.failures.at_s.tolist() == two.failures.at_s.tolist()
    assert one.work.run_s.tolist() != other.work.run_s.tolist()


def test_without_a_number_jobs_are_as_many_as_fill_the_site() -> None:
    assert natural_jobs(node_shapes(small_site(2_500)), 30.0, 0.7) == round(0.7 * 20_000 * 720 / 11.9)
    assert make_world(small_site(10), TwinRequest(days=1.0)).work.n_jobs == round(0.8 * 80 * 24 / 11.9)


def test_tenants_are_the_sites_leaves_where_it_has_several() -> None:
    shares = (Share(path="a", weight=3), Share(path="a/x"), Share(path="a/y"), Share(path="b"))
    world = make_world(small_site(shares=shares), TwinRequest(200, 1.0))
    assert world.work.leaves == ("a/x", "a/y", "b")
    assert [row[:2] for row in world.shares] == [("a", 3.0), ("a/x", 1.0), ("a/y", 1.0), ("b", 1.0)]
    alone = make_world(small_site(), TwinRequest(200, 1.0))
    assert len(alone.work.leaves) == 1000
    assert {row[0] for row in alone.shares} == {*alone.work.leaves, "welcome"}


def test_a_trace_sets_the_length_and_may_be_cut(tmp_path: Path) -> None:
    path = tmp_path / "jobs.csv"
    path.write_text("submit_s,run_s,gpus\n" + "".join(f"{hour * 3600},600,1\n" for hour in range(60)))
    whole = make_world(small_site(), TwinRequest(trace=path))
    assert (whole.work.n_jobs, whole.days) == (60, 3.0)
    assert make_world(small_site(), TwinRequest(trace=path, days=1.0)).work.n_jobs == 24
    assert make_world(small_site(), TwinRequest(7, trace=path)).work.n_jobs == 7
    path.write_text("submit_s,run_s,gpus\n200000,600,1\n")
    with pytest.raises(BadInput, match="No job of the trace"):
        make_world(small_site(), TwinRequest(trace=path, days=1.0))


@pytest.mark.parametrize("request_", [TwinRequest(0), TwinRequest(days=0.0), TwinRequest(days=1000.0)])
def test_what_cannot_be_run_is_refused(request_: TwinRequest) -> None:
    with pytest.raises(BadInput):
        make_world(small_site(), request_)


def test_the_week_begins_on_local_monday() -> None:
    assert hour_of_week("UTC", 1_772_409_600.0) == 0
    assert hour_of_week("Asia/Tokyo", 1_772_409_600.0) == 9
    assert hour_of_week("UTC", 1_772_409_600.0 - 3600) == 167


@pytest.mark.parametrize("name", ["park", "fcfs-easy"])
def test_a_run_says_what_was_possible(name: Any) -> None:
    parts: list[str] = []
    found = run_twin(small_site(), TwinRequest(200, 1.0, policy=name), Policy(lead_s=120.0), parts.append)
    assert parts == ["work", "sky", "play", "metrics", "bound"]
    assert found["cfe_frac"] <= found["cfe_bound_same_salt_frac"] <= found["cfe_bound_frac"] <= 1.0
    assert found["cfe_regret_frac"] == found["cfe_bound_frac"] - found["cfe_frac"]


def test_without_the_bound_its_figures_are_empty() -> None:
    found = run_twin(small_site(), TwinRequest(200, 1.0, bound=False), Policy())
    assert {found[name] for name in ("cfe_bound_frac", "cfe_bound_same_salt_frac", "cfe_regret_frac")} == {None}
    assert "bound" not in found["cpu_s_by_part"]
