"""Running a job from the browser: form, quote, what is wrong beside its field, one job for one form."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark
from tests.helpers.reading import Page

from eureka_park.cli.main import cli
from eureka_park.data.service import SnapshotFile
from eureka_park.foundation.site_reading import new_site_text
from eureka_park.web.app import make_app
from eureka_park.web.pages.job_templates import NAMES, templates
from eureka_park.web.pages.words import LANGUAGES

URL = "http://localhost:8386"
HERE = {"Sec-Fetch-Site": "same-origin"}
SCRIPT = 'print("one\\u2028")\nprint("<b>two</b>")\n'


class Forms:
    """A park, its owner's browser and a visitor's."""

    def __init__(self, folder: Path, **home: str) -> None:
        self.live = LivePark(folder, **home)
        self.app = make_app(self.live.park)
        self.owner, self.visitor = self.browser(), self.browser()
        person_id, _ = self.live.park.accounts.ensure_owner()
        code = self.live.park.accounts.new_sign_in_link(person_id)
        assert self.owner.get(f"/sign-in?code={code}", follow_redirects=False).status_code == 303
        self.live.submit(1e6, tier="firm", cpus=0.2, name="runs")
        self.live.step(times=3)

    def browser(self) -> TestClient:
        return TestClient(self.app, base_url=URL, raise_server_exceptions=False, headers={"Accept": "text/html"})

    def show(self, query: str = "", lang: str = "en", who: TestClient | None = None) -> Page:
        answer = (who or self.owner).get(f"/submit{query}", headers={"Accept-Language": lang})
        assert answer.status_code == 200, answer.text[:2000]
        return Page(answer.text)

    def send(self, fields: dict[str, Any], path: str = "/submit", who: TestClient | None = None, **headers: str) -> Any:
        return (who or self.owner).post(path, data=fields, headers={**HERE, **headers}, follow_redirects=False)

    def made(self, fields: dict[str, Any]) -> dict[str, Any]:
        answer = self.send(fields)
        assert answer.status_code == 303, answer.text[:2000]
        return self.live.view(answer.headers["location"].removeprefix("/jobs/"))

    def n_jobs(self) -> int:
        return self.live.park.compute.count_matching(self.live.owner)


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forms]:
    forms = Forms(tmp_path_factory.mktemp("forms"))
    yield forms
    forms.live.park.close()


def fields_of(page: Page) -> dict[str, str]:
    """What a browser without scripts would send."""
    found = {}
    for item in page.all("input"):
        kind, name = item.attributes.get("type", "text"), item.attributes.get("name", "")
        is_chosen = kind not in {"radio", "checkbox"} or "checked" in item.attributes
        if name and is_chosen and kind != "file":
            found[name] = item.attributes.get("value", "on")
    found |= {"script": next((text.text for text in page.texts if text.is_in("textarea")), "")}
    return found | {"class": "batch"}


def line_in(page: Page) -> str:
    return next(t.text for t in page.texts if any(item.attributes.get("id") == "line" for item in t.around))


def beside(page: Page) -> dict[str, str]:
    """What is wrong, by the field that it stands beside."""
    marks = (
        (text, item) for text in page.texts for item in text.around if item.attributes.get("class") == "field-error"
    )
    return {item.attributes["id"].removesuffix("-wrong"): text.text for text, item in marks}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_template_in_every_language(forms: Forms, lang: str) -> None:
    for key in templates():
        page = forms.show(f"?template={key}", lang)
        assert not [
            text.text for text in page.texts if "{" in text.text and not text.is_in("textarea", "script", "pre")
        ]
        assert not page.all("style") and not [item for item in page.elements if "style" in item.attributes]
        ids = [item.attributes["id"] for item in page.elements if "id" in item.attributes]
        assert len(ids) == len(set(ids)), sorted(ids)
        labelled = {item.attributes.get("for") for item in page.all("label")}
        fields = [*page.all("input"), *page.all("select"), *page.all("textarea")]
        named = [
            item.attributes for item in fields if item.attributes.get("type") not in {"hidden", "radio", "checkbox"}
        ]
        assert {item["id"] for item in named} <= labelled
        described = {name for item in fields for name in item.attributes.get("aria-describedby", "").split()}
        assert described <= set(ids), described - set(ids)


@pytest.mark.parametrize("key", NAMES)
def test_a_template_can_be_sent_as_it_stands(forms: Forms, key: str) -> None:
    job = forms.made(fields_of(forms.show(f"?template={key}")) | {"class": templates()[key].get("class", "batch")})
    wanted = templates()[key]
    assert job["tier"] == wanted["tier"] and job["checkpoint"] == wanted.get("checkpoint", False)
    assert job["class"] == wanted.get("class", "batch") and (job["n_tasks"] or 1) == int(wanted.get("array", 1))
    script = ["python", wanted["file"]] if "file" in wanted else shlex.split(wanted["command"])
    assert job["command"] == script


def test_a_pasted_script_is_kept_and_run(forms: Forms) -> None:
    job = forms.made({"script": SCRIPT, "file": "two words.py", "args": "--to 'a b'", "tier": "green", "cpus": "0,5"})
    assert job["command"] == ["python", "two words.py", "--to", "a b"] and job["cpus"] == 0.5
    snapshot_id = forms.live.park.compute.snapshot_of(forms.live.owner, job["job_id"])
    files = forms.live.park.data.snapshot(snapshot_id or "")
    assert [item.path for item in files] == ["two words.py"]
    assert forms.live.park.data.blob_path(files[0].sha256).read_text("utf-8") == SCRIPT


def test_lines_that_browsers_end_with_two_signs_are_mended(forms: Forms) -> None:
    job = forms.made({"script": "print(1)\r\nprint(2)\r\n", "file": "job.py", "tier": "firm"})
    files = forms.live.park.data.snapshot(forms.live.park.compute.snapshot_of(forms.live.owner, job["job_id"]) or "")
    assert files[0].sha256 == hashlib.sha256(b"print(1)\nprint(2)\n").hexdigest()


def test_sent_twice_is_one_job_and_changed_is_another(forms: Forms) -> None:
    fields = {"script": "print(3)", "file": "job.py", "tier": "firm", "key": "k" * 24}
    first, again = forms.made(fields), forms.made(fields)
    other = forms.made(fields | {"script": "print(4)"})
    assert first["job_id"] == again["job_id"] != other["job_id"]
    keys = {fields_of(forms.show())["key"] for _ in range(2)}
    assert len(keys) == 2, "every form has its own key"


def test_all_that_cannot_be_read_is_told_at_once(forms: Forms) -> None:
    before = forms.n_jobs()
    typed = {"script": SCRIPT, "file": "job.exe", "cpus": "many", "memory": "big", "time": "soon", "by": "later"}
    answer = forms.send(typed | {"array": "-1", "tier": "flex", "args": "it's"})
    assert answer.status_code == 422
    page = Page(answer.text)
    assert beside(page).keys() == {"file", "cpus", "memory", "time", "by", "array"}
    assert "many" in beside(page)["cpus"] and "90s" in beside(page)["time"]
    shown = fields_of(page)
    assert all(shown[name].strip() == value.strip() for name, value in typed.items()), "what was typed is still there"
    invalid = {item.attributes["name"] for item in page.elements if item.attributes.get("aria-invalid") == "true"}
    assert invalid == beside(page).keys() and forms.n_jobs() == before


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"cpus": "4000"}, "cpus"),
        ({"memory": "4TiB"}, "memory"),
        ({"gpus": "3"}, ""),
        ({"time": "2h", "by": "1h"}, "by"),
        ({"by": "2020-01-01T00:00:00Z"}, "by"),
        ({"after": "job-aaaaaaaaaaaaaaaa"}, "after"),
        ({"tier": "gold"}, "tier"),
        ({"script": " "}, "script"),
        ({"script": "# /// script\n# dependencies = 3\n# ///\n"}, "script"),
        ({"script": "x" * (256 * 1024 + 1)}, "script"),
        ({"file": "../job.py"}, "file"),
        ({"kind": "command", "command": "echo 'a"}, "command"),
        ({"kind": "command", "command": ""}, "command"),
        ({"project": "nobodys"}, "project"),
    ],
)
def test_what_compute_refuses_stands_beside_its_field(forms: Forms, typed: dict[str, str], field: str) -> None:
    before = forms.n_jobs()
    answer = forms.send({"script": "print(1)", "file": "job.py", "tier": "firm", **typed})
    assert answer.status_code == 422, answer.text[:2000]
    page = Page(answer.text)
    alerts = [text.text for text in page.texts if any(item.attributes.get("role") == "alert" for item in text.around)]
    assert field in beside(page) if field else alerts and "GPUs" in alerts[0], (beside(page), alerts)
    assert forms.n_jobs() == before


def test_errors_speak_the_readers_language(forms: Forms) -> None:
    typed = {"script": "print(1)", "file": "job.py", "time": "soon", "tier": "firm"}
    english, french = (
        beside(Page(forms.send(typed, **{"Accept-Language": lang}).text))["time"] for lang in ("en", "fr")
    )
    assert english.startswith("'soon' is not a duration.") and french != english


def test_a_visitor_reads_all_and_sends_nothing(forms: Forms) -> None:
    page = forms.show("?template=training", who=forms.visitor)
    assert "Sign in to send it." in page.text and "credits" in page.text and line_in(page).startswith("park submit")
    assert not [item for item in page.all("button") if item.attributes.get("name") == "send"]
    before = forms.n_jobs()
    answer = forms.send({"script": SCRIPT, "file": "kept.py", "tier": "firm"}, who=forms.visitor)
    assert answer.status_code == 401 and "kept.py" in answer.text and forms.n_jobs() == before


def test_somebody_without_a_project_is_told(forms: Forms) -> None:
    accounts = forms.live.park.accounts
    guest = forms.browser()
    code = accounts.new_sign_in_link(accounts.add_person("guest"))
    assert guest.get(f"/sign-in?code={code}", follow_redirects=False).status_code == 303
    assert "You are not a member of a project yet" in forms.show(who=guest).text
    answer = forms.send({"script": "print(1)", "file": "job.py", "tier": "firm"}, who=guest)
    assert answer.status_code == 403 and "job.py" in answer.text
    assert "You are not a member" not in forms.show().text


def test_another_sites_form_is_refused(forms: Forms) -> None:
    before = forms.n_jobs()
    fields = {"script": "print(1)", "file": "job.py", "tier": "firm"}
    assert forms.send(fields, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert forms.owner.post("/submit", data=fields).status_code == 403, "neither header says that it is ours"
    assert forms.owner.post("/submit", json=fields, headers=HERE).status_code == 422 and forms.n_jobs() == before


def test_the_quote_is_a_piece_of_the_page(forms: Forms) -> None:
    fields = fields_of(forms.show("?template=packages"))
    answer = forms.send(fields | {"cpus": "2", "tier": "green"}, "/submit/quote")
    assert answer.status_code == 200 and "<html" not in answer.text
    page = Page(answer.text)
    swapped = {i.attributes["id"] for i in page.elements if i.attributes.get("hx-swap-oob")}
    assert swapped == {"quote-more", "quote-firm", "quote-flex", "quote-green", "quote-aloud"}
    assert swapped <= {i.attributes.get("id") for i in forms.show("?template=packages").elements}
    assert "numpy>=2,<3" in page.text and "--cpus 2" in line_in(page)
    rows = page.all("tr")
    assert len(rows) >= 48, "a row for each hour of the strip"


def test_a_quote_of_what_cannot_be_read_says_why(forms: Forms) -> None:
    page = Page(forms.send({"script": "print(1)", "file": "job.py", "time": "soon"}, "/submit/quote").text)
    assert "not a duration" in page.text and not page.all("svg")
    none = Page(forms.send({"script": "", "file": "job.py"}, "/submit/quote").text)
    assert "There is no script yet." in none.text


def test_without_scripts_a_button_shows_the_quote(forms: Forms) -> None:
    before = forms.n_jobs()
    fields = {"script": "print(1)", "file": "job.py", "tier": "flex", "by": "9h", "key": "a" * 24, "show": ""}
    answer = forms.send(fields)
    assert answer.status_code == 200 and "--by 9h" in line_in(Page(answer.text)) and forms.n_jobs() == before


@pytest.mark.parametrize("key", NAMES)
def test_the_line_is_one_that_the_command_takes(forms: Forms, key: str) -> None:
    words = shlex.split(line_in(forms.show(f"?template={key}")))
    assert words[:2] == ["park", "submit"]
    command = cli.get_command(click.Context(cli), "submit")
    assert command is not None
    known = {name for param in command.params if isinstance(param, click.Option) for name in param.opts}
    options = [word for word in words[: words.index("--") if "--" in words else None] if word.startswith("--")]
    assert options and set(options) <= known


def test_again_from_an_earlier_job(forms: Forms) -> None:
    park = forms.live.park
    files = []
    for path, text in (("train.py", SCRIPT), ("data/a.csv", "1,2\n")):
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        park.data.put_blob(sha256, [text.encode()])
        files.append(SnapshotFile(path, sha256, len(text.encode())))
    request = {
        "script": "train.py",
        "snapshot_id": park.data.commit_snapshot(files).snapshot_id,
        "cpus": 0.3,
        "time": 5400,
    }
    job_id = park.compute.submit(
        forms.live.owner, request | {"tier": "green", "checkpoint": True, "args": ["--n", "3"]}
    )
    fields = fields_of(forms.show(f"?from={job_id}"))
    assert fields["script"].strip() == SCRIPT.strip() and fields["file"] == "train.py" and fields["args"] == "--n 3"
    assert (fields["cpus"], fields["time"], fields["tier"], fields["checkpoint"]) == ("0.3", "90m", "green", "on")
    assert re.search("1.? more file of the earlier job goes with it", forms.show(f"?from={job_id}").text)
    again = forms.made(fields | {"script": "print(5)\n"})
    kept = park.data.snapshot(park.compute.snapshot_of(forms.live.owner, again["job_id"]) or "")
    assert [item.path for item in kept] == ["data/a.csv", "train.py"]
    assert park.data.blob_path(kept[1].sha256).read_text() == "print(5)\n"
    seen = fields_of(forms.show(f"?from={job_id}", who=forms.visitor))
    assert "one" not in seen["script"] and seen["snapshot"] == "" and seen["command"] == "python train.py --n 3"


def test_again_from_a_job_that_is_not_there(forms: Forms) -> None:
    assert forms.owner.get("/submit?from=job-aaaaaaaaaaaaaaaa").status_code == 404
    assert "hello.py" in forms.owner.get("/submit?template=nothing-of-the-kind").text


def test_gpus_are_asked_for_where_there_are_some(forms: Forms, tmp_path: Path) -> None:
    assert "gpus" not in fields_of(forms.show())
    file = tmp_path / "roof.toml"
    file.write_text(new_site_text("roof"))
    roof = Forms(tmp_path, site_name=str(file))
    fields = fields_of(roof.show())
    assert fields["gpus"] == "" and roof.made(fields | {"gpus": "2"})["gpus"] == 2
    answer = roof.send(fields | {"gpus": "9"})
    assert answer.status_code == 422 and "GPUs" in beside(Page(answer.text))["gpus"]
    assert "--gpus 3" in line_in(Page(roof.send(fields | {"gpus": "3"}, "/submit/quote").text))
    roof.live.park.close()
