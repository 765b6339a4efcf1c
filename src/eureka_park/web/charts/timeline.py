"""A job's life: its states as a band over the power that it drew, the sky's clean power of those hours behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.shapes import nice_step, unit_for
from eureka_park.web.charts.time_axis import Mark, TimeAxis, end_mark, hour_marks, nights, now_line, state_mark
from eureka_park.web.pages.words import Words

_BAND_Y, _BAND_HEIGHT = 30, 22
_CHAR_PX: Final = 7.4  # about how wide a letter is, to see whether a word has room
_ORDER: Final = ("wind", "pv", "csp", "salt", "battery")


@dataclass(frozen=True, slots=True)
class Drawn:
    """The mean power of a job in a stretch of time, in W at the site meter."""

    from_s: float
    until_s: float
    site_w: float


@dataclass(frozen=True, slots=True)
class SkyHour:
    """What the plants could give in an hour of the plan: MW by colour class, and the likely range of the sum."""

    from_s: float
    until_s: float
    mw_by_css: dict[str, float]
    p10_mw: float
    p90_mw: float


@dataclass(frozen=True, slots=True)
class Life:
    """What the picture shows. `promise_s`: when it is to begin or go on; `end_state`: how it ended, empty before."""

    begin_s: float
    end_s: float
    marks: Sequence[Mark]
    drawn: Sequence[Drawn]
    sky: Sequence[SkyHour]
    dark: Sequence[tuple[float, float]] = field(default_factory=tuple)
    now_s: float | None = None
    promise_s: float | None = None
    end_state: str = ""


@dataclass(frozen=True, slots=True)
class _Plot:
    axis: TimeAxis
    width: int
    top_w: float
    top_mw: float
    above: float = 102
    ground: float = 262
    height: int = 300

    def y_w(self, site_w: float) -> float:
        return self.ground - site_w / self.top_w * (self.ground - self.above)

    def y_mw(self, mw: float) -> float:
        return self.ground - mw / self.top_mw * (self.ground - self.above)


def timeline_chart(life: Life, words: Words, title: str, *, is_narrow: bool = False) -> Markup:
    """The picture; a narrow one for phones."""
    width, start, end = (390, 40, 38) if is_narrow else (960, 54, 54)
    axis = TimeAxis(life.begin_s, life.end_s, start, width - end)
    top_w = max((item.site_w for item in life.drawn), default=0.0) * 1.15
    top_mw = max((item.p90_mw for item in life.sky), default=0.0) * 1.1
    plot = _Plot(axis, width, top_w or 1.0, top_mw or 1.0)
    parts = [*nights(axis, life.dark, _BAND_Y - 4, plot.ground)]
    parts += hour_marks(axis, words, plot.above, plot.ground, 4 if is_narrow else 9)
    parts += [*(_sky(plot, life.sky, words) if top_mw else ()), *_power(plot, life.drawn, words)]
    parts += [*_band(axis, life), *_now(plot, life, words)]
    size = "narrow" if is_narrow else "wide"
    return Markup(
        f'<svg class="plan plan-{size} life" viewBox="0 0 {width} {plot.height}" role="img" direction="ltr" '
        f'data-readable="life-data" data-x0="{start}" data-x1="{width - end}" data-y0="{_BAND_Y}" '
        f'data-y1="{plot.ground:g}" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _band(axis: TimeAxis, life: Life) -> Iterable[str]:
    """The states, each named above where there is room."""
    free_from = 0.0
    for mark in life.marks:
        yield state_mark(axis, mark, _BAND_Y, _BAND_HEIGHT)
        x, width = axis.x(mark.from_s), len(mark.name) * _CHAR_PX
        if x >= free_from and axis.x(mark.until_s) - x >= min(width, 34) and x + width <= axis.x1 + 40:
            yield f'<text class="tick" x="{x:.2f}" y="{_BAND_Y - 9}">{escape(mark.name)}</text>'
            free_from = x + width + 6
    if life.end_state:
        yield end_mark(life.end_state, axis.x(life.marks[-1].until_s), _BAND_Y + _BAND_HEIGHT / 2)


def _sky(plot: _Plot, sky: Sequence[SkyHour], words: Words) -> Iterable[str]:
    """Clean power by kind from the ground up, hour by hour, pale: it stands behind."""
    for hour in sky:
        x, width = plot.axis.x(hour.from_s), plot.axis.x(hour.until_s) - plot.axis.x(hour.from_s)
        if width <= 0:
            continue
        base = 0.0
        for css in _ORDER:
            mw = hour.mw_by_css.get(css, 0.0)
            if mw > 0:
                y, height = plot.y_mw(base + mw), plot.y_mw(base) - plot.y_mw(base + mw)
                place = f'x="{x:.2f}" y="{y:.2f}" width="{width + 0.3:.2f}" height="{height + 0.3:.2f}"'
                yield f'<rect class="sky s-{css}" {place}/>'
            base += mw
        y, height = plot.y_mw(hour.p90_mw), plot.y_mw(hour.p10_mw) - plot.y_mw(hour.p90_mw)
        yield f'<rect class="sky-range" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"/>'
    yield from _scale(plot, words, plot.top_mw, plot.axis.x1 + 8, "start", words.say("sky"))


def _power(plot: _Plot, drawn: Sequence[Drawn], words: Words) -> Iterable[str]:
    """The job's own power, a line that stands on its hours."""
    if not drawn:
        return
    line, last_s = "", None
    for item in drawn:
        x0, x1, y = plot.axis.x(item.from_s), plot.axis.x(item.until_s), plot.y_w(item.site_w)
        x1 = max(x1, x0 + 1.5)
        joined = last_s is not None and item.from_s - last_s < 1.0
        line += f"L{x0:.2f} {y:.2f}H{x1:.2f}" if joined else _rise(line, x0, x1, y, plot.ground)
        last_s = item.until_s
    for css in ("drawn-halo", "drawn"):
        yield f'<path class="{css}" d="{line}V{plot.ground:g}"/>'
    yield from _scale(plot, words, plot.top_w / 1e6, plot.axis.x0 - 8, "end", words.say("job"), is_ruled=True)


def _rise(line: str, x0: float, x1: float, y: float, ground: float) -> str:
    down = f"V{ground:g}" if line else ""
    return f"{down}M{x0:.2f} {ground:g}V{y:.2f}H{x1:.2f}"


def _scale(
    plot: _Plot, words: Words, top_mw: float, x: float, anchor: str, name: str, *, is_ruled: bool = False
) -> Iterable[str]:
    """Round figures of a power beside the picture, its unit and whose it is on top."""
    unit, size = unit_for(top_mw)
    step = nice_step(top_mw / size, 3)
    for index in range(int(top_mw / size / step) + 1):
        y = plot.ground - index * step * size / top_mw * (plot.ground - plot.above)
        if is_ruled:
            yield f'<line class="rule" x1="{plot.axis.x0}" x2="{plot.axis.x1}" y1="{y:.2f}" y2="{y:.2f}"/>'
        shown = words.number(index * step)
        yield f'<text class="tick" x="{x:g}" y="{y + 4:.2f}" text-anchor="{anchor}">{shown}</text>'
    edge, side = (2, "start") if is_ruled else (plot.width - 2, "end")
    for text, y in ((words.say(unit), plot.above - 20), (name, plot.above - 34)):
        yield f'<text class="tick" x="{edge}" y="{y:g}" text-anchor="{side}">{escape(text)}</text>'


def _now(plot: _Plot, life: Life, words: Words) -> Iterable[str]:
    if life.now_s is not None:
        yield now_line(plot.axis, life.now_s, _BAND_Y - 4, plot.ground)
    if life.promise_s is not None:
        x = plot.axis.x(life.promise_s)
        yield f'<line class="promise" x1="{x:.2f}" x2="{x:.2f}" y1="{_BAND_Y - 4}" y2="{plot.ground:g}"/>'
        shown = escape(words.clock(life.promise_s))
        yield f'<text class="tick promised" x="{x - 6:.2f}" y="{_BAND_Y + 15}" text-anchor="end">{shown}</text>'
