"""What jobs left in their folders, in a backup and back: logs, outputs, checkpoints.

A job's files are its own user's, who may swap a file for a link while it is read: no link is followed, anywhere.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from eureka_park.adapters import archive
from eureka_park.foundation.disk import sync_folder
from eureka_park.sandbox.box import USER_ID_BASE, USER_ID_COUNT

_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe must not hold the backup up
_NO_FILE_NOW: Final = frozenset({errno.ENOENT, errno.ELOOP, errno.ENXIO})  # gone, or a link or socket since it was seen


def take(writer: archive.Writer, home: Path) -> None:
    """Add all plain files of these folders, as they are now; what vanishes meanwhile is left out."""
    for name in sorted(path.name for path in (home / "jobs").iterdir()):
        folder = os.open(home / "jobs" / name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _take_one(writer, f"jobs/{name}/log.txt", "log.txt", folder)
        finally:
            os.close(folder)
        for part in archive.TREES_OF_JOB:
            _take_below(writer, home, f"jobs/{name}/{part}")


def _take_below(writer: archive.Writer, home: Path, top: str) -> None:
    with suppress(FileNotFoundError):  # a job that has not begun has no such folder
        for folder, below, names, handle in os.fwalk(home / top, follow_symlinks=False):
            below.sort()
            for name in sorted(names):
                _take_one(writer, f"{Path(folder).relative_to(home)}/{name}", name, handle)


def _take_one(writer: archive.Writer, path: str, name: str, folder: int) -> None:
    try:
        if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            return
        handle = os.open(name, _FLAGS, dir_fd=folder)
    except OSError as error:
        if error.errno in _NO_FILE_NOW:
            return
        raise
    with os.fdopen(handle, "rb") as source:
        facts = os.fstat(handle)
        if stat.S_ISREG(facts.st_mode):
            writer.tree_file(path, source, stat.S_IMODE(facts.st_mode), _job_user(facts.st_uid))


def _job_user(user_id: int) -> int:
    """The user of a project's jobs; 0 for everybody else."""
    return user_id if USER_ID_BASE <= user_id < USER_ID_BASE + USER_ID_COUNT else 0


def put_back(reader: archive.Reader, home: Path) -> None:
    """All of these files in a new home, compared and on the disk."""
    folders: set[Path] = set()
    for number, one in enumerate(reader.manifest.trees):
        place = home / one.path
        owner = _job_user(one.owner) if os.geteuid() == 0 else 0
        folders |= set(_make_parents(place, home, owner))
        with place.open("xb") as target:
            reader.tree_file(number, target)
            if owner:
                os.fchown(target.fileno(), owner, owner)
            os.fchmod(target.fileno(), one.mode & 0o777)
            target.flush()
            os.fsync(target.fileno())
    for folder in folders:
        sync_folder(folder)


def _make_parents(place: Path, home: Path, owner: int) -> Iterator[Path]:
    """The folders between; those that a job writes into are its user's."""
    for folder in reversed(place.relative_to(home).parents):
        made = home / folder
        if not made.exists():
            made.mkdir(mode=0o755)
            if owner and len(folder.parts) > 2:  # jobs/NAME/out and what is in it
                os.chown(made, owner, owner)
        yield made
