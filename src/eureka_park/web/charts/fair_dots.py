"""Tenants by how much work they sent and how they were served: a dot for each, on axes of powers of ten and of two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log2, log10
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.pages.words import Words

WIDTH, START, END, ABOVE, GROUND = 440.0, 48.0, 12.0, 26.0, 212.0
_MOST: Final = 5  # powers of two above and below 1 that are drawn; what lies beyond stands at the edge
_LABEL_PX: Final = 72.0  # of a number under the axis
_Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Tenant:
    """A dot: its name, the work it sent (GPU hours), its value (1: as much as is due)."""

    name: str
    gpu_h: float
    value: float


def fair_dots(tenants: Sequence[Tenant], words: Words, label: str, under: str) -> Markup:
    """The picture; `under` is what the axis of work is called. The two ends are named."""
    shown = [tenant for tenant in tenants if tenant.gpu_h > 0.0 and tenant.value > 0.0]
    if not shown:
        return Markup("")
    low, high = _span([log2(tenant.value) for tenant in shown])
    first = floor(min(log10(tenant.gpu_h) for tenant in shown))
    last = max(first + 1, ceil(max(log10(tenant.gpu_h) for tenant in shown)))

    def x_of(gpu_h: float) -> float:
        return START + (log10(gpu_h) - first) / (last - first) * (WIDTH - START - END)

    def y_of(value: float) -> float:
        return GROUND - (min(high, max(low, log2(value))) - low) / (high - low) * (GROUND - ABOVE)

    parts = [*_levels(low, high, y_of, words), *_works(first, last, x_of, words)]
    dots = "".join(f"M{x_of(tenant.gpu_h):.1f} {y_of(tenant.value):.1f}h0" for tenant in shown)
    parts.append(f'<path class="tenants" d="{dots}"/>')
    for tenant in dict.fromkeys((min(shown, key=_value), max(shown, key=_value))):
        parts += _named(tenant, x_of(tenant.gpu_h), y_of(tenant.value), is_above=tenant.value >= 1.0)
    place = f'x="{WIDTH - END:g}" y="{GROUND + 37:g}" text-anchor="end"'
    parts.append(f'<text class="tick" {place}>{escape(under)}</text>')
    return Markup(
        f'<svg class="fair" viewBox="0 0 {WIDTH:g} {GROUND + 46:g}" role="img" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _value(tenant: Tenant) -> float:
    return tenant.value


def _span(powers: Sequence[float]) -> tuple[int, int]:
    """From which power of two to which the axis runs; 1 lies inside."""
    return max(-_MOST, min(-1, floor(min(powers)))), min(_MOST, max(1, ceil(max(powers))))


def _levels(low: int, high: int, y_of: _Scale, words: Words) -> Iterable[str]:
    for power in range(low, high + 1):
        y, css = y_of(2.0**power), "even" if power == 0 else "rule"
        yield f'<line class="{css}" x1="{START:g}" x2="{WIDTH - END:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        if high - low <= 6 or power % 2 == 0:
            shown = words.number(2.0**power) if power >= 0 else f"1/{2**-power}"
            place = f'x="{START - 8:g}" y="{y + 4:.1f}" text-anchor="end"'
            yield f'<text class="tick" {place}>{escape(shown)}</text>'


def _works(first: int, last: int, x_of: _Scale, words: Words) -> Iterable[str]:
    every = ceil(_LABEL_PX / (x_of(10.0) - x_of(1.0)))
    for power in range(first, last + 1):
        x = x_of(10.0**power)
        yield f'<line class="six" x1="{x:.1f}" x2="{x:.1f}" y1="{GROUND:g}" y2="{GROUND + 5:g}"/>'
        if (last - power) % every:
            continue
        anchor = "end" if power == last else "middle"
        place = f'x="{x:.1f}" y="{GROUND + 20:g}" text-anchor="{anchor}"'
        yield f'<text class="tick" {place}>{escape(words.number(10.0**power))}</text>'


def _named(tenant: Tenant, x: float, y: float, *, is_above: bool) -> Iterable[str]:
    yield f'<circle class="end" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
    anchor = "end" if x > WIDTH * 0.6 else "start"
    near = x - 9 if anchor == "end" else x + 9
    at = y - 6 if is_above else y + 14
    yield f'<text class="direct" x="{near:.1f}" y="{at:.1f}" text-anchor="{anchor}">{escape(tenant.name)}</text>'
