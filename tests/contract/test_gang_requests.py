"""Gangs, GPU types and deadlines over the API, in the form and on the line: let in, shown, or refused with the fix."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark

from eureka_park.client.command_line import request_of, submit_line
from eureka_park.compute.board_facts import FILE as BOARD_FILE
from eureka_park.compute.board_facts import BoardFacts, Window
from eureka_park.control.of_site import nodes_of
from eureka_park.foundation.site_reading import new_site_text
from eureka_park.foundation.units import parse_instant_s
from eureka_park.web.app import make_app

URL = "http://localhost:8386"


class Racks:
    """A park with four nodes of eight GPUs under a solar roof, and a weak grid."""

    def __init__(self, folder: Path) -> None:
        text = new_site_text("roof").replace("n_nodes = 1", "n_nodes = 4")
        (folder / "racks.toml").write_text(text.replace("import_mw_max = 0.02", "import_mw_max = 0.006"))
        self.live = LivePark(folder, site_name=str(folder / "racks.toml"))
        person_id, _ = self.live.park.accounts.ensure_owner()
        self.person_id = person_id
        token = self.live.park.accounts.new_token(person_id, "test")
        app = make_app(self.live.park)
        self.api = TestClient(app, base_url=URL, headers={"Authorization": f"Bearer {token}"})
        self.browser = TestClient(app, base_url=URL, headers={"Accept": "text/html", "Sec-Fetch-Site": "same-origin"})
        code = self.live.park.accounts.new_sign_in_link(person_id)
        assert self.browser.get(f"/sign-in?code={code}", follow_redirects=False).status_code == 303
        self.live.submit(1e6, tier="firm", cpus=0.2)  # no power holds the first job of a project
        self.live.step(times=3)

    def post(self, path: str = "jobs", **body: Any) -> Any:
        return self.api.post(f"/api/v1/{path}", json={"command": ["true"], "time": "1h", **body})

    def made(self, **body: Any) -> dict[str, Any]:
        answer = self.post(**body)
        assert answer.status_code == 201, answer.text
        job: dict[str, Any] = self.api.get(f"/api/v1/jobs/{answer.json()['job_id']}").json()
        return job

    def refused(self, path: str = "jobs", **body: Any) -> dict[str, str]:
        answer = self.post(path, **body)
        assert answer.status_code == 422, answer.text
        error: dict[str, str] = answer.json()["error"]
        return error


@pytest.fixture(scope="module")
def racks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Racks]:
    racks = Racks(tmp_path_factory.mktemp("racks"))
    yield racks
    racks.live.park.close()


def test_a_gang_is_shown_as_it_was_asked_for(racks: Racks) -> None:
    job = racks.made(gpus=24, min_gpus=8, checkpoint=True, gpu_type="l40s", kw=9.5)
    assert (job["nodes"], job["min_nodes"], job["gpus"], job["gpu_type"], job["kw"]) == (3, 1, 24, "L40S", 9.5)
    assert (job["cpus"], job["memory_bytes"]) == (128, 1024 * 1024**3), "of each node"
    assert racks.made(nodes=2)["gpus"] == 16 and racks.made(gpus=3)["nodes"] == 1
    page = re.sub("[\u2066-\u2069]", "", racks.browser.get(f"/jobs/{job['job_id']}").text)
    assert "3 whole machines" in page and "384 CPU" in page and "24 GPU" in page, "of all of them together"
    again = json.loads(json.dumps({name: value for name, value in request_of(job).items() if value is not None}))
    twin = racks.made(**again)
    same = ("nodes", "min_nodes", "gpus", "gpu_type", "kw", "cpus", "memory_bytes", "time_s", "checkpoint")
    assert [twin[name] for name in same] == [job[name] for name in same], submit_line(again)


def test_who_submits_stands_in_the_declaration_and_nobody_says_so_himself(racks: Racks) -> None:
    job_id = racks.post(gpus=1).json()["job_id"]
    racks.live.step()
    assert racks.live.live.state.jobs[job_id].spec.person == racks.person_id
    assert racks.refused(person="somebody")["field"] == "person"
    assert "person" not in racks.api.get(f"/api/v1/jobs/{job_id}").json(), "it is not shown"


@pytest.mark.parametrize(
    ("body", "field", "code", "word"),
    [
        ({"gpus": 20}, "gpus", "not_whole_nodes", "Ask for 16 or 24 GPUs."),
        ({"gpus": 40}, "gpus", "larger_than_site", "at most 32"),
        ({"nodes": 5}, "nodes", "larger_than_site", "at most 4"),
        ({"gpus": 1, "gpu_type": "h100"}, "gpu_type", "no_such_gpu_type", "There is L40S."),
        ({"nodes": 2, "memory": "2TiB"}, "memory", "no_node_has_it", "1024 GiB"),
        ({"gpus": 16, "min_gpus": 8}, "min_gpus", "elastic_needs_checkpoint", "checkpoint = true"),
        ({"gpus": 16, "kw": 8}, "kw", "more_power_than_nodes", "7.6 kW"),
    ],
)
def test_a_refusal_names_the_place_and_what_would_be_right(
    racks: Racks, body: dict[str, Any], field: str, code: str, word: str
) -> None:
    for path in ("jobs", "quotes"):
        error = racks.refused(path, **body)
        assert (error["field"], error["code"]) == (field, code) and word in f"{error['message']} {error['fix']}", error


def test_a_quote_counts_all_nodes(racks: Racks) -> None:
    one, three = (racks.post("quotes", gpus=n, tier="firm").json()["tiers"]["firm"] for n in (8, 24))
    assert three["rated_kw"] == pytest.approx(3 * 3.8)
    declared = racks.post("quotes", gpus=24, kw=5, tier="firm").json()["tiers"]["firm"]
    assert declared["rated_kw"] == pytest.approx(5.0)
    whole = racks.post("quotes", nodes=1, tier="firm").json()["tiers"]["firm"]
    assert three["machine_credits"] == pytest.approx(3 * whole["machine_credits"]) and one["rated_kw"] > 3


def test_a_deadline_that_the_plan_cannot_meet_is_said_with_the_earliest(racks: Racks) -> None:
    body = {"gpus": 16, "tier": "firm", "time": "10h", "by": "20h"}
    for path in ("jobs", "quotes"):
        error = racks.refused(path, **body)
        assert (error["field"], error["code"]) == ("by", "deadline_infeasible"), error
    advised = re.search(r"\S+Z", error["fix"])
    assert advised is not None, error
    assert racks.post(**{**body, "by": advised[0]}).status_code == 201, "what is advised is let in"
    assert racks.post(**{**body, "tier": "green"}).status_code == 201, "green has no promise that could be broken"
    assert racks.post(**{**body, "gpus": 1, "kw": 0.5}).status_code == 201, "the grid alone can give it so much"


def test_the_form_offers_whole_machines_and_says_what_is_wrong(racks: Racks) -> None:
    text = racks.browser.get("/submit").text
    assert all(f'name="{name}"' in text for name in ("gpus", "nodes", "min_nodes", "kw", "priority"))
    assert 'name="gpu_type"' not in text, "one type is no choice"
    typed = {"script": "print(1)", "file": "job.py", "tier": "firm", "class": "batch", "time": "1h"}
    answer = racks.browser.post("/submit", data={**typed, "gpus": "20"})
    assert answer.status_code == 422 and re.search(r'id="gpus-wrong"[^>]*>[^<]*16 or 24', answer.text)
    french = racks.browser.post("/submit", data={**typed, "gpus": "20"}, headers={"Accept-Language": "fr"})
    assert re.search(r'id="gpus-wrong"[^>]*lang="fr"[^>]*>[^<]*16[^<]*24', french.text)
    late = {**typed, "gpus": "16", "time": "10h", "by": "20h"}
    refused = racks.browser.post("/submit", data=late, headers={"Accept-Language": "fr"})
    assert re.search(r'id="by-wrong"[^>]*lang="fr"[^>]*>[^<]*Au plus tôt', refused.text), refused.text[:3000]
    sent = racks.browser.post(
        "/submit", data={**typed, "nodes": "2", "priority": "-3", "kw": "6,5"}, follow_redirects=False
    )
    assert sent.status_code == 303
    job = racks.api.get(f"/api/v1{sent.headers['location']}").json()
    assert (job["nodes"], job["gpus"], job["priority"], job["kw"]) == (2, 16, -3, 6.5)
    filled = racks.browser.get(f"/submit?from={job['job_id']}").text
    assert re.search(r'name="nodes" value="2"', filled) and re.search(r'name="priority" value="-3"', filled)


def test_closed_machines_are_counted_into_a_deadline(racks: Racks) -> None:
    park = racks.live.park
    now_s = park.clock.park_s()
    names = tuple(node.node_id for node in nodes_of(park.site))
    window = Window("w-1", names, now_s - 60, now_s + 10 * 3600, "", "new racks")
    park.home.write(BOARD_FILE, BoardFacts(windows=(window,)).to_text())
    try:
        error = racks.refused(gpus=1, tier="firm", by="5h")
        assert error["code"] == "deadline_infeasible"
        advised = re.search(r"\S+Z", error["fix"])
        assert advised is not None and 0 <= parse_instant_s(advised[0]) - (now_s + 11 * 3600.0) <= 60, error
        assert racks.post(gpus=1, tier="firm", by="12h").status_code == 201
    finally:
        park.home.write(BOARD_FILE, BoardFacts().to_text())
