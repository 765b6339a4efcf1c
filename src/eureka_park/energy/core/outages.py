"""When a plant stands still: planned service, failures of its units, and long outages, hour by hour over a year.

Rates and lengths stand in the plant data. Units (machines of a wind farm, inverter stations, one power block) fail and
are repaired as a two-state Markov chain whose up and down times are exponential. Chance comes from a seed.
"""

from __future__ import annotations

from math import ceil
from typing import Final

import numpy as np

from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR
from eureka_park.foundation.plant_data import has_parameter, parameter
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_file import Plant

DAYS_PER_YEAR: Final = 365
UNITS_MAX: Final = 60  # more of them change nothing that is seen in an hour
UP_H_MAX: Final = 1e9  # a failure in a hundred thousand years: rarer ones are never seen, and sums of them overflow


def usual_availability_frac(plant: Plant) -> float:
    """Share of a plant that can run in a mean hour of a year without long outages."""
    return planned_availability_frac(plant) * (1.0 - parameter(plant, "forced_outage_frac"))


def planned_availability_frac(plant: Plant) -> float:
    """Share of the year outside planned service."""
    return 1.0 - min(1.0, parameter(plant, "planned_outage_d") / DAYS_PER_YEAR)


def n_units(plant: Plant) -> int:
    """How many parts of a plant fail one by one."""
    if plant.n_turbines is not None:
        return plant.n_turbines
    return int(parameter(plant, "outage_units")) if has_parameter(plant, "outage_units") else 1


def drawn_availability(plant: Plant, output_mw: Floats, forced_frac: float, tree: SeedTree) -> Floats:
    """Share of the plant that can run in each hour: service when it costs least output, failures as they come."""
    units = min(n_units(plant), UNITS_MAX)
    running = markov_availability(units, forced_frac, parameter(plant, "forced_outage_h"), tree.child("forced"))
    return running * (1.0 - planned_outage(output_mw, units, 24.0 * parameter(plant, "planned_outage_d")))


def markov_availability(units: int, down_frac: float, down_h: float, tree: SeedTree) -> Floats:
    """Share of the units that run in each hour. `down_frac` of all hours are lost in outages of `down_h` on average."""
    if down_frac <= 0.0:
        return np.ones(HOURS_PER_YEAR)
    if down_frac >= 1.0:
        return np.zeros(HOURS_PER_YEAR)
    up_h = min(UP_H_MAX, down_h * (1.0 - down_frac) / down_frac)
    states = [_one_unit(up_h, down_h, tree.child(str(unit))) for unit in range(units)]
    return np.asarray(np.mean(states, axis=0), dtype=np.float64)


def planned_outage(output_mw: Floats, units: int, hours_each: float) -> Floats:
    """Share of the plant in service in each hour: unit after unit, through the weeks in which it would give least."""
    length = min(HOURS_PER_YEAR, ceil(hours_each * units))
    if length <= 0:
        return np.zeros(HOURS_PER_YEAR)
    share = min(1.0 / units, hours_each / length)
    return share * block_of_hours(least_start_h(output_mw, length), length)


def least_start_h(output_mw: Floats, length_h: int) -> int:
    """Where the stretch of a year begins in which a series sums to least; the year is a ring."""
    sums = np.concatenate([[0.0], np.cumsum(np.concatenate([output_mw, output_mw]))])
    return int(np.argmin(sums[length_h : length_h + HOURS_PER_YEAR] - sums[:HOURS_PER_YEAR]))


def block_of_hours(start_h: int, length_h: int) -> Floats:
    """1 for `length_h` hours from `start_h` on, 0 else; over the end of the year it goes on at its start."""
    hours = (np.arange(HOURS_PER_YEAR) - start_h) % HOURS_PER_YEAR
    return np.asarray(hours < length_h, dtype=np.float64)


def cleanness(plant: Plant) -> Floats:
    """How clean mirrors or panels are in each hour, over their mean of the year: dust by day, washed every few days."""
    if plant.type in ("wind", "battery"):
        return np.ones(HOURS_PER_YEAR)
    days = np.arange(HOURS_PER_YEAR) / 24.0
    kept = 1.0 - parameter(plant, "soiling_frac_per_day") * (days % parameter(plant, "wash_every_d"))
    return np.maximum(0.0, kept) / float(np.mean(np.maximum(1e-9, kept)))


def _one_unit(up_h: float, down_h: float, tree: SeedTree) -> Floats:
    """1 while a unit runs, 0 while it is repaired; parts of hours count as such. Begins as in a mean hour."""
    draw = tree.generator()
    runs = bool(draw.random() >= down_h / (up_h + down_h))
    pairs = int(4 + 3 * HOURS_PER_YEAR / (up_h + down_h))
    lengths = draw.exponential(1.0, 2 * pairs) * np.resize([up_h, down_h] if runs else [down_h, up_h], 2 * pairs)
    ends = np.cumsum(lengths)
    if ends[-1] < HOURS_PER_YEAR:  # so rare that what follows counts as running
        ends, lengths = np.append(ends, HOURS_PER_YEAR), np.append(lengths, HOURS_PER_YEAR - ends[-1])
    up_until = np.cumsum(np.where((np.arange(lengths.size) % 2 == 0) == runs, lengths, 0.0))
    marks = np.arange(HOURS_PER_YEAR + 1, dtype=np.float64)
    running = np.diff(np.interp(marks, np.concatenate([[0.0], ends]), np.concatenate([[0.0], up_until])))
    return np.asarray(np.clip(running, 0.0, 1.0), dtype=np.float64)
