"""Clouds over a clear sky: the parts always add up, a clear hour is the clear sky, the real desert is met."""

from __future__ import annotations

import numpy as np
import pytest
from tests.helpers.real_weather import RealSeries, daggett, tetouan

from eureka_park.energy.core.clear_sky import clear_sky, turbidity_of_days
from eureka_park.energy.core.clearness import (
    DAY_MEMORY,
    DAY_SHARE,
    HOUR_MEMORY,
    beam_frac,
    clearness_of,
    clouded,
    diffuse_frac,
    fitted_middle,
)
from eureka_park.energy.core.sun import Floats, sun_at
from eureka_park.energy.core.weather import circular_ar1
from eureka_park.foundation.seeds import SeedTree

STARTS_S = 1735689600.0 + 3600.0 * np.arange(8760.0)
SUN = sun_at(STARTS_S + 1800.0, 31.05, -6.87)
CLEAR = clear_sky(SUN, 1260.0, 3.5)
# From pvlib's table at the two places.
DAGGETT = (2.6, 2.55, 2.85, 3.4, 3.35, 3.2, 3.15, 3.35, 2.8, 2.95, 2.65, 2.6)
TETOUAN = (2.5, 2.8, 2.15, 3.1, 3.0, 3.35, 3.6, 3.5, 3.35, 3.0, 2.8, 2.45)


def test_the_diffuse_share_is_that_of_erbs() -> None:
    shares = diffuse_frac(np.array([0.0, 0.2, 0.22, 0.5, 0.8, 0.95]))
    assert shares == pytest.approx([1.0, 0.982, 0.9802, 0.6592, 0.165, 0.165], abs=2e-3)
    levels = np.linspace(0.0, 0.8, 400)
    assert np.all(np.diff(diffuse_frac(levels)) < 2e-3) and diffuse_frac(levels).min() > 0.16


def test_beam_falls_with_clearness_and_is_whole_under_a_clear_sky() -> None:
    levels = np.linspace(0.0, 1.0, 200)
    for clear in (0.2, 0.5, 0.7, 0.78):
        beam = beam_frac(levels, np.full(200, clear))
        assert beam[0] == 0 and beam[-1] == 1 and np.all(np.diff(beam) >= -1e-9)
    assert beam_frac(np.array([0.5]), np.array([0.75]))[0] < 0.1  # half the global is nearly no beam


def test_a_clear_year_is_the_clear_sky_and_a_dark_one_has_no_beam() -> None:
    dni, dhi, ghi = clouded(CLEAR, SUN, np.ones(8760))
    assert dni == pytest.approx(CLEAR.dni_w_per_m2) and ghi == pytest.approx(CLEAR.ghi_w_per_m2)
    assert dhi == pytest.approx(CLEAR.dhi_w_per_m2, abs=1e-6)
    dni, dhi, ghi = clouded(CLEAR, SUN, np.full(8760, 0.1))
    high = SUN.cos_zenith > 0.3
    assert dni[high].max() < 2 and ghi[high] == pytest.approx(0.1 * CLEAR.ghi_w_per_m2[high])


def test_the_beam_is_fitted_or_refused() -> None:
    latent = circular_ar1(SeedTree(4), 8760, 0.6)
    middle = fitted_middle(CLEAR, SUN, latent, 2300.0)
    assert middle is not None
    assert clouded(CLEAR, SUN, clearness_of(latent, middle))[0].sum() == pytest.approx(2.3e6, rel=1e-9)
    assert fitted_middle(CLEAR, SUN, latent, 1e-3 * CLEAR.dni_w_per_m2.sum()) is None


def clear_of(real: RealSeries, monthly: tuple[float, ...]) -> tuple[Floats, Floats, Floats]:
    """Clear-sky global and beam irradiance and the cosine of the zenith at the hours of a real series."""
    sun = sun_at(real.starts_s + 1800.0, real.latitude_deg, real.longitude_deg)
    days = np.floor(real.starts_s / 86400.0).astype(int) - int(real.starts_s[100] // 86400.0)
    clear = clear_sky(sun, real.altitude_m, turbidity_of_days(monthly)[days % 365])
    return clear.ghi_w_per_m2, clear.dni_w_per_m2, sun.cos_zenith


def test_beam_from_global_meets_the_real_desert() -> None:
    real = daggett()
    ghi, dni, high = clear_of(real, DAGGETT)
    up = high > 0.17
    clearness = np.minimum(1.0, real.columns["ghi_w_per_m2"][up] / ghi[up])
    outside = sun_at(real.starts_s + 1800.0, real.latitude_deg, real.longitude_deg).beam_w_per_m2[up] * high[up]
    error = dni[up] * beam_frac(clearness, ghi[up] / outside) - real.columns["dni_w_per_m2"][up]
    assert abs(error.mean()) < 5.0 and np.sqrt(np.mean(error**2)) < 65.0


@pytest.mark.parametrize(
    ("name", "brightest", "near"),
    [("daggett", 1.035, 0.06), ("tetouan", 0.935, 0.09)],
)
def test_one_spread_gives_the_clearness_of_two_real_places(name: str, brightest: float, near: float) -> None:
    """Moved to the real yearly sum, the quantiles of clearness and the shares of clear days follow."""
    real = daggett() if name == "daggett" else tetouan()
    ghi, _, high = clear_of(real, DAGGETT if name == "daggett" else TETOUAN)
    measured = np.minimum(1.0, real.columns["ghi_w_per_m2"] / np.maximum(1.0, brightest * ghi))
    n_days = len(ghi) // 24
    days = np.arange(n_days * 24) // 24
    light = np.bincount(days, ghi[: n_days * 24])
    drawn = []
    for seed in range(4):
        tree = SeedTree(seed)
        latent = np.sqrt(DAY_SHARE) * np.repeat(circular_ar1(tree.child("d"), n_days + 1, DAY_MEMORY), 24)[: len(ghi)]
        latent = latent + np.sqrt(1 - DAY_SHARE) * circular_ar1(tree.child("h"), len(ghi), HOUR_MEMORY)
        low, high_middle = -20.0, 20.0
        for _ in range(40):
            middle = (low + high_middle) / 2
            is_low = float((clearness_of(latent, middle) * ghi).sum()) < float((measured * ghi).sum())
            low, high_middle = (middle, high_middle) if is_low else (low, middle)
        drawn.append(clearness_of(latent, low))
    up, levels = high > 0.2, (0.05, 0.1, 0.25, 0.5)
    model = np.mean([np.quantile(one[up], levels) for one in drawn], axis=0)
    assert model == pytest.approx(np.quantile(measured[up], levels), abs=near)

    def clear_days(series: Floats) -> float:
        return float((np.bincount(days, (series * ghi)[: n_days * 24]) / light > 0.95).mean())

    assert np.mean([clear_days(one) for one in drawn]) == pytest.approx(clear_days(measured), abs=0.06)
