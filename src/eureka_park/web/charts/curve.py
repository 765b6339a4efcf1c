"""The rising curve of an hour as steps: what a further megawatt costs, and who gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.shapes import nice_step, unit_for
from eureka_park.web.pages.words import Words

N_READINGS: Final = 40
_CHAR_PX: Final = 7.4
_Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Step:
    """Power up to `up_to_mw` (from where the step before ends) costs so much a MWh; `kind` names its colour."""

    up_to_mw: float
    mad_per_mwh: float
    css: str
    name: str
    kind: str = ""


def curve_chart(
    steps: Sequence[Step], words: Words, label: str, load_mw: float | None = None, *, is_narrow: bool = False
) -> Markup:
    """The picture; `load_mw` is what is drawn now. Power runs from left to right in every language."""
    width, start, end = (390.0, 52.0, 10.0) if is_narrow else (960.0, 62.0, 14.0)
    above, ground = 26.0, 236.0
    top_mw = max(steps[-1].up_to_mw, 1e-12)
    top_mad = max(*(step.mad_per_mwh for step in steps), 1.0) * 1.12

    def x_of(mw: float) -> float:
        return start + mw / top_mw * (width - start - end)

    def y_of(mad: float) -> float:
        return ground - mad / top_mad * (ground - above)

    parts = [*_prices(words, top_mad, y_of, start, width - end), *_powers(words, top_mw, x_of, ground, is_narrow)]
    begin = 0.0
    for step in steps:
        x0, x1, y = x_of(begin), x_of(step.up_to_mw), y_of(step.mad_per_mwh)
        place = f'x="{x0:.2f}" y="{y:.2f}" width="{max(0.6, x1 - x0):.2f}" height="{max(1.5, ground - y):.2f}"'
        parts.append(f'<rect class="s-{step.css}" {place}><title>{escape(step.name)}</title></rect>')
        parts.append(f'<path class="load" d="M{x0:.2f} {y:.2f}H{x1:.2f}"/>')
        begin = step.up_to_mw
    parts += _kinds(steps, x_of, y_of)
    if load_mw is not None:
        x = x_of(min(load_mw, top_mw))
        parts.append(f'<line class="now" x1="{x:.2f}" x2="{x:.2f}" y1="{above - 8:g}" y2="{ground:g}"/>')
    size = "narrow" if is_narrow else "wide"
    place = f'data-x0="{start:g}" data-x1="{width - end:g}" data-y0="{above:g}" data-y1="{ground:g}"'
    return Markup(
        f'<svg class="curve plan-{size}" viewBox="0 0 {width:g} 286" role="img" direction="ltr" '
        f'data-readable="curve-data" {place} aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def step_at(steps: Sequence[Step], mw: float) -> Step:
    """The step that a further megawatt beyond `mw` falls into; the last one at the end."""
    return next((step for step in steps if mw < step.up_to_mw), steps[-1])


def _kinds(steps: Sequence[Step], x_of: _Scale, y_of: _Scale) -> Iterable[str]:
    """Neighbours of one kind and price named together, on top of them, where there is room."""
    begin = 0.0
    for _, group in groupby(steps, key=lambda step: (step.css, step.mad_per_mwh)):
        last = list(group)[-1]
        x0, x1 = x_of(begin), x_of(last.up_to_mw)
        if len(last.kind) * _CHAR_PX <= x1 - x0:
            place = f'x="{(x0 + x1) / 2:.1f}" y="{y_of(last.mad_per_mwh) - 8:.1f}" text-anchor="middle"'
            yield f'<text class="direct" {place}>{escape(last.kind)}</text>'
        begin = last.up_to_mw


def _prices(words: Words, top: float, y_of: _Scale, x0: float, x1: float) -> Iterable[str]:
    step = nice_step(top)
    for index in range(int(top / step) + 1):
        y = y_of(index * step)
        yield f'<line class="rule" x1="{x0:g}" x2="{x1:g}" y1="{y:.2f}" y2="{y:.2f}"/>'
        shown = escape(words.number(index * step))
        yield f'<text class="tick" x="{x0 - 8:g}" y="{y + 4:.2f}" text-anchor="end">{shown}</text>'


def _powers(words: Words, top_mw: float, x_of: _Scale, ground: float, is_narrow: bool) -> Iterable[str]:
    _, size = unit_for(top_mw)
    step = nice_step(top_mw / size, 4 if is_narrow else 8)
    for index in range(int(top_mw / size / step) + 1):
        x = x_of(index * step * size)
        yield f'<line class="six" x1="{x:.2f}" x2="{x:.2f}" y1="{ground:g}" y2="{ground + 5:g}"/>'
        shown = words.power(index * step * size) if index else words.number(0)
        yield f'<text class="tick" x="{x:.2f}" y="{ground + 20:g}" text-anchor="middle">{escape(shown)}</text>'
