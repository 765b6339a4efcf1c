"""Meters against a stand-in of /proc, of the power caps folder and of NVML."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from eureka_park.adapters.meters import nvml, rapl
from eureka_park.adapters.meters.machine import find_machine
from eureka_park.adapters.meters.node_meter import NodeMeter, modelled_j, read_cpu_counters
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.machine import GpuFacts, MachineFacts
from eureka_park.foundation.wire.engine import JobUsage

FACTS = MachineFacts(n_cpus=4, memory_bytes=1, cpu_rated_w_per_cpu=10.0, idle_w=50.0)


class World:
    """Files such as the kernel's, written anew at will."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.powercap = folder / "proc", folder / "powercap"
        (self.proc / "sys/kernel/random").mkdir(parents=True)
        self.state_file = folder / "meter.json"
        self.set(0.0, 0.0)

    def set(self, uptime_s: float, busy_s: float, boot: str = "b1") -> None:
        (self.proc / "uptime").write_text(f"{uptime_s} 0\n")
        (self.proc / "stat").write_text(f"cpu  {round(busy_s * 100)} 0 0 999 999 0 0 0 777 0\ncpu0 1\n")
        (self.proc / "sys/kernel/random/boot_id").write_text(boot)

    def rapl(self, name: str, kind: str, energy_j: float, range_j: float = 1000.0) -> None:
        folder = self.powercap / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "name").write_text(kind)
        (folder / "energy_uj").write_text(str(round(energy_j * 1e6)))
        (folder / "max_energy_range_uj").write_text(str(round(range_j * 1e6)))

    def meter(self, facts: MachineFacts = FACTS) -> NodeMeter:
        return NodeMeter(facts, self.state_file, proc=self.proc, powercap=self.powercap)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_model_forgets_nothing_over_restarts(world: World) -> None:
    world.set(100.0, 40.0)
    usage = JobUsage(JobId("job-a"), 1, 0.0, 3.0)
    reading = world.meter().read([usage])
    assert (reading.energy_j, reading.method, reading.idle_w, reading.jobs) == (5400.0, "modelled", 50.0, (usage,))
    world.set(200.0, 40.0)
    later = world.meter().read()
    assert later.energy_j == 10_400.0 and later.epoch == reading.epoch
    world.set(5.0, 0.0, boot="b2")
    assert world.meter().read().epoch != reading.epoch


def test_rapl_is_unwrapped_and_survives_a_restart(world: World) -> None:
    world.rapl("intel-rapl:0", "package-0", 900.0)
    world.rapl("intel-rapl:0:0", "core", 5.0)
    world.rapl("intel-rapl:0:1", "dram", 10.0)
    first = world.meter().read()
    assert (first.energy_j, first.method) == (0.0, "measured")
    world.set(2.0, 4.0)
    world.rapl("intel-rapl:0", "package-0", 20.0)
    world.rapl("intel-rapl:0:1", "dram", 40.0)
    second = world.meter().read()
    assert second.energy_j == pytest.approx(150.0) and second.epoch == first.epoch
    world.state_file.unlink()
    assert world.meter().read().epoch != first.epoch


def test_rounds_that_nobody_saw_are_estimated_by_the_model() -> None:
    assert rapl.unwrapped_j(10.0, 30.0, 100.0, 15.0) == 20.0
    assert rapl.unwrapped_j(90.0, 10.0, 100.0, 15.0) == 20.0
    assert rapl.unwrapped_j(90.0, 10.0, 100.0, 330.0) == 320.0
    assert rapl.unwrapped_j(10.0, 30.0, 100.0, 0.0) == 20.0
    assert rapl.unwrapped_j(10.0, 30.0, 0.0, 500.0) == 20.0


class Nvml(SimpleNamespace):
    """Two cards of one driver."""

    energies_mj: list[int]

    def nvmlInit(self) -> None: ...
    def nvmlDeviceGetCount(self) -> int:
        return len(self.energies_mj)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, _: int) -> bytes:
        return b"NVIDIA H100 80GB HBM3"

    def nvmlDeviceGetPowerManagementDefaultLimit(self, _: int) -> int:
        return 700_000

    def nvmlDeviceGetMemoryInfo(self, _: int) -> Any:
        return SimpleNamespace(total=80 * 10**9)

    def nvmlDeviceGetTotalEnergyConsumption(self, index: int) -> int:
        return self.energies_mj[index]

    def nvmlSystemGetDriverVersion(self) -> str:
        return "570.1"


def test_gpus_are_facts_and_counters(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Nvml(energies_mj=[1_000_000, 500_000])
    monkeypatch.setattr(nvml, "_start", lambda: driver)
    assert nvml.find_gpus() == (GpuFacts("NVIDIA H100 80GB HBM3", 700.0, 64.0, 80 * 10**9),) * 2
    facts = MachineFacts(4, 1, 10.0, 50.0, nvml.find_gpus())
    world.set(10.0, 0.0)
    reading = world.meter(facts).read()
    assert reading.energy_j == 500.0 + 1500.0 and reading.idle_w == 178.0
    assert reading.method == "modelled" and "570.1" in reading.epoch
    world.rapl("intel-rapl:0", "package-0", 900.0)
    assert world.meter(facts).read().method == "measured"


def test_a_gpu_without_memory_of_its_own_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Nvml(energies_mj=[0], nvmlDeviceGetMemoryInfo=lambda _: 1 // 0)
    monkeypatch.setattr(nvml, "_start", lambda: driver)
    assert [gpu.memory_bytes for gpu in nvml.find_gpus()] == [0]


def test_gpus_without_a_counter_are_modelled_at_idle(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvml, "_start", lambda: None)
    world.set(10.0, 0.0)
    facts = MachineFacts(4, 1, 10.0, 50.0, (GpuFacts("x", 300.0, 30.0, 1),))
    assert world.meter(facts).read().energy_j == 800.0


def test_this_machine(tmp_path: Path) -> None:
    facts = find_machine()
    assert facts.n_cpus >= 1 and facts.memory_bytes > 0
    first = NodeMeter(facts, tmp_path / "m.json").read()
    second = NodeMeter(facts, tmp_path / "m.json").read()
    assert (
        second.energy_j >= first.energy_j >= 0
        and first.method in ("measured", "modelled")
        and first.epoch == second.epoch
    )
    assert modelled_j(read_cpu_counters(), facts) > 0
