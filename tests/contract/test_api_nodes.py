"""Machines and windows over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark

from eureka_park.web.app import make_app


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LivePark]:
    live = LivePark(tmp_path)
    yield live
    live.park.close()


def clients(live: LivePark) -> tuple[TestClient, TestClient, TestClient]:
    """Owner, member and visitor."""
    accounts, app = live.park.accounts, make_app(live.park)
    owner, _ = accounts.ensure_owner()
    tokens = [accounts.new_token(owner, "t"), accounts.new_token(accounts.add_person("ben"), "t"), ""]
    return tuple(  # type: ignore[return-value]
        TestClient(app, base_url="http://localhost:8386", headers={"Authorization": f"Bearer {token}"} if token else {})
        for token in tokens
    )


def one(client: TestClient) -> dict[str, Any]:
    (node,) = client.get("/api/v1/nodes").json()["items"]
    return dict(node)


def test_a_machine_is_drained_closed_and_opened_by_its_operator_alone(live: LivePark) -> None:
    owner, member, visitor = clients(live)
    name = one(visitor)["node_id"]
    assert one(visitor)["state"] == "up" and one(visitor)["free_cpus"] == one(visitor)["cpus"]
    for client, status in ((member, 403), (visitor, 401)):
        answers = [
            client.post(f"/api/v1/nodes/{name}/drain", json={}),
            client.post(f"/api/v1/nodes/{name}/resume"),
            client.post("/api/v1/windows", json={"nodes": [name], "to": "2h"}),
            client.delete("/api/v1/windows/window-a"),
        ]
        assert [answer.status_code for answer in answers] == [status] * 4
    drained = owner.post(f"/api/v1/nodes/{name}/drain", json={"why": "fans"}).json()
    assert (drained["state"], drained["why"], one(visitor)["why"]) == ("drained", "fans", "")
    assert owner.post(f"/api/v1/nodes/{name}/resume").json()["state"] == "up"
    body = {"nodes": [name], "from": "1h", "to": "2h", "project": "welcome"}
    answer = owner.post("/api/v1/windows", json=body)
    assert answer.status_code == 201
    window = answer.json()
    assert one(owner)["window"] == window and owner.get("/api/v1/windows").json()["items"] == [window]
    assert (window["project"], window["is_reserved"]) == ("welcome", True)
    for client in (member, visitor):  # neither belongs to the project
        assert one(client)["window"] == {**window, "project": None, "why": ""}
        assert client.get("/api/v1/windows").json()["items"] == [one(client)["window"]]
    again = owner.post("/api/v1/windows", json={"n_nodes": 1, "to": "90m"})
    assert again.status_code == 422 and again.json()["error"]["code"] == "not_so_many"
    overlap = owner.post("/api/v1/windows", json={"nodes": [name], "to": "90m"})
    assert overlap.status_code == 409 and window["window_id"] in overlap.json()["error"]["message"]
    assert owner.delete(f"/api/v1/windows/{window['window_id']}").json() == window
    assert owner.get("/api/v1/windows").json() == {"items": [], "next": None}
    assert owner.post("/api/v1/nodes/none/drain", json={}).json()["error"]["code"] == "no_such_node"


def test_a_job_on_a_machine_takes_from_what_is_free(live: LivePark) -> None:
    owner, _, visitor = clients(live)
    live.park.accounts.ensure_project("quiet", "Quiet", False)
    job_id = live.submit(run_s=600.0, cpus=1, tier="firm", project="quiet")
    live.step(5, times=2)
    node = one(owner)
    assert node["free_cpus"] == node["cpus"] - 1 and node["jobs"][0]["job_id"] == job_id
    assert one(visitor)["jobs"][0]["job_id"] is None and one(visitor)["free_cpus"] == node["free_cpus"]


def test_what_operators_asked_holds_for_jobs_and_over_a_crash(live: LivePark) -> None:
    owner = live.owner
    (name,) = [node["node_id"] for node in live.park.nodes.nodes(owner)]
    live.step(5, times=2)
    running = live.submit(run_s=400.0, cpus=0.5, tier="firm")
    live.step(5, times=2)
    live.park.nodes.drain(owner, name, "new fans")
    waits = live.submit(run_s=20.0, cpus=0.5, tier="firm")
    live.step(5, times=2)
    assert live.view(running)["state"] == "running" and live.view(waits)["state"] == "queued"
    assert live.view(waits)["reasons"][0]["text"] == "Every node that it may run on is drained or down."
    live.crash()
    live.step(5, times=2)
    assert live.park.nodes.nodes(owner)[0]["why"] == "new fans" and live.view(waits)["state"] == "queued"
    live.park.nodes.resume(owner, name)
    window = live.park.nodes.close(owner, nodes=[name], from_="30m", to="2h", project="", why="switch")
    long = live.submit(run_s=20.0, cpus=0.5, tier="firm", time=3600)
    live.step(5, times=8)
    assert live.view(waits)["state"] in ("queued", "finished"), "it declared an hour, which reaches into the window"
    reason = live.view(long)["reasons"][0]
    assert (reason["code"], reason["values"]["closed"]) == ("window", [name])
    live.crash()
    assert [item["window_id"] for item in live.park.nodes.windows(owner)] == [window["window_id"]]
    live.park.nodes.open_again(owner, window["window_id"])
    live.step(5, times=10)
    assert live.view(long)["state"] == "finished" and live.park.nodes.windows(owner) == []
