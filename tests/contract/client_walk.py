"""What the scripts of client steps share: steps that must end as told, their number, where the park is."""

from __future__ import annotations

import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")
ENDPOINT = os.environ["HF_ENDPOINT"]
PROJECT = sys.argv[1] if len(sys.argv) > 1 else "lab"
OTHER = sys.argv[2] if len(sys.argv) > 2 else "desk"  # a project that the same lead leads
STRANGER = os.environ["STRANGER_TOKEN"]
work = Path(tempfile.mkdtemp())
n_passed = 0


def step(name: str, call: Callable[[], Any], expected: Any = ...) -> Any:
    """Run one step; a wrong outcome ends the script."""
    global n_passed
    start_s = time.perf_counter()
    found = call()
    assert expected is ... or found == expected, f"{name}: {found!r} instead of {expected!r}"
    n_passed += 1
    print(f"{n_passed:3} {name} {time.perf_counter() - start_s:.2f} s", flush=True)
    return found


def fails(name: str, kind: type[Exception], call: Callable[[], Any]) -> None:
    """A step whose outcome is one of the client's own exceptions."""

    def caught() -> bool:
        try:
            call()
        except kind:
            return True
        return False

    step(f"{name}: {kind.__name__}", caught, True)


def walk(*parts: Callable[[], Any]) -> None:
    """Take all steps, and say how many there were."""
    for part in parts:
        part()
    print(f"{n_passed} steps passed")
