"""Where a run's energy came from and where it went: sources, the site meter, what drew it, and what nobody took."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

_BAR: Final = 12.0
_GAP: Final = 12.0
_SLOT_MIN: Final = 36.0  # so that two lines of text fit beside the smallest bar; three where names are broken
_SLOT_NARROW: Final = 48.0
_LINE_CHARS, _LINE_CHARS_NARROW = 20, 13  # of a name
_HEIGHT: Final = 270.0  # of all that the sources gave, before gaps


@dataclass(frozen=True, slots=True)
class Giver:
    """A source: colour class, name, what the site drew of it and what nobody took; the two together as text."""

    css: str
    name: str
    used: float
    unused: float
    shown: str


@dataclass(frozen=True, slots=True)
class Taker:
    """What drew energy: colour class, name, amount, the amount as text."""

    css: str
    name: str
    amount: float
    shown: str


@dataclass(frozen=True, slots=True)
class _Box:
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class _Places:
    """Where columns stand, counted from where the language begins."""

    width: float
    side: float
    is_mirrored: bool
    is_narrow: bool

    def x(self, x: float) -> float:
        """A place in the picture."""
        return self.width - x if self.is_mirrored else x

    @property
    def slot(self) -> float:
        """The least room of a bar with its words."""
        return _SLOT_NARROW if self.is_narrow else _SLOT_MIN

    @property
    def middle(self) -> float:
        """The site meter."""
        return self.width / 2 - _BAR / 2


def energy_flow(
    givers: Sequence[Giver],
    takers: Sequence[Taker],
    meter: str,
    unused: Taker,
    label: str,
    *,
    is_mirrored: bool = False,
    is_narrow: bool = False,
) -> Markup:
    """The picture. All amounts are in one unit; what the sources gave used is what the takers drew."""
    places = _Places(*((360.0, 118.0) if is_narrow else (760.0, 170.0)), is_mirrored, is_narrow)
    total = sum(giver.used + giver.unused for giver in givers) or 1.0
    size = _HEIGHT / total
    left = _stacked([(giver.used + giver.unused) * size for giver in givers], places)
    ends = [taker.amount * size for taker in takers] + [unused.amount * size] * (unused.amount > 0)
    right = _stacked(ends, places)
    drawn = sum(giver.used for giver in givers) * size
    meter_box = _Box(6.0, drawn)
    parts = [*_from_givers(givers, left, meter_box, right[-1] if unused.amount > 0 else None, size, places)]
    parts += _to_takers(takers, right, meter_box, size, places)
    for giver, box in zip(givers, left, strict=True):
        parts += [_bar(giver.css, box, places.side - _BAR, places), *_name(giver, box, places, is_left=True)]
    for taker, box in zip([*takers, *([unused] if unused.amount > 0 else [])], right, strict=True):
        parts += [_bar(taker.css, box, places.width - places.side, places), *_name(taker, box, places, is_left=False)]
    parts += _meter(meter, meter_box, places)
    height = max(box.y + max(box.height, (box.height + places.slot) / 2) for box in (*left, *right)) + 8
    return Markup(
        f'<svg class="flow" viewBox="0 0 {places.width:g} {height:.0f}" role="img" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _stacked(heights: Sequence[float], places: _Places) -> list[_Box]:
    """Boxes below each other, each with room for its words."""
    y, boxes = 6.0, []
    for height in heights:
        height = max(1.0, height)
        slot = max(places.slot, height)
        boxes.append(_Box(y + (slot - height) / 2, height))
        y += slot + _GAP
    return boxes


def _from_givers(
    givers: Sequence[Giver], left: Sequence[_Box], meter: _Box, rest: _Box | None, size: float, places: _Places
) -> Iterable[str]:
    """What is drawn goes to the meter, what is not goes by below it."""
    arrived, passed = meter.y, rest.y if rest else 0.0
    for giver, box in zip(givers, left, strict=True):
        used, unused = giver.used * size, giver.unused * size
        if used > 0:
            yield _band(giver.css, (places.side, places.middle), (box.y, arrived), used, places)
            arrived += used
        if unused > 0 and rest is not None:
            ends = (places.side, places.width - places.side)
            yield _band(f"{giver.css} rest", ends, (box.y + used, passed), unused, places)
            passed += unused


def _to_takers(
    takers: Sequence[Taker], right: Sequence[_Box], meter: _Box, size: float, places: _Places
) -> Iterable[str]:
    left_at = meter.y
    for taker, box in zip(takers, right, strict=False):
        thick = taker.amount * size
        if thick > 0:
            ends = (places.middle + _BAR, places.width - places.side)
            yield _band(taker.css, ends, (left_at, box.y), thick, places)
            left_at += thick


def _band(css: str, x: tuple[float, float], y: tuple[float, float], thick: float, places: _Places) -> str:
    x0, x1 = places.x(x[0]), places.x(x[1])
    middle, thick = (x0 + x1) / 2, max(0.7, thick)
    there = f"M{x0:.1f} {y[0]:.2f}C{middle:.1f} {y[0]:.2f} {middle:.1f} {y[1]:.2f} {x1:.1f} {y[1]:.2f}"
    low0, low1 = y[0] + thick, y[1] + thick
    back = f"V{low1:.2f}C{middle:.1f} {low1:.2f} {middle:.1f} {low0:.2f} {x0:.1f} {low0:.2f}Z"
    return f'<path class="ribbon s-{escape(css)}" d="{there}{back}"/>'


def _bar(css: str, box: _Box, x: float, places: _Places) -> str:
    at = min(places.x(x), places.x(x + _BAR))
    size = f'width="{_BAR:g}" height="{box.height:.2f}" rx="{min(3.0, box.height / 2):.2f}"'
    return f'<rect class="s-{escape(css)}" x="{at:.1f}" y="{box.y:.2f}" {size}/>'


def _meter(name: str, box: _Box, places: _Places) -> Iterable[str]:
    yield _bar("ink", box, places.middle, places)
    place = f'x="{places.width / 2:.1f}" y="{box.y + box.height + 18:.1f}" text-anchor="middle"'
    yield f'<text class="direct" {place}>{escape(name)}</text>'


def _name(item: Giver | Taker, box: _Box, places: _Places, *, is_left: bool) -> Iterable[str]:
    """Name and amount beside the bar, on its outer side."""
    x = places.x(places.side - _BAR - 8 if is_left else places.width - places.side + _BAR + 8)
    anchor = "end" if is_left is not places.is_mirrored else "start"
    lines = _broken(item.name, _LINE_CHARS_NARROW if places.is_narrow else _LINE_CHARS)
    y = box.y + box.height / 2 - 2 - 7 * (len(lines) - 1)
    for line in lines:
        yield f'<text class="flow-name" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(line)}</text>'
        y += 14
    yield f'<text class="tick" x="{x:.1f}" y="{y + 2:.1f}" text-anchor="{anchor}">{escape(item.shown)}</text>'


def _broken(name: str, n_chars: int) -> list[str]:
    """A name in one line, or in two of about the same length."""
    places = [at for at, sign in enumerate(name) if sign == " "]
    if len(name) <= n_chars or not places:
        return [name]
    at = min(places, key=lambda place: abs(2 * place - len(name)))
    return [name[:at], name[at + 1 :]]
