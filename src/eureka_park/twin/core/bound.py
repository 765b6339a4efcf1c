"""`cfe_bound_frac`: the largest share of a run's load that a clairvoyant could have met hourly by clean power.

A fluid linear program over the hours of the run. It knows the true clean power of each hour, every job before it comes,
and how much each job will do. It must do at least the GPU hours that the run has done, each group of jobs between its
sums `earliest` and `latest` (see `bound_work`), and it may split jobs as it likes. In hour t, kWh:

    least    sum of b[t]                                            b: drawn beyond clean power
    b[t]  >= base[t] + sum over groups of k[g] z[g,t] - clean[t]    z: work done, as kWh at full speed; b[t] >= 0
    latest[g,t+1] <= z[g,0] + ... + z[g,t] <= earliest[g,t+1]       z >= 0
    sum of z[g,t] on GPUs <= power of all GPUs                      above idle, by the hungriest job
    clean[t] = direct[t] + u[t] x salt drawn; a tank begins as in the run, and holds no less at the end

`u` is 1 where sun and wind cover what the site itself draws. Where they lack f, salt s leaves max(0, s - f) to
machines, and that is at most (1 - f / block) s for any s up to what all power blocks give: a straight line again. A run
draws salt turn by turn (see `salt`); an hour of turns keeps all of these rows.

`k` is the least power per speed of the cap curve (1 for firm work and without GPUs). The straight line from nothing
through that point lies below the whole curve, so no job under any cap draws less for its work than the program takes
it to, and the bound can only be larger for it.

**From the program to the share.** A run's share is 1 - B / E with B its energy beyond clean power and E all it drew.
What the run did keeps every row above, with its own B, so the program's least b is at most B. Who serves the same work
may draw less than E; it is then free to draw the rest where clean power is left over. So the best share at the run's
own E is 1 - max(b, E - all clean power) / E: with E fixed nothing fractional is left to maximise, and no such run, nor
the run itself, does better. Docs: decision 0028.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from eureka_park.energy.core.linear_program import Block, LinearProgram, Options, Solution
from eureka_park.foundation.cap_curve import CapRow
from eureka_park.twin.core.bound_work import FIGURES, GROUPS, MOVED, NO_GPU, Served
from eureka_park.twin.core.sky_series import SkySeries, Tanks

Floats = npt.NDArray[np.float64]

DEVEX: Final = Options(more=(("simplex_dual_edge_weight_strategy", 1),))  # a fifth faster here than steepest edge
TOLERANCE: Final = 1e-6  # of all energy: so far the solver's answer may be from the true optimum; given to the bound


@dataclass(frozen=True, slots=True)
class Bound:
    """The share of the run and the largest one, energy beyond clean power (kWh) of the run and the least."""

    cfe_frac: float
    cfe_bound_frac: float
    unclean_kwh: float
    unclean_bound_kwh: float
    n_rows: int

    @property
    def regret(self) -> float:
        """By how much the run's share is below the largest; at least 0 but for rounding."""
        return self.cfe_bound_frac - self.cfe_frac


def cfe_bound(
    served: Served, sky: SkySeries, curve: tuple[CapRow, ...] = (), *, salt: bool = True, options: Options = DEVEX
) -> Bound:
    """Solve the program. `curve` is that of the site's caps, none where engines cannot cap.

    `salt`: tanks are emptied as suits best; else as the run has it, and so wherever a sky has no tanks. Raises Internal
    where the solver fails.
    """
    tanks = sky.tanks if salt else None
    hours = slice(0, served.n_hours)
    given_kw = (sky.true_clean_kw if tanks is None else tanks.direct_kw)[hours]
    lp = LinearProgram(unit=max(1e-6, served.it_kwh / served.n_hours))
    beyond = lp.add_columns("beyond", served.n_hours, cost=1.0)
    need = lp.add_rows("need", served.n_hours, lower=-np.inf, upper=given_kw - served.base_kwh)
    lp.add_entries(need, beyond, -1.0)
    _add_work(lp, need, served, least_power(curve))
    after_kw = sky.true_clean_kw[min(served.n_hours, sky.n_hours - 1)]  # a run is metered until a turn after its end
    all_clean_kwh = float(given_kw.sum()) + float(after_kw) * served.tick_h
    if tanks is not None:
        all_clean_kwh += _add_tanks(lp, need, tanks, served.n_hours)
    found = lp.solve(options).checked("The bound of clean power")
    return _told(served, found, all_clean_kwh, lp.size[0])


def bound_figures(
    served: Served, sky: SkySeries, curve: tuple[CapRow, ...], cfe_frac: float | None
) -> dict[str, float | None]:
    """The bound, the one with the run's own salt, and regret: by how much a run's `cfe_frac` is below the first."""
    same_salt = cfe_bound(served, sky, curve, salt=False).cfe_bound_frac
    found = same_salt if sky.tanks is None else max(same_salt, cfe_bound(served, sky, curve).cfe_bound_frac)
    regret = None if cfe_frac is None else found - cfe_frac
    return dict(zip(FIGURES, (found, same_salt, regret), strict=True))


def least_power(curve: tuple[CapRow, ...]) -> float:
    """The least power per speed of a cap curve; 1 where no cap saves anything."""
    return min([1.0, *(power / speed for _cap, power, speed in curve if speed > 0.0)])


def _told(served: Served, found: Solution, all_clean_kwh: float, n_rows: int) -> Bound:
    drawn_kwh = max(served.it_kwh, 1e-300)
    least_kwh = max(0.0, found.objective - TOLERANCE * drawn_kwh)
    least_kwh = max(least_kwh, (1.0 - TOLERANCE) * drawn_kwh - all_clean_kwh)
    unclean_kwh = served.it_kwh - served.clean_kwh
    if served.it_kwh <= 0.0:
        return Bound(1.0, 1.0, 0.0, 0.0, n_rows)
    return Bound(served.clean_kwh / drawn_kwh, 1.0 - least_kwh / drawn_kwh, unclean_kwh, least_kwh, n_rows)


def _add_work(lp: LinearProgram, need: Block, served: Served, least: float) -> None:
    """Work of each group that has any, and the GPUs that it holds."""
    all_gpus = lp.add_rows("gpus", served.n_hours, lower=-np.inf, upper=served.gpus_kw * (1.0 + 1e-9))
    for group, (kind, _slack_h) in enumerate(GROUPS):
        if served.latest[group, -1] > 0.0:
            done = _add_sums(lp, f"done {group}", served.earliest[group], served.latest[group])
            lp.add_entries(need, done, least if kind == MOVED else 1.0)
            if kind != NO_GPU:
                lp.add_entries(all_gpus, done, 1.0)


def _add_sums(lp: LinearProgram, name: str, earliest: Floats, latest: Floats) -> Block:
    """Columns of what is done in each hour, so that sums stay between two others.

    `ahead` is how far the sum is above `latest`: small numbers, whatever the length of the run.
    """
    n = len(latest) - 1
    done = lp.add_columns(name, n)
    ahead = lp.add_columns(f"{name} ahead", n, upper=np.maximum(0.0, earliest - latest)[1:])
    due = np.diff(latest)
    rows = lp.add_rows(f"{name} sum", n, lower=due, upper=due)
    lp.add_entries(rows, done, 1.0)
    lp.add_entries(rows, ahead, -1.0)
    lp.add_entries(rows.at(slice(1, None)), ahead.at(slice(0, -1)), 1.0)
    return done


def _add_tanks(lp: LinearProgram, need: Block, tanks: Tanks, n_hours: int) -> float:
    """What salt gives, hour by hour; returns an upper limit of it over the run, kWh.

    All tanks are one, as power for machines, with the least loss of any: what several can do, it can do too.
    """
    per_heat_kw = tanks.per_heat_kw[:, None]
    heat = (tanks.heat_mw_th * per_heat_kw).sum(axis=0)[:n_hours]
    block = (tanks.block_mw_th * per_heat_kw).sum(axis=0)[:n_hours]
    level = (tanks.level_mwh_th * per_heat_kw).sum(axis=0)
    size, kept = float((tanks.size_mwh_th * tanks.per_heat_kw).sum()), 1.0 - float(tanks.loss_frac.min())
    lowest, most_kwh = np.zeros(n_hours), float(level[0] + heat.sum())
    lowest[-1] = min(float(level[n_hours]), size) * (1.0 - 1e-9)
    heat[0] += kept * level[0]
    drawn, held = (
        lp.add_columns("drawn", n_hours, upper=block),
        lp.add_columns("held", n_hours, lower=lowest, upper=size),
    )
    rows = lp.add_rows("salt", n_hours, lower=-np.inf, upper=heat)
    lp.add_entries(rows, held, 1.0)
    lp.add_entries(rows, drawn, 1.0)
    lp.add_entries(rows.at(slice(1, None)), held.at(slice(0, -1)), -kept)
    lacking = np.zeros(n_hours) if tanks.lacking_kw is None else tanks.lacking_kw[:n_hours]
    lp.add_entries(need, drawn, -(1.0 - np.minimum(1.0, lacking / np.maximum(block, 1e-9))))
    return most_kwh
