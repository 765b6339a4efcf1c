"""Generated jobs meet every published figure of docs/results/generator.md within the tolerance told there."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tests.helpers.shared_data import PHILLY, VENUS

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "results"


@cache
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generator_results", FOLDER / "generator.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its records look their module up
    spec.loader.exec_module(module)
    return module


@cache
def rows() -> dict[str, list[Any]]:
    return {part[0]: maker().rows_of(part) for part in maker().PARTS_OF_PAGE}


TITLES = ("When jobs come", "Sizes and run times", "How jobs end", "Parts of a GPU", "Tiers, promises, tenants, power")


@pytest.mark.parametrize("title", TITLES)
def test_every_figure_lies_within_its_tolerance(title: str) -> None:
    missed = [f"{row.name}: {row.median:g}, published {row.published:g}" for row in rows()[title] if not row.is_met]
    assert not missed
    assert set(rows()) == set(TITLES)


def test_the_page_tells_these_rows_and_no_others() -> None:
    page = (FOLDER / "generator.md").read_text("utf-8")
    told = [line.split(" | ") for line in page.splitlines() if line.startswith("| ") and " ± " in line]
    wanted = [row for part in rows().values() for row in part]
    assert [line[0].strip("| ") for line in told] == [row.name for row in wanted], "run: docs/results/generator.py"
    for line, row in zip(told, wanted, strict=True):
        assert float(line[3].replace(",", "")) == pytest.approx(row.median, rel=6e-3, abs=1e-3), row.name
        assert line[-1].strip(" |") == "yes"


def test_a_wrong_figure_is_told_as_missed() -> None:
    row = maker().Row("anything", 10.0, 0.1, False, (11.2, 11.2, 9.0), None)
    assert not row.is_met
    assert maker().Row("anything", 10.0, 1.5, True, (11.2, 11.2, 9.0), None).is_met


@pytest.mark.skipif(not VENUS.is_file(), reason="the Venus counts are not part of the repository")
def test_hours_are_no_farther_from_venus_than_twice_the_tolerance() -> None:
    pytest.importorskip("pyarrow.parquet", reason="Parquet needs the extra 'parquet'")
    for row in rows()["When jobs come"]:
        slack = row.slack if row.is_absolute else row.slack * abs(row.published)
        assert abs(row.median - row.in_cut) <= 2 * slack, row.name


@pytest.mark.skipif(not PHILLY.is_file(), reason="the Philly trace is not part of the repository")
def test_run_times_are_distributed_as_those_of_philly() -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the extra 'parquet'")
    table = parquet.read_table(PHILLY)
    real, ours = np.sort(table["duration_s"].to_numpy().astype(float)), np.sort(maker().jobs_of(1).run_s)
    levels = np.exp(np.linspace(np.log(30.0), np.log(2e6), 400))
    far = np.abs(np.searchsorted(real, levels) / len(real) - np.searchsorted(ours, levels) / len(ours))
    assert far.max() < 0.09  # Kolmogorov and Smirnov; steps of Philly's own lie between its quantiles
    gpus, gpu_s = table["num_gpus"].to_numpy(), table["num_gpus"].to_numpy() * table["duration_s"].to_numpy()
    for least, most in ((1, 1), (3, 4), (5, 8)):
        work = maker().jobs_of(1)
        held = work.gpus * work.n_nodes  # nobody shared a GPU there
        is_in, was_in = (held >= least) & (held <= most), (gpus >= least) & (gpus <= most)
        ours_s = held * work.run_s
        ours_frac, real_frac = ours_s[is_in].sum() / ours_s.sum(), gpu_s[was_in].sum() / gpu_s.sum()
        assert ours_frac == pytest.approx(float(real_frac), abs=0.06), (least, most)
