"""Machines as squares: each processor of a few machines, each of many machines, or so many machines to a square."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

_UNITS_MAX: Final = 600  # processors that are still drawn one by one
_SQUARES_MAX: Final = 1024
_GAP: Final = 3.0
_COLUMNS: Final = 32


@dataclass(frozen=True, slots=True)
class Taken:
    """Processors that a job takes on one machine. `href` is empty for jobs that the reader may not see."""

    node: str
    state: str
    units: float
    name: str
    href: str = ""
    cap_frac: float = 1.0


def units_drawn(n_nodes: int, n_units: int) -> bool:
    """Whether each processor has a square of its own."""
    return n_nodes * n_units <= _UNITS_MAX


def nodes_to_a_square(n_nodes: int) -> int:
    """How many machines a square stands for, where machines are drawn."""
    return max(1, math.ceil(n_nodes / _SQUARES_MAX))


def processors(n_units: int, taken: Sequence[Taken], label: str) -> Markup:
    """One machine: a square for each processor, filled from the first on by the jobs that take it."""
    side = 64.0 if n_units <= 4 else 40.0 if n_units <= 8 else 24.0 if n_units <= _COLUMNS else 15.0
    columns = min(_COLUMNS, n_units)
    parts = [_square("m-free", _place(index, columns, side), side) for index in range(n_units)]
    begin = 0.0
    for job in taken:
        end = min(float(n_units), begin + job.units)
        parts.append(_job(job, begin, end, columns, side))
        begin = end
    return _picture(parts, columns, math.ceil(n_units / columns), side, label)


def machines(n_nodes: int, busy_by_index: dict[int, float], label: str) -> Markup:
    """Many machines: a square for each, or for `nodes_to_a_square`; it fills as they are taken (shares of one)."""
    each = nodes_to_a_square(n_nodes)
    n_squares, side = math.ceil(n_nodes / each), 11.0
    columns = max(1, min(64, math.ceil(math.sqrt(n_squares * 2))))
    free = "".join(_box(_place(index, columns, side), side) for index in range(n_squares))
    parts = [f'<path class="m-free" d="{free}"/>']
    for square in sorted({index // each for index in busy_by_index}):
        share = sum(busy_by_index.get(index, 0.0) for index in range(square * each, (square + 1) * each)) / each
        (x, y), height = _place(square, columns, side), side * min(1.0, share)
        parts.append(_rect("m-running", x, y + side - height, side, height))
    return _picture(parts, columns, math.ceil(n_squares / columns), side, label)


def _job(job: Taken, begin: float, end: float, columns: int, side: float) -> str:
    """The parts of squares from `begin` to `end`, as one link."""
    state = "capped" if job.state == "running" and job.cap_frac < 1 else job.state
    cuts = []
    for index in range(math.floor(begin), math.ceil(end)):
        x, y = _place(index, columns, side)
        low, high = max(begin, index) - index, min(end, index + 1) - index
        if high <= low:
            continue
        height = side * job.cap_frac if state == "capped" else side
        cuts.append(_rect(f"m-{escape(state)}", x + low * side, y + side - height, (high - low) * side, height))
        if state in {"frozen", "pausing"}:
            cuts.append(_bars(x + low * side, y, (high - low) * side, side))
    inside = f"<title>{escape(job.name)}</title>{''.join(cuts)}"
    if not job.href:
        return f"<g>{inside}</g>"
    return f'<a href="{escape(job.href)}" aria-label="{escape(job.name)}">{inside}</a>'


def _bars(x: float, y: float, width: float, side: float) -> str:
    """Three strokes across: work that stands still."""
    rows = "".join(f"M{x:.2f} {y + side * part:.2f}h{width:.2f}" for part in (0.25, 0.5, 0.75))
    return f'<path class="m-still" d="{rows}"/>'


def _place(index: int, columns: int, side: float) -> tuple[float, float]:
    return 1 + index % columns * (side + _GAP), 1 + index // columns * (side + _GAP)


def _square(css: str, place: tuple[float, float], side: float) -> str:
    return _rect(css, *place, side, side)


def _rect(css: str, x: float, y: float, width: float, height: float) -> str:
    size = f'width="{width:.2f}" height="{height:.2f}" rx="{min(3.0, width / 3, height / 3):.2f}"'
    return f'<rect class="{css}" x="{x:.2f}" y="{y:.2f}" {size}/>'


def _box(place: tuple[float, float], side: float) -> str:
    return f"M{place[0]:.1f} {place[1]:.1f}h{side:g}v{side:g}h-{side:g}z"


def _picture(parts: Iterable[str], columns: int, rows: int, side: float, label: str) -> Markup:
    width, height = columns * (side + _GAP) - _GAP + 2, rows * (side + _GAP) - _GAP + 2
    return Markup(
        f'<svg class="machines" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="group" '
        f'direction="ltr" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )
