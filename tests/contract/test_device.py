"""A terminal waits at the door, a person says yes in a browser, a token is made at that moment."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tests.helpers.entrance import Entrance

from eureka_park.accounts.sign_in.devices import DEVICE_S, INTERVAL_S


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Entrance]:
    door = Entrance(tmp_path_factory.mktemp("device"))
    yield door
    door.stop()


def test_a_terminal_is_let_in_by_a_person_and_by_nobody_else(door: Entrance) -> None:
    mina, terminal = door.sign_up("mina@uni.example"), door.browser()
    begun = terminal.post("/api/v1/login/device", json={"name": "laptop <b>", "scopes": ["read"]}).json()
    code, ask = begun["user_code"], {"device_code": begun["device_code"]}
    assert re.fullmatch(r"[B-Z]{4}-[B-Z]{4}", code) and begun["verification_uri"].endswith("/device")
    pending = terminal.post("/api/v1/login/device/token", json=ask)
    assert (pending.status_code, pending.json()["error"]["code"]) == (409, "device_pending")
    soon = terminal.post("/api/v1/login/device/token", json=ask)
    assert soon.status_code == 429 and soon.headers["retry-after"] == "5"
    asked = door.browser().get("/device", params={"code": code})
    assert asked.headers["location"] == f"/sign-in?next=/device%3Fcode%3D{code}"
    page = mina.get("/device", params={"code": code.lower().replace("-", " ")})
    assert "laptop &lt;b&gt;" in page.text and "read" in page.text
    other_site = mina.post("/device", data={"code": code, "answer": "yes"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert other_site.status_code == 403
    assert "is let in" in mina.post("/device", data={"code": code, "answer": "yes"}).text
    assert mina.post("/device", data={"code": code, "answer": "no"}).status_code == 404, "answered once"
    door.live.clock.step(INTERVAL_S)
    got = terminal.post("/api/v1/login/device/token", json=ask)
    assert got.status_code == 201 and got.headers["cache-control"] == "no-store"
    bearer = {"Authorization": f"Bearer {got.json()['token']}"}
    assert terminal.get("/api/v1/login", headers=bearer).json()["name"] == "Mina"
    assert terminal.post("/api/v1/login/codes", headers=bearer).status_code == 403, "to read alone"
    assert terminal.post("/api/v1/login/device/token", json=ask).status_code == 401, "once"
    by_token = terminal.post("/device", data={"code": code, "answer": "yes"}, headers=bearer)
    assert by_token.status_code == 403, "a token to read lets nobody in"


def test_a_terminal_that_is_refused_or_too_late_gets_nothing(door: Entrance) -> None:
    karim, terminal = door.sign_up("karim@uni.example"), door.browser()
    begun = terminal.post("/api/v1/login/device", json={}).json()
    assert "gets nothing" in karim.post("/device", data={"code": begun["user_code"], "answer": "no"}).text
    refused = terminal.post("/api/v1/login/device/token", json={"device_code": begun["device_code"]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "device_refused")
    late = terminal.post("/api/v1/login/device", json={}).json()
    door.live.clock.step(DEVICE_S)
    assert karim.get("/device", params={"code": late["user_code"]}).status_code == 404
    over = terminal.post("/api/v1/login/device/token", json={"device_code": late["device_code"]})
    assert (over.status_code, over.json()["error"]["code"]) == (401, "device_over")
    for wrong in ({"device_code": "x" * 500}, {"device_code": "made up"}, {}):
        assert terminal.post("/api/v1/login/device/token", json=wrong).status_code in (401, 422)
    assert terminal.post("/api/v1/login/device", json={"scopes": ["all"]}).json()["error"]["code"] == "bad_scope"
