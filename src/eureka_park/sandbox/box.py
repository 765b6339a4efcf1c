"""What one sandbox holds: a command, what it sees and where, whose user it runs as, and its limits."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

USER_ID_BASE: Final = 586_000  # above ordinary and systemd's dynamic users, below most subordinate id ranges of people
USER_ID_COUNT: Final = 60_000


def user_id_of(project: str) -> int:
    """The unprivileged user a project's jobs run as: stable, without any registry of users.

    Two projects may share a number (1 in 60,000 per pair); they still never see each other's files, which are not
    mounted.
    """
    digest = hashlib.sha256(project.encode()).digest()
    return USER_ID_BASE + int.from_bytes(digest[:8], "big") % USER_ID_COUNT


@dataclass(frozen=True, slots=True)
class Bind:
    """A file or folder of the machine that the sandbox shows at `place`, read-only unless `is_writable`."""

    source: str
    place: str
    is_writable: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Kernel limits; 0 means no limit."""

    memory_bytes: int = 0
    n_cpus: float = 0.0
    n_processes: int = 4096


@dataclass(frozen=True, slots=True)
class Box:
    """One sandboxed command. Paths in `command`, `env` and `folder` are as seen inside (at low
    levels the machine's own)."""

    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    binds: tuple[Bind, ...] = ()
    devices: tuple[str, ...] = ()
    user_id: int | None = None
    limits: Limits = field(default_factory=Limits)
