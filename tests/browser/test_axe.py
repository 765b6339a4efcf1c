"""axe-core finds nothing wrong on any page, in every language, in light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.axe import violations
from tests.helpers.chromium import PROGRAM, Chromium
from tests.helpers.data_scene import DataScene
from tests.helpers.kept_runs import record_of
from tests.helpers.served import Served

from eureka_park.twin.run_files import write_run
from eureka_park.twin.run_question import EXAMPLE

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine (apt install chromium)"),
    pytest.mark.timeout(180),
]
PAGES = (
    "/", "/jobs", "/jobs?state=finished", "/jobs/{done}", "/jobs/{running}", "/jobs/{waiting}", "/submit", "/site",
    "/energy", "/energy/year", "/energy/ahead", "/twin", "/welcome", "/connect", "/glossary", "/style", "/wall",
    "/offline", "/nothing",
)  # fmt: skip
# Colours that are still changing have changed.
SETTLE = "document.getAnimations().filter((item) => item instanceof CSSTransition).forEach((item) => item.finish())"
GROUNDS = {"light": "rgb(250, 246, 239)", "dark": "rgb(14, 20, 36)"}


class Shown(Served):
    """A park with a finished, a running and a waiting job."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.done = self.live.submit(20, tier="firm", cpus=0.2, name="done")
        home = self.live.folder / "jobs" / self.done
        (home / "out").mkdir(parents=True)
        (home / "out" / "model.bin").write_bytes(b"m")
        (home / "log.txt").write_text(
            "".join(f"\x1b[{code}mcolour {code}\x1b[0m\n" for code in (*range(30, 48), *range(90, 108)))
        )
        write_run(self.live.folder / "twin" / EXAMPLE.run_id, record_of(EXAMPLE))
        self.live.step(times=9)
        self.live.park.accounts.ensure_project("lab", "Laboratory", False)
        self.data = DataScene(self.live.park, self.live.owner, "lab")
        self.running = self.live.submit(1e6, tier="firm", cpus=0.2, name="runs")
        self.waiting = self.live.submit(1e6, tier="green", cpus=2)
        self.live.step(times=3)

    def address(self, path: str) -> str:
        """A page of PAGES with the job's id in it."""
        return self.url + path.format(done=self.done, running=self.running, waiting=self.waiting)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    shown = Shown(tmp_path_factory.mktemp("shown"))
    yield shown
    shown.stop()


@pytest.fixture(scope="module")
def browser(shown: Shown, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    browser = Chromium(tmp_path_factory.mktemp("profile"))
    browser.size(1280, 900)
    browser.go(shown.sign_in_link())
    yield browser
    browser.close()


@pytest.mark.parametrize(("lang", "also_dark"), [("fr", True), ("ar", True), ("en", False), ("zgh", False)])
def test_pages_keep_nobody_out(shown: Shown, browser: Chromium, lang: str, also_dark: bool) -> None:
    """All rules in the light; in the dark, which changes nothing else, those of colours. Languages that turn nothing
    round are read on every third page.
    """
    browser.speak(lang)
    found: dict[str, list[str]] = {}
    paths = (*PAGES, *(shown.data.paths if lang == "ar" else ()))
    for path in paths if also_dark else paths[::3]:
        show_in(browser, "light")
        browser.go(shown.address(path))
        status = browser.run("performance.getEntriesByType('navigation')[0].responseStatus")
        assert status == (404 if path == "/nothing" else 200), path
        if path == "/jobs/{done}":
            browser.wait_for("document.querySelector('.log-line') !== null")
        if path == "/twin":
            browser.wait_for("document.querySelector('svg.play-stage .load') !== null")
        if path == "/submit":
            browser.wait_for(
                "document.querySelector('[hx-post]') === null || document.querySelector('#quote svg') !== null"
            )
        wrong = violations(browser)
        if also_dark:
            show_in(browser, "dark")
            wrong += [f"in the dark: {line}" for line in violations(browser, only_colours=True)]
        if wrong:
            found[path] = wrong
    assert not found, "\n".join(f"{path} {line}" for path, lines in found.items() for line in lines)


def show_in(browser: Chromium, theme: str) -> None:
    """The page as a device shows it that is set so."""
    browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    browser.run(SETTLE)
    ground = browser.run("getComputedStyle(document.documentElement).backgroundColor")
    assert ground in (GROUNDS[theme], "rgba(0, 0, 0, 0)"), "the page before the first has none"


def test_axe_sees_what_is_wrong(shown: Shown, browser: Chromium) -> None:
    browser.go(shown.address("/site"))
    wrong = '<img src="/static/favicon.svg"><button></button>'
    browser.run(f"document.querySelector('main').insertAdjacentHTML('beforeend', {wrong!r})")
    found = " ".join(violations(browser))
    assert "image-alt" in found and "button-name" in found


def test_axe_sees_what_is_wrong_in_the_dark_alone(shown: Shown, browser: Chromium) -> None:
    browser.go(shown.address("/site"))
    browser.run("document.querySelector('h1').style.color = '#222'")
    show_in(browser, "light")
    assert violations(browser, only_colours=True) == []
    show_in(browser, "dark")
    assert "color-contrast" in " ".join(violations(browser, only_colours=True))
    show_in(browser, "light")
