"""`Park`: everything a person or a program asks of a running park, over its HTTP API."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote

from eureka_park.client import fetch, logs, work
from eureka_park.client.address import find_address
from eureka_park.client.fields import checked
from eureka_park.client.folder import Listing, list_folder
from eureka_park.client.transport import TIMEOUT_S, Transport, is_away, patiently
from eureka_park.client.upload import send
from eureka_park.client.views import (
    ENDED,
    Cancelled,
    JobView,
    NodeView,
    OutputFile,
    Overview,
    PersonView,
    PlanView,
    Reason,
    Receipt,
    Sent,
    StatusView,
    Until,
    Upload,
    Why,
    WindowView,
)
from eureka_park.foundation.errors import ParkError, Unavailable

if TYPE_CHECKING:
    from eureka_park.client.accounts import Accounts
    from eureka_park.client.bills import Bills
    from eureka_park.client.data import DataOf
    from eureka_park.client.files import FilesOf
    from eureka_park.client.notices import NoticesOf

LONG_POLL_S: Final = 20.0
WATCH_POLL_S: Final = 3.0  # reasons change without a change of state
# A park that restarts is back within seconds; a job of days deserves more patience than a first contact.
FIRST_PATIENCE_S: Final = 3.0
SUBMIT_PATIENCE_S: Final = 20.0
WATCH_PATIENCE_S: Final = 60.0
TIMED_OUT: Final = "timed_out"


class Park:
    """A park: `Park()` finds the one on this machine or PARK_URL; `Park(url, token)` names one.

    Methods raise the errors of `eureka_park.foundation.errors`; a park out of reach is `Unavailable`.
    """

    def __init__(self, url: str | None = None, token: str | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self._transport = Transport(find_address(url, token), timeout_s=timeout_s)

    @property
    def url(self) -> str:
        """The address of the park."""
        return self._transport.address.url

    @property
    def named_by(self) -> str:
        """Who named this park: `PARK_URL`, `park login`, or the home of a park on this machine."""
        return self._transport.address.named_by

    @property
    def has_token(self) -> bool:
        """Whether a token is shown to the park; without one, one is a visitor."""
        return self._transport.address.token is not None

    @property
    def accounts(self) -> Accounts:
        """People, projects, tokens, sessions and the audit log."""
        from eureka_park.client.accounts import Accounts

        return Accounts(self._transport)

    @property
    def notices(self) -> NoticesOf:
        """What one is told, and by which way."""
        from eureka_park.client.notices import NoticesOf

        return NoticesOf(self._transport)

    @property
    def data(self) -> DataOf:
        """Data sets and models."""
        from eureka_park.client.data import DataOf

        return DataOf(self._transport)

    @property
    def files(self) -> FilesOf:
        """Files of projects: buckets, and access keys for S3 clients."""
        from eureka_park.client.files import FilesOf

        return FilesOf(self._transport)

    @property
    def bills(self) -> Bills:
        """Prices, grants, budgets and statements."""
        from eureka_park.client.bills import Bills

        return Bills(self._transport)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Park:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def submit(
        self,
        script_or_command: str | os.PathLike[str] | Sequence[str],
        *,
        args: Sequence[str] = (),
        folder: str | os.PathLike[str] | None = None,
        name: str | None = None,
        project: str | None = None,
        tier: str | None = None,
        job_class: str | None = None,
        cpus: float | None = None,
        gpus: int | None = None,
        memory: str | int | None = None,
        time: str | float | None = None,
        by: str | None = None,
        array: int | None = None,
        after: Iterable[str | Job] | None = None,
        checkpoint: bool | None = None,
        env: Mapping[str, str] | None = None,
        dependencies: Sequence[str] | None = None,
        requires_python: str | None = None,
        priority: int | None = None,
        nodes: int | None = None,
        gpu_type: str | None = None,
        min_gpus: int | None = None,
        min_nodes: int | None = None,
        kw: float | None = None,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
        output_always: bool | None = None,
        idempotency_key: str | None = None,
        told: Callable[[Sent], None] = lambda _sent: None,
    ) -> Job:
        """Submit a script (a path) or a command (a list of words); what is None takes the park's default.

        A script travels alone unless `folder` names the folder to send with it. Dependencies of a Python script
        are read from its PEP 723 header unless given. `memory` is bytes or `2GiB`, `time` seconds or `90m`,
        `by` a duration or an instant. More `gpus` than a node has, or `nodes`, make a gang of whole nodes; one with
        checkpoints may shrink to `min_gpus` or `min_nodes`. `kw` is the IT power of the whole job.
        `inputs` are addresses of data (`park://datasets/PROJECT/NAME@REVISION[/PATH][:MOUNT]`), `outputs` repositories
        that its files are committed to when it has finished (`models/PROJECT/NAME[:FOLDER]`), with `output_always` also
        when it has failed.
        `told` hears how far the upload is.
        Safe against a park that restarts meanwhile: the same idempotency key is sent again.
        """
        ids = None if after is None else [job.id if isinstance(job, Job) else job for job in after]
        given = {
            "name": name, "project": project, "tier": tier, "class": job_class, "cpus": cpus, "gpus": gpus,
            "memory": memory,
            "time": time, "by": by, "array": array, "after": ids, "checkpoint": checkpoint, "env": env,
            "dependencies": dependencies, "requires_python": requires_python, "priority": priority,
            "nodes": nodes, "gpu_type": gpu_type, "min_gpus": min_gpus, "min_nodes": min_nodes, "kw": kw,
            "inputs": inputs, "outputs": outputs, "output_always": output_always,
        }  # fmt: skip
        fields = {key: checked(key, value) for key, value in given.items() if value is not None}
        prepared = work.prepare(script_or_command, args, None if folder is None else Path(folder))
        body = {**prepared.fields, **fields}
        if prepared.listing is not None:
            body["snapshot_id"] = self._send(prepared.listing, told).snapshot_id
        headers = {"Idempotency-Key": idempotency_key or secrets.token_hex(16)}
        answer = patiently(
            lambda: self._transport.json("POST", "/jobs", body=body, headers=headers),
            first_s=FIRST_PATIENCE_S,
            lost_s=SUBMIT_PATIENCE_S,
        )
        return Job(self, str(answer["job_id"]))

    def upload_folder(self, folder: str | os.PathLike[str]) -> str:
        """Send a folder (without what its .gitignore files name) and return the id of its snapshot.

        At most 512 MiB and 20,000 files; only what the park does not hold yet travels.
        Raises TooLarge naming the largest folders.
        """
        return self.upload(folder).snapshot_id

    def upload(self, folder: str | os.PathLike[str]) -> Upload:
        """As `upload_folder`, with what really travelled and which links and special files did not."""
        return self._send(list_folder(Path(folder)))

    def _send(self, listing: Listing, told: Callable[[Sent], None] = lambda _sent: None) -> Upload:
        return send(self._transport, listing, first_s=FIRST_PATIENCE_S, lost_s=SUBMIT_PATIENCE_S, told=told)

    def job(self, job_id: str) -> Job:
        """A job that exists, with its view loaded. Raises NotFound."""
        job = Job(self, job_id)
        job.refresh()
        return job

    def view(self, job_id: str) -> JobView:
        """One job as the park shows it now."""
        return cast(JobView, self._transport.json("GET", _job_path(job_id)))

    def jobs(
        self, *, state: str | None = None, tier: str | None = None, project: str | None = None, limit: int | None = None
    ) -> Iterator[JobView]:
        """Jobs, newest first, page after page; at most `limit` of them."""
        params: dict[str, Any] = {"state": state, "tier": tier, "project": project}
        params["limit"] = 100 if limit is None else max(1, min(100, limit))
        left = limit
        while left is None or left > 0:
            page = self._transport.json("GET", "/jobs", params=params)
            for item in page["items"][:left]:
                yield cast(JobView, item)
            left = None if left is None else left - len(page["items"])
            if not page.get("next"):
                return
            params["after"] = page["next"]

    def wait(self, job_id: str, timeout_s: float | None = None, *, until: Until = "ended") -> JobView:
        """Wait until a job has ended (or runs, or changes its state) and return its view.

        `timeout_s` real seconds; None waits for ever. Raises Unavailable with code `timed_out` when they are over.
        Lives through restarts of the park.
        """
        end_s = None if timeout_s is None else time.monotonic() + timeout_s
        before: str | None = None
        while True:
            begin_s = time.monotonic()
            left_s = LONG_POLL_S if end_s is None else max(0.0, min(LONG_POLL_S, end_s - begin_s))
            view = self._poll(job_id, until, left_s)
            changed = before is not None and view["state"] != before
            if (
                view["state"] in ENDED
                or (until == "running" and view["state"] == "running")
                or (until == "state-change" and changed)
            ):
                return view
            before = view["state"]
            _check_time(view, end_s, timeout_s)
            if until == "state-change" and time.monotonic() - begin_s < left_s - 0.5:
                return view  # the park answered before the poll was over: it has seen a change
            time.sleep(max(0.0, min(0.2 - (time.monotonic() - begin_s), left_s)))

    def watch(self, job_id: str, timeout_s: float | None = None) -> Iterator[JobView]:
        """A job's view now, at every change and at least every 3 s, until it has ended; otherwise as `wait`."""
        end_s = None if timeout_s is None else time.monotonic() + timeout_s
        view = self._poll(job_id, "state-change", 0.0)
        while True:
            yield view
            if view["state"] in ENDED:
                return
            _check_time(view, end_s, timeout_s)
            left_s = WATCH_POLL_S if end_s is None else max(0.0, min(WATCH_POLL_S, end_s - time.monotonic()))
            begin_s = time.monotonic()
            view = self._poll(job_id, "state-change", left_s)
            time.sleep(max(0.0, min(0.05, left_s) - (time.monotonic() - begin_s)))

    def _poll(self, job_id: str, until: Until, wait_s: float) -> JobView:
        def ask() -> Any:
            params = {"wait_s": f"{wait_s:.3f}", "until": until}
            return self._transport.json("GET", _job_path(job_id), params=params, timeout_s=wait_s + TIMEOUT_S)

        return cast(JobView, patiently(ask, first_s=FIRST_PATIENCE_S, lost_s=WATCH_PATIENCE_S))

    def logs(self, job_id: str, follow: bool = True, *, offset: int = 0) -> Iterator[str]:
        """The log of a job as text, from byte `offset` (negative: from the end); with `follow` until the job has ended.

        After a lost connection it goes on at the byte where it was.
        """
        return logs.read(self._transport, _job_path(job_id), follow=follow, offset=offset, patience_s=WATCH_PATIENCE_S)

    def why(self, job_id: str) -> list[Reason]:
        """Why a job is in its state and until when, as data."""
        return self.explain(job_id)["reasons"]

    def explain(self, job_id: str) -> Why:
        """As `why`, with the state that the reasons belong to."""
        return cast(Why, self._transport.json("GET", _job_path(job_id, "why")))

    def receipt(self, job_id: str) -> Receipt:
        """What a job used, by source and hour. Raises NotFound with code `no_receipt_yet` while it is unsettled."""
        return cast(Receipt, self._transport.json("GET", _job_path(job_id, "receipt")))

    def cancel(self, job_id: str) -> Cancelled:
        """Cancel a job (or an array); one that has ended stays as it is."""
        call = lambda: self._transport.json("POST", _job_path(job_id, "cancel"))  # noqa: E731
        return cast(Cancelled, patiently(call, first_s=FIRST_PATIENCE_S, lost_s=SUBMIT_PATIENCE_S))

    def outputs(self, job_id: str) -> list[OutputFile]:
        """The files that a job left in its PARK_OUTPUT_DIR."""
        return cast(list[OutputFile], self._transport.json("GET", _job_path(job_id, "outputs"))["items"])

    def get(
        self,
        job_id: str,
        path: str | None = None,
        to: str | os.PathLike[str] = ".",
        *,
        told: fetch.Told = lambda _path, _n_bytes, _size_bytes: None,
    ) -> list[Path]:
        """Bring outputs home: all, one file, or one folder of them, into the folder `to`. Returns the files written.

        Each arrives in a temporary file and takes its name when it is whole. A path that would leave `to` is refused.
        `told` hears the path, the bytes that have come and the size of each.
        """
        return fetch.bring(self._transport, _job_path(job_id, "outputs"), self.outputs(job_id), path, Path(to), told)

    def plan(self) -> PlanView:
        """The newest power plan with the power of now. Raises Unavailable (`no_plan_yet`) before the first."""
        return cast(PlanView, self._transport.json("GET", "/plan"))

    def overviews(self) -> Iterator[Overview]:
        """The park as a whole, now and whenever something changes, for as long as one listens.

        Raises Unavailable when the connection is lost; then ask again.
        """
        with self._transport.events("/events") as events:
            for name, _ in events:
                if name == "changed":  # it says that, and what everybody may know; the rest is asked for
                    yield self.overview()

    def overview(self, limit: int = 20) -> Overview:
        """The same once, put together from single questions: for parks and lines that carry no stream."""
        try:
            now = self.plan()["now"]
        except Unavailable as error:
            if is_away(error):
                raise
            now = None
        running = list(self.jobs(state="running,starting,pausing,frozen", limit=limit))
        waiting = list(self.jobs(state="queued,paused", limit=limit))
        return {"jobs": self.status()["jobs"], "now": now, "running": running, "waiting": waiting}

    def nodes(self) -> list[NodeView]:
        """The machines of the park, with what is free on each."""
        return cast(list[NodeView], self._transport.json("GET", "/nodes")["items"])

    def drain_node(self, node_id: str, why: str = "") -> NodeView:
        """Let a machine take no new job; what runs there goes on. For operators."""
        return cast(NodeView, self._transport.json("POST", _node_path(node_id, "drain"), body={"why": why}))

    def resume_node(self, node_id: str) -> NodeView:
        """Let a machine take jobs again. For operators."""
        return cast(NodeView, self._transport.json("POST", _node_path(node_id, "resume")))

    def windows(self) -> list[WindowView]:
        """Times in which machines are closed, or kept for a project, the next first."""
        return cast(list[WindowView], self._transport.json("GET", "/windows")["items"])

    def set_window(
        self, nodes: Sequence[str] | int, to: str, *, from_: str = "", project: str = "", why: str = ""
    ) -> WindowView:
        """Close machines (by name, or so many of one class) for a time; with a project they are kept for it.

        `from_` (empty: now) and `to` are durations from now or instants of park time. For operators.
        """
        what: dict[str, Any] = {"n_nodes": nodes} if isinstance(nodes, int) else {"nodes": list(nodes)}
        body = {**what, "from": from_, "to": to, "project": project, "why": why}
        return cast(WindowView, self._transport.json("POST", "/windows", body=body))

    def clear_window(self, window_id: str) -> WindowView:
        """Take a window back. For operators."""
        return cast(WindowView, self._transport.json("DELETE", f"/windows/{quote(window_id, safe='')}"))

    def site(self) -> dict[str, Any]:
        """The site that the park runs."""
        return cast(dict[str, Any], self._transport.json("GET", "/site"))

    def person(self) -> PersonView:
        """Who asks, as the park knows them. Raises Unauthorised for a visitor or a token that has ended."""
        return cast(PersonView, self._transport.json("GET", "/login"))

    def status(self) -> StatusView:
        """The park in one answer: version, clocks, site, jobs by state."""
        return cast(StatusView, self._transport.json("GET", "/status"))


class Job:
    """A job at a park: its `id`, and what one can ask of it."""

    def __init__(self, park: Park, job_id: str) -> None:
        self.park = park
        self.id = job_id
        self._view: JobView | None = None

    def __repr__(self) -> str:
        return f"Job({self.id!r}{'' if self._view is None else ', ' + self._view['state']})"

    @property
    def view(self) -> JobView:
        """The job as it was last seen (asked for when it never was)."""
        return self._view if self._view is not None else self.refresh()

    @property
    def state(self) -> str:
        """The state as it was last seen; `refresh()` asks again."""
        return self.view["state"]

    def refresh(self) -> JobView:
        """Ask the park again."""
        self._view = self.park.view(self.id)
        return self._view

    def wait(self, timeout_s: float | None = None, *, until: Until = "ended") -> JobView:
        """As `Park.wait`."""
        self._view = self.park.wait(self.id, timeout_s, until=until)
        return self._view

    def logs(self, follow: bool = True, *, offset: int = 0) -> Iterator[str]:
        """As `Park.logs`."""
        return self.park.logs(self.id, follow, offset=offset)

    def why(self) -> list[Reason]:
        """As `Park.why`."""
        return self.park.why(self.id)

    def receipt(self) -> Receipt:
        """As `Park.receipt`."""
        return self.park.receipt(self.id)

    def cancel(self) -> Cancelled:
        """As `Park.cancel`."""
        return self.park.cancel(self.id)

    def outputs(self) -> list[OutputFile]:
        """As `Park.outputs`."""
        return self.park.outputs(self.id)

    def get(self, path: str | None = None, to: str | os.PathLike[str] = ".") -> list[Path]:
        """As `Park.get`."""
        return self.park.get(self.id, path, to)


def _check_time(view: JobView, end_s: float | None, timeout_s: float | None) -> None:
    if end_s is not None and time.monotonic() >= end_s:
        raise Unavailable(
            f"{view['job_id']} is still {view['state']} after {timeout_s:g} s.",
            fix="Wait longer, or ask: park why.",
            code=TIMED_OUT,
        )


def _node_path(node_id: str, act: str) -> str:
    if not node_id or node_id in {".", ".."}:
        raise ParkError("The name of a machine is empty.", fix="List them: park nodes", code="bad_input")
    return f"/nodes/{quote(node_id, safe='')}/{act}"


def _job_path(job_id: str, *more: str) -> str:
    if not job_id or job_id in {".", ".."}:
        raise ParkError("The id of a job is empty.", fix="List the jobs: park jobs.", code="bad_input")
    return "/".join(("/jobs", quote(job_id, safe=""), *more))
