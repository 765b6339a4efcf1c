"""A Slurm record played again: what becomes of its jobs, and figures that are the same for all columns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers.sacct_text import DAY_S, NODES, ROWS, TEXT, row

from eureka_park.control.policy import Policy, Sky
from eureka_park.foundation.errors import BadInput, NotFound
from eureka_park.foundation.site_reading import load_site
from eureka_park.twin.core import slurm_workload
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.sacct import FIELDS
from eureka_park.twin.core.slurm_nodes import nodes_of
from eureka_park.twin.core.slurm_power import GpuPower, PowerModel
from eureka_park.twin.core.slurm_workload import Gathered, shapes_of, workload_and_rows
from eureka_park.twin.slurm_files import Counts, SlurmSource, read_jobs
from eureka_park.twin.slurm_replay import ReplayRequest, replay

POWER = PowerModel({"h100": GpuPower(100.0, 1100.0, False, "given")}, power_frac=0.5, gco2_per_kwh=400.0)


@pytest.fixture
def source(tmp_path: Path) -> SlurmSource:
    (tmp_path / "jobs.txt").write_text(TEXT)
    (tmp_path / "nodes.txt").write_text(NODES)
    return SlurmSource(tmp_path / "jobs.txt", tmp_path / "nodes.txt", days=1.0)


def gathered(source: SlurmSource) -> Gathered:
    found = Gathered(POWER, float(DAY_S), DAY_S + 86_400.0)
    for job in read_jobs(source, Counts()):
        job.gpu_type = job.gpu_type or "h100"
        found.add(job)
    return found


class Recorder:
    """Plays every job at once when it comes; keeps what it was given."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def __call__(self, opening: Any, work: Any, *more: Any, **named: Any) -> Played:
        sky, _failures, policy, tick_s, name = more
        self.asked.append((opening, work, sky, policy, tick_s, name, named))
        n = work.n_jobs
        return Played(
            work.submit_s.copy(), work.submit_s + work.run_s, np.zeros(n, np.int32), work.run_s.copy(), 2 * 86_400.0, 0,
            0.0, "abc",
        )  # fmt: skip


def request(source: SlurmSource, **more: Any) -> ReplayRequest:
    return ReplayRequest(source, POWER, 0.0, Policy(service_reserve_kw=2000.0), **more)


# The workload -----------------------------------------------------------------------------------


def test_jobs_as_the_park_would_have_been_given_them(source: SlurmSource) -> None:
    work, rows, left = workload_and_rows(gathered(source), shapes_of(nodes_of(NODES), POWER))
    assert left == {"never_started": 7, "earlier_attempts": 1, "still_running": 1}
    assert work.n_jobs == len(ROWS) - 1 - 1 - 3  # less a step, an attempt that ran again, three rows that never ran
    assert set(work.leaves) == {"physics/amal", "biology/badr"}
    third = int(np.flatnonzero(work.submit_s == 3600.0)[0])
    assert (work.gpus[third], work.mcpu[third], work.mem_mib[third]) == (4, 8000, 16 * 1024)
    assert (work.run_s[third], work.time_s[third]) == (3600.0, 4 * 3600.0)
    assert work.deadline_s[third] == 3600.0 + 4 * 3600.0 + 86_400.0
    assert rows.start_s[third] - rows.eligible_s[third] == 180 * 60.0
    late = int(np.flatnonzero(work.submit_s == 1000 * 60.0)[0])  # it came after another job until then
    assert rows.start_s[late] == rows.eligible_s[late]


def test_what_lies_on_several_machines_becomes_a_gang_of_whole_ones(source: SlurmSource) -> None:
    work, _rows, _left = workload_and_rows(gathered(source), shapes_of(nodes_of(NODES), POWER))
    (gang,) = np.flatnonzero(work.n_nodes > 1)
    assert (work.n_nodes[gang], work.gpus[gang], work.mcpu[gang]) == (2, 4, 32_000)
    assert work.submit_s[gang] == 500 * 60.0


def test_attempts_that_ran_again_count_once_and_others_as_they_are(tmp_path: Path) -> None:
    rows = [row("1", 0, 0, 10, 1, State="PREEMPTED"), row("1", 10, 20, 30, 1, State="NODE_FAIL"),
            row("2", 0, 0, 10, 1, State="NODE_FAIL")]  # fmt: skip
    (tmp_path / "jobs.txt").write_text("\n".join(("|".join(FIELDS), *rows, row("1", 30, 40, 50, 1))))
    work, _rows, left = workload_and_rows(
        gathered(SlurmSource(tmp_path / "jobs.txt", days=1.0)), shapes_of(nodes_of(NODES), POWER)
    )
    assert work.submit_s.tolist() == [0.0, 1800.0]
    assert left == {"earlier_attempts": 2}


def test_what_fits_no_machine_is_left_out_and_counted(tmp_path: Path) -> None:
    rows = [row("1", 0, 0, 10, 1), row("2", 0, 0, 10, 5), row("3", 0, 0, 10, 40, "n1,n2")]
    (tmp_path / "jobs.txt").write_text("\n".join(("|".join(FIELDS), *rows)))
    work, _rows, left = workload_and_rows(
        gathered(SlurmSource(tmp_path / "jobs.txt", days=1.0)), shapes_of(nodes_of(NODES), POWER)
    )
    assert (work.n_jobs, left) == (1, {"too_large": 2})


def test_more_jobs_than_memory_holds_are_refused(source: SlurmSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm_workload, "JOBS_MAX", 3)
    with pytest.raises(BadInput, match="more than 3 jobs") as error:
        gathered(source)
    assert error.value.fix == "Replay fewer days: --days 7."


def test_machines_by_class() -> None:
    nodes = nodes_of(NODES + "NodeName=c1 CPUTot=64 Gres=(null) RealMemory=64000 State=IDLE\n")
    shapes = shapes_of(nodes, POWER)
    assert [(one.n_nodes, one.n_gpus, one.mcpu) for one in shapes.classes] == [(1, 0, 64_000), (2, 4, 32_000)]
    assert shapes.kinds == ("h100", "cpu")
    assert shapes.n_gpus.tolist() == [8.0, 0.0]
    assert shapes.classes[1].rated_kw == pytest.approx(4.4)
    with pytest.raises(NotFound, match="No machine is known"):
        shapes_of((), POWER)


# The replay -------------------------------------------------------------------------------------


def test_three_columns_of_the_same_jobs(source: SlurmSource) -> None:
    play = Recorder()
    found = replay(request(source), play)
    assert [one[5] for one in play.asked] == ["fcfs-easy", "park"]
    assert set(found["sides"]) == {"recorded", "fcfs-easy", "park"}
    was, park = found["sides"]["recorded"], found["sides"]["park"]
    assert park["wait_s"]["mean"] == 0.0
    assert was["wait_s"]["mean"] > 0.0
    assert was["idle_while_waiting_gpu_h"] > park["idle_while_waiting_gpu_h"] == 0.0
    assert was["kwh"] == pytest.approx(park["kwh"])
    assert was["gco2_kg"] == pytest.approx(0.4 * was["kwh"])
    assert found["change"]["wait_mean_s"] == -was["wait_s"]["mean"]


def test_idle_gpus_while_somebody_waited(tmp_path: Path) -> None:
    rows = [row("1", 0, 0, 120, 8, "n1,n2"), row("2", 60, 180, 240, 3)]  # eight held for an hour, then free for an hour
    (tmp_path / "jobs.txt").write_text("\n".join(("|".join(FIELDS), *rows)))
    (tmp_path / "nodes.txt").write_text(NODES)
    found = replay(request(SlurmSource(tmp_path / "jobs.txt", tmp_path / "nodes.txt", days=1.0)), Recorder())
    assert found["sides"]["recorded"]["idle_while_waiting_gpu_h"] == pytest.approx(3.0, abs=0.06)


def test_without_a_site_nothing_binds_and_with_one_its_power_is_in_proportion(source: SlurmSource) -> None:
    free, bound = Recorder(), Recorder()
    replay(request(source), free)
    site = load_site("eureka-park")
    replay(request(source, site=site), bound)
    rated_kw = 2 * 4.4
    assert (free.asked[0][3].sky, free.asked[0][3].service_reserve_kw) == (Sky.OBSERVED, 0.0)
    assert free.asked[0][2].plan_grid_kw.min() > rated_kw
    assert bound.asked[0][3].sky is Policy().sky
    assert bound.asked[0][3].service_reserve_kw == pytest.approx(2000.0 * rated_kw / site.it_kw_rated)
    assert 0.0 < bound.asked[0][2].true_clean_kw.max() < 1.2 * rated_kw


def test_the_real_policy_plays_it_the_same_twice(source: SlurmSource) -> None:
    first, second = replay(request(source)), replay(request(source))
    assert first == second
    park = first["sides"]["park"]
    assert park["n_never_started"] == 0
    assert park["digest"]
    assert park["kwh"] == pytest.approx(first["sides"]["recorded"]["kwh"], rel=0.01)
    assert park["wait_s"]["mean"] < first["sides"]["recorded"]["wait_s"]["mean"]


def test_an_unknown_tier_is_refused(source: SlurmSource) -> None:
    with pytest.raises(BadInput, match="no tier 'gold'"):
        replay(replace(request(source), tier="gold"))
