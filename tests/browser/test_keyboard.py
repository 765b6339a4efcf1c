"""Without a mouse, on a real park: from the overview to a job, its log and its receipt; and back by single keys."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.chromium import PROGRAM, Chromium
from tests.helpers.first_door import measured, open_entrance, walk
from tests.helpers.mail_catcher import MailCatcher
from tests.helpers.running_park import RunningPark

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine (apt install chromium)"),
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPark]:
    with RunningPark(tmp_path_factory.mktemp("keys")) as park:
        yield park


@pytest.fixture(scope="module")
def browser(park: RunningPark, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    browser = Chromium(tmp_path_factory.mktemp("profile"))
    browser.speak("fr")
    browser.size(1360, 900)
    code = park.opened(lambda opened: opened.accounts.new_sign_in_link(opened.accounts.ensure_owner()[0]))
    browser.go(f"http://localhost:{park.port}/sign-in?code={code}")
    yield browser
    browser.close()


def is_at(browser: Chromium, path: str) -> None:
    browser.wait_for(f"document.readyState === 'complete' && location.pathname.startsWith({path!r})")
    time.sleep(0.4)  # the islands of the page take their places


def test_from_the_overview_to_a_receipt(park: RunningPark, browser: Chromium) -> None:
    browser.errors.clear()
    is_at(browser, "/")
    browser.press("Tab")
    assert browser.run("document.activeElement.className") == "skip", "the first stop leads past the head"
    browser.press("n")
    is_at(browser, "/submit")
    browser.tab_to("#script")
    browser.run("document.activeElement.select()")  # as Ctrl+A
    browser.write('print("written by keys alone")\n')
    browser.tab_to("button[name=send]")
    browser.press("Enter")
    is_at(browser, "/jobs/job-")
    job_id = browser.run("location.pathname").rsplit("/", 1)[1]
    assert park.park.job(job_id).wait(60)["state"] == "finished"
    browser.wait_for("document.querySelector('.state-finished') !== null")  # the open page has come along by itself
    assert browser.run("document.querySelector('main').hasAttribute('data-live')") is False
    browser.tab_to("pre[role=log]")
    browser.wait_for("document.activeElement.innerText.includes('written by keys alone')")
    browser.wait_for("document.querySelector('svg.ring') !== null")
    browser.tab_to("#receipt summary")
    browser.press("Enter")
    assert browser.run("document.activeElement.parentElement.open") is True
    assert browser.errors == []


def test_single_keys(park: RunningPark, browser: Chromium) -> None:
    browser.errors.clear()
    for keys, path in (("gj", "/jobs"), ("go", "/"), ("gs", "/site"), ("ge", "/energy"), ("gw", "/welcome")):
        for key in keys:
            browser.press(key)
        browser.wait_for(f"document.readyState === 'complete' && location.pathname === {path!r}")
        time.sleep(0.4)
    browser.press("?")
    browser.wait_for("document.querySelector('#keys').open")
    browser.press("Escape")
    browser.wait_for("!document.querySelector('#keys').open")
    assert browser.errors == []


def test_single_keys_are_letters_where_one_writes_and_can_be_switched_off(browser: Chromium) -> None:
    for key in "gj":
        browser.press(key)
    is_at(browser, "/jobs")
    browser.press("/")
    browser.wait_for("document.activeElement.matches('input[type=search]')")
    for key in "gs":
        browser.press(key)
    time.sleep(0.3)
    assert browser.run("location.pathname") == "/jobs" and browser.run("document.activeElement.value") == "gs"
    browser.run("document.activeElement.blur()")
    browser.press("?")
    browser.wait_for("document.querySelector('#keys').open")
    browser.tab_to("[data-keys-switch]")
    browser.press("Space")
    browser.press("Escape")
    for key in "gs":
        browser.press(key)
    time.sleep(0.5)
    assert browser.run("location.pathname") == "/jobs", "switched off"
    browser.run("localStorage.clear()")


def test_a_newcomer_comes_from_the_sign_up_page_to_a_receipt(
    park: RunningPark, browser: Chromium, tmp_path: Path
) -> None:
    """Within five minutes by the browser's clock, paid by the first grant; the park's own figure says the same."""
    mail = MailCatcher()
    try:
        open_entrance(park, mail, tmp_path)
        browser.errors.clear()
        journey = walk(browser, f"http://localhost:{park.port}", mail, "Newcomer")
    finally:
        mail.stop()
    print(journey.table())
    assert list(journey.steps.values()) == sorted(journey.steps.values())
    assert journey.steps["receipt opened"] < 300.0, journey.table()
    (grant,) = journey.bill["grants"]
    assert (grant["kind"], grant["given_credits"]) == ("try", 20.0) and 0.0 < grant["used_credits"] < 1.0
    noted = measured(park)
    assert 0.0 < noted["submitted"] <= noted["started"] <= noted["receipt"]
    assert -0.5 < journey.account_to_receipt_s - noted["receipt"] < 20.0, (journey.table(), noted)
    assert browser.errors == []
