"""A whole park on this machine: from submission to running, submissions and sandboxed starts per second, and idle cost.

    .venv/bin/python benchmarks/whole_park.py [latency submissions starts idle] [--idle-s 600]

Starts a bare park of its own in a temporary home on a free port (the sky is only observed, so that it holds nothing
back), measures, and ends it. Rates are wall-clock on whatever the machine has to spare; CPU seconds are of all the
park's processes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from eureka_park.client import Park

PARTS = ("latency", "submissions", "starts", "idle")


@contextmanager
def a_park() -> Iterator[tuple[Park, psutil.Process, tuple[str, str]]]:
    """A fresh park; ended with its jobs at the end."""
    with tempfile.TemporaryDirectory(prefix="park-bench-") as folder:
        env = {**os.environ, "PARK_HOME": folder + "/home"}
        command = [sys.executable, "-m", "eureka_park.cli", "up", "--bare", "--port", "0", "--sky", "observed"]
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        note = json.loads(Path(folder, "home/run/client.json").read_text())
        try:
            address = (note["url"], note["token"])
            yield Park(*address), psutil.Process(process.pid), address
        finally:
            process.terminate()
            process.wait(30)


def tree(root: psutil.Process) -> list[psutil.Process]:
    """The park's processes."""
    return [root, *root.children(recursive=True)]


def cpu_s(root: psutil.Process) -> float:
    """CPU seconds of the park's processes, ended children included."""
    times = [process.cpu_times() for process in tree(root)]
    return sum(t.user + t.system + t.children_user + t.children_system for t in times)


def latency(park: Park, _root: psutil.Process, _address: tuple[str, str]) -> dict[str, float]:
    """Seconds from the submitting call to `running` in the journal, one job at a time."""
    waits = []
    for _ in range(25):
        begin = time.perf_counter()
        job = park.submit(["sleep", "0.2"], cpus=0.1, memory="16MiB", tier="firm", time="5m")
        park.wait(job.id, 20, until="running")
        waits.append(time.perf_counter() - begin)
        park.wait(job.id, 20)
    return {
        "submit_to_running_s_median": round(statistics.median(waits), 3),
        "submit_to_running_s_max": round(max(waits), 3),
    }


def submissions(
    park: Park, root: psutil.Process, address: tuple[str, str], n: int = 600, n_threads: int = 4
) -> dict[str, float]:
    """Accepted submissions per second from four clients; the queue is held by one job that takes the machine."""
    n_cpus = psutil.cpu_count() or 1
    blocker = park.submit(["sleep", "600"], cpus=n_cpus, memory="64MiB", tier="firm", time="20m")
    park.wait(blocker.id, 20, until="running")
    begin_cpu = cpu_s(root)
    begin = time.perf_counter()

    def send() -> None:
        mine = Park(*address)
        for _ in range(n // n_threads):
            mine.submit(["true"], cpus=1, memory="16MiB", tier="firm", time="5m")

    threads = [threading.Thread(target=send) for _ in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begin
    used = cpu_s(root) - begin_cpu
    for job in park.jobs(state="queued"):
        park.cancel(job["job_id"])
    park.cancel(blocker.id)
    park.wait(blocker.id, 60)
    return {"submissions_per_s": round(n / took, 1), "cpu_ms_per_submission": round(used / n * 1000, 2)}


def starts(park: Park, root: psutil.Process, _address: tuple[str, str], n: int = 400) -> dict[str, float | str]:
    """Jobs per second from queue to receipt: sandboxed, journalled, metered, settled. They are queued beforehand."""
    n_cpus = psutil.cpu_count() or 1
    gate = park.submit(["sleep", "600"], cpus=n_cpus, memory="64MiB", tier="firm", time="20m")
    park.wait(gate.id, 20, until="running")
    array = park.submit(["true"], cpus=n_cpus / 8, memory="16MiB", tier="firm", time="5m", array=n)
    time.sleep(1.0)
    begin_cpu, begin = cpu_s(root), time.perf_counter()
    park.cancel(gate.id)
    park.wait(array.id, 300)
    took = time.perf_counter() - begin
    receipts = park.receipt(array.id)
    return {
        "starts_per_s": round(n / took, 1),
        "park_cpu_ms_per_start": round((cpu_s(root) - begin_cpu) / n * 1000, 2),
        "sandbox_level": park.status()["sandbox_level"],
        "receipt_method": receipts["method"],
    }


def idle(_park: Park, root: psutil.Process, seconds: float = 600.0) -> dict[str, float]:
    """PSS of all processes and the part of one core that an idle park takes, its planning child included."""
    time.sleep(10.0)
    begin_cpu, begin = cpu_s(root), time.perf_counter()
    pss_max = 0.0
    while time.perf_counter() - begin < seconds:
        time.sleep(min(5.0, seconds))
        pss = 0
        for process in tree(root):
            try:
                pss += process.memory_full_info().pss
            except psutil.NoSuchProcess:
                continue
        pss_max = max(pss_max, pss / 1e6)
    took = time.perf_counter() - begin
    return {
        "idle_pss_mb_max": round(pss_max, 1),
        "idle_core_frac": round((cpu_s(root) - begin_cpu) / took, 4),
        "idle_watched_s": round(took),
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=PARTS)
    parser.add_argument("--idle-s", type=float, default=600.0)
    options = parser.parse_args()
    figures: dict[str, object] = {}
    with a_park() as (park, root, address):
        for name in options.parts:
            measure = {"latency": latency, "submissions": submissions, "starts": starts}.get(name)
            figures |= measure(park, root, address) if measure else idle(park, root, options.idle_s)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
