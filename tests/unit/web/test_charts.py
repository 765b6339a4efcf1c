"""What pictures share: curves that invent nothing, round axes, stars; the band's proportions; tank, ring, bar."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.web.charts.band import mosaic, zellige_band
from eureka_park.web.charts.shapes import line, nice_step, smooth, star, unit_for
from eureka_park.web.charts.tank import bar, ring, tank

POINTS = st.lists(st.tuples(st.floats(1, 50), st.floats(-400, 400)), min_size=3, max_size=60).map(
    lambda steps: [(sum(width for width, _ in steps[: at + 1]), y) for at, (_, y) in enumerate(steps)]
)
SHARES = st.dictionaries(st.sampled_from(["wind", "pv", "csp", "salt", "grid"]), st.floats(0.001, 400), min_size=1)
FIGURE = re.compile(r"-?\d+\.\d+")


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(str(svg))


def segments(path: str) -> list[tuple[float, ...]]:
    """Begin, two control points and end of each cubic of a path: eight numbers."""
    begin, *curves = path.removeprefix("M").split("C")
    at, found = tuple(map(float, begin.split())), []
    for curve in curves:
        numbers = tuple(map(float, curve.split()))
        found.append((*at, *numbers))
        at = numbers[-2:]
    return found


@given(POINTS)
def test_a_smooth_curve_never_overshoots(points: list[tuple[float, float]]) -> None:
    curves = segments(smooth(points))
    assert len(curves) == len(points) - 1
    for (begin, end), (x0, y0, x1, y1, x2, y2, x3, y3) in zip(pairwise(points), curves, strict=True):
        assert (x0, y0, x3, y3) == pytest.approx((*begin, *end), abs=0.006)
        low, high = min(y0, y3) - 0.02, max(y0, y3) + 0.02  # a cubic stays within the hull of its four points
        assert low <= y1 <= high and low <= y2 <= high
        assert x0 - 0.02 <= x1 <= x2 + 0.02 <= x3 + 0.04


@given(POINTS)
def test_a_smooth_curve_of_a_rising_series_only_rises(points: list[tuple[float, float]]) -> None:
    rising = list(zip((x for x, _ in points), sorted(y for _, y in points), strict=True))
    for _, y0, _, y1, _, y2, _, y3 in segments(smooth(rising)):
        heights = [
            (1 - t) ** 3 * y0 + 3 * t * (1 - t) ** 2 * y1 + 3 * t * t * (1 - t) * y2 + t**3 * y3
            for t in (index / 20 for index in range(21))
        ]
        assert all(after >= before - 0.03 for before, after in pairwise(heights))


def test_two_points_make_a_straight_line() -> None:
    assert smooth([(0, 0), (1, 2)]) == line([(0, 0), (1, 2)]) == "M0.00 0.00L1.00 2.00"


@given(st.floats(1e-9, 1e9), st.integers(2, 8))
def test_steps_of_an_axis_are_round_and_few(top: float, n_steps: int) -> None:
    step = nice_step(top, n_steps)
    digits = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(digits - round_one) for round_one in (1, 2, 2.5, 5, 10)) < 1e-6
    assert step * n_steps >= top * (1 - 1e-6)
    assert step * n_steps <= 2.5 * top * (1 + 1e-6)


@pytest.mark.parametrize(
    ("top_mw", "unit"), [(2500, "GW"), (1000, "GW"), (386, "MW"), (1, "MW"), (0.02, "kW"), (3e-5, "W"), (1e-9, "W")]
)
def test_the_unit_leaves_a_digit_before_the_point(top_mw: float, unit: str) -> None:
    assert unit_for(top_mw)[0] == unit


def test_a_star_has_sixteen_corners_on_two_circles() -> None:
    numbers = [float(number) for number in FIGURE.findall(star(10, 20, 8))]
    reaches = [math.hypot(x - 10, y - 20) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    assert len(reaches) == 16
    assert reaches[::2] == pytest.approx([8] * 8, abs=0.01)
    assert reaches[1::2] == pytest.approx([8 * math.cos(math.pi / 4) / math.cos(math.pi / 8)] * 8, abs=0.01)


@given(SHARES, st.integers(1, 200))
def test_every_stretch_of_the_band_keeps_the_proportions(shares: dict[str, float], n_stars: int) -> None:
    shown, total = mosaic(list(shares.items()), n_stars), sum(shares.values())
    assert len(shown) == n_stars
    for length in range(1, n_stars + 1):
        for css, amount in shares.items():
            given_stars, wanted = shown[:length].count(css), amount / total * length
            assert wanted - len(shares) < given_stars < wanted + 1 + 1e-6


def test_a_band_without_power_is_mute() -> None:
    assert mosaic([("wind", 0.0), ("grid", 0.0)], 3) == mosaic([], 3) == ["mute"] * 3


def test_the_band_is_well_formed_and_holds_the_pages_patterns_once() -> None:
    band = zellige_band([("wind", 1.0)], 5)
    assert [use.get("class") for use in parsed(band).findall(".//use")] == ["s-wind"] * 5
    assert str(band).count('id="hatch"') == 1
    assert "style=" not in band


@given(st.floats(-1, 2))
def test_a_tank_shows_its_level_within_its_walls(level: float) -> None:
    picture = tank(level, "58 %", "Salt <58 %>")
    wave = next(path for path in parsed(picture).iter("path") if path.get("class") == "molten")
    top = float((wave.get("d") or "").removeprefix("M4 ").split("q")[0])
    assert top == pytest.approx(134 - 124 * min(1.0, max(0.0, level)), abs=0.06)
    assert parsed(picture).get("aria-label") == "Salt <58 %>"


@given(SHARES)
def test_the_arcs_of_a_ring_go_once_round(shares: dict[str, float]) -> None:
    picture = parsed(ring([(css, css, amount) for css, amount in shares.items()], "1", "shares"))
    arcs, total = picture.findall("circle"), sum(shares.values())
    assert [arc.get("class") for arc in arcs] == [f"arc l-{css}" for css in shares]
    around = 2 * math.pi * 48
    for arc, amount in zip(arcs, shares.values(), strict=True):
        dash = float((arc.get("stroke-dasharray") or "").split()[0])
        assert dash == pytest.approx(max(0.5, amount / total * around - 1.5), abs=0.01)


def test_a_ring_and_a_bar_of_nothing_show_their_ground() -> None:
    assert [arc.get("class") for arc in parsed(ring([], "–", "none")).findall("circle")] == ["arc l-ground"]
    assert [part.get("class") for part in parsed(bar([("pv", "Sun", 0.0)], "none")).findall("rect")] == ["s-ground"]


@given(SHARES, st.one_of(st.none(), st.floats(1, 4)))
def test_a_bar_divides_its_width(shares: dict[str, float], of_whole: float | None) -> None:
    whole = sum(shares.values()) * of_whole if of_whole else None
    picture = parsed(bar([(css, css, amount) for css, amount in shares.items()], "shares", whole))
    parts = picture.findall("rect")[1:]
    assert sum(float(part.get("width") or 0) for part in parts) == pytest.approx(600 / (of_whole or 1), abs=0.1)
    for before, after in pairwise(parts):
        end = float(before.get("x") or 0) + float(before.get("width") or 0)
        assert float(after.get("x") or 0) == pytest.approx(end, abs=0.02)
