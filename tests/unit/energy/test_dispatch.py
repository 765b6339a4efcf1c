"""Dispatch on problems small enough to be solved by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.helpers.dispatch_cases import weeks

from eureka_park.energy.core.dispatch import Battery, Dispatch, Dispatcher, DispatchProblem, SaltPlant, dispatch
from eureka_park.energy.core.dispatch_problem import PLAN_DRAW_BLOCKS, PLAN_IMPORT_BLOCKS


def solved(
    load: list[float],
    price: list[float],
    heat: list[float],
    *,
    wind: list[float] | None = None,
    start: float = 0.0,
    end_value: float = 0.0,
    surplus: float = 100.0,
    export_mw_max: float = 100.0,
    import_mw_max: float = 100.0,
    delivered: float = 1.0,
    loss: float = 0.0,
) -> Dispatch:
    """One salt plant (20 MW of heat in, half of it comes out, tank of 60 MWh) and perhaps some wind."""
    salt = SaltPlant(np.array(heat), 20.0, 0.5, delivered, 60.0, start, loss)
    return dispatch(
        DispatchProblem(
            np.array(load), {"salt": salt}, {"wind": np.array(wind or [0.0] * len(load))}, np.array(price),
            np.full(len(load), surplus), import_mw_max, export_mw_max, end_value,
        )
    )  # fmt: skip


def test_salt_waits_for_the_dear_hour() -> None:
    answer = solved([10, 10, 10], [500, 1000, 700], [20, 0, 0])
    assert answer.power_mw["salt"] == pytest.approx([0, 10, 0], abs=1e-6)
    assert answer.import_mw == pytest.approx([10, 0, 10], abs=1e-6)
    assert answer.tes_mwh_th["salt"] == pytest.approx([20, 0, 0], abs=1e-6)


def test_an_hour_of_salt_is_worth_what_it_replaces() -> None:
    answer = solved([10, 10, 10], [500, 1000, 700], [20, 0, 10])
    assert answer.salt_value_mad_per_mwh["salt"] == pytest.approx([700, 700, 700], abs=8)  # blocks and wear: a trifle


def test_hours_of_one_price_share_the_salt() -> None:
    answer = solved([10] * 4, [600] * 4, [40, 0, 0, 0])
    assert answer.power_mw["salt"] == pytest.approx([5, 5, 5, 5], abs=5.0)
    assert answer.power_mw["salt"].sum() == pytest.approx(20, abs=1e-6)
    assert answer.import_mw.max() < 10


def test_salt_left_at_the_end_has_its_value() -> None:
    assert solved([10, 10], [600, 600], [0, 0], start=40).tes_mwh_th["salt"][-1] == pytest.approx(0, abs=1e-6)
    assert solved([10, 10], [600, 600], [0, 0], start=40, end_value=900).import_mw == pytest.approx([10, 10], abs=1e-6)


def test_a_full_tank_spills_and_losses_are_taken() -> None:
    answer = solved([0, 0], [600, 600], [90, 90], export_mw_max=0.0, end_value=900)
    assert answer.tes_mwh_th["salt"] == pytest.approx([60, 60], abs=1e-6)
    assert answer.spill_mw_th["salt"].sum() == pytest.approx(120, abs=1e-6)
    leaking = solved([0, 0], [600, 600], [0, 0], start=50, end_value=900, loss=0.1)
    assert leaking.tes_mwh_th["salt"] == pytest.approx([45, 40.5], abs=1e-6)


def test_line_losses_lie_between_plant_and_meter() -> None:
    answer = solved([10], [900], [20], delivered=0.9)
    assert answer.power_mw["salt"] == pytest.approx([9], abs=1e-6)
    assert answer.import_mw == pytest.approx([1], abs=1e-6)


def test_surplus_is_sold_then_curtailed_and_never_bought_and_sold_at_once() -> None:
    answer = solved([5, 20], [600, 600], [0, 0], wind=[50, 10], export_mw_max=30)
    assert answer.export_mw == pytest.approx([30, 0], abs=1e-6)
    assert answer.curtailed_mw == pytest.approx([15, 0], abs=1e-6)
    assert answer.import_mw == pytest.approx([0, 10], abs=1e-6)


def test_unserved_is_the_last_resort() -> None:
    answer = solved([50], [600], [20], import_mw_max=30)
    assert answer.import_mw == pytest.approx([30], abs=1e-6)
    assert answer.unserved_mw == pytest.approx([10], abs=1e-6)


def test_a_load_may_change_and_is_solved_again_to_the_same_optimum() -> None:
    battery = {"battery": Battery(100.0, 400.0)}
    for changes in ({}, {"flex_frac": 0.2, "batteries": battery}, {"batteries": battery, "n_import_blocks": 3}):
        kept = Dispatcher(weeks(7 * 24, **changes))
        kept.solve()
        for load_mw in (250.0, 120.0, 386.0):
            kept.set_load(np.full(7 * 24, load_mw))
            anew = dispatch(weeks(7 * 24, load_mw, **changes))
            assert kept.solve().objective == pytest.approx(anew.objective, rel=1e-9)


def part(problem: DispatchProblem, begin: int, end: int, salt_mwh_th: dict[str, float]) -> DispatchProblem:
    """The hours from `begin` to `end` as a plan would see them, with that salt in the tanks."""
    hours = slice(begin, end)
    salt = {
        name: replace(plant, heat_mw_th=plant.heat_mw_th[hours], tes_mwh_th_start=salt_mwh_th[name])
        for name, plant in problem.salt.items()
    }
    return replace(
        problem, load_mw=problem.load_mw[hours], salt=salt, is_cyclic=False, end_value_mad_per_mwh=700.0,
        direct_mw={name: series[hours] for name, series in problem.direct_mw.items()},
        import_cost_mad_per_mwh=problem.import_cost_mad_per_mwh[hours],
        surplus_mad_per_mwh=problem.surplus_mad_per_mwh[hours],
        n_import_blocks=PLAN_IMPORT_BLOCKS, n_draw_blocks=PLAN_DRAW_BLOCKS,
    )  # fmt: skip


@pytest.mark.parametrize("load_mw", [386.0, 200.0])
def test_plans_of_48_hours_come_within_a_point_of_perfect_foresight(load_mw: float) -> None:
    problem = weeks(28 * 24, load_mw)
    bound = dispatch(replace(problem, objective="least-import"))
    salt = {name: float(series[-1]) for name, series in bound.tes_mwh_th.items()}
    bought = 0.0
    for day in range(27):
        answer = dispatch(part(problem, 24 * day, 24 * day + 48, salt))
        bought += float(answer.import_mw[:24].sum())
        salt = {name: float(series[23]) for name, series in answer.tes_mwh_th.items()}
    best = float(bound.import_mw[: 27 * 24].sum())
    assert bought - best < 0.01 * load_mw * 27 * 24


@pytest.mark.parametrize("changes", [{}, {"n_import_blocks": 3}, {"flex_frac": 0.2}])
def test_a_battery_is_filled_by_clean_power_alone(changes: dict[str, Any]) -> None:
    still = DispatchProblem(
        np.full(4, 10.0), {}, {"wind": np.array([0.0, 15.0, 0.0, 0.0])}, np.array([100.0, 100, 900, 900]), np.zeros(4),
        100.0, 100.0, 0.0, batteries={"battery": Battery(50.0, 100.0, 1.0, 1.0)}, **{"n_import_blocks": 1, **changes},
    )  # fmt: skip
    answer = dispatch(still)
    # The cheap grid serves the load, all of the wind is kept, and no more is bought than the load draws.
    assert answer.charge_mw["battery"] == pytest.approx([0, 15, 0, 0], abs=1e-6)
    assert np.all(answer.import_mw <= answer.load_mw + 1e-6)
    assert answer.discharge_mw["battery"].sum() == pytest.approx(answer.charge_mw["battery"].sum(), abs=1e-6)
