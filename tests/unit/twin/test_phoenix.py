"""The live ladder under the call of a real demand-response trial: docs/results/phoenix.py, in a short form."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "results"


@cache
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("phoenix_results", FOLDER / "phoenix.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its records look their module up
    spec.loader.exec_module(module)
    return module


needs_trial = pytest.mark.skipif(not maker().HAS_DATA, reason="the trial's files are not part of the repository")


@cache
def found() -> dict[str, Any]:
    """Half an hour of the event, a tick every 10 s."""
    return {told.name: told for told, _ran in maker().replays(10.0, 1800.0)}


@needs_trial
@pytest.mark.parametrize("name", ["call", "told", "deep"])
def test_the_ladder_meets_every_claim_of_the_page(name: str) -> None:
    missed = [text for text, is_met in maker().CLAIMS if not is_met(found()[name])]
    assert not missed
    assert set(found()) == {"call", "told", "deep"}


@needs_trial
def test_firm_work_is_left_alone_and_less_flexible_work_bears_less() -> None:
    for told in found().values():
        flex_1, flex_2, flex_3 = maker().by_flexibility(maker().trials(), told.work).values()
        assert flex_1 == 1.0 > flex_2 >= flex_3 > 0.6
    assert found()["deep"].work_frac < found()["call"].work_frac, "a deeper call costs more work"
    assert found()["told"].reached_s == 0.0, "who is told before is down when the call comes"


@needs_trial
def test_the_page_tells_what_is_found() -> None:
    page = (FOLDER / "phoenix.md").read_text("utf-8")
    for name, told in found().items():
        row = next(line for line in page.splitlines() if line.startswith(f"| {maker().NAMES[name]} | "))
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert float(cells[2].rstrip(" %")) == pytest.approx(100.0 * told.event_kw / told.before_kw, abs=0.5)
        assert float(cells[4]) == pytest.approx(told.work_frac, abs=5e-3)
        assert cells[-1] == "0.00 kWh"


def test_energy_above_a_limit_is_counted_in_means_of_five_minutes() -> None:
    import numpy as np

    limit_kw = np.full(90, 10.0)  # fifteen minutes of ten seconds
    kw = np.concatenate([np.full(15, 12.0), np.full(15, 8.0), np.full(30, 11.0), np.full(30, 9.0)])
    assert maker().overrun_kwh(kw, limit_kw, 10.0) == pytest.approx(1.0 / 12.0), "swings within five minutes even out"
