"""The verdict in a real browser: axe finds nothing, figures follow changed assumptions, and it prints page by page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.axe import violations
from tests.helpers.chromium import PROGRAM, Chromium
from tests.helpers.served import Served

from eureka_park.adapters.browser_print import print_pdf
from eureka_park.energy.verdict_assumptions import shipped
from eureka_park.energy.verdict_file import shipped_study
from eureka_park.web.verdict.render import standalone

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine (apt install chromium)"),
    pytest.mark.timeout(180),
]
LANGUAGES = ("fr", "ar", "en")
PAGES_MAX = 12
A4 = (595, 842)
CUT = """[...document.querySelectorAll('.verdict table, .verdict svg, .verdict p, .verdict h1, .verdict h2')]
  .filter((item) => item.getClientRects().length && !item.closest('.scroll'))
  .filter((item) => item.scrollWidth > item.clientWidth + 1 && getComputedStyle(item).display !== 'inline')
  .map((item) => item.tagName + ' ' + item.textContent.slice(0, 40))"""


# Parts of the verdict that the page's sheet lays out otherwise than the file's: in columns, or crushed.
CRUSHED = """[...document.querySelectorAll('.verdict section')].flatMap((section) => [section, ...section.children])
  .filter((item) => item.matches('section, p, h1, h2, h3, ul') && item.getClientRects().length)
  .filter((item) => (item.matches('section') && getComputedStyle(item).display !== 'block') || item.clientWidth < 250)
  .map((item) => item.tagName + '#' + item.id + ' ' + item.textContent.trim().slice(0, 40))"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    browser = Chromium(tmp_path_factory.mktemp("profile"))
    browser.size(1280, 900)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("served"))
    yield served
    served.stop()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    made = {}
    for lang in LANGUAGES:
        made[lang] = folder / f"verdict.{lang}.html"
        made[lang].write_text(standalone(shipped_study(), shipped(), lang), "utf-8")
    return made


@pytest.mark.parametrize(("lang", "theme"), [("fr", "light"), ("ar", "dark"), ("en", "light"), ("zgh", "light")])
def test_the_page_keeps_nobody_out(served: Served, browser: Chromium, lang: str, theme: str) -> None:
    """Without sign-in, under the park's content security policy."""
    browser.speak(lang)
    browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    browser.errors.clear()
    browser.go(f"{served.url}/verdict")
    assert browser.run("performance.getEntriesByType('navigation')[0].responseStatus") == 200
    assert browser.run("document.querySelector('nav a[aria-current]').getAttribute('href')") == "/verdict"
    assert browser.run(CRUSHED) == []
    assert violations(browser) == []
    assert browser.errors == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_file_keeps_nobody_out(browser: Chromium, files: dict[str, Path], lang: str) -> None:
    browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
    browser.errors.clear()
    browser.go(files[lang].as_uri())
    assert browser.run(CUT) == [] and browser.run(CRUSHED) == []
    assert browser.run("document.fonts.check('16px \"Readex Pro\"')")
    assert violations(browser) == [] and browser.errors == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_figures_follow_an_assumption_and_come_back(browser: Chromium, files: dict[str, Path], lang: str) -> None:
    browser.go(files[lang].as_uri())
    figures = "[...document.querySelectorAll('[data-figure]')].map((item) => item.textContent)"
    before = browser.run(figures)
    change = """(() => { const input = document.querySelector('[data-assumption="{0}"]');
      input.value = {1}; input.dispatchEvent(new Event('input')); }})()"""
    nothing = change.replace("{0}", "node_usd").replace("{1}", "input.defaultValue").replace("}})", "})")
    browser.run(nothing)
    assert browser.run(figures) == before, "the browser tells each figure as the server does"
    browser.run(change.replace("{0}", "node_usd").replace("{1}", "'620000'").replace("}})", "})"))
    told = browser.run("document.querySelector('[data-figure=\"bought_machines\"]').textContent")
    assert re.sub(r"\D", "", told) == str(int(500e6 // 620_000))
    assert browser.run("document.querySelectorAll('[data-recalculated]').length") > 3
    assert browser.run("document.querySelectorAll('input[data-changed]').length") == 1
    browser.run("document.querySelector('[data-reset-assumptions]').click()")
    assert browser.run(figures) == before
    assert browser.run("document.querySelectorAll('[data-recalculated]').length") == 0


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_prints_on_a4(files: dict[str, Path], tmp_path: Path, lang: str) -> None:
    pdf = tmp_path / "verdict.pdf"
    print_pdf(files[lang], pdf)
    content = pdf.read_bytes()
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", content)
    assert content[:5] == b"%PDF-" and 6 <= len(boxes) <= PAGES_MAX
    for width, height in boxes:
        assert (round(float(width)), round(float(height))) == A4


def test_nothing_is_cut_on_paper(browser: Chromium, files: dict[str, Path]) -> None:
    for lang in LANGUAGES:
        browser.size(673, 950)  # the width of A4 between its margins, in CSS pixels
        browser.go(files[lang].as_uri())
        browser.ask("Emulation.setEmulatedMedia", media="print")
        wide = browser.run(
            "[...document.querySelectorAll('.verdict table, .verdict svg')]"
            ".filter((item) => item.getClientRects().length)"
            ".filter((item) => item.getBoundingClientRect().right > 675 || item.getBoundingClientRect().left < -2)"
            ".map((item) => item.textContent.slice(0, 60))"
        )
        browser.ask("Emulation.setEmulatedMedia", media="screen")
        browser.size(1280, 900)
        assert wide == [], lang
