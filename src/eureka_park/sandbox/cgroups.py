"""Control groups behind one small class, for version 1 (root) and version 2 (delegated): limits,
freezing, usage, removal."""

# Plain strings and os calls: a supervisor starts in milliseconds, and pathlib is felt there.
# ruff: noqa: PTH103, PTH106, PTH120, PTH208

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eureka_park.sandbox.box import Limits

CONTROLLERS: Final = ("cpu", "cpuacct", "memory", "pids", "freezer")
PERIOD_US: Final = 100_000
QUOTA_MIN_US: Final = 1_000  # the kernel's own least quota
_CALM_S: Final = 0.005


def _read(path: str) -> str:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 65_536).decode()
    finally:
        os.close(fd)


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _table(path: str) -> dict[str, int]:
    pairs = (line.split() for line in _read(path).splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


class Cgroup:
    """One control group: in version 1 a folder per controller, in version 2 a single folder (key `unified`)."""

    def __init__(self, folders: Mapping[str, str]) -> None:
        self.folders = dict(folders)
        self.version = 2 if "unified" in self.folders else 1

    def _path(self, controller: str, name: str) -> str:
        folder = self.folders["unified"] if self.version == 2 else self.folders[controller]
        return f"{folder}/{name}"

    def _unique(self) -> list[str]:
        return list(dict.fromkeys(self.folders.values()))

    def make(self) -> None:
        """Make the group; one that is there already is kept. OSError when the kernel refuses."""
        for folder in self._unique():
            os.makedirs(folder, mode=0o755, exist_ok=True)

    def limit(self, limits: Limits) -> None:
        """Set memory, processes and CPU limits; OSError when the kernel refuses."""
        if limits.memory_bytes > 0:
            name = "memory.max" if self.version == 2 else "memory.limit_in_bytes"
            _write(self._path("memory", name), str(limits.memory_bytes))
            extra = "memory.swap.max" if self.version == 2 else "memory.memsw.limit_in_bytes"
            with contextlib.suppress(OSError):  # absent without swap accounting
                _write(self._path("memory", extra), "0" if self.version == 2 else str(limits.memory_bytes))
        if limits.n_processes > 0:
            _write(self._path("pids", "pids.max"), str(limits.n_processes))
        if limits.n_cpus > 0:
            self.limit_cpus(limits.n_cpus)

    def limit_cpus(self, n_cpus: float) -> None:
        """Let the group run at most this many CPUs' time."""
        quota_us = max(QUOTA_MIN_US, round(PERIOD_US * n_cpus))
        if self.version == 2:
            _write(self._path("cpu", "cpu.max"), f"{quota_us} {PERIOD_US}")
        else:
            _write(self._path("cpu", "cpu.cfs_quota_us"), str(quota_us))

    def join(self) -> None:
        """Move the calling process in; what it starts afterwards is born inside."""
        for folder in self._unique():
            _write(f"{folder}/cgroup.procs", "0")

    def pids(self) -> list[int]:
        """The processes inside, as this process sees them."""
        try:
            return [int(word) for word in _read(self._path("freezer", "cgroup.procs")).split()]
        except OSError:
            return []

    def freeze(self, wait_s: float = 2.0) -> bool:
        """Stop every process where it stands; True once all stand still."""
        if self.version == 2:
            _write(self._path("freezer", "cgroup.freeze"), "1")
        else:
            _write(self._path("freezer", "freezer.state"), "FROZEN")
        end_s = time.monotonic() + wait_s
        while not self._is_frozen():
            if time.monotonic() > end_s:
                return False
            time.sleep(_CALM_S)
        return True

    def _is_frozen(self) -> bool:
        if self.version == 2:
            return _table(self._path("freezer", "cgroup.events")).get("frozen") == 1
        return _read(self._path("freezer", "freezer.state")).strip() == "FROZEN"

    def thaw(self) -> None:
        """Let them run on."""
        if self.version == 2:
            _write(self._path("freezer", "cgroup.freeze"), "0")
        else:
            _write(self._path("freezer", "freezer.state"), "THAWED")

    def kill(self) -> None:
        """Kill every process inside, frozen ones too, also those being born meanwhile."""
        for _ in range(100):
            pids = self.pids()
            for pid in pids:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(OSError):
                self.thaw()
            if not pids:
                return
            time.sleep(_CALM_S)

    def cpu_s(self) -> float:
        """CPU seconds used inside so far (user and system); OSError when the group is gone."""
        if self.version == 2:
            return _table(self._path("cpu", "cpu.stat")).get("usage_usec", 0) / 1e6
        return int(_read(self._path("cpuacct", "cpuacct.usage"))) / 1e9

    def memory_bytes_max(self) -> int:
        """The most memory the group held at once; 0 where the kernel does not say."""
        name = "memory.peak" if self.version == 2 else "memory.max_usage_in_bytes"
        try:
            return int(_read(self._path("memory", name)))
        except OSError:
            return 0

    def n_oom_kills(self) -> int:
        """How often the kernel killed a process here because memory ran out."""
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        try:
            return _table(self._path("memory", name)).get("oom_kill", 0)
        except OSError:
            return 0

    def remove(self, wait_s: float = 2.0) -> bool:
        """Take the group away, trying again while the kernel still lets go of its processes; True once it is gone."""
        end_s = time.monotonic() + wait_s
        left = self._unique()
        while left:
            left = [folder for folder in left if not _is_removed(folder)]
            if left and time.monotonic() > end_s:
                return False
            if left:
                time.sleep(_CALM_S)
        return True


def _is_removed(folder: str) -> bool:
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class CgroupPlace:
    """Where on this machine the park may make its groups: a folder per controller, or one `unified` folder."""

    folders: Mapping[str, str]

    def group(self, name: str) -> Cgroup:
        """The (not yet made) group of a name."""
        return Cgroup({controller: f"{folder}/{name}" for controller, folder in self.folders.items()})

    def names(self) -> list[str]:
        """The names of the groups that exist."""
        found: set[str] = set()
        for folder in self.folders.values():
            with contextlib.suppress(OSError):
                found |= {entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)}
        return sorted(found)

    def make(self) -> None:
        """Make the place itself; in version 2 also hand the controllers down to it. OSError when the kernel refuses."""
        for folder in dict.fromkeys(self.folders.values()):
            os.makedirs(folder, exist_ok=True)
        if "unified" in self.folders:
            own = self.folders["unified"]
            for folder in (os.path.dirname(own), own):
                _hand_down(folder)

    def remove_if_empty(self) -> None:
        """Take the place itself away once no group is left in it."""
        for folder in dict.fromkeys(self.folders.values()):
            with contextlib.suppress(OSError):
                os.rmdir(folder)

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value."""
        return {"folders": dict(self.folders)}


def _hand_down(folder: str) -> None:
    wanted = {"cpu", "memory", "pids"} - set(_read(f"{folder}/cgroup.subtree_control").split())
    if wanted:
        _write(f"{folder}/cgroup.subtree_control", " ".join(f"+{name}" for name in sorted(wanted)))


def find_place(name: str, proc: Path = Path("/proc/self")) -> CgroupPlace:
    """The place for groups below this process's own group, called `name`. OSError, with the
    reason, where there is none."""
    mounts = _mounts((proc / "mountinfo").read_text())
    own = _own_groups((proc / "cgroup").read_text())
    first = {controller: mounts[controller] for controller in CONTROLLERS if controller in mounts}
    if len(first) == len(CONTROLLERS):
        return CgroupPlace({c: f"{_below(mounts[c], own.get(c, '/'))}/{name}" for c in CONTROLLERS})
    if "unified" not in mounts:
        raise OSError("no control groups are mounted")
    parent = _below(mounts["unified"], own.get("unified", "/"))
    offered = set(_read(f"{parent}/cgroup.controllers").split())
    if missing := {"cpu", "memory", "pids"} - offered:
        raise OSError(f"control group controllers are missing: {', '.join(sorted(missing))}")
    if not os.access(f"{parent}/cgroup.subtree_control", os.W_OK):
        raise OSError("the control group of the park is not delegated to this user")
    _make_room(parent)
    return CgroupPlace({"unified": f"{parent}/{name}"})


def _make_room(parent: str) -> None:
    """Version 2 hands no controllers down while processes sit in the group itself: move the park's own into a leaf.

    Done only in a group that holds nothing but this process and its ancestors, as under a service or a scope of its
    own.
    """
    if "cgroup.type" not in os.listdir(parent):
        return  # the root of the hierarchy has no such rule
    pids = _read(f"{parent}/cgroup.procs").split()
    if not pids:
        return
    ours = _ancestors(os.getpid())
    if not set(pids) <= ours:
        raise OSError("the control group of the park is shared with other processes; start it in one of its own")
    leaf = f"{parent}/eureka-park-self"
    os.makedirs(leaf, exist_ok=True)
    for pid in pids:
        _write(f"{leaf}/cgroup.procs", pid)


def _ancestors(pid: int) -> set[str]:
    found: set[str] = set()
    while pid > 0 and str(pid) not in found:
        found.add(str(pid))
        status = _read(f"/proc/{pid}/stat")
        pid = int(status[status.rfind(")") + 2 :].split()[1])
    return found


def _mounts(mountinfo: str) -> dict[str, tuple[str, str]]:
    """Controller (or `unified`) to mount point and the group mounted there; see proc(5)."""
    found: dict[str, tuple[str, str]] = {}
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        words, kind = left.split(), right.split()
        if kind and kind[0] == "cgroup2":
            found.setdefault("unified", (words[4], words[3]))
        elif kind and kind[0] == "cgroup":
            for controller in set(kind[2].split(",")) & set(CONTROLLERS):
                found.setdefault(controller, (words[4], words[3]))
    return found


def _own_groups(cgroup: str) -> dict[str, str]:
    """Controller (or `unified`) to this process's own group."""
    found: dict[str, str] = {}
    for line in cgroup.splitlines():
        number, controllers, path = line.split(":", 2)
        for controller in controllers.split(",") if number != "0" else ["unified"]:
            found[controller] = path
    return found


def _below(mount: tuple[str, str], path: str) -> str:
    point, root = mount
    inner = path[len(root) :] if root != "/" and path.startswith(root) else path if root == "/" else ""
    return f"{point}/{inner.strip('/')}".rstrip("/")
