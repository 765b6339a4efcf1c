"""GPUs of one job: their device nodes, the names CUDA knows them by, and their own energy counters
(NVML, loaded only then)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def device_nodes(indices: Sequence[int]) -> tuple[str, ...]:
    """The device nodes that a job with these GPUs may open; those that do not exist are left out when it starts."""
    if not indices:
        return ()
    shared = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset")
    return (*(f"/dev/nvidia{index}" for index in indices), *shared)


def _handles(indices: Sequence[int]) -> tuple[Any, list[Any]]:
    import pynvml

    pynvml.nvmlInit()
    return pynvml, [pynvml.nvmlDeviceGetHandleByIndex(index) for index in indices]


def visible_devices(indices: Sequence[int]) -> str:
    """The value of CUDA_VISIBLE_DEVICES: GPU ids, which stay true when only some device nodes
    are there; else the indices."""
    if not indices:
        return ""
    try:
        nvml, handles = _handles(indices)
        return ",".join(str(nvml.nvmlDeviceGetUUID(handle)) for handle in handles)
    except Exception:
        return ",".join(str(index) for index in indices)


def energy_j(indices: Sequence[int]) -> float | None:
    """Joules on the GPUs' counters together, since the driver was loaded; None where the counter is missing."""
    if not indices:
        return None
    try:
        nvml, handles = _handles(indices)
        return sum(int(nvml.nvmlDeviceGetTotalEnergyConsumption(handle)) for handle in handles) / 1000.0
    except Exception:
        return None
