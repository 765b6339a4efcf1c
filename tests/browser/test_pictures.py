"""Pictures of the pages as people see them: five dresses of each. PARK_PICTURES=FOLDER keeps them, to be looked at.

What can be told without eyes is checked: the letters are the park's own, something is painted, no page is another.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.browser.test_axe import Shown
from tests.helpers.chromium import PROGRAM, Chromium

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine (apt install chromium)"),
    pytest.mark.timeout(240),
]
PAGES = (
    "/", "/jobs", "/jobs?view=gantt", "/jobs/{done}", "/jobs/{waiting}", "/submit", "/energy", "/site", "/welcome",
    "/connect", "/glossary", "/style", "/nothing",
)  # fmt: skip
DRESSES = {
    "fr": ("fr", 1360, 1000, "light"),
    "ar": ("ar", 1360, 1000, "light"),
    "dark": ("fr", 1360, 1000, "dark"),
    "phone": ("ar", 390, 844, "light"),
    "wall": ("fr", 1920, 1080, "light"),
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    shown = Shown(tmp_path_factory.mktemp("shown"))
    yield shown
    shown.stop()


@pytest.fixture(scope="module")
def browser(shown: Shown, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    browser = Chromium(tmp_path_factory.mktemp("profile"))
    browser.go(shown.sign_in_link())
    yield browser
    browser.close()


@pytest.mark.parametrize("dress", DRESSES)
def test_pictures(shown: Shown, browser: Chromium, dress: str, tmp_path: Path) -> None:
    lang, width, height, scheme = DRESSES[dress]
    folder = Path(os.environ.get("PARK_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    browser.speak(lang)
    browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.size(width, height)
    taken: dict[str, bytes] = {}
    for path in ("/wall",) if dress == "wall" else PAGES:
        browser.go(shown.address(path))
        browser.run("document.fonts.ready.then(() => true)")
        assert browser.run("""document.fonts.check('15px "Readex Pro"')"""), path
        picture = browser.picture()
        assert struct.unpack(">II", picture[16:24]) == (width, height)
        assert len(picture) > 15_000, f"{path} shows next to nothing"
        name = path.strip("/").replace("{", "").replace("}", "").replace("/", "-").replace("?view=", "-") or "overview"
        (folder / f"{name}-{dress}.png").write_bytes(picture)
        taken[path] = picture
    assert len(set(taken.values())) == len(taken), "two pages look the same"
    ground = browser.run("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == ("rgb(14, 20, 36)" if scheme == "dark" else "rgb(250, 246, 239)")
