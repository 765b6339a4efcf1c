"""p10 and p90 of the clean power of a plan, from the forecasts that it was made from.

PV and wind have the quantiles of their forecast. What a salt plant can send in an hour rests on the heat of the day
before it and, within the first day, on what was in the tank; that tanks of 3 to 8 h turn over within a day is a
simplification. Its band is that of this heat, so a full tank makes power sure and a tank that lives from hand to mouth
does not. Plants of one place and kind err together, others apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from eureka_park.energy.core.forecast import Issue, SupplyForecast
from eureka_park.energy.core.plants import PlantYear
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.supply import delivered_frac, hours_on
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.units import HOUR_S

N_MEMBERS: Final = 60
TURNOVER_H: Final = 24
LOW: Final = 0.1
HIGH: Final = 0.9


def clean_band_mw(
    seen: SupplyForecast,
    start_s: float,
    hour: int,
    available_mw: Mapping[str, Floats],
    tes_mwh_th: Mapping[str, float],
    without: tuple[str, ...] = (),
) -> tuple[Floats, Floats]:
    """p10 and p90 of the clean power in all, around the medians `available_mw` of each plant; MW at the site meter.

    `hour` is the hour of the year at `start_s`; `tes_mwh_th` what the tanks hold then.
    """
    n_hours = len(next(iter(available_mw.values()), np.zeros(0)))
    below: dict[str, Floats] = {}
    above: dict[str, Floats] = {}
    for name, outlook in seen.outlooks.items():
        year, middle = seen.supply.years[name], available_mw[name]
        issue = outlook.issued(hour, n_hours)
        if year.is_csp:
            low, high = _salt_band(seen, name, issue, middle, tes_mwh_th.get(name, 0.0))
        else:
            low, high = _direct_band(seen, year, issue, start_s, without)
        group = seen.groups[name]
        below[group] = below.get(group, np.zeros(n_hours)) + np.maximum(0.0, middle - low)
        above[group] = above.get(group, np.zeros(n_hours)) + np.maximum(0.0, high - middle)
    middle = np.sum(list(available_mw.values()), axis=0) if available_mw else np.zeros(n_hours)
    return np.maximum(0.0, middle - _together(below, n_hours)), middle + _together(above, n_hours)


def _together(parts: Mapping[str, Floats], n_hours: int) -> Floats:
    """Independent deviations: the root of the sum of squares."""
    return np.sqrt(np.sum([part**2 for part in parts.values()], axis=0)) if parts else np.zeros(n_hours)


def _direct_band(
    seen: SupplyForecast, year: PlantYear, issue: Issue, start_s: float, without: tuple[str, ...]
) -> tuple[Floats, Floats]:
    plant = year.plant
    starts_s = start_s + HOUR_S * np.arange(len(issue.hours), dtype=np.float64)
    on = hours_on(plant, starts_s, frozenset((*without, *seen.supply.without)))
    share = on * delivered_frac(seen.supply.site, plant)
    return issue.quantile(LOW) * share, issue.quantile(HIGH) * share


def _salt_band(
    seen: SupplyForecast, name: str, issue: Issue, middle: Floats, tes_mwh_th: float
) -> tuple[Floats, Floats]:
    """The hour's median times how much heat there may be until then, over how much is expected."""
    plant = seen.supply.years[name].plant
    tree = SeedTree(seen.seed).child("band").child(seen.groups[name])  # plants of a group share their members
    left = tes_mwh_th * np.maximum(0.0, 1.0 - np.arange(len(middle)) / TURNOVER_H)
    members = left + _gathered(issue.members(tree, N_MEMBERS))
    usual = left + _gathered(issue.mean()[None, :])
    ratio = members / np.maximum(usual, 1e-9)
    most = float(plant.power_block_mw or plant.gross_mw) * delivered_frac(seen.supply.site, plant)
    low = middle * np.minimum(1.0, np.quantile(ratio, LOW, axis=0))
    high = np.minimum(np.maximum(middle, most), middle * np.maximum(1.0, np.quantile(ratio, HIGH, axis=0)))
    return low, high


def _gathered(heat: Floats) -> Floats:
    """Heat of the hours up to and with each, over a day at most; rows are members."""
    total = np.cumsum(heat, axis=1)
    before = np.zeros_like(total)
    before[:, TURNOVER_H:] = total[:, :-TURNOVER_H]
    return total - before
