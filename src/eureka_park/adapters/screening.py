"""The operator's own check of people before they get GPUs: a program that reads JSON and says yes or no by its exit."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from eureka_park.foundation.errors import Unavailable

TIMEOUT_S: Final = 20.0
CLEAR, REFUSED = 0, 1


def screener(command: Callable[[], Sequence[str]]) -> Callable[[Mapping[str, str]], bool | None]:
    """Whether somebody is clear, by the program that the operator names now; None where none is named.

    It reads one JSON object (person_id, name, email) and exits with 0 for yes, 1 for no. Anything else, or no end
    within 20 s, raises Unavailable: nobody is let through because a check broke.
    """

    def screen(person: Mapping[str, str]) -> bool | None:
        words = list(command())
        if not words:
            return None
        try:
            done = subprocess.run(
                words, input=json.dumps(dict(person)), text=True, capture_output=True, timeout=TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            raise _failed() from None
        if done.returncode not in (CLEAR, REFUSED):
            raise _failed()
        return done.returncode == CLEAR

    return screen


def _failed() -> Unavailable:
    return Unavailable(
        "The park's screening of accounts could not be asked.",
        fix="Try again later; its operator finds the program under [screening] in accounts.toml.",
        code="screening_failed",
    )
