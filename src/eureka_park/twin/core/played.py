"""What a run leaves behind: for each job what became of it, and the sums that only the world knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from eureka_park.twin.core.counted import Counted
from eureka_park.twin.core.sky_series import SkySeries

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """A run as it went. Instants in seconds from its start; nan for what did not come to pass by `until_s`.

    `done_s` is the work of each job that is done, in seconds at full speed; a job that ended has done its `run_s`.
    `firm_disturbed` counts firm jobs that were capped, paused or frozen by power; `overrun_mwh` is IT energy drawn
    above the budget, in five-minute means. `totals` are further sums by name. `leaf_kwh` and `leaf_clean_kwh`: IT
    energy of the jobs of each of the workload's leaves, where it was counted; `tier_kwh`: that of each tier's, writing
    checkpoints included. `counted` is what the world counts by hour and by job, where its loop hands it out. `sky`: as
    the run has made it, where its loop says. `is_whole`: it was not ended before its time.
    """

    first_start_s: Floats
    end_s: Floats
    n_pauses: Ints
    done_s: Floats
    until_s: float
    firm_disturbed: int
    overrun_mwh: float
    digest: str
    totals: Mapping[str, float] = field(default_factory=dict)
    leaf_kwh: Floats = field(default_factory=lambda: np.zeros(0))
    leaf_clean_kwh: Floats = field(default_factory=lambda: np.zeros(0))
    tier_kwh: Floats = field(default_factory=lambda: np.zeros(0))
    counted: Counted | None = None
    sky: SkySeries | None = None
    is_whole: bool = True
