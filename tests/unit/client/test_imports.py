"""The client is light: it imports its declared dependencies only, nothing of the server or of one system."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "src" / "eureka_park"
LIGHT = [
    *(PACKAGE / "client").rglob("*.py"),
    *(path for path in (PACKAGE / "cli").rglob("*.py") if path.stem not in {"up", "more", "processes", "site", "make"}),
]
DRAWN_LATE = {"top_frame"}  # imported when a frame is drawn, and by nothing before
N_CLIENT = len(list((PACKAGE / "client").rglob("*.py")))
# What is imported when somebody asks for it, and told by name where it is not there: S3, another hub.
ASKED_FOR = {"buckets": {"obstore"}, "exporting": {"huggingface_hub"}}
ONE_SYSTEM = {"fcntl", "resource", "pwd", "grp", "termios", "pty", "syslog", "winreg", "msvcrt"}


def imports(path: Path, *, top_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_only else list(ast.walk(tree))
    found = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return found | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {re.split(r"[^A-Za-z0-9_]", item)[0] for item in project["dependencies"]}


@pytest.mark.parametrize("path", LIGHT, ids=lambda path: path.stem)
def test_only_declared_dependencies(path: Path) -> None:
    foreign = {name.partition(".")[0] for name in imports(path)} - set(sys.stdlib_module_names) - {"eureka_park"}
    wanted = ASKED_FOR.get(path.stem, set())
    assert foreign - wanted <= declared()
    assert not wanted & {name.partition(".")[0] for name in imports(path, top_only=True)}


@pytest.mark.parametrize("path", LIGHT[:N_CLIENT], ids=lambda path: path.stem)
def test_client_imports_foundation_alone(path: Path) -> None:
    ours = {name for name in imports(path) if name.startswith("eureka_park.")}
    assert all(name.startswith(("eureka_park.client", "eureka_park.foundation")) for name in ours)
    assert not imports(path) & ONE_SYSTEM


@pytest.mark.parametrize("path", [path for path in LIGHT if path.stem not in DRAWN_LATE], ids=lambda path: path.stem)
def test_httpx_and_rich_are_imported_late(path: Path) -> None:
    assert not {name.partition(".")[0] for name in imports(path, top_only=True)} & {
        "httpx2",
        "rich",
        "pathspec",
        "platformdirs",
    }


def test_public_names_exist() -> None:
    import eureka_park.client

    assert all(hasattr(eureka_park.client, name) for name in eureka_park.client.__all__)
