"""Many runs of the twin, a few at once: what was done before is taken over, what breaks off stops no other.

With a folder each run is kept in `runs/NAME`, and `runs.csv` and `runs.json` hold a row for each. The name ends in a
digest of all that the run depends on: site, request, the contents of the files that it names, and the program's text.
A sweep that is asked for again, or a larger one, does only what is missing.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Final

from eureka_park.foundation.canonical import content_id
from eureka_park.foundation.errors import BadInput, ParkError
from eureka_park.foundation.site_file import Site, site_to_json
from eureka_park.twin.foresight import foreseen_mib
from eureka_park.twin.run import natural_jobs, node_shapes, tenants_of
from eureka_park.twin.run_files import check_run_folder, read_run, write_run
from eureka_park.twin.run_request import DAYS, STREAM_FROM, TwinRequest, check_request
from eureka_park.twin.sweep_crew import Crew, Event
from eureka_park.twin.sweep_tables import write_tables
from eureka_park.twin.sweep_task import Outcome, State, Task, code_digest

RUNS: Final = "runs"
N_MAX: Final = 10_000
KEY_CHARS: Final = 12
POLL_S: Final = 0.2
FRAC_MIN: Final = 0.05  # of a run, before how long it takes is worth telling
ROW_CHARS: Final = 40  # of a trace: a line has at least about so many


@dataclass(frozen=True, slots=True)
class Wanted:
    """A run that is asked for. `name`: as its folder is called; `policy`: its name, or that of the policy file under
    which the park's own runs; `foreseen_mib`: memory that it will hold.
    """

    site: Site
    request: TwinRequest
    name: str
    policy: str
    foreseen_mib: float = 0.0

    @classmethod
    def of(cls, site: Site, request: TwinRequest, policy_file: str = "") -> Wanted:
        """The run of a request. Raises BadInput where it cannot be run, or a file that it names
        cannot be read."""
        check_request(request)
        key = content_id({"site": site_to_json(site), "request": _told(request), "code": code_digest()})
        policy = policy_file or request.policy
        name = f"{site.name}-{policy}-{request.seed}-{key[:KEY_CHARS]}"
        n_jobs, n_tenants, days = _size(site, request)
        streams = request.trace is None and n_jobs > STREAM_FROM
        return cls(site, request, name, policy, foreseen_mib(site, n_jobs, n_tenants, days, streams=streams))


@dataclass(slots=True)
class Row:
    """A run and what came of it. `is_kept`: it was done before."""

    wanted: Wanted
    state: State = "not run"
    is_kept: bool = False
    figures: dict[str, Any] | None = None
    error: str = ""
    fix: str = ""
    part: str = ""
    frac: float = 0.0
    begun_s: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state in ("finished", "failed")


@dataclass(slots=True)
class Sweep:
    """A sweep as it goes. `told` is called when something has happened, and now and then; its clock is `clock_s`."""

    rows: list[Row]
    out: Path | None = None
    memory_mib: float = float("inf")
    clock_s: Callable[[], float] = time.monotonic
    begun_s: float = 0.0
    has_begun: bool = False
    is_interrupted: bool = False
    not_written: ParkError | None = None
    running: set[int] = field(default_factory=set)

    def run(self, crew: Crew, told: Callable[[Sweep], None] = lambda _sweep: None) -> None:
        """Do all that is not done. KeyboardInterrupt ends it early: finished runs are kept, the rest is marked so."""
        self.begun_s = self.clock_s()
        todo = [at for at, row in enumerate(self.rows) if not row.is_over]
        todo.sort(key=lambda at: -weight(self.rows[at].wanted))  # long ones first: none is left alone at the end
        try:
            while todo or self.running:
                self._begin(crew, todo)
                told(self)
                for event in crew.events(POLL_S):
                    self._heard(event)
        except KeyboardInterrupt:
            self.is_interrupted = True
        finally:
            crew.close()
            for at in self.running:
                self.rows[at].state = "stopped"
                self._forget(self.rows[at])
            self.running.clear()
            if self.out is not None:
                try:
                    write_tables(self.out, self.rows)
                except ParkError as error:  # the rows are there still, for who can say them
                    self.not_written = error
        told(self)

    @property
    def left_s(self) -> float | None:
        """Seconds until all is done, as far as can be told from what is; None where nothing can be told yet."""
        new = [row for row in self.rows if not row.is_kept]
        done = sum(weight(row.wanted) * (1.0 if row.is_over else row.frac) for row in new)
        passed_s = self.clock_s() - self.begun_s
        return passed_s * (sum(weight(row.wanted) for row in new) - done) / done if done > 0.0 else None

    def run_left_s(self, row: Row) -> float | None:
        """Seconds until a run is played, as far as can be told; None where little of it is."""
        passed_s = self.clock_s() - max(row.begun_s, self.begun_s)
        return passed_s * (1.0 - row.frac) / row.frac if row.frac >= FRAC_MIN else None

    def _begin(self, crew: Crew, todo: list[int]) -> None:
        """Give work to who is free, as far as memory reaches; one run may always go on."""
        while todo and crew.n_free > 0:
            left_mib = self.memory_mib - sum(self.rows[at].wanted.foreseen_mib for at in self.running)
            fits = (at for at in todo if self.rows[at].wanted.foreseen_mib <= left_mib)
            at = next(fits, None if self.running else todo[0])
            if at is None:
                return
            todo.remove(at)
            row = self.rows[at]
            row.begun_s = self.clock_s()
            self.running.add(at)
            crew.begin(at, Task(row.wanted.site, row.wanted.request, row.wanted.policy, self._folder(row)))

    def _heard(self, event: Event) -> None:
        row = self.rows[event.index]
        if not self.has_begun:  # until then compiled code was made ready
            self.has_begun, self.begun_s = True, self.clock_s()
        if event.outcome is None:
            row.part, row.frac = event.part, event.frac
            return
        self.running.discard(event.index)
        outcome = event.outcome
        row.state, row.figures = outcome.state, outcome.figures
        row.error, row.fix = outcome.error, outcome.fix
        if outcome.record is not None and self.out is not None:
            self._keep(row, outcome)
        if outcome.trace and self.out is not None:
            self._note(row, outcome.trace)

    def _keep(self, row: Row, outcome: Outcome) -> None:
        """A record that came from elsewhere."""
        assert outcome.record is not None and self.out is not None
        try:
            write_run(self.out / RUNS / row.wanted.name, outcome.record)
        except ParkError as error:
            row.state, row.error, row.fix = "failed", error.message, error.fix

    def _note(self, row: Row, trace: str) -> None:
        """Where a run broke off, for who mends it."""
        assert self.out is not None
        with suppress(OSError):
            folder = self.out / RUNS / row.wanted.name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "error.txt").write_text(trace, encoding="utf-8")

    def _forget(self, row: Row) -> None:
        """What a run that was ended left half written."""
        folder = self._folder(row)
        if folder is not None and not (folder / "run.json").exists():
            shutil.rmtree(folder, ignore_errors=True)

    def _folder(self, row: Row) -> Path | None:
        return self.out / RUNS / row.wanted.name if self.out is not None else None


def sweep_of(wanted: Sequence[Wanted], out: Path | None = None, *, again: bool = False) -> Sweep:
    """A sweep with what was done before taken over, unless all is to be done `again`. Raises BadInput."""
    if not wanted:
        raise BadInput("There is nothing to run.", fix="Name a policy and a seed at least.")
    if len(wanted) > N_MAX:
        raise BadInput(f"That makes {len(wanted):,} runs.", fix=f"Ask for at most {N_MAX:,}.")
    if out is not None:
        check_run_folder(out)
    rows = [Row(one) for one in {one.name: one for one in wanted}.values()]
    for row in rows if out is not None and not again else ():
        assert out is not None
        with suppress(BadInput):  # there is none, or a part of one
            row.figures = read_run(out / RUNS / row.wanted.name).figures
            row.is_kept = row.figures.get("is_whole", True)
            row.state = "finished" if row.is_kept else "not run"
    return Sweep(rows, out)


def weight(wanted: Wanted) -> float:
    """About how long a run takes beside others: turns and jobs."""
    n_jobs, _n_tenants, days = _size(wanted.site, wanted.request)
    return days * 1440.0 * 10.0 + n_jobs


def _size(site: Site, request: TwinRequest) -> tuple[int, int, float]:
    """Jobs, tenants and days of a run, as far as can be told before it."""
    days = DAYS if request.days is None else request.days
    if request.trace is not None and request.n_jobs is None:
        return int(request.trace.stat().st_size / ROW_CHARS), len(tenants_of(site)), days
    n_jobs = request.n_jobs or natural_jobs(node_shapes(site), days, request.load_frac)
    return n_jobs, len(tenants_of(site)), days


def _told(request: TwinRequest) -> dict[str, Any]:
    """A request as far as a run depends on it: files by what they hold."""
    return {one.name: _content(getattr(request, one.name)) for one in fields(request)}


def _content(value: Any) -> Any:
    if isinstance(value, Path):
        try:
            stat = value.stat()
            return _file_digest(value, stat.st_size, stat.st_mtime_ns)
        except OSError as error:
            raise BadInput(f"{value} cannot be read: {error.strerror}.", fix="Check the path.") from None
    if isinstance(value, Mapping):
        return {str(name): _content(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_content(one) for one in value]
    return value


@cache
def _file_digest(path: Path, _n_bytes: int, _changed_ns: int) -> str:
    """The content of a file, read once as long as it stays as it is: many runs name the same trace."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
