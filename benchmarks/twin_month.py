"""What does a month of the twin cost in CPU seconds: arrivals, failures, plans and the whole policy, turn by turn?

    .venv/bin/python benchmarks/twin_month.py [--jobs 1000000] [--nodes 2500] [--days 30] [--tenants 50] [--growth]

One class of nodes with 8 GPUs under a sky with sun by day, each minute a turn. Making the workload counts apart, and so
does reading compiled code. `--growth`: ten times fewer of jobs, nodes and tenants, one by one, and ten times more
tenants. `--json` for JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from typing import Any

from eureka_park.control.policy import Policy, Sky
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_reading import load_site
from eureka_park.twin.core import play as play_of
from eureka_park.twin.core.arrivals import Arrivals, make_workload, tenant_paths
from eureka_park.twin.core.failures import failures_of
from eureka_park.twin.core.opening import opening_of
from eureka_park.twin.core.sky_series import day_sun_sky
from eureka_park.twin.run import node_shapes, shares_of


def measured(n_jobs: int, n_nodes: int, days: float, n_tenants: int, load_frac: float) -> dict[str, Any]:
    """CPU seconds of a run, and its digest."""
    site = load_site("eureka-park")
    kind = site.nodes[0].model_copy(update={"n_nodes": n_nodes})
    site = site.model_copy(update={"nodes": (kind,)})
    leaves, tree, kw = tenant_paths(n_tenants), SeedTree(1), n_nodes * kind.rated_kw
    begin = time.process_time()
    work = make_workload(Arrivals(n_jobs, days, leaves, node_shapes(site), load_frac), tree)
    made_s = time.process_time() - begin
    opening = opening_of(site, work, shares_of(site, leaves))
    sky, failures = day_sun_sky(kw * 1.1, days, kw * 0.35, kw * 0.25), failures_of(n_nodes, days, tree)
    begin = time.process_time()
    played = play_of.play(opening, work, sky, failures, Policy(sky=Sky.BINDING, lead_s=120.0), 60.0)
    cpu_s = time.process_time() - begin
    return {
        "jobs": n_jobs, "nodes": n_nodes, "days": days, "tenants": n_tenants, "cpu_s": round(cpu_s, 3),
        "us_per_job": round(cpu_s / n_jobs * 1e6, 2), "turns": int(played.totals["n_turns"]),
        "actions": int(played.totals["n_actions"]), "workload_cpu_s": round(made_s, 2),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "digest": played.digest[:16],
    }  # fmt: skip


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--nodes", type=int, default=2500)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--tenants", type=int, default=50)
    parser.add_argument("--load", type=float, default=0.8, help="GPU work offered, over the site's")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    play_of.warm()
    whole = (options.jobs, options.nodes, options.days, options.tenants, options.load)
    cases = [whole]
    if options.growth:
        cases += [tuple(max(1, n // 10) if at == index else n for at, n in enumerate(whole)) for index in (0, 1, 3)]
        cases.append((*whole[:3], 10 * options.tenants, options.load))
    rows = [measured(*case) for case in cases]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(", ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
