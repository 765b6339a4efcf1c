"""What pictures share: units and round steps for axes, smooth curves, the eight-pointed star."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

Point = tuple[float, float]
UNITS: Final = (("GW", 1e3), ("MW", 1.0), ("kW", 1e-3), ("W", 1e-6))


def unit_for(top_mw: float) -> tuple[str, float]:
    """The unit in which the largest value has at least one digit before the point, and its size in MW."""
    return next((item for item in UNITS if top_mw >= item[1]), UNITS[-1])


def nice_step(top: float, n_steps: int = 4) -> float:
    """A round step (1, 2, 2.5 or 5 times a power of ten) that divides an axis up to `top` > 0 into about `n_steps`."""
    raw = top / n_steps
    size = 10.0 ** math.floor(math.log10(raw))
    return next(size * part for part in (1, 2, 2.5, 5, 10) if size * part >= raw * (1 - 1e-9))


def line(points: Iterable[Point]) -> str:
    """A path of straight lines through points."""
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points)


def smooth(points: Sequence[Point]) -> str:
    """A path through points that neither overshoots nor invents hills between them.

    Monotone cubic interpolation: F. N. Fritsch and R. E. Carlson, SIAM J. Numer. Anal. 17 (1980), doi:10.1137/0717021.
    """
    if len(points) < 3:
        return line(points)
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(points)]
    tangents = [slopes[0], *(_tangent(a, b) for a, b in pairwise(slopes)), slopes[-1]]
    parts = [f"M{points[0][0]:.2f} {points[0][1]:.2f}"]
    for index, (a, b) in enumerate(pairwise(points)):
        third = (b[0] - a[0]) / 3
        c1, c2 = a[1] + third * tangents[index], b[1] - third * tangents[index + 1]
        parts.append(f"C{a[0] + third:.2f} {c1:.2f} {b[0] - third:.2f} {c2:.2f} {b[0]:.2f} {b[1]:.2f}")
    return "".join(parts)


def _tangent(before: float, after: float) -> float:
    """The harmonic mean of two slopes, flat where they differ in sign: keeps the curve monotone between points."""
    return 0.0 if before * after <= 0 else 2 * before * after / (before + after)


def star(x: float, y: float, radius: float) -> str:
    """The path of an eight-pointed star, two squares over each other, its points up and to the sides."""
    inner = radius * math.cos(math.pi / 4) / math.cos(math.pi / 8)
    corners = []
    for index in range(16):
        reach, angle = (inner if index % 2 else radius), index * math.pi / 8
        corners.append((x + reach * math.sin(angle), y - reach * math.cos(angle)))
    return line(corners) + "Z"
