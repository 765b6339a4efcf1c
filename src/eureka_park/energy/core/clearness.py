"""Clouds over a clear sky: the clearness of each hour by chance, and what it leaves of beam and diffuse.

The clearness index of an hour is global over clear-sky global irradiance: 0.08 under the darkest cloud, 1 without any.
It is a logistic curve of a normal series that is half a matter of the day, half of the hour, each an AR(1) series. One
spread, 2.9, fits the hourly clearness of both real series at hand, with only the middle of the curve moved:

| measured, by hour (5, 10, 25 %) | real | this model |
| --- | --- | --- |
| Daggett, typical year (NSRDB PSM v3), over 1.035 x clear sky | 0.47 0.71 0.93 | 0.51 0.74 0.94 |
| Tetouan 2017 (UCI 849), over 0.935 x clear sky | 0.21 0.31 0.58 | 0.16 0.30 0.66 |

Days over 0.95: 64 % and 31 % there, 62 % and 28 % here; memory of the daily clearness from day to day: 0.28 and 0.56
there (the latter with its season), 0.27 and 0.35 here; memory of an hour's departure from its day's mean: 0.21 and 0.49
there, 0.31 and 0.34 here.

Beam from clearness: the diffuse fraction of Erbs, Klein and Duffie 1982 (doi:10.1016/0038-092X(82)90302-4), scaled so
that a clear hour has the clear sky's own beam. On Daggett it gives the beam of each hour from its global irradiance to
0.3 W/m2 in the mean and 56 W/m2 rms (mean beam 708 W/m2). Tetouan's diffuse sensor was often unshaded (diffuse equals
global in clear hours of many months), so it tells nothing here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from eureka_park.energy.core.clear_sky import ClearSky
from eureka_park.energy.core.sun import Floats, Sun

DARKEST_FRAC: Final = 0.08
SPREAD: Final = 2.9  # of the logit of clearness
DAY_SHARE: Final = 0.5  # of the variance that belongs to the day
DAY_MEMORY: Final = 0.6  # from day to day
HOUR_MEMORY: Final = 0.6  # from hour to hour
USUAL_MIDDLE: Final = 2.3  # of the logit where no sum is published: Tetouan's
_HALVINGS: Final = 46
_ERBS: Final = (0.9511, -0.1604, 4.388, -16.638, 12.336)


def diffuse_frac(transmitted: Floats) -> Floats:
    """Erbs, Klein and Duffie: diffuse share of global irradiance from global over extraterrestrial irradiance."""
    curve = np.zeros_like(transmitted)
    for factor in reversed(_ERBS):
        curve = curve * transmitted + factor
    return np.where(transmitted <= 0.22, 1.0 - 0.09 * transmitted, np.where(transmitted <= 0.80, curve, 0.165))


def beam_frac(clearness: Floats, clear_transmitted: Floats) -> Floats:
    """Beam over clear-sky beam for a clearness 0 to 1, where the clear sky lets `clear_transmitted` of the sun pass."""
    clear = np.clip(clear_transmitted, 0.05, 0.80)
    passed = clearness * clear
    return np.minimum(1.0, clearness * (1.0 - diffuse_frac(passed)) / (1.0 - diffuse_frac(clear)))


def clearness_of(latent: Floats, middle: float) -> Floats:
    """Clearness of a normal series; `middle` moves all skies alike."""
    return np.asarray(DARKEST_FRAC + (1.0 - DARKEST_FRAC) / (1.0 + np.exp(-(middle + SPREAD * latent))))


def clouded(clear: ClearSky, sun: Sun, clearness: Floats) -> tuple[Floats, Floats, Floats]:
    """Beam, diffuse and global irradiance of hours with a clearness; W/m2. GHI = DHI + DNI cos z exactly."""
    dni = clear.dni_w_per_m2 * beam_frac(clearness, _transmitted(clear, sun))
    beam = dni * np.maximum(0.0, sun.cos_zenith)
    dhi = np.maximum(0.0, clear.ghi_w_per_m2 * clearness - beam)
    return dni, dhi, dhi + beam


def fitted_middle(clear: ClearSky, sun: Sun, latent: Floats, dni_kwh_per_m2: float) -> float | None:
    """The middle at which the beam has the wanted sum; None where no sky, however clear, gives so much."""
    lit = clear.dni_w_per_m2 > 0
    beam, passed, series = clear.dni_w_per_m2[lit], _transmitted(clear, sun)[lit], latent[lit]
    if 1000.0 * dni_kwh_per_m2 > 0.99 * float(beam.sum()):
        return None
    return halved(lambda middle: float((beam * beam_frac(clearness_of(series, middle), passed)).sum()), dni_kwh_per_m2)


def halved(sum_wh: Callable[[float], float], wanted_kwh: float) -> float:
    """Where a rising sum (Wh) has the wanted value (kWh), between -30 and 30."""
    low, high = -30.0, 30.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if sum_wh(middle) < 1000.0 * wanted_kwh else (low, middle)
    return (low + high) / 2


def _transmitted(clear: ClearSky, sun: Sun) -> Floats:
    outside = sun.beam_w_per_m2 * np.maximum(1e-3, sun.cos_zenith)
    return np.asarray(clear.ghi_w_per_m2 / outside, dtype=np.float64)
