"""The plant data: every figure with unit, label, source and date; who is asked first; what a block leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_park.foundation.errors import BadInput, Internal
from eureka_park.foundation.plant_data import (
    LABELS,
    fact,
    facts,
    has_parameter,
    known_plants,
    parameter,
    plant_types,
    series_parameter,
    text_parameter,
    type_facts,
    unit_of,
    words_parameter,
)
from eureka_park.foundation.plant_file import NEEDED, Plant
from eureka_park.foundation.plant_filling import filled_plant
from eureka_park.foundation.plant_reference import plant_reference_markdown
from eureka_park.foundation.site_reading import load_site, parse_site, site_shown

ROOT = Path(__file__).parents[3]
PARK = load_site("eureka-park")
SECTIONS = {**{name: type_facts(name) for name in plant_types()}, **{name: facts(name) for name in known_plants()}}
SITE = """
name = "mine"
title = "Mine"
site_mw_max = 100
[grid]
import_mw_max = 100
export_mw_max = 100
gco2_per_kwh = 500
price_peak_mad_per_mwh = 900
price_full_mad_per_mwh = 700
price_off_peak_mad_per_mwh = 500
[[weather_sites]]
id = "here"
latitude_deg = 31
longitude_deg = -7
altitude_m = 1000
dni_kwh_per_m2_year = 2400
wind_m_per_s_mean = 8
{plants}
[[nodes]]
id = "n"
n_cpus = 8
memory_gib = 64
rated_kw = 1
idle_kw = 0.1
[prices]
mad_per_gpu_h = {{ firm = 1, flex = 1, green = 1 }}
mad_per_cpu_h = {{ firm = 1, flex = 1, green = 1 }}
"""


def site_with(*plants: str):
    blocks = "\n".join(f"[[plants]]\n{plant}" for plant in plants)
    return parse_site(SITE.format(plants=blocks), "mine.toml")


@pytest.mark.parametrize("section", SECTIONS)
def test_every_figure_says_unit_label_source_and_date(section: str) -> None:
    for name, found in SECTIONS[section].items():
        assert found.source and found.date and found.label in LABELS[:-1], name
        if isinstance(found.value, str) or (isinstance(found.value, tuple) and isinstance(found.value[0], str)):
            assert found.unit == "", name
        else:
            said = unit_of(name)
            assert found.unit in ({said} if said is not None else {"1"}), f"{name} in {found.unit}, not {said}"
        if name.endswith("_frac") and isinstance(found.value, float):
            assert 0.0 <= found.value <= 1.0, name


def test_a_curve_rises_and_its_two_columns_are_as_long() -> None:
    wind = type_facts("wind")
    speeds, shares = wind["curve_m_per_s"].value, wind["curve_pu"].value
    assert isinstance(speeds, tuple) and isinstance(shares, tuple) and len(speeds) == len(shares)
    assert list(speeds) == sorted(speeds) and list(shares) == sorted(shares) and shares[-1] == 1.0


def test_the_site_file_comes_before_the_known_plant_and_that_before_the_type() -> None:
    noor = PARK.plants[0]
    assert parameter(noor, "eta_gross_frac") == 0.385 and parameter(PARK.plants[1], "eta_gross_frac") == 0.37
    assert parameter(noor, "mirror_reflectance_frac") == 0.93  # of the type
    own = noor.model_copy(update={"parameters": {"mirror_reflectance_frac": 0.9}, "source": "my sheet"})
    assert parameter(own, "mirror_reflectance_frac") == 0.9
    assert fact(own, "mirror_reflectance_frac").label == "site file"
    assert fact(own, "mirror_reflectance_frac").source == "my sheet"
    assert fact(noor, "year_gwh_published").label == "measured"


def test_a_figure_that_nobody_gives_is_told_with_the_plant_and_how_to_add_it() -> None:
    with pytest.raises(BadInput, match="plant 'noor-iv' has no mirror_area_m2"):
        parameter(PARK.plants[3], "mirror_area_m2")
    assert not has_parameter(PARK.plants[3], "mirror_area_m2") and has_parameter(PARK.plants[0], "mirror_area_m2")
    with pytest.raises(BadInput, match="'noor-v' is no known plant"):
        facts("noor-v")


def test_each_kind_of_value_has_its_accessor() -> None:
    noor = PARK.plants[2]
    assert text_parameter(noor, "cooling") == "dry"
    assert words_parameter(noor, "long_outages")[1] == "2024-03-21/"
    assert series_parameter(PARK.plants[0], "incidence_coefficients")[0] == 1.0
    for ask, name in ((parameter, "cooling"), (series_parameter, "tes_h"), (text_parameter, "tes_h"),
                      (words_parameter, "tes_h")):  # fmt: skip
        with pytest.raises(Internal):
            ask(noor, name)


def test_facts_for_people() -> None:
    assert facts("noor-i")["tes_h"].text == "3 h"
    assert facts("noor-i")["cooling"].text == "wet"
    assert type_facts("pv")["soiling_frac"].text == "0.02"
    assert type_facts("csp-trough")["incidence_coefficients"].text == "1, 0.0327, -0.1351"


def test_a_known_plant_needs_a_name_and_a_place() -> None:
    plant = site_with('known_as = "noor-ii"\nweather_site = "here"').plants[0]
    assert (plant.id, plant.title, plant.gross_mw, plant.tes_h) == ("noor-ii", "Noor II", 200.0, 7.0)
    assert plant.source.startswith("csp.guru") and "assumption: net power" in plant.source
    own = site_with('known_as = "noor-ii"\nid = "second"\ntes_h = 9\nweather_site = "here"').plants[0]
    assert (own.id, own.tes_h, own.mirror_area_m2) == ("second", 9.0, 1779900.0)


@pytest.mark.parametrize("plant_type", plant_types())
def test_a_plant_of_any_type_needs_a_handful_of_fields(plant_type: str) -> None:
    plant = site_with(f'id = "p"\ntype = "{plant_type}"\ngross_mw = 50\nweather_site = "here"').plants[0]
    assert all(getattr(plant, name) is not None for name in NEEDED[plant_type])  # type: ignore[index]
    assert plant.life_cycle_gco2_per_kwh > 0 and plant.contract == "not stated"


def test_sizes_follow_from_the_power_by_the_figures_of_the_type() -> None:
    trough, tower, wind, battery = site_with(
        'id = "a"\ntype = "csp-trough"\ngross_mw = 160\ntes_h = 3\nweather_site = "here"',
        'id = "b"\ntype = "csp-tower"\ngross_mw = 150\ntes_h = 7.5\nweather_site = "here"',
        'id = "c"\ntype = "wind"\ngross_mw = 102\nweather_site = "here"',
        'id = "d"\ntype = "battery"\ngross_mw = 25',
    ).plants
    assert trough.power_block_mw == pytest.approx(147.2)
    assert trough.mirror_area_m2 == pytest.approx(1_308_000, rel=0.001)  # as Noor I has
    assert tower.mirror_area_m2 == pytest.approx(1_312_000, rel=0.001) and tower.receiver_mw_th == pytest.approx(
        662.8, rel=1e-4
    )
    assert (wind.n_turbines, wind.rotor_m, wind.hub_m) == (20, 132.0, 84.0)
    assert (battery.energy_mwh, battery.charge_mw, battery.charge_eff_frac) == (100.0, 25.0, 0.95)
    assert battery.weather_site == "here" and battery.line_loss_frac == 0.0


def test_what_is_of_a_wrong_kind_is_left_for_the_check() -> None:
    assert filled_plant({"type": "wind", "gross_mw": "much"})["gross_mw"] == "much"
    assert filled_plant({"type": 7, "known_as": ["x"]}) == {"type": 7, "known_as": ["x"]}
    with pytest.raises(BadInput, match=r"plants\[0\].gross_mw \(a\) = \"much\" is wrong"):
        site_with('id = "a"\ntype = "csp-trough"\ngross_mw = "much"\nweather_site = "here"')
    with pytest.raises(BadInput, match=r"plants\[0\].tes_h"):
        site_with('id = "a"\ntype = "csp-trough"\ngross_mw = 50\ntes_h = "long"\nweather_site = "here"')


def test_a_wrong_fact_of_a_known_plant_points_at_its_block() -> None:
    text = SITE.format(plants='[[plants]]\nid = "x"\nknown_as = "koudia"\nn_turbines = 0\nweather_site = "here"')
    line = text.splitlines().index("n_turbines = 0") + 1
    with pytest.raises(BadInput, match=rf"mine.toml, line {line}: plants\[0\].n_turbines \(x\) = 0 is wrong"):
        parse_site(text, "mine.toml")


def test_the_shown_site_lists_what_known_plants_add_with_sources() -> None:
    shown = site_shown("eureka-park")
    assert shown.startswith("# Eureka Park, Tétouan")
    assert "#   tes_h = 7.5 h  (published: Sener; csp.guru writes 7 h; 2026-11)" in shown
    assert parse_site(shown, "shown.toml") == PARK  # comments change nothing
    assert "# noor-i: known as noor-i" in site_shown("bench")  # of the site that it models


def test_defaults_of_the_model_are_those_of_the_data() -> None:
    for plant_type in plant_types():
        for name, found in type_facts(plant_type).items():
            default = Plant.model_fields[name].default if name in Plant.model_fields else None
            assert default is None or default == found.value, (plant_type, name)


def test_the_reference_page_is_the_data() -> None:
    page = (ROOT / "docs" / "reference" / "plants.md").read_text("utf-8")
    assert page == plant_reference_markdown(), "run: python docs/reference/make.py"
    assert "| `mirror_area_m2` | 1308000 | m2 | published |" in page
