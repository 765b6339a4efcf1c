"""What is usual at an hour of the year: the values of the same hour on the days around, without the day itself.

A value becomes a normal score by its rank there, and comes back from one; so any series (beam, wind, a plant's power)
can be forecast in scores, and the bands that come out fit its own law. Solar series are divided by what a bright day
gives at that hour, so that the season does not count as uncertainty.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from eureka_park.energy.core.sun import Floats

WINDOW_DAYS: Final = 22  # on each side
BRIGHT_DAYS: Final = 6  # on each side, of which the brightest counts as a bright day
_GRID: Final = np.linspace(-6.0, 6.0, 4801)
_CDF: Final = np.array([0.5 * (1.0 + erf(z / sqrt(2.0))) for z in _GRID])
_STEP: Final = np.diff(_CDF)
_PER_SCORE: Final = (len(_GRID) - 1) / float(_GRID[-1] - _GRID[0])

Index = npt.NDArray[np.int64]


def normal_cdf(score: Floats) -> Floats:
    """The normal distribution function."""
    place = np.clip((np.asarray(score, dtype=np.float64) - _GRID[0]) * _PER_SCORE, 0.0, len(_GRID) - 1.0)
    under = np.minimum(place.astype(np.int64), len(_GRID) - 2)  # the grid is even: no need to search it
    return np.asarray(_CDF[under] + (place - under) * _STEP[under], dtype=np.float64)


def normal_score(probability: Floats | float) -> Floats:
    """Its inverse, within -6 to 6."""
    return np.asarray(np.interp(probability, _CDF, _GRID), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Climate:
    """Usual ratios of a series by hour of the year, sorted (samples, hours), and what a ratio of 1 stands for."""

    ratios: Floats
    bright: Floats

    @property
    def n_samples(self) -> int:
        """Days that stand behind each hour."""
        return len(self.ratios)

    def scores(self, series: Floats, hours: Index | None = None) -> Floats:
        """Normal scores of values at hours of the year (all of them, in order, where none are named)."""
        ratios, bright = self._at(hours)
        value, n = _ratio(series, bright), self.n_samples
        below, upto = (ratios < value).sum(axis=0), (ratios <= value).sum(axis=0)
        columns = np.arange(ratios.shape[1])
        low, high = ratios[np.clip(below - 1, 0, n - 1), columns], ratios[np.clip(upto, 0, n - 1), columns]
        gap = np.where(high > low, high - low, 1.0)
        between = np.where((below == upto) & (below > 0) & (below < n), (value - low) / gap, 0.5)
        place = np.where(below == upto, below + between, 0.5 * (below + upto) + 0.5)
        return normal_score(np.clip(place, 0.5, n + 0.5) / (n + 1.0))

    def values(self, scores: Floats, hours: Index | None = None) -> Floats:
        """The values that have these normal scores, hours last; straight between samples, flat beyond them.

        `hours` is of the shape of `scores`, or of one that is spread to it; none: all hours in order.
        """
        at = np.arange(self.ratios.shape[1]) if hours is None else hours
        place = np.clip(normal_cdf(scores) * (self.n_samples + 1.0) - 1.0, 0.0, self.n_samples - 1.0)
        under = np.minimum(place.astype(np.int64), self.n_samples - 2)
        low, high = self.ratios[under, at], self.ratios[under + 1, at]
        return np.asarray((low + (place - under) * (high - low)) * self.bright[at], dtype=np.float64)

    def _at(self, hours: Index | None) -> tuple[Floats, Floats]:
        return (self.ratios, self.bright) if hours is None else (self.ratios[:, hours], self.bright[hours])


def climate_of(
    series: Floats,
    *,
    is_solar: bool,
    training: npt.NDArray[np.bool_] | None = None,
    wanted: Index | None = None,
) -> Climate:
    """What is usual, from whole days of a series of UTC hours; the year is a ring.

    `training`: which days may be looked at (none named: all); a day never sees itself. `wanted`: the days that will be
    asked about (none named: all); of others nothing is known.
    """
    days = np.asarray(series, dtype=np.float64).reshape(-1, 24)
    n_days = len(days)
    allowed = np.ones(n_days, dtype=np.bool_) if training is None else training
    bright = _bright(days, allowed) if is_solar else np.ones_like(days)
    ratios = _ratio(days, bright)
    around = np.array([shift for shift in range(-WINDOW_DAYS, WINDOW_DAYS + 1) if shift])
    if allowed.all():
        index = (np.arange(n_days)[:, None] + around) % n_days
    else:
        index = _nearest(allowed, len(around))
    samples = np.zeros((index.shape[1], n_days, 24))
    days_in = np.arange(n_days) if wanted is None else np.unique(wanted)
    samples[:, days_in] = np.moveaxis(np.sort(ratios[index[days_in]], axis=1), 1, 0)
    return Climate(samples.reshape(index.shape[1], -1), bright.reshape(-1))


def _ratio(values: Floats, bright: Floats) -> Floats:
    return np.where(bright > 0, values / np.maximum(bright, 1e-12), 0.0)


def _bright(days: Floats, allowed: npt.NDArray[np.bool_]) -> Floats:
    """What a bright day gives at each hour: the most of the days around that may be looked at, smoothed over days."""
    shifts = range(-BRIGHT_DAYS, BRIGHT_DAYS + 1)
    if allowed.all():
        most = np.max([np.roll(days, shift, axis=0) for shift in shifts], axis=0)
    else:
        most = days[_nearest(allowed, len(shifts))].max(axis=1)
    smooth = np.mean([np.roll(most, shift, axis=0) for shift in shifts], axis=0)
    return np.asarray(smooth, dtype=np.float64)


def _nearest(allowed: npt.NDArray[np.bool_], n_samples: int) -> Index:
    """For each day the nearest days of the year that may be looked at, itself left out."""
    n_days = len(allowed)
    candidates = np.flatnonzero(allowed)
    n_samples = min(n_samples, len(candidates) - 1)
    away = np.abs(np.arange(n_days)[:, None] - candidates)
    away = np.minimum(away, n_days - away)
    away = np.where(away == 0, n_days, away)
    return np.asarray(candidates[np.argsort(away, axis=1, kind="stable")[:, :n_samples]], dtype=np.int64)
