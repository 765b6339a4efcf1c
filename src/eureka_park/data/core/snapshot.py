"""A snapshot: the files of a folder by path and content. Equal folders have equal ids, whoever sends them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from eureka_park.data.core.paths import check_paths
from eureka_park.foundation.canonical import content_id
from eureka_park.foundation.errors import BadInput, TooLarge
from eureka_park.foundation.ids import SnapshotId
from eureka_park.foundation.units import MIB

FILES_MAX: Final = 20_000
SNAPSHOT_BYTES_MAX: Final = 512 * MIB
MODES: Final = (0o644, 0o755)
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """One file of a snapshot: where it lies, what it holds, and whether it may be run (mode 0o755) or not (0o644)."""

    path: str
    sha256: str
    size_bytes: int
    mode: int = 0o644

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SnapshotFile:
        """Read what `to_json` wrote."""
        return cls(value["path"], value["sha256"], value["size_bytes"], value["mode"])


@dataclass(frozen=True, slots=True)
class SnapshotResult:
    """What became of an offered snapshot: its id, or the hashes of the blobs that are still to be sent."""

    snapshot_id: SnapshotId | None
    missing: tuple[str, ...]


def check_sha256(text: str, field: str = "sha256") -> None:
    """Raise BadInput unless the text is a SHA-256 in small hexadecimal digits."""
    if not isinstance(text, str) or not _SHA256.fullmatch(text):
        raise BadInput(
            "That is not a SHA-256.", fix="Send 64 small hexadecimal digits.", code="bad_sha256", field=field
        )


def check_snapshot(files: Sequence[SnapshotFile]) -> None:
    """Raise BadInput or TooLarge unless the files make a snapshot: safe paths, true forms, 512 MiB and 20,000 files."""
    if len(files) > FILES_MAX:
        raise TooLarge(
            f"The folder has {len(files):,} files; a snapshot takes {FILES_MAX:,}.",
            fix="Leave files out with .gitignore, or pack them into one.",
            field="files",
        )
    for index, file in enumerate(files):
        _check_file(file, f"files[{index}]")
    check_paths([file.path for file in files])
    size_bytes = total_bytes(files)
    if size_bytes > SNAPSHOT_BYTES_MAX:
        raise TooLarge(
            f"The folder has {size_bytes / MIB:,.1f} MiB; a snapshot takes {SNAPSHOT_BYTES_MAX // MIB} MiB.",
            fix="Leave data out with .gitignore.",
            field="files",
        )


def total_bytes(files: Iterable[SnapshotFile]) -> int:
    """Bytes of all files together, each counted as often as it lies in the folder."""
    return sum(file.size_bytes for file in files)


def ordered(files: Iterable[SnapshotFile]) -> tuple[SnapshotFile, ...]:
    """The files by path: the canonical order of a manifest."""
    return tuple(sorted(files, key=lambda file: file.path))


def snapshot_id(files: Iterable[SnapshotFile]) -> SnapshotId:
    """`snap-` and the SHA-256 of the canonical manifest."""
    return SnapshotId("snap-" + content_id([file.to_json() for file in ordered(files)]))


def _check_file(file: SnapshotFile, field: str) -> None:
    if not isinstance(file.path, str):
        raise BadInput("A path must be text.", fix="Send the path as text.", code="bad_path", field=f"{field}.path")
    check_sha256(file.sha256, f"{field}.sha256")
    if not _is_whole(file.size_bytes) or file.size_bytes < 0:
        raise BadInput(
            "A size must be a whole number of bytes, 0 or more.",
            fix="Send the size of the file.",
            code="bad_size",
            field=f"{field}.size_bytes",
        )
    if not _is_whole(file.mode) or file.mode not in MODES:
        raise BadInput(
            "A mode must be 420 (0o644) or 493 (0o755).",
            fix="Send 493 for a program, else 420.",
            code="bad_mode",
            field=f"{field}.mode",
        )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
