"""The twin's report in a real browser: axe finds nothing, nothing is cut on a phone, and it prints page by page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import hatch_build
import pytest
from tests.helpers.axe import violations
from tests.helpers.chromium import PROGRAM, Chromium
from tests.helpers.recorded_run import recorded_run

from eureka_park.adapters.browser_print import print_pdf
from eureka_park.web.twin_report.render import standalone

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine (apt install chromium)"),
    pytest.mark.timeout(180),
]
ZONE = "Africa/Casablanca"
PAGES_MAX = 11
A4 = (595, 842)
# What is wider than its place, outside of what may be scrolled.
CUT = """[document.documentElement, ...document.querySelectorAll('.run :is(table, svg, p, h1, h2, ul)')]
  .filter((item) => item.getClientRects().length && !item.closest('.scroll'))
  .filter((item) => item.scrollWidth > item.clientWidth + 1 && getComputedStyle(item).display !== 'inline')
  .map((item) => item.tagName + ' ' + item.textContent.slice(0, 40))"""
# Texts of pictures that reach beyond their picture.
BEYOND = """[...document.querySelectorAll('.run svg[role=img] text')].filter((item) => item.getClientRects().length)
  .filter((item) => { const word = item.getBoundingClientRect(), all = item.ownerSVGElement.getBoundingClientRect();
    return word.left < all.left - 2 || word.right > all.right + 2; }).map((item) => item.textContent)"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    browser = Chromium(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    hatch_build.build()
    folder, pair = tmp_path_factory.mktemp("files"), [recorded_run(), recorded_run("fcfs-easy")]
    pages = {lang: standalone([recorded_run()], lang, ZONE) for lang in ("fr", "ar", "zgh")}
    pages |= {f"pair-{lang}": standalone(pair, lang, ZONE) for lang in ("en", "ar")}
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return {name: folder / f"{name}.html" for name in pages}


@pytest.mark.parametrize(
    ("name", "theme"), [("fr", "light"), ("ar", "dark"), ("zgh", "light"), ("pair-en", "dark"), ("pair-ar", "light")]
)
def test_it_keeps_nobody_out_and_cuts_nothing(browser: Chromium, files: dict[str, Path], name: str, theme: str) -> None:
    browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    browser.errors.clear()
    for width in (390, 1100):
        browser.size(width, 900)
        browser.go(files[name].as_uri())
        assert browser.run(CUT) == [], width
        assert browser.run(BEYOND) == [], width
    assert violations(browser) == []
    assert browser.errors == []


@pytest.mark.parametrize("name", ["ar", "pair-en"])
def test_it_prints_on_a_few_sheets(files: dict[str, Path], tmp_path: Path, name: str) -> None:
    print_pdf(files[name], tmp_path / "report.pdf")
    content = (tmp_path / "report.pdf").read_bytes()
    boxes = re.findall(rb"/MediaBox ?\[ ?0 0 ([\d.]+) ([\d.]+) ?\]", content)
    assert 4 <= len(boxes) <= PAGES_MAX
    assert all(abs(float(wide) - A4[0]) < 2 and abs(float(high) - A4[1]) < 2 for wide, high in boxes)
