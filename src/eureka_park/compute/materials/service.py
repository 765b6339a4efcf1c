"""Use cases of data in jobs: find inputs at submission, make outputs versions when jobs are over, show both."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from eureka_park.accounts.service import AccountsService, Act, Principal
from eureka_park.compute import store as jobs
from eureka_park.compute.core.job import ENDED, JobInput, JobOutput, JobSpec
from eureka_park.compute.core.job_check import inputs_of
from eureka_park.compute.folders import made_files
from eureka_park.compute.materials import store
from eureka_park.compute.materials.showing import Shown
from eureka_park.compute.materials.store import COMMITTED, DUE, WAITING, OutputRow
from eureka_park.data.lineage.materials import Made
from eureka_park.data.service import DataService
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import BadInput, Conflict, Forbidden, ParkError, Unavailable
from eureka_park.foundation.ids import array_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.data.core.repository import Commit, Repository

AGAIN_S: Final = 5.0  # real seconds before the second try of what the disk or a key stood in the way of
AGAIN_MAX_S: Final = 3600.0
_AT_ONCE: Final = 20
_ACTS: Final = frozenset({Act.SEE, Act.STORE})

_log = logging.getLogger("eureka_park")


class JobMaterials:
    """What jobs read and make."""

    def __init__(self, db: Database, clock: Clock, home: Path, accounts: AccountsService, data: DataService) -> None:
        self._db, self._clock, self._home, self._accounts, self._data = db, clock, home, accounts, data

    # -- submission ----------------------------------------------------------------------------------------------------
    def checked(self, who: Principal | None, spec: JobSpec, request: Mapping[str, Any]) -> JobSpec:
        """The declaration with the versions that its inputs name now, so that the same runs on the same.

        Raises NotFound or Forbidden (`gated`) for what `who` may not read, and for what they may not write to; with
        `field`.
        """
        found = []
        for index, one in enumerate(inputs_of(request)):
            try:
                place = (one.kind, one.project, one.name, one.revision, one.path)
                repository, version = self._data.materials.find(who, *place)
            except ParkError as error:
                error.field = f"inputs[{index}]"
                raise
            found.append(JobInput(one.mount, repository.repository_id, version.commit_id, one.path))
        for index, output in enumerate(spec.outputs):
            if who is None:
                raise Forbidden("A visitor keeps nothing.", fix="Sign in.", field=f"outputs[{index}]")
            try:
                self._data.materials.check_output(who, output.kind, output.project, output.name)
            except ParkError as error:
                error.field = f"outputs[{index}]"
                raise
        return replace(spec, inputs=tuple(found)) if found else spec

    # -- outputs -------------------------------------------------------------------------------------------------------
    def commit_due(self) -> int:
        """Make what is due versions, one output after the other; how many that were. One process alone calls this; a
        crash at any point leaves what was under way due, and never makes two versions of it.
        """
        with self._db.read() as conn:
            rows = store.due(conn, self._clock.real_s(), _AT_ONCE)
        for row in rows:
            self._commit(row)
        self._data.keys.close_over(self._is_over)
        return len(rows)

    def _is_over(self, job_id: str) -> bool:
        """Whether a job has ended, and what it made is kept or waits for somebody."""
        with self._db.read() as conn:
            names = jobs.task_ids(conn, job_id) or [job_id]
            found = [job for job in (jobs.job(conn, name) for name in names) if job is not None]
            outputs = store.of_jobs(conn, names).values()
        return all(job["state"] in ENDED for job in found) and all(row.state != DUE for row in outputs)

    def commit_again(self, who: Principal, row: Mapping[str, Any]) -> None:
        """Have outputs of a job that is over committed (again), as a commit of `who`. Raises Conflict where there is
        nothing to be done, Forbidden, NotFound.
        """
        outputs = [JobOutput(*item) for item in row["spec"].get("outputs", ())]
        if not outputs or "task_states" in row:
            fix = "Name an output when you submit: --output." if not outputs else "Name its tasks, one by one."
            raise Conflict(f"{row['job_id']} has no outputs that could be committed.", fix=fix, code="no_outputs")
        with self._db.read() as conn:
            known = store.of_jobs(conn, [row["job_id"]])
        rows = []
        for position, output in enumerate(outputs):
            there = known.get((row["job_id"], position))
            if there is None or there.state == WAITING:
                self._data.materials.check_output(who, output.kind, output.project, output.name)
                rows.append(OutputRow(row["job_id"], position, DUE, who.person_id, self._clock.real_s()))
        with self._db.write() as conn:
            store.put(conn, rows)

    def _commit(self, row: OutputRow) -> None:
        try:
            self._make(row)
        except (Unavailable, OSError) as error:
            later_s = min(AGAIN_MAX_S, AGAIN_S * 2.0 ** min(row.n_tries, 20))
            text, fix = (error.message, error.fix) if isinstance(error, ParkError) else (str(error), "See the disk.")
            again = replace(row, due_at_s=self._clock.real_s() + later_s, n_tries=row.n_tries + 1, text=text, fix=fix)
            self._note(again)
        except ParkError as error:
            fix = f"{error.fix} Then: park data commit {row.job_id}".strip()
            self._note(replace(row, state=WAITING, text=error.message, fix=fix))

    def _note(self, row: OutputRow) -> None:
        _log.warning("outputs of %s are not committed yet: %s", row.job_id, row.text)
        with self._db.write() as conn:
            store.settle(conn, row)

    def _make(self, row: OutputRow) -> None:
        with self._db.read() as conn:
            job = jobs.job(conn, row.job_id)
        if job is None:
            raise Unavailable("The job's row is not there yet.", fix="Wait.", code="no_such_job")
        output = JobOutput(*job["spec"]["outputs"][row.position])
        with self._db.read() as conn:
            who = self._accounts.principal_for(conn, row.person_id, _ACTS, output.project, "")
        if who is None:
            raise Forbidden("Whoever sent the job has no account any more.", fix="Somebody else may commit them.")
        files = made_files(self._home, row.job_id, output.folder)
        if not files:
            raise BadInput("The job left no files there.", fix="Have it write some.", code="no_files")
        prefix = _prefix(row.job_id)
        inputs = [JobInput(*item) for item in job["spec"].get("inputs", ())]

        def read() -> Iterator[tuple[str, BinaryIO]]:
            yield from ((prefix + path, one.open()) for path, one in files.items())

        def settle(conn: Connection, repository: Repository, done: Commit) -> None:
            over = replace(
                row,
                state=COMMITTED,
                repository_id=repository.repository_id,
                commit_id=done.commit_id,
                n_files=len(files),
                size_bytes=sum(one.size_bytes for one in files.values()),
                text="",
                fix="",
            )
            if not store.settle(conn, over):
                raise Conflict("These outputs have been committed.", fix="See the job.", code="committed_already")

        # Whoever reads the repository reads this too: of a job elsewhere lineage tells, to those who may know of it.
        name = job["name"] if output.project == job["project"] else "a job"
        made = Made(
            row.job_id, job["project"], f"Add what {name} made"[:200],
            "" if job["state"] == "finished" else f"The job {job['state']}.",
            [(one.repository_id, one.commit_id) for one in inputs], read,
        )  # fmt: skip
        self._data.materials.commit(who, output.kind, output.project, output.name, made, settle)

    # -- showing -------------------------------------------------------------------------------------------------------
    def show(self, who: Principal | None, pairs: Iterable[tuple[Mapping[str, Any], dict[str, Any]]]) -> None:
        """Fill `inputs` and `outputs` of views of jobs (`pairs`: row, view), as `who` may see them."""
        told = [(row, view) for row, view in pairs if row["spec"].get("inputs") or row["spec"].get("outputs")]
        if told:
            Shown(self._db, self._accounts, self._data, who).fill(told)


def _prefix(job_id: str) -> str:
    """Where the files of a job lie in its commit: those of an array's task in a folder of its own."""
    return f"task-{job_id.rsplit('[', 1)[1].rstrip(']')}/" if array_of(job_id) is not None else ""


__all__ = ["JobMaterials"]
