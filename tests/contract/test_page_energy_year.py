"""The year page and its API: answers at once for all, exact years for who is signed in, pictures of a year."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark
from tests.helpers.reading import Page

from eureka_park.energy.lattice_file import lattice_for
from eureka_park.energy.verdict_file import shipped_study
from eureka_park.energy.year_desk import YearDesk
from eureka_park.foundation.site_reading import new_site_text
from eureka_park.web.app import make_app
from eureka_park.web.auth import COOKIE
from eureka_park.web.pages.words import LANGUAGES, Words

URL = "http://localhost:8386"
ASKED = {"scenario": "all-plants", "load_mw": 200.0, "wind_mw": 50.0}


def solved(load_mw: float, share: float, n_seeds: int) -> list[dict[str, Any]]:
    """Years as a child tells them: sun by day and salt in the evening, the rest bought."""
    clean = [load_mw if 8 <= hour % 24 < 20 else load_mw * (2 * share - 1) for hour in range(8760)]
    rest = [load_mw - mw for mw in clean]
    hourly = {
        "time_utc": [""] * 8760, "load_mw": [load_mw] * 8760, "noor-i_mw": [mw * 0.5 for mw in clean],
        "noor-i_salt_mw": [mw * 0.2 for mw in clean], "new-wind-koudia_mw": [mw * 0.3 for mw in clean],
        "grid_mw": rest, "import_mw": rest, "export_mw": [1.0] * 8760, "unserved_mw": [0.0] * 8760,
    }  # fmt: skip
    result = {
        "load_gwh": load_mw * 8.76, "cfe_frac": share, "import_gwh": sum(rest) / 1000, "export_gwh": 8.76,
        "curtailed_gwh": 0.0, "hours_fully_clean_frac": 0.5, "gco2_per_kwh": 111.0, "mad_per_kwh": 1.23,
        "import_peak_mw": max(rest),
    }  # fmt: skip
    return [
        {"result": {**result, "cfe_frac": share - 0.02 * at}, "additions": [], "hourly": hourly}
        for at in range(n_seeds)
    ]


class Years:
    """A park whose years are solved by a table instead of a solver."""

    def __init__(self, folder: Path) -> None:
        self.live = LivePark(folder)
        self.app = make_app(self.live.park)
        self.asked: list[Mapping[str, Any]] = []
        self.app.state.desk = YearDesk(self.live.park.site, self.ask)
        person_id, _ = self.live.park.accounts.ensure_owner()
        self.token = {"Authorization": f"Bearer {self.live.park.accounts.new_token(person_id, 'test')}"}
        self.session = self.live.park.accounts.redeem_sign_in(self.live.park.accounts.new_sign_in_link(person_id))
        self.client = TestClient(self.app, base_url=URL, headers={"Accept": "text/html"})

    def ask(
        self, requests: Sequence[Mapping[str, Any]], _n: int | None, _progress: Callable[[int, int], None] | None
    ) -> list[Any]:
        self.asked.append(requests[0]["wish"])
        return solved(requests[0]["wish"]["load_mw"], 0.8, len(requests))

    def html(self, path: str, lang: str = "en", **headers: str) -> str:
        answer = self.client.get(path, headers={"Accept-Language": lang, **headers})
        assert answer.status_code == 200, answer.text[:1500]
        return answer.text

    def computed(self, **question: Any) -> dict[str, Any]:
        status: dict[str, Any] = self.client.post(
            "/api/v1/energy/years", json={**ASKED, **question}, headers=self.token
        ).json()
        for _ in range(1000):
            if status["state"] not in ("waiting", "running"):
                return status
            time.sleep(0.005)
            status = self.client.get(f"/api/v1/energy/years/{status['year_id']}").json()
        raise AssertionError(status)


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Years]:
    years = Years(tmp_path_factory.mktemp("year"))
    yield years
    years.live.park.close()


def figures(html: str) -> dict[str, str]:
    found = re.findall(r'data-year-figure="(\w+)"[^>]*>([^<]*)<', html)
    return {name: re.sub("[\u2066-\u2069]", "", text).replace("\u00a0", " ") for name, text in found}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", ["/energy/year", "/energy/year?load=200&wind=50&week=best"])
def test_the_page_in_every_language(years: Years, lang: str, path: str) -> None:
    page = Page(years.html(path, lang))
    assert len(page.all("h1")) == 1
    ids = [item.attributes["id"] for item in page.elements if item.attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert all("style" not in item.attributes for item in page.elements)
    shown = {item.attributes.get("class") for item in page.all("svg")}
    assert {"year-heat", "week", "months", "duration"} <= shown


def test_visitors_are_answered_from_the_lattice_and_told_its_error(years: Years) -> None:
    found = lattice_for(years.live.park.site)
    assert found is not None
    html = years.html("/energy/year?load=250&wind=120&flex=10&scenario=noor-iii-out")
    near = found.lattice.figures("noor-iii-out", {"load_mw": 250.0, "wind_mw": 120.0, "flex_frac": 0.1})
    assert figures(html)["cfe_frac"] == Words("en").percent(near["cfe_frac"]).strip("\u2066\u2067\u2068\u2069")
    text = Page(html).text
    assert "approximate" in text and "19 of 20 questions" in text and "Compute exactly" not in text
    assert "data-years" not in html and not years.asked


def test_what_an_address_says_wrongly_is_brought_inside(years: Years) -> None:
    html = years.html("/energy/year?load=1e99&wind=nan&pv=-5&flex=x&battery=&scenario=rain&week=99&lang=en")
    values = dict(re.findall(r'<input type="range"[^>]*name="(\w+)"[^>]* value="([^"]*)"', html))
    assert values == {"load": "386", "flex": "0", "wind": "0", "pv": "0", "battery": "0"}
    assert 'value="all-plants" checked' in html


def test_an_exact_year_needs_somebody(years: Years) -> None:
    assert years.client.post("/api/v1/energy/years", json=ASKED).status_code == 401
    assert years.client.post("/energy/year", data={"load": "200"}).status_code == 401
    assert years.client.get("/api/v1/energy/years/nothing").status_code == 404


@pytest.mark.parametrize(
    "change", [{"load_mw": 1e6}, {"load_mw": 0}, {"flex_frac": 0.8}, {"wind_mw": -1}, {"scenario": "rain"}, {"mw": 1}]
)
def test_what_cannot_be_computed_is_refused(years: Years, change: dict[str, Any]) -> None:
    answer = years.client.post("/api/v1/energy/years", json={**ASKED, **change}, headers=years.token)
    assert answer.status_code in (400, 422) and answer.json()["error"]["fix"]


def test_a_field_that_is_none_is_told_with_those_of_a_year(years: Years) -> None:
    answer = years.client.post("/api/v1/energy/years", json={**ASKED, "rain": 1}, headers=years.token)
    assert "flex_frac" in answer.json()["error"]["fix"] and "script" not in answer.json()["error"]["fix"]


def test_the_exact_year_follows_and_is_shown_to_all(years: Years) -> None:
    done = years.computed()
    assert done["state"] == "done" and done["figures"]["cfe_frac"] == pytest.approx(0.8)
    assert done["low"]["cfe_frac"] == pytest.approx(0.76) and done["high"]["cfe_frac"] == pytest.approx(0.8)
    html = years.html("/energy/year?load=200&wind=50")
    text = Page(html).text
    assert figures(html)["cfe_frac"] == "80%" and "76% to 80% over 3 years" in text.replace("\u2068", "").replace(
        "\u2069", ""
    )
    assert "Exact: 3 years" in re.sub("[\u2066-\u2069]", "", text) and "data-approximate hidden" in html
    assert "The pictures below show" not in text


def test_the_pictures_are_those_of_the_year(years: Years) -> None:
    years.computed()
    html = years.html("/energy/year?load=200&wind=50&week=3")
    days = json.loads(html.split('id="year-data">')[1].split("</script>")[0])
    hours = json.loads(html.split('id="week-data">')[1].split("</script>")[0])
    assert len(days) == 365 and len(hours) == 168
    assert {re.sub("[\u2066-\u2069]", "", day[1]) for day in days} == {"80%"}
    rows = html.split('id="months-table"')[1].split("</table>")[0]
    assert all(name in rows for name in ("Wind", "Molten salt", "Direct sun (CSP)", "Grid")) and "Sun (PV)" not in rows
    week = html.split('id="week-card"')[1].split("</section>")[0]
    assert "week=2" in week and "week=4" in week and "week=best" in week


def test_every_picture_has_a_table_and_tools(years: Years) -> None:
    html = years.html("/energy/year")
    for name in ("year", "week", "months", "duration"):
        figure = html.split(f'data-chart="{name}"')[1].split("</figure>")[0]
        assert "<table>" in figure and 'data-download="csv"' in figure, name


def test_without_scripts_a_button_computes(years: Years) -> None:
    years.client.cookies.set(COOKIE, years.session)
    try:
        html = years.html("/energy/year?load=180")
        assert "Compute exactly" in html and "data-years" in html
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html))
        answer = years.client.post(
            "/energy/year", data=form, headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=False
        )
        assert answer.status_code == 303 and "load=180" in answer.headers["location"]
        other = years.client.post("/energy/year", data=form, headers={"Sec-Fetch-Site": "cross-site"})
        assert other.status_code == 403
    finally:
        years.client.cookies.clear()
    assert years.computed(load_mw=180.0, wind_mw=0.0)["state"] == "done"


def test_the_lattice_is_there_for_programs(years: Years) -> None:
    answer = years.client.get("/api/v1/energy/lattice")
    value = answer.json()
    assert answer.status_code == 200 and "max-age" in answer.headers["cache-control"]
    assert set(value["axes"]) == {"load_mw", "flex_frac", "wind_mw", "pv_mw", "battery_mw"} and value["error"]


def test_raw_and_counted_years_of_plants_and_the_command_stand_there(years: Years) -> None:
    page = years.html("/energy/year?load=200&flex=20&scenario=noor-iii-out")
    table = page.split('id="year-plants"')[1].split("</table>")[0]
    plain = re.sub("[\u2068\u2069]", "", re.sub("<[^>]+>", " ", table))
    for plant in shipped_study()["plants"]:
        assert re.search(rf"{plant['title']}\s+{plant['raw_gwh']:.0f}\s+{plant['calibration_factor']:.2f}", plain)
    assert "424 measured" in plain and "367" in plain
    command = "park energy year --site eureka-park --load-mw 200 --flex-frac 0.2 --scenario noor-iii-out --seeds 1-3"
    assert command in page and "park energy year" not in years.html("/energy/year?wind=100")


def test_the_energy_page_leads_there(years: Years) -> None:
    assert 'href="/energy/year"' in years.html("/energy")


def test_a_roof_has_no_lattice_and_small_units(tmp_path: Path) -> None:
    """Another site: nothing known in advance, no word of Noor, energy in MWh; the exact year fills the page."""
    (tmp_path / "uni.toml").write_text(new_site_text("uni"), encoding="utf-8")
    live = LivePark(tmp_path, site_name=str(tmp_path / "uni.toml"))
    app = make_app(live.park)
    app.state.desk = YearDesk(
        live.park.site, lambda asked, _n, _p: solved(asked[0]["wish"]["load_mw"], 0.8, len(asked))
    )
    person_id, _ = live.park.accounts.ensure_owner()
    token = {"Authorization": f"Bearer {live.park.accounts.new_token(person_id, 'test')}"}
    client = TestClient(app, base_url=URL, headers={"Accept": "text/html", "Accept-Language": "en"})
    before = client.get("/energy/year?load=0.01&pv=0.02").text
    assert "no answers known in advance" in before and "Noor" not in before.split("<main")[1].split("</main>")[0]
    assert "year-heat" not in before and client.get("/api/v1/energy/lattice").status_code == 404
    asked = {"load_mw": 0.01, "pv_mw": 0.02}
    for _ in range(1000):
        if client.post("/api/v1/energy/years", json=asked, headers=token).json()["state"] == "done":
            break
        time.sleep(0.005)
    shown = figures(client.get("/energy/year?load=0.01&pv=0.02").text)
    assert shown["cfe_frac"] == "80%" and shown["import_gwh"].endswith(" MWh")
    live.park.close()
