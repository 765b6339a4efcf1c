"""NVIDIA's management library, behind the few questions the meters ask. A machine without a driver
is ordinary, not an error."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eureka_park.foundation.machine import GpuFacts

# Idle power in W by type (facts of vendors' logs, assumption elsewhere): NVML tells the limit, not what an idle
# card draws. Measured on single cards in November 2026: H200 80.5, H100 (SXM) 70.3; docs/operate/gpus.md.
_IDLE_W = {"H200": 80.0, "H100": 64.0, "A100": 55.0}
_IDLE_FRAC = 0.1  # assumption for every other type, of its power limit


@dataclass(frozen=True, slots=True)
class GpuCounters:
    """The energy counters of all GPUs together; `epoch` changes when the driver is loaded anew
    and they start from 0."""

    energy_j: float
    epoch: str


def _start() -> Any:
    """The library, started; None where there is no driver."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:
        return None
    return pynvml


def find_gpus() -> tuple[GpuFacts, ...]:
    """The GPUs of this machine, in the driver's order."""
    nvml = _start()
    if nvml is None:
        return ()
    found = []
    for index in range(int(nvml.nvmlDeviceGetCount())):
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        name = _text(nvml.nvmlDeviceGetName(handle))
        rated_w, memory_bytes = 0.0, 0
        with contextlib.suppress(Exception):
            rated_w = nvml.nvmlDeviceGetPowerManagementDefaultLimit(handle) / 1000.0
        with contextlib.suppress(Exception):  # a GPU that shares the machine's memory tells none of its own
            memory_bytes = int(nvml.nvmlDeviceGetMemoryInfo(handle).total)
        idle_w = next((watts for word, watts in _IDLE_W.items() if word in name), rated_w * _IDLE_FRAC)
        found.append(GpuFacts(name, rated_w, idle_w, memory_bytes))
    return tuple(found)


def read_counters() -> GpuCounters | None:
    """The energy of all GPUs since the driver was loaded; None without GPUs, or where one has no such counter."""
    nvml = _start()
    if nvml is None:
        return None
    try:
        handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(int(nvml.nvmlDeviceGetCount()))]
        energy_mj = sum(int(nvml.nvmlDeviceGetTotalEnergyConsumption(handle)) for handle in handles)
        return (
            GpuCounters(energy_mj / 1000.0, f"{_text(nvml.nvmlSystemGetDriverVersion())}.{_load_mark()}")
            if handles
            else None
        )
    except Exception:
        return None


def _load_mark() -> str:
    """A mark of this loading of the driver: the kernel gives its folder a new inode number each time."""
    try:
        return str(Path("/sys/module/nvidia").stat().st_ino)
    except OSError:
        return "0"


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
