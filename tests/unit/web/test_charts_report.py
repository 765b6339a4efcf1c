"""Pictures of the twin's report: what they show stands where it must, whatever the numbers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.web.charts.energy_flow import Giver, Taker, energy_flow
from eureka_park.web.charts.fair_dots import Tenant, fair_dots
from eureka_park.web.charts.plan import Layer
from eureka_park.web.charts.report_heat import Column, report_heat
from eureka_park.web.charts.report_power import NARROW, WIDE, Marks, report_power, top_of
from eureka_park.web.charts.sample_gantt import Job, Scene, sample_gantt
from eureka_park.web.charts.share_bars import ShareRow, share_bars
from eureka_park.web.charts.wait_lines import Spread, wait_lines
from eureka_park.web.pages.words import Words

WORDS = Words("en")
powers = st.lists(st.floats(0.0, 1e4), min_size=3, max_size=3)


def numbers(path: str, sign: str) -> list[float]:
    return [float(found) for found in re.findall(rf"{sign}(-?[\d.]+)", path)]


@settings(max_examples=40)
@given(used=powers, rest=powers, load=powers, top=st.sampled_from([0.0, 5.0]))
def test_power_stays_inside_its_field(used: list[float], rest: list[float], load: list[float], top: float) -> None:
    layers = [Layer("direct", "a", used), Layer("direct rest", "b", rest)]
    drawn = report_power(layers, load, Marks([(0, "Mon")]), WORDS, "x", frame=NARROW, top_mw=top)
    for path in re.findall(r' d="(M[^"]*)"', drawn):
        assert all(NARROW.start <= x <= NARROW.width for x in numbers(path, "H"))
        assert all(NARROW.above - 0.1 <= y <= NARROW.ground + 0.1 for y in numbers(path, "V"))


def test_a_plenty_of_unused_power_does_not_press_the_load_down() -> None:
    assert top_of([10.0], [1.0]) == pytest.approx(2.4 * 1.04)
    assert top_of([1.2], [1.0]) == pytest.approx(1.2 * 1.04)
    assert top_of([0.0], [0.0]) > 0.0


def test_a_stretch_of_hours_is_one_box_and_hours_without_a_layer_have_none() -> None:
    layers = [Layer("salt", "a", [1.0, 1.0, 0.0, 0.0, 2.0])]
    drawn = report_power(layers, [1.0] * 5, Marks([]), WORDS, "x", frame=WIDE)
    path = re.search(r'class="s-salt" d="([^"]*)"', drawn)
    assert path is not None and path[1].count("M") == path[1].count("Z") == 2


def test_a_cell_for_every_hour_there_is() -> None:
    columns = [Column([0.1, None, *[0.9] * 22], "Mon"), Column([None] * 24), Column([1.0] * 24, "Wed")]
    drawn = report_heat(columns, "x")
    cells = sum(int(n) for path in re.findall(r'yh-\d" d="([^"]*)"', drawn) for n in re.findall(r"v(\d+)h", path))
    assert cells == 23 + 24


def test_waits_stand_on_one_axis_from_short_to_long() -> None:
    waits = {"mean": 400.0, "p50": 0.0, "p95": 3600.0, "p99": 90_000.0}
    drawn = wait_lines([("Firm", [Spread("by job", "firm", waits)])], WORDS, "x")
    reach = re.search(r'class="reach w-firm" d="M([\d.]+) [\d.]+H([\d.]+)', drawn)
    bulk = re.search(r'class="bulk w-firm" d="M([\d.]+) [\d.]+H([\d.]+)', drawn)
    mean = re.search(r'class="mean" d="M([\d.]+)', drawn)
    assert reach is not None and bulk is not None and mean is not None
    assert float(reach[1]) == float(bulk[1]) < float(mean[1]) + 5 < float(bulk[2]) < float(reach[2]) < 760


def test_the_flow_is_mirrored_where_the_language_begins_on_the_right() -> None:
    givers = [Giver("grid", "Grid", 1.0, 0.0, "1"), Giver("salt", "Salt", 3.0, 2.0, "5")]
    takers = [Taker("firm", "Firm", 4.0, "4")]
    plain, mirrored = (
        energy_flow(givers, takers, "meter", Taker("rest-all", "Rest", 2.0, "2"), "x", is_mirrored=is_mirrored)
        for is_mirrored in (False, True)
    )
    firsts = [re.search(r'<rect class="s-grid" x="([\d.]+)"', one) for one in (plain, mirrored)]
    assert firsts[0] is not None and firsts[1] is not None
    assert float(firsts[0][1]) + float(firsts[1][1]) + 12.0 == pytest.approx(760.0)
    assert plain.count('class="ribbon') == 4, "one from each source, one past the meter, one to the taker"


def test_tenants_beyond_the_axis_stand_at_its_edge() -> None:
    drawn = fair_dots([Tenant("a", 1e3, 1e9), Tenant("b", 10.0, 1e-9), Tenant("c", 0.0, 1.0)], WORDS, "x", "GPU hours")
    ys = [float(y) for y in re.findall(r"M[\d.]+ ([\d.]+)h0", drawn)]
    assert len(ys) == 2 and min(ys) == 26.0 and max(ys) == 212.0
    assert fair_dots([], WORDS, "x", "y") == ""


def test_jobs_lie_within_the_days_that_are_shown() -> None:
    jobs = [
        Job("waits", "t", 0.0, None, None), Job("runs on", "t", -500.0, 100.0, None, 1e9),
        Job("done", "t", 10.0, 20.0, 30.0, 3000.0, n_pauses=2), Job("later", "t", 1e9, 2e9, 3e9),
    ]  # fmt: skip
    drawn = sample_gantt(Scene(0.0, 7200.0, [("flex", "Flexible", jobs)], [1.0, 0.2], "share"), WORDS, "x")
    assert drawn.count("<title>") == 4 and drawn.count('class="due"') == 1
    assert drawn.count('class="thread"') == 3 and drawn.count('class="b-flex"') == 2
    for x, width in re.findall(r'class="b-flex" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawn):
        assert float(x) >= 178.0 and float(x) + float(width) <= 760.0


@given(st.floats(-1.0, 2.0))
def test_a_bar_is_never_longer_than_the_whole(frac: float) -> None:
    drawn = share_bars([ShareRow("a", "flex", frac, "x")], "x")
    whole, part = (float(width) for width in re.findall(r'<rect class="[^"]*" x="[\d.]+" width="([\d.]+)"', drawn))
    assert 0.0 <= part <= whole
