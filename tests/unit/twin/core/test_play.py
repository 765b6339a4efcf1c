"""The loop of the twin: what it makes room for."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_park.compute.core.board_setup import ClassRow
from eureka_park.control.policy import Policy, Sky
from eureka_park.twin.core import play as loop
from eureka_park.twin.core.failures import no_failures
from eureka_park.twin.core.opening import opening_on
from eureka_park.twin.core.sky_series import flat_sky, known_sky
from eureka_park.twin.core.workload import workload_of


def test_many_that_wait_for_one_job_are_let_in_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 200
    row = np.arange(n)
    columns = {"submit_s": 20.0 * row, "run_s": np.where(row == 0, 5000.0, 600.0), "after": np.where(row == 0, -1, 0)}
    work, found = workload_of(("a/b",), columns), []
    for n_slots in (64, 1024):
        monkeypatch.setattr(loop, "SLOTS", n_slots)
        kind = ClassRow(2, 64_000, 1 << 19, 0, 0, 10.0, 2.0)
        opening = opening_on((kind,), ("",), work, [("a/b", 1.0, 0.0)], n_slots=n_slots)
        played = loop.play(opening, work, flat_sky(40.0, 1.0), no_failures(), Policy(), 60.0, tail_h=10.0)
        assert np.isfinite(played.end_s).all()
        found.append(played.digest)
    assert found[0] == found[1]


def test_a_gang_that_may_begin_on_fewer_nodes_runs_where_there_are_not_all() -> None:
    columns = {"submit_s": [0.0], "run_s": [600.0], "n_nodes": [4], "n_nodes_min": [2], "checkpoint": [True]}
    work = workload_of(("a/b",), columns)
    opening = opening_on((ClassRow(2, 64_000, 1 << 19, 0, 0, 10.0, 2.0),), ("",), work, [("a/b", 1.0, 0.0)])
    played = loop.play(opening, work, flat_sky(40.0, 0.5), no_failures(), Policy(), 60.0, tail_h=5.0)
    assert np.isfinite(played.end_s).all()


@pytest.mark.parametrize(("can_resize", "n_pauses", "n_actions"), [(True, 0, 2), (False, 1, 3)])
def test_a_gang_gives_up_nodes_where_engines_can_take_them_else_it_stops_and_begins_on_fewer(
    can_resize: bool, n_pauses: int, n_actions: int
) -> None:
    """Two hours' work of four nodes; from the second hour on there is power for two: an hour, and twice as long."""
    columns = {"submit_s": [0.0], "run_s": [7200.0], "time_s": [7300.0], "n_nodes": [4], "n_nodes_min": [2],
               "checkpoint": [True], "mcpu": [64_000]}  # fmt: skip
    work = workload_of(("a/b",), columns)
    opening = opening_on((ClassRow(4, 64_000, 1 << 19, 0, 0, 10.0, 2.0),), ("",), work, [("a/b", 1.0, 0.0)])
    clean_kw = np.where(np.arange(100) < 1, 40.0, 25.0)
    policy = Policy(sky=Sky.BINDING, can_cap=False, can_resize=can_resize, min_run_s=0.0, margin_frac=0.0)
    played = loop.play(opening, work, known_sky(clean_kw, 0.0), no_failures(), policy, 60.0, learns=False, tail_h=12.0)
    assert (played.n_pauses.tolist(), played.totals["n_actions"]) == ([n_pauses], n_actions)
    assert played.end_s[0] / 3600.0 == pytest.approx(3.04, abs=0.02)


@pytest.mark.parametrize(("can_resize", "n_actions", "ends_h"), [(True, 3, 3.0), (False, 3, 4.05)])
def test_a_gang_takes_nodes_again_when_there_is_power(can_resize: bool, n_actions: int, ends_h: float) -> None:
    """Two and a half hours' work of four nodes; in the second hour there is power for two. Others go on with two."""
    columns = {"submit_s": [0.0], "run_s": [9000.0], "time_s": [9300.0], "n_nodes": [4], "n_nodes_min": [2],
               "checkpoint": [True], "mcpu": [64_000]}  # fmt: skip
    work = workload_of(("a/b",), columns)
    opening = opening_on((ClassRow(4, 64_000, 1 << 19, 0, 0, 10.0, 2.0),), ("",), work, [("a/b", 1.0, 0.0)])
    clean_kw = np.where(np.arange(100) == 1, 25.0, 50.0)
    policy = Policy(sky=Sky.BINDING, can_cap=False, can_resize=can_resize, min_run_s=0.0, margin_frac=0.0)
    played = loop.play(opening, work, known_sky(clean_kw, 0.0), no_failures(), policy, 60.0, learns=False, tail_h=12.0)
    assert played.totals["n_actions"] == n_actions
    assert played.end_s[0] / 3600.0 == pytest.approx(ends_h, abs=0.05)
