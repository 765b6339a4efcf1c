"""A site with a wind farm and a battery alone: every page, plan, receipt and figure holds without sun and salt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark

from eureka_park.web.app import make_app
from eureka_park.web.pages.words import LANGUAGES

SITE = """
name = "windy"
title = "Windy"
timezone = "Africa/Casablanca"
site_mw_max = 100
[grid]
import_mw_max = 100
export_mw_max = 20
gco2_per_kwh = 551
price_peak_mad_per_mwh = 1000
price_full_mad_per_mwh = 750
price_off_peak_mad_per_mwh = 550
[[weather_sites]]
id = "hill"
latitude_deg = 35.8
longitude_deg = -5.4
altitude_m = 400
wind_m_per_s_mean = 9
[[plants]]
id = "farm"
title = "Hill farm"
type = "wind"
gross_mw = 90
weather_site = "hill"
[[plants]]
id = "store"
title = "Store"
type = "battery"
gross_mw = 60
[[nodes]]
id = "node"
engine = "local"
found = true
[prices.mad_per_gpu_h]
firm = 20
flex = 14
green = 9
[prices.mad_per_cpu_h]
firm = 0.4
flex = 0.3
green = 0.2
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LivePark, TestClient]]:
    folder: Path = tmp_path_factory.mktemp("windy")
    (folder / "windy.toml").write_text(SITE, "utf-8")
    live = LivePark(folder, site_name=str(folder / "windy.toml"))
    live.submit(30.0, name="short", tier="firm")
    live.step(seconds=30.0, times=10)
    yield live, TestClient(make_app(live.park), base_url="http://localhost:8386", headers={"Accept": "text/html"})
    live.park.close()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", ["/", "/site", "/energy", "/jobs", "/welcome", "/wall", "/glossary"])
def test_every_page_stands(seen: tuple[LivePark, TestClient], path: str, lang: str) -> None:
    answer = seen[1].get(path, headers={"Accept-Language": lang})
    assert answer.status_code == 200, answer.text[:2000]


def test_the_plan_has_the_battery_and_the_pages_its_figures(seen: tuple[LivePark, TestClient]) -> None:
    live, browser = seen
    plan = live.park.energy.current_plan()
    assert plan is not None and plan.battery_mwh_max == {"store": 240.0} and "store" in plan.by_source_mw
    site = browser.get("/site").text
    assert "240" in site and "before outages; nobody published one" in site
    salt = live.park.energy.salt_at(live.park.clock.park_s() + 3600.0)
    assert salt is None or "store" in salt


def test_energy_is_booked_to_the_sites_own_sources(seen: tuple[LivePark, TestClient]) -> None:
    live, _ = seen
    now_s = live.park.clock.park_s()
    hours = live.park.ledger.hours(now_s - 7200.0, now_s + 3600.0)
    assert hours and live.park.site.source_ids == ("farm", "store", "grid")
    for hour in hours:
        assert set(hour["by_source_kwh"]) <= set(live.park.site.source_ids)
        assert sum(hour["by_source_kwh"].values()) == pytest.approx(hour["kwh"])


def test_the_api_tells_the_battery(seen: tuple[LivePark, TestClient]) -> None:
    _, browser = seen
    plan = browser.get("/api/v1/plan", headers={"Accept": "application/json"}).json()
    assert plan["battery_mwh_max"] == {"store": 240.0} and plan["calibration"]["farm"]["factor"] == 1.0
