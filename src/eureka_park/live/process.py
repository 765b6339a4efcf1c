"""The process around the loop: lease, signals, the wake-up socket, the timer."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Final, Protocol

from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import Conflict
from eureka_park.live import store
from eureka_park.live.loop import Live
from eureka_park.live.store import LEASE_TTL_S

GATHER_S: Final = 0.025  # between the beginnings of two cycles; the first call after a quiet while waits for nothing
_DRAIN: Final = 65_536

_log = logging.getLogger("eureka_park.live")


def process_start(pid: int) -> str | None:
    """A process's start time in clock ticks since boot, None when it is gone: with the pid it is an identity."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rsplit(")", 1)[1].split()
    return None if fields[0] == "Z" else fields[19]


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _pid_namespace() -> str:
    """In which numbering of processes this one is: two containers of one machine may both have a process 7."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return "unknown"


def holder_name() -> str:
    """This process as a lease holder: boot, pid, start time, pid namespace."""
    return f"{_boot_id()} {os.getpid()} {process_start(os.getpid())} {_pid_namespace()}"


def holder_is_gone(holder: str) -> bool:
    """Whether a lease holder that this process would see has surely ended, so that its lease need not run out first."""
    parts = holder.split()
    if len(parts) != 4 or (parts[0], parts[3]) != (_boot_id(), _pid_namespace()):
        return False
    return process_start(int(parts[1])) != parts[2]


def take_lease(db: Database, clock: Clock) -> store.Lease:
    """Take the lease; at once when its holder has died on this machine. Raises Conflict while another lives."""
    with db.write() as conn:
        held = store.heartbeat(conn)
        may_take = held is not None and holder_is_gone(held.holder)
        return store.take_lease(conn, holder_name(), clock.real_s(), LEASE_TTL_S, may_take=may_take)


class Stopper:
    """Turns SIGTERM and SIGINT into a wish to stop, and wakes the loop."""

    def __init__(self) -> None:
        self.wanted = False
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self.wanted = True
        self._writer.send(b"x")

    def fileno(self) -> int:
        """For select."""
        return self._reader.fileno()


class Waker(Protocol):
    """What ends the sleep between two cycles."""

    def fileno(self) -> int:
        """For select."""

    def drain(self) -> None:
        """Take all that was said: one turn of the loop answers it together."""


class Datagrams:
    """Wakes by datagrams on a socket that does not block."""

    def __init__(self, receiver: socket.socket) -> None:
        self._receiver = receiver

    def fileno(self) -> int:
        """For select."""
        return self._receiver.fileno()

    def drain(self) -> None:
        """Take all datagrams that wait."""
        try:
            for _ in range(_DRAIN):
                self._receiver.recv(64)
        except BlockingIOError:
            return


def wait_for_lease(db: Database, clock: Clock, stopper: Stopper, again_s: float = 1.0) -> store.Lease | None:
    """Take the lease; while another process holds it, stand by and try again. None when told to stop meanwhile."""
    is_told = False
    while not stopper.wanted:
        try:
            return take_lease(db, clock)
        except Conflict as error:
            if not is_told:
                _log.warning("%s This one stands by.", error.message)
            is_told = True
        select.select([stopper.fileno()], [], [], again_s)
    return None


def run(live: Live, wakers: Sequence[Waker], stopper: Stopper, after_cycle: Callable[[], None] = lambda: None) -> None:
    """Cycle until told to stop; sleep until woken or the timer runs out."""
    while not stopper.wanted:
        began_s = time.monotonic()
        live.cycle()
        after_cycle()
        handles = {waker.fileno(): waker for waker in wakers}
        ready, _, _ = select.select([*handles, stopper.fileno()], [], [], live.wait_s())
        woken = [handles[handle] for handle in ready if handle in handles]
        if woken:
            # Many callers at once are answered together: a cycle for each would be work done many times.
            time.sleep(max(0.0, GATHER_S - (time.monotonic() - began_s)))
        for waker in woken:
            waker.drain()
    with live.parts.db.write() as conn:
        store.release_lease(conn, live.journal.token, live.parts.clock.real_s())
