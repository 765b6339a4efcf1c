"""Logging in from a terminal over the API: a code once, a token for it, nothing of either in a log."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark

from eureka_park.accounts.service import LOGIN_CODE_S
from eureka_park.web.app import make_app
from eureka_park.web.auth import COOKIE


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePark]:
    live = LivePark(tmp_path_factory.mktemp("login"))
    yield live
    live.park.close()


@pytest.fixture
def visitor(live: LivePark) -> TestClient:
    return TestClient(make_app(live.park), base_url="http://localhost:8386")


@pytest.fixture
def owner(live: LivePark) -> dict[str, str]:
    person_id, _ = live.park.accounts.ensure_owner()
    return bearer(live.park.accounts.new_token(person_id, "test"))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def error_of(answer, status: int) -> dict[str, str]:  # type: ignore[no-untyped-def]
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    return answer.json()["error"]


def test_a_code_becomes_a_token_once(
    visitor: TestClient, owner: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "eureka_park")
    made = visitor.post("/api/v1/login/codes", headers=owner)
    assert made.status_code == 201 and made.headers["cache-control"] == "no-store"
    code = made.json()["code"]
    assert made.json()["expires_at"].endswith("Z")
    got = visitor.post("/api/v1/login", json={"code": code, "name": "laptop"})
    assert got.status_code == 201 and got.headers["cache-control"] == "no-store"
    login = got.json()
    assert set(login) == {"token", "person", "expires"} and login["expires"]
    assert visitor.get("/api/v1/login", headers=bearer(login["token"])).json() == login["person"]
    assert login["person"]["is_operator"]
    again = error_of(visitor.post("/api/v1/login", json={"code": code}), 401)
    assert (again["code"], "/connect" in again["fix"]) == ("bad_login_code", True)
    assert login["token"] not in caplog.text and code not in caplog.text


def test_wrong_and_old_codes(live: LivePark, visitor: TestClient, owner: dict[str, str]) -> None:
    for code in ("", "aaaa-aaaa-aaaa", "' OR 1=1", "\ud800"):
        body = {"code": code} if code.isprintable() else {"code": "é"}
        assert error_of(visitor.post("/api/v1/login", json=body), 401)["code"] == "bad_login_code"
    assert (
        error_of(visitor.post("/api/v1/login", json={"code": "a", "nmae": "x"}), 422)["fix"] == "Did you mean 'name'?"
    )
    error_of(visitor.post("/api/v1/login", json={"code": "a" * 201}), 422)
    late = visitor.post("/api/v1/login/codes", headers=owner).json()["code"]
    live.clock.step(LOGIN_CODE_S)
    assert error_of(visitor.post("/api/v1/login", json={"code": late}), 401)["code"] == "bad_login_code"


def test_codes_are_for_those_who_are_signed_in(live: LivePark, visitor: TestClient) -> None:
    assert error_of(visitor.post("/api/v1/login/codes"), 401)["code"] == "no_token"
    assert error_of(visitor.get("/api/v1/login"), 401)["code"] == "no_token"
    person_id, _ = live.park.accounts.ensure_owner()
    session = live.park.accounts.redeem_sign_in(live.park.accounts.new_sign_in_link(person_id))
    cookie = {"Cookie": f"{COOKIE}={session}"}
    assert error_of(visitor.post("/api/v1/login/codes", headers=cookie), 403)["code"] == "cross_site"
    own = {**cookie, "Sec-Fetch-Site": "same-origin"}
    code = visitor.post("/api/v1/login/codes", headers=own).json()["code"]
    assert visitor.post("/api/v1/login", json={"code": code}).status_code == 201
    assert error_of(visitor.delete("/api/v1/login", headers=own), 422)["code"] == "no_token"


def test_logging_out_ends_that_token_alone(visitor: TestClient, owner: dict[str, str]) -> None:
    code = visitor.post("/api/v1/login/codes", headers=owner).json()["code"]
    mine = bearer(visitor.post("/api/v1/login", json={"code": code}).json()["token"])
    assert visitor.delete("/api/v1/login", headers=mine).status_code == 204
    assert error_of(visitor.get("/api/v1/login", headers=mine), 401)["code"] == "bad_token"
    assert visitor.get("/api/v1/login", headers=owner).status_code == 200
