"""What Slurm's jobs drew, by a stated model: Slurm seldom measures energy, and never that of jobs that share a machine.

A job's power = its GPUs * (idle + `power_frac` * (rated - idle)) + its part of the machine around them. Board powers
are those of vendors' data sheets. The machine around a GPU follows a DGX (10.2 kW with eight H100, 1.9 kW idle, as in
the built-in site; 6.5 kW with eight A100); elsewhere it goes by CPUs, an assumption. Site energy = that * PUE.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from eureka_park.foundation.machine import CPU_RATED_W_PER_CPU
from eureka_park.foundation.units import HOUR_S

Floats = npt.NDArray[np.float64]
POWER_FRAC: Final = 0.46  # of the dynamic rating, mean of held GPUs; Acme, 2023 (see docs/guide/twin.md)
CPU_FRAC: Final = 0.5  # assumption: how busy the CPUs of a job are
CPU_IDLE_W: Final = 2.0  # assumption: what a machine draws for each of its CPUs when it does nothing
IDLE_FRAC: Final = 0.1  # assumption: idle over rated power where no reading is known
UNKNOWN_W: Final = 300.0  # assumption: a GPU whose kind is not told or not known
MIG_SLICES: Final = 7
# Board power by kind, W: vendors' data sheets. A board with several GPUs counts for each of them.
RATED_W: Final[Mapping[str, float]] = {
    "gb200": 1200, "b300": 1400, "b200": 1000, "gh200": 900, "h200nvl": 600, "h200": 700, "h100nvl": 400,
    "h100pcie": 350, "h100": 700, "h800": 700, "h20": 400, "a100pcie": 300, "a100": 400, "a800": 400, "v100pcie": 250,
    "v100s": 250, "v100": 300, "p100pcie": 250, "p100": 300, "k80": 150, "t4": 70, "l40s": 350, "l40": 300, "l4": 72,
    "a40": 300, "a30": 165, "a16": 62.5, "a10": 150, "a2000": 70, "a2": 60, "a6000": 300, "a5000": 230, "a4000": 140,
    "6000ada": 300, "rtx8000": 260, "rtx6000": 260, "5090": 575, "4090": 450, "3090": 350, "3080": 320, "2080ti": 250,
    "1080ti": 250, "titanv": 250, "titanrtx": 280, "mi325x": 1000, "mi300x": 750, "mi300a": 550, "mi250": 280,
    "mi210": 300, "mi100": 300, "max1550": 600, "max1100": 300,
}  # fmt: skip
IDLE_W: Final[Mapping[str, float]] = {"h200": 80, "h100": 64, "a100": 55}  # readings; elsewhere IDLE_FRAC
# The machine around one GPU, W: idle and with everything busy.
AROUND_W: Final[Mapping[str, tuple[float, float]]] = {
    "h100": (173.0, 575.0), "h200": (173.0, 575.0), "h800": (173.0, 575.0),
    "a100": (124.0, 412.0), "a800": (124.0, 412.0),
}  # fmt: skip
_MIG: Final = re.compile(r"(\d)g[._]\d+gb")
_BY_LENGTH: Final = sorted(RATED_W, key=lambda kind: (-len(kind), kind))


@dataclass(frozen=True, slots=True)
class GpuPower:
    """A GPU with the machine around it: idle and rated power, W; `around_cpus`: the machine goes by CPUs instead."""

    idle_w: float
    rated_w: float
    around_cpus: bool
    source: str

    def held_w(self, power_frac: float) -> float:
        """Power while a job holds it; W."""
        return self.idle_w + power_frac * (self.rated_w - self.idle_w)


@dataclass(frozen=True, slots=True)
class PowerModel:
    """All that a figure of energy rests on. `given`: powers by kind that the operator or a site file names."""

    given: Mapping[str, GpuPower] = field(default_factory=dict)
    power_frac: float = POWER_FRAC
    cpu_frac: float = CPU_FRAC
    pue: float = 1.0
    gco2_per_kwh: float = 0.0
    gco2_source: str = ""
    gco2_by_hour: Mapping[int, float] = field(default_factory=dict)  # by UTC hour; it goes before the flat value

    def gpu(self, kind: str) -> GpuPower:
        """Power of a GPU of a kind as Slurm names it."""
        return self.given.get(kind) or self.given.get(plain(kind)) or gpu_power(kind)

    def job_kw(self, gpu_type: str, n_gpus: int, n_cpus: int) -> float:
        """Power of a job that holds so much, at the meter; kW."""
        cpus_w = n_cpus * (CPU_IDLE_W + self.cpu_frac * CPU_RATED_W_PER_CPU)
        if n_gpus == 0:
            return cpus_w * self.pue / 1000.0
        one = self.gpu(gpu_type)
        return (n_gpus * one.held_w(self.power_frac) + (cpus_w if one.around_cpus else 0.0)) * self.pue / 1000.0

    def intensities(self, first_hour_s: float, n_hours: int) -> Floats:
        """Carbon intensity of hours from a UTC hour on; g/kWh. Hours without a value take the flat one."""
        first = int(first_hour_s // HOUR_S)
        return np.array([self.gco2_by_hour.get(first + hour, self.gco2_per_kwh) for hour in range(n_hours)])


def plain(kind: str) -> str:
    """A kind's name without marks: `NVIDIA_A100-PCIE-40GB` is `nvidiaa100pcie40gb`."""
    return re.sub(r"[^a-z0-9]", "", kind.lower())


def gpu_power(kind: str) -> GpuPower:
    """Power of a GPU by the table; a MIG part counts by its slices, an unknown kind as UNKNOWN_W."""
    name = plain(kind)
    known = next((word for word in _BY_LENGTH if word in name), "")
    mig = _MIG.search(kind.lower())
    part = int(mig[1]) / MIG_SLICES if mig else 1.0
    rated_w = RATED_W.get(known, UNKNOWN_W)
    if known == "a100" and "pcie" in name:
        known, rated_w = "a100pcie", RATED_W["a100pcie"]
    idle_w = next((watts for word, watts in IDLE_W.items() if word in known), rated_w * IDLE_FRAC)
    around = AROUND_W.get(known)
    source = f"data sheet of {known}: {rated_w:g} W" if known else f"assumption: {UNKNOWN_W:g} W, kind not known"
    if mig:
        source += f", {mig[1]} of {MIG_SLICES} slices"
    around_idle_w, around_rated_w = around or (0.0, 0.0)
    return GpuPower(part * (idle_w + around_idle_w), part * (rated_w + around_rated_w), around is None, source)


def all_in(idle_kw: float, rated_kw: float, n_gpus: int, source: str) -> GpuPower:
    """A GPU's part of a machine whose idle and rated power are known."""
    return GpuPower(idle_kw * 1000.0 / n_gpus, rated_kw * 1000.0 / n_gpus, False, source)


class ByHour:
    """Energy or use by hour of many jobs, each of constant power: exact, whatever their number. `rows`: what apart."""

    def __init__(self, first_hour_s: float, n_hours: int, n_rows: int) -> None:
        self.first_hour_s, self.n_hours = first_hour_s, n_hours
        self._part = np.zeros((n_rows, n_hours + 2))
        self._full = np.zeros((n_rows, n_hours + 2))

    def add(self, row: npt.NDArray[np.int64], start_s: Floats, end_s: Floats, amount: Floats) -> None:
        """Enter jobs: row, instants, amount per hour. What lies outside the hours is cut off."""
        n = self.n_hours
        start = np.clip((start_s - self.first_hour_s) / HOUR_S, 0.0, n)
        end = np.clip((end_s - self.first_hour_s) / HOUR_S, 0.0, n)
        keep = end > start
        row, start, end, amount = row[keep], start[keep], end[keep], amount[keep]
        h0, h1 = np.floor(start).astype(np.int64), np.floor(end).astype(np.int64)
        np.add.at(self._part, (row, h0), amount * (h0 + 1 - start))
        np.add.at(self._part, (row, h1), amount * (end - h1))
        np.add.at(self._full, (row, h0 + 1), amount)
        np.add.at(self._full, (row, h1), -amount)

    def hours(self) -> Floats:
        """Sums by row and hour."""
        return np.asarray((self._part + np.cumsum(self._full, axis=1))[:, : self.n_hours])
