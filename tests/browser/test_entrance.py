"""The entrance in a real browser: a passkey by keys alone; a provider's sign-in and consent, there and back."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from tests.helpers.chromium import PROGRAM, Chromium
from tests.helpers.entrance import SETTINGS
from tests.helpers.oidc_server import SECRET, OidcServer
from tests.helpers.served import Served

from eureka_park.accounts.core.roles import Role

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine (apt install chromium)"),
    pytest.mark.timeout(120),
]
PROVIDER = """
[[oidc]]
id = "uni"
title = "The University"
issuer = "{issuer}"
client_id = "park"
[oidc.roles]
lab = "member@project:lab"
"""
WHO = "fetch('/api/v1/login').then((answer) => answer.ok ? answer.json() : {})"
TEXT = "document.querySelector('main').innerText"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("park"))
    served.live.clock.step(time.time() - served.live.clock.real_s())  # providers tell the real time
    yield served
    served.stop()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    browser = Chromium(tmp_path_factory.mktemp("profile"))
    browser.ask("Network.setBlockedURLs", urls=["*googleapis.com*"])  # the provider's page asks for a font there
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def provider(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcServer]:
    """The certified npm server as a process, which the park knows as The University."""
    server = OidcServer(tmp_path_factory.mktemp("provider"), [f"{served.url}/sign-in/with/uni/back"])
    served.live.park.home.write("keys/oidc-uni.secret", SECRET)
    text = SETTINGS.format(port=9) + PROVIDER.format(issuer=server.issuer)
    (served.live.folder / "accounts.toml").write_text(text, encoding="utf-8")
    served.live.park.accounts.ensure_project("lab", "Lab", False)
    yield server
    server.stop()


def sign_out(browser: Chromium, url: str) -> None:
    """Here and at the provider: as a person who has not been here."""
    browser.ask("Network.clearBrowserCookies")
    browser.go(f"{url}/sign-in?next=/jobs")
    assert browser.run(WHO) == {}
    browser.errors.clear()  # the browser notes what it was refused


def at_provider(browser: Chromium, provider: OidcServer) -> None:
    browser.wait_for(f"location.origin === {provider.issuer!r} && document.readyState === 'complete'")


def follow(browser: Chromium, provider: OidcServer) -> None:
    """From the page of signing in, by keys alone, to the provider's."""
    browser.tab_to("a[href^='/sign-in/with/uni']")
    browser.press("Enter")
    at_provider(browser, provider)


def sign_in_there(browser: Chromium, provider: OidcServer, name: str) -> None:
    """Name and password at the provider, until it asks for consent."""
    browser.run("document.querySelector('[name=login]').focus()")
    browser.write(name)
    browser.run("document.querySelector('[name=password]').focus()")
    browser.write("any")
    browser.press("Enter")
    browser.wait_for("document.querySelector('[name=prompt][value=consent]') !== null")
    at_provider(browser, provider)


def agree(browser: Chromium) -> None:
    browser.run("document.querySelector('button[type=submit]').focus()")
    browser.press("Enter")


def is_back(browser: Chromium, served: Served, path: str) -> None:
    browser.wait_for(f"location.href === {served.url + path!r} && document.readyState === 'complete'")


def test_a_person_signs_in_and_consents_at_a_provider(served: Served, browser: Chromium, provider: OidcServer) -> None:
    provider.groups("mina", "lab", "choir")
    sign_out(browser, served.url)
    follow(browser, provider)
    sign_in_there(browser, provider, "mina")
    agree(browser)
    is_back(browser, served, "/jobs")
    who = browser.run(WHO)
    assert who["name"] == "mina of the university" and "lab" in who["projects"]
    held = served.live.park.accounts.places.roles_of(who["person_id"])
    assert (Role.MEMBER, "project:lab") in {(item.role, item.scope) for item in held}
    assert [line for line in browser.errors if provider.issuer not in line] == [], "the provider has no favicon.ico"
    browser.go(f"{served.url}/projects/lab")
    assert browser.run("performance.getEntriesByType('navigation')[0].responseStatus") == 200


def test_refused_consent_signs_nobody_in_and_says_so(served: Served, browser: Chromium, provider: OidcServer) -> None:
    sign_out(browser, served.url)
    follow(browser, provider)
    sign_in_there(browser, provider, "leila")
    browser.run("document.querySelector('a[href$=abort]').focus()")
    browser.press("Enter")
    browser.wait_for(f"location.origin === {served.url!r} && document.readyState === 'complete'")
    assert "You did not agree there" in browser.run(TEXT) and browser.run(WHO) == {}
    assert browser.run("document.querySelector('[role=alert]') !== null")
    follow(browser, provider)  # the page of the refusal has the way to try again
    browser.wait_for("document.querySelector('[name=prompt][value=consent]') !== null")
    agree(browser)
    browser.wait_for(f"location.origin === {served.url!r} && document.readyState === 'complete'")
    assert browser.run(WHO)["name"] == "leila of the university"


def test_an_address_that_has_an_account_is_joined_by_its_holder(
    served: Served, browser: Chromium, provider: OidcServer
) -> None:
    accounts = served.live.park.accounts
    nora = accounts.people.add("Nora", by=served.live.owner, email="nora@uni.example")
    sign_out(browser, served.url)
    follow(browser, provider)
    sign_in_there(browser, provider, "nora")
    agree(browser)
    browser.wait_for(f"location.origin === {served.url!r} && document.readyState === 'complete'")
    assert "connect the two" in browser.run(TEXT) and browser.run(WHO) == {}
    browser.go(f"{served.url}/sign-in?code={accounts.new_sign_in_link(nora)}")
    browser.go(f"{served.url}/account/security")
    browser.tab_to("#elsewhere button")
    browser.press("Enter")
    browser.wait_for("document.querySelector('#leads-to') !== null")
    browser.tab_to("#leads-to")
    browser.press("Enter")
    browser.wait_for("document.querySelector('#elsewhere .way-list')?.innerText.includes('nora@uni.example')")
    sign_out(browser, served.url)
    follow(browser, provider)
    sign_in_there(browser, provider, "nora")
    agree(browser)
    is_back(browser, served, "/jobs")
    assert browser.run(WHO)["person_id"] == nora


def test_a_passkey_is_added_and_signs_in(served: Served, browser: Chromium) -> None:
    browser.ask("WebAuthn.enable")
    browser.ask(
        "WebAuthn.addVirtualAuthenticator",
        options={"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                 "isUserVerified": True, "automaticPresenceSimulation": True},
    )  # fmt: skip
    sign_out(browser, served.url)
    browser.go(served.sign_in_link())
    browser.go(f"{served.url}/account/security")
    browser.wait_for("!document.querySelector('#passkeys [data-passkey-part]').hidden")
    browser.tab_to("[data-passkey-label]")
    browser.write("my laptop")
    browser.tab_to("[data-passkey=add]")
    browser.press("Enter")
    browser.wait_for("document.querySelector('#passkeys .way-list')?.textContent.includes('my laptop')")
    assert browser.errors == []
    sign_out(browser, served.url)
    browser.wait_for("!document.querySelector('[data-passkey-part]').hidden")
    browser.tab_to("[data-passkey=enter]")
    browser.press("Enter")
    browser.wait_for("location.pathname === '/jobs'")
    assert browser.run("fetch('/api/v1/login').then((answer) => answer.json()).then((who) => who.is_operator)")
    assert browser.errors == []
