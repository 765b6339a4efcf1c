"""The first pages somebody sees: welcome, the tour, the glossary; in every language, with what is true now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark
from tests.helpers.reading import Page

from eureka_park.foundation.site_reading import new_site_text
from eureka_park.web.app import make_app
from eureka_park.web.pages.glossary import TERMS
from eureka_park.web.pages.words import LANGUAGES, Words

URL = "http://localhost:8386"
TOUR = Path(__file__).parents[2] / "src" / "eureka_park" / "web" / "templates" / "tour.html"


class First:
    """A park before its first plan, then with one."""

    def __init__(self, folder: Path, **home: str) -> None:
        self.live = LivePark(folder, **home)
        self.browser = TestClient(make_app(self.live.park), base_url=URL, headers={"Accept": "text/html"})

    def read(self, path: str, lang: str = "en") -> Page:
        answer = self.browser.get(path, headers={"Accept-Language": lang})
        assert answer.status_code == 200, answer.text[:2000]
        return Page(answer.text)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[First]:
    first = First(tmp_path_factory.mktemp("first"))
    yield first
    first.live.park.close()


def test_before_anything_has_happened_the_page_teaches(first: First) -> None:
    page = first.read("/welcome")
    assert "No job has finished yet." in page.text and "386" in page.text
    targets = {item.attributes["href"] for item in page.all("a") if "href" in item.attributes}
    assert {"/?tour=1", "/submit?template=hello", "/jobs", "/glossary", "/connect", "/site"} <= targets


def test_with_a_plan_and_a_finished_job(first: First) -> None:
    private = first.live.park.accounts.ensure_project("quiet", "Quiet", False)
    assert not private.is_public
    seen = first.live.submit(5, tier="firm", cpus=0.2, name="seen by all")
    first.live.submit(9, tier="firm", cpus=0.2, name="seen by few", project="quiet")
    first.live.step(times=8)
    page = first.read("/welcome")
    assert "seen by all" in page.text and "seen by few" not in page.text
    assert f"/jobs/{seen}" in {item.attributes.get("href") for item in page.all("a")}
    assert re.search(r"In the next 48 hours of this park's plan its own plants could carry \D?\d+%", page.text)
    assert "57%" in page.text and "43%" in page.text and "synthetic weather" in page.text


def test_another_site_is_drawn_with_what_it_has(tmp_path: Path) -> None:
    file = tmp_path / "roof.toml"
    file.write_text(new_site_text("roof"))
    roof = First(tmp_path, site_name=str(file))
    roof.live.step(times=3)
    page = roof.read("/welcome")
    drawn = {item.attributes.get("class") for item in page.elements}
    assert "s-pv panel" in drawn and not {"mirror", "mast", "blades", "s-salt wave"} & drawn
    assert not [place for place in ("Ouarzazate", "Koudia", "Tétouan", "57%", "Noor") if place in page.text]
    assert "Computing that follows the sky." in page.text
    roof.live.park.close()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", ["/welcome", "/glossary", "/connect"])
def test_every_language(first: First, path: str, lang: str) -> None:
    page = first.read(path, lang)
    assert page.elements[0].attributes["dir"] == Words(lang).direction and len(page.all("h1")) == 1
    assert not [text.text for text in page.texts if "{" in text.text and not text.is_in("script")]
    assert not page.all("style") and not [item for item in page.elements if "style" in item.attributes]
    ids = [item.attributes["id"] for item in page.elements if "id" in item.attributes]
    assert len(ids) == len(set(ids))


def test_languages_say_whether_a_native_reader_has_seen_them(first: First) -> None:
    page = first.read("/welcome")
    unseen = [language for language in LANGUAGES.values() if not language.is_reviewed]
    assert page.text.count("not yet reviewed by a native reader") == len(unseen) == 2


def test_the_glossary_holds_every_word_once(first: First) -> None:
    page = first.read("/glossary")
    ids = [item.attributes["id"] for item in page.all("div") if item.attributes.get("id") in TERMS]
    assert sorted(ids) == sorted(TERMS)
    names = [text.text for text in page.texts if text.is_in("dt") and text.is_in("main")]
    assert names == sorted(names, key=str.casefold) and len(names) == len(TERMS)


@pytest.mark.parametrize(
    ("asked", "found"), [("SALT", "salt"), ("concentrated", "csp"), ("  pue ", "pue"), ("dirham", "credits")]
)
def test_the_glossary_is_searched_without_scripts(first: First, asked: str, found: str) -> None:
    page = first.read(f"/glossary?q={asked}")
    ids = {item.attributes.get("id") for item in page.all("div")} & TERMS.keys()
    assert found in ids and len(ids) < len(TERMS)
    shown = next(item for item in page.all("input") if item.attributes.get("name") == "q")
    assert shown.attributes["value"] == asked.strip()


def test_the_glossary_is_searched_in_french_and_says_when_it_holds_nothing(first: First) -> None:
    name = Words("fr").say(TERMS["salt"][0])
    assert "salt" in {item.attributes.get("id") for item in first.read(f"/glossary?q={name}", "fr").all("div")}
    nothing = first.read("/glossary?q=%3Cscript%3Exyzzy")
    assert "No word here holds that." in nothing.text and not any("xyzzy" in t.text for t in nothing.texts)


def test_the_tour_names_parts_of_the_overview(first: First) -> None:
    steps = re.findall(r'<li data-for="([^"]+)">', TOUR.read_text())
    assert len(steps) == 5
    page = first.read("/")
    ids = {item.attributes.get("id") for item in page.elements}
    assert {step[1:] for step in steps if step.startswith("#") and " " not in step} <= ids
    assert any("main-button" in item.attributes.get("class", "") for item in page.all("a"))
