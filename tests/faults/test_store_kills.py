"""Thirty kills of a served park in the middle of what it does with data; a thousand by the script itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.store_kills import Run, Served


def test_thirty_kills_lose_nothing_and_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    done = Run(Served(tmp_path), 30, seed=7).run()
    assert done["faults"] == [] and done["kills"] == 30
    assert done["done"] >= 30 and done["cut"] >= 30 and done["collected"] > 0, done
