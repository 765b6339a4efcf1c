"""Rows of Parquet files, read by a process of its own: a file made to harm takes that process down alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final

from eureka_park.web.preview.columns import Column, Table
from eureka_park.web.preview.rows import NoTable

LIMIT_S: Final = 12.0
READ_BYTES_MAX: Final = 96 * 1024**2  # of the file, for one page
ANSWER_BYTES_MAX: Final = 4 * 1024**2
AT_ONCE: Final = 2
_CHILD: Final = "eureka_park.web.preview.parquet_child"
_turns = threading.BoundedSemaphore(AT_ONCE)


class TooHard(Exception):
    """The file is too large, too dense or too broken for a look."""


class Busy(Exception):
    """Others look at files just now."""


def can_read() -> bool:
    """Whether the library that reads Parquet is installed."""
    return find_spec("pyarrow") is not None


def parquet_table(read: Callable[[int, int], bytes], size_bytes: int, first: int) -> Table:
    """Rows of a Parquet file from a row on. Raises NoTable for what is none, TooHard, Busy."""
    if not _turns.acquire(timeout=LIMIT_S):
        raise Busy
    try:
        return _asked(read, size_bytes, first)
    finally:
        _turns.release()


def _asked(read: Callable[[int, int], bytes], size_bytes: int, first: int) -> Table:
    child = subprocess.Popen(
        [sys.executable, "-I", "-m", _CHILD],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath, "ARROW_DEFAULT_MEMORY_POOL": "system", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    timer = threading.Timer(LIMIT_S, child.kill)
    timer.start()
    try:
        answer = _answer(child, read, size_bytes, first)
    finally:
        timer.cancel()
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
    if answer is None:
        raise TooHard
    if "error" in answer:
        raise TooHard if answer["error"] == "hard" else NoTable
    columns = tuple(Column.from_json(value) for value in answer["columns"])
    rows = tuple(tuple(row) for row in answer["rows"])
    return Table(
        columns, rows, answer["first"], answer["next_at"], answer["n_rows"], answer["n_looked"], answer["n_left_out"]
    )


def _answer(
    child: subprocess.Popen[bytes], read: Callable[[int, int], bytes], size_bytes: int, first: int
) -> dict[str, Any] | None:
    """Serve the child the parts that it asks for, until it answers; None where it ends without an answer."""
    assert child.stdin is not None and child.stdout is not None
    n_read = 0
    try:
        child.stdin.write(json.dumps({"size_bytes": size_bytes, "first": first}).encode() + b"\n")
        child.stdin.flush()
        while True:
            line = child.stdout.readline(ANSWER_BYTES_MAX + 1)
            if not line.endswith(b"\n"):
                return None
            asked: dict[str, Any] = json.loads(line)
            if "read" not in asked:
                return asked
            start, end = asked["read"]
            n_read += end - start
            if not 0 <= start <= end <= size_bytes or n_read > READ_BYTES_MAX:
                return None
            child.stdin.write(read(start, end))
            child.stdin.flush()
    except (BrokenPipeError, ValueError, KeyError, TypeError):
        return None
