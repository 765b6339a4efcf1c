"""What comes down under a clear sky: beam, diffuse and global, by the model of Ineichen and Perez.

P. Ineichen and R. Perez 2002, doi:10.1016/S0038-092X(02)00045-2, with the beam's coefficient `0.664 + 0.163 / fh1` of
that paper. Air mass: Kasten and Young 1989 (doi:10.1364/AO.28.004735). How hazy the air is enters as the Linke
turbidity of each month (about 2 very clear, 4 desert dust in summer, 7 smog).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from eureka_park.energy.core.sun import Floats, Sun, air_mass

SEA_LEVEL_PA: Final = 101_325.0
SCALE_HEIGHT_M: Final = 8434.0
# Middles of the months as days of a year of 365.
MONTH_MIDDLES_D: Final = (15.5, 45.0, 74.5, 105.0, 135.5, 166.0, 196.5, 227.5, 258.0, 288.5, 319.0, 349.5)


@dataclass(frozen=True, slots=True, eq=False)
class ClearSky:
    """Irradiance of a sky without clouds, one value per instant; W/m2. GHI = DHI + DNI cos z."""

    dni_w_per_m2: Floats
    dhi_w_per_m2: Floats
    ghi_w_per_m2: Floats


def standard_pressure_pa(altitude_m: float) -> float:
    """Mean pressure of the air at a height above the sea; Pa."""
    return SEA_LEVEL_PA * float(np.exp(-altitude_m / SCALE_HEIGHT_M))


def turbidity_of_days(monthly: Sequence[float]) -> Floats:
    """Linke turbidity of each of 365 days from twelve monthly means, straight from middle to middle of the months."""
    middles = np.array(MONTH_MIDDLES_D)
    around = np.concatenate(([middles[-1] - 365.0], middles, [middles[0] + 365.0]))
    values = np.array([monthly[-1], *monthly, monthly[0]], dtype=np.float64)
    return np.asarray(np.interp(np.arange(365) + 0.5, around, values), dtype=np.float64)


def clear_sky(sun: Sun, altitude_m: float, turbidity: Floats | float) -> ClearSky:
    """Irradiance without clouds at the sun's positions; 0 while it is below the horizon. `turbidity`: Linke's."""
    is_up = sun.cos_zenith > 0
    mass = np.where(is_up, air_mass(sun), 0.0) * standard_pressure_pa(altitude_m) / SEA_LEVEL_PA
    height = np.where(is_up, sun.cos_zenith, 1.0)
    near, far = np.exp(-altitude_m / 8000.0), np.exp(-altitude_m / 1250.0)
    lit = (5.09e-5 * altitude_m + 0.868) * sun.beam_w_per_m2 * height
    ghi = lit * np.exp(-(3.92e-5 * altitude_m + 0.0387) * mass * (near + far * (turbidity - 1.0)))
    beam = (0.664 + 0.163 / near) * sun.beam_w_per_m2 * np.exp(-0.09 * mass * (turbidity - 1.0))
    most = ghi * (1.0 - (0.1 - 0.2 * np.exp(-turbidity)) / (0.1 + 0.882 / near)) / height
    dni = np.minimum(beam, np.clip(most, 0.0, 1e20))
    dni, ghi = np.where(is_up, dni, 0.0), np.where(is_up, ghi, 0.0)
    return ClearSky(dni, ghi - dni * np.maximum(0.0, sun.cos_zenith), ghi)
