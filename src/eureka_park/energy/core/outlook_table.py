"""Forecasts of a supply as they are issued at many hours, worked out together; the values are those of `forecast`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from eureka_park.energy.core.climate import Index, normal_score
from eureka_park.energy.core.forecast import N_STEPS, Issue, Outlook, SupplyForecast
from eureka_park.energy.core.forecast_band import LOW, N_MEMBERS, TURNOVER_H
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR
from eureka_park.foundation.seeds import SeedTree

AT_ONCE: Final = 32  # issues that are worked out together: few enough for the processor's cache
_LEVELS: Final = normal_score((np.arange(N_STEPS) + 0.5) / N_STEPS)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of a plant at an hour. `middle` of all hours asked for: the median, or what is expected of heat.

    Of the hours of the plan: `low` is the p10 of PV and wind; of a plant with salt `gathered` and `gathered_low` are
    the heat of up to a day before the end of each hour, as expected and its p10 (MWh of heat, or MW).
    """

    middle: Floats
    low: Floats
    gathered: Floats
    gathered_low: Floats


class OutlookTable:
    """Forecasts for `n_hours` from hours of the year on, with bands for the first `n_told` of them."""

    def __init__(self, seen: SupplyForecast, every_h: int, n_hours: int, n_told: int) -> None:
        self.seen, self.every_h, self.n_hours, self.n_told = seen, every_h, n_hours, n_told
        self._rows: dict[int, Mapping[str, Known]] = {}
        self._paths: dict[str, Floats] = {}

    def at(self, hour: int) -> Mapping[str, Known]:
        """What is known of each plant as an hour of the year begins; later ones, `every_h` apart, come with it."""
        if hour not in self._rows:
            hours = (hour + self.every_h * np.arange(AT_ONCE)) % HOURS_PER_YEAR
            self._rows = dict(zip(hours.tolist(), self._issued(hours), strict=True))
        return self._rows[hour]

    def alone(self, hour: int) -> Mapping[str, Known]:
        """The same for one hour, out of the order of the others."""
        return self._rows[hour] if hour in self._rows else self._issued(np.array([hour]))[0]

    def _issued(self, first: Index) -> list[Mapping[str, Known]]:
        found = {name: self._plant(name, outlook, first) for name, outlook in self.seen.outlooks.items()}
        return [{name: rows[at] for name, rows in found.items()} for at in range(len(first))]

    def _plant(self, name: str, outlook: Outlook, first: Index) -> list[Known]:
        hours = (first[:, None] + np.arange(self.n_hours)) % HOURS_PER_YEAR
        issue = outlook.issued_at(hours, np.arange(self.n_hours))
        none = np.zeros((len(first), 0))
        if not self.seen.supply.years[name].is_csp:
            low = issue.quantile(LOW)[:, : self.n_told]
            return [Known(*row) for row in zip(issue.quantile(0.5), low, none, none, strict=True)]
        levels = _LEVELS[:, None, None]
        middle = issue.climate.values(issue.middle + issue.spread * levels, issue.hours).mean(axis=0)
        gathered = _gathered(middle[:, : self.n_told])
        low = self._gathered_low(name, issue)
        return [Known(*row) for row in zip(middle, none, gathered, low, strict=True)]

    def _gathered_low(self, name: str, issue: Issue) -> Floats:
        """The p10 of the heat gathered, over the ways in which it may come."""
        n, path = self.n_told, self._path(name, issue)
        scores = issue.middle[:, None, :n] + issue.spread[:n] * path
        members = issue.climate.values(scores, issue.hours[:, None, :n])
        return np.asarray(np.quantile(_gathered(members), LOW, axis=1), dtype=np.float64)

    def _path(self, name: str, issue: Issue) -> Floats:
        """The errors of all members, the same at every issue: plants of a group share them."""
        group = self.seen.groups[name]
        if group not in self._paths:
            tree = SeedTree(self.seen.seed).child("band").child(group)
            self._paths[group] = issue.paths(tree, N_MEMBERS, self.n_told)
        return self._paths[group]


def _gathered(heat: Floats) -> Floats:
    """Heat of the hours up to and with each, over a day at most; hours last."""
    total = np.cumsum(heat, axis=-1)
    before = np.zeros_like(total)
    before[..., TURNOVER_H:] = total[..., :-TURNOVER_H]
    return np.asarray(total - before)
