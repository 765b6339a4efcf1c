"""What pictures of jobs over time share: a time axis of any length, its ticks, nights, and a job's states as marks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from markupsafe import escape

from eureka_park.web.pages.words import Words

_STEPS_S: Final = (
    1, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800,
)  # fmt: skip
_LETTER_PX: Final = 6.6
_WIDTH_MIN: Final = 2.5  # so that a short stay can be seen beside a long one


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """From instants to coordinates; time runs from left to right in every language."""

    begin_s: float
    end_s: float
    x0: float
    x1: float

    def x(self, instant_s: float) -> float:
        """The place of an instant; what lies outside is drawn at the edge."""
        frac = (instant_s - self.begin_s) / (self.end_s - self.begin_s)
        return self.x0 + min(1.0, max(0.0, frac)) * (self.x1 - self.x0)

    def slots(self, n: int) -> list[tuple[float, float]]:
        """The axis in `n` parts of equal length, for the reading line."""
        step = (self.end_s - self.begin_s) / n
        return [(self.begin_s + index * step, self.begin_s + (index + 1) * step) for index in range(n)]


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of one state: what a job did from one instant to another."""

    state: str
    name: str
    from_s: float
    until_s: float
    cap_frac: float = 1.0


def ticks(axis: TimeAxis, words: Words, n_most: int) -> Iterable[tuple[float, str, str]]:
    """Round instants of the site's clock on the axis: the instant, its text, the day's name where a day begins."""
    wanted = (axis.end_s - axis.begin_s) / n_most
    step = next((item for item in _STEPS_S if item >= wanted), _STEPS_S[-1])
    offset = words.local(axis.begin_s).utcoffset()
    shift = offset.total_seconds() if offset else 0.0
    instant = math.ceil((axis.begin_s + shift) / step) * step - shift
    shown_day = None
    while instant <= axis.end_s:
        local = words.local(instant)
        day = "" if local.date() == shown_day else words.day(instant)
        shown_day = local.date()
        yield instant, f"{local:%H:%M:%S}" if step < 60 else f"{local:%H:%M}", day
        instant += step


def hour_marks(axis: TimeAxis, words: Words, above: float, ground: float, n_most: int) -> Iterable[str]:
    """Ticks as lines with their texts below the ground, days by name under their first tick."""
    edge = axis.x1 - 24
    days: list[tuple[float, float, str]] = []
    for instant, text, day in ticks(axis, words, n_most):
        x = axis.x(instant)
        yield f'<line class="six" x1="{x:.2f}" x2="{x:.2f}" y1="{above:g}" y2="{ground + 5:g}"/>'
        anchor = "middle" if axis.x0 + 12 < x < edge else "end" if x >= edge else "start"
        yield f'<text class="tick" x="{x:.2f}" y="{ground + 18:g}" text-anchor="{anchor}">{text}</text>'
        if day:
            wide = _LETTER_PX * len(day)
            begin = x - wide * {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
            place = f'x="{x:.2f}" y="{ground + 32:g}" text-anchor="{anchor}"'
            days.append((begin, begin + wide, f'<text class="tick dayname" {place}>{escape(day)}</text>'))
    for (_begin, end, text), (following, *_rest) in pairwise([*days, (math.inf, math.inf, "")]):
        if end < following:  # a day that has no room for its name before the next one goes without
            yield text


def nights(axis: TimeAxis, dark: Sequence[tuple[float, float]], above: float, ground: float) -> Iterable[str]:
    """The hours without sun, as a shade."""
    for from_s, until_s in dark:
        x, width = axis.x(from_s), axis.x(until_s) - axis.x(from_s)
        if width > 0:
            place = f'x="{x:.2f}" y="{above:g}" width="{width:.2f}" height="{ground - above:g}"'
            yield f'<rect class="night" {place}/>'


def state_mark(axis: TimeAxis, mark: Mark, y: float, height: float) -> str:
    """A stretch of state: waiting is a thread, running a bar, a cap as high as it allows, stillness is hatched."""
    x = axis.x(mark.from_s)
    width = max(_WIDTH_MIN, axis.x(mark.until_s) - x)
    title = f"<title>{escape(mark.name)}</title>"
    if mark.state == "queued":
        return _rect("mark-queued", x, y + height / 2 - 1.5, width, 3, title)
    ground = _rect("mark-ground", x, y, width, height, title)
    if mark.state in {"paused", "frozen", "pausing"}:
        middle = y + height / 2
        place = f'x1="{x:.2f}" x2="{x + width:.2f}" y1="{middle:g}" y2="{middle:g}" stroke-width="{height:g}"'
        return f'{ground}<line class="mark-still mark-{mark.state}" {place}>{title}</line>'
    full = height * mark.cap_frac if mark.state == "capped" else height
    return ground + _rect(f"mark-{mark.state}", x, y + height - full, width, full, title)


def end_mark(state: str, x: float, y: float) -> str:
    """How a job ended: a disc where it finished, a cross where not."""
    if state == "finished":
        return f'<circle class="mark-end mark-end-finished" cx="{x:.2f}" cy="{y:g}" r="5"/>'
    arms = f"M{x - 4.5:.2f} {y - 4.5:g}l9 9m0 -9l-9 9"
    return f'<path class="mark-end mark-end-{escape(state)}" d="{arms}"/>'


def now_line(axis: TimeAxis, now_s: float, above: float, ground: float) -> str:
    """Now, in the park's own colour."""
    x = axis.x(now_s)
    return f'<line class="now" x1="{x:.2f}" x2="{x:.2f}" y1="{above:g}" y2="{ground:g}"/>'


def _rect(css: str, x: float, y: float, width: float, height: float, title: str) -> str:
    place = (
        f'x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" rx="{min(3.0, width / 2, height / 2):.2f}"'
    )
    return f'<rect class="{css}" {place}>{title}</rect>'
