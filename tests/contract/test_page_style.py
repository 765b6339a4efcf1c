"""The page of the identity: every component, light beside dark, contrast as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark
from tests.helpers.reading import Page

from eureka_park.web.app import make_app
from eureka_park.web.charts.contrast import pairs_of
from eureka_park.web.pages.style import colours
from eureka_park.web.pages.vocabulary import STATES, TIERS
from eureka_park.web.pages.words import LANGUAGES, Words

SHEET = Path(__file__).resolve().parents[2] / "src/eureka_park/web/styles/park.css"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    live = LivePark(tmp_path_factory.mktemp("style"))
    yield TestClient(make_app(live.park), base_url="http://localhost:8386", headers={"Accept": "text/html"})
    live.park.close()


def page_of(client: TestClient, lang: str = "en") -> Page:
    answer = client.get("/style", headers={"Accept-Language": lang})
    assert answer.status_code == 200, answer.text[:2000]
    return Page(answer.text)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_in_every_language(client: TestClient, lang: str) -> None:
    page = page_of(client, lang)
    assert len(page.all("h1")) == 1
    ids = [item.attributes["id"] for item in page.elements if item.attributes.get("id")]
    assert len(ids) == len(set(ids))
    labelled = {item.attributes["for"] for item in page.all("label") if "for" in item.attributes}
    assert labelled <= set(ids)
    assert {"ar", "zgh", "en"} <= {item.attributes.get("lang") for item in page.all("span")}


def test_every_state_and_tier_is_shown_in_light_and_in_dark(client: TestClient) -> None:
    classes = [item.attributes.get("class", "") for item in page_of(client).elements]
    for name in STATES:
        assert classes.count(f"state state-{name}") == 2, name
    for name in TIERS:
        assert classes.count(f"tier tier-{name}") >= 2, name


def test_contrast_is_that_of_the_sheet(client: TestClient) -> None:
    text, words = page_of(client).text, Words("en")
    pairs = pairs_of(colours())
    assert all(pair.passes for pair in pairs) and "✗" not in text
    assert words.number(pairs[0].light, 1) in text and words.number(pairs[0].dark, 1) in text


def test_the_built_sheet_has_every_token_of_the_source(client: TestClient) -> None:
    from eureka_park.web.charts.contrast import tokens_of

    assert colours().keys() == tokens_of(SHEET.read_text("utf-8")).keys()


def test_each_sample_has_a_class_for_its_two_colours() -> None:
    sheet = SHEET.read_text("utf-8")
    for pair in pairs_of(colours()):
        assert f".t-{pair.over} " in sheet or f".t-{pair.over}," in sheet, pair
        assert f".g-{pair.ground} " in sheet, pair
