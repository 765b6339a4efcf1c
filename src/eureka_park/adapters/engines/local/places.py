"""Where an attempt keeps its files, and how they are written so that a reader never sees half of one."""

# Plain strings and os calls: a supervisor starts in milliseconds, and pathlib is felt there.
# ruff: noqa: PTH104, PTH108, PTH120

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from typing import Any

from eureka_park.foundation.disk import sync_folder
from eureka_park.foundation.ids import folder_name

JOB_FOLDERS = ("work", "out", "checkpoint", "tmp")


@dataclass(frozen=True, slots=True)
class Attempt:
    """The folders and files of one attempt of a job, as plain strings (a supervisor starts in milliseconds)."""

    home: str
    job_id: str
    number: int

    @property
    def job_folder(self) -> str:
        """The job's own folder: log, work, out, checkpoint, tmp and attempts."""
        return f"{self.home}/jobs/{folder_name(self.job_id)}"

    @property
    def folder(self) -> str:
        """The attempt's folder, which the job itself never sees."""
        return f"{self.job_folder}/attempts/{self.number}"

    @property
    def order_file(self) -> str:
        """The StartOrder as JSON."""
        return f"{self.folder}/order.json"

    @property
    def claim_file(self) -> str:
        """Who runs it; made once, by the first supervisor that comes."""
        return f"{self.folder}/claim"

    @property
    def state_file(self) -> str:
        """The newest EngineReport as JSON."""
        return f"{self.folder}/state.json"

    @property
    def commands_folder(self) -> str:
        """Numbered commands to the supervisor."""
        return f"{self.folder}/commands"

    @property
    def log_file(self) -> str:
        """Output and errors of all attempts, appended."""
        return f"{self.job_folder}/log.txt"

    @property
    def group_name(self) -> str:
        """The name of its control group; `from_group_name` reads it back."""
        return f"{folder_name(self.job_id)}.{self.number}"


def write_json(path: str, value: Any, *, durable: bool) -> None:
    """Replace a file by a JSON value in one step; `durable` also survives a power cut."""
    temporary = f"{path}.{os.getpid()}.new"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        _write_all(fd, json.dumps(value).encode())
        if durable:
            os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(temporary, path)
    if durable:
        sync_folder(os.path.dirname(path))


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def read_json(path: str) -> Any:
    """The JSON value of a file; None when it is missing or unreadable."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return json.loads(b"".join(iter(lambda: os.read(fd, 1 << 20), b"")))
    except (OSError, ValueError):
        return None
    finally:
        os.close(fd)


def claim(path: str, value: Any) -> bool:
    """Make a file with this JSON value unless it exists, whole and durable; False when somebody was first."""
    temporary = f"{path}.{os.getpid()}.new"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        os.write(fd, json.dumps(value).encode())
        try:
            os.link(temporary, path)  # fails where O_EXCL would, but the name never shows an unfinished file
        except FileExistsError:
            return False
        os.fsync(fd)
        sync_folder(os.path.dirname(path))
    finally:
        os.close(fd)
        with contextlib.suppress(OSError):
            os.unlink(temporary)
    return True
