"""What size would be honest: the largest constant load that a site's plants carry to a given hour-matched share.

The share falls as the load grows, so the load is found by closing a bracket: the straight line between its ends
proposes the next load, a bisection steps in where that is slow. Every step is the exact year under that load, started
from the last one's optimum; the answers are then the figures of that year. Several shares use each other's steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from eureka_park.energy.core.dispatch import Dispatch, Dispatcher
from eureka_park.energy.core.supply import Supply
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR
from eureka_park.energy.core.year import YearResult, solved, year_problem, year_result
from eureka_park.foundation.errors import BadInput

TOLERANCE_MW: Final = 0.5
TOLERANCE_FRAC: Final = 1e-3  # of the most that the plants could carry; counts in sites smaller than a park
SLACK_FRAC: Final = 1e-6  # of the share: what the solver rounds
INSIDE_FRAC: Final = 0.02  # a proposal keeps so far from the ends of its bracket


@dataclass(frozen=True, slots=True)
class LargestLoad:
    """The answer for one share: the largest load found to reach it, and the first found that does not."""

    cfe_frac: float
    load_mw: float
    too_much_mw: float
    year: YearResult

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value; the year's own parts by month and hour are left out."""
        year = {key: value for key, value in self.year.to_json().items() if key not in ("by_month", "by_hour")}
        return {"asked_cfe_frac": self.cfe_frac, "load_mw": self.load_mw, "too_much_mw": self.too_much_mw, **year}


def largest_loads(supply: Supply, cfe_fracs: Sequence[float], flex_frac: float = 0.0) -> list[LargestLoad]:
    """The largest constant load for each hour-matched share (above 0, at most 1), to 0.5 MW. Raises BadInput."""
    for cfe_frac in cfe_fracs:
        if not 0.0 < cfe_frac <= 1.0:
            raise BadInput(
                f"A share of {cfe_frac:g} cannot be asked for.", fix="Ask for more than 0 and at most 1.", field="cfe"
            )
    search = _Search(supply, flex_frac)
    return [search.largest(cfe_frac) for cfe_frac in cfe_fracs]


class _Search:
    """The loads tried so far, with their shares."""

    def __init__(self, supply: Supply, flex_frac: float) -> None:
        self._supply = supply
        nothing = year_problem(supply, np.zeros(HOURS_PER_YEAR), flex_frac=flex_frac)
        clean = nothing.direct_sum_mw + sum(plant.heat_mw_th * plant.per_heat for plant in nothing.salt.values())
        self._clean_mw = float(np.sum(clean)) / HOURS_PER_YEAR
        self._tolerance_mw = min(TOLERANCE_MW, TOLERANCE_FRAC * self._clean_mw)
        first = np.full(HOURS_PER_YEAR, self._clean_mw)
        self._kept = Dispatcher(year_problem(supply, first, flex_frac=flex_frac))
        self._share_by_load = {0.0: 1.0}

    def largest(self, cfe_frac: float) -> LargestLoad:
        low, high = self._bracket(cfe_frac)
        for step in range(60):
            if high - low <= self._tolerance_mw:
                break
            load_mw = (low + high) / 2 if step % 3 == 2 else self._between(low, high, cfe_frac)
            is_enough = self._share(load_mw) >= cfe_frac - SLACK_FRAC
            low, high = (load_mw, high) if is_enough else (low, load_mw)
        answer = self._at(low)
        year = year_result(solved(self._supply, self._kept.problem, answer))
        return LargestLoad(cfe_frac, low, high, year)

    def _bracket(self, cfe_frac: float) -> tuple[float, float]:
        """Loads known to be carried and not to be: the volume of a year can never be exceeded."""
        at_most = self._clean_mw / cfe_frac + 2 * self._tolerance_mw
        known = sorted(self._share_by_load.items())
        low = max(load for load, share in known if share >= cfe_frac - SLACK_FRAC)
        high = min((load for load, share in known if share < cfe_frac - SLACK_FRAC and load > low), default=at_most)
        return low, max(low, min(high, at_most))

    def _between(self, low: float, high: float, cfe_frac: float) -> float:
        above, below = self._share_by_load[low], self._share_by_load.get(high, 0.9 * cfe_frac)
        part = (above - cfe_frac) / (above - below) if above > below else 0.5
        edge = max(INSIDE_FRAC, 0.45 * self._tolerance_mw / (high - low))
        return low + min(1.0 - edge, max(edge, part)) * (high - low)

    def _share(self, load_mw: float) -> float:
        if load_mw not in self._share_by_load:
            self._share_by_load[load_mw] = self._at(load_mw).cfe_frac
        return self._share_by_load[load_mw]

    def _at(self, load_mw: float) -> Dispatch:
        self._kept.set_load(np.full(HOURS_PER_YEAR, load_mw))
        return self._kept.solve()
