"""The power model of Slurm's jobs, and energy by hour."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.foundation.site_reading import load_site
from eureka_park.twin.core.slurm_power import ByHour, GpuPower, PowerModel, gpu_power


@pytest.mark.parametrize(
    ("kind", "rated_w"),
    [
        ("h100", 1275.0), ("NVIDIA_H100_80GB_HBM3", 1275.0), ("a100", 812.0), ("nvidia_a100-pcie-40gb", 300.0),
        ("tesla_v100-pcie", 250.0), ("a10", 150.0), ("l40s", 350.0), ("rtx_2080_ti", 250.0), ("", 300.0),
        ("warp9", 300.0),
    ],
)  # fmt: skip
def test_kinds_as_slurm_names_them(kind: str, rated_w: float) -> None:
    assert gpu_power(kind).rated_w == rated_w


def test_a_part_of_a_gpu_draws_its_part() -> None:
    whole, part = gpu_power("a100"), gpu_power("nvidia_a100_1g.5gb")
    assert part.rated_w == pytest.approx(whole.rated_w / 7)
    assert "1 of 7" in part.source


def test_an_h100_draws_what_the_built_in_site_says() -> None:
    (kind,) = load_site("eureka-park").nodes
    assert gpu_power("h100").rated_w == pytest.approx(kind.rated_kw * 1000 / kind.n_gpus)
    assert gpu_power("h100").idle_w == pytest.approx(kind.idle_kw * 1000 / kind.n_gpus, abs=0.6)


def test_power_of_jobs() -> None:
    power = PowerModel({"k": GpuPower(100.0, 300.0, False, "given")}, power_frac=0.5, pue=1.5)
    assert power.job_kw("K", 4, 32) == pytest.approx(4 * 200 * 1.5 / 1000)
    assert power.job_kw("", 0, 10) == pytest.approx(10 * 6 * 1.5 / 1000)


def test_intensities_by_hour_go_before_the_flat_one() -> None:
    power = PowerModel(gco2_per_kwh=500.0, gco2_by_hour={1: 50.0})
    assert power.intensities(0.0, 3).tolist() == [500.0, 50.0, 500.0]


@given(
    st.lists(
        st.tuples(st.floats(-7200.0, 30_000.0), st.floats(0.0, 40_000.0), st.floats(0.0, 9.0)), min_size=1, max_size=20
    )
)
def test_energy_by_hour_sums_to_power_times_time(jobs: list[tuple[float, float, float]]) -> None:
    start, span, kw = np.array(jobs).T
    by_hour = ByHour(0.0, 10, 1)
    by_hour.add(np.zeros(len(kw), dtype=np.int64), start, start + span, kw)
    inside = np.clip(start + span, 0, 36_000) - np.clip(start, 0, 36_000)
    hours = by_hour.hours()[0]
    assert hours.sum() == pytest.approx(float((kw * inside).sum()) / 3600.0, abs=1e-6)
    for hour in range(10):
        within = np.clip(start + span, hour * 3600, (hour + 1) * 3600) - np.clip(start, hour * 3600, (hour + 1) * 3600)
        assert hours[hour] == pytest.approx(float((kw * within).sum()) / 3600.0, abs=1e-6)
