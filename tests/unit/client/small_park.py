"""A park in small: a real HTTP server on loopback that speaks the API, keeps what it was asked, fails on demand."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "secret-token"
JOB = "job-aaaabbbbccccdddd"
PERSON = {"person_id": "person-a", "name": "owner", "is_operator": True, "projects": ["solar"]}
OPEN = {("POST", "/api/v1/login"), ("POST", "/api/v1/login/device"), ("GET", "/api/v1/status")}
ENDED = {"finished", "failed", "cancelled", "lost"}


def job_view(job_id: str = JOB, **changes: Any) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "name": "digits",
        "project": "welcome",
        "state": "queued",
        "tier": "flex",
        "class": "batch",
        "command": ["python", "train.py"],
        "submitted_at": "2026-11-22T10:00:00.000Z",
        "started_at": None,
        "ended_at": None,
        "deadline_at": None,
        "exit_code": None,
        "exit_signal": None,
        "reasons": [],
        "attempt": 0,
        "resume_count": 0,
        "cap_frac": 1.0,
        "cpus": 1.0,
        "gpus": 0,
        "memory_bytes": 2**30,
        "time_s": 3600.0,
        "checkpoint": False,
        "node": None,
        "sandbox_level": None,
        "detail": None,
        "array_id": None,
        "task_index": None,
        "n_tasks": None,
        "task_states": None,
        "after": [],
        "receipt": None,
        **changes,
    }


def ended(state: str = "finished", **changes: Any) -> dict[str, Any]:
    times = {"started_at": "2026-11-22T10:00:30.000Z", "ended_at": "2026-11-22T10:02:00.000Z"}
    return {"state": state, "exit_code": 0 if state == "finished" else None, **times, **changes}


def receipt_json(**changes: Any) -> dict[str, Any]:
    hours = [
        {
            "hour_at": f"2026-11-22T{hour}:00:00.000Z",
            "kwh": 1.5,
            "it_kwh": 1.2,
            "gco2": 30.0,
            "credits": 0.75,
            "kwh_by_source": {"noor-iii": 1.0, "grid": 0.5},
        }
        for hour in (10, 11)
    ]
    return {
        "job_id": JOB,
        "gpu_h": 0.0,
        "cpu_h": 2.0,
        "kwh": 3.0,
        "it_kwh": 2.4,
        "hours": hours,
        "gco2": 60.0,
        "credits": 1.5,
        "kwh_by_source": {"noor-iii": 2.0, "grid": 1.0},
        "method": "modelled",
        "scale_model": True,
        "labels": {"weather": "synthetic"},
        "price": {"label": "assumption"},
        **changes,
    }


def plan_json(n: int = 48, step_s: float = 3600.0) -> dict[str, Any]:
    sun = [max(0.0, 100.0 * (1 - ((hour % 24) - 12) ** 2 / 36)) for hour in range(n)]
    wind, zero = [20.0] * n, [0.0] * n
    both = [a + b for a, b in zip(sun, wind, strict=True)]
    return {
        "plan_id": "plan-1",
        "site": "eureka-park",
        "issued_at_s": 1795305600.0,
        "start_s": 1795305600.0,
        "step_s": step_s,
        "load_mw": [60.0] * n,
        "clean_available_mw_p10": both,
        "clean_available_mw_p50": both,
        "clean_available_mw_p90": both,
        "grid_limit_mw": [50.0] * n,
        "available_by_source_mw": {"noor-iv": sun, "koudia": wind},
        "by_source_mw": {"noor-iv": sun, "koudia": wind, "grid": [30.0] * n},
        "export_mw": zero,
        "curtailed_mw": zero,
        "unserved_mw": zero,
        "tes_mwh_th": {},
        "tes_mwh_th_max": {},
        "curve": [[] for _ in range(n)],
        "labels": {"weather": "synthetic"},
        "now": {
            "site_mw": 60.0,
            "it_mw": 50.0,
            "clean_available_mw": 90.0,
            "by_source_mw": {},
            "sky": "green",
            "scale_model": False,
            "sentence": "Sun and wind carry the park.",
        },
    }


STATUS = {
    "version": "0.1.0",
    "ready": True,
    "park_at": "2026-11-22T10:03:00.000Z",
    "real_at": "2026-11-22T10:03:00.000Z",
    "pace": 1.0,
    "site": "bench",
    "sky": "green",
    "scale_model": True,
    "sandbox_level": "namespaces",
    "capabilities": ["checkpoint"],
    "jobs": {"queued": 1, "running": 2},
    "live": {"alive": True, "lease_until_at": "2026-11-22T10:03:10.000Z"},
}


class SmallPark:
    """State that tests set and look at.

    `faults` says what happens to the next requests whose path holds a word: ("jobs", "drop") closes the line after the
    request was carried out, ("jobs", "refuse") before; ("jobs", 502) answers so.
    """

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.bodies: list[dict[str, Any]] = []
        self.by_key: dict[str, str] = {}
        self.blobs: dict[str, bytes] = {}
        self.snapshots: list[list[dict[str, Any]]] = []
        self.log = b""
        self.log_state = "finished"
        self.outputs: dict[str, bytes] = {}
        self.receipt: dict[str, Any] | None = None
        self.plan: dict[str, Any] | None = plan_json()
        self.faults: list[tuple[str, Any]] = []
        self.page = 100
        self.errors: dict[str, tuple[int, dict[str, Any]]] = {}
        self.url = ""
        self.codes = {"abcd-efgh-jkmn"}
        self.tokens = {TOKEN}
        self.streams = True

    def add(self, job_id: str = JOB, **changes: Any) -> dict[str, Any]:
        self.jobs[job_id] = job_view(job_id, **changes)
        return self.jobs[job_id]

    def asked(self, word: str) -> list[tuple[str, str, dict[str, str]]]:
        return [request for request in self.requests if word in request[1]]

    # -- routes: (status, body or bytes, headers)

    def answer(
        self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        is_open = (method, path) in OPEN and "authorization" not in headers
        if not is_open and headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return error(401, "unauthorised", "Nobody is signed in.", "Set PARK_TOKEN.")
        parts = [unquote(part) for part in path.removeprefix("/api/v1/").split("/")]
        if parts == ["login", "device"]:  # as a park from before them
            return error(404, "not_found", "There is no such page.", "Ask for another.")
        if parts[0] in self.errors:
            status, value = self.errors[parts[0]]
            return status, value, {}
        return getattr(self, f"_{method.lower()}_{parts[0]}")(parts[1:], query, headers, body)

    def _post_jobs(
        self, rest: list[str], query: Any, headers: dict[str, str], body: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        if rest:
            job = self.jobs.get(rest[0])
            if job is None:
                return no_job(rest[0])
            job["state"] = "cancelled"
            return 200, {"job_id": rest[0], "state": "cancelled"}, {}
        key = headers.get("idempotency-key", "")
        if key not in self.by_key:
            request = json.loads(body)
            self.bodies.append(request)
            self.by_key[key] = f"job-{len(self.by_key):016d}"
            self.add(self.by_key[key], name=request.get("name", ""))
        return 201, {"job_id": self.by_key[key]}, {}

    def _get_jobs(
        self, rest: list[str], query: dict[str, str], headers: Any, body: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        if not rest:
            return self._page(query)
        job = self.jobs.get(rest[0])
        if job is None:
            return no_job(rest[0])
        if len(rest) == 1:
            end_s = time.monotonic() + float(query.get("wait_s", 0))
            while job["state"] not in ENDED and time.monotonic() < end_s:
                time.sleep(0.01)
            return 200, job, {}
        return self._about_job(job, rest[1:], query)

    def _page(self, query: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        states = query.get("state", "").split(",")
        items = [job for job in self.jobs.values() if states == [""] or job["state"] in states]
        begin, size = int(query.get("after", 0)), min(self.page, int(query["limit"]))
        more = begin + size < len(items)
        return 200, {"items": items[begin : begin + size], "next": str(begin + size) if more else None}, {}

    def _about_job(
        self, job: dict[str, Any], rest: list[str], query: dict[str, str]
    ) -> tuple[int, Any, dict[str, str]]:
        if rest[0] == "why":
            why = {"job_id": job["job_id"], "state": job["state"], "reasons": job["reasons"]}
            return 200, {**why, **job.get("why", {})}, {}
        if rest[0] == "receipt":
            return (
                (200, self.receipt, {}) if self.receipt else error(404, "no_receipt_yet", "Not settled yet.", "Wait.")
            )
        if rest[0] == "logs":
            asked, limit = int(query["offset"]), int(query["limit"])
            offset = max(0, len(self.log) + asked) if asked < 0 else asked
            headers = {"X-Log-Size": str(len(self.log)), "X-Log-Offset": str(offset), "X-Job-State": self.log_state}
            return 200, self.log[offset : offset + limit], headers
        path = "/".join(rest[1:])
        if not path:
            at = "2026-11-22T10:02:00.000Z"
            items = [{"path": name, "size_bytes": len(data), "modified_at": at} for name, data in self.outputs.items()]
            return 200, {"items": items, "next": None}, {}
        return 200, self.outputs[path], {}

    def _post_snapshots(self, rest: Any, query: Any, headers: Any, body: bytes) -> tuple[int, Any, dict[str, str]]:
        files = json.loads(body)["files"]
        missing = sorted({file["sha256"] for file in files} - set(self.blobs))
        if missing:
            return 200, {"snapshot_id": None, "missing": missing}, {}
        self.snapshots.append(files)
        return 200, {"snapshot_id": f"snap-{len(self.snapshots)}", "missing": []}, {}

    def _put_blobs(self, rest: list[str], query: Any, headers: Any, body: bytes) -> tuple[int, Any, dict[str, str]]:
        if hashlib.sha256(body).hexdigest() != rest[0]:
            return error(422, "hash_mismatch", "The bytes are others than announced.", "Send again.")
        self.blobs[rest[0]] = body
        return 204, b"", {}

    def _post_login(self, rest: Any, query: Any, headers: Any, body: bytes) -> tuple[int, Any, dict[str, str]]:
        asked = json.loads(body)
        if asked["code"] not in self.codes:
            return error(401, "bad_login_code", "This code was used before.", "Make a new one.")
        self.codes.remove(asked["code"])
        self.bodies.append(asked)
        token = f"park_{len(self.tokens)}"
        self.tokens.add(token)
        return 201, {"token": token, "person": PERSON, "expires": None}, {}

    def _get_login(self, *_: Any) -> tuple[int, Any, dict[str, str]]:
        return 200, PERSON, {}

    def _delete_login(
        self, rest: Any, query: Any, headers: dict[str, str], body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        self.tokens.discard(headers["authorization"].removeprefix("Bearer "))
        return 204, b"", {}

    def _get_events(self, *_: Any) -> tuple[int, Any, dict[str, str]]:
        if not self.streams:
            return error(503, "unavailable", "No streams here.", "Ask.")
        value = {"mark": 7, "jobs": {"running": 1}, "now": {"site_mw": 1.0}}
        return 200, f": beat\n\nid: 1\nevent: changed\ndata: {json.dumps(value)}\n\n".encode(), {}

    def _get_plan(self, *_: Any) -> tuple[int, Any, dict[str, str]]:
        return (
            (200, self.plan, {}) if self.plan else error(503, "no_plan_yet", "There is no plan yet.", "Wait a moment.")
        )

    def _get_site(self, *_: Any) -> tuple[int, Any, dict[str, str]]:
        return 200, {"name": "bench"}, {}

    def _get_status(self, *_: Any) -> tuple[int, Any, dict[str, str]]:
        return 200, STATUS, {}


def error(status: int, code: str, message: str, fix: str, **more: str) -> tuple[int, Any, dict[str, str]]:
    return status, {"error": {"code": code, "message": message, "fix": fix, "request_id": "req-1", **more}}, {}


def no_job(job_id: str) -> tuple[int, Any, dict[str, str]]:
    return error(404, "not_found", f"There is no job {job_id}.", "List the jobs: park jobs.")


@contextmanager
def running(small: SmallPark, port: int = 0) -> Iterator[SmallPark]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_all(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            small.requests.append((self.command, self.path, headers))
            fault = next((item for item in small.faults if item[0] in self.path), None)
            if fault is not None:
                small.faults.remove(fault)
            if fault is not None and fault[1] == "refuse":
                self.close_connection = True
                return
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            status, value, more = small.answer(self.command, parts.path, query, headers, body)
            if fault is not None and fault[1] == "drop":
                self.close_connection = True
                return
            if fault is not None:
                status, value, more = fault[1], b"<html>gateway</html>", {}
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            for name, text in more.items():
                self.send_header(name, text)
            if status != 204:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if status != 204:
                self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = handle_all

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass  # a client that leaves early is part of the tests

    server = Server(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    small.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield small
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
