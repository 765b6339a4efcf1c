"""What a cleaner supply costs: cost of a kWh over hour-matched share, one dot for each least-cost system."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.shapes import line, nice_step
from eureka_park.web.pages.words import Words

WIDTH, START, END, ABOVE, GROUND = 760.0, 52.0, 40.0, 30.0, 200.0
_RADIUS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Dot:
    """One system: hour-matched share, cost of a kWh, its text for those who point at it, what stands under it."""

    cfe_frac: float
    mad_per_kwh: float
    told: str
    under: str = ""
    is_now: bool = False


def pareto_chart(dots: Sequence[Dot], words: Words, label: str) -> Markup:
    """The picture; the axis of shares begins at a round tenth below the least, that of cost at zero."""
    least = int(min(dot.cfe_frac for dot in dots) * 10) / 10
    top = max(dot.mad_per_kwh for dot in dots) * 1.12

    def place(dot: Dot) -> tuple[float, float]:
        x = START + (dot.cfe_frac - least) / (1 - least) * (WIDTH - START - END)
        return x, GROUND - dot.mad_per_kwh / top * (GROUND - ABOVE)

    ordered = sorted(dots, key=lambda dot: dot.cfe_frac)
    parts = [*_axes(least, top, words)]
    parts.append(f'<path class="front" d="{line(place(dot) for dot in ordered if not dot.is_now)}"/>')
    for dot in ordered:
        x, y = place(dot)
        css = "dot-now" if dot.is_now else "dot"
        parts.append(f'<circle class="{css}" cx="{x:.1f}" cy="{y:.1f}" r="{_RADIUS:g}">')
        parts.append(f"<title>{escape(dot.told)}</title></circle>")
        text = f'x="{x:.1f}" y="{y - 11:.1f}" text-anchor="middle"'
        parts.append(f'<text class="tick over" {text}>{escape(words.number(dot.mad_per_kwh, 2))}</text>')
        text = f'x="{x:.1f}" y="{y + 21:.1f}" text-anchor="middle"'
        parts.append(f'<text class="tick" {text}>{escape(dot.under)}</text>' if dot.under else "")
    return Markup(
        f'<svg class="pareto" viewBox="0 0 {WIDTH:g} {GROUND + 26:g}" role="img" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _axes(least: float, top: float, words: Words) -> Iterable[str]:
    step = nice_step(top, 3)
    yield f'<text class="tick" x="4" y="13">{escape(words.say("MAD a kWh"))}</text>'
    for index in range(int(top / step + 1e-9) + 1):
        y = GROUND - index * step / top * (GROUND - ABOVE)
        yield f'<line class="rule" x1="{START:g}" x2="{WIDTH - END:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        shown = escape(words.number(index * step))
        yield f'<text class="tick" x="{START - 8:g}" y="{y + 4:.1f}" text-anchor="end">{shown}</text>'
    for tenth in range(round(least * 10), 11):
        x = START + (tenth / 10 - least) / (1 - least) * (WIDTH - START - END)
        yield f'<line class="six" x1="{x:.1f}" x2="{x:.1f}" y1="{GROUND:g}" y2="{GROUND + 5:g}"/>'
        text = f'x="{x:.1f}" y="{GROUND + 18:g}" text-anchor="middle"'
        yield f'<text class="tick" {text}>{escape(words.percent(tenth / 10))}</text>'
