"""A year told in figures, and drawn."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from eureka_park.energy.core.weather import typical_year
from eureka_park.energy.core.weather_picture import picture
from eureka_park.energy.core.weather_summary import (
    bright_days_frac,
    describe,
    hours_by_stretch,
    weibull_fit,
    weibull_mean,
)
from eureka_park.foundation.site_reading import load_site

PLACES = {place.id: place for place in load_site("eureka-park").weather_sites}
YEARS = {name: typical_year(place, 4) for name, place in PLACES.items()}


def test_the_sums_are_those_of_the_series() -> None:
    found = describe(YEARS["ouarzazate"], PLACES["ouarzazate"])
    assert found.dni_kwh_per_m2 == pytest.approx(2508, rel=1e-6) and found.faults == ()
    for name in ("dni_kwh_per_m2", "dhi_kwh_per_m2", "ghi_kwh_per_m2"):
        assert sum(getattr(month, name) for month in found.months) == pytest.approx(getattr(found, name))
    assert found.months[6].temp_c_mean > found.months[0].temp_c_mean + 12
    assert found.closure_rms_w_per_m2 == pytest.approx(0.0, abs=1e-9) and found.closure_outside_frac == 0
    assert found.wind_k is None and found.bright_days_frac is not None and 0.5 < found.bright_days_frac < 0.8
    assert [month.number for month in found.months] == list(range(1, 13))


def test_the_law_of_the_wind_is_found_again() -> None:
    found = describe(YEARS["koudia"], PLACES["koudia"])
    assert found.wind_k == pytest.approx(1.9, abs=0.01) and found.wind_scale_m_per_s is not None
    assert weibull_mean(1.9, found.wind_scale_m_per_s) == pytest.approx(9.5, rel=2e-3)
    assert found.bright_days_frac is None and found.closure_rms_w_per_m2 is None
    speeds = 6.0 * (-np.log1p(-(np.arange(5000) + 0.5) / 5000)) ** (1 / 2.4)
    assert weibull_fit(speeds) == pytest.approx((2.4, 6.0), rel=5e-3)
    assert weibull_fit(np.zeros(8760)) is None and weibull_fit(np.full(8760, 5.0)) is None


def test_a_summary_is_plain_json_with_sentences() -> None:
    value = json.loads(json.dumps(describe(YEARS["koudia"], PLACES["koudia"]).to_json()))
    assert value["wind_m_per_s_mean"] == pytest.approx(9.5, rel=1e-3) and len(value["months"]) == 12
    assert value["faults"] == []


def test_clear_days_are_counted_against_their_season() -> None:
    year = YEARS["ouarzazate"]
    assert bright_days_frac(year) == describe(year, PLACES["ouarzazate"]).bright_days_frac
    assert bright_days_frac(YEARS["koudia"]) is None


def test_stretches_keep_the_mean_of_each_hour() -> None:
    series = np.tile(np.arange(24.0), 365)
    grid = hours_by_stretch(series, 73)
    assert grid.shape == (24, 73) and np.all(grid == np.arange(24.0)[:, None])
    assert hours_by_stretch(YEARS["ouarzazate"].dni_w_per_m2, 12).shape == (24, 12)


def test_the_picture_is_svg_with_every_hour_drawn_once() -> None:
    year = YEARS["ouarzazate"]
    text = picture([1.0] * 12, "bars & <words>", year.dni_w_per_m2, "heat", "Ouarzazate", "origin")
    root = ElementTree.fromstring(text)
    names = [child.tag.rpartition("}")[2] for child in root]
    assert names.count("rect") == 13 and 2 <= names.count("path") <= 7
    assert "bars & <words>" in [child.text for child in root]
    drawn = sum(
        float(box.partition("v")[2].partition("h")[0]) / 8.0
        for child in root
        for box in child.get("d", "").split("M")[1:]
    )
    assert drawn == pytest.approx(8760)


def test_texts_of_strangers_stay_texts_in_the_picture() -> None:
    text = picture([1.0] * 12, "bars", np.zeros(8760), "heat", '"><b onload="x" y=\'\x07', "foot")
    root = ElementTree.fromstring(text)
    assert root.get("aria-label") == '"><b onload="x" y=\'' and root.get("onload") is None
