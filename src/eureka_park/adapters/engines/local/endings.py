"""How an attempt ended, from its wait status and what was asked of it. Pure."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from eureka_park.foundation.wire.engine import Outcome

PAUSED_CODE: Final = 75  # EX_TEMPFAIL of sysexits.h: come back later
_OUR_SIGNALS: Final = (15, 9)


@dataclass(frozen=True, slots=True)
class Ending:
    """The last word on an attempt; `exit_code` is None when a signal ended it."""

    outcome: Outcome
    exit_code: int | None
    exit_signal: int | None
    detail: str = ""


def ending_of(
    status: int, *, asked: str, in_container: bool, was_started: bool = True, ran_out_of_memory: bool = False
) -> Ending:
    """`asked` is "", "pause" or "cancel".

    bwrap, like a shell, says 128 + n for a command that died by signal n; in a container such codes are read that way.
    """
    code, number = _code_and_signal(status, in_container)
    if ran_out_of_memory and code != 0 and asked != "cancel":
        return Ending(
            Outcome.FAILED, code, number, "The job needed more memory than it asked for, and the kernel stopped it."
        )
    detail = "" if was_started else "The sandbox could not be made; the last line of the log says why."
    return Ending(_outcome(code, number, asked), code, number, detail)


def _code_and_signal(status: int, in_container: bool) -> tuple[int | None, int | None]:
    if os.WIFSIGNALED(status):
        return None, os.WTERMSIG(status)
    code = os.WEXITSTATUS(status)
    if in_container and 128 < code <= 128 + 64:
        return None, code - 128
    return code, None


def _outcome(code: int | None, number: int | None, asked: str) -> Outcome:
    if asked == "cancel":
        return Outcome.CANCELLED
    if code == 0:
        return Outcome.FINISHED
    by_us = number in _OUR_SIGNALS or code in tuple(128 + one for one in _OUR_SIGNALS)
    if asked == "pause" and (code == PAUSED_CODE or by_us):
        return Outcome.PAUSED
    return Outcome.FAILED
