"""Pictures of the verdict: areas add up, time runs left to right, nothing is cut or invented."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.web.charts import dispatch_week, duration, month_stack, pareto, year_heat
from eureka_park.web.charts.heat import N_CLASSES, class_of
from eureka_park.web.charts.month_stack import Month
from eureka_park.web.charts.plan import Layer
from eureka_park.web.pages.words import LANGUAGES, Words

MONTHS = [f"m{n}" for n in range(1, 13)]
WORDS = Words("en")


def read(svg: object) -> ElementTree.Element:
    return ElementTree.fromstring(str(svg))


def by_class(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [item for item in root.iter() if name in (item.get("class") or "").split()]


def boxes(path: str) -> list[tuple[float, float, float]]:
    """x, y and height of each box of a path."""
    found = re.findall(r"M([\d.]+) ([\d.]+)h[\d.]+v([\d.]+)h-[\d.]+z", path)
    return [(float(x), float(y), float(height)) for x, y, height in found]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=48, max_size=48))
def test_every_hour_stands_once_in_the_year(shares: list[float]) -> None:
    root = read(year_heat.year_heat(shares, MONTHS, "year"))
    drawn = {index: boxes(path.get("d") or "") for index in range(N_CLASSES) for path in by_class(root, f"yh-{index}")}
    for index in range(N_CLASSES):
        hours = sum(height for _, _, height in drawn.get(index, []))  # in hours; the group scales them
        assert hours == pytest.approx(sum(class_of(share) == index for share in shares))
    texts = [item.text for item in root.iter() if item.tag.endswith("text")]
    assert texts[-12:] == MONTHS


def test_days_of_the_year_go_from_left_to_right() -> None:
    shares = [0.0] * 24 + [1.0] * 24
    root = read(year_heat.year_heat(shares, MONTHS, "year"))
    first, last = (boxes(by_class(root, f"yh-{index}")[0].get("d") or "")[0][0] for index in (0, N_CLASSES - 1))
    assert first < last and root.get("direction") == "ltr"


def test_a_week_stacks_from_the_ground_to_the_load() -> None:
    layers = [Layer("wind", "Wind", [40.0] * 168), Layer("grid", "Grid", [60.0] * 168), Layer("pv", "PV", [0.0] * 168)]
    root = read(dispatch_week.dispatch_week(layers, 100.0, list("abcdefg"), WORDS, "week"))
    assert not by_class(root, "s-pv"), "what gives nothing is left out"
    ground, middle, top = (
        max(numbers(by_class(root, "s-wind")[0])), min(numbers(by_class(root, "s-wind")[0])),
        min(numbers(by_class(root, "s-grid")[0])),
    )  # fmt: skip
    assert ground == pytest.approx(dispatch_week.GROUND)
    assert (ground - middle) / (ground - top) == pytest.approx(0.4, abs=0.01)
    load = re.search(r"M[\d.]+ ([\d.]+)H", by_class(root, "load")[0].get("d") or "")
    assert load is not None and float(load[1]) == pytest.approx(top, abs=0.2)


def numbers(item: ElementTree.Element) -> list[float]:
    """Heights of a path of steps."""
    return [float(y) for y in re.findall(r"V([\d.]+)", item.get("d") or "")]


def test_months_add_up() -> None:
    months = [Month(name, [("wind", 10.0 + n), ("grid", 20.0)], "33 %") for n, name in enumerate(MONTHS)]
    root = read(month_stack.month_stack(months, WORDS, "months"))
    winds, grids = ([float(bar.get("height") or 0) for bar in by_class(root, f"s-{css}")] for css in ("wind", "grid"))
    assert len(winds) == len(grids) == 12
    for n in range(12):
        assert winds[n] / grids[n] == pytest.approx((10 + n) / 20, abs=0.01)
    assert [item.text for item in by_class(root, "over")] == ["33 %"] * 12


def test_duration_falls_and_names_its_axis() -> None:
    lines = [duration.Falling("0", "all", [300.0 - n for n in range(101)])]
    root = read(duration.duration_chart(lines, 386.0, "the load", WORDS, "sorted"))
    ys = [float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", by_class(root, "falling")[0].get("d") or "")]
    assert ys == sorted(ys) and len(ys) == 101
    assert by_class(root, "load") and by_class(root, "direct")[0].text == "the load"


def test_the_front_leaves_today_out() -> None:
    dots = [pareto.Dot(0.57, 1.0, "now", is_now=True), pareto.Dot(0.7, 0.8, "a"), pareto.Dot(0.9, 1.1, "b")]
    root = read(pareto.pareto_chart(dots, WORDS, "cost"))
    assert len(by_class(root, "dot")) == 2 and len(by_class(root, "dot-now")) == 1
    front = by_class(root, "front")[0].get("d") or ""
    assert front.count("L") == 1
    xs = [float(dot.get("cx") or 0) for dot in (*by_class(root, "dot-now"), *by_class(root, "dot"))]
    assert xs == sorted(xs)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_names_are_escaped_in_every_language(lang: str) -> None:
    words, bad = Words(lang), '<b>&"'
    pictures = (
        year_heat.year_heat([0.5] * 24, [bad] * 12, bad),
        dispatch_week.dispatch_week([Layer("wind", bad, [1.0] * 168)], 1.0, [bad] * 7, words, bad),
        month_stack.month_stack([Month(bad, [("wind", 1.0)], bad)] * 12, words, bad),
        duration.duration_chart([duration.Falling("0", bad, [1.0, 0.0])], 1.0, bad, words, bad),
        pareto.pareto_chart([pareto.Dot(0.5, 1.0, bad)], words, bad),
    )
    for picture in pictures:
        assert read(picture).get("aria-label") == bad
        assert "<b>" not in str(picture) and " style=" not in str(picture)
