"""`park twin run`: options, the answer for people and for programs, errors in one line. The loop has its own tests."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from tests.unit.cli.conftest import Run, one_json

import eureka_park.twin.run as twin_run
from eureka_park.cli.twin_run import POLICIES
from eureka_park.twin.core.baselines import CODES
from eureka_park.twin.core.played import Played

SITE = """\
name = "small"
title = "Small"
[scale]
of = "eureka-park"
[[nodes]]
id = "n"
n_nodes = 20
n_cpus = 64
memory_gib = 512
n_gpus = 8
rated_kw = 10.2
idle_kw = 1.9
"""


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("small.toml").write_text(SITE)

    def at_once(world: twin_run.World, _policy: object, _name: str, _watch: object) -> Played:
        work, until_s = world.work, world.days * 86_400.0
        end_s = np.where(work.submit_s + work.run_s <= until_s, work.submit_s + work.run_s, np.nan)
        pauses = np.ones(work.n_jobs, dtype=np.int32)
        return Played(work.submit_s, end_s, pauses, work.run_s, until_s, 60, 0.125, "0123456789abcdef99")

    monkeypatch.setattr(twin_run, "_play", at_once)


def test_programs_get_one_document(run: Run) -> None:
    done = run("twin", "run", "--site", "small.toml", "--jobs", "50", "--days", "1", "--seed", "7", "--json")
    found = one_json(done)
    assert (found["jobs"], found["days"], found["seed"], found["policy"]) == (50, 1.0, 7, "park")
    assert set(found["wait_s"]) == set(found["deadline_hit_frac"]) == {"firm", "flex", "green"}
    assert set(found["wait_s"]["firm"]) == {"mean", "p50", "p95", "p99"}
    assert found["n_pauses"] == 50
    assert found["firm_disturbed"] == 60
    assert found["overrun_mwh"] == pytest.approx(0.125 * (1.0 + 0.15 * 0.65))  # at the site meter
    for name in ("jobs_finished", "cpu_s", "wall_s", "peak_rss_mib", "jain_index", "digest"):
        assert name in found


def test_people_get_a_table(run: Run) -> None:
    told = run("twin", "run", "--site", "small.toml", "--jobs", "50", "--days", "1", "--policy", "fcfs-easy").stdout
    assert told.startswith("small, 1 days under policy fcfs-easy, seed 1: ")
    assert "of 50 jobs finished." in told
    assert [line.split()[0] for line in told.splitlines()[2:5]] == ["firm", "flex", "green"]
    assert "pauses: 50" in told
    assert "digest of all decisions: 0123456789abcdef" in told


def test_a_trace_says_what_was_drawn(run: Run) -> None:
    Path("jobs.csv").write_text("submit_s,run_s,gpus\n0,60,1\n5,60,16\n")
    told = run("twin", "run", "--site", "small.toml", "--trace", "jobs.csv").stdout
    assert told.startswith("small, 1 days under policy park, seed 1: 2 of 2 jobs finished.")
    assert "drawn by the seed: " in told


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--trace", "none.csv"], "There is no file 'none.csv'."),
        (["--trace", "bad.csv"], "bad.csv, line 3: the job asks for 21 nodes with 8 GPUs"),
        (["--site", "nowhere"], "There is no site 'nowhere'."),
        (["--jobs", "0"], "--jobs"),
        (["--days", "0"], "--days"),
        (["--days", "nan"], "no number"),
        (["--policy", "lottery"], "--policy"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(run: Run, words: list[str], says: str) -> None:
    Path("bad.csv").write_text("submit_s,run_s,gpus\n0,60,1\n5,60,161\n")
    done = run("twin", "run", "--site", "small.toml", *words)
    assert done.exit_code in (1, 2)
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_it_speaks_french(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARK_LANG", "fr")
    Path("bad.csv").write_text("submit_s,run_s,gpus\n0,x,1\n")
    told = run("twin", "run", "--site", "small.toml", "--trace", "bad.csv").stderr
    assert "bad.csv, ligne 2 : run_s = 'x' n’est pas un nombre." in told


def test_the_policies_on_the_line_are_those_that_can_be_played() -> None:
    assert list(POLICIES) == list(get_args(twin_run.PolicyName)) == list(CODES)
