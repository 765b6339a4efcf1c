"""Sankey, heat map, curve and live series: areas that add up, order, mirroring, gaps."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.web.charts.curve import Step, curve_chart, step_at
from eureka_park.web.charts.heat import AHEAD, FORECAST, METERED, UNREAD, Cell, Row, class_of, heat_map, swatch
from eureka_park.web.charts.live import Series, series_json, with_gaps
from eureka_park.web.charts.sankey import Node, sankey, stacked
from eureka_park.web.pages.words import LANGUAGES, Words

SOURCES = [
    Node("koudia", "wind", "Koudia", "3 Wh", "Koudia gave 3 Wh"),
    Node("grid", "grid", "Grid", "1 Wh", "Grid gave 1 Wh"),
]
TARGETS = [Node("firm", "ink", "firm", "2 Wh"), Node("idle", "mute", "idle", "2 Wh")]
AMOUNTS = {("koudia", "firm"): 2.0, ("koudia", "idle"): 1.0, ("grid", "idle"): 1.0}


def read(svg: object) -> ElementTree.Element:
    return ElementTree.fromstring(str(svg))


def by_class(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [item for item in root.iter() if name in (item.get("class") or "").split()]


def numbers(path: str) -> list[float]:
    return [float(part) for part in re.findall(r"-?\d+\.?\d*", path)]


# -- sankey ------------------------------------------------------------------------------------------------------------
def test_one_ribbon_for_each_flow_as_thick_as_its_amount() -> None:
    root = read(sankey(SOURCES, TARGETS, AMOUNTS, "Flows"))
    ribbons = by_class(root, "ribbon")
    assert [ribbon.get("class") for ribbon in ribbons] == ["ribbon s-wind", "ribbon s-wind", "ribbon s-grid"]
    thick = [
        numbers((ribbon.get("d") or "").split("V")[1])[0] - numbers((ribbon.get("d") or "").split("V")[0])[-1]
        for ribbon in ribbons
    ]
    assert thick == pytest.approx([130, 65, 65], abs=0.02)  # of 260 for all


def test_sources_can_be_reached_and_read_by_keyboard() -> None:
    groups = by_class(read(sankey(SOURCES, TARGETS, AMOUNTS, "Flows")), "flow")
    assert [(group.get("tabindex"), group.get("aria-label")) for group in groups] == [
        ("0", "Koudia gave 3 Wh"), ("0", "Grid gave 1 Wh"),
    ]  # fmt: skip


def test_it_begins_where_the_language_begins() -> None:
    def bar_x(is_mirrored: bool) -> list[float]:
        root = read(sankey(SOURCES, TARGETS, AMOUNTS, "Flows", is_mirrored=is_mirrored))
        return [float(item.get("x") or 0) for item in root.iter("rect")]

    left_to_right, mirrored = bar_x(False), bar_x(True)
    assert left_to_right[0] < left_to_right[-1] and mirrored[0] > mirrored[-1]
    assert [960 - 12 - x for x in left_to_right] == pytest.approx(mirrored)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8))
def test_bars_do_not_touch_and_share_the_height(sums: list[float]) -> None:
    total = sum(sums) or 1.0
    bars = stacked(sums, total)
    for before, after in pairwise(bars):
        assert before.y + before.height < after.y
    for bar, amount in zip(bars, sums, strict=True):
        assert bar.height == pytest.approx(max(1.5, 260 * amount / total))


# -- heat map ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("frac", "found"), [(-0.1, 0), (0, 0), (0.199, 0), (0.2, 1), (0.6, 3), (0.99, 4), (1, 4), (1.2, 4)]
)
def test_shares_fall_into_fifths(frac: float, found: int) -> None:
    assert class_of(frac) == found


def test_squares_are_metered_discs_are_forecast_strokes_are_unread() -> None:
    cells = [Cell(METERED, 0.9), Cell(FORECAST, 0.1), Cell(UNREAD), *[Cell(AHEAD)] * 21]
    root = read(heat_map([Row("today", cells)], [f"{hour:02d}:00" for hour in range(24)], "Shares", (0, 1.5)))
    assert [item.tag for item in by_class(root, "h-4")] == ["rect"]
    assert [item.tag for item in by_class(root, "h-0")] == ["circle"]
    assert len(by_class(root, "h-unread")) == len(by_class(root, "h-stroke")) == 1
    assert len(by_class(root, "h-ahead")) == 21
    (now,) = by_class(root, "now")
    start, column = float(root.get("data-x0") or 0), (960 - 112 - 8) / 24
    assert float(now.get("x1") or 0) == pytest.approx(start + 1.5 * column, abs=0.01)
    assert [item.text for item in by_class(root, "tick")][:3] == ["00:00", "03:00", "06:00"]


def test_a_swatch_is_one_cell() -> None:
    assert by_class(read(swatch(FORECAST, 3)), "h-3")[0].tag == "circle"


# -- curve -------------------------------------------------------------------------------------------------------------
STEPS = [Step(40.0, 180.0, "wind", "Koudia"), Step(60.0, 500.0, "salt", "Noor <I>"), Step(446.0, 814.0, "grid", "Grid")]


def test_steps_rise_to_the_right_and_the_grid_is_the_last() -> None:
    root = read(curve_chart(STEPS, Words("en"), "Price", 50.0))
    steps = list(root.iter("rect"))
    assert [item.get("class") for item in steps] == ["s-wind", "s-salt", "s-grid"]
    heights = [float(item.get("height") or 0) for item in steps]
    assert heights == sorted(heights)
    widths = [float(item.get("width") or 0) for item in steps]
    assert widths[0] / widths[1] == pytest.approx(2.0, rel=0.01)
    assert len(by_class(root, "now")) == 1


@pytest.mark.parametrize(
    ("mw", "name"), [(0, "Koudia"), (39.9, "Koudia"), (40, "Noor <I>"), (445, "Grid"), (9999, "Grid")]
)
def test_the_next_megawatt_comes_from_the_step_it_falls_into(mw: float, name: str) -> None:
    assert step_at(STEPS, mw).name == name


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("scale", [1e-7, 1e-3, 1.0])
def test_a_curve_of_any_size_in_any_language(lang: str, scale: float) -> None:
    steps = [Step(step.up_to_mw * scale, step.mad_per_mwh, step.css, step.name) for step in STEPS]
    root = read(curve_chart(steps, Words(lang), "Price", None, is_narrow=True))
    assert 4 <= len(by_class(root, "tick")) <= 20
    assert not by_class(root, "now")


# -- live --------------------------------------------------------------------------------------------------------------
def test_series_are_told_as_the_island_takes_them() -> None:
    told = json.loads(series_json([Series("a", "drawn «é»", "--ink"), Series("b", "clean", "--wind", is_filled=True)]))
    assert told == [
        {"key": "a", "name": "drawn «é»", "colour": "--ink"},
        {"key": "b", "name": "clean", "colour": "--wind", "fill": True},
    ]


def test_a_long_silence_breaks_the_line() -> None:
    rows = [
        {"from_s": 0.0, "at_s": 60.0, "site_w": 30.0},
        {"from_s": 60.0, "at_s": 120.0, "site_w": 40.0},
        {"from_s": 7200.0, "at_s": 7260.0, "site_w": 50.0},
    ]
    answer = with_gaps(rows, {0: 1e-5, 2: 2e-5}, 900.0)
    assert answer["times_s"] == [60.0, 120.0, 3660.0, 7260.0]
    assert answer["series"]["drawn_mw"] == pytest.approx([3e-5, 4e-5, None, 5e-5], nan_ok=True)
    assert answer["series"]["clean_mw"] == [1e-5, 1e-5, None, 2e-5]


def test_no_reading_is_an_empty_answer() -> None:
    assert with_gaps([], {}, 900.0) == {"times_s": [], "series": {"drawn_mw": [], "clean_mw": []}}
