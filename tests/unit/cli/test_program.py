"""`park` as a program: what it imports, how it ends, how it takes signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.client.small_park import JOB, SmallPark, ended

from eureka_park.cli import lazy, main
from eureka_park.foundation.errors import Unavailable

Program = Callable[..., "subprocess.CompletedProcess[str]"]
HEAVY = {
    "httpx2",
    "rich",
    "pydantic",
    "numpy",
    "numba",
    "llvmlite",
    "sqlalchemy",
    "pathspec",
    "fastapi",
    "eureka_park.client",
}


def test_start_imports_nothing_heavy() -> None:
    code = "import sys, eureka_park.cli.main; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(found)


def test_help_imports_nothing_heavy() -> None:
    code = "import sys\nfrom eureka_park.cli.main import cli\ntry: cli.main(['--help'])\n"
    code += "except SystemExit: print('modules', *sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not HEAVY & set(found.rpartition("modules")[2].split())
    assert all(name in found for name, entry in main.COMMANDS.items() if not entry.hidden)


def test_start_is_quick(program: Program) -> None:
    program("version")
    times_s = []
    for _ in range(3):
        begin_s = time.perf_counter()
        assert program("version").returncode == 0
        times_s.append(time.perf_counter() - begin_s)
    assert min(times_s) < 1.5, "a bare `python -c pass` is a good part of this on a busy machine"


def test_exit_codes(small: SmallPark, program: Program) -> None:
    small.add(**ended("failed", exit_code=7))
    assert program("wait", JOB).returncode == 7
    assert program("jobs").returncode == 0
    assert program("show", "job-none").returncode == 1
    assert program("jobs", "--nonsense").returncode == 2
    assert program().returncode == 2


def test_not_reachable_is_125_and_json_on_stderr(program: Program) -> None:
    found = program("jobs", "--json")
    assert (found.returncode, found.stdout) == (125, "")
    assert json.loads(found.stderr)["error"]["code"] == "no_park"


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("words", [["logs", "-f", JOB], ["wait", JOB]])
def test_ctrl_c_leaves_the_job_running_and_says_so(small: SmallPark, words: list[str]) -> None:
    small.add(state="running")
    small.log, small.log_state = b"epoch 1\n", "running"
    command = [sys.executable, "-c", "from eureka_park.cli.main import main; main()", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        end_s = time.monotonic() + 20
        while not small.requests and time.monotonic() < end_s:
            time.sleep(0.02)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        small.jobs[JOB].update(ended())
    assert process.returncode == 130
    assert "runs on" in err
    assert "Traceback" not in err
    assert not small.asked("cancel")


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
def test_a_reader_that_leaves_is_no_defect(small: SmallPark) -> None:
    small.add(**ended())
    small.log = b"line\n" * 2_000_000
    code = "from eureka_park.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "logs", JOB], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        process.wait(20)
    assert err == b""
    assert process.returncode == 1


def test_a_missing_server_part_names_the_install(monkeypatch: pytest.MonkeyPatch) -> None:
    error = lazy.missing_part("up", ModuleNotFoundError("No module named 'sqlalchemy'", name="sqlalchemy"))
    assert "pip install 'eureka-park[server]'" in error.line()
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(Unavailable, match="runs on Linux"):
        lazy.load("up", main.COMMANDS["up"])


def test_a_missing_command_does_not_break_the_others(program: Program, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no command 'gone'"):
        lazy.load("gone", lazy.Lazy("eureka_park.cli.gone:gone", ""))
    with pytest.raises(Unavailable, match="no command 'gone'"):
        lazy.load("gone", lazy.Lazy("eureka_park.cli.about:gone", ""))
    assert program("version").returncode == 0


def test_every_command_has_help_with_an_example() -> None:
    for name, entry in main.COMMANDS.items():
        if entry.is_server:
            continue
        command = lazy.load(name, entry)
        assert command.help
        assert f"park {name}" in command.help
        assert command.epilog is not None and command.epilog.startswith("See also: park ")
