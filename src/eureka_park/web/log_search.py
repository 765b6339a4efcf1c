"""Search in a log: forwards or backwards, in blocks, with a limit to the work of one question."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

BLOCK_BYTES: Final = 1024**2
WORK_BYTES: Final = 64 * 1024**2
SLOW_WORK_BYTES: Final = 8 * 1024**2  # where every line is read as text
TEXT_CHARS: Final = 400
_BEFORE_CHARS: Final = 120  # of a long line, shown before what was found in it
_NEWLINE: Final = b"\n"


@dataclass(frozen=True, slots=True)
class Match:
    """One line that holds the text: where it begins, and the part of it that is shown."""

    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """Matches in the order of the search, and where to go on; None when the log was searched to its end (or begin)."""

    matches: list[Match]
    next: int | None
    size: int


@dataclass(frozen=True, slots=True)
class Needle:
    """What is looked for. Without regard to case, text beyond ASCII is compared as text, which takes longer."""

    text: str
    ignores_case: bool = False

    @property
    def is_slow(self) -> bool:
        """Whether lines must be read as text."""
        return self.ignores_case and not self.text.isascii()

    @property
    def raw(self) -> bytes:
        """The bytes that are looked for."""
        raw = self.text.encode("utf-8", "replace")
        return raw.lower() if self.ignores_case else raw

    def lines(self, chunk: bytes) -> Iterator[tuple[int, int, int]]:
        """The lines of a chunk that hold it: begin, end, and where it stands. No line holds an end of a line."""
        if "\n" in self.text:
            return iter(())
        return self._by_text(chunk) if self.is_slow else self._by_bytes(chunk)

    def _by_bytes(self, chunk: bytes) -> Iterator[tuple[int, int, int]]:
        seen, raw, at = chunk.lower() if self.ignores_case else chunk, self.raw, 0
        while (at := seen.find(raw, at)) >= 0:
            begin = chunk.rfind(_NEWLINE, 0, at) + 1
            end = chunk.find(_NEWLINE, at)
            end = len(chunk) if end < 0 else end
            yield begin, end, at
            at = end

    def _by_text(self, chunk: bytes) -> Iterator[tuple[int, int, int]]:
        wanted, begin = self.text.casefold(), 0
        if wanted not in chunk.decode("utf-8", "replace").casefold():
            return  # most blocks hold none: do not take them line by line
        for line in chunk.split(_NEWLINE):
            place = line.decode("utf-8", "replace").casefold().find(wanted)
            if place >= 0:
                yield begin, begin + len(line), begin + min(place, len(line))
            begin += len(line) + 1


def search_forwards(path: Path, needle: Needle, after: int, limit: int) -> Found:
    """Lines from an offset on, the first first."""
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size if file else 0
        at, work, found = max(0, min(after, size)), _work(needle), list[Match]()
        while file and at < size and work > 0:
            chunk = _whole_lines(file, at)
            if not chunk:
                break
            for begin, end, place in needle.lines(chunk):
                found.append(_match(chunk, begin, end, place, at))
                if len(found) >= limit:
                    return Found(found, min(at + end + 1, size), size)
            work -= len(chunk)
            at += len(chunk)
        return Found(found, at if at < size else None, size)


def search_backwards(path: Path, needle: Needle, before: int, limit: int) -> Found:
    """Lines that begin before an offset, the last first."""
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size if file else 0
        at, work, found = max(0, min(before, size)), _work(needle), list[Match]()
        while file and at > 0 and work > 0:
            begin, chunk = _lines_before(file, at)
            for line_begin, end, place in reversed(deque(needle.lines(chunk), maxlen=limit - len(found))):
                found.append(_match(chunk, line_begin, end, place, begin))
                if len(found) >= limit:
                    return Found(found, begin + line_begin or None, size)
            work -= len(chunk)
            at = begin
        return Found(found, at or None, size)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO | None]:
    """A file that may not be there yet."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        yield file


def _work(needle: Needle) -> int:
    return SLOW_WORK_BYTES if needle.is_slow else WORK_BYTES


def _whole_lines(file: BinaryIO, at: int) -> bytes:
    """A block from an offset on, as far as its last line goes; of a line longer than a block, the block."""
    file.seek(at)
    chunk = file.read(BLOCK_BYTES)
    if len(chunk) < BLOCK_BYTES or chunk.endswith(_NEWLINE):
        return chunk
    return chunk + file.readline(BLOCK_BYTES)


def _lines_before(file: BinaryIO, at: int) -> tuple[int, bytes]:
    """The block before an offset, from the first line that begins in it."""
    begin = max(0, at - BLOCK_BYTES)
    file.seek(begin)
    chunk = file.read(at - begin)
    cut = chunk.find(_NEWLINE) + 1 if begin else 0
    if cut >= len(chunk):
        cut = 0  # a line longer than the block
    return begin + cut, chunk[cut:]


def _match(chunk: bytes, begin: int, end: int, place: int, base: int) -> Match:
    """What is shown of a line: its begin, or of a long one what stands around the place."""
    shown = begin if place - begin <= TEXT_CHARS - _BEFORE_CHARS else place - _BEFORE_CHARS
    while shown > begin and chunk[shown] & 0xC0 == 0x80:
        shown -= 1  # not within a character
    text = chunk[shown : min(end, shown + 4 * TEXT_CHARS)].decode("utf-8", "replace")
    return Match(base + begin, text.rstrip("\r")[:TEXT_CHARS])
