"""Runs the parts of a gang inside its box, as the box's main process: `gang_parts.py VARIABLES COMMAND ...`.

VARIABLES is a JSON list: what each part is told beside what all are told. The gang ends when all parts have ended; it
fails when one fails, and the others are stopped then. A SIGTERM (pause or cancel) goes to all parts. This file is
shown to the box alone, so it imports nothing of the park.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NoReturn

PAUSED_CODE = 75
OTHERS_GRACE_S = 10.0  # how long the others may take to end when a part has failed
_BY_US = (signal.SIGTERM, signal.SIGKILL)
_HEARD = (signal.SIGTERM, signal.SIGCHLD)


class Gang:
    """The parts while they run, and how they ended. A code below zero is a death by that signal."""

    def __init__(self, parts: Sequence[Mapping[str, str]], command: Sequence[str]) -> None:
        self.parts, self.command = parts, command
        self.running: dict[int, int] = {}  # pid to rank
        self.codes: list[int] = []
        self.failed: int | None = None  # code of the first part that failed without being asked to stop
        self.is_asked = False
        self.kill_at_s: float | None = None

    def run(self) -> int:
        """Start all parts and wait for them; the code of the gang."""
        for rank, part in enumerate(self.parts):
            self.running[_start(self.command, {**os.environ, **part})] = rank
        while self.running:
            wait_s = 60.0 if self.kill_at_s is None else max(0.0, self.kill_at_s - time.monotonic())
            heard = signal.sigtimedwait(_HEARD, wait_s)
            if heard is not None and heard.si_signo == signal.SIGTERM:
                self.is_asked = True
                self._tell(signal.SIGTERM)
            self._bury()
            if self.kill_at_s is not None and time.monotonic() >= self.kill_at_s:
                self._tell(signal.SIGKILL, is_whole=True)
                self.kill_at_s = time.monotonic() + 1.0
        return self._code()

    def _bury(self) -> None:
        while self.running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            rank = self.running.pop(pid, None)
            if rank is None:
                continue
            code = os.waitstatus_to_exitcode(status)
            self.codes.append(code)
            if code != 0 and not self.is_asked and self.failed is None:
                self._part_failed(rank, code)

    def _part_failed(self, rank: int, code: int) -> None:
        self.failed = code
        how = f"with exit code {code}" if code > 0 else f"by signal {-code}"
        others = "; the others are stopped" if self.running else ""
        node = self.parts[rank].get("PARK_NODE", "")
        _say(f"part {rank} of {len(self.parts)}, on {node}, ended {how}{others}")
        self._tell(signal.SIGTERM)
        self.kill_at_s = time.monotonic() + OTHERS_GRACE_S

    def _tell(self, number: int, *, is_whole: bool = False) -> None:
        """Signal the main process of each part, or all that it started as well."""
        for pid in self.running:
            try:
                (os.killpg if is_whole else os.kill)(pid, number)
            except ProcessLookupError:
                continue

    def _code(self) -> int:
        """A gang that was asked to stop has paused when a part says so; else when none failed and not all had finished.

        A part that waits for one that has left already breaks off with an error: that is no failure of the gang.
        """
        if self.failed is not None:
            return self.failed
        if PAUSED_CODE in self.codes:
            return PAUSED_CODE
        by_us = {PAUSED_CODE, *(-number for number in _BY_US), *(128 + number for number in _BY_US)}
        failed = [code for code in self.codes if code != 0 and code not in by_us]
        return failed[0] if failed else PAUSED_CODE if any(self.codes) else 0


def _start(command: Sequence[str], env: Mapping[str, str]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.execvpe(command[0], list(command), dict(env))
    except OSError as error:
        _say(f"the command could not be started: {error}")
    os._exit(127)


def _say(line: str) -> None:
    os.write(2, f"park: {line}\n".encode())


def leave(code: int) -> NoReturn:
    """End as a part ended: with its exit code, or by its signal."""
    if code < 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if -code not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.kill(os.getpid(), -code)
        code = 128 - code
    os._exit(code)


def main() -> NoReturn:
    """Run the gang that the arguments name."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
    gang = Gang(json.loads(sys.argv[1]), sys.argv[2:])
    try:
        leave(gang.run())
    except OSError as error:
        _say(f"the gang could not be started: {error}")
        for pid in gang.running:
            os.killpg(pid, signal.SIGKILL)
        os._exit(1)


if __name__ == "__main__":
    main()
