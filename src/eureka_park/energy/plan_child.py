"""A process that makes one power plan and ends, so that the weather's arrays weigh on nobody for long.

    python -m eureka_park.energy.plan_child < request.json > plan.json

The request: `{"site": <site as JSON>, "now_s", "demand_mw", "tes_mwh_th", "seed", "without", "horizon_h", "scenario"}`.
Powers, salt and what batteries hold (`tes_mwh_th` has both) are on the scale of the full site; the plan that comes back
is already multiplied by a scale model's factor. What goes wrong is one line on stderr and exit 1.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import IO, Any

from eureka_park.energy.answer import own_stdout
from eureka_park.energy.core.power_plan import HORIZON_H, PlanRequest, make_plan
from eureka_park.energy.core.supply import ALL_PLANTS
from eureka_park.foundation.errors import BadInput, ParkError
from eureka_park.foundation.site_file import Site, site_from_json


def read_request(value: Any) -> tuple[Site, PlanRequest]:
    """The site and the request in a JSON value. Raises BadInput naming the field."""
    known = {"site", "now_s", "demand_mw", "tes_mwh_th", "seed", "without", "horizon_h", "scenario"}
    if not isinstance(value, Mapping):
        raise BadInput("The request is not a JSON object.", fix="Send {site, now_s, demand_mw, ...}.")
    for name in [*sorted(set(value) - known), *(name for name in ("site", "now_s", "demand_mw") if name not in value)]:
        what = "is missing" if name in known else "is not a field of a plan request"
        raise BadInput(f"'{name}' {what}.", fix=f"Fields: {', '.join(sorted(known))}.", field=name)
    try:
        site = site_from_json(value["site"])
        demand = value["demand_mw"]
        tes = value.get("tes_mwh_th") or None
        request = PlanRequest(
            now_s=float(value["now_s"]),
            demand_mw=tuple(map(float, demand)) if isinstance(demand, list) else float(demand),
            tes_mwh_th=None if tes is None else {str(name): float(mwh) for name, mwh in tes.items()},
            seed=int(value.get("seed", 1)),
            without=tuple(map(str, value.get("without") or ())),
            horizon_h=int(value.get("horizon_h", HORIZON_H)),
            scenario=str(value.get("scenario", ALL_PLANTS)),
        )
    except (TypeError, ValueError, AttributeError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadInput(f"The plan request cannot be read: {first}.", fix="Send numbers in MW, MWh and s.") from None
    return site, request


def main(stdin: IO[str] = sys.stdin, stdout: IO[str] = sys.stdout, stderr: IO[str] = sys.stderr) -> int:
    """Read one request, write one plan; 0, or 1 with one line on stderr."""
    try:
        plan = make_plan(*read_request(json.load(stdin)))
        json.dump(plan.to_json(), stdout, separators=(",", ":"))
        stdout.write("\n")
    except ParkError as error:
        stderr.write(error.line() + "\n")
        return 1
    except json.JSONDecodeError as error:
        stderr.write(f"The request is not JSON: {error.msg} at line {error.lineno}.\n")
        return 1
    return 0


def run() -> int:
    """The process: its answer on standard output, nothing else there."""
    with own_stdout() as answer:
        return main(stdout=answer)


if __name__ == "__main__":
    sys.exit(run())
