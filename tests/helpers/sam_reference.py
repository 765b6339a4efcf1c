"""SAM's answers kept for tests: years of weather and series as whole numbers, in one file for each place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eureka_park.energy.core.readers.recognise import read
from eureka_park.energy.core.sun import Floats, sun_at
from eureka_park.energy.core.weather_import import Place, Wish, import_year
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR, REFERENCE_YEAR_S, Provenance, WeatherYear
from eureka_park.foundation.site_file import Plant, WeatherSite
from eureka_park.foundation.site_reading import load_site
from tests.helpers import shared_data

GOLDEN = Path(__file__).parents[1] / "golden/sam"
DAGGETT_FILE = shared_data.DAGGETT
DAGGETT = Place("daggett", 34.85, -116.78, 561)
PARK = load_site("eureka-park")
PLANTS: dict[str, Plant] = {plant.id: plant for plant in PARK.plants}
PLACES: dict[str, WeatherSite] = {place.id: place for place in PARK.weather_sites} | {
    "daggett": WeatherSite(id="daggett", latitude_deg=34.85, longitude_deg=-116.78, altitude_m=561)
}
SEED = 1
# How finely each series is kept: value = whole number / scale.
WEATHER = {
    "dni_w_per_m2": 10, "dhi_w_per_m2": 10, "ghi_w_per_m2": 10, "temp_c": 10, "humidity_frac": 1000,
    "pressure_pa": 0.1, "wind_m_per_s": 100,
}  # fmt: skip
HEAT = 10
POWER = 100


@dataclass(frozen=True)
class Reference:
    """What is kept of a place."""

    name: str
    arrays: dict[str, np.ndarray]

    def series(self, name: str, scale: float) -> Floats:
        """A series in its own unit."""
        return self.arrays[name].astype(np.float64) / scale

    def number(self, name: str) -> float:
        """A single figure."""
        return float(self.arrays[name])

    def year(self) -> WeatherYear:
        """The weather that SAM saw. At Daggett it is read from the file, which is not kept here."""
        if self.name == "daggett":
            return daggett_year()
        height = float(self.arrays["wind_height_m"])
        place = PLACES[self.name]
        sun = sun_at(
            REFERENCE_YEAR_S + 3600 * (np.arange(HOURS_PER_YEAR) + 0.5), place.latitude_deg, place.longitude_deg
        )
        provenance = Provenance("synthetic", "kept for tests", "CC0-1.0", str(self.arrays["content_id"]), SEED)
        columns = {name: self.series(name, scale) for name, scale in WEATHER.items()}
        return WeatherYear(self.name, provenance, sun, **columns, wind_height_m=None if np.isnan(height) else height)


def reference(place: str) -> Reference:
    """What is kept of a place, read from its file."""
    with np.load(GOLDEN / f"{place}.npz", allow_pickle=False) as file:
        return Reference(place, dict(file))


def packed_year(year: WeatherYear) -> dict[str, np.ndarray]:
    """A year as whole numbers, with what it came from."""
    found = {name: packed(getattr(year, name), scale) for name, scale in WEATHER.items()}
    height = np.nan if year.wind_height_m is None else year.wind_height_m
    return found | {"content_id": np.array(year.provenance.content_id), "wind_height_m": np.array(height)}


def packed(series: Floats, scale: float) -> np.ndarray:
    """A series as whole numbers of 16 bits. Raises where one does not fit."""
    whole = np.rint(np.asarray(series) * scale)
    assert np.abs(whole).max() < 2**15, "does not fit"
    return whole.astype(np.int16)


def daggett_year() -> WeatherYear:
    """The real year of Daggett (NSRDB PSM3), where its file is at hand."""
    return import_year(read(DAGGETT_FILE.read_text()), DAGGETT, Wish("nsrdb-daggett")).year
