"""Pictures of jobs over time: axes, ticks, states as marks, a life, a day, bars by hour, the dark hours."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from eureka_park.web.charts.gantt import Day, Line, gantt_chart
from eureka_park.web.charts.hour_bars import HourBar, hour_bars
from eureka_park.web.charts.time_axis import Mark, TimeAxis, hour_marks, state_mark, ticks
from eureka_park.web.charts.timeline import Drawn, Life, SkyHour, timeline_chart
from eureka_park.web.pages.words import LANGUAGES, Words

NOON_S = 1_795_348_800.0  # 2026-11-22T12:00:00Z
HOUR_S = 3600.0
WORDS = Words("en", "UTC")


def read(drawing: str) -> ElementTree.Element:
    """The picture as XML: it must be well formed."""
    return ElementTree.fromstring(drawing)


def parts(drawing: str, css: str) -> list[ElementTree.Element]:
    return [item for item in read(drawing).iter() if css in item.get("class", "").split()]


def life(**more: object) -> Life:
    marks = (
        Mark("queued", "queued", NOON_S, NOON_S + HOUR_S),
        Mark("running", "running", NOON_S + HOUR_S, NOON_S + 2 * HOUR_S),
        Mark("capped", "capped", NOON_S + 2 * HOUR_S, NOON_S + 3 * HOUR_S, 0.5),
        Mark("frozen", "frozen", NOON_S + 3 * HOUR_S, NOON_S + 4 * HOUR_S),
    )
    sky = SkyHour(NOON_S, NOON_S + 4 * HOUR_S, {"wind": 40.0, "salt": 20.0}, 50.0, 70.0)
    drawn = (
        Drawn(NOON_S + HOUR_S, NOON_S + 2 * HOUR_S, 400.0),
        Drawn(NOON_S + 2 * HOUR_S, NOON_S + 3 * HOUR_S, 200.0),
    )
    facts: dict[str, object] = {"marks": marks, "drawn": drawn, "sky": (sky,)}
    return Life(NOON_S, NOON_S + 4 * HOUR_S, **{**facts, **more})  # type: ignore[arg-type]


def test_axis_keeps_what_lies_outside_at_its_edges() -> None:
    axis = TimeAxis(100.0, 200.0, 10.0, 110.0)
    assert [axis.x(instant) for instant in (0.0, 100.0, 150.0, 200.0, 900.0)] == [10.0, 10.0, 60.0, 110.0, 110.0]
    slots = axis.slots(4)
    assert slots[0] == (100.0, 125.0) and slots[-1] == (175.0, 200.0)


@pytest.mark.parametrize(
    ("length_s", "first", "count"),
    [(20, "12:00:00", 5), (600, "12:00", 3), (86400, "12:00", 9), (7 * 86400, "00:00", 8)],
)
def test_ticks_stand_on_round_instants(length_s: float, first: str, count: int) -> None:
    found = list(ticks(TimeAxis(NOON_S, NOON_S + length_s, 0, 900), WORDS, 9))
    assert found[0][1] == first and count - 1 <= len(found) <= 10
    steps = {round(b[0] - a[0]) for a, b in pairwise(found)}
    assert len(steps) == 1


def test_ticks_are_round_on_the_site_s_clock() -> None:
    found = list(ticks(TimeAxis(NOON_S, NOON_S + 86400, 0, 900), Words("en", "Asia/Kathmandu"), 9))
    assert {text[-2:] for _, text, _ in found} == {"00"} and [day for _, _, day in found if day]


@pytest.mark.parametrize(("width", "days"), [(800, ["Sun, Nov 22", "Mon, Nov 23"]), (150, ["Mon, Nov 23"])])
def test_names_of_days_do_not_meet(width: float, days: list[str]) -> None:
    axis = TimeAxis(NOON_S + 6 * HOUR_S, NOON_S + 24 * HOUR_S, 40, 40 + width)
    drawn = "".join(hour_marks(axis, Words("en", "UTC"), 0, 100, 4))
    assert re.findall(r'dayname"[^>]*>([^<]*)<', drawn) == [f"\u2068{day}\u2069" for day in days]


def test_a_cap_is_as_high_as_it_allows_and_stillness_is_hatched() -> None:
    axis = TimeAxis(0.0, 100.0, 0.0, 100.0)
    capped = state_mark(axis, Mark("capped", "capped", 0, 50, 0.62), 10, 20)
    assert 'height="12.40"' in capped and 'y="17.60"' in capped and 'height="20.00"' in capped
    assert "mark-still" in state_mark(axis, Mark("frozen", "frozen", 0, 50), 10, 20)
    assert "mark-still" not in state_mark(axis, Mark("running", "running", 0, 50), 10, 20)
    assert 'width="2.50"' in state_mark(axis, Mark("running", "running", 10, 10.001), 10, 20), "short stays are seen"


def test_a_life_shows_states_power_and_sky() -> None:
    drawing = timeline_chart(life(end_state="failed"), WORDS, "Its life")
    assert [len(parts(drawing, css)) for css in ("mark-running", "mark-capped", "mark-frozen", "mark-end-failed")] == [
        1
    ] * 4
    assert len(parts(drawing, "sky")) == 2 and len(parts(drawing, "sky-range")) == 1
    [line] = parts(drawing, "drawn")
    heights = [float(y) for y in re.findall(r"V([\d.]+)", line.get("d", ""))]
    ground, high = max(heights), min(heights)
    half = re.search(r"L[\d.]+ ([\d.]+)H", line.get("d", ""))
    assert half is not None and float(half[1]) == pytest.approx((ground + high) / 2, abs=0.02), (
        "half the power, half the height"
    )
    assert not parts(drawing, "now") and not parts(drawing, "promise")


def test_a_life_that_waits_shows_now_and_the_promise() -> None:
    marks = (Mark("queued", "queued", NOON_S, NOON_S + HOUR_S),)
    drawing = timeline_chart(
        life(marks=marks, drawn=(), now_s=NOON_S + HOUR_S, promise_s=NOON_S + 3 * HOUR_S), WORDS, "Its life"
    )
    assert len(parts(drawing, "now")) == len(parts(drawing, "promise")) == 1 and not parts(drawing, "drawn")
    assert "15:00" in "".join(item.text or "" for item in parts(drawing, "promised"))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("is_narrow", [False, True])
def test_pictures_are_whole_in_every_language(lang: str, is_narrow: bool) -> None:
    words = Words(lang, "Africa/Casablanca")
    for drawing in (
        timeline_chart(life(), words, "a <title> & more", is_narrow=is_narrow),
        timeline_chart(life(marks=life().marks[:1], drawn=(), sky=()), words, "nothing yet", is_narrow=is_narrow),
        gantt_chart(day(), words, "a <title>", is_narrow=is_narrow),
        hour_bars([HourBar("12:00", [("wind", "Wind", 0.0)])], words, "no energy"),
    ):
        root = read(drawing)
        assert root.get("direction") == "ltr" and "style" not in drawing


def day() -> Day:
    lines = [Line(f"job {n} " + "long name " * n, f"/jobs/job-{n}", life().marks, "finished") for n in range(4)]
    return Day(
        NOON_S, NOON_S + 86400, [("node <1>", lines[:3]), ("node 2", lines[3:])], [(NOON_S, NOON_S + HOUR_S)], NOON_S
    )


def test_a_day_has_a_line_and_a_way_for_each_job() -> None:
    drawing = gantt_chart(day(), WORDS, "The day")
    ways = [item.get("href") for item in read(drawing).iter("a")]
    assert ways == [f"/jobs/job-{n}" for n in range(4)]
    names = [item.text or "" for item in parts(drawing, "line-name")]
    assert names[0] == "job 0 " and names[3].endswith("…") and max(map(len, names)) <= 26
    assert [item.text for item in parts(drawing, "node-name")] == ["node <1>", "node 2"]
    assert len(parts(drawing, "night")) == 1 and len(parts(drawing, "mark-end-finished")) == 4


def test_bars_are_as_high_as_their_hours() -> None:
    bars = [HourBar("12:00", [("wind", "Wind", 0.3), ("salt", "Salt", 0.1)]), HourBar("13:00", [("wind", "Wind", 0.2)])]
    drawing = hour_bars(bars, WORDS, "Energy by hour")
    heights = [float(item.get("height", 0)) for item in read(drawing).iter("rect")]
    assert heights[0] == pytest.approx(3 * heights[1], rel=0.01)
    assert heights[2] == pytest.approx((heights[0] + heights[1]) / 2, rel=0.01)
    assert "Wh" in [item.text for item in parts(drawing, "tick")]
    assert "data-readable" not in read(drawing).attrib
    readable = read(hour_bars(bars, WORDS, "Energy by hour", data_id="data")).attrib
    assert readable["data-readable"] == "data" and float(readable["data-x0"]) < float(readable["data-x1"]) < 560
    many = hour_bars([HourBar(f"{n:02d}:00", [("wind", "Wind", 1.0)]) for n in range(60)], WORDS, "Many hours")
    assert len([item for item in parts(many, "tick") if ":" in (item.text or "")]) < 12, "times keep apart"
