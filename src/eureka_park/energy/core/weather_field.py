"""Chance that neighbouring places share: white noise in time whose correlation between places falls with distance.

The earth carries a lattice of nodes, each with its own noise; a place reads those around it with Gaussian weights
(Higdon 2002, doi:10.1007/978-1-4471-0657-9_2: a moving average in space). So a place has the same series alone as in
company, two places at distance d have the correlation exp(-(d / reach)^2) to 0.002, and a place's name does not
matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, degrees, exp, pi, radians, sqrt
from typing import Final

import numpy as np

from eureka_park.energy.core.sun import Floats
from eureka_park.foundation.seeds import SeedTree

EARTH_KM: Final = 6371.0
_AROUND: Final = 3  # nodes looked at to each side; their spacing is the width of the weights


def distance_km(first_deg: tuple[float, float], second_deg: tuple[float, float]) -> float:
    """Distance of two places (latitude, longitude) along the chord; km."""
    one, other = _in_space(*first_deg), _in_space(*second_deg)
    return EARTH_KM * sqrt(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)))


def shared_noise(tree: SeedTree, latitude_deg: float, longitude_deg: float, reach_km: float, n_values: int) -> Floats:
    """Standard normal values of a place, independent in time; places within `reach_km` have much the same."""
    nodes = dict(_nodes(latitude_deg, longitude_deg, reach_km / 2))
    scale = sqrt(sum(weight**2 for weight in nodes.values()))
    series = np.zeros(n_values)
    for name, weight in nodes.items():
        series += weight / scale * tree.child(name).generator().standard_normal(n_values)
    return series


def _nodes(latitude_deg: float, longitude_deg: float, width_km: float) -> Iterator[tuple[str, float]]:
    """Names and weights of the nodes around a place: rows of equal spacing, each divided evenly around the earth."""
    spacing_deg = degrees(width_km / EARTH_KM)
    middle = round(latitude_deg / spacing_deg)
    for row in range(middle - _AROUND, middle + _AROUND + 1):
        row_deg = max(-89.0, min(89.0, row * spacing_deg))
        n_around = max(7, round(2 * pi * EARTH_KM * cos(radians(row_deg)) / width_km))
        first = round(longitude_deg / 360.0 * n_around)
        for column in range(first - _AROUND, first + _AROUND + 1):
            place = (row_deg, 360.0 * column / n_around)
            far = distance_km((latitude_deg, longitude_deg), place) / width_km
            yield f"{row}:{column % n_around}", exp(-0.5 * far**2)


def _in_space(latitude_deg: float, longitude_deg: float) -> tuple[float, float, float]:
    latitude, longitude = radians(latitude_deg), radians(longitude_deg)
    return cos(latitude) * cos(longitude), cos(latitude) * cos(longitude - pi / 2), cos(latitude - pi / 2)
