"""The park's own API over a real park on a stepped clock: what it answers, and that every error has one form."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark

from eureka_park.web.app import make_app


class Api:
    """A park, its owner's client and a visitor's."""

    def __init__(self, folder: Path) -> None:
        self.live = LivePark(folder)
        person_id, _ = self.live.park.accounts.ensure_owner()
        self.token = self.live.park.accounts.new_token(person_id, "test")
        self.app = make_app(self.live.park)
        base = {"base_url": "http://localhost:8386", "raise_server_exceptions": False}
        self.visitor = TestClient(self.app, **base)
        self.owner = TestClient(self.app, **base, headers={"Authorization": f"Bearer {self.token}"})

    def submit(self, run_s: float = 20.0, **body: object) -> str:
        answer = self.owner.post("/api/v1/jobs", json={"command": ["true"], "tier": "firm", **body})
        assert answer.status_code == 201, answer.text
        job_id: str = answer.json()["job_id"]
        self.live.engine.run_s[job_id] = run_s
        return job_id


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    api = Api(tmp_path_factory.mktemp("api"))
    yield api
    assert api.live.park.ledger.verify() == []
    api.live.park.close()


def is_error(answer, status: int, code: str) -> dict:  # type: ignore[no-untyped-def]
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == code and error["message"] and error["request_id"] == answer.headers["x-request-id"]
    return error


def test_submit_run_receipt(api: Api) -> None:
    job_id = api.submit(cpus=0.5, name="one")
    assert re.fullmatch(r"job-[a-z2-7]{16}", job_id)
    api.live.step(times=8)
    view = api.owner.get(f"/api/v1/jobs/{job_id}").json()
    assert (view["state"], view["exit_code"], view["class"]) == ("finished", 0, "batch")
    receipt = api.owner.get(f"/api/v1/jobs/{job_id}/receipt").json()
    wanted = {"gpu_h", "cpu_h", "kwh", "it_kwh", "kwh_by_source", "hours", "gco2", "credits", "method"}
    assert wanted <= set(receipt) and set(receipt["kwh_by_source"]) <= set(api.live.park.site.source_ids)
    timeline = api.owner.get(f"/api/v1/jobs/{job_id}/timeline").json()["items"]
    assert [item["what"] for item in timeline] == ["queued", "starting", "running", "finished"]


def test_no_receipt_yet_and_unknown_job(api: Api) -> None:
    job_id = api.submit(tier="green", cpus=2)
    is_error(api.owner.get(f"/api/v1/jobs/{job_id}/receipt"), 404, "no_receipt_yet")
    is_error(api.owner.get("/api/v1/jobs/job-nope"), 404, "no_such_job")
    api.owner.post(f"/api/v1/jobs/{job_id}/cancel")
    api.live.step()


@pytest.mark.parametrize(
    ("body", "field", "word"),
    [
        ({"cpu": 1}, "cpu", "cpus"),
        ({"cpus": -1}, "cpus", "above zero"),
        ({"cpus": "many"}, "cpus", "number"),
        ({"cpus": 1e9}, "cpus", "largest node"),
        ({"memory": "900TB"}, "memory", "largest node"),
        ({"memory": "much"}, "memory", "2GiB"),
        ({"gpus": 1}, "gpus", "has none"),
        ({"time": "yesterday"}, "time", "15m"),
        ({"time": -5.0}, "time", "above zero"),
        ({"by": "2020-01-01T00:00:00Z"}, "by", "past"),
        ({"by": "30m", "time": "2h"}, "by", "deadline"),
        ({"by": "soon"}, "by", "2h"),
        ({"by": "9999-12-31T23:59:59Z"}, "by", "year away"),
        ({"by": "99999999d"}, "by", "year away"),
        ({"tier": "solid"}, "tier", "firm"),
        ({"array": 0}, "array", "from 1"),
        ({"after": ["job-nope"]}, "after", "no job"),
        ({"env": {"PARK_TOKEN": "x"}}, "env", "belongs to the park"),
        ({"env": {"A B": "x"}}, "env", "letters"),
        ({"dependencies": ["-e ../x"]}, "dependencies", "PEP 508"),
        ({"script": "a.py"}, "command", "exactly one"),
        ({"command": []}, "command", "either a command or a script"),
    ],
)
def test_bad_declarations_name_field_and_fix_and_leave_nothing(api: Api, body: dict, field: str, word: str) -> None:
    before = sum(api.live.park.compute.counts().values())
    answer = api.owner.post("/api/v1/jobs", json={"command": ["true"], **body})
    error = answer.json()["error"]
    assert answer.status_code == 422 and error["field"] == field, error
    assert word in error["message"] + " " + error["fix"], error
    api.live.step()
    assert sum(api.live.park.compute.counts().values()) == before


def test_malformed_bodies(api: Api) -> None:
    for content in (b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"command": ["a\\u0000"]}', b"null"):
        answer = api.owner.post("/api/v1/jobs", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422 and answer.json()["error"]["fix"], (content, answer.text)


def test_every_route_has_one_error_form(api: Api) -> None:
    routes = [route for route in all_routes(api) if route.path.startswith("/api/")]
    assert len(routes) >= 15
    for route in routes:
        path = re.sub(r"\{[^}]+\}", "zzz", route.path)
        for method in {"PATCH", "TRACE"} - route.methods:  # what it does not do
            is_error(api.visitor.request(method, path), 405, "method_not_allowed")
        for method in route.methods or ():
            answer = api.visitor.request(method, path) if "stream" not in path and "events" not in path else None
            if answer is not None and answer.status_code >= 400 and method != "HEAD":
                assert set(answer.json()["error"]) >= {"code", "message", "fix", "request_id"}
    is_error(api.visitor.get("/api/v1/nothing"), 404, "not_found")


def all_routes(api: Api) -> list[APIRoute]:
    paths = api.app.openapi()["paths"]
    return [type("R", (), {"path": path, "methods": {name.upper() for name in item}})() for path, item in paths.items()]


def test_writing_needs_somebody(api: Api) -> None:
    is_error(api.visitor.post("/api/v1/jobs", json={"command": ["true"]}), 401, "no_token")
    wrong = {"Authorization": "Bearer park_wrong"}
    is_error(api.visitor.post("/api/v1/jobs", json={"command": ["true"]}, headers=wrong), 401, "bad_token")
    is_error(api.visitor.get("/api/v1/jobs", headers={"Authorization": "Basic x"}), 401, "bad_token")
    is_error(api.visitor.put(f"/api/v1/blobs/{'0' * 64}", content=b"x"), 401, "no_token")


def test_private_projects_are_not_there_for_visitors(api: Api) -> None:
    api.live.park.accounts.ensure_project("quiet", "Quiet", False)
    job_id = api.submit(project="quiet")
    for end in ("", "/why", "/receipt", "/logs", "/outputs", "/timeline", "/history", "/outputs/x"):
        is_error(api.visitor.get(f"/api/v1/jobs/{job_id}{end}"), 404, "no_such_job")
    assert job_id not in api.visitor.get("/api/v1/jobs").text
    api.live.step(times=8)


def test_cookies_of_other_sites_change_nothing(api: Api) -> None:
    person_id, _ = api.live.park.accounts.ensure_owner()
    session = api.live.park.accounts.redeem_sign_in(api.live.park.accounts.new_sign_in_link(person_id))
    cookie = {"Cookie": f"park_session={session}"}
    body = {"command": ["true"]}
    post = api.visitor.post
    is_error(post("/api/v1/jobs", json=body, headers={**cookie, "Sec-Fetch-Site": "cross-site"}), 403, "cross_site")
    is_error(post("/api/v1/jobs", json=body, headers={**cookie, "Origin": "http://evil.example"}), 403, "cross_site")
    is_error(post("/api/v1/jobs", json=body, headers=cookie), 403, "cross_site")
    same = {**cookie, "Origin": "http://localhost:8386"}
    assert post("/api/v1/jobs", json=body, headers=same).status_code == 201
    assert post("/api/v1/jobs", json=body, headers={**cookie, "Sec-Fetch-Site": "same-origin"}).status_code == 201
    api.live.step(times=30)


def test_foreign_host_names_are_refused(api: Api) -> None:
    forged = (
        "localhost:80@evil.example",
        "localhost:8386/evil.example",
        "[localhost].evil.example",
        "[::1]evil.example",
    )
    for host in ("evil.example", "evil.example:8386", "localhost.evil.example", *forged):
        is_error(api.visitor.get("/api/v1/status", headers={"Host": host}), 422, "unknown_host")
    for host in ("localhost:8386", "127.0.0.1:1", "[::1]:8386"):
        assert api.visitor.get("/api/v1/status", headers={"Host": host}).status_code == 200


def test_folder_travels_as_blobs_and_snapshot(api: Api) -> None:
    text = b"print('hi')\n" * 1000
    sha = hashlib.sha256(text).hexdigest()
    files = {"files": [{"path": "a/b.py", "sha256": sha, "size_bytes": len(text), "mode": 0o644}]}
    assert api.owner.post("/api/v1/snapshots", json=files).json() == {"snapshot_id": None, "missing": [sha]}
    is_error(api.owner.put(f"/api/v1/blobs/{sha}", content=b"other"), 422, "hash_mismatch")
    is_error(api.owner.put("/api/v1/blobs/abc", content=b"x"), 422, "bad_input")
    assert api.owner.put(f"/api/v1/blobs/{sha}", content=text).status_code == 204
    snapshot_id = api.owner.post("/api/v1/snapshots", json=files).json()["snapshot_id"]
    body = {"script": "a/b.py", "snapshot_id": snapshot_id, "tier": "firm"}
    job_id = api.owner.post("/api/v1/jobs", json=body).json()["job_id"]
    api.live.step(times=30)
    order = next(order for order in api.live.engine.orders if order.job_id == job_id)
    assert order.command == ("python", "a/b.py") and order.uses_python
    assert Path(order.files[0].blob_path).read_bytes() == text
    is_error(api.owner.post("/api/v1/jobs", json={**body, "script": "no.py"}), 422, "missing_script")
    is_error(api.owner.post("/api/v1/jobs", json={**body, "snapshot_id": "snap-x"}), 404, "no_such_snapshot")
    evil = {"files": [{"path": "../x", "sha256": sha, "size_bytes": len(text)}]}
    is_error(api.owner.post("/api/v1/snapshots", json=evil), 422, "bad_path")


def test_logs_by_range_and_outputs_without_links(api: Api, tmp_path: Path) -> None:
    job_id = api.submit()
    answer = api.owner.get(f"/api/v1/jobs/{job_id}/logs")
    assert (answer.status_code, answer.content, answer.headers["x-log-size"]) == (200, b"", "0")
    folder = api.live.folder / "jobs" / job_id
    (folder / "out").mkdir(parents=True)
    (folder / "work").mkdir()
    (folder / "log.txt").write_bytes("héllo\n".encode() * 10)
    (folder / "out" / "model.bin").write_bytes(b"m" * 1000)
    (folder / "work" / "made.txt").write_text("made")
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (folder / "out" / "link").symlink_to(secret)
    (folder / "out" / "up").symlink_to(tmp_path)
    answer = api.owner.get(f"/api/v1/jobs/{job_id}/logs", params={"offset": -7})
    assert answer.text == "héllo\n" and answer.headers["x-log-offset"] == "63"
    found = api.owner.get(f"/api/v1/jobs/{job_id}/outputs").json()["items"]
    assert [item["path"] for item in found] == ["made.txt", "model.bin"]
    assert api.owner.get(f"/api/v1/jobs/{job_id}/outputs/model.bin").content == b"m" * 1000
    for path in ("link", "up/secret", "%2e%2e/log.txt", "..%2flog.txt", "nothing", "%00"):
        answer = api.owner.get(f"/api/v1/jobs/{job_id}/outputs/{path}")
        assert answer.status_code == 404 and answer.json()["error"]["code"] == "no_such_output"
    api.live.step(times=6)


def test_plan_meter_site_status_health(api: Api) -> None:
    plan = api.visitor.get("/api/v1/plan").json()
    assert plan["labels"] and plan["now"]["scale_model"] is True and len(plan["load_mw"]) == 48
    assert api.visitor.get("/api/v1/meter").json()["items"]
    assert {item["id"] for item in api.visitor.get("/api/v1/site").json()["plants"]} >= {"noor-i", "koudia"}
    status = api.visitor.get("/api/v1/status").json()
    assert status["site"] == "bench" and status["live"]["alive"] is True
    assert api.visitor.get("/healthz").json() == {"ready": True}


def test_pages_and_cursor(api: Api) -> None:
    for _ in range(5):
        api.submit(tier="firm")
    api.live.step(times=2)
    seen, after = [], None
    while True:
        params = {"limit": 2, **({"after": after} if after else {})}
        page = api.owner.get("/api/v1/jobs", params=params).json()
        seen += [job["job_id"] for job in page["items"]]
        after = page["next"]
        if not after:
            break
    assert len(seen) == len(set(seen)) == sum(api.live.park.compute.counts().values())
    is_error(api.owner.get("/api/v1/jobs", params={"state": "sleeping"}), 422, "bad_input")
    api.live.step(times=20)


def test_jobs_are_searched_and_sorted(api: Api) -> None:
    job_id = api.submit(name="Needle 7", cpus=0.1)
    api.live.step(times=8)
    found = api.visitor.get("/api/v1/jobs", params={"text": "needle", "sort": "energy"}).json()
    assert [item["job_id"] for item in found["items"]] == [job_id] and found["next"] is None
    page = api.visitor.get("/api/v1/jobs", params={"sort": "name", "limit": 1}).json()
    second = api.visitor.get("/api/v1/jobs", params={"sort": "name", "limit": 1, "after": page["next"]}).json()
    assert second["items"][0]["job_id"] != page["items"][0]["job_id"]
    is_error(api.visitor.get("/api/v1/jobs", params={"sort": "ended", "after": page["next"]}), 422, "bad_cursor")
    is_error(api.visitor.get("/api/v1/jobs", params={"sort": "sideways"}), 422, "bad_input")


def test_many_are_cancelled_at_once(api: Api) -> None:
    one, two = (api.submit(run_s=1e5, cpus=0.1) for _ in range(2))
    body = {"job_ids": [one, "job-nope", two]}
    is_error(api.visitor.post("/api/v1/jobs/cancel", json=body), 401, "no_token")
    items = api.owner.post("/api/v1/jobs/cancel", json=body).json()["items"]
    assert [item["job_id"] for item in items] == body["job_ids"]
    assert [item["state"] for item in items] == ["queued", None, "queued"]
    assert items[1]["error"]["code"] == "no_such_job" and items[0]["error"] is None
    api.live.step(times=3)
    assert api.owner.get(f"/api/v1/jobs/{two}").json()["state"] == "cancelled"
    is_error(api.owner.post("/api/v1/jobs/cancel", json={"job_ids": ["x"] * 1001}), 422, "bad_input")


def test_history_power_today_flows(api: Api) -> None:
    job_id = api.submit(run_s=30.0, name="told", cpus=0.2)
    api.live.step(times=10)
    history = api.visitor.get(f"/api/v1/jobs/{job_id}/history").json()
    assert history["spans"][-1]["state"] == "running" and history["spans"][-1]["until_at"]
    assert history["power"][0]["site_w"] > 0 and history["sky"][0]["by_source_mw"]
    rows = api.visitor.get("/api/v1/gantt", params={"limit": 500}).json()["items"]
    assert next(row for row in rows if row["job_id"] == job_id)["spans"][-1]["state"] == "running"
    readings = api.visitor.get("/api/v1/power", params={"hours": 6}).json()["items"]
    assert len(readings) > 3 and all(item["site_w"] >= item["it_w"] > 0 for item in readings)
    assert len(api.visitor.get("/api/v1/power", params={"limit": 3}).json()["items"]) <= 3
    today = api.visitor.get("/api/v1/today").json()
    assert today["kwh"] > 0 and 0 <= today["covered_hours"] <= today["n_hours"] == len(today["hours"])
    flows = api.visitor.get("/api/v1/flows").json()["items"]
    assert {"idle", "firm"} <= {item["target"] for item in flows}
    assert sum(item["kwh"] for item in flows) == pytest.approx(today["kwh"])


def test_quotes_are_for_those_who_may_see(api: Api) -> None:
    body = {"command": ["true"], "tier": "green", "time": "2h", "cpus": 0.5}
    assert api.visitor.post("/api/v1/quotes", json=body).json()["tier"] == "green"
    is_error(api.visitor.post("/api/v1/quotes", json={**body, "project": "quiet"}), 401, "unauthorised")
    is_error(api.owner.post("/api/v1/quotes", json={**body, "time": "soon"}), 422, "bad_duration")
    before = api.live.park.compute.counts()
    found = api.owner.post("/api/v1/quotes", json=body).json()
    green = found["tiers"]["green"]
    assert found["tier"] == "green" and green["energy_kwh"] > 0 and len(green["best_hours"]) > 40
    assert green["starts_now"] or green["reason"]["text"]
    api.live.step()
    assert api.live.park.compute.counts() == before


def test_openapi_names_every_operation(api: Api) -> None:
    document = json.loads(api.visitor.get("/api/v1/openapi.json").text)
    operations = [item["operationId"] for path in document["paths"].values() for item in path.values()]
    assert len(operations) == len(set(operations))
    for path, methods in document["paths"].items():
        if path.startswith("/api/"):
            for item in methods.values():
                assert "422" in item["responses"] and (item.get("description") or item.get("summary")), path
