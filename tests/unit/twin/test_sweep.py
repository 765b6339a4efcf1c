"""Many runs: what is asked for, what was done before, what breaks off; workers that die, and that die with us."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from eureka_park.foundation.errors import BadInput, TooLarge, Unavailable
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.site_reading import load_site
from eureka_park.twin import sweep_crew, sweep_grid, sweep_ray
from eureka_park.twin.run import TwinRequest
from eureka_park.twin.run_files import write_run
from eureka_park.twin.run_record import RunRecord
from eureka_park.twin.sweep import RUNS, Sweep, Wanted, sweep_of
from eureka_park.twin.sweep_crew import Event, Processes
from eureka_park.twin.sweep_grid import Reads, product, read_file, values_of
from eureka_park.twin.sweep_memory import check_each, n_at_once
from eureka_park.twin.sweep_task import Outcome, Task, code_digest, outcome_of

SITE: Site = load_site("eureka-park")
READS = Reads(load_site, lambda _site, _texts: {}, lambda texts: dict(one.split("=") for one in texts))


def wanted(n: int, **more: Any) -> list[Wanted]:
    return [Wanted.of(SITE, TwinRequest(days=1.0, n_jobs=10, seed=seed, **more)) for seed in range(1, n + 1)]


@dataclass
class Crew:
    """Does each task at the next look, in this process; `fails` and `interrupts` by index."""

    n_workers: int = 2
    fails: frozenset[int] = frozenset()
    interrupts: int = -1
    going: dict[int, Task] = field(default_factory=dict)
    begun: list[int] = field(default_factory=list)
    most: int = 0
    is_closed: bool = False

    @property
    def n_free(self) -> int:
        return self.n_workers - len(self.going)

    def begin(self, index: int, task: Task) -> None:
        self.going[index] = task
        self.begun.append(index)
        self.most = max(self.most, len(self.going))

    def events(self, _timeout_s: float) -> list[Event]:
        index, task = next(iter(self.going.items()))
        if index == self.interrupts:
            raise KeyboardInterrupt
        del self.going[index]
        if index in self.fails:
            return [Event(index, outcome=Outcome(error="It broke.", fix="Mend it.", trace="Traceback: here"))]
        figures = {"seed": task.request.seed, "cfe_frac": 0.5, "is_whole": True, "tenants": {"a": {"jobs": 1}}}
        if task.folder is not None:
            write_run(task.folder, RunRecord(figures))
        return [Event(index, "play", 0.5), Event(index, outcome=Outcome(figures))]

    def close(self) -> None:
        self.is_closed = True


# What is asked for ------------------------------------------------------------------------------


def test_values_are_lists_and_ranges() -> None:
    assert values_of("seed", ["1..3", "7,9-10", 1]) == (1, 2, 3, 7, 9, 10)
    assert values_of("policy", "park, hard-cut") == ("park", "hard-cut")
    assert values_of("load", ["0.5,0.8"]) == (0.5, 0.8)
    assert values_of("jobs", "100e6") == (100_000_000,)
    assert values_of("faults", ["usual,nodes=x2", "a.toml"]) == ("usual,nodes=x2", Path("a.toml"))
    assert values_of("weather", ["a=1.csv,b=2.csv"]) == (("a=1.csv", "b=2.csv"),)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("sede", "1", "'sede' is nothing that runs may differ in."),
        ("seed", "3..1", "'3..1' is no range."),
        ("seed", "1..99999999", "is no range."),
        ("seed", "one", "seed = 'one' is not right."),
        ("seed", True, "seed = True is not right."),
        ("load", "nan", "load = 'nan' is not right."),
        ("days", [], "days has no value."),
    ],
)
def test_what_is_no_value_is_told(name: str, value: Any, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        values_of(name, value)
    assert says in caught.value.message and caught.value.fix


def test_a_product_has_every_run_once() -> None:
    runs = product({"site": "eureka-park", "policy": "park,hard-cut", "seed": "1..3", "days": 1, "load": [0.5]}, READS)
    assert [(run.request.policy, run.request.seed) for run in runs] == [
        (policy, seed) for policy in ("park", "hard-cut") for seed in (1, 2, 3)
    ]
    assert {run.request.load_frac for run in runs} == {0.5} and len({run.name for run in runs}) == 6
    with pytest.raises(BadInput, match="There is no policy 'lottery'"):
        product({"site": "eureka-park", "policy": "lottery"}, READS)
    with pytest.raises(BadInput, match="10,201 runs"):
        product({"site": "eureka-park", "seed": "0..100", "jobs": "1..101"}, READS)


def test_every_policy_of_a_run_can_be_asked_for() -> None:
    names = sweep_grid.POLICIES
    assert {"park", "fcfs-easy", "edf-surplus"} <= set(names)
    assert [run.policy for run in product({"site": "eureka-park", "policy": ",".join(names)}, READS)] == list(names)


def test_a_file_names_tables_and_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[policy]\nlookahead = 3\n")
    (tmp_path / "sky.csv").write_text("x")
    path = tmp_path / "runs.toml"
    path.write_text(
        'site = "eureka-park"\ndays = 1\nweather = ["here=sky.csv"]\n'
        '[[runs]]\npolicy = ["park", "mine.toml"]\n[[runs]]\npolicy = "hard-cut"\ndays = 2\n'
    )
    one, two = read_file(path)
    assert one["policy"] == ["park", str(tmp_path / "mine.toml")] and one["weather"] == [f"here={tmp_path}/sky.csv"]
    assert (one["days"], two["days"]) == (1, 2)
    park, mine = product(one, READS)
    assert (park.policy, mine.policy, mine.request.policy) == ("park", "mine", "park")
    assert mine.site.policy.lookahead == 3 and park.name != mine.name
    path.write_text("runs = 3")
    with pytest.raises(BadInput, match="runs is no list of tables"):
        read_file(path)
    with pytest.raises(BadInput, match="cannot be read"):
        read_file(tmp_path / "none.toml")


def test_a_name_follows_all_that_a_run_depends_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = tmp_path / "jobs.csv"
    trace.write_text("submit_s,run_s,gpus\n0,60,1\n")
    names = [Wanted.of(SITE, TwinRequest(trace=trace)).name for _ in range(2)]
    assert names[0] == names[1]
    names.append(Wanted.of(SITE, TwinRequest(trace=trace, seed=2)).name)
    names.append(
        Wanted.of(SITE.model_copy(update={"name": "eureka-park", "title": "x"}), TwinRequest(trace=trace)).name
    )
    trace.write_text("submit_s,run_s,gpus\n0,61,1\n")
    names.append(Wanted.of(SITE, TwinRequest(trace=trace)).name)
    monkeypatch.setattr("eureka_park.twin.sweep.code_digest", lambda: "another program")
    names.append(Wanted.of(SITE, TwinRequest(trace=trace)).name)
    assert len(set(names)) == 5


# The sweep itself -------------------------------------------------------------------------------


def test_finished_runs_are_kept_and_not_run_again(tmp_path: Path) -> None:
    crew = Crew()
    first = sweep_of(wanted(3), tmp_path / "out")
    first.run(crew)
    assert crew.is_closed and len(crew.begun) == 3 and crew.most == 2
    with (tmp_path / "out/runs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["state"], row["seed"], row["cfe_frac"]) for row in rows] == [
        ("finished", "1", "0.5"), ("finished", "2", "0.5"), ("finished", "3", "0.5"),
    ]  # fmt: skip
    assert not [name for name in rows[0] if name.startswith("tenants")]
    more = sweep_of(wanted(5), tmp_path / "out")
    assert [row.is_kept for row in more.rows] == [True, True, True, False, False]
    crew = Crew()
    more.run(crew)
    assert sorted(crew.begun) == [3, 4]
    assert [row["is_kept"] for row in json.loads((tmp_path / "out/runs.json").read_text())] == 3 * [True] + 2 * [False]
    assert not any(row.is_kept for row in sweep_of(wanted(5), tmp_path / "out", again=True).rows)


def test_a_damaged_or_half_played_run_is_run_again(tmp_path: Path) -> None:
    runs = wanted(2)
    write_run(tmp_path / RUNS / runs[0].name, RunRecord({"is_whole": False, "seed": 1}))
    write_run(tmp_path / RUNS / runs[1].name, RunRecord({"is_whole": True, "seed": 2}))
    (tmp_path / RUNS / runs[1].name / "run.json").write_text("{")
    assert [row.state for row in sweep_of(runs, tmp_path).rows] == ["not run", "not run"]


def test_a_run_that_breaks_is_told_and_stops_no_other(tmp_path: Path) -> None:
    found = sweep_of(wanted(4), tmp_path)
    found.run(Crew(fails=frozenset({1})))
    assert [row.state for row in found.rows] == ["finished", "failed", "finished", "finished"]
    assert json.loads((tmp_path / "runs.json").read_text())[1]["error"] == "It broke. Mend it."
    assert (tmp_path / RUNS / found.rows[1].wanted.name / "error.txt").read_text() == "Traceback: here"
    assert not sweep_of(wanted(4), tmp_path).rows[1].is_kept, "what failed is tried again"


def test_ctrl_c_keeps_what_has_finished(tmp_path: Path) -> None:
    found, crew = sweep_of(wanted(5), tmp_path), Crew(interrupts=2)
    half = tmp_path / RUNS / found.rows[2].wanted.name
    half.mkdir(parents=True)
    (half / ".run.json.part").write_text("{")
    found.run(crew)
    assert found.is_interrupted and crew.is_closed
    assert [row.state for row in found.rows] == ["finished", "finished", "stopped", "stopped", "not run"]
    assert [row["state"] for row in json.loads((tmp_path / "runs.json").read_text())][2:] == [
        "stopped", "stopped", "not run",
    ]  # fmt: skip
    assert not half.exists(), "what was half written is gone"
    again = sweep_of(wanted(5), tmp_path)
    again.run(Crew())
    assert {row.state for row in again.rows} == {"finished"} and sum(row.is_kept for row in again.rows) == 2


def test_memory_lets_only_so_many_go_on_at_once() -> None:
    runs = wanted(6)
    each = runs[0].foreseen_mib
    assert each > 200.0
    found, crew = sweep_of(runs), Crew(n_workers=6)
    found.memory_mib = 2.5 * each
    found.run(crew)
    assert crew.most == 2 and {row.state for row in found.rows} == {"finished"}
    assert (n_at_once(runs, 4, 2.5 * each), n_at_once(runs, 4, 0.5 * each)) == (2, 1)
    check_each(runs, each)
    with pytest.raises(BadInput, match="would hold about"):
        check_each(runs, 0.9 * each)


def test_rows_are_there_still_where_their_table_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").mkdir()
    found = sweep_of(wanted(2), tmp_path)
    found.run(Crew())
    assert [row.state for row in found.rows] == ["finished", "finished"]
    assert found.not_written is not None and "cannot be written" in found.not_written.message


def test_the_time_left_of_a_run_follows_its_own_progress() -> None:
    found = Sweep(sweep_of(wanted(1)).rows, clock_s=lambda: 100.0)
    row = found.rows[0]
    row.begun_s, row.frac = 40.0, 0.01
    assert found.run_left_s(row) is None
    row.frac = 0.25
    assert found.run_left_s(row) == pytest.approx(180.0)


def test_the_time_left_follows_what_is_done() -> None:
    now = [0.0]
    found = Sweep(sweep_of(wanted(4)).rows, clock_s=lambda: now[0])
    left: list[float | None] = []

    def told(sweep: Sweep) -> None:
        now[0] += 10.0
        left.append(sweep.left_s)

    found.run(Crew(n_workers=1), told)
    assert left[0] is None and left[1] == pytest.approx(10.0 * 3) and left[-1] == 0.0


def test_what_a_run_raises_is_one_line() -> None:
    task = Task(SITE, TwinRequest(days=-1.0))
    told = outcome_of(task)
    assert (told.state, told.error) == ("failed", "-1 days cannot be run.") and told.fix


# Processes --------------------------------------------------------------------------------------

STUB = """
import os, time
import eureka_park.twin.sweep_child as child
import eureka_park.twin.sweep_task as task
from eureka_park.twin.run_record import RunRecord
def recorded(one, told):
    told("play", 0.5)
    print("a library talks")
    if one.request.seed == 2: raise RuntimeError("a policy\\nbroke")
    if one.request.seed == 3: os.kill(os.getpid(), 9)
    if one.request.seed == 9: time.sleep(60)
    return RunRecord({"seed": one.request.seed, "threads": os.environ["OMP_NUM_THREADS"], "pid": os.getpid()})
task.recorded, child.warm = recorded, lambda: None
child.main()
"""


def test_workers_are_processes_and_a_killed_one_is_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sweep_crew, "_CHILD", (sys.executable, "-c", STUB))
    parts: list[str] = []
    found, crew = sweep_of(wanted(4), tmp_path), Processes(2, _is_warm=False)  # as where files cannot be locked
    found.run(crew, lambda sweep: parts.extend(row.part for row in sweep.rows))
    one, two, three, four = found.rows
    assert one.figures is not None and four.figures is not None
    assert one.figures["threads"] == "1" and one.figures["pid"] != os.getpid()
    assert two.error == "The run broke off: RuntimeError: a policy broke." and "Traceback" in (
        tmp_path / RUNS / two.wanted.name / "error.txt").read_text()  # fmt: skip
    assert three.error.startswith("The process of this run was ended by signal 9")
    assert "play" in parts


def test_workers_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        (sys.executable, "-c", f"""
import sys
from eureka_park.foundation.site_reading import load_site
from eureka_park.twin import sweep_crew
from eureka_park.twin.run import TwinRequest
from eureka_park.twin.sweep_task import Task
sweep_crew._CHILD = (sys.executable, "-c", {STUB!r})
crew = sweep_crew.Processes(1)
crew.begin(0, Task(load_site("eureka-park"), TwinRequest(seed=9)))
while not crew.events(1.0):
    pass
print(crew._workers[0].process.pid, flush=True)
crew.events(60.0)
"""), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert _is_alive(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until_s = time.monotonic() + 20.0
    while _is_alive(pid) and time.monotonic() < until_s:
        time.sleep(0.05)
    assert not _is_alive(pid)


def _is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended may wait for whoever inherited it."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


# A cluster --------------------------------------------------------------------------------------


class Ray:
    """As much of Ray as a sweep uses; tasks are done when they are asked for."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.cancelled: list[Any] = []
        self.is_up = False

    def init(self, **how: Any) -> None:
        if how.get("address") == "nowhere":
            raise ConnectionError("no answer\nat all")
        self.is_up, self.asked = True, how

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 3.0}

    def nodes(self) -> list[dict[str, Any]]:
        sizes = ((True, 600.0), (True, 100.0), (False, 9000.0))
        return [{"Alive": is_up, "Resources": {"memory": mib * 2**20}} for is_up, mib in sizes] + [
            {"Alive": True, "Resources": {}}
        ]

    def remote(self, **how: Any) -> Any:
        self.asked |= how
        return lambda function: type("Remote", (), {"remote": staticmethod(lambda task: _Ref([function, task]))})

    def wait(self, going: list[Any], timeout: float) -> tuple[list[Any], list[Any]]:
        return going[:1], going[1:]

    def get(self, one: Any) -> Any:
        function, task = one
        if task.request.seed == 3:
            raise RuntimeError("a node\nhas gone. Node IP: 10.0.0.1, and so on.")
        return function(task)

    def cancel(self, one: Any, force: bool) -> None:
        self.cancelled.append((one, force))

    def shutdown(self) -> None:
        self.is_up = False


class _Ref(list[Any]):
    """A task that is under way, as a key."""

    __hash__ = object.__hash__  # type: ignore[assignment]


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Ray:
    found = Ray()
    monkeypatch.setitem(sys.modules, "ray", found)
    return found


def test_a_cluster_does_runs_and_brings_them_back(ray: Ray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def done(task: Task) -> Outcome:
        assert task.folder is None, "a machine of the cluster has no such folder"
        record = RunRecord({"seed": task.request.seed, "is_whole": True})
        return Outcome(record.figures, record, code=code_digest() if task.request.seed != 2 else "another")

    monkeypatch.setattr(sweep_ray, "outcome_of", done)
    found = sweep_of(wanted(4), tmp_path)
    crew = sweep_ray.RayCrew("auto", memory_mib=400.0)
    assert crew.n_free == 3 and ray.asked["address"] == "auto" and ray.asked["memory"] == 500 * 2**20
    assert ray.asked["runtime_env"]["env_vars"]["NUMBA_NUM_THREADS"] == "1"
    found.run(crew)
    assert [row.state for row in found.rows] == ["finished", "failed", "failed", "finished"]
    assert found.rows[1].error == "A machine of the cluster has another version of this program."
    assert found.rows[2].error == "The cluster lost this run: a node has gone."
    assert (tmp_path / RUNS / found.rows[3].wanted.name / "run.json").exists() and not ray.is_up
    assert sum(row.is_kept for row in sweep_of(wanted(4), tmp_path).rows) == 2


def test_a_cluster_drops_what_goes_on_when_the_sweep_ends(ray: Ray) -> None:
    crew = sweep_ray.RayCrew("local", n_workers=2)
    assert "address" not in ray.asked
    crew.begin(0, Task(SITE, TwinRequest()))
    crew.close()
    assert [force for _one, force in ray.cancelled] == [True] and not ray.is_up


@pytest.mark.usefixtures("ray")
def test_a_cluster_that_does_not_answer_is_told_in_one_line() -> None:
    with pytest.raises(Unavailable) as caught:
        sweep_ray.RayCrew("nowhere")
    assert caught.value.message == "No Ray cluster answers at 'nowhere': no answer at all."
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # nobody listens there
        address = f"ray://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(Unavailable, match=f"No Ray cluster answers at '{address}': Connection refused"):
            sweep_ray.RayCrew(address)


def test_a_run_that_fits_into_no_machine_of_a_cluster_is_refused(ray: Ray) -> None:
    with pytest.raises(TooLarge, match="about 1,250 MiB; the largest machine of the cluster lends 600"):
        sweep_ray.RayCrew("auto", memory_mib=1000.0)
    assert not ray.is_up
