"""Compiled kernels on disk: found again, never stale, safe to compile at once, and the same as plain Python."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numba import errors, types

from eureka_park.foundation import kernel_compiler, kernel_key, kernels

CALLEE = """
import numpy as np
from eureka_park.foundation.kernels import kernel

STEP = 1
TABLE = np.array([5, 7])

@kernel
def add(x):
    '''Add.'''
    return x + STEP + 2
"""
CALLER = """
import math
import callee
from callee import TABLE, add
from eureka_park.foundation.kernels import kernel

@kernel
def many(n):
    total = 0
    for _ in range(n):
        total = add(total) + callee.STEP
    return total * math.floor(10.5) + TABLE[1]
"""
ASK = """
import sys
from caller import many
from eureka_park.foundation import kernels
print(many(int(sys.argv[1])), sum(many.stats.cache_hits.values()), sum(many.stats.cache_misses.values()))
"""

Ask = Callable[..., tuple[int, int, int]]


def run(folder: Path, code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    known = os.environ | {"NUMBA_CACHE_DIR": str(folder / "kept")} | environment
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, env=known, capture_output=True, text=True, check=True
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "callee.py").write_text(CALLEE)
    (tmp_path / "caller.py").write_text(CALLER)
    return tmp_path


@pytest.fixture
def ask(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Import both modules anew, as a new process would; the value, how many were found on disk, how many were not."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(folder / "kept"))
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # byte code goes by time and length

    def answer() -> tuple[int, int, int]:
        forget_modules()
        many = importlib.import_module("caller").many
        return many(3), sum(many.stats.cache_hits.values()), sum(many.stats.cache_misses.values())

    yield answer
    forget_modules()


def forget_modules() -> None:
    for name in ("caller", "callee"):
        sys.modules.pop(name, None)
    importlib.invalidate_caches()


def change(folder: Path, name: str, old: str, new: str) -> None:
    """Change a file of the same length and the same time, which no comparison of files would notice."""
    path = folder / name
    text, times = path.read_text(), path.stat()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_kernel_is_compiled_once(ask: Ask) -> None:
    assert ask() == (127, 0, 1)
    assert ask() == (127, 1, 0)


@pytest.mark.parametrize(
    ("name", "old", "new", "value"),
    [
        ("callee.py", "x + STEP + 2", "x + STEP + 3", 157),
        ("callee.py", "STEP = 1", "STEP = 2", 187),
        ("callee.py", "[5, 7]", "[5, 8]", 128),
        ("caller.py", "total * math", "total + math", 29),
    ],
)
def test_whatever_it_depends_on_is_noticed(ask: Ask, folder: Path, name: str, old: str, new: str, value: int) -> None:
    assert ask() == (127, 0, 1)
    change(folder, name, old, new)
    assert ask() == (value, 0, 1)
    change(folder, name, new, old)
    assert ask() == (127, 1, 0), "what was compiled before is found again"


def test_comments_and_moved_lines_do_not_count(ask: Ask, folder: Path) -> None:
    ask()
    for name in ("callee.py", "caller.py"):
        text = (folder / name).read_text()
        (folder / name).write_text("# a comment\n\n" + text.replace("Add.", "Add more than one."))
    assert ask() == (127, 1, 0)


def test_plain_python_gives_the_same(folder: Path) -> None:
    code = ASK.replace("many.stats.cache_hits.values()", "[]").replace("many.stats.cache_misses.values()", "[]")
    assert run(folder, code, "3", NUMBA_DISABLE_JIT="1").stdout.split() == ["127", "0", "0"]
    assert not (folder / "kept").exists()


def test_checked_indices_are_compiled_apart(folder: Path) -> None:
    code = """
    import numpy as np
    from eureka_park.foundation.kernels import kernel
    @kernel
    def last(values):
        return values[5]
    print(last(np.zeros(3)) is not None)
    """
    file = folder / "checked.py"
    file.write_text(textwrap.dedent(code))
    assert run(folder, "import checked").stdout == "True\n"
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run(folder, "import checked", NUMBA_BOUNDSCHECK="1")
    assert "IndexError" in caught.value.stderr


def test_several_processes_compile_at_once(folder: Path) -> None:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder / "kept")}
    command = [sys.executable, "-c", ASK, "3"]
    running = [
        subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert [process.communicate()[0].split()[0] for process in running] == ["127"] * 4
    kept = [path for path in (folder / "kept" / "eureka-park").iterdir() if path.name != kernels.LOCK]
    assert [path.name.split("-")[0] for path in kept] == ["caller.many"], "what it calls is in it"
    assert {path.suffix for path in kept} == {kernels.SUFFIX}, "no part of a file is left"


def test_a_damaged_file_is_compiled_anew(ask: Ask, folder: Path) -> None:
    ask()
    for path in (folder / "kept").rglob(f"*{kernels.SUFFIX}"):
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    assert ask() == (127, 0, 1)
    for path in (folder / "kept").rglob(f"*{kernels.SUFFIX}"):
        path.write_bytes(b"")
    assert ask() == (127, 0, 1)
    assert ask() == (127, 1, 0)


def test_a_folder_that_cannot_be_written_is_no_error(ask: Ask, folder: Path) -> None:
    (folder / "kept").write_text("a file where the folder should be")
    assert ask() == (127, 0, 1)
    assert ask() == (127, 0, 1)


def test_the_second_folder_is_used_when_the_first_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").write_text("")
    closed, opened = tmp_path / "closed" / "kernels", tmp_path / "open"
    monkeypatch.setattr(kernels, "folders", lambda: [closed, opened])

    def twice(x: int) -> int:
        return 2 * x

    assert kernels.kernel(twice)(4) == 8 and len(list(opened.glob(f"*{kernels.SUFFIX}"))) == 1
    again = kernels.kernel(twice)
    assert again(4) == 8 and sum(again.stats.cache_hits.values()) == 1  # type: ignore[attr-defined]


def test_an_unknown_home_gives_no_folder_named_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as for a user id without an entry
    assert len(kernels.folders()) == 1 and all(path.is_absolute() for path in kernels.folders())


def test_those_unused_longest_go_first(tmp_path: Path) -> None:
    for index in range(kernel_compiler.N_KEPT_MAX + 3):
        path = tmp_path / f"a.b-{index:02d}{kernels.SUFFIX}"
        path.write_bytes(b"")
        os.utime(path, (index, index))
    (tmp_path / f"a.c-00{kernels.SUFFIX}").write_bytes(b"")
    kernel_compiler._forget(tmp_path, f"a.b-*{kernels.SUFFIX}")
    left = sorted(path.name for path in tmp_path.iterdir())
    assert len(left) == kernel_compiler.N_KEPT_MAX + 1 and left[0].startswith("a.b-03") and left[-1].startswith("a.c-")


def test_fields_of_a_named_tuple_that_change_places_are_noticed() -> None:
    """numba's own text of the type is the same for both."""
    found = []
    for names in (["latest", "wake"], ["wake", "latest"]):
        board = NamedTuple("Board", [(name, Any) for name in names])  # type: ignore[misc]
        sig = (types.NamedTuple([types.int64[:], types.int64[:]], board),)
        assert kernel_key.describe_types(sig) == kernel_key.describe_types(sig)
        found.append((repr(sig), kernel_key.describe_types(sig), kernel_key.describe_types((types.Tuple(sig),))))
    assert found[0][0] == found[1][0]
    assert found[0][1] != found[1][1] and found[0][2] != found[1][2]


@kernels.kernel
def make_three() -> np.ndarray:
    return np.arange(3.0)


def test_a_kernel_that_names_numpy_makes_arrays() -> None:
    assert [sum(make_three()) for _ in range(3)] == [3.0, 3.0, 3.0]


def test_arrays_without_numpy_are_refused_clearly() -> None:
    def add(values: np.ndarray) -> None:
        values[:] = values + values

    with pytest.raises(errors.NumbaError, match="NRT required"):
        kernels.kernel(add)(np.zeros(3))


@kernels.kernel
def refuse(x: int) -> int:
    if x > 2:
        raise ValueError("too much")
    return x


@kernels.kernel
def ask_for(x: int) -> int:
    return refuse(x) + 1


def test_errors_of_an_inner_kernel_come_through() -> None:
    assert ask_for(2) == 3
    for asked in (ask_for, refuse):
        with pytest.raises(ValueError, match="too much") as caught:
            asked(3)
        assert caught.value.args == ("too much",)


@kernels.kernel
def half(x: float) -> float:
    return x / 2


def test_one_form_serves_all_widths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))  # what is found on disk has no inner forms

    def ask_all(narrow: np.ndarray, index: int) -> float:
        return half(narrow[index]) + half(3) + half(index) + half(np.uint8(1)) + half(2.0)

    narrow = np.array([2**31 - 1, 5], np.int32)
    assert kernels.kernel(ask_all)(narrow, 0) == ask_all(narrow, 0)
    forms = [str(form[0]) for form in half._inner.overloads]  # type: ignore[attr-defined]
    assert sorted(forms) == ["float64", "int64", "uint8"]


def no_kernel(x: int) -> int:
    return x


FACTOR = 3


def scaled(x: int) -> int:
    return x * FACTOR


def test_what_cannot_be_described_is_refused() -> None:
    def refers(x: int) -> int:
        return no_kernel(x)

    with pytest.raises(TypeError, match="refers to no_kernel, a function that is neither a constant nor has @kernel"):
        kernel_key.digest(refers)  # type: ignore[arg-type]


def test_a_constant_must_not_change_once_it_was_used(monkeypatch: pytest.MonkeyPatch) -> None:
    before = kernel_key.digest(scaled)  # type: ignore[arg-type]
    assert kernel_key.digest(scaled) == before  # type: ignore[arg-type]
    monkeypatch.setattr(sys.modules[__name__], "FACTOR", 4)
    with pytest.raises(RuntimeError, match="scaled was compiled with other constants"):
        kernel_key.digest(scaled)  # type: ignore[arg-type]


def test_records_by_field_are_the_same_compiled_or_not() -> None:
    """How kernels read and write boards: `board[slot]["field"]` and `board["field"][slot]`."""
    record = np.dtype([("n", np.int64), ("kw", np.float64)], align=True)

    def move(board: np.ndarray, slot: int) -> float:
        board[slot]["n"] += 2
        row = board[slot]
        row["kw"] = 0.5
        return float(board["kw"][slot] * row["n"])

    plain, compiled = np.zeros(3, record), np.zeros(3, record)
    assert move(plain, 1) == kernels.kernel(move)(compiled, 1) == 1.0
    assert plain.tobytes() == compiled.tobytes()


def test_fetching_ahead_changes_nothing_whatever_the_index() -> None:
    def total(rows: np.ndarray, order: np.ndarray) -> float:
        found = 0.0
        for index in range(order.shape[0]):
            kernels.prefetch(rows, order[index] * 1000 - 5, 0, 2)
            found += rows[order[index]]["kw"]
        return found

    rows = np.zeros(50, np.dtype([("n", np.int64, (9,)), ("kw", np.float64)], align=True))
    rows["kw"] = np.arange(50)
    before, order = rows.tobytes(), np.arange(49, -1, -1)
    assert kernels.kernel(total)(rows, order) == total(rows, order) == 1225.0
    assert rows.tobytes() == before
