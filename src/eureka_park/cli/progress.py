"""Progress beside the output: one live line on a terminal, now and then a plain line in a pipe, nothing when quiet.

All of it goes to stderr. Clocks: a job's times are park time, which may be paced; what a person waits is real time.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from eureka_park.cli.errors import sentence
from eureka_park.cli.output import clean, say
from eureka_park.cli.words import _
from eureka_park.foundation.errors import ParkError
from eureka_park.foundation.units import MIB, duration_text, parse_instant_s

if TYPE_CHECKING:
    from eureka_park.client import JobView, Park, Sent

PLAIN_AFTER_S: Final = 5.0  # what is over sooner is not worth a line in somebody's log file
BAR_WIDTH: Final = 24
_WAITS: Final = frozenset({"queued", "paused", "frozen"})


@dataclass
class Line:
    """The line: a text that is asked for again and again, with a key that says what it is about."""

    quiet: bool = False
    _text: Callable[[], str] = str
    _key: str | None = None
    _since_s: float = 0.0
    _said: set[str] = field(default_factory=set)
    _live: Any = None

    def __enter__(self) -> Line:
        if not self.quiet and is_live():
            from rich.console import Console
            from rich.live import Live

            console = Console(file=sys.stderr, highlight=False)
            self._live = Live(get_renderable=self._drawn, console=console, transient=True, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, key: str, text: Callable[[], str]) -> None:
        """Say what goes on; in a pipe once for each key, and only when it has lasted a while."""
        now_s = time.monotonic()
        if key != self._key:
            self._key, self._since_s = key, now_s
        self._text = text
        is_due = now_s - self._since_s >= PLAIN_AFTER_S and key not in self._said
        if self._live is None and not self.quiet and is_due:
            self._said.add(key)
            say(text())

    def _drawn(self) -> Any:
        from rich.text import Text

        return Text(self._text())  # a long reason takes a second line: its end says until when


def is_live() -> bool:
    """Whether stderr is a terminal on which a line can be rewritten."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@dataclass(frozen=True, slots=True)
class ParkClock:
    """Park time from one answer of the park: where it stood, when that was here, how fast it goes."""

    park_s: float
    asked_s: float
    pace: float

    @classmethod
    def of(cls, park: Park) -> ParkClock:
        """Ask the park; this machine's clock where it does not say."""
        try:
            status = park.status()
            return cls(parse_instant_s(status["park_at"]), time.monotonic(), float(status["pace"]) or 1.0)
        except (ParkError, KeyError, TypeError, ValueError):
            return cls(time.time(), time.monotonic(), 1.0)

    def now_s(self) -> float:
        """Park time now."""
        return self.park_s + (time.monotonic() - self.asked_s) * self.pace

    def real_left_s(self, instant: str) -> float:
        """Real seconds until an instant of park time; 0 when it is past."""
        return max(0.0, (parse_instant_s(instant) - self.now_s()) / self.pace)


def state_line(view: JobView, clock: ParkClock) -> str:
    """What a job does now, since when, why it waits, and the countdown to the hour that was promised."""
    job, state, reasons = clean(view["job_id"]), view["state"], view.get("reasons") or []
    if state == "starting":
        return _("{job} is being prepared: environment and files", job=job)
    if state not in _WAITS:
        ran = duration_text(clock.now_s() - parse_instant_s(view["started_at"] or view["submitted_at"]))
        capped = (view.get("cap_frac") or 1.0) < 1.0
        cap = _(", at {percent} of its power", percent=f"{view['cap_frac']:.0%}") if capped else ""
        return _("{job} runs, {time} so far", job=job, time=ran) + cap
    waited = duration_text(clock.now_s() - parse_instant_s(view["submitted_at"]))
    head = {
        "paused": _("{job} is paused", job=job),
        "frozen": _("{job} is frozen", job=job),
    }.get(state) or _("{job} waits, {time} so far", job=job, time=waited)
    return f"{head}: {reason_with_countdown(reasons[0], clock)}" if reasons else head


def reason_with_countdown(reason: Any, clock: ParkClock) -> str:
    """A reason with until when it holds and how long that is for the one who waits."""
    text, until = clean(sentence(reason["text"])), reason.get("until")
    if not until:
        return text
    left = duration_text(clock.real_left_s(until))
    return text + " " + _("(until {clock} UTC, in {left})", clock=until[11:16], left=left)


def show_view(line: Line, view: JobView, clock: ParkClock) -> None:
    """Put a job's state on the line."""
    codes = ",".join(reason["code"] for reason in (view.get("reasons") or [])[:1])
    line.show(f"{view['state']} {codes}", lambda: state_line(view, clock))


def show_sent(line: Line, sent: Sent) -> None:
    """Put the state of an upload on the line."""
    line.show("sending", lambda: sent_line(sent))


def sent_line(sent: Sent) -> str:
    """How much of an upload has travelled."""
    if not sent.size_bytes:
        return _("looking at {n} files", n=sent.n_files)
    done, size = f"{sent.sent_bytes / MIB:.1f}", f"{sent.size_bytes / MIB:.1f}"
    return f"{bar(sent.sent_bytes / sent.size_bytes)} " + _("sending {done} of {size} MiB", done=done, size=size)


def got_line(name: str, got_bytes: int, size_bytes: int) -> str:
    """How much of an output has arrived."""
    done, size = f"{got_bytes / MIB:.1f}", f"{size_bytes / MIB:.1f}"
    frac = got_bytes / size_bytes if size_bytes else 1.0
    return f"{bar(frac)} " + _("{name}: {done} of {size} MiB", name=clean(name), done=done, size=size)


def bar(frac: float) -> str:
    """A bar of fixed width."""
    n_full = round(max(0.0, min(1.0, frac)) * BAR_WIDTH)
    return "█" * n_full + "░" * (BAR_WIDTH - n_full)
