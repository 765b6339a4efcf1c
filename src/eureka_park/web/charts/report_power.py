"""Power of a run hour by hour: what served the load stacked from the ground, what nobody drew above it, pale."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.plan import Layer
from eureka_park.web.charts.shapes import nice_step, unit_for
from eureka_park.web.pages.words import Words

_LETTER_PX: Final = 6.6
_THIN_PX: Final = 0.04
_LOADS_MAX: Final = 2.4  # so that a plenty of unused power does not press the load to the ground
_LEAST_FRAC: Final = 0.001  # of the top: a layer that never reaches it is left out
_Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Frame:
    """The field of a picture in user units: its width, where the field begins, ends, its upper edge and its ground."""

    width: float
    start: float
    end: float
    above: float
    ground: float

    @property
    def field(self) -> float:
        """Width of the field."""
        return self.width - self.start - self.end


WIDE: Final = Frame(760.0, 52.0, 8.0, 24.0, 224.0)
NARROW: Final = Frame(360.0, 44.0, 4.0, 24.0, 190.0)
SMALL: Final = Frame(300.0, 40.0, 6.0, 22.0, 132.0)


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands under the hours: texts by the index of their hour, and how many hours lie between; under the middle
    of these hours, or under their begin.
    """

    places: Sequence[tuple[int, str]]
    every_h: int = 24
    is_at_begin: bool = False


def report_power(
    layers: Sequence[Layer],
    load_mw: Sequence[float],
    marks: Marks,
    words: Words,
    label: str,
    *,
    frame: Frame = WIDE,
    planned_mw: Sequence[float] = (),
    top_mw: float = 0.0,
) -> Markup:
    """The picture; layers are hourly and of one length with the load. `top_mw` keeps several on one scale.

    An hour is drawn as a step: what is counted by the hour is not smoothed; what goes beyond the top runs along it. A
    layer whose class has `rest` in it lies above the load: power that was there and not drawn.
    """
    n = len(load_mw)
    totals = [sum(layer.mw[hour] for layer in layers) for hour in range(n)]
    top = top_mw or top_of(totals, load_mw)
    column = frame.field / n

    def y_of(mw: float) -> float:
        return frame.ground - min(1.0, mw / top) * (frame.ground - frame.above)

    parts = [*_rules(top, words, y_of, frame)]
    below = [0.0] * n
    for layer in layers:
        above = [low + mw for low, mw in zip(below, layer.mw, strict=True)]
        if max(layer.mw) > top * _LEAST_FRAC:
            parts.append(f'<path class="s-{escape(layer.css)}" d="{_outline(below, above, column, y_of, frame)}"/>')
        below = above
    parts += under(marks, frame, column)
    if len(planned_mw):
        parts.append(f'<path class="planned" d="{_steps(planned_mw, column, y_of, frame)}"/>')
    parts.append(f'<path class="load" d="{_steps(load_mw, column, y_of, frame)}"/>')
    return Markup(
        f'<svg class="power" viewBox="0 0 {frame.width:g} {frame.ground + 26:g}" role="img" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def top_of(totals: Sequence[float], load_mw: Sequence[float]) -> float:
    """Where the axis ends: all that there was, but no more than so many times the highest load."""
    return max(1e-9, min(max(totals), _LOADS_MAX * max(load_mw)), *load_mw) * 1.04


def _steps(values: Sequence[float], column: float, y_of: _Scale, frame: Frame) -> str:
    """A line along the hours; equal neighbours are one stretch."""
    there = [f"M{frame.start:g} {y_of(values[0]):.1f}"]
    for hour, value in enumerate(values):
        if hour and f"{y_of(value):.1f}" != f"{y_of(values[hour - 1]):.1f}":
            there.append(f"H{frame.start + hour * column:.1f}V{y_of(value):.1f}")
    return "".join(there) + f"H{frame.start + len(values) * column:.1f}"


def _outline(below: Sequence[float], above: Sequence[float], column: float, y_of: _Scale, frame: Frame) -> str:
    """A layer: one box for each stretch of hours in which there is any of it."""
    is_there = [y_of(low) - y_of(high) > _THIN_PX for low, high in zip(below, above, strict=True)]
    stretches = (list(group) for there, group in groupby(range(len(above)), key=is_there.__getitem__) if there)
    return "".join(_stretch(below, above, (group[0], group[-1] + 1), column, y_of, frame) for group in stretches)


def _stretch(
    below: Sequence[float], above: Sequence[float], hours: tuple[int, int], column: float, y_of: _Scale, frame: Frame
) -> str:
    first, last = hours
    there = [f"M{frame.start + first * column:.1f} {y_of(below[first]):.1f}"]
    there += [f"V{y_of(above[hour]):.1f}H{frame.start + (hour + 1) * column:.1f}" for hour in range(first, last)]
    back = range(last - 1, first - 1, -1)
    there += [f"V{y_of(below[hour]):.1f}H{frame.start + hour * column:.1f}" for hour in back]
    return "".join(there) + "Z"


def under(marks: Marks, frame: Frame, column: float) -> Iterable[str]:
    """A line where each day begins, its text under its middle; every second or third one where room is scarce."""
    wide = marks.every_h * column
    longest = max((len(text) for _, text in marks.places), default=0) * _LETTER_PX + 8
    every = max(1, ceil(longest / max(wide, 1e-9)))
    for index, (hour, text) in enumerate(marks.places):
        x = frame.start + hour * column
        if hour >= 0:  # a day may have begun before the picture
            yield f'<line class="day" x1="{x:.1f}" x2="{x:.1f}" y1="{frame.above:g}" y2="{frame.ground + 5:g}"/>'
        middle = x if marks.is_at_begin else x + wide / 2
        half = len(text) * _LETTER_PX / 2
        if index % every == 0 and middle + half <= frame.width:
            place = f'x="{max(middle, half):.1f}" y="{frame.ground + 18:g}" text-anchor="middle"'
            yield f'<text class="tick" {place}>{escape(text)}</text>'


def _rules(top: float, words: Words, y_of: _Scale, frame: Frame) -> Iterable[str]:
    unit, size = unit_for(top)
    step = nice_step(top / size, 3 if frame is SMALL else 4)
    yield f'<text class="tick" x="4" y="13">{escape(words.say(unit))}</text>'
    digits = next(digits for digits in range(10) if abs(round(step, digits) - step) < 1e-9 * step)
    for index in range(int(top / size / step + 1e-9) + 1):
        y = y_of(index * step * size)
        yield f'<line class="rule" x1="{frame.start:g}" x2="{frame.width - frame.end:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        shown = escape(words.number(index * step, digits))
        yield f'<text class="tick" x="{frame.start - 8:g}" y="{y + 4:.1f}" text-anchor="end">{shown}</text>'
