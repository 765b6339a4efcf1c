"""What data needs from outside: a place where objects lie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as its place lists it."""

    key: str
    size_bytes: int
    changed_at_s: float


class Objects(Protocol):
    """Immutable objects by key. A key is given once and never again."""

    def staged(self, name: str = "") -> AbstractContextManager[Path]:
        """A file of the machine to write an object to before it has a key; gone at the end, unless `name` was given."""

    def staged_bytes(self, prefix: str) -> int:
        """Bytes that staged files of names with this prefix take of the disk."""

    def space(self) -> tuple[int, int]:
        """Bytes that are free on the disk of staged files, and all of its bytes."""

    def keep(self, file: Path, key: str, *, is_durable: bool = True) -> None:
        """Give a staged file its key; not durable until `sync` where asked so. Raises Unavailable for a full disk."""

    def put(self, key: str, content: bytes) -> None:
        """Keep a small object, not durable until `sync`. Raises Unavailable for a full disk."""

    def sync(self) -> None:
        """Have all that was kept survive a power cut."""

    def read(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes [start, end) of an object, in pieces. Raises NotFound."""

    def place(self, key: str) -> Path | None:
        """The file in which an object lies just as it is; None where it lies in none, or not there."""

    def listed(self) -> Iterator[Stored]:
        """All objects."""

    def drop(self, key: str) -> None:
        """Take an object away; one that is no more is no error."""

    def sweep(self, before_s: float) -> int:
        """Take away staged files that were last changed before an instant; how many."""
