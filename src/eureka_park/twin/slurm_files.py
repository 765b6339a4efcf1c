"""Where Slurm's records come from: its own commands, run without root and writing nothing, or files of their words."""

from __future__ import annotations

import gzip
import os
import subprocess
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import IO, Final

from eureka_park.foundation.errors import BadInput, NotFound, Unavailable
from eureka_park.twin.core.sacct import FIELDS, OPTIONS, TIME_FORMAT, Header, SlurmJob, job_of, stamp_s
from eureka_park.twin.core.slurm_nodes import EVENT_FIELDS, OutOfService, SlurmNode, events_of, hosts_of, nodes_of

FILE_FIX: Final = (
    "Run this where Slurm's commands are, or bring their words here: park observe slurm --commands says which to type; "
    "then: --from jobs.txt --nodes nodes.txt"
)
WRONG_FRAC_MAX: Final = 0.01  # of rows that contradict themselves; more of them are no accident
WRONG_MAX: Final = 20  # so many are always borne
TOLD_EVERY: Final = 20_000


@dataclass(slots=True)
class Counts:
    """What became of the lines: steps are no jobs; wrong ones are left out, and the first is told."""

    n_lines: int = 0
    n_steps: int = 0
    n_wrong: int = 0
    first_wrong: str = ""


@dataclass(frozen=True, slots=True)
class SlurmSource:
    """A record of jobs: a file of what sacct printed, or None for sacct itself, from `days` ago until now."""

    jobs: Path | None = None
    nodes: Path | None = None
    events: Path | None = None
    zone: tzinfo | None = None
    days: float = 30.0

    @property
    def name(self) -> str:
        """What people call it."""
        return self.jobs.name if self.jobs else "sacct"

    def lines(self) -> Iterator[str]:
        """The lines of the record, one at a time. Raises NotFound, Unavailable."""
        return _file_lines(self.jobs) if self.jobs else _command_lines(sacct_command(self.days))

    def machines(self) -> tuple[SlurmNode, ...]:
        """The machines; none where a file of jobs stands alone. Raises BadInput, NotFound, Unavailable."""
        if self.nodes:
            return nodes_of("".join(_file_lines(self.nodes)))
        return () if self.jobs else nodes_of("".join(_command_lines(("scontrol", "show", "node", "--oneliner"))))

    def outs(self) -> tuple[OutOfService, ...]:
        """Times out of service; none where the cluster does not tell them."""
        if self.events:
            return events_of(_file_lines(self.events), self.zone)
        if self.jobs:
            return ()
        try:
            return events_of(list(_command_lines(events_command(self.days))))
        except (Unavailable, BadInput):
            return ()


def sacct_command(days: float) -> tuple[str, ...]:
    """The one command that reads jobs."""
    hours = max(1, round(days * 24))
    return ("sacct", *OPTIONS, f"--starttime=now-{hours}hours", f"--format={','.join(FIELDS)}")


def events_command(days: float) -> tuple[str, ...]:
    """The one command that reads times out of service."""
    since = f"start=now-{max(1, round(days * 24))}hours"
    return ("sacctmgr", "--parsable2", "--readonly", "show", "event", since, f"format={','.join(EVENT_FIELDS)}")


def commands_of(days: float) -> tuple[str, ...]:
    """What to type on a cluster to look at it elsewhere."""
    stamps = f"SLURM_TIME_FORMAT={TIME_FORMAT}"
    return (
        f"{stamps} {' '.join(sacct_command(days))} > jobs.txt",
        "scontrol show node --oneliner > nodes.txt",
        f"{stamps} {' '.join(events_command(days))} > events.txt",
    )


def _command_lines(command: tuple[str, ...]) -> Iterator[str]:
    """What a command prints, as it prints it. Raises Unavailable with its own words where it fails."""
    environment = {**os.environ, "SLURM_TIME_FORMAT": TIME_FORMAT, "LC_ALL": "C.UTF-8"}
    with os.fdopen(os.memfd_create("said"), "w+b") as said:  # in memory: nothing is written on a login node
        try:
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True,
                encoding="utf-8", errors="replace",
            )  # fmt: skip
        except OSError:
            raise Unavailable(f"There is no {command[0]} here.", fix=FILE_FIX, code="no_slurm") from None
        try:
            assert process.stdout is not None
            yield from process.stdout
            code = process.wait()
        finally:
            process.stdout and process.stdout.close()
            if process.poll() is None:
                process.terminate()
            process.wait()
        if code:
            said.seek(0)
            words = said.read(4000).decode("utf-8", "replace").strip().splitlines() or [f"exit {code}"]
            told = f"{command[0]} fails: {words[-1].strip()}"
            raise Unavailable(told if told.endswith(".") else f"{told}.", fix="Try it by hand.", code="slurm_failed")


def _file_lines(path: Path) -> Iterator[str]:
    try:
        with _opened(path) as stream:
            yield from stream
    except FileNotFoundError:
        raise NotFound(f"There is no file '{path}'.", fix="Check the path.", code="no_such_file") from None
    except (OSError, EOFError, zlib.error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is cut short or damaged"
        raise Unavailable(f"'{path}' cannot be read: {why}.", fix="Check the path.") from None


def _opened(path: Path) -> IO[str]:
    if path.name.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return path.open(encoding="utf-8-sig", errors="replace")


def read_jobs(source: SlurmSource, counts: Counts, told: Callable[[int], None] = lambda _n: None) -> Iterator[SlurmJob]:
    """The jobs of a record, one at a time. Raises BadInput where it is none, or more than a few lines are wrong."""
    lines = source.lines()
    header = _header(source, lines)
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        counts.n_lines += 1
        if counts.n_lines % TOLD_EVERY == 0:
            told(counts.n_lines)
        try:
            job = job_of(header, line, source.zone)
            hosts_of(job.node_list if job else "")  # remembered for whoever asks next
        except BadInput as error:
            if error.code != "bad_row":
                raise
            _bear(source, counts, f"line {number}: {error.message}")
            continue
        if job is None:
            counts.n_steps += 1
        else:
            yield job
    if counts.n_wrong > max(WRONG_MAX, WRONG_FRAC_MAX * counts.n_lines):
        raise _too_wrong(source, counts)


def _header(source: SlurmSource, lines: Iterator[str]) -> Header:
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise BadInput(f"{source.name} is empty.", fix=FILE_FIX, code="bad_trace", field="from")
    return Header(first)


def _bear(source: SlurmSource, counts: Counts, what: str) -> None:
    """Leave a line out; where nearly all are wrong, say so at once."""
    counts.n_wrong += 1
    counts.first_wrong = counts.first_wrong or what
    if counts.n_wrong > 1000 and counts.n_wrong > counts.n_lines / 2:
        raise _too_wrong(source, counts)


def _too_wrong(source: SlurmSource, counts: Counts) -> BadInput:
    return BadInput(
        f"{source.name}: {counts.n_wrong:,} of {counts.n_lines:,} lines are wrong; {counts.first_wrong}.",
        fix=FILE_FIX, code="bad_trace", field="from",
    )  # fmt: skip


def _epoch_s(text: str) -> int:
    try:
        instant_s = stamp_s(text, None)
    except BadInput:  # a wrong line, which is told when jobs are read
        return 0
    return int(instant_s) if instant_s == instant_s else 0


def last_instant_s(source: SlurmSource) -> float:
    """The latest submission, start or end in a file of jobs, in one quick pass. Raises BadInput."""
    lines = source.lines()
    header = _header(source, lines)
    last_epoch, last_text = 0, ""
    for line in lines:
        values = line.split("|", header.n_fields - 1)
        if len(values) < header.n_fields:
            continue
        for place in header.stamps_at:
            text = values[place]
            if text.isdigit():
                last_epoch = max(last_epoch, _epoch_s(text))
            elif text > last_text and text[:1].isdigit():
                last_text = text
    if not last_epoch and not last_text:
        raise BadInput(f"{source.name} holds no jobs.", fix=FILE_FIX, code="bad_trace", field="from")
    return max(float(last_epoch), stamp_s(last_text, source.zone) if last_text else 0.0)
