"""`park energy`: what sun, wind and salt can carry. Works from the site file alone; no park needs to run."""

from __future__ import annotations

import click

from eureka_park.cli.lazy import Lazy, LazyGroup

_CLI = "eureka_park.cli"
COMMANDS: dict[str, Lazy] = {
    "plan": Lazy(f"{_CLI}.energy_plan:plan", "48 hours of a site, from any instant on.", see=("energy year", "plan")),
    "year": Lazy(
        f"{_CLI}.energy_year:year", "How clean a load would be over a year.", see=("energy max-load", "energy plan")
    ),
    "max-load": Lazy(f"{_CLI}.energy_max_load:max_load", "The largest load for a clean share.", see=("energy year",)),
    "size": Lazy(
        f"{_CLI}.energy_size:size", "What must be built for a clean share.", see=("energy max-load", "energy year")
    ),
    "check-sam": Lazy(f"{_CLI}.energy_check_sam:check_sam", "Our plants beside NREL's SAM.", see=("energy year",)),
    "report": Lazy(
        f"{_CLI}.energy_report:report",
        "The verdict on a site, as a page, print or sheet.",
        see=("energy year", "energy max-load"),
    ),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def energy() -> None:
    """Ask what sun, wind and salt can carry. No park needs to run: the site is built in, or a file of yours.

    \b
    park energy plan --at 2026-06-21T05:00:00Z    48 hours, by source
    park energy year --load-mw 386                how clean a load would be
    park energy max-load --cfe 0.90               what size would be honest
    park energy size --load-mw 386 --cfe 0.90     what must be built for it
    park energy report --out verdict.html         the whole verdict

    Every answer says what it rests on: weather, plants, their calibration, scenario, contracts.
    """
