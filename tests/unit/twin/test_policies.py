"""Policies side by side, docs/results/policies.py: the page tells its rows, and no bound is below what was done."""

from __future__ import annotations

import importlib.util
import json
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tests.helpers.shared_data import PAI, PHILLY

from eureka_park.twin.core.played import Played
from eureka_park.twin.core.workload import workload_of

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "results"
TRACES = {"philly": PHILLY, "pai": PAI}


@cache
def maker(name: str = "policies") -> ModuleType:
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its records look their module up
    spec.loader.exec_module(module)
    return module


@cache
def rows() -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = json.loads((FOLDER / "policies.json").read_text("utf-8"))["rows"]
    return sorted(kept, key=maker()._place)


def test_there_is_a_row_for_each_policy_in_each_world() -> None:
    asked = {(trace, seed, name) for trace in TRACES for seed in maker().SEEDS for name in maker().POLICIES}
    assert {(row["trace"], row["seed"], row["policy"]) for row in rows()} == asked
    assert maker().missing(rows()) == []


def test_the_page_is_made_of_its_rows() -> None:
    assert (FOLDER / "policies.md").read_text("utf-8") == maker().page(rows()), "run: docs/results/policies.py"


def test_no_policy_is_cleaner_than_its_bound_and_the_park_keeps_its_promises() -> None:
    for row in rows():
        assert row["cfe_frac"] <= row["cfe_bound_frac"] + 1e-9, row["policy"]
        assert row["demand_of_supply"] == pytest.approx(0.8, abs=0.01)
        assert row["load_frac"] == pytest.approx(0.8, abs=0.02)
        if row["policy"] == "park":
            assert row["firm_disturbed"] == 0
            assert row["overrun_mwh"] == 0.0
            assert maker().counts(row)


def test_a_regret_is_in_brackets_where_work_is_left_undone() -> None:
    row = dict(rows()[0], gpu_h_finished_frac=0.99, gpu_h_finished_without_frac=1.0)
    assert not maker().counts(row)
    assert "| (" in maker().table([row])
    assert "| (" not in maker().table([dict(row, gpu_h_finished_frac=0.996)])


def test_wins_name_who_does_better_and_where() -> None:
    world = [dict(rows()[0], policy=name, delay_h=hours) for name, hours in (("park", 1.0), ("fcfs-easy", 0.5))]
    told = next(line for line in maker().wins(world) if line.startswith("- *flex later by, h*"))
    assert told == "- *flex later by, h*: fcfs-easy in 1 of 1."
    same = [dict(one, delay_h=1.0) for one in world]
    told = next(line for line in maker().wins(same) if line.startswith("- *flex later by, h*"))
    assert told.endswith(": none.")


def test_rows_of_other_code_are_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    maker().keep([{"trace": "philly"}], "one", path)
    assert maker().kept_rows("one", path) == [{"trace": "philly"}]
    assert maker().kept_rows("other", path) == []
    assert maker().kept_rows("one", tmp_path / "none.json") == []


def test_delays_are_those_of_flexible_jobs_and_an_unended_one_ends_with_the_run() -> None:
    columns = {"submit_s": [0.0, 0.0, 0.0], "run_s": [3600.0] * 3, "gpus": [1, 3, 1], "tier": [1, 1, 0]}
    work = workload_of(("a",), {name: np.array(values) for name, values in columns.items()})

    def played(ends_s: list[float]) -> Played:
        starts, pauses = np.zeros(3), np.zeros(3, np.int32)
        return Played(starts, np.array(ends_s), pauses, np.zeros(3), 36_000.0, 0, 0.0, "")

    found = maker("policies_runs").delays_h(work, played([7200.0, np.nan, 36_000.0]), played([3600.0, 3600.0, 3600.0]))
    assert found["delay_h"] == pytest.approx((1.0 + 9.0) / 2)
    assert found["delay_by_gpu_h_h"] == pytest.approx((1.0 + 3 * 9.0) / 4)


@pytest.mark.parametrize("name", TRACES)
def test_what_a_trace_does_not_tell_is_drawn_as_the_page_says(name: str, tmp_path: Path) -> None:
    if not TRACES[name].is_file():
        pytest.skip("the trace is not part of the repository")
    runs = maker("policies_runs")
    jobs = runs.recorded(name, 7.0)
    told = runs.promised(name, jobs)
    tiers = [told["tier"].count(tier) / len(told["tier"]) for tier in ("firm", "flex", "green")]
    assert tiers == pytest.approx([0.2, 0.6, 0.2], abs=0.02)
    due = [
        (float(text) - at_s - time_s) / 3600.0
        for text, at_s, time_s in zip(told["deadline_s"], jobs["submit_s"], told["time_s"], strict=True)
        if text
    ]
    assert len(due) == told["tier"].count("flex")
    assert float(np.median(due)) == pytest.approx(12.0, rel=0.05)
    assert (told["time_s"] >= jobs["run_s"]).all()
    lines = runs.write_trace(name, 7.0, tmp_path).read_text("utf-8").splitlines()
    assert len(lines) == 1 + len(jobs["submit_s"])
    assert ("leaf" in lines[0].split(",")) == (name == "philly")


def test_the_site_is_a_part_of_eureka_park() -> None:
    site = maker("policies_runs").site_of()
    assert [kind.n_nodes for kind in site.nodes] == [311]
    assert site.site_mw_max == pytest.approx(386 * 311 / 32_768, rel=1e-5)
    assert site.policy.service_reserve_mw == pytest.approx(2 * 311 / 32_768, rel=1e-5)
