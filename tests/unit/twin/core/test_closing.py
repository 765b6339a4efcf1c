"""Jobs counted as they end: of those that are there when a run ends early, only what was due by then is owed."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from eureka_park.compute.core.board import records
from eureka_park.compute.core.board_setup import ClassRow, new_board
from eureka_park.foundation.kernels import Kernel
from eureka_park.twin.core import bound_work, closing, fairness, log_histogram, tally
from eureka_park.twin.core.truth import CLOSED
from eureka_park.twin.core.workload import FLEX

DAY_S = 86_400.0


@pytest.fixture(autouse=True, scope="module")
def _as_python() -> Iterator[None]:
    """Kernels as plain Python: none is compiled for one test."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (closing, tally, fairness, bound_work, log_histogram):
            for name, value in vars(module).items():
                if isinstance(value, Kernel):
                    patch.setattr(module, name, value.py_func)
        yield


def test_what_is_due_after_an_early_end_is_not_owed() -> None:
    board = new_board((ClassRow(4, 64_000, 1 << 19, 8, 0, 10.0, 2.0, 0.7),), ((-1, 1.0, 0.0),))
    jobs = records(2, CLOSED)
    for name, value in (("run_s", DAY_S), ("power_frac", 0.5), ("mcpu", 8000), ("classes", 1), ("gpus", 1),
                        ("n_nodes", 1), ("tier", FLEX), ("first_start_s", 0.0), ("end_s", math.nan),
                        ("alone_end_s", math.inf)):  # fmt: skip
        jobs[name] = value
    jobs.row[:] = 0, 1
    jobs.deadline_s[:] = 0.5 * DAY_S, 2.0 * DAY_S
    found = {}
    for until_s in (None, 1.0 * DAY_S):
        counting = closing.new_counting(board, 2, 1, 3.0 * DAY_S, tick_s=60.0)
        counting.take(jobs, until_s)
        group = counting.tally.groups[0, FLEX]
        found[until_s] = (int(group.n_jobs), int(group.n_due), float(group.unserved_kwh))
    assert found[None][:2] == (2, 2)
    assert found[1.0 * DAY_S][:2] == (2, 1)
    assert 0.0 < found[1.0 * DAY_S][2] < found[None][2]
