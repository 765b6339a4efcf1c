"""Watching a run of the twin: its progress with the time that is left, and Ctrl-C, which ends it early."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Final

from eureka_park.cli.output import say
from eureka_park.cli.progress import Line, bar
from eureka_park.cli.words import N_, _
from eureka_park.foundation.units import duration_text

PARTS: Final = {
    "work": N_("making the jobs"),
    "sky": N_("making weather and plans"),
    "play": N_("running the days"),
    "metrics": N_("measuring"),
    "bound": N_("working out what was possible"),
}
STEPS: Final = 10  # of a run, that are told one by one where no line can be rewritten
LEAST_S: Final = 2.0  # of playing, before how long it will take is worth telling


class RunWatch:
    """Progress of a run on stderr. The first Ctrl-C while its days are played ends it early: `stopped` says so. After
    that the first one leaves out the bound.

    A second one breaks it off, as does one before there is anything to keep.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self._line = Line(quiet=quiet)
        self._part = ""
        self._begun_s = 0.0
        self._is_asked = self._has_played = False
        self._before: Any = None

    def __enter__(self) -> RunWatch:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._heard)
        self._line.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.__exit__(kind, error, trace)
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def told(self, part: str) -> None:
        """A part of the run begins."""
        self._part, self._begun_s = part, time.monotonic()
        self._line.show(part, lambda: _(PARTS[part]))

    def told_frac(self, frac: float) -> None:
        """So much of the days is played."""
        self._has_played = True
        self._line.show(f"play {int(frac * STEPS)}", lambda: self._play_text(frac))

    def stopped(self) -> bool:
        """Whether the run is to end now."""
        return self._is_asked

    def _play_text(self, frac: float) -> str:
        spent_s = time.monotonic() - self._begun_s
        text = f"{bar(frac)} {_(PARTS[self._part])}"
        if self._is_asked or spent_s < LEAST_S or frac <= 0.0:
            return text
        return text + _(", {time} left", time=duration_text(spent_s * (1.0 - frac) / frac))

    def _heard(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_asked or not self._has_played:
            raise KeyboardInterrupt
        self._is_asked = True
        if not self.quiet and self._part == "play":
            say(_("the run ends here; what was played is kept. Ctrl-C again breaks it off."))
        if self._part == "bound":  # who solves it keeps what was played
            raise KeyboardInterrupt
