"""What the year page makes of an address and of a year's hours, without a server."""

from __future__ import annotations

from array import array

import pytest

from eureka_park.energy.core.costs import Costs
from eureka_park.energy.core.new_supply import unit_costs
from eureka_park.energy.year_desk import KINDS, Hours, Question
from eureka_park.foundation.site_reading import load_site, new_site_text, parse_site
from eureka_park.web.charts.fan import fan_chart
from eureka_park.web.pages.energy_year import new_supply, question_in, scenarios_of, sliders_of
from eureka_park.web.pages.words import Words
from eureka_park.web.pages.year_pictures import pictures_of, shown_hours, week_asked

PARK = load_site("eureka-park")
ROOF = parse_site(new_site_text("uni"), "uni.toml")
WORDS = Words("en", "Africa/Casablanca")


def year(clean: float = 0.5) -> Hours:
    """A load of 100 MW of which a part is always wind, and less in the third week."""
    wind = [100.0 * (0.1 if 336 <= hour < 504 else clean) for hour in range(8760)]
    by_kind = {kind: array("f", [0.0]) * 8760 for kind in KINDS}
    by_kind["wind"], by_kind["grid"] = array("f", wind), array("f", [100.0 - mw for mw in wind])
    return Hours(1, array("f", [100.0]) * 8760, by_kind, array("f", [0.0]) * 8760)


def test_an_address_is_read_within_what_a_site_can_be() -> None:
    assert question_in({}, PARK) == Question("all-plants", PARK.site_mw_max)
    asked = question_in({"load": "200", "flex": "7", "wind": "1e9", "scenario": "noor-iii-out"}, PARK)
    assert (asked.load_mw, asked.flex_frac, asked.scenario) == (200.0, 0.07, "noor-iii-out")
    assert asked.wind_mw == next(slider.most for slider in sliders_of(PARK) if slider.name == "wind")
    roof = question_in({"wind": "5", "load": "0.01"}, ROOF)
    assert roof.wind_mw == 0.0 and roof.load_mw == pytest.approx(0.01)  # no wind is known there


def test_a_roof_has_no_noor_and_small_steps() -> None:
    assert scenarios_of(PARK) == ("all-plants", "noor-iii-out", "historical-availability")
    assert scenarios_of(ROOF) == ("all-plants", "historical-availability")
    assert next(slider for slider in sliders_of(ROOF) if slider.name == "load").step < 0.01
    assert shown_hours(ROOF, None) is None and shown_hours(PARK, None) is not None


def test_new_supply_costs_what_the_table_says() -> None:
    units = unit_costs(Costs.of_table())
    found = new_supply(Question("all-plants", 100.0, wind_mw=10.0, battery_mw=2.0))
    assert found["musd"] == pytest.approx(10 * units["wind"][0] + 2 * units["battery"][0])
    assert found["mmad"] == pytest.approx(10 * units["wind"][1] + 2 * units["battery"][1]) and found["mmad"] > 0


def test_a_week_is_named_by_number_or_by_what_it_is() -> None:
    shares = year().clean_fracs()
    assert week_asked(None, shares) == week_asked("worst", shares) == week_asked("53", shares) == 2
    assert week_asked("1", shares) == 0 and week_asked("52", shares) == 51
    assert week_asked("best", shares) not in (2,) and week_asked("٣", shares) == 2


def test_pictures_tell_the_year_in_their_tables() -> None:
    found = pictures_of(WORDS, (year(), 100.0), "3", {"load": "100"})
    months = {row[0]: row[-1] for row in found["months"]["rows"]}
    assert set(months) == {"Wind", "Grid"} and found["year"]["full"].strip("\u2066\u2067\u2068\u2069") == "0%"
    assert "week=4" in found["week"]["after"] and "week=2" in found["week"]["before"] and "10%" in found["week"]["told"]
    assert (
        'data-readable="year-data"' in found["year"]["picture"]
        and 'data-readable="week-data"' in found["week"]["picture"]
    )
    assert [name for name, _text in found["kinds"]] == ["wind", "grid"]
    first = pictures_of(WORDS, (year(), 100.0), "1", {})["week"]
    assert first["before"] == "" and pictures_of(WORDS, (year(), 100.0), "52", {})["week"]["after"] == ""


def test_hours_without_a_load_count_as_clean() -> None:
    hours = year()
    hours.load_mw[5] = 0.0
    assert hours.clean_fracs()[5] == 1.0 and hours.clean_fracs()[6] == pytest.approx(0.5)


def test_a_fan_holds_band_middle_and_truth() -> None:
    picture = fan_chart([1.0] * 48, [0.5] * 48, [0.9] * 48, [2.0] * 48, ["Mon", "Tue"], "m/s", WORDS, "a <label>")
    assert picture.count("<path") == 3 and "a &lt;label&gt;" in picture and picture.count('class="day"') == 2
    assert "nan" not in fan_chart([0.0] * 24, [0.0] * 24, [0.0] * 24, [0.0] * 24, ["Mon"], "m/s", WORDS, "calm")
