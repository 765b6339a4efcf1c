"""Use cases of compute: submit, cancel, look, and why."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from eureka_park.accounts.service import AccountsService, Act, Principal
from eureka_park.compute import folders, store, view
from eureka_park.compute.core.job import JobSpec, Tier
from eureka_park.compute.core.job_check import Largest, check_request
from eureka_park.data.service import DataService
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import BadInput, Conflict, NotFound
from eureka_park.foundation.ids import ENTROPY_BYTES, JobId, array_of, new_id, task_id
from eureka_park.foundation.units import iso_from_s

ENDED_NAMES: Final = frozenset({"finished", "failed", "cancelled", "lost"})


class Receipts(Protocol):
    """What compute asks of the ledger."""

    def receipt(self, job_id: str) -> dict[str, Any] | None:
        """The receipt of a settled job."""

    def summaries(self, job_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """By job, the three figures of its receipt that a list shows; unsettled ones are left out."""


class ComputeService:
    """Jobs as people and programs use them. Commands go to the inbox; only `live` decides."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        home: Path,
        accounts: AccountsService,
        data: DataService,
        receipts: Receipts,
        *,
        largest: Largest,
        flex_deadline_default_s: float | None,
        entropy: Callable[[int], bytes],
        wake: Callable[[], None],
        mark: Callable[[], int],
        has_plan: Callable[[], bool] = lambda: True,
    ) -> None:
        self._db, self._clock, self._home = db, clock, home
        self._accounts, self._data, self._receipts = accounts, data, receipts
        self._largest, self._flex_default_s = largest, flex_deadline_default_s
        self._entropy, self._wake, self._mark, self._has_plan = entropy, wake, mark, has_plan

    # -- commands --------------------------------------------------------------------------------------------------
    def submit(self, who: Principal, request: Mapping[str, Any], idempotency_key: str | None = None) -> JobId:
        """Check a declaration and put it into the inbox; the job's id, the same again for a repeated key.

        Raises BadInput with the field and the fix; nothing is left behind then.
        """
        now_s = self._clock.park_s()
        spec = replace(check_request(request, now_s, self._largest), is_trusted=who.is_operator)
        with self._db.read() as conn:  # one view for all checks
            self._accounts.require(Act.SUBMIT, who, spec.project)
            if spec.snapshot_id is not None:
                self._check_script(spec)
            self._check_after(conn, who, spec.after)
        job_id = JobId(new_id("job", self._entropy(ENTROPY_BYTES)))
        payload = {"spec": spec.to_json(), "at_s": now_s, "deadline_s": self._deadline(spec, now_s)}
        key = hashlib.sha256(f"{who.person_id}:{idempotency_key}".encode()).hexdigest() if idempotency_key else job_id
        with self._db.write() as conn:
            job_id = JobId(store.post_command(conn, f"submit:{key}", "submit", job_id, payload, self._clock.real_s()))
        self._wake()
        return job_id

    def cancel(self, who: Principal, job_id: str) -> str:
        """Ask for a job or a whole array to be ended; the state it is in now. Conflict when it is over already."""
        row = self._row(who, job_id, Act.SUBMIT)
        if row["state"] in ENDED_NAMES:
            raise Conflict(
                f"{job_id} is already over: {row['state']}.", fix="There is nothing to cancel.", code="job_over"
            )
        with self._db.write() as conn:
            key = f"cancel:{job_id}:{self._entropy(ENTROPY_BYTES).hex()}"
            store.post_command(conn, key, "cancel", job_id, {}, self._clock.real_s())
        self._wake()
        state: str = row["state"]
        return state

    def _deadline(self, spec: JobSpec, now_s: float) -> float | None:
        if spec.deadline_s is None and spec.tier is Tier.FLEX and self._flex_default_s is not None:
            return now_s + max(self._flex_default_s, spec.time_s)
        return spec.deadline_s

    def _check_script(self, spec: JobSpec) -> None:
        files = {item.path for item in self._data.snapshot(spec.snapshot_id or "")}
        script = spec.command[1] if spec.command[0] in {"python", "sh"} and len(spec.command) > 1 else spec.command[0]
        name = script.removeprefix("./")
        if (
            (script.startswith("./") or name.endswith((".py", ".sh")))
            and not script.startswith("/")
            and name not in files
        ):
            raise BadInput(
                f"The script '{name}' is not in the folder that was sent.",
                fix="Name a path inside the folder.",
                field="script",
                code="missing_script",
            )

    def _check_after(self, conn: Any, who: Principal, after: Sequence[JobId]) -> None:
        ended, _ = store.open_among(conn, after) if after else ({}, set())
        for job_id in dict.fromkeys(after):
            try:
                self._row_in(conn, who, job_id)
            except NotFound:
                raise BadInput(
                    f"There is no job {job_id} to run after.",
                    fix="List jobs with: park jobs --all",
                    field="after",
                    code="no_such_job",
                ) from None
            if ended.get(job_id, "finished") != "finished":
                raise BadInput(
                    f"{job_id} is {ended[job_id]}, so nothing can run after it.",
                    fix="Run it again, or leave it out.",
                    field="after",
                    code="dependency_failed",
                )

    # -- looking ---------------------------------------------------------------------------------------------------
    def job(self, who: Principal | None, job_id: str) -> dict[str, Any]:
        """A JobView; an array's id gives the array's."""
        with self._db.read() as conn:
            row = self._row_in(conn, who, job_id)
            if "task_states" in row:
                return view.array_view(job_id, row, store.array_times(conn, job_id))
            shown = view.job_view(row, self._receipts.receipt(job_id) if row["state"] in ENDED_NAMES else None)
            if row["state"] == "queued" and not row["reasons"]:
                n_ahead = store.n_before(conn, row["project"], row["tier"], row["ordinal"])
                shown["reasons"] = [self._waits_for(conn, row) or self._no_plan() or view.behind(n_ahead, row["tier"])]
            return shown

    def _no_plan(self) -> dict[str, Any] | None:
        return None if self._has_plan() else view.no_plan()

    @staticmethod
    def _waits_for(conn: Any, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """The reason of a job that runs after others which are not over yet; None when nothing holds it."""
        after = row["spec"]["after"]
        ended, _ = store.open_among(conn, after) if after else ({}, set())
        return view.dependency([name for name in after if name not in ended])

    def jobs(
        self,
        who: Principal | None,
        *,
        states: Sequence[str] = (),
        tier: str | None = None,
        project: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> tuple[list[dict[str, Any]], str | None]:
        """JobViews, newest first, and the cursor of the next page or None."""
        names = [item.project_id for item in self._accounts.projects(who)]
        if project is not None:
            names = [name for name in names if name == project]
        before = int(after) if after and after.lstrip("-").isdigit() else None
        limit = max(1, min(limit, 1000))
        with self._db.read() as conn:
            rows = store.page(conn, states=states, tier=tier, projects=names, before=before, limit=limit + 1)
            receipts = self._receipts.summaries([row["job_id"] for row in rows if row["state"] in ENDED_NAMES])
            shown = [view.job_view(row, receipts.get(row["job_id"])) for row in rows[:limit]]
            for row, job in zip(rows, shown, strict=False):
                if row["state"] == "queued" and not row["reasons"]:
                    job["reasons"] = [self._waits_for(conn, row) or self._no_plan() or view.in_line(row["tier"])]
        return shown, str(rows[limit - 1]["ordinal"]) if len(rows) > limit else None

    def why(self, who: Principal | None, job_id: str) -> dict[str, Any]:
        """The reasons of a job: why it waits, is capped, paused, frozen, or how it ended."""
        shown = self.job(who, job_id)
        reasons = shown["reasons"]
        if shown["state"] in ENDED_NAMES or not reasons:
            row = self._row(who, job_id)
            reasons = [view.ended_reason(row)] + (reasons if shown["state"] not in ENDED_NAMES else [])
        return {"job_id": job_id, "state": shown["state"], "reasons": reasons}

    def timeline(self, who: Principal | None, job_id: str) -> list[dict[str, Any]]:
        """What happened to a job, oldest first: `at_s`, `what`, `text`."""
        with self._db.read() as conn:
            self._row_in(conn, who, job_id)
            return store.timeline_of(conn, job_id)

    def timeline_view(self, who: Principal | None, job_id: str) -> list[dict[str, Any]]:
        """The timeline as the API shows it: `at`, `what`, `text`."""
        rows = self.timeline(who, job_id)
        return [{"at": iso_from_s(row["at_s"]), "what": row["what"], "text": row["text"]} for row in rows]

    def receipt(self, who: Principal | None, job_id: str) -> dict[str, Any] | None:
        """The receipt of a settled job, None before; an array's is the sum of its tasks' once all are settled."""
        row = self._row(who, job_id)
        if "task_states" not in row:
            return self._receipts.receipt(job_id)
        with self._db.read() as conn:
            found = [self._receipts.receipt(name) for name in store.task_ids(conn, job_id)]
        settled = [item for item in found if item is not None]
        return view.array_receipt(job_id, settled) if len(settled) == len(found) else None

    def counts(self) -> dict[str, int]:
        """How many jobs are in each state."""
        with self._db.read() as conn:
            return store.counts(conn)

    def change_mark(self) -> int:
        """A number that grows with every entry of the journal; cheap to ask."""
        return self._mark()

    # -- files -----------------------------------------------------------------------------------------------------
    def log_file(self, who: Principal | None, job_id: str) -> Path:
        """The path of a job's log; it may not exist yet."""
        self._row(who, job_id)
        return folders.log_file(self._home, job_id)

    def outputs(self, who: Principal | None, job_id: str) -> list[dict[str, Any]]:
        """The files that a job wrote."""
        self._row(who, job_id)
        return folders.outputs(self._home, job_id)

    def open_output(self, who: Principal | None, job_id: str, path: str) -> BinaryIO:
        """One output, open for reading; links are never followed."""
        self._row(who, job_id)
        return folders.open_output(self._home, job_id, path)

    # -- rows ------------------------------------------------------------------------------------------------------
    def _row(self, who: Principal | None, job_id: str, act: Act = Act.SEE) -> dict[str, Any]:
        with self._db.read() as conn:
            return self._row_in(conn, who, job_id, act)

    def _row_in(self, conn: Any, who: Principal | None, job_id: str, act: Act = Act.SEE) -> dict[str, Any]:
        row = store.job(conn, job_id)
        if row is None and array_of(job_id) is None:
            states = store.array_states(conn, job_id)
            first = store.job(conn, task_id(JobId(job_id), 0)) if states else None
            if first is not None:
                row = {**first, "job_id": job_id, "task_states": states, "state": view.array_state(states)}
        if row is None:
            posted = store.posted_job(conn, job_id)
            row = None if posted is None else view.posted_row(job_id, posted["payload"])
        if row is None or not self._accounts.visible(who, row["project"]):
            raise NotFound(f"There is no job {job_id}.", fix="List jobs with: park jobs --all", code="no_such_job")
        if act is not Act.SEE:
            self._accounts.require(act, who, row["project"])
        return row
