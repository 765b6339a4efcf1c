"""A code after the password: set up, used once, lost, taken away; guessing it does not pay."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from tests.helpers.entrance import PASSWORD, Entrance

from eureka_park.accounts.core.totp import code_of, step_at

SECOND = "/account/security/second"


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Entrance]:
    door = Entrance(tmp_path_factory.mktemp("second"))
    yield door
    door.stop()


def code_now(door: Entrance, secret: bytes) -> str:
    return code_of(secret, step_at(door.live.clock.real_s()))


def set_up(door: Entrance, email: str) -> tuple[TestClient, bytes, list[str]]:
    browser = door.sign_up(email)
    page = browser.post(SECOND, data={"do": "begin"}).text
    letters = re.search(r'<p class="id">([A-Z2-7 ]+)</p>', page)
    assert letters is not None and "<svg" in page
    secret = base64.b32decode(letters[1].replace(" ", ""))
    wrong = browser.post(SECOND, data={"do": "confirm", "code": "000000"})
    assert wrong.status_code == 422 and 'id="code-wrong"' in wrong.text
    page = browser.post(SECOND, data={"do": "confirm", "code": code_now(door, secret)}).text
    return browser, secret, re.findall(r"<li>([a-z2-7]{4}-[a-z2-7-]+)</li>", page)


def first_step(door: Entrance, email: str) -> TestClient:
    browser = door.browser()
    done = browser.post("/sign-in", data={"email": email, "password": PASSWORD, "next": "/jobs"})
    assert (done.status_code, done.headers["location"]) == (303, "/sign-in/code")
    assert door.who(browser) == {}, "half of the way is not in"
    return browser


def test_a_code_is_asked_for_and_good_once(door: Entrance) -> None:
    browser, secret, codes = set_up(door, "mina@uni.example")
    assert len(codes) == len(set(codes)) == 10
    with door.park.db.read() as conn:
        kept = conn.execute(text("SELECT secret FROM totp")).scalar()
    assert secret not in bytes(kept or b""), "sealed"
    mina = first_step(door, "mina@uni.example")
    used = code_now(door, secret)
    assert mina.post("/sign-in/code", data={"code": used}).status_code == 401, "the one that confirmed it is spent"
    door.live.clock.step(30.0)
    done = mina.post("/sign-in/code", data={"code": code_now(door, secret)})
    assert (done.status_code, done.headers["location"]) == (303, "/jobs") and door.who(mina)
    thief = first_step(door, "mina@uni.example")
    assert thief.post("/sign-in/code", data={"code": code_now(door, secret)}).status_code == 401, "seen over a shoulder"
    paper = first_step(door, "mina@uni.example")
    assert paper.post("/sign-in/code", data={"code": codes[3].upper()}).status_code == 303
    again = first_step(door, "mina@uni.example")
    assert again.post("/sign-in/code", data={"code": codes[3]}).status_code == 401, "paper is good once"
    door.live.clock.step(30.0)
    taken = browser.post(SECOND, data={"do": "drop", "code": code_now(door, secret)})
    assert taken.status_code == 200
    assert door.browser().post("/sign-in", data={"email": "mina@uni.example", "password": PASSWORD}).status_code == 303


def test_who_knows_the_password_cannot_try_all_codes(door: Entrance) -> None:
    set_up(door, "karim@uni.example")
    guesser = first_step(door, "karim@uni.example")
    answers = [guesser.post("/sign-in/code", data={"code": f"{n:06}"}).status_code for n in range(6)]
    assert answers == [401] * 6
    again = door.browser().post("/sign-in", data={"email": "karim@uni.example", "password": PASSWORD})
    assert again.status_code == 401, "the password rests too"
    late = door.browser()
    assert late.get("/sign-in/code").headers["location"] == "/sign-in"


def test_who_sits_at_an_open_browser_cannot_try_all_codes(door: Entrance) -> None:
    browser, secret, _ = set_up(door, "nora@uni.example")
    door.live.clock.step(30.0)
    tries = [browser.post(SECOND, data={"do": deed, "code": "000000"}) for deed in ("drop", "renew") * 3]
    assert [answer.status_code for answer in tries] == [422] * 4 + [429] * 2, "they are counted, whatever they were for"
    waiting = browser.post(SECOND, data={"do": "drop", "code": code_now(door, secret)})
    assert waiting.status_code == 429, "the right one has to wait too"
    door.live.clock.step(60.0)
    assert browser.post(SECOND, data={"do": "drop", "code": code_now(door, secret)}).status_code == 200
