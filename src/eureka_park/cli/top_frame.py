"""One frame of `park top`: from what the park said to lines of text of a given width and height. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rich.text import Text

from eureka_park.cli.errors import sentence
from eureka_park.cli.output import SOURCE_STYLES, STATE_STYLES, clean
from eureka_park.cli.progress import ParkClock, bar, reason_with_countdown
from eureka_park.cli.times import waits_or_ran
from eureka_park.cli.words import N_, _
from eureka_park.foundation.units import duration_text, power_text

if TYPE_CHECKING:
    from eureka_park.client import JobView, PlanView
    from eureka_park.client.views import Overview

SALT_STYLE: Final = "magenta"
KEYS: Final = (
    ("j k", N_("move")),
    ("w", N_("why")),
    ("l", N_("log")),
    ("c", N_("cancel")),
    ("/", N_("filter")),
    ("?", N_("help")),
    ("q", N_("quit")),
)
HELP: Final = (
    N_("j or arrow down, k or arrow up: another job; g and G: the first and the last"),
    N_("w: why it is as it is, and until when"),
    N_("l: the end of its log, which goes on by itself"),
    N_("c: cancel it, after a question"),
    N_("/: show only jobs whose name, id, tier, state or project holds a text; Esc takes it back"),
    N_("q: leave; jobs run on"),
    "",
    N_("Bars show what each source could give now, on one scale. Times are park time unless they count down."),
)


@dataclass
class Screen:
    """What is shown: the park's last word, and what the person looks at."""

    clock: ParkClock
    overview: Overview | None = None
    plan: PlanView | None = None
    link: str = ""  # how the news comes, in words; empty while it comes by itself
    chosen: str = ""  # the id of the selected job; the first one where it is none of those listed
    wanted: str = ""
    pane: str = "jobs"  # or: why, log, help
    pane_lines: Sequence[str] = field(default_factory=tuple)
    asks: str = ""  # a question or an entry that takes the last line
    note: str = ""  # what the last key did

    def jobs(self) -> list[JobView]:
        """The jobs that are listed: what runs, then what waits, by the filter."""
        if self.overview is None:
            return []
        every = [*self.overview["running"], *self.overview["waiting"]]
        word = self.wanted.lower()
        return [job for job in every if word in _haystack(job)] if word else every

    def job(self) -> JobView | None:
        """The selected job, if there is one."""
        jobs = self.jobs()
        return jobs[_index(jobs, self.chosen)] if jobs else None

    def move(self, by: int) -> None:
        """Select another job, `by` lines further."""
        if jobs := self.jobs():
            self.chosen = jobs[max(0, min(len(jobs) - 1, _index(jobs, self.chosen) + by))]["job_id"]


def _index(jobs: Sequence[JobView], chosen: str) -> int:
    return next((at for at, job in enumerate(jobs) if job["job_id"] == chosen), 0)


def frame(screen: Screen, width: int, height: int | None = None) -> Text:
    """The whole frame; with a height exactly that many lines, without one as many as there is to say."""
    head = [*_sky(screen, width), *_sources(screen, width), _salt(screen, width), _counts(screen, width)]
    foot = [_detail(screen, width), _keys(screen, width)]
    room = None if height is None else max(1, height - len(head) - len(foot))
    body = _pane(screen, width, room) if screen.pane != "jobs" else _table(screen, width, room)
    if room is not None:
        body = (body + [Text()] * room)[:room]
    lines = (head + body + foot)[: height or None]
    return Text("\n").join(_fitted(line, width) for line in lines)


def _fitted(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    return line


def _sky(screen: Screen, width: int) -> list[Text]:
    now = screen.overview["now"] if screen.overview else None
    said = clean(sentence(now["sentence"])) if now else _("The park has no power plan yet.")
    return [Text(line, style="bold") for line in _wrapped(said, width)[:2]]


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width) or [""]


def _sources(screen: Screen, width: int) -> list[Text]:
    """What each source could give now, two to a line where there is room."""
    now = screen.overview["now"] if screen.overview else None
    found = dict(now["by_source_mw"]) if now else {}
    if not found:
        return []
    top_mw = max(*found.values(), 1e-9) if len(found) > 1 else max(1e-9, *found.values())
    n_columns = 2 if width >= 72 else 1
    cell_width = (width - 2 * (n_columns - 1)) // n_columns
    name_width = min(14, max(len(name) for name in found))
    cells = [_source(name, mw, mw / top_mw, name_width, cell_width) for name, mw in found.items()]
    return [_joined(cells[at : at + n_columns], cell_width) for at in range(0, len(cells), n_columns)]


def _source(name: str, mw: float, frac: float, name_width: int, width: int) -> Text:
    room = max(4, width - name_width - 12)
    n_full = 0 if mw <= 0 else max(1, round(frac * room))
    line = Text(f"{clean(name):<{name_width}.{name_width}} ")
    line.append("█" * n_full, style=SOURCE_STYLES.get(name, ""))
    line.append(" " * (room - n_full) + f" {power_text(mw):>9}")
    return line


def _joined(cells: Sequence[Text], width: int) -> Text:
    line = Text()
    for number, cell in enumerate(cells):
        if number:
            line.append("  ")
        line.append_text(cell)
        line.append(" " * max(0, width - cell.cell_len) if number < len(cells) - 1 else "")
    return line


def _salt(screen: Screen, width: int) -> Text:
    level = salt_level(screen)
    now = screen.overview["now"] if screen.overview else None
    line = Text()
    if level is not None:
        held, most = level
        line.append(_("salt") + " ")
        line.append(bar(held / most), style=SALT_STYLE)
        line.append(f" {held / most:.0%}  ")
    if now:
        figures = [(_("park"), now.get("site_mw")), (_("clean"), now.get("clean_available_mw"))]
        line.append(" · ".join(f"{name} {power_text(mw)}" for name, mw in figures if mw is not None))
    return line


def salt_level(screen: Screen) -> tuple[float, float] | None:
    """Heat in the salt now and at most (MWh thermal); None without salt or plan."""
    if screen.plan is None or not screen.plan.get("tes_mwh_th_max"):
        return None
    plan = screen.plan
    at = max(0, int((screen.clock.now_s() - plan["start_s"]) // plan["step_s"]))
    held = sum(series[min(at, len(series) - 1)] for series in plan["tes_mwh_th"].values() if series)
    most = sum(plan["tes_mwh_th_max"].values())
    return (held, most) if most > 0 else None


def _counts(screen: Screen, width: int) -> Text:
    counts = screen.overview["jobs"] if screen.overview else {}
    shown = ", ".join(f"{n} {_(state)}" for state, n in counts.items() if n) or _("no jobs yet")
    line = Text(shown, style="dim")
    if screen.wanted:
        line.append("  " + _("filter: {text}", text=screen.wanted), style="bold")
    right = screen.link or f"{_time(screen.clock)} UTC"
    return _with_right(line, right, width)


def _time(clock: ParkClock) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(clock.now_s(), UTC):%H:%M}"


def _with_right(line: Text, right: str, width: int) -> Text:
    room = width - line.cell_len - len(right)
    if room >= 2:
        line.append(" " * room + right, style="dim")
    return line


def _table(screen: Screen, width: int, room: int | None) -> list[Text]:
    jobs = screen.jobs()
    if not jobs:
        word = _("No job is like '{text}'.", text=screen.wanted) if screen.wanted else _("Nothing runs or waits.")
        return [Text(), Text(word + " " + _("Submit one: park submit -- echo hello"), style="dim")]
    state_width = max(9, len(_("state")), *(len(_(job["state"])) for job in jobs))
    widths = (max(12, min(24, width - 60)), max(5, len(_("tier"))), state_width, 15)
    columns = (_("name"), _("tier"), _("state"), _("waits/ran"), _("why"))
    head = _row(columns, widths, "bold")
    selected = _index(jobs, screen.chosen)
    n_shown = len(jobs) if room is None else max(1, room - 1)
    first = max(0, min(selected - n_shown // 2, len(jobs) - n_shown))
    rows = [
        _job_row(job, widths, screen.clock, is_selected=number == selected and room is not None)
        for number, job in enumerate(jobs[first : first + n_shown], first)
    ]
    return [head, *rows]


def _job_row(job: JobView, widths: Sequence[int], clock: ParkClock, *, is_selected: bool) -> Text:
    name = job["name"] if not job.get("n_tasks") else f"{job['name']} (x{job['n_tasks']})"
    name += "" if job.get("task_index") is None else f" [{job['task_index']}]"
    cells = (clean(name), job["tier"], _(job["state"]), waits_or_ran(job, clock.now_s()), _short_why(job, clock))
    line = _row(cells, widths, "")
    start = widths[0] + widths[1] + 2
    line.stylize(STATE_STYLES.get(job["state"], ""), start, start + widths[2])
    if is_selected:
        line.stylize("reverse")
    return line


def _short_why(job: JobView, clock: ParkClock) -> str:
    """The reason with its countdown first: the end of a long sentence may not fit."""
    reasons = job.get("reasons") or []
    if not reasons or job["state"] in {"running", "starting"}:
        return ""
    text, until = clean(sentence(reasons[0]["text"])), reasons[0].get("until")
    return _("{left}: {reason}", left=duration_text(clock.real_left_s(until)), reason=text) if until else text


def _row(cells: Sequence[str], widths: Sequence[int], style: str) -> Text:
    fixed = " ".join(f"{cell:<{width}.{width}}" for cell, width in zip(cells, widths, strict=False))
    return Text(f"{fixed} {cells[-1]}", style=style)


def _pane(screen: Screen, width: int, room: int | None) -> list[Text]:
    if screen.pane == "help":
        return [Text(), *(Text(line) for text in HELP for line in (_wrapped(_(text), width) if text else [""]))]
    job = screen.job()
    title = _("log") if screen.pane == "log" else _("why")
    head = Text(f"{title}: {clean(job['name'])}" if job else title, style="bold")
    lines = [clean(line) for line in screen.pane_lines]
    if screen.pane == "why":
        lines = [part for line in lines for part in _wrapped(line, width)]
    shown = lines if room is None else lines[-(room - 1) :] if room > 1 else []
    return [head, *(Text(line) for line in shown)]


def _detail(screen: Screen, width: int) -> Text:
    """What the last key did, else the selected job in full."""
    if screen.note:
        return Text(screen.note, style="yellow")
    job = screen.job()
    if job is None or screen.pane == "help":
        return Text()
    reasons = job.get("reasons") or []
    why = reason_with_countdown(reasons[0], screen.clock) if reasons else ""
    return Text(f"{clean(job['job_id'])}  {why}".rstrip(), style="dim")


def _keys(screen: Screen, width: int) -> Text:
    if screen.asks:
        return Text(screen.asks, style="bold")
    if screen.pane != "jobs":
        return Text(_("any key: back"), style="dim")
    line = Text()
    for key, word in KEYS:
        line.append(key, style="bold")
        line.append(f" {_(word)}   ", style="dim")
    line.rstrip()
    return line


def _haystack(job: JobView) -> str:
    return " ".join((job["name"], job["job_id"], job["tier"], job["state"], job["project"])).lower()
