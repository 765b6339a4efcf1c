"""What the park reads from NVIDIA GPUs, what a reading costs, and whether it is true; and what freezing a job saves.

    .venv/bin/python benchmarks/gpu_meter.py [facts cost steps truth freeze sharing engine park] [--seconds 6]

It loads the first GPU with `gpu_burn.py` and changes no setting of it. Needs a GPU of compute capability 8.0 or newer,
with nobody else's work on it. One JSON object per question.

- facts: what the park finds; limits, and whether persistence mode is on, which keeps counters through idle times.
- cost: median milliseconds of each reading.
- steps: how often the energy counter and the power reading move.
- truth: the energy counter against the integral of power, idle and at three loads.
- freeze: watts before, while stopped and after, with few and with many kernels waiting on the GPU.
- sharing: who sees which GPU by CUDA_VISIBLE_DEVICES; two processes on one.
- engine: jobs of the local engine: their counter, freeze, a limit of CPU time, and how little memory they start with.
- park: two jobs for one GPU and one for CPUs, through a park of its own: who waits, receipts, what was learned.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from eureka_park.adapters.engines.local import gpus
from eureka_park.adapters.engines.local.engine import LocalEngine
from eureka_park.adapters.meters import nvml as ours
from eureka_park.adapters.meters.machine import find_machine
from eureka_park.adapters.meters.node_meter import NodeMeter
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.wire.engine import EngineReport, Phase, StartOrder

BURN: Final = Path(__file__).with_name("gpu_burn.py")
SAMPLE_S: Final = 0.02
INSTANT: Final = 186  # NVML_FI_DEV_POWER_INSTANT
GIB: Final = 1024**3


class Card:
    """NVML's own readings of the first GPU, beside those of the park."""

    def __init__(self) -> None:
        import pynvml

        pynvml.nvmlInit()
        self.nvml: Any = pynvml
        self.handle = pynvml.nvmlDeviceGetHandleByIndex(0)

    def average_w(self) -> float:
        """Watts as `nvidia-smi` shows them; the mean of the last second on newer GPUs."""
        return float(self.nvml.nvmlDeviceGetPowerUsage(self.handle)) / 1000.0

    def instant_w(self) -> float | None:
        """Watts now; None where the GPU does not tell."""
        value = self.nvml.nvmlDeviceGetFieldValues(self.handle, [INSTANT])[0]
        return float(value.value.uiVal) / 1000.0 if value.nvmlReturn == 0 else None

    def energy_j(self) -> float:
        """Joules on the counter."""
        return float(self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.handle)) / 1000.0

    def ask(self, name: str) -> Any:
        """One answer of NVML, or its error's text."""
        try:
            return getattr(self.nvml, name)(self.handle)
        except self.nvml.NVMLError as error:
            return str(error)


@dataclass(slots=True)
class Samples:
    """Power and energy while a thread looked: instants, watts by both readings, joules."""

    at_s: list[float] = field(default_factory=list)
    average_w: list[float] = field(default_factory=list)
    instant_w: list[float] = field(default_factory=list)
    energy_j: list[float] = field(default_factory=list)

    def integral_j(self, watts: list[float]) -> float:
        """Joules below a line of watts, by the trapezium rule."""
        pairs = zip(self.at_s, self.at_s[1:], watts, watts[1:], strict=False)
        return sum((later - before) * (a + b) / 2 for before, later, a, b in pairs)

    def told(self) -> dict[str, float]:
        """Mean watts by the counter and by both readings, and how far these are from the counter (parts of 1)."""
        took_s, counted_j = self.at_s[-1] - self.at_s[0], self.energy_j[-1] - self.energy_j[0]
        found = {"seconds": took_s, "counter_w": counted_j / took_s}
        for name, watts in (("average", self.average_w), ("instant", self.instant_w)):
            if watts and counted_j > 0:
                found[f"{name}_w"] = self.integral_j(watts) / took_s
                found[f"{name}_off_frac"] = self.integral_j(watts) / counted_j - 1.0
        return {key: round(value, 4) for key, value in found.items()}

    def by_second_w(self) -> list[float]:
        """Mean watts of each full second, by the instant reading where there is one."""
        watts = self.instant_w or self.average_w
        seconds: dict[int, list[float]] = {}
        for at_s, one in zip(self.at_s, watts, strict=True):
            seconds.setdefault(int(at_s - self.at_s[0]), []).append(one)
        return [round(statistics.fmean(some), 1) for _, some in sorted(seconds.items()) if len(some) > 1]


def look(card: Card, seconds: float) -> Samples:
    """Sample for so long."""
    found, end_s = Samples(), time.perf_counter() + seconds
    while time.perf_counter() < end_s:
        instant_w = card.instant_w()
        found.at_s.append(time.perf_counter())
        found.average_w.append(card.average_w())
        found.energy_j.append(card.energy_j())
        if instant_w is not None:
            found.instant_w.append(instant_w)
        time.sleep(SAMPLE_S)
    return found


@contextmanager
def burning(seconds: float, *options: str, visible: str | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process that computes on the GPU; killed at the end, also where it was stopped."""
    env = dict(os.environ) | ({} if visible is None else {"CUDA_VISIBLE_DEVICES": visible})
    command = [sys.executable, str(BURN), "--seconds", str(seconds), *options]
    child = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


# --- the questions --------------------


def facts(card: Card, seconds: float) -> dict[str, Any]:
    """What the park finds, and what NVML says of limits and modes."""
    del seconds
    counters = ours.read_counters()
    return {
        "park": [str(gpu) for gpu in find_machine().gpus],
        "park_counters": str(counters),
        "park_sees_as": gpus.visible_devices((0,)),
        "driver": card.nvml.nvmlSystemGetDriverVersion(),
        "limits_mw": card.ask("nvmlDeviceGetPowerManagementLimitConstraints"),
        "limit_default_mw": card.ask("nvmlDeviceGetPowerManagementDefaultLimit"),
        "limit_enforced_mw": card.ask("nvmlDeviceGetEnforcedPowerLimit"),
        "persistence": card.ask("nvmlDeviceGetPersistenceMode"),
        "mig": card.ask("nvmlDeviceGetMigMode"),
        "watts": [card.average_w(), card.instant_w()],
    }


def cost(card: Card, seconds: float) -> dict[str, Any]:
    """Median and longest milliseconds of a reading."""
    del seconds
    machine = find_machine()
    with tempfile.TemporaryDirectory() as folder:
        meter = NodeMeter(machine, Path(folder) / "meter.json")
        asked: dict[str, Callable[[], object]] = {
            "nvml init again": card.nvml.nvmlInit,
            "nvml energy": card.energy_j,
            "nvml power": card.average_w,
            "nvml instant power": card.instant_w,
            "park: read_counters": ours.read_counters,
            "park: energy of a job": lambda: gpus.energy_j((0,)),
            "park: visible_devices": lambda: gpus.visible_devices((0,)),
            "park: whole node": meter.read,
        }
        return {name: _cost_ms(read) for name, read in asked.items()} | {"park: find_gpus": _cost_ms(ours.find_gpus, 5)}


def _cost_ms(read: Callable[[], object], n_times: int = 200) -> list[float]:
    took_ms = []
    for _ in range(n_times):
        begin_s = time.perf_counter()
        read()
        took_ms.append((time.perf_counter() - begin_s) * 1000.0)
    return [round(statistics.median(took_ms), 4), round(max(took_ms), 4)]


def steps(card: Card, seconds: float) -> dict[str, Any]:
    """How long each reading stands still, under a load that comes and goes."""
    with burning(60.0, "--busy", "0.5"):
        time.sleep(3.0)
        moved: dict[str, list[float]] = {"energy": [], "average": [], "instant": []}
        last: dict[str, float | None] = dict.fromkeys(moved)
        end_s = time.perf_counter() + min(seconds, 4.0)
        while time.perf_counter() < end_s:
            now = {"energy": card.energy_j(), "average": card.average_w(), "instant": card.instant_w()}
            for name, value in now.items():
                if value != last[name]:
                    moved[name].append(time.perf_counter())
            last = now
    gaps = {name: [b - a for a, b in itertools.pairwise(at)] for name, at in moved.items()}
    return {f"{name}_ms": [round(statistics.median(some) * 1000, 1), len(some)] for name, some in gaps.items() if some}


def truth(card: Card, seconds: float) -> dict[str, Any]:
    """The counter against the integral of power: idle, then at loads."""
    found: dict[str, Any] = {"idle": look(card, seconds).told()}
    for busy in (0.25, 0.5, 1.0):
        with burning(60.0, "--busy", str(busy)):
            time.sleep(3.0)
            found[f"busy {busy}"] = look(card, seconds).told()
    return found


def freeze(card: Card, seconds: float) -> dict[str, Any]:
    """Watts by second: running, stopped by SIGSTOP, going on; and after the end."""
    found: dict[str, Any] = {}
    for name, options in (("2 x 5 ms ahead", ()), ("64 x 50 ms ahead", ("--kernel-ms", "50", "--ahead", "64"))):
        with burning(90.0, *options) as child:
            time.sleep(4.0)
            one = {"running": look(card, 3.0).by_second_w()}
            child.send_signal(signal.SIGSTOP)
            one["stopped"] = look(card, seconds + 2.0).by_second_w()
            child.send_signal(signal.SIGCONT)
            one["going on"] = look(card, 4.0).by_second_w()
        one["after its end"] = look(card, 4.0).by_second_w()
        found[name] = one
    return found


def sharing(card: Card, seconds: float) -> dict[str, Any]:
    """What processes see by CUDA_VISIBLE_DEVICES, and how two on one GPU divide it."""
    own = gpus.visible_devices((0,))
    seen = {"its id": own, "none": "", "an id that is not there": "GPU-00000000-0000-0000-0000-000000000000"}
    found: dict[str, Any] = {}
    for name, visible in seen.items():
        with burning(1.0, visible=visible) as child:
            found[name] = child.communicate(timeout=60.0)[0].strip()[-300:]
    with burning(seconds, visible=own) as one, burning(seconds, visible=own) as other:
        time.sleep(3.0)
        found["two at once"] = look(card, max(1.0, seconds - 3.0)).told()
        found["each of them"] = [child.communicate(timeout=60.0)[0].strip()[-300:] for child in (one, other)]
    return found


def engine(card: Card, seconds: float) -> dict[str, Any]:
    """Jobs of the local engine on the GPU."""
    with tempfile.TemporaryDirectory(prefix="park-gpu-") as folder:
        Path(folder).chmod(0o755)
        local = LocalEngine(Path(folder))
        try:
            found: dict[str, Any] = {"level": local.sandbox_level, "why_not": dict(local.sandbox.why_not)}
            found["capabilities"] = sorted(local.capabilities())
            found["counted"] = _counted(local, card, seconds)
            found["held"] = _held(local, card, seconds)
            found["memory_gib"] = {
                str(gib): _run(local, f"small-{n}", 0.5, memory_gib=gib)[0]
                for n, gib in enumerate((0.25, 0.5, 1, 2, 4))
            }
        finally:
            local.close()
    return found | {"levels": {level: _walls(level) for level in ("container-cgroup", "container", "landlock", "none")}}


def _walls(level: str) -> dict[str, Any]:
    """Whether jobs come to the GPU at a level: one with it, one without, one that forgets what it was told."""
    with tempfile.TemporaryDirectory(prefix="park-gpu-") as folder:
        Path(folder).chmod(0o755)
        local = LocalEngine(Path(folder), level)
        try:
            if local.sandbox_level != level:
                return {"not reached": local.sandbox.why_not.get(level)}
            return {
                "with": _run(local, "with", 0.5)[0],
                "without": _run(local, "without", 0.5, n_gpus=0),
                "without, forgetful": _run(local, "forgetful", 0.5, n_gpus=0, forgets=True),
            }
        finally:
            local.close()


def _order(name: str, seconds: float, n_gpus: int = 1, memory_gib: float = 8.0, forgets: bool = False) -> StartOrder:
    env = {key: value for key, value in os.environ.items() if key == "LD_LIBRARY_PATH"}
    text = (
        f"import os\ndel os.environ['CUDA_VISIBLE_DEVICES']\nexec({BURN.read_text()!r})"
        if forgets
        else BURN.read_text()
    )
    command = ("python", "-c", text, "--seconds", str(seconds))
    indices = tuple(range(n_gpus))
    return StartOrder(
        JobId(name), 1, "welcome", command, env, (), 1.0, int(memory_gib * GIB), indices, uses_python=True
    )


def _until(local: LocalEngine, name: str, *phases: Phase, wait_s: float = 60.0) -> EngineReport | None:
    end_s = time.monotonic() + wait_s
    while time.monotonic() < end_s:
        reports = local.status([(JobId(name), 1)])
        if reports and reports[0].phase in phases:
            return reports[0]
        time.sleep(0.02)
    return None


def _run(local: LocalEngine, name: str, seconds: float, **settings: Any) -> list[str]:
    local.submit(_order(name, seconds, **settings))
    report = _until(local, name, Phase.EXITED, Phase.LOST)
    path = local.log_path(JobId(name))
    return [str(report and report.outcome), path.read_text().strip()[-300:] if path.exists() else ""]


def _counted(local: LocalEngine, card: Card, seconds: float) -> dict[str, Any]:
    """A job from start to end: the joules the engine tells of it, and what the counter moved around it."""
    before_j, begin_s = card.energy_j(), time.monotonic()
    said = _run(local, "counted", seconds)
    around_j = card.energy_j() - before_j
    took_s = time.monotonic() - begin_s
    return {
        "said": said,
        "around_j": around_j,
        "seconds": took_s,
        "usage": asdict(local.usage([(JobId("counted"), 1)])[0]),
    }


def _held(local: LocalEngine, card: Card, seconds: float) -> dict[str, Any]:
    """Watts while a job runs, with a tenth of its CPU time, frozen, going on."""
    job = JobId("held")
    local.submit(_order("held", 120.0))
    _until(local, "held", Phase.RUNNING)
    time.sleep(4.0)
    before = local.usage([(job, 1)])[0]
    found: dict[str, Any] = {"running": look(card, 3.0).by_second_w()}
    after = local.usage([(job, 1)])[0]
    found["cpus"] = round((after.cpu_s - before.cpu_s) / (after.at_s - before.at_s), 3)
    local.set_cap(job, 1, 0.5)
    time.sleep(1.0)
    found["half its CPU time"] = look(card, 3.0).by_second_w()
    local.set_cap(job, 1, 1.0)
    before_s = time.monotonic()
    local.suspend(job, 1, "freeze", 5.0)
    found["frozen_after_s"] = _until(local, "held", Phase.FROZEN, wait_s=10.0) and round(time.monotonic() - before_s, 3)
    found["frozen"] = look(card, seconds).by_second_w()
    local.resume(job, 1)
    time.sleep(1.0)
    found["going on"] = look(card, 3.0).by_second_w()
    local.cancel(job, 1, 2.0)
    report = _until(local, "held", Phase.EXITED)
    return found | {"outcome": str(report and report.outcome)}


def park(card: Card, seconds: float) -> dict[str, Any]:
    """Jobs through a whole park: receipts beside counters, who waits for the GPU, what is learned of their name."""
    from whole_park import a_park

    burn = ["python", "-c", BURN.read_text(), "--seconds"]
    work = ["python", "-c", f"import time\nend = time.time() + {15 * seconds}\nwhile time.time() < end: pass"]
    asked = {"first": ([*burn, str(16 * seconds)], 1), "cpu": (work, 0), "second": ([*burn, str(seconds)], 1)}
    env = {key: value for key, value in os.environ.items() if key == "LD_LIBRARY_PATH"}
    with a_park() as (client, root, _):
        status: dict[str, Any] = dict(client.status())
        found: dict[str, Any] = {key: status.get(key) for key in ("sandbox_level", "sandbox_why_not", "capabilities")}
        time.sleep(5.0)  # the park itself is busy at first
        before_j, begin_s = card.energy_j(), time.time()
        jobs = {}
        for name, (command, n_gpus) in asked.items():
            more: dict[str, Any] = {"cpus": 1, "gpus": n_gpus, "memory": "8GiB", "time": "5m", "env": env}
            jobs[name] = client.submit(command, tier="firm", name="burn" if n_gpus else name, **more)
        time.sleep(2 * seconds)
        found["meanwhile"] = {name: client.job(job.id).state for name, job in jobs.items()}
        for name, job in jobs.items():
            found[name] = {"power before": dict(client.view(job.id))["power"]} | _ended(client, job.id)
            attempt = Path(root.environ()["PARK_HOME"], "jobs", job.id, "attempts", "1")
            notes = [
                json.loads(file.read_text()) for file in (attempt / "gpu.json", attempt / "state.json") if file.exists()
            ]
            found[name]["noted"] = {key: value for note in notes for key, value in note.items() if key in _NOTED}
        found["counter_j"], found["seconds"] = card.energy_j() - before_j, time.time() - begin_s
        found["again"] = client.submit(["true"], gpus=1, name="burn", time="1m", tier="firm").id
        found["again"] = dict(client.wait(found["again"], 60))["power"]
    return found


_NOTED: Final = ("start_j", "end_j", "start_s", "end_s", "idle_w", "cpu_s")


def _ended(client: Any, job_id: str) -> dict[str, Any]:
    view: dict[str, Any] = dict(client.wait(job_id, 200))
    told = {
        key: view[key] for key in ("state", "started_at", "ended_at", "power", "sandbox_level", "detail", "receipt")
    }
    return told | {"it_j": client.receipt(job_id)["it_kwh"] * 3.6e6, "log": "".join(client.logs(job_id))[-300:]}


QUESTIONS: Final = {one.__name__: one for one in (facts, cost, steps, truth, freeze, sharing, engine, park)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help=" ".join(QUESTIONS))
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if unknown := set(options.questions) - set(QUESTIONS):
        parser.error(f"no such question: {', '.join(sorted(unknown))}")
    try:
        card = Card()
    except Exception as error:
        raise SystemExit(f"no GPU: {error}") from None
    found: dict[str, Any] = {}
    for name in options.questions or QUESTIONS:
        try:
            found[name] = QUESTIONS[name](card, options.seconds)
        except Exception as error:  # the other questions are still worth their answers
            found[name] = {"failed": repr(error)}
        print(json.dumps({name: found[name]}, indent=1, default=str), flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1, default=str))


if __name__ == "__main__":
    main()
