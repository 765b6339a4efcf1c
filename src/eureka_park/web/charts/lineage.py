"""What was made from what, as boxes in layers with arrows between them: the oldest where reading begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

WIDE: Final = 216.0
HIGH: Final = 62.0
ACROSS: Final = 76.0
BETWEEN: Final = 20.0
EDGE: Final = 14.0
_SWEEPS: Final = 6
_CHARS: Final = 25


@dataclass(frozen=True, slots=True)
class Box:
    """A thing: two lines of text, its class of look (dataset, model, outside, hidden), where it leads ('': nowhere)."""

    box_id: str
    name: str
    below: str
    css: str
    link: str = ""
    is_here: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """One thing was made from another; `link` leads to the job that did it."""

    source: str
    to: str
    label: str = ""
    link: str = ""


def lineage(boxes: Sequence[Box], arrows: Sequence[Arrow], label: str, *, from_right: bool = False) -> Markup:
    """The picture. `from_right`: reading begins on the right."""
    known = {box.box_id for box in boxes}
    kept = [arrow for arrow in arrows if arrow.source in known and arrow.to in known and arrow.source != arrow.to]
    layers = ordered(layers_of([box.box_id for box in boxes], kept), kept)
    places, width, height = _places(layers)
    if from_right:
        places = {name: (width - x - WIDE, y) for name, (x, y) in places.items()}
    parts = [_arrow(arrow, places, from_right) for arrow in kept]
    parts += [_box(box, *places[box.box_id]) for box in boxes]
    return Markup(
        f'<svg class="lineage" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="group" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def layers_of(names: Sequence[str], arrows: Sequence[Arrow]) -> list[list[str]]:
    """Things by layer: each stands after all that it was made from. What goes in a circle stands where it is met."""
    sources: dict[str, list[str]] = {name: [] for name in names}
    for arrow in arrows:
        sources[arrow.to].append(arrow.source)
    depth: dict[str, int] = {}
    for name in names:
        _measure(name, sources, depth)
    # What nothing was made into stands just before what it was made for, not far off at the begin.
    nearest = {name: min((depth[arrow.to] for arrow in arrows if arrow.source == name), default=0) for name in names}
    for name in names:
        if not sources[name] and nearest[name] > 0:
            depth[name] = nearest[name] - 1
    found: list[list[str]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
    for name in names:
        found[depth[name]].append(name)
    return [layer for layer in found if layer]


def _measure(start: str, sources: Mapping[str, Sequence[str]], depth: dict[str, int]) -> None:
    """The longest way to a thing, without recursion; a thing that is on its own way counts as a begin."""
    stack, on_way = [start], set[str]()
    while stack:
        name = stack[-1]
        if name in depth:
            stack.pop()
            continue
        on_way.add(name)
        open_ones = [one for one in sources[name] if one not in depth and one not in on_way]
        if open_ones:
            stack.append(open_ones[0])
            continue
        depth[name] = 1 + max((depth[one] for one in sources[name] if one in depth), default=-1)
        on_way.discard(name)
        stack.pop()


def ordered(layers: list[list[str]], arrows: Sequence[Arrow]) -> list[list[str]]:
    """Each layer in the order in which arrows cross least, by the middle of what each is tied to (Sugiyama, 1981)."""
    tied: dict[str, list[str]] = {}
    for arrow in arrows:
        tied.setdefault(arrow.source, []).append(arrow.to)
        tied.setdefault(arrow.to, []).append(arrow.source)
    for sweep in range(_SWEEPS):
        at = {name: index - len(layer) / 2 for layer in layers for index, name in enumerate(layer)}

        def middle(name: str, at: Mapping[str, float] = at) -> float:
            near = [at[one] for one in tied.get(name, ()) if one in at]
            return sum(near) / len(near) if near else at[name]

        for layer in layers if sweep % 2 else reversed(layers):
            layer.sort(key=middle)
            at.update({name: index - len(layer) / 2 for index, name in enumerate(layer)})
    return layers


def _places(layers: Sequence[Sequence[str]]) -> tuple[dict[str, tuple[float, float]], float, float]:
    most = max(map(len, layers), default=1)
    height = most * (HIGH + BETWEEN) - BETWEEN + 2 * EDGE
    width = len(layers) * (WIDE + ACROSS) - ACROSS + 2 * EDGE
    places = {}
    for column, layer in enumerate(layers):
        top = (height - len(layer) * (HIGH + BETWEEN) + BETWEEN) / 2
        for row, name in enumerate(layer):
            places[name] = (EDGE + column * (WIDE + ACROSS), top + row * (HIGH + BETWEEN))
    return places, width, height


def _arrow(arrow: Arrow, places: Mapping[str, tuple[float, float]], from_right: bool) -> str:
    (x1, y1), (x2, y2) = places[arrow.source], places[arrow.to]
    way = -1 if from_right else 1
    x1, x2 = (x1, x2 + WIDE) if from_right else (x1 + WIDE, x2)
    y1, y2 = y1 + HIGH / 2, y2 + HIGH / 2
    bend = max(ACROSS / 2, abs(x2 - x1) / 2) * way
    tip = f"M{x2 - 8 * way:.1f} {y2 - 4.5:.1f}L{x2 - way:.1f} {y2:.1f}L{x2 - 8 * way:.1f} {y2 + 4.5:.1f}"
    curve = f"M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2 - 2 * way:.1f} {y2:.1f}"
    line = f'<path class="made" d="{curve}"/><path class="made" d="{tip}"/>'
    if not arrow.link:
        return line
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return (
        f'{line}<a href="{escape(arrow.link)}" aria-label="{escape(arrow.label)}"><circle class="made-by" cx="{x:.1f}" '
        f'cy="{y:.1f}" r="7"/><title>{escape(arrow.label)}</title></a>'
    )


def _box(box: Box, x: float, y: float) -> str:
    middle = x + WIDE / 2
    shape = f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{WIDE:g}" height="{HIGH:g}" rx="14"/>'
    lines = (("box-name", 27, _cut(box.name)), ("box-below", 46, _cut(box.below, 34)))
    texts = "".join(
        f'<text class="{css}" x="{middle:.1f}" y="{y + down:.1f}" text-anchor="middle">{escape(text)}</text>'
        for css, down, text in lines
    )
    look = f"box-{box.css}{' box-here' if box.is_here else ''}"
    if not box.link:
        return f'<g class="{look}">{shape}{texts}</g>'
    return f'<a class="{look}" href="{escape(box.link)}">{shape}{texts}</a>'


def _cut(text: str, most: int = _CHARS) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
