"""`park twin`: the park's decisions tried in a simulated world. No park needs to run."""

from __future__ import annotations

import click

from eureka_park.cli.lazy import Lazy, LazyGroup

_CLI = "eureka_park.cli"
COMMANDS: dict[str, Lazy] = {
    "run": Lazy(
        f"{_CLI}.twin_run:run", "Days of work under the park's policy.", is_server=True, see=("policy", "site")
    ),
    "sweep": Lazy(
        f"{_CLI}.twin_sweep:sweep", "Many runs at once, one table.", is_server=True, see=("twin run", "twin compare")
    ),
    "compare": Lazy(
        f"{_CLI}.twin_compare:compare",
        "Runs side by side, the best of each figure marked.",
        is_server=True,
        see=("twin sweep", "twin run"),
    ),
    "report": Lazy(
        f"{_CLI}.twin_report:report",
        "Runs as one page to read and print.",
        is_server=True,
        see=("twin run", "twin compare"),
    ),
    "replay": Lazy(
        f"{_CLI}.twin_replay:replay",
        "What really ran, here or on a Slurm cluster, under other policies.",
        is_server=True,
        see=("observe slurm", "policy diff", "twin run"),
    ),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def twin() -> None:
    """Try how the park decides in a simulated world: jobs, weather and failures of a seed, the real policy.

    \b
    park twin run --jobs 10000 --days 2         what waits, what finishes, what is paused
    park twin run --policy fcfs-easy --days 2   the same work, first come first served
    park twin run --trace jobs.csv              your own work
    park twin sweep --policy park,hard-cut --seed 1..3
    park twin replay --from journal --last 30d  this park's last month under other policies
    """
