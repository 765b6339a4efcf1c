"""`park data import` and `export` against a served park: folders, lists, another hub, S3; broken off, resumed."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.helpers.s3_door import S3Scene
from tests.helpers.served import Served

from eureka_park.cli.main import cli
from eureka_park.data.repositories.access import Want
from eureka_park.foundation.errors import BadInput

LARGE, FAR = os.urandom(1_500_000), os.urandom(1_500_000)
FILES = {
    "a.csv": b"x\n1\n",
    "deep/large.bin": LARGE,
    "deep/empty": b"",
    "README.md": b"---\nlicense: mit\n---\nDunes\n",
}


class _Web(BaseHTTPRequestHandler):
    """Files with ranges; `cut` names how many answers break off half way."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        state: Any = self.server
        state.asked.append((self.path, self.headers.get("Range")))
        content = {**FILES, "deep/large.bin": FAR}.get(self.path.lstrip("/").partition("?")[0])
        if self.path.startswith("/away"):
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
        if content is None:
            if not self.path.startswith("/away"):
                self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        etag, start = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"', 0
        if self.headers.get("Range") and self.headers.get("If-Range") == etag:
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if state.cut and len(content) > 1000:
            state.cut -= 1
            self.wfile.write(content[start : start + 200_000])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
            return
        self.wfile.write(content[start:])

    def log_message(self, *_words: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def web() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Web)
    server.asked, server.cut, server.url = [], 0, f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Scene]:
    scene = S3Scene(tmp_path_factory.mktemp("carry"))
    yield scene
    scene.stop()


@pytest.fixture(scope="module")
def served(scene: S3Scene) -> Served:
    return scene.served


@pytest.fixture
def run(scene: S3Scene, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in scene.env().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    accounts = served.live.park.accounts
    token = accounts.new_token(accounts.ensure_owner()[0], "test")
    for name, value in {"PARK_URL": served.url, "PARK_TOKEN": token, "HF_TOKEN": token}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("eureka_park.client.carrying.web.time.sleep", lambda _s: None)
    return _run


def _run(*words: str, code: int = 0) -> Any:
    done = CliRunner().invoke(cli, ["data", *words, "--json"], catch_exceptions=False)
    assert done.exit_code == code, (words, done.output)
    return json.loads(done.stdout) if code == 0 else done.output


def files_of(served: Served, name: str, project: str = "welcome") -> dict[str, bytes]:
    data = served.live.park.data
    found = data.repositories.find(Want.READ, owner_of(served), "dataset", project, name)
    tree = data.repositories.versions.tree(data.repositories.versions.at(found, "main"))
    return {entry.path: data.objects.open(project, entry.sha256).content() for entry in tree.scan()}


def owner_of(served: Served) -> Any:
    accounts = served.live.park.accounts
    return accounts.principal_of_token(accounts.new_token(accounts.ensure_owner()[0], "test"))


def written(folder: Path, files: dict[str, bytes] = FILES) -> Path:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def test_a_folder_comes_in_once_and_one_with_a_manifest_is_compared(run: Any, served: Served, tmp_path: Path) -> None:
    folder = written(tmp_path / "dunes")
    done = run("import", "welcome/folder", str(folder), "--create")
    assert files_of(served, "folder") == FILES and (done["n_sent"], done["errors"]) == (4, [])
    assert done["commits"][0]["message"] == "From dunes"
    again = run("import", "welcome/folder", str(folder), "--into", "copy")
    assert again["n_sent"] == 0 and len(files_of(served, "folder")) == 8, "the project holds all of it"
    assert run("import", "welcome/folder", str(folder))["commits"] == []
    names = "".join(f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in FILES.items())
    (folder / "manifest-sha256.txt").write_text(names + f"{'0' * 64}  gone.txt\n")
    (folder / "a.csv").write_bytes(b"other")
    report = tmp_path / "report.json"
    told = run("import", "welcome/manifest", str(folder), "--create", "--report", str(report), code=1)
    assert "2 files failed" in told
    assert sorted(one["path"] for one in json.loads(report.read_text())["errors"]) == ["a.csv", "gone.txt"]
    assert files_of(served, "manifest") == {}, "nothing of it"
    run("import", "welcome/manifest", str(folder), "--skip-errors")
    assert sorted(files_of(served, "manifest")) == ["README.md", "deep/empty", "deep/large.bin"]


def test_a_list_of_addresses_goes_on_where_it_broke_off(run: Any, served: Served, web: Any, tmp_path: Path) -> None:
    sha256 = hashlib.sha256(FAR).hexdigest()
    rows = [f"{web.url}/a.csv,raw/a.csv,", f"{web.url}/deep/large.bin?secret=1,large.bin,{sha256}"]
    file = tmp_path / "list.csv"
    file.write_text("\n".join(["url,path,sha256", *rows, f"{web.url}/none,none,", f"{web.url}/away,away,"]))
    web.cut = 5  # more than one try bears: the first import fails, the second goes on
    told = run("import", "welcome/list", str(file), "--create", code=1)
    assert "3 files failed" in told and files_of(served, "list") == {}
    file.write_text("\n".join(["url,path,sha256", *rows]))
    web.asked.clear()
    done = run("import", "welcome/list", str(file))
    assert files_of(served, "list") == {"raw/a.csv": FILES["a.csv"], "large.bin": FAR}
    assert next(one[1] for one in web.asked if one[0].startswith("/deep")) == "bytes=1000000-", "where it broke off"
    assert done["n_sent"] == 1, "the first was held already"
    web.asked.clear()
    run("import", "welcome/list", str(file), "--into", "again")
    assert not any(path.startswith("/deep") for path, _ in web.asked), "its hash is known and held"
    file.write_text(
        f"# two\n{web.url}/a.csv one.csv {'0' * 64}\nftp://x/y z\n{web.url}/a.csv ../up\n{web.url}/a.csv a\n"
    )
    report = tmp_path / "report.json"
    run("import", "welcome/list", str(file), "--report", str(report), code=1)
    assert len(json.loads(report.read_text())["errors"]) == 3
    lineage = served.live.park.data.lineage.of(
        owner_of(served), "dataset", "welcome", "list", revision="main", up=1, down=0
    )
    assert "list.csv" in str(lineage) and "secret" not in str(lineage)


def test_small_contents_come_together_or_not_at_all(served: Served) -> None:
    carrying, held = served.live.park.data.carrying, served.live.park.data.objects.held
    contents = [b"", b"one", b"x" * 65_536, b"one"]
    body = b"".join(len(one).to_bytes(4, "big") + one for one in contents)
    pieces = [body[at : at + 1000] for at in range(0, len(body), 1000)]
    hashes = [hashlib.sha256(one).hexdigest() for one in contents]
    assert carrying.put_many("welcome", pieces) == hashes and held("welcome", hashes) == set(hashes)
    fresh = b"\0\0\0\x05fresh"
    for wrong in (fresh + b"\0", fresh + b"\0\0\0\x09cut", fresh + b"\0\1\0\1", fresh + b"\0\0\0\0" * 1001):
        with pytest.raises(BadInput):
            carrying.put_many("welcome", [wrong])
    assert held("welcome", [hashlib.sha256(b"fresh").hexdigest()]) == set()


def test_a_version_comes_from_another_hub(run: Any, served: Served, tmp_path: Path) -> None:
    run("import", "welcome/there", str(written(tmp_path / "there")), "--create")
    place = served.url.removeprefix("http://") + "/hub/welcome/there"
    run("import", "welcome/here", f"hub://{place}", "--into", "copy", "--create")
    assert files_of(served, "here") == {f"copy/{path}": content for path, content in FILES.items()}
    assert "answers 404" in run("import", "welcome/here", f"hub://{place}x", code=1)
    assert "names no repository" in run("import", "welcome/here", "hub://localhost/x", code=1)


def test_a_version_goes_out_as_a_bag_and_comes_back(run: Any, served: Served, tmp_path: Path) -> None:
    run("import", "welcome/bag", str(written(tmp_path / "dunes")), "--create")
    bag, data = tmp_path / "bag", tmp_path / "bag" / "data"
    assert run("export", "welcome/bag", str(bag))["n_sent"] == 4
    assert {path: (data / path).read_bytes() for path in FILES} == FILES
    assert len((bag / "manifest-sha256.txt").read_text().splitlines()) == 4 and (bag / "bagit.txt").is_file()
    (data / "a.csv").unlink()
    (data / "deep/large.bin").write_bytes(LARGE[:-1] + b"x")
    (data / "more").write_bytes(b"of another version")
    (bag / "manifest-sha256.txt").unlink()
    again = run("export", "welcome/bag@main", str(bag))
    assert (again["n_sent"], again["n_unchanged"]) == (2, 2) and not (data / "more").exists()
    run("import", "welcome/back", str(bag), "--create")
    assert files_of(served, "back") == FILES
    (data / "a.csv").write_bytes(b"x")
    (data / "more").write_bytes(b"")
    assert "2 files failed" in run("import", "welcome/back", str(bag), "--into", "x", code=1)
    own = written(tmp_path / "own", {"data/precious": b"x"})
    assert "not empty" in run("export", "welcome/bag", str(own), code=1) and (own / "data/precious").exists()
    assert "not empty" in run("export", "welcome/back", str(bag), code=1)
    assert "no place" in run("export", "welcome/bag", "ftp://x/y", code=1)
    assert "no branch" in run("export", "welcome/bag@nope", str(tmp_path / "none"), code=1)


def test_a_version_goes_to_a_bucket_and_comes_back(run: Any, served: Served, tmp_path: Path) -> None:
    run("import", "welcome/s3", str(written(tmp_path / "dunes")), "--create")
    assert run("export", "welcome/s3", "s3://lab-desk/out/v1")["n_sent"] == 4
    done = run("import", "welcome/from-s3", "s3://lab-desk/out/v1", "--create")
    found = files_of(served, "from-s3")
    assert len(found.pop("manifest-sha256.txt").splitlines()) == 4 and found == FILES and done["errors"] == []
    assert "s3://lab-desk/out/v1/" in done["commits"][0]["title"]
    run("import", "welcome/none", "s3://not-there-at-all/x", "--create", code=1)


def test_a_version_goes_to_another_hub(run: Any, served: Served, tmp_path: Path) -> None:
    run("import", "welcome/out", str(written(tmp_path / "dunes")), "--create")
    place = served.url.removeprefix("http://") + "/hub/welcome/copied"
    assert run("export", "welcome/out", f"hub://{place}")["n_sent"] == 4
    assert files_of(served, "copied") == FILES
    assert run("export", "welcome/out", f"hub://{place}")["n_unchanged"] == 1, "the large one"
    done = run("import", "desk/in", f"hub://{place}", "--create")
    assert done["n_sent"] == 4 and files_of(served, "in", "desk") == FILES, "small ones compared as Git knows them"
