"""Jobs that wait in the yard: a run decides, and tells, what it would if all of them had slots."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from eureka_park.compute.core.board import NONE
from eureka_park.compute.core.yard import BLOCK
from eureka_park.control.policy import Policy, Sky
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.site_reading import load_site
from eureka_park.twin.core import play as played_by
from eureka_park.twin.core.arrivals import Arrivals, tenant_paths
from eureka_park.twin.core.failures import failures_of
from eureka_park.twin.core.metrics import Park, flattened
from eureka_park.twin.core.mix import YEAR_MIX
from eureka_park.twin.core.opening import class_rows, opening_of
from eureka_park.twin.core.sky_series import day_sun_sky
from eureka_park.twin.core.world import play_on
from eureka_park.twin.run import node_shapes, shares_of
from eureka_park.twin.run_streamed import first_jobs, play_stream

N_NODES, DAYS, LEAVES, SEED = 12, 3.0, tenant_paths(5), 3
MIX = replace(YEAR_MIX, after_frac=0.2, tier_frac=(0.1, 0.3, 0.6))  # much green work, many jobs after others
POLICY = Policy(sky=Sky.BINDING, tick_s=300.0, lead_s=300.0)


@pytest.fixture(scope="module")
def site() -> Site:
    site = load_site("eureka-park")
    return site.model_copy(update={"nodes": (site.nodes[0].model_copy(update={"n_nodes": N_NODES}),)})


def figures(site: Site, deep: int, name: str = "park") -> tuple[dict[str, Any], Any, dict[str, Any]]:
    """Figures, what a bound must serve and a sample of a run under a sky that gives a third of what is asked for."""
    what, tree, shares = (
        Arrivals(3_000, DAYS, LEAVES, node_shapes(site), 0.9, 0, MIX),
        SeedTree(SEED),
        shares_of(site, LEAVES),
    )
    kw = N_NODES * site.nodes[0].rated_kw
    sky, failures = day_sun_sky(0.3 * kw, DAYS, 0.1 * kw, 0.05 * kw), failures_of(N_NODES, DAYS, tree, mtbf_s=5e5)
    opening = opening_of(site, first_jobs(what, tree, 10), shares)
    streamed = play_stream(opening, what, tree, sky, failures, POLICY, name, shares, 96.0, deep=deep)
    found = streamed.figures(LEAVES, shares, Park(96.0, 0.0, sky))
    return flattened(found), streamed.served(class_rows(site), failures), streamed.sample(LEAVES)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The most jobs in the yard, and runs that they were of, when it was looked at; it is checked each time."""
    most = {"yard": 0, "deep": 0}

    def watched(board: Any, world: Any) -> int:
        status = play_on(board, world)
        g = board.g
        if g.n_yard[0] > most["yard"]:
            most["yard"], most["deep"] = int(g.n_yard[0]), int(g.n_deep[0])
        assert (board.yard.slot == NONE).sum() == g.n_yard[0] == board.runs.n_beyond.sum()
        assert board.g.left_yard[0] == NONE
        assert g.n_yard_free[0] <= len(board.yard_next) - -(-g.n_yard[0] // BLOCK)
        return int(status)

    monkeypatch.setattr(played_by, "play_on", watched)
    monkeypatch.setattr(played_by, "SLOTS", 1_024)  # so that little is written down before Python looks
    monkeypatch.setattr(played_by, "LOG_ROWS", 1_024)
    return most


@pytest.mark.parametrize("name", ["park", "hard-cut"])
def test_a_run_with_a_yard_is_the_run_without(site: Site, seen: dict[str, int], name: str) -> None:
    with_slots, must, shown = figures(site, 0, name)
    assert seen["yard"] == 0
    in_yard, must_too, shown_too = figures(site, 2, name)
    assert seen["yard"] > 300
    assert seen["deep"] > (0 if name == "hard-cut" else 2)
    assert in_yard.keys() == with_slots.keys()
    for figure, value in with_slots.items():  # sums are made in another order of those who wait at the end
        is_equal = in_yard[figure] == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value)
        assert is_equal, figure
    assert must_too.earliest == pytest.approx(must.earliest, rel=1e-12, abs=1e-9)
    assert must_too.latest == pytest.approx(must.latest, rel=1e-12, abs=1e-9)
    assert shown_too.keys() == shown.keys()
    assert all(np.array_equal(shown_too[column], shown[column], equal_nan=column in NUMBERS) for column in shown)


NUMBERS = frozenset({"submit_s", "first_start_s", "end_s", "run_s", "deadline_s"})


def test_who_cannot_use_a_yard_has_none(site: Site, seen: dict[str, int]) -> None:
    """Under a policy that gives all work a deadline."""
    assert figures(site, 2, "wait-awhile")[0]["digest"]
    assert seen["yard"] == 0
