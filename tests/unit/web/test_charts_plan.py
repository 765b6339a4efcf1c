"""The picture of the next 48 hours: stack, order, load, nights, hours of the site's clock, now, in every language."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.web.charts.plan import SIZES, Frame, Layer, Picture, data_block, plan_chart
from eureka_park.web.pages.words import LANGUAGES, Words

START_S = 1_795_348_800.0  # 2026-11-22T12:00:00Z, 13:00 in Tétouan
N = 48
NIGHT = [6 <= index % 24 < 18 for index in range(N)]
LAYERS = [
    Layer("wind", "Wind", [40.0] * N),
    Layer("pv", "Sun <PV>", [0.0 if dark else 50.0 for dark in NIGHT]),
    Layer("salt", "Molten salt", [80.0 if dark else 0.0 for dark in NIGHT]),
    Layer("grid", "Grid", [0.0] * N),
]
PICTURE = Picture(START_S, 3600.0, LAYERS, [100.0] * N, [60.0] * N, [180.0] * N, NIGHT, START_S + 5400)
WORDS = Words("en", "Africa/Casablanca")


def drawn(picture: Picture = PICTURE, words: Words = WORDS, size: str = "wide") -> ElementTree.Element:
    return ElementTree.fromstring(str(plan_chart(picture, words, "Title", size)))


def by_class(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [item for item in root.iter() if item.get("class") == name]


def number(element: ElementTree.Element, name: str) -> float:
    return float(element.get(name) or "nan")


def test_areas_are_stacked_from_the_ground_and_drawn_from_the_top() -> None:
    areas = [item for item in drawn().iter("path") if (item.get("class") or "").startswith("s-")]
    assert [area.get("class") for area in areas] == ["s-salt", "s-pv", "s-wind"]  # the grid gives nothing: no area
    assert [area.findtext("title") for area in areas] == ["Molten salt", "Sun <PV>", "Wind"]


def test_the_load_stands_at_its_height_and_now_at_its_hour() -> None:
    frame = Frame(960, 330, N, 180.0 * 1.05)
    root = drawn()
    (load,) = by_class(root, "load")
    heights = {float(y) for _, y in re.findall(r"(\S+) (\d+\.\d+)(?=$|C)", load.get("d") or "")}
    assert heights == {round(frame.y(100.0), 2)}
    (now,), (dot,) = by_class(root, "now"), by_class(root, "now-dot")
    assert number(now, "x1") == pytest.approx(frame.x(1.5), abs=0.01)
    assert (number(dot, "cx"), number(dot, "cy")) == pytest.approx((frame.x(1.5), frame.y(100.0)), abs=0.01)


def test_without_a_now_there_is_no_line_of_now() -> None:
    assert not by_class(drawn(replace(PICTURE, now_s=None)), "now")


def test_nights_cover_their_hours() -> None:
    frame, nights = Frame(960, 330, N, 1.0), by_class(drawn(), "night")
    assert [(number(night, "x"), number(night, "width")) for night in nights] == [
        pytest.approx((frame.x(begin), frame.x(begin + 12) - frame.x(begin)), abs=0.02) for begin in (6, 30)
    ]


@pytest.mark.parametrize(("zone", "start_s"), [("Africa/Casablanca", START_S), ("Asia/Kathmandu", START_S + 1000)])
@pytest.mark.parametrize(("size", "every_h"), [("wide", 6), ("narrow", 12)])
def test_ticks_are_round_hours_of_the_sites_own_clock(zone: str, start_s: float, size: str, every_h: int) -> None:
    words = Words("en", zone)
    picture = replace(PICTURE, start_s=start_s, now_s=None)
    texts = [item.text or "" for item in drawn(picture, words, size).iter("text")]
    hours = [text for text in texts if re.fullmatch(r"\d\d:\d\d", text)]
    assert set(hours) == {f"{hour:02d}:00" for hour in range(0, 24, every_h)}
    assert len(hours) in (48 // every_h, 48 // every_h + 1)


def test_time_runs_from_left_to_right_in_every_language_and_reads_in_it() -> None:
    for code in LANGUAGES:
        root = drawn(replace(PICTURE, start_s=START_S - 6 * 3600), Words(code, "Africa/Casablanca"))
        assert root.get("direction") == "ltr"
        assert root.get("role") == "img" and root.get("aria-label") == "Title"
        days = by_class(root, "tick dayname")
        assert len(days) == 2
        assert number(days[0], "x") < number(days[1], "x")


def test_only_the_wide_picture_names_its_layers_inside() -> None:
    assert {item.text for item in by_class(drawn(), "direct")} == {"Wind", "Sun <PV>", "Molten salt"}
    assert not by_class(drawn(size="narrow"), "direct")


def test_a_name_stands_where_its_layer_is_deep_on_both_sides() -> None:
    root = drawn()
    begin, end = number(root, "data-x0"), number(root, "data-x1")
    for label in by_class(root, "direct"):
        mw = next(layer.mw for layer in LAYERS if layer.name == label.text)
        hour, n = round((number(label, "x") - begin) / (end - begin) * N), len(label.text or "") // 3
        assert hour >= n and min(mw[hour - n : hour + n]) == max(mw), label.text


def test_a_park_without_any_power_still_has_a_picture() -> None:
    zero = [0.0] * N
    assert by_class(drawn(Picture(START_S, 3600.0, [], zero, zero, zero, [False] * N, None)), "load")


@given(st.lists(st.floats(0, 400), min_size=N, max_size=N), st.floats(1e-6, 1.0))
def test_nothing_is_drawn_outside_the_frame(series: list[float], scale: float) -> None:
    mw = [value * scale for value in series]
    picture = Picture(START_S, 3600.0, [Layer("wind", "Wind", mw)], mw, mw, mw, NIGHT, START_S)
    for size in SIZES:
        root = drawn(picture, size=size)
        _, _, width, height = map(float, (root.get("viewBox") or "").split())
        for item in root.iter():
            numbers = [float(part) for part in re.findall(r"-?\d+\.?\d*", item.get("d") or "")]
            assert all(-0.01 <= x <= width + 0.01 for x in numbers[::2])
            assert all(-0.01 <= y <= height + 0.01 for y in numbers[1::2])


def test_the_data_block_is_data_and_cannot_end_its_element() -> None:
    block = str(data_block("plan-data", [["18:00", "</script><b>3 MW"]]))
    body = block.removeprefix('<script type="application/json" id="plan-data">').removesuffix("</script>")
    assert "<" not in body
    assert json.loads(body) == [["18:00", "</script><b>3 MW"]]
