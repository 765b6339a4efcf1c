"""How many sandboxed starts per second does the local engine make, and what does one cost in CPU seconds?

    .venv/bin/python benchmarks/local_starts.py [--jobs 200] [--at-once 8] [--level container-cgroup]

A start here is the whole way: order on disk, claim (fsync), control group, sandbox, `true`, exit state (fsync), the
wake-up datagram, and the end seen by `status`.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import json
import os
import resource
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from eureka_park.adapters.engines.local.engine import LocalEngine
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.wire.engine import Phase, StartOrder
from eureka_park.sandbox.cgroups import Cgroup
from eureka_park.sandbox.levels import Level


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--level", choices=[level.word for level in Level])
    options = parser.parse_args()
    count = cpu_counter()
    with tempfile.TemporaryDirectory(prefix="park-starts-") as folder:
        engine = LocalEngine(Path(folder), options.level)
        bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        bell.bind(f"{folder}/run/live.sock")
        bell.settimeout(0.05)
        try:
            run(engine, bell, count, 8, 4, "warm")
            found = run(engine, bell, count, options.jobs, options.at_once, "job")
            print(json.dumps(found | {"level": engine.sandbox_level}, indent=1))
        finally:
            bell.close()
            engine.close()


def run(
    engine: LocalEngine, bell: socket.socket, count: Callable[[], float], n_jobs: int, n_at_once: int, name: str
) -> dict[str, float]:
    waiting = [JobId(f"{name}-{index}") for index in range(n_jobs)]
    running: dict[JobId, float] = {}
    waits: list[float] = []
    begin_s, busy_s = time.perf_counter(), count()
    while waiting or running:
        while waiting and len(running) < n_at_once:
            job = waiting.pop()
            running[job] = time.perf_counter()
            engine.submit(StartOrder(job, 1, "welcome", ("true",), {}, (), 1.0, 64 * 1024**2))
        with contextlib.suppress(TimeoutError):
            bell.recv(64)
        for report in engine.status([(job, 1) for job in running]):
            if report.phase == Phase.EXITED:
                assert report.exit_code == 0, report
                waits.append(time.perf_counter() - running.pop(report.job_id))
    took_s = time.perf_counter() - begin_s
    waits.sort()
    return {
        "starts_per_s": round(n_jobs / took_s, 1),
        "cpu_s_per_start": round((count() - busy_s) / n_jobs, 4),
        "start_to_seen_end_s_median": round(waits[len(waits) // 2], 4),
        "start_to_seen_end_s_max": round(waits[-1], 4),
        "engine_cpu_s": round(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]), 2),
    }


def cpu_counter() -> Callable[[], float]:
    """CPU seconds of this benchmark and all it starts, where a cgroup v1 counter can be had;
    else of the whole machine."""
    group = Cgroup({"cpuacct": f"/sys/fs/cgroup/cpuacct/park-starts-{os.getpid()}"})
    try:
        group.make()
        group.join()
        group.cpu_s()
        atexit.register(leave, group)
        print("counting CPU seconds of this benchmark alone")
        return group.cpu_s
    except OSError:
        print("counting CPU seconds of the whole machine")
        return machine_busy_s


def leave(group: Cgroup) -> None:
    folder = Path(group.folders["cpuacct"])
    (folder.parent / "cgroup.procs").write_text("0")
    group.remove()


def machine_busy_s() -> float:
    words = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    user, nice, system, _, _, irq, soft, steal = (int(word) for word in words)
    return (user + nice + system + irq + soft + steal) / 100.0


if __name__ == "__main__":
    main()
