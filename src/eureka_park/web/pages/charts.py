"""Pictures drawn on the server as SVG: the next 48 hours, a receipt's bar, the zellige band. No script, no style."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import GRID_SOURCE_ID

WIDTH: Final = 960
HEIGHT: Final = 300
LEFT, RIGHT, TOP, BOTTOM = 58, 18, 14, 34
KIND_ORDER: Final = ("wind", "pv", "csp")
_QUARTER_S: Final = 900  # every zone's offset is a multiple of a quarter of an hour
# The grid's pattern stands once on a page, in the band on its top; every other picture refers to it.
_HATCH: Final = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="hatch-ground" width="6" height="6"/><rect class="hatch-line" width="2.4" height="6"/>'
    "</pattern></defs>"
)
_UNITS: Final = (("MW", 1.0), ("kW", 1e-3), ("W", 1e-6))


@dataclass(frozen=True, slots=True)
class Source:
    """One source of the stack: its id, its name for people and the class that colours it."""

    source_id: str
    name: str
    css: str


def css_of(kind: str, index: int) -> str:
    """The colour class of a source: one per kind; salt plants get shades."""
    return f"salt{min(index, 2)}" if kind == "csp" else kind


def sources_of(plan: PowerPlan, kinds: Mapping[str, str], names: Mapping[str, str]) -> list[Source]:
    """The plan's sources in the order of the stack: wind, PV, salt by plant, then the grid."""
    found = []
    for kind in KIND_ORDER:
        ids = [name for name in plan.available_by_source_mw if kinds.get(name) == kind]
        found += [Source(name, names.get(name, name), css_of(kind, index)) for index, name in enumerate(ids)]
    return [*found, Source(GRID_SOURCE_ID, names.get(GRID_SOURCE_ID, GRID_SOURCE_ID), "grid")]


def unit_for(top_mw: float) -> tuple[str, float]:
    """The unit in which the largest value has at least one digit before the point, and its size in MW."""
    for unit, size in _UNITS:
        if top_mw >= size:
            return unit, size
    return _UNITS[-1]


def nice_step(top: float, n_steps: int = 4) -> float:
    """A round step (1, 2, 2.5 or 5 times a power of ten) that divides the axis into about `n_steps`."""
    raw, size = top / n_steps, 1.0
    while size > raw:
        size /= 10
    while size * 10 <= raw:
        size *= 10
    return next(size * part for part in (1, 2, 2.5, 5, 10) if size * part >= raw)


class _Frame:
    """From hours and megawatts to the picture's coordinates."""

    def __init__(self, plan: PowerPlan, top_mw: float) -> None:
        self.plan, self.top_mw = plan, top_mw
        self.column = (WIDTH - LEFT - RIGHT) / plan.n_intervals

    def x(self, index: float) -> float:
        return round(LEFT + index * self.column, 2)

    def y(self, mw: float) -> float:
        return round(HEIGHT - BOTTOM - mw / self.top_mw * (HEIGHT - TOP - BOTTOM), 2)

    def steps(self, series: Sequence[float]) -> list[tuple[float, float]]:
        """The corners of a step line."""
        points = []
        for index, value in enumerate(series):
            points += [(self.x(index), self.y(value)), (self.x(index + 1), self.y(value))]
        return points

    def area(self, low: Sequence[float], high: Sequence[float]) -> str:
        """The path between two step lines."""
        return _path([*self.steps(high), *reversed(self.steps(low))]) + "Z"


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def plan_chart(plan: PowerPlan, now_s: float, sources: Sequence[Source], timezone: str, title: str) -> Markup:
    """The 48 hours of a plan: sources stacked from the ground, the load as a line, the band of the forecast, now."""
    tops = [
        max(p90, clean + plan.by_source_mw.get(GRID_SOURCE_ID, (0.0,) * plan.n_intervals)[index], plan.load_mw[index])
        for index, (p90, clean) in enumerate(zip(plan.clean_available_mw_p90, plan.clean_available_mw_p50, strict=True))
    ]
    frame = _Frame(plan, max(*tops, 1e-12) * 1.04)
    parts = [*_grid_lines(frame), *_stack(frame, sources)]
    band = frame.area(plan.clean_available_mw_p10, plan.clean_available_mw_p90)
    parts.append(f'<path class="band" d="{band}"/>')
    parts.append(f'<path class="load" d="{_path(frame.steps(plan.load_mw))}"/>')
    parts += _hours(frame, timezone)
    at = frame.x(min(max(0.0, (now_s - plan.start_s) / plan.step_s), plan.n_intervals))
    parts.append(f'<line class="now" x1="{at}" x2="{at}" y1="{TOP - 8}" y2="{HEIGHT - BOTTOM}"/>')
    body = "".join(parts)
    return Markup(
        f'<svg class="plan" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" direction="ltr" aria-label="{escape(title)}">'
        f"{body}</svg>"
    )


def _stack(frame: _Frame, sources: Sequence[Source]) -> Iterable[str]:
    plan = frame.plan
    low = [0.0] * plan.n_intervals
    for source in sources:
        columns = plan.by_source_mw if source.source_id == GRID_SOURCE_ID else plan.available_by_source_mw
        series = columns.get(source.source_id, (0.0,) * plan.n_intervals)
        high = [base + value for base, value in zip(low, series, strict=True)]
        if max(series, default=0.0) > 0:
            path, name = frame.area(low, high), escape(source.name)
            yield f'<path class="s-{source.css}" d="{path}"><title>{name}</title></path>'
        low = high


def _grid_lines(frame: _Frame) -> Iterable[str]:
    unit, size = unit_for(frame.top_mw)
    step = nice_step(frame.top_mw / size)
    value = 0.0
    while value * size <= frame.top_mw:
        y = frame.y(value * size)
        yield f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text class="tick" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{value:g} {unit}</text>'
        value += step


def _hours(frame: _Frame, timezone: str) -> Iterable[str]:
    """A line every six hours of the site's clock, which need not be where an interval begins."""
    zone, plan = ZoneInfo(timezone), frame.plan
    for instant_s in range(math.ceil(plan.start_s / _QUARTER_S) * _QUARTER_S, int(plan.end_s) + 1, _QUARTER_S):
        local = datetime.fromtimestamp(instant_s, UTC).astimezone(zone)
        if local.hour % 6 or local.minute:
            continue
        x = frame.x((instant_s - plan.start_s) / plan.step_s)
        day = "day" if local.hour == 0 else "six"
        yield f'<line class="{day}" x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM + 5}"/>'
        yield f'<text class="tick" x="{x}" y="{HEIGHT - 14}" text-anchor="middle">{local:%H:%M}</text>'


def share_bar(shares: Sequence[tuple[str, str, float]], title: str) -> Markup:
    """A bar divided by (class, name, amount)."""
    total = sum(amount for _, _, amount in shares) or 1.0
    x, parts = 0.0, []
    for css, name, amount in shares:
        width = 600 * amount / total
        if width > 0:
            place = f'x="{x:.2f}" width="{width:.2f}" height="18"'
            parts.append(f'<rect class="s-{escape(css)}" {place}><title>{escape(name)}</title></rect>')
        x += width
    body = "".join(parts)
    return Markup(
        '<svg class="bar" viewBox="0 0 600 18" preserveAspectRatio="none" role="img" direction="ltr" '
        f'aria-label="{escape(title)}">'
        f"{body}</svg>"
    )


def _star(x: float, css: str, size: float = 11.0) -> str:
    """One eight-pointed star: a square and the same square turned by 45 degrees."""
    half = size * 0.72
    square = f'x="{x - half:g}" y="{14 - half:g}" width="{2 * half:g}" height="{2 * half:g}"'
    return f'<g class="s-{css}"><rect {square}/><rect {square} transform="rotate(45 {x:g} 14)"/></g>'


def zellige_band(shares: Sequence[tuple[str, float]], n_stars: int = 48) -> Markup:
    """The band that closes the top of every page: stars in the colours of this hour's sources, in their proportions."""
    total = sum(amount for _, amount in shares)
    stars = []
    for index in range(n_stars):
        share = (index + 0.5) / n_stars * total
        css, reached = "mute", 0.0
        for name, amount in shares:
            reached += amount
            if amount > 0 and share <= reached:
                css = name
                break
        stars.append(_star(14 + 28 * index, css))
    return Markup(
        f'<svg class="zellige" viewBox="0 0 {28 * n_stars} 28" preserveAspectRatio="xMidYMid slice" '
        'aria-hidden="true">'
        f"{_HATCH}{''.join(stars)}</svg>"
    )
