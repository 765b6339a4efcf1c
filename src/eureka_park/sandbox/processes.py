"""Processes as /proc shows them: who a process is (a number alone may be reused), its descendants
and their CPU time."""

# Plain strings and os calls: a supervisor starts in milliseconds, and pathlib is felt there.
# ruff: noqa: PTH208

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@cache
def boot_id() -> str:
    """The id of this boot of the machine; pids mean nothing across boots."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"


def _stat_fields(pid: int) -> list[str] | None:
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = os.read(fd, 4096).decode("ascii", "replace")
    except OSError:
        return None
    finally:
        os.close(fd)
    return text[text.rfind(")") + 2 :].split()  # the name may hold spaces; state is field 3 of proc(5), here index 0


@dataclass(frozen=True, slots=True)
class Identity:
    """A process for good: its pid, its start in clock ticks since boot, and the boot."""

    pid: int
    start_ticks: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """The identity of a living process, or None."""
        fields = _stat_fields(pid)
        return cls(pid, int(fields[19]), boot_id()) if fields else None

    def is_alive(self) -> bool:
        """Whether this very process still lives (a zombie does not)."""
        if self.boot != boot_id():
            return False
        fields = _stat_fields(self.pid)
        return fields is not None and int(fields[19]) == self.start_ticks and fields[0] not in "ZX"

    def send(self, number: int) -> bool:
        """Signal this very process, never another that took its number; False when it is gone."""
        try:
            fd = os.pidfd_open(self.pid)
        except OSError:
            return False
        try:
            if not self.is_alive():
                return False
            signal.pidfd_send_signal(fd, number)
        except OSError:
            return False
        finally:
            os.close(fd)
        return True


def children(pid: int) -> list[int]:
    """The children of a process."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        return [int(child) for task in tasks for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split()]
    except OSError:
        return _children_by_scan(pid) if Path(f"/proc/{pid}").exists() else []


def _children_by_scan(pid: int) -> list[int]:
    found = []
    for other in all_pids():
        fields = _stat_fields(other)
        if fields and int(fields[1]) == pid:
            found.append(other)
    return found


def all_pids() -> Iterator[int]:
    """Every process this one can see."""
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def descendants(pid: int) -> list[int]:
    """Children, their children and so on, parents first."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = children(waiting.pop())
        found += below
        waiting += below
    return found


def tree_cpu_s(pid: int) -> float:
    """CPU seconds (user and system) of a process, its living descendants and all the children they have waited for."""
    ticks = 0
    for one in (pid, *descendants(pid)):
        fields = _stat_fields(one)
        if fields:
            ticks += sum(int(value) for value in fields[11:15])
    return ticks / TICKS_PER_S


def signal_all(pids: Iterable[int], number: int) -> None:
    """Send a signal to each process that still lives."""
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, number)


def kill_tree(pid: int) -> None:
    """Kill every descendant of a process, also those born meanwhile: each is stopped first, so
    that it cannot fork away."""
    for _ in range(100):
        below = descendants(pid)
        living = [one for one in below if (fields := _stat_fields(one)) and fields[0] not in "ZX"]
        if not living:
            return
        signal_all(living, signal.SIGSTOP)
        signal_all(living, signal.SIGKILL)
