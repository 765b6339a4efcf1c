"""The process that reads one page of a Parquet file and ends.

    python -I -m eureka_park.web.preview.parquet_child

A line of JSON comes in: `{"size_bytes": N, "first": ROW}`. It asks for bytes by lines `{"read": [START, END]}` and gets
just these; its last line is the answer. It opens no file, and takes little memory and time.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from typing import Any, Final

from eureka_park.web.preview.columns import CELL_CHARS_MAX, column_of
from eureka_park.web.preview.rows import COLUMNS_MAX, ROWS_LOOKED, ROWS_SHOWN

MEMORY_BYTES: Final = 2 * 1024**3
CPU_S: Final = 10
GROUP_BYTES_MAX: Final = 512 * 1024**2  # unpacked, of the columns shown
SKIPPED_MAX: Final = 2_000_000
BATCH_ROWS: Final = 256


class Hard(Exception):
    """More than one look may take."""


class Pipe(io.RawIOBase):
    """The file, as whoever started this process hands it over."""

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes, self._at = size_bytes, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go on somewhere else."""
        self._at = offset + (0, self._at, self._size_bytes)[whence]
        return self._at

    def size(self) -> int:
        """Bytes of the file."""
        return self._size_bytes

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes."""
        rest = self._size_bytes - self._at
        n = rest if size is None or size < 0 else min(size, rest)
        if n <= 0:
            return b""
        _say({"read": [self._at, self._at + n]})
        content = sys.stdin.buffer.read(n)
        if len(content) < n:
            raise SystemExit(1)
        self._at += n
        return content


def _say(value: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(value).encode() + b"\n")
    sys.stdout.buffer.flush()


def page_of(file: Any, first: int) -> dict[str, Any]:
    """Some rows of a Parquet file, from a row on. Raises Hard, and what pyarrow raises for a broken file."""
    import pyarrow.parquet as parquet

    opened = parquet.ParquetFile(file, pre_buffer=False, buffer_size=256 * 1024)
    told = opened.metadata
    n_rows, first = told.num_rows, max(0, min(first, told.num_rows))
    names = opened.schema_arrow.names
    kept = names[:COLUMNS_MAX]
    group, skip = _place(told, first)
    rows: list[dict[str, Any]] = []
    while group < told.num_row_groups and len(rows) < ROWS_LOOKED:
        if skip > SKIPPED_MAX or _unpacked(told.row_group(group), kept) > GROUP_BYTES_MAX:
            if rows:
                break
            raise Hard
        for batch in opened.iter_batches(BATCH_ROWS, row_groups=[group], columns=kept, use_threads=False):
            if skip >= batch.num_rows:
                skip -= batch.num_rows
                continue
            rows += _rows(batch.slice(skip))
            skip = 0
            if len(rows) >= ROWS_LOOKED:
                break
        group += 1
    rows = rows[:ROWS_LOOKED]
    kinds = {name: _kind(opened.schema_arrow.field(name).type) for name in kept}
    columns = [
        column_of(name[:CELL_CHARS_MAX], [row.get(name) for row in rows], kinds[name]).to_json() for name in kept
    ]
    following = first + ROWS_SHOWN
    return {
        "columns": columns,
        "rows": [[_cut(row.get(name)) for name in kept] for row in rows[:ROWS_SHOWN]],
        "first": first, "next_at": str(following) if following < n_rows else "", "n_rows": n_rows,
        "n_looked": len(rows), "n_left_out": len(names) - len(kept),
    }  # fmt: skip


def _place(told: Any, first: int) -> tuple[int, int]:
    """The row group that holds a row, and how many rows of it come before."""
    for group in range(told.num_row_groups):
        n = told.row_group(group).num_rows
        if first < n:
            return group, first
        first -= n
    return told.num_row_groups, 0


def _unpacked(group: Any, kept: list[str]) -> int:
    wanted, total = set(kept), 0
    for index in range(min(group.num_columns, 10_000)):
        column = group.column(index)
        if column.path_in_schema.partition(".")[0] in wanted:
            total += max(0, column.total_uncompressed_size)
    return total


def _rows(batch: Any) -> list[dict[str, Any]]:
    columns = {name: [_text(value) for value in batch.column(at)] for at, name in enumerate(batch.schema.names)}
    return [{name: values[index] for name, values in columns.items()} for index in range(batch.num_rows)]


def _text(scalar: Any) -> str | None:
    """A value as a cell says it; bytes by their size alone."""
    value = scalar.as_py()
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value[: 4 * CELL_CHARS_MAX] if isinstance(value, str) else _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, (bytes, bytearray)):
        return f"({len(value):,} B)"
    if isinstance(value, (dict, list)):
        return json.dumps(_sized(value), ensure_ascii=False, default=str)[: 4 * CELL_CHARS_MAX]
    return str(value)


def _sized(value: Any) -> Any:
    """A nested value without its bytes, its lists cut."""
    if isinstance(value, (bytes, bytearray)):
        return f"({len(value):,} B)"
    if isinstance(value, dict):
        return {str(key): _sized(item) for key, item in value.items()}
    return [_sized(item) for item in value[:50]] if isinstance(value, list) else value


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= CELL_CHARS_MAX else f"{text[:CELL_CHARS_MAX]}…"


def _kind(of: Any) -> str:
    from pyarrow import types

    if types.is_boolean(of):
        return "truth"
    if types.is_integer(of):
        return "whole"
    if types.is_floating(of) or types.is_decimal(of):
        return "number"
    if types.is_temporal(of):
        return "date"
    if types.is_nested(of):
        return "list" if types.is_list(of) or types.is_large_list(of) else "group"
    return "bytes" if types.is_binary(of) or types.is_large_binary(of) else "text"


def main() -> int:
    """Read one request, answer it; 0, or 1 where whoever asked has gone."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked = json.loads(sys.stdin.buffer.readline())
    import pyarrow

    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    try:
        file = pyarrow.PythonFile(Pipe(asked["size_bytes"]), mode="r")
        answer = page_of(file, asked["first"])
    except (Hard, MemoryError, pyarrow.ArrowMemoryError):
        answer = {"error": "hard"}
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, OverflowError, RecursionError):
        answer = {"error": "broken"}
    _say(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
