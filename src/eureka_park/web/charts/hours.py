"""The best hours: a bar for each hour of start, as high as what the energy would cost, in parts clean and bought."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from eureka_park.foundation.units import HOUR_S
from eureka_park.web.charts.shapes import star
from eureka_park.web.pages.words import Words

_QUARTER_S: Final = 900
WIDTH, ABOVE, GROUND, HEIGHT, START, END = 360, 26, 122, 158, 2, 2
_GAP_PX: Final = 1.2


@dataclass(frozen=True, slots=True)
class StartHour:
    """A start at `start_s`: what its energy would cost, and which part of it sun, wind and salt would give.

    `is_too_late`: begun then, the job would not be done by its deadline.
    """

    start_s: float
    energy_credits: float
    clean_frac: float
    is_too_late: bool = False


def hours_strip(hours: Sequence[StartHour], words: Words, label: str, best_s: float | None, now_s: float) -> Markup:
    """The strip; time runs from left to right in every language, prices begin at zero.

    The first start is now, within an hour; each other one is where an hour of the plan begins.
    """
    step_s = hours[2].start_s - hours[1].start_s if len(hours) > 2 else float(HOUR_S)
    first_s = hours[1].start_s - step_s if len(hours) > 1 else hours[0].start_s
    top = max(hour.energy_credits for hour in hours) or 1.0
    pitch = (WIDTH - START - END) / len(hours)

    def x_of(instant_s: float) -> float:
        return START + (instant_s - first_s) / step_s * pitch

    parts = [f'<line class="rule" x1="{START}" x2="{WIDTH - END}" y1="{GROUND}" y2="{GROUND}"/>']
    for index, hour in enumerate(hours):
        parts += _bar(hour, START + index * pitch, pitch - _GAP_PX, top)
    for instant_s in _ticks(first_s, hours[-1].start_s + step_s, words):
        parts += _tick(instant_s, x_of(instant_s), words, now_s)
    parts.append(_now(x_of(now_s)))
    if best_s is not None:
        best = min(range(len(hours)), key=lambda index: abs(hours[index].start_s - best_s))
        parts.append(_best(START + best * pitch + (pitch - _GAP_PX) / 2, _y(hours[best].energy_credits, top)))
    return Markup(
        f'<svg class="hours" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" direction="ltr" data-readable="hours-data" '
        f'data-x0="{START}" data-x1="{WIDTH - END}" data-y0="{ABOVE}" data-y1="{GROUND}" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _y(amount: float, top: float) -> float:
    return GROUND - amount / top * (GROUND - ABOVE)


def _bar(hour: StartHour, x: float, width: float, top: float) -> Iterable[str]:
    """The clean part stands on the ground, what is bought lies on it, hatched."""
    clean = min(1.0, max(0.0, hour.clean_frac)) * hour.energy_credits
    dim = " late" if hour.is_too_late else ""
    for css, low, high in (("s-clean", 0.0, clean), ("s-grid", clean, hour.energy_credits)):
        height = _y(low, top) - _y(high, top)
        if height > 0.05:
            y = _y(high, top)
            yield f'<rect class="{css}{dim}" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"/>'


def _ticks(first_s: float, end_s: float, words: Words) -> Iterable[int]:
    """The site's own midnight, six, noon and eighteen, in between the ends."""
    for instant_s in range(math.ceil(first_s / _QUARTER_S) * _QUARTER_S, int(end_s), _QUARTER_S):
        local = words.local(instant_s)
        if local.hour % 6 == 0 and local.minute == 0:
            yield instant_s


def _tick(instant_s: int, x: float, words: Words, now_s: float) -> Iterable[str]:
    local = words.local(instant_s)
    yield f'<line class="six" x1="{x:.2f}" x2="{x:.2f}" y1="{GROUND}" y2="{GROUND + 5}"/>'
    if local.hour % 12 or not 16 < x < WIDTH - 16:
        return
    yield f'<text class="tick" x="{x:.2f}" y="{GROUND + 18}" text-anchor="middle">{local:%H:%M}</text>'
    if local.hour == 12 and 34 < x < WIDTH - 34:
        day = escape(words.day(instant_s, now_s))
        yield f'<text class="tick dayname" x="{x:.2f}" y="{GROUND + 32}" text-anchor="middle">{day}</text>'


def _now(x: float) -> str:
    x = max(float(START) + 1, x)
    return f'<line class="now" x1="{x:.2f}" x2="{x:.2f}" y1="{ABOVE - 12}" y2="{GROUND}"/>'


def _best(x: float, y: float) -> str:
    """A star over the best hour."""
    return f'<path class="best" d="{star(min(max(x, 9.0), WIDTH - 9.0), y - 13, 8.0)}"/>'
