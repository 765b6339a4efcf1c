"""Use cases of compute: submit, cancel, look, and why."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import EllipsisType
from typing import Any, BinaryIO, Final

from eureka_park.accounts.service import AccountsService, Act, Principal
from eureka_park.compute import folders, history, store, view
from eureka_park.compute.board_facts import BoardFacts
from eureka_park.compute.core.job import JobSpec, Tier
from eureka_park.compute.core.job_check import check_request, check_script
from eureka_park.compute.core.listing import Sort, cursor_text, read_cursor, read_sort
from eureka_park.compute.core.site_room import SiteRoom
from eureka_park.compute.core.spans import Span, spans_of
from eureka_park.compute.materials.service import JobMaterials
from eureka_park.compute.neighbours import Biller, DeadlineCheck, NoBiller, Quoter, Receipts, Sky
from eureka_park.compute.own_project import with_project
from eureka_park.compute.place_in_line import Place
from eureka_park.compute.quote_rows import ON_NODE, RUNNING_MAX, QuoteShelf, is_first
from eureka_park.compute.why import why_answer
from eureka_park.data.service import DataService
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import BadInput, Conflict, NotFound, ParkError
from eureka_park.foundation.ids import ENTROPY_BYTES, JobId, array_of, new_id, task_id
from eureka_park.foundation.units import iso_from_s

ENDED_NAMES: Final = frozenset({"finished", "failed", "cancelled", "lost"})
CANCEL_MAX: Final = 1000
_SKY_HOURS_MAX: Final = 7 * 24
_ARRAYS_KEPT: Final = 64  # sums of receipts of arrays that are remembered


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
        room: SiteRoom,
        flex_deadline_default_s: float | None,
        entropy: Callable[[int], bytes],
        wake: Callable[[], None],
        mark: Callable[[], int],
        seal: Callable[[JobId, JobSpec], JobSpec],
        has_plan: Callable[[], bool] = lambda: True,
        sky: Sky | None = None,
        quoter: Quoter | None = None,
        check_deadline: DeadlineCheck | None = None,
        pace_factor: float = 1.0,
        board_facts: Callable[[], BoardFacts] = BoardFacts,
        biller: Biller | None = None,
    ) -> None:
        self._db, self._clock, self._home, self._biller = db, clock, home, biller or NoBiller()
        self._accounts, self._data, self._receipts = accounts, data, receipts
        self.materials = JobMaterials(db, clock, home, accounts, data)
        self._room, self._flex_default_s = room, flex_deadline_default_s
        self._entropy, self._wake, self._mark, self._has_plan = entropy, wake, mark, has_plan
        self._sky, self._quoter, self._pace_factor = sky, quoter, pace_factor
        self._check_deadline, self._board_facts = check_deadline, board_facts
        self._quote_shelf, self._seal = QuoteShelf(), seal
        self._array_receipts: dict[str, dict[str, Any]] = {}

    # -- commands --------------------------------------------------------------------------------------------------
    def submit(self, who: Principal, request: Mapping[str, Any], idempotency_key: str | None = None) -> JobId:
        """Check a declaration and put it into the inbox; the job's id, the same again for a repeated key.

        Raises BadInput with the field and the fix; nothing is left behind then.
        """
        now_s = self._clock.park_s()
        with self._db.read() as conn:  # one view for all checks
            spec = self._checked(conn, who, request, now_s)
            bill = self._biller.bill(conn, spec, now_s)
        if spec.n_gpus:
            self._accounts.people.require_screened(who)
        job_id = JobId(new_id("job", self._entropy(ENTROPY_BYTES)))
        payload = {"spec": self._seal(job_id, spec).to_json(), "at_s": now_s, "deadline_s": self._deadline(spec, now_s)}
        key = hashlib.sha256(f"{who.person_id}:{idempotency_key}".encode()).hexdigest() if idempotency_key else job_id
        with self._db.write(alone=bill is not None) as conn:
            found = JobId(store.post_command(conn, f"submit:{key}", "submit", job_id, payload, self._clock.real_s()))
            if found == job_id:  # a repeated one has been held for already
                self._biller.submitted(conn, job_id, spec, bill, now_s)
        self._wake()
        return found

    def _checked(
        self, conn: Any, who: Principal | None, request: Mapping[str, Any], now_s: float, act: Act = Act.SUBMIT
    ) -> JobSpec:
        is_trusted = who is not None and who.is_operator
        person, request = who.person_id if who is not None else "", with_project(self._accounts, who, request)
        spec = replace(check_request(request, now_s, self._room), is_trusted=is_trusted, person=person)
        self._accounts.require(act, who, spec.project)
        if spec.snapshot_id is not None:
            check_script(spec, {item.path for item in self._data.snapshot(spec.snapshot_id)})
        spec = self.materials.checked(who, spec, request)
        self._check_after(conn, who, spec.after)
        if self._check_deadline is not None and spec.deadline_s is not None:
            self._check_deadline(spec, now_s, lambda: is_first(conn, spec.project))
        return spec

    def quote(self, who: Principal | None, request: Mapping[str, Any]) -> dict[str, Any]:
        """What such a job would draw, cost and emit, by tier, and its best hours. Refuses what `submit` refuses.

        A visitor (None) gets one too, for a project that everybody sees.
        """
        now_s = self._clock.park_s()
        with self._db.read() as conn:
            spec = self._checked(conn, who, request, now_s, Act.SEE if who is None else Act.SUBMIT)
            mark, real_s = self._mark(), self._clock.real_s()
            rows = self._quote_shelf.rows(conn, mark, spec, real_s, is_visitor=who is None)
        if self._quoter is None:
            raise NotFound("This park makes no quotes.", fix="Submit the job.", code="no_quotes")
        specs = {str(tier): replace(spec, tier=tier) for tier in Tier}
        deadlines_s = {tier: self._deadline(item, now_s) for tier, item in specs.items()}
        return self._quoter(specs, deadlines_s, str(spec.tier), now_s, rows, is_visitor=who is None)

    def jobs_of_person(self, person_id: str) -> list[dict[str, Any]]:
        """What the park keeps of the jobs that a person sent, the newest first. The caller checks who may know."""
        with self._db.read() as conn:
            return store.jobs_of_person(conn, person_id, 100_000)

    def cancel(self, who: Principal, job_id: str) -> str:
        """Ask for a job or a whole array to be ended; the state it is in now. Conflict when it is over already."""
        row = self._row(who, job_id, Act.SUBMIT)
        _check_open(job_id, row["state"])
        with self._db.write(alone=False) as conn:
            store.post_cancels(conn, {job_id: self._cancel_key(job_id)}, self._clock.real_s())
        self._wake()
        state: str = row["state"]
        return state

    def cancel_many(self, who: Principal, job_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Ask for many jobs to be ended, all in one transaction: for each its `state` now, or the `error` it met.

        What cannot be cancelled holds up nothing else. Raises BadInput beyond 1000 jobs.
        """
        names = list(dict.fromkeys(job_ids))
        if len(names) > CANCEL_MAX:
            raise BadInput(f"{len(names)} jobs are too many at once.", fix=f"Name up to {CANCEL_MAX}.", field="job_ids")
        answers: dict[str, dict[str, Any]] = {}
        with self._db.read() as conn:
            known = store.where_of(conn, names)
            may = {project: self._may_cancel(who, project) for project in {item[0] for item in known.values()}}
            for name in names:
                answers[name] = self._cancel_answer(conn, who, name, known.get(name), may)
        good = [name for name in names if "state" in answers[name]]
        if good:
            with self._db.write(alone=False) as conn:
                store.post_cancels(conn, {name: self._cancel_key(name) for name in good}, self._clock.real_s())
            self._wake()
        return [{"job_id": name, **answers[name]} for name in names]

    def commit_outputs(self, who: Principal, job_id: str) -> dict[str, Any]:
        """Have outputs of a job that is over committed, where that has not been possible; its view."""
        row = self._row(who, job_id, Act.SUBMIT)
        if row["state"] not in ENDED_NAMES:
            raise Conflict(f"{job_id} is not over yet.", fix="Its outputs are committed when it is.", code="job_open")
        self.materials.commit_again(who, row)
        return self.job(who, job_id)

    def _cancel_answer(
        self, conn: Any, who: Principal, name: str, known: tuple[str, str] | None, may: Mapping[str, bool]
    ) -> dict[str, Any]:
        try:
            if known is not None and may[known[0]]:
                state = known[1]
            else:  # an array, a job that has just been sent, or one with an error that says why not
                state = self._row_in(conn, who, name, Act.SUBMIT)["state"]
            _check_open(name, state)
        except ParkError as error:
            return {"error": {"code": error.code, "message": error.message, "fix": error.fix}}
        return {"state": state}

    def _may_cancel(self, who: Principal, project: str) -> bool:
        return all(self._accounts.answer(act, who, project).is_allowed for act in (Act.SEE, Act.SUBMIT))

    def _cancel_key(self, job_id: str) -> str:
        return f"cancel:{job_id}:{self._entropy(ENTROPY_BYTES).hex()}"

    def _deadline(self, spec: JobSpec, now_s: float) -> float | None:
        if spec.deadline_s is None and spec.tier is Tier.FLEX and self._flex_default_s is not None:
            return now_s + max(self._flex_default_s, spec.time_s)
        return spec.deadline_s

    def _check_after(self, conn: Any, who: Principal | None, after: Sequence[JobId]) -> None:
        names = list(dict.fromkeys(after))
        unseen = self._unseen(conn, who, names)
        ended, _ = store.open_among(conn, names) if not unseen else ({}, set())
        for job_id in names:
            if job_id in unseen:
                raise BadInput(
                    f"There is no job {job_id} to run after.",
                    fix="List jobs with: park jobs --all",
                    field="after",
                    code="no_such_job",
                )
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
                array = view.array_view(job_id, row, store.array_times(conn, job_id))
                self.materials.show(who, [(row, array)])
                return array
            shown = view.job_view(row, self._receipts.receipt(job_id) if row["state"] in ENDED_NAMES else None)
            self.materials.show(who, [(row, shown)])
            self._tell_nodes([shown])
            if row["state"] == "queued" and not row["reasons"]:
                n_ahead = store.n_before(conn, Place.of_row(row))
                shares = self._board_facts().shares
                behind = view.behind(n_ahead, row["tier"], shares.get(row["project"]))
                shown["reasons"] = [self._waits_for(conn, row) or self._no_plan() or behind]
            return shown

    def _tell_nodes(self, shown: Iterable[dict[str, Any]]) -> None:
        """Name all nodes that gangs hold; a row knows the first alone."""
        gangs = [job for job in shown if job["nodes"] > 1 and job["held_nodes"]]
        held = self._board_facts().gangs if gangs else {}
        for job in gangs:
            job["held_nodes"] = list(held.get(job["job_id"], job["held_nodes"]))

    def _no_plan(self) -> dict[str, Any] | None:
        return None if self._has_plan() else view.no_plan()

    @staticmethod
    def _waits_for(conn: Any, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """The reason of a job that runs after others which are not over yet; None when nothing holds it."""
        after = row["spec"]["after"]
        ended, _ = store.open_among(conn, after) if after else ({}, set())
        return view.dependency([name for name in after if name not in ended], row["hidden"])

    def _hidden(self, conn: Any, who: Principal | None, rows: Sequence[Mapping[str, Any]]) -> frozenset[str]:
        """Of the jobs that these run after, those that somebody may not know of."""
        if who is not None and who.is_operator:
            return frozenset()
        return self._unseen(conn, who, sorted({name for row in rows for name in row["spec"]["after"]}))

    def _unseen(self, conn: Any, who: Principal | None, names: Sequence[str]) -> frozenset[str]:
        """Of these jobs and arrays, those that are not there or that somebody may not see."""
        if not names:
            return frozenset()
        seen, projects = self._visible_projects(who), store.projects_of(conn, names)
        return frozenset(
            name for name in names if name not in projects or (seen is not None and projects[name] not in seen)
        )

    def jobs(
        self,
        who: Principal | None,
        *,
        states: Sequence[str] = (),
        tier: str | None = None,
        project: str | None = None,
        text: str = "",
        sort: str = "newest",
        limit: int = 100,
        after: str | None = None,
    ) -> tuple[list[dict[str, Any]], str | None]:
        """JobViews in an order of `compute.core.listing.Sort`, and the cursor of the next page or None.

        `text`: part of name, id or project, in any case. Raises BadInput for an unknown order or a foreign cursor.
        """
        order = read_sort(sort)
        cursor, limit = read_cursor(order, after), max(1, min(limit, 1000))
        asked = self._asked(who, states, tier, project, text)
        with self._db.read() as conn:
            found = store.page(conn, asked, order, cursor, limit + 1)
            rows = store.rows_of(conn, [job_id for job_id, _ in found[:limit]])
            hidden = self._hidden(conn, who, rows)
            rows = [{**row, "hidden": hidden} for row in rows]
            receipts = self._receipts.summaries([row["job_id"] for row in rows if row["state"] in ENDED_NAMES])
            shown = [view.job_view(row, receipts.get(row["job_id"])) for row in rows]
            self.materials.show(who, zip(rows, shown, strict=True))
            self._tell_nodes(shown)
            waiting = [(row, job) for row, job in zip(rows, shown, strict=True) if row["state"] == "queued"]
            unplanned = self._no_plan() if any(not row["reasons"] for row, _ in waiting) else None
            for row, job in waiting:
                if not row["reasons"]:
                    job["reasons"] = [self._waits_for(conn, row) or unplanned or view.in_line(row["tier"])]
        return shown, cursor_text(order, found[limit - 1][1]) if len(found) > limit else None

    def count_matching(
        self,
        who: Principal | None,
        *,
        states: Sequence[str] = (),
        tier: str | None = None,
        project: str | None = None,
        text: str = "",
    ) -> int:
        """How many jobs a list with these filters has."""
        with self._db.read() as conn:
            return store.count(conn, self._asked(who, states, tier, project, text))

    def _asked(
        self, who: Principal | None, states: Sequence[str], tier: str | None, project: str | None, text: str
    ) -> store.Asked:
        names = self._visible_projects(who)
        if project is not None and (names is None or project in names):
            names = (project,)
        elif project is not None:
            names = ()
        return store.Asked(tuple(dict.fromkeys(states)), tier, names, text.strip())

    def _visible_projects(self, who: Principal | None) -> tuple[str, ...] | None:
        """The projects that somebody sees; None: all there are."""
        if who is not None and who.is_operator:
            return None
        return tuple(item.project_id for item in self._accounts.projects(who))

    def why(self, who: Principal | None, job_id: str) -> dict[str, Any]:
        """The reasons of a job: why it waits, is capped, paused, frozen, or how it ended; its place in line, its
        project's share, what was promised to it, and what would help (`compute.why`).
        """
        shown = self.job(who, job_id)
        reasons, state = shown["reasons"], shown["state"]
        with self._db.read() as conn:
            row = self._row_in(conn, who, job_id)
            timeline = store.timeline_of(conn, job_id)
            n_ahead = store.n_before(conn, Place.of_row(row)) if state == "queued" else None
        if state in ENDED_NAMES or not reasons:
            reasons = [view.ended_reason(row)] + (reasons if state not in ENDED_NAMES else [])
        reasons = view.with_fetching(reasons, folders.fetching(self._home, job_id, row["attempt"]), state)
        share = self._board_facts().shares.get(row["project"])
        return why_answer(shown, reasons, timeline, n_ahead, share, self._clock.park_s())

    def timeline(self, who: Principal | None, job_id: str) -> list[dict[str, Any]]:
        """What happened to a job, oldest first: `at_s`, `what`, `text`, `reason`, `cap_frac`, `node`."""
        with self._db.read() as conn:
            hidden = self._row_in(conn, who, job_id)["hidden"]
            return [{**row, "text": view.veiled(row["text"], hidden)} for row in store.timeline_of(conn, job_id)]

    def timeline_view(self, who: Principal | None, job_id: str) -> list[dict[str, Any]]:
        """The timeline as the API shows it: `at`, `what`, `text`, `reason`, `cap_frac`."""
        rows = self.timeline(who, job_id)
        keys = ("what", "text", "reason", "cap_frac")
        return [{"at": iso_from_s(row["at_s"]), **{key: row[key] for key in keys}} for row in rows]

    def history(self, who: Principal | None, job_id: str) -> dict[str, Any]:
        """A job's life for its page: `spans` of state with their reasons, `power` by park hour, `sky` over these hours.

        An array has no life of its own: that of its first task is told.
        """
        now_s = self._clock.park_s()
        with self._db.read() as conn:
            row = self._row_in(conn, who, job_id)
            own_id = task_id(JobId(job_id), 0) if "task_states" in row else job_id
            spans = self._spans(conn, own_id, row)
        if not spans:
            spans = [Span("queued", row["submitted_s"], None, reason=next(iter(row["reasons"]), None))]
        hours = self._receipts.hours_of(own_id)
        end_s = now_s if spans[-1].until_s is None else spans[-1].until_s
        begin_s = max(spans[0].from_s, end_s - _SKY_HOURS_MAX * 3600.0)
        return {
            "job_id": own_id,
            "spans": [history.span_view(span) for span in spans],
            "power": history.power_view(
                hours, spans, min(now_s, self._receipts.metered_s() or now_s), self._pace_factor
            ),
            "sky": self._sky.sky_between(begin_s, end_s) if self._sky else [],
        }

    @staticmethod
    def _spans(conn: Any, job_id: str, row: Mapping[str, Any]) -> list[Span]:
        reasons = row["reasons"] if row["state"] not in ENDED_NAMES and "task_states" not in row else ()
        return spans_of(store.timeline_of(conn, job_id), reasons)

    def gantt(self, who: Principal | None, since_s: float, until_s: float, limit: int = 100) -> list[dict[str, Any]]:
        """Jobs that were on a node between two instants of park time, the latest start first, with their spans.

        job_id, name, project, tier, state, node, spans (cut to that time).
        """
        with self._db.read() as conn:
            names = store.started_between(conn, since_s, until_s, self._visible_projects(who), max(1, min(limit, 1000)))
            rows = store.rows_of(conn, names)
            lines = store.timelines_of(conn, names)
        shown = []
        for row in rows:
            reasons = row["reasons"] if row["state"] not in ENDED_NAMES else ()
            cut = [part for span in spans_of(lines[row["job_id"]], reasons) if (part := span.within(since_s, until_s))]
            facts = {name: row[name] for name in ("job_id", "name", "project", "tier", "state", "node")}
            shown.append({**facts, "spans": [history.span_view(span) for span in cut]})
        return shown

    def receipt(self, who: Principal | None, job_id: str) -> dict[str, Any] | None:
        """The receipt of a settled job, None before; an array's is the sum of its tasks' once all are settled."""
        row = self._row(who, job_id)
        if "task_states" not in row:
            return self._receipts.receipt(job_id)
        if job_id in self._array_receipts or not row["task_states"].keys() <= ENDED_NAMES:
            return self._array_receipts.get(job_id)
        with self._db.read() as conn:
            found = [self._receipts.receipt(name) for name in store.task_ids(conn, job_id)]
        settled = [item for item in found if item is not None]
        if len(settled) == len(found):  # it stays as it is, and reading thousands of them takes a second
            while len(self._array_receipts) >= _ARRAYS_KEPT:
                self._array_receipts.pop(next(iter(self._array_receipts)), None)
            self._array_receipts[job_id] = view.array_receipt(job_id, settled)
        return self._array_receipts.get(job_id)

    def counts(self, who: Principal | EllipsisType | None = ...) -> dict[str, int]:
        """How many jobs are in each state: all jobs, or those that somebody (None: a visitor) may see."""
        with self._db.read() as conn:
            return store.counts(conn, None if isinstance(who, EllipsisType) else self._visible_projects(who))

    def on_nodes(self, who: Principal | None, limit: int = RUNNING_MAX) -> list[dict[str, Any]]:
        """What takes up machines now, the oldest first: node, nodes, state, tier, cpus and gpus of each, cap_frac.

        `job_id` and `name` are None for jobs that somebody may not see.
        """
        seen = self._visible_projects(who)
        with self._db.read() as conn:
            found = store.page(conn, store.Asked(ON_NODE), Sort.OLDEST, None, limit)
            rows = store.rows_of(conn, [job_id for job_id, _ in found])
        gangs = self._board_facts().gangs
        return [
            view.on_node_view(row, gangs.get(row["job_id"], ()), is_seen=seen is None or row["project"] in seen)
            for row in rows
        ]

    def states(self, job_ids: Sequence[str]) -> dict[str, str]:
        """The states of jobs and arrays, whoever may see them; those that are not known yet are left out."""
        with self._db.read() as conn:
            found = {name: where[1] for name, where in store.where_of(conn, job_ids).items()}
            for name in job_ids:
                if name not in found and array_of(name) is None and (states := store.array_states(conn, name)):
                    found[name] = view.array_state(states)
        return found

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

    def snapshot_of(self, who: Principal | None, job_id: str) -> str | None:
        """The id of the folder that a job runs on, for those who could submit the same; None where it has none."""
        snapshot_id: str | None = self._row(who, job_id, Act.SUBMIT)["spec"]["snapshot_id"]
        return snapshot_id

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
        return {**row, "hidden": self._hidden(conn, who, [row])}


def _check_open(job_id: str, state: str) -> None:
    if state in ENDED_NAMES:
        raise Conflict(f"{job_id} is already over: {state}.", fix="There is nothing to cancel.", code="job_over")
