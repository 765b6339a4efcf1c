"""A job's life as a picture: states over its power, the sky of its hours behind; the same as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from eureka_park.bootstrap import Park
from eureka_park.compute.service import ENDED_NAMES
from eureka_park.foundation.units import parse_instant_s
from eureka_park.web.charts.plan import data_block
from eureka_park.web.charts.time_axis import Mark
from eureka_park.web.charts.timeline import Drawn, Life, SkyHour, timeline_chart
from eureka_park.web.pages.draw import KIND_NAMES, colours_of, names_of
from eureka_park.web.pages.job_gantt import dark_between, marks_of
from eureka_park.web.pages.reasons import said
from eureka_park.web.pages.words import N_, Words, isolated

_SLOTS: Final = 60
_LENGTH_MIN_S: Final = 60.0
_AHEAD_MAX_S: Final = 48 * 3600.0
HELD_BACK: Final = frozenset({"queued", "paused", "frozen"})
KEYS: Final[Mapping[str, str]] = {
    "queued": N_("waits"),
    "starting": N_("is being prepared"),
    "running": N_("runs"),
    "capped": N_("runs below full power"),
    "pausing": N_("writes a checkpoint"),
    "paused": N_("paused"),
    "frozen": N_("frozen"),
    "ending": N_("is being ended"),
}


def life_of(park: Park, words: Words, history: Mapping[str, Any], job: Mapping[str, Any]) -> dict[str, Any]:
    """The picture of a job's life, its key and its tables."""
    now_s = park.clock.park_s()
    life = _life(park, words, history, job, now_s)
    title = words.say("States, power and sky over the life of the job")
    states = {mark.state for mark in life.marks}
    kinds = {css for hour in life.sky for css, mw in hour.mw_by_css.items() if mw > 0}
    names, colours = names_of(park, words), colours_of(park)
    return {
        "title": title,
        "wide": timeline_chart(life, words, title),
        "narrow": timeline_chart(life, words, title, is_narrow=True),
        "readings": data_block("life-data", _readings(words, life, now_s)),
        "keys": {state: name for state, name in KEYS.items() if state in states},
        "kinds": [
            (css, " · ".join(isolated(names[source]) for source in park.site.source_ids if colours[source] == css))
            for css in KIND_NAMES
            if css in kinds
        ],
        "has_power": bool(life.drawn),
        "has_sky": bool(life.sky),
        "end_state": life.end_state,
        "is_open": life.now_s is not None,
        "has_promise": life.promise_s is not None,
        "spans": _span_rows(words, history["spans"], life.marks, now_s),
        "hours": _hour_rows(words, life, now_s),
    }


def ran_s_of(history: Mapping[str, Any], now_s: float) -> float:
    """How long the job has run so far, park time: the stretches in which it made progress."""
    return sum(
        (parse_instant_s(span["until_at"]) if span["until_at"] else now_s) - parse_instant_s(span["from_at"])
        for span in history["spans"]
        if span["state"] in {"running", "capped"}
    )


def _life(park: Park, words: Words, history: Mapping[str, Any], job: Mapping[str, Any], now_s: float) -> Life:
    spans = history["spans"]
    is_over = spans[-1]["until_at"] is not None
    begin_s = parse_instant_s(spans[0]["from_at"])
    end_s = parse_instant_s(spans[-1]["until_at"]) if is_over else now_s
    promise_s = None if is_over else _promise(job, now_s)
    last_s = max(end_s, begin_s + _LENGTH_MIN_S)
    if promise_s is not None:
        last_s = max(last_s, promise_s + 0.03 * (promise_s - begin_s))
    ahead = park.energy.sky_between(end_s, last_s) if promise_s is not None else []
    known = {hour["from_at"]: hour for hour in [*history["sky"], *ahead]}
    colours = colours_of(park)
    return Life(
        begin_s=begin_s,
        end_s=last_s,
        marks=marks_of(words, spans, end_s),
        drawn=[_drawn(item) for item in history["power"]],
        sky=[_sky_hour(hour, colours) for hour in known.values()],
        dark=dark_between(park.site, begin_s, last_s),
        now_s=None if is_over else now_s,
        promise_s=promise_s,
        end_state=job["state"] if is_over and job["state"] in ENDED_NAMES else "",
    )


def _promise(job: Mapping[str, Any], now_s: float) -> float | None:
    """When the job is to begin or to go on, as far as its reason says."""
    until = job["reasons"][0].get("until") if job["reasons"] and job["state"] in HELD_BACK else None
    promise_s = parse_instant_s(until) if until else None
    return promise_s if promise_s is not None and now_s < promise_s <= now_s + _AHEAD_MAX_S else None


def _drawn(item: Mapping[str, Any]) -> Drawn:
    return Drawn(parse_instant_s(item["from_at"]), parse_instant_s(item["until_at"]), item["site_w"])


def _sky_hour(hour: Mapping[str, Any], colours: Mapping[str, str]) -> SkyHour:
    mw: dict[str, float] = {}
    for source, value in hour["by_source_mw"].items():
        css = colours.get(source, "grid")
        mw[css] = mw.get(css, 0.0) + value
    return SkyHour(parse_instant_s(hour["from_at"]), parse_instant_s(hour["until_at"]), mw, hour["p10"], hour["p90"])


def _readings(words: Words, life: Life, now_s: float) -> list[list[str]]:
    """Ready texts for each part of the picture: time, state, power, sky."""
    step = (life.end_s - life.begin_s) / _SLOTS
    found = []
    for index in range(_SLOTS):
        begin_s = life.begin_s + index * step
        at_s = begin_s + step / 2
        mark = next((item for item in life.marks if item.from_s <= at_s < item.until_s), None)
        drawn = next((item.site_w for item in life.drawn if item.from_s <= at_s < item.until_s), None)
        sky = next((item for item in life.sky if item.from_s <= at_s < item.until_s), None)
        texts = [words.when(begin_s, now_s)]
        texts += [mark.name] if mark else []
        texts += [words.say("it draws {power}", power=words.power(drawn / 1e6))] if drawn is not None else []
        texts += [words.say("clean power {power}", power=words.power(sum(sky.mw_by_css.values())))] if sky else []
        found.append(texts)
    return found


def _span_rows(
    words: Words, spans: Sequence[Mapping[str, Any]], marks: Sequence[Mark], now_s: float
) -> list[dict[str, Any]]:
    return [
        {
            "state": mark.state,
            "cap": words.percent(mark.cap_frac) if mark.state == "capped" else "",
            "from": words.when(mark.from_s, now_s),
            "until": words.when(mark.until_s, now_s) if span["until_at"] else "",
            "length": words.duration(mark.until_s - mark.from_s),
            "reason": said(words, [span["reason"]], now_s) if span["reason"] else None,
        }
        for mark, span in zip(marks, spans, strict=True)
    ]


def _hour_rows(words: Words, life: Life, now_s: float) -> list[list[str]]:
    """Hour, the job's mean power, clean power of the sky, its likely range."""
    rows = []
    for hour in life.sky:
        drawn = [item for item in life.drawn if hour.from_s <= item.from_s < hour.until_s]
        length = sum(item.until_s - item.from_s for item in drawn)
        mean_w = sum(item.site_w * (item.until_s - item.from_s) for item in drawn) / length if length > 0 else None
        rows.append(
            [
                words.when(hour.from_s, now_s),
                words.power(None if mean_w is None else mean_w / 1e6),
                words.power(sum(hour.mw_by_css.values())),
                f"{words.power(hour.p10_mw)} – {words.power(hour.p90_mw)}",
            ]
        )
    return rows
