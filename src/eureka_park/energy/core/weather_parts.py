"""Parts of a year that a file does not have, worked out from those it has; each is said in the origin of the year.

Closure: GHI = DHI + DNI cos z. Diffuse share from the global alone: Erbs, Klein and Duffie 1982
(doi:10.1016/0038-092X(82)90302-4). Humidity from the dew point: Magnus with the constants of Alduchov and Eskridge 1996
(doi:10.1175/1520-0450(1996)035<0601:IMFAOS>2.0.CO;2). Pressure: the barometric formula with a scale height of 8,434 m.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from eureka_park.energy.core.readers.reading import DEW, IRRADIANCE
from eureka_park.energy.core.sun import Floats, Sun, sun_at
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR, REFERENCE_YEAR_S
from eureka_park.foundation.errors import BadInput

LOW_SUN_COS: Final = 0.04  # below about 2 deg of height a beam cannot be told from closure
DEFAULT_HUMIDITY_FRAC: Final = 0.5
SEA_LEVEL_PA: Final = 101_325.0
SCALE_HEIGHT_M: Final = 8434.0


def hour_cosine(latitude_deg: float, longitude_deg: float, n_parts: int = 12) -> tuple[Sun, Floats]:
    """The sun at the middle of each hour, and the mean over the hour of the cosine of its zenith, 0 below ground."""
    total = np.zeros(HOURS_PER_YEAR)
    hours = np.arange(HOURS_PER_YEAR, dtype=np.float64)
    for part in range(n_parts):
        seconds = REFERENCE_YEAR_S + (hours + (part + 0.5) / n_parts) * 3600.0
        total += np.maximum(0.0, sun_at(seconds, latitude_deg, longitude_deg).cos_zenith)
    return sun_at(REFERENCE_YEAR_S + (hours + 0.5) * 3600.0, latitude_deg, longitude_deg), total / n_parts


def completed(
    columns: Mapping[str, Floats], sun: Sun, cosine: Floats, altitude_m: float, temp_mean_c: float | None = None
) -> tuple[dict[str, Floats], list[str]]:
    """All seven columns, and a note for each that was worked out. Raises BadInput without any sun, wind or warmth."""
    found = {name: np.array(values) for name, values in columns.items()}
    if not found:
        raise BadInput("The file has no column of weather.", fix="Name its columns with --column.", code="no_weather")
    notes: list[str] = []
    _irradiance(found, sun, cosine, notes)
    if "temp_c" not in found:
        found["temp_c"] = np.full(HOURS_PER_YEAR, 20.0 if temp_mean_c is None else temp_mean_c)
        notes.append(f"no temperature in the file: {found['temp_c'][0]:g} degC in every hour (assumption)")
    _humidity(found, notes)
    if "pressure_pa" not in found:
        found["pressure_pa"] = np.full(HOURS_PER_YEAR, SEA_LEVEL_PA * np.exp(-altitude_m / SCALE_HEIGHT_M))
        notes.append(f"no pressure in the file: that of {altitude_m:g} m")
    if "wind_m_per_s" not in found:
        found["wind_m_per_s"] = np.zeros(HOURS_PER_YEAR)
        notes.append("no wind in the file: 0 m/s")
    return found, notes


def _irradiance(found: dict[str, Floats], sun: Sun, cosine: Floats, notes: list[str]) -> None:
    have = {name for name in IRRADIANCE if name in found}
    if have == {"ghi_w_per_m2"}:
        found["dhi_w_per_m2"] = found["ghi_w_per_m2"] * erbs_diffuse_frac(found["ghi_w_per_m2"], sun, cosine)
        have.add("dhi_w_per_m2")
        notes.append("only GHI in the file: DHI by Erbs 1982")
    if have == {"ghi_w_per_m2", "dhi_w_per_m2"}:
        beam = np.maximum(0.0, found["ghi_w_per_m2"] - found["dhi_w_per_m2"])
        normal = np.minimum(beam / np.maximum(cosine, LOW_SUN_COS), sun.beam_w_per_m2)
        found["dni_w_per_m2"] = np.where(cosine > LOW_SUN_COS, normal, 0.0)
        notes.append("no DNI in the file: (GHI - DHI) / cos z")
    elif have == {"ghi_w_per_m2", "dni_w_per_m2"}:
        found["dhi_w_per_m2"] = np.clip(found["ghi_w_per_m2"] - found["dni_w_per_m2"] * cosine, 0.0, None)
        notes.append("no DHI in the file: GHI - DNI cos z")
    elif have == {"dni_w_per_m2", "dhi_w_per_m2"}:
        found["ghi_w_per_m2"] = found["dhi_w_per_m2"] + found["dni_w_per_m2"] * cosine
        notes.append("no GHI in the file: DHI + DNI cos z")
    elif have != set(IRRADIANCE):
        notes.append("no sun in the file" if not have else f"only {', '.join(sorted(have))} in the file: no sun")
        for name in IRRADIANCE:
            found[name] = np.zeros(HOURS_PER_YEAR)


def erbs_diffuse_frac(ghi_w_per_m2: Floats, sun: Sun, cosine: Floats) -> Floats:
    """Share of the global light that is diffuse, from the clearness of the hour."""
    clearness = np.clip(ghi_w_per_m2 / np.maximum(sun.beam_w_per_m2 * cosine, 1.0), 0.0, 1.0)
    middle = 0.9511 - 0.1604 * clearness + 4.388 * clearness**2 - 16.638 * clearness**3 + 12.336 * clearness**4
    frac = np.where(clearness <= 0.22, 1.0 - 0.09 * clearness, np.where(clearness <= 0.8, middle, 0.165))
    return np.asarray(np.where(cosine > LOW_SUN_COS, frac, 1.0), dtype=np.float64)


def _humidity(found: dict[str, Floats], notes: list[str]) -> None:
    dew = found.pop(DEW, None)
    if "humidity_frac" in found:
        return
    if dew is not None:
        found["humidity_frac"] = np.minimum(1.0, _vapour(dew) / _vapour(found["temp_c"]))
        notes.append("humidity from the dew point")
    else:
        found["humidity_frac"] = np.full(HOURS_PER_YEAR, DEFAULT_HUMIDITY_FRAC)
        notes.append(f"no humidity in the file: {DEFAULT_HUMIDITY_FRAC:.0%} in every hour (assumption)")


def _vapour(temp_c: Floats) -> Floats:
    return np.asarray(610.94 * np.exp(17.625 * temp_c / (temp_c + 243.04)), dtype=np.float64)
