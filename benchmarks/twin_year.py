"""What does a year of the park cost: CPU seconds and memory of 10^8 jobs on 262,144 GPUs, and how cost grows.

    .venv/bin/python benchmarks/twin_year.py [--jobs 100e6] [--days 365] [--policy park] [--growth]

The run is that of `park twin run`: jobs drawn as they come, gangs, fair shares of 1,000 projects, backfill, caps,
pauses, failures, plans every six hours from forecasts, figures and the clairvoyant bound. Compiled code is read from
disk: a first run of a few jobs sees to that. `--growth`: ten days of half a million jobs on a tenth of the machines,
for 100 projects; then ten times as many of jobs, of machines, of projects, one by one and together, at the same load
and a demand of 0.8 of the supply.
`--json` for JSON.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from eureka_park.control.of_site import policy_of
from eureka_park.foundation.policy_tables import Share
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.site_reading import load_site
from eureka_park.foundation.wire.engine import Capability
from eureka_park.twin.core.arrivals import tenant_paths
from eureka_park.twin.run import TwinRequest, run_recorded
from eureka_park.twin.run_files import write_run
from eureka_park.twin.run_request import STREAM_FROM

PARTS = ("work", "sky", "play", "metrics", "bound")


def site_of(n_nodes: int, n_tenants: int) -> Site:
    """The park with so many machines and projects; its plants stay as they are in proportion."""
    site = load_site("eureka-park")
    nodes = (site.nodes[0].model_copy(update={"n_nodes": n_nodes}),)
    shares = tuple(Share(path=path) for path in tenant_paths(n_tenants))
    return site.model_copy(update={"nodes": nodes, "shares": shares})


def measured(site: Site, request: TwinRequest) -> dict[str, Any]:
    """CPU seconds of a run by part, and its size."""
    policy = policy_of(site, frozenset(Capability) - {Capability.RESIZE})
    record = run_recorded(site, request, policy)
    with TemporaryDirectory() as folder:
        write_run(Path(folder) / "run", record)
    found = record.figures
    cpu_s = found["cpu_s_by_part"]
    return {
        "jobs": found["jobs"], "nodes": found["n_nodes"], "tenants": len(found["tenants"]), "days": found["days"],
        "cpu_s": round(found["cpu_s"], 1), "us_per_job": round(found["cpu_s"] / found["jobs"] * 1e6, 2),
        **{f"{name}_cpu_s": round(cpu_s.get(name, 0.0), 2) for name in PARTS},
        "peak_rss_mib": round(found["peak_rss_mib"]), "n_actions": int(found["n_actions"]),
        "cfe_frac": found["cfe_frac"], "cfe_bound_frac": found["cfe_bound_frac"], "digest": found["digest"][:16],
    }  # fmt: skip


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=float, default=100e6)
    parser.add_argument("--days", type=float, default=365.0)
    parser.add_argument("--policy", default="park")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    measured(site_of(100, 10), TwinRequest(STREAM_FROM + 1, 10.0, tick_s=300.0))
    rows = []
    if options.growth:
        small = (STREAM_FROM + 1, 3_277, 100)
        for jobs, nodes, tenants in ((1, 1, 1), (10, 1, 1), (1, 10, 1), (1, 1, 10), (10, 10, 10)):
            request = TwinRequest(small[0] * jobs, 10.0, options.seed, tick_s=300.0, demand_of_supply=0.8)
            rows.append(measured(site_of(small[1] * nodes, small[2] * tenants), request))
    else:
        request = TwinRequest(int(options.jobs), options.days, options.seed, policy=options.policy, tick_s=300.0)
        rows.append(measured(load_site("eureka-park"), request))
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(", ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
