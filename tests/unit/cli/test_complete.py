"""Completion as the shells ask for it: variables in, lines out, never a word of complaint."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.client.small_park import JOB, SmallPark

from eureka_park.cli.complete import quoted
from eureka_park.client.logins import Login, Logins, write_logins

Program = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def complete(program: Program, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], list[str]]:
    def ask(shell: str, line: str) -> list[str]:
        words = line.split(" ")
        monkeypatch.setenv("_PARK_COMPLETE", f"{shell}_complete")
        monkeypatch.setenv("COMP_WORDS", "\n".join(words) if shell == "powershell" else line)
        last = words[-1] if shell in ("fish", "powershell") else str(len(words) - 1)
        monkeypatch.setenv("COMP_CWORD", last)
        found = program()
        assert found.stderr == ""
        return found.stdout.splitlines()

    return ask


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_commands_options_and_choices(complete: Callable[[str, str], list[str]], shell: str) -> None:
    for line, word in (
        ("park jo", "jobs"),
        ("park logi", "login"),
        ("park jobs --st", "--state"),
        ("park jobs --state fro", "frozen"),
        ("park submit --tier gr", "green"),
        ("park site ch", "check"),
        ("park completion power", "powershell"),
    ):
        assert any(word in found for found in complete(shell, line)), (shell, line)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_ids_of_jobs_by_id_and_by_name(small: SmallPark, complete: Callable[[str, str], list[str]], shell: str) -> None:
    small.add()
    small.add("job-zzzzbbbbccccdddd", name="nightly\tsweep", state="running")
    assert any(JOB in found for found in complete(shell, "park logs job-a"))
    assert not any("job-z" in found for found in complete(shell, "park logs job-a"))
    assert any("job-z" in found for found in complete(shell, "park cancel nigh"))
    assert complete(shell, "park why nothing") in ([], [""])


def test_outputs_of_the_job_that_was_named(small: SmallPark, complete: Callable[[str, str], list[str]]) -> None:
    small.add()
    small.outputs = {"model.npz": b"", "raw/signal": b""}
    assert complete("bash", f"park get {JOB} mo") == ["plain,model.npz"]
    small.outputs = {
        "model $(touch pwned).npz": b"",
        "model`id`": b"",
        "model\nrm -r .": b"",
        "model;ls": b"",
        "model 2.npz": b"",
    }
    assert complete("bash", f"park get {JOB} mo") == ["plain,model 2.npz"]  # nothing that a shell would carry out


def test_parks_that_one_is_logged_in_to(complete: Callable[[str, str], list[str]]) -> None:
    write_logins(Logins({}).added(Login("https://one.example", "park_1")))
    assert complete("bash", "park login --use one") == ["plain,https://one.example"]
    assert complete("bash", "park logout https://one") == ["plain,https://one.example"]


def test_silence_where_no_park_answers(
    complete: Callable[[str, str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in ("http://127.0.0.1:9", "nonsense"):
        monkeypatch.setenv("PARK_URL", url)
        assert complete("bash", "park logs job-") in ([], [""])
    assert complete("bash", "park nonsense x") in ([], [""])
    assert complete("tcsh", "park x") == []


def test_scripts(run: Run) -> None:
    script = run("completion", "powershell").stdout
    assert "Register-ArgumentCompleter -Native -CommandName park, eureka-park" in script
    assert "%(" not in script and "powershell_complete" in script
    assert script.count("{") == script.count("}") and script.count("(") == script.count(")")


def test_words_are_quoted_for_powershell() -> None:
    assert quoted("job-aaaa") == "job-aaaa"
    assert quoted("job-aaaa[3]") == "'job-aaaa[3]'"
    assert quoted("it's") == "'it''s'"


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_itself_takes_the_script(small: SmallPark, run: Run) -> None:
    """The script in a real bash: what Tab would offer."""
    small.add()
    script = run("completion", "bash").stdout
    ask = 'COMP_WORDS=(park logs job-a); COMP_CWORD=2; _park_completion "$PARK"; printf "%s\\n" "${COMPREPLY[@]}"'
    env = {**os.environ, "PARK": f"{sys.executable}\n-m\neureka_park.cli"}  # the script splits it at line ends
    found = subprocess.run(
        ["bash", "-c", f"{script}\n{ask}"], capture_output=True, text=True, check=True, env=env, timeout=30
    )
    assert found.stdout == f"{JOB}\n"


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish here")
def test_fish_itself_takes_the_script(small: SmallPark, run: Run, tmp_path: Path) -> None:
    small.add()
    (tmp_path / "park").write_text(f'#!/bin/sh\nexec {sys.executable} -m eureka_park.cli "$@"\n')
    (tmp_path / "park").chmod(0o755)
    (tmp_path / "park.fish").write_text(run("completion", "fish").stdout)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ask = f"source {tmp_path}/park.fish; complete --do-complete 'park logs job-a'"
    found = subprocess.run(["fish", "-c", ask], capture_output=True, text=True, check=True, env=env, timeout=30)
    assert found.stdout.startswith(f"{JOB}\tdigits (queued)")
