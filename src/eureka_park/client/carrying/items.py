"""What is carried: files with a path, a place and perhaps a hash, however they are reached."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from eureka_park.foundation.errors import BadInput

PATH_BYTES_MAX: Final = 1024
SHA256_CHARS: Final = 64
_PIECE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Item:
    """A file to be carried. `sha256` '' where it is not known; `mark` changes when the content does, '' where nothing
    tells; `local` where it lies here; else `fetch` brings it to a file, going on with what lies there already.
    """

    path: str
    place: str  # for people
    size_bytes: int | None = None
    sha256: str = ""
    git_oid: str = ""  # by which Git knows the content
    mark: str = ""
    local: Path | None = None
    fetch: Callable[[Path], None] | None = None
    fault: str = ""  # why it cannot be carried


class Source(Protocol):
    """Where files come from."""

    note: str  # the place, as the version and its lineage say it

    def items(self) -> Iterator[Item]:
        """All files, one after the other. Raises ParkError where the place cannot be read at all."""


def path_fault(path: str) -> str:
    """Why a path cannot be kept; '' for a sound one. The park asks the same again."""
    try:
        raw = path.encode()
    except UnicodeEncodeError:
        return "is no Unicode"
    names = path.split("/")
    if not path or "" in names or "." in names or ".." in names:
        return "holds an empty name, '.' or '..'"
    if len(raw) > PATH_BYTES_MAX or any(len(name.encode()) > 255 for name in names):
        return "is too long"
    if "\\" in path or any(unicodedata.category(mark) == "Cc" for mark in path):
        return "holds a backslash or a control character"
    return ""


def check_sha256(text: str) -> str:
    """A hash in small letters. Raises BadInput."""
    found = text.strip().lower()
    if len(found) != SHA256_CHARS or any(mark not in "0123456789abcdef" for mark in found):
        raise BadInput(f"{text[:80]!a} is no SHA-256.", fix="Write 64 hexadecimal digits.", code="bad_sha256")
    return found


def digests(file: Path) -> tuple[str, str, int]:
    """SHA-256, the SHA-1 by which Git would know it, and the size of a file. Raises OSError."""
    size_bytes = file.stat().st_size
    digest, git = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size_bytes, usedforsecurity=False)
    with file.open("rb") as content:
        while piece := content.read(_PIECE):
            digest.update(piece)
            git.update(piece)
    return digest.hexdigest(), git.hexdigest(), size_bytes
