"""Faults: words and TOML become one plan, wrong words name their fix, draws depend on the seed alone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.units import DAY_S, HOUR_S
from eureka_park.twin.core.faults import (
    NETWORK_MTBF_S,
    Faults,
    Outage,
    drawn,
    failures_under,
    faults_of,
    faults_of_toml,
    merged,
    ranges_of,
)

RANGES = ranges_of([(20, 8, 2), (5, 4, 16)])
PLANTS = ("noor-i", "koudia")


def outages(*rows: tuple[str, float, float]) -> tuple[Outage, ...]:
    return merged(Outage(at_h * HOUR_S, back_h * HOUR_S, what) for what, at_h, back_h in rows)


def test_words_become_faults() -> None:
    found = faults_of("nodes=x2, plant:koudia@5d+6h,grid@10d+2h network:rack-1@0+1h30m")
    assert (found.nodes, found.network, found.plants, found.grid) == (2.0, 0.0, 0.0, 0.0)
    assert found.outages == outages(
        ("network:rack-1", 0.0, 1.5), ("plant:koudia", 120.0, 126.0), ("grid", 240.0, 242.0)
    )
    assert found.of_supply == found.outages[1:]
    assert found.trips_s == tuple(HOUR_S * hour for hour in (120.0, 126.0, 240.0, 242.0))
    assert faults_of("usual") == Faults(1.0, 1.0, 1.0, 1.0)
    assert faults_of("usual nodes=off grid=0.5") == Faults(0.0, 1.0, 1.0, 0.5)
    assert faults_of("") == Faults()


def test_toml_says_the_same() -> None:
    text = 'nodes = 2\nplants = "off"\n[[outages]]\nwhat = "grid"\nat = "10d"\nlasts = "2h"\n'
    assert faults_of_toml(text, "f.toml") == faults_of("nodes=x2 plants=off grid@10d+2h")


@pytest.mark.parametrize(
    ("text", "says", "fix"),
    [
        ("storm", "'storm' names no fault.", "nodes=off"),
        ("disks=x2", "'disks' is nothing that fails at a rate.", "nodes, network, plants, grid"),
        ("nodes=often", "nodes=often is no rate.", "nodes=x2"),
        ("nodes=-1", "nodes=-1 is no rate.", "nodes=off"),
        ("nodes=x1001", "nodes=x1001 is no rate.", "up to x1000"),
        ("grid@10d", "'grid@10d' does not say for how long.", "grid@5d+6h"),
        ("grid@soon+2h", "'grid@soon+2h': 'soon' is not a duration.", "90s"),
        ("grid@1d+0h", "'grid@1d+0h' lasts no time.", "grid@1d+6h"),
        ("sun@1d+1h", "'sun' is nothing that can stand still.", "plant:ID"),
        ("plant:@1d+1h", "'plant:' is nothing that can stand still.", "plant:ID"),
        ("network:row-1@1d+1h", "'network:row-1' is nothing that can stand still.", "network:rack-3"),
    ],
)
def test_a_wrong_word_names_its_fix(text: str, says: str, fix: str) -> None:
    with pytest.raises(BadInput) as caught:
        faults_of(text)
    assert says in caught.value.message
    assert fix in caught.value.fix
    assert caught.value.field == "faults"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nodes = ", "f.toml is no TOML"),
        ("outages = 3", "f.toml: outages is no list"),
        ('[[outages]]\nwhat = "grid"\nat = "1d"', "f.toml: an outage lacks 'lasts'"),
        ('[[outages]]\nwhat = "grid"\nat = "1d"\nlasts = "1h"\nwhy = "x"', "f.toml: an outage has 'why'"),
        ("disks = 2", "f.toml: 'disks' is nothing that fails"),
    ],
)
def test_wrong_toml_is_told_with_the_files_name(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        faults_of_toml(text, "f.toml")


@given(st.lists(st.tuples(st.sampled_from(("grid", "plant:a")), st.integers(0, 50), st.integers(1, 20)), max_size=12))
def test_merged_outages_never_touch_and_cover_the_same_hours(rows: list[tuple[str, int, int]]) -> None:
    found = merged(Outage(at * HOUR_S, (at + lasts) * HOUR_S, what) for what, at, lasts in rows)
    for what in ("grid", "plant:a"):
        mine = [outage for outage in found if outage.what == what]
        assert all(one.back_s < two.at_s for one, two in itertools.pairwise(mine))
        out = {hour for name, at, lasts in rows if name == what for hour in range(at, at + lasts)}
        running = Faults(outages=found).running_frac(what, 80)
        assert running.tolist() == [0.0 if hour in out else 1.0 for hour in range(80)]
    assert list(found) == sorted(found)


def test_a_part_of_an_hour_is_a_part() -> None:
    faults = faults_of("grid@1h30m+45m")
    assert faults.running_frac("grid", 4).tolist() == [1.0, 0.5, 0.75, 1.0]
    assert faults.running_frac("plant:koudia", 4).tolist() == [1.0] * 4


def test_nothing_is_known_before_it_happens() -> None:
    faults = faults_of("grid@1d+2h plant:koudia@2d+2h")
    assert faults.known_at(DAY_S - 1.0).outages == ()
    assert [outage.what for outage in faults.known_at(DAY_S).outages] == ["grid"]
    assert faults.known_at(3 * DAY_S) == faults


@pytest.mark.parametrize(
    ("text", "says", "fix"),
    [
        ("plant:sun@1d+1h", "There is no plant 'sun'.", "noor-i, koudia"),
        ("network:rack-5@1d+1h", "There is no rack-5.", "rack-0 to rack-4"),
        ("network:pod-3@1d+1h", "There is no pod-3.", "pod-0 to pod-2"),
        ("grid@10d+1h", "grid stands still only after the run, which takes 10 days.", "Run for longer."),
        ("plants=x1000 grid=x1000", "The faults come to more than 10,000 outages.", "Lower the rates"),
    ],
)
def test_what_the_site_has_not_is_told(text: str, says: str, fix: str) -> None:
    days = 10.0 if "10d" in text or "@" in text else 366.0
    with pytest.raises(BadInput) as caught:
        drawn(faults_of(text), PLANTS, RANGES, days, SeedTree(1))
    assert says in caught.value.message
    assert fix in caught.value.fix


def test_trips_come_as_often_as_they_are_asked() -> None:
    found = drawn(faults_of("plants=x100 grid=x100 network=x10"), PLANTS, RANGES, 365.0, SeedTree(3))
    n = {what: sum(outage.what.startswith(what) for outage in found.outages) for what in ("plant", "grid", "network")}
    expected_network = 10 * 25 * 365 * DAY_S / NETWORK_MTBF_S
    for name, expected in (("plant", 800.0), ("grid", 200.0), ("network", expected_network)):
        assert 0.7 * expected - 4.0 * np.sqrt(expected) <= n[name] <= expected + 4.0 * np.sqrt(expected)
    assert (found.plants, found.grid, found.network) == (0.0, 0.0, 0.0)
    again = drawn(faults_of("plants=x100 grid=x100 network=x10"), PLANTS, RANGES, 365.0, SeedTree(3))
    assert again == found
    fewer = drawn(faults_of("grid=x100"), PLANTS, RANGES, 365.0, SeedTree(3))
    assert fewer.outages == tuple(outage for outage in found.outages if outage.what == "grid")


def test_racks_and_pods_are_those_of_the_board() -> None:
    assert RANGES.racks == ((0, 8), (8, 8), (16, 4), (20, 4), (24, 1))
    assert RANGES.pods == ((0, 16), (16, 4), (20, 5))
    assert RANGES.n_nodes == 25


def test_a_cut_takes_all_machines_of_its_part() -> None:
    faults = drawn(faults_of("nodes=off network:pod-1@1d+2h network:rack-3@1d+1h"), PLANTS, RANGES, 3.0, SeedTree(1))
    found = failures_under(faults, RANGES, 3.0, SeedTree(1))
    assert sorted(found.node.tolist()) == list(range(16, 24))
    assert set(found.at_s.tolist()) == {float(DAY_S)}
    assert dict(zip(found.node.tolist(), ((found.up_again_s - DAY_S) / HOUR_S).tolist(), strict=True)) == {
        **dict.fromkeys(range(16, 20), 2.0), **dict.fromkeys(range(20, 24), 1.0)
    }  # fmt: skip


def test_a_machine_that_is_down_never_falls_out_again() -> None:
    faults = drawn(faults_of("nodes=x1000 network=x100"), PLANTS, RANGES, 60.0, SeedTree(2))
    found = failures_under(faults, RANGES, 60.0, SeedTree(2))
    assert found.n_failures > 1000
    assert (np.diff(found.at_s) >= 0).all()
    for node in range(RANGES.n_nodes):
        rows = found.node == node
        assert (found.at_s[rows][1:] > found.up_again_s[rows][:-1]).all()


def test_off_is_off() -> None:
    assert failures_under(faults_of("nodes=off"), RANGES, 60.0, SeedTree(2)).n_failures == 0
