"""A folder as a list of files to send: .gitignore honoured at every level, limits said before anything travels."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from eureka_park.client.views import SnapshotFile
from eureka_park.foundation.errors import BadInput, NotFound, TooLarge
from eureka_park.foundation.units import MIB

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

LIMIT_BYTES: Final = 512 * MIB
LIMIT_FILES: Final = 20_000
NEVER_SENT: Final = frozenset({".git", ".venv", "__pycache__"})


@dataclass(frozen=True, slots=True)
class LocalFile:
    """One file to send: where it lies here, its path in the snapshot, its size and permission bits."""

    source: Path
    path: str
    size_bytes: int
    mode: int

    def described(self) -> SnapshotFile:
        """The same file as the park wants to hear of it; reads it to find its SHA-256."""
        digest, size_bytes = _sha256(self.source)
        return {"path": self.path, "sha256": digest, "size_bytes": size_bytes, "mode": self.mode}


@dataclass(frozen=True, slots=True)
class Listing:
    """What of a folder travels, and which links and special files do not."""

    files: tuple[LocalFile, ...]
    not_sent: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        """Sum of the sizes."""
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class _Ignores:
    """The .gitignore files from the top of the folder down to one level."""

    levels: tuple[tuple[str, GitIgnoreSpec], ...] = ()

    def below(self, folder: Path, prefix: str) -> _Ignores:
        path = folder / ".gitignore"
        if not path.is_file():
            return self
        from pathspec import GitIgnoreSpec

        try:
            spec = GitIgnoreSpec.from_lines(path.read_text(encoding="utf-8", errors="replace").splitlines())
        except (ValueError, OSError) as error:
            raise BadInput(
                f"{path} cannot be used: {error}.", fix="Correct or remove it.", code="bad_gitignore"
            ) from None
        return _Ignores((*self.levels, (prefix, spec)))

    def matches(self, path: str) -> bool:
        # The deepest file that says anything decides, as in git.
        for prefix, spec in reversed(self.levels):
            verdict = spec.check_file(path[len(prefix) :]).include
            if verdict is not None:
                return verdict
        return False


def list_folder(folder: Path) -> Listing:
    """What would travel from a folder, sorted by path.

    Links to files inside the folder travel as their content; links that leave it,
    links to folders and special files do not.
    Raises NotFound, BadInput (nothing to send) and TooLarge (the largest folders are named).
    """
    top = folder.resolve()
    if not top.is_dir():
        raise NotFound(f"There is no folder '{folder}'.", fix="Name one that exists with --dir.", code="no_folder")
    not_sent: list[str] = []
    files = sorted(_walk(top, top, "", _Ignores(), not_sent), key=lambda file: file.path)
    _check_limits(folder, files)
    return Listing(tuple(files), tuple(sorted(not_sent)))


def single_file(source: Path) -> Listing:
    """One file alone, at the top of its snapshot."""
    return Listing((_local_file(source, source.name),), ())


def _walk(top: Path, folder: Path, prefix: str, above: _Ignores, not_sent: list[str]) -> Iterator[LocalFile]:
    ignores = above.below(folder, prefix)
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise BadInput(
            f"{folder} cannot be read: {error.strerror}.", fix="Allow reading it, or list it in .gitignore."
        ) from None
    for entry in entries:
        path = prefix + entry.name
        if entry.name in NEVER_SENT:
            continue
        if entry.is_dir(follow_symlinks=False):
            if not ignores.matches(path + "/"):
                yield from _walk(top, Path(entry.path), path + "/", ignores, not_sent)
        elif not ignores.matches(path):
            source = Path(entry.path)
            if _travels(top, source):
                yield _local_file(source, path)
            else:
                not_sent.append(path)


def _travels(top: Path, source: Path) -> bool:
    if not source.is_symlink():
        return source.is_file()
    try:
        target = source.resolve(strict=True)
    except (OSError, RuntimeError):
        return False
    return target.is_file() and target.is_relative_to(top)


def _local_file(source: Path, path: str) -> LocalFile:
    try:
        found = source.stat()
    except OSError as error:
        raise BadInput(
            f"{source} cannot be read: {error.strerror}.", fix="Allow reading it, or list it in .gitignore."
        ) from None
    mode = 0o755 if found.st_mode & stat.S_IXUSR else 0o644
    return LocalFile(source, path, found.st_size, mode)


def _check_limits(folder: Path, files: list[LocalFile]) -> None:
    if not files:
        raise BadInput(
            f"There is nothing to send in '{folder}'.", fix="Check the folder and its .gitignore.", code="empty_folder"
        )
    total_bytes = sum(file.size_bytes for file in files)
    if total_bytes <= LIMIT_BYTES and len(files) <= LIMIT_FILES:
        return
    too_many = len(files) > LIMIT_FILES
    weight: Counter[str] = Counter()
    for file in files:
        weight[_top_folder(file.path)] += 1 if too_many else file.size_bytes
    largest = ", ".join(
        f"{name} ({value:,} files)" if too_many else f"{name} ({_mib(value)})" for name, value in weight.most_common(3)
    )
    have = f"{len(files):,} files" if too_many else _mib(total_bytes)
    limit = f"{LIMIT_FILES:,} files" if too_many else _mib(LIMIT_BYTES)
    raise TooLarge(
        f"'{folder}' holds {have}; at most {limit} travel with a job. Largest: {largest}.",
        fix="List what the job does not need in .gitignore.",
    )


def _top_folder(path: str) -> str:
    head, slash, _ = path.partition("/")
    return head + slash


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / MIB:,.0f} MiB"


def _sha256(source: Path) -> tuple[str, int]:
    digest, size_bytes = hashlib.sha256(), 0
    try:
        with source.open("rb") as stream:
            while chunk := stream.read(1024 * 1024):
                digest.update(chunk)
                size_bytes += len(chunk)
    except OSError as error:
        raise BadInput(
            f"{source} cannot be read: {error.strerror}.", fix="Allow reading it, or list it in .gitignore."
        ) from None
    return digest.hexdigest(), size_bytes
