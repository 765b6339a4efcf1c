"""Start-ups and least load: by hand, in order, and with the figures of the plant data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.helpers.dispatch_cases import weeks

from eureka_park.energy.core.dispatch import DispatchProblem, SaltPlant, dispatch
from eureka_park.energy.core.linear_program import Options
from eureka_park.energy.core.start_ups import n_starts, with_start_ups
from eureka_park.foundation.site_reading import load_site

PARK = load_site("eureka-park")


def hours(load: list[float], price: list[float], start_up: str, *, tank: float = 40.0) -> DispatchProblem:
    """A block of 20 MW heat (half comes out, at least 8 MW), a full tank, 6 MWh of heat a start."""
    n = len(load)
    salt = SaltPlant(np.zeros(n), 20.0, 0.5, 1.0, 40.0, tank, 0.0, 0.4, 6.0)
    return DispatchProblem(
        np.array(load), {"noor-i": salt}, {}, np.array(price), np.zeros(n), 100.0, 0.0, 0.0, n_import_blocks=1,
        n_draw_blocks=1, start_up=start_up,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_start_takes_heat_and_is_worth_it_only_for_a_dear_hour() -> None:
    price = [100.0, 900.0, 100.0, 800.0]
    plain, whole = dispatch(hours([10] * 4, price, "none")), dispatch(hours([10] * 4, price, "whole"))
    assert plain.power_mw["noor-i"] == pytest.approx([0, 10, 0, 10], abs=1e-6)
    # On from the beginning: staying on through the cheap hour at least load costs more heat than one start.
    assert whole.power_mw["noor-i"][1] == pytest.approx(10, abs=1e-6)
    assert whole.power_mw["noor-i"].sum() < 20 - 1e-6
    assert set(np.round(whole.is_on["noor-i"], 6)) <= {0.0, 1.0}


def test_a_running_block_keeps_its_least_load_or_stops() -> None:
    answer = dispatch(hours([2.0, 2.0], [500.0, 500.0], "whole"))
    assert answer.power_mw["noor-i"] == pytest.approx([0, 0], abs=1e-6)  # 4 MW at least, and nothing can be sold
    assert answer.import_mw == pytest.approx([2, 2], abs=1e-6)


def test_plain_is_cheapest_then_relaxed_then_whole_numbers() -> None:
    for load_mw in (386.0, 150.0):
        problem = weeks(3 * 24, load_mw)
        asked = with_start_ups(problem, PARK)
        plain, relaxed = dispatch(problem), dispatch(asked)
        whole = dispatch(replace(asked, start_up="whole"), Options(gap_frac=1e-3))
        slack = 1e-3 * abs(whole.objective)
        assert plain.objective <= relaxed.objective + 1e-6 * abs(relaxed.objective) <= whole.objective + slack
        assert sum(n_starts(asked, whole).values()) <= sum(n_starts(problem, plain).values())
        assert np.abs(whole.residual_mw).max() < 1e-3


def test_figures_come_from_the_plant_data() -> None:
    asked = with_start_ups(weeks(24), PARK)
    assert asked.start_up == "relaxed"
    for name, start_frac in (("noor-i", 0.2), ("noor-iii", 0.5)):
        plant = asked.salt[name]
        assert plant.min_load_frac == 0.2
        assert plant.start_mwh_th == pytest.approx(start_frac * plant.power_block_mw_th)


def test_starts_are_counted_in_a_circle() -> None:
    problem = replace(hours([10] * 4, [100.0, 900.0, 100.0, 800.0], "none"), is_cyclic=False)
    assert n_starts(problem, dispatch(problem)) == {"noor-i": 2}
