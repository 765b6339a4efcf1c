"""Notices: queued with the fact, sent by e-mail and by signed webhooks to real servers, tried again, and forgotten."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.helpers.entrance import Entrance
from tests.helpers.hook_catcher import Call as Caught
from tests.helpers.hook_catcher import HookCatcher

from eureka_park.accounts.core.notices import EMAIL, KINDS
from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.core.roles import Role
from eureka_park.accounts.notices import store
from eureka_park.accounts.notices.outbox import Call, Mail
from eureka_park.accounts.notices.service import JobOver
from eureka_park.accounts.notices.texts import texts
from eureka_park.adapters import webhook
from eureka_park.adapters.sender import LETTERS
from eureka_park.foundation.errors import BadInput, Conflict, NotFound
from eureka_park.ledger import events as ledger
from eureka_park.web.app import make_app

OPEN = '[notices]\nwebhook_hosts = ["localhost"]\n'


class Scene:
    """A park with a mail server and a receiver of webhooks; `mina` has an address and leads a project."""

    def __init__(self, folder: Path) -> None:
        self.door = Entrance(folder, OPEN)
        self.live, self.park, self.mail, self.hook = self.door.live, self.door.park, self.door.mail, HookCatcher()
        self.notices = self.park.telling.notices
        self.sender = self.park.telling.sender()
        self.park.accounts.places.new_project(self.live.owner, "solar", "Solar")
        self.mina: Principal | None = None

    def begin(self) -> None:
        """Nothing waits, nobody chose anything, and Mina, who leads a project, has just come."""
        accounts, telling = self.park.accounts, self.park.telling
        if self.mina is not None and accounts.people.person(self.mina.person_id).name:
            accounts.people.erase(self.live.owner, self.mina.person_id)
        with self.park.db.write() as conn:
            for table in (store.deliveries, store.endpoints, store.choices, store.notices):
                conn.execute(table.delete())
        self.hook.mode = "ok"
        self.door.set(OPEN)
        for waiting in (self.mail._letters, self.hook.calls):
            while not waiting.empty():
                waiting.get()
        telling.letters = telling._sender(LETTERS)
        self.mina = self.add("Mina", "mina@example.org", "fr")
        accounts.places.give_role(self.live.owner, self.mina.person_id, Role.LEAD, "project:solar")
        self.sender.send_due()
        self.mail.next()  # of the role
        self.live.clock.step(1.0)

    def add(self, name: str, email: str, language: str = "en") -> Principal:
        person_id = self.park.accounts.people.add(name, email=email, language=language, is_verified=True)
        return Principal(person_id, name, False, frozenset(), kind="person", is_verified=True)

    def tell(self, event: object) -> None:
        with self.park.db.write() as conn:
            self.park.accounts.ground.bus.tell(conn, event)

    def hooked(self, *kinds: str) -> tuple[str, store.Webhook]:
        return self.notices.add_webhook(self.mina, self.hook.url, "Lab", kinds)

    def last(self, who: Principal | None = None) -> store.Delivery:
        return self.notices.deliveries(who or self.mina)[0][0]

    def stop(self) -> None:
        self.hook.stop()
        self.door.stop()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    made = Scene(tmp_path_factory.mktemp("park"))
    yield made
    made.stop()


@pytest.fixture
def scene(stage: Scene) -> Scene:
    stage.begin()
    return stage


def is_signed(call: Caught, shown: str) -> bool:
    """By the words of the Standard Webhooks specification, written again here."""
    key = base64.b64decode(shown.removeprefix("whsec_"))
    said = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
    wanted = "v1," + base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
    return wanted in call.headers["webhook-signature"].split(" ")


def budget(**more: Any) -> ledger.BudgetReached:
    return ledger.BudgetReached("solar", "month", 80, 80_000_000, 100_000_000, False, **more)


def test_a_fact_becomes_a_letter_and_a_signed_call(scene: Scene) -> None:
    shown, hook = scene.hooked("budget.reached")
    scene.tell(budget())
    assert scene.sender.send_due() == 2
    letter, call = scene.mail.next(), scene.hook.next()
    assert letter["To"] == "mina@example.org" and letter["Subject"] == "Un budget a atteint un seuil"
    assert "80,00 crédits sur 100,00" in letter.get_content() and "80 %" in letter.get_content()
    said = json.loads(call.body)
    assert (
        said["type"] == "budget.reached" and said["data"]["project"] == "solar" and said["data"]["threshold_pct"] == 80
    )
    assert "mina" not in call.body.decode().lower(), "ids and numbers alone"
    assert is_signed(call, shown) and not is_signed(call, "whsec_" + base64.b64encode(b"x" * 32).decode())
    assert {item.state for item, _ in scene.notices.deliveries(scene.mina)} == {"sent"}
    renewed = scene.notices.renew_secret(scene.mina, hook.webhook_id)
    scene.notices.send_test(scene.mina, hook.webhook_id)
    scene.sender.send_due()
    both = scene.hook.next()
    assert is_signed(both, shown) and is_signed(both, renewed), "for a day either is enough"
    scene.live.clock.step(90_000)
    scene.notices.send_test(scene.mina, hook.webhook_id)
    scene.sender.send_due()
    one = scene.hook.next()
    assert is_signed(one, renewed) and not is_signed(one, shown)


def test_what_fails_is_tried_again_with_the_same_id_and_turned_off_in_the_end(scene: Scene) -> None:
    _, hook = scene.hooked("budget.reached", "grant.reclaimed")
    scene.notices.choose(scene.mina, {(EMAIL, "budget.reached"): False})
    scene.hook.mode = "500"
    scene.tell(budget())
    assert scene.sender.send_due() == 1 and scene.last().answer == "500"
    first = scene.hook.next().headers["webhook-id"]
    assert scene.sender.send_due() == 0, "not at once"
    scene.live.clock.step(6.0)
    scene.hook.mode = "ok"
    assert scene.sender.send_due() == 1 and scene.hook.next().headers["webhook-id"] == first
    assert scene.last().state == "sent" and scene.last().n_tries == 1
    scene.hook.mode, kept = "500", scene.notices.webhooks(scene.mina)[0]
    assert kept.n_failures == 0
    for _ in range(30):
        scene.tell(budget())
        scene.sender.send_due()
        scene.live.clock.step(6000.0)
        kept = scene.notices.webhooks(scene.mina)[0]
        if not kept.is_on:
            break
    assert not kept.is_on and kept.n_failures >= 20
    scene.sender.send_due()
    letter = scene.mail.next()
    assert letter["Subject"] == "Un webhook a été désactivé" and "Lab" in letter.get_content()
    with pytest.raises(Conflict, match="off"):
        scene.notices.send_test(scene.mina, hook.webhook_id)
    scene.hook.mode, n_before = "ok", scene.hook.n_waiting()
    scene.notices.set_on(scene.mina, hook.webhook_id, True)
    scene.sender.send_due()
    assert scene.hook.n_waiting() > n_before, "what waited goes out"


def test_gone_is_gone_and_elsewhere_is_not_followed(scene: Scene) -> None:
    other = HookCatcher()
    scene.hooked("budget.reached")
    scene.hook.mode, scene.hook.elsewhere = "redirect", other.url
    scene.tell(budget())
    scene.sender.send_due()
    failed = next(item for item, _ in scene.notices.deliveries(scene.mina) if item.lane != EMAIL)
    assert failed.answer.startswith("302") and other.n_waiting() == 0
    other.stop()
    scene.hook.mode = "410"
    scene.live.clock.step(400.0)
    scene.sender.send_due()
    assert not scene.notices.webhooks(scene.mina)[0].is_on


def test_a_slow_receiver_is_cut_off_and_holds_up_nobody(scene: Scene) -> None:
    import time

    shown, _ = scene.hooked("budget.reached")
    scene.hook.mode, began_s = "slow", time.monotonic()
    scene.tell(budget())
    call = next(task for task in scene.notices.outbox.claim(4) if not hasattr(task, "letter"))
    with pytest.raises(webhook.Refused, match="too long"):
        webhook.call(call, 0.0, ["localhost"], try_s=0.3)
    assert time.monotonic() - began_s < 2.0, "though it sent something all the time"
    assert shown not in repr(call)


def test_addresses_inside_are_refused_whatever_name_they_have(scene: Scene) -> None:
    add = scene.notices.add_webhook
    for url in (
        "http://example.org/x",
        "ftp://localhost/",
        "https://a:b@example.org/",
        "https://",
        "https://ex ample/",
    ):
        with pytest.raises(BadInput):
            add(scene.mina, url)
    inside = (
        "127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "100.64.0.1", "0.0.0.0", "::1", "fe80::1", "fd00::1",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "240.0.0.1", "::", "no address",
        "fec0::1", "feff::1", "168.63.129.16", "::ffff:168.63.129.16",
    )  # fmt: skip
    target = webhook.target_of("https://hooks.example.org/x", [])
    for address in inside:
        with pytest.raises(webhook.Refused, match="inside"):
            webhook.address_of(target, [], lambda *_, found=address, **__: [(0, 0, 0, "", (found, 443))])
    mixed = [(0, 0, 0, "", ("93.184.215.14", 443)), (0, 0, 0, "", ("10.0.0.1", 443))]
    with pytest.raises(webhook.Refused, match="inside"):
        webhook.address_of(target, [], lambda *_, **__: mixed)
    assert webhook.address_of(target, [], lambda *_, **__: mixed[:1]) == "93.184.215.14"
    lab, at_lab = ["lab:8443", "[::1]:8443"], [(0, 0, 0, "", ("10.0.0.1", 8443))]
    for url in ("https://lab:8443/", "http://lab:8443/", "http://[::1]:8443/"):
        assert webhook.address_of(webhook.target_of(url, lab), lab, lambda *_, **__: at_lab) == "10.0.0.1"
    with pytest.raises(webhook.Refused, match="inside"):
        webhook.address_of(webhook.target_of("https://lab:5432/", lab), lab, lambda *_, **__: at_lab)
    with pytest.raises(BadInput):
        webhook.target_of("http://lab/", lab)
    scene.door.set("")  # the operator allows localhost no more
    with pytest.raises(BadInput):
        add(scene.mina, scene.hook.url)


def test_many_jobs_make_one_letter_and_only_for_those_who_want_it(scene: Scene) -> None:
    ended = [JobOver(f"job-{n}", "solar", scene.mina.person_id, "finished") for n in range(30)]
    with scene.park.db.write() as conn:
        assert scene.notices.jobs_over(conn, ended) == 0
    scene.notices.choose(scene.mina, {(EMAIL, "job.ended"): True, (EMAIL, "job.failed"): True})
    with scene.park.db.write() as conn:
        failed = JobOver("job-x", "solar", scene.mina.person_id, "failed")
        cancelled = JobOver("job-y", "solar", scene.mina.person_id, "cancelled")
        assert scene.notices.jobs_over(conn, [*ended, failed, cancelled]) == 31
    assert scene.sender.send_due() == 0, "they are gathered for a minute"
    scene.live.clock.step(61.0)
    assert scene.sender.send_due() == 1
    letter = scene.mail.next()
    assert letter["Subject"].startswith("31 avis") and letter.get_content().count("job-") == 31
    for bad in ({("email", "nothing")}, {("webhook-x", "job.ended")}, {("email", "plan.missing")}):
        with pytest.raises(BadInput):
            scene.notices.choose(scene.mina, dict.fromkeys(bad, True))


def test_erasing_somebody_leaves_nothing_to_send(scene: Scene) -> None:
    scene.hooked("budget.reached")
    scene.park.telling.letters.stop()
    scene.park.sign_in.letters.send("link", "mina@example.org", "fr", _browser())
    scene.sender.send_due()
    scene.mail.next()
    scene.tell(budget())
    with scene.park.db.read() as conn:
        sealed = conn.execute(store.deliveries.select().where(store.deliveries.c.lane == "letter")).one()
    assert sealed.sealed == "" and sealed.person_id == scene.mina.person_id, (
        "nothing of a letter is left once it is sent"
    )
    scene.park.accounts.people.erase(scene.live.owner, scene.mina.person_id)
    assert scene.sender.send_due() == 0 and scene.hook.n_waiting() == 0 and scene.mail.is_empty()
    with scene.park.db.read() as conn:
        for table in (store.deliveries, store.endpoints, store.choices, store.places):
            assert conn.execute(table.select().where(table.c.person_id == scene.mina.person_id)).first() is None


def test_a_letter_outlives_the_process_and_reads_as_nothing(scene: Scene) -> None:
    letters = scene.park.telling.letters
    letters.stop()
    scene.mail.refuse_n = 1
    scene.park.sign_in.letters.send("link", "mina@example.org", "fr", _browser())
    with scene.park.db.read() as conn:
        row = conn.execute(store.deliveries.select().where(store.deliveries.c.lane == "letter")).one()
    assert row.state == "waiting" and b"mina" not in base64.b64decode(row.sealed)
    assert scene.sender.send_due() == 1 and scene.mail.is_empty(), "the mail server was busy"
    scene.live.clock.step(6.0)
    assert scene.sender.send_due() == 1
    assert "code=" in scene.mail.next().get_content()


def test_two_senders_send_once_and_a_dead_one_is_made_up_for(scene: Scene) -> None:
    scene.hooked("budget.reached")
    scene.tell(budget())
    outbox = scene.notices.outbox
    taken = outbox.claim(4)
    assert len(taken) == 2 and outbox.claim(4) == [], "somebody has them in hand"
    scene.live.clock.step(91.0)
    assert len(outbox.claim(4)) == 2, "whoever had them has died"


def test_slow_webhooks_hold_up_no_letter_and_nobody_elses_webhooks(scene: Scene) -> None:
    people = [scene.mina, *(scene.add(name, f"{name}@example.org") for name in ("ali", "bo", "chi"))]
    hooks = [scene.notices.add_webhook(who, scene.hook.url, f"n{n}")[1] for who in people for n in range(2)]
    for hook in hooks:
        scene.notices.send_test(next(who for who in people if who.person_id == hook.person_id), hook.webhook_id)
    scene.notices.send_test(scene.mina, EMAIL)
    first = scene.notices.outbox.claim(10)
    assert isinstance(first[0], Mail) and [type(task) for task in first[1:]] == [Call, Call]
    with scene.park.db.read() as conn:
        claimed = [store.delivery(conn, task.ids[0]).person_id for task in first[1:]]
    assert len(set(claimed)) == 2, "one of each person"
    assert scene.notices.outbox.claim(10, n_hooks_max=0) == []
    rest = scene.notices.outbox.claim(10, n_hooks_max=10)
    with scene.park.db.read() as conn:
        others = {store.delivery(conn, task.ids[0]).person_id for task in rest}
    assert len(rest) == 2 and others == {who.person_id for who in people} - set(claimed)


def test_messages_to_oneself_have_a_rate(scene: Scene) -> None:
    client = TestClient(make_app(scene.park), base_url="http://localhost:8386")
    header = {"Authorization": f"Bearer {scene.park.accounts.new_token(scene.mina.person_id, 'ci')}"}
    asked = [client.post("/api/v1/account/notices/test", json={"way": EMAIL}, headers=header) for _ in range(11)]
    assert [answer.status_code for answer in asked] == [202] * 10 + [429] and int(asked[-1].headers["Retry-After"]) > 60
    again = client.post(f"/api/v1/account/deliveries/{asked[0].json()['delivery_id']}/again", headers=header)
    assert again.status_code == 429
    scene.sender.send_due()


def test_a_sign_in_from_elsewhere_and_a_new_token_are_told(scene: Scene) -> None:
    def came(address: str, client: str) -> None:
        with scene.park.db.write() as conn:
            scene.park.accounts.sessions.open(
                conn, scene.mina.person_id, method="password", client=client, address=address
            )

    came("203.0.113.7", "Firefox/130.0")
    came("203.0.113.99", "Firefox/131.2")
    kinds = [item.kind for item, _ in scene.notices.deliveries(scene.mina)]
    assert kinds == ["role.given"], "the first place, and the same a version later"
    came("198.51.100.4", "Firefox/131.2")
    assert scene.last().kind == "session.new_place"
    scene.park.accounts.tokens.new(scene.mina.person_id, "ci")
    assert {item.kind for item, _ in scene.notices.deliveries(scene.mina)} == {
        "role.given", "session.new_place", "token.made",
    }  # fmt: skip
    stranger = scene.add("Idir", "idir@example.org")
    with pytest.raises(NotFound):
        scene.notices.send_again(stranger, scene.last().delivery_id)


def test_every_kind_has_its_words_in_every_language() -> None:
    found = texts()
    assert set(found) == {"en", "fr", "ar_MA"}
    for language in found.values():
        assert set(language["kinds"]) == {*KINDS, "test"}
        for kind, text in language["kinds"].items():
            fields = {part.split("}")[0] for part in text["text"].split("{")[1:]}
            assert fields == {part.split("}")[0] for part in found["en"]["kinds"][kind]["text"].split("{")[1:]}, kind


def _browser() -> Any:
    from eureka_park.accounts.sign_in.ground import Browser

    return Browser(url="http://localhost:8386")


def test_the_page_and_the_api_do_what_they_say(scene: Scene) -> None:
    browser = scene.door.sign_up("hind@example.org", "Hind")
    page = browser.get("/account/notices")
    assert page.status_code == 200 and 'value="email|budget.reached" checked' in page.text
    assert 'value="email|plan.missing"' not in page.text, "for operators alone"
    made = browser.post("/account/notices", data={"do": "add", "url": scene.hook.url, "name": "Bot", "all": "1"})
    assert "whsec_" in made.text and "whsec_" not in browser.get("/account/notices").text, "shown once"
    settings = browser.get("/api/v1/account/notices").json()
    hook = settings["webhooks"][0]["webhook_id"]
    assert all(hook in item["ways"] for item in settings["items"])
    browser.post("/account/notices", data={"do": "choose", "on": [f"{hook}|job.ended", "email|token.made"]})
    ways = {item["kind"]: item["ways"] for item in browser.get("/api/v1/account/notices").json()["items"]}
    assert ways["job.ended"] == [hook] and ways["token.made"] == ["email"] and ways["budget.reached"] == []
    browser.post("/account/notices", data={"do": "test", "way": hook})
    scene.sender.send_due()
    assert json.loads(scene.hook.next().body)["type"] == "test"
    sent = browser.get("/api/v1/account/deliveries").json()["items"][0]
    assert sent["state"] == "sent" and sent["way"] == hook and sent["answer"] == "200"
    assert browser.post(f"/api/v1/account/deliveries/{sent['delivery_id']}/again").status_code == 204
    scene.sender.send_due()
    assert scene.hook.next().headers["webhook-id"] == sent["notice_id"]
    bad = browser.post("/account/notices", data={"do": "add", "url": "https://10.0.0.1.example/é"})
    assert bad.status_code == 422 and 'role="alert"' in bad.text
    assert browser.delete(f"/api/v1/account/webhooks/{hook}").status_code == 204
    assert browser.get("/api/v1/account/notices").json()["webhooks"] == []
    assert scene.door.browser().get("/account/notices").status_code == 303
