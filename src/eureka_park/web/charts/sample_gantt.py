"""Some jobs of a run over its hours: waiting as a thread, running as a bar, under a strip of clean shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from eureka_park.web.charts.heat import class_of
from eureka_park.web.charts.time_axis import TimeAxis, hour_marks
from eureka_park.web.pages.words import Words

_ABOVE: Final = 34.0
_HEAD: Final = 26.0
_ROW: Final = 17.0
_BAR: Final = 10.0
_WIDTH_MIN: Final = 2.0


@dataclass(frozen=True, slots=True)
class Job:
    """A job: its name and all about it in a line; instants as epoch seconds, none for what did not come to pass."""

    name: str
    told: str
    submit_s: float
    start_s: float | None
    end_s: float | None
    deadline_s: float | None = None
    n_pauses: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn: jobs by tier (class, name, jobs) between two instants, and the clean share of each hour."""

    begin_s: float
    end_s: float
    tiers: Sequence[tuple[str, str, Sequence[Job]]]
    shares: Sequence[float]
    strip: str


def sample_gantt(scene: Scene, words: Words, label: str, *, is_narrow: bool = False) -> Markup:
    """The picture. Time runs from left to right in every language; the strip's hours begin with the first instant."""
    width, start, end = (360.0, 8.0, 8.0) if is_narrow else (760.0, 208.0, 12.0)
    axis = TimeAxis(scene.begin_s, scene.end_s, start, width - end)
    ground = _ABOVE + sum(_HEAD + _ROW * len(jobs) for _, _, jobs in scene.tiers) + 6
    parts = [*hour_marks(axis, words, _ABOVE, ground, 4 if is_narrow else 8), *_strip(scene, axis, is_narrow)]
    y = _ABOVE
    for css, name, jobs in scene.tiers:
        parts.append(f'<text class="direct group" x="4" y="{y + 19:g}">{escape(name)}</text>')
        y += _HEAD
        for job in jobs:
            if not is_narrow:
                place = f'x="{start - 12:g}" y="{y + 11:g}" text-anchor="end"'
                parts.append(f'<text class="tick row-name" {place}>{escape(job.name)}</text>')
            parts.append(f"<g><title>{escape(job.told)}</title>{''.join(_job(job, css, axis, y))}</g>")
            y += _ROW
    return Markup(
        f'<svg class="gantt" viewBox="0 0 {width:g} {ground + 38:g}" role="img" direction="ltr" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _strip(scene: Scene, axis: TimeAxis, is_narrow: bool) -> Iterable[str]:
    """How clean each hour was, along the top."""
    wide = (axis.x1 - axis.x0) / max(1, len(scene.shares))
    for hour, share in enumerate(scene.shares):
        x = axis.x0 + hour * wide
        yield f'<rect class="yh-{class_of(share)}" x="{x:.2f}" y="10" width="{wide + 0.3:.2f}" height="12"/>'
    if not is_narrow:
        place = f'x="{axis.x0 - 12:g}" y="20" text-anchor="end"'
        yield f'<text class="tick row-name" {place}>{escape(scene.strip)}</text>'


def _job(job: Job, css: str, axis: TimeAxis, y: float) -> Iterable[str]:
    middle = y + 2 + _BAR / 2
    until_s = job.start_s if job.start_s is not None else axis.end_s
    if until_s > axis.begin_s and job.submit_s < axis.end_s:
        x0, x1 = axis.x(job.submit_s), axis.x(until_s)
        yield f'<path class="thread" d="M{x0:.1f} {middle:g}H{max(x1, x0 + 0.5):.1f}"/>'
    if job.start_s is not None and job.start_s < axis.end_s:
        x0, x1 = axis.x(job.start_s), axis.x(job.end_s if job.end_s is not None else axis.end_s)
        wide = max(_WIDTH_MIN, x1 - x0)
        place = f'x="{x0:.1f}" y="{y + 2:g}" width="{wide:.1f}" height="{_BAR:g}" rx="{min(2.5, wide / 2):.1f}"'
        yield f'<rect class="b-{escape(css)}" {place}/>'
        if job.n_pauses and wide > 6:
            yield f'<path class="paused" d="M{x0 + 2:.1f} {middle:g}H{x0 + wide - 2:.1f}"/>'
    if job.deadline_s is not None and axis.begin_s <= job.deadline_s <= axis.end_s:
        x = axis.x(job.deadline_s)
        yield f'<path class="due" d="M{x:.1f} {y:g}v14m0 -7l4 -4v8z"/>'
