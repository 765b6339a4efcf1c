"""The next 48 hours: sources stacked from the ground, the load as a line, the band of the forecast, nights, now."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.shapes import Point, nice_step, smooth, unit_for
from eureka_park.web.pages.words import Words

_QUARTER_S: Final = 900  # every zone's offset is a multiple of a quarter of an hour
_TICK_PX: Final = 44  # an hour's text, at most so wide
_APART_PX: Final = 18  # between names on one line
_LABEL_PX: Final = 24  # a layer is named inside the picture where it is at least so high


@dataclass(frozen=True, slots=True)
class Layer:
    """One source of the stack: its colour class, its name for people, MW per interval."""

    css: str
    name: str
    mw: Sequence[float]


@dataclass(frozen=True, slots=True)
class Picture:
    """What the picture of a plan shows; MW, one value per interval of `step_s` from `start_s` on.

    `layers` go from the ground up.
    """

    start_s: float
    step_s: float
    layers: Sequence[Layer]
    load_mw: Sequence[float]
    p10_mw: Sequence[float]
    p90_mw: Sequence[float]
    is_night: Sequence[bool]
    now_s: float | None = None

    @property
    def n(self) -> int:
        """How many intervals there are."""
        return len(self.load_mw)


@dataclass(frozen=True, slots=True)
class Frame:
    """From hours and megawatts to coordinates."""

    width: int
    height: int
    n: int
    top_mw: float
    start: int = 52
    end: int = 14
    above: int = 18
    below: int = 34

    @property
    def ground(self) -> float:
        """Where zero is."""
        return self.height - self.below

    def x(self, index: float) -> float:
        """The place of an interval's start (or of a moment within it)."""
        return self.start + index * (self.width - self.start - self.end) / self.n

    def y(self, mw: float) -> float:
        """The place of a power."""
        return self.ground - mw / self.top_mw * (self.ground - self.above)

    def curve(self, series: Sequence[float]) -> str:
        """A smooth line through the middles of the intervals, level at both ends."""
        return smooth(_middles(self, series))

    def area(self, series: Sequence[float]) -> str:
        """The curve and everything below it."""
        return f"{self.curve(series)}L{self.x(self.n):.2f} {self.ground}L{self.x(0):.2f} {self.ground}Z"


SIZES: Final[Mapping[str, tuple[int, int, int]]] = {
    "wide": (960, 330, 6), "narrow": (390, 300, 12), "wall": (1180, 400, 6),
}  # fmt: skip


def plan_chart(picture: Picture, words: Words, title: str, size: str = "wide") -> Markup:
    """The picture in one of SIZES (width, height, hours between lines); time runs left to right in every language."""
    tops = [sum(layer.mw[index] for layer in picture.layers) for index in range(picture.n)]
    top = max(*tops, *picture.p90_mw, *picture.load_mw, 1e-12) * 1.05
    width, height, every_h = SIZES[size]
    start, end = (44, 8) if size == "narrow" else (52, 14)
    frame = Frame(width, height, picture.n, top, start=start, end=end, below=40 if size == "wall" else 34)
    parts = [*_nights(frame, picture), *_rules(frame, words), *_hours(frame, picture, words, every_h)]
    parts += [*_stack(frame, picture), f'<path class="band" d="{_between(frame, picture)}"/>']
    parts.append(f'<path class="load" d="{frame.curve(picture.load_mw)}"/>')
    parts += [
        *(_labels(frame, picture, 10.5 if size == "wall" else 7.2) if size != "narrow" else ()),
        *_now(frame, picture),
    ]
    place = f'data-x0="{frame.start}" data-x1="{width - frame.end}" data-y0="{frame.above}" data-y1="{frame.ground:g}"'
    return Markup(
        f'<svg class="plan plan-{size}" viewBox="0 0 {width} {height}" role="img" direction="ltr" '
        f'data-readable="plan-data" {place} aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def data_block(block_id: str, texts: Sequence[Sequence[str]]) -> Markup:
    """Ready texts per interval for the reading line; data, not a program."""
    body = json.dumps(list(texts), ensure_ascii=False).replace("<", "\\u003c")
    return Markup(f'<script type="application/json" id="{escape(block_id)}">{body}</script>')


def _between(frame: Frame, picture: Picture) -> str:
    """The band between the two lines of the forecast."""
    high = _middles(frame, picture.p90_mw)
    low = _middles(frame, picture.p10_mw)
    return f"{smooth(high)}L{smooth(low[::-1])[1:]}Z"


def _middles(frame: Frame, series: Sequence[float]) -> list[Point]:
    """The points of a curve: the middles of the intervals, and both ends at their level."""
    points = [(frame.x(index + 0.5), frame.y(value)) for index, value in enumerate(series)]
    return [(frame.x(0), points[0][1]), *points, (frame.x(frame.n), points[-1][1])]


def _stack(frame: Frame, picture: Picture) -> Iterable[str]:
    """Areas from the ground, the highest first, so that no seam shows between neighbours."""
    sums, areas = [0.0] * picture.n, []
    for layer in picture.layers:
        sums = [base + value for base, value in zip(sums, layer.mw, strict=True)]
        if max(layer.mw, default=0.0) > 0:
            areas.append(
                f'<path class="s-{layer.css}" d="{frame.area(sums)}"><title>{escape(layer.name)}</title></path>'
            )
    return reversed(areas)


def _labels(frame: Frame, picture: Picture, letter_px: float) -> Iterable[str]:
    """Each layer's name where the layer holds it best and no other name stands near, if there is room."""
    sums, placed = [0.0] * picture.n, list[tuple[float, float, float]]()
    for layer in picture.layers:
        half = len(layer.name) * letter_px / 2 + 4
        n_under = math.ceil(half / (frame.x(1) - frame.x(0)))
        for best in sorted(range(1, picture.n - 2), key=partial(_depths, layer.mw, n_under)):
            x, y = frame.x(best + 1), (frame.y(sums[best]) + frame.y(sums[best] + layer.mw[best])) / 2 + 4
            if frame.y(0) - frame.y(min(layer.mw[best - 1 : best + 3])) < _LABEL_PX:
                continue
            is_inside = frame.x(0) + half < x < frame.x(picture.n) - half
            if is_inside and not any(
                abs(x - at) < half + wide + _APART_PX and abs(y - high) < _LABEL_PX for at, high, wide in placed
            ):
                placed.append((x, y, half))
                place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="middle"'
                yield f'<text class="direct" {place}>{escape(layer.name)}</text>'
                break
        sums = [base + value for base, value in zip(sums, layer.mw, strict=True)]


def _depths(mw: Sequence[float], n_under: int, index: int) -> tuple[float, ...]:
    """How deep a layer is under a name at `index`, around it, in its middle; negative: the deepest sorts first."""
    spans = [(index + 1 - n, index + 1 + n) for n in (n_under, 2 * n_under, 2)]
    return tuple(-min(mw[begin:end]) if begin >= 0 and end <= len(mw) else 0.0 for begin, end in spans)


def _nights(frame: Frame, picture: Picture) -> Iterable[str]:
    begin: int | None = None
    for index, is_night in enumerate([*picture.is_night, False]):
        if is_night and begin is None:
            begin = index
        elif not is_night and begin is not None:
            x, width = frame.x(begin), frame.x(index) - frame.x(begin)
            size = f'width="{width:.2f}" height="{frame.ground - frame.above:g}"'
            yield f'<rect class="night" x="{x:.2f}" y="{frame.above}" {size}/>'
            begin = None


def _rules(frame: Frame, words: Words) -> Iterable[str]:
    unit, size = unit_for(frame.top_mw)
    step = nice_step(frame.top_mw / size)
    for index in range(int(frame.top_mw / size / step) + 1):
        y = frame.y(index * step * size)
        shown = words.number(index * step)
        yield f'<line class="rule" x1="{frame.start}" x2="{frame.width - frame.end}" y1="{y:.2f}" y2="{y:.2f}"/>'
        yield f'<text class="tick" x="{frame.start - 8}" y="{y + 4:.2f}" text-anchor="end">{shown}</text>'
    place = f'x="{frame.start - 8}" y="{frame.above - 7}" text-anchor="end"'
    yield f'<text class="tick" {place}>{escape(words.say(unit))}</text>'


def _hours(frame: Frame, picture: Picture, words: Words, every_h: int) -> Iterable[str]:
    """A line every few hours of the site's clock, which need not be where an interval begins; days by name."""
    first, last = (
        math.ceil(picture.start_s / _QUARTER_S) * _QUARTER_S,
        int(picture.start_s + picture.n * picture.step_s),
    )
    for instant_s in range(first, last + 1, _QUARTER_S):
        local = words.local(instant_s)
        if local.hour % every_h or local.minute:
            continue
        x = frame.x((instant_s - picture.start_s) / picture.step_s)
        is_day = local.hour == 0
        place = f'x1="{x:.2f}" x2="{x:.2f}" y1="{frame.above}" y2="{frame.ground + 5:g}"'
        yield f'<line class="{"day" if is_day else "six"}" {place}/>'
        anchor = "middle" if x < frame.width - _TICK_PX / 2 else "end"
        yield f'<text class="tick" x="{x:.2f}" y="{frame.ground + 18:g}" text-anchor="{anchor}">{local:%H:%M}</text>'
        if local.hour == 12 and frame.start + 30 < x < frame.width - 40:
            day = escape(words.day(instant_s, picture.now_s))
            yield f'<text class="tick dayname" x="{x:.2f}" y="{frame.height - 2}" text-anchor="middle">{day}</text>'


def _now(frame: Frame, picture: Picture) -> Iterable[str]:
    if picture.now_s is None:
        return
    at = min(max(0.0, (picture.now_s - picture.start_s) / picture.step_s), picture.n)
    x, load = frame.x(at), picture.load_mw[min(int(at), picture.n - 1)]
    yield f'<line class="now" x1="{x:.2f}" x2="{x:.2f}" y1="{frame.above - 8}" y2="{frame.ground:g}"/>'
    yield f'<circle class="now-dot" cx="{x:.2f}" cy="{frame.y(load):.2f}" r="5"/>'


__all__ = ["Frame", "Layer", "Picture", "data_block", "plan_chart"]
