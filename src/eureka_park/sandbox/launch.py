"""Start one box at a level, and hold it: find its main process, signal it, stop and continue it, kill all of it.

The starting process must be single-threaded and must wait for `Launched.pid` itself; when it dies, everything inside
dies.
"""

# Plain strings and os calls: a supervisor starts in milliseconds, and pathlib is felt there.
# ruff: noqa: PTH123

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from eureka_park.sandbox import kernel, landlock
from eureka_park.sandbox.box import Box
from eureka_park.sandbox.bubblewrap import ETC_FILES, SYSTEM_FOLDERS, box_options, inner_command
from eureka_park.sandbox.cgroups import Cgroup
from eureka_park.sandbox.levels import Level
from eureka_park.sandbox.limits import apply_limits
from eureka_park.sandbox.processes import children, descendants, kill_tree, signal_all, tree_cpu_s

_CLEAN_ENV: Final = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/shm")
_ALSO_READABLE: Final = ("/proc", "/sys/devices/system/cpu")
_START_WAIT_S: Final = 0.005


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs a container needs (absolute paths, empty where missing) and the Landlock version (0: none)."""

    bwrap: str = ""
    setpriv: str = ""
    landlock_abi: int = 0

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value."""
        return {"bwrap": self.bwrap, "setpriv": self.setpriv, "landlock_abi": self.landlock_abi}


@dataclass(slots=True)
class Launched:
    """A box that was started. `pid` is the child to wait for: bwrap in a container, else the command itself."""

    pid: int
    level: Level
    cgroup: Cgroup | None = None
    _status_fd: int = -1
    _status: bytes = b""
    _stopped: list[int] = field(default_factory=list)

    def _box_pid(self) -> int | None:
        """The first process inside a container, as the outside numbers it; None while bwrap still prepares."""
        self._read_status()
        line, found, _ = self._status.partition(b"\n")
        return int(json.loads(line)["child-pid"]) if found else None

    def _read_status(self) -> None:
        with contextlib.suppress(OSError):
            while chunk := os.read(self._status_fd, 4096):
                self._status += chunk

    def was_started(self) -> bool:
        """After the end: whether the command itself ever ran; False when the sandbox could not be made."""
        if self.level < Level.CONTAINER:
            return True
        self._read_status()
        return b"exit-code" in self._status

    def main_pid(self) -> int | None:
        """The job's main process; None while it is not there yet or no more."""
        if self.level < Level.CONTAINER:
            return self.pid
        first = self._box_pid()
        below = children(first) if first is not None else []
        return below[0] if below else None

    def terminate(self) -> bool:
        """Ask the main process alone to end (SIGTERM); False while it is not there yet."""
        main = self.main_pid()
        if main is None:
            return False
        with contextlib.suppress(OSError):
            os.kill(main, signal.SIGTERM)
        return True

    def kill(self) -> None:
        """Kill everything inside, at once; frozen processes too."""
        if self.level < Level.CONTAINER:
            kill_tree(os.getpid())
            return
        signal_all([pid for pid in (self._box_pid(), self.pid) if pid], signal.SIGKILL)
        if self.cgroup:
            self.cgroup.kill()

    def freeze(self) -> bool:
        """Stop every process inside where it stands; True once they use no CPU any more."""
        if self.cgroup:
            return self.cgroup.freeze()
        for _ in range(20):  # again while new ones appear between looking and stopping
            fresh = [pid for pid in self._inside() if pid not in self._stopped]
            if not fresh:
                return bool(self._stopped)
            signal_all(fresh, signal.SIGSTOP)
            self._stopped += fresh
        return True

    def thaw(self) -> None:
        """Let them run on."""
        if self.cgroup:
            self.cgroup.thaw()
            return
        signal_all(reversed(self._inside()), signal.SIGCONT)
        self._stopped.clear()

    def _inside(self) -> list[int]:
        if self.level < Level.CONTAINER:
            return descendants(os.getpid())
        first = self._box_pid()
        return descendants(first) if first is not None else []

    def limit_cpus(self, n_cpus: float) -> bool:
        """Let the box use at most this many CPUs' time; False where nothing can enforce it."""
        if not self.cgroup:
            return False
        self.cgroup.limit_cpus(n_cpus)
        return True

    def cpu_s(self) -> float:
        """CPU seconds used inside so far."""
        if self.cgroup:
            with contextlib.suppress(OSError):
                return self.cgroup.cpu_s()
        return tree_cpu_s(self.pid)

    def close(self) -> None:
        """Give the status pipe back."""
        if self._status_fd >= 0:
            os.close(self._status_fd)
            self._status_fd = -1


def launch(
    box: Box,
    level: Level,
    tools: Tools,
    *,
    log_fd: int,
    cgroup: Cgroup | None = None,
    stubs: Mapping[str, str] | None = None,
) -> Launched:
    """Start a box; its output and errors go to `log_fd`. `cgroup` is made and limited already. OSError when fork fails.

    What goes wrong after the fork (no such program, a mount refused) is written to `log_fd` and ends as exit code 1,
    126 or 127.
    """
    status_read = status_write = args_fd = -1
    if level >= Level.CONTAINER:
        status_read, status_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        options = box_options(box, is_root=box.user_id is not None, passwd_files=stubs or {})
        args_fd = os.memfd_create("bwrap-options", os.MFD_CLOEXEC)
        os.write(args_fd, b"".join(word.encode(errors="surrogateescape") + b"\0" for word in options))
        os.lseek(args_fd, 0, os.SEEK_SET)
    starter = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(box, level, tools, starter, log_fd, cgroup, status_write, args_fd)
    for fd in (status_write, args_fd):
        if fd >= 0:
            os.close(fd)
    return Launched(pid, level, cgroup, status_read)


def _become(
    box: Box, level: Level, tools: Tools, starter: int, log_fd: int, cgroup: Cgroup | None, status_fd: int, args_fd: int
) -> NoReturn:
    """In the child: limits first, isolation last, then the command; never returns."""
    code = 126
    try:
        os.setsid()
        kernel.die_with(starter)
        if cgroup:
            cgroup.join()
        _plain_signals()
        with open("/dev/null", "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(log_fd, 1)
        os.dup2(log_fd, 2)
        apply_limits(box.limits, limit_memory=cgroup is None)
        code = 127
        if level >= Level.CONTAINER:
            os.set_inheritable(status_fd, True)
            os.set_inheritable(args_fd, True)
            words = [tools.bwrap, "--json-status-fd", str(status_fd), "--args", str(args_fd), "--"]
            os.execve(tools.bwrap, [*words, *inner_command(box, setpriv=tools.setpriv)], _CLEAN_ENV)
        _exec_on_the_machine(box, level, tools)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.write(2, f"park: the job could not be started: {error}\n".encode())
    os._exit(code)


def _exec_on_the_machine(box: Box, level: Level, tools: Tools) -> None:
    os.chdir(box.folder)
    if level >= Level.LANDLOCK:
        readable = [*SYSTEM_FOLDERS, *ETC_FILES, *_ALSO_READABLE, *(bind.source for bind in box.binds)]
        writable = [*_DEVICES, *box.devices, *(bind.source for bind in box.binds if bind.is_writable)]
        if box.devices:
            # CUDA looks its devices up in /sys, and gives up where it may not name its threads. The rule holds for the
            # main process alone: all of /proc would be too much.
            readable.append("/sys")
            writable.append("/proc/self/task")
        if os.geteuid() == 0:
            kernel.drop_capabilities()
        landlock.restrict(readable, writable, version=tools.landlock_abi)
    kernel.no_new_privileges()
    os.execvpe(box.command[0], list(box.command), dict(box.env))


def _plain_signals() -> None:
    """Python and the nursery block or ignore some signals; a job begins with none of that."""
    for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def wait_for(launched: Launched, wait_s: float) -> int | None:
    """Wait for a box to end; its wait status, or None when it did not end in time. For trials; supervisors have
    their own loop."""
    end_s = time.monotonic() + wait_s
    while True:
        pid, status = os.waitpid(launched.pid, os.WNOHANG)
        if pid:
            return status
        if time.monotonic() > end_s:
            return None
        time.sleep(_START_WAIT_S)
