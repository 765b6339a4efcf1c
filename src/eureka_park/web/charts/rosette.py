"""A rosette that is a thing's own: a star polygon as zellige craftsmen draw them, chosen by the thing's id.

Form alone tells them apart; colour says only what kind of thing it is.
"""

from __future__ import annotations

import hashlib
import math
from typing import Final

from markupsafe import Markup

from eureka_park.web.charts.shapes import line

# Points of the star and how far each line reaches: {8/3}, {12/5} ... all of them are cut by craftsmen.
_STARS: Final = (
    (8, 2),
    (8, 3),
    (10, 3),
    (10, 4),
    (12, 4),
    (12, 5),
    (16, 5),
    (16, 6),
    (16, 7),
    (9, 4),
    (14, 5),
    (20, 7),
)
_HEARTS: Final = (4, 5, 6, 8)


def rosette(thing_id: str, css: str) -> Markup:
    """The rosette of a thing as a picture that says nothing to readers; `css` is the class of its colour."""
    seed = hashlib.sha256(thing_id.encode()).digest()
    points, reach = _STARS[seed[0] % len(_STARS)]
    heart, turn = _HEARTS[seed[1] % len(_HEARTS)], (seed[2] % 2) * math.pi / points
    ring = 0.34 + seed[3] / 255 * 0.16
    parts = [
        f'<path class="rosette-star" d="{_star(points, reach, 30, turn)}"/>',
        f'<path class="rosette-ring" d="{_petals(points, 30, ring, turn)}"/>',
        f'<circle class="rosette-eye" cx="32" cy="32" r="{30 * ring * 0.6:.1f}"/>',
        f'<path class="rosette-heart" d="{_polygon(heart, 30 * ring * 0.42, turn)}"/>',
    ]
    return Markup(f'<svg class="rosette rosette-{css}" viewBox="0 0 64 64" aria-hidden="true">{"".join(parts)}</svg>')


def _at(angle: float, radius: float) -> tuple[float, float]:
    return 32 + radius * math.sin(angle), 32 - radius * math.cos(angle)


def _star(points: int, reach: int, radius: float, turn: float) -> str:
    """The outline of the star polygon {points/reach}: where its lines cross nearest to its points are its corners."""
    step = math.pi / points
    inner = radius * math.cos(reach * step) / math.cos((reach - 1) * step)
    corners = [_at(turn + index * step, inner if index % 2 else radius) for index in range(2 * points)]
    return line(corners) + "Z"


def _petals(points: int, radius: float, ring: float, turn: float) -> str:
    """Kites between the heart and the points."""
    step, kites = math.pi / points, []
    for index in range(points):
        angle = turn + 2 * index * step
        corners = (
            _at(angle, radius * 0.86), _at(angle + step * 0.34, radius * (ring + 0.2)),
            _at(angle, radius * ring), _at(angle - step * 0.34, radius * (ring + 0.2)),
        )  # fmt: skip
        kites.append(line(corners) + "Z")
    return "".join(kites)


def _polygon(corners: int, radius: float, turn: float) -> str:
    return line([_at(turn + 2 * math.pi * index / corners, radius) for index in range(corners)]) + "Z"
