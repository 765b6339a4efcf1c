"""What a dispatch must serve and may use: plants with salt, sun and wind, batteries, the grid tie, flexible load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from eureka_park.energy.core.sun import Floats

Objective = Literal["cost", "least-import"]
StartUp = Literal["none", "relaxed", "whole"]
Days = npt.NDArray[np.int64]

PLAN_IMPORT_BLOCKS: Final = 12
PLAN_DRAW_BLOCKS: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class SaltPlant:
    """A plant with a tank: its field's heat (MW heat), limits in MW and MWh of heat, what it had at the start.

    Three count only where the problem asks for start-ups: the least load of a running power block as a share
    of its rating, the heat that a start takes from the tank (MWh of heat), and a cost of wear for each start.
    `running`: for which part of each hour the power block can run; none: all of it.
    """

    heat_mw_th: Floats
    power_block_mw_th: float
    eta_frac: float
    delivered_frac: float
    tes_mwh_th_max: float
    tes_mwh_th_start: float
    loss_frac: float
    min_load_frac: float = 0.0
    start_mwh_th: float = 0.0
    start_mad: float = 0.0
    running: Floats | None = None

    @property
    def per_heat(self) -> float:
        """Electricity at the site meter from a unit of heat drawn."""
        return self.eta_frac * self.delivered_frac


@dataclass(frozen=True, slots=True, eq=False)
class Battery:
    """A battery at the site meter: limits of power and content, efficiency each way, loss an hour, content at first.

    `power_mw` is what it gives at most, and what it takes at most unless `charge_mw` says otherwise.
    """

    power_mw: float
    energy_mwh: float
    charge_frac: float = 0.95
    discharge_frac: float = 0.95
    loss_frac: float = 0.0
    start_mwh: float = 0.0
    charge_mw: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DispatchProblem:
    """What the dispatch must serve and may use, hour by hour. `direct_mw` is PV and wind at the site meter.

    `flex_frac` f lets the load of each hour lie between (1-f) and (1+f) times `load_mw`, while the sum of each local
    day (`day_of_hour`: any number for each hour; none: 24 hours from the first) stays. `is_cyclic`: tanks and batteries
    end as they began, wherever that is; their starts and `end_value_mad_per_mwh` then count for nothing. `objective` is
    cost, or the least energy bought or left unserved. The two block counts spread equal hours and equal plants evenly
    (see `dispatch`); 1 and 1 are fastest. `tie`: for which part of each hour the grid's tie stands; none: all of it.
    """

    load_mw: Floats
    salt: Mapping[str, SaltPlant]
    direct_mw: Mapping[str, Floats]
    import_cost_mad_per_mwh: Floats
    surplus_mad_per_mwh: Floats
    import_mw_max: float
    export_mw_max: float
    end_value_mad_per_mwh: float  # of a delivered MWh still in the tanks at the end
    batteries: Mapping[str, Battery] = field(default_factory=dict)
    flex_frac: float = 0.0
    day_of_hour: Days | None = None
    is_cyclic: bool = False
    objective: Objective = "cost"
    n_import_blocks: int = PLAN_IMPORT_BLOCKS
    n_draw_blocks: int = PLAN_DRAW_BLOCKS
    start_up: StartUp = "none"
    tie: Floats | None = None

    @property
    def n_hours(self) -> int:
        """Length of the horizon."""
        return len(self.load_mw)

    @property
    def tie_frac(self) -> Floats:
        """For which part of each hour the grid's tie stands."""
        return np.ones(self.n_hours) if self.tie is None else self.tie

    @property
    def days(self) -> Days:
        """Number of the local day of each hour, from 0 without holes."""
        given = np.arange(self.n_hours) // 24 if self.day_of_hour is None else np.asarray(self.day_of_hour)
        return np.unique(given, return_inverse=True)[1].astype(np.int64)

    @property
    def direct_sum_mw(self) -> Floats:
        """PV and wind together; MW at the site meter."""
        return np.sum(list(self.direct_mw.values()), axis=0) if self.direct_mw else np.zeros(self.n_hours)


def for_a_year(problem: DispatchProblem, **changes: Any) -> DispatchProblem:
    """The same problem as a whole year with perfect foresight: cyclic stores, no spreading blocks, then `changes`."""
    return replace(problem, **{"is_cyclic": True, "n_import_blocks": 1, "n_draw_blocks": 1, **changes})
