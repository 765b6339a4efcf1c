"""What the park needs to know of the machine it runs on: plain facts without a host name, found by an adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CPU_RATED_W_PER_CPU: Final = 8.0  # assumption: dynamic power of one busy logical CPU
IDLE_W: Final = 20.0  # assumption: the machine awake without jobs, its GPUs left out


@dataclass(frozen=True, slots=True)
class GpuFacts:
    """One GPU: its type, its power limit (which includes idle) and idle power in watts, its memory in bytes."""

    gpu_type: str
    rated_w: float
    idle_w: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """A machine: counts, memory in bytes, and the powers in watts that meter and scale model rest on."""

    n_cpus: int
    memory_bytes: int
    cpu_rated_w_per_cpu: float = CPU_RATED_W_PER_CPU
    idle_w: float = IDLE_W
    gpus: tuple[GpuFacts, ...] = ()

    @property
    def idle_kw(self) -> float:
        """Power of the machine awake without jobs, GPUs included; kW."""
        return (self.idle_w + sum(gpu.idle_w for gpu in self.gpus)) / 1000.0

    @property
    def rated_kw(self) -> float:
        """Power of the machine with every CPU and GPU busy; kW."""
        gpus_w = sum(gpu.rated_w for gpu in self.gpus)
        return (self.idle_w + self.n_cpus * self.cpu_rated_w_per_cpu + gpus_w) / 1000.0
