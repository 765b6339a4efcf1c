"""`park observe`: a cluster of another scheduler, looked at. Nothing is written there, no root is needed."""

from __future__ import annotations

import click

from eureka_park.cli.lazy import Lazy, LazyGroup

_CLI = "eureka_park.cli"
COMMANDS: dict[str, Lazy] = {
    "slurm": Lazy(
        f"{_CLI}.observe_slurm:slurm",
        "Receipts, and why jobs waited, of a Slurm cluster.",
        is_server=True,
        see=("twin replay", "energy"),
    ),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def observe() -> None:
    """Look at a cluster that another scheduler runs: what its jobs drew, and why they waited.

    \b
    park observe slurm                              the last 30 days, on a login node
    park observe slurm --out look                   a page and tables in the folder look
    park observe slurm --commands                   what to run there, to look at it elsewhere
    park observe slurm --from jobs.txt              what sacct wrote there
    park twin replay --from slurm                   what this park's policy would have changed
    """
