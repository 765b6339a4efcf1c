"""The hall screen, the pages for no connection and for maintenance, over a real park on a stepped clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark
from tests.helpers.reading import Page

from eureka_park.adapters.maintenance import end_maintenance, write_maintenance
from eureka_park.web.app import make_app

URL = "http://localhost:8386"
BROWSER = {"Accept": "text/html"}


class Hall:
    """A park with a public and a private job, a visitor and its owner."""

    def __init__(self, folder: Path) -> None:
        self.live = LivePark(folder)
        self.app = make_app(self.live.park)
        accounts = self.live.park.accounts
        person_id, _ = accounts.ensure_owner()
        accounts.ensure_project("quiet", "Quiet", False)
        self.live.submit(1e6, name="seen by all", tier="firm", cpus=0.2)
        self.live.submit(1e6, name="nobody's business", tier="firm", cpus=0.2, project="quiet")
        self.live.step(times=4)
        self.visitor, self.owner = self.browser(), self.browser()
        link = f"/sign-in?code={accounts.new_sign_in_link(person_id)}"
        assert self.owner.get(link, follow_redirects=False).status_code == 303

    def browser(self) -> TestClient:
        return TestClient(self.app, base_url=URL, headers=BROWSER)


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    hall = Hall(tmp_path_factory.mktemp("hall"))
    yield hall
    hall.live.park.close()


@pytest.mark.parametrize("lang", ["en", "fr", "ar", "zgh"])
def test_the_wall_shows_the_park_and_nothing_to_touch(hall: Hall, lang: str) -> None:
    page = Page(hall.visitor.get("/wall", headers={"Accept-Language": lang}).text)
    assert not page.all("button") and not page.all("input") and not page.all("nav") and not page.all("footer")
    assert [item for item in page.all("a") if item.attributes.get("class") != "skip"] == []
    assert len(page.all("h1")) == 1 and "seen by all" in page.text
    assert {"plan plan-wall", "plan plan-narrow"} <= {item.attributes.get("class") for item in page.all("svg")}


def test_the_wall_hangs_in_a_hall(hall: Hall) -> None:
    assert "nobody's business" not in hall.owner.get("/wall").text, "whoever signed in on the screen's machine"
    assert "nobody&#39;s business" not in hall.owner.get("/wall").text


def test_the_wall_before_the_first_plan(tmp_path: Path) -> None:
    live = LivePark(tmp_path)
    page = TestClient(make_app(live.park), base_url=URL, headers=BROWSER).get("/wall")
    assert page.status_code == 200 and "The park is waking up." in page.text
    live.park.close()


def test_the_page_without_a_connection(hall: Hall) -> None:
    answer = hall.visitor.get("/offline")
    assert answer.status_code == 200 and "The park cannot be reached." in answer.text
    worker = hall.visitor.get("/sw.js")
    assert worker.headers["content-type"].startswith("text/javascript")
    assert worker.headers["cache-control"] == "no-cache"
    assert "/offline" in worker.text


def test_maintenance_closes_the_door_politely(hall: Hall) -> None:
    home, real_s = hall.live.park.home, hall.live.clock.real_s()
    write_maintenance(home, "New batteries are being fitted.", real_s, real_s + 3600)
    try:
        for path in ("/", "/jobs", "/wall", "/nothing"):
            answer = hall.visitor.get(path)
            assert answer.status_code == 503 and answer.headers["retry-after"] == "60"
            assert "The park is being looked after." in answer.text and "New batteries" in answer.text
            assert "default-src" in answer.headers["content-security-policy"]
        assert hall.owner.get("/jobs").status_code == 200, "the operator looks"
        assert hall.visitor.get("/api/v1/status").status_code == 200, "programs may read"
        refused = hall.visitor.post("/api/v1/jobs", json={"command": ["true"]})
        assert refused.status_code == 503 and refused.json()["error"]["code"] == "maintenance"
        for path in ("/healthz", "/offline", "/static/favicon.svg"):
            assert hall.visitor.get(path).status_code == 200
    finally:
        end_maintenance(home)
    assert hall.visitor.get("/").status_code == 200


def test_maintenance_ends_by_itself(hall: Hall) -> None:
    home, real_s = hall.live.park.home, hall.live.clock.real_s()
    write_maintenance(home, "", real_s - 20, real_s - 10)
    assert hall.visitor.get("/").status_code == 200
    end_maintenance(home)
