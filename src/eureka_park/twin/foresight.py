"""Memory that a run will hold, foreseen from its size, and what this machine has left: a refusal before the work.

The figures were measured with runs of 1,000 to 1,400,000 jobs (330 to 430 bytes each) on 64 to 32,768 machines; they
err on the high side.
"""

from __future__ import annotations

import math
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from eureka_park.foundation.errors import TooLarge
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.units import GIB, MIB

BEFORE_BYTES: Final = 260 * MIB  # the program with its kernels
JOB_BYTES: Final = 500  # a job that stands in a table: its row, its fate and its figures
OPEN_JOB_BYTES: Final = 1300  # a job of a stream that waits or runs
WAIT_DAYS: Final = 1.0  # of arrivals that wait at once, at most; assumption
NODE_BYTES: Final = 500
TENANT_HOUR_BYTES: Final = 40  # of fairness
KEPT_FREE_FRAC: Final = 0.05
TAIL_DAYS: Final = 2.0
CELL_BYTES: Final = 62  # a value of a text file while it is read
ROW_BYTES: Final = 100
ARRAY_CELL_BYTES: Final = 24  # a value of a Parquet file while it is read
MEMINFO: Final = Path("/proc/meminfo")
CGROUP: Final = Path("/sys/fs/cgroup")
GROUPS: Final = Path("/proc/self/cgroup")
STATM: Final = Path("/proc/self/statm")


def run_bytes(n_jobs: int, n_nodes: int, n_tenants: int, days: float, n_open: float | None = None) -> dict[str, float]:
    """Memory of a run by what it is for. `n_open`: jobs of a stream at any one time; None: a table."""
    return {
        "jobs": float(n_jobs * JOB_BYTES) if n_open is None else n_open * OPEN_JOB_BYTES,
        "nodes": float(n_nodes * NODE_BYTES),
        "tenants": n_tenants * (days + TAIL_DAYS) * 24.0 * TENANT_HOUR_BYTES,
        "program": float(BEFORE_BYTES),
    }


def foreseen_mib(site: Site, n_jobs: int, n_tenants: int, days: float, *, streams: bool = False) -> float:
    """Memory that a run will hold; MiB. `streams`: jobs are drawn as they come."""
    n_open = _n_open(site, n_jobs, days) if streams else None
    return sum(run_bytes(n_jobs, _n_nodes(site), n_tenants, days, n_open).values()) / MIB


def _n_open(site: Site, n_jobs: int, days: float) -> float:
    """Jobs of a stream that are there at once, at most."""
    return min(float(n_jobs), _n_gpus(site) + n_jobs / days * WAIT_DAYS)


def check_memory(
    site: Site,
    n_jobs: int,
    n_tenants: int,
    days: float,
    free_bytes: float | None = None,
    *,
    streams: bool = False,
) -> None:
    """Raise TooLarge, with what a run needs, what is free and what to change, where memory will not do. `streams`: jobs
    are drawn as they come.
    """
    n_open = _n_open(site, n_jobs, days) if streams else None
    needs = run_bytes(n_jobs, _n_nodes(site), n_tenants, days, n_open)
    free = memory_free_bytes() + _held_bytes() if free_bytes is None else free_bytes
    if sum(needs.values()) <= free:
        return
    most = max(needs, key=lambda name: needs[name])
    told = {
        "jobs": (f"{n_jobs:,} jobs", "Give fewer jobs or days, or a smaller site."),
        "nodes": (f"{_n_nodes(site):,} machines", "Name a smaller site."),
        "tenants": (f"{n_tenants:,} tenants over {days:g} days", "Give fewer days, or a site with fewer shares."),
        "program": ("the program alone", "End other programs."),
    }
    refuse(
        f"The run would need {_gib(sum(needs.values()))} of memory, most of it for {told[most][0]}", free, told[most][1]
    )


def check_rows(
    name: str,
    n_rows: int,
    n_columns: int,
    cell_bytes: float = CELL_BYTES,
    n_bytes: float = 0.0,
    free_bytes: float | None = None,
) -> None:
    """Raise TooLarge where a trace of so many rows cannot be held while it is read, and as a table of jobs after.

    `cell_bytes`: what a value takes while it is read; `n_bytes`: what is held besides.
    """
    free = memory_free_bytes() if free_bytes is None else free_bytes
    needs = n_bytes + n_rows * (n_columns * cell_bytes + ROW_BYTES + JOB_BYTES)
    if needs > free:
        told = f"{name} holds about {n_rows:,} jobs, which need {_gib(needs)} of memory"
        refuse(told, free, "Cut it into parts, or keep fewer jobs.")


def refuse(needs: str, free: float, fix: str) -> None:
    """Say what is needed, what is there and what to do."""
    raise TooLarge(f"{needs}; {_gib(free)} are free.", fix=fix, code="too_little_memory")


def memory_free_bytes() -> float:
    """Memory that this process may still take: what the machine has left, and what control groups and limits allow."""
    found = [_available_bytes(), *_of_groups(), *_of_limits()]
    return max(0.0, min(found)) * (1.0 - KEPT_FREE_FRAC)


def _of_groups() -> Iterator[float]:
    """What the control groups of this process leave it; files that can be dropped from memory do not count."""
    for line in _lines(GROUPS):
        _number, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        root = CGROUP / controllers
        most, now, cached = (
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            if controllers
            else ("memory.max", "memory.current", "inactive_file")
        )
        folder = root / path.lstrip("/")
        while True:
            limit, used = _number_in(folder / most), _number_in(folder / now)
            if limit is not None and used is not None:
                freed = [row.split()[1] for row in _lines(folder / "memory.stat") if row.startswith(f"{cached} ")]
                yield limit - used + float(freed[0] if freed else 0.0)
            if folder == root:
                break
            folder = folder.parent


def _of_limits() -> Iterator[float]:
    """What the limits of this process leave it."""
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        soft, _hard = resource.getrlimit(kind)
        if soft != resource.RLIM_INFINITY:
            yield soft - held


def _held_bytes() -> float:
    """What this process holds already: its program, and room that an earlier run has left."""
    words = "".join(_lines(STATM)).split()
    return float(words[1]) * resource.getpagesize() if len(words) > 1 else 0.0


def _available_bytes() -> float:
    found = [float(line.split()[1]) * 1024.0 for line in _lines(MEMINFO) if line.startswith("MemAvailable:")]
    return found[0] if found else math.inf


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _number_in(path: Path) -> float | None:
    """The number in a file; None where there is none, or it says that there is no limit."""
    words = _lines(path)
    return float(words[0]) if words and words[0].isdigit() else None


def _n_gpus(site: Site) -> int:
    return sum(kind.n_nodes * kind.n_gpus for kind in site.nodes)


def _n_nodes(site: Site) -> int:
    return sum(kind.n_nodes for kind in site.nodes)


def _gib(n_bytes: float) -> str:
    return f"{n_bytes / GIB:,.1f} GiB" if n_bytes >= GIB else f"{n_bytes / MIB:,.0f} MiB"
