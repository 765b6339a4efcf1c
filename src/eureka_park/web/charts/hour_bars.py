"""Energy hour by hour as bars, each divided by source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.shapes import nice_step
from eureka_park.web.charts.tank import Share
from eureka_park.web.pages.words import N_, Words

UNITS: Final = ((N_("GWh"), 1e6), (N_("MWh"), 1e3), (N_("kWh"), 1.0), (N_("Wh"), 1e-3))  # with their size in kWh
_START, _ABOVE, _GROUND = 52, 30, 180
_BAR_MAX = 46.0
_LABEL_PX = 58.0


@dataclass(frozen=True, slots=True)
class HourBar:
    """One hour: its time as text, and what each source gave, in kWh."""

    text: str
    shares: Sequence[Share]

    @property
    def kwh(self) -> float:
        """The energy of the hour."""
        return sum(amount for _, _, amount in self.shares)


def hour_bars(bars: Sequence[HourBar], words: Words, title: str, width: int = 560, data_id: str = "") -> Markup:
    """The bars from the earliest hour on the left; `data_id` names the block of texts by which they are read."""
    top = max((item.kwh for item in bars), default=0.0) or 1.0
    room = (width - _START - 8) / max(1, len(bars))
    parts = [*_rules(top, words, width)]
    every = max(1, round(_LABEL_PX / room + 0.499))
    for index, item in enumerate(bars):
        middle, wide = _START + room * (index + 0.5), min(_BAR_MAX, room * 0.72)
        parts += _bar(item, middle - wide / 2, wide, top)
        if index % every == 0:
            place = f'x="{middle:.1f}" y="{_GROUND + 18}" text-anchor="middle"'
            parts.append(f'<text class="tick" {place}>{escape(item.text)}</text>')
    frame = f'data-x0="{_START}" data-x1="{width - 8}" data-y0="{_ABOVE}" data-y1="{_GROUND}"'
    read_by = f'data-readable="{escape(data_id)}" {frame} ' if data_id else ""
    return Markup(
        f'<svg class="hours" viewBox="0 0 {width} {_GROUND + 26}" role="img" direction="ltr" {read_by}'
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _bar(item: HourBar, x: float, width: float, top: float) -> Iterable[str]:
    y = float(_GROUND)
    for css, name, amount in item.shares:
        height = amount / top * (_GROUND - _ABOVE)
        if height > 0:
            y -= height
            place = f'x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"'
            yield f'<rect class="s-{escape(css)}" {place}><title>{escape(name)}</title></rect>'


def _rules(top: float, words: Words, width: int) -> Iterable[str]:
    unit, size = next((item for item in UNITS if top >= item[1]), UNITS[-1])
    step = nice_step(top / size, 3)
    yield f'<text class="tick" x="4" y="14">{escape(words.say(unit))}</text>'
    for index in range(int(top / size / step + 1e-9) + 1):
        y = _GROUND - index * step * size / top * (_GROUND - _ABOVE)
        shown = words.number(index * step)
        yield f'<line class="rule" x1="{_START}" x2="{width}" y1="{y:.2f}" y2="{y:.2f}"/>'
        yield f'<text class="tick" x="{_START - 8}" y="{y + 4:.2f}" text-anchor="end">{shown}</text>'
