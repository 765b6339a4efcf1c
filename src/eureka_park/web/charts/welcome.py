"""The park in one picture: sun on mirrors, heat in salt, a turbine, the machines, wind on its hill, the grid.

Drawn in parts that stand on a ground line, so that a wide picture and a narrow one place the same parts differently.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.shapes import line, star

_TILE: Final = 26
_ARCH: Final = "M-9 -8V-38Q-12 -46 -8 -52 -4 -58 0 -60 4 -58 8 -52 12 -46 9 -38V-8Z"  # a horseshoe
_FAR: Final = (0.2, 0.5, 0.36, 0.72, 0.5, 0.86, 0.62, 1.0, 0.66, 0.78, 0.48, 0.7, 0.4, 0.56, 0.3)
_NEAR: Final = (0.5, 0.3, 0.7, 0.46, 0.9, 0.4, 0.6, 0.3, 0.76, 0.5, 1.0, 0.44, 0.7, 0.36)
_BLADE: Final = "M-3 0Q-6.5 -26 0 -62 3.5 -26 3 0Z"
_PYLON: Final = "M-16 0L-4 -104H4L16 0M-13 -24H13M-10 -50H10M-24 -76H24M-18 -94H18M-13 -24L10 -50M13 -24L-10 -50"
_MARK: Final = "M0 -26 7.6 -18.4H18.4V-7.6L26 0 18.4 7.6V18.4H7.6L0 26 -7.6 18.4H-18.4V7.6L-26 0 -18.4 -7.6V-18.4H-7.6Z"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part stands: the middle of its foot, on a ground line."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Scene:
    """One arrangement: size, a place for each part, which parts a line joins, and where the ground lies."""

    width: int
    height: int
    sun: Place
    mirrors: Place
    panels: Place
    salt: Place
    turbine: Place
    campus: Place
    wind: Place
    grid: Place
    grounds: Sequence[float]
    scale: float
    lines: Sequence[tuple[str, str, Place, Place]]  # drawn where the part is there; in this colour, between these


def welcome_picture(names: Mapping[str, str], label: str, salt_frac: float | None, direction: str = "ltr") -> Markup:
    """The picture for wide and for narrow screens; `names` by part that is there, in a language of that direction.

    `salt_frac` is how full the hot tank is drawn.
    """
    level = 0.6 if salt_frac is None else min(0.94, max(0.06, salt_frac))
    wide, narrow = (
        _drawn(scene, size, level, label, names.keys(), _names(scene, names, direction))
        for scene, size in ((_WIDE, "wide"), (_NARROW, "narrow"))
    )
    return Markup(f"{wide}{narrow}")


def _drawn(scene: Scene, size: str, level: float, label: str, there: Set[str], texts: Iterable[str]) -> str:
    """One arrangement with the parts that are there."""
    parts = [*_hills(scene, "wind" in there), *(_rays(scene) if "mirrors" in there else ())]
    for part, css, begin, end in scene.lines:
        parts += [_line(css, begin, end)] if part in there else []
    parts += _ground(scene)
    for part, draw in (
        ("sun", _sun), ("panels", _panels), ("mirrors", _mirrors), ("turbine", _turbine), ("campus", _campus),
        ("wind", _wind), ("grid", _grid),
    ):  # fmt: skip
        if part in there and getattr(scene, part).x < scene.width:
            parts += _standing(getattr(scene, part), scene.scale, draw())
    parts += _standing(scene.salt, scene.scale, _tank(level, size)) if "salt" in there else ()
    parts += texts
    return (
        f'<svg class="scene scene-{size}" viewBox="0 0 {scene.width} {scene.height}" role="img" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _standing(place: Place, scale: float, parts: Iterable[str]) -> Iterable[str]:
    yield f'<g transform="translate({place.x:g} {place.y:g}) scale({scale:g})">'
    yield from parts
    yield "</g>"


# -- parts, each around the middle of its foot -------------------------------------------------------------------------
def _sun() -> Iterable[str]:
    yield f'<path class="s-pv glow" d="{star(0, 0, 74)}"/><path class="s-pv" d="{star(0, 0, 54)}"/>'
    yield f'<circle class="s-csp" r="27"/><path class="tile" d="{star(0, 0, 13)}" fill="none"/>'


def _mirrors() -> Iterable[str]:
    """Three parabolic troughs, each with its receiver tube in the focus."""
    for x in (-74.0, 0.0, 74.0):
        yield f'<path class="drawn" d="M{x:g} 0V-26M{x - 9:g} 0H{x + 9:g}"/>'
        yield f'<path class="mirror" d="M{x - 31:g} -52Q{x:g} -6 {x + 31:g} -52"/>'
        yield f'<path class="drawn thin" d="M{x:g} -30V-50"/><circle class="s-csp" cx="{x:g}" cy="-53" r="5.5"/>'


def _panels() -> Iterable[str]:
    """Two tables of panels, tilted to the sun."""
    for x in (-34.0, 34.0):
        yield f'<path class="drawn" d="M{x + 6:g} 0V-20"/>'
        yield f'<path class="s-pv panel" d="M{x - 28:g} -6L{x - 6:g} -40H{x + 32:g}L{x + 10:g} -6Z"/>'
        yield f'<path class="drawn thin" d="M{x - 17:g} -23H{x + 21:g}M{x - 9:g} -6L{x + 13:g} -40"/>'


def _tank(level: float, size: str) -> Iterable[str]:
    """The hot tank, as full as it is, and the cold one with the rest."""
    for name, x, filled, css in (("hot", -38.0, level, "s-salt"), ("cold", 38.0, 1 - level, "cold-salt")):
        top = -7 - 74 * filled
        wave = f"M{x - 90:g} {top:.1f}" + "q14 -5 28 0t28 0" * 3 + f"V-5H{x - 90:g}Z"
        inside = f'<rect x="{x - 31:g}" y="-84" width="62" height="79" rx="9"/>'
        yield f'<clipPath id="scene-{name}-{size}">{inside}</clipPath>'
        yield f'<rect class="vessel" x="{x - 33:g}" y="-86" width="66" height="83" rx="11"/>'
        yield f'<g clip-path="url(#scene-{name}-{size})"><path class="{css} wave" d="{wave}"/></g>'
        yield f'<path class="drawn" d="M{x - 35:g} -88Q{x:g} -106 {x + 35:g} -88Z"/>'


def _turbine() -> Iterable[str]:
    """Steam turns eight blades."""
    yield '<path class="house" d="M-52 0V-66Q-52 -84 -34 -84H34Q52 -84 52 -66V0Z"/>'
    yield '<circle class="hub-ring" cy="-42" r="29"/>'
    blades = "".join(
        f"M0 -42l{24 * math.sin(a):.1f} {-24 * math.cos(a):.1f}" for a in (math.pi * k / 4 for k in range(8))
    )
    yield f'<path class="blades" d="{blades}"/><circle class="s-ink" cy="-42" r="5"/>'


def _campus() -> Iterable[str]:
    """A hall with arches and the mark above it: where the machines stand."""
    yield '<path class="house" d="M-118 0V-74H118V0Z"/><path class="drawn" d="M-126 -74H126"/>'
    for x in range(-96, 97, 32):
        css = "s-pv" if x % 64 else "s-majorelle"
        yield f'<path class="{css}" transform="translate({x} 0)" d="{_ARCH}"/>'
    yield '<path class="house" d="M-34 -74L-24 -92H24L34 -74Z"/>'
    yield f'<g transform="translate(0 -134) scale(1.75)"><path class="s-majorelle" d="{_MARK}"/>'
    yield '<circle class="s-pv" r="14"/><path class="s-salt" d="M-14 0A14 14 0 0 0 14 0Z"/></g>'


def _wind() -> Iterable[str]:
    for x, y, size in ((-78.0, 8.0, 0.82), (0.0, -6.0, 1.0), (74.0, 10.0, 0.74)):
        yield f'<g transform="translate({x:g} {y:g}) scale({size:g})">'
        yield '<path class="mast" d="M-3.4 0L-1.6 -118H1.6L3.4 0Z"/>'
        for turn in (12, 132, 252):
            yield f'<path class="s-wind" transform="translate(0 -120) rotate({turn + x:g})" d="{_BLADE}"/>'
        yield '<circle class="s-wind" cy="-120" r="6"/></g>'


def _grid() -> Iterable[str]:
    yield f'<path class="pylon" d="{_PYLON}"/>'


# -- what lies between and behind --------------------------------------------------------------------------------------
def _line(css: str, begin: Place, end: Place) -> str:
    """Heat goes along the ground, power hangs between two ends."""
    if css in {"csp", "salt"}:
        return f'<path class="pipe l-{css}" d="M{begin.x:g} {begin.y:g}H{end.x:g}"/>'
    sag = 6 + abs(end.x - begin.x) * 0.07
    middle = f"{(begin.x + end.x) / 2:g} {(begin.y + end.y) / 2 + sag:g}"
    return f'<path class="cable l-{css}" d="M{begin.x:g} {begin.y:g}Q{middle} {end.x:g} {end.y:g}"/>'


def _rays(scene: Scene) -> Iterable[str]:
    for dx in (-74.0, 0.0, 74.0):
        x, y = scene.mirrors.x + dx * scene.scale, scene.mirrors.y - 58 * scene.scale
        part = 80 * scene.scale / math.hypot(x - scene.sun.x, y - scene.sun.y)
        x0, y0 = scene.sun.x + (x - scene.sun.x) * part, scene.sun.y + (y - scene.sun.y) * part
        yield f'<path class="ray" d="M{x0:.1f} {y0:.1f}L{x:.1f} {y:.1f}"/>'


def _hills(scene: Scene, has_wind: bool) -> Iterable[str]:
    """Two ranges of the Atlas behind every ground line, the farther one paler; the hill that carries the wind."""
    for number, ground in enumerate(scene.grounds):
        for css, height, peaks in (("far", 150.0, _FAR), ("near", 84.0, _NEAR)):
            turned = [*peaks[5 * number :], *peaks[: 5 * number]]
            step = scene.width / (len(turned) - 1)
            edge = line((step * index, ground - height * rise) for index, rise in enumerate(turned))
            yield f'<path class="hill-{css}" d="{edge}V{ground:g}H0Z"/>'
        if has_wind and 0 < ground - scene.wind.y < 120:
            x, top, right = scene.wind.x, scene.wind.y - 6, scene.width
            up = f"M{x - 190:g} {ground:g}C{x - 110:g} {ground:g} {x - 120:g} {top:g} {x:g} {top:g}"
            down = f"S{right - 10:g} {top + 8:g} {right:g} {ground - 34:g}V{ground:g}Z"
            yield f'<path class="hill" d="{up}{down}"/>'


def _ground(scene: Scene) -> Iterable[str]:
    """A frieze of stars and crosses under every ground line; the tile is that of the band on top of the page."""
    for ground in scene.grounds:
        yield f'<rect class="frieze" y="{ground:g}" width="{scene.width}" height="{_TILE}"/>'
        for index in range(math.ceil(scene.width / _TILE)):
            css = "majorelle" if index % 6 == 3 else "paper"
            yield f'<use href="#tile" class="s-{css}" x="{index * _TILE}" y="{ground:g}"/>'


def _names(scene: Scene, names: Mapping[str, str], direction: str) -> Iterable[str]:
    """What each part is, under its ground; the sun's beside it."""
    for part, text in names.items():
        place: Place = getattr(scene, part)
        if place.x > scene.width:  # a narrow picture leaves some parts out
            continue
        ground = min((y for y in scene.grounds if y >= place.y - 1), default=place.y)
        y = ground + _TILE + 22 if part != "sun" else place.y + 6
        start = "start" if direction == "ltr" else "end"
        x, anchor = (place.x, "middle") if part != "sun" else (place.x + 92 * scene.scale, start)
        where = f'x="{x:g}" y="{y:g}" text-anchor="{anchor}" direction="{direction}"'
        yield f'<text class="scene-name" {where}>{escape(text)}</text>'


_G: Final = 316.0
_WIDE: Final = Scene(
    width=1160,
    height=376,
    sun=Place(104, 96),
    panels=Place(70, _G),
    mirrors=Place(248, _G),
    salt=Place(434, _G),
    turbine=Place(574, _G),
    campus=Place(766, _G),
    wind=Place(1036, 262),
    grid=Place(930, _G),
    grounds=(_G,),
    scale=1.0,
    lines=(
        ("mirrors", "csp", Place(326, _G - 10), Place(366, _G - 10)),
        ("turbine", "salt", Place(504, _G - 18), Place(524, _G - 18)),
        ("turbine", "ink", Place(626, _G - 66), Place(650, _G - 66)),
        ("grid", "grid", Place(907, _G - 76), Place(884, _G - 60)),
        ("wind", "wind", Place(962, _G - 30), Place(884, _G - 40)),
    ),
)
_G1, _G2 = 252.0, 522.0
_NARROW: Final = Scene(
    width=430,
    height=584,
    sun=Place(78, 78),
    panels=Place(900, _G1),
    mirrors=Place(98, _G1),
    salt=Place(258, _G1),
    turbine=Place(377, _G1),
    campus=Place(120, _G2),
    wind=Place(328, 484),
    grid=Place(900, _G2),
    grounds=(_G1, _G2),
    scale=0.84,
    lines=(
        ("mirrors", "csp", Place(166, _G1 - 9), Place(199, _G1 - 9)),
        ("turbine", "salt", Place(318, _G1 - 16), Place(332, _G1 - 16)),
        ("wind", "wind", Place(292, _G2 - 30), Place(220, _G2 - 38)),
    ),
)
