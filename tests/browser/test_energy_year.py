"""The year page in a real browser: figures follow the hand at once, the exact year follows, nothing is kept out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.contract.test_page_energy_year import solved
from tests.helpers.axe import violations
from tests.helpers.chromium import PROGRAM, Chromium
from tests.helpers.served import Served

from eureka_park.energy.lattice_file import lattice_for
from eureka_park.energy.year_desk import YearDesk
from eureka_park.web.pages.words import Words

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine (apt install chromium)"),
    pytest.mark.timeout(180),
]
FIGURE = "document.querySelector('[data-year-figure=\"{0}\"]').textContent.replace(/[\\u2066-\\u2069]/g, '')"
MOVE = """(() => {{ const slider = document.querySelector('#slider-{0}'); slider.value = {1};
  slider.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()"""
SHOWN = "!document.querySelector('{0}').hidden"


class Explored(Served):
    """A park whose years wait at a gate."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.gate = threading.Event()
        self.asked: list[Mapping[str, Any]] = []
        self.server.config.app.state.desk = YearDesk(self.live.park.site, self.ask)  # type: ignore[union-attr]

    def ask(
        self, requests: Sequence[Mapping[str, Any]], _n: int | None, progress: Callable[[int, int], None] | None
    ) -> list[Any]:
        self.asked.append(requests[0]["wish"])
        while not self.gate.wait(0.01):
            assert progress is not None
            progress(1, len(requests))
        return solved(requests[0]["wish"]["load_mw"], 0.8, len(requests))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explored]:
    served = Explored(tmp_path_factory.mktemp("explored"))
    yield served
    served.gate.set()
    served.stop()


@pytest.fixture(scope="module")
def one_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    browser = Chromium(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def browser(one_browser: Chromium) -> Chromium:
    """As a visitor finds it who was never here."""
    one_browser.go("about:blank")
    one_browser.ask("Network.clearBrowserCookies")
    one_browser.errors.clear()
    one_browser.size(1280, 900)
    return one_browser


@pytest.mark.parametrize("path", ["/energy/year", "/energy/ahead"])
@pytest.mark.parametrize(
    ("lang", "theme", "width"), [("fr", "light", 1280), ("ar", "dark", 390), ("zgh", "light", 390)]
)
def test_nobody_is_kept_out(served: Explored, browser: Chromium, path: str, lang: str, theme: str, width: int) -> None:
    browser.speak(lang)
    browser.size(width, 900)
    browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    browser.go(f"{served.url}{path}")
    assert violations(browser) == [] and browser.errors == []
    assert browser.run("document.documentElement.scrollWidth") <= width


def test_figures_follow_the_hand_of_a_visitor(served: Explored, browser: Chromium) -> None:
    browser.speak("fr")
    browser.go(f"{served.url}/energy/year")
    browser.wait_for("document.documentElement.classList.contains('scripted')")
    browser.wait_for("performance.getEntriesByName(location.origin + '/api/v1/energy/lattice').length > 0")
    before = browser.run(FIGURE.replace("{0}", "cfe_frac"))
    browser.wait_for(f"({MOVE.format('load', 200)}, {FIGURE.replace('{0}', 'cfe_frac')} !== '{before}')")
    browser.run(MOVE.format("wind", 200))
    found = lattice_for(served.live.park.site)
    assert found is not None
    near = found.lattice.figures("all-plants", {"load_mw": 200.0, "wind_mw": 200.0})
    told = browser.run(FIGURE.replace("{0}", "cfe_frac")).replace("\u202f", " ").replace("\u00a0", " ")
    expected = Words("fr").percent(near["cfe_frac"]).strip("\u2066\u2067\u2068\u2069")
    assert told == expected.replace("\u202f", " ").replace("\u00a0", " ")
    assert told.split()[0] in browser.run("document.querySelector('h1').textContent")
    browser.wait_for("location.search.includes('load=200') && location.search.includes('wind=200')")
    assert served.asked == [] and browser.run(SHOWN.format("[data-approximate]")) and browser.errors == []


def test_the_exact_year_follows_for_who_is_signed_in(served: Explored, browser: Chromium) -> None:
    browser.go(served.sign_in_link())
    browser.go(f"{served.url}/energy/year")
    browser.wait_for("document.documentElement.classList.contains('scripted')")
    served.gate.clear()
    browser.run(MOVE.format("load", 150))
    browser.wait_for(SHOWN.format("[data-year-progress]"))
    assert served.asked[-1]["load_mw"] == 150
    served.gate.set()
    browser.wait_for(SHOWN.format("[data-exact]"))
    assert browser.run(FIGURE.replace("{0}", "cfe_frac")).startswith("80")
    assert browser.run("document.querySelectorAll('#year-data').length") == 1
    assert not browser.run(SHOWN.format("[data-year-progress]")) and browser.errors == []
    browser.run(MOVE.format("load", 300))  # the hand goes on: what was exact is approximate again
    assert browser.run(SHOWN.format("[data-approximate]")) and not browser.run(SHOWN.format("[data-exact]"))
