"""The meter of this node: cumulative joules, measured where counters can be read, else by a stated model.

The model is `uptime_s * idle_w + busy_cpu_s * cpu_rated_w_per_cpu`, a pure function of the kernel's own cumulative
counters, so that restarts of the park lose nothing. RAPL counters wrap round; their running total is kept in a small
file.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eureka_park.adapters.meters import nvml, rapl
from eureka_park.foundation.machine import MachineFacts
from eureka_park.foundation.wire.engine import JobUsage, MeterReading

_BUSY_COLUMNS = (
    1,
    2,
    3,
    6,
    7,
    8,
)  # user nice system irq softirq steal of proc(5); not idle, iowait, nor guest (part of user)


@dataclass(frozen=True, slots=True)
class CpuCounters:
    """The whole machine since boot: seconds awake, CPU seconds busy, and the id of the boot."""

    uptime_s: float
    busy_cpu_s: float
    boot: str


def read_cpu_counters(proc: Path = Path("/proc")) -> CpuCounters:
    """Read them from /proc."""
    uptime_s = float((proc / "uptime").read_text().split()[0])
    words = (proc / "stat").read_text().split("\n", 1)[0].split()
    ticks = sum(int(words[column]) for column in _BUSY_COLUMNS)
    boot = "unknown"
    with contextlib.suppress(OSError):
        boot = (proc / "sys/kernel/random/boot_id").read_text().strip()
    return CpuCounters(uptime_s, ticks / os.sysconf("SC_CLK_TCK"), boot)


def modelled_j(counters: CpuCounters, facts: MachineFacts) -> float:
    """Joules since boot by the model, GPUs left out."""
    return counters.uptime_s * facts.idle_w + counters.busy_cpu_s * facts.cpu_rated_w_per_cpu


class NodeMeter:
    """Reads the node. `state_file` keeps the running total of counters that wrap round (needed only where RAPL is)."""

    def __init__(
        self, facts: MachineFacts, state_file: Path, *, proc: Path = Path("/proc"), powercap: Path = rapl.ROOT
    ) -> None:
        self.facts = facts
        self._state_file = state_file
        self._proc = proc
        self._powercap = powercap

    def read(self, usages: Iterable[JobUsage] = ()) -> MeterReading:
        """One reading: cumulative joules, which fall only when `epoch` changes, and each
        job's counters as handed in."""
        cpu = read_cpu_counters(self._proc)
        gpu = nvml.read_counters() if self.facts.gpus else None
        domains = rapl.read_domains(self._powercap)
        total_j, mark = self._rapl_j(domains, cpu) if domains else (modelled_j(cpu, self.facts), "model")
        if gpu:
            total_j += gpu.energy_j
        elif self.facts.gpus:
            total_j += cpu.uptime_s * sum(one.idle_w for one in self.facts.gpus)
        is_measured = bool(domains) and (gpu is not None or not self.facts.gpus)
        return MeterReading(
            at_s=time.time(),
            energy_j=total_j,
            idle_w=self.facts.idle_w + sum(one.idle_w for one in self.facts.gpus),
            method="measured" if is_measured else "modelled",
            epoch="/".join([cpu.boot, mark, gpu.epoch if gpu else "no-gpu-counter"]),
            jobs=tuple(usages),
            cpu_s=cpu.busy_cpu_s,
        )

    def _rapl_j(self, domains: tuple[rapl.Domain, ...], cpu: CpuCounters) -> tuple[float, str]:
        """The unwrapped total and the mark of its beginning."""
        model_j = modelled_j(cpu, self.facts)
        state = self._load(cpu.boot, [one.name for one in domains])
        if state is None:
            state = {
                "boot": cpu.boot,
                "mark": f"rapl-{cpu.uptime_s:.2f}",
                "total_j": 0.0,
                "model_j": model_j,
                "raw_j": {},
            }
        expected_j = max(0.0, model_j - state["model_j"]) / len(domains)
        for one in domains:
            before_j = state["raw_j"].get(one.name, one.energy_j)
            state["total_j"] += rapl.unwrapped_j(before_j, one.energy_j, one.range_j, expected_j)
            state["raw_j"][one.name] = one.energy_j
        state["model_j"] = model_j
        self._save(state)
        return float(state["total_j"]), str(state["mark"])

    def _load(self, boot: str, names: list[str]) -> dict[str, Any] | None:
        try:
            state: dict[str, Any] = json.loads(self._state_file.read_text())
            is_same = state["boot"] == boot and sorted(state["raw_j"]) == sorted(names)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return state if is_same else None

    def _save(self, state: dict[str, Any]) -> None:
        """Without fsync: after a power cut the boot is another one, and the counters begin anew with it."""
        self._state_file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._state_file.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(state))
        temporary.replace(self._state_file)
