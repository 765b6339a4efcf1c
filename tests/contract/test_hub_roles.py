"""Every route of the hub door, called as everybody, at what is theirs and at what is another's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark

from eureka_park.accounts.core.rate_limit import Limit
from eureka_park.data.core.repository import RepositoryKind
from eureka_park.web.app import make_app
from eureka_park.web.doors.hub.app import ROUTES
from eureka_park.web.doors.hub.buckets import SCRIPTS
from eureka_park.web.limits import LIMITS, Limits
from eureka_park.web.route_acts import HUB, HUB_SIGNED, OTHER, OWN, ROLES, VISITOR, Asks, is_expected

COLUMNS: Final = (
    VISITOR, "signed in", "annotator", "member", "lead", "organisation's member", "organisation's lead", "operator",
    "operator's token to read",
)  # fmt: skip
COMMIT: Final = b'{"key":"header","value":{"summary":"x"}}\n{"key":"file","value":{"path":"%s","content":"eA=="}}\n'


class Door:
    """A park with two projects, each with a data set and a model, and somebody for every column."""

    def __init__(self, live: LivePark) -> None:
        self.park, self.n = live.park, 0
        app = make_app(self.park)
        app.state.limits = Limits(dict.fromkeys(LIMITS, Limit(1e9, 1e9)))
        self.client = TestClient(app, base_url="http://localhost:8386", follow_redirects=False)
        accounts = self.park.accounts
        self.owner = accounts.principal_of_token(accounts.new_token(accounts.ensure_owner()[0], "test"))
        for whose in (OWN, OTHER):
            accounts.places.new_organisation(self.owner, f"of-{whose}", whose, "university")
            accounts.places.new_project(self.owner, whose, whose, organisation_id=f"of-{whose}")
        self.tokens = {column: self.token(column) for column in COLUMNS if column != VISITOR}
        self.jobs = {whose: live.submit(run_s=1.0, project=whose) for whose in (OWN, OTHER)}
        while any(live.view(job_id)["state"] != "finished" for job_id in self.jobs.values()):
            live.step()  # the log of a job that is over ends
        for whose in (OWN, OTHER):
            self.park.data.repositories.create(self.owner, RepositoryKind.DATASET, whose, SCRIPTS)

    def token(self, column: str) -> str:
        """A token of somebody who holds what a column says."""
        accounts = self.park.accounts
        person_id = accounts.people.add(column, is_verified=True)
        for held in ROLES[column]:
            accounts.places.give_role(self.owner, person_id, held.role, held.scope)
        return str(accounts.tokens.new(person_id, "test", scopes=["read"] if "token" in column else None)[0])

    def begin(self, whose: str) -> str:
        """A fresh name of a data set and of a model with a file, a branch and a tag."""
        self.n += 1
        name = f"r{self.n}"
        for kind in RepositoryKind:
            found = self.park.data.repositories.create(self.owner, kind, whose, name)
            for ref in ("branch", "tag"):
                self.park.data.repositories.versions.add_ref(found, ref, "old", "main")
        for prefix in ("models", "datasets"):
            url = f"/hub/api/{prefix}/{whose}/{name}/commit/main"
            headers = {"Authorization": f"Bearer {self.tokens['operator']}"}
            assert self.client.post(url, content=COMMIT % b"a", headers=headers).status_code == 200
        return name

    def is_let_in(self, method: str, path: str, column: str, whose: str, name: str) -> tuple[bool, str]:
        """Whether the door lets somebody in. Raises AssertionError for an answer of 5xx."""
        rest = {"branch": "old", "tag": "old", "resolve": "main/a"}
        what = path.split("/{rest", 1)[0].rsplit("/", 1)[-1]
        tail = f"new-{self.n}" if method == "POST" and what == "branch" else rest.get(what, "main")
        kept = SCRIPTS if "/buckets/" in path else name
        job_id = self.jobs[whose]
        names = {
            "kinds": "datasets", "project": whose, "name": kept, "state": "pending", "rest": tail, "job_id": job_id,
            "commit_id": "0" * 40,
        }  # fmt: skip
        url = "/hub" + path.replace("{rest:path}", "{rest}").format_map(names)
        token = self.tokens.get(column, "")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers["Accept"] = "text/html" if "/api/" not in path and method == "GET" else "*/*"
        answer = self.client.request(method, url, headers=headers, **self._body(path, whose, name))
        assert answer.status_code < 500, (method, path, column, answer.text)
        is_hidden = answer.headers.get("x-error-code") == "RepoNotFound"
        is_hidden |= ("/api/jobs/" in path or "/organizations/" in path) and answer.status_code == 404
        return answer.status_code not in (401, 403) and not is_hidden, f"{answer.status_code} {answer.text[:100]}"

    def _body(self, path: str, whose: str, name: str) -> dict[str, Any]:
        self.n += 1
        if "/commit/" in path:
            return {"content": COMMIT % f"f{self.n}".encode()}
        if "/buckets/" in path:
            return {}
        body = {
            "repos/create": {"organization": whose, "name": f"new{self.n}"},
            "repos/delete": {"organization": whose, "name": name, "type": "model"},
            "repos/move": {"fromRepo": f"{whose}/{name}", "toRepo": f"{whose}/{name}x", "type": "model"},
            "/settings": {"visibility": "private"},
            "/tag/": {"tag": f"t{self.n}"},
            "/preupload/": {"files": []},
            "/batch": {"operation": "upload", "objects": []},
            "user-access-request/": {"user": self.owner.person_id, "status": "accepted"},
            "/paths-info/": {"paths": ["a"]},
            "/api/jobs/{project}": {"command": ["true"], "dockerImage": "python", "flavor": "cpu-basic"},
        }
        found = next((value for key, value in body.items() if key in path), None)
        return {"json": found} if found is not None else {}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    live = LivePark(tmp_path_factory.mktemp("door"), sky="observed")
    yield Door(live)
    live.park.close()


def test_every_route_says_what_it_asks_for() -> None:
    assert {f"{method} /hub{path}" for method, path, _ in ROUTES} == {*HUB, *HUB_SIGNED}


def test_every_route_opens_to_whom_the_table_says(door: Door) -> None:
    wrong = []
    changing = ("DELETE", "repos/move")
    names = {whose: door.begin(whose) for whose in (OWN, OTHER)}
    for method, path, _ in ROUTES:
        asks = HUB.get(f"{method} /hub{path}")
        if asks is None:
            continue
        for column, whose in _calls(asks):
            name = door.begin(whose) if any(word in f"{method} {path}" for word in changing) else names[whose]
            found, said = door.is_let_in(method, path, column, whose, name)
            if found is not is_expected(asks, column, whose):
                wrong.append(f"{method} {path} as {column}, {whose}: {'let in' if found else 'refused'}: {said}")
    assert not wrong, "\n".join(wrong)


def _calls(asks: Asks) -> Iterator[tuple[str, str]]:
    for column in COLUMNS if asks.act is not None else (VISITOR, "signed in"):
        yield column, OWN
        if asks.has_other:
            yield column, OTHER


def test_what_is_signed_is_good_for_nothing_else(door: Door) -> None:
    for route in HUB_SIGNED:
        method, _, path = route.partition(" ")
        url = path.format_map({"token": "e30.AAAA", "prefix": "default", "digest": "0" * 64})
        for token in ("", "x", door.tokens["lead"]):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            assert door.client.request(method, url, headers=headers).status_code == 401, route


def test_a_content_that_has_no_room_is_refused_by_what_it_says_of_its_size(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = door.begin(OWN)
    objects = door.park.data.objects
    objects.set_limit(OWN, objects.use(OWN)[0] + 10)
    monkeypatch.setattr(door.park.data.objects, "_with_room", lambda *_: pytest.fail("it was let come"))
    url = f"/api/v1/projects/{OWN}/repositories/dataset/{name}/blobs/{'0' * 64}"
    answer = door.client.put(url, content=bytes(11), headers={"Authorization": f"Bearer {door.tokens['lead']}"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "quota")
    monkeypatch.undo()
    objects.set_limit(OWN, None)


def test_the_bucket_of_scripts_takes_what_was_sent_a_moment_ago_alone(door: Door) -> None:
    headers = {"Authorization": f"Bearer {door.tokens['member']}"}
    url = f"/hub/api/buckets/{OWN}/{SCRIPTS}"
    unknown = b'{"type":"addFile","path":"a.py","xetHash":"%s"}' % (b"0" * 64)
    answer = door.client.post(f"{url}/batch", content=unknown, headers=headers)
    assert (answer.status_code, answer.json()["failed"][0]["path"]) == (422, "a.py")
    for content in (b'{"type":"addFile","path":"../a.py"}', b"[]", b"\xff"):
        assert door.client.post(f"{url}/batch", content=content, headers=headers).status_code == 400
    assert door.client.post(f"/hub/api/buckets/{OWN}/other", json={}, headers=headers).status_code == 404
    volume = {"type": "bucket", "source": f"{OWN}/{SCRIPTS}", "mountPath": "/data", "path": "nothing"}
    body = {"command": ["uv", "run", "/data/a.py"], "volumes": [volume]}
    assert door.client.post(f"/hub/api/jobs/{OWN}", json=body, headers=headers).status_code == 404
    volume["source"] = f"{OTHER}/{SCRIPTS}"
    assert door.client.post(f"/hub/api/jobs/{OWN}", json=body, headers=headers).status_code == 400


def test_a_stage_that_no_job_is_in_lists_none(door: Door) -> None:
    headers = {"Authorization": f"Bearer {door.tokens['member']}"}
    listed = {
        stage: len(door.client.get(f"/hub/api/jobs/{OWN}?stage={stage}", headers=headers).json())
        for stage in ("COMPLETED", "DELETED")
    }
    assert listed == {"COMPLETED": 1, "DELETED": 0}
