"""Pictures drawn on the server: well-formed, safe, inside their frame and in proportion, over random plans."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.web.pages import charts

ZONES = [
    "Africa/Casablanca", "UTC", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Adelaide", "America/St_Johns",
    "Pacific/Chatham", "Australia/Lord_Howe", "Europe/Paris", "Pacific/Kiritimati",
]  # fmt: skip
TAGS = {"svg", "defs", "pattern", "rect", "path", "line", "text", "title", "g"}
ATTRIBUTES = {
    "class", "viewBox", "role", "direction", "aria-label", "aria-hidden", "preserveAspectRatio", "id", "width",
    "height", "patternUnits", "patternTransform", "transform", "d", "x", "y", "x1", "x2", "y1", "y2", "text-anchor",
}  # fmt: skip
NASTY = "<b onload=x>&\"'</svg><script>alert(1)</script>"
START_S = 1_795_348_800.0
DIGIT_PX = 6.7  # a digit of the ticks' 12 px, wide

names = st.one_of(
    st.just(NASTY), st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=12)
)
power = st.one_of(st.just(0.0), st.floats(1e-9, 5000.0))


@st.composite
def plans(draw: st.DrawFn) -> tuple[PowerPlan, dict[str, str]]:
    n = draw(st.integers(1, 30))
    series = st.lists(power, min_size=n, max_size=n).map(tuple)
    kinds = {f"plant-{index}": draw(st.sampled_from(charts.KIND_ORDER)) for index in range(draw(st.integers(0, 6)))}
    available = {name: draw(series) for name in kinds}
    clean = tuple(sum(values) for values in zip((0.0,) * n, *available.values(), strict=True))
    low, high = draw(st.floats(0.0, 1.0)), draw(st.floats(1.0, 2.0))
    grid = draw(st.one_of(st.just({}), st.fixed_dictionaries({"grid": series})))
    start_s = START_S + draw(st.integers(0, 400 * 24)) * 3600.0
    step_s = draw(st.sampled_from([900.0, 1800.0, 3600.0]))
    zero = (0.0,) * n
    plan = PowerPlan(
        "p", "s", start_s, start_s, step_s, draw(series), tuple(low * mw for mw in clean), clean,
        tuple(high * mw for mw in clean), zero, available, grid, zero, zero, zero, {}, {}, ((),) * n,
    )  # fmt: skip
    return plan, kinds


def read(picture: str) -> ET.Element:
    """The picture as XML; nothing in it that acts or styles."""
    root = ET.fromstring(picture)
    assert {item.tag for item in root.iter()} <= TAGS
    assert {name for item in root.iter() for name in item.attrib} <= ATTRIBUTES
    return root


def corners(root: ET.Element) -> list[tuple[float, float]]:
    """Every point that is drawn, the pattern's own square left out."""
    found = []
    for pattern in root.iter("defs"):
        pattern.clear()
    for item in root.iter():
        place = {name: float(item.get(name, 0.0)) for name in ("x", "y", "x1", "y1", "x2", "y2")}
        found += [(place["x1"], place["y1"]), (place["x2"], place["y2"]), (place["x"], place["y"])]
        if item.tag == "rect":
            found.append((place["x"] + float(item.get("width", 0)), place["y"] + float(item.get("height", 0))))
        for point in re.findall(r"[ML]([^MLZ]+)", item.get("d", "")):
            x, y = point.split()
            found.append((float(x), float(y)))
    return found


@given(plans(), st.sampled_from(ZONES), names, st.floats(-1e5, 1e6))
@settings(max_examples=30, deadline=None)
def test_plan_chart(planned: tuple[PowerPlan, dict[str, str]], zone: str, name: str, after_s: float) -> None:
    plan, kinds = planned
    sources = charts.sources_of(plan, kinds, dict.fromkeys(kinds, name))
    root = read(charts.plan_chart(plan, plan.start_s + after_s, sources, zone, name))
    assert root.get("aria-label") == name
    titles = [item.text or "" for item in root.iter("title")]
    assert set(titles) <= {name, "grid"}
    grid = max(plan.by_source_mw.get("grid", (0.0,)))
    assert len(titles) == sum(max(series) > 0 for series in plan.available_by_source_mw.values()) + (grid > 0)
    for x, y in corners(root):
        assert -0.01 <= x <= charts.WIDTH + 0.01 and -0.01 <= y <= charts.HEIGHT + 0.01
    for item in root.iter("text"):
        width = DIGIT_PX * len(item.text or "")
        if item.get("text-anchor") == "middle":
            assert width / 2 <= float(item.get("x", 0)) <= charts.WIDTH - 15


def ticks(plan: PowerPlan, zone: str) -> list[tuple[float, str]]:
    root = read(charts.plan_chart(plan, plan.start_s, [], zone, "t"))
    hours = [item for item in root.iter("text") if item.get("text-anchor") == "middle"]
    return [(float(item.get("x", 0)), item.text or "") for item in hours]


@given(plans(), st.sampled_from(ZONES))
@settings(max_examples=30, deadline=None)
def test_ticks_stand_at_round_hours_of_the_site(planned: tuple[PowerPlan, dict[str, str]], zone: str) -> None:
    plan, _ = planned
    width = charts.WIDTH - charts.LEFT - charts.RIGHT
    found = ticks(plan, zone)
    for x, text in found:
        at_s = plan.start_s + (x - charts.LEFT) / width * (plan.end_s - plan.start_s)
        local = datetime.fromtimestamp(round(at_s / 900) * 900, UTC).astimezone(ZoneInfo(zone))
        assert abs(at_s - round(at_s / 900) * 900) < 60
        assert f"{local:%H:%M}" == text and text in {"00:00", "06:00", "12:00", "18:00"}
    assert len(found) >= math.floor(
        (plan.end_s - plan.start_s) / 3600 / 7
    )  # one in six hours, seven when clocks change
    assert found == sorted(found)


@pytest.mark.parametrize("zone", ZONES)
def test_two_days_have_eight_or_nine_ticks_in_every_zone(zone: str) -> None:
    zero = (0.0,) * 48
    plan = PowerPlan(
        "p", "s", START_S, START_S, 3600.0, zero, zero, zero, zero, zero, {}, {}, zero, zero, zero, {}, {}, ((),) * 48
    )
    assert len(ticks(plan, zone)) in (8, 9)


@given(st.floats(1e-7, 1e7), st.integers(1, 12))
def test_steps_are_round(top: float, n_steps: int) -> None:
    step = charts.nice_step(top, n_steps)
    exponent = math.floor(math.log10(step) + 1e-9)
    part = Fraction(f"{step:.6e}") / Fraction(10) ** exponent
    assert part in {Fraction(1), Fraction(2), Fraction(5, 2), Fraction(5)}
    assert n_steps / 2.6 <= top / step <= n_steps * (1 + 1e-9)


@given(st.floats(1e-6, 1e5))
def test_axis_has_a_digit_before_the_point_and_few_lines(top_mw: float) -> None:
    unit, size = charts.unit_for(top_mw)
    assert top_mw / size >= 1 and (unit == "MW" or top_mw / size < 1000)
    unit, _ = charts.unit_for(top_mw * 1.04)  # the chart leaves air above
    series = (top_mw,)
    plan = PowerPlan(
        "p", "s", START_S, START_S, 3600.0, series, series, series, series, series, {}, {}, series, series, series,
        {}, {}, ((),),
    )  # fmt: skip
    root = read(charts.plan_chart(plan, START_S, [], "UTC", "t"))
    values = [item.text or "" for item in root.iter("text") if item.get("text-anchor") == "end"]
    assert 2 <= len(values) <= 6 and all(value.split()[1] == unit for value in values)
    numbers = [float(value.split()[0]) for value in values]
    assert numbers[0] == 0 and all(low < high for low, high in pairwise(numbers))
    assert all(DIGIT_PX * len(value) <= charts.LEFT - 4 for value in values) or top_mw >= 10_000


shares = st.lists(st.tuples(st.sampled_from(["wind", "pv", "salt0", "salt1", "grid"]), power), max_size=6)


@given(shares, names)
def test_share_bar_is_divided_in_proportion(amounts: list[tuple[str, float]], name: str) -> None:
    root = read(charts.share_bar([(css, name, amount) for css, amount in amounts], name))
    rects = [item for item in root.iter("rect") if (item.get("class") or "").startswith("s-")]
    total = sum(amount for _, amount in amounts)
    assert [item.get("class") for item in rects] == [f"s-{css}" for css, amount in amounts if amount > 0]
    for item, amount in zip(rects, [amount for _, amount in amounts if amount > 0], strict=True):
        assert float(item.get("width", 0)) == pytest.approx(600 * amount / total, abs=0.006)
        assert [title.text or "" for title in item] == [name]
    if rects:
        last = rects[-1]
        assert float(last.get("x", 0)) + float(last.get("width", 0)) == pytest.approx(600, abs=0.02)


@given(shares, st.integers(1, 96))
def test_band_of_stars_is_in_proportion(amounts: list[tuple[str, float]], n_stars: int) -> None:
    root = read(charts.zellige_band(amounts, n_stars))
    stars = [(item.get("class") or "").removeprefix("s-") for item in root.iter("g")]
    assert len(stars) == n_stars
    total = sum(amount for _, amount in amounts)
    if total <= 0:
        assert set(stars) == {"mute"}
        return
    assert "mute" not in stars
    for css in {css for css, _ in amounts}:
        parts = [amount for name, amount in amounts if name == css]
        assert abs(stars.count(css) - n_stars * sum(parts) / total) <= len(parts) + 1e-6
    width = 28 * n_stars
    assert all(-0.01 <= x <= width and -0.01 <= y <= 28.01 for x, y in corners(root))


def test_a_name_that_is_markup_stays_a_name() -> None:
    bar = charts.share_bar([("wind", NASTY, 1.0)], NASTY)
    assert "<script" not in bar and "<b" not in bar and bar.count("&lt;script&gt;") == 2
