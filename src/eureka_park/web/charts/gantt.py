"""What ran on which machine: one line per job, grouped by node, its states as marks over the hours of a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.time_axis import Mark, TimeAxis, end_mark, hour_marks, nights, now_line, state_mark
from eureka_park.web.pages.words import Words

_BAR: Final = 14
_HEAD: Final = 30  # of a node's name
_ABOVE: Final = 14


@dataclass(frozen=True, slots=True)
class Line:
    """One job: its name, where it leads, its marks, and how it ended (empty before)."""

    name: str
    link: str
    marks: Sequence[Mark]
    end_state: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """What the picture shows: lines by node, between two instants."""

    begin_s: float
    end_s: float
    nodes: Sequence[tuple[str, Sequence[Line]]]
    dark: Sequence[tuple[float, float]] = field(default_factory=tuple)
    now_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Rows:
    """Where lines stand: names beside the bars on wide screens, above them on narrow ones."""

    width: int
    start: int
    end: int
    row: int
    bar_at: int  # of the bar's top in its row
    name_at: int  # of the name's ground line in its row
    name_chars: int


_WIDE: Final = _Rows(960, 210, 18, 26, 6, 17, 26)
_NARROW: Final = _Rows(390, 10, 10, 40, 19, 13, 44)


def gantt_chart(day: Day, words: Words, title: str, *, is_narrow: bool = False) -> Markup:
    """The picture; a narrow one for phones. Time runs from left to right in every language."""
    rows = _NARROW if is_narrow else _WIDE
    axis = TimeAxis(day.begin_s, day.end_s, rows.start, rows.width - rows.end)
    ground = _ABOVE + sum(_HEAD + rows.row * len(lines) for _, lines in day.nodes) + 8.0
    parts = [*nights(axis, day.dark, _ABOVE, ground), *hour_marks(axis, words, _ABOVE, ground, 4 if is_narrow else 9)]
    parts += _nodes(day, axis, rows)
    if day.now_s is not None:
        parts.append(now_line(axis, day.now_s, _ABOVE - 6, ground))
    size = "narrow" if is_narrow else "wide"
    height = ground + 38
    picture = (
        f'<svg role="img" viewBox="0 0 {rows.width} {height:g}" width="{rows.width}" height="{height:g}" '
        f'direction="ltr" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )
    return Markup(
        f'<svg class="plan plan-{size} gantt" viewBox="0 0 {rows.width} {height:g}" role="group" direction="ltr" '
        f'data-readable="gantt-data" data-x0="{rows.start}" data-x1="{rows.width - rows.end}" data-y0="{_ABOVE}" '
        f'data-y1="{ground:g}" aria-label="{escape(title)}">{picture}{"".join(_links(day, rows))}</svg>'
    )


def _nodes(day: Day, axis: TimeAxis, rows: _Rows) -> Iterable[str]:
    y = float(_ABOVE)
    for node, lines in day.nodes:
        yield f'<text class="tick node-name" x="10" y="{y + 20:g}">{escape(node)}</text>'
        y += _HEAD
        for line in lines:
            yield f'<line class="rule" x1="10" x2="{axis.x1:g}" y1="{y:g}" y2="{y:g}"/>'
            yield _name(line, rows, y)
            yield from (state_mark(axis, mark, y + rows.bar_at, _BAR) for mark in line.marks)
            if line.end_state and line.marks:
                yield end_mark(line.end_state, axis.x(line.marks[-1].until_s), y + rows.bar_at + _BAR / 2)
            y += rows.row


def _name(line: Line, rows: _Rows, y: float) -> str:
    """The job's name, cut where it is longer than its place."""
    shown = line.name if len(line.name) <= rows.name_chars else f"{line.name[: rows.name_chars - 1]}…"
    return f'<text class="line-name" x="10" y="{y + rows.name_at:g}">{escape(shown)}</text>'


def _links(day: Day, rows: _Rows) -> Iterable[str]:
    """Over each name the way to its job: beside the picture for those who listen, upon it for those who point."""
    y = float(_ABOVE)
    for _, lines in day.nodes:
        y += _HEAD
        for line in lines:
            width, height = (rows.start - 16, rows.row) if rows is _WIDE else (rows.width - 20, 18)
            place = f'x="6" y="{y + 1:g}" width="{width}" height="{height - 2}" rx="6"'
            yield (
                f'<a href="{escape(line.link)}" aria-label="{escape(line.name)}">'
                f'<rect class="way" {place}><title>{escape(line.name)}</title></rect></a>'
            )
            y += rows.row
