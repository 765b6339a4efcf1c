"""The strip of best hours, and the picture of the park."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.web.charts.hours import ABOVE, END, GROUND, START, WIDTH, StartHour, hours_strip
from eureka_park.web.charts.welcome import welcome_picture
from eureka_park.web.pages.quotes import credits_text
from eureka_park.web.pages.words import Words

NOW_S = 1_795_348_800.0 + 1234
FIRST_S = NOW_S // 3600 * 3600 + 3600
PARTS = ("sun", "panels", "mirrors", "salt", "turbine", "campus", "grid", "wind")


def hours_of(prices: list[float], cleans: list[float]) -> list[StartHour]:
    starts = [NOW_S, *(FIRST_S + 3600 * index for index in range(len(prices) - 1))]
    return [StartHour(*item) for item in zip(starts, prices, cleans, strict=True)]


def bars(svg: str) -> list[dict[str, str]]:
    return [item.attrib for item in ElementTree.fromstring(svg) if item.tag == "rect"]


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0, 1)), min_size=1, max_size=60), st.integers(0, 59))
def test_bars_stand_within_the_picture_and_are_as_high_as_prices(pairs: list[tuple[float, float]], best: int) -> None:
    hours = hours_of(*(list(column) for column in zip(*pairs, strict=True)))  # type: ignore[arg-type]
    chosen = hours[best % len(hours)]
    drawn = bars(hours_strip(hours, Words("en"), "a < b", chosen.start_s, NOW_S))
    top = max(hour.energy_credits for hour in hours) or 1.0
    for item in drawn:
        x, y, width, height = (float(item[name]) for name in ("x", "y", "width", "height"))
        assert x >= START and x + width <= WIDTH - END + 0.01 and y >= ABOVE - 0.01 and y + height <= GROUND + 0.01
    total = sum(float(item["height"]) for item in drawn)
    wanted = sum(hour.energy_credits for hour in hours) / top * (GROUND - ABOVE)
    assert abs(total - wanted) <= 0.12 * len(hours)


def test_the_clean_part_stands_on_the_ground() -> None:
    drawn = bars(hours_strip(hours_of([4.0, 4.0], [0.25, 1.0]), Words("en"), "x", None, NOW_S))
    assert [item["class"] for item in drawn] == ["s-clean", "s-grid", "s-clean"]
    clean, bought = drawn[0], drawn[1]
    assert float(clean["y"]) + float(clean["height"]) == GROUND
    assert float(clean["height"]) / float(bought["height"]) == pytest.approx(1 / 3, rel=1e-3)


def test_what_comes_too_late_is_dim_and_the_best_is_marked() -> None:
    hours = [*hours_of([3.0, 2.0, 1.0], [1, 1, 1])[:2], StartHour(FIRST_S + 3600, 1.0, 1.0, is_too_late=True)]
    svg = hours_strip(hours, Words("en"), "x", hours[1].start_s, NOW_S)
    assert [item["class"] for item in bars(svg)] == ["s-clean", "s-clean", "s-clean late"]
    assert svg.count('class="best"') == 1 and svg.count('class="now"') == 1
    assert 'class="best"' not in hours_strip(hours, Words("en"), "x", None, NOW_S)


def test_hours_are_told_by_the_sites_clock() -> None:
    hours = hours_of([1.0] * 48, [1.0] * 48)
    texts = re.findall(
        r'text-anchor="middle">([^<]+)<', hours_strip(hours, Words("en", "Asia/Kathmandu"), "x", None, NOW_S)
    )
    assert [text for text in texts if ":" in text] == ["00:00", "12:00"] * 2
    assert "tomorrow" in texts


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (0, "0"),
        (0.0012345, "0.00123"),
        (0.10296, "0.103"),
        (1.5, "1.50"),
        (12.345, "12.3"),
        (1234.5, "1,234"),
        (1e-9, "0.000000"),
    ],
)
def test_credits_keep_three_figures(amount: float, shown: str) -> None:
    assert credits_text(Words("en"), amount).strip("\u2068\u2069") == shown


@pytest.mark.parametrize("level", [None, -1.0, 0.0, 0.42, 1.0, 3.0])
def test_the_picture_is_sound_and_names_its_parts(level: float | None) -> None:
    names = {part: f"the {part} & more" for part in PARTS}
    picture = welcome_picture(names, 'a "label"', level)
    wide, narrow = ElementTree.fromstring(f"<div>{picture}</div>")
    for drawn, left_out in ((wide, set()), (narrow, {"panels", "grid"})):
        told = {item.text for item in drawn.iter("text")}
        assert told == {names[part] for part in PARTS if part not in left_out}
        assert drawn.attrib["aria-label"] == 'a "label"'
        width = float(drawn.attrib["viewBox"].split()[2])
        assert all(0 < float(item.attrib["x"]) < width for item in drawn.iter("text"))
    ids = re.findall(r' id="([^"]+)"', picture)
    assert len(ids) == len(set(ids)) and " style=" not in picture


def test_the_hot_tank_is_as_full_as_the_salt() -> None:
    def top_of(level: float) -> float:
        drawn = welcome_picture({"salt": "salt"}, "x", level)
        return float(re.findall(r'class="s-salt wave" d="M\S+ (\S+?)q', drawn)[0])

    assert top_of(0.2) > top_of(0.5) > top_of(0.9)
    assert top_of(0.1) - top_of(0.5) == pytest.approx(74 * 0.4, abs=0.2)
