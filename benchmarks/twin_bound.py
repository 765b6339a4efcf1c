"""What does the clairvoyant bound of a run cost in CPU seconds, and how large is it, by the length of the run?

    .venv/bin/python benchmarks/twin_bound.py [--days 2 31 92 365] [--nodes 128] [--jobs-per-day 274] [--json]

A scale model of the whole site with some nodes, under the park's policy: the bound's size does not depend on how many
there are. Playing and making the sky count apart. The bound is solved with the salt free and
with the salt as the run drew it.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from eureka_park.control.of_site import policy_of
from eureka_park.foundation.site_reading import parse_site
from eureka_park.foundation.wire.engine import Capability
from eureka_park.twin.core.bound import cfe_bound
from eureka_park.twin.core.bound_work import served_of
from eureka_park.twin.core.opening import class_rows, opening_of, site_gpu_types
from eureka_park.twin.core.play import play
from eureka_park.twin.run import TwinRequest, make_world

MODEL = """
name = "model"
title = "Model"
[scale]
of = "eureka-park"
[[nodes]]
id = "n"
n_nodes = {n_nodes}
n_cpus = 224
memory_gib = 2048
n_gpus = 8
rated_kw = 10.2
idle_kw = 1.9
[policy]
sky = "binding"
"""


def measured(n_nodes: int, request: TwinRequest) -> dict[str, Any]:
    """CPU seconds of the bound of one run, and what it says."""
    begin, site = time.process_time(), parse_site(MODEL.format(n_nodes=n_nodes), "model.toml")
    policy = policy_of(site, frozenset(Capability) - {Capability.RESIZE})
    world = make_world(site, request)
    opening = opening_of(site, world.work, world.shares, half_life_s=policy.half_life_s)
    played = play(opening, world.work, world.sky, world.failures, policy, policy.tick_s)
    sky = played.sky or world.sky
    run_s, begin = time.process_time() - begin, time.process_time()
    served = served_of(world.work, played, class_rows(site), site_gpu_types(site), world.failures)
    told = {"days": world.days, "jobs": world.work.n_jobs, "run_cpu_s": run_s, "sums_cpu_s": _since(begin)}
    for name, salt in (("", True), ("_same_salt", False)):
        begin = time.process_time()
        found = cfe_bound(served, sky, policy.cap_curve, salt=salt)
        told |= {f"cpu_s{name}": _since(begin), f"rows{name}": found.n_rows, f"cfe_bound{name}": found.cfe_bound_frac}
    return told | {"cfe": found.cfe_frac}


def _since(begin: float) -> float:
    return time.process_time() - begin


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, nargs="+", default=[2.0, 31.0, 92.0, 365.0])
    parser.add_argument("--nodes", type=int, default=128)
    parser.add_argument("--jobs-per-day", type=float, default=274.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--load", type=float, default=0.8)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for days in options.days:
        n_jobs = round(days * options.jobs_per_day)
        told = measured(options.nodes, TwinRequest(n_jobs, days, options.seed, load_frac=options.load))
        if options.json:
            print(json.dumps(told), flush=True)
        else:
            print("  ".join(f"{name} {value:,.4g}" for name, value in told.items()), flush=True)


if __name__ == "__main__":
    main()
