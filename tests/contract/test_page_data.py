"""Pages of data sets and models: what is shown of foreign files and how harmless it is, and what forms change."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from tests.helpers.data_scene import DRAWING, PAGE_WITH_SCRIPT, DataScene, commit, png
from tests.helpers.live_park import LivePark
from tests.helpers.reading import Page

from eureka_park.accounts.core.roles import Role
from eureka_park.data.core.repository import Repository, RepositoryKind
from eureka_park.web.app import make_app
from eureka_park.web.pages import data_file
from eureka_park.web.preview import parquet

URL = "http://localhost:8386"
SAME = {"Sec-Fetch-Site": "same-origin"}


class Seen(DataScene):
    """The scene with the browsers of its owner, of a reader of the project, of a stranger and of a visitor."""

    def __init__(self, live: LivePark) -> None:
        live.park.accounts.ensure_project("lab", "Laboratory", False)
        super().__init__(live.park, live.owner, "lab")
        self.live, self.app, self.base = live, make_app(live.park), "/data/datasets/lab/dunes"
        self.owner = self._browser(live.owner.person_id)
        self.reader = self._browser(self._person("Reader", Role.ANNOTATOR))
        self.stranger_id = self._person("Stranger")
        self.stranger, self.visitor = self._browser(self.stranger_id), self._browser("")

    def _person(self, name: str, role: Role | None = None) -> str:
        accounts = self.park.accounts
        person_id = accounts.people.add(name, is_verified=True)
        if role is not None:
            accounts.places.give_role(self.live.owner, person_id, role, "project:lab")
        return str(person_id)

    def _browser(self, person_id: str) -> TestClient:
        client = TestClient(self.app, base_url=URL, headers={"Accept": "text/html", **SAME}, follow_redirects=False)
        if person_id:
            client.get(f"/sign-in?code={self.park.accounts.new_sign_in_link(person_id)}")
        return client

    def page(self, path: str, who: TestClient | None = None, status: int = 200) -> Page:
        answer = (who or self.owner).get(path)
        assert answer.status_code == status, (path, answer.text[-800:])
        return Page(answer.text)

    def repository(self, name: str, files: dict[str, bytes]) -> Repository:
        made = self.park.data.repositories.create(self.who, RepositoryKind.DATASET, "lab", name)
        commit(self.park, self.who, made, dict(files))
        return made

    def files(self, repository: Repository, revision: str = "main") -> dict[str, bytes]:
        versions, objects = self.park.data.repositories.versions, self.park.data.objects
        tree = versions.tree(versions.at(repository, revision))
        return {one.path: objects.open(repository.project_id, one.sha256).content() for one in tree.scan()}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    live = LivePark(tmp_path_factory.mktemp("data"))
    yield Seen(live)
    live.park.close()


# -- what is shown -----------------------------------------------------------------------------------------------------
def test_the_list_finds_by_name_project_kind_and_card(seen: Seen) -> None:
    def names(query: str, who: TestClient | None = None) -> list[str]:
        rows = seen.page(f"/data?{query}", who).all("a")
        return [row.attributes["href"].rpartition("/")[2] for row in rows if row.attributes.get("class") == "data-row"]

    assert set(names("")) >= {"dunes", "sand"}
    assert names("text=dun") == names("kind=datasets&text=dunes") == ["dunes"]
    assert names("licence=cc-by-4.0") == names("language=ar") == names("tag=wind") == ["dunes"]
    assert names("licence=MIT") == names("before=nan%20x&text=nothing") == []
    assert names("", seen.visitor) == names("", seen.stranger) == []
    assert "no licence that" in seen.page("/data?licence=nonsense-1", status=422).text.replace(
        "is no", "no licence that"
    )


def test_a_card_can_do_nothing(seen: Seen) -> None:
    page = seen.page(seen.base)
    assert not [one for one in page.all("script") if not one.attributes.get("src")]
    links = [one.attributes.get("href", "") for one in page.all("a")]
    assert f"{seen.base}/file/main/raw/masts.csv" in links
    assert not [link for link in links if link.lower().startswith(("javascript:", "data:", "//")) or "passwd" in link]
    sources = [one.attributes["src"] for one in page.all("img")]
    assert f"{seen.base}/raw/main/mast.png" in sources and not any("spy" in source for source in sources)
    assert "CC-BY-4.0" in page.text and "license:" not in page.text


def test_bytes_of_people_run_nothing_here(seen: Seen) -> None:
    """Whatever lies in a repository comes in a sandbox; what browsers would run comes as a download."""
    for name, content in (("page.html", PAGE_WITH_SCRIPT), ("drawing.svg", DRAWING)):
        answer = seen.owner.get(f"{seen.base}/raw/main/{name}")
        assert answer.content == content and answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment")
    answer = seen.owner.get(f"{seen.base}/raw/main/mast.png")
    assert answer.headers["content-type"] == "image/png" and "content-disposition" not in answer.headers
    for name in ("page.html", "mast.png"):
        headers = seen.owner.get(f"{seen.base}/raw/main/{name}").headers
        assert (
            headers["content-security-policy"].startswith("sandbox") and headers["x-content-type-options"] == "nosniff"
        )
    part = seen.owner.get(f"{seen.base}/raw/main/mast.png", headers={"Range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"PNG")
    assert seen.owner.get(f"{seen.base}/raw/main/mast.png", headers={"Range": "bytes=9999-"}).status_code == 416
    assert "alert('page')" in seen.page(f"{seen.base}/file/main/page.html").text
    assert len(seen.page(f"{seen.base}/file/main/page.html").all("script")) == len(seen.page("/data").all("script"))


def _next(page: Page) -> str:
    return next(one.attributes["href"] for one in page.all("a") if one.attributes.get("rel") == "next")


def test_tables_page_forward_and_say_what_columns_hold(seen: Seen) -> None:
    page = seen.page(f"{seen.base}/file/main/raw/masts.csv")
    assert len([one for one in page.all("tr") if "data-row" in one.attributes]) == 50
    assert "whole number" in page.text and "60 to 179" in page.text.replace("\u2068", "").replace("\u2069", "")
    rest = seen.page(_next(page))
    assert (
        "M50" in rest.text
        and "M49" not in rest.text
        and "Rows 51 to 100" in rest.text.replace("\u2068", "").replace("\u2069", "")
    )
    assert "M119" in seen.page(_next(rest)).text
    assert "BF16" in seen.page("/data/models/lab/sand/file/main/model.safetensors").text


def test_odd_and_harmful_files_are_bounded(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    good, bomb = io.BytesIO(), io.BytesIO()
    pq.write_table(
        pa.table({"n": list(range(300)), "who": ["Amina", None, "كريم"] * 100, "raw": [b"x" * 9] * 300}), good
    )
    one_of_many = pa.DictionaryArray.from_arrays(pa.array([0] * 900), pa.array(["A" * 16_000_000]))
    pq.write_table(pa.table({"a": one_of_many}), bomb, compression="zstd")
    files = {
        "good.parquet": good.getvalue(), "bomb.parquet": bomb.getvalue(), "cut.parquet": good.getvalue()[:200],
        "open.csv": b'a,b\n"' + b"x" * 300_000, "one-line.csv": b"a," * 200_000, "empty.csv": b"",
        "deep.json": b"[" * 100_000,
        "rows.json": json.dumps([{"a": 1, "b": [1, 2]}] * 120).encode(),
        "rows.jsonl": b'{"a": 1}\n{"a": "<i>\\ud800"}\n{"b": ["\\udfff"]}\n',
        "utf16.txt": "\ufeffرمل".encode("utf-16-le"), "latin.txt": "Tétouan".encode("latin-1"),
        "nul.bin": b"\0\1\2" * 50,
        "long.txt": b"line\n" * 200_000, "head.safetensors": b"\xff" * 8 + b"{" * 50, "a b/é ?#%.txt": b"odd",
        "turned.txt": "safe\u202egnp.exe".encode(), "fake.png": b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
    }  # fmt: skip
    seen.repository("odd", files)
    base = "/data/datasets/lab/odd/file/main/"
    text = {name: seen.page(base + quote(name)).text for name in files if name != "bomb.parquet"}
    monkeypatch.setattr(parquet, "LIMIT_S", 2.0)
    text["bomb.parquet"] = seen.page(f"{base}bomb.parquet").text
    assert "300" in text["good.parquet"] and "كريم" in text["good.parquet"] and "(9 B)" in text["good.parquet"]
    assert "too dense or too broken" in text["bomb.parquet"] and "too dense or too broken" in text["cut.parquet"]
    assert "This file is empty." in text["empty.csv"] and "neither a text" in text["nul.bin"]
    assert "<i>" in text["rows.jsonl"] and "Rows" in text["rows.json"]
    assert "رمل" in text["utf16.txt"] and "Tétouan" in text["latin.txt"] and "Windows-1252" in text["latin.txt"]
    assert "begin of the file" in text["long.txt"] and "\u202e" not in text["turned.txt"]
    assert "odd" in text["a b/é ?#%.txt"]
    monkeypatch.setattr(parquet, "can_read", lambda: False)
    data_file._kept.clear()
    assert "eureka-park[parquet]" in seen.page(f"{base}good.parquet").text


@pytest.mark.parametrize("path", ["../../etc/passwd", "%2e%2e/x", "x" * 2000, "a%00b", "%ff", "raw/", "//"])
def test_odd_paths_lead_nowhere(seen: Seen, path: str) -> None:
    for part in ("file", "raw", "tree", "history"):
        assert seen.owner.get(f"{seen.base}/{part}/main/{path}").status_code in (200, 303, 404, 422)
        assert seen.owner.get(f"{seen.base}/{part}/{path}").status_code in (200, 303, 404, 422)


# -- who may what ------------------------------------------------------------------------------------------------------
def test_what_is_not_to_be_seen_is_not_there(seen: Seen) -> None:
    for path in (seen.base, "/data/datasets/lab/nothing", f"{seen.base}/raw/main/mast.png"):
        assert seen.stranger.get(path).status_code == 404
        assert seen.visitor.get(path).headers["location"].startswith("/sign-in?next=")
    page = seen.page(f"{seen.base}/tree/main", seen.reader)
    assert not page.all("textarea")
    assert seen.reader.get(f"{seen.base}/settings").status_code == 403
    sent = seen.reader.post(f"{seen.base}/upload/main", files={"files": ("a.txt", b"x")})
    assert sent.status_code == 403
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert (
        seen.owner.post(f"{seen.base}/change/main", data={"do": "folder", "name": "x"}, headers=headers).status_code
        == 403
    )


def test_a_gate_is_asked_at_and_answered(seen: Seen) -> None:
    gated = seen.repository("gated", {"a.txt": b"secret"})
    at = "/data/datasets/lab/gated"
    form = {"do": "access", "visibility": "public", "gate": "manual"}
    assert seen.owner.post(f"{at}/settings", data=form).status_code == 303
    assert "Ask for access" in seen.page(at, seen.stranger).text
    assert seen.stranger.get(f"{at}/raw/main/a.txt").headers["location"] == at
    assert seen.stranger.post(f"{at}/ask").headers["location"] == f"{at}?done=asked"
    assert "Stranger" in seen.page(f"{at}/settings").text
    answer = {"do": "answer", "person": seen.stranger_id, "state": "accepted"}
    assert seen.owner.post(f"{at}/settings", data=answer).status_code == 303
    assert seen.stranger.get(f"{at}/raw/main/a.txt").content == b"secret"
    assert seen.owner.post(f"{at}/settings", data={**answer, "person": "person-none"}).status_code == 404
    assert gated.gate == ""


# -- changing ----------------------------------------------------------------------------------------------------------
def test_forms_change_files_each_as_one_commit(seen: Seen) -> None:
    made = seen.repository("changing", {"a.txt": b"one\n"})
    at = "/data/datasets/lab/changing"
    large = bytes(range(256)) * 8192
    sent = [("files", ("été.txt", b"summer")), ("files", ("large.bin", large)), ("files", ("pics/dot.png", png()))]
    answer = seen.owner.post(f"{at}/upload/main", data={"folder": "new/deep", "title": "Send"}, files=sent)
    assert answer.headers["location"] == f"{at}/tree/main?done=committed"
    found = seen.files(made)
    assert found["new/deep/été.txt"] == b"summer" and found["new/deep/large.bin"] == large and len(found) == 4
    history = seen.park.data.repositories.versions
    assert [one.title for one in history.history(made, history.at(made, "main"), 9)] == ["Send", "Add files", "Begin"]

    def change(where: str = "main", **form: Any) -> int:
        return int(seen.owner.post(f"{at}/change/{where}", data=form).status_code)

    assert change("main/new", do="folder", name="empty") == 303
    assert change(do="rename", path="a.txt", to="b/a.txt") == 303
    assert change("main/b/a.txt", do="write", text="two\r\nlines\n") == 303
    assert change(do="remove", path=["new/deep/", "new/deep/"]) == 303
    assert seen.files(made) == {"b/a.txt": b"two\nlines\n", "new/empty/.gitkeep": b""}
    for wrong in (
        {"do": "rename", "path": "none", "to": "x"},
        {"do": "rename", "path": "b/a.txt", "to": "../x"},
        {"do": "x"},
    ):
        assert change(**wrong) in (404, 422)
    stale = history.history(made, history.at(made, "main"), 3)[-1].commit_id
    assert change("main/b/a.txt", do="write", text="lost", parent=stale) == 409, (
        "what was typed is shown again, beside what is there"
    )
    assert seen.owner.post(f"{at}/upload/main", files=[("files", ("../up.txt", b"x"))]).status_code == 422
    assert (
        seen.owner.post(
            f"{at}/upload/main", content=b"--x\r\nbroken", headers={"Content-Type": "multipart/form-data; boundary=x"}
        ).status_code
        == 422
    )
    assert set(seen.files(made)) == {"b/a.txt", "new/empty/.gitkeep"}


def test_versions_are_named_compared_and_taken_away(seen: Seen) -> None:
    page = seen.page(f"{seen.base}/commit/{seen.head.commit_id}")
    assert {"drawing.svg", "page.html", "old.txt"} <= {word.strip() for word in page.text.split()}
    marked = [item.text for item in page.texts if item.is_in("mark")]
    assert marked == ["M01", "M91"], "the cells that changed"
    compared = seen.page(f"{seen.base}/compare?old=v1&new=main")
    assert "raw/masts.csv" in compared.text
    seen.page(f"{seen.base}/compare?old=none", status=404)
    at = f"{seen.base}/versions"
    assert seen.owner.post(at, data={"do": "add", "kind": "tag", "name": "rel/2", "at": "main"}).status_code == 303
    assert "rel/2" in seen.page(at).text
    assert seen.page(f"{seen.base}/tree/{quote('rel/2', safe='')}").text.count("README.md") >= 1
    assert seen.owner.post(at, data={"do": "add", "kind": "tag", "name": "rel/2"}).status_code == 409
    assert seen.owner.post(at, data={"do": "drop", "kind": "branch", "name": "main"}).status_code == 422
    assert seen.owner.post(at, data={"do": "drop", "kind": "tag", "name": "rel/2"}).status_code == 303


def test_settings_rename_hold_and_end(seen: Seen) -> None:
    made = seen.repository("ending", {"a.txt": b"x"})

    def post(at: str, **form: str) -> tuple[int, str]:
        answer = seen.owner.post(f"/data/datasets/lab/{at}/settings", data=form)
        return answer.status_code, answer.headers.get("location", "")

    assert post("ending", do="rename", name="ended") == (303, "/data/datasets/lab/ended/settings?done=1")
    assert seen.page("/data/datasets/lab/ending").text, "the former name leads on"
    assert post("ended", do="rule", n_versions="x")[0] == 422
    assert post("ended", do="preview", n_versions="1")[0] == 200
    assert post("ended", do="hold", reason="File 7")[0] == 303
    assert post("ended", do="end", confirm="lab/ended")[0] == 409
    assert post("ended", do="lift")[0] == 303
    assert post("ended", do="end", confirm="ended")[0] == 422
    assert post("ended", do="end", confirm="lab/ended") == (303, "/data")
    assert seen.owner.get("/data/datasets/lab/ended").status_code == 404 and made.name == "ending"


def test_a_customers_key_is_lent_and_taken_back_on_the_page(seen: Seen) -> None:
    park, at = seen.park, "/data/datasets/vault/records/settings"
    park.accounts.ensure_project("vault", "Vault", False)
    park.data.keys.begin(seen.who, "vault", "customer", b"c" * 32)
    park.data.repositories.create(seen.who, RepositoryKind.DATASET, "vault", "records")
    key = base64.b64encode(b"c" * 32).decode()
    assert "Locked" in seen.page(at).text
    for wrong, status in ((key[:-5], 422), (base64.b64encode(b"d" * 32).decode(), 403)):
        assert seen.owner.post(at, data={"do": "unlock", "key": wrong, "hours": "8"}).status_code == status
    assert seen.owner.post(at, data={"do": "unlock", "key": key, "hours": "8"}).status_code == 303
    assert "Open until" in seen.page(at).text and key not in seen.page(at).text
    assert seen.owner.post(at, data={"do": "lock"}).status_code == 303
    assert "Locked" in seen.page(at).text and "seal" not in seen.page(f"{seen.base}/settings").text


def test_a_new_one_is_begun_from_the_list(seen: Seen) -> None:
    form = {"kind": "models", "project": "lab", "name": "fresh", "visibility": "private"}
    assert seen.owner.post("/data", data=form).headers["location"] == "/data/models/lab/fresh"
    assert "empty yet" in seen.page("/data/models/lab/fresh").text
    assert seen.owner.post("/data", data=form).status_code == 409
    assert seen.owner.post("/data", data={**form, "name": "a/b"}).status_code == 422
