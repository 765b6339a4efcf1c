"""Shared chance: near places have nearly one series, far places two, and company changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_park.energy.core.weather_field import distance_km, shared_noise
from eureka_park.foundation.seeds import SeedTree


@pytest.mark.parametrize(
    ("place", "other"),
    [
        ((31.05, -6.87), (35.82, -5.45)),
        ((31.05, -6.87), (31.4, -6.5)),
        ((65.0, 20.0), (65.0, 25.0)),
        ((-33.0, 179.8), (-34.0, -179.5)),
        ((0.0, 0.0), (2.0, 3.0)),
        ((31.05, -6.87), (31.05, -6.87)),
    ],
)
def test_correlation_falls_with_distance_as_stated(place: tuple[float, float], other: tuple[float, float]) -> None:
    one = shared_noise(SeedTree(5), place[0], place[1], 450.0, 40_000)
    two = shared_noise(SeedTree(5), other[0], other[1], 450.0, 40_000)
    expected = np.exp(-((distance_km(place, other) / 450.0) ** 2))
    assert np.corrcoef(one, two)[0, 1] == pytest.approx(expected, abs=0.02)
    assert one.mean() == pytest.approx(0.0, abs=0.02) and one.std() == pytest.approx(1.0, abs=0.02)


def test_time_has_no_memory_and_seeds_nothing_in_common() -> None:
    one = shared_noise(SeedTree(5), 31.0, -7.0, 450.0, 40_000)
    assert abs(np.corrcoef(one, np.roll(one, 1))[0, 1]) < 0.02
    assert abs(np.corrcoef(one, shared_noise(SeedTree(6), 31.0, -7.0, 450.0, 40_000))[0, 1]) < 0.02


def test_distances_are_those_of_the_earth() -> None:
    assert distance_km((0.0, 0.0), (0.0, 1.0)) == pytest.approx(111.19, abs=0.05)
    assert distance_km((31.049, -6.869), (35.82, -5.45)) == pytest.approx(546.4, abs=0.5)
