"""Pages of people, places, money and operators keep nobody out: read by axe-core, and walked through by keys alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from tests.browser.test_axe import show_in
from tests.helpers.axe import violations
from tests.helpers.chromium import PROGRAM, Chromium
from tests.helpers.people_scene import PeopleScene, dress

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine (apt install chromium)"),
    pytest.mark.timeout(180),
]
# What is wider than the page, or than its card; and figures that an Arabic sentence would turn round.
WIDE = """[...document.querySelectorAll("html, body, .card, main, header, footer, nav, h1")]
  .filter((item) => item.scrollWidth > item.clientWidth + 1 && item.clientWidth)
  .map((item) => `${item.tagName}.${item.className} is ${item.scrollWidth - item.clientWidth} px too wide`)"""
# Every stop of the Tab key: what it is, and whether an eye finds it there.
STOP = """(() => {
  const item = document.activeElement;
  if (item === document.body) return null;
  const style = getComputedStyle(item), box = item.getBoundingClientRect();
  const before = item.dataset.stop && window.lastStop !== item;  // a field for a month has stops of its own
  item.dataset.stop = "1"; window.lastStop = item;
  const label = item.closest("label, summary") ?? item;
  const ring = [item, label].some((one) => getComputedStyle(one).outlineStyle !== "none"
    || getComputedStyle(one).boxShadow !== "none");
  return { name: `${item.tagName}.${item.className}#${item.id} ${item.textContent.trim().slice(0, 30)}`,
    again: Boolean(before), ring, seen: box.width > 0 && box.height > 0 && style.visibility === "visible",
    inside: box.bottom > 0 && box.top < innerHeight };
})()"""
REACHABLE = """[...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
  .filter((item) => item.checkVisibility() && !item.disabled && item.tabIndex >= 0 && item.type !== "hidden"
    && !(item.type === "radio" && !item.checked) && !item.dataset.stop)
  .map((item) => `${item.tagName}.${item.className}#${item.id} ${item.textContent.trim().slice(0, 30)}`)"""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeopleScene]:
    scene = PeopleScene(tmp_path_factory.mktemp("scene"))
    yield scene
    scene.stop()


@pytest.fixture(scope="module")
def browser(scene: PeopleScene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    browser = Chromium(tmp_path_factory.mktemp("profile"))
    browser.go(scene.sign_in_link())
    yield browser
    browser.close()


@pytest.mark.parametrize("kind", ["ar-phone", *(["fr", "ar", "fr-phone"] if "PARK_ALL_DRESSES" in os.environ else [])])
def test_pages_of_people_keep_nobody_out(scene: PeopleScene, browser: Chromium, kind: str) -> None:
    """Each page once, on a phone and right to left: no wider than the screen, walked through by Tab, read by axe in the
    light, its colours in the dark too. PARK_ALL_DRESSES=1 does the same in the other dresses.
    """
    browser.errors.clear()
    wrong = []
    for path in scene.paths:
        dress(browser, kind)
        browser.go(scene.url + path)
        assert browser.run("performance.getEntriesByType('navigation')[0].responseStatus") == 200, path
        browser.wait_for("!document.querySelector('[data-passkey-part][hidden]')")  # shown as soon as its script runs
        found = [*browser.run(WIDE), *walked(browser), *violations(browser)]
        show_in(browser, "dark")
        found += [f"in the dark: {line}" for line in violations(browser, only_colours=True)]
        wrong += [f"{path} {line}" for line in found]
    assert not wrong, "\n".join(wrong)
    assert browser.errors == []


def walked(browser: Chromium) -> Iterator[str]:
    """What is wrong on the way of the Tab key: the first stop leads past the head, each is seen and marked, none is
    left out, none holds one fast.
    """
    begins_at_a_field = browser.run("document.activeElement !== document.body")
    browser.run("document.activeElement.blur()")
    n_outside = 0
    stops: list[dict[str, Any]] = []
    while n_outside < 2 and len(stops) < 200:
        browser.press("Tab")
        stop = browser.run(STOP)
        if stop is None:  # past the end, in the browser itself; the next is the first
            n_outside += 1
        elif stop["again"]:
            break
        else:
            stops.append(stop)
    if len(stops) == 200:
        yield "has no end for Tab"
    if not begins_at_a_field and "skip" not in stops[0]["name"]:
        yield f"begins with {stops[0]['name']}"
    for stop in stops:
        if not (stop["seen"] and stop["inside"]):
            yield f"stops unseen at {stop['name']}"
        if not stop["ring"]:
            yield f"marks nothing at {stop['name']}"
    yield from (f"never stops at {name}" for name in browser.run(REACHABLE))


def test_the_skip_link_leads_past_the_head_and_enter_opens(scene: PeopleScene, browser: Chromium) -> None:
    dress(browser, "fr")
    browser.go(scene.url + "/operate/people")
    browser.press("Tab")
    browser.press("Enter")
    browser.press("Tab")
    assert browser.run("document.activeElement.closest('main') !== null")
    browser.tab_to("main summary")
    browser.press("Enter")
    assert browser.run("document.activeElement.parentElement.open")
