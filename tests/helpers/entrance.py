"""A park whose entrance is open: settings, quick hashes, a mail server, browsers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from eureka_park.accounts.sign_in.passwords import Hasher
from eureka_park.web.app import make_app
from eureka_park.web.limits import LIMITS, Limits
from tests.helpers.live_park import LivePark
from tests.helpers.mail_catcher import MailCatcher

URL = "http://localhost:8386"
OWN = {"Sec-Fetch-Site": "same-origin"}
PASSWORD = "tabouret violet orage 7"
SETTINGS = """[sign_in]
sign_up = "open"
[mail]
host = "127.0.0.1"
port = {port}
tls = "none"
from = "Eureka Park <park@example.org>"
"""


class Entrance:
    """`park`, `mail`, and `browser()` for a fresh one."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.live = LivePark(folder)
        self.mail = MailCatcher()
        self.set(more)
        self.park = self.live.park
        self.park.sign_in.passwords._hasher = Hasher(os.urandom, memory_kib=8, rounds=1)
        self.app = make_app(self.park)
        self.no_limits()

    def set(self, more: str = "") -> None:
        """Write accounts.toml."""
        text = SETTINGS.format(port=self.mail.port) + more
        (self.live.folder / "accounts.toml").write_text(text, encoding="utf-8")

    def no_limits(self) -> None:
        """Tests ask more often than people."""
        self.app.state.limits._limits.update(
            Limits({kind: type(one)(1e6, 1e6) for kind, one in LIMITS.items()})._limits
        )

    def browser(self, **headers: str) -> TestClient:
        made = {"Accept": "text/html", **OWN, **headers}
        return TestClient(self.app, base_url=URL, raise_server_exceptions=False, headers=made, follow_redirects=False)

    def sign_up(self, email: str, name: str = "Mina", password: str = PASSWORD) -> TestClient:
        """A browser of somebody who has just signed up."""
        browser = self.browser()
        assert browser.post("/sign-up", data={"email": email, "name": name}).status_code == 200
        code = self.mail.link().rpartition("code=")[2]
        form = {"code": code, "name": name, "password": password}
        done = browser.post("/sign-in/letter", data=form)
        assert done.status_code == 303, done.text
        return browser

    def who(self, browser: TestClient) -> dict[str, Any]:
        answer = browser.get("/api/v1/login")
        return dict(answer.json()) if answer.status_code == 200 else {}

    def stop(self) -> None:
        self.mail.stop()
        self.park.close()
