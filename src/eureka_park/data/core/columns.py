"""Columns of tables from the beginning of a file: their names, and what their values are as far as was looked."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

SAMPLE_BYTES: Final = 64 * 1024  # of a file that are looked at
ROWS_MAX: Final = 200
COLUMNS_MAX: Final = 300
NAME_CHARS_MAX: Final = 200
WHOLE, NUMBER, TRUTH, TEXT, DATE = "whole", "number", "truth", "text", "date"
KINDS: Final = frozenset((WHOLE, NUMBER, TRUTH, TEXT, DATE))
_WHOLE: Final = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,3})?")
_TRUTHS: Final = frozenset(("true", "false", "True", "False"))


@dataclass(frozen=True, slots=True)
class Column:
    """A column and what its values are: whole, number, truth, date or text."""

    name: str
    kind: str


def columns_of_csv(sample: bytes, *, is_whole: bool, delimiter: str = ",") -> list[Column]:
    """Columns by the first row; none for what is no such table, or has other delimiters."""
    lines = _lines(sample, is_whole=is_whole)
    try:
        rows = [row for _, row in zip(range(ROWS_MAX + 1), csv.reader(lines, delimiter=delimiter), strict=False)]
    except csv.Error:
        return []
    if not is_whole and rows:
        rows.pop()  # perhaps cut within quotes
    if len(rows) < 2:
        return []
    header, body = rows[0], [row for row in rows[1:] if row]
    if delimiter == "," and len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        return []
    if len(header) > COLUMNS_MAX or len(set(header)) < len(header) or any(not _is_name(name) for name in header):
        return []
    if any(len(row) != len(header) for row in body):
        return []
    return [Column(name, _kind_of([row[at] for row in body])) for at, name in enumerate(header)]


def columns_of_json_lines(sample: bytes, *, is_whole: bool) -> list[Column]:
    """Columns by the names in the first lines; what holds lists or groups is left out."""
    rows: list[dict[str, Any]] = []
    for line in _lines(sample, is_whole=is_whole)[:ROWS_MAX]:
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            return []
        if not isinstance(row, dict):
            return []
        rows.append(row)
    names = dict.fromkeys(name for row in rows for name in row)
    if len(names) > COLUMNS_MAX:
        return []
    found = []
    for name in names:
        values = [row[name] for row in rows if row.get(name) is not None]
        if _is_name(name) and not any(isinstance(value, (list, dict)) for value in values):
            found.append(Column(name, _json_kind(values, is_full=len(values) == len(rows))))
    return found


def _lines(sample: bytes, *, is_whole: bool) -> list[str]:
    text = sample.decode("utf-8-sig", "replace")
    if "\0" in text:
        return []
    lines = text.splitlines(keepends=True) if is_whole else text.splitlines(keepends=True)[:-1]
    return [line for line in lines if len(line) <= SAMPLE_BYTES]


def _is_name(name: str) -> bool:
    return 0 < len(name) <= NAME_CHARS_MAX and name.isprintable() and name.strip() == name


def _kind_of(values: Sequence[str]) -> str:
    """The kind of texts; a whole number only where none is missing, as readers make those with gaps fractions."""
    there = [value for value in values if value != ""]
    if not there:
        return TEXT
    if all(value in _TRUTHS for value in there) and len(there) == len(values):
        return TRUTH
    if all(_WHOLE.fullmatch(value) for value in there):
        return WHOLE if len(there) == len(values) else NUMBER
    return NUMBER if all(_NUMBER.fullmatch(value) for value in there) else TEXT


def _json_kind(values: Iterable[Any], *, is_full: bool) -> str:
    kinds = {type(value) for value in values}
    if kinds == {bool} and is_full:
        return TRUTH
    if kinds == {int}:
        return WHOLE if is_full else NUMBER
    return NUMBER if kinds and kinds <= {int, float} else TEXT
