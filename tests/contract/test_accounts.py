"""People, projects, tokens, sessions and the audit log over the API, as those see them who may and who may not."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark

from eureka_park.accounts.core.rate_limit import Limit
from eureka_park.accounts.core.roles import Act, Role
from eureka_park.accounts.secrets.sessions import GRACE_S, RENEW_S
from eureka_park.foundation.errors import RateLimited
from eureka_park.web.app import make_app
from eureka_park.web.auth import COOKIE
from eureka_park.web.hosts import network_of
from eureka_park.web.limits import LIMITS, Limits

URL = "http://localhost:8386"


class Here:
    """A park with an operator, two people and a machine's maker; `ask` is the API as one of them."""

    def __init__(self, live: LivePark) -> None:
        self.live, self.park, self.clock = live, live.park, live.clock
        accounts = self.park.accounts
        self.ids = {"owner": accounts.ensure_owner()[0]}
        for name in ("ada", "ben", "cem"):
            self.ids[name] = accounts.people.add(name, email=f"{name}@example.org", is_verified=True)
        self.tokens = {name: accounts.new_token(person_id, "test") for name, person_id in self.ids.items()}
        owner = accounts.principal_of_token(self.tokens["owner"])
        accounts.places.give_role(owner, self.ids["ada"], Role.MEMBER, "park")
        self.app = make_app(self.park)
        self.client = TestClient(self.app, base_url=URL, raise_server_exceptions=False)

    def ask(self, who: str, method: str, path: str, status: int = 200, token: str = "", **body: Any) -> Any:
        given = token or self.tokens.get(who, "")
        headers = {"Authorization": f"Bearer {given}"} if given else {}
        sent = {"json": body} if body else {}
        answer = self.client.request(method, f"/api/v1{path}", headers=headers, **sent)
        assert answer.status_code == status, (method, path, answer.text)
        assert answer.headers["x-request-id"]
        return answer.json() if answer.content else None

    def browser(self, name: str) -> TestClient:
        browser = TestClient(self.app, base_url=URL, headers={"Sec-Fetch-Site": "same-origin", "User-Agent": "Firefox"})
        code = self.park.accounts.new_sign_in_link(self.ids[name])
        assert browser.get("/sign-in", params={"code": code}, follow_redirects=False).status_code == 303
        return browser


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    live = LivePark(tmp_path_factory.mktemp("accounts"))
    yield Here(live)
    live.park.close()


# -- tokens ------------------------------------------------------------------------------------------------------------
def test_a_token_is_shown_once_lasts_as_long_as_asked_and_narrows(here: Here, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = here.ask("owner", "POST", "/tokens", 201, name="ci", scopes=["read"], expires="2h")
    secret = made.pop("token")
    listed = {item["token_id"]: item for item in here.ask("owner", "GET", "/tokens")["items"]}
    assert listed[made["token_id"]] == made and secret not in json.dumps(listed) + caplog.text
    assert made["scopes"] == ["read"] and made["expires_at"] is not None
    error = here.ask("", "POST", "/nodes/none/drain", 403, token=secret, why="x")["error"]
    assert "'operate'" in error["message"]
    assert here.ask("", "GET", "/sessions", 403, token=secret), "where one sits is nothing for a token that reads jobs"
    for scopes in (None, ["operate"], ["all"]):
        wider = {"name": "more"} | ({} if scopes is None else {"scopes": scopes})
        assert here.ask("", "POST", "/tokens", 403, token=secret, **wider)["error"]["code"] == "forbidden"
    here.clock.step(7199)
    assert here.ask("", "GET", "/login", token=secret)["is_operator"] is False
    here.clock.step(2)
    assert here.ask("", "GET", "/login", 401, token=secret)["error"]["code"] == "bad_token"


def test_a_token_makes_no_way_in_that_is_good_for_more(here: Here) -> None:
    """Neither by a code for a terminal, nor by a link, nor beside the fresh session of somebody else."""
    keys = here.ask("ada", "POST", "/tokens", 201, name="keys", scopes=["account", "read"])["token"]
    assert here.ask("", "POST", "/login/codes", 403, token=keys)["error"]["code"] == "wider_token"
    runs = here.ask("owner", "POST", "/tokens", 201, name="runs", scopes=["operate", "read"])["token"]
    made = here.ask("", "POST", "/people", 403, token=runs, name="dina")
    assert made["error"]["code"] == "wider_token", "it comes with a link"
    thief = here.browser("ben")
    stolen = {"Authorization": f"Bearer {here.tokens['ada']}"}
    answer = thief.post("/api/v1/account/passkeys/options", headers=stolen)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_recent")
    for deed, fields in (("second", {"do": "begin"}), ("password", {"password": "four words that belong apart"})):
        answer = thief.post(f"/account/security/{deed}", data=fields, headers=stolen)
        assert answer.status_code == 403 and '<svg class="qr' not in answer.text, deed
    assert not here.park.sign_in.ways(here.park.accounts.principal_of_token(here.tokens["ada"])).has_password


def test_a_token_of_scope_account_makes_none_that_is_wider(here: Here) -> None:
    secret = here.ask("ada", "POST", "/tokens", 201, name="keys", scopes=["account", "read"])["token"]
    assert here.ask("", "POST", "/tokens", 201, token=secret, name="x", scopes=["read"])["scopes"] == ["read"]
    assert (
        here.ask("", "POST", "/tokens", 403, token=secret, name="x", scopes=["jobs"])["error"]["code"] == "wider_token"
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x", "expires": "soon"}, ""), ({"name": "x", "expires": "9999d"}, "expires"),
        ({"name": "\u202ex"}, "label"), ({"name": "x", "scopes": ["root"]}, "scopes.0"),
        ({"name": "x", "project": "nowhere"}, "project"), ({"name": "x", "scopez": []}, "scopez"),
        ({"name": "x", "of": "person-none"}, ""),
    ],
)  # fmt: skip
def test_tokens_that_cannot_be(here: Here, body: dict[str, Any], field: str) -> None:
    headers = {"Authorization": f"Bearer {here.tokens['ada']}"}
    answer = here.client.post("/api/v1/tokens", headers=headers, json=body)
    assert answer.status_code in (404, 422) and answer.json()["error"].get("field", "") == field


def test_nobody_ends_or_sees_anothers_tokens_and_sessions(here: Here) -> None:
    mine = here.ask("ada", "POST", "/tokens", 201, name="mine")
    assert here.ask("ben", "DELETE", f"/tokens/{mine['token_id']}", 404)
    assert here.ask("ben", "GET", f"/tokens?of={here.ids['ada']}", 404)
    here.browser("ada")
    session_id = here.ask("ada", "GET", "/sessions")["items"][0]["session_id"]
    assert here.ask("ben", "DELETE", f"/sessions/{session_id}", 404)
    assert here.ask("", "GET", "/login", token=mine["token"])["name"] == "ada"
    here.ask("owner", "DELETE", f"/tokens/{mine['token_id']}", 204)
    assert here.ask("", "GET", "/login", 401, token=mine["token"])


# -- sessions ----------------------------------------------------------------------------------------------------------
def test_a_session_renews_its_secret_and_a_copied_one_ends_it(here: Here) -> None:
    browser = here.browser("ben")
    first = browser.cookies[COOKIE]
    assert browser.get("/api/v1/login").json()["name"] == "ben" and browser.cookies[COOKIE] == first
    here.clock.step(RENEW_S)
    answer = browser.get("/api/v1/login")
    fresh = browser.cookies[COOKIE]
    assert (
        fresh != first and "HttpOnly" in answer.headers["set-cookie"] and "SameSite=lax" in answer.headers["set-cookie"]
    )
    old = {"Cookie": f"{COOKIE}={first}"}
    other = TestClient(here.app, base_url=URL)
    assert other.get("/api/v1/login", headers=old).status_code == 200, "the new one may never have arrived"
    assert browser.get("/", headers={"Accept": "text/html"}).status_code == 200  # now it has
    here.clock.step(GRACE_S)
    assert other.get("/api/v1/login", headers=old).status_code == 200, "requests under way"
    here.clock.step(1)
    assert other.get("/api/v1/login", headers=old).status_code == 401
    assert browser.get("/api/v1/login").status_code == 401, "whoever has a copy has nothing, nor has its owner"
    assert here.park.accounts.audit.newest(limit=1)[0]["act"] == "session.reused"


def test_a_lost_renewal_is_given_again(here: Here) -> None:
    browser = here.browser("ben")
    first = browser.cookies[COOKIE]
    here.clock.step(RENEW_S)
    browser.get("/api/v1/login")
    browser.cookies.clear()
    header = {"Cookie": f"{COOKIE}={first}"}
    here.clock.step(GRACE_S)
    again = TestClient(here.app, base_url=URL).get("/api/v1/login", headers=header)
    assert again.status_code == 200 and COOKIE in again.headers["set-cookie"]


def test_a_sign_in_gives_a_fresh_secret_and_sessions_are_listed_and_ended(here: Here) -> None:
    browser = here.browser("cem")
    planted = browser.cookies[COOKIE]
    code = here.park.accounts.new_sign_in_link(here.ids["cem"])
    browser.get("/sign-in", params={"code": code}, follow_redirects=False)
    assert browser.cookies[COOKIE] != planted, "no fixation"
    items = browser.get("/api/v1/sessions").json()["items"]
    assert [item["is_this"] for item in items].count(True) == 1 and len(items) == 2
    assert {item["client"] for item in items} == {"Firefox"} and items[0]["method"] == "link"
    assert browser.delete("/api/v1/sessions").json() == {"n_ended": 1}
    assert browser.get("/api/v1/login").status_code == 200
    browser.delete(f"/api/v1/sessions/{browser.get('/api/v1/sessions').json()['items'][0]['session_id']}")
    assert browser.get("/api/v1/login").status_code == 401


# -- projects, roles, who can ------------------------------------------------------------------------------------------
def test_a_project_from_its_beginning_to_its_end(here: Here) -> None:
    made = here.ask("ada", "POST", "/projects", 201, project_id="solar", title="Solar cells")
    assert made["is_public"] is False and here.ask("ada", "GET", "/projects/solar") == made
    assert here.ask("ben", "POST", "/projects", 403, project_id="wind", title="Wind")["error"]["fix"]
    assert here.ask("ada", "POST", "/projects", 409, project_id="solar", title="x")["error"]["code"] == "project_taken"
    for bad in ("admin", "A b", "-x"):
        assert here.ask("ada", "POST", "/projects", 422, project_id=bad, title="x")["error"]["field"] == "project"
    assert here.ask("ben", "GET", "/projects/solar", 404) and here.ask("", "GET", "/projects/solar", 404 - 3)
    assert here.ask("ben", "GET", "/permissions?act=submit&object=solar", 404)
    ben = f"/projects/solar/people/{here.ids['ben']}"
    here.ask("ada", "PUT", f"{ben}/member", 204)
    can = here.ask("ben", "GET", "/permissions?act=submit&object=solar")
    why = {"is_allowed": True, "why": "ben is a member of solar.", "code": "role", "fix": "", "roles": []}
    assert can["you"] == why
    judge = here.ask("ben", "GET", "/permissions?act=review&object=solar")["you"]
    assert judge["roles"] == ["reviewer"] and "for the role reviewer there" in judge["fix"]
    assert here.ask("ben", "GET", "/permissions?act=grant&object=solar")["object"] == "park", "no matter of a project"
    assert [(item["name"], item["role"]) for item in can["people"]] == [
        ("ben", "member"), ("ada", "lead"), ("owner", "operator"),
    ]  # fmt: skip
    assert here.ask("ben", "PUT", f"/projects/solar/people/{here.ids['cem']}/member", 403)["error"]["message"] == (
        "ben is a member of solar, which is not enough to manage it."
    )
    assert here.ask("ada", "PUT", f"{ben}/operator", 422)["error"]["field"] == "role"
    assert (
        here.ask("ada", "DELETE", f"/projects/solar/people/{here.ids['ada']}/lead", 409)["error"]["code"] == "last_lead"
    )
    here.ask("ben", "DELETE", f"{ben}/member", 204)
    assert here.ask("ben", "GET", "/projects/solar", 404)
    assert here.ask("ada", "PATCH", "/projects/solar", is_closed=True)["is_closed"] is True
    no = here.ask("ada", "GET", "/permissions?act=submit&object=project:solar")
    assert no["you"]["code"] == "closed" and no["rule"].startswith("'submit' is for: ")
    assert here.ask("ada", "POST", "/jobs", 403, command=["true"], project="solar")["error"]["message"].endswith(
        "closed."
    )


def test_an_organisations_lead_reaches_into_its_projects(here: Here) -> None:
    billing = {"ice": "001234567000089", "currency": "MAD"}
    made = here.ask(
        "ada", "POST", "/organisations", 201, organisation_id="um6p", name="UM6P", kind="university", billing=billing
    )
    assert made["billing"]["ice"] == billing["ice"]
    assert here.ask("ada", "PATCH", "/organisations/um6p", 422, billing={"ice": "12"})["error"]["field"] == "ice"
    here.ask("ada", "PUT", f"/organisations/um6p/people/{here.ids['ben']}/member", 204)
    assert here.ask("ben", "GET", "/organisations/um6p")["billing"] is None
    here.ask("ben", "POST", "/projects", 201, project_id="noor", title="Noor", organisation="um6p")
    assert here.ask("ada", "GET", "/permissions?act=spend&object=noor")["you"]["why"] == "ada is a lead of um6p."
    assert here.ask("cem", "POST", "/projects", 404, project_id="x", title="x", organisation="um6p")
    people = here.ask("ada", "GET", "/organisations/um6p/people")["items"]
    assert sorted((item["name"], item["role"]) for item in people) == [("ada", "lead"), ("ben", "member")]
    assert here.ask("cem", "GET", "/organisations/um6p/people", 404) and here.ask("cem", "GET", "/organisations")


def test_a_group_gives_its_people_what_it_holds(here: Here) -> None:
    accounts = here.park.accounts
    owner = accounts.principal_of_token(here.tokens["owner"])
    group_id = accounts.groups.new(owner, "Night shift")
    accounts.groups.put_in(owner, group_id, here.ids["cem"])
    here.ask("owner", "PUT", f"/people/{group_id}/roles/auditor", 204)
    found = here.ask("cem", "GET", "/permissions?act=audit")
    assert found["you"]["why"] == "cem is an auditor of this park, as one of the group Night shift."
    assert (here.ids["cem"], group_id) in [(item["person_id"], item["through"]) for item in found["people"]]
    accounts.groups.take_out(owner, group_id, here.ids["cem"])
    assert here.ask("cem", "GET", "/audit", 403)


def test_a_machines_token_runs_jobs_of_its_project_and_nothing_else(here: Here) -> None:
    here.ask("ada", "POST", "/projects", 201, project_id="plant", title="Plant")
    robot = here.ask("ada", "POST", "/projects/plant/machines", 201, name="deploy robot")
    assert (robot["kind"], robot["responsible_id"]) == ("service", here.ids["ada"])
    token = here.ask("ada", "POST", "/tokens", 201, name="robot", of=robot["person_id"])["token"]
    assert here.ask("ben", "POST", "/tokens", 404, name="robot", of=robot["person_id"])
    job_id = here.ask("", "POST", "/jobs", 201, token=token, command=["true"], project="plant")["job_id"]
    here.live.step()
    assert here.ask("ada", "GET", f"/jobs/{job_id}")["project"] == "plant" and here.ask(
        "ben", "GET", f"/jobs/{job_id}", 404
    )
    assert here.ask("", "POST", "/tokens", 403, token=token, name="x", scopes=["read"])
    with pytest.raises(Exception, match="no person"):
        here.park.accounts.redeem_sign_in(here.park.accounts.new_sign_in_link(robot["person_id"]))


def test_the_table_and_the_acts_of_the_api_are_those_of_the_code(here: Here) -> None:
    table = here.ask("", "GET", "/permissions/table")
    assert {row["act"] for row in table["items"]} == {str(act) for act in Act}
    assert all(row["rule"] for row in table["items"]) and "operator" in table["roles_at"]["park"]
    assert here.ask("", "GET", "/permissions?act=operate")["people"] is None
    assert here.ask("ada", "GET", "/permissions?act=operate")["people"] is None
    assert [item["name"] for item in here.ask("owner", "GET", "/permissions?act=operate")["people"]] == ["owner"]


# -- people ------------------------------------------------------------------------------------------------------------
def test_operators_add_people_and_only_they_see_everybody(here: Here) -> None:
    added = here.ask("owner", "POST", "/people", 201, name="Dua", email="Dua@Example.org")
    assert added["email"] == "Dua@Example.org" and added["is_verified"]
    assert (
        here.ask("owner", "POST", "/people", 409, name="D", email="dua@example.org")["error"]["code"] == "email_taken"
    )
    assert here.ask("owner", "POST", "/people", 422, name="D", email="dսa@example.org")["error"]["code"] == "bad_email"
    assert [item["name"] for item in here.ask("owner", "GET", "/people?text=DUA")["items"]] == ["Dua"]
    page = here.ask("owner", "GET", "/people?limit=2")
    assert len(page["items"]) == 2 and page["next"] == page["items"][1]["person_id"]
    for path in ("/people", "/audit", "/audit/check"):
        here.ask("ben", "GET", path, 403)
        here.ask("", "GET", path, 401)
    assert here.ask("ben", "GET", f"/people/{added['person_id']}", 404)
    assert here.ask("ben", "PATCH", f"/people/{here.ids['ben']}", name="Ben  B.")["name"] == "Ben B."
    assert here.ask("ben", "PATCH", f"/people/{here.ids['ben']}", 403, is_disabled=False)
    here.ask("owner", "PATCH", f"/people/{here.ids['ben']}", is_disabled=True)
    assert here.ask("ben", "GET", "/login", 401)["error"]["code"] == "bad_token"
    here.ask("owner", "PATCH", f"/people/{here.ids['ben']}", is_disabled=False, name="ben")
    assert here.ask("ben", "GET", "/login")["name"] == "ben"
    assert (
        here.ask("owner", "DELETE", f"/people/{here.ids['owner']}/roles/operator", 409)["error"]["code"]
        == "last_operator"
    )
    kept = here.browser("owner").delete(f"/api/v1/people/{here.ids['owner']}")
    assert (kept.status_code, kept.json()["error"]["code"]) == (409, "last_operator")
    moved = here.ask("owner", "PATCH", f"/people/{added['person_id']}", email="dua@new.example")
    assert moved["email"] == "dua@new.example" and moved["is_verified"]
    assert here.ask("owner", "PATCH", f"/people/{added['person_id']}", 409, email="ADA@example.org")
    assert here.ask("ada", "PATCH", f"/people/{here.ids['ada']}", 403, email="ada@new.example")


def test_what_is_told_of_oneself_and_what_is_left_after_erasing(here: Here) -> None:
    person_id = here.park.accounts.people.add("Zineb Alaoui", email="zineb@example.org", is_verified=True)
    here.tokens["zineb"] = here.park.accounts.new_token(person_id, "laptop")
    with here.park.db.write() as conn:
        here.park.accounts.people.agree(conn, person_id, "terms", "2026-11")
    told = here.ask("zineb", "GET", "/account/export")
    assert told["person"]["email"] == "zineb@example.org" and told["consents"][0]["kind"] == "terms"
    assert {"roles", "tokens", "sessions", "ways_to_sign_in", "audit", "jobs"} <= set(told)
    assert here.tokens["zineb"] not in json.dumps(told)
    here.ids["zineb"] = person_id
    assert here.ask("zineb", "DELETE", f"/people/{person_id}", 403)["error"]["code"] == "not_recent"
    assert here.browser("zineb").delete(f"/api/v1/people/{person_id}").status_code == 204
    assert here.ask("zineb", "GET", "/login", 401)
    left = here.ask("owner", "GET", f"/people/{person_id}")
    assert (left["name"], left["email"], left["is_erased"], left["roles"]) == ("", "", True, [])
    acts = [item["act"] for item in here.ask("owner", "GET", f"/audit?thing={person_id}")["items"]]
    assert acts[0] == "person.erased" and acts[-1] == "person.added"
    here.live.step()
    assert here.park.accounts.audit.check().fault == ""
    with closing(sqlite3.connect(here.live.folder / "park.sqlite3")) as kept:
        dump = "\n".join(kept.iterdump())
    assert person_id in dump and "zineb@" not in dump and "Alaoui" not in dump
    assert here.ask("owner", "POST", "/people", 201, name="Z", email="zineb@example.org")["is_verified"], "free again"


# -- limits and request ids --------------------------------------------------------------------------------------------
def test_too_many_requests_are_told_when_to_come_again(here: Here) -> None:
    app = make_app(here.park)
    slow = {**LIMITS, "address": Limit(0.5, 3.0), "token": Limit(1.0, 1.0)}
    app.state.limits = Limits(slow, now_s=lambda: 0.0)  # no time passes: nothing flows in
    client = TestClient(app, base_url=URL)
    token = {"Authorization": f"Bearer {here.tokens['ada']}"}
    assert client.get("/api/v1/login", headers=token).status_code == 200
    answer = client.get("/api/v1/login", headers=token)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert answer.json()["error"]["code"] == "rate_limited"
    assert client.get("/api/v1/status").status_code == 200
    closed = client.get("/api/v1/status", headers={"X-Request-Id": "mine-7"})
    assert closed.status_code == 429 and int(closed.headers["retry-after"]) in (1, 2)
    assert closed.headers["x-request-id"] == closed.json()["error"]["request_id"] == "mine-7"
    assert client.get("/static/favicon.svg").status_code == 200 and client.get("/healthz").status_code in (200, 503)


def test_an_ipv6_host_is_one_asker_however_many_addresses_it_has() -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::7%eth0") == "2001:db8:1:2::/64"
    assert network_of("2001:db8:1:3::7") != "2001:db8:1:2::/64"
    assert [network_of(name) for name in ("192.0.2.7", "testclient", "a:b", "")] == [
        "192.0.2.7",
        "testclient",
        "a:b",
        "",
    ]


def test_limits_forget_who_has_not_asked_for_longest() -> None:
    limits = Limits({"token": Limit(1.0, 1.0)}, now_s=lambda: 0.0, keys_max=2)
    for key in ("a", "b"):
        limits.take("token", key)
    with pytest.raises(RateLimited) as caught:
        limits.take("token", "a")
    assert caught.value.retry_after_s == 1.0
    limits.take("token", "c")  # "b" is forgotten now
    limits.take("token", "b")


def test_nothing_in_the_audit_log_names_anybody(here: Here) -> None:
    """After all of the above, whatever of it was run."""
    entries = here.park.accounts.audit.newest(limit=1000)
    text = json.dumps(entries)
    names = [item.name for item in here.park.accounts.people.page(limit=500) if len(item.name) > 2]
    assert len(entries) >= 8 and len(names) >= 4
    words = {word for entry in entries for word in re.findall(r"\w+", json.dumps([entry["thing"], entry["detail"]]))}
    assert not {"ada", "ben", "cem"} & words and "@" not in text and "park_" not in text
