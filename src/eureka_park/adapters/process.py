"""What a process of the park needs of the kernel: to end with its parent, and a log on standard error."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from contextlib import suppress
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def die_with_parent(parent_pid: int) -> None:
    """In a child before it becomes its program: have the kernel send SIGTERM when the parent dies, so that a killed
    `park up` leaves no orphans but jobs. Ends at once when the parent is gone already.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent_pid:
        os._exit(1)


def log_to_stderr() -> None:
    """Warnings and errors, one line each with the time; the parent sends them to the home's logs."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
