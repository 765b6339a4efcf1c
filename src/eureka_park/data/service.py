"""Use cases of data: take in blobs safely, make snapshots of them, hand them out."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from eureka_park.accounts.service import AccountsService
from eureka_park.data import store
from eureka_park.data.cards.describing import Describer
from eureka_park.data.cards.service import CardsService
from eureka_park.data.carrying.service import Carrying
from eureka_park.data.collecting import Collector
from eureka_park.data.core.snapshot import (
    SNAPSHOT_BYTES_MAX,
    SnapshotFile,
    SnapshotResult,
    check_sha256,
    check_snapshot,
)
from eureka_park.data.files.service import FilesService
from eureka_park.data.keeping.service import Keeping
from eureka_park.data.keys.ports import Keeper
from eureka_park.data.keys.service import KeysService
from eureka_park.data.lineage.declaring import declare_card
from eureka_park.data.lineage.materials import Materials
from eureka_park.data.lineage.service import LineageService
from eureka_park.data.objects.sealed import SealedObjects
from eureka_park.data.objects.service import ObjectsService
from eureka_park.data.ports import Objects
from eureka_park.data.repositories.service import RepositoriesService
from eureka_park.data.upkeep.service import Upkeep
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.disk import sync_folder
from eureka_park.foundation.errors import BadInput, NotFound, TooLarge, Unavailable
from eureka_park.foundation.units import MIB

BLOB_BYTES_MAX: Final = SNAPSHOT_BYTES_MAX
_PART_AGE_S: Final = 86400.0  # no upload lasts a day; an older part was left by a process that died
_DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class DataService:
    """Blobs in `folder` as `ab/cd/<sha256>`, snapshots in the database; several processes may use them at once."""

    def __init__(self, db: Database, folder: Path, clock: Clock) -> None:
        self._db = db
        self._folder = folder
        self._clock = clock

    def connect(
        self, accounts: AccountsService, kept: Objects, entropy: Callable[[int], bytes], kms: Keeper | None = None
    ) -> None:
        """Add the store of data sets and models: `keys`, `objects`, `repositories`, `files`, `lineage`, `materials`,
        `carrying`, `cards`, `describer`, `keeping`, `collector`, `upkeep`.

        `kms`: the operator's own keeper of keys, where there is one.
        """
        self.keys = KeysService(self._db, self._clock, accounts, entropy, kms)
        kept = SealedObjects(kept, self.keys.key_of)
        self.objects = ObjectsService(self._db, kept, self._clock, entropy, self.keys)
        self.keys.is_empty = self.objects.holds_nothing
        self.repositories = RepositoriesService(self._db, self._clock, accounts, self.objects, entropy)
        self.files = FilesService(self._db, self._clock, accounts, self.objects, entropy)
        self.lineage = LineageService(self._db, self._clock, accounts, self.repositories)
        rooms = (self.objects, self.repositories, self.lineage)
        self.materials = Materials(self._db, self._clock, accounts, *rooms)
        self.carrying = Carrying(self._db, self.objects)
        self.cards = CardsService(self._db, self.repositories)
        self.repositories.versions.on_card = partial(declare_card, self.lineage, self.cards)
        self.describer = Describer(self.repositories.versions, self.objects, self.cards)
        self.keeping = Keeping(self._db, self._clock, accounts, self.repositories)
        self.collector = Collector(self._db, kept, self._clock)
        self.upkeep = Upkeep(self._db, self._clock, accounts, self.collector, self.keeping)
        self.upkeep.expire = self.files.lifecycle.turn

    def put_blob(self, sha256: str, chunks: Iterable[bytes]) -> None:
        """Take in a blob: checked against its hash, on the disk when this returns, and never seen half-made.

        Holds one chunk in memory. A blob that is there already is not read again. Raises BadInput (`hash_mismatch`),
        TooLarge, or Unavailable (`disk_full`); whatever ends it early leaves nothing behind.
        """
        check_sha256(sha256)
        if self.has(sha256):
            return
        place = self._place(sha256)
        with _disk_troubles():
            parts = self._folder / "parts"
            parts.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f"{sha256[:16]}-", dir=parts)
            part = Path(name)
            try:
                with os.fdopen(handle, "wb") as file:
                    _fill(file, sha256, chunks)
                    os.fchmod(file.fileno(), 0o444)
                    os.fsync(file.fileno())
                self._make_folders(place.parent)
                part.replace(place)
                sync_folder(place.parent)
            finally:
                part.unlink(missing_ok=True)

    def has(self, sha256: str) -> bool:
        """Whether the blob is here, whole. Raises BadInput for what is no SHA-256."""
        check_sha256(sha256)
        return self._place(sha256).is_file()

    def blob_path(self, sha256: str) -> Path:
        """The file that holds a blob: read it, copy it, never change or link it. Raises NotFound."""
        if not self.has(sha256):
            raise NotFound(f"There is no blob {sha256}.", fix="Send it first.", code="no_such_blob")
        return self._place(sha256)

    def commit_snapshot(self, files: Sequence[SnapshotFile]) -> SnapshotResult:
        """Make a snapshot once all its blobs are here; until then say which are missing. Equal files give an equal id.

        Raises BadInput for unsafe paths, wrong forms or a size that is not the blob's; TooLarge over 512 MiB or
        20,000 files.
        """
        check_snapshot(files)
        missing: dict[str, None] = {}
        for index, file in enumerate(files):
            size_bytes = self._size_bytes(file.sha256)
            if size_bytes is None:
                missing[file.sha256] = None
            elif size_bytes != file.size_bytes:
                raise BadInput(
                    f"{file.path!a} is said to have {file.size_bytes} bytes; its blob has {size_bytes}.",
                    fix="Read the folder again and send what is there.",
                    code="size_mismatch",
                    field=f"files[{index}].size_bytes",
                )
        if missing:
            return SnapshotResult(None, tuple(missing))
        with self._db.write(alone=False) as conn:
            return SnapshotResult(store.add_snapshot(conn, tuple(files), self._clock.real_s()), ())

    def snapshot(self, snapshot_id: str) -> tuple[SnapshotFile, ...]:
        """The files of a snapshot by path. Raises NotFound."""
        with self._db.read() as conn:
            files = store.snapshot(conn, snapshot_id)
        if files is None:
            raise NotFound(
                f"There is no snapshot {snapshot_id[:80]}.",
                fix="Send the folder again.",
                code="no_such_snapshot",
                field="snapshot_id",
            )
        return files

    def sweep_parts(self) -> int:
        """Remove what uploads left behind whose process was killed over a real day ago; how many there were."""
        n_swept = 0
        for part in (self._folder / "parts").glob("*"):
            with suppress(FileNotFoundError):
                if self._clock.real_s() - part.stat().st_mtime > _PART_AGE_S:
                    part.unlink()
                    n_swept += 1
        return n_swept

    def _place(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256[2:4] / sha256

    def _size_bytes(self, sha256: str) -> int | None:
        try:
            return self._place(sha256).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _make_folders(self, folder: Path) -> None:
        """Make ab/cd, each entry durable before a blob lies in it."""
        for made in (folder.parent, folder):
            if not made.is_dir():
                made.mkdir(exist_ok=True)
                sync_folder(made.parent)


def _fill(file: BinaryIO, sha256: str, chunks: Iterable[bytes]) -> None:
    digest = hashlib.sha256()
    size_bytes = 0
    for chunk in chunks:
        size_bytes += len(chunk)
        if size_bytes > BLOB_BYTES_MAX:
            raise TooLarge(
                f"A blob takes {BLOB_BYTES_MAX // MIB} MiB.", fix="Leave large data out of the folder.", field="body"
            )
        digest.update(chunk)
        file.write(chunk)
    if digest.hexdigest() != sha256:
        raise BadInput(
            "What came does not have the SHA-256 that was named.",
            fix="Send it again; the file may have changed meanwhile.",
            code="hash_mismatch",
            field="sha256",
        )
    file.flush()


@contextmanager
def _disk_troubles() -> Iterator[None]:
    """Say in plain words what the disk refuses; other errors, such as those of the sender, pass as they are."""
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_FULL:
            message, fix, code = "The disk is full.", "Free some space, then try again.", "disk_full"
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENOTDIR, errno.EEXIST):
            message, code = "The park cannot write to its folder of blobs.", "blobs_closed"
            fix = "Check the disk and give the user that runs the park write access to its home."
        else:
            raise
        raise Unavailable(message, fix=fix, code=code) from error


__all__ = ["BLOB_BYTES_MAX", "DataService", "SnapshotFile", "SnapshotResult"]
