"""The last day as lines: what ran on which machine, and what held it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.compute.service import ENDED_NAMES
from eureka_park.energy.core.daylight import daylight, place_of
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.units import DAY_S, parse_instant_s
from eureka_park.web.charts.gantt import Day, Line, gantt_chart
from eureka_park.web.charts.plan import data_block
from eureka_park.web.charts.time_axis import Mark
from eureka_park.web.pages.words import N_, Words, isolated

LINES_MAX: Final = 60
_SLOTS: Final = 96
KEYS: Final[Mapping[str, str]] = {
    "queued": N_("waits"),
    "running": N_("runs"),
    "capped": N_("runs below full power"),
    "paused": N_("paused"),
    "frozen": N_("frozen"),
}


def gantt_of(park: Park, words: Words, who: Principal | None) -> dict[str, Any]:
    """What the page shows of the last 24 hours of park time."""
    now_s = park.clock.park_s()
    begin_s = now_s - DAY_S
    jobs = park.compute.gantt(who, begin_s, now_s, limit=LINES_MAX + 1)
    lines = [(_node_of(job), job, marks_of(words, job["spans"], now_s)) for job in jobs[:LINES_MAX]]
    nodes: dict[str, list[Line]] = {}
    for node, job, marks in reversed(lines):
        end = job["state"] if job["state"] in ENDED_NAMES else ""
        nodes.setdefault(node, []).append(Line(_name_of(job), f"/jobs/{quote(job['job_id'])}", marks, end))
    day = Day(begin_s, now_s, sorted(nodes.items()), dark_between(park.site, begin_s, now_s), now_s)
    title = words.say("Jobs over the last 24 hours of park time")
    return {
        "lines": jobs,
        "title": title,
        "is_cut": len(jobs) > LINES_MAX,
        "n_shown": words.number(min(len(jobs), LINES_MAX)),
        "wide": gantt_chart(day, words, title),
        "narrow": gantt_chart(day, words, title, is_narrow=True),
        "readings": data_block("gantt-data", _readings(words, day, lines, now_s)),
        "keys": KEYS,
        "rows": [row for _, job, marks in lines for row in _rows(words, job, marks, now_s)],
    }


def marks_of(words: Words, spans: Sequence[Mapping[str, Any]], now_s: float) -> list[Mark]:
    """Spans as marks, named for people; what goes on is drawn up to now."""
    return [
        Mark(
            span["state"],
            words.say(span["state"]),
            parse_instant_s(span["from_at"]),
            parse_instant_s(span["until_at"]) if span["until_at"] else now_s,
            span["cap_frac"],
        )
        for span in spans
    ]


def dark_between(site: Site, begin_s: float, end_s: float) -> list[tuple[float, float]]:
    """The stretches without sun at the site between two instants."""
    dark, day_s, last_s = [], begin_s - DAY_S, begin_s
    while day_s < end_s + DAY_S:
        sun = daylight(day_s, *place_of(site))
        if sun.sunrise_s > last_s:
            dark.append((last_s, min(sun.sunrise_s, end_s)))
        last_s = max(last_s, sun.sunset_s)
        day_s += DAY_S
    dark.append((last_s, end_s))
    return [(from_s, until_s) for from_s, until_s in dark if until_s > from_s]


def _name_of(job: Mapping[str, Any]) -> str:
    """The name; of a task with its index."""
    _, bracket, index = job["job_id"].partition("[")
    return f"{job['name']} [{index}" if bracket else job["name"]


def _node_of(job: Mapping[str, Any]) -> str:
    """Where the job was last; a paused or ended one by its spans."""
    return job["node"] or next((span["node"] for span in reversed(job["spans"]) if span["node"]), "–")


def _readings(
    words: Words, day: Day, lines: Sequence[tuple[str, Mapping[str, Any], Sequence[Mark]]], now_s: float
) -> list[list[str]]:
    """For each quarter of an hour: the time, how many ran, how many stood still, and their names."""
    found = []
    step = (day.end_s - day.begin_s) / _SLOTS
    for index in range(_SLOTS):
        at_s = day.begin_s + (index + 0.5) * step
        here = [
            (_name_of(job), mark.state)
            for _, job, marks in lines
            for mark in marks
            if mark.from_s <= at_s < mark.until_s
        ]
        ran = [name for name, state in here if state in {"running", "capped", "starting"}]
        still = [name for name, state in here if state in {"paused", "frozen", "pausing"}]
        texts = [words.when(at_s - step / 2, now_s), words.count("{n} runs", "{n} run", len(ran))]
        texts += [words.count("{n} stands still", "{n} stand still", len(still))] if still else []
        texts += [words.joined(isolated(name) for name in ran[:4]) + (" …" if len(ran) > 4 else "")] if ran else []
        found.append(texts)
    return found


def _rows(words: Words, job: Mapping[str, Any], marks: Sequence[Mark], now_s: float) -> list[dict[str, Any]]:
    return [
        {
            "job_id": job["job_id"],
            "name": _name_of(job),
            "node": _node_of(job),
            "state": mark.state,
            "from": words.when(mark.from_s, now_s),
            "until": words.when(mark.until_s, now_s) if span["until_at"] else "",
            "length": words.duration(mark.until_s - mark.from_s),
        }
        for mark, span in zip(marks, job["spans"], strict=True)
    ]
