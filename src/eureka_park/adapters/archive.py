"""A backup as one ZIP file: tables as lines, small files of the home, blobs, and a manifest with the SHA-256 of each.

A file that is being written has another name, and gets its own when it is whole and on the disk.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from eureka_park.foundation.disk import sync_folder
from eureka_park.foundation.errors import BadInput, Conflict, NotFound, Unavailable

FORMAT: Final = 1
FORMAT_WITH_TREES: Final = 2
MANIFEST: Final = "manifest.json"
TREES_OF_JOB: Final = ("out", "checkpoint")
CHUNK: Final = 1 << 20
_ROWS: Final = re.compile(r"rows/[a-z0-9_]{1,80}\.jsonl")
_BLOB: Final = re.compile(r"blobs/[0-9a-f]{64}")
_FILE: Final = re.compile(
    r"home/(keys/|blobs/store/(packs/)?[0-9a-f]{2}/[0-9a-f]{2}/)?[A-Za-z0-9_][A-Za-z0-9._-]{0,80}"
)
_TREE: Final = re.compile(r"trees/[0-9]{1,9}")
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A file that a job left: its path in the home, and what it is. `owner` 0: the park's own user."""

    path: str
    sha256: str
    mode: int
    owner: int


@dataclass(slots=True)
class Manifest:
    """What a backup holds: tables (columns, n_rows, sha256), files and blobs with their SHA-256, what jobs left."""

    format: int
    version: str
    revision: str
    made_at: str
    database: str
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    blobs: list[str] = field(default_factory=list)
    trees: list[TreeFile] = field(default_factory=list)  # the part `trees/N` of the archive is file N of this list
    with_jobs: bool = False

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value; of the older form where it says all."""
        value = asdict(self)
        if not self.trees and not self.with_jobs:
            del value["trees"], value["with_jobs"]
            return {**value, "format": FORMAT}
        trees = [[one.path, one.sha256, one.mode, one.owner] for one in self.trees]
        return {**value, "format": FORMAT_WITH_TREES, "trees": trees}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Manifest:
        """Read what `to_json` wrote. Raises TypeError or ValueError for anything else."""
        trees = [_tree_file(*one) for one in value.get("trees", [])]
        return cls(**{**value, "trees": trees})

    @property
    def n_rows(self) -> int:
        """Rows of all tables."""
        return sum(int(table["n_rows"]) for table in self.tables.values())


class Writer:
    """Fills an archive; the manifest comes last."""

    def __init__(self, file: zipfile.ZipFile, manifest: Manifest) -> None:
        self._zip, self.manifest = file, manifest

    def table(self, name: str, columns: list[str], lines: Iterable[bytes]) -> None:
        """Add a table."""
        digest, n_rows = hashlib.sha256(), 0
        with self._zip.open(f"rows/{name}.jsonl", "w", force_zip64=True) as part:
            for line in lines:
                part.write(line)
                digest.update(line)
                n_rows += 1
        self.manifest.tables[name] = {"columns": columns, "n_rows": n_rows, "sha256": digest.hexdigest()}

    def file(self, name: str, path: Path) -> None:
        """Add a small file of the home."""
        self.manifest.files[name] = self._add(f"home/{name}", path)

    def blob(self, sha256: str, path: Path) -> None:
        """Add a blob. Raises Unavailable for one that is not what its name says."""
        if self._add(f"blobs/{sha256}", path) != sha256:
            raise Unavailable(
                f"The blob {sha256} is damaged on the disk.",
                fix="Check the disk; put that blob back from an earlier backup, or remove it.",
                code="blob_damaged",
            )
        self.manifest.blobs.append(sha256)

    def _add(self, name: str, path: Path) -> str:
        with path.open("rb") as source:
            return self._copy(name, source)

    def _copy(self, name: str, source: BinaryIO) -> str:
        digest = hashlib.sha256()
        with self._zip.open(name, "w", force_zip64=True) as part:
            for chunk in _chunks(source):
                part.write(chunk)
                digest.update(chunk)
        return digest.hexdigest()

    def tree_file(self, path: str, source: BinaryIO, mode: int, owner: int) -> None:
        """Add a file that a job left, as it is now."""
        digest = self._copy(f"trees/{len(self.manifest.trees)}", source)
        self.manifest.trees.append(TreeFile(path, digest, mode, owner))

    def finish(self) -> None:
        """Write the manifest: without it there is no backup."""
        self._zip.writestr(MANIFEST, json.dumps(self.manifest.to_json(), indent=1))


class Reader:
    """Reads an archive whose manifest is whole; each part is compared with its SHA-256 while it is read."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._zip = file
        self.manifest = _manifest(file)
        wanted = [f"rows/{name}.jsonl" for name in self.manifest.tables]
        wanted += [f"home/{name}" for name in self.manifest.files] + [f"blobs/{name}" for name in self.manifest.blobs]
        wanted += [f"trees/{number}" for number in range(len(self.manifest.trees))]
        are_inside = all(is_tree_path(one.path) for one in self.manifest.trees)
        if not are_inside or not all(_is_name(name) for name in wanted) or {*wanted, MANIFEST} != {*file.namelist()}:
            raise _damaged("its parts are not those of its manifest")

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a table. Raises BadInput at the end when they are not those that were written."""
        digest, table = hashlib.sha256(), self.manifest.tables[name]
        with _reading(), self._zip.open(f"rows/{name}.jsonl") as part:
            for line in part:
                digest.update(line)
                yield line
        if digest.hexdigest() != table["sha256"]:
            raise _damaged(f"table {name} has changed")

    def file(self, name: str, target: BinaryIO) -> None:
        """Copy a file of the home, or a blob, out."""
        place = f"blobs/{name}" if name in self._blobs else f"home/{name}"
        self._copy(place, name if name in self._blobs else self.manifest.files[name], target)

    def tree_file(self, number: int, target: BinaryIO) -> None:
        """Copy a file that a job left out."""
        self._copy(f"trees/{number}", self.manifest.trees[number].sha256, target)

    def _copy(self, place: str, wanted: str, target: BinaryIO) -> None:
        digest = hashlib.sha256()
        with _reading(), self._zip.open(place) as part:
            for chunk in _chunks(cast(BinaryIO, part)):
                digest.update(chunk)
                target.write(chunk)
        if digest.hexdigest() != wanted:
            raise _damaged(f"{place} has changed")

    @cached_property
    def _blobs(self) -> frozenset[str]:
        return frozenset(self.manifest.blobs)

    def check(self) -> None:
        """Read all of it and compare it with the manifest. Raises BadInput."""
        for name in self.manifest.tables:
            for _ in self.lines(name):
                pass
        with Path(os.devnull).open("wb") as nowhere:
            for name in (*self.manifest.files, *self.manifest.blobs):
                self.file(name, nowhere)
            for number in range(len(self.manifest.trees)):
                self.tree_file(number, nowhere)


@contextmanager
def written(path: Path, manifest: Manifest) -> Iterator[Writer]:
    """A new archive: whole and on the disk after the block, or not there at all.

    Raises Conflict where something is in its place, Unavailable when the disk will not.
    """
    if path.exists():
        raise Conflict(f"{path} is there already.", fix="Name another file.", code="file_exists")
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with disk_told(path), part.open("xb") as target:
            part.chmod(0o600)  # it holds the park's keys
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
                writer = Writer(file, manifest)
                yield writer
                writer.finish()
            target.flush()
            os.fsync(target.fileno())
            part.rename(path)
            sync_folder(path.parent)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """An archive to read. Raises NotFound, or BadInput for what is no whole backup of a form that is known here."""
    try:
        with _reading():
            file = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.", fix="Name the backup.", code="no_backup") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", fix="Name the backup.", field="file") from None
    with file:
        with _reading():
            reader = Reader(file)
        yield reader


def is_file_name(name: str) -> bool:
    """Whether a file of a home, by its path there, is one that a backup takes along."""
    return _FILE.fullmatch(f"home/{name}") is not None


def is_tree_path(path: str) -> bool:
    """Whether a path in a home is one that a job may have left, and nothing else."""
    parts = path.split("/")
    is_log = len(parts) == 3 and parts[2] == "log.txt"
    is_left = len(parts) > 3 and parts[2] in TREES_OF_JOB
    return parts[0] == "jobs" and (is_log or is_left) and "\0" not in path and not {"", ".", ".."} & set(parts)


@contextmanager
def disk_told(place: Path) -> Iterator[None]:
    """Say in plain words what a disk refuses."""
    try:
        yield
    except OSError as error:
        full = error.errno in _FULL
        raise Unavailable(
            f"{place} cannot be written: {(error.strerror or str(error)).lower()}.",
            fix="Free some space, or name another place." if full else "Name another place.",
            code="disk_full" if full else "not_writable",
        ) from error


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise _damaged("it is cut short or damaged") from error


def _is_name(name: str) -> bool:
    return any(form.fullmatch(name) is not None for form in (_ROWS, _BLOB, _FILE, _TREE))


def _manifest(file: zipfile.ZipFile) -> Manifest:
    try:
        found = json.loads(file.read(MANIFEST))
        if found["format"] not in (FORMAT, FORMAT_WITH_TREES):
            raise BadInput(
                f"The backup has form {found['format']}; this version reads forms up to {FORMAT_WITH_TREES}.",
                fix="Use the version that made it, or a newer one.",
                code="backup_form",
                field="file",
            )
        return Manifest.from_json(found)
    except (KeyError, ValueError, TypeError):
        raise _damaged("it has no manifest of a backup") from None


def _tree_file(path: Any, sha256: Any, mode: Any, owner: Any) -> TreeFile:
    if not (isinstance(path, str) and isinstance(sha256, str) and isinstance(mode, int) and isinstance(owner, int)):
        raise TypeError("no file of a folder")
    return TreeFile(path, sha256, mode, owner)


def _damaged(why: str) -> BadInput:
    return BadInput(f"This is no whole backup: {why}.", fix="Take another backup.", code="backup_damaged", field="file")


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    while chunk := source.read(CHUNK):
        yield chunk
