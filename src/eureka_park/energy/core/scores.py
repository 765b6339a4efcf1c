"""How good forecasts are: errors of the middle, pinball loss, CRPS and coverage of the bands, skill against another.

CRPS: Matheson and Winkler 1976 (doi:10.1287/mnsc.22.10.1087), from an ensemble by its energy form, from quantiles as
twice the mean pinball loss (Gneiting and Raftery 2007, doi:10.1198/016214506000001437).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from eureka_park.energy.core.sun import Floats

LEVELS: Final = tuple(round(0.05 * step, 2) for step in range(1, 20))  # 0.05 to 0.95
BAND: Final = (0.10, 0.90)


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores over `n` hours, in the unit of the series; shares from 0 to 1."""

    n: int
    mae: float
    rmse: float
    bias: float
    pinball: float
    crps: float
    coverage_frac: float
    width: float

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value."""
        return {name: round(getattr(self, name), 6) for name in self.__dataclass_fields__}


def pinball(truth: Floats, quantile: Floats, level: float) -> Floats:
    """Loss of a quantile forecast of one level, hour by hour."""
    off = truth - quantile
    return np.maximum(level * off, (level - 1.0) * off)


def crps_of_quantiles(truth: Floats, quantiles: Mapping[float, Floats]) -> Floats:
    """CRPS hour by hour from quantiles at levels that part 0 to 1 evenly."""
    return np.asarray(2.0 * np.mean([pinball(truth, values, level) for level, values in quantiles.items()], axis=0))


def crps_of_ensemble(truth: Floats, members: Floats) -> Floats:
    """CRPS hour by hour from an ensemble of shape (members, hours), in the fair form for finite ensembles."""
    n = len(members)
    ordered = np.sort(members, axis=0)
    weights = 2.0 * np.arange(1, n + 1) - n - 1.0
    spread = (weights[:, None] * ordered).sum(axis=0) / (n * max(1, n - 1))
    return np.asarray(np.abs(members - truth).mean(axis=0) - spread)


def scores_of(truth: Floats, quantiles: Mapping[float, Floats]) -> Scores:
    """All scores of quantile forecasts that have 0.1, 0.5 and 0.9 among their levels."""
    middle, (low, high) = quantiles[0.5], (quantiles[level] for level in BAND)
    off = middle - truth
    # A band of no width that is hit (night, calm) says nothing, and is left out of the coverage.
    is_open = high - low > 1e-9
    inside = (truth >= low - 1e-9) & (truth <= high + 1e-9)
    return Scores(
        n=len(truth),
        mae=float(np.abs(off).mean()),
        rmse=float(np.sqrt(np.mean(off**2))),
        bias=float(off.mean()),
        pinball=float(np.mean([pinball(truth, values, level).mean() for level, values in quantiles.items()])),
        crps=float(crps_of_quantiles(truth, quantiles).mean()),
        coverage_frac=float(inside[is_open].mean()) if is_open.any() else 1.0,
        width=float((high - low).mean()),
    )


def skill_frac(score: float, of_reference: float) -> float:
    """1 for a perfect forecast, 0 for one as good as the reference, below 0 for a worse one."""
    return 1.0 - score / of_reference if of_reference > 0 else 0.0
