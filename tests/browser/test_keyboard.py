"""Without a mouse, on a real park: from the overview to a job, its log and its receipt; and back by single keys."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from tests.helpers.chromium import PROGRAM, Chromium
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
