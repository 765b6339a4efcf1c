"""`park top`: the park live on one screen. News comes by the park's stream, else by asking every two seconds."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from eureka_park.cli.output import clean, console, json_option, park, print_json
from eureka_park.cli.progress import ParkClock, reason_with_countdown
from eureka_park.cli.words import _
from eureka_park.foundation.errors import ParkError

if TYPE_CHECKING:
    from eureka_park.cli.top_frame import Screen
    from eureka_park.client import Park

ASK_EVERY_S: Final = 2.0
PLAN_EVERY_S: Final = 60.0
REDRAW_S: Final = 0.5
LOG_BYTES: Final = 16 * 1024


@click.command()
@click.option("--once", is_flag=True, help="Print one frame and end; so does a pipe.")
@json_option
def top(once: bool, as_json: bool) -> None:
    """Show the park live on one screen: the sky, each source, the salt, what runs, what waits and why.

    \b
    Keys: j k or arrows move, w why, l log, c cancel, / filter, ? help, q quit.

    \b
    park top
    park top --once
    """
    here = park()
    if as_json:
        print_json(here.overview())
    elif once or not (sys.stdin.isatty() and sys.stdout.isatty()):
        _print_once(here)
    else:
        _Top(here).run()


def _print_once(here: Park) -> None:
    from eureka_park.cli.top_frame import Screen, frame

    screen = Screen(ParkClock.of(here), overview=here.overview(), plan=_plan(here))
    out = console()
    screen_text = frame(screen, out.width)
    out.print(screen_text, no_wrap=True, crop=False)


def _plan(here: Park) -> Any:
    try:
        return here.plan()
    except ParkError:
        return None


class _News:
    """Brings what the park says onto the screen, in a thread of its own with a client of its own."""

    def __init__(self, screen: Screen, make: Callable[[], Park]) -> None:
        self._screen, self._make = screen, make
        self.woken = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            here = self._make()
            try:
                self._listen(here)
            except ParkError as error:
                self._ask_meanwhile(here, error)
            finally:
                here.close()

    def _listen(self, here: Park) -> None:
        self._refresh(here)
        asked_s = time.monotonic()
        for overview in here.overviews():
            if self._stop.is_set():
                return
            if time.monotonic() - asked_s > PLAN_EVERY_S:
                self._refresh(here)
                asked_s = time.monotonic()
            self._put(overview, "")
        self._stop.wait(0.5)  # a park that stops ends its streams

    def _refresh(self, here: Park) -> None:
        self._screen.plan, self._screen.clock = _plan(here), ParkClock.of(here)

    def _ask_meanwhile(self, here: Park, error: ParkError) -> None:
        """Between two tries of the stream: ask once, and say how it stands."""
        self._stop.wait(ASK_EVERY_S)
        try:
            self._put(here.overview(), _("asked every {n} s", n=f"{ASK_EVERY_S:g}"))
        except ParkError:
            self._screen.link = _("the park does not answer")
            self.woken.set()

    def _put(self, overview: Any, link: str) -> None:
        self._screen.overview, self._screen.link = overview, link
        self.woken.set()


class _Top:
    """The loop: news, keys, frames."""

    def __init__(self, here: Park) -> None:
        from eureka_park.cli.top_frame import Screen
        from eureka_park.client import Park

        self._here = here
        self._screen = Screen(ParkClock.of(here), overview=here.overview(), plan=_plan(here))
        self._news = _News(self._screen, Park)
        self._typing: str | None = None
        self._doomed: str | None = None
        self._log_s = 0.0

    def run(self) -> None:
        """Until q or Ctrl-C."""
        from rich.live import Live

        from eureka_park.cli.keys import Keys

        out = console()
        self._news.start()
        try:
            with Keys() as keys, Live(console=out, screen=True, auto_refresh=False) as live:
                while True:
                    live.update(self._drawn(out.size.width, out.size.height), refresh=True)
                    if not self._wait(keys):
                        return
        except (KeyboardInterrupt, EOFError):
            return
        finally:
            self._news.stop()

    def _drawn(self, width: int, height: int) -> Any:
        from eureka_park.cli.top_frame import frame

        if self._screen.pane == "log" and time.monotonic() - self._log_s > 1.0:
            self._read_log()
        return frame(self._screen, width, height)

    def _wait(self, keys: Any) -> bool:
        """Until a key, news, or the next redraw; False when it is time to leave."""
        end_s = time.monotonic() + REDRAW_S
        while time.monotonic() < end_s:
            key = keys.read(0.05)
            if key:
                return self.press(key)
            if self._news.woken.is_set():
                self._news.woken.clear()
                return True
        return True

    def press(self, key: str) -> bool:
        """Do what a key asks for; False for leaving."""
        self._screen.note = ""
        if self._doomed is not None:
            self._answer(key)
        elif self._typing is not None:
            self._type(key)
        elif self._screen.pane != "jobs":
            self._screen.pane = "jobs"
        elif key in {"q", "Q"}:
            return False
        else:
            self._act(key)
        return True

    def _act(self, key: str) -> None:
        screen, job = self._screen, self._screen.job()
        moves = {"j": 1, "down": 1, "k": -1, "up": -1, "pagedown": 10, "pageup": -10, "G": 10**6, "end": 10**6}
        if key in moves or key in {"g", "home"}:
            screen.move(moves.get(key, -(10**6)))
        elif key == "?":
            screen.pane = "help"
        elif key == "/":
            self._typing = ""
            screen.asks = "/"
        elif key == "esc":
            screen.wanted = ""
        elif job is not None and key == "w":
            screen.pane, screen.pane_lines = "why", self._why(job["job_id"])
        elif job is not None and key == "l":
            screen.pane, self._log_s = "log", 0.0
            self._read_log()
        elif job is not None and key == "c":
            self._doomed = job["job_id"]
            screen.asks = _("Cancel {name} ({job})? y or n", name=clean(job["name"]), job=job["job_id"])

    def _answer(self, key: str) -> None:
        job, self._doomed, self._screen.asks = self._doomed, None, ""
        if job is None or key.lower() not in {_("y"), "y"}:
            self._screen.note = _("Nothing was cancelled.")
            return
        try:
            self._here.cancel(job)
            self._screen.note = _("{job} is asked to end.", job=job)
        except ParkError as error:
            self._screen.note = _told(error)

    def _type(self, key: str) -> None:
        text = self._typing or ""
        if key in {"enter", "esc"}:
            self._screen.wanted, self._typing, self._screen.asks = text if key == "enter" else "", None, ""
            return
        text = text[:-1] if key == "backspace" else text + key if len(key) == 1 and key.isprintable() else text
        self._typing, self._screen.asks, self._screen.wanted = text, f"/{text}", text

    def _why(self, job_id: str) -> list[str]:
        try:
            reasons = self._here.why(job_id)
        except ParkError as error:
            return [_told(error)]
        return [reason_with_countdown(reason, self._screen.clock) for reason in reasons] or [_("Nothing holds it.")]

    def _read_log(self) -> None:
        job = self._screen.job()
        self._log_s = time.monotonic()
        if job is None:
            return
        try:
            text = "".join(self._here.logs(job["job_id"], follow=False, offset=-LOG_BYTES))
        except ParkError as error:
            text = _told(error)
        self._screen.pane_lines = text.replace("\t", "    ").splitlines() or [_("The log is empty so far.")]


def _told(error: ParkError) -> str:
    from eureka_park.cli.errors import told

    return clean(told(error))
