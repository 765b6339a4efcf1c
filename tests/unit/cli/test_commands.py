"""Each command: its page for people, its JSON, its exit code."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from click.testing import Result
from tests.unit.cli.conftest import Run, one_json
from tests.unit.client.small_park import JOB, SmallPark, ended, error, receipt_json


def test_submit_script(small: SmallPark, run: Run) -> None:
    Path("train.py").write_text('# /// script\n# dependencies = ["numpy"]\n# ///\n')
    result = run(
        "submit",
        "train.py",
        "--cpus",
        "1",
        "--tier",
        "flex",
        "--by",
        "2h",
        "--checkpoint",
        "x",
        "--json",
        "--",
        "--epochs",
        "4",
    )
    assert result.exit_code == 0
    assert one_json(result) == {"job_id": next(iter(small.jobs))}
    assert small.bodies == [
        {
            "name": "train.py",
            "script": "train.py",
            "args": ["x", "--epochs", "4"],
            "dependencies": ["numpy"],
            "cpus": 1.0,
            "tier": "flex",
            "by": "2h",
            "checkpoint": True,
            "snapshot_id": "snap-1",
        }
    ]


def test_submit_command_with_everything(small: SmallPark, run: Run) -> None:
    words = "--gpus 1 --memory 2GiB --time 15m --class service --array 10e2 --after job-a --after job-b"
    words += " --no-checkpoint --name n --project p"
    result = run("submit", *words.split(), "--env", "A=1=2", "--env", "B=", "--", "make", "--json", "--", "all")
    assert result.exit_code == 0
    assert result.stdout == f"{next(iter(small.jobs))}\n"
    assert "park logs -f" in result.stderr
    assert small.bodies[0] == {
        "command": ["make", "--json", "--", "all"],
        "gpus": 1,
        "memory": 2 * 2**30,
        "time": 900.0,
        "class": "service",
        "array": 1000,
        "after": ["job-a", "job-b"],
        "checkpoint": False,
        "name": "n",
        "project": "p",
        "env": {"A": "1=2", "B": ""},
    }


def test_submit_folder(small: SmallPark, run: Run) -> None:
    Path("sub").mkdir()
    Path("sub/train.py").write_text("")
    Path("other.txt").write_text("")
    assert run("submit", "sub/train.py", "--dir", ".").exit_code == 0
    assert small.bodies[0]["script"] == "sub/train.py"
    assert [file["path"] for file in small.snapshots[0]] == ["other.txt", "sub/train.py"]
    result = run("submit", "sub/train.py", "--dir", "gone")
    assert (result.exit_code, result.stderr) == (
        1,
        "park: There is no folder 'gone'. Name one that exists with --dir.\n",
    )


def test_submit_job_file_and_options_above_it(small: SmallPark, run: Run) -> None:
    Path("jobs").mkdir()
    Path("jobs/train.py").write_text("")
    Path("jobs/job.toml").write_text(
        'script = "train.py"\nargs = ["a"]\ncpus = 4\nclass = "batch"\n[env]\nA = "1"\nB = "1"\n'
    )
    assert run("submit", "jobs/job.toml", "--cpus", "2", "--env", "B=2").exit_code == 0
    assert small.bodies[0] == {
        "name": "train.py",
        "script": "train.py",
        "args": ["a"],
        "cpus": 2.0,
        "class": "batch",
        "env": {"A": "1", "B": "2"},
        "snapshot_id": "snap-1",
    }
    assert run("submit", "jobs/job.toml", "--", "b").exit_code == 0
    assert small.bodies[1]["args"] == ["b"]


def test_show_a_gang(small: SmallPark, run: Run) -> None:
    small.add(nodes=3, gpus=24, cpus=128.0, memory_bytes=2**40)
    assert "384 CPUs, 24 GPUs, 3,145,728 MiB on 3 whole machines" in run("show", JOB).stdout
    small.add(state="running", nodes=4, min_nodes=2, node="rack-0", held_nodes=["rack-0", "rack-1"])
    assert "runs on 2 of 4 nodes: rack-0, rack-1" in run("show", JOB).stdout
    small.add(state="running", nodes=20, node="n0", held_nodes=[f"n{at}" for at in range(20)])
    assert "runs on 20 of 20 nodes: n0, n1, n2, n3, n4, n5, n6, n7, …" in " ".join(run("show", JOB).stdout.split())
    small.add(gpus=2)
    assert "1 CPUs, 2 GPUs, 1,024 MiB, " in run("show", JOB).stdout


JOBS = """
[[jobs]]
key = "train"
command = ["train"]
after = ["prepare"]
[[jobs]]
key = "prepare"
command = ["prepare"]
"""


def test_submit_a_file_of_several_jobs(small: SmallPark, run: Run) -> None:
    Path("jobs.toml").write_text(JOBS)
    result = run("submit", "jobs.toml", "--tier", "firm")
    assert result.exit_code == 0, result.stderr
    first, second = (line.split() for line in result.stdout.splitlines())
    assert (first[1], second[1]) == ("prepare", "train")
    assert [body["command"] for body in small.bodies] == [["prepare"], ["train"]]
    assert small.bodies[1]["after"] == [first[0]] and {body["tier"] for body in small.bodies} == {"firm"}
    items = json.loads(run("submit", "jobs.toml", "--json").stdout)["items"]
    assert [item["key"] for item in items] == ["prepare", "train"]
    assert run("submit", "jobs.toml", "--", "x").exit_code == 2


def test_a_file_of_several_jobs_is_sent_whole_or_not_at_all(small: SmallPark, run: Run) -> None:
    Path("jobs.toml").write_text(JOBS.replace('["train"]', '["./no"]').replace("after", 'dir = "gone"\nafter'))
    result = run("submit", "jobs.toml")
    assert result.exit_code == 1 and "'train': " in result.stderr and len(result.stderr.splitlines()) == 1
    assert [job["state"] for job in small.jobs.values()] == ["cancelled"]
    Path("jobs.toml").write_text(f'{JOBS}after = ["train"]\n')
    result = run("submit", "jobs.toml")
    assert result.exit_code == 1 and "train -> prepare -> train" in result.stderr
    assert len(small.jobs) == 1, "a cycle is seen before anything is sent"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ([], 2, "nothing to run"),
        (["--"], 2, "nothing to run"),
        (["gone.py"], 1, "There is no script 'gone.py'."),
        (["python", "-c", "1"], 2, "no such option -c"),
        (["python"], 1, "park submit -- python"),
        (["a.py", "--epochs", "3"], 2, "park submit SCRIPT -- --epochs"),
        (["--memory", "-1GiB", "--", "true"], 1, "'memory'"),
        (["--cpus", "x", "--", "true"], 2, "--cpus"),
        (["--tier", "gren", "--", "true"], 2, "--tier"),
        (["--env", "A", "--", "true"], 1, "--env A=VALUE"),
        (["--by", "never", "--", "true"], 1, "neither a duration nor an instant"),
        (["bad.toml"], 1, "bad.toml, line 2: unknown field 'cpu'. Did you mean 'cpus'?"),
        (["gone.toml"], 1, "no job file"),
    ],
)
def test_submit_mistakes_are_one_line(small: SmallPark, run: Run, words: list[str], code: int, says: str) -> None:
    Path("a.py").write_text("")
    Path("bad.toml").write_text('script = "a.py"\ncpu = 1\n')
    result = run("submit", *words)
    assert result.exit_code == code
    assert result.stdout == ""
    assert says in result.stderr
    assert result.stderr.startswith("park: ")
    assert result.stderr.count("\n") == 1
    assert small.bodies == []
    if "--" not in words[:1]:
        as_json = run("submit", "--json", *words)
        assert as_json.exit_code == code
        assert set(json.loads(as_json.stderr)["error"]) >= {"code", "message", "fix", "request_id"}


def test_errors_of_the_park_are_one_line_or_json(small: SmallPark, run: Run) -> None:
    small.errors["jobs"] = error(422, "deadline_past", "The deadline is past.", "Choose a later one.", field="by")[:2]
    assert run("jobs").stderr == "park: The deadline is past. Choose a later one.\n"
    result = run("jobs", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stderr)["error"]["field"] == "by"
    assert result.stdout == ""


@pytest.mark.parametrize("words", [["jobs"], ["status"], ["wait", JOB], ["submit", "--", "true"], ["plan", "--json"]])
def test_no_park_is_125(run: Run, words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 125
    assert "./park up" in result.stderr
    assert result.stderr.count("\n") == 1


def test_unknown_command_names_the_nearest(run: Run) -> None:
    result = run("recipt")
    assert (result.exit_code, result.stderr) == (2, "park: there is no command 'recipt'. Did you mean 'receipt'?\n")
    assert run("--nonsense").exit_code == 2


def test_jobs_table(small: SmallPark, run: Run) -> None:
    reason = {"code": "waits_for_sun", "text": "Waits for clean power.", "values": {}, "until": "2026-11-22T11:00:00Z"}
    small.add("job-1", reasons=[reason], tier="green", name="[red]odd\x1b[31m")
    small.add("job-2", **ended())
    small.add("job-3", state="running", started_at="2026-11-22T10:00:00Z", n_tasks=4)
    result = run("jobs")
    rows = result.stdout.splitlines()
    assert rows[0].split() == ["job", "name", "tier", "state", "waits/ran", "why"]
    assert "waits 3 min" in rows[1]
    assert "Waits for clean power." in rows[1]
    assert "[red]odd" in rows[1]
    assert "\x1b" not in result.stdout
    assert "ran 1 min 30 s" in rows[2]
    assert "runs 3 min" in rows[3]
    assert "(x4)" in rows[3]


def test_jobs_json_and_filters(small: SmallPark, run: Run) -> None:
    for number in range(60):
        small.add(f"job-{number}", state="running" if number % 2 else "queued")
    small.page = 7
    assert len(one_json(run("jobs", "--json", "--all"))["items"]) == 60
    fifty = run("jobs", "--json")
    assert len(one_json(fifty)["items"]) == 50
    assert one_json(fifty)["next"] is None
    assert "--all" in fifty.stderr
    assert {job["state"] for job in one_json(run("jobs", "--json", "--state", "queued"))["items"]} == {"queued"}
    assert run("jobs", "--state", "sleeping").exit_code == 2


def test_jobs_none(small: SmallPark, run: Run) -> None:
    result = run("jobs")
    assert (result.stdout, result.exit_code) == ("", 0)
    assert "park submit" in result.stderr
    assert one_json(run("jobs", "--json")) == {"items": [], "next": None}


def test_show_why_cancel(small: SmallPark, run: Run) -> None:
    reason = {"code": "waits_for_sun", "text": "Waits for clean power.", "values": {}, "until": "2026-11-22T11:00:00Z"}
    small.add(reasons=[reason], receipt={"kwh": 0.5, "credits": 0.25, "method": "modelled"}, cap_frac=0.62)
    page = run("show", JOB).stdout
    assert "Waits for clean power. (until 2026-11-22 11:00 UTC)" in page
    assert "500 Wh, 0.25 credits, modelled" in page
    assert "62%" in page
    assert one_json(run("show", JOB, "--json"))["job_id"] == JOB
    assert run("why", JOB).stdout == "Waits for clean power. (until 2026-11-22 11:00 UTC)\n"
    assert one_json(run("why", JOB, "--json"))["reasons"] == [reason]
    assert run("cancel", JOB).stdout == f"{JOB} cancelled\n"
    assert one_json(run("cancel", JOB, "--json")) == {"job_id": JOB, "state": "cancelled"}
    missing = run("cancel", JOB, "job-none")
    assert (missing.exit_code, missing.stdout) == (1, f"{JOB} cancelled\n")
    assert run("show", "job-none").exit_code == 1
    small.add("job-fine")
    assert "nothing holds it" in run("why", "job-fine").stdout


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (ended(), 0),
        (ended("failed", exit_code=3), 3),
        (ended("failed", exit_signal=9), 137),
        (ended("failed"), 125),
        (ended("failed", n_tasks=4, task_states={"failed": 1}), 1),
        (ended("cancelled", exit_signal=15), 143),
        (ended("lost"), 125),
    ],
)
def test_wait_exits_with_the_jobs_own_code(small: SmallPark, run: Run, changes: dict[str, object], code: int) -> None:
    small.add(**changes)
    result = run("wait", JOB)
    assert result.exit_code == code
    assert result.stdout == ""
    assert f"{JOB} {changes['state']}" in result.stderr
    as_json = run("wait", JOB, "--json")
    assert (as_json.exit_code, one_json(as_json)["state"], as_json.stderr) == (code, changes["state"], "")


def test_wait_timeout_and_park_errors(small: SmallPark, run: Run) -> None:
    small.add(state="running")
    result = run("wait", JOB, "--timeout", "0.2s")
    assert result.exit_code == 124
    assert "still running" in result.stderr
    assert run("wait", "job-none").exit_code == 125
    assert run("wait", JOB, "--timeout", "soon").exit_code == 2


def test_submit_and_wait(small: SmallPark, run: Run) -> None:
    found: list[Result] = []
    thread = threading.Thread(target=lambda: found.append(run("submit", "--wait", "--json", "--", "false")))
    thread.start()
    while not small.jobs:
        pass
    next(iter(small.jobs.values())).update(ended("failed", exit_code=1))
    thread.join()
    assert found[0].exit_code == 1
    assert set(one_json(found[0])) == {"job_id"}


def test_logs(small: SmallPark, run: Run) -> None:
    small.add(**ended())
    small.log = "épreuve 1\nepoch 2\n".encode()
    assert run("logs", JOB).stdout == small.log.decode()
    assert run("logs", "-f", JOB).stdout == small.log.decode()
    assert run("logs", JOB, "--tail", "3").stdout == " 2\n"
    assert run("logs", JOB, "--tail", "0").stdout == ""
    assert one_json(run("logs", JOB, "--json"))["text"] == small.log.decode()


def test_receipt(small: SmallPark, run: Run) -> None:
    small.add(**ended())
    not_yet = run("receipt", JOB)
    assert (not_yet.exit_code, not_yet.stderr) == (1, "park: Not settled yet. Wait.\n")
    small.receipt = receipt_json()
    page = run("receipt", JOB).stdout
    assert "modelled, scale model" in page
    rows = [line.split() for line in page.splitlines()]
    assert ["hour", "kWh", "noor-iii", "grid", "gCO2", "credits"] in rows
    assert ["2026-11-22", "10:00", "UTC", "1.5", "1", "0.5", "30", "0.75"] in rows
    assert ["total", "3", "2", "1", "60", "1.5"] in rows
    assert one_json(run("receipt", JOB, "--json")) == small.receipt


def test_get(small: SmallPark, run: Run) -> None:
    small.add(**ended())
    assert "no outputs" in run("get", JOB).stderr
    small.outputs = {"model.npz": b"model", "a/b": b"b"}
    assert set(run("get", JOB, "--to", "results").stdout.split()) == {"results/model.npz", "results/a/b"}
    assert one_json(run("get", JOB, "model.npz", "--json")) == {
        "items": [{"path": "model.npz", "size_bytes": 5}],
        "next": None,
    }
    assert Path("model.npz").read_bytes() == b"model"
    assert run("get", JOB, "none").exit_code == 1


def test_plan(small: SmallPark, run: Run) -> None:
    page = run("plan").stdout.splitlines()
    assert page[0] == "Sun and wind carry the park."
    assert [line.split()[0] for line in page[1:6]] == ["noor-iv", "koudia", "clean", "grid", "load"]
    assert page[1].rstrip().endswith("100 MW")
    assert "█" in page[3]
    assert "06h" in page[6]
    assert len({len(line) for line in page[1:6]}) == 1
    assert one_json(run("plan", "--json"))["plan_id"] == "plan-1"
    small.plan = None
    assert run("plan").stderr == "park: There is no plan yet. Wait a moment.\n"


def test_status(small: SmallPark, run: Run) -> None:
    page = run("status").stdout
    assert "ready" in page
    assert "1 queued, 2 running" in page
    assert "scale model" in page
    assert one_json(run("status", "--json"))["url"] == small.url


def test_version_and_completion(run: Run) -> None:
    from eureka_park import __version__

    assert run("version").stdout == f"{__version__}\n"
    assert run("--version").stdout == f"{__version__}\n"
    assert one_json(run("version", "--json")) == {"version": __version__}
    assert "_PARK_COMPLETE" in run("completion", "bash").stdout
    assert "_PARK_COMPLETE" in run("completion", "zsh").stdout
    assert "_PARK_COMPLETE" in run("completion", "fish").stdout
    assert run("completion", "tcsh").exit_code == 2


def test_site_new_check_show(small: SmallPark, run: Run) -> None:
    assert one_json(run("site", "show"))["name"] == "bench"
    assert run("site", "new", "my-university").exit_code == 0
    assert run("site", "check", "my-university.toml").exit_code == 0
    again = run("site", "new", "my-university")
    assert (again.exit_code, again.stderr.count("\n")) == (1, 1)
    Path("bad.toml").write_text("nonsense = 1\n")
    bad = run("site", "check", "bad.toml", "--json")
    assert bad.exit_code == 1
    assert "bad.toml" in json.loads(bad.stderr)["error"]["message"]
    assert run("site", "show", "eureka-park").stdout.strip()
    assert one_json(run("site", "show", "bench", "--json"))["name"] == "bench"
