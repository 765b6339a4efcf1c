"""Does a sweep of eight small scenarios keep both cores at work?

    .venv/bin/python benchmarks/twin_sweep.py [--workers 1,2] [--days 14] [--nodes 250] [--rounds 3] [--json]

Two policies, two loads and two seeds on one class of 8-GPU machines. CPU seconds are those of all workers, with the
start of Python and the loading of compiled code; wall seconds run from the first worker's start to the last one's end.
`cores` is their ratio: how many processors were at work on average. Whoever else uses the machine lowers it. So beside
it stand how many processors others had, and `cores_wanted`: with the time that workers waited for a processor counted
as work. What is not compiled yet is compiled before.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import statistics
import time
from pathlib import Path
from typing import Any

from eureka_park.foundation.site_reading import load_site
from eureka_park.twin.sweep import sweep_of
from eureka_park.twin.sweep_crew import Processes
from eureka_park.twin.sweep_grid import Reads, product


def scenarios(days: float, n_nodes: int) -> list[Any]:
    """Eight runs."""
    site = load_site("eureka-park")
    small = site.model_copy(update={"nodes": (site.nodes[0].model_copy(update={"n_nodes": n_nodes}),)})
    reads = Reads(lambda _name: small, lambda _site, _texts: {}, lambda _texts: {})
    asked = {"site": "small", "policy": "park,fcfs-easy", "load": [0.5, 0.8], "seed": "1..2", "days": days}
    return product(asked, reads)


def cpu_s() -> float:
    """CPU seconds of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def wanted_s(pid: int) -> float:
    """Seconds that a process ran or waited for a processor."""
    found = 0.0
    with contextlib.suppress(OSError, ValueError):
        for path in Path(f"/proc/{pid}/task").iterdir():
            ran_ns, waited_ns, _slices = path.joinpath("schedstat").read_text().split()
            found += (int(ran_ns) + int(waited_ns)) / 1e9
    return found


def idle_s() -> float:
    """Seconds that this machine's processors had nothing to do, in all."""
    with open("/proc/stat", encoding="ascii") as file:  # noqa: PTH123
        fields = file.readline().split()
    return (float(fields[4]) + float(fields[5])) / os.sysconf("SC_CLK_TCK")


def measured(runs: list[Any], n_workers: int) -> dict[str, float]:
    """One sweep."""
    found = sweep_of(runs)
    begun_s, before_s, idle_before_s = time.perf_counter(), cpu_s(), idle_s()
    crew, wanted = Processes(n_workers), dict[int, float]()
    found.run(crew, lambda _sweep: wanted.update({one: wanted_s(one) for one in crew.pids}))
    wall_s, used_s = time.perf_counter() - begun_s, cpu_s() - before_s
    idle_cores = (idle_s() - idle_before_s) / wall_s
    assert all(row.state == "finished" for row in found.rows), [row.error for row in found.rows]
    in_runs_s = sum(row.figures["cpu_s"] for row in found.rows if row.figures is not None)
    return {
        "workers": n_workers, "cpu_s": used_s, "cpu_s_in_runs": in_runs_s, "wall_s": wall_s, "cores": used_s / wall_s,
        "cores_wanted": sum(wanted.values()) / wall_s,
        "cores_idle": idle_cores, "cores_of_others": (os.cpu_count() or 1) - idle_cores - used_s / wall_s,
    }  # fmt: skip


def main() -> None:
    """Print the medians of some rounds, with their ranges."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--days", type=float, default=14.0)
    parser.add_argument("--nodes", type=int, default=250)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    runs = scenarios(options.days, options.nodes)
    measured(runs[:1], 1)
    rounds = [
        [measured(runs, int(n)) for n in options.workers.split(",")] for _ in range(options.rounds)
    ]  # one after the other, so that both meet the same neighbours
    if options.json:
        print(json.dumps(rounds, indent=1))
        return
    for column in zip(*rounds, strict=True):
        told = ", ".join(
            f"{name} {statistics.median(row[name] for row in column):.2f} "
            f"({min(row[name] for row in column):.2f} .. {max(row[name] for row in column):.2f})"
            for name in column[0] if name != "workers"
        )  # fmt: skip
        print(f"{column[0]['workers']} workers: {told}")
    first, last = rounds[0][0]["workers"], rounds[0][-1]["workers"]
    quicker = [row[0]["wall_s"] / row[-1]["wall_s"] for row in rounds]
    print(f"{last:g} workers end {statistics.median(quicker):.2f} times sooner than {first:g}.")


if __name__ == "__main__":
    main()
