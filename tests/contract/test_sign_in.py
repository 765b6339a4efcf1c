"""Coming in with a password, a link or a letter; what strangers may try at the door."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event, text
from tests.helpers.entrance import PASSWORD, URL, Entrance

from eureka_park.accounts.sign_in.ground import Browser
from eureka_park.accounts.sign_in.letters import LINK_S, SIGN_UP_S
from eureka_park.web.auth import COOKIE
from eureka_park.web.limits import LIMITS


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Entrance]:
    door = Entrance(tmp_path_factory.mktemp("door"))
    yield door
    door.stop()


def code_of(link: str) -> str:
    return link.rpartition("code=")[2]


def alert(html: str) -> str:
    found = re.search(r'role="alert"[^>]*>([^<]+)<', html)
    return found[1] if found else ""


# -- signing up, and letters -------------------------------------------------------------------------------------------
def test_from_an_address_to_an_account_and_back_in(door: Entrance, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "eureka_park")
    browser = door.browser(**{"Accept-Language": "fr"})
    sent = browser.post("/sign-up", data={"email": "Amal@Uni.Example", "name": "Amal ⵣ", "next": "/jobs"})
    assert sent.status_code == 200 and "Amal@Uni.Example" in sent.text and "Une lettre est en route" in sent.text
    letter = door.mail.next()
    assert letter["To"] == "Amal@Uni.Example" and "Votre compte" in letter["Subject"]
    assert letter["Auto-Submitted"] == "auto-generated" and "park@example.org" in letter["From"]
    link = re.search(r"http\S+", letter.get_content().partition("bouton :")[2])[0]  # type: ignore[index]
    assert link.startswith(f"{URL}/sign-in/letter?code=")
    for _ in range(2):  # a program that looks into letters spends nothing
        assert "Créez votre compte" in browser.get(link.removeprefix(URL)).text
    weak = browser.post("/sign-in/letter", data={"code": code_of(link), "password": "amal.uni2026"})
    assert weak.status_code == 422 and "vite deviné" in weak.text, "and the link is still good"
    done = browser.post("/sign-in/letter", data={"code": code_of(link), "name": "Amal ⵣ", "password": PASSWORD})
    assert (done.status_code, done.headers["location"]) == (303, "/jobs")
    assert door.who(browser)["name"] == "Amal ⵣ"
    assert browser.post("/sign-in/letter", data={"code": code_of(link)}).status_code == 401, "good once"
    person = door.park.accounts.people.page(text="amal@uni.example")[0]
    assert person.is_verified and person.language == "fr"
    other = door.browser()
    done = other.post("/sign-in", data={"email": " amal@UNI.example ", "password": PASSWORD, "next": "/site"})
    assert (done.status_code, done.headers["location"]) == (303, "/site")
    assert "HttpOnly" in done.headers["set-cookie"] and "SameSite=lax" in done.headers["set-cookie"]
    said = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("eureka_park"))
    assert PASSWORD not in said and code_of(link) not in said


def test_one_address_has_one_account_and_only_its_reader_learns_of_it(door: Entrance) -> None:
    door.sign_up("karim@uni.example")
    answers = []
    for email in ("karim@uni.example", "nobody@uni.example"):
        browser = door.browser()
        for path in ("/sign-up", "/recover", "/sign-in/link"):
            answer = browser.post(path, data={"email": email, "name": "Karim"})
            answers.append((email, path, answer.status_code, answer.text.replace(email, "X")))
    half = len(answers) // 2
    for known, unknown in zip(answers[:half], answers[half:], strict=True):
        assert known[1:] == unknown[1:], "the same answer"
    subjects = [door.mail.next()["Subject"] for _ in range(4)]
    assert "You have an account at Eureka Park already" in subjects and "Your account at Eureka Park" in subjects


@contextmanager
def statements() -> Iterator[list[str]]:
    """What this thread asks of databases."""
    said: list[str] = []
    me = threading.get_ident()

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if threading.get_ident() == me:
            said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_a_letter_that_is_asked_for_is_the_same_work_whoever_has_the_address(door: Entrance) -> None:
    gone = door.who(door.sign_up("shut@uni.example"))["person_id"]
    door.park.accounts.people.set_disabled(door.live.owner, gone, True)
    selma = door.park.accounts.people.person(door.who(door.sign_up("selma@uni.example"))["person_id"])
    letters = door.park.sign_in.letters
    for kind in ("link", "recover", "sign_up"):
        work = []
        for email in (selma.email, "stranger@uni.example", *(["shut@uni.example"] if kind != "sign_up" else [])):
            with statements() as said:
                if kind == "sign_up":
                    letters.sign_up(email, "Selma", "en", Browser(url=URL))
                else:
                    letters.send(kind, email, "en", Browser(url=URL))
            work.append(said)
        assert len(work[0]) > 3 and all(said == work[0] for said in work), (kind, work)
    asked = {letter["To"] for letter in (door.mail.next() for _ in range(4))}
    assert asked == {"selma@uni.example", "stranger@uni.example"} and door.mail.is_empty()
    began_s = time.monotonic()
    while door.park.telling.notices.outbox.is_any_waiting(["letter"]) and time.monotonic() - began_s < 20.0:
        time.sleep(0.02)
    with door.park.db.read() as conn:
        query = text("SELECT state, sealed FROM notice_deliveries WHERE answer = 'to nobody'")
        ended = [tuple(row) for row in conn.execute(query)]
    assert len(ended) >= 4 and set(ended) == {("sent", "")}
    assert door.mail.is_empty(), "a letter to nobody is ended, not sent"


@pytest.mark.parametrize("email", ["", "a", "a@b", "mіna@uni.example", "a@b.org\nBcc: c@d.org", "é" * 300])
def test_what_is_no_address_is_told_in_its_place(door: Entrance, email: str) -> None:
    answer = door.browser().post("/sign-up", data={"email": email, "name": "Mina"})
    assert answer.status_code == 422 and 'id="email-wrong"' in answer.text


def test_letters_grow_old_and_void_each_other(door: Entrance) -> None:
    browser = door.sign_up("leila@uni.example")
    person_id = door.who(browser)["person_id"]
    assert door.browser().post("/sign-in/link", data={"email": "leila@uni.example"}).status_code == 200
    link = code_of(door.mail.link())
    assert door.browser().post("/recover", data={"email": "leila@uni.example"}).status_code == 200
    recover = code_of(door.mail.link())
    fresh = door.browser()
    assert fresh.post("/sign-in/letter", data={"code": recover, "password": "other words river 9"}).status_code == 303
    assert door.who(browser) == {}, "all sessions of before have ended"
    assert door.who(fresh)["person_id"] == person_id
    assert "was changed" in door.mail.next()["Subject"]
    assert door.browser().post("/sign-in/letter", data={"code": link}).status_code == 401, "void since"
    door.browser().post("/sign-in/link", data={"email": "leila@uni.example"})
    late = code_of(door.mail.link())
    door.live.clock.step(LINK_S)
    assert door.browser().post("/sign-in/letter", data={"code": late}).status_code == 401
    door.browser().post("/sign-up", data={"email": "late@uni.example", "name": "Late"})
    late = code_of(door.mail.link())
    door.live.clock.step(SIGN_UP_S)
    assert door.browser().get("/sign-in/letter", params={"code": late}).status_code == 401


def test_a_busy_mail_server_is_tried_again(door: Entrance) -> None:
    door.mail.refuse_n = 2
    door.browser().post("/sign-up", data={"email": "patient@uni.example", "name": "P"})
    began_s = time.monotonic()
    while door.mail.is_empty() and time.monotonic() - began_s < 20.0:
        door.live.clock.step(5.0)  # it is tried again after 5 s, then after 20
        time.sleep(0.02)
    assert door.mail.next()["To"] == "patient@uni.example"


# -- passwords ---------------------------------------------------------------------------------------------------------
def test_unknown_people_and_wrong_passwords_are_the_same_answer_and_the_same_work(door: Entrance) -> None:
    door.sign_up("samir@uni.example")
    hasher, work = door.park.sign_in.passwords._hasher, []
    is_right = hasher.is_right
    hasher.is_right = lambda password, phc: work.append(phc[:26]) or is_right(password, phc)  # type: ignore[method-assign,func-returns-value]
    answers = [
        door.browser().post("/sign-in", data={"email": email, "password": "wrong words here 3"})
        for email in ("samir@uni.example", "unknown@uni.example", "no address")
    ]
    del hasher.is_right  # type: ignore[attr-defined]
    texts = {re.sub(r'value="[^"]*"', "", answer.text) for answer in answers}
    assert {answer.status_code for answer in answers} == {401} and len(texts) == 1
    assert len(work) == 3 and len(set(work)) == 1, "one hash each, with the same parameters"


def test_guessing_has_to_wait_and_the_right_password_then_too(door: Entrance) -> None:
    browser = door.sign_up("guess@uni.example")
    for _ in range(5):
        assert door.browser().post("/sign-in", data={"email": "guess@uni.example", "password": "x"}).status_code == 401
    assert door.browser().post("/sign-in", data={"email": "no@uni.example", "password": "x"}).status_code == 401
    right = {"email": "guess@uni.example", "password": PASSWORD}
    assert door.browser().post("/sign-in", data=right).status_code == 401
    assert door.who(browser), "who is in stays in"
    door.live.clock.step(31.0)
    assert door.browser().post("/sign-in", data=right).status_code == 303
    with door.park.db.read() as conn:
        kept = conn.execute(text("SELECT phc, n_wrong FROM passwords")).all()
        log = conn.execute(text("SELECT detail FROM audit_entries WHERE act = 'sign_in.refused'")).scalars().all()
    assert all(row.phc.startswith("$argon2id$") for row in kept) and log
    assert not any("@" in detail or "guess" in detail for detail in log)
    assert len({json.loads(detail)["typed"] for detail in log if "password" in detail}) > 1


def test_a_password_is_changed_by_who_knows_it_and_has_just_come_in(door: Entrance) -> None:
    browser, other = door.sign_up("nora@uni.example"), door.browser()
    other.post("/sign-in", data={"email": "nora@uni.example", "password": PASSWORD})
    form = {"old": PASSWORD, "password": "a wholly other one 5"}
    wrong = browser.post("/account/security/password", data={**form, "old": "no"})
    assert wrong.status_code == 422 and 'id="old-wrong"' in wrong.text
    assert browser.post("/account/security/password", data=form).status_code == 200
    assert door.mail.next()["Subject"] == "Your password at Eureka Park was changed"
    assert door.who(browser) and not door.who(other), "the others end, this one stays"
    door.live.clock.step(1801.0)
    late = browser.post("/account/security/password", data={"old": form["password"], "password": PASSWORD})
    assert late.status_code == 403 and "Sign in once more" in late.text
    token = door.park.accounts.new_token(door.who(browser)["person_id"], "t")
    by_token = door.browser(Authorization=f"Bearer {token}").post("/account/security/password", data=form)
    assert by_token.status_code == 403, "a token never changes what lets one in"
    assert door.browser().get("/account/security").headers["location"] == "/sign-in?next=/account/security"


# -- sessions ----------------------------------------------------------------------------------------------------------
def test_each_sign_in_has_a_fresh_secret_and_ends_what_the_browser_brought(door: Entrance) -> None:
    door.sign_up("omar@uni.example")
    thief, victim = door.browser(), door.browser()
    thief.post("/sign-in", data={"email": "omar@uni.example", "password": PASSWORD})
    planted = thief.cookies[COOKIE]
    victim.cookies.set(COOKIE, planted, domain="localhost.local")
    done = victim.post("/sign-in", data={"email": "omar@uni.example", "password": PASSWORD})
    assert planted not in done.headers["set-cookie"] and not door.who(thief)
    made_up = door.browser()
    made_up.cookies.set(COOKIE, "chosen-by-somebody-else", domain="localhost.local")
    done = made_up.post("/sign-in", data={"email": "omar@uni.example", "password": PASSWORD})
    assert "chosen-by-somebody-else" not in done.headers["set-cookie"]


@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-in/link", "/sign-in/letter", "/sign-in/code", "/sign-up", "/recover"]
)
def test_no_other_site_signs_anybody_in(door: Entrance, path: str) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "", "Origin": "https://evil.example"}):
        assert door.browser(**headers).post(path, data={"email": "a@b.org"}).status_code == 403


@pytest.mark.parametrize("where", ["https://evil.example", "//evil.example", "/\\evil.example", "/\tx"])
def test_nobody_is_sent_on_to_another_site(door: Entrance, where: str) -> None:
    person_id, _ = door.park.accounts.ensure_owner()
    code = door.park.accounts.new_sign_in_link(person_id)
    done = door.browser().get("/sign-in", params={"code": code, "next": where})
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert "evil" not in door.browser().get("/sign-in", params={"next": where}).text


def test_a_person_who_is_shut_out_stays_out(door: Entrance) -> None:
    browser = door.sign_up("gone@uni.example")
    person_id = door.who(browser)["person_id"]
    door.park.accounts.people.set_disabled(door.live.owner, person_id, True)
    form = {"email": "gone@uni.example", "password": PASSWORD}
    assert door.who(browser) == {} and door.browser().post("/sign-in", data=form).status_code == 401
    door.browser().post("/sign-in/link", data=form)
    assert door.mail.is_empty()


# -- settings ----------------------------------------------------------------------------------------------------------
def test_the_operator_chooses_what_is_offered_while_the_park_runs(door: Entrance) -> None:
    page = door.browser().get("/sign-in").text
    assert all(word in page for word in ('name="password"', "/sign-up?next=", "/recover"))
    file = door.live.folder / "accounts.toml"
    whole = file.read_text()
    try:
        file.write_text('[sign_in]\npasswords = false\nsign_up = "closed"\n')
        page = door.browser().get("/sign-in").text
        assert not any(word in page for word in ('name="password"', "/sign-up?next=", "/recover"))
        for path, status in (("/sign-in", 403), ("/sign-up", 403), ("/recover", 503), ("/sign-in/link", 503)):
            form = {"email": "a@b.org", "name": "A", "password": PASSWORD}
            assert door.browser().post(path, data=form).status_code == status, path
        file.write_text("[sign_in")
        assert 'name="password"' not in door.browser().get("/sign-in").text, "a damaged file changes nothing"
    finally:
        file.write_text(whole + "\n")


def test_who_tries_too_often_is_told_when_to_come_again(door: Entrance) -> None:
    door.app.state.limits._limits.update(LIMITS)
    door.app.state.limits._buckets.clear()
    try:
        answers = [door.browser().post("/recover", data={"email": "many@uni.example"}) for _ in range(6)]
    finally:
        door.no_limits()
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) > 60 and alert(answers[-1].text)


def test_the_page_is_quick(door: Entrance) -> None:
    import time

    browser = door.browser(**{"Accept-Language": "ar"})
    took = []
    for _ in range(12):
        start_s = time.process_time()
        assert browser.get("/sign-in").status_code == 200
        took.append(time.process_time() - start_s)
    assert sorted(took)[6] < 0.05, took
