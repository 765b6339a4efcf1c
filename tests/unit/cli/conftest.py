"""The command against a small park, in this process and as a program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.unit.client.small_park import TOKEN, SmallPark, running

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _own_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PARK_HOME", str(tmp_path / "no-home"))
    for name in ("HOME", "XDG_CONFIG_HOME", "APPDATA"):  # logins are kept below one of them
        monkeypatch.setenv(name, str(tmp_path / "settings"))
    for name in ("PARK_LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("LANG", "C.UTF-8"), ("LANGUAGE", "en")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "160")
    for name in ("PARK_URL", "PARK_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallPark]:
    with running(SmallPark()) as park:
        monkeypatch.setenv("PARK_URL", park.url)
        monkeypatch.setenv("PARK_TOKEN", TOKEN)
        yield park


@pytest.fixture
def run() -> Run:
    """Run `park WORDS...` in this process."""

    def call(*words: str) -> Result:
        from eureka_park.cli.main import cli

        return CliRunner().invoke(cli, list(words), catch_exceptions=False)

    return call


@pytest.fixture
def program() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `park WORDS...` as a program of its own."""

    def call(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from eureka_park.cli.main import main; main()", *words]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ), **options
        )

    return call


def one_json(result: Result) -> Any:
    """The one JSON document on stdout."""
    return json.loads(result.stdout)
