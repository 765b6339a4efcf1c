"""The pages over a real park on a stepped clock: languages, safety, signing in, errors in words, weight."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from babel.messages.catalog import Message
from fastapi.testclient import TestClient
from tests.helpers import live_park
from tests.helpers.live_park import LivePark
from tests.helpers.read_pages import BROWSER, EVIL, LOG, NAMES, ODD, URL, Pages, page_routes
from tests.helpers.reading import Element, Page, Text, outside_isolates
from tests.helpers.recorder import PlanInProcess

from eureka_park.foundation.errors import Internal
from eureka_park.web.app import make_app
from eureka_park.web.assets import BUILT
from eureka_park.web.locales.make import extracted, read
from eureka_park.web.pages.reasons import REASONS
from eureka_park.web.pages.words import LANGUAGES, Words


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    pages = Pages(tmp_path_factory.mktemp("pages"))
    yield pages
    pages.live.park.close()


# Attributes whose values reach people, at once or through the islands.
SPOKEN: Final = (
    "aria-label", "title", "alt", "placeholder", "data-said", "data-done", "data-waiting", "data-none", "data-some",
    "data-auto", "data-light", "data-dark", "data-back", "data-next", "data-leave", "data-end", "data-step",
    "data-too-large", "data-not-text",
)  # fmt: skip
TIFINAGH: Final = re.compile("[\u2d30-\u2d7f]{2}")  # a single letter is a sample of type
# Words of English that no French or Arabic text has; names, units and commands are not among them.
ENGLISH: Final = re.compile(
    r"\b(?:the|and|of|is|are|was|with|its|this|that|for|from|which|not|you|your|when|what|while|than|more|by|has|have)\b"
)
# Latin words in Arabic pages that no catalogue holds: the names of languages, places of time zones, units of machines.
KEPT: Final = frozenset({
    "Eureka", "Park", "Apache", "CO", "CPU", "GPU", "GiB", "SVG", "PNG", "CSV", "Esc", "Français", "English",
    "Africa", "Casablanca", "MAD", "PUE", "Aa", "Readex", "Pro", "Noto", "Sans", "Tifinagh",
})  # fmt: skip


def latin_in(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-zÀ-ÿ]{2,}", text))


@pytest.fixture(scope="module")
def messages() -> list[tuple[str, re.Pattern[str]]]:
    """Every English text of the pages with the form of what it looks like once its fields are filled in."""
    found = []
    for message in extracted():
        for text in message.id if isinstance(message.id, tuple | list) else (message.id,):
            if len(re.findall(r"[a-z]", re.sub(r"{\w+}", "", str(text)))) > 3:
                form = re.escape(str(text)).replace("\\{", "{").replace("\\}", "}")
                found.append((str(text), re.compile(re.sub(r"{\w+}", ".*?", form))))
    return found


def html_head(page: Page) -> list[str]:
    tags = [item.tag for item in page.elements]
    return tags[: tags.index("body")]


def spoken(page: Page) -> Iterator[Text]:
    """Texts and spoken attributes for people: data, programs and what is marked as another language left out."""
    tag = page.elements[0].attributes["lang"]
    for item in page.texts:
        if not item.is_in("script", "pre", "code", "kbd", "textarea") and item.lang == tag:
            yield item
    for element in page.elements:
        if element.attributes.get("lang", tag) == tag:
            yield from (Text(element.attributes[name], [element]) for name in SPOKEN if element.attributes.get(name))


def test_every_page_is_among_those_that_are_read(pages: Pages) -> None:
    paths = [path.split("?")[0] for path in pages.paths]
    html = page_routes(pages.app)
    unread = [route.path for route in html if not any(route.path_regex.match(path) for path in paths)]
    assert len(html) > 3 and not unread, unread


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_in_every_language(pages: Pages, lang: str) -> None:
    words = Words(lang)
    for path in (*pages.paths, "/nothing"):
        page = pages.seen(path, lang, status=404 if path == "/nothing" else 200)
        html = page.elements[0]
        assert (html.attributes["lang"], html.attributes["dir"]) == (words.tag, words.direction)
        assert len(page.all("h1")) == len(page.all("main")) == html_head(page).count("title") == 1, path
        open_marks = [
            item.text for item in page.texts if re.search(r"{\w*}", item.text) and not item.is_in("pre", "script")
        ]
        assert not open_marks, (path, open_marks)
        ids = [item.attributes["id"] for item in page.elements if "id" in item.attributes]
        assert len(set(ids)) == len(ids) and {"main", "hatch"} <= set(ids), path
        assert "nan" not in page.text.lower().split(), path


@pytest.mark.parametrize("lang", [lang for lang in LANGUAGES if lang != "en"])
def test_no_english_is_left(pages: Pages, lang: str, messages: list[tuple[str, re.Pattern[str]]]) -> None:
    words = Words(lang)
    left = [(text, form) for text, form in messages if words.say(text) != text]
    known_of = cache(lambda said: [text for text, form in left if form.fullmatch(said)])
    for path in (*pages.paths, "/nothing"):
        for item in spoken(pages.seen(path, lang, status=404 if path == "/nothing" else 200)):
            known = known_of(item.text)
            assert not known or item.is_in("bdi"), (path, item.text, known)
            if not item.is_in("bdi", "svg"):
                assert not ENGLISH.search(outside_isolates(item.text)), (path, item.text)


def texts_of(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, tuple | list) else (str(message.string),)


def without_names(text: str) -> str:
    """A text without what people named, be it cut short."""
    if text.endswith("…") and any(name.startswith(text[:-1]) for name in NAMES):
        return ""
    for name in NAMES:
        text = text.replace(name, "")
    return text


def test_arabic_pages_speak_arabic(pages: Pages) -> None:
    chosen = {word for message in read("ar_MA") for text in texts_of(message) for word in latin_in(text)}
    for path in pages.paths:
        for item in spoken(pages.seen(path, "ar")):
            if not item.is_isolated:
                outside = outside_isolates(without_names(item.text))
                latin = latin_in(outside) - KEPT - chosen
                assert not latin, (path, item.text, latin)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_tamazight_is_marked_as_such(pages: Pages, lang: str) -> None:
    for path in pages.paths:
        page = pages.seen(path, lang)
        wrong = [item for item in page.texts if bool(TIFINAGH.search(item.text)) is not (item.lang == "zgh")]
        assert not wrong, (path, wrong)
        if lang == "zgh":
            speaking = [item.text for item in page.texts if item.lang == "zgh"]
            assert Words("zgh").head("Welcome") in speaking or not page.all("nav"), path
            assert page.elements[0].attributes["lang"] == "fr"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_no_native_reader_has_seen_says_so(pages: Pages, lang: str) -> None:
    note = Words(lang).say("These texts have not yet been reviewed by a native reader.")
    assert (note in pages.read("/", lang).text) is (lang in {"ar", "zgh"})


def test_every_page_has_a_title_of_its_own(pages: Pages) -> None:
    for lang in LANGUAGES:
        for path in pages.paths:
            title = next(item.text for item in pages.seen(path, lang).texts if item.is_in("title"))
            assert title.endswith("Eureka Park") and len(title) > len("Eureka Park"), (path, title)


def test_policy_of_content_and_nothing_inline(pages: Pages) -> None:
    for path in (*pages.paths, "/nothing"):
        answer = pages.owner.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-store"
        page = Page(answer.text)
        assert not page.all("style") and not page.all("iframe") and not page.all("base")
        for element in page.elements:
            inline = [name for name in element.attributes if name == "style" or name.startswith("on")]
            assert not inline, (path, element)
            for name in ("href", "src", "action"):
                assert re.match(r"[/?#]|$", element.attributes.get(name, "")), (path, element)
                assert not element.attributes.get(name, "").startswith("//"), (path, element)
        assert all(is_program_of_ours(element) or is_data(element) for element in page.all("script"))
        for item in page.texts:
            if item.is_in("script"):
                assert is_data(item.around[-1]), (path, item)
                json.loads(item.text)


def is_program_of_ours(script: Element) -> bool:
    return script.attributes.get("src", "").startswith("/static/")


def is_data(script: Element) -> bool:
    return script.attributes.get("type") == "application/json" and "src" not in script.attributes


def programs(page: Page) -> list[Element]:
    return [item for item in page.all("script") if not is_data(item)]


def test_ids_keep_their_direction(pages: Pages) -> None:
    for path in pages.paths:
        page = pages.seen(path, "ar")
        ids = [item for item in page.texts if re.search(r"job-[a-z2-7]{16}", item.text)]
        assert all(item.is_isolated for item in ids), [item for item in ids if not item.is_isolated]
        assert ids or "/jobs/" not in path or "/outputs/" in path, path
    for item in pages.read("/site", "ar").texts:
        assert not re.fullmatch(r"[\d.,  ]+", item.text) or item.is_isolated, item


def test_figures_with_units_keep_their_direction(pages: Pages) -> None:
    for path in pages.paths:
        for item in pages.seen(path, "ar").texts:
            outside = outside_isolates(item.text)
            has_figure = re.search(r"\d (?:W|kW|MW|Wh|kWh|g|kg|%)\b", outside) or re.search(r"\d{4}-\d\d-\d\d", outside)
            assert not has_figure or item.is_isolated or item.is_in("svg"), (path, item)


def test_names_and_logs_are_texts(pages: Pages) -> None:
    for path in ("/jobs", f"/jobs/{pages.done}"):
        page = pages.read(path)
        assert EVIL in [item.text for item in page.texts if item.is_in("bdi")]
        assert len(programs(page)) == 2
    page = pages.read(f"/jobs/{pages.done}")
    assert page.texts[0].text.startswith(EVIL) and page.texts[0].is_in("title")
    log = next(item for item in page.texts if "data-log-text" in item.around[-1].attributes)
    assert log.text == LOG.decode("utf-8", "replace").strip()
    assert page.all("img") == page.all("img")[:1], "the park's own sign only"
    viewer = next(item for item in page.elements if "data-log-viewer" in item.attributes)
    assert viewer.attributes["data-end-offset"] == str(len(LOG)) and "data-over" in viewer.attributes


def test_log_that_begins_with_an_empty_line_keeps_it(pages: Pages) -> None:
    file = pages.live.folder / "jobs" / pages.running / "log.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"\n\nsecond\n")
    html = pages.owner.get(f"/jobs/{pages.running}").text
    begin = re.search(r"<pre [^>]*data-log-text[^>]*>(.*?)</pre>", html, re.DOTALL)
    assert begin is not None and begin[1] == "\n\n\nsecond\n", "a browser drops the first line end after <pre>"


def test_odd_outputs_can_be_fetched_by_their_links(pages: Pages) -> None:
    page = pages.read(f"/jobs/{pages.done}")
    assert ODD.split("/")[1] in [item.text for item in page.texts]
    links = [item.attributes["href"] for item in page.all("a") if "/outputs/" in item.attributes.get("href", "")]
    assert len(links) >= 2 and all(re.fullmatch(r"[A-Za-z0-9/._%~-]+", link) for link in links)
    downloads = [link for link in links if link.startswith("/api/")]
    assert {pages.owner.get(link).content for link in downloads} == {b"odd", b"noted"}


def test_links_of_every_page_lead_somewhere(pages: Pages) -> None:
    links = {
        item.attributes[name]
        for path in pages.paths
        for item in pages.seen(path).elements
        for name in ("href", "src", "data-log")
        if item.attributes.get(name, "").startswith("/")
    }
    assert len(links) > 15
    assert [link for link in links if pages.owner.get(link).status_code != 200] == []


def test_private_jobs_are_not_there_for_visitors(pages: Pages) -> None:
    page = pages.read(f"/jobs/{pages.private}", who=pages.visitor, status=404)
    assert "There is nothing here." in page.text
    unknown = pages.read("/jobs/job-aaaaaaaaaaaaaaaa", "fr", who=pages.visitor, status=404)
    assert Words("fr").say("There is nothing here.") in unknown.text
    for path in ("/", "/jobs"):
        assert pages.private not in pages.visitor.get(path).text
        assert pages.private in pages.owner.get(path).text


def test_cancel_needs_somebody_and_the_park_s_own_page(pages: Pages) -> None:
    job_id = pages.submit(1e6, cpus=0.2)
    pages.live.step(times=3)
    path, own = f"/jobs/{job_id}/cancel", {"Origin": URL}
    assert f'action="{path}"' in pages.owner.get(f"/jobs/{job_id}").text
    assert f'action="{path}"' not in pages.visitor.get(f"/jobs/{job_id}").text
    refused = pages.visitor.post(path, headers=own)
    assert refused.status_code == 401 and "You are not signed in." in Page(refused.text).text
    for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        refused = pages.owner.post(path, headers=headers)
        assert refused.status_code == 403 and "This is not yours to do." in Page(refused.text).text
    assert pages.owner.get(path).status_code == 405
    assert pages.live.view(job_id)["state"] == "running"
    done = pages.owner.post(path, headers=own, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, f"/jobs/{job_id}")
    pages.live.step(times=3)
    assert pages.live.view(job_id)["state"] == "cancelled"
    assert f'action="{path}"' not in pages.owner.get(f"/jobs/{job_id}").text


def test_sign_in_works_once_and_ends(pages: Pages) -> None:
    link, somebody = pages.link(), pages.browser()
    first = somebody.get(link, follow_redirects=False)
    assert (first.status_code, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
    assert 'action="/sign-out"' in somebody.get("/").text
    advice = (
        "The link has been used or has grown old. "
        "The command that starts the park prints a new one, also while it runs."
    )
    for again in (link, "/sign-in?code=wrong"):
        page = pages.read(again, "fr", who=pages.browser(), status=401)
        assert Words("fr").say("You are not signed in.") in page.text
        assert Words("fr").say(advice) in page.text
    assert somebody.post("/sign-out", headers={"Origin": "http://evil.example"}).status_code == 403
    session = somebody.cookies["park_session"]
    out = somebody.post("/sign-out", headers={"Origin": URL}, follow_redirects=False)
    assert out.status_code == 303 and "park_session" not in somebody.cookies
    back = pages.browser().get("/", headers={"Cookie": f"park_session={session}"})
    assert back.status_code == 200 and 'action="/sign-out"' not in back.text, "an ended session is nobody's"


def test_language_is_kept(pages: Pages) -> None:
    somebody = pages.browser()
    assert 'lang="ar"' in somebody.get("/?lang=ar").text
    assert 'lang="ar"' in somebody.get("/jobs", headers={"Accept-Language": "fr"}).text
    assert '<html lang="fr"' in somebody.get("/site?lang=fr").text
    assert "set-cookie" not in somebody.get("/site?lang=xx").headers
    assert '<html lang="fr"' in somebody.get("/?lang=xx").text
    assert "Accept-Language" in somebody.get("/").headers["vary"] and "Cookie" in somebody.get("/").headers["vary"]


def test_errors_are_pages_for_browsers_and_json_for_programs(pages: Pages) -> None:
    page = pages.read("/nothing", "fr", status=404)
    assert page.elements[0].attributes["lang"] == "fr" and page.all("main")
    for accept in ("*/*", "application/json"):
        answer = pages.visitor.get("/nothing", headers={"Accept": accept})
        assert answer.status_code == 404 and answer.json()["error"]["code"] == "not_found"
    assert pages.visitor.get("/api/v1/nothing").json()["error"]["code"] == "not_found"
    for path in ("/jobs?state=asleep", "/jobs?after=x", "/jobs/UPPER"):
        page = pages.read(path, status=422)
        assert "That could not be read." in page.text
    page = pages.read(f"/jobs?after={EVIL}", status=422)
    assert len(programs(page)) == 2
    request_id = pages.visitor.get("/nothing").headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{16}", request_id)


@pytest.mark.filterwarnings("ignore")
def test_a_defect_is_a_page_with_all_headers(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("secret inner text")

    monkeypatch.setattr(pages.live.park.compute, "counts", broken)
    for path, is_page in (("/", True), ("/api/v1/status", False)):
        answer = pages.visitor.get(path)
        assert answer.status_code == 500 and "secret inner" not in answer.text
        assert answer.headers["x-request-id"] in answer.text
        assert "default-src" in answer.headers["content-security-policy"]
        assert ("Something in the park went wrong." in answer.text) and ("<main" in answer.text) is is_page


@pytest.mark.filterwarnings("ignore")
def test_an_error_that_no_page_can_show_is_told_in_json(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise Internal("The database is gone.")

    monkeypatch.setattr(pages.live.park.energy, "current_plan", broken)
    answer = pages.visitor.get("/")
    assert answer.status_code == 500 and answer.json()["error"]["request_id"] == answer.headers["x-request-id"]


def test_files_are_kept_long_where_versioned(pages: Pages) -> None:
    page = pages.read("/")
    linked = [*programs(page), *page.all("link")]
    files = [item.attributes.get("href") or item.attributes["src"] for item in linked]
    versioned = [file for file in files if "?v=" in file]
    assert len(versioned) == 3
    for file in versioned:
        assert pages.visitor.get(file).headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "31536000" not in pages.visitor.get(file.split("?")[0]).headers["cache-control"]
        etag = pages.visitor.get(file).headers["etag"]
        assert pages.visitor.get(file, headers={"If-None-Match": etag}).status_code == 304
    missing = pages.visitor.get("/static/none.css?v=1")
    assert missing.status_code == 404 and "31536000" not in missing.headers.get("cache-control", "")
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/"):
        assert pages.visitor.get(path).status_code == 404


FETCHED = {"/": ("figure", "tour"), "/site": ("figure",), "/verdict": (), "/energy/year": ("what_if", "figure"),
           "/twin": ("playback", "run_follow", "figure")}  # fmt: skip


def test_pages_are_light(pages: Pages) -> None:
    """Page, style sheet and programs together, as they go over the line; fonts have budgets of their own.

    All programs count, but on pages that are heavy by themselves those that they fetch; sheets where they are linked.
    """
    weights = {file: len(gzip.compress(file.read_bytes())) for file in (*BUILT.rglob("*.css"), *BUILT.rglob("*.js"))}
    own = {file for file in weights if file.stem in ("verdict", "twin_report")}  # of files that stand alone
    islands = {file for file in weights if file.parent.name == "chunks" and not file.stem.startswith("chunk-")}
    for path in pages.paths:
        fetched = FETCHED.get(path.partition("?")[0])
        unused = own if fetched is None else {file for file in islands if file.stem.partition("-")[0] not in fetched}
        html = pages.owner.get(path).content
        linked = {file for file in weights if file.suffix != ".css" or f"/{file.name}?".encode() in html}
        weight = sum(size for file, size in weights.items() if file in linked - unused)
        assert weight + len(gzip.compress(html)) < 100_000, (path, weight)


def test_before_the_first_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(PlanInProcess):
        def take(self) -> tuple[None, None]:
            return None, None

    monkeypatch.setattr(live_park, "PlanInProcess", Slow)
    live = LivePark(tmp_path)
    live.step()
    job_id = live.submit()
    live.step()
    app = make_app(live.park)
    client = TestClient(app, base_url=URL, headers=BROWSER)
    for lang in LANGUAGES:
        words = Words(lang)
        page = Page(client.get("/", headers={"Accept-Language": lang}).text)
        assert words.say("The park is waking up.") in page.text
        assert words.say("The first plan is being made; it takes a few seconds.") in page.text
        assert any(words.say(form) in page.text for form in REASONS.values()) or lang == "en"
        static = [route.path for route in page_routes(app) if "{" not in route.path]
        for path in (*static, f"/jobs/{job_id}"):
            assert client.get(path, headers={"Accept-Language": lang}).status_code == 200
    live.park.close()
