"""One run of a sweep, as a worker does it: wherever that worker is, it needs no more than a `Task`."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from eureka_park.foundation.errors import ParkError
from eureka_park.foundation.site_file import Site
from eureka_park.twin.run_record import RunRecord
from eureka_park.twin.run_request import TwinRequest

PACKAGE: Final = Path(__file__).parents[1]
CODE: Final = ("foundation", "compute", "energy", "control", "twin")  # packages that decide what a run gives
ONE_THREAD: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
Told = Callable[[str, float], None]  # a part of the run, and how much of it is done
State = Literal["finished", "failed", "stopped", "not run"]


@dataclass(frozen=True, slots=True)
class Task:
    """A run to be done. `policy`: what it is called; `folder`: where a worker of this machine keeps it, None where the
    caller does.
    """

    site: Site
    request: TwinRequest
    policy: str = ""
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: its figures or its record, or one line that says what went wrong, and where that was."""

    figures: dict[str, Any] | None = None
    record: RunRecord | None = None
    error: str = ""
    fix: str = ""
    trace: str = ""
    code: str = ""

    @property
    def state(self) -> State:
        """What a table calls it."""
        return "failed" if self.error else "finished"


def outcome_of(task: Task, told: Told = lambda _part, _frac: None) -> Outcome:
    """Do a run; whatever it raises becomes part of the outcome."""
    try:
        record = recorded(task, told)
        record.figures["policy"] = task.policy or task.request.policy
        if task.folder is None:
            return Outcome(record.figures, record, code=code_digest())
        from eureka_park.twin.run_files import write_run

        try:
            write_run(task.folder, record)
        except ParkError as error:  # a disk that fills loses the files, not the figures
            return Outcome(record.figures, error=error.message, fix=error.fix)
        return Outcome(record.figures)
    except ParkError as error:
        return Outcome(error=error.message, fix=error.fix)
    except MemoryError:
        return Outcome(error="There was not enough memory.", fix="Give fewer workers, jobs or days.")
    except Exception as error:
        words = " ".join(str(error).split())
        said = f"The run broke off: {type(error).__name__}{': ' if words else ''}{words}"
        return Outcome(error=f"{said.rstrip('.')}.", trace=traceback.format_exc())


def recorded(task: Task, told: Told) -> RunRecord:
    """The run itself."""
    from eureka_park.twin.run import run_recorded

    return run_recorded(
        task.site, task.request, rules_of(task.site, task.request), lambda part: told(part, 0.0),
        told_frac=_seldom(told),
    )  # fmt: skip


def _seldom(told: Told) -> Callable[[float], None]:
    """Say how much is played by the hundredth part."""
    said = [-1]

    def say(frac: float) -> None:
        if int(frac * 100) > said[0]:
            said[0] = int(frac * 100)
            told("play", frac)

    return say


def rules_of(site: Site, request: TwinRequest) -> Any:
    """The policy's numbers for a run of the twin on this site."""
    from eureka_park.control.of_site import policy_of
    from eureka_park.foundation.wire.engine import Capability

    # Who draws elastic gangs by a seed compares runs with those of before: only a trace's own gangs shrink.
    return policy_of(site, frozenset(Capability) - (frozenset() if request.trace else {Capability.RESIZE}))


@cache
def code_digest() -> str:
    """A digest of the program text that decides what a run gives: kept runs of another text are not taken over."""
    found = hashlib.sha256()
    for package in CODE:
        for path in sorted((PACKAGE / package).rglob("*.py")):
            found.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()
