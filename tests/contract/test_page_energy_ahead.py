"""The page of forecasts: a week beside what came, scores that stand in the study, nothing an address can break."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import numpy as np
import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark
from tests.helpers.reading import Page

from eureka_park.energy.core.climate import climate_of
from eureka_park.energy.core.forecast import Outlook, noise_of
from eureka_park.energy.core.weather import typical_years
from eureka_park.energy.forecast_file import shipped_forecasts
from eureka_park.energy.make_forecast_study import SEEDS, SERIES
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_reading import load_site
from eureka_park.web.app import make_app
from eureka_park.web.pages.energy_ahead import chosen_in
from eureka_park.web.pages.words import LANGUAGES

STUDY = shipped_forecasts()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    live = LivePark(tmp_path_factory.mktemp("ahead"))
    yield TestClient(make_app(live.park), base_url="http://localhost:8386", headers={"Accept": "text/html"})
    live.park.close()


def html(client: TestClient, query: str = "", lang: str = "en") -> str:
    answer = client.get(f"/energy/ahead{query}", headers={"Accept-Language": lang})
    assert answer.status_code == 200, answer.text[:1500]
    return answer.text


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("query", ["", "?series=1&lead=48&month=7"])
def test_the_page_in_every_language(client: TestClient, lang: str, query: str) -> None:
    page = Page(html(client, query, lang))
    assert len(page.all("h1")) == 1 and "fan" in {item.attributes.get("class") for item in page.all("svg")}
    ids = [item.attributes["id"] for item in page.elements if item.attributes.get("id")]
    assert len(ids) == len(set(ids)) and all("style" not in item.attributes for item in page.elements)


def test_the_readings_are_those_of_the_study(client: TestClient) -> None:
    shown = json.loads(html(client, "?series=1&lead=24&month=3").split('id="ahead-data">')[1].split("</script>")[0])
    weeks = STUDY["weeks"][1]
    assert weeks["series"] == "wind_m_per_s" and len(shown) == 168
    for hour in (0, 50, 167):
        plain = re.sub("[\u2066-\u2069]", "", shown[hour][1]).replace("\u00a0", " ")
        assert plain == f"what came: {weeks['truth'][2][hour] / weeks['scale']:.1f} m/s"


def test_scores_and_their_labels_are_told(client: TestClient) -> None:
    text = re.sub("[\u2066-\u2069]", "", Page(html(client)).text).replace("\u00a0", " ")
    row = next(
        row for row in STUDY["synthetic"]["ouarzazate"]
        if (row["series"], row["method"], row["lead_h"]) == ("dni_w_per_m2", "forecast", 24)
    )  # fmt: skip
    assert f"{row['rmse']:.0f} W/m²" in text and "measured" in text and "UCI 849" in text
    assert text.count("Beam of the sun: Tétouan") == 0  # the file held global light alone


def test_bands_hold_about_four_hours_of_five() -> None:
    for rows in (*STUDY["synthetic"].values(), *(one["rows"] for one in STUDY["real"])):
        for row in rows:
            if row["method"] in ("forecast", "statistical") and row["lead_h"] > 0:
                assert 0.74 < row["coverage_frac"] < 0.88, row


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"series": "9"},
        {"series": "-1"},
        {"lead": "25"},
        {"month": "13"},
        {"month": "٣"},
        {"lead": "1e1"},
        {"series": ""},
    ],
)
def test_what_an_address_says_wrongly_is_the_first_of_each(values: dict[str, str]) -> None:
    assert chosen_in(values, STUDY) == {"series": 0, "lead": 24, "month": 1}


def test_every_choice_is_a_link_that_keeps_the_others(client: TestClient) -> None:
    links = re.findall(r'href="(\?series=[^"]*)"', html(client, "?series=1&lead=48&month=7"))
    assert len(links) == 2 + 3 + 12 and "?series=1&amp;lead=48&amp;month=8#ahead-card" in links


@pytest.mark.parametrize("index", [0, 1])
def test_the_study_is_of_today_s_weather_and_forecasts(index: int) -> None:
    """One week of each series made again; where this fails: python -m eureka_park.energy.make_forecast_study."""
    place, name, kind, scale = SERIES[index]
    kept = STUDY["weeks"][index]
    assert (kept["place"], kept["series"], kept["seed"]) == (place, name, SEEDS[0])
    places = load_site("eureka-park").weather_sites
    series = getattr(typical_years(places, SEEDS[0])[place], name)
    start = kept["starts_h"][4]
    assert np.rint(scale * series[start : start + 168]).astype(int).tolist() == kept["truth"][4]
    climate = climate_of(series, is_solar=kind == "sun")
    outlook = Outlook(climate, climate.scores(series), noise_of(SeedTree(SEEDS[0]), place, kind))
    middle = outlook.at_lead(24).quantile(0.5)[start : start + 168]
    assert np.rint(scale * middle).astype(int).tolist() == pytest.approx(kept["leads"]["24"]["p50"][4], abs=1)
