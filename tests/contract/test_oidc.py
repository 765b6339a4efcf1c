"""Signing in at a real OpenID Connect server (npm oidc-provider): who one is, which roles follow, what is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from fastapi.testclient import TestClient
from tests.helpers.entrance import URL, Entrance
from tests.helpers.oidc_server import SECRET, OidcServer, sign_in_there

from eureka_park.accounts.core.oidc import check_claims, identity_of
from eureka_park.accounts.core.roles import Role
from eureka_park.foundation.errors import Unauthorised

PROVIDERS = """
[[oidc]]
id = "uni"
title = "The University"
issuer = "{issuer}"
client_id = "park"
[oidc.roles]
lab = "member@project:lab"
staff = "auditor@park"
chiefs = "operator@park"
[[oidc]]
id = "sure"
issuer = "{issuer}"
client_id = "park"
links_by_email = true
[[oidc]]
id = "strict"
issuer = "{issuer}"
client_id = "park"
makes_people = false
[[oidc]]
id = "gone"
issuer = "http://localhost:9"
client_id = "park"
"""


class Doors(Entrance):
    """A park with a provider that is there and one that is not."""

    def __init__(self, folder: Path) -> None:
        backs = [f"{URL}/sign-in/with/{name}/back" for name in ("uni", "sure", "strict")]
        self.op = OidcServer(folder, backs)
        super().__init__(folder, PROVIDERS.format(issuer=self.op.issuer))
        for name in ("uni", "sure", "strict"):
            self.park.home.write(f"keys/oidc-{name}.secret", SECRET)
        self.park.accounts.ensure_project("lab", "Lab", False)
        self.live.clock.step(time.time() - self.live.clock.real_s())  # the provider's tokens tell the real time

    def stop(self) -> None:
        self.op.stop()
        super().stop()

    def there(self, browser: TestClient, provider: str, next_path: str = "/") -> str:
        """Where the browser is sent."""
        answer = browser.get(f"/sign-in/with/{provider}", params={"next": next_path})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def back(self, browser: TestClient, provider: str, name: str, next_path: str = "/") -> Any:
        """The whole way: there, signed in, back."""
        return browser.get(sign_in_there(self.there(browser, provider, next_path), name).removeprefix(URL))

    def roles(self, browser: TestClient) -> set[tuple[str, str]]:
        held = self.park.accounts.places.roles_of(self.who(browser)["person_id"])
        return {(str(item.role), item.scope) for item in held if not item.scope.startswith("project:try-")}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    doors = Doors(tmp_path_factory.mktemp("doors"))
    yield doors
    doors.stop()


def test_a_person_of_the_provider_is_one_here_with_the_roles_of_their_groups(doors: Doors) -> None:
    doors.op.groups("mina", "lab", "staff", "choir")
    browser = doors.browser()
    asked = parse_qs(urlsplit(doors.there(browser, "uni")).query)
    assert asked["code_challenge_method"] == ["S256"] and asked["redirect_uri"] == [f"{URL}/sign-in/with/uni/back"]
    done = doors.back(browser, "uni", "mina", "/jobs")
    assert (done.status_code, done.headers["location"]) == (303, "/jobs"), done.text
    who = doors.who(browser)
    assert who["name"] == "mina of the university" and "lab" in who["projects"]
    assert doors.roles(browser) == {("member", "project:lab"), ("auditor", "park")}
    person = doors.park.accounts.people.person(who["person_id"])
    assert person.is_verified and person.email == "mina@uni.example"
    doors.park.accounts.places.give_role(doors.live.owner, person.person_id, Role.LEARNER, "project:lab")
    for change in (doors.park.accounts.places.take_role, doors.park.accounts.places.give_role):
        change(doors.live.owner, person.person_id, Role.MEMBER, "project:lab")
    doors.back(doors.browser(), "uni", "mina")
    noted = doors.park.accounts.audit.newest(who=person.person_id)
    given = [item for item in noted if item["act"] == "role.given" and item["detail"].get("by") == "oidc:uni"]
    assert len(given) == 2, "what people gave is not given once more at each sign-in"
    doors.op.groups("mina", "choir")
    again = doors.browser()
    doors.back(again, "uni", "mina")
    assert doors.who(again)["person_id"] == person.person_id, "the same person"
    assert doors.roles(again) == {("learner", "project:lab"), ("member", "project:lab")}, (
        "what the groups gave is gone; what people gave stays"
    )


def test_an_answer_counts_once_in_the_browser_that_asked(doors: Doors) -> None:
    browser, other = doors.browser(), doors.browser()
    answer = sign_in_there(doors.there(browser, "uni"), "karim").removeprefix(URL)
    assert other.get(answer).status_code == 401, "an answer sent to somebody else signs nobody in"
    cookie = browser.cookies["park_flow"]
    assert browser.get(answer).status_code == 303
    replay = doors.browser()
    replay.cookies.set("park_flow", cookie, domain="localhost.local", path="/sign-in/with")
    refused = replay.get(answer)
    assert refused.status_code == 401 and "Begin again" in refused.text and doors.who(replay) == {}


@pytest.mark.parametrize(
    "change",
    [{"state": "other"}, {"state": ""}, {"iss": "https://evil.example"}, {"iss": ""}, {"code": "made-up"}, {"code": ""},
     {"error": "access_denied"}],
    ids=str,
)  # fmt: skip
def test_answers_that_are_not_what_was_asked_for(doors: Doors, change: dict[str, str]) -> None:
    browser = doors.browser()
    answer = sign_in_there(doors.there(browser, "uni"), "leila")
    query = {key: values[0] for key, values in parse_qs(urlsplit(answer).query).items()} | change
    refused = browser.get(f"/sign-in/with/uni/back?{urlencode({k: v for k, v in query.items() if v})}")
    assert refused.status_code == 401 and doors.who(browser) == {}
    assert browser.get(answer.removeprefix(URL)).status_code == 401, "and the true one is over with it"


def test_an_answer_of_one_provider_is_none_of_another(doors: Doors) -> None:
    browser = doors.browser()
    answer = sign_in_there(doors.there(browser, "uni"), "leila").removeprefix(URL).replace("/uni/", "/sure/")
    assert browser.get(answer).status_code == 401


def test_an_address_that_somebody_has_joins_only_where_the_operator_trusts_it(doors: Doors) -> None:
    mine = doors.sign_up("nora@uni.example", "Nora")
    person_id = doors.who(mine)["person_id"]
    refused = doors.back(doors.browser(), "uni", "nora")
    assert refused.status_code == 409 and "connect the two" in refused.text
    page = mine.post("/account/security/join", data={"provider": "uni"})
    link = page.text.partition('id="leads-to" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert mine.get(sign_in_there(link, "nora").removeprefix(URL)).status_code == 303
    fresh = doors.browser()
    assert doors.back(fresh, "uni", "nora").status_code == 303 and doors.who(fresh)["person_id"] == person_id
    doors.sign_up("omar@uni.example", "Omar")
    fresh = doors.browser()
    assert doors.back(fresh, "sure", "omar").status_code == 303 and doors.who(fresh)["name"] == "Omar"
    doors.sign_up("unsure@uni.example", "Unsure")
    fresh = doors.browser()
    assert doors.back(fresh, "sure", "unsure").status_code == 303
    assert doors.who(fresh)["name"] != "Unsure", "an address that the provider did not verify is nobody's"


def test_who_may_not_come_in(doors: Doors) -> None:
    refused = doors.back(doors.browser(), "strict", "samir")
    assert refused.status_code == 403 and "may not make an account" in refused.text
    browser = doors.browser()
    doors.back(browser, "uni", "hind")
    doors.park.accounts.people.set_disabled(doors.live.owner, doors.who(browser)["person_id"], True)
    assert doors.back(doors.browser(), "uni", "hind").status_code == 403


def test_the_last_operator_stays_one_whatever_the_groups_say(doors: Doors) -> None:
    doors.op.groups("boss", "chiefs")
    browser = doors.browser()
    doors.back(browser, "uni", "boss")
    owner, _ = doors.park.accounts.ensure_owner()
    boss = doors.park.accounts.sessions.seen(browser.cookies["park_session"])[0]
    doors.park.accounts.places.take_role(boss, owner, Role.OPERATOR, "park")
    doors.op.groups("boss")
    doors.back(browser, "uni", "boss")
    assert ("operator", "park") in doors.roles(browser)
    doors.park.accounts.places.give_role(boss, owner, Role.OPERATOR, "park")


def test_a_provider_that_is_away_leaves_the_other_ways(doors: Doors) -> None:
    answer = doors.browser().get("/sign-in/with/gone")
    assert answer.status_code == 503 and 'name="password"' in answer.text
    assert doors.browser().get("/sign-in/with/none").status_code == 403
    for where in ("https://evil.example", "//evil.example"):
        done = doors.back(doors.browser(), "uni", "mina", where)
        assert done.headers["location"] == "/"


CLAIMS = {"iss": "https://id", "aud": "park", "exp": 1000.0, "iat": 900.0, "nonce": "n", "sub": "mina"}


@pytest.mark.parametrize(
    "change",
    [{"nbf": 1100.0}, {"nbf": "soon"},
     {"iss": "https://other"}, {"aud": "other"}, {"aud": ["park", "other"]}, {"azp": "other"}, {"exp": 880.0},
     {"iat": 1100.0}, {"exp": None}, {"exp": True}, {"nonce": "m"}, {"nonce": None}, {"sub": ""}, {"sub": "x" * 256}],
    ids=str,
)  # fmt: skip
def test_what_a_token_must_hold(change: dict[str, Any]) -> None:
    for claims in (
        CLAIMS,
        {**CLAIMS, "aud": ["park", "b"], "azp": "park"},
        {**CLAIMS, "exp": 891.0, "iat": 1009.0, "nbf": 1009.0},
    ):
        assert check_claims(claims, issuer="https://id", client_id="park", nonce="n", now_s=950.0) == "mina"
    with pytest.raises(Unauthorised):
        check_claims({**CLAIMS, **change}, issuer="https://id", client_id="park", nonce="n", now_s=950.0)


def test_an_address_and_whether_it_is_verified_come_from_one_source() -> None:
    def found(claims: dict[str, Any], more: dict[str, Any]) -> tuple[str, bool]:
        it = identity_of("mina", claims, {"sub": "mina", **more}, "")
        return it.email, it.is_email_verified

    mine, other = {"email": "mina@uni.example"}, {"email": "boss@uni.example"}
    yes, no = {"email_verified": True}, {"email_verified": False}
    assert (
        found({**mine, **yes}, {})
        == found({}, {**mine, **yes})
        == found(mine, {**mine, **yes})
        == (mine["email"], True)
    )
    for claims, more in (
        (mine, {**other, **yes}),
        ({**mine, **no}, {**mine, **yes}),
        (yes, mine),
        (mine, yes),
        (yes, {}),
    ):
        assert not found(claims, more)[1], (claims, more)
    assert found(mine, {"sub": "other", **mine, **yes}) == (mine["email"], False)
