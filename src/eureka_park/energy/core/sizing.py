"""The cheapest additions that reach a clean share, found from planes under the figure of each week.

Sizes x >= 0 (MW, MWh, mirrors, ...), weeks w of years y:

    least     sum_j yearly_cost_j x_j  (+ sum_w cost_w / number of years, where what is bought and sold counts too)
    such that sum_{w in y} import_w <= (1 - share_y) load_y     for each year y, not on average over them
              import_w >= value + slope . (x - at)              for each plane of each week; cost_w alike
              0 <= x_j <= most_j,   hours of salt within reason

`import_w(x)` is the least energy that week w must buy at sizes x: a linear program whose optimum is convex in x, so its
reduced costs at any x give a plane under it everywhere. This is Benders' decomposition with a plane for each week
(doi:10.1007/BF01386316; several planes: doi:10.1016/0377-2217(88)90159-2). It sees every hour of every year, no week
is left out or weighted. Planes do not depend on costs or shares: other targets and other prices start from them.

Flexible load, batteries that take clean power only and salt are those of the dispatch. What is left out here, stores
that carry over from week to week, is measured afterwards on whole years (`sized`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from eureka_park.energy.core.candidates import Ratio, Size
from eureka_park.energy.core.linear_program import Block, LinearProgram
from eureka_park.energy.core.sizing_weeks import Plane, Week
from eureka_park.energy.core.sun import Floats
from eureka_park.foundation.errors import Internal
from eureka_park.foundation.units import MWH_PER_GWH

TOLERANCE_FRAC: Final = 3e-4  # of the load: how much more may be bought than the share allows before a search ends
COST_TOLERANCE_FRAC: Final = 2e-3
ROUNDS_MAX: Final = 60
MOST_STEPS: Final = 200.0  # sizes without a limit end here; 50 times the load
Progress = Callable[[str, int], None]
_CSP_PARTS: Final = (".mirror", ".block", ".salt")


@dataclass(slots=True)
class YearWeeks:
    """A year's weeks with their planes so far. `costs` only where what is bought and sold counts."""

    load_gwh: float
    imports: list[Week]
    costs: list[Week] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Sizes with their yearly cost (MAD), and the share that the weeks say each year reaches with them."""

    sizes: Floats
    yearly_mad: float
    share_by_year: tuple[float, ...]
    n_rounds: int
    least_mad: float  # no additions can be cheaper, as far as the weeks tell


class OutOfReach(Exception):
    """No sizes reach the share; `most_frac` is what the largest sizes reach in the worst year."""

    def __init__(self, most_frac: float) -> None:
        super().__init__(f"at most {most_frac:.4f}")
        self.most_frac = most_frac


class Search:
    """Planes gathered so far for some years, sizes and candidates; every question leaves more of them."""

    def __init__(
        self,
        sizes: Sequence[Size],
        years: Sequence[YearWeeks],
        *,
        counts_bought: bool = False,
        ratios: Sequence[Ratio] = (),
    ) -> None:
        self.sizes, self.years, self.counts_bought = tuple(sizes), list(years), counts_bought
        self._ratios = tuple(ratios)
        self._steps = np.array([size.step for size in sizes])
        self._most = np.minimum([size.most for size in sizes], MOST_STEPS * self._steps)
        self._import_planes: list[list[list[Plane]]] = [[[] for _ in year.imports] for year in years]
        self._cost_planes: list[list[list[Plane]]] = [[[] for _ in year.costs] for year in years]
        self.n_looks = 0

    def shares(self, sizes: Floats) -> tuple[float, ...]:
        """The share that each year reaches at these sizes; their planes are kept."""
        self.n_looks += 1
        shares = []
        for year, kept in zip(self.years, self._import_planes, strict=True):
            planes = [week.plane(sizes) for week in year.imports]
            for known, plane in zip(kept, planes, strict=True):
                if plane.value > 1e-9 or np.any(plane.slope):
                    known.append(plane)
            shares.append(1.0 - sum(plane.value for plane in planes) / year.load_gwh)
        return tuple(shares)

    def paid(self, sizes: Floats) -> float:
        """What is bought less what is sold in a mean year at these sizes; MAD million. Planes are kept."""
        total = 0.0
        for year, kept in zip(self.years, self._cost_planes, strict=True):
            planes = [week.plane(sizes) for week in year.costs]
            for known, plane in zip(kept, planes, strict=True):
                known.append(plane)
            total += sum(plane.value for plane in planes)
        return total / len(self.years)

    def begin(self) -> None:
        """Look at nothing, and at some and much of everything but salt plants, once: planes to start from."""
        if self.n_looks:
            return
        is_plain = np.array([not size.name.endswith(_CSP_PARTS) for size in self.sizes])
        for steps in (0.0, 1.0, 3.0):
            self._look(self._capped(steps * self._steps * is_plain))

    def cheapest(self, yearly_mad: Sequence[float], share_by_year: Sequence[float], progress: Progress | None) -> Found:
        """The cheapest sizes whose weeks reach each year's share. Raises OutOfReach.

        `yearly_mad` is the cost of a unit of each size.
        """
        self.begin()
        unit_mad = np.asarray(yearly_mad, dtype=np.float64)
        steady: Floats | None = None
        for number in range(1, ROUNDS_MAX + 1):
            sizes, least_mmad = self._master(unit_mad, share_by_year)
            if progress is not None:
                progress("search", number)
            shares, paid = self._look(sizes)
            short = max(want - got for want, got in zip(share_by_year, shares, strict=True))
            total = float(unit_mad @ sizes) / 1e6 + paid
            is_cheap = not self.counts_bought or total - least_mmad <= COST_TOLERANCE_FRAC * max(1.0, abs(total))
            if short <= TOLERANCE_FRAC and is_cheap:
                return Found(sizes, float(unit_mad @ sizes), shares, number, least_mmad * 1e6)
            steady = sizes if steady is None else (steady + sizes) / 2.0
            if number % 2 == 0:
                self._look(steady)
        raise Internal("The search for sizes did not come to an end.", code="sizing_failed")

    def most(self) -> float:
        """The share that the largest sizes reach in the worst year."""
        return max(0.0, min(self.shares(self._most)))

    def _look(self, sizes: Floats) -> tuple[tuple[float, ...], float]:
        return self.shares(sizes), self.paid(sizes) if self.counts_bought else 0.0

    def _capped(self, sizes: Floats) -> Floats:
        return np.minimum(sizes, self._most)

    def _master(self, unit_mad: Floats, share_by_year: Sequence[float]) -> tuple[Floats, float]:
        """Sizes in their units, and the least cost (MAD million) that the planes allow."""
        lp = LinearProgram()
        x = lp.add_columns("sizes", len(self.sizes), upper=self._most / self._steps, cost=unit_mad * self._steps / 1e6)
        self._add_ratios(lp, x)
        for number, (year, share) in enumerate(zip(self.years, share_by_year, strict=True)):
            bought = lp.add_columns(f"import{number}", len(year.imports))
            allowed = lp.add_rows(f"share{number}", lower=-np.inf, upper=(1.0 - share) * year.load_gwh)
            lp.add_entries(allowed, bought, 1.0)
            self._add_planes(lp, f"import.planes{number}", x, bought, self._import_planes[number])
            if self.counts_bought:
                paid = lp.add_columns(f"cost{number}", len(year.costs), lower=-np.inf, cost=1.0 / len(self.years))
                self._add_planes(lp, f"cost.planes{number}", x, paid, self._cost_planes[number])
        answer = lp.solve()
        if answer.status == "infeasible":
            raise OutOfReach(self.most())
        sizes = np.maximum(0.0, answer.checked("The search for sizes").values["sizes"]) * self._steps
        return sizes, answer.objective

    def _add_ratios(self, lp: LinearProgram, x: Block) -> None:
        at = {size.name: index for index, size in enumerate(self.sizes)}
        for ratio in self._ratios:
            part, whole = at[ratio.part], at[ratio.whole]
            row = lp.add_rows(f"ratio.{ratio.part}", lower=-np.inf, upper=0.0)
            lp.add_entries(row, x.at([part, whole]), [self._steps[part], -ratio.most * self._steps[whole]])

    def _add_planes(
        self, lp: LinearProgram, name: str, x: Block, theta: Block, planes: Sequence[Sequence[Plane]]
    ) -> None:
        """theta_w - slope . x >= offset for every plane of every week."""
        flat = [(week, plane) for week, kept in enumerate(planes) for plane in kept]
        if not flat:
            return
        offsets = np.array([plane.offset for _, plane in flat])
        slopes = np.array([plane.slope for _, plane in flat]) * self._steps
        rows = lp.add_rows(name, len(flat), lower=offsets, upper=np.inf)
        lp.add_entries(rows, theta.at([week for week, _ in flat]), 1.0)
        at_row, at_column = np.nonzero(slopes)
        lp.add_entries(rows.at(at_row), x.at(at_column), -slopes[at_row, at_column])


def load_gwh(load_mw: Floats) -> float:
    """Energy of hourly powers."""
    return float(load_mw.sum()) / MWH_PER_GWH
