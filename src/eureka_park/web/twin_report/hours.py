"""The hours of a run as pictures need them: what served the load, what nobody drew, days of the site's clock, weeks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from eureka_park.twin.run_record import Floats, RunRecord
from eureka_park.web.pages.words import N_, Words

KINDS: Final = {
    "wind": N_("Wind"), "pv": N_("Sun (PV)"), "csp": N_("Direct sun (CSP)"), "salt": N_("Molten salt"),
    "direct": N_("Wind and panels"), "heat": N_("Solar heat and salt"), "clean": N_("Sun, wind and salt"),
    "grid": N_("Grid"),
}  # fmt: skip
WEEK_H: Final = 168
SHOWN_H_MAX: Final = 21 * 24  # a run up to so long is shown as one picture
MONTHS_DAYS_MIN: Final = 60


@dataclass(frozen=True, slots=True, eq=False)
class Power:
    """IT energy hour by hour, kWh: by clean kind what was drawn and what was there and not drawn; what the grid gave;
    what the newest plan expected. Kinds are those of `KINDS` that the run tells apart, from the ground up.
    """

    hour_s: Floats
    load: Floats
    used: dict[str, Floats]
    unused: dict[str, Floats]
    grid: Floats
    planned: Floats | None

    @property
    def n(self) -> int:
        """Hours."""
        return len(self.load)

    @property
    def there(self) -> Floats:
        """All that was drawn, and clean power that was not."""
        return np.asarray(self.load + sum(self.unused.values()))

    @property
    def matched(self) -> Floats:
        """Clean energy that was drawn in its hour."""
        return np.asarray(self.load - self.grid)

    @property
    def shares(self) -> Floats:
        """Clean share of each hour; 1 where nothing was drawn."""
        return np.where(self.load > 0.0, self.matched / np.where(self.load > 0.0, self.load, 1.0), 1.0)

    def share(self, hours: slice | Sequence[int] | Floats = slice(None)) -> float:
        """Clean share of some hours together; 1 where nothing was drawn."""
        load = float(self.load[hours].sum())
        return float(self.matched[hours].sum()) / load if load > 0.0 else 1.0


def power_of(record: RunRecord, *, with_tail: bool = False) -> Power | None:
    """What the hours of a run tell; none where they do not tell the load and what of it was clean.

    Kinds serve from the ground up: what is drawn of each follows from what there was of each. `with_tail`: also the
    hours after the last day, in which what still ran came to its end; sums of a run count them.
    """
    days = record.figures.get("days_played") or record.figures.get("days")
    n = round(24.0 * days) if days and not with_tail else record.n_hours
    told = {name: np.nan_to_num(values[: max(1, n)]) for name, values in record.hours.items()}
    load = told.get("load_kwh")
    if load is None or not len(load) or "hour_s" not in told:
        return None
    kinds = _kinds(told)
    if kinds is None:
        return None
    used, unused, left = {}, {}, load.copy()
    for kind, there in _within(kinds, told.get("clean_kwh")).items():
        used[kind] = np.minimum(left, there)
        left = left - used[kind]
        unused[kind] = there - used[kind]
    return Power(told["hour_s"], load, used, unused, left, told.get("planned_clean_kwh"))


def _kinds(told: dict[str, Floats]) -> dict[str, Floats] | None:
    """What there was of each kind of clean power. In a run's hours salt is all that went through tanks and turbines;
    `csp_kwh` is the part of it that mirrors gathered in the same hour.
    """
    if {"wind_kwh", "pv_kwh", "csp_kwh", "salt_kwh"} <= set(told):
        salt = np.maximum(0.0, told["salt_kwh"] - told["csp_kwh"])
        return {"wind": told["wind_kwh"], "pv": told["pv_kwh"], "csp": told["csp_kwh"], "salt": salt}
    if {"direct_kwh", "salt_kwh"} <= set(told):
        return {"direct": told["direct_kwh"], "heat": told["salt_kwh"]}
    if "clean_kwh" in told:
        return {"clean": told["clean_kwh"]}
    return {"clean": told["load_kwh"] - told["bought_kwh"]} if "bought_kwh" in told else None


def _within(kinds: dict[str, Floats], clean: Floats | None) -> dict[str, Floats]:
    """Kinds that together give what was clean: before the site's own needs are met a kind may be told below zero, and
    others above what was left for the machines.
    """
    found = {kind: np.maximum(0.0, there) for kind, there in kinds.items()}
    if clean is None:
        return found
    total = np.sum(list(found.values()), axis=0)
    part = np.divide(np.maximum(0.0, clean), total, out=np.zeros(len(total)), where=total > 0.0)
    return {kind: there * part for kind, there in found.items()}


def days_of(power: Power, words: Words) -> tuple[list[date], list[list[float | None]]]:
    """Days of the site's clock, and their 24 shares; none where the run has no such hour."""
    days: dict[date, list[float | None]] = {}
    for instant, share in zip(power.hour_s.tolist(), power.shares.tolist(), strict=True):
        local = words.local(instant)
        days.setdefault(local.date(), [None] * 24)[local.hour] = share
    return list(days), list(days.values())


def months_of(power: Power, words: Words) -> list[tuple[str, slice]]:
    """Calendar months of the site's clock: their names, and which hours are theirs."""
    names, found, first = words.months(), [], 0
    keys = [(local.year, local.month) for local in map(words.local, power.hour_s.tolist())]
    for hour in range(1, power.n + 1):
        if hour == power.n or keys[hour] != keys[first]:
            if hour - first >= 24:  # a night at the edge is no month
                found.append((names[keys[first][1] - 1], slice(first, hour)))
            first = hour
    return found


def typical_weeks(power: Power) -> list[tuple[str, slice]]:
    """The cleanest, the most usual and the least clean of a run's whole weeks, by name; all of a short run."""
    if power.n <= SHOWN_H_MAX:
        return [("all", slice(0, power.n))]
    weeks = [slice(first, first + WEEK_H) for first in range(0, power.n - WEEK_H + 1, WEEK_H)]
    ranked = sorted(weeks, key=power.share)
    return [("best", ranked[-1]), ("usual", ranked[len(ranked) // 2]), ("worst", ranked[0])]


def mean_day(power: Power, words: Words, values: Floats) -> list[float]:
    """The mean of a series by hour of the site's clock."""
    at = np.array([words.local(instant).hour for instant in power.hour_s.tolist()])
    return [float(values[at == hour].mean()) if (at == hour).any() else 0.0 for hour in range(24)]
