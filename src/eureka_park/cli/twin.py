"""`park twin`: the park's decisions tried in a simulated world. No park needs to run."""

from __future__ import annotations

import click

from eureka_park.cli.lazy import Lazy, LazyGroup

_CLI = "eureka_park.cli"
COMMANDS: dict[str, Lazy] = {
    "run": Lazy(
        f"{_CLI}.twin_run:run", "Days of work under the park's policy.", is_server=True, see=("policy", "site")
    ),
    "replay": Lazy(
        f"{_CLI}.twin_replay:replay",
        "What ran on a Slurm cluster, under this park's policy.",
        is_server=True,
        see=("observe slurm", "twin run"),
    ),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def twin() -> None:
    """Try how the park decides in a simulated world: jobs, weather and failures of a seed, the real policy.

    \b
    park twin run --jobs 10000 --days 2         what waits, what finishes, what is paused
    park twin run --policy fcfs-easy --days 2   the same work, first come first served
    park twin run --trace jobs.csv              your own work
    """
