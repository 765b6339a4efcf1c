"""`park twin sweep` and `park twin compare`: options, answers, exit codes, errors in one line; no worker is begun."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Run, one_json

from eureka_park.twin import sweep_crew, sweep_task
from eureka_park.twin.run_files import write_run
from eureka_park.twin.run_record import RunRecord
from eureka_park.twin.sweep_crew import Event
from eureka_park.twin.sweep_task import Outcome, Task

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


class Here:
    """Workers in this process, that find what a run is by its request."""

    breaks_at = interrupts_at = -1
    n_workers = 0

    def __init__(self, n_workers: int) -> None:
        Here.n_workers = n_workers
        self.going: list[tuple[int, Task]] = []

    @property
    def n_free(self) -> int:
        return 1 - len(self.going)

    def begin(self, index: int, task: Task) -> None:
        self.going.append((index, task))

    def events(self, _timeout_s: float) -> list[Event]:
        index, task = self.going.pop()
        if index == self.interrupts_at:
            raise KeyboardInterrupt
        if index == self.breaks_at:
            return [Event(index, outcome=Outcome(error="There was not enough memory.", fix="Give fewer workers."))]
        return [Event(index, outcome=sweep_task.outcome_of(task))]

    def close(self) -> None:
        self.going.clear()


def recorded(task: Task, _told: Any) -> RunRecord:
    request = task.request
    cfe_frac = 0.9 if task.policy == "park" else 0.8
    figures = {
        "site": task.site.name, "seed": request.seed, "days": request.days or 2.0, "n_nodes": 20, "trace": None,
        "is_whole": True, "jobs": 100, "gpu_h": 10.0, "cfe_frac": cfe_frac + request.seed / 100,
        "cfe_regret_frac": 0.1 - request.seed / 100, "wait_s": {"flex": {"mean": 60.0, "p50": 30.0, "p95": 7200.0}},
        "gpu_h_finished_frac": 0.5,
    }  # fmt: skip
    return RunRecord(figures, request=request.to_json())


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("small.toml").write_text(SITE)
    monkeypatch.setattr(sweep_crew, "Processes", Here)
    monkeypatch.setattr(sweep_task, "recorded", recorded)
    monkeypatch.setattr(Here, "breaks_at", -1)
    monkeypatch.setattr(Here, "interrupts_at", -1)


SWEEP = ("twin", "sweep", "--site", "small.toml", "--policy", "park,hard-cut", "--seed", "1..2", "--days", "1")


def test_a_sweep_is_a_table_for_people_and_for_programs(run: Run) -> None:
    done = run(*SWEEP)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0].split() == (
        ["policy", "seed", "finished", "wait", "of", "flex", "p50", "p95", "clean", "regret"]
    )
    assert "park      2        50.0%              30 s  2 h 00 min  92.0%    8.0%" in done.stdout
    assert "4 of 4 runs finished in" in done.stdout and "Table: twin-sweep/runs.csv" in done.stdout
    found = one_json(run(*SWEEP, "--json"))
    assert (found["n_runs"], found["n_finished"], found["n_kept"], found["n_failed"]) == (4, 4, 4, 0)
    assert found["runs"] == json.loads(Path("twin-sweep/runs.json").read_text())
    assert sorted(row["cfe_frac"] for row in found["runs"]) == pytest.approx([0.81, 0.82, 0.91, 0.92])


def test_a_run_that_fails_is_told_and_the_exit_code_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Here, "breaks_at", 1)
    done = run(*SWEEP)
    assert done.exit_code == 1
    assert "3 of 4 runs finished" in done.stdout
    assert "failed: There was not enough memory. Give fewer workers." in done.stdout
    monkeypatch.setenv("PARK_LANG", "fr")
    assert "a échoué : La mémoire n’a pas suffi." in run(*SWEEP, "--again").stdout


def test_ctrl_c_keeps_what_has_finished_and_the_same_command_goes_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Here, "interrupts_at", 2)
    done = run(*SWEEP)
    assert done.exit_code == 130
    assert "2 of 4 runs finished" in done.stdout and "2 runs are missing; the same command runs them." in done.stdout
    monkeypatch.setattr(Here, "interrupts_at", -1)
    assert "4 of 4 runs finished" in (again := run(*SWEEP).stdout) and "; 2 were done before." in again


def test_a_file_of_runs(run: Run) -> None:
    Path("runs.toml").write_text(
        'site = "small.toml"\ndays = 1\n[[runs]]\nseed = "1..3"\n[[runs]]\nload = [0.5, 0.9]\n'
    )
    found = one_json(run("twin", "sweep", "runs.toml", "--json", "--workers", "3"))
    assert [(row["seed"], row["load_frac"]) for row in found["runs"]] == [
        (1, None), (2, None), (3, None), (1, 0.5), (1, 0.9),
    ]  # fmt: skip
    assert Here.n_workers == 3


def test_policies_side_by_side(run: Run) -> None:
    told = run("twin", "compare", *SWEEP[2:]).stdout
    lines = [line.rstrip() for line in told.splitlines()]
    assert lines[0].split() == ["park", "hard-cut"]
    clean = next(at for at, line in enumerate(lines) if line.startswith("clean energy, matched hour by hour"))
    assert lines[clean].split()[-3:] == ["91.5%", "*", "81.5%"] and "91.0% .. 92.0%" in lines[clean + 1]
    assert "Means over seeds 1 2; below each, from the least to the most." in told and "* best of its row" in told
    assert not Path("twin-sweep").exists()
    found = one_json(run("twin", "compare", *SWEEP[2:], "--json"))
    assert found["is_comparable"] and [column["n_runs"] for column in found["columns"]] == [2, 2]


def test_folders_side_by_side_and_loudly_what_does_not_compare(run: Run) -> None:
    for name, seed in (("one", 1), ("two", 2)):
        record = recorded(_task(seed), None)
        write_run(Path(name), RunRecord({**record.figures, "policy": "park"}, request=record.request))
    told = run("twin", "compare", "one", "two").stdout
    assert told.startswith("NOT COMPARABLE: the runs differ in seed: 1, 2\n")
    assert " *" not in told
    assert not one_json(run("twin", "compare", "one", "two", "--json"))["is_comparable"]


def _task(seed: int) -> Task:
    from eureka_park.foundation.site_reading import load_site
    from eureka_park.twin.run import TwinRequest

    return Task(load_site("small.toml"), TwinRequest(seed=seed), "park")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("sweep", "--policy", "lottery"), "There is no policy 'lottery'. Name one of park, fcfs-easy,"),
        (("sweep", "--seed", "x"), "seed = 'x' is not right."),
        (("sweep", "none.toml"), "none.toml cannot be read"),
        (("sweep", "--jobs", "1e12"), "1,000,000,000,000 jobs are more than"),
        (("sweep", "--days", "2,0"), "0 days cannot be run."),
        (("compare",), "Nothing to compare is named."),
        (("compare", "small.toml", "--policy", "park"), "do not go together."),
        (("compare", "nowhere", "no"), "There is no folder 'nowhere'."),
        (("compare", "--site", "small.toml", "--policy", "park"), "There is only one run to look at."),
    ],
)
def test_what_is_wrong_is_said_in_one_line(run: Run, words: tuple[str, ...], says: str) -> None:
    done = run("twin", *words)
    assert done.exit_code == 1 and done.stdout == ""
    assert says in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_without_ray_its_door_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    done = run(*SWEEP, "--ray", "auto")
    assert done.exit_code == 1
    assert done.stderr == (
        "park: Ray is not installed. Install it: pip install 'eureka-park[ray]', or leave --ray out.\n"
    )


def test_a_terminal_shows_a_bar_for_all_and_one_for_each_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from eureka_park.cli import twin_many

    drawn: list[tuple[str, float]] = []

    class Progress:
        def __init__(self, *_columns: object, **_options: object) -> None:
            self.texts: dict[int, str] = {}

        def start(self) -> None: ...
        def stop(self) -> None: ...

        def add_task(self, text: str, total: float) -> int:
            self.texts[len(self.texts)] = text
            return len(self.texts) - 1

        def update(self, task: int, completed: float, description: str) -> None:
            assert task in self.texts
            drawn.append((description, completed))

        def remove_task(self, task: int) -> None:
            assert self.texts[task]

    monkeypatch.setattr(twin_many, "is_live", lambda: True)
    monkeypatch.setattr("rich.progress.Progress", Progress)
    assert run(*SWEEP).exit_code == 0
    texts = [text for text, _frac in drawn]
    assert texts[:2] == ["0 of 4 runs", "park, seed 1: making compiled code ready"] and drawn[-1] == (
        "4 of 4 runs",
        1.0,
    )
    assert any(text.startswith("1 of 4 runs, about") for text in texts)
    assert run(*SWEEP, "--load", "0.5").exit_code == 0
    assert "hard-cut, seed 2, load 0.5: making compiled code ready" in [text for text, _frac in drawn]
