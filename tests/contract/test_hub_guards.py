"""What a few who mean ill, or a person who left, cannot do at the hub door; over a real server."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2 as httpx
import pytest
from tests.helpers.served import Served
from tests.helpers.xet_packs import pack_of, shard_of

from eureka_park.accounts.core.roles import Role
from eureka_park.data.core.xet import chunks_of
from eureka_park.web import wire
from eureka_park.web.doors import streams

COMMIT = b'{"key":"header","value":{"summary":"x"}}\n{"key":"file","value":{"path":"%s","content":"eA=="}}\n'


class Scene:
    """A served park with a project, a data set of it, and people."""

    def __init__(self, folder: Path) -> None:
        self.served = Served(folder, sky="observed")
        self.accounts = self.served.live.park.accounts
        self.owner = self.accounts.principal_of_token(self.accounts.new_token(self.accounts.ensure_owner()[0], "test"))
        self.accounts.places.new_project(self.owner, "lab", "Lab")
        self.http = httpx.Client(base_url=f"{self.served.url}/hub", timeout=20, trust_env=False)
        self.lead = self.member(Role.LEAD)[1]
        answer = self.post("/api/repos/create", self.lead, json={"type": "dataset", "organization": "lab", "name": "d"})
        assert answer.status_code == 200

    def member(self, role: Role = Role.MEMBER) -> tuple[str, str]:
        """Somebody of the project, and a token of theirs."""
        person_id = self.accounts.people.add("Ada", is_verified=True)
        self.accounts.places.give_role(self.owner, person_id, role, "project:lab")
        return person_id, self.accounts.new_token(person_id, "test")

    def post(self, path: str, token: str, **more: object) -> httpx.Response:
        return self.http.post(path, headers={"Authorization": f"Bearer {token}"}, **more)  # type: ignore[arg-type]

    def commit(self, name: str) -> int:
        return self.post("/api/datasets/lab/d/commit/main", self.lead, content=COMMIT % name.encode()).status_code

    def begin(self, path: str, token: str = "") -> socket.socket:
        """The head of a commit, and the first byte of a body that goes on no further."""
        port = int(self.served.url.rsplit(":", 1)[1])
        made = socket.create_connection(("127.0.0.1", port), timeout=20)
        who = f"Authorization: Bearer {token}\r\n" if token else ""
        head = (
            f"POST /hub/api/{path}/commit/main HTTP/1.1\r\nHost: localhost:{port}\r\n{who}Content-Length: 999\r\n\r\n"
        )
        made.sendall(f"{head}{{".encode())
        return made


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    scene = Scene(tmp_path_factory.mktemp("guards"))
    yield scene
    scene.http.close()
    scene.served.stop()


def test_strangers_hold_up_nobodys_upload(scene: Scene) -> None:
    with ExitStack() as opened:
        held = [opened.enter_context(scene.begin("datasets/lab/d")) for _ in range(streams.AT_ONCE)]
        for one in held:
            assert one.recv(12) in (b"HTTP/1.1 401", b"HTTP/1.1 404")  # at once, not when the body has come
        assert scene.commit("beside-strangers") == 200


def test_one_member_holds_up_no_other(scene: Scene) -> None:
    slow = scene.member()[1]
    with ExitStack() as opened:
        for _ in range(streams.AT_ONCE + 4):
            opened.enter_context(scene.begin("datasets/lab/d", slow))
        time.sleep(0.5)
        assert scene.commit("beside-one-who-waits") == 200


def test_a_body_that_stands_still_is_let_go(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    with scene.begin("datasets/lab/d", scene.lead) as wrong:
        wrong.sendall(b"no change\n" * 110_000)  # more than a piece, of which the first line is refused
        assert wrong.recv(12) == b"HTTP/1.1 400"
    monkeypatch.setattr(streams, "PAUSE_S", 0.2)
    with scene.begin("datasets/lab/d", scene.lead) as still:
        assert still.recv(12) == b"HTTP/1.1 400"


def test_a_list_of_ignored_files_stops_no_process(scene: Scene) -> None:
    body = {"files": [{"path": "a" * 250, "size": 1, "sample": "eA=="}], "gitIgnore": "*a" * 127 + "b"}
    answer = scene.post("/api/datasets/lab/d/preupload/main", scene.lead, json=body)
    assert answer.json()["files"][0]["shouldIgnore"] is False
    body["gitIgnore"] = "x\n" * 501
    assert scene.post("/api/datasets/lab/d/preupload/main", scene.lead, json=body).status_code == 400


@pytest.mark.parametrize("end", ["role", "token"])
def test_signed_addresses_end_with_the_person(scene: Scene, end: str) -> None:
    person_id, token = scene.member()
    contents = [f"{end} {number}".encode() for number in range(2)]
    objects = [{"oid": hashlib.sha256(one).hexdigest(), "size": len(one)} for one in contents]
    asked = scene.post(
        "/datasets/lab/d.git/info/lfs/objects/batch", token, json={"operation": "upload", "objects": objects}
    )
    paths = [row["actions"]["upload"]["href"].partition("/hub")[2] for row in asked.json()["objects"]]
    headers = {"Authorization": f"Bearer {token}"}
    signed = scene.http.get("/api/datasets/lab/d/xet-write-token/main", headers=headers).json()["accessToken"]
    chunk = {"Authorization": f"Bearer {signed}"}
    unknown = f"/xet/v1/chunks/default/{'0' * 64}"
    assert scene.http.put(paths[0], content=contents[0]).status_code == 200
    assert scene.http.get(unknown, headers=chunk).status_code == 404
    if end == "role":
        scene.accounts.places.take_role(scene.owner, person_id, Role.MEMBER, "project:lab")
    else:
        scene.accounts.end_token(token)
    refused = (403, 404) if end == "role" else (401,)
    assert scene.http.put(paths[1], content=contents[1]).status_code in refused
    assert scene.http.post(paths[1]).status_code in refused
    answer = scene.http.get(unknown, headers=chunk)
    assert answer.status_code in refused and answer.json()["error"] != "The chunk is new."
    for path in ("/xet/v1/shards", f"/xet/v1/xorbs/default/{'0' * 64}"):
        assert scene.http.post(path, content=b"x", headers=chunk).status_code in refused


def test_a_file_is_fetched_as_packs_only_by_who_may_read_it(scene: Scene) -> None:
    """Knowing what a file is called gives nothing: a token is for one file, an address for a range of one pack."""
    objects, chunks = scene.served.live.park.data.objects, [bytes([n]) * 20_000 for n in range(6)]
    name, packed = pack_of(chunks)
    objects.put_pack("lab", name, [packed])
    contents = [b"".join(chunks[:3]), b"".join(chunks[4:])]
    hashes = [hashlib.sha256(content).hexdigest() for content in contents]
    for sha256, (first, end) in zip(hashes, ((0, 3), (4, 6)), strict=True):
        objects.put_shard("lab", shard_of([(name, chunks, first, end)], sha256))
    lines = [b'{"key":"header","value":{"summary":"x"}}'] + [
        b'{"key":"lfsFile","value":{"path":"%d.bin","algo":"sha256","oid":"%s","size":%d}}' % (at, one.encode(), size)
        for at, (one, size) in enumerate(zip(hashes, map(len, contents), strict=True))
    ]
    assert scene.post("/api/datasets/lab/d/commit/main", scene.lead, content=b"\n".join(lines)).status_code == 200
    person_id, token = scene.member()
    mine = {"Authorization": f"Bearer {token}"}
    heads = [scene.http.head(f"/datasets/lab/d/resolve/main/{at}.bin", headers=mine).headers for at in range(2)]
    assert scene.http.get(heads[0]["x-xet-refresh-route"]).status_code == 404
    fetch = scene.http.get(heads[0]["x-xet-refresh-route"], headers=mine).json()["accessToken"]
    asks = {"Authorization": f"Bearer {fetch}"}
    rebuild = f"/xet/v2/reconstructions/{heads[0]['x-xet-hash']}"
    found = scene.http.get(rebuild, headers=asks).json()
    (part,) = found["xorbs"][name]
    span = part["ranges"][0]["bytes"]
    got = scene.http.get(part["url"], headers={"Range": f"bytes={span['start']}-{span['end']}"})
    assert got.status_code == 206 and b"".join(chunks_of(got.content)) == contents[0]
    assert scene.http.get(part["url"], headers={"Range": f"bytes=0-{len(packed)}"}).content == got.content
    assert scene.http.get(part["url"], headers={"Range": f"bytes={span['end'] + 1}-"}).status_code == 416
    assert scene.http.get(rebuild, headers={**asks, "Range": "bytes=60000-"}).status_code == 416
    other = f"/xet/v2/reconstructions/{heads[1]['x-xet-hash']}"
    assert scene.http.get(other, headers=asks).status_code == 404
    assert scene.http.get(rebuild, headers=mine).status_code == 401
    scene.accounts.places.take_role(scene.owner, person_id, Role.MEMBER, "project:lab")
    assert scene.http.get(rebuild, headers=asks).status_code == 404


def test_a_connection_goes_on_after_threads_have_read_and_written_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large bodies leave the protocol for a while: whole, refused midway, broken off; then the next is served."""
    objects, content = scene.served.live.park.data.objects, bytes(range(256)) * 20_000
    sha256 = hashlib.sha256(content).hexdigest()
    path = f"/api/v1/projects/lab/repositories/dataset/d/blobs/{sha256}"
    url, mine = scene.served.url, {"Authorization": f"Bearer {scene.lead}"}
    lent, lend = list[wire.Lent](), wire.Wire.lend

    def noted(self: wire.Wire) -> wire.Lent | None:
        if found := lend(self):
            lent.append(found)
        return found

    monkeypatch.setattr(wire.Wire, "lend", noted)
    with httpx.Client(trust_env=False, limits=httpx.Limits(max_connections=1), timeout=20) as http:
        put = http.put(url + path, content=content[:-1] + b"x", headers=mine)
        assert "hash_mismatch" in put.text
        objects.set_limit("lab", len(content) // 2)
        assert "quota" in http.put(url + path, content=content, headers=mine).text
        objects.set_limit("lab", None)
        assert http.put(url + path, content=content, headers=mine).status_code == 204
        assert any(one.n_taken > 0 for one in lent)
        line = b'{"key":"lfsFile","value":{"path":"big","algo":"sha256","oid":"%s"}}' % sha256.encode()
        commit = b'{"key":"header","value":{"summary":"x"}}\n' + line
        assert http.post(f"{url}/hub/api/datasets/lab/d/commit/main", content=commit, headers=mine).status_code == 200
        file = f"{url}/hub/datasets/lab/d/resolve/main/big"
        assert http.get(file, headers=mine).content == content
        assert http.get(file, headers={**mine, "Range": "bytes=70000-3000000"}).content == content[70_000:3_000_001]
        assert http.head(file, headers=mine).headers["content-length"] == str(len(content))
        assert http.get(f"{url}/healthz").status_code == 200
    port = int(url.rsplit(":", 1)[1])
    head = f"PUT {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: 5120000\r\n"
    head += f"Authorization: Bearer {scene.lead}\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as broken:
        broken.sendall(f"{head}\r\n".encode() + content[:2_000_000])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
        monkeypatch.setattr(streams, "PAUSE_S", 0.3)
        slow.sendall(f"{head}\r\n".encode() + content[:2_000_000])
        assert b" 422 " in slow.recv(100) and objects.use("lab")[0] >= len(content)
