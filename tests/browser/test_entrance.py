"""A passkey in a real browser: added on the page Security, used on the page of signing in, by keys alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.helpers.chromium import PROGRAM, Chromium
from tests.helpers.served import Served

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine (apt install chromium)")


def test_a_passkey_is_added_and_signs_in(tmp_path: Path) -> None:
    served = Served(tmp_path / "park")
    browser = Chromium(tmp_path / "profile")
    try:
        browser.ask("WebAuthn.enable")
        browser.ask(
            "WebAuthn.addVirtualAuthenticator",
            options={"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                     "isUserVerified": True, "automaticPresenceSimulation": True},
        )  # fmt: skip
        browser.go(served.sign_in_link())
        browser.go(f"{served.url}/account/security")
        browser.wait_for("!document.querySelector('#passkeys [data-passkey-part]').hidden")
        browser.tab_to("[data-passkey-label]")
        browser.write("my laptop")
        browser.tab_to("[data-passkey=add]")
        browser.press("Enter")
        browser.wait_for("document.querySelector('#passkeys .way-list')?.textContent.includes('my laptop')")
        browser.run("fetch('/sign-out', {method: 'POST'}).then(() => true)")
        browser.go(f"{served.url}/sign-in?next=/jobs")
        browser.wait_for("!document.querySelector('[data-passkey-part]').hidden")
        assert not browser.run("fetch('/api/v1/login').then((answer) => answer.ok)")
        browser.tab_to("[data-passkey=enter]")
        browser.press("Enter")
        browser.wait_for("location.pathname === '/jobs'")
        assert browser.run("fetch('/api/v1/login').then((answer) => answer.json()).then((who) => who.is_operator)")
        assert [error for error in browser.errors if "401" not in error] == []
    finally:
        browser.close()
        served.stop()
