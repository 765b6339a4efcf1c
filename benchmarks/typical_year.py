"""What does a synthetic year of one place cost in CPU seconds?

    .venv/bin/python benchmarks/typical_year.py [--years 20]

A plan makes the years of its site's places anew each time; the median over the years counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

from eureka_park.energy.core.weather import typical_year
from eureka_park.foundation.site_reading import load_site


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=20)
    options = parser.parse_args()
    figures = {}
    for place in load_site("eureka-park").weather_sites:
        costs = []
        for seed in range(options.years):
            begin = time.process_time()
            typical_year(place, seed)
            costs.append(time.process_time() - begin)
        figures[f"{place.id}_cpu_s_p50"] = round(statistics.median(costs), 4)
    print(json.dumps({"years": options.years, **figures}, indent=2))


if __name__ == "__main__":
    main()
