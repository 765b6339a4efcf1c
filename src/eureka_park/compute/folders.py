"""A job's folder on disk: where its log and its outputs are, read without following links out of it."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from eureka_park.foundation.errors import BadInput, NotFound
from eureka_park.foundation.ids import folder_name
from eureka_park.foundation.units import iso_from_s

FETCHING_FILE: Final = "fetching.json"  # of an attempt: how far the fetching of its inputs is
OUTPUTS_FOLDER: Final = "outputs"
OUTPUTS_MAX: Final = 20_000
_SKIPPED: Final = frozenset({"__pycache__", ".cache"})
_ROOTS: Final = ("out", "work")  # `out/` is PARK_OUTPUT_DIR; new or changed files of the working folder count too


def job_folder(home: Path, job_id: str) -> Path:
    """The folder of a job below the park's home."""
    return home / "jobs" / folder_name(job_id)


def log_file(home: Path, job_id: str) -> Path:
    """The log of all attempts of a job; it may not exist yet."""
    return job_folder(home, job_id) / "log.txt"


def outputs(home: Path, job_id: str) -> list[dict[str, Any]]:
    """What the job wrote: files of its output folder, and new or changed files of its working folder, by path."""
    folder = job_folder(home, job_id)
    inputs = _inputs(folder)
    found: dict[str, dict[str, Any]] = {}
    for root in _ROOTS:
        for path, facts in _files(folder / root):
            if root == "work" and inputs.get(path) == (facts.st_size, int(facts.st_mtime)):
                continue
            item = {"path": path, "size_bytes": facts.st_size, "modified_at": iso_from_s(facts.st_mtime)}
            found.setdefault(path, item)
            if len(found) >= OUTPUTS_MAX:
                return [found[name] for name in sorted(found)]
    return [found[name] for name in sorted(found)]


def open_output(home: Path, job_id: str, path: str) -> BinaryIO:
    """Open one output for reading; every part of the path must be a real folder or file, never a link."""
    parts = [part for part in path.split("/") if part]
    if not parts or any(part in {".", ".."} or "\0" in part for part in parts):
        raise _absent(path)
    for root in _ROOTS:
        try:
            return _open_inside(job_folder(home, job_id) / root, parts)
        except OSError:
            continue
    raise _absent(path)


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file that a job made."""

    root: Path
    parts: tuple[str, ...]
    size_bytes: int

    def open(self) -> BinaryIO:
        """Open it for reading, following no link. Raises OSError."""
        return _open_inside(self.root, list(self.parts))


def made_files(home: Path, job_id: str, folder: str) -> dict[str, MadeFile]:
    """The files below a folder of a job's working folder, by their paths there; '': those of its output folder, and of
    a folder `outputs` of its working folder.

    Raises BadInput for a name that is no text.
    """
    job, found = job_folder(home, job_id), dict[str, MadeFile]()
    places = [("work", folder)] if folder else [("out", ""), ("work", OUTPUTS_FOLDER)]
    for name, below in places:
        above = tuple(part for part in below.split("/") if part not in ("", "."))
        root = job / name
        if not _is_real(root, above):
            continue
        for path, facts in _files(root.joinpath(*above)):
            if "\ufffd" in path:
                raise BadInput(f"The name of the file {path!a} is no text (UTF-8).", fix="Have the job name it so.")
            found.setdefault(path, MadeFile(root, (*above, *path.split("/")), facts.st_size))
    return found


def _is_real(root: Path, parts: tuple[str, ...]) -> bool:
    """Whether each part of a path is a folder, none of them a link."""
    here = root
    for part in ("", *parts):
        here = here / part
        if not stat.S_ISDIR(here.lstat().st_mode if here.exists() else 0):
            return False
    return True


def fetching(home: Path, job_id: str, attempt: int) -> dict[str, Any] | None:
    """How far the fetching of an attempt's inputs is: `n_bytes`, `of_bytes`, `begun_s`, `ended_s` (real time) or None
    while it goes on; None for an attempt that reads none.
    """
    try:
        told = json.loads((job_folder(home, job_id) / "attempts" / str(attempt) / FETCHING_FILE).read_text())
        return {name: told[name] for name in ("n_bytes", "of_bytes", "begun_s", "ended_s")}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _open_inside(root: Path, parts: list[str]) -> BinaryIO:
    folder_fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder_fd)
            os.close(folder_fd)
            folder_fd = inner
        # Non-blocking, so that a named pipe in the way cannot hold the reader.
        file_fd = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder_fd)
    finally:
        os.close(folder_fd)
    if not stat.S_ISREG(os.fstat(file_fd).st_mode):
        os.close(file_fd)
        raise OSError("not a regular file")
    return os.fdopen(file_fd, "rb")


def _files(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Regular files below a folder, without following links; a job may nest folders deeper than calls can."""
    left = [str(root)]
    while left:
        names, folders = _inside(left.pop())
        left += reversed(folders)
        for name in names:
            try:
                facts = os.lstat(name)
            except OSError:
                continue
            if stat.S_ISREG(facts.st_mode):
                yield _shown(name[len(str(root)) + 1 :]), facts


def _inside(folder: str) -> tuple[list[str], list[str]]:
    """What lies in a folder, by name: all that is no folder, and the folders that count."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((item.name, item.path, item.is_dir(follow_symlinks=False)) for item in entries)
    except OSError:
        return [], []
    folders = [path for name, path, is_dir in found if is_dir and name not in _SKIPPED]
    return [path for _, path, is_dir in found if not is_dir], folders


def _shown(path: str) -> str:
    """A path as text: bytes that are not UTF-8 are shown as replacement marks (such a file is listed, not fetched)."""
    return os.fsencode(path).decode("utf-8", "replace")


def _inputs(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and mtime (s) of each file as it was laid out; see the engine's `inputs.json`."""
    try:
        value = json.loads((folder / "inputs.json").read_text())
        return {item["path"]: (item["size_bytes"], value["mtime_s"]) for item in value["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _absent(path: str) -> NotFound:
    return NotFound(
        f"The job has no output '{path}'.", fix="Its page and `park get JOB` show what it wrote.", code="no_such_output"
    )
