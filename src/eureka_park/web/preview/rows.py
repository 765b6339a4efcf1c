"""Rows of CSV, TSV and JSON files: a window of each, wherever it begins, in the memory of that window."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from eureka_park.web.preview.columns import CELL_CHARS_MAX, Table, column_of
from eureka_park.web.preview.texts import decoded, shown

WINDOW_BYTES: Final = 1024**2
HEADER_BYTES: Final = 128 * 1024
JSON_BYTES_MAX: Final = 2 * 1024**2
ROWS_SHOWN: Final = 50
ROWS_LOOKED: Final = 1000
COLUMNS_MAX: Final = 60
_DELIMITERS: Final = ",;\t|"

Read = Callable[[int, int], bytes]


class NoTable(Exception):
    """The file is no table that can be shown: its text is shown instead."""


def csv_table(read: Read, size_bytes: int, at: int, first: int, *, is_tab: bool = False) -> Table:
    """Rows of a CSV from a byte on that begins a row (0: the first after the header). Raises NoTable."""
    head = read(0, min(size_bytes, HEADER_BYTES))
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise NoTable
    delimiter = "\t" if is_tab else _delimiter(head)
    header, after = next(_records(head, delimiter, len(head) < size_bytes), ([], 0))
    if not header or after == 0:
        raise NoTable
    begin = max(at, after)
    if begin >= size_bytes:
        return _table([name or f"{index + 1}" for index, name in enumerate(header)], [], first, "", 0)
    window = read(begin, min(size_bytes, begin + WINDOW_BYTES))
    rows: list[list[str]] = []
    next_at, last = "", begin
    for row, end in _records(window, delimiter, begin + len(window) < size_bytes):
        if len(rows) == ROWS_SHOWN:
            next_at = next_at or str(last)
        rows.append(row)
        last = begin + end
        if len(rows) >= ROWS_LOOKED:
            break
    if not next_at and rows and last < size_bytes:
        next_at = str(last)
    if not rows:
        raise NoTable
    return _table(header, rows, first, next_at, len(rows))


def _table(header: Sequence[str], rows: Sequence[Sequence[str | None]], first: int, next_at: str, n: int) -> Table:
    width = min(len(header), COLUMNS_MAX)
    names = [shown(name)[:CELL_CHARS_MAX] for name in header[:width]]
    columns = tuple(
        column_of(name, [row[index] if index < len(row) else None for row in rows]) for index, name in enumerate(names)
    )
    cells = tuple(
        tuple(_cell(row[index] if index < len(row) else None) for index in range(width)) for row in rows[:ROWS_SHOWN]
    )
    return Table(columns, cells, first, next_at, None, n, len(header) - width)


def _cell(value: str | None) -> str | None:
    if value is None:
        return None
    return value if len(value) <= CELL_CHARS_MAX else f"{value[:CELL_CHARS_MAX]}…"


def _delimiter(head: bytes) -> str:
    line = head.split(b"\n", 1)[0].decode("utf-8", "replace")
    return max(_DELIMITERS, key=line.count)


def _records(window: bytes, delimiter: str, is_cut: bool) -> Iterator[tuple[list[str], int]]:
    """Records, each with the byte after it. A last one that may be a part is left out. Raises NoTable."""
    consumed = 0
    _, encoding = decoded(window[:HEADER_BYTES])
    code = "cp1252" if encoding == "Windows-1252" else "utf-8-sig"

    def lines() -> Iterator[str]:
        nonlocal consumed
        for line in window.splitlines(keepends=True):
            consumed += len(line)
            yield line.decode(code, "replace").replace("\0", "\ufffd")

    try:
        for record in csv.reader(lines(), delimiter=delimiter):
            if is_cut and consumed >= len(window):
                return
            if record:
                yield record, consumed
    except csv.Error as error:
        raise NoTable from error


def lines_table(read: Read, size_bytes: int, at: int, first: int) -> Table:
    """Rows of a file with a JSON value on each line, from a byte on that begins a line. Raises NoTable."""
    window = read(at, min(size_bytes, at + WINDOW_BYTES))
    is_cut = at + len(window) < size_bytes
    values: list[Any] = []
    ends: list[int] = []
    consumed = 0
    for line in window.splitlines(keepends=True):
        consumed += len(line)
        if is_cut and consumed >= len(window):
            break
        if line.strip():
            values.append(_json(line))
            ends.append(at + consumed)
        if len(values) >= ROWS_LOOKED:
            break
    if not values:
        raise NoTable
    last = ends[min(ROWS_SHOWN, len(ends)) - 1]
    return json_rows(values, first, str(last) if last < size_bytes else "", None)


def json_table(content: bytes, first: int) -> Table:
    """Rows of a JSON list of objects. Raises NoTable for any other value."""
    values = _json(content)
    if not isinstance(values, list) or not values or not any(isinstance(value, dict) for value in values[:100]):
        raise NoTable
    first = min(max(0, first), len(values))
    rest = values[first : first + ROWS_LOOKED]
    following = first + ROWS_SHOWN
    return json_rows(rest, first, str(following) if following < len(values) else "", len(values))


def json_rows(values: Sequence[Any], first: int, next_at: str, n_rows: int | None) -> Table:
    """Values as rows: objects by their keys, anything else in one column."""
    names: dict[str, None] = {}
    for value in values:
        names.update(dict.fromkeys(value if isinstance(value, dict) else ["value"]))
        if len(names) > 10 * COLUMNS_MAX:
            break
    kept = list(names)[:COLUMNS_MAX]
    rows = [value if isinstance(value, dict) else {"value": value} for value in values]
    columns = tuple(
        column_of(
            shown(name)[:CELL_CHARS_MAX], [said(row.get(name)) for row in rows], _kind(row.get(name) for row in rows)
        )
        for name in kept
    )
    cells = tuple(tuple(_cell(said(row.get(name))) for name in kept) for row in rows[:ROWS_SHOWN])
    return Table(columns, cells, first, next_at, n_rows, len(rows), len(names) - len(kept))


def _kind(values: Iterable[Any]) -> str:
    """The kind where a value says it better than its text; '' else."""
    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {list}:
        return "list"
    if kinds and kinds <= {dict}:
        return "group"
    return "text" if str in kinds and kinds & {int, float, bool, list, dict} else ""


def said(value: Any) -> str | None:
    """A JSON value as a cell says it."""
    if value is None:
        return None
    if isinstance(value, str):
        return shown(value[: 4 * CELL_CHARS_MAX])
    try:
        return shown(json.dumps(value, ensure_ascii=False)[: 4 * CELL_CHARS_MAX])
    except (ValueError, RecursionError):
        return "…"


def _json(content: bytes) -> Any:
    try:
        return json.loads(decoded(content)[0])
    except (ValueError, RecursionError) as error:
        raise NoTable from error
