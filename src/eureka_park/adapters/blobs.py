"""Objects of the data store in a folder of the home; those in a bucket are in `bucket_blobs`."""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import obstore
from obstore.store import LocalStore

from eureka_park.data.ports import Stored
from eureka_park.foundation.disk import sync_folder
from eureka_park.foundation.errors import NotFound, Unavailable

VARIABLE: Final = "PARK_BLOBS"
PIECE_BYTES: Final = 1024**2
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_FOLDER: Final = "store"
_STAGED: Final = "incoming"


class Blobs:
    """Objects by key. What comes is staged beside them, so keeping it is a rename."""

    def __init__(self, folder: Path) -> None:
        """`folder`: of staged files and of objects."""
        self._staged, self._root = folder / _STAGED, folder / _FOLDER
        self._store: Any = None

    def _objects(self) -> Any:
        if self._store is None:
            self._root.mkdir(parents=True, exist_ok=True)
            self._store = LocalStore(self._root)
        return self._store

    @contextmanager
    def staged(self, name: str = "") -> Iterator[Path]:
        """A file to write an object to; one without a name is gone at the end."""
        with _disk_troubles():
            self._staged.mkdir(parents=True, exist_ok=True)
            path = self._staged / (name or f"{secrets.token_hex(8)}.part")
            try:
                yield path
            finally:
                if not name:
                    path.unlink(missing_ok=True)

    def staged_bytes(self, prefix: str) -> int:
        """Bytes that staged files of names with this prefix take of the disk; holes in them take none."""
        n_bytes = 0
        for path in self._staged.glob(f"{prefix}*"):
            with suppress(FileNotFoundError):
                found = path.stat()
                n_bytes += min(found.st_size, found.st_blocks * 512)
        return n_bytes

    def space(self) -> tuple[int, int]:
        """Bytes that are free on the disk of staged files, and all of its bytes."""
        with _disk_troubles():
            try:
                found = os.statvfs(self._staged)
            except FileNotFoundError:
                self._staged.mkdir(parents=True, exist_ok=True)
                found = os.statvfs(self._staged)
        return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize

    def keep(self, file: Path, key: str, *, is_durable: bool = True) -> None:
        """Give a staged file its key."""
        with _disk_troubles():
            place = self._root / key
            file.chmod(0o444)
            if is_durable:
                _sync_file(file)
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)
            if is_durable:
                for above in (place.parent, place.parent.parent, self._root):
                    sync_folder(above)

    def put(self, key: str, content: bytes) -> None:
        """Keep a small object, not durable until `sync`. Half an object has no row, so nobody reads it."""
        with _disk_troubles():
            place = f"{self._root}/{key}"
            try:
                _write(place, content)
            except FileNotFoundError:
                Path(place).parent.mkdir(parents=True, exist_ok=True)
                _write(place, content)

    def sync(self) -> None:
        """Have all that was kept survive a power cut: one call for any number of objects."""
        if not self._root.exists():
            return
        handle = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if ctypes.CDLL(None, use_errno=True).syncfs(handle):
                raise Unavailable("The disk does not take what was sent.", fix="Check it.", code="disk_broken")
        finally:
            os.close(handle)

    def read(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes [start, end) of an object, in pieces of a mebibyte."""
        if start >= end:
            return
        try:
            yield from _read_file(self._root / key, start, end)
        except FileNotFoundError:
            raise NotFound(f"The object {key} is lost.", fix="See: park data scrub", code="object_lost") from None

    def place(self, key: str) -> Path | None:
        """The file in which an object lies; None where it is not there."""
        path = self._root / key
        return path if path.is_file() else None

    def listed(self) -> Iterator[Stored]:
        """All objects."""
        for block in obstore.list(self._objects()):
            yield from (Stored(one["path"], one["size"], one["last_modified"].timestamp()) for one in block)

    def drop(self, key: str) -> None:
        """Take an object away."""
        with suppress(FileNotFoundError):
            obstore.delete(self._objects(), key)

    def sweep(self, before_s: float) -> int:
        """Take away staged files that nobody has written to since an instant."""
        n_swept = 0
        for path in self._staged.glob("*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before_s:
                    path.unlink()
                    n_swept += 1
        return n_swept


def _write(place: str, content: bytes) -> None:
    """In as few calls as it takes: a commit may bring fifty thousand of them."""
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(handle, left) :]
    finally:
        os.close(handle)


def _read_file(path: Path, start: int, end: int) -> Iterator[bytes]:
    """Straight from the file, several times as fast as through a store's stream."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while start < end and (piece := os.pread(handle, min(PIECE_BYTES, end - start), start)):
            yield piece
            start += len(piece)
    finally:
        os.close(handle)


def _sync_file(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _disk_troubles() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Unavailable("The disk is full.", fix="Free some space, then try again.", code="disk_full") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO):
            raise Unavailable(
                "The park cannot write to its store.", fix="Check the disk and its rights.", code="blobs_closed"
            ) from error
        raise


__all__ = ["VARIABLE", "Blobs"]
