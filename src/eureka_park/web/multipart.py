"""Bodies of multipart/form-data as they come: part by part, file by file, in the memory of one piece (RFC 7578)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from eureka_park.foundation.errors import BadInput

HEAD_BYTES_MAX: Final = 16 * 1024
FIELD_BYTES_MAX: Final = 64 * 1024
PARTS_MAX: Final = 2_100
_KIND: Final = re.compile(
    r"multipart/form-data\s*;.*?boundary=(?:\"([^\"\r\n]{1,70})\"|([^\s;\"]{1,70}))", re.IGNORECASE
)
_NAME: Final = re.compile(r'[;\s]name="([^"\r\n]*)"')
_FILE: Final = re.compile(r'[;\s]filename="([^"\r\n]*)"')


@dataclass(frozen=True, slots=True)
class Part:
    """A field or a file (`file_name` is None for a field). `content` has to be read before the next part."""

    name: str
    file_name: str | None
    content: Iterator[bytes]

    def text(self) -> str:
        """A field's value. Raises BadInput for one that is too long."""
        found = bytearray()
        for piece in self.content:
            found += piece
            if len(found) > FIELD_BYTES_MAX:
                raise BadInput("A field of the form is too long.", fix="Shorten it.", code="bad_form")
        return found.decode("utf-8", "replace")


def boundary_of(content_type: str) -> bytes:
    """What stands between the parts. Raises BadInput for another kind of body."""
    found = _KIND.match(content_type[:300])
    if found is None:
        raise broken()
    return (found[1] or found[2]).encode("latin-1", "replace")


def parts(pieces: Iterator[bytes], boundary: bytes) -> Iterator[Part]:
    """The parts of a body, one after the other. Raises BadInput (`bad_form`) for what is no such form or breaks off."""
    body = _Body(pieces, b"\r\n--" + boundary)
    for _ in body.until_mark():
        pass  # what stands before the first part is no part
    for _ in range(PARTS_MAX):
        if body.take(2) == b"--":
            return
        head = body.head()
        named, file = _NAME.search(head), _FILE.search(head)
        if named is None:
            raise broken()
        content = body.until_mark()
        yield Part(named[1], _unescaped(file[1]) if file else None, content)
        for _ in content:
            pass  # what its reader has left
    raise BadInput("The form has too many parts.", fix="Send fewer at once.", code="too_many_files")


class _Body:
    def __init__(self, pieces: Iterator[bytes], mark: bytes) -> None:
        self._pieces, self._mark, self._waiting = pieces, mark, bytearray(b"\r\n")

    def _more(self) -> None:
        piece = next(self._pieces, None)
        if piece is None:
            raise broken()
        self._waiting += piece

    def take(self, n: int) -> bytes:
        """The next n bytes."""
        while len(self._waiting) < n:
            self._more()
        found = bytes(self._waiting[:n])
        del self._waiting[:n]
        return found

    def head(self) -> str:
        """The head of a part, after the line end that the mark has."""
        while (end := self._waiting.find(b"\r\n\r\n")) < 0:
            if len(self._waiting) > HEAD_BYTES_MAX:
                raise broken()
            self._more()
        return self.take(end + 4).decode("utf-8", "replace")

    def until_mark(self) -> Iterator[bytes]:
        """Everything up to the next mark, which is passed."""
        while (end := self._waiting.find(self._mark)) < 0:
            sure = len(self._waiting) - len(self._mark) + 1
            if sure > 0:
                yield self.take(sure)
            self._more()
        if end:
            yield self.take(end)
        self.take(len(self._mark))


def _unescaped(name: str) -> str:
    """A file's name: browsers write quotes and line ends in it so (WHATWG, multipart/form-data)."""
    return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def broken() -> BadInput:
    """It is no form of these pages, or has broken off."""
    return BadInput("That is not a form of these pages.", fix="Send it from the page.", code="bad_form")
