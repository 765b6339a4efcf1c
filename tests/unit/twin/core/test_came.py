"""What is left of a run that ended early: the jobs that had come."""

from __future__ import annotations

import numpy as np

from eureka_park.twin.core.came import that_came
from eureka_park.twin.core.counted import Counted
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.workload import workload_of

WORK = workload_of(("a",), {"submit_s": np.array([0.0, 50.0, 150.0]), "run_s": np.full(3, 10.0)})


def played(until_s: float, *, is_whole: bool) -> Played:
    of_jobs = np.arange(3.0)
    counted = Counted(np.ones(1), np.full(1, until_s), of_jobs, of_jobs)
    return Played(of_jobs, of_jobs + 9, np.arange(3, dtype=np.int32), of_jobs, until_s, 0, 0.0, "x",
                  counted=counted, is_whole=is_whole)  # fmt: skip


def test_jobs_that_had_not_come_do_not_count() -> None:
    work, found = that_came(WORK, played(100.0, is_whole=False))
    assert work.submit_s.tolist() == [0.0, 50.0]
    assert found.end_s.tolist() == [9.0, 10.0]
    assert found.n_pauses.tolist() == [0, 1]
    assert found.counted is not None
    assert found.counted.held_gpu_s.tolist() == [0.0, 1.0]
    assert found.counted.load_kwh.tolist() == [1.0]


def test_a_whole_run_stays() -> None:
    given = played(100.0, is_whole=True)
    assert that_came(WORK, given) == (WORK, given)
    late = played(200.0, is_whole=False)
    assert that_came(WORK, late) == (WORK, late)
