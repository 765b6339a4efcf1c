"""What a further MW costs: by hand on small days, and against the program solved again on weeks of the park."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.dispatch_cases import weeks

from eureka_park.energy.core.curve import Money, Step, further_steps
from eureka_park.energy.core.dispatch import Battery, Dispatcher, DispatchProblem, SaltPlant, dispatch

CARBON_MAD_PER_KG, GRID_G = 0.3, 551.0
TRIFLES_MAD = 3.0  # wear and spill, which the curve leaves out


def money_of(problem: DispatchProblem) -> Money:
    tariff = problem.import_cost_mad_per_mwh - CARBON_MAD_PER_KG * GRID_G
    carbon = {**dict.fromkeys(problem.salt, 27.0), "noor-iv": 48.0, "koudia": 11.0}
    return Money(tariff, problem.surplus_mad_per_mwh, GRID_G, carbon, CARBON_MAD_PER_KG, problem.end_value_mad_per_mwh)


def plan(load: list[float], heat: list[float], price: list[float], **changes: object) -> DispatchProblem:
    """Noor I with half of its heat coming out (20 MW in, a tank of 60 MWh) and wind of 0; prices with carbon."""
    n = len(load)
    salt = SaltPlant(np.array(heat), 20.0, 0.5, 1.0, 60.0, 0.0, 0.0)
    problem = DispatchProblem(
        np.array(load), {"noor-i": salt}, {"koudia": np.zeros(n)}, np.array(price), np.full(n, 100.0), 50.0, 20.0, 0.0,
        n_import_blocks=1, n_draw_blocks=1,
    )  # fmt: skip
    return replace(problem, **changes)  # type: ignore[arg-type]


def steps_of(problem: DispatchProblem, hour: int) -> list[tuple[float, float, str]]:
    steps = further_steps(problem, dispatch(problem), money_of(problem), hour)
    return [(round(step.mw, 6), round(step.mad_per_mwh, 3), step.source) for step in steps]


def test_salt_drawn_earlier_costs_what_it_replaces_with_the_grids_carbon() -> None:
    problem = plan([10, 10, 10], [20, 0, 0], [500.0, 1000.0, 700.0])
    assert steps_of(problem, 0) == [
        (40.0, pytest.approx(500 - 165.3), "grid"),
        (10.0, pytest.approx(1000 - 165.3), "noor-i"),
    ]
    salt = further_steps(problem, dispatch(problem), money_of(problem), 0)[1]
    assert salt.gco2_per_kwh == pytest.approx(GRID_G)
    assert [source for _, _, source in steps_of(problem, 1)] == ["grid"]  # the block is full: no step of its own


def test_what_is_given_up_is_free_then_comes_surplus() -> None:
    problem = plan([10, 10], [0, 0], [500.0, 500.0], direct_mw={"koudia": np.array([45.0, 0.0])})
    assert steps_of(problem, 0)[:2] == [(15.0, 0.0, "koudia"), (20.0, 100.0, "koudia")]
    first = further_steps(problem, dispatch(problem), money_of(problem), 0)[0]
    assert first.gco2_per_kwh == 11.0


def test_a_tank_that_spills_gives_for_nothing() -> None:
    problem = plan([10, 0, 0], [10, 90, 90], [500.0, 500.0, 500.0], export_mw_max=0.0)
    assert steps_of(problem, 1)[0] == (10.0, 0.0, "noor-i")


def test_a_battery_gives_earlier_what_it_would_have_given_later() -> None:
    battery = {"battery": Battery(10.0, 40.0, 1.0, 1.0, start_mwh=10.0)}
    problem = plan([5, 5, 5], [0, 0, 0], [500.0, 400.0, 900.0], batteries=battery)
    assert steps_of(problem, 1) == [(5.0, pytest.approx(734.7), "battery")] or steps_of(problem, 1)[-1][2] == "battery"


def along(steps: tuple[Step, ...], mw: float) -> float:
    """Cost of the first `mw` further MW for an hour, the grid's carbon priced in as in the objective; MAD."""
    left, cost = mw, 0.0
    for step in steps:
        part = min(left, step.mw)
        carbon = step.gco2_per_kwh if step.gco2_per_kwh > 200 else 0.0  # a plant's own carbon is not in the objective
        cost += part * (step.mad_per_mwh + CARBON_MAD_PER_KG * carbon)
        left -= part
    return cost


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    load_mw=st.sampled_from([100.0, 200.0, 300.0, 386.0]),
    hour=st.integers(0, 47),
    share=st.floats(0.02, 1.0),
    end_value=st.sampled_from([0.0, 200.0, 700.0]),
    has_battery=st.booleans(),
)
def test_the_curve_rises_and_costs_at_least_what_the_program_solved_again_says(
    seed: int, load_mw: float, hour: int, share: float, end_value: float, has_battery: bool
) -> None:
    battery = {"battery": Battery(50.0, 200.0, start_mwh=100.0)} if has_battery else {}
    problem = weeks(72, load_mw, seed, is_cyclic=False, end_value_mad_per_mwh=end_value, batteries=battery)
    kept = Dispatcher(problem)
    answer = kept.solve()
    steps = further_steps(problem, answer, money_of(problem), hour)
    ranks = [step.mad_per_mwh + CARBON_MAD_PER_KG * (step.gco2_per_kwh > 200) * step.gco2_per_kwh for step in steps]
    assert all(low <= high + 1e-6 for low, high in pairwise(ranks)) and ranks[0] >= 0
    free = float(answer.curtailed_mw[hour])
    assert sum(step.mw for step in steps if step.mad_per_mwh == 0.0) >= free - 1e-6
    mw = share * sum(step.mw for step in steps)
    more = problem.load_mw.copy()
    more[hour] += mw
    kept.set_load(more)
    again = kept.solve().objective - answer.objective
    assert along(steps, mw) >= again - TRIFLES_MAD * mw - 1.0


def test_over_weeks_the_curve_costs_little_more_than_solving_again() -> None:
    told = exact = 0.0
    for seed, load_mw in ((1, 386.0), (2, 200.0)):
        problem = weeks(72, load_mw, seed, is_cyclic=False, end_value_mad_per_mwh=700.0)
        kept = Dispatcher(problem)
        answer = kept.solve()
        for hour in range(0, 48, 3):
            steps = further_steps(problem, answer, money_of(problem), hour)
            for share in (0.1, 0.4):
                mw = share * sum(step.mw for step in steps)
                more = problem.load_mw.copy()
                more[hour] += mw
                kept.set_load(more)
                told += along(steps, mw)
                exact += kept.solve().objective - answer.objective
    assert exact - 0.002 * exact <= told <= 1.05 * exact
