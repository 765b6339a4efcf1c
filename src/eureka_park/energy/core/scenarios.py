"""Outage scenarios by name: which plants stand still, and how published output relates to outages.

A published yearly output already holds the ordinary outages of its plant. So they are never taken off twice:

- `all-plants`: a calibrated plant gives its published year, outages spread evenly in it; a plant without a published
  year gives its model times its usual availability.
- `noor-iii-out`: the same without Noor III.
- `historical-availability`: outages are laid out hour by hour and drawn by the seed. What was measured stays what it
  was on average; what was only planned or assumed falls by the ratio of recorded to usual availability. Noor III also
  stands still for the share of 2019 to 2024 in which it was out, in one stretch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from eureka_park.energy.core.outages import (
    block_of_hours,
    drawn_availability,
    planned_availability_frac,
    usual_availability_frac,
)
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.plant_data import fact, has_parameter, parameter, words_parameter
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_file import Plant

NOOR_III: Final = "noor-iii"
RECORD: Final = (date(2019, 1, 1), date(2025, 1, 1))  # years that the record of long outages covers


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario by name, told in one sentence."""

    name: str
    text: str
    out: tuple[str, ...] = ()  # known plants that stand still all year
    is_drawn: bool = False


SCENARIOS: Final[tuple[Scenario, ...]] = (
    Scenario("all-plants", "all plants run; ordinary outages are spread evenly over the year"),
    Scenario("noor-iii-out", "Noor III stands still all year, as in 2022; the others as in all-plants", (NOOR_III,)),
    Scenario(
        "historical-availability",
        "outages drawn hour by hour from recorded availability; Noor III out for its share of 2019 to 2024",
        is_drawn=True,
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class Availability:
    """What of its calibrated series a plant can give, hour by hour. It may pass 1: see the head of this module.

    `mean_frac` is the share of the plant that can run in a mean hour.
    """

    factor: Floats
    mean_frac: float
    text: str


def scenario_of(name: str) -> Scenario:
    """The scenario with a name. Raises BadInput naming those there are."""
    for scenario in SCENARIOS:
        if scenario.name == name:
            return scenario
    names = ", ".join(scenario.name for scenario in SCENARIOS)
    raise BadInput(f"There is no scenario '{name}'.", fix=f"Scenarios: {names}.", code="no_scenario", field="scenario")


def stands_still(plant: Plant, scenario: Scenario) -> bool:
    """Whether a plant is out all year in a scenario: by the known plant it is, or by its id."""
    return (plant.known_as or plant.id) in scenario.out


def without_in(plants: Iterable[Plant], scenario: Scenario) -> tuple[str, ...]:
    """Ids of the plants that a scenario takes out."""
    return tuple(plant.id for plant in plants if stands_still(plant, scenario))


def availability_of(plant: Plant, scenario: Scenario, output_mw: Floats, tree: SeedTree) -> Availability:
    """What a scenario leaves of a plant, hour by hour; `output_mw` says when service costs least."""
    if stands_still(plant, scenario):
        return Availability(np.zeros(HOURS_PER_YEAR), 0.0, "out all year")
    usual = usual_availability_frac(plant)
    if not scenario.is_drawn:
        if plant.year_gwh_published is not None:
            return Availability(np.ones(HOURS_PER_YEAR), usual, "ordinary outages are in its published year")
        return Availability(np.full(HOURS_PER_YEAR, usual), usual, f"usual availability {usual:.3f}, spread evenly")
    return _drawn(plant, output_mw, usual, tree.child("outages").child(plant.id))


def long_outage_frac(plant: Plant) -> float:
    """Share of the recorded years in which a plant was out for months; 0 without a record."""
    if not has_parameter(plant, "long_outages"):
        return 0.0
    first, last = RECORD
    lost = 0
    for stretch in words_parameter(plant, "long_outages"):
        begin, _, end = stretch.partition("/")
        until = min(last, date.fromisoformat(end)) if end else last
        lost += max(0, (until - max(first, date.fromisoformat(begin))).days)
    return lost / (last - first).days


def _drawn(plant: Plant, output_mw: Floats, usual: float, tree: SeedTree) -> Availability:
    recorded = has_parameter(plant, "recorded_availability_frac")
    mean = parameter(plant, "recorded_availability_frac") if recorded else usual
    planned = planned_availability_frac(plant)
    running = drawn_availability(plant, output_mw, max(0.0, 1.0 - mean / planned), tree)
    lost = long_outage_frac(plant)
    start_h = int(tree.child("long").generator().integers(HOURS_PER_YEAR))
    running = running * (1.0 - block_of_hours(start_h, round(lost * HOURS_PER_YEAR)))
    text = f"drawn, mean {mean:.3f}" + (f", and out for {lost:.2f} of the year" if lost else "")
    return Availability(running / _held_in_calibration(plant, mean, usual), float(running.mean()), text)


def _held_in_calibration(plant: Plant, mean: float, usual: float) -> float:
    """The availability that a plant's calibrated year already holds."""
    if plant.year_gwh_published is None:
        return 1.0
    return mean if fact(plant, "year_gwh_published").label == "measured" else usual
