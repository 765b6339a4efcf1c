"""Energy by the meter: sums that agree with the ledger, forecast told from metering, three numbers, the curve."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark
from tests.helpers.reading import Page

from eureka_park.web.app import make_app
from eureka_park.web.charts.curve import N_READINGS
from eureka_park.web.pages.words import LANGUAGES, Words

URL = "http://localhost:8386"


class Metered:
    """A park with some hours of readings, four hours off among them."""

    def __init__(self, folder: Path) -> None:
        self.live = LivePark(folder)
        for tier in ("firm", "flex", "green"):
            self.live.submit(1e6, name=tier, tier=tier, cpus=0.4, time=86400)
        self.live.step(600, times=9)
        self.live.clock.step(4 * 3600)
        self.live.step(600, times=9)
        self.client = TestClient(make_app(self.live.park), base_url=URL, headers={"Accept": "text/html"})

    def html(self, path: str = "/energy", lang: str = "en") -> str:
        answer = self.client.get(path, headers={"Accept-Language": lang})
        assert answer.status_code == 200, answer.text[:2000]
        return answer.text

    def today(self) -> dict[str, Any]:
        return self.live.park.ledger.today(self.live.park.clock.park_s())


@pytest.fixture(scope="module")
def metered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metered]:
    metered = Metered(tmp_path_factory.mktemp("energy"))
    yield metered
    metered.live.park.close()


@pytest.mark.parametrize("path", ["/energy", "/energy?days=7"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_in_every_language(metered: Metered, lang: str, path: str) -> None:
    page = Page(metered.html(path, lang))
    assert len(page.all("h1")) == 1
    shown = {item.attributes.get("class") for item in page.all("svg")}
    assert {f"{kind} plan-{size}" for kind in ("sankey", "heat", "curve") for size in ("wide", "narrow")} <= shown
    ids = [item.attributes["id"] for item in page.elements if item.attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert all("style" not in item.attributes for item in page.elements)


def test_every_chart_has_a_table_and_tools(metered: Metered) -> None:
    html = metered.html()
    for name in ("flows", "clean-share", "power-now", "curve"):
        figure = html.split(f'data-chart="{name}"')[1].split("</figure>")[0]
        assert "<table>" in figure and 'data-download="csv"' in figure and 'data-download="png"' in figure, name


def test_figures_are_the_ledgers(metered: Metered) -> None:
    words, today = Words("en"), metered.today()
    text = Page(metered.html()).text
    for shown in (words.energy(today["kwh"]), words.grams(today["gco2"]), words.percent(today["clean_frac"])):
        assert shown in text
    jobs = sum(row["jobs_kwh"] for row in today["hours"])
    idle = sum(row["idle_kwh"] for row in today["hours"])
    assert f"{words.energy(jobs)} in jobs, {words.energy(idle)} idle" in text


def test_carbon_by_source_adds_up_to_the_ledgers(metered: Metered) -> None:
    today, factors = metered.today(), metered.live.park.site.gco2_per_kwh_by_source
    total = sum(kwh * factors[source] for source, kwh in today["by_source_kwh"].items())
    assert total == pytest.approx(today["gco2"], rel=1e-6)
    card = metered.html().split('id="carbon-card"')[1].split("</section>")[0]
    assert Words("en").grams(total) in card


def test_flows_are_told_to_those_who_listen(metered: Metered) -> None:
    flows = metered.live.park.ledger.flows(0, metered.live.park.clock.park_s())
    page = Page(metered.html())
    groups = [item for item in page.all("g") if item.attributes.get("class") == "flow"]
    assert len(groups) == 2 * len({flow["source"] for flow in flows})
    assert all(item.attributes["tabindex"] == "0" and "gave" in item.attributes["aria-label"] for item in groups)


def test_the_picture_begins_at_the_right_in_arabic(metered: Metered) -> None:
    def first_bar(lang: str) -> float:
        svg = metered.html(lang=lang).split('<svg class="sankey plan-wide"')[1]
        return float(re.search(r'<rect class="s-\w+" x="([\d.]+)"', svg).group(1))  # type: ignore[union-attr]

    assert first_bar("en") < 480 < first_bar("ar")


def test_hours_gone_unread_are_not_called_clean_nor_dirty(metered: Metered) -> None:
    html = metered.html()
    rows = html.split('id="shares-table"')[1].split("</table>")[0]
    assert rows.count("not read") >= 3  # the hours when the park was off
    assert "forecast" in rows
    readings = json.loads(html.split('id="heat-data">')[1].split("</script>")[0])
    assert len(readings) == 24 and all(line[0].strip("\u2068\u2069").endswith(":00") for line in readings)


def test_forecasts_begin_with_the_present_hour(metered: Metered) -> None:
    svg = metered.html().split('<svg class="heat plan-wide"')[1].split("</svg>")[0]
    n_forecast = len(re.findall(r'<circle class="h-\d"', svg))
    assert 40 <= n_forecast <= 48


def test_three_numbers_are_kept_apart(metered: Metered) -> None:
    card = Page(metered.html().split('id="three-card">')[1].split("</section>")[0]).text
    today, words = metered.today(), Words("en")
    assert "knows of no contract" in card
    assert words.percent(today["clean_frac"]) in card
    assert words.grams(today["kwh"] * metered.live.park.site.grid.gco2_per_kwh) in card


def test_the_next_megawatt_has_the_price_of_its_step(metered: Metered) -> None:
    plan = metered.live.park.energy.current_plan()
    assert plan is not None
    html = metered.html()
    curve = plan.curve[plan.index_at(metered.live.park.clock.park_s())]
    readings = json.loads(html.split('id="curve-data">')[1].split("</script>")[0])
    assert len(readings) == N_READINGS
    prices = {f"{Words('en').number(step.cost_mad_per_mwh, 0)} MAD/MWh" for step in curve}
    assert {line[1] for line in readings} <= prices
    assert {line[2].strip("\u2068\u2069") for line in readings} >= {"Grid"}


def test_the_live_chart_is_answered_in_its_own_form(metered: Metered) -> None:
    answer = metered.client.get("/energy/power?hours=6")
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    n = len(body["times_s"])
    assert n > 10 and body["times_s"] == sorted(body["times_s"])
    assert {name: len(values) for name, values in body["series"].items()} == {"drawn_mw": n, "clean_mw": n}
    assert None in body["series"]["drawn_mw"]  # the park was off
    assert metered.client.get("/energy/power?hours=99").status_code == 422


@pytest.mark.parametrize("days", ["0", "8", "x"])
def test_odd_periods_are_refused(metered: Metered, days: str) -> None:
    assert metered.client.get(f"/energy?days={days}").status_code == 422


def test_before_any_energy_the_page_teaches(tmp_path: Path) -> None:
    live = LivePark(tmp_path)
    client = TestClient(make_app(live.park), base_url=URL, headers={"Accept": "text/html"})
    page = Page(client.get("/energy").text)
    assert "No energy has been metered today." in page.text
    assert "/submit" in {item.attributes.get("href") for item in page.all("a")}
    assert client.get("/energy/power").json() == {"times_s": [], "series": {"drawn_mw": [], "clean_mw": []}}
    live.park.close()


def test_what_is_drawn_now_stands_on_the_curve(metered: Metered) -> None:
    home = metered.live.park.home
    assert '<line class="now"' not in metered.html().split('<svg class="curve plan-wide"')[1].split("</svg>")[0]
    home.write("run/power.json", json.dumps({"site_mw": 20e-6, "it_mw": 17e-6}))
    assert '<line class="now"' in metered.html().split('<svg class="curve plan-wide"')[1].split("</svg>")[0]
    site = metered.live.park.site
    shown = f"draws {Words('en').power(20e-6 / site.factor)}"
    assert shown in metered.html("/site")
