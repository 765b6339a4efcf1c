"""`park logs` and `park wait`: staying with a job until it ends."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from eureka_park.cli.errors import sentence
from eureka_park.cli.lazy import INTERRUPTED, NOT_REACHABLE, report
from eureka_park.cli.output import JOB, json_option, park, print_json, quiet_option, say
from eureka_park.cli.params import DURATION
from eureka_park.cli.terminal_text import TerminalText
from eureka_park.cli.words import _
from eureka_park.foundation.errors import ParkError

if TYPE_CHECKING:
    from eureka_park.client import JobView, Park

TIMED_OUT: Final = 124
PARK_ERROR: Final = NOT_REACHABLE
CANCELLED: Final = 128 + 15  # a cancelled job was ended by us, as if by SIGTERM


@click.command()
@click.argument("job", type=JOB)
@click.option("-f", "--follow", is_flag=True, help="Go on until the job has ended.")
@click.option("--tail", type=click.IntRange(min=0), metavar="BYTES", help="Begin this many bytes before the end.")
@quiet_option
@json_option
def logs(job: str, follow: bool, tail: int | None, quiet: bool, as_json: bool) -> None:
    """Print the log of a job. Ctrl-C stops the printing; the job runs on.

    With -f a job that has not started yet is waited for: why, and until when, stands beside the output.
    On a terminal colours are kept and other orders to it are not; into a file or a pipe every byte goes as it is.

    \b
    park logs job-4zr3q...
    park logs -f job-4zr3q...
    park logs job-4zr3q... --tail 2000
    """
    here = park()
    if tail == 0 and not follow:
        return
    try:
        if follow and not as_json:
            _until_started(here, job, quiet)
        text = here.logs(job, follow, offset=-tail if tail else 0)
        if as_json:
            print_json({"job_id": job, "text": "".join(text)})
            return
        shown = TerminalText() if sys.stdout.isatty() else None
        for part in text:
            sys.stdout.write(shown.take(part) if shown else part)
            sys.stdout.flush()
    except KeyboardInterrupt:
        _left_running(job, f"park logs -f {job}", quiet)


@click.command()
@click.argument("job", type=JOB)
@click.option(
    "--timeout", type=DURATION, metavar="DURATION", help="Give up after this long (90s, 15m, 2h); exit code 124."
)
@quiet_option
@json_option
def wait(job: str, timeout: float | None, quiet: bool, as_json: bool) -> None:
    """Wait until a job has ended and exit with its own exit code.

    Meanwhile its state stands beside the output: why it waits, the countdown to the hour that was promised, how long it
    has run.

    \b
    Exit codes: the job's own; 128+n when signal n ended it; 143 cancelled; 124 time-out;
    125 when the park could not be asked, lost the job or never started it.

    \b
    park wait job-4zr3q... --timeout 2h
    park wait job-4zr3q... --quiet && park get job-4zr3q...
    """
    raise click.exceptions.Exit(wait_for(job, timeout, quiet=quiet, as_json=as_json, prints=True))


def wait_for(job: str, timeout_s: float | None, *, quiet: bool, as_json: bool, prints: bool) -> int:
    """Wait and return the exit code as `park wait` does; with `prints` and `as_json` the job's view goes to stdout."""
    try:
        view = _ended(park(), job, timeout_s, quiet or as_json)
    except KeyboardInterrupt:
        _left_running(job, f"park wait {job}", quiet)
    except ParkError as error:
        report(error, as_json=as_json)
        return TIMED_OUT if error.code == "timed_out" else PARK_ERROR
    if prints and as_json:
        print_json(view)
    if not as_json and not quiet:
        say(f"{job} {_(view['state'])}{_detail(view)}")
    return exit_code_of(view)


def exit_code_of(view: JobView) -> int:
    """The exit code for a job that has ended: its own, 128+n for signal n, 143 cancelled, 125 lost or never started."""
    if view["state"] == "cancelled":
        return CANCELLED
    if view["state"] == "lost":
        return PARK_ERROR
    signal, code = view.get("exit_signal"), view.get("exit_code")
    if signal:
        return 128 + signal
    if code is not None:
        return code
    if view["state"] == "finished":
        return 0
    # An array has no code of its own: it failed when a task failed.
    return 1 if view.get("n_tasks") else PARK_ERROR


def _ended(here: Park, job: str, timeout_s: float | None, quiet: bool) -> JobView:
    if quiet:
        return here.wait(job, timeout_s)
    from eureka_park.cli.progress import Line, ParkClock, show_view

    clock = ParkClock.of(here)
    with Line() as line:
        for view in here.watch(job, timeout_s):
            show_view(line, view, clock)
    return view


def _until_started(here: Park, job: str, quiet: bool) -> None:
    """Stay with a job, and say why, until there may be something in its log."""
    view = here.view(job)
    if quiet or view["state"] not in {"queued", "starting"}:
        return
    from eureka_park.cli.progress import Line, ParkClock, show_view

    clock = ParkClock.of(here)
    with Line() as line:
        for view in here.watch(job):
            if view["state"] not in {"queued", "starting"}:
                return
            show_view(line, view, clock)


def _detail(view: JobView) -> str:
    if view.get("exit_signal"):
        return _(" by signal {signal}", signal=view["exit_signal"])
    if view.get("exit_code"):
        return _(" with exit code {code}", code=view["exit_code"])
    reasons = view.get("reasons") or []
    return f": {sentence(reasons[0]['text'])}" if view["state"] in {"failed", "lost"} and reasons else ""


def _left_running(job: str, again: str, quiet: bool) -> None:
    if not quiet:
        click.echo(err=True)
        say(_("{job} runs on. Again: {again}; to end it: park cancel {job}", job=job, again=again))
    raise click.exceptions.Exit(INTERRUPTED)
