"""Runs side by side: what is best, what does not compare, and means over seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eureka_park.foundation.errors import BadInput
from eureka_park.twin.comparison import FIGURES, compared, read_folders
from eureka_park.twin.run import TwinRequest
from eureka_park.twin.run_files import write_run
from eureka_park.twin.run_record import RunRecord

REQUEST = TwinRequest(days=7.0).to_json()


def run(policy: str, cfe_frac: float, seed: int = 1, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    figures = {
        "policy": policy, "seed": seed, "site": "s", "days": 7.0, "n_nodes": 10, "trace": None, "is_whole": True,
        "jobs": 100 + seed, "gpu_h": 5000.0 + seed, "gpu_h_finished_frac": 0.99, "cfe_frac": cfe_frac,
        "cfe_bound_frac": 0.95, "cfe_regret_frac": 0.95 - cfe_frac, "firm_disturbed": 0,
        "wait_s": {"flex": {"mean": 100.0 * cfe_frac}},
    }  # fmt: skip
    request = {**REQUEST, "policy": policy, "seed": seed}
    asked = {name: more.pop(name) for name in list(more) if name in request and name not in figures}
    return figures | more, request | asked


def row(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in found["figures"] if one["name"] == name)


def test_the_best_of_each_figure_is_marked() -> None:
    found = compared([run("park", 0.9), run("fcfs-easy", 0.8), run("hard-cut", 0.85)])
    assert found["is_comparable"] and found["differ"] == []
    assert [column["name"] for column in found["columns"]] == ["park", "fcfs-easy", "hard-cut"]
    assert row(found, "cfe_frac")["best"] == [0], "more is better"
    assert row(found, "wait_s.flex.mean")["best"] == [1], "less is better"
    assert row(found, "cfe_bound_frac")["best"] == [], "neither is better"
    assert row(found, "firm_disturbed")["best"] == [], "all the same"
    assert [value["mean"] for value in row(found, "cfe_regret_frac")["values"]] == pytest.approx([0.05, 0.15, 0.1])
    assert "jain_index" not in [one["name"] for one in found["figures"]], "what nobody has is left out"


def test_seeds_become_means_with_their_range() -> None:
    found = compared(
        [run(name, cfe + seed / 100, seed) for name, cfe in (("park", 0.9), ("x", 0.8)) for seed in (1, 2, 3)]
    )
    assert found["is_comparable"]
    assert [(column["n_runs"], column["seeds"]) for column in found["columns"]] == [(3, [1, 2, 3])] * 2
    assert row(found, "cfe_frac")["values"][0] == pytest.approx({"mean": 0.92, "min": 0.91, "max": 0.93})


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ({"seed": 2}, "seed"), ({"site": "t"}, "site"), ({"days": 6.0}, "days"), ({"jobs": 99}, "work"),
        ({"gpu_h": 1.0}, "work"), ({"load_frac": 0.5}, "load_frac"), ({"scenario": "noor-iii-out"}, "scenario"),
        ({"n_nodes": 11}, "n_nodes"), ({"weather": {"here": "dull.csv"}}, "weather"),
        ({"is_whole": False, "days_played": 3.0}, "days_played"),
    ],
)  # fmt: skip
def test_runs_of_other_worlds_are_shown_and_nothing_is_called_best(other: dict[str, Any], name: str) -> None:
    found = compared([run("park", 0.9), run("fcfs-easy", 0.8, **other)])
    assert not found["is_comparable"]
    assert name in [one["name"] for one in found["differ"]]
    assert not any(one["best"] for one in found["figures"])


def test_one_policy_twice_is_named_by_what_differs() -> None:
    found = compared([run("park", 0.9, load_frac=0.5), run("park", 0.8, load_frac=0.8)])
    assert [column["name"] for column in found["columns"]] == ["park, load_frac 0.5", "park, load_frac 0.8"]
    same = compared([run("park", 0.9), run("park", 0.9)])
    assert same["is_comparable"] and [column["name"] for column in same["columns"]] == ["park", "park (2)"]


def test_the_regret_of_who_finished_less_does_not_count() -> None:
    found = compared([run("park", 0.8), run("lazy", 0.94, gpu_h_finished_frac=0.9)])
    regret = row(found, "cfe_regret_frac")
    assert (regret["counts"], regret["best"]) == ([True, False], [])
    close = compared([run("park", 0.8), run("other", 0.94, gpu_h_finished_frac=0.986)])
    assert row(close, "cfe_regret_frac")["best"] == [1]


def test_one_run_alone_is_refused() -> None:
    with pytest.raises(BadInput, match="only one run"):
        compared([run("park", 0.9)])


def test_seeds_of_one_policy_stand_side_by_side() -> None:
    found = compared([run("park", 0.9, 1), run("park", 0.8, 2)])
    assert [column["name"] for column in found["columns"]] == ["park, seed 1", "park, seed 2"]
    assert [one["name"] for one in found["differ"]] == ["seed"]


def test_every_figure_has_words() -> None:
    from eureka_park.cli.twin_figures import LABELS, UNITS

    assert {one.name for one in FIGURES} == set(LABELS)
    assert {one.unit for one in FIGURES} - {"frac", "s"} <= set(UNITS)


def test_folders_are_of_a_run_or_of_a_sweep(tmp_path: Path) -> None:
    for name, policy in (("one", "park"), ("sweep/runs/two", "fcfs-easy"), ("sweep/runs/old", "hard-cut")):
        figures, request = run(policy, 0.9)
        write_run(tmp_path / name, RunRecord(figures, request=request))
    (tmp_path / "sweep/runs.json").write_text('[{"run": "two", "state": "finished"}, {"run": "x", "state": "failed"}]')
    found = read_folders([tmp_path / "one", tmp_path / "sweep"])
    assert [figures["policy"] for figures, _request in found] == ["park", "fcfs-easy"], "a sweep as it was asked last"
    with pytest.raises(BadInput, match="There is no folder"):
        read_folders([tmp_path / "none"])
