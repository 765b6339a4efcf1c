"""Resource limits of a process (rlimits), set between fork and exec: what every level of isolation has at least."""

from __future__ import annotations

import resource
from typing import Final

from eureka_park.sandbox.box import Limits

N_FILES_MAX: Final = 65_536


def apply_limits(limits: Limits, *, limit_memory: bool) -> None:
    """Lower this process's limits for good: no core files, open files, and (where no cgroup does it) memory and
    processes.

    Memory is limited by RLIMIT_DATA (private writable memory of each process): RLIMIT_AS would also count the large
    address ranges that GPU drivers and allocators reserve without using.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_NOFILE, N_FILES_MAX)
    if limit_memory and limits.memory_bytes > 0:
        _lower(resource.RLIMIT_DATA, limits.memory_bytes)
    if limit_memory and limits.n_processes > 0:
        _lower(resource.RLIMIT_NPROC, limits.n_processes)


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    least = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (least, least))
