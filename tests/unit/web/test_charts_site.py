"""The map and the machines: widths by what flows, places, hatched grid, squares that add up."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.web.charts.machines import Taken, machines, nodes_to_a_square, processors, units_drawn
from eureka_park.web.charts.schematic import COAST, PLACES, STRAND_PX, Line, Plant, Scene, offset, schematic, strands

OUARZAZATE = Line(
    "ouarzazate",
    "Ouarzazate",
    [Plant("noor-i", "salt", "Noor I", "80 MW", 0.5, "50 %"), Plant("noor-iv", "pv", "Noor <IV>", "0 MW", 0.0, "0 %")],
    [("salt", 80.0), ("pv", 0.0)],
    ["4 % lost"],
    True,
)
KOUDIA = Line("koudia", "Koudia", [Plant("koudia", "wind", "Koudia", "40 MW", 0.4)], [("wind", 40.0)])
SCENE = Scene("Tétouan", "draws 100 MW", [OUARZAZATE, KOUDIA], 30.0, "Grid", "30 MW for all", "30 MW", 386.0)
ROOF = Line("campus", "Campus", [Plant("roof", "pv", "Roof", "9 kW", 0.3)], [("pv", 0.009)], ["2 % lost"])


def drawn(scene: Scene = SCENE, *, is_narrow: bool = False) -> ElementTree.Element:
    return ElementTree.fromstring(str(schematic(scene, "The <map>", is_narrow=is_narrow)))


def by_class(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [item for item in root.iter() if name in (item.get("class") or "").split()]


def test_the_coast_runs_in_eight_directions() -> None:
    for (x0, y0), (x1, y1) in pairwise(COAST):
        assert x0 == x1 or y0 == y1 or abs(x1 - x0) == abs(y1 - y0), ((x0, y0), (x1, y1))


@given(st.lists(st.floats(0, 400), min_size=1, max_size=4))
def test_strands_are_as_wide_as_what_flows_and_lie_side_by_side(powers: list[float]) -> None:
    found = strands([(f"k{index}", mw) for index, mw in enumerate(powers)], 400.0)
    assert [css for css, _, _ in found] == [f"k{index}" for index, mw in enumerate(powers) if mw > 0]
    for (_, width, _), mw in zip(found, (mw for mw in powers if mw > 0), strict=True):
        assert width == pytest.approx(max(1.2, STRAND_PX * mw / 400))
    for (_, thick, across), (_, thin, beside) in pairwise(found):
        assert beside - across == pytest.approx((thick + thin) / 2)


@given(st.floats(-12, 12))
def test_a_line_beside_another_keeps_its_distance_round_a_corner(by: float) -> None:
    straight = [(0.0, 100.0), (0.0, 50.0), (50.0, 0.0)]
    beside = offset(straight, by)
    for ((x0, y0), (x1, y1)), (px, py) in zip(
        [*pairwise(straight), *pairwise(straight)], [*beside[:2], *beside[1:]], strict=True
    ):
        across = (px - x0) * (y1 - y0) - (py - y0) * (x1 - x0)
        assert abs(across) / math.hypot(x1 - x0, y1 - y0) == pytest.approx(abs(by), abs=1e-9)


def test_known_places_are_drawn_on_the_land_and_every_plant_leads_to_its_card() -> None:
    root = drawn()
    assert by_class(root, "land") and by_class(root, "peak") and by_class(root, "coast")
    links = by_class(root, "plant")
    assert [link.get("href") for link in links] == ["#plant-noor-i", "#plant-noor-iv", "#plant-koudia"]
    assert links[1].get("aria-label") == "Noor <IV> 0 MW"
    assert root.get("role") == "group" and root.get("aria-label") == "The <map>" and root.get("direction") == "ltr"


def test_what_gives_nothing_has_no_strand_and_the_grid_is_hatched() -> None:
    root = drawn()
    assert [len(by_class(root, f"l-{css}")) for css in ("salt", "wind")] == [2, 2]  # its strand and its gauge
    assert len(by_class(root, "l-pv")) == 1  # the gauge alone
    assert len(by_class(root, "wire-hatch")) == 2  # the grid's own line, and the one through the grid


def test_gauges_tell_the_share_of_the_most() -> None:
    dashes = {
        item.get("class"): float((item.get("stroke-dasharray") or "0").split()[0]) / (2 * math.pi * 18)
        for item in by_class(drawn(), "gauge")
        if item.get("stroke-dasharray")
    }
    assert dashes["gauge l-salt"] == pytest.approx(0.5, abs=0.01)
    assert dashes["gauge l-wind"] == pytest.approx(0.4, abs=0.01)


def test_a_phone_gets_shares_and_keeps_the_notes_for_the_page() -> None:
    wide, narrow = ("".join(root.itertext()) for root in (drawn(), drawn(is_narrow=True)))
    assert "4 % lost" in wide and "80 MW" in wide and "30 MW for all" in wide
    assert "4 % lost" not in narrow and "50 %" in narrow and "30 MW for all" not in narrow


def test_a_site_of_its_own_is_laid_out_plainly() -> None:
    root = drawn(replace(SCENE, lines=[ROOF]))
    assert not by_class(root, "land")
    assert [link.get("href") for link in by_class(root, "plant")] == ["#plant-roof"]
    assert "2 % lost" in "".join(root.itertext())


def test_a_site_without_plants_has_its_grid_alone() -> None:
    root = drawn(replace(SCENE, lines=[]))
    assert not by_class(root, "plant") and by_class(root, "wire-hatch") and by_class(root, "campus")


@pytest.mark.parametrize("is_narrow", [False, True])
@pytest.mark.parametrize(
    "lines", [[OUARZAZATE, KOUDIA], [ROOF], [replace(ROOF, place="a"), replace(ROOF, place="b")], []]
)
def test_words_stand_inside_the_picture(lines: list[Line], is_narrow: bool) -> None:
    root = drawn(replace(SCENE, lines=lines), is_narrow=is_narrow)
    _, _, width, height = map(float, (root.get("viewBox") or "").split())
    for item in root.iter("text"):
        x, y, size = float(item.get("x") or 0), float(item.get("y") or 0), 7.2 * len(item.text or "")
        begin = x - {"start": 0.0, "middle": size / 2, "end": size}[item.get("text-anchor") or "start"]
        assert begin >= -4 and begin + size <= width + 4 and 8 <= y <= height, item.text


def test_every_known_place_is_on_the_map() -> None:
    assert set(PLACES) == {"ouarzazate", "koudia"}


# -- machines ----------------------------------------------------------------------------------------------------------
def area(root: ElementTree.Element, css: str) -> float:
    return sum(float(item.get("width") or 0) * float(item.get("height") or 0) for item in by_class(root, css))


@given(st.lists(st.floats(0.05, 3), max_size=8), st.integers(1, 64))
def test_squares_fill_by_what_jobs_take(units: list[float], n_units: int) -> None:
    jobs = [Taken("n", "running", part, f"job {index}") for index, part in enumerate(units)]
    root = ElementTree.fromstring(str(processors(n_units, jobs, "Processors")))
    free = by_class(root, "m-free")
    assert len(free) == n_units
    side = float(free[0].get("width") or 0)
    assert area(root, "m-running") / side**2 == pytest.approx(
        min(n_units, sum(units)), abs=0.02 * (len(units) + n_units)
    )


def test_a_cap_lowers_the_square_and_stillness_is_barred() -> None:
    jobs = [Taken("n", "running", 1, "half", cap_frac=0.5), Taken("n", "frozen", 1, "still", "/jobs/job-1")]
    root = ElementTree.fromstring(str(processors(2, jobs, "Processors")))
    side = float(by_class(root, "m-free")[0].get("width") or 0)
    assert area(root, "m-capped") == pytest.approx(side * side / 2)
    assert len(by_class(root, "m-still")) == 1
    (link,) = root.iter("a")
    assert link.get("href") == "/jobs/job-1" and link.get("aria-label") == "still"


@pytest.mark.parametrize(("n_nodes", "each"), [(1, 1), (1024, 1), (2400, 3), (32768, 32)])
def test_many_machines_share_squares(n_nodes: int, each: int) -> None:
    assert nodes_to_a_square(n_nodes) == each
    root = ElementTree.fromstring(str(machines(n_nodes, {0: 1.0, n_nodes - 1: 1.0}, "All")))
    (free,) = by_class(root, "m-free")
    assert len(re.findall("M", free.get("d") or "")) == math.ceil(n_nodes / each)
    assert len(by_class(root, "m-running")) == (1 if n_nodes == 1 else 2)
    assert area(root, "m-running") == pytest.approx(121 * len(by_class(root, "m-running")) / each, rel=0.02)


def test_few_machines_are_drawn_processor_by_processor() -> None:
    assert units_drawn(1, 136) and units_drawn(4, 136) and not units_drawn(2400, 232)
