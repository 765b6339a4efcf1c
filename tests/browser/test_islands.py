"""The islands in Debian's chromium, under the park's own policy of content: each over the HTML that its README names."""

# ruff: noqa: E501  (pages and scripts of a line are easier to read than broken ones)

from __future__ import annotations

import asyncio
import base64
import json
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from fastapi import Request
from tests.helpers.chromium import PROGRAM, Chromium
from tests.helpers.live_park import START_S
from tests.helpers.served import Served, document

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine (apt install chromium)"),
    pytest.mark.timeout(120),
]
LONG = "line\n" * 500
STALE = "document.dispatchEvent(new CustomEvent('park:stale'))"
REFRESHED = """new Promise((done) => {
  document.addEventListener("park:refreshed", () => done(true), { once: true });
  document.dispatchEvent(new CustomEvent("park:stale"));
})"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("served"))
    yield served
    served.stop()


@pytest.fixture(scope="module")
def browser(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    browser = Chromium(tmp_path_factory.mktemp("profile"))
    browser.size(1200, 800)
    yield browser
    browser.close()


@pytest.fixture(autouse=True)
def quiet(browser: Chromium) -> Iterator[None]:
    """Nothing is said in the console: no error, no breach of the policy."""
    browser.errors.clear()
    yield
    assert browser.errors == []


def show(served: Served, browser: Chromium, main: str, **more: Any) -> None:
    served.pages["page"] = lambda _request: document(main, **more)
    browser.go(f"{served.url}/test/page")


def press(browser: Chromium, key: str) -> None:
    """Press a key as a person does."""
    text = {"text": key} if len(key) == 1 else {}
    browser.ask("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
    browser.ask("Input.dispatchKeyEvent", type="keyUp", key=key)


def point(browser: Chromium, selector: str, kind: str = "mouseMoved", share: float = 0.5) -> None:
    x, y = browser.run(
        f"(() => {{ const box = document.querySelector({selector!r}).getBoundingClientRect();"
        f" return [box.left + box.width * {share}, box.top + box.height / 2]; }})()"
    )
    browser.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="none")


# -- refresh ---------------------------------------------------------------------------------------------------------


def test_a_refresh_changes_what_is_new_and_keeps_what_a_person_did(served: Served, browser: Chromium) -> None:
    n = 0

    def page(_request: Request) -> str:
        nonlocal n
        n += 1
        return document(
            f'<p id="n">{n}</p><details id="more"><summary>more</summary>{n}</details>'
            f'<input id="typed" value=""><input type="checkbox" id="tick"><a id="link" href="/">link {n}</a>'
            f'<div id="mine" data-live-keep data-n="{n}"><i>{n}</i></div><pre id="scroll">{LONG}</pre>',
            after=f'<p data-live-part="below">{n}</p><p id="static">{n}</p>',
        )

    served.pages["counted"] = page
    browser.go(f"{served.url}/test/counted")
    browser.run("""document.getElementById("more").open = true;
      document.getElementById("typed").value = "my text"; document.getElementById("tick").click();
      document.getElementById("scroll").style.maxBlockSize = "90px"; document.getElementById("scroll").scrollTop = 333;
      window.link = document.getElementById("link"); window.link.focus(); window.mark = true;""")
    assert browser.run(REFRESHED)
    seen = browser.run("""(() => { const get = (id) => document.getElementById(id);
      return [get("n").textContent, get("more").open, get("typed").value, get("tick").checked, get("mine").dataset.n,
        get("mine").textContent, document.activeElement === window.link, get("link").textContent, window.mark,
        document.querySelector("[data-live-part]").textContent, get("static").textContent]; })()""")
    assert seen == ["2", True, "my text", True, "2", "1", True, "link 2", True, "2", "1"]


def test_what_is_about_to_change_is_looked_at_early_and_its_end_is_shown(served: Served, browser: Chromium) -> None:
    n = 0

    def page(_request: Request) -> str:
        nonlocal n
        n += 1
        text = document(f"<p id='n'>{n}</p>", live=n < 3)
        return text.replace("data-live", 'data-live="soon"')

    served.pages["ends"] = page
    browser.go(f"{served.url}/test/ends")
    browser.wait_for("document.getElementById('n').textContent === '3'")
    assert browser.run("document.querySelector('main').hasAttribute('data-live')") is False
    browser.run(STALE)
    time.sleep(3)
    assert n == 3, "what is over is not asked for again"


def test_a_slow_park_is_asked_less_often(served: Served, browser: Chromium) -> None:
    asked: list[float] = []

    async def page(_request: Request) -> str:
        asked.append(time.monotonic())
        await asyncio.sleep(0.2)
        return document(f'<p id="n">{len(asked)}</p>')

    served.pages["slow"] = page
    browser.go(f"{served.url}/test/slow")
    browser.run(f"{STALE}; {STALE}")
    browser.wait_for('document.getElementById("n").textContent === "3"')
    assert asked[2] - asked[1] > 20 * 0.2


@pytest.mark.parametrize("has_ids", [True, False])
def test_a_chosen_row_stays_chosen_and_no_other_becomes_so(served: Served, browser: Chromium, has_ids: bool) -> None:
    jobs = ["b", "c", "d"]

    def page(_request: Request) -> str:
        rows = (
            f'<tr {f"id=row-{job}" if has_ids else ""}><td>{job}</td><td><input type="checkbox" name="job" value="{job}" aria-label="x"></td></tr>'
            for job in jobs
        )
        return document(f"<table><tbody>{''.join(rows)}</tbody></table>")

    served.pages["rows"] = page
    browser.go(f"{served.url}/test/rows")
    browser.run("document.querySelector('[value=c]').click()")
    jobs.insert(0, "a")
    assert browser.run(REFRESHED)
    rows = browser.run("""[...document.querySelectorAll("tr")].map((row) =>
      [row.cells[0].textContent, row.querySelector("input").value, row.querySelector("input").checked])""")
    assert [row[:2] for row in rows] == [[job, job] for job in jobs]
    chosen = [row[0] for row in rows if row[2]]
    assert chosen == ["c"] if has_ids else chosen in (["c"], [])


def test_a_refresh_waits_until_a_selection_is_let_go(served: Served, browser: Chromium) -> None:
    asked: list[float] = []

    def page(_request: Request) -> str:
        asked.append(time.monotonic())
        return document(f'<p id="n">{len(asked)}</p>')

    served.pages["asked"] = page
    browser.go(f"{served.url}/test/asked")
    browser.run(f'getSelection().selectAllChildren(document.getElementById("n")); {STALE}; {STALE}')
    time.sleep(0.3)
    assert len(asked) == 1
    browser.run("getSelection().removeAllRanges()")
    browser.wait_for('document.getElementById("n").textContent === "2"')
    browser.run(f"{STALE}; {STALE}; {STALE}")
    time.sleep(0.4)
    assert len(asked) == 2, "at most every two seconds"
    browser.wait_for('document.getElementById("n").textContent === "3"')
    assert asked[2] - asked[1] >= 2.0


def test_without_the_park_a_page_says_so_and_finds_back(browser: Chromium, tmp_path: Path) -> None:
    own = Served(tmp_path)
    bar = '<div id="offline-bar" hidden role="status">lost</div>'
    own.pages["page"] = lambda _request: document("<p>here</p>", after=bar)
    browser.go(f"{own.url}/test/page")
    browser.wait_for("navigator.serviceWorker.getRegistration().then((found) => found?.active?.state === 'activated')")
    own.stop()
    browser.run(STALE)
    browser.wait_for("document.getElementById('offline-bar').hidden === false")
    browser.errors.clear()
    browser.go(f"{own.url}/jobs")
    said = browser.run(
        "[location.pathname, document.querySelector('h1')?.textContent.length > 3, document.styleSheets[0].cssRules.length > 50]"
    )
    assert said == ["/jobs", True, True], "the page for when there is no connection, with its style sheet"
    browser.run("navigator.serviceWorker.getRegistration().then((found) => found.unregister())")
    browser.errors.clear()


def test_a_page_follows_the_park_by_its_stream(served: Served, browser: Chromium) -> None:
    served.pages["stream"] = lambda _request: document(f"<p id='n'>{served.live.park.compute.change_mark()}</p>")
    browser.go(f"{served.url}/test/stream")
    before = browser.run("document.getElementById('n').textContent")
    time.sleep(7.2)  # streams open so long after the page
    served.live.submit(5, tier="firm", cpus=0.1)
    served.live.step()
    browser.wait_for(f"document.getElementById('n').textContent !== '{before}'")


# -- time ------------------------------------------------------------------------------------------------------------


def test_clock_and_countdown_run_at_the_park_s_pace(served: Served, browser: Chromium) -> None:
    show(
        served,
        browser,
        '<p>until <time id="a" data-until="2026-11-22T14:00:00Z">15:00</time></p>'
        '<p><time id="b" data-until="2026-11-22T11:59:00Z">past</time></p><p><time id="c" data-until=""></time></p>'
        '<p><time id="d" data-until="2026-11-22T14:00:00Z" data-done="over">2 hours</time><time id="e" data-until="2026-11-22T11:00:00Z" data-done="over">x</time></p>',
        lang="fr",
        after=f'<time data-park-clock data-park-s="{START_S}" data-pace="60" data-time-zone="UTC"><bdi>dim. 22 \u206812:00\u2069</bdi></time>',
    )
    assert browser.run("document.getElementById('a').textContent").startswith("15:00 · \u2068")
    browser.wait_for(
        "/^dim. 22 ⁨12:(0[2-9]|[1-5]\\d)⁩$/.test(document.querySelector('[data-park-clock] bdi').textContent)"
    )
    seen = browser.run("""['[data-park-clock]', '#a', '#d', '#b', '#c'].map((name) =>
      document.querySelector(name).textContent.replace(/[⁨⁩  ]/g, ' ').trim())""")
    minute = int(seen[0][-2:])
    left = {f"1 h {60 - minute} min", f"1 h {59 - minute} min"}
    assert {seen[2], seen[1].removeprefix("15:00 ·").strip()} <= left and seen[3:] == ["past", ""]
    assert browser.run("document.getElementById('e').textContent") == "over"


# -- log -------------------------------------------------------------------------------------------------------------

LINES = 400_000
TOOLS = """<section id="log" data-log-viewer data-live-keep data-url="/api/v1/jobs/{job}/logs" {more}>
<div data-log-tools hidden><input type="checkbox" data-log-follow checked aria-label="follow"><input type="checkbox" data-log-wrap checked aria-label="wrap">
<form data-log-search><input type="search" aria-label="search"><button type="button" data-log-previous>p</button><button data-log-next>n</button>
<output data-log-found data-none="none" data-some="{{n}} of {{all}}"></output></form>
<button type="button" data-log-link data-said="Copied">link</button></div>
<label data-log-place-label hidden>place<input type="range" min="0" max="1000" value="1000" data-log-place></label>
<pre tabindex="0" role="log" aria-live="off" aria-label="Log" data-log-text>tail</pre></section>"""
ROWS = "[...document.querySelectorAll('.log-line')].map((row) => row.textContent)"


@pytest.fixture(scope="module")
def logged(served: Served) -> str:
    job_id = str(served.live.submit(1e6, tier="firm", cpus=0.1))
    served.live.step(times=3)
    file = served.live.folder / "jobs" / job_id / "log.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as out:
        out.writelines(f"\x1b[3{n % 8}mstep {n:07d}\x1b[0m loss 0.5 <b> needle{n // 1000}\n" for n in range(LINES))
    return job_id


def open_log(served: Served, browser: Chromium, job: str, more: str = "", address: str = "") -> None:
    served.pages["log"] = lambda _request: document(
        '<div class="pad"></div>' + TOOLS.format(job=job, more=more), live=False
    )
    browser.go("about:blank")
    browser.go(f"{served.url}/test/log{address}")
    browser.run("document.querySelector('pre').style.blockSize = '400px'")
    browser.wait_for("document.querySelectorAll('.log-line').length > 50")


def test_a_long_log_opens_at_its_end_and_is_read_to_its_beginning(
    served: Served, browser: Chromium, logged: str
) -> None:
    open_log(served, browser, logged)
    assert browser.run(f"{ROWS}.at(-1)") == f"step {LINES - 1:07d} loss 0.5 <b> needle{(LINES - 1) // 1000}"
    assert browser.run("document.querySelector('.log-line .ansi-fg-7') !== null")
    seen = browser.run("(() => { const pre = document.querySelector('pre');"
                       " return pre.scrollHeight - pre.scrollTop - pre.clientHeight; })()")  # fmt: skip
    assert seen < 30
    for _ in range(8):  # up through the window and beyond: what is read stays in place, the rows stay few
        first = browser.run(f"{ROWS}[0]")
        browser.run("document.querySelector('pre').scrollTop = 0")
        browser.wait_for(f"{ROWS}[0] !== {json.dumps(first)}")
    assert browser.run("document.querySelectorAll('.log-line').length") <= 4000
    numbers = [int(row[5:12]) for row in browser.run(ROWS)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert browser.run("document.querySelector('[data-log-follow]').checked") is False
    browser.run("document.querySelector('pre').focus()")
    press(browser, "Home")
    browser.wait_for(f"{ROWS}[0].startsWith('step 0000000')")
    assert browser.run("document.querySelector('[data-log-place]').value") == "0"
    press(browser, "End")
    browser.wait_for(f"{ROWS}.at(-1).startsWith('step {LINES - 1:07d}')")


def test_a_log_is_followed_while_it_grows(served: Served, browser: Chromium, logged: str) -> None:
    open_log(served, browser, logged)
    file = served.live.folder / "jobs" / logged / "log.txt"
    size = file.stat().st_size
    try:
        with file.open("ab") as out:
            out.write(b" 10%\r 20%\r")
            out.flush()
            browser.wait_for(f"{ROWS}.at(-1) === ' 20%'")
            out.write("100%\nfin é".encode()[:-1])
            out.flush()
            browser.wait_for(f"{ROWS}.at(-2) === '100%'")
            out.write("é".encode()[1:] + b"\n")
        browser.wait_for(f"{ROWS}.at(-1) === 'fin é'")
        bottom = browser.run("(() => { const pre = document.querySelector('pre');"
                             " return pre.scrollHeight - pre.scrollTop - pre.clientHeight; })()")  # fmt: skip
        assert bottom < 30
    finally:
        with file.open("ab") as out:
            out.truncate(size)


def test_a_log_is_searched_and_its_lines_have_addresses(served: Served, browser: Chromium, logged: str) -> None:
    width = len(f"\x1b[30mstep {0:07d}\x1b[0m loss 0.5 <b> needle0\n")
    search_url = f"/api/v1/jobs/{logged}/logs/search"
    open_log(served, browser, logged, f'data-search-url="{search_url}"', f"#at={5 * width}")
    browser.wait_for("document.querySelector('.chosen')?.textContent.startsWith('step 0000005')")
    search = "(() => {{ document.querySelector('input[type=search]').value = {!r}; document.querySelector('form').requestSubmit(); }})()"
    here = "document.querySelector('mark.here')?.closest('.log-line').textContent.startsWith('step {}')"
    said = "document.querySelector('[data-log-found]').textContent"
    browser.run(search.format("NEEDLE7"))  # the first one below; eleven thousand lines hold it
    browser.wait_for(here.format("0007000"))
    browser.wait_for(f"{said} === '1 of 2000…'")
    browser.run("document.querySelector('pre').focus()")
    press(browser, "n")
    browser.wait_for(here.format("0007001"))
    assert browser.run(said) == "2 of 2000…"
    press(browser, "N")
    browser.wait_for(here.format("0007000"))
    press(browser, "N")
    browser.wait_for(here.format("0079999"))
    browser.run(search.format("step 0123456"))
    browser.wait_for(here.format("0123456"))
    browser.wait_for(f"{said} === '1 of 1'")
    browser.run(search.format("nothing like it"))
    browser.wait_for(f"{said} === 'none'")
    browser.run(
        "[...document.querySelectorAll('.log-line')].find((row) => row.textContent.startsWith('step 0123450')).click()"
    )
    at = int(browser.run("location.hash").removeprefix("#at="))
    file = served.live.folder / "jobs" / logged / "log.txt"
    with file.open("rb") as log:
        log.seek(at)
        assert log.readline().startswith(b"\x1b[32mstep 0123450")


# -- figures ---------------------------------------------------------------------------------------------------------

FIGURE = """<figure id="plan" data-chart="plan"><figcaption>Plan</figcaption>
<svg viewBox="0 0 400 100" role="img" aria-label="Plan" data-readable="plan-data" data-x0="100" data-x1="400" data-y0="10" data-y1="90">
<rect class="s-wind" x="100" y="10" width="300" height="80"/><rect class="s-grid" x="0" y="0" width="20" height="20"/><text x="10" y="50">salt ملح</text></svg>
<script type="application/json" id="plan-data">[["18:00","Wind 3 MW"],["19:00","Wind 2 MW"],["20:00","Wind \\u003cb> 1 MW"]]</script>
<div data-chart-tools="plan"><output data-readout>hint</output><button type="button" data-download="svg">SVG</button>
<button type="button" data-download="png">PNG</button><button type="button" data-download="csv">CSV</button></div>
<details id="t"><summary>table</summary><table><tr><th>Hour</th><th>Wind</th></tr><tr><th>\u206818:00\u2069</th><td data-value="3">3 MW</td></tr>
<tr><th>=1+1</th><td>a, "b"</td></tr></table></details></figure>"""
HATCH = '<svg width="0" height="0"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse"><path class="hatch-line" d="M0 0h3v6h-3z"/></pattern></defs></svg>'
CATCH = """window.saved = []; HTMLAnchorElement.prototype.click = function () { window.saved.push(this.download); };
URL.createObjectURL = (blob) => { window.blob = blob; return "#"; }; URL.revokeObjectURL = () => {};"""


def test_a_figure_is_read_by_keys_and_by_pointer(served: Served, browser: Chromium) -> None:
    show(served, browser, FIGURE)
    readout = "document.querySelector('[data-readout]').textContent"
    browser.wait_for("document.querySelector('svg[tabindex]') !== null")
    browser.run("document.querySelector('svg').focus()")
    press(browser, "ArrowRight")
    assert browser.run(readout) == "18:00 · Wind 3 MW"
    press(browser, "ArrowRight")
    press(browser, "End")
    assert browser.run(readout) == "20:00 · Wind <b> 1 MW"
    assert browser.run("document.querySelector('.reading-line').getAttribute('x1')") == "350.00"
    assert browser.run(REFRESHED)
    browser.wait_for("document.querySelector('.reading-line') !== null")
    assert browser.run(readout) == "20:00 · Wind <b> 1 MW", "a refresh keeps the place"
    press(browser, "Escape")
    assert browser.run(readout) == "hint" and browser.run("document.querySelector('.reading-line')") is None
    point(browser, "svg", share=0.6)
    browser.wait_for(f"{readout} === '19:00 · Wind 2 MW'")


def test_a_figure_is_saved_with_its_colours_fonts_and_numbers(served: Served, browser: Chromium) -> None:
    show(served, browser, FIGURE, after=HATCH)
    browser.wait_for("document.querySelector('svg[tabindex]') !== null")
    browser.run(CATCH)
    for kind in ("csv", "svg", "png"):
        browser.run(f"document.querySelector('[data-download={kind}]').click()")
        browser.wait_for(f"window.saved.includes('plan.{kind}')")
        if kind == "csv":
            assert browser.run("window.blob.text()").lstrip("\ufeff") == 'Hour,Wind\r\n18:00,3\r\n\'=1+1,"a, ""b"""\r\n'
        if kind == "svg":
            svg = browser.run("window.blob.text()")
            assert 'xmlns="http://www.w3.org/2000/svg"' in svg and 'width="400"' in svg and "class=" not in svg
            assert "rgb(28, 140, 126)" in svg and "light-dark" not in svg and "var(" not in svg
            assert svg.count("data:font/woff2;base64,") == 2, "Latin and Arabic"
            assert 'id="hatch"' in svg, "what is used elsewhere in the page comes along"
    read = "new Promise((done) => { const reader = new FileReader(); reader.onload = () => done(reader.result); reader.readAsDataURL(window.blob); })"
    png = base64.b64decode(browser.run(read).split(",")[1])
    assert png[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", png[16:24]) == (800, 200)
    seen = browser.run("""(async () => { const map = await createImageBitmap(window.blob); const canvas = new OffscreenCanvas(800, 200);
      const place = canvas.getContext("2d"); place.drawImage(map, 0, 0);
      const inked = (x) => place.getImageData(x, 70, 70, 50).data.some((value, n) => n % 4 === 1 && value < 120);
      return [[...place.getImageData(500, 100, 1, 1).data], inked(20), inked(100)]; })()""")
    assert seen == [[28, 140, 126, 255], True, True], "the colour of wind, and letters in both scripts"


def test_a_live_series_is_drawn_and_read(served: Served, browser: Chromium) -> None:
    def power(_request: Request) -> dict[str, Any]:
        times = [START_S + 60 * n for n in range(120)]
        return {
            "times_s": times,
            "series": {"drawn_mw": [0.0005 + n * 1e-6 for n in range(120)], "clean_mw": [None, *[0.001] * 119]},
        }

    served.pages["power"] = power
    series = json.dumps(
        [
            {"key": "drawn_mw", "name": "Work", "colour": "--ink"},
            {"key": "clean_mw", "name": "Clean", "colour": "--wind", "fill": True},
        ]
    )
    figure = f"""<figure id="power" data-series-chart data-live-keep data-url="/test/power" data-every-s="2" data-unit="MW" data-forms='{{"kW": "{{n}} kilo"}}' data-time-zone="UTC"
      data-waiting="waiting" data-series='{series}'><figcaption>Power</figcaption><div data-chart-plot></div><output data-readout>hint</output></figure>"""
    show(served, browser, figure)
    browser.wait_for("document.querySelector('[data-chart-plot] canvas') !== null")
    browser.run("document.querySelector('[data-chart-plot]').focus()")
    press(browser, "End")
    readout = "document.querySelector('[data-readout]').textContent.replace(/[\u2068\u2069]/g, '')"
    assert browser.run(readout) == "13:59 · Work 0.619 kilo · Clean 1 kilo"
    press(browser, "Home")
    assert browser.run(readout) == "12:00 · Work 0.5 kilo · Clean –"
    press(browser, "Escape")
    assert browser.run(readout) == "hint"
    inked = """(() => { const canvas = document.querySelector('[data-chart-plot] canvas');
      return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0); })()"""
    assert browser.run(inked)
    assert browser.run(REFRESHED)
    assert browser.run("document.querySelectorAll('[data-chart-plot] canvas').length") == 1


# -- hands -----------------------------------------------------------------------------------------------------------

SHEET = '<dialog id="keys" aria-label="keys"><input type="checkbox" data-keys-switch checked aria-label="keys"><form method="dialog"><button>close</button></form></dialog>'


def test_keys_go_to_pages_rows_and_the_search(served: Served, browser: Chromium) -> None:
    rows = "".join(f'<tr data-row><td><a id="r{n}" href="/jobs">{n}</a></td></tr>' for n in range(3))
    main = f'<input type="search" aria-label="s"><input id="text" aria-label="t"><table>{rows}</table><a href="/jobs" data-key="g j">jobs</a><button type="button" data-open-dialog="#keys">k</button>'
    show(served, browser, main, after=SHEET)
    active = "document.activeElement.id || document.activeElement.type"
    press(browser, "j")
    press(browser, "j")
    assert browser.run(active) == "r1"
    press(browser, "k")
    assert browser.run(active) == "r0"
    press(browser, "/")
    assert browser.run(active) == "search" and browser.run("document.activeElement.value") == ""
    press(browser, "?")
    assert browser.run("document.getElementById('keys').open") is False, "off while typing"
    browser.run("document.activeElement.blur()")
    press(browser, "?")
    assert browser.run("document.getElementById('keys').open") is True
    browser.run("document.querySelector('[data-keys-switch]').click(); document.getElementById('keys').close()")
    press(browser, "j")
    assert browser.run(active) != "r0", "switched off"
    browser.go(f"{served.url}/test/page")
    assert browser.run("document.querySelector('[data-keys-switch]').checked") is False
    browser.run("document.querySelector('[data-keys-switch]').click()")
    press(browser, "g")
    press(browser, "j")
    browser.wait_for("location.pathname === '/jobs' && document.readyState === 'complete'")


def test_copying_says_so(served: Served, browser: Chromium) -> None:
    show(
        served,
        browser,
        '<code id="line">park up</code><button type="button" id="c" data-copy="#line" data-said="Copied">Copy</button>',
    )
    browser.run("Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { window.copied = text; } } });"
                "document.getElementById('c').click()")  # fmt: skip
    browser.wait_for("document.getElementById('c').textContent === 'Copied'")
    assert browser.run("window.copied") == "park up"
    assert browser.run("document.querySelector('[role=status].unseen').textContent") == "Copied"
    browser.wait_for("document.getElementById('c').textContent === 'Copy'")


def test_an_explanation_can_be_dismissed_and_stays_in_the_window(served: Served, browser: Chromium) -> None:
    show(
        served,
        browser,
        '<p><span class="term" tabindex="0" id="t">CSP<span role="tooltip" class="tip">Mirrors gather the beam of the sun.</span></span></p>',
        lang="ar",
    )
    browser.run("document.getElementById('t').focus()")
    shown = "getComputedStyle(document.querySelector('[role=tooltip]')).display !== 'none'"
    assert (
        browser.run(
            "document.getElementById(document.getElementById('t').getAttribute('aria-describedby')).getAttribute('role')"
        )
        == "tooltip"
    )
    browser.wait_for(shown)
    box = browser.run(
        "(() => { const box = document.querySelector('[role=tooltip]').getBoundingClientRect(); return [box.left, box.right, innerWidth]; })()"
    )
    assert box[0] >= 0 and box[1] <= box[2]
    press(browser, "Escape")
    assert browser.run(shown) is False


def test_the_theme_is_chosen_and_kept(served: Served, browser: Chromium) -> None:
    show(
        served, browser, '<span data-theme-switch data-auto="As the device" data-light="Light" data-dark="Dark"></span>'
    )
    button = "document.querySelector('[data-theme-switch] button')"
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert browser.run(f"{button}.textContent") == "As the device"
    light = browser.run(ground)
    browser.run(f"{button}.click(); {button}.click()")
    assert browser.run(f"{button}.textContent") == "Dark" and browser.run(ground) != light
    browser.go(f"{served.url}/test/page")
    assert (
        browser.run("document.documentElement.dataset.theme") == "dark"
        and browser.run(f"{button}.textContent") == "Dark"
    )
    browser.run(f"{button}.click()")
    assert browser.run("document.documentElement.dataset.theme") is None and browser.run(ground) == light


def test_a_form_is_quoted_while_it_is_written(served: Served, browser: Chromium, tmp_path: Path) -> None:
    async def quote(request: Request) -> str:
        form = parse_qs((await request.body()).decode(), keep_blank_values=True)
        assert request.headers["origin"] == served.url
        figure = FIGURE if form["tier"][0] == "flex" else ""
        return f"{figure}<p>{form['tier'][0]} {len(form['script'][0].splitlines())}</p>"

    served.pages["quote"] = quote
    show(
        served,
        browser,
        """<form method="post" action="/test/page" data-submit-form hx-post="/test/quote" hx-trigger="load, input delay:100ms"
      hx-target="#quote" hx-sync="this:replace"><select name="tier" aria-label="tier"><option>firm<option>flex</select><textarea id="script" name="script" aria-label="s"></textarea>
      <input type="file" id="file" aria-label="f" data-fills="#script" data-bytes-max="1000" data-too-large="{name} is too large" data-not-text="{name} is no text">
      <output data-file-said></output><p id="more" data-when="tier=flex">deadline</p></form><section id="quote"></section>""",
    )
    said = "document.getElementById('quote').textContent"
    browser.wait_for(f"{said} === 'firm 0'")
    assert browser.run("document.getElementById('more').hidden") is True
    browser.run(
        "(() => { const tier = document.querySelector('select'); tier.value = 'flex'; tier.dispatchEvent(new Event('input', { bubbles: true })); })()"
    )
    said = "document.querySelector('#quote > p').textContent"
    browser.wait_for(f"{said} === 'flex 0'")
    browser.wait_for("document.querySelector('#quote svg[tabindex]') !== null")
    browser.run("document.querySelector('#quote svg').focus()")
    press(browser, "ArrowRight")
    assert browser.run("document.querySelector('#quote [data-readout]').textContent") == "18:00 · Wind 3 MW"
    assert browser.run("document.getElementById('more').hidden") is False
    node = browser.ask("Runtime.evaluate", expression="document.getElementById('file')")["result"]["objectId"]
    for name, content, expected in (
        ("a.py", b"print(1)\n", "a.py"),
        ("b.py", b"x" * 2000, "b.py is too large"),
        ("c.bin", b"\xff\x00", "c.bin is no text"),
    ):
        (tmp_path / name).write_bytes(content)
        browser.ask("DOM.setFileInputFiles", objectId=node, files=[str(tmp_path / name)])
        browser.wait_for(f"document.querySelector('[data-file-said]').textContent === '{expected}'")
    assert browser.run("document.getElementById('script').value") == "print(1)\n"
    browser.wait_for(f"{said} === 'flex 1'")


def test_a_tour_can_be_left_and_taken_up_again(served: Served, browser: Chromium) -> None:
    show(
        served,
        browser,
        """<h1 id="one">one</h1><p id="two">two</p><button type="button" id="go" data-tour-start="t" hidden>go</button>
      <ol data-tour="t" data-back="Back" data-next="Next" data-leave="Leave" data-end="Done" data-step="{n} of {all}" hidden>
      <li data-for="#one">first</li><li data-for="#absent">never</li><li data-for="#two"><b>second</b></li></ol>""",
        lang="ar",
    )
    browser.wait_for("document.getElementById('go').hidden === false")
    browser.run("document.getElementById('go').focus(); document.getElementById('go').click()")
    text = "document.querySelector('.tour-step')?.innerText.replace(/\\s+/g, ' ').trim()"
    assert browser.run(text) == "first Next Leave 1 of 2"
    assert browser.run("document.activeElement.textContent") == "Next"
    press(browser, "Enter")
    browser.run("document.activeElement.textContent === 'Next' && document.activeElement.click()")
    browser.wait_for(f"{text} === 'second Back Done 2 of 2'")
    box = browser.run(
        "(() => { const box = document.querySelector('.tour-step').getBoundingClientRect(); return [box.left, box.right, box.top, innerWidth]; })()"
    )
    assert box[0] >= 0 and box[1] <= box[3] and box[2] >= 0
    press(browser, "Escape")
    assert browser.run("[document.querySelector('.tour-step'), document.activeElement.id]") == [None, "go"]
    browser.run("document.getElementById('go').click()")
    assert browser.run(text) == "second Back Done 2 of 2"
    browser.run("document.querySelector('[data-main]').click()")
    assert browser.run("document.querySelector('.tour-here')") is None
    browser.go(f"{served.url}/test/page?tour=1")
    browser.wait_for(f"{text} === 'first Next Leave 1 of 2'")
    assert browser.run("location.search") == ""
