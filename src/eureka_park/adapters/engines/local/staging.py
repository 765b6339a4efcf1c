"""Lay a snapshot's files out in a job's work folder, once, and write down what was laid out (inputs.json)."""

# Plain strings and os calls: a supervisor starts in milliseconds, and pathlib is felt there.
# ruff: noqa: PTH101, PTH103, PTH110, PTH112, PTH120, PTH123, PTH202

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Final

from eureka_park.adapters.engines.local.places import JOB_FOLDERS, write_json
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.wire.engine import StagedFile

INPUT_MTIME_S: Final = 946_684_800  # 2000-01-01: whatever carries another instant was made or changed by the job
_FICLONE: Final = 0x40049409


def make_folders(job_folder: str, user_id: int | None) -> None:
    """Make work, out, checkpoint and tmp, owned by the job's user."""
    for name in JOB_FOLDERS:
        folder = f"{job_folder}/{name}"
        if not os.path.isdir(folder):
            os.makedirs(folder, mode=0o755, exist_ok=True)
            _own(folder, user_id)


def lay_out(job_folder: str, files: Sequence[StagedFile], user_id: int | None, between: Callable[[], None]) -> None:
    """Copy each file to its place, mtime fixed; does nothing when a former attempt finished doing so.

    `between` is called before each file and may raise to stop. Raises BadInput for a path that leaves the folder,
    OSError when the disk is full or a blob is missing.
    """
    manifest = f"{job_folder}/inputs.json"
    if os.path.exists(manifest):
        return
    work = f"{job_folder}/work"
    made = {work}
    for file in files:
        between()
        _check(file.path)
        target = f"{work}/{file.path}"
        _make_parents(os.path.dirname(target), made, user_id)
        _copy(file.blob_path, target, file.mode)
        _own(target, user_id)
        os.utime(target, (INPUT_MTIME_S, INPUT_MTIME_S), follow_symlinks=False)
    listed = [{"path": file.path, "size_bytes": os.path.getsize(f"{work}/{file.path}")} for file in files]
    write_json(manifest, {"mtime_s": INPUT_MTIME_S, "files": listed}, durable=False)


def _check(path: str) -> None:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise BadInput(
            f"The snapshot holds a path outside its folder: {path!r}.", fix="Submit the folder again.", code="bad_path"
        )


def _make_parents(folder: str, made: set[str], user_id: int | None) -> None:
    if folder in made:
        return
    _make_parents(os.path.dirname(folder), made, user_id)
    os.makedirs(folder, mode=0o755, exist_ok=True)
    _own(folder, user_id)
    made.add(folder)


def _own(path: str, user_id: int | None) -> None:
    if user_id is not None:
        os.chown(path, user_id, user_id, follow_symlinks=False)


def _copy(source: str, target: str, mode: int) -> None:
    """A copy of its own (never a hard link: the job may write to it), sharing blocks where the file system can."""
    with open(source, "rb") as reader, open(target, "wb") as writer:
        try:
            fcntl.ioctl(writer.fileno(), _FICLONE, reader.fileno())
        except OSError:
            shutil.copyfileobj(reader, writer, 1 << 20)
        os.fchmod(writer.fileno(), mode & 0o755 | 0o600)


def clear_inputs(job_folder: str) -> None:
    """Take away the folder of data that a job read; its contents stay in the node's cache."""
    root = f"{job_folder}/inputs"
    if not os.path.isdir(root):
        return
    for folder, _, _ in os.walk(root):
        os.chmod(folder, 0o700)  # where nothing else protects it from the job, it is closed to writing
    shutil.rmtree(root)
