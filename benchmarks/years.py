"""What do many years of weather cost in CPU seconds, and what does the largest load for a share?

    .venv/bin/python benchmarks/years.py [--seeds 20] [--workers 2]

Children's CPU time counts, start of the interpreter and imports included; the wall is told beside it.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from typing import Any

from eureka_park.energy.studies import largest_load, run_years
from eureka_park.foundation.site_reading import load_site

SITE = load_site("eureka-park")


def measured(work: Callable[[], Any]) -> dict[str, float]:
    """CPU seconds of the children and seconds on the clock."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_s": round(cpu_s, 1), "wall_s": round(time.monotonic() - begun, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    seeds, workers = range(1, asked.seeds + 1), asked.workers
    shares = [0.99, 0.9, 0.75]
    found = {
        "years": measured(lambda: run_years(SITE, 386.0, seeds=seeds, n_workers=workers)),
        "one_year": measured(lambda: run_years(SITE, 386.0)),
        "largest_load_one_share": measured(lambda: largest_load(SITE, 0.9)),
        "largest_load_three_shares": measured(lambda: largest_load(SITE, shares)),
    }
    print(json.dumps({"seeds": asked.seeds, "workers": workers, **found}, indent=2))


if __name__ == "__main__":
    main()
