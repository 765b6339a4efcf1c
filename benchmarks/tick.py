"""What does one tick cost in CPU seconds, with many jobs in the queue?

    .venv/bin/python benchmarks/tick.py [--jobs 50000] [--projects 100]

Every job is queued on a park of 100 nodes that is full, under a sky that binds all; the median of ten ticks counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import JobSpec, Tier
from eureka_park.compute.core.state import ParkState
from eureka_park.control.policy import Policy, Sky
from eureka_park.control.supply import Interval, Step, Supply
from eureka_park.control.tick import tick, warm
from eureka_park.foundation.ids import JobId


def supply() -> Supply:
    """48 equal hours: 80 kW clean, then the grid."""
    steps = (Step(80.0, 200.0, "koudia"), Step(200.0, 900.0, "grid"))
    return Supply(tuple(Interval(h * 3600.0, (h + 1) * 3600.0, 80.0, 60.0, 120.0, steps) for h in range(48)))


def filled(n_jobs: int, n_projects: int) -> ParkState:
    """A state with that many jobs submitted."""
    state = ParkState()
    nodes = tuple(ev.Node(f"n{i:03d}", "local", 8, 64 * 1024**3, 0, "", 1.0, 0.2) for i in range(100))
    state.apply(ev.NodesDeclared(0.0, nodes))
    tiers = list(Tier)
    for index in range(n_jobs):
        deadline_s = 40 * 3600.0 if index % 3 == 1 else None
        spec = JobSpec(f"p{index % n_projects:04d}", "bench", ("true",), tier=tiers[index % 3], time_s=36000.0)
        state.apply(ev.JobSubmitted(JobId(f"job-{index}"), 0.0, spec, deadline_s))
    return state


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=50_000)
    parser.add_argument("--projects", type=int, default=100)
    options = parser.parse_args()
    warm()
    begin = time.process_time()
    state = filled(options.jobs, options.projects)
    fill_cpu_s = time.process_time() - begin
    policy, costs, started = Policy(sky=Sky.BINDING), [], []
    for index in range(10):
        begin = time.process_time()
        decision = tick(state, supply(), policy, 60.0 * index)
        costs.append(time.process_time() - begin)
        started.append(sum(isinstance(event, ev.JobStarting) for event in decision.events))
    figures = {
        "queued_jobs": int(state.board.g.n_waiting[0]) if state.board is not None else 0,
        "projects": options.projects,
        "submit_us_per_job": round(fill_cpu_s / options.jobs * 1e6, 1),
        "tick_cpu_s_median": round(statistics.median(costs), 4),
        "tick_cpu_s_max": round(max(costs), 4),
        "started_per_tick": started,
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
