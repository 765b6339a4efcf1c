"""The pages in Debian's chromium: they fit, speak, keep themselves up to date, and the console stays empty."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from tests.helpers.chromium import PROGRAM, Chromium
from tests.helpers.live_park import LivePark

from eureka_park.web.app import make_app
from eureka_park.web.pages.words import Words
from eureka_park.web.serve import Server

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine (apt install chromium)"),
    pytest.mark.timeout(120),
]
PAGES = (
    "/site",
    "/energy",
    "/energy/year",
    "/energy/ahead",
    "/submit",
    "/welcome",
    "/glossary",
    "/connect",
    "/style",
    "/wall",
    "/offline",
)
LONG = "a-name-without-any-place-to-break-it-" * 3


class Shown:
    """A park behind a real server, and its jobs."""

    def __init__(self, folder: Path) -> None:
        self.live = LivePark(folder)
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://localhost:{listener.getsockname()[1]}"
        self.server = Server(
            uvicorn.Config(make_app(self.live.park), log_level="error", lifespan="off", ws="none", access_log=False)
        )
        self.thread = threading.Thread(target=self.server.run, args=([listener],), daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        command = ["python", "-c", "x" * 300]
        self.done = self.live.submit(20, tier="firm", cpus=0.2, name=LONG, command=command)
        folder = self.live.folder / "jobs" / self.done
        (folder / "out").mkdir(parents=True)
        (folder / "out" / f"{LONG}.bin").write_bytes(b"m")
        (folder / "log.txt").write_bytes(b"w" * 500 + b"\n" + "سطر\n".encode())
        self.live.step(times=9)
        self.running = self.live.submit(1e6, tier="firm", cpus=0.2, name="runs")
        self.waiting = self.live.submit(1e6, tier="green", cpus=2)
        self.live.step(times=3)

    def sign_in_link(self) -> str:
        person_id, _ = self.live.park.accounts.ensure_owner()
        return f"{self.url}/sign-in?code={self.live.park.accounts.new_sign_in_link(person_id)}"

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        self.live.park.close()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    shown = Shown(tmp_path_factory.mktemp("shown"))
    yield shown
    shown.stop()


@pytest.fixture(scope="module")
def chromium(shown: Shown, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    browser = Chromium(tmp_path_factory.mktemp("profile"))
    browser.go(shown.sign_in_link())
    yield browser
    browser.close()


# What is wider than the page; and what is wider than its card, which would cut it off.
WIDTHS = """(() => {
  const html = document.documentElement;
  const wide = [...document.querySelectorAll("body, .card, main, header, footer, nav, h1")]
    .filter((item) => item.scrollWidth > item.clientWidth + 1 && item.clientWidth)
    .map((item) => `${item.tagName}.${item.className} ${item.scrollWidth} > ${item.clientWidth}: `
      + item.textContent.trim().slice(0, 40));
  return { page: html.scrollWidth, window: html.clientWidth, wide, lang: html.lang,
    dir: getComputedStyle(html).direction, background: getComputedStyle(html).backgroundColor,
    text: document.querySelector("main").innerText };
})()"""


@pytest.mark.parametrize("width", [390, 1360])
@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_pages_fit_and_speak(shown: Shown, chromium: Chromium, lang: str, width: int) -> None:
    chromium.errors.clear()
    chromium.speak(lang)
    chromium.size(width, 844)
    jobs = [f"/jobs/{job_id}" for job_id in (shown.done, shown.running, shown.waiting)]
    for path in ("/", "/jobs", "/jobs?view=gantt", *jobs, *PAGES):
        chromium.go(shown.url + path)
        seen = chromium.run(WIDTHS)
        words = Words(lang)
        assert (seen["lang"], seen["dir"]) == (lang, words.direction)
        assert seen["window"] == width and seen["page"] <= width and not seen["wide"], (path, seen)
        assert seen["background"] == "rgb(250, 246, 239)", "the style sheet is there"
        assert len(seen["text"]) > 100
    picture = chromium.picture()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", picture[16:24]) == (width, 844)
    assert chromium.errors == []


def test_the_measure_sees_what_is_too_wide(shown: Shown, chromium: Chromium) -> None:
    chromium.size(390, 844)
    chromium.go(f"{shown.url}/site")
    chromium.run("document.querySelector('h1').innerText = 'm'.repeat(99)")
    assert chromium.run(WIDTHS)["wide"]
    chromium.go(f"{shown.url}/nothing")
    assert "404" in "".join(chromium.errors)
    chromium.errors.clear()


def test_a_log_grows_on_its_page(shown: Shown, chromium: Chromium) -> None:
    chromium.errors.clear()
    chromium.size(1360, 900)
    file = shown.live.folder / "jobs" / shown.running / "log.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"\nfirst\n")
    chromium.go(f"{shown.url}/jobs/{shown.running}")
    log = '[...document.querySelectorAll(".log-line")].map((line) => line.textContent).join("|")'
    chromium.wait_for(f'{log} === "\\n|first"')
    with file.open("ab") as out:
        out.write("deuxième <b>\n".encode())
    chromium.wait_for(f'{log}.endsWith("first|deuxième <b>")')
    assert chromium.run('document.querySelectorAll("pre b").length') == 0 and chromium.errors == []


def test_a_page_keeps_itself_up_to_date(shown: Shown, chromium: Chromium) -> None:
    chromium.errors.clear()
    chromium.go(f"{shown.url}/jobs")
    chromium.run("window.mark = true")
    time.sleep(7.3)  # streams begin so long after the page
    shown.live.submit(1e6, tier="firm", cpus=0.1, name="newly come")
    shown.live.step(times=1)
    chromium.wait_for("document.querySelector('main').innerText.includes('newly come')")
    assert chromium.run("window.mark") is True, "the page was not loaded anew"
    assert chromium.errors == []


def test_a_job_is_cancelled_and_somebody_signs_out(shown: Shown, chromium: Chromium) -> None:
    chromium.errors.clear()
    chromium.speak("en")
    job_id = shown.live.submit(1e6, tier="firm", cpus=0.1, name="unwanted")
    shown.live.step(times=2)
    chromium.go(f"{shown.url}/jobs/{job_id}")
    chromium.run("document.querySelector(\"form[action$='/cancel'] button\").click()")
    chromium.wait_for(f"document.readyState === 'complete' && location.pathname === '/jobs/{job_id}'")
    time.sleep(0.3)
    shown.live.step(times=3)
    assert shown.live.view(job_id)["state"] == "cancelled"
    chromium.run("document.querySelector(\"form[action='/sign-out'] button\").click()")
    chromium.wait_for("location.pathname === '/' && !document.querySelector(\"form[action='/sign-out']\")")
    assert chromium.errors == []
