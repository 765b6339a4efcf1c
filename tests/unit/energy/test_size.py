"""What must be built for a share, on a small windy site, checked on its whole years."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers.small_sizing import TABLE, WINDY

from eureka_park.energy.core.size import TRIM_FRAC, Basis, SizeAnswer, basis_for, size_for, told
from eureka_park.energy.core.supply import Supply, supply_of
from eureka_park.energy.core.year import solve_year, year_result
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.site_reading import parse_site

SITE = parse_site(WINDY, "windy.toml")
LOAD = np.full(8760, 10.0)


def modelled(site: Site, name: str) -> Supply:
    return supply_of(site, int(name))


def basis(*seeds: int, **more: Any) -> Basis:
    return basis_for(SITE, {str(seed): supply_of(SITE, seed) for seed in seeds}, modelled, LOAD, TABLE, **more)


@pytest.fixture(scope="module")
def two_years() -> Basis:
    return basis(1, 2)


@pytest.fixture(scope="module")
def one_year() -> Basis:
    return basis(1)


@pytest.fixture(scope="module")
def seventy(two_years: Basis) -> SizeAnswer:
    """What is needed for 70 % in both years."""
    return size_for(two_years, 0.7, TABLE)


@pytest.fixture(scope="module")
def sixty(one_year: Basis) -> SizeAnswer:
    """What is needed for 60 % in one year."""
    return size_for(one_year, 0.6, TABLE)


def test_every_whole_year_reaches_the_share_and_none_by_much(seventy: SizeAnswer) -> None:
    share, answer = 0.7, seventy
    assert answer.is_reached
    assert answer.n_trials <= 4
    reached = [year.cfe_frac for year in answer.years]
    assert share - 1e-4 <= min(reached) <= share + 2 * TRIM_FRAC
    assert all(was.cfe_frac < share for was in answer.before)


def test_a_share_that_stands_needs_nothing(one_year: Basis) -> None:
    low = min(year.cfe_frac for year in one_year.before)
    answer = size_for(one_year, low - 0.01, TABLE)
    assert answer.is_reached
    assert answer.additions == ()
    assert told(one_year, answer, TABLE)["yearly_mmad"] == 0.0


def test_a_higher_share_costs_more_and_dearer_wind_costs_more(one_year: Basis, sixty: SizeAnswer) -> None:
    dearer = TABLE.scaled("wind", 1.2)
    lower = told(one_year, size_for(one_year, 0.5, TABLE), TABLE)["yearly_mmad"]
    dear = told(one_year, size_for(one_year, 0.6, dearer), dearer)["yearly_mmad"]
    assert lower < told(one_year, sixty, TABLE)["yearly_mmad"] < dear


def test_a_share_out_of_reach_is_an_answer() -> None:
    limited = basis(1, most_mw={"wind": 2.0, "battery": 1.0})
    answer = size_for(limited, 0.9, TABLE)
    assert not answer.is_reached
    assert answer.most_frac is not None
    assert max(year.cfe_frac for year in answer.before) < answer.most_frac < 0.9
    found = told(limited, answer, TABLE)
    assert found["is_reached"] is False
    assert found["additions"] == []


def test_the_answer_can_be_computed_again_from_its_plants(one_year: Basis, sixty: SizeAnswer) -> None:
    """The plants of the answer, put into a site file, give the year that was told."""
    found = told(one_year, sixty, TABLE)
    head, nodes = WINDY.split("[[nodes]]")
    site = parse_site(f"{head}{found['site_toml']}\n[[nodes]]{nodes}", "more.toml")
    again = year_result(solve_year(supply_of(site, 1), LOAD))
    assert again.cfe_frac == pytest.approx(found["by_year"][0]["cfe_frac"], abs=0.02)


def test_what_is_told_adds_up(two_years: Basis, seventy: SizeAnswer) -> None:
    found = told(two_years, seventy, TABLE)
    parts = found["additions"]
    assert found["capital_musd"] == pytest.approx(sum(item["capital_musd"] for item in parts))
    assert found["yearly_mmad"] == pytest.approx(sum(item["yearly_mmad"] for item in parts))
    assert found["cfe_frac_p10"] <= found["cfe_frac"] <= found["cfe_frac_p90"]
    assert [row["year"] for row in found["by_year"]] == ["1", "2"]
    assert abs(found["error_frac"]) < 0.01
    assert found["all_mad_per_kwh"] > 0
    wind = found["lcoe_new_mad_per_kwh"]
    assert wind > 0
    assert found["further_clean_mad_per_kwh"] >= wind


def test_where_what_is_bought_counts_more_may_be_built() -> None:
    both = basis(1, least="all")
    answer = size_for(both, 0.3, TABLE)
    assert answer.is_reached
    assert answer.years[0].cfe_frac > 0.35


def test_flexible_load_needs_no_more(one_year: Basis, sixty: SizeAnswer) -> None:
    steady = told(one_year, sixty, TABLE)["yearly_mmad"]
    moving = told(flex := basis(1, flex_frac=0.3), size_for(flex, 0.6, TABLE), TABLE)["yearly_mmad"]
    assert moving <= steady * 1.002


def test_a_site_where_nothing_can_be_built_says_so() -> None:
    begin, end = WINDY.index("[[weather_sites]]"), WINDY.index("[[nodes]]")
    bare = parse_site(WINDY[:begin] + WINDY[end:], "bare.toml")
    nothing = basis_for(bare, {"1": supply_of(bare, 1)}, modelled, LOAD, TABLE)
    answer = size_for(nothing, 0.5, TABLE)
    assert not answer.is_reached
    assert answer.most_frac == 0.0


def test_years_are_needed() -> None:
    with pytest.raises(BadInput, match="No year of weather"):
        basis_for(SITE, {}, modelled, LOAD, TABLE)


def test_every_figure_has_its_word(two_years: Basis, seventy: SizeAnswer) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "nomenclature.md").read_text(encoding="utf-8")
    words = set(re.findall(r"`([a-z0-9_]+)`", page))
    found = told(two_years, seventy, TABLE)
    plain = {"load_mw", "before", "by_year", "land_ha"}
    keys = {key.removesuffix("_p10").removesuffix("_p90") for key in found}
    assert keys - words <= plain
