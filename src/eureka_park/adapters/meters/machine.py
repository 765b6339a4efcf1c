"""Find what this machine is: CPUs and memory by psutil, GPUs by NVML; watts that nothing tells are
stated assumptions."""

from __future__ import annotations

import os

import psutil

from eureka_park.adapters.meters.nvml import find_gpus
from eureka_park.foundation.machine import MachineFacts


def find_machine() -> MachineFacts:
    """The facts of this machine. CPUs are those this process may run on; memory is bytes of RAM."""
    n_cpus = len(os.sched_getaffinity(0)) or psutil.cpu_count() or 1
    return MachineFacts(n_cpus=n_cpus, memory_bytes=int(psutil.virtual_memory().total), gpus=find_gpus())
