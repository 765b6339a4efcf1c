"""The map-like schematic of a site: a coast in eight directions, mountains, plants as stars, lines by what flows.

Places that are known (Eureka Park's) stand where they are; any other site is laid out plainly, its places one below the
other beside the site itself. Nothing here is to scale but the directions of the known places.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.shapes import Point, line, star

STRAND_PX: Final = 20.0  # how wide all power of the site together is drawn
_STRAND_MIN_PX: Final = 1.2
_NAME_MAX: Final = 34
_TILE: Final = 44  # of the star pattern in the sea
_MAP: Final = (720.0, 574.0)
# Moroccan coast from the Atlantic south to the eastern border, drawn by hand along eight directions.
COAST: Final[tuple[Point, ...]] = (
    (28, 620), (28, 566), (72, 522), (72, 446), (56, 430), (56, 364), (80, 340), (80, 300), (160, 220), (196, 220),
    (320, 96), (320, 60), (340, 40), (400, 40), (400, 100), (450, 150), (560, 150), (580, 130), (600, 150), (740, 150),
)  # fmt: skip
# Mountains from north to south: foot and size; the Rif, the Middle Atlas, the High Atlas.
PEAKS: Final[tuple[tuple[float, float, float], ...]] = (
    (452, 186, 17), (486, 194, 21), (522, 190, 16), (426, 268, 19), (398, 292, 24), (452, 306, 20),
    (470, 352, 26), (508, 336, 18), (424, 372, 33), (386, 354, 22), (350, 396, 36), (238, 404, 26), (212, 424, 38),
    (268, 418, 30), (160, 436, 34), (116, 450, 26), (142, 456, 19),
)  # fmt: skip
CAMPUS: Final[Point] = (394, 122)
PLACES: Final[dict[str, Point]] = {"ouarzazate": (300, 484), "koudia": (352, 66)}
GRID_AT: Final[Point] = (592, 320)


@dataclass(frozen=True, slots=True)
class Plant:
    """A plant as it is drawn: colour class, name, present output in words, and as a share of its most."""

    id: str
    css: str
    name: str
    shown: str
    frac: float
    share: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What comes from one place: its plants, what its line carries by colour class (MW), what is said of the line."""

    place: str
    name: str
    plants: Sequence[Plant]
    mw_by_css: Sequence[tuple[str, float]]
    notes: Sequence[str] = ()
    is_through_grid: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the schematic shows. `whole_mw` is the power that makes the widest bundle;

    `names` are what the map itself says: class, text, place.
    """

    campus: str
    campus_shown: str
    lines: Sequence[Line]
    grid_mw: float
    grid_name: str
    grid_shown: str
    grid_short: str
    whole_mw: float
    names: Sequence[tuple[str, str, float, float]] = field(default_factory=tuple)


def schematic(scene: Scene, label: str, *, is_narrow: bool = False) -> Markup:
    """The picture; a narrow one for phones. Geography does not turn round with the language."""
    is_known = bool(scene.lines) and all(item.place in PLACES for item in scene.lines)
    frame = _Frame(scene, is_narrow, is_known)
    parts = [*_ground(frame, scene)] if is_known else [_plain(frame)]
    parts += [*_grid_line(frame, scene), *_lines(frame, scene), *_campus(frame, scene)]
    for index, item in enumerate(scene.lines):
        parts += _plants(frame, item, frame.place(index))
    size = "narrow" if is_narrow else "wide"
    return Markup(
        f'<svg class="map plan-{size}" viewBox="0 0 {frame.width:g} {frame.height:g}" role="group" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


class _Frame:
    """Where things stand: on the map (known places), or one below the other."""

    def __init__(self, scene: Scene, is_narrow: bool, is_known: bool) -> None:
        self.scene, self.is_narrow, self.is_known = scene, is_narrow, is_known
        self.scale = 0.54 if is_narrow and is_known else 1.0
        self.pitch = 76.0 if is_narrow else 96.0
        self.width = 390.0 if is_narrow else _MAP[0]
        rows = max(1, len(scene.lines))
        self.height = (_MAP[1] * self.scale + (64 if is_narrow else 0)) if is_known else 150.0 + 150.0 * rows

    def at(self, point: Point) -> Point:
        """A point of the map in this picture."""
        if not self.is_known:
            return point
        return point[0] * self.scale, point[1] * self.scale + (14 if self.is_narrow else 0)

    @property
    def campus(self) -> Point:
        """Where the site stands."""
        if self.is_known:
            return self.at(CAMPUS)
        return (self.width - (62 if self.is_narrow else 130), 96.0)

    @property
    def grid(self) -> Point:
        """Where the public grid comes from."""
        if self.is_known:
            return self.at(GRID_AT)
        return (self.campus[0], self.height - 70)

    def place(self, index: int) -> Point:
        """Where a place's plants stand, around this point."""
        if self.is_known:
            return self.at(PLACES[self.scene.lines[index].place])
        n = len(self.scene.lines[index].plants)
        return (30 + max(1, n) * self.pitch / 2, 96.0 + 150.0 * index)

    def path(self, index: int) -> list[Point]:
        """The way of a place's line to the site: straight, then along a diagonal."""
        (x0, y0), (x1, y1) = self.place(index), self.campus
        if self.is_known and y0 > y1:
            y0 -= 34
            return [(x0, y0), (x0, y1 + abs(x1 - x0)), (x1, y1)]
        if self.is_known:
            return [(x0, y0), (x0 + (y1 - y0), y1)] if abs(x1 - x0 - (y1 - y0)) < 1 else [(x0, y0), (x1, y1)]
        x0 += len(self.scene.lines[index].plants) * self.pitch / 2 - 14
        turn = abs(y0 - y1)
        return [(x0, y0), (max(x0, x1 - turn), y0), (x1, y1)] if turn else [(x0, y0), (x1, y1)]


def offset(points: Sequence[Point], by: float) -> list[Point]:
    """A line that runs beside another one, its corners mitred; to the left of the way for positive `by`."""
    normals = []
    for (x0, y0), (x1, y1) in pairwise(points):
        length = math.hypot(x1 - x0, y1 - y0) or 1.0
        normals.append(((y1 - y0) / length, -(x1 - x0) / length))
    moved = []
    for index, (x, y) in enumerate(points):
        before, after = normals[max(0, index - 1)], normals[min(index, len(normals) - 1)]
        nx, ny = before[0] + after[0], before[1] + after[1]
        size = (nx * nx + ny * ny) / 2 or 1.0  # 1 + cos of the turn: the mitre's length falls with it
        moved.append((x + by * nx / size, y + by * ny / size))
    return moved


def strands(mw_by_css: Sequence[tuple[str, float]], whole_mw: float) -> list[tuple[str, float, float]]:
    """Colour class, width and place across the bundle of each strand; widths are shares of `whole_mw`."""
    wide = [
        (css, max(_STRAND_MIN_PX, STRAND_PX * mw / whole_mw if whole_mw > 0 else 0.0))
        for css, mw in mw_by_css
        if mw > 0
    ]
    across, found = -sum(width for _, width in wide) / 2, []
    for css, width in wide:
        found.append((css, width, across + width / 2))
        across += width
    return found


def _ground(frame: _Frame, scene: Scene) -> Iterable[str]:
    """Sea with faint stars, land, coast and mountains."""
    width, height = frame.width, frame.height
    half = _TILE / 2
    kind = "narrow" if frame.is_narrow else "wide"
    yield (
        f'<defs><pattern id="sea-{kind}" width="{_TILE}" height="{_TILE}" patternUnits="userSpaceOnUse">'
        f'<path class="sea-star" d="{star(half, half, half)}"/></pattern></defs>'
        f'<rect class="sea" width="{width:g}" height="{height:g}" rx="14"/>'
        f'<rect fill="url(#sea-{kind})" width="{width:g}" height="{height:g}" rx="14"/>'
    )
    coast = [frame.at(point) for point in COAST]
    edge = [(width + 20, coast[-1][1]), (width + 20, height + 20), (coast[0][0], height + 20)]
    yield f'<svg width="{width:g}" height="{height:g}"><path class="land" d="{line([*coast, *edge])}Z"/>'
    yield f'<path class="coast" d="{line(coast)}"/></svg>'
    for px, py, size in PEAKS:
        x, y = frame.at((px, py))
        yield _mountain(x, y, size * frame.scale, size * 1.12 * frame.scale)
    for css, name, x, y in scene.names if not frame.is_narrow else ():
        yield _text(*frame.at((x, y)), name, css, "middle")


def _plain(frame: _Frame) -> str:
    """The ground of a site whose places are not known."""
    return f'<rect class="plain" width="{frame.width:g}" height="{frame.height:g}" rx="14"/>'


def _mountain(x: float, y: float, width: float, height: float) -> str:
    """A triangle with its shaded side."""
    body = line([(x - width, y), (x, y - height), (x + width, y)])
    shade = line([(x, y - height), (x + width, y), (x + width * 0.15, y)])
    return f'<path class="peak" d="{body}Z"/><path class="peak-shade" d="{shade}Z"/>'


def _grid_line(frame: _Frame, scene: Scene) -> Iterable[str]:
    """The public grid: hatched, as wide as what it would have to give."""
    (x0, y0), (x1, y1) = frame.grid, frame.campus
    points = [(x0, y0), (x0, y1 + abs(x0 - x1)), (x1, y1)] if frame.is_known and y0 - y1 > abs(x0 - x1) else []
    points = points or [(x0, y0), (x1 + (y0 - y1), y0) if frame.is_known else (x0, (y0 + y1) / 2), (x1, y1)]
    width = max(4.0, STRAND_PX * scene.grid_mw / scene.whole_mw if scene.whole_mw > 0 else 0.0)
    yield _hatched(points, width)
    yield f'<rect class="s-grid grid-mark" x="{x0 - 13:.1f}" y="{y0 - 13:.1f}" width="26" height="26" rx="6"/>'
    yield _text(x0, y0 + 32, scene.grid_name, "map-name", "middle")
    yield _text(x0, y0 + 49, scene.grid_short if frame.is_narrow else scene.grid_shown, "map-figure", "middle")


def _hatched(points: Sequence[Point], width: float) -> str:
    """A line in the grid's colours: a pale ground with grey strokes across."""
    path = line(points)
    return (
        f'<path class="wire wire-ground" d="{path}" stroke-width="{width:.2f}"/>'
        f'<path class="wire wire-hatch" d="{path}" stroke-width="{width:.2f}"/>'
    )


def _lines(frame: _Frame, scene: Scene) -> Iterable[str]:
    """Each place's line: as many strands as kinds of power it carries now; over the hatch where the grid carries it."""
    for index, item in enumerate(scene.lines):
        points = frame.path(index)
        found = strands(item.mw_by_css, scene.whole_mw)
        width = sum(strand[1] for strand in found)
        if item.is_through_grid or not found:
            yield _hatched(points, width + 8)
        for css, thick, across in found:
            yield f'<path class="wire l-{css}" d="{line(offset(points, across))}" stroke-width="{thick:.2f}"/>'
        yield from _notes(frame, item, points, width)


def _notes(frame: _Frame, item: Line, points: Sequence[Point], width: float) -> Iterable[str]:
    """What is said of a line, beside its longest stretch."""
    (x0, y0), (x1, y1) = points[0], points[1]
    if frame.is_narrow and frame.is_known:
        return  # there is no room; the page says it below
    for row, note in enumerate(item.notes):
        if frame.is_known and y0 > y1:
            yield _text(x0 - width / 2 - 14, (y0 + y1) / 2 - 40 + 17 * row, note, "map-note", "end")
        elif not frame.is_known:
            yield _text(
                (x0 + x1) / 2, y0 - width / 2 - 12 - 17 * (len(item.notes) - 1 - row), note, "map-note", "middle"
            )


def _campus(frame: _Frame, scene: Scene) -> Iterable[str]:
    """The site: the park's own mark, its name and what it draws."""
    x, y = frame.campus
    yield f'<path class="s-majorelle campus" d="{star(x, y, 21)}"/>'
    yield f'<circle class="s-pv" cx="{x:.1f}" cy="{y:.1f}" r="10"/>'
    yield f'<path class="s-salt" d="M{x - 10:.1f} {y:.1f}a10 10 0 0 0 20 0z"/>'
    anchor, tx, ty = ("start", x + 30, y - 12) if frame.is_known else ("end", frame.width - 14, y - 56)
    name = scene.campus if len(scene.campus) <= _NAME_MAX else scene.campus[: _NAME_MAX - 1] + "…"
    yield _text(tx, ty, name, "map-name map-site", anchor)
    yield _text(tx, ty + 18, scene.campus_shown, "map-figure", anchor)


def _plants(frame: _Frame, item: Line, middle: Point) -> Iterable[str]:
    """The plants of a place side by side, each a link to what is known of it; a ring shows how much of it gives now."""
    n = len(item.plants)
    if n > 1 and frame.is_known:
        first, last = middle[0] - (n - 1) / 2 * frame.pitch, middle[0] + (n - 1) / 2 * frame.pitch
        yield f'<path class="bus" d="{line([(first, middle[1] - 34), (last, middle[1] - 34)])}"/>'
    for index, plant in enumerate(item.plants):
        x = middle[0] + (index - (n - 1) / 2) * frame.pitch
        if n > 1 and frame.is_known:
            yield f'<path class="bus" d="{line([(x, middle[1] - 34), (x, middle[1] - 20)])}"/>'
        is_alone = n == 1 and frame.is_known
        yield _plant(plant, x, middle[1], is_alone, plant.share if frame.is_narrow and n > 1 else plant.shown)
    if n > 1 or not frame.is_known:
        yield _text(middle[0], middle[1] + 74, item.name, "map-place", "middle")


def _plant(plant: Plant, x: float, y: float, is_beside: bool, figure: str) -> str:
    around = 2 * math.pi * 18
    dash = f'stroke-dasharray="{max(0.0, min(1.0, plant.frac)) * around:.1f} {around:.1f}"'
    place = f'cx="{x:.1f}" cy="{y:.1f}" r="18"'
    anchor, tx, ty = ("end", x - 31, y - 2) if is_beside else ("middle", x, y + 33)
    return (
        f'<a class="plant" href="#plant-{escape(plant.id)}" aria-label="{escape(plant.name)} {escape(figure)}">'
        f'<circle class="gauge l-ground" {place}/>'
        f'<circle class="gauge l-{plant.css}" {place} {dash} transform="rotate(-90 {x:.1f} {y:.1f})"/>'
        f'<path class="s-{plant.css}" d="{star(x, y, 12)}"/>'
        f"{_text(tx, ty, plant.name, 'map-name', anchor)}{_text(tx, ty + 16, figure, 'map-figure', anchor)}</a>"
    )


def _text(x: float, y: float, text: str, css: str, anchor: str) -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
