"""What files keep of a run beside its figures: energy and jobs by hour, and a sample of jobs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.units import HOUR_S
from eureka_park.twin.core.energy_figures import matched, planned_clean_kw
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.sky_series import SkySeries
from eureka_park.twin.core.workload import TIER_NAMES, Workload
from eureka_park.twin.run_record import SAMPLE_MAX

Floats = npt.NDArray[np.float64]


def hours_of(sky: SkySeries, played: Played) -> dict[str, Floats]:
    """IT energy hour by hour, and means of jobs, where the world has counted them; see `run_record.HOURS`."""
    counted = played.counted
    if counted is None:
        return {}
    met = matched(counted, sky)
    n = len(met.load_kwh)
    found = {
        "hour_s": sky.hour0_s + HOUR_S * np.arange(n, dtype=np.float64),
        "load_kwh": met.load_kwh,
        "clean_kwh": met.clean_kwh,
        "bought_kwh": met.load_kwh - met.matched_kwh,
        "planned_clean_kwh": planned_clean_kw(sky, n) * counted.hour_s / HOUR_S,
    }
    if sky.tanks is not None:
        direct = np.minimum(met.clean_kwh, sky.tanks.direct_kw[:n] * counted.hour_s / HOUR_S)
        found |= {"direct_kwh": direct, "salt_kwh": met.clean_kwh - direct}
    for name, values in (
        ("held_gpu_h", counted.held_gpus * counted.hour_s[: len(counted.held_gpus)] / HOUR_S),
        ("waiting_jobs", counted.waiting_jobs),
        ("running_jobs", counted.running_jobs),
    ):
        if len(values) == n:
            found[name] = values
    return found


def sample_of(work: Workload, played: Played, seed: int) -> dict[str, Any]:
    """Up to `SAMPLE_MAX` jobs that came, drawn by the seed, in the order of their submission."""
    came = np.flatnonzero(work.submit_s <= played.until_s)
    draw = SeedTree(seed).child("twin").child("sample").generator()
    rows = came if len(came) <= SAMPLE_MAX else np.sort(draw.choice(came, SAMPLE_MAX, replace=False))
    return {
        "leaf": [work.leaves[leaf] for leaf in work.leaf[rows]],
        "tier": [TIER_NAMES[tier] for tier in work.tier[rows]],
        "n_gpus": work.n_gpus[rows],
        "submit_s": work.submit_s[rows],
        "first_start_s": played.first_start_s[rows],
        "end_s": played.end_s[rows],
        "n_pauses": played.n_pauses[rows],
        "run_s": work.run_s[rows],
        "deadline_s": np.where(np.isfinite(work.deadline_s[rows]), work.deadline_s[rows], np.nan),
    }
