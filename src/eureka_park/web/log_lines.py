"""Lines of a log by number. A sparse index in memory is made as far as somebody asks; the end is read backwards.

The index keeps one line number for each block of a file. It grows with the file, and begins anew with another file of
that name. A visitor who opens a log of a gigabyte at its end waits for no index: it is made meanwhile, by one thread.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

BLOCK_BYTES: Final = 256 * 1024
WORK_BYTES: Final = 64 * 1024**2  # read at most by one question
LINE_BYTES_MAX: Final = 16 * 1024  # of a line that is shown
ANSWER_BYTES_MAX: Final = 4 * 1024**2
INDEXES_MAX: Final = 64
_QUIET_BYTES: Final = 8 * 1024**2  # that the thread reads while others wait for the index
_REST_S: Final = 0.001
_NEWLINE: Final = b"\n"


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines in order: the number of the first where it is known, where they begin and end, how many the log has (None:
    not counted yet) and about how many.
    """

    first: int | None
    lines: list[str]
    begin_offset: int
    end_offset: int
    size: int
    n_lines: int | None
    n_lines_estimate: int


@dataclass(slots=True)
class LineIndex:
    """Line numbers at the begin of each block of one file."""

    path: Path
    lock: threading.Lock = field(default_factory=threading.Lock)
    file_id: tuple[int, int] = (0, 0)
    at_blocks: array[int] = field(default_factory=lambda: array("Q", [0]))
    scanned: int = 0  # bytes
    n_newlines: int = 0  # in them

    def extend(self, file: BinaryIO, most_bytes: int) -> bool:
        """Read on, at most so many bytes; whether the whole file is in the index now."""
        facts = os.fstat(file.fileno())
        with self.lock:
            if self.file_id != (facts.st_dev, facts.st_ino) or facts.st_size < self.scanned:
                self.file_id, self.at_blocks = (facts.st_dev, facts.st_ino), array("Q", [0])
                self.scanned = self.n_newlines = 0
            end = min(facts.st_size, self.scanned + most_bytes)
            file.seek(self.scanned)
            while self.scanned < end:
                wanted = BLOCK_BYTES - self.scanned % BLOCK_BYTES
                chunk = file.read(min(wanted, end - self.scanned))
                if not chunk:
                    break
                self.scanned += len(chunk)
                self.n_newlines += chunk.count(_NEWLINE)
                if self.scanned % BLOCK_BYTES == 0:
                    self.at_blocks.append(self.n_newlines)
            return self.scanned >= facts.st_size

    def block_of(self, line: int) -> tuple[int, int]:
        """The last block before which fewer newlines stand than before a line: its begin, and how many do."""
        with self.lock:
            at = max(0, bisect_left(self.at_blocks, line) - 1)
            return at * BLOCK_BYTES, self.at_blocks[at]


class LineIndexes:
    """The indexes of the logs that were asked for lately, and the thread that completes them."""

    def __init__(self, n_max: int = INDEXES_MAX) -> None:
        self._n_max, self._lock = n_max, threading.Lock()
        self._known: OrderedDict[Path, LineIndex] = OrderedDict()
        self._wanted: queue.SimpleQueue[LineIndex] = queue.SimpleQueue()
        self._asked: set[Path] = set()
        self._thread: threading.Thread | None = None

    def of(self, path: Path) -> LineIndex:
        """The index of a log, made when there is none."""
        with self._lock:
            index = self._known.pop(path, None) or LineIndex(path)
            self._known[path] = index
            while len(self._known) > self._n_max:
                self._known.popitem(last=False)
            return index

    def complete(self, index: LineIndex) -> None:
        """Have the rest of an index made in the background."""
        with self._lock:
            if index.path in self._asked:
                return
            self._asked.add(index.path)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="log-lines")
                self._thread.start()
        self._wanted.put(index)

    def _run(self) -> None:
        while True:
            index = self._wanted.get()
            try:
                with index.path.open("rb") as file:
                    while not index.extend(file, _QUIET_BYTES):
                        time.sleep(_REST_S)  # a lock is not handed on to who waits; without a rest it is taken again
            except OSError:
                pass  # the log has gone
            finally:
                with self._lock:
                    self._asked.discard(index.path)


_INDEXES: Final = LineIndexes()


def read_lines(path: Path, from_line: int, n: int, indexes: LineIndexes = _INDEXES) -> Lines:
    """`n` lines from a number on (the first is 0), or the last `-from_line` of them. None where they are not known yet.

    A line is shown as far as 16 KiB, an answer holds 4 MiB at most.
    """
    try:
        with path.open("rb") as file:
            index = indexes.of(path)
            is_whole = index.extend(file, WORK_BYTES if from_line >= 0 else BLOCK_BYTES * 4)
            if not is_whole:
                indexes.complete(index)
            size = os.fstat(file.fileno()).st_size
            n_lines = _n_lines(file, index, size) if is_whole else None
            if from_line < 0:
                found, begin, end = _last_lines(file, size, min(n, -from_line), -from_line)
                first = None if n_lines is None else max(0, n_lines - _behind(file, begin, size))
            else:
                found, begin, end = _numbered_lines(file, index, size, from_line, n)
                first = from_line if found else None
            return Lines(first, found, begin, end, size, n_lines, _estimate(index, size))
    except FileNotFoundError:
        return Lines(None, [], 0, 0, 0, 0, 0)


def line_numbers(path: Path, offsets: Sequence[int], indexes: LineIndexes = _INDEXES) -> list[int | None]:
    """The numbers of the lines that begin at these offsets, as far as the index reaches; it is made further."""
    if not offsets:
        return []
    index = indexes.of(path)
    try:
        with path.open("rb") as file:
            if not index.extend(file, WORK_BYTES):
                indexes.complete(index)
            return [_line_number(file, index, offset) for offset in offsets]
    except FileNotFoundError:
        return [None] * len(offsets)


def _line_number(file: BinaryIO, index: LineIndex, offset: int) -> int | None:
    with index.lock:
        if offset > index.scanned:
            return None
        at = min(offset // BLOCK_BYTES, len(index.at_blocks) - 1)
        before = index.at_blocks[at]
    file.seek(at * BLOCK_BYTES)
    return before + file.read(offset - at * BLOCK_BYTES).count(_NEWLINE)


def _n_lines(file: BinaryIO, index: LineIndex, size: int) -> int:
    """Lines of a file that is in the index; what stands behind the last newline is a line too."""
    if size == 0:
        return 0
    file.seek(size - 1)
    return index.n_newlines + (file.read(1) != _NEWLINE)


def _estimate(index: LineIndex, size: int) -> int:
    with index.lock:
        return round(size * index.n_newlines / index.scanned) if index.scanned else 0


def _numbered_lines(file: BinaryIO, index: LineIndex, size: int, line: int, n: int) -> tuple[list[str], int, int]:
    begin, number = index.block_of(line)
    file.seek(begin)
    while number < line and file.tell() - begin < WORK_BYTES:
        raw = file.readline(BLOCK_BYTES)
        if not raw:
            break
        number += raw.endswith(_NEWLINE)
    if number < line:  # beyond the end, or not in the index yet
        return [], size, size
    return _forward(file, file.tell(), size, n)


def _forward(file: BinaryIO, begin: int, size: int, n: int) -> tuple[list[str], int, int]:
    found: list[str] = []
    at, shown_bytes = begin, 0
    file.seek(begin)
    while len(found) < n and at < size and shown_bytes < ANSWER_BYTES_MAX and at - begin < WORK_BYTES:
        raw = file.readline(LINE_BYTES_MAX)
        if not raw:
            break
        found.append(_text(raw))
        shown_bytes += len(raw)
        while raw and not raw.endswith(_NEWLINE) and file.tell() - begin < WORK_BYTES:
            raw = file.readline(BLOCK_BYTES)  # the rest of a line that is too long to show
        at = file.tell()
    return found, begin, at


def _last_lines(file: BinaryIO, size: int, n: int, n_back: int) -> tuple[list[str], int, int]:
    """The first `n` of the last `n_back` lines, found by reading backwards."""
    begin, newlines, tail = size, 0, True
    while begin > 0 and size - begin < WORK_BYTES:
        start = max(0, begin - BLOCK_BYTES)
        file.seek(start)
        chunk = file.read(begin - start)
        if tail and chunk.endswith(_NEWLINE):
            newlines -= 1  # it ends the last line, it does not begin one more
        tail = False
        count = chunk.count(_NEWLINE)
        if newlines + count >= n_back:
            at = len(chunk)
            for _ in range(n_back - newlines):
                at = chunk.rindex(_NEWLINE, 0, at)
            return _forward(file, start + at + 1, size, n)
        newlines += count
        begin = start
    return _forward(file, begin, size, n)


def _behind(file: BinaryIO, begin: int, size: int) -> int:
    """How many lines stand from an offset on."""
    file.seek(begin)
    count, last = 0, _NEWLINE
    while begin < size and (chunk := file.read(min(BLOCK_BYTES, size - begin))):
        count += chunk.count(_NEWLINE)
        begin += len(chunk)
        last = chunk[-1:]
    return count + (last != _NEWLINE)


def _text(raw: bytes) -> str:
    return raw.removesuffix(_NEWLINE).removesuffix(b"\r").decode("utf-8", "replace")
