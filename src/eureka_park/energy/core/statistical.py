"""A forecast from a series alone, where no weather model stands behind it: what was just seen, and what is usual.

In normal scores (see `climate`): the score of an hour ahead is a ridge regression on what persistence of the last hour
and of the last day say for it, on the hour before, and on the means of the last two days, fitted for each lead and hour
of day on training days; the spread around it is that of the training days' residuals, taken by their own quantiles.
The same is done with ratios to a bright hour, and the mean of both quantiles is given out.
Weeks are held out in turn: of three, two train. Days held out are never looked at, neither for what is usual nor for
the fit; they serve as what was just seen, as they would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from eureka_park.energy.core.climate import Climate, climate_of, normal_score
from eureka_park.energy.core.scores import LEVELS
from eureka_park.energy.core.sun import Floats

Mask = npt.NDArray[np.bool_]
RIDGE: Final = 1.0
N_FOLDS: Final = 3  # every third week is held out, each in its turn
N_INNER: Final = 4
FINE_LEVELS: Final = tuple(round(0.025 * step, 3) for step in range(1, 40))
WITHIN_DAY_H: Final = 6
LIT_FRAC: Final = 0.02  # of the brightest hour of the year; darker hours are neither used nor scored


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Which days train and which are held out, and the hours of the held-out days that are scored."""

    training: Mask
    scored: Mask


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A series with what is usual, its scores, and which of its hours carry news (sunlit ones, for the sun)."""

    series: Floats
    climate: Climate
    scores: Floats
    lit: Mask
    split: Split
    is_solar: bool
    inner: tuple[Fitted, ...] = ()  # the same with a part of the training weeks left out, each in its turn


def split_of(series: Floats, *, is_solar: bool, fold: int = 0) -> Split:
    """Whole weeks in turn: two train, one is held out; which one says `fold`."""
    days = np.arange(len(series) // 24)
    training = (days // 7) % N_FOLDS != fold
    held = np.repeat(~training, 24)
    lit = _lit(series, training) if is_solar else np.ones(len(series), dtype=np.bool_)
    return Split(training, held & lit)


def fitted(series: Floats, *, is_solar: bool, fold: int = 0) -> Fitted:
    """A series made ready for forecasts."""
    split = split_of(series, is_solar=is_solar, fold=fold)
    lit = _lit(series, split.training) if is_solar else np.ones(len(series), dtype=np.bool_)
    nothing = np.zeros(0)
    data = _with_climate(Fitted(series, Climate(nothing, nothing), nothing, lit, split, is_solar))
    weeks = np.arange(len(split.training)) // 7
    part = np.searchsorted(np.unique(weeks[split.training]), weeks) % N_INNER
    kept = [replace(split, training=split.training & (part != one)) for one in range(N_INNER)]
    return replace(data, inner=tuple(_with_climate(replace(data, split=one)) for one in kept))


def _with_climate(data: Fitted) -> Fitted:
    """The same with what is usual taken from its training days alone."""
    climate = climate_of(data.series, is_solar=data.is_solar, training=data.split.training)
    return replace(data, climate=climate, scores=np.where(data.lit, climate.scores(data.series), 0.0))


def forecasts(data: Fitted, lead_h: int, levels: Sequence[float] = LEVELS) -> dict[float, Floats]:
    """Quantiles of every hour of the series, each issued `lead_h` before the hour begins.

    Which level gives which share of hits is learnt on the training weeks, a part of them forecast from the others.
    """
    return _quantiles(data, lead_h, _honest_levels(data, lead_h, levels))


def _honest_levels(data: Fitted, lead_h: int, levels: Sequence[float]) -> dict[float, float]:
    """For each level wanted the level to ask for: the quantile of where truths fell among forecasts."""
    fell = []
    for inner in data.inner:
        part = data.split.training & ~inner.split.training
        made = np.array(list(_quantiles(inner, lead_h, {level: level for level in FINE_LEVELS}).values()))
        seen = np.repeat(part, 24) & data.lit
        truth = data.series[seen]
        fell.append(0.5 * ((made[:, seen] < truth).mean(axis=0) + (made[:, seen] <= truth).mean(axis=0)))
    return {level: float(np.clip(np.quantile(np.concatenate(fell), level), 0.005, 0.995)) for level in levels}


def _quantiles(data: Fitted, lead_h: int, asked: Mapping[float, float]) -> dict[float, Floats]:
    """The mean of two ways: scores regressed and turned into values, and ratios to a bright hour regressed."""
    bright, ratio = data.climate.bright, _ratio(data)
    scores = _regressed(data, _features(data, lead_h), data.scores, asked)
    ratios = _regressed(data, _ratio_features(data, lead_h), ratio, asked)
    top = float(data.series.max())
    found = {}
    for level in asked:
        by_score = data.climate.values(scores[level])
        found[level] = 0.5 * (by_score + np.clip(ratios[level] * bright, 0.0, top))
    return found


def _regressed(data: Fitted, features: Floats, target: Floats, asked: Mapping[float, float]) -> dict[float, Floats]:
    """Quantiles of a target by a ridge regression for each hour of day, with residuals by thirds of its middle."""
    train = np.repeat(data.split.training, 24) & data.lit
    middle = np.zeros(len(target))
    hour = np.arange(len(target)) % 24
    for one in range(24):
        here = (hour == one) & train
        if here.any():
            middle[hour == one] = features[hour == one] @ _ridge(features[here], target[here])
    third = np.digitize(middle, np.quantile(middle[train], (1 / 3, 2 / 3)))
    found = {level: np.empty(len(target)) for level in asked}
    for part in range(3):
        inside = third == part
        off = (target - middle)[train & inside]
        for level, asked_level in asked.items():
            found[level][inside] = middle[inside] + (np.quantile(off, asked_level) if len(off) else 0.0)
    return found


def persistence(data: Fitted, lead_h: int) -> Floats:
    """What persistence says of a series that is being forecast."""
    return persisted(data.series, data.climate, data.lit, lead_h)


def persisted(series: Floats, climate: Climate, lit: Mask, lead_h: int) -> Floats:
    """As last seen: wind as in the last hour; the ratio to a bright hour as in the last hour within the day, else as at
    this hour of the last day that is known.
    """
    ratio = _ratio_of(series, climate.bright)
    day = np.roll(ratio, _known_h(lead_h))
    if lead_h < WITHIN_DAY_H or lit.all():
        day = np.where(np.roll(lit, lead_h + 1), np.roll(ratio, lead_h + 1), day)
    return np.asarray(day * climate.bright, dtype=np.float64)


def _ratio(data: Fitted) -> Floats:
    return _ratio_of(data.series, data.climate.bright)


def _ratio_of(series: Floats, bright: Floats) -> Floats:
    return np.where(bright > 0, series / np.maximum(bright, 1e-12), 0.0)


def _known_h(lead_h: int) -> int:
    """How far back the same hour of day lies on the last day that is known at the issue."""
    return 24 * (1 + lead_h // 24)


def climatology(climate: Climate, levels: Sequence[float] = LEVELS) -> Mapping[float, Floats]:
    """What is usual, as quantiles of every hour."""
    n_hours = climate.ratios.shape[1]
    return {level: climate.values(np.full(n_hours, float(normal_score(level)))) for level in levels}


def _lit(series: Floats, training: Mask) -> Mask:
    """Hours in which a bright day of the training has light."""
    bright = climate_of(series, is_solar=True, training=training).bright
    return np.asarray(bright > LIT_FRAC * bright.max())


def _features(data: Fitted, lead_h: int) -> Floats:
    """What is known at the issue, for each hour of the series; the last row seen is the hour before the issue."""
    scores, lit, ratio, bright = data.scores, data.lit.astype(np.float64), _ratio(data), data.climate.bright
    last = lead_h + 1
    weights = np.convolve(lit, np.ones(24))[: len(lit)]
    sums = np.convolve(scores * lit, np.ones(24))[: len(scores)]
    daily = sums / np.maximum(weights, 1.0)
    as_last_hour = data.climate.scores(np.roll(ratio, last) * bright) * np.roll(lit, last)
    as_last_day = data.climate.scores(np.roll(ratio, _known_h(lead_h)) * bright)
    columns = (
        np.ones(len(scores)), as_last_hour, np.roll(scores * lit, last + 1), np.roll(daily, last),
        np.roll(daily, last + 24), as_last_day,
    )  # fmt: skip
    return np.stack(columns, axis=1)


def _ratio_features(data: Fitted, lead_h: int) -> Floats:
    """The same as ratios to a bright hour."""
    lit, ratio, last = data.lit.astype(np.float64), _ratio(data), lead_h + 1
    weights = np.convolve(lit, np.ones(24))[: len(lit)]
    daily = np.convolve(ratio * lit, np.ones(24))[: len(ratio)] / np.maximum(weights, 1.0)
    day = np.roll(ratio, _known_h(lead_h))
    was_lit = np.roll(data.lit, last)
    columns = (
        np.ones(len(ratio)), np.where(was_lit, np.roll(ratio, last), day), np.roll(ratio * lit, last + 1),
        np.roll(daily, last), np.roll(daily, last + 24), day,
    )  # fmt: skip
    return np.stack(columns, axis=1)


def _ridge(features: Floats, target: Floats) -> Floats:
    weight = RIDGE * np.eye(features.shape[1])
    weight[0, 0] = 1e-9  # the mean is free
    return np.asarray(np.linalg.solve(features.T @ features + weight, features.T @ target), dtype=np.float64)
