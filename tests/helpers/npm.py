"""The npm packages that tests need (TypeScript's checker, axe-core): locked, installed once beside the tests' tools."""

from __future__ import annotations

import fcntl
import shutil
import sys
from functools import cache
from pathlib import Path

import hatch_build
import pytest

ROOT = Path(__file__).resolve().parents[2]
ISLANDS = ROOT / hatch_build.ISLANDS
NAMED = ROOT / "tests" / "browser"
FOLDER = Path(sys.prefix) / "page-tests"


@cache
def packages() -> Path:
    """The folder with the test packages; the test that asks is skipped where npm cannot bring them."""
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copyfile(NAMED / name, FOLDER / name)
        _install(FOLDER)
    return FOLDER / "node_modules"


@cache
def island_packages() -> Path:
    """The packages that the islands are built with."""
    with hatch_build.alone(ISLANDS / "package.json"):
        _install(ISLANDS)
    return ISLANDS / "node_modules"


def node() -> str:
    """The program that runs JavaScript outside of a browser; the test is skipped where there is none."""
    try:
        command = hatch_build.npm_command()
    except hatch_build.BuildFailed as failed:
        pytest.skip(str(failed))
    found = command[0] if len(command) > 1 else shutil.which("node")
    if found is None:
        pytest.skip("there is no node here")
    return found


def _install(folder: Path) -> None:
    try:
        hatch_build.install_packages(folder)
    except hatch_build.BuildFailed as failed:
        pytest.skip(str(failed))
