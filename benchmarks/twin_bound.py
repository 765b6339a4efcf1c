"""What does the clairvoyant bound of a run cost in CPU seconds, and how large is it, by the length of the run?

    .venv/bin/python benchmarks/twin_bound.py [--days 2 31 92 365] [--nodes 128] [--jobs-per-day 274] [--json]

Some nodes of the whole site under their part of its synthetic sky and the park's policy: the bound's size does not
depend on how many nodes there are. Playing and making the sky count apart. The bound is solved with the salt free and
with the salt as the run drew it.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from typing import Any

from eureka_park.control.of_site import policy_of
from eureka_park.foundation.site_reading import load_site
from eureka_park.foundation.wire.engine import Capability
from eureka_park.twin.core.bound import cfe_bound
from eureka_park.twin.core.bound_work import served_of
from eureka_park.twin.core.opening import class_rows, opening_of, site_gpu_types
from eureka_park.twin.core.play import play
from eureka_park.twin.core.sky_series import SkySeries
from eureka_park.twin.run import TwinRequest, make_world

POWERS = ("true_clean_kw", "plan_clean_kw", "plan_p10_kw", "plan_grid_kw", "step_up_to_kw")


def part_of(sky: SkySeries, frac: float) -> SkySeries:
    """A part of a sky, for a part of the machines."""
    tanks = sky.tanks
    if tanks is not None:
        tanks = replace(tanks, direct_kw=tanks.direct_kw * frac, per_heat_kw=tanks.per_heat_kw * frac)
    return replace(sky, **{name: getattr(sky, name) * frac for name in POWERS}, tanks=tanks)


def measured(n_nodes: int, request: TwinRequest) -> dict[str, Any]:
    """CPU seconds of the bound of one run, and what it says."""
    begin, site = time.process_time(), load_site("eureka-park")
    frac = n_nodes / site.nodes[0].n_nodes
    site = site.model_copy(update={"nodes": (site.nodes[0].model_copy(update={"n_nodes": n_nodes}),)})
    policy = policy_of(site, frozenset(Capability) - {Capability.RESIZE})
    policy = replace(policy, service_reserve_kw=policy.service_reserve_kw * frac)
    world = make_world(site, request)
    sky = part_of(world.sky, frac)
    opening = opening_of(site, world.work, world.shares, half_life_s=policy.half_life_s)
    played = play(opening, world.work, sky, world.failures, policy, policy.tick_s)
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
