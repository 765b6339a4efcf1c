"""A process that chooses the synthetic year of a watched day and ends: numpy and the solver live and die with it.

    python -m eureka_park.energy.clear_day_child < request.json

The request: `{"site": <site as JSON>, "start_s", "n_seeds"}`; the answer is the seed. What goes wrong is one line on
stderr and exit 1.
"""

from __future__ import annotations

import json
import sys
from typing import IO

from eureka_park.energy.answer import own_stdout
from eureka_park.energy.core.clear_day import clearest
from eureka_park.foundation.errors import ParkError
from eureka_park.foundation.site_file import site_from_json


def main(stdin: IO[str] = sys.stdin, stdout: IO[str] = sys.stdout, stderr: IO[str] = sys.stderr) -> int:
    """Read one request, write one seed; 0, or 1 with one line on stderr."""
    try:
        value = json.load(stdin)
        seed = clearest(site_from_json(value["site"]), float(value["start_s"]), range(1, int(value["n_seeds"]) + 1))
    except (ParkError, ValueError, KeyError, TypeError) as error:
        stderr.write(f"{error}\n")
        return 1
    stdout.write(f"{seed}\n")
    return 0


def run() -> int:
    """The process: its answer on standard output, nothing else there."""
    with own_stdout() as answer:
        return main(stdout=answer)


if __name__ == "__main__":
    sys.exit(run())
