"""The house's rules that a machine can check: imports, banned calls, types, style, sizes."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "eureka_park"
TOOLS = Path(sys.executable).parent
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
# Ratchet: what the tree has reached; a change may lower these figures, never raise them.
MEDIAN_LINES_MAX = 9
P90_LINES_MAX = 24

ONLY_IN = {
    "sqlalchemy": lambda path: (
        path.name == "store.py" or "migrations" in path.parts or path.name.endswith("database.py")
    ),
    "psycopg": lambda path: path.as_posix() == "adapters/postgres_database.py",
    "alembic": lambda path: "migrations" in path.parts,
    "fastapi": lambda path: path.parts[0] == "web",
    "starlette": lambda path: path.parts[0] == "web",
    "uvicorn": lambda path: path.parts[0] == "web",
    "pydantic": lambda path: (
        path.parts[0] == "web" or path.name in {"site_file.py", "plant_file.py", "policy_tables.py"}
    ),
    "jinja2": lambda path: path.parts[0] == "web",
    "llvmlite": lambda path: path.as_posix() == "foundation/kernel_compiler.py",
    "numba": lambda path: path.as_posix() == "foundation/kernel_compiler.py",
}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)


def sources() -> Iterator[tuple[Path, ast.Module, str]]:
    for path in sorted(SRC.rglob("*.py")):
        text = path.read_text()
        yield path.relative_to(SRC), ast.parse(text), text


def test_import_contracts() -> None:
    done = run(str(TOOLS / "lint-imports"), "--no-cache")
    assert done.returncode == 0, done.stdout[-3000:]


def test_ruff_rules_and_banned_calls() -> None:
    done = run(str(TOOLS / "ruff"), "check", "--no-cache", "--output-format", "concise", ".")
    assert done.returncode == 0, done.stdout[-3000:]


def test_format() -> None:
    done = run(str(TOOLS / "ruff"), "format", "--no-cache", "--check", ".")
    assert done.returncode == 0, done.stdout[-3000:]


def test_strict_types() -> None:
    done = run(str(TOOLS / "mypy"))
    assert done.returncode == 0, done.stdout[-3000:]


def runtime_imports(tree: ast.Module) -> Iterator[str]:
    """Names of imported packages, those under TYPE_CHECKING left out."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            skipped.update(ast.walk(node))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (item.name.split(".")[0] for item in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_libraries_stay_in_their_rooms() -> None:
    wrong = [
        f"{path} imports {name}"
        for path, tree, _ in sources()
        for name in set(runtime_imports(tree))
        if name in ONLY_IN and not ONLY_IN[name](path)
    ]
    assert not wrong, wrong


def test_file_and_function_sizes() -> None:
    long, lengths = [], []
    for path, tree, text in sources():
        if text.count("\n") > FILE_LINES_MAX:
            long.append(f"{path}: {text.count(chr(10))} lines")
        if path.parts[0] in {"welcome", "migrations"}:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                lengths.append(length)
                if length > FUNCTION_LINES_MAX:
                    long.append(f"{path}:{node.lineno} {node.name}: {length} lines")
    assert not long, long
    lengths.sort()
    assert lengths[len(lengths) // 2] <= MEDIAN_LINES_MAX
    assert lengths[len(lengths) * 9 // 10] <= P90_LINES_MAX


def test_no_index_address_in_locks() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "://" not in text and "--index" not in text, path
        assert "--hash=sha256:" in text, path


@pytest.mark.parametrize("name", ["foundation.errors"])
def test_all_names_exist(name: str) -> None:
    import importlib

    module = importlib.import_module(f"eureka_park.{name}")
    missing = [item for item in module.__all__ if not hasattr(module, item)]
    assert not missing
