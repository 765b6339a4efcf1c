"""On paper: light whatever the screen is, hatches drawn, and nothing that can only be pressed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.helpers.chromium import PROGRAM, Chromium
from tests.helpers.served import Served

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine (apt install chromium)"),
    pytest.mark.timeout(120),
]
SEEN = """(() => { const is = (selector) => [...document.querySelectorAll(selector)].some((item) => item.getClientRects().length);
  const drawn = [...document.querySelectorAll("#hatch")].every((item) => getComputedStyle(item.closest("svg")).display !== "none");
  return [getComputedStyle(document.documentElement).colorScheme, document.querySelectorAll("#hatch").length === 1 && drawn,
    is("button"), is("header.top nav"), is("details:not([open])")]; })()"""  # noqa: E501


def test_paper_is_light_hatched_and_without_buttons(tmp_path: Path) -> None:
    served = Served(tmp_path)
    browser = Chromium(tmp_path / "profile")
    try:
        browser.size(720, 1000)
        served.live.submit(20, tier="firm", cpus=0.2)
        served.live.step(times=9)
        browser.go(f"{served.url}/")
        browser.run("localStorage.setItem('park-theme', 'dark')")
        for path in ("/", "/site"):
            browser.ask("Emulation.setEmulatedMedia", media="screen")
            browser.go(f"{served.url}{path}")
            assert browser.run(SEEN) == ["dark", True, True, True, True], path
            browser.ask("Emulation.setEmulatedMedia", media="print")
            assert browser.run(SEEN) == ["light", True, False, False, False], path
    finally:
        browser.close()
        served.stop()
