"""Objects of confidential projects, sealed on their way into the store and opened on their way out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from eureka_park.data.core.sealed_form import SEALED, plain_bytes, realm_of_key, seal, sealed_range, unseal
from eureka_park.data.ports import Objects, Stored
from eureka_park.foundation.errors import Unavailable

_PIECE_BYTES: Final = 1024**2


class SealedObjects:
    """A store as it was, but for keys that begin with `sealed/`. `key_of` gives the key of a realm, or raises."""

    def __init__(self, inner: Objects, key_of: Callable[[str], bytes]) -> None:
        self._inner, self._key_of = inner, key_of

    def staged(self, name: str = "") -> AbstractContextManager[Path]:
        """A file of the machine to write an object to, in clear until it is kept."""
        return self._inner.staged(name)

    def staged_bytes(self, prefix: str) -> int:
        """Bytes that staged files take."""
        return self._inner.staged_bytes(prefix)

    def space(self) -> tuple[int, int]:
        """Bytes that are free on the disk of staged files, and all of its bytes."""
        return self._inner.space()

    def keep(self, file: Path, key: str, *, is_durable: bool = True) -> None:
        """Give a staged file its key; one of a confidential project is sealed first, and what lay in clear is gone."""
        if not key.startswith(SEALED):
            self._inner.keep(file, key, is_durable=is_durable)
            return
        project_key = self._key_of(realm_of_key(key))
        with self._inner.staged() as sealed:
            with file.open("rb") as content, sealed.open("wb") as out:
                for segment in seal(project_key, key, iter(lambda: content.read(_PIECE_BYTES), b"")):
                    out.write(segment)
            self._inner.keep(sealed, key, is_durable=is_durable)
        file.unlink(missing_ok=True)

    def put(self, key: str, content: bytes) -> None:
        """Keep a small object."""
        if key.startswith(SEALED):
            content = b"".join(seal(self._key_of(realm_of_key(key)), key, [content]))
        self._inner.put(key, content)

    def sync(self) -> None:
        """Have all that was kept survive a power cut."""
        self._inner.sync()

    def read(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes [start, end). Raises NotFound, Forbidden (`project_locked`), Unavailable (`object_damaged`)."""
        if not key.startswith(SEALED):
            yield from self._inner.read(key, start, end)
            return
        if start >= end:
            return
        project_key = self._key_of(realm_of_key(key))
        place = sealed_range(plain_bytes(key), start, end)
        try:
            yield from unseal(project_key, key, self._inner.read(key, *place), start, end)
        except ValueError as error:
            raise Unavailable(
                f"The object {key} is damaged: {error}.", fix="See: park data scrub", code="object_damaged"
            ) from None

    def place(self, key: str) -> Path | None:
        """The file in which an object lies in clear."""
        return None if key.startswith(SEALED) else self._inner.place(key)

    def listed(self) -> Iterator[Stored]:
        """All objects."""
        return self._inner.listed()

    def drop(self, key: str) -> None:
        """Take an object away."""
        self._inner.drop(key)

    def sweep(self, before_s: float) -> int:
        """Take away staged files that nobody has written to since an instant."""
        return self._inner.sweep(before_s)


__all__ = ["SealedObjects"]
