"""The cap curve: it passes through what was measured, never falls, and says why another one cannot be used."""

from __future__ import annotations

import csv
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.shared_data import DATA

from eureka_park.foundation.cap_curve import CAP_CURVE, CapRow, curve_fault, power_frac, speed_frac

SWEEP = DATA / "traces" / "emerald_dvfs_sweep.csv"
CAPS = st.floats(0.0, 1.0)


@pytest.mark.parametrize("row", CAP_CURVE)
def test_it_passes_through_its_points(row: CapRow) -> None:
    assert (power_frac(row[0]), speed_frac(row[0])) == pytest.approx(row[1:])


def test_between_points_it_is_straight_and_below_them_careful() -> None:
    assert power_frac(0.875 + 0.0625) == pytest.approx(0.95) and speed_frac(0.6875) == pytest.approx(0.875)
    assert power_frac(0.1) == 0.27, "no power saved that nobody measured"
    assert speed_frac(0.125) == pytest.approx(0.105) and speed_frac(0.0) == 0.0
    assert power_frac(0.62) == pytest.approx(0.6548) and speed_frac(0.62) == pytest.approx(0.8356)


@given(CAPS, CAPS)
def test_it_never_falls_and_stays_within_none_and_all(a: float, b: float) -> None:
    low, high = sorted((a, b))
    for frac in (power_frac, speed_frac):
        assert 0.0 <= frac(low) <= frac(high) <= 1.0


@given(st.floats(0.5, 1.0))
def test_down_to_half_a_cap_gives_more_work_for_its_power(cap_frac: float) -> None:
    assert speed_frac(cap_frac) >= power_frac(cap_frac)


@pytest.mark.parametrize(
    ("curve", "at"),
    [
        (CAP_CURVE, None),
        ((), None),
        (((1.0, 1.0, 1.0),), None),
        (((0.5, 0.5, 0.5),), (0, "cap_frac")),
        (((0.5, 0.5, 0.5), (1.0, 0.9, 1.0)), (1, "cap_frac")),
        (((0.5, 0.5, 0.5), (0.5, 0.6, 0.6), (1.0, 1.0, 1.0)), (1, "cap_frac")),
        (((0.5, 0.6, 0.5), (0.7, 0.5, 0.6), (1.0, 1.0, 1.0)), (1, "power_frac")),
        (((0.5, 0.5, 0.7), (0.7, 0.6, 0.6), (1.0, 1.0, 1.0)), (1, "speed_frac")),
    ],
)
def test_an_unusable_curve_is_told(curve: tuple[CapRow, ...], at: tuple[int, str] | None) -> None:
    fault = curve_fault(curve)
    assert (None if fault is None else fault[:2]) == at


@pytest.mark.skipif(not SWEEP.is_file(), reason=f"no measured sweep at {SWEEP}")
def test_the_table_is_the_mean_of_the_sweep() -> None:
    rows = list(csv.DictReader(SWEEP.read_text().splitlines()))
    uncapped_w = {row["Workload"]: float(row["power per GPU"]) for row in rows if row["GPU power cap"] == "400"}
    found: dict[float, list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        part = float(row["power per GPU"]) / uncapped_w[row["Workload"]]
        found[float(row["GPU power cap"]) / 400.0].append((part, float(row["normalized throughput"])))
    means = [(cap, *(sum(column) / len(column) for column in zip(*found[cap], strict=True))) for cap in sorted(found)]
    assert {len(points) for points in found.values()} == {8}
    assert [mean for row in means for mean in row] == pytest.approx([x for row in CAP_CURVE for x in row], abs=0.005)
