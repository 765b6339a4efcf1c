"""Every route, called as everybody, at what is theirs and at what is another's: it opens to whom the table says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark

from eureka_park.accounts.core.rate_limit import Limit
from eureka_park.accounts.core.roles import Act, Kind, Role
from eureka_park.data.core.repository import RepositoryKind
from eureka_park.foundation.errors import Conflict
from eureka_park.web import route_acts
from eureka_park.web.app import make_app
from eureka_park.web.limits import LIMITS, Limits
from eureka_park.web.route_acts import COLUMNS, OTHER, OWN, ROLES, ROUTES, VISITOR, Asks

URL: Final = "http://localhost:8386"
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
# What a route says when it lets somebody in no further; other errors come later, of those who got through.
REFUSED: Final = frozenset(
    f"no_such_{name}"
    for name in ("project", "repository", "job", "organisation", "person", "token", "machine", "group", "bucket")
)
NOT_CALLED: Final = {
    "POST /account/security/password": "asks for a browser that signed in just now: tests/contract/test_sign_in.py",
    "POST /account/security/join": "asks for a browser that signed in just now: tests/contract/test_oidc.py",
    "POST /account/security/part": "asks for a browser that signed in just now: tests/contract/test_oidc.py",
    "POST /account/pay": "asks for a browser that signed in just now: tests/contract/test_page_money.py",
    "POST /account/email": "asks for a browser that signed in just now: tests/contract/test_invitations.py",
    "GET /api/v1/projects/{project_id}/statements/{month}/pdf": "prints; asks what the same as CSV asks",
    "GET /api/v1/invoices/{name}/pdf": "prints; asks what the invoice asks",
    "GET /api/v1/organisations/{organisation_id}/statements/{month}/pdf": "prints; asks what the same as CSV asks",
    "GET /api/v1/events": "a stream without an end: tests/contract/test_streams.py",
    "POST /api/v1/twin/example": "plays a run: tests/contract/test_page_twin.py",
    "POST /twin/example": "plays a run: tests/contract/test_page_twin.py",
    **dict.fromkeys(
        ("GET /sign-in/invitation", "POST /sign-in/invitation", "GET /sign-in/address", "POST /sign-in/address"),
        "open, and refuses whoever shows nothing: tests/contract/test_invitations.py",
    ),
    **dict.fromkeys(
        ("POST /sign-in", "POST /sign-in/code", "POST /sign-in/link", "GET /sign-in/letter", "POST /sign-in/letter",
         "GET /sign-in/with/{provider}", "GET /sign-in/with/{provider}/back", "POST /sign-up", "POST /recover",
         "POST /api/v1/login/device/token"),
        "open, and refuses whoever shows nothing: tests/contract/test_sign_in.py, test_oidc.py, test_device.py",
    ),
    **dict.fromkeys(
        [
            *(f"POST /account/security/{what}" for what in ("password", "join", "part", "second", "passkey")),
            "POST /api/v1/account/passkeys", "POST /api/v1/account/passkeys/options",
        ],
        "takes no token, whatever it is good for: tests/contract/test_sign_in.py",
    ),
}  # fmt: skip
PAGE_FORM: Final = {
    "load_mw": "x", "days": "x", "do": "settings", "title": "Again", "name": "Again", "credits": "1",
}  # fmt: skip
QUERIES: Final = {
    "GET /data/buckets/{bucket}/raw": "?key=a",
    **{f"{way} /api/v1/projects/{{project_id}}/buckets/{{bucket}}/file": "?key=a" for way in ("GET", "PUT", "DELETE")},
    "GET /api/v1/projects/{project_id}/repositories/{kind}/{name}/diff": "?old=main",
    "DELETE /api/v1/projects/{project_id}/key": "?confirm=none",
    "GET /api/v1/jobs/{job_id}/logs/search": "?text=a",
    "GET /api/v1/permissions": "?act=see",
}
BODIES: Final[dict[str, Any]] = {
    "PATCH /api/v1/projects/{project_id}/buckets/{bucket}": {},
    "POST /api/v1/projects/{project_id}/buckets/{bucket}/copies": {"key": "a", "to": "b"},
    "POST /api/v1/projects/{project_id}/access-keys": {},
    "POST /api/v1/projects/{project_id}/key": {"keeper": "kms"},
    "PUT /api/v1/projects/{project_id}/key": {"keeper": "park"},
    "POST /api/v1/projects/{project_id}/key/unlock": {"key": "AAAA"},
    "POST /api/v1/prices": {
        "mad_per_gpu_h": {"*": {"*": {"firm": 0, "flex": 0, "green": 0}}},
        "mad_per_cpu_h": {"*": {"firm": 0, "flex": 0, "green": 0}},
        "valid_from": "2100-01-01T00:00:00Z",
    },
    "POST /api/v1/projects/{project_id}/repositories/{kind}/{name}/commits": {"title": "x", "changes": []},
    "PATCH /api/v1/projects/{project_id}/repositories/{kind}/{name}": {},
    "POST /api/v1/projects/{project_id}/repositories/{kind}/{name}/blobs/held": {"sha256": []},
    "PATCH /api/v1/projects/{project_id}/repositories/{kind}/{name}/card": {},
    "PUT /api/v1/projects/{project_id}/repositories/{kind}/{name}/rule": {},
    "PUT /api/v1/projects/{project_id}/repositories/{kind}/{name}/hold": {"reason": "x"},
    "PUT /api/v1/projects/{project_id}/storage": {"limit_bytes": None},
    "POST /api/v1/grants": {"project": OWN, "credits": 1},
    "POST /api/v1/projects/{project_id}/transfers": {"to": OWN, "credits": 1},
    "PUT /api/v1/projects/{project_id}/budgets/{name}": {"credits": 1},
    "POST /api/v1/projects/{project_id}/top-ups": {"credits": 1},
    "POST /api/v1/top-ups/{top_up_id}/invoices": {"kind": "invoice"},
    "POST /api/v1/bank": {"csv": "date,amount,currency,reference"},
    "POST /api/v1/bank/match": {"lines": ["none"], "invoices": ["EP-2027-000001"]},
    "POST /api/v1/bank/lines/{line_id}/aside": {},
    "POST /api/v1/payouts": {"person_ids": ["none"]},
    "PUT /api/v1/account/bank-account": {"iban": "MA64011519000001205000534921", "holder": "New"},
    "POST /api/v1/jobs/{job_id}/cancel": {},
    "PUT /api/v1/account/notices": {"kind": "job.ended", "is_on": True},
    "POST /api/v1/account/notices/test": {"way": "none"},
    "POST /api/v1/account/webhooks": {"url": "https://hooks.example.org/park"},
    "PATCH /api/v1/account/webhooks/{webhook_id}": {"is_on": True},
    "POST /api/v1/snapshots": {"files": []},
    "POST /api/v1/nodes/{node_id}/drain": {"why": "dust"},
    "POST /api/v1/windows": {"nodes": ["none"], "from": "1h", "to": "2h", "why": "dust"},
    "POST /api/v1/energy/years": {},
    "POST /api/v1/twin/runs": {"days": 0},
    "POST /api/v1/login": {"code": "none"},
    "POST /api/v1/tokens": {"name": "x", "scopes": ["read"]},
    "PATCH /api/v1/people/{person_id}": {"language": "fr"},
    "PATCH /api/v1/projects/{project_id}": {"title": "Again"},
    "POST /api/v1/projects/{project_id}/machines": {"name": "robot"},
    "PATCH /api/v1/organisations/{organisation_id}": {"name": "Again"},
    "PATCH /api/v1/groups/{group_id}": {"name": "Again"},
}


class Matrix:
    """A park with two organisations, a project of each, a job in each, and somebody for every column."""

    def __init__(self, live: LivePark) -> None:
        self.live, self.park, self.n = live, live.park, 0
        self.app = make_app(self.park)
        self.app.state.limits = Limits(dict.fromkeys(LIMITS, Limit(1e9, 1e9)))
        self.client = TestClient(self.app, base_url=URL, raise_server_exceptions=False, follow_redirects=False)
        accounts = self.park.accounts
        self.owner = accounts.principal_of_token(accounts.new_token(accounts.ensure_owner()[0], "test"))
        self.jobs = {whose: self._lab(whose) for whose in (OWN, OTHER)}
        live.step(times=8)
        self.tokens = {column: self.somebody(column)[1] for column in ROLES}
        self.ids = {column: accounts.principal_of_token(token).person_id for column, token in self.tokens.items()}

    def _lab(self, whose: str) -> str:
        places = self.park.accounts.places
        places.new_organisation(self.owner, f"of-{whose}", whose, "university")
        places.new_project(self.owner, whose, whose, organisation_id=f"of-{whose}")
        job_id = str(self.live.submit(run_s=5, tier="firm", project=whose))
        for name in ("log.txt", "out/a.txt"):
            file = self.live.folder / "jobs" / job_id / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("a line\n")
        return job_id

    def somebody(self, column: str) -> tuple[str, str]:
        """Somebody who holds what a column says: their id and a token."""
        accounts = self.park.accounts
        self.n += 1
        person_id = accounts.people.add(column, is_verified=True)
        for held in ROLES.get(column, ()):
            accounts.places.give_role(self.owner, person_id, held.role, held.scope)
        scopes = ["read"] if "token" in column else None
        return person_id, accounts.tokens.new(person_id, "test", scopes=scopes)[0]

    def is_let_in(self, route: str, column: str, whose: str) -> tuple[bool, str]:
        """Whether a route lets somebody in, and what it said. Raises AssertionError for an answer of 5xx."""
        method, _, path = route.partition(" ")
        token = self.tokens.get(column, "")
        names = self._names(route, column, whose)
        if "{token_id}" in path and whose == OWN and column in self.ids:
            names["token_id"] = self.park.accounts.tokens.new(self.ids[column], "x")[1].token_id
        if route == "DELETE /api/v1/people/{person_id}" and whose == OWN and column in self.ids:
            names["person_id"], token = self.somebody(column)  # who is erased cannot ask again
        if route == "DELETE /api/v1/login":
            token = self.somebody(column)[1] if token else ""
        headers = {"Authorization": f"Bearer {token}"} if token else {"Sec-Fetch-Site": "same-origin"}
        url = path.replace(":path}", "}").format_map(names) + QUERIES.get(route, "")
        answer = self.client.request(method, url, headers=headers, **self._body(route, whose))
        assert answer.status_code < 500 or answer.status_code == 503, (route, column, whose, answer.text)
        is_in = answer.status_code == 303 if route == "POST /submit" else ROUTES[route].is_open or _got_in(answer)
        return is_in, f"{answer.status_code} {answer.text[:120]!r}"

    def _group(self, whose: str) -> str:
        """A group of an organisation; a fresh one, as one that was ended is gone."""
        return self.park.accounts.groups.new(self.owner, "Lab", f"of-{whose}")

    def _names(self, route: str, column: str, whose: str) -> dict[str, str]:
        me = self.ids.get(column, "nobody")
        stranger = self.somebody("signed in")[0] if "{person_id}" in route or "{token_id}" in route else ""
        is_person = "{person_id}" in route and ROUTES[route].own is not None
        names = dict.fromkeys(
            ["node_id", "window_id", "year_id", "run_id", "session_id", "grant_id", "provider", "invitation_id"], "none"
        )
        names |= {"top_up_id": "none", "name": "none", "month": "2027-03", "line_id": "none", "batch_id": "none"}
        names |= {"webhook_id": "none", "delivery_id": "none", "kind": "dataset", "access_key_id": "none"}
        names |= {"kinds": "datasets", "project": whose, "rest": "main/a.txt", "commit_id": "main"}
        if "/repositories/{kind}" in route or "/data/{kinds}" in route:
            names["name"] = f"set-{self.n}" if route.startswith("DELETE") else "set"
            with suppress(Conflict):
                self.park.data.repositories.create(self.owner, RepositoryKind.DATASET, whose, names["name"])
        if "{bucket}" in route:
            names["bucket"] = f"{whose}-{self.n}" if route.endswith("{bucket}") else f"{whose}-plots"
            with suppress(Conflict):
                self.park.data.files.make_bucket(self.owner, whose, names["bucket"])
        if "{group_id}" in route:
            names["group_id"] = self._group(whose)
            if stranger:
                self.park.accounts.groups.put_in(self.owner, names["group_id"], stranger)
        return names | {
            "job_id": self.jobs[whose], "project_id": whose, "organisation_id": f"of-{whose}", "path": "a.txt",
            "person_id": me if whose == OWN and is_person else stranger, "role": "member", "sha256": "0" * 64,
            "token_id": self.park.accounts.tokens.new(stranger, "x")[1].token_id if stranger else "none",
        }  # fmt: skip

    def _body(self, route: str, whose: str) -> dict[str, Any]:
        self.n += 1
        method, _, path = route.partition(" ")
        if method in ("GET", "HEAD", "DELETE"):
            return {}
        if not path.startswith("/api/"):
            kind = "university" if path.startswith("/organisations") else "command"
            fields = {"kind": kind, "command": "true", "project": whose, "key": str(self.n)}
            fields |= {"organisation": f"of-{whose}"} if path == "/groups" else {}
            fields |= {"do": "rename"} if path == "/groups/{group_id}" else {}
            return {"data": {**PAGE_FORM, **fields, "job": self.jobs[whose], "id": f"new-{self.n}"}}
        made = {"POST /api/v1/jobs": {"command": ["true"], "project": whose}}
        made["POST /api/v1/quotes"] = {"command": ["true"]}
        made["POST /api/v1/jobs/cancel"] = {"job_ids": [self.jobs[whose]]}
        made["POST /api/v1/people"] = {"name": "New"}
        made["POST /api/v1/projects/{project_id}/repositories"] = {"name": f"new-{self.n}"}
        made["POST /api/v1/projects/{project_id}/buckets"] = {"name": f"new-{self.n}"}
        made["POST /api/v1/groups"] = {"name": "New", "organisation": f"of-{whose}"}
        made |= {
            f"POST /api/v1{place}/invitations": {"email": f"new-{self.n}@example.org", "role": "member"}
            for place in ("", "/projects/{project_id}", "/organisations/{organisation_id}")
        }
        made["POST /api/v1/projects"] = {"project_id": f"new-{self.n}", "title": "New"}
        made["POST /api/v1/organisations"] = {"organisation_id": f"new-{self.n}", "name": "New", "kind": "company"}
        body = {**BODIES, **made}.get(route)
        return {"json": body} if body is not None else {}


def _got_in(answer: Any) -> bool:
    if answer.status_code == 303:
        return not answer.headers["location"].startswith("/sign-in?")
    is_json = "json" in answer.headers.get("content-type", "")
    told = answer.json() if is_json and answer.content else {}
    code = told.get("error", {}).get("code", "") if isinstance(told, dict) else ""
    if isinstance(told, dict) and answer.status_code == 200 and "items" in told and answer.request.method == "POST":
        return all(item.get("error", {}).get("code", "") not in {*REFUSED, "forbidden"} for item in told["items"])
    is_hidden = code in REFUSED or (answer.request.method == "HEAD" and answer.status_code == 404)
    is_in = answer.status_code not in (401, 403) or code == "not_recent"  # asks for a fresh sign-in beyond the table
    return is_in and not is_hidden


def _calls(route: str, asks: Asks) -> Iterator[tuple[str, str]]:
    """Who calls a route, at whose things; where it asks for less than a role, few stand for all."""
    few = {True: (VISITOR,), False: (VISITOR, "signed in")}[asks.is_open]
    columns = COLUMNS if asks.act is not None and asks.of is not Kind.SELF else few
    columns = (*columns, "operator's token to read") if asks.act is Act.ACCOUNT else columns
    for column in columns:
        yield column, OWN
        if asks.has_other:
            yield column, OTHER


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    live = LivePark(tmp_path_factory.mktemp("matrix"), sky="observed")
    yield Matrix(live)
    live.park.close()


def _ways(app: Any) -> set[str]:
    named = {f"{method.upper()} {path}" for path, item in app.openapi()["paths"].items() for method in item}
    routes = [route for route in app.routes if type(route).__name__ == "APIRoute"]
    return named | {f"{method} {route.path}" for route in routes for method in route.methods}


def test_every_route_says_what_it_asks_for(matrix: Matrix) -> None:
    ways = _ways(matrix.app)
    assert not ways - set(ROUTES), "say in web/route_acts.py who they are for"
    assert not set(ROUTES) - ways, "these are no more"


def test_every_route_opens_to_whom_the_table_says(matrix: Matrix) -> None:
    wrong: list[str] = []
    for route, asks in ROUTES.items():
        for column, whose in _calls(route, asks) if route not in NOT_CALLED else ():
            found, said = matrix.is_let_in(route, column, whose)
            if found is not route_acts.is_expected(asks, column, whose):
                wrong.append(f"{route} as {column}, {whose}: {'let in' if found else 'refused'}: {said}")
    assert not wrong, "\n".join(wrong)


def test_another_person_s_session_is_not_theirs_to_end(matrix: Matrix) -> None:
    accounts, (victim, _) = matrix.park.accounts, matrix.somebody("signed in")
    with matrix.park.db.write() as conn:
        accounts.sessions.open(conn, victim, method="link", client="", address="")
    session_id = accounts.sessions.of(victim)[0].session_id
    for column, token in matrix.tokens.items():
        answer = matrix.client.delete(f"/api/v1/sessions/{session_id}", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code in (403, 404), column
    assert len(accounts.sessions.of(victim)) == 1


def test_roles_of_one_project_open_no_other(matrix: Matrix) -> None:
    """The table itself: no role inside a project or an organisation reaches into another."""
    for route, asks in ROUTES.items():
        if asks.act is None or asks.of not in (Kind.PROJECT, Kind.ORGANISATION):
            continue
        inside = [name for name, held in ROLES.items() if held and held[0].role not in (Role.OPERATOR, Role.AUDITOR)]
        assert not any(route_acts.is_expected(asks, column, OTHER) for column in inside), route
