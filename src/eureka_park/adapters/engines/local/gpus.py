"""GPUs of one job: their device nodes, the names CUDA knows them by, and their own energy counters
(NVML, loaded only then)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from eureka_park.adapters.meters import nvml as meter


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


def begin(indices: Sequence[int]) -> dict[str, float | None]:
    """What is noted of the GPUs as a job begins: their counter, the instant of this boot, and what they draw idle."""
    found = meter.find_gpus()
    idle_w = sum(found[index].idle_w for index in indices if index < len(found))
    return {"start_j": energy_j(indices), "start_s": time.monotonic(), "idle_w": idle_w}


def end(begun: Mapping[str, float | None], indices: Sequence[int]) -> dict[str, float | None]:
    """The same with the counter and the instant of now."""
    return {**begun, "end_j": energy_j(indices), "end_s": time.monotonic()}


def used(noted: Mapping[str, float | None]) -> tuple[float | None, float]:
    """Joules between the two looks of `end`, and what the GPUs would have drawn idle; None without counter."""
    start_j, end_j = noted.get("start_j"), noted.get("end_j")
    if start_j is None or end_j is None:
        return None, 0.0
    start_s, end_s = noted.get("start_s"), noted.get("end_s")
    took_s = 0.0 if start_s is None or end_s is None else max(0.0, end_s - start_s)
    return max(0.0, end_j - start_j), (noted.get("idle_w") or 0.0) * took_s
