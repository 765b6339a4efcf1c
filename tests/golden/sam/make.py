"""Asks SAM for our plants' heat and electricity and keeps the answers as whole numbers: the reference of the tests.

    .venv/bin/python tests/golden/sam/make.py [PLACE:PLANT ...]     ask SAM (all by default; some 5 CPU minutes)
    .venv/bin/python tests/golden/sam/make.py pack                  put the parts into one file for each place
    .venv/bin/python tests/golden/sam/make.py field                 the tower's mirrors and its table, by SolarPILOT

Needs the extra `sam`. Daggett is left out where its weather is not at hand; that weather is not kept, the answers are.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from tests.helpers.sam_reference import (
    DAGGETT_FILE,
    GOLDEN,
    HEAT,
    PLACES,
    PLANTS,
    POWER,
    SEED,
    daggett_year,
    packed,
    packed_year,
)

from eureka_park.energy.core.plant_alone import targets_alone_mw_th
from eureka_park.energy.core.weather import typical_years
from eureka_park.energy.core.weather_year import WeatherYear
from eureka_park.energy.sam import runs
from eureka_park.energy.sam.check import our_heat_mw
from eureka_park.energy.sam.field_table import fitted_table, laid_out, seen_from
from eureka_park.energy.sam.runs import DECIMETRES, sam_electricity_mw, sam_field_heat_mw, sam_replay

PARTS = Path(tempfile.gettempdir()) / "eureka-park-sam-parts"
ASKED = {
    "ouarzazate": ("noor-i", "noor-ii", "noor-iii", "noor-iv"),
    "koudia": ("koudia",),
    "daggett": ("noor-i", "noor-ii", "noor-iii", "noor-iv"),
}
HELIOSTATS = Path(runs.__file__).parent / "noor-iii-heliostats.npy"
LATITUDES_DEG = (5.0, 18.0, 31.049, 34.85, 45.0, 58.0)


def year_at(place: str) -> WeatherYear:
    """The synthetic year of our places (all of them at once: their weather is related), the real one of Daggett."""
    if place == "daggett":
        return daggett_year()
    ours = tuple(site for name, site in PLACES.items() if name != "daggett")
    return typical_years(ours, SEED)[place]


def ask(place: str, name: str) -> None:
    """One plant at one place, kept as a part."""
    plant, site, year = PLANTS[name], PLACES[place], year_at(place)
    found: dict[str, np.ndarray] = {}
    if plant.type.startswith("csp"):
        target = targets_alone_mw_th(plant, site, our_heat_mw(plant, site, year))
        found[f"{name}_target"] = packed(target, HEAT)
        found[f"{name}_heat"] = packed(sam_field_heat_mw(plant, site, year), HEAT)
        sam = sam_replay(plant, site, year, found[f"{name}_target"] / HEAT)
        found[f"{name}_net_gwh"] = np.array(sam.net_mw.sum() / 1000)
        found[f"{name}_water_m3"] = np.array(sam.water_m3)
    else:
        found[f"{name}_power"] = packed(sam_electricity_mw(plant, site, year), POWER)
    PARTS.mkdir(exist_ok=True)
    np.savez_compressed(PARTS / f"{place}-{name}.npz", **found)
    print(place, name, {key: float(value) for key, value in found.items() if value.ndim == 0}, flush=True)


def pack() -> None:
    """One file for each place."""
    for place, names in ASKED.items():
        arrays = {} if place == "daggett" else packed_year(year_at(place))
        for name in names:
            with np.load(PARTS / f"{place}-{name}.npz") as part:
                arrays |= dict(part)
        np.savez_compressed(GOLDEN / f"{place}.npz", **arrays)


def field() -> None:
    """Where the heliostats of Noor III stand, written beside the code, and the table for the plant data, printed."""
    plant, site, year = PLANTS["noor-iii"], PLACES["ouarzazate"], year_at("ouarzazate")
    positions = laid_out(plant, site, year)
    np.save(HELIOSTATS, packed(positions.ravel(), DECIMETRES).reshape(positions.shape))
    print(len(positions), "heliostats")
    seen = np.concatenate([seen_from(plant, site, year, positions, latitude) for latitude in LATITUDES_DEG])
    table, off = fitted_table(seen)
    print(np.round(table, 3).tolist(), "off by", off)


def main(words: list[str]) -> None:
    """As the module's text says."""
    if words in (["pack"], ["field"]):
        (pack if words == ["pack"] else field)()
        return
    every = [f"{place}:{name}" for place, names in ASKED.items() for name in names]
    for word in words or every:
        place, _, name = word.partition(":")
        if place != "daggett" or DAGGETT_FILE.exists():
            ask(place, name)


if __name__ == "__main__":
    main(sys.argv[1:])
