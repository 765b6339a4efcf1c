"""The set-up of a park for others: each step is kept at once and checked, comments stay, and only operators come in."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.helpers.entrance import Entrance

from eureka_park.accounts.settings_file import read_settings
from eureka_park.adapters.settings_text import changed
from eureka_park.foundation.errors import BadInput

WRITTEN = """# the park of the north
[sign_in]
sign_up = "closed"  # for now

[[oidc]]
id = "old"  # leave it
issuer = "https://old.example.org"
client_id = "park"
[oidc.roles]
lab = "member@project:lab"
"""


class Desk:
    """A park whose owner has come by the link of `park up`, and somebody else."""

    def __init__(self, folder: Path) -> None:
        self.door = Entrance(folder)
        self.file = self.door.live.folder / "accounts.toml"
        self.file.write_text(WRITTEN, encoding="utf-8")
        accounts = self.door.park.accounts
        self.owner = self.door.browser()
        code = accounts.new_sign_in_link(accounts.ensure_owner()[0])
        came = self.owner.get("/sign-in", params={"code": code, "next": "/set-up"})
        assert came.headers["location"] == "/set-up"

    def read(self) -> str:
        """The page as a reader sees its figures."""
        return self.owner.get("/set-up").text.replace("\u2068", "").replace("\u2069", "")

    def keep(self, step: str, **form: Any) -> Any:
        return self.owner.post("/set-up", data={"step": step, **form})

    def settings(self) -> Any:
        return self.door.park.telling.file.settings()

    def stranger(self) -> TestClient:
        person_id = self.door.park.accounts.people.add("Zaid", is_verified=True)
        browser = self.door.browser()
        browser.get("/sign-in", params={"code": self.door.park.accounts.new_sign_in_link(person_id)})
        return browser


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.door.stop()


def test_every_step_is_kept_and_can_be_come_back_to(desk: Desk) -> None:
    assert "step 1 of 8" in desk.read()
    assert desk.keep("park", name="Parc du Nord", language=["ar", "fr"]).headers["location"] == "/set-up?step=you"
    page = desk.read()
    assert "Parc du Nord" in page and "step 2 of 8" in page and 'hreflang="zgh"' not in page
    desk.keep("you")
    desk.keep("people", sign_up="open", url="https://park.example.org/")
    mail = {"host": "127.0.0.1", "port": str(desk.door.mail.port), "tls": "none", "from": "Parc <park@example.org>"}
    sent = desk.keep("mail", **mail, do="test", to="owner@example.org")
    assert sent.status_code == 200 and desk.door.mail.next()["To"] == "owner@example.org"
    desk.keep("provider", skip="1")
    desk.keep("prices", template="campus")
    assert desk.door.park.ledger.billing.price_lists()
    desk.keep("try", credits="5", days="7")
    last = desk.keep("duties", controller="Le Parc, Tétouan\nMaroc")
    assert last.headers["location"] == "/set-up?step=summary"
    found = desk.settings()
    assert (found.name, found.languages, found.sign_up) == ("Parc du Nord", ("fr", "ar"), "open")
    assert found.url == "https://park.example.org" and found.try_credits == 0.0 and found.mail.port
    text = desk.file.read_text("utf-8")
    assert "# the park of the north" in text and "# leave it" in text and 'lab = "member@project:lab"' in text
    assert read_settings(text) == found and "Le Parc" in text
    assert "Parc du Nord" in desk.read() and "1 of 7 said" in desk.read()


def test_what_would_not_start_is_not_written(desk: Desk) -> None:
    for step, form in (
        ("people", {"sign_up": "open", "url": "javascript:alert(1)"}),
        ("people", {"sign_up": "all"}),
        ("mail", {"host": "mail.example.org", "tls": "none", "from": "park@example.org"}),
        ("mail", {"host": "mail.example.org", "port": "99999", "from": "park@example.org"}),
        ("mail", {"host": "", "from": "park@example.org"}),
        ("provider", {"id": "../../x", "issuer": "https://id.example.org", "client_id": "park", "secret": "s"}),
        ("provider", {"id": "uni", "issuer": "http://id.example.org", "client_id": "park"}),
        ("try", {"on": "1", "credits": "many"}),
        ("prices", {"template": "none"}),
        ("nothing", {}),
    ):
        answer = desk.keep(step, **form)
        assert answer.status_code == 422 and 'role="alert"' in answer.text, (step, form)
        assert desk.file.read_text("utf-8") == WRITTEN, (step, form)
    away = desk.keep("mail", host="127.0.0.1", port="9", tls="none", do="test", to="a@b.org", **{"from": "p@b.org"})
    assert away.status_code == 422 and "does not answer" in away.text and desk.settings().mail is not None


def test_a_kept_secret_goes_to_nobody_new(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    file, mail = desk.door.park.telling.file, {"host": "mail.example.org", "user": "park", "from": "p@example.org"}
    for moved in ({"host": "evil.example"}, {"port": "2525"}, {"tls": "tls"}, {"user": "thief"}, {"do": "drop"}):
        assert desk.keep("mail", **mail, secret="s3cret").status_code == 303 and file.mail_password() == "s3cret"
        assert desk.keep("mail", **mail, name="x").status_code == 303 and file.mail_password() == "s3cret", "it stays"
        desk.keep("mail", **{**mail, **moved})
        assert file.mail_password() == "", moved
    desk.keep("mail", **mail)
    monkeypatch.setenv("PARK_SMTP_PASSWORD", "of the environment")
    for moved in ({"host": "evil.example"}, {"do": "drop"}):
        refused = desk.keep("mail", **{**mail, **moved})
        assert (
            refused.status_code == 422 and "accounts.toml" in refused.text and desk.settings().mail.host == mail["host"]
        )
    assert desk.keep("mail", **{**mail, "from": "other@example.org"}).status_code == 303
    known = {"id": "uni", "issuer": "https://127.0.0.1:9", "client_id": "park"}  # nobody answers there
    for moved in ({"issuer": "https://127.0.0.1:10"}, {"client_id": "other"}, {"do": "drop"}):
        desk.keep("provider", **known, secret="s3cret")
        desk.keep("provider", **known, title="The University")
        assert file.provider_secret("uni") == "s3cret"
        desk.keep("provider", **{**known, **moved})
        assert file.provider_secret("uni") == "", moved


def test_where_secrets_go_is_changed_by_who_has_just_signed_in(desk: Desk) -> None:
    desk.door.live.clock.step(1801.0)
    token = desk.door.park.accounts.new_token(desk.door.live.owner.person_id, "t")
    by_token = desk.door.browser(Authorization=f"Bearer {token}")
    forms: dict[str, dict[str, str]] = {
        "people": {"sign_up": "open", "url": "https://evil.example"},
        "mail": {"host": "evil.example", "from": "p@evil.example"},
        "provider": {"id": "uni", "issuer": "https://evil.example", "client_id": "park"},
    }
    for step, form in forms.items():
        late = desk.keep(step, **form)
        assert late.status_code == 403 and "Sign in once more" in late.text, step
        assert by_token.post("/set-up", data={"step": step, **form}).status_code == 403, step
        assert desk.keep(step, skip="1").status_code == 303
    assert desk.file.read_text("utf-8") == WRITTEN
    assert desk.keep("park", name="Parc").status_code == 303, "a name is no way in"


def test_nobody_but_an_operator_gets_there(desk: Desk) -> None:
    assert desk.door.browser().get("/set-up").headers["location"].startswith("/sign-in")
    assert desk.door.browser().post("/set-up", data={"step": "park", "name": "Mine"}).status_code in (401, 303)
    stranger = desk.stranger()
    assert stranger.get("/set-up").status_code == 403
    assert stranger.post("/set-up", data={"step": "park", "name": "Mine"}).status_code == 403
    cross = desk.owner.post("/set-up", data={"step": "park", "name": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert cross.status_code == 403 and desk.file.read_text("utf-8") == WRITTEN


def test_a_file_keeps_all_that_is_not_changed() -> None:
    text = changed(WRITTEN, {"sign_in": {"sign_up": "open", "url": None}}, {"uni": {"issuer": "https://u.org"}})
    assert 'sign_up = "open"  # for now' in text and tomllib.loads(text)["oidc"][1] == {
        "id": "uni", "issuer": "https://u.org",
    }  # fmt: skip
    assert changed(WRITTEN, {"sign_in": {"sign_up": "closed"}}, {}) == WRITTEN, "not a sign where nothing changes"
    gone = changed(text, {"sign_in": None}, {"old": None})
    assert [item["id"] for item in tomllib.loads(gone)["oidc"]] == ["uni"] and "sign_in" not in tomllib.loads(gone)
    assert "oidc" not in tomllib.loads(changed(WRITTEN, {}, {"old": None}))
    with pytest.raises(BadInput, match="cannot be read"):
        changed("[park", {}, {})
