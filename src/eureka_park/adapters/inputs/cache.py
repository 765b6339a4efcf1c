"""A node's cache of contents by SHA-256: each comes once, is compared with its hash, and stays while there is room.

A content is one file. Jobs have hard links to it, so the kernel counts who uses it: what has more than one name is in
use, and is never taken away. A content carries a fixed instant as its time of change: whatever wrote to it afterwards
shows. Its time of access says when it was used last. All of it survives a kill at any point: a name is given to a file
that is whole, and the parts that a dead process left are gone on with, or begun anew. Nothing is forced to the disk: of
what had not reached it at a power cut the size is not what it should be, and it is fetched again.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol

from eureka_park.foundation.errors import Unavailable
from eureka_park.foundation.units import GIB, bytes_text

KEPT_MTIME_S: Final = 946_684_800  # 2000-01-01, as files of snapshots have it
SPARE_FRAC: Final = 0.02  # of the disk stays free
SPARE_BYTES_MAX: Final = GIB
_PIECE_BYTES: Final = 1 << 20
_TRIES: Final = 3
_FICLONE: Final = 0x40049409
_TOO_MANY: Final = (errno.EMLINK, errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP)


class Source(Protocol):
    """Where contents come from. `is_private`: they are of a confidential project, and stay with the job alone."""

    @property
    def is_private(self) -> bool:
        """Whether no copy may stay."""

    def read(self, sha256: str, start: int, size_bytes: int) -> Iterator[bytes]:
        """The bytes from `start` to the end. Raises NotFound, Unavailable."""


@dataclass(slots=True)
class Fetched:
    """What a cache brought in and what it found damaged, for whoever wants to tell."""

    n_bytes: int = 0
    n_fetched: int = 0
    n_damaged: int = 0


class InputCache:
    """Contents in `folder`, at most `limit_bytes` of them beside those in use. Any number of processes may share it.

    `is_careful`: a content is read and compared each time it is used, not only when it comes.
    """

    def __init__(self, folder: Path, limit_bytes: int, *, is_careful: bool = False) -> None:
        self._folder, self._limit_bytes, self._is_careful = folder, limit_bytes, is_careful
        self.fetched = Fetched()
        (folder / "parts").mkdir(parents=True, exist_ok=True)

    def lay(
        self,
        sha256: str,
        size_bytes: int,
        target: Path,
        source: Source,
        *,
        is_linked: bool,
        told: Callable[[int], object] = lambda _n_bytes: None,
    ) -> None:
        """Put a content at `target`, read-only; fetched first where it is not here, or not what it was.

        `is_linked`: as another name of the file, for those who cannot write to it; else as a copy. `told` hears of
        bytes that came. What is private is never kept. Raises Unavailable (`input_damaged`, `disk_full`), NotFound.
        """
        if source.is_private:
            self._lay_private(sha256, size_bytes, target, source, told)
            return
        for _ in range(_TRIES):
            self._ensure(sha256, size_bytes, source, told)
            try:
                self._give(self._place(sha256), target, is_linked=is_linked)
            except FileNotFoundError:
                continue  # taken away for room in between
            return
        raise Unavailable(
            "The node's cache of inputs has no room for what one job needs.",
            fix="Give it more: PARK_INPUTS_MAX.",
            code="no_room_for_inputs",
        )

    def _lay_private(
        self, sha256: str, size_bytes: int, target: Path, source: Source, told: Callable[[int], object]
    ) -> None:
        with target.open("wb+") as file:
            if not self._fetch(file, sha256, size_bytes, source, told):
                raise _not_as_it_was(sha256)
            os.fchmod(file.fileno(), 0o444)
        os.utime(target, (KEPT_MTIME_S, KEPT_MTIME_S))

    def make_room(self, n_bytes: int) -> None:
        """Take away what was not used for longest until so many more bytes fit into the limit and on the disk.

        Raises Unavailable (`disk_full`) where they do not fit on the disk even so.
        """
        used = shutil.disk_usage(self._folder)
        spare_bytes = min(SPARE_BYTES_MAX, int(used.total * SPARE_FRAC))
        entries = sorted(self._entries())
        kept_bytes = sum(size_bytes for _, size_bytes, _, _ in entries)
        over_bytes = max(kept_bytes + n_bytes - self._limit_bytes, n_bytes + spare_bytes - used.free)
        for _, size_bytes, path, n_names in entries:
            if over_bytes <= 0:
                return
            if n_names == 1:
                with suppress(FileNotFoundError):
                    path.unlink()
                over_bytes -= size_bytes
        if n_bytes and n_bytes + spare_bytes > shutil.disk_usage(self._folder).free:
            raise Unavailable(
                f"The node's disk has no room for {bytes_text(n_bytes)} of inputs.",
                fix="Wait until other jobs are over, or read less.",
                code="disk_full",
            )

    def has(self, sha256: str) -> bool:
        """Whether a content is here."""
        return self._place(sha256).exists()

    # -- one content ---------------------------------------------------------------------------------------------------
    def _place(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def _ensure(self, sha256: str, size_bytes: int, source: Source, told: Callable[[int], object]) -> None:
        if self._is_sound(sha256, size_bytes):
            return
        with self._alone(sha256) as part:
            if self._is_sound(sha256, size_bytes):
                return  # somebody else was fetching it
            is_new = os.fstat(part.fileno()).st_size == 0
            if not self._fetch(part, sha256, size_bytes, source, told) and (
                is_new or not self._fetch(part, sha256, size_bytes, source, told)
            ):
                Path(part.name).unlink(missing_ok=True)
                raise _not_as_it_was(sha256)
            self._keep(part, sha256)

    def _is_sound(self, sha256: str, size_bytes: int) -> bool:
        """Whether a content is here and is what came: one that is not is taken away."""
        place = self._place(sha256)
        try:
            facts = place.stat()
            is_same = facts.st_size == size_bytes and facts.st_mtime_ns == KEPT_MTIME_S * 10**9
            if is_same and self._is_careful:
                with place.open("rb") as content:
                    is_same = hashlib.file_digest(content, "sha256").hexdigest() == sha256
            if is_same:
                os.utime(place, ns=(time.time_ns(), KEPT_MTIME_S * 10**9))
                return True
        except FileNotFoundError:
            return False
        self.fetched.n_damaged += 1
        place.unlink(missing_ok=True)
        return False

    @contextmanager
    def _alone(self, sha256: str) -> Iterator[IO[bytes]]:
        """The part of a content, open for this process alone; who comes later waits."""
        path = self._folder / "parts" / sha256
        while True:
            with path.open("ab+") as part:
                fcntl.flock(part, fcntl.LOCK_EX)
                if _is_at(path, part):
                    yield part
                    return
            # it got its name meanwhile: a new part is begun where that is needed still

    def _fetch(
        self, part: IO[bytes], sha256: str, size_bytes: int, source: Source, told: Callable[[int], object]
    ) -> bool:
        """Go on with a part until it is whole, and say whether it is what it should be; one that is not is emptied."""
        digest, n_bytes = self._begun(part, size_bytes)
        told(n_bytes)
        try:
            for piece in source.read(sha256, n_bytes, size_bytes) if n_bytes < size_bytes else ():
                part.write(piece)
                digest.update(piece)
                n_bytes += len(piece)
                told(len(piece))
                if n_bytes > size_bytes:
                    break
            part.flush()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                Path(part.name).unlink(missing_ok=True)
                raise Unavailable("The node's disk is full.", fix="Free some space.", code="disk_full") from error
            raise
        if n_bytes != size_bytes or digest.hexdigest() != sha256:
            told(-n_bytes)
            part.truncate(0)
            return False
        self.fetched.n_fetched += 1
        self.fetched.n_bytes += n_bytes
        return True

    @staticmethod
    def _begun(part: IO[bytes], size_bytes: int) -> tuple[hashlib._Hash, int]:
        """What a part holds already, read again; more than there should be is thrown away."""
        part.seek(0)
        digest, n_bytes = hashlib.sha256(), 0
        while piece := part.read(_PIECE_BYTES):
            digest.update(piece)
            n_bytes += len(piece)
        if n_bytes > size_bytes:
            part.truncate(0)
            return hashlib.sha256(), 0
        return digest, n_bytes

    def _keep(self, part: IO[bytes], sha256: str) -> None:
        place = self._place(sha256)
        place.parent.mkdir(exist_ok=True)
        os.fchmod(part.fileno(), 0o444)
        os.utime(part.fileno(), ns=(time.time_ns(), KEPT_MTIME_S * 10**9))
        Path(part.name).rename(place)

    @staticmethod
    def _give(place: Path, target: Path, *, is_linked: bool) -> None:
        if is_linked:
            try:
                os.link(place, target)
                return
            except OSError as error:
                if error.errno not in _TOO_MANY:
                    raise
        with place.open("rb") as reader, target.open("wb") as writer:
            try:
                fcntl.ioctl(writer.fileno(), _FICLONE, reader.fileno())
            except OSError:
                shutil.copyfileobj(reader, writer, _PIECE_BYTES)
            os.fchmod(writer.fileno(), 0o444)
        os.utime(target, (KEPT_MTIME_S, KEPT_MTIME_S))

    def _entries(self) -> Iterator[tuple[float, int, Path, int]]:
        """All that is here: when it was used last, its size, its place and how many names it has; parts too."""
        for folder in self._folder.iterdir():
            for path in folder.iterdir() if folder.is_dir() else ():
                with suppress(FileNotFoundError):
                    facts = path.stat()
                    # a part that is being written counts as in use
                    n_names = 2 if folder.name == "parts" and _is_taken(path) else facts.st_nlink
                    yield facts.st_atime, facts.st_size, path, n_names


def _not_as_it_was(sha256: str) -> Unavailable:
    fix = "Try again; see: park data scrub."
    return Unavailable(f"The content {sha256} did not arrive as it was.", fix=fix, code="input_damaged")


def _is_at(path: Path, file: IO[bytes]) -> bool:
    """Whether a path still names an open file."""
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False


def _is_taken(part: Path) -> bool:
    with part.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


__all__ = ["Fetched", "InputCache", "Source"]
