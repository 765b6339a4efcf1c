"""Outages drawn by a seed, scenarios by name, and how published output relates to them."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_park.energy.core.outages import (
    block_of_hours,
    drawn_availability,
    least_start_h,
    markov_availability,
    n_units,
    planned_outage,
    usual_availability_frac,
)
from eureka_park.energy.core.plants import plant_year
from eureka_park.energy.core.scenarios import (
    SCENARIOS,
    availability_of,
    long_outage_frac,
    scenario_of,
    without_in,
)
from eureka_park.energy.core.supply import supply_from, supply_of
from eureka_park.energy.core.weather import typical_year
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.plant_data import facts
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_reading import load_site

PARK = load_site("eureka-park")
PLANTS = {plant.id: plant for plant in PARK.plants}
WEATHER = {place.id: typical_year(place, 1) for place in PARK.weather_sites}
SUN = np.maximum(0.0, np.sin(np.arange(8760) / 24 * 2 * np.pi)) * (1.2 - np.cos(np.arange(8760) / 8760 * 2 * np.pi))
HISTORY = scenario_of("historical-availability")


def test_failures_take_the_stated_share_in_stretches_of_the_stated_length() -> None:
    states = np.concatenate([markov_availability(1, 0.05, 40.0, SeedTree(seed)) for seed in range(60)])
    assert 1.0 - states.mean() == pytest.approx(0.05, abs=0.01)
    down = states < 0.5
    starts = int((down[1:] & ~down[:-1]).sum())
    assert down.sum() / starts == pytest.approx(40.0, rel=0.2)


def test_many_units_fail_one_by_one() -> None:
    farm = markov_availability(20, 0.05, 40.0, SeedTree(1))
    assert 0.6 < farm.min() < 1.0 and farm.mean() == pytest.approx(0.95, abs=0.015)
    assert set(np.unique(np.round(farm * 20, 6) % 1 == 0)) == {False, True}  # parts of hours count as such


def test_a_seed_gives_its_outages_again_and_another_seed_others() -> None:
    first, again, other = (markov_availability(1, 0.05, 40.0, SeedTree(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (1.0, 0.0)])
def test_never_and_always(share: float, expected: float) -> None:
    assert np.all(markov_availability(3, share, 24.0, SeedTree(1)) == expected)


def test_service_is_laid_where_it_costs_least() -> None:
    assert least_start_h(SUN, 14 * 24) in range(8760 - 14 * 24, 8760)  # midwinter, over the turn of the year
    out = planned_outage(SUN, 1, 14 * 24.0)
    assert out.sum() == 14 * 24 and set(np.unique(out)) == {0.0, 1.0}
    farm = planned_outage(SUN, 20, 72.0)
    assert farm.max() == pytest.approx(1 / 20) and farm.sum() == pytest.approx(72.0)
    assert (out * SUN).sum() < 0.02 * SUN.sum()
    assert np.all(planned_outage(SUN, 1, 0.0) == 0)


def test_a_block_of_hours_goes_on_at_the_start_of_the_year() -> None:
    block = block_of_hours(8759, 3)
    assert block.sum() == 3 and block[8759] == block[0] == block[1] == 1


def test_units_of_each_kind_of_plant() -> None:
    assert n_units(PLANTS["koudia"]) == 20 and n_units(PLANTS["noor-i"]) == 1 and n_units(PLANTS["noor-iv"]) == 36
    assert usual_availability_frac(PLANTS["noor-i"]) == pytest.approx(0.96 * (1 - 14 / 365))


def test_scenarios_by_name() -> None:
    assert [scenario.name for scenario in SCENARIOS] == ["all-plants", "noor-iii-out", "historical-availability"]
    assert without_in(PARK.plants, scenario_of("noor-iii-out")) == ("noor-iii",)
    assert without_in(PARK.plants, HISTORY) == without_in(PARK.plants, SCENARIOS[0]) == ()
    with pytest.raises(BadInput, match="no scenario 'storm'") as caught:
        scenario_of("storm")
    assert "historical-availability" in caught.value.fix
    renamed = PLANTS["noor-iii"].model_copy(update={"id": "the-tower"})
    assert without_in([renamed], scenario_of("noor-iii-out")) == ("the-tower",)


def test_the_record_of_long_outages() -> None:
    days = (608 + 286) / 2192  # July 2021 to February 2023, and 2024 from 21 March on
    assert long_outage_frac(PLANTS["noor-iii"]) == pytest.approx(days)
    assert long_outage_frac(PLANTS["noor-i"]) == 0.0


def test_without_outages_drawn_the_published_year_is_kept_whole() -> None:
    for plant in PARK.plants:
        left = availability_of(plant, SCENARIOS[0], SUN, SeedTree(1))
        assert np.all(left.factor == 1.0) and "published year" in left.text
    out = availability_of(PLANTS["noor-iii"], scenario_of("noor-iii-out"), SUN, SeedTree(1))
    assert np.all(out.factor == 0.0) and out.mean_frac == 0.0 and out.text == "out all year"


def test_history_keeps_what_was_measured_and_takes_from_what_was_planned() -> None:
    years = [supply_from(PARK, WEATHER, HISTORY.name, outage_seed=seed).years for seed in range(1, 25)]
    mean = {name: float(np.mean([year[name].year_gwh for year in years])) for name in PLANTS}
    assert mean["noor-i"] == pytest.approx(424, rel=0.03)  # measured: its outages are in it
    usual = usual_availability_frac(PLANTS["noor-ii"])
    assert mean["noor-ii"] == pytest.approx(600 * 0.87 / usual, rel=0.03)  # planned: recorded over usual availability
    assert mean["noor-iii"] == pytest.approx(500 * 0.87 / usual * (1 - long_outage_frac(PLANTS["noor-iii"])), rel=0.05)
    ran = float(np.mean([year["noor-iii"].availability_frac for year in years]))
    assert ran == pytest.approx(0.87 * (1 - long_outage_frac(PLANTS["noor-iii"])), rel=0.05)
    assert mean["koudia"] == pytest.approx(367, rel=0.02)
    assert {facts(name)["year_gwh_published"].label for name in ("noor-ii", "noor-iii")} == {"announced"}


def test_noor_iii_is_out_in_one_stretch_of_history() -> None:
    series = plant_year(PLANTS["noor-iii"], PARK.weather_sites[0], WEATHER["ouarzazate"], HISTORY, 3)
    days = series.series_mw.reshape(365, 24).sum(axis=1) > 0
    runs = np.diff(np.flatnonzero(np.concatenate([[True], np.roll(days, -int(np.argmax(days))), [True]])))
    assert runs.max() - 1 == pytest.approx(365 * long_outage_frac(PLANTS["noor-iii"]), abs=8)


def test_what_was_drawn_never_exceeds_the_plant() -> None:
    for seed in range(3):
        for plant in PARK.plants:
            running = drawn_availability(plant, SUN, 0.1, SeedTree(seed))
            assert running.min() >= 0 and running.max() <= 1
        years = supply_from(PARK, WEATHER, HISTORY.name, outage_seed=seed).years
        assert years["noor-iv"].series_mw.max() <= 72 and years["koudia"].series_mw.max() <= 100


def test_a_supply_says_what_it_rests_on() -> None:
    supply = supply_of(PARK, 2, "noor-iii-out", ["koudia"])
    assert supply.without == ("koudia", "noor-iii")
    labels = supply.labels
    assert labels["scenario"].startswith("noor-iii-out: Noor III stands still all year")
    assert labels["weather"] == "synthetic typical year, seed 2"
    assert "noor-iii out all year" in labels["outages"] and "noor-i already sold" in labels["contracts"]
    assert supply.years["noor-iii"].raw_gwh > 500 and supply.years["noor-iii"].year_gwh == 0


def test_wrong_words_are_told() -> None:
    with pytest.raises(BadInput, match="no plant 'noor-ix'"):
        supply_from(PARK, WEATHER, without=["noor-ix"])
    with pytest.raises(BadInput, match="no weather for 'koudia'") as caught:
        supply_from(PARK, {"ouarzazate": WEATHER["ouarzazate"]})
    assert "--weather koudia=FILE" in caught.value.fix
