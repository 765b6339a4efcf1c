"""The pages of jobs over a real park on a stepped clock: finding, cancelling many, life, log, receipt, outputs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event
from tests.helpers.live_park import LivePark
from tests.helpers.reading import Element, Page

from eureka_park.web.app import make_app
from eureka_park.web.pages.words import LANGUAGES

URL = "http://localhost:8386"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
OWN = {"Origin": URL}
EVIL = "<b onclick=alert(1)>citrus</b>"
ODD = "a b/é?x=1&y#z \"q' <i>.txt"
TRACE = "Traceback (most recent call last):\nModuleNotFoundError: No module named 'torch'\n"


class Jobs:
    """A park with jobs in many states, its owner's browser and a visitor's."""

    def __init__(self, folder: Path) -> None:
        self.live = LivePark(folder)
        self.person_id, _ = self.live.park.accounts.ensure_owner()
        self.live.park.accounts.ensure_project("quiet", "Quiet", False)
        self.app = make_app(self.live.park)
        self.visitor, self.owner = self.browser(), self.browser()
        link = f"/sign-in?code={self.live.park.accounts.new_sign_in_link(self.person_id)}"
        assert self.owner.get(link, follow_redirects=False).status_code == 303
        self.done = self.submit(900, name="digits", cpus=0.3)
        self.failed = self.submit(300, name="fails", tier="flex")
        self.live.engine.codes[self.failed] = 1
        self.write(self.done, "log.txt", b"\x1b[32mepoch 1\x1b[0m\n" * 9000 + b"accuracy 0.97\n")
        self.write(self.failed, "log.txt", TRACE.encode())
        self.write(self.done, "out/metrics.json", b'{"accuracy": 0.97}')
        self.write(self.done, "out/plots/loss.png", b"\x89PNG\r\n\x1a\n" + b"0" * 90)
        self.write(self.done, "out/model.npz", b"m" * 2000)
        self.write(self.done, f"out/{ODD}", b"odd <b>text</b>")
        self.live.step(60, times=20)
        self.running = self.submit(1e6, name=EVIL, time=7200)
        self.private = self.submit(1e6, name="secret plans", project="quiet")
        self.array = self.submit(600, name="sorting", array=4)
        self.live.step(60, times=4)
        self.green = self.submit(1e6, name="olives", tier="green", cpus=2)
        self.after = self.submit(1e6, name="later", after=[self.running])
        self.behind = self.submit(1e6, name="after a secret", after=[self.private])
        self.live.step(60, times=2)
        self.all = (
            self.done, self.failed, self.running, self.private, self.array, f"{self.array}[0]",
            self.green, self.after, self.behind,
        )  # fmt: skip

    def browser(self) -> TestClient:
        return TestClient(self.app, base_url=URL, raise_server_exceptions=False, headers=BROWSER)

    def submit(self, run_s: float, **request: Any) -> str:
        job_id = str(self.live.submit(run_s, **{"tier": "firm", "cpus": 0.2, **request}))
        for task in range(int(request.get("array", 0))):
            self.live.engine.run_s[f"{job_id}[{task}]"] = run_s
        return job_id

    def write(self, job_id: str, path: str, content: bytes) -> None:
        file = self.live.folder / "jobs" / job_id / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def read(self, path: str, lang: str = "en", who: TestClient | None = None, status: int = 200) -> Page:
        answer = (who or self.owner).get(path, headers={"Accept-Language": lang})
        assert answer.status_code == status, answer.text[:2000]
        return Page(answer.text)

    def post(self, path: str, fields: Any, who: TestClient | None = None, headers: Any = OWN) -> Any:
        return (who or self.owner).post(path, data=fields, headers=headers, follow_redirects=False)


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    jobs = Jobs(tmp_path_factory.mktemp("jobs"))
    yield jobs
    jobs.live.park.close()


def names_in(page: Page) -> list[str]:
    """The names of the rows, in their order."""
    found = [item for item in page.texts if item.is_in("table") and item.is_in("th")]
    return [item.text for item in found if any(around.attributes.get("class") == "job-name" for around in item.around)]


def links(page: Page) -> list[str]:
    return [item.attributes.get("href", "") for item in page.all("a")]


def with_attribute(page: Page, name: str) -> list[Element]:
    return [item for item in page.elements if name in item.attributes]


# -- the list ----------------------------------------------------------------------------------------------------------
def test_list_finds_by_state_tier_project_and_text(jobs: Jobs) -> None:
    assert {"digits", "fails", EVIL, "olives", "later"} <= set(names_in(jobs.read("/jobs")))
    assert names_in(jobs.read("/jobs?state=failed")) == ["fails"]
    assert names_in(jobs.read("/jobs?tier=green")) == ["olives"]
    assert names_in(jobs.read("/jobs?project=quiet")) == ["secret plans"]
    assert names_in(jobs.read("/jobs?text=DIGI&state=&tier=&project=&sort=newest")) == ["digits"]
    assert names_in(jobs.read(f"/jobs?text={jobs.green}")) == ["olives"]
    for query in ("state=asleep", "tier=gold", "sort=luck", "after=x", "view=pie", "text=" + "a" * 201):
        jobs.read(f"/jobs?{query}", status=422)


def test_list_says_how_many_match_and_keeps_its_filters(jobs: Jobs) -> None:
    page = jobs.read("/jobs?state=finished&tier=firm&text=digits")
    assert "1 job matches" in page.text.replace("\u2068", "").replace("\u2069", "")
    fields = {item.attributes.get("name"): item.attributes.get("value") for item in page.all("input")}
    assert (fields["text"], fields["state"]) == ("digits", "finished")
    chosen = [item.attributes["value"] for item in page.all("option") if "selected" in item.attributes]
    assert chosen == ["firm", "newest"]
    pill = next(link for link in links(page) if "state=failed" in link)
    assert "tier=firm" in pill and "text=digits" in pill
    search = next(item for item in page.all("input") if item.attributes.get("type") == "search")
    assert search.attributes["data-key"] == "/"


def test_list_is_sorted(jobs: Jobs) -> None:
    newest, oldest = (names_in(jobs.read(f"/jobs?sort={sort}")) for sort in ("newest", "oldest"))
    assert newest == oldest[::-1] and oldest[0] == "digits"
    assert names_in(jobs.read("/jobs?sort=energy"))[0] == "digits"
    assert names_in(jobs.read("/jobs?sort=name")) == sorted(names_in(jobs.read("/jobs?sort=name")), key=str.casefold)


def test_list_goes_on_page_by_page(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eureka_park.web.pages.jobs.PAGE", 4)
    seen: list[str] = []
    path = "/jobs?sort=name&tier=firm"
    while path:
        page = jobs.read(path)
        seen += names_in(page)
        main = next(item for item in page.all("main"))
        assert ("data-live" in main.attributes) is ("after=" not in path), "later pages stay as they are"
        path = next((item.attributes["href"] for item in page.all("a") if item.attributes.get("rel") == "next"), "")
        assert not path or ("sort=name" in path and "tier=firm" in path)
    monkeypatch.undo()
    whole = names_in(jobs.read("/jobs?sort=name&tier=firm"))
    assert seen == whole and len(whole) > 8


def test_rows_can_be_walked_and_tell_why(jobs: Jobs) -> None:
    page = jobs.read("/jobs")
    assert len(with_attribute(page, "data-row")) == len(names_in(page))
    assert "the park's own sun, wind or salt" in page.text
    assert "exit code" in page.text


def test_nothing_found_and_nothing_yet_teach(jobs: Jobs, tmp_path: Path) -> None:
    page = jobs.read("/jobs?text=no+such+thing")
    assert "No job matches." in page.text and "/jobs" in links(page)
    live = LivePark(tmp_path)
    browser = TestClient(make_app(live.park), base_url=URL, headers=BROWSER)
    page = Page(browser.get("/jobs").text)
    assert "No job has been sent yet." in page.text and "/submit" in links(page)
    assert "park submit -- echo hello" in page.text
    assert "Nothing ran in these 24 hours." in Page(browser.get("/jobs?view=gantt").text).text
    live.park.close()


def test_visitors_read_only_and_see_no_private_job(jobs: Jobs) -> None:
    for path in ("/jobs", "/jobs?view=gantt", "/jobs?project=quiet", "/jobs?text=secret+plans"):
        text = jobs.visitor.get(path).text
        assert f"/jobs/{jobs.private}" not in text and 'type="checkbox" name="job"' not in text
        assert "secret plans" not in text.replace('value="secret plans"', "")
    assert 'value="quiet"' not in jobs.visitor.get("/jobs").text
    assert "secret plans" in jobs.owner.get("/jobs").text and "secret plans" in jobs.owner.get("/jobs?view=gantt").text
    jobs.read(f"/jobs/{jobs.private}", who=jobs.visitor, status=404)
    page = jobs.read(f"/jobs/{jobs.behind}", who=jobs.visitor)
    assert "a job that you may not see" in page.text and "secret plans" not in page.text
    for path in (f"/jobs/{jobs.running}", f"/jobs/{jobs.array}"):
        assert "/cancel" not in jobs.visitor.get(path).text and "/cancel" in jobs.owner.get(path).text


def test_ids_of_private_jobs_are_not_told_by_those_that_run_after_them(jobs: Jobs) -> None:
    folded = str(jobs.live.submit(1e6, name="parts", array=2, project="quiet", cpus=0.1))
    jobs.live.step(5)
    after_many = jobs.submit(1e6, name="after an array", after=[folded, f"{folded}[1]", jobs.running])
    jobs.live.step(5, times=2)
    paths = [f"/api/v1/jobs/{job}{end}" for job in (jobs.behind, after_many) for end in ("", "/why", "/history")]
    paths += [f"/jobs/{jobs.behind}", f"/jobs/{after_many}", f"/submit?from={after_many}"]
    for path in (*paths, "/", "/jobs", "/wall", "/api/v1/jobs", "/api/v1/jobs?sort=oldest"):
        for lang in ("en", "fr"):
            text = jobs.visitor.get(path, headers={"Accept-Language": lang}).text
            assert jobs.private not in text and folded not in text, path
    shown = jobs.visitor.get(f"/api/v1/jobs/{after_many}").json()
    assert shown["after"] == ["", "", jobs.running]
    assert shown["reasons"][0]["text"].count("a job that you may not see") == 2
    assert jobs.owner.get(f"/api/v1/jobs/{after_many}").json()["after"] == [folded, f"{folded}[1]", jobs.running]
    assert jobs.owner.post(f"/jobs/{folded}/cancel", headers=OWN).status_code == 200
    jobs.live.step(5, times=2)
    for end in ("", "/why", "/timeline"):
        text = jobs.visitor.get(f"/api/v1/jobs/{after_many}{end}").text
        assert "It was to run after a job that you may not see, which was cancelled." in text and folded not in text
    assert f"It was to run after {folded}" in jobs.owner.get(f"/api/v1/jobs/{after_many}").text


# -- cancelling many ---------------------------------------------------------------------------------------------------
def test_many_are_cancelled_after_one_question(jobs: Jobs) -> None:
    first, second = (jobs.submit(1e6, name=f"doomed {n}") for n in (1, 2))
    jobs.live.step(5, times=2)
    page = jobs.read("/jobs?text=doomed")
    boxes = [item.attributes["value"] for item in page.all("input") if item.attributes.get("name") == "job"]
    assert set(boxes) == {first, second}
    asked = jobs.post("/jobs/cancel", {"job": [first, second], "text": "doomed", "sort": "name"})
    page = Page(asked.text)
    assert asked.status_code == 200 and "doomed 1" in page.text and "doomed 2" in page.text
    assert jobs.live.view(first)["state"] != "cancelled", "asking cancels nothing"
    assert "/jobs?text=doomed&sort=name" in links(page)
    done = jobs.post("/jobs/cancel", {"job": [first, second, jobs.done], "text": "doomed", "sure": "1"})
    assert done.status_code == 303 and done.headers["location"] == "/jobs?text=doomed&cancelled=2&spared=1"
    jobs.live.step(5, times=3)
    assert {jobs.live.view(name)["state"] for name in (first, second)} == {"cancelled"}
    text = jobs.read(done.headers["location"]).text
    assert "were asked to end" in text and "was left as it is" in text


def test_all_that_match_are_cancelled_but_not_the_others(jobs: Jobs) -> None:
    mine = [jobs.submit(1e6, name="sweep") for _ in range(3)]
    jobs.live.step(5, times=2)
    page = Page(jobs.post("/jobs/cancel", {"every": "1", "text": "sweep", "sort": "newest"}).text)
    named = [item.attributes["value"] for item in page.all("input") if item.attributes.get("name") == "job"]
    assert sorted(named) == sorted(mine)
    jobs.post("/jobs/cancel", {"job": named, "sure": "1"})
    jobs.live.step(5, times=3)
    assert {jobs.live.view(name)["state"] for name in mine} == {"cancelled"}
    assert jobs.live.view(jobs.running)["state"] == "running"


def test_cancelling_many_needs_somebody_a_choice_and_our_own_page(jobs: Jobs) -> None:
    fields = {"job": [jobs.running], "sure": "1"}
    assert jobs.post("/jobs/cancel", fields, who=jobs.visitor).status_code == 401
    for headers in ({}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert jobs.post("/jobs/cancel", fields, headers=headers).status_code == 403
    jobs.live.step(5, times=2)
    assert jobs.live.view(jobs.running)["state"] == "running"
    nothing = jobs.post("/jobs/cancel", {"sure": "1"})
    assert nothing.status_code == 200 and "Nothing was chosen." in nothing.text
    odd = jobs.post("/jobs/cancel", {"job": ["nonsense"], "sure": "1", "state": "//evil.example", "sort": "luck"})
    assert odd.headers["location"] == "/jobs?spared=1"


# -- over the day ------------------------------------------------------------------------------------------------------
def test_the_day_as_lines_with_its_table(jobs: Jobs) -> None:
    page = jobs.read("/jobs?view=gantt")
    drawings = [item for item in page.all("svg") if item.attributes.get("data-readable") == "gantt-data"]
    assert len(drawings) == 2
    block = next(item for item in page.texts if item.around[-1].attributes.get("id") == "gantt-data")
    assert len(json.loads(block.text)) == 96 and any("run" in text for text in json.loads(block.text)[-1])
    assert f"/jobs/{jobs.done}" in links(page)
    rows = [item for item in page.texts if item.is_in("table")]
    assert {"digits", "fails", "sorting [0]"} <= {item.text for item in rows}
    assert {"queued", "running"} <= {item.text for item in rows}
    assert page.text.count(jobs.green) == 0, "what has not begun is on no machine"


# -- one job -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_kind_of_job_has_its_page_in_every_language(jobs: Jobs, lang: str) -> None:
    for path in (
        "/jobs",
        "/jobs?view=gantt",
        f"/jobs/{jobs.done}/outputs/metrics.json",
        *map("/jobs/{}".format, jobs.all),
    ):
        page = jobs.read(path, lang)
        assert len(page.all("h1")) == 1 and not page.all("style")
        ids = [item.attributes["id"] for item in page.elements if "id" in item.attributes]
        assert len(set(ids)) == len(ids), (path, ids)
        assert not [item for item in page.elements if "style" in item.attributes]
        for item in page.elements:
            for name in ("data-copy", "data-open-dialog"):
                target = item.attributes.get(name, "")
                assert not target.startswith("#") or target[1:] in ids, (path, target)


def test_names_are_texts(jobs: Jobs) -> None:
    for path in ("/jobs", "/jobs?view=gantt", f"/jobs/{jobs.running}", f"/jobs/{jobs.after}"):
        answer = jobs.owner.get(path).text
        assert "<b onclick" not in answer and "&lt;b onclick" in answer


def test_life_is_told_as_picture_and_table(jobs: Jobs) -> None:
    page = jobs.read(f"/jobs/{jobs.done}")
    drawings = [item for item in page.all("svg") if item.attributes.get("data-readable") == "life-data"]
    assert [item.attributes["role"] for item in drawings] == ["img", "img"]
    block = next(item for item in page.texts if item.around[-1].attributes.get("id") == "life-data")
    texts = json.loads(block.text)
    assert any("it draws" in text for part in texts for text in part)
    assert any("clean power" in text for part in texts for text in part)
    tables = [item.text for item in page.texts if item.is_in("table")]
    assert {"queued", "running"} <= set(tables) and "Clean power" in tables
    assert "It finished after" in page.text and "of it from sun, wind and salt" in page.text


def test_receipt_is_a_picture_a_table_and_a_sentence(jobs: Jobs) -> None:
    page = jobs.read(f"/jobs/{jobs.done}")
    assert len([item for item in page.all("svg") if item.attributes.get("class") == "ring"]) == 1
    assert len([item for item in page.all("svg") if item.attributes.get("class") == "hours"]) == 1
    assert "all receipts with idle add up to the meter" in page.text and "measured" in page.text
    assert "receipt" not in [item.attributes.get("id") for item in jobs.read(f"/jobs/{jobs.running}").elements]


def test_log_is_there_without_scripts_and_for_the_viewer(jobs: Jobs) -> None:
    page = jobs.read(f"/jobs/{jobs.done}")
    viewer = next(item.attributes for item in with_attribute(page, "data-log-viewer"))
    assert (
        viewer["data-url"] == f"/api/v1/jobs/{jobs.done}/logs" and "data-live-keep" in viewer and viewer["id"] == "log"
    )
    assert viewer["data-end-offset"] == str(len(b"\x1b[32mepoch 1\x1b[0m\n" * 9000 + b"accuracy 0.97\n"))
    assert "data-over" in viewer
    for name in (
        "data-log-tools",
        "data-log-follow",
        "data-log-wrap",
        "data-log-search",
        "data-log-text",
        "data-log-place",
    ):
        assert with_attribute(page, name), name
    shown = next(item.text for item in page.texts if "data-log-text" in item.around[-1].attributes)
    assert shown.endswith("epoch 1\naccuracy 0.97") and "\x1b" not in shown and 300 < shown.count("\n") < 500
    assert "Its log begins when it starts." in jobs.read(f"/jobs/{jobs.green}").text
    assert not with_attribute(jobs.read(f"/jobs/{jobs.green}"), "data-log-viewer")


def test_failure_is_told_in_plain_words_with_what_to_try(jobs: Jobs) -> None:
    page = jobs.read(f"/jobs/{jobs.failed}")
    plain = re.sub("[\u2068\u2069]", "", page.text)
    assert "The program itself reported an error (exit code 1)." in plain
    assert "A Python package is missing: torch. Add it with --with torch." in plain
    assert any("ModuleNotFoundError" in item.text for item in page.texts if item.is_in("section") and item.is_in("pre"))
    assert "What went wrong" not in jobs.read(f"/jobs/{jobs.done}").text


def test_waiting_says_why_and_what_it_runs_after(jobs: Jobs) -> None:
    assert "the park's own sun, wind or salt" in jobs.read(f"/jobs/{jobs.green}").text
    page = jobs.read(f"/jobs/{jobs.after}")
    assert f"/jobs/{jobs.running}" in links(page) and EVIL in [item.text for item in page.texts]


def test_command_and_form_repeat_the_job(jobs: Jobs) -> None:
    page = jobs.read(f"/jobs/{jobs.done}")
    line = next(item.text for item in page.texts if item.around[-1].attributes.get("id") == "again-line")
    assert line.startswith("park submit --tier firm --name digits") and line.endswith("-- true")
    assert f"/submit?from={jobs.done}" in links(page)
    copies = {item.attributes["data-copy"] for item in with_attribute(page, "data-copy")}
    assert {"#job-id", "#again-line"} <= copies


def test_outputs_are_a_tree_to_look_at_and_to_fetch(jobs: Jobs) -> None:
    page = jobs.read(f"/jobs/{jobs.done}")
    hrefs = [link for link in links(page) if "/outputs/" in link]
    assert all(re.fullmatch(r"[A-Za-z0-9/._%~-]+", link) for link in hrefs)
    assert all(jobs.visitor.get(link).status_code == 200 for link in hrefs)
    fetched = [link for link in hrefs if link.startswith("/api/")]
    assert len(fetched) == 4
    assert "odd <b>text</b>" in {jobs.visitor.get(link).text for link in fetched}
    assert not [link for link in hrefs if link.endswith(".npz") and not link.startswith("/api/")]
    image = jobs.read(f"/jobs/{jobs.done}/outputs/plots/loss.png")
    assert f"/api/v1/jobs/{jobs.done}/outputs/plots/loss.png?preview=1" in [
        item.attributes.get("src") for item in image.all("img")
    ]
    text = jobs.read(next(link for link in hrefs if not link.startswith("/api/") and ".txt" in link))
    assert "odd <b>text</b>" in [item.text for item in text.texts]
    jobs.write(jobs.done, "out/odd.txt", b"\x00\x01")
    jobs.read(f"/jobs/{jobs.done}/outputs/odd.txt", status=415)
    for path in ("none.txt", "../log.txt", "%2e%2e/log.txt"):
        jobs.read(f"/jobs/{jobs.done}/outputs/{path}", status=404)


def test_a_log_of_the_begin_is_shown_cut(jobs: Jobs) -> None:
    jobs.write(jobs.done, "out/long.txt", b"x" * 300_000)
    page = jobs.read(f"/jobs/{jobs.done}/outputs/long.txt")
    assert "This is the begin of the file" in page.text and page.text.count("x" * 1000) >= 1
    assert len(page.html) < 200_000


def test_array_is_a_grid_of_tasks(jobs: Jobs) -> None:
    page = jobs.read(f"/jobs/{jobs.array}")
    tasks = [item.attributes for item in page.all("a") if item.attributes.get("class", "").startswith("task ")]
    assert [item["href"] for item in tasks] == [f"/jobs/{jobs.array}%5B{n}%5D" for n in range(4)]
    assert "task-" in tasks[0]["class"] and "Tasks that are over" in page.text
    assert jobs.owner.get(tasks[0]["href"]).status_code == 200
    assert f"/jobs/{jobs.array}" in links(jobs.read(f"/jobs/{jobs.array}[0]"))


def test_pages_of_jobs_ask_the_database_a_few_times_only(jobs: Jobs) -> None:
    """However many rows a page shows: no statement per row."""
    statements: list[str] = []
    event.listen(
        jobs.live.park.db._side.reader,
        "before_cursor_execute",
        lambda _c, _k, statement, *_: statements.append(statement),
    )
    jobs.read("/jobs")
    assert len(statements) < 25
    statements.clear()
    jobs.read("/jobs?view=gantt")
    assert len(statements) < 20
