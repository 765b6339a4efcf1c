"""Runs under other policies: each by its own rule on a sky that plans know, and the same by the seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eureka_park.compute.core.board_setup import ClassRow
from eureka_park.control.policy import Policy, Sky
from eureka_park.foundation.seeds import SeedTree
from eureka_park.twin.core.arrivals import Arrivals, make_workload
from eureka_park.twin.core.baselines import CODES
from eureka_park.twin.core.failures import failures_of, no_failures
from eureka_park.twin.core.opening import opening_on
from eureka_park.twin.core.play import play
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.sky_series import day_sun_sky, known_sky
from eureka_park.twin.core.workload import NodeShape, workload_of

HOUR_S = 3600.0
NODE = ClassRow(4, 64_000, 1 << 19, 8, 0, 10.0, 2.0, 1.0)  # 8 kW idle, at most 40; GPUs draw 1 kW each
DAY = np.arange(5 * 24) % 24


def run_of(name: str, clean_kw: Any, columns: dict[str, Any], grid_kw: float = 100.0) -> Played:
    """Play jobs of a node each, whose power is known; clean power by hour, which plans know."""
    work = workload_of(("a/b", "a/c"), {"gpus": 8, "mcpu": 1000, **columns})
    opening = opening_on((NODE,), ("any",), work, [(leaf, 1.0, 0.0) for leaf in work.leaves])
    policy = Policy(sky=Sky.BINDING, margin_frac=0.0)
    sky = known_sky(np.asarray(clean_kw, dtype=np.float64), grid_kw)
    return play(opening, work, sky, no_failures(), policy, 60.0, name, learns=False, tail_h=40.0)


def starts_h(played: Played) -> list[float]:
    return [round(float(at_s) / HOUR_S, 1) for at_s in played.first_start_s]


@pytest.fixture(scope="module")
def drawn() -> dict[str, list[Played]]:
    """Two runs of 300 jobs in two days for each policy."""
    work = make_workload(Arrivals(300, 2.0, ("a/b", "a/c"), (NodeShape(4, 8, 64_000, 1 << 19),), 0.7), SeedTree(2))
    found: dict[str, list[Played]] = {}
    for name in CODES:
        for _ in range(2):
            opening = opening_on((NODE,), ("any",), work, [(leaf, 1.0, 0.0) for leaf in work.leaves])
            sky, failures = day_sun_sky(45.0, 2.0, 4.0, 60.0), failures_of(4, 2.0, SeedTree(2), mtbf_s=4 * 86_400.0)
            policy = Policy(sky=Sky.BINDING, lead_s=120.0)
            found.setdefault(name, []).append(play(opening, work, sky, failures, policy, 60.0, name))
    return found


def test_a_run_under_each_policy_is_the_seeds_and_its_own(drawn: dict[str, list[Played]]) -> None:
    assert all(one.digest == two.digest for one, two in drawn.values())
    assert len({one.digest for one, _two in drawn.values()}) == len(CODES)
    for one, two in drawn.values():
        assert np.array_equal(one.end_s, two.end_s, equal_nan=True)
        assert np.isfinite(one.end_s).mean() > 0.9
    assert {name for name, (one, _two) in drawn.items() if one.totals["n_caps"]} == {"park"}


def test_nothing_gives_way_where_power_is_not_looked_at(drawn: dict[str, list[Played]]) -> None:
    for name in ("fcfs-easy", "lowest-window"):
        assert drawn[name][0].n_pauses.sum() == 0
    assert {name for name, (one, _two) in drawn.items() if one.firm_disturbed} == {"hard-cut"}


def test_blind_to_power_all_start_at_once_and_what_nobody_gave_is_told() -> None:
    played = run_of("fcfs-easy", np.zeros(120), {"submit_s": [0.0] * 4, "run_s": 7200.0, "tier": [0, 1, 2, 2]}, 8.0)
    assert starts_h(played) == [0.0] * 4
    assert played.overrun_mwh == pytest.approx(2.0 * 32.0 / 1000.0, rel=0.05)  # all above idle


def test_a_hard_cut_stops_the_newest_start_whatever_its_tier() -> None:
    """Power for four nodes, from the second hour on for two, from the fourth hour on for four."""
    clean_kw = np.where((DAY >= 1) & (DAY < 3), 25.0, 45.0)  # two jobs, and two idle nodes
    columns = {"submit_s": [0.0, 300.0, 600.0, 900.0], "run_s": np.array([4.0, 4.0, 1.5, 1.5]) * HOUR_S,
               "time_s": 5 * HOUR_S, "tier": [2, 1, 0, 0], "checkpoint": [True, True, True, False]}  # fmt: skip
    played = run_of("hard-cut", clean_kw, columns)
    assert starts_h(played) == [0.0, 0.1, 0.2, 0.2]
    assert played.n_pauses.tolist() == [0, 0, 1, 1]
    assert played.firm_disturbed == 2
    assert [round(at_s / HOUR_S, 1) for at_s in played.end_s] == [4.0, 4.1, 3.7, 3.8]
    assert played.counted is not None
    held_h = played.counted.held_gpu_s / 8.0 / HOUR_S
    firm_kwh = 10.0 * (held_h[2] + held_h[3]) - 2.0 * 8.0  # the one without a checkpoint stood still for two hours
    assert played.tier_kwh == pytest.approx([firm_kwh, 10.0 * held_h[1], 10.0 * held_h[0]], 1e-3)


SUNNY = np.where((DAY >= 10) & (DAY < 16), 40.0, 4.0)


def test_who_waits_awhile_starts_in_low_hours_or_when_it_must() -> None:
    columns = {"submit_s": [100.0] * 4, "run_s": HOUR_S, "tier": [0, 1, 1, 2],
               "deadline_s": [np.inf, 6 * HOUR_S, 20 * HOUR_S, np.inf]}  # fmt: skip
    assert starts_h(run_of("wait-awhile", SUNNY, columns)) == [0.0, 5.0, 10.0, 10.0]
    dark = starts_h(run_of("wait-awhile", np.where(DAY < 1, 9.0, np.where(DAY < 12, 8.0, 10.0)), columns))
    assert dark[:2] == [0.0, 5.0]


def test_who_has_a_checkpoint_waits_in_the_middle_too() -> None:
    columns = {"submit_s": [100.0] * 3, "run_s": 9 * HOUR_S, "tier": [0, 2, 2], "checkpoint": [True, True, False]}
    played = run_of("wait-awhile", SUNNY, columns)
    assert played.n_pauses.tolist() == [0, 1, 0]
    ends_h = [round(at_s / HOUR_S, 1) for at_s in played.end_s]
    assert (ends_h[0], ends_h[2]) == (9.0, 19.0)
    assert 24.0 < ends_h[1] <= 34.0  # at its latest start it goes on, whatever the hour


def test_a_window_is_chosen_once_within_what_the_deadline_leaves() -> None:
    clean_kw = 4.0 + 6.0 * (DAY == 3) + 8.0 * ((DAY >= 7) & (DAY < 9)) + 12.0 * (DAY == 20)
    columns = {"submit_s": [0.0] * 5, "run_s": [1800.0, 1800.0, 1800.0, 1800.0, 2 * HOUR_S],
               "time_s": [HOUR_S, HOUR_S, HOUR_S, HOUR_S, 2 * HOUR_S], "tier": [0, 1, 1, 2, 2],
               "deadline_s": [np.inf, 5 * HOUR_S, 10 * HOUR_S, np.inf, np.inf]}  # fmt: skip
    played = run_of("lowest-window", clean_kw, columns)
    assert starts_h(played) == [0.0, 3.0, 7.0, 20.0, 7.0]


def test_by_latest_start_on_own_power_and_on_any_when_it_has_come() -> None:
    """Power for one more node, in the day; who is due first goes first, though it came last."""
    clean_kw = np.where((DAY >= 10) & (DAY < 16), 18.0, 4.0)
    columns = {"submit_s": [0.0, 60.0, 120.0, 180.0], "run_s": 2 * HOUR_S, "time_s": 2 * HOUR_S, "tier": [2, 1, 1, 0],
               "deadline_s": [np.inf, 22 * HOUR_S, 14 * HOUR_S, np.inf]}  # fmt: skip
    assert starts_h(run_of("edf-surplus", clean_kw, columns)) == [14.0, 12.0, 10.0, 0.1]
    dark = run_of("edf-surplus", np.full(120, 4.0), columns)
    assert starts_h(dark) == [24.0, 20.0, 12.0, 0.1]
    assert dark.overrun_mwh == 0.0
