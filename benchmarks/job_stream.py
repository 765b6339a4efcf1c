"""What does it cost to draw the jobs of a year: CPU seconds of tables and of draws, and memory?

    .venv/bin/python benchmarks/job_stream.py [--jobs 100000000] [--days 365] [--rows 16384] [--json]

The park's 32,768 nodes with 8 GPUs, 1,000 projects, a load of 0.8. Jobs are drawn into one chunk again and again and
thrown away. Reading compiled code counts apart; the first run of all compiles.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.units import DAY_S
from eureka_park.twin.core.arrivals import Arrivals, tenant_paths
from eureka_park.twin.core.mix import YEAR_MIX, YEAR_TENANTS
from eureka_park.twin.core.stream import begin, chunk_of, drawn
from eureka_park.twin.core.workload import NodeShape

SHAPE = NodeShape(32_768, 8, 224_000, 2**21)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000_000)
    parser.add_argument("--days", type=float, default=365.0)
    parser.add_argument("--rows", type=int, default=16_384)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    clock = time.process_time
    at = clock()
    chunk = chunk_of(options.rows)
    drawn(begin(Arrivals(10, 1.0, ("a",), (SHAPE,), None, mix=YEAR_MIX), SeedTree(1)), chunk)
    read_s = clock() - at
    what = Arrivals(options.jobs, options.days, tenant_paths(YEAR_TENANTS), (SHAPE,), 0.8, mix=YEAR_MIX)
    before_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    at = clock()
    stream = begin(what, SeedTree(1))
    begun_s, at = clock() - at, clock()
    n_jobs = 0
    while n := drawn(stream, chunk):
        n_jobs += n
    draw_s = clock() - at
    found = {
        "jobs": n_jobs, "cpu_s": round(begun_s + draw_s, 2), "tables_cpu_s": round(begun_s, 3),
        "draw_cpu_s": round(draw_s, 2), "ns_per_job": round(draw_s / n_jobs * 1e9, 1), "read_cpu_s": round(read_s, 2),
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "grown_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before_mib, 1),
        "load": round(float(stream.state.gpu_s[0]) / (SHAPE.n_nodes * SHAPE.gpus * options.days * DAY_S), 4),
    }  # fmt: skip
    print(json.dumps(found, indent=1) if options.json else ", ".join(f"{name} {one}" for name, one in found.items()))


if __name__ == "__main__":
    main()
