"""The twin's page and its API: runs asked for, followed, ended, compared, seen by everybody; the example for all."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.helpers.kept_runs import Scripted, record_of
from tests.helpers.live_park import LivePark
from tests.helpers.reading import Page

from eureka_park.energy.verdict_schema import scenarios_of
from eureka_park.twin.run_desk import RunDesk
from eureka_park.twin.run_files import write_run
from eureka_park.twin.run_question import EXAMPLE, Question, full_site
from eureka_park.web.app import make_app
from eureka_park.web.auth import COOKIE
from eureka_park.web.pages.words import LANGUAGES

URL = "http://localhost:8386"
RUNS = "/api/v1/twin/runs"


class Twins:
    """A park whose runs are written by a table instead of being played."""

    def __init__(self, live: LivePark) -> None:
        self.live = live
        self.app = make_app(live.park)
        accounts = self.live.park.accounts
        person_id, _ = accounts.ensure_owner()
        self.token = {"Authorization": f"Bearer {accounts.new_token(person_id, 'test')}"}
        self.session = accounts.redeem_sign_in(accounts.new_sign_in_link(person_id))
        self.client = TestClient(self.app, base_url=URL, headers={"Accept": "text/html"})

    def begin_anew(self, folder: Path) -> None:
        """Nothing was asked and nothing is kept."""
        self.children: list[Scripted] = []
        self.is_open = True
        site = self.live.park.site
        self.desk = RunDesk(full_site(site), folder, scenarios_of(site), self.begin)
        self.app.state.runs = self.desk

    def begin(self, request: Mapping[str, Any]) -> Scripted:
        self.children.append(Scripted(request, is_open=self.is_open))
        return self.children[-1]

    def keep(self, question: Question, **figures: Any) -> str:
        write_run(self.desk.shelf.path(question.run_id), record_of(question, **figures))
        return question.run_id

    def html(self, path: str, lang: str = "en", status: int = 200) -> str:
        answer = self.client.get(path, headers={"Accept-Language": lang})
        assert answer.status_code == status, answer.text[:1500]
        return plain(answer.text)

    def asked(self, **question: Any) -> dict[str, Any]:
        answer = self.client.post(RUNS, json=question, headers=self.token)
        assert answer.status_code == 202, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def over(self, run_id: str) -> dict[str, Any]:
        for _ in range(2000):
            status: dict[str, Any] = self.client.get(f"{RUNS}/{run_id}").json()
            if status["state"] in ("done", "failed", "stopped"):
                return status
            time.sleep(0.003)
        raise AssertionError(status)


def plain(text: str) -> str:
    return re.sub("[\u2066-\u2069]", "", text).replace("\u00a0", " ")


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    live = LivePark(tmp_path_factory.mktemp("twins"))
    yield Twins(live)
    live.park.close()


@pytest.fixture
def twins(park: Twins, tmp_path: Path) -> Iterator[Twins]:
    park.begin_anew(tmp_path / "twin")
    yield park
    park.desk.close()


@pytest.fixture
def signed_in(twins: Twins) -> Iterator[Twins]:
    twins.client.cookies.set(COOKIE, twins.session)
    yield twins
    twins.client.cookies.clear()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_in_every_language(twins: Twins, lang: str) -> None:
    first, other = twins.keep(EXAMPLE), twins.keep(replace(EXAMPLE, policy="fcfs-easy"), cfe_frac=0.7, firm_disturbed=3)
    for path in (f"/twin?run={first}&beside={other}", f"/twin?run={other}&week=2", "/twin?run=nothing&week=x"):
        page = Page(twins.html(path, lang))
        assert len(page.all("h1")) == 1 and "{" not in page.text.replace("{n}", "")
        ids = [item.attributes["id"] for item in page.elements if item.attributes.get("id")]
        assert len(ids) == len(set(ids))
        assert all("style" not in item.attributes for item in page.elements)
        assert {"run-heat plan-wide", "run-heat plan-narrow", "week"} <= {
            i.attributes.get("class") for i in page.all("svg")
        }


def test_a_visitor_reads_and_is_offered_the_example_alone(twins: Twins) -> None:
    html = twins.html("/twin")
    assert 'action="/twin/example"' in html and 'class="run-form"' not in html and "No run is kept here yet." in html
    answer = twins.client.post("/twin/example", headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=False)
    assert answer.status_code == 303 and answer.headers["location"] == f"/twin?run={EXAMPLE.run_id}"
    assert twins.over(EXAMPLE.run_id)["state"] == "done"
    html = twins.html("/twin")
    assert "carried 80% of the work of 14 days" in html and "/twin/example" not in html
    twins.client.post("/twin/example", headers={"Sec-Fetch-Site": "same-origin"})
    assert len(twins.children) == 1, "it is played once"


def test_who_is_nobody_asks_for_nothing(twins: Twins) -> None:
    assert twins.client.post(RUNS, json={}).status_code == 401
    assert twins.client.post("/twin", data={"days": "3"}).status_code == 401
    assert twins.client.post(f"{RUNS}/{EXAMPLE.run_id}/cancel").status_code == 401
    assert twins.client.post("/twin/example", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert not twins.children


def test_what_cannot_be_played_is_refused(twins: Twins) -> None:
    for status, change in (
        (422, {"days": 0}), (422, {"days": 400}), (422, {"days": "14"}), (422, {"one_in": 7}), (422, {"policy": "me"}),
        (422, {"scenario": "rain"}), (422, {"load_frac": 1.9}), (422, {"nights": 3}), (413, {"one_in": 1, "days": 300}),
    ):  # fmt: skip
        answer = twins.client.post(RUNS, json={"days": 14, **change}, headers=twins.token)
        assert answer.status_code == status and answer.json()["error"]["fix"], change
    assert not twins.children


def test_a_wrong_field_is_told_with_those_of_a_run(twins: Twins) -> None:
    answer = twins.client.post(RUNS, json={"days": 2, "nights": 3}, headers=twins.token)
    assert "load_frac" in answer.json()["error"]["fix"]


def test_a_run_is_followed_to_its_end(twins: Twins) -> None:
    twins.is_open = False
    asked = twins.asked(days=7, policy="wait-awhile")
    assert asked["state"] in ("waiting", "running") and asked["figures"] is None
    while not twins.children:
        time.sleep(0.002)
    other = twins.asked(days=8)
    assert other["place"] == 1 and other["left_s"] > 1
    html = twins.html(f"/twin?run={asked['run_id']}")
    assert f'data-run-follow="{RUNS}/{asked["run_id"]}/events"' in html and "The twin is at work." in html
    twins.children[0].gate.set()
    with twins.client.stream("GET", f"{RUNS}/{asked['run_id']}/events") as stream:
        told = [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]
    assert told[-1]["state"] == "done" and told[-1]["days_played"] == 7.0
    done = twins.over(asked["run_id"])
    assert done["figures"]["cfe_frac"] == 0.8 and "tenants" not in done["figures"]
    listed = twins.client.get(RUNS).json()
    assert listed["next"] is None and {item["run_id"] for item in listed["items"]} == {asked["run_id"], other["run_id"]}


def test_hours_add_up_at_the_scale_of_the_full_site(twins: Twins) -> None:
    run_id = twins.keep(EXAMPLE)
    hours = twins.client.get(f"{RUNS}/{run_id}/hours").json()
    assert hours["n_hours"] == 14 * 24 and hours["start_s"] == EXAMPLE.start_s
    for at in range(48):
        parts = sum(hours[f"{kind}_mw"][at] for kind in ("wind", "pv", "csp", "salt", "grid"))
        assert parts == pytest.approx(hours["load_mw"][at], abs=0.3)
    assert hours["load_mw"][0] == pytest.approx(0.9 * 128, abs=0.1) and hours["running_jobs"][0] == 80
    assert twins.client.get(f"{RUNS}/{'0' * 20}/hours").status_code == 404
    assert twins.client.get(f"{RUNS}/{'0' * 20}/events").status_code == 404


def test_the_form_asks_for_two_policies_and_ends_them(signed_in: Twins) -> None:
    twins, same = signed_in, {"Sec-Fetch-Site": "same-origin"}
    twins.is_open = False
    form = {"one_in": "128", "days": "3", "month": "7", "load": "60,5", "policy": "park", "beside": "edf-surplus"}
    answer = twins.client.post("/twin", data=form, headers=same, follow_redirects=False)
    found = re.fullmatch(r"/twin\?run=(\w{20})&beside=(\w{20})", answer.headers["location"])
    assert answer.status_code == 303 and found is not None
    html = twins.html(answer.headers["location"])
    assert html.count('action="/twin/cancel"') == 2 and "End it now" in html
    while not twins.children:
        time.sleep(0.002)
    for run_id in reversed(found.groups()):
        twins.client.post("/twin/cancel", data={"run": run_id}, headers=same)
    assert twins.over(found[1])["state"] == "stopped"
    html = twins.html(f"/twin?run={found[1]}")
    assert "ended early" in html and "these are its first 36 h" in html
    assert twins.children[0].question.load_frac == 0.605 and twins.children[0].question.month == 7


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"days": "x"}, 422, "no whole number"), ({"days": "999"}, 422, "outside 1 to 366"),
        ({"load": "lots"}, 422, "no number"), ({"one_in": "1", "days": "200"}, 413, "would take about"),
    ],
)  # fmt: skip
def test_the_form_says_what_is_wrong_and_keeps_the_rest(
    signed_in: Twins, change: dict[str, str], status: int, words: str
) -> None:
    form = {"one_in": "32", "days": "20", "wind": "150", **change}
    answer = signed_in.client.post(
        "/twin", data=form, headers={"Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}
    )
    html = plain(answer.text)
    assert (
        answer.status_code == status and words in html and 'name="wind" type="number"' in html and 'value="150"' in html
    )
    assert not signed_in.children


def test_another_policy_stands_beside_and_figures_in_two_columns(twins: Twins) -> None:
    first = twins.keep(EXAMPLE)
    other = twins.keep(replace(EXAMPLE, policy="fcfs-easy"), cfe_frac=0.7, firm_disturbed=3)
    foreign = twins.keep(replace(EXAMPLE, seed=2))
    html = twins.html(f"/twin?run={first}")
    assert f"?run={first}&amp;beside={other}" in html and f"beside={foreign}" not in html
    html = twins.html(f"/twin?run={first}&beside={other}")
    tracks = json.loads(re.search(r'data-tracks="([^"]*)"', html)[1].replace("&#34;", '"'))  # type: ignore[index]
    assert [track["url"] for track in tracks] == [f"{RUNS}/{first}/hours", f"{RUNS}/{other}/hours"]
    assert "comes to 70%" in html and html.count('<td class="num">') > 2 * 14
    assert twins.html(f"/twin?run={first}&beside={foreign}").count("hours&#34;") == 1


def test_a_run_that_failed_says_why(signed_in: Twins) -> None:
    signed_in.is_open = False
    asked = signed_in.asked(days=2)
    while not signed_in.children:
        time.sleep(0.002)
    child = signed_in.children[0]
    child.answer = {"error": "The run cannot be written: no space left on device.", "fix": "Make room."}
    child.gate.set()
    assert signed_in.over(asked["run_id"])["error"].endswith("device.")
    html = signed_in.html(f"/twin?run={asked['run_id']}", "fr")
    assert "no space left on device" in html and 'lang="en" dir="ltr"' in html
