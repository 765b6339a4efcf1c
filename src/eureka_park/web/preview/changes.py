"""What changed in a file, for looking at: lines of a text with a few around them, or rows of a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from eureka_park.web.preview.texts import decoded, shown

DIFF_BYTES_MAX: Final = 128 * 1024
LINES_MAX: Final = 1500
LINES_SHOWN: Final = 400
CHARS_MAX: Final = 400
AROUND: Final = 3


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a difference: `sign` + - or blank, '…' where lines are left out; numbers of it before and after."""

    sign: str
    text: str = ""
    old: int | None = None
    new: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table's difference: its cells, each with whether it changed."""

    sign: str
    cells: tuple[tuple[str, bool], ...] = ()


def line_changes(old: bytes, new: bytes) -> list[Line] | None:
    """The lines that differ; None where the texts are too long to compare here."""
    before, after = _lines(old), _lines(new)
    if max(len(before), len(after)) > LINES_MAX:
        return None
    found: list[Line] = []
    for kind, i1, i2, j1, j2 in _groups(before, after):
        if kind == "gap":
            found.append(Line("…"))
        elif kind == "equal":
            found += [Line(" ", before[i][:CHARS_MAX], i + 1, j1 + i - i1 + 1) for i in range(i1, i2)]
        else:
            found += [Line("-", before[i][:CHARS_MAX], i + 1, None) for i in range(i1, i2)]
            found += [Line("+", after[j][:CHARS_MAX], None, j + 1) for j in range(j1, j2)]
    return found


def row_changes(old: bytes, new: bytes, delimiter: str = ",") -> tuple[list[str], list[Row]] | None:
    """The header and the rows of two CSV files that differ; None where they are no tables alike, or too long."""
    before, after = _rows(old, delimiter), _rows(new, delimiter)
    if (
        not before
        or not after
        or before[0] != after[0]
        or len(before[0]) < 2
        or max(map(len, (before, after))) > LINES_MAX
    ):
        return None
    header, before, after = before[0], before[1:], after[1:]
    found: list[Row] = []
    for kind, i1, i2, j1, j2 in _groups(before, after):
        if kind == "gap":
            found.append(Row("…"))
        elif kind == "equal":
            found += [Row(" ", _cells(row)) for row in before[i1:i2]]
        elif i2 - i1 == j2 - j1:
            for left, right in zip(before[i1:i2], after[j1:j2], strict=True):
                found += [Row("-", _cells(left, right)), Row("+", _cells(right, left))]
        else:
            found += [Row("-", _cells(row)) for row in before[i1:i2]]
            found += [Row("+", _cells(row)) for row in after[j1:j2]]
    return [name[:CHARS_MAX] for name in header], found


def _groups(before: Sequence[Any], after: Sequence[Any]) -> Iterator[tuple[str, int, int, int, int]]:
    """Blocks of what differs and what stands around it, 'gap' between them."""
    is_first = True
    for group in SequenceMatcher(None, before, after).get_grouped_opcodes(AROUND):
        if not is_first or group[0][1] > 0:
            yield "gap", 0, 0, 0, 0
        is_first = False
        yield from group


def _lines(content: bytes) -> list[str]:
    lines = shown(decoded(content)[0]).split("\n")
    return lines[:-1] if lines and not lines[-1] else lines


def _rows(content: bytes, delimiter: str) -> list[tuple[str, ...]]:
    try:
        text = shown(decoded(content)[0])
        return [tuple(row) for row in csv.reader(text.splitlines(keepends=True), delimiter=delimiter) if row]
    except csv.Error:
        return []


def _cells(row: Sequence[str], other: Sequence[str] | None = None) -> tuple[tuple[str, bool], ...]:
    return tuple(
        (cell[:CHARS_MAX], other is not None and (index >= len(other) or other[index] != cell))
        for index, cell in enumerate(row[:60])
    )
