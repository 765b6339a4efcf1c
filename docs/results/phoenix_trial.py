"""What the trial of phoenix.py measured, read from its own files, and what caps could have done there at best."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.helpers.shared_data import TRACES

from eureka_park.compute.core.job import Tier

SWEEP, PERFORMANCE, POWER = (
    TRACES / f"emerald_{name}.csv" for name in ("dvfs_sweep", "srp_performance", "srp_total_power")
)
HAS_DATA: Final = SWEEP.is_file() and PERFORMANCE.is_file() and POWER.is_file()
Floats = npt.NDArray[np.float64]

GPU_W_MAX: Final = 400.0
PUBLISHED: Final = 0.909560245  # "Weighted Performance" in their file; how it is weighted is not said
TIERS: Final = {"Flex 1": Tier.FIRM, "Flex 2": Tier.FLEX, "Flex 3": Tier.GREEN}


@dataclass(frozen=True, slots=True)
class Curve:
    """One workload under caps: GPU power (kW) and throughput (1 without a cap) by cap (W)."""

    n_gpus: int
    caps_w: tuple[float, ...]
    kw_per_gpu: tuple[float, ...]
    speeds: tuple[float, ...]

    def kw(self, cap_frac: float) -> float:
        """Power of all its GPUs under a cap."""
        return self.n_gpus * float(np.interp(cap_frac * GPU_W_MAX, self.caps_w, self.kw_per_gpu))

    def speed(self, cap_frac: float) -> float:
        """Throughput under a cap over that without."""
        return float(np.interp(cap_frac * GPU_W_MAX, self.caps_w, self.speeds))


@dataclass(frozen=True, slots=True)
class Trial:
    """One job of the trial: its workload, its class of flexibility, and how it did there."""

    name: str
    workload: str
    curve: Curve
    flexibility: str
    performance: float


def curves() -> dict[str, Curve]:
    """Workloads of the cap sweep by name."""
    names = ("GPU power cap", "power per GPU", "normalized throughput", "total GPU power")
    rows: dict[str, list[list[float]]] = {}
    for row in _read(SWEEP):
        rows.setdefault(row["Workload"], []).append([float(row[name]) for name in names])
    found = {}
    for name, points in rows.items():
        caps_w, each_w, speeds, all_w = np.array(sorted(points)).T
        n_gpus = round(float((all_w / each_w).mean()))
        found[name] = Curve(n_gpus, tuple(caps_w), tuple(each_w / 1000.0), tuple(speeds))
    return found


def trials() -> tuple[Trial, ...]:
    """The six jobs."""
    by_name = curves()
    return tuple(
        Trial(name, workload, by_name[workload], row["Flexibility"].strip(), float(row["Performance"]))
        for row in _read(PERFORMANCE)
        if row["Flexibility"]
        for name in [row["Model"].strip()]
        for workload in [name.rsplit("-", 1)[0]]
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """Minute means of the trial's power (kW) from its first minute, and what is read from them."""

    kw: Floats
    base_kw: float
    from_min: int  # the first minute of the way down, and the first after it below 76 % of the base
    down_min: int
    until_min: int  # the last minute below 76 %

    @property
    def plateau_kw(self) -> float:
        """Median from a quarter of an hour after it was down to its end: for some minutes one job stood still."""
        return float(np.median(self.kw[self.down_min + 15 : self.until_min]))


def measured() -> Measured:
    """What the trial's meter saw."""
    rows = _read(POWER)
    at = np.array([datetime.fromisoformat(row["timestamp"]).timestamp() for row in rows])
    minutes = np.arange(at[0], at[-1] + 1.0, 60.0)
    kw = np.interp(minutes, at, [float(row["total"]) / 1000.0 for row in rows])
    base_kw = float(kw[:60].mean())
    low = kw < 0.76 * base_kw
    down = int(np.argmax(low))
    before = np.flatnonzero(kw[:down] > 0.97 * base_kw)
    return Measured(kw, base_kw, int(before[-1]) + 1, down, int(np.flatnonzero(low)[-1]))


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# What caps can do ---------------------------------------------------------------------------------


def by_gpus(jobs: Sequence[Trial], work: Mapping[str, float]) -> float:
    """Mean of something by job, weighed by its GPUs."""
    return sum(one.curve.n_gpus * work[one.name] for one in jobs) / sum(one.curve.n_gpus for one in jobs)


def by_flexibility(jobs: Sequence[Trial], work: Mapping[str, float]) -> dict[str, float]:
    """The same of each class of flexibility."""
    return {kind: by_gpus([one for one in jobs if one.flexibility == kind], work) for kind in TIERS}


def best_work(jobs: Sequence[Trial], kw: float) -> float:
    """The most work, by GPUs, that caps could do on so much power if Flex 1 has none; by the sweep, which is concave.

    From all caps at their lowest up, the step that gives most work for its power first.
    """
    free = [one for one in jobs if TIERS[one.flexibility] is not Tier.FIRM]
    steps = []
    spent = sum(one.curve.kw(1.0) for one in jobs if one not in free)
    done = float(sum(one.curve.n_gpus for one in jobs if one not in free))
    for one in free:
        curve = one.curve
        spent += curve.n_gpus * curve.kw_per_gpu[0]
        done += curve.n_gpus * curve.speeds[0]
        for at in range(1, len(curve.caps_w)):
            more_kw = curve.n_gpus * (curve.kw_per_gpu[at] - curve.kw_per_gpu[at - 1])
            more = curve.n_gpus * (curve.speeds[at] - curve.speeds[at - 1])
            steps.append((more / more_kw, more_kw))
    for gain, more_kw in sorted(steps, reverse=True):
        part_kw = min(more_kw, max(0.0, kw - spent))
        spent, done = spent + part_kw, done + gain * part_kw
    return done / sum(one.curve.n_gpus for one in jobs)


def their_kw(jobs: Sequence[Trial]) -> float:
    """Power that their performances need by their own sweep, if caps alone had made them; kW."""
    caps = np.linspace(0.25, 1.0, 1501)
    total = 0.0
    for one in jobs:
        speeds = np.array([one.curve.speed(cap) for cap in caps])
        total += one.curve.kw(float(caps[int(np.argmin(np.abs(speeds - one.performance)))]))
    return total
