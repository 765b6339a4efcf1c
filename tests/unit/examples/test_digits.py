"""The digits example, run as a person would: stopped and resumed it ends with the same bits as undisturbed."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from eureka_park.client.job_file import read_job_file
from eureka_park.client.scripts import read_header

EXAMPLE = Path(__file__).parents[3] / "examples" / "digits"
SCRIPT = EXAMPLE / "train.py"


def uv() -> str | None:
    beside = Path(sys.executable).parent / "uv"
    return str(beside) if beside.exists() else shutil.which("uv")


@pytest.fixture(scope="session")
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter that has what the header of the example asks for; made by uv once and kept in pytest's cache."""
    if importlib.util.find_spec("sklearn") is not None:
        return sys.executable
    maker = uv()
    if maker is None:
        pytest.skip("scikit-learn is not installed and there is no uv to make an environment with it")
    cache = getattr(request.config, "cache", None)
    folder = Path(cache.mkdir("digits-env")) if cache is not None else tmp_path_factory.mktemp("digits-env")
    wanted = [sys.version, *read_header(SCRIPT).dependencies]
    venv = folder / hashlib.sha256(repr(wanted).encode()).hexdigest()[:12]
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers of one test run ask at once
        if not (venv / "complete").exists():
            make_environment(maker, venv, wanted[1:])
    return str(venv / "bin" / "python")


def make_environment(maker: str, venv: Path, dependencies: list[str]) -> None:
    make = [maker, "venv", "-q", "--clear", "--python", sys.executable, str(venv)]
    install = [maker, "pip", "install", "-q", "--only-binary", ":all:", "--python", str(venv / "bin" / "python")]
    for command in (make, [*install, *dependencies]):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip("the package index took more than two minutes")
        if done.returncode:
            pytest.skip(f"uv could not make the environment; is the package index reachable? {done.stderr[-300:]}")
    (venv / "complete").touch()


def start(python: str, folder: Path, *words: str, **env: str) -> subprocess.Popen[str]:
    places = {"PARK_OUTPUT_DIR": str(folder / "out"), "PARK_CHECKPOINT_DIR": str(folder / "checkpoint")}
    return subprocess.Popen(
        [python, "-W", "error", str(SCRIPT), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={**os.environ, **places, **env},
    )


def finish(process: subprocess.Popen[str], code: int) -> str:
    with process:
        text = process.communicate(timeout=200)[0]
    assert process.returncode == code, text
    return text


def test_stopped_and_resumed_equals_undisturbed(python: str, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    undisturbed = finish(start(python, whole, "--epochs", "8"), 0)
    assert [line.split("/")[0] for line in undisturbed.splitlines()[:8]] == [f"epoch {n:3d}" for n in range(1, 9)]
    assert float(undisturbed.splitlines()[-1].removeprefix("accuracy ")) > 0.9

    first = start(python, parts, "--epochs", "8")
    assert first.stdout is not None
    while "epoch   2/" not in first.stdout.readline():
        pass
    first.send_signal(signal.SIGTERM)
    assert "state saved" in finish(first, 75)
    assert not (parts / "out").exists(), "nothing is half-made"
    second = start(python, parts, "--epochs", "8", PARK_RESUME_COUNT="1")
    assert finish(second, 0).startswith("resumed after epoch ")

    for name in ("model.npz", "metrics.json"):
        assert (whole / "out" / name).read_bytes() == (parts / "out" / name).read_bytes()
    assert json.loads((whole / "out" / "metrics.json").read_text())["epochs"] == 8


def test_killed_at_any_moment_it_goes_on(python: str, tmp_path: Path) -> None:
    process = start(python, tmp_path, "--epochs", "4")
    assert process.stdout is not None
    while "epoch   1/" not in process.stdout.readline():
        pass
    process.kill()
    finish(process, -signal.SIGKILL)
    assert "resumed after epoch" in finish(start(python, tmp_path, "--epochs", "4"), 0)
    again = finish(start(python, tmp_path, "--epochs", "4"), 0)
    assert again.splitlines()[0] == "resumed after epoch 4"
    assert again.splitlines()[-1].startswith("accuracy 0.")


def test_header_and_job_file_are_good() -> None:
    header = read_header(SCRIPT)
    assert {item.split(">")[0] for item in header.dependencies} == {"numpy", "scikit-learn"}
    job = read_job_file(EXAMPLE / "job.toml")
    assert job.script == SCRIPT
    assert job.fields["checkpoint"] is True
    assert set(tomllib.loads((EXAMPLE / "job.toml").read_text())) == {"script", "args", *job.fields}
