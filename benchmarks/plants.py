"""What does a plant's year cost, from weather to heat and from heat to power?

    .venv/bin/python benchmarks/plants.py [--times 20]

CPU milliseconds, the median of several runs: each plant's model, and the replay of a plan through tank and block.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from eureka_park.energy.core.plant_alone import targets_alone_mw_th
from eureka_park.energy.core.power_block import replay
from eureka_park.energy.core.weather import typical_years
from eureka_park.energy.core.weather_year import WeatherYear
from eureka_park.energy.sam.check import our_electricity_mw, our_heat_mw
from eureka_park.foundation.site_file import Plant, WeatherSite
from eureka_park.foundation.site_reading import load_site


def cpu_ms(what: Callable[[], Any], times: int) -> float:
    """Median CPU milliseconds of a call."""
    found = []
    for _ in range(times):
        start_s = time.process_time()
        what()
        found.append(1000 * (time.process_time() - start_s))
    return round(statistics.median(found), 1)


def figures(plant: Plant, place: WeatherSite, year: WeatherYear, times: int) -> dict[str, float]:
    """The figures of one plant."""
    if not plant.type.startswith("csp"):
        return {"power_ms": cpu_ms(lambda: our_electricity_mw(plant, place, year), times)}
    heat = our_heat_mw(plant, place, year)
    target = targets_alone_mw_th(plant, place, heat)
    return {
        "heat_ms": cpu_ms(lambda: our_heat_mw(plant, place, year), times),
        "replay_ms": cpu_ms(lambda: replay(plant, year, heat, target), times),
        "plan_alone_ms": cpu_ms(lambda: targets_alone_mw_th(plant, place, heat), 3),
    }


def main() -> None:
    """Print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    times = parser.parse_args().times
    park = load_site("eureka-park")
    places = {place.id: place for place in park.weather_sites}
    years = typical_years(park.weather_sites, 1)
    told = {
        plant.id: figures(plant, places[plant.weather_site], years[plant.weather_site], times) for plant in park.plants
    }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
