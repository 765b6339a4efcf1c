"""A Sankey picture in two columns: energy from each source to each tier. It begins where the language begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

_BAR: Final = 12.0
_GAP: Final = 10.0
_SLOT_MIN: Final = 34.0  # so that two lines of text fit beside the smallest bar
_HEIGHT: Final = 260.0  # of all bars of a side together, before gaps


@dataclass(frozen=True, slots=True)
class Node:
    """One bar: colour class, name, its amount in words, and all that it gives or takes in one sentence."""

    id: str
    css: str
    name: str
    shown: str
    told: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """Where a node's bar stands."""

    y: float
    height: float


def sankey(
    sources: Sequence[Node],
    targets: Sequence[Node],
    amounts: Mapping[tuple[str, str], float],
    label: str,
    *,
    is_mirrored: bool = False,
    is_narrow: bool = False,
) -> Markup:
    """The picture; amounts by (source, target), all in one unit. Sources can be reached by the keyboard."""
    width, side = (390.0, 112.0) if is_narrow else (960.0, 142.0)
    total = sum(amounts.values()) or 1.0
    left = stacked([sum(amounts.get((node.id, to.id), 0.0) for to in targets) for node in sources], total)
    right = stacked([sum(amounts.get((src.id, node.id), 0.0) for src in sources) for node in targets], total)
    height = max(_bottom(left), _bottom(right)) + 8
    frame = _Frame(width, side, is_mirrored)
    ribbons = _ribbons(sources, targets, amounts, left, right, total)
    parts = [_source(frame, node, bar, ribbons[node.id]) for node, bar in zip(sources, left, strict=True)]
    for node, bar in zip(targets, right, strict=True):
        parts += [_bar(frame, node, bar, frame.far - _BAR), *_label(frame, node, bar, is_source=False)]
    size = "narrow" if is_narrow else "wide"
    return Markup(
        f'<svg class="sankey plan-{size}" viewBox="0 0 {width:g} {height:.0f}" role="group" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def stacked(sums: Sequence[float], total: float) -> list[Bar]:
    """Bars below each other, as high as their share, each with room for its words."""
    y, bars = 6.0, []
    for amount in sums:
        height = max(1.5, amount / total * _HEIGHT)
        slot = max(_SLOT_MIN, height)
        bars.append(Bar(y + (slot - height) / 2, height))
        y += slot + _GAP
    return bars


def _bottom(bars: Sequence[Bar]) -> float:
    return max((bar.y + max(bar.height, (bar.height + _SLOT_MIN) / 2) for bar in bars), default=0.0)


@dataclass(frozen=True, slots=True)
class _Frame:
    width: float
    side: float
    is_mirrored: bool

    @property
    def far(self) -> float:
        """Where the second column ends."""
        return self.width - self.side

    def x(self, x: float) -> float:
        """A place, counted from where the language begins."""
        return self.width - x if self.is_mirrored else x


Ribbon = tuple[float, float, float]  # top at the source, top at the target, thickness


def _ribbons(
    sources: Sequence[Node],
    targets: Sequence[Node],
    amounts: Mapping[tuple[str, str], float],
    left: Sequence[Bar],
    right: Sequence[Bar],
    total: float,
) -> dict[str, list[Ribbon]]:
    """Bands by source; at both ends they lie in the order of the other side, so that none cross without need."""
    arrived = [0.0] * len(targets)
    found: dict[str, list[Ribbon]] = {}
    for node, bar in zip(sources, left, strict=True):
        given, bands = 0.0, []
        for index, target in enumerate(targets):
            thick = amounts.get((node.id, target.id), 0.0) / total * _HEIGHT
            if thick > 0:
                bands.append((bar.y + given, right[index].y + arrived[index], thick))
                given, arrived[index] = given + thick, arrived[index] + thick
        found[node.id] = bands
    return found


def _source(frame: _Frame, node: Node, bar: Bar, bands: Sequence[Ribbon]) -> str:
    """A source with its ribbons, one stop for the keyboard."""
    parts = [_band(frame, node.css, band) for band in bands]
    parts += [_bar(frame, node, bar, frame.side), *_label(frame, node, bar, is_source=True)]
    told = escape(node.told)
    return f'<g class="flow" tabindex="0" role="img" aria-label="{told}"><title>{told}</title>{"".join(parts)}</g>'


def _band(frame: _Frame, css: str, band: Ribbon) -> str:
    y0, y1, thick = band
    thick = max(0.8, thick)
    x0, x1 = frame.x(frame.side + _BAR), frame.x(frame.far - _BAR)
    middle = (x0 + x1) / 2
    there = f"M{x0:.1f} {y0:.2f}C{middle:.1f} {y0:.2f} {middle:.1f} {y1:.2f} {x1:.1f} {y1:.2f}"
    low0, low1 = y0 + thick, y1 + thick
    back = f"V{low1:.2f}C{middle:.1f} {low1:.2f} {middle:.1f} {low0:.2f} {x0:.1f} {low0:.2f}Z"
    return f'<path class="ribbon s-{css}" d="{there}{back}"/>'


def _bar(frame: _Frame, node: Node, bar: Bar, x: float) -> str:
    at = min(frame.x(x), frame.x(x + _BAR))
    size = f'width="{_BAR:g}" height="{bar.height:.2f}" rx="{min(3.0, bar.height / 2):.2f}"'
    return f'<rect class="s-{node.css}" x="{at:.1f}" y="{bar.y:.2f}" {size}/>'


def _label(frame: _Frame, node: Node, bar: Bar, *, is_source: bool) -> Iterable[str]:
    """Name and amount beside the bar, on its outer side."""
    x = frame.x(frame.side - 9 if is_source else frame.far + 9)
    anchor = "end" if is_source is not frame.is_mirrored else "start"
    middle = bar.y + bar.height / 2
    yield f'<text class="flow-name" x="{x:.1f}" y="{middle - 2:.1f}" text-anchor="{anchor}">{escape(node.name)}</text>'
    yield f'<text class="tick" x="{x:.1f}" y="{middle + 14:.1f}" text-anchor="{anchor}">{escape(node.shown)}</text>'
