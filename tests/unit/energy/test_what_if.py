"""The exact answer to a what-if: new plants beside those of a site, the year with them, what they cost."""

from __future__ import annotations

from typing import Any

import pytest

from eureka_park.energy.what_if_tasks import what_if
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_file import site_to_json
from eureka_park.foundation.site_reading import load_site

SITE = site_to_json(load_site("eureka-park"))


def asked(site: dict[str, Any] = SITE, **wish: float) -> dict[str, Any]:
    return what_if({"site": site, "seed": 1, "scenario": "all-plants", "without": [], "wish": wish})


def test_new_plants_make_a_load_cleaner_and_cost_something() -> None:
    without, with_new = asked(load_mw=300.0), asked(load_mw=300.0, wind_mw=200.0, pv_mw=100.0, battery_mw=50.0)
    assert without["additions"] == [] and with_new["result"]["cfe_frac"] > without["result"]["cfe_frac"] + 0.05
    added = {item["type"]: item for item in with_new["additions"]}
    assert added["wind"]["power_mw"] == 200 and added["pv"]["power_mw"] == 100
    assert added["battery"]["energy_mwh"] == pytest.approx(200)
    assert all(item["capital_musd"] > 0 and item["yearly_mmad"] > 0 for item in added.values())


def test_a_kind_that_suits_no_place_is_refused() -> None:
    places = [{**place, "wind_m_per_s_mean": None} for place in SITE["weather_sites"]]
    plants = [plant for plant in SITE["plants"] if plant["type"] != "wind"]
    with pytest.raises(BadInput, match="suits new wind"):
        asked({**SITE, "weather_sites": places, "plants": plants}, load_mw=100.0, wind_mw=50.0)


def test_hours_are_told_where_they_are_asked_for() -> None:
    found = what_if(
        {"site": SITE, "seed": 1, "scenario": "noor-iii-out", "without": [], "wish": {"load_mw": 200.0}, "hourly": True}
    )
    assert len(found["hourly"]["load_mw"]) == 8760 and max(found["hourly"]["noor-iii_mw"]) == 0
    assert found["weather"]["ouarzazate"]["label"] == "synthetic" and "noor-i" in found["plants"]
